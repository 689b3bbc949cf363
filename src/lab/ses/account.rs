//! The one account that this SES has: identities by region, and what an operation does to them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::clock::Clock;
use super::counters::Counters;
use super::error::ApiError;
use super::fault::Faults;
use super::identity::{Identity, Signing};
use super::metrics::Metrics;
use super::operation::Operation;
use super::own_key::OwnKey;
use super::paging;
use super::region;
use super::token;
use super::wire::{
    CreateInput, CreateOutput, EnableInput, ListInput, ListOutput, ListedOutput, MailFromInput, SignInput, SignOutput,
    SigningInput,
};
use super::words::VerificationError;
use crate::dns::name::Name;

/// The origin of Easy DKIM.
pub(super) const EASY: &str = "AWS_SES";
/// The origin of a key that was brought.
pub(super) const EXTERNAL: &str = "EXTERNAL";

/// The account.
pub(super) struct Account {
    /// What time it is.
    pub(super) clock: Clock,
    /// What goes wrong.
    pub(super) faults: Faults,
    /// What was asked.
    pub(super) counters: Counters,
    /// The identities, by region and name.
    pub(super) identities: BTreeMap<(String, String), Identity>,
    /// What was sent.
    pub(super) metrics: Metrics,
    /// Whether sending is paused.
    pub(super) is_paused: bool,
    /// The tokens that domains get which are known already.
    pub(super) known_tokens: HashMap<String, Vec<String>>,
    /// What all other tokens come from.
    pub(super) seed: u64,
    /// How many identities there may be in a region.
    pub(super) max_identities: usize,
    /// How much time lies between two calls; none, where nobody is slowed.
    pub(super) pause: Option<Duration>,
    /// When the next call may come.
    pub(super) next_call: Option<Instant>,
}

impl Account {
    /// Counts a call and says whether it comes too soon.
    pub(super) fn admit(&mut self, operation: Operation, real: Instant) -> Result<(), ApiError> {
        self.counters.count(operation);
        let Some(pause) = self.pause.filter(|_| operation.is_paced()) else { return Ok(()) };
        if self.next_call.is_some_and(|next| real < next) {
            return Err(ApiError::TooManyRequests);
        }
        self.next_call = real.checked_add(pause);
        Ok(())
    }

    /// Returns an identity.
    pub(super) fn identity(&self, region: &str, name: &str) -> Result<&Identity, ApiError> {
        let found = self.identities.get(&(region.to_owned(), folded(name)));
        found.ok_or_else(|| ApiError::NotFound(format!("the identity {name}")))
    }

    /// Returns an identity, to be changed.
    pub(super) fn identity_mut(&mut self, region: &str, name: &str) -> Result<&mut Identity, ApiError> {
        let found = self.identities.get_mut(&(region.to_owned(), folded(name)));
        found.ok_or_else(|| ApiError::NotFound(format!("the identity {name}")))
    }

    /// Returns the tokens of a domain.
    pub(super) fn tokens(&self, region: &str, domain: &str) -> Vec<String> {
        self.known_tokens.get(domain).cloned().unwrap_or_else(|| token::tokens(self.seed, region, domain))
    }

    /// Finds the tokens of the identity that a replica copies.
    pub(super) fn tokens_of_parent(
        &self,
        region: &str,
        parent: &str,
        name: &str,
    ) -> Result<&[String], VerificationError> {
        if parent == region {
            return Err(VerificationError::ReplicationPrimaryInvalidRegion);
        }
        match self.identity(parent, name).map(|identity| &identity.signing) {
            Ok(Signing::Easy { tokens }) => Ok(tokens),
            Ok(Signing::Own { .. }) => Err(VerificationError::ReplicationPrimaryByoDkimNotSupported),
            Ok(Signing::Replica { .. }) => Err(VerificationError::ReplicationReplicaAsPrimaryNotSupported),
            Ok(Signing::Nothing) | Err(_) => Err(VerificationError::ReplicationPrimaryNotFound),
        }
    }

    /// Makes an identity.
    pub(super) fn create(&mut self, region: &str, input: CreateInput, now: Timestamp) -> Result<Value, ApiError> {
        let name = identity_name(&input.email_identity)?;
        self.counters.identity_mut(region, &name).create_calls += 1;
        if self.identities.contains_key(&(region.to_owned(), name.clone())) {
            return Err(ApiError::AlreadyExists(format!("the identity {name}")));
        }
        if self.is_full(region) {
            return Err(ApiError::LimitExceeded(self.max_identities));
        }
        let mut identity = if name.contains('@') {
            if input.dkim_signing_attributes.is_some() {
                return Err(ApiError::BadRequest("an address has no DKIM attributes".to_owned()));
            }
            Identity::address(&name, now)
        } else {
            self.new_domain(region, &name, input.dkim_signing_attributes.unwrap_or_default(), now)?
        };
        identity.tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        identity.configuration_set = input.configuration_set_name;
        let output = CreateOutput {
            identity_type: identity.kind,
            verified_for_sending_status: identity.can_send(),
            dkim_attributes: self.dkim_output(region, &identity),
        };
        self.counters.identity_mut(region, &name).creates += 1;
        self.identities.insert((region.to_owned(), name), identity);
        written(&output)
    }

    /// Says whether a region has as many identities as it may have; counts only where there may be that many.
    fn is_full(&self, region: &str) -> bool {
        let here = || self.identities.keys().filter(|(place, _)| place == region).count();
        self.identities.len() >= self.max_identities && here() >= self.max_identities
    }

    /// Makes a domain that signs as it was told.
    fn new_domain(&self, region: &str, name: &str, input: SigningInput, now: Timestamp) -> Result<Identity, ApiError> {
        let has_key = input.domain_signing_selector.is_some() || input.domain_signing_private_key.is_some();
        let origin = input.domain_signing_attributes_origin.as_deref();
        let signing = match origin {
            Some(EXTERNAL) => brought(&input)?,
            None if has_key => brought(&input)?,
            None | Some(EASY) => Signing::Easy { tokens: self.tokens(region, name) },
            Some(origin) => Signing::Replica { parent: parent(origin)? },
        };
        let mut identity = Identity::domain(name, signing, now);
        if let Some(length) = input.next_signing_key_length {
            (identity.current_key, identity.next_key) = (length, length);
        }
        Ok(identity)
    }

    /// Removes an identity.
    pub(super) fn delete(&mut self, region: &str, name: &str) -> Result<Value, ApiError> {
        let removed = self.identities.remove(&(region.to_owned(), folded(name)));
        removed.ok_or_else(|| ApiError::NotFound(format!("the identity {name}")))?;
        self.counters.identity_mut(region, &folded(name)).deletes += 1;
        Ok(nothing())
    }

    /// Lists identities.
    pub(super) fn list(&self, region: &str, input: &ListInput) -> Result<Value, ApiError> {
        let size = paging::page_size(input.page_size)?;
        let start = input.next_token.as_deref().map(|token| paging::read(region, token)).transpose()?;
        let from = match start {
            Some(last) => Bound::Excluded((region.to_owned(), last)),
            None => Bound::Included((region.to_owned(), String::new())),
        };
        let filter = &input.filter;
        let mut listed = self
            .identities
            .range((from, Bound::Unbounded))
            .take_while(|((place, _), _)| place == region)
            .map(|(_, identity)| identity)
            .filter(|identity| {
                filter.identity_name_contains.as_ref().is_none_or(|part| identity.name.contains(&folded(part)))
                    && filter.identity_type.is_none_or(|kind| identity.kind == kind)
                    && filter.verification_status.is_none_or(|status| identity.verification_status() == status)
            });
        let page: Vec<&Identity> = listed.by_ref().take(size).collect();
        let last = page.last().filter(|_| listed.next().is_some());
        written(&ListOutput {
            next_token: last.map(|identity| paging::write(region, &identity.name)),
            email_identities: page
                .iter()
                .map(|identity| ListedOutput {
                    identity_type: identity.kind,
                    identity_name: identity.name.clone(),
                    sending_enabled: identity.can_send(),
                    verification_status: identity.verification_status(),
                })
                .collect(),
        })
    }

    /// Says where the keys of an identity come from.
    pub(super) fn sign(
        &mut self,
        region: &str,
        name: &str,
        input: &SignInput,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        if self.identity(region, name)?.signing == Signing::Nothing {
            return Err(ApiError::BadRequest("an address has no DKIM attributes".to_owned()));
        }
        if input.signing_attributes.domain_signing_attributes_origin.is_some() {
            let text = "DomainSigningAttributesOrigin is for CreateEmailIdentity; use SigningAttributesOrigin";
            return Err(ApiError::BadRequest(text.to_owned()));
        }
        let tokens = self.tokens(region, &folded(name));
        let identity = self.identity_mut(region, name)?;
        match input.signing_attributes_origin.as_str() {
            EASY => identity.sign_easily(tokens, input.signing_attributes.next_signing_key_length, now)?,
            EXTERNAL => {
                if let Signing::Own { selector, key: Some(key) } = brought(&input.signing_attributes)? {
                    identity.sign_with(&selector, key, now);
                }
            }
            origin => identity.replicate(&parent(origin)?, now),
        }
        self.counters.identity_mut(region, &folded(name)).puts += 1;
        let output = self.dkim_output(region, self.identity(region, name)?);
        written(&SignOutput {
            dkim_status: output.status,
            dkim_tokens: output.tokens,
            signing_hosted_zone: output.signing_hosted_zone,
        })
    }

    /// Says whether mail is signed.
    pub(super) fn enable(&mut self, region: &str, name: &str, input: &EnableInput) -> Result<Value, ApiError> {
        self.identity_mut(region, name)?.signing_enabled = input.signing_enabled;
        self.counters.identity_mut(region, &folded(name)).puts += 1;
        Ok(nothing())
    }

    /// Sets the custom MAIL FROM name.
    pub(super) fn send_from(
        &mut self,
        region: &str,
        name: &str,
        input: &MailFromInput,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let identity = self.identity_mut(region, name)?;
        let on_failure = input.behavior_on_mx_failure.unwrap_or_default();
        identity.send_from(input.mail_from_domain.as_deref(), on_failure, now)?;
        self.counters.identity_mut(region, &folded(name)).puts += 1;
        Ok(nothing())
    }
}

/// Reads the key that is brought.
fn brought(input: &SigningInput) -> Result<Signing, ApiError> {
    let (Some(selector), Some(key)) = (&input.domain_signing_selector, &input.domain_signing_private_key) else {
        let text = "DomainSigningSelector and DomainSigningPrivateKey go together";
        return Err(ApiError::BadRequest(text.to_owned()));
    };
    let is_label = !selector.is_empty()
        && selector.len() <= 63
        && selector.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !selector.starts_with('-')
        && !selector.ends_with('-');
    if !is_label {
        return Err(ApiError::BadRequest(format!("the selector {selector} is no label")));
    }
    let key = OwnKey::of_private(key).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    Ok(Signing::Own { selector: selector.clone(), key: Some(key) })
}

/// Reads the region of a replica's parent.
fn parent(origin: &str) -> Result<String, ApiError> {
    let parent = region::parent_of_origin(origin);
    parent.map(str::to_owned).ok_or_else(|| ApiError::BadRequest(format!("{origin} is no origin of DKIM attributes")))
}

/// Reads a name that an identity can have: a domain, or an address at one.
fn identity_name(text: &str) -> Result<String, ApiError> {
    let refused = || ApiError::BadRequest(format!("{text} is neither a domain nor an email address"));
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() => (Some(local), domain),
        Some(_) => return Err(refused()),
        None => (None, text),
    };
    let name = Name::from_user_input(domain).map_err(|_| refused())?;
    if name.label_count() < 2 {
        return Err(refused());
    }
    let domain = name.to_lowercase().to_text_without_dot();
    Ok(local.map_or(domain.clone(), |local| format!("{}@{domain}", folded(local))))
}

/// Folds the case of a name, and drops the final dot.
pub(super) fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Writes an output.
pub(super) fn written(output: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(output).map_err(|_| ApiError::InternalServiceError)
}

/// The output of an operation that tells nothing.
fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ses::{SesSettings, account};

    #[test]
    fn calls_that_manage_identities_keep_the_rate_of_the_account() {
        use Operation::{GetEmailIdentity as Get, SendEmail as Send};
        let mut account =
            account(&SesSettings { calls_per_second: std::num::NonZeroU32::new(2), ..SesSettings::default() });
        let real = Instant::now();
        let mut admit = |operation, millis| account.admit(operation, real + Duration::from_millis(millis)).is_ok();
        assert!(admit(Get, 0));
        assert!(!admit(Get, 499), "half a second lies between two calls");
        assert!(admit(Send, 499), "mail has a rate of its own");
        assert!(admit(Get, 500));
        assert!(!admit(Get, 999));
        assert!(admit(Get, 1000), "a call that was refused does not count");
        assert_eq!(account.counters.calls_of(Get), 5);
    }

    #[test]
    fn only_domains_and_addresses_are_names_of_identities() {
        for (text, name) in [
            ("Mail.Example.COM.", "mail.example.com"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("Some.One@Example.com", "some.one@example.com"),
        ] {
            assert_eq!(identity_name(text).as_deref(), Ok(name));
        }
        for text in ["", "com", "@example.com", "a@b", "no name.example.com", "a..example.com"] {
            assert!(matches!(identity_name(text), Err(ApiError::BadRequest(_))), "{text:?}");
        }
    }
}
