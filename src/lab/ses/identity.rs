//! An identity of Amazon SES: what it signs with, how its verifications stand, what was last seen of it.
//!
//! Pure; time comes in as a value, and so does what the DNS says.

use jiff::{SignedDuration, Timestamp};

use super::error::ApiError;
use super::own_key::OwnKey;
use super::track::{DKIM_GRACE, MAIL_FROM_GRACE, Seen, Track};
use super::words::{IdentityKind, KeyLength, OnMxFailure, Status, VerificationError};
use crate::dns::name::Name;

/// How often the length of the keys may be changed (`NextSigningKeyLength` of the service model).
const KEY_LENGTH_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Where the keys of an identity come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Signing {
    /// Easy DKIM: Amazon SES makes keys and publishes them under these tokens.
    Easy {
        /// The tokens.
        tokens: Vec<String>,
    },
    /// Bring your own DKIM.
    Own {
        /// Where the key stands.
        selector: String,
        /// The key; any will do where it is not told.
        key: Option<OwnKey>,
    },
    /// Deterministic Easy DKIM: the keys of the identity of the same name in another region.
    Replica {
        /// That region.
        parent: String,
    },
    /// Nothing is signed, as for an address.
    Nothing,
}

/// A custom MAIL FROM name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MailFrom {
    /// The name.
    pub(super) domain: String,
    /// What is done where its MX record is not there.
    pub(super) on_failure: OnMxFailure,
    /// How its verification stands.
    pub(super) track: Track,
}

/// The SOA record that a look came upon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SeenSoa {
    /// The primary server.
    pub(super) primary: String,
    /// The mailbox of the person in charge.
    pub(super) admin: String,
    /// The version of the zone.
    pub(super) serial: u32,
}

/// What one look at the DNS came upon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sighting {
    /// The DKIM records; all of them have one status.
    pub(super) dkim: Seen,
    /// The MX record of the MAIL FROM name, where there is such a name.
    pub(super) mail_from: Option<Seen>,
    /// The SOA record of the domain's zone.
    pub(super) soa: Option<SeenSoa>,
}

/// An identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Identity {
    /// The domain in lower case without its final dot, or the address.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: IdentityKind,
    /// Where its keys come from.
    pub(super) signing: Signing,
    /// Whether mail is signed.
    pub(super) signing_enabled: bool,
    /// How its verification by DKIM stands.
    pub(super) dkim: Track,
    /// Whether it was verified in another way, such as the TXT record of former times.
    pub(super) is_verified_otherwise: bool,
    /// The custom MAIL FROM name.
    pub(super) mail_from: Option<MailFrom>,
    /// How long the keys in use are.
    pub(super) current_key: KeyLength,
    /// How long the next keys will be.
    pub(super) next_key: KeyLength,
    /// When the keys were made.
    pub(super) keys_made_at: Timestamp,
    /// When the length of the next keys was last changed.
    key_length_set_at: Option<Timestamp>,
    /// When it was last looked at.
    pub(super) last_checked_at: Option<Timestamp>,
    /// When the records were last found.
    pub(super) last_success_at: Option<Timestamp>,
    /// What was not right at the last look.
    pub(super) error: Option<VerificationError>,
    /// The SOA record of the last look.
    pub(super) soa: Option<SeenSoa>,
    /// When the next look is due; never for an address.
    pub(super) due_at: Option<Timestamp>,
    /// What every look comes to, whatever the DNS says, where somebody told so.
    pub(super) pretence: Option<Seen>,
    /// Counts the changes of what is looked for, so that a look under way at a change does not count.
    pub(super) revision: u64,
    /// Keys and values that the owner gave it.
    pub(super) tags: Vec<(String, String)>,
    /// The configuration set that its mail goes with.
    pub(super) configuration_set: Option<String>,
}

impl Identity {
    /// Makes a domain whose records are looked for from now on.
    pub(super) fn domain(name: &str, signing: Signing, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            kind: IdentityKind::Domain,
            signing,
            signing_enabled: true,
            dkim: Track::begin(now, DKIM_GRACE),
            is_verified_otherwise: false,
            mail_from: None,
            current_key: KeyLength::Rsa2048,
            next_key: KeyLength::Rsa2048,
            keys_made_at: now,
            key_length_set_at: None,
            last_checked_at: None,
            last_success_at: None,
            error: None,
            soa: None,
            due_at: Some(now),
            pretence: None,
            revision: 0,
            tags: Vec::new(),
            configuration_set: None,
        }
    }

    /// Makes an address, to which a message with a link would go; nobody follows it here.
    pub(super) fn address(name: &str, now: Timestamp) -> Self {
        let dkim = Track::at(Status::NotStarted, now, DKIM_GRACE);
        Self {
            kind: IdentityKind::EmailAddress,
            signing_enabled: false,
            dkim,
            due_at: None,
            ..Self::domain(name, Signing::Nothing, now)
        }
    }

    /// Says whether mail may be sent from it (`VerifiedForSendingStatus`).
    pub(super) fn can_send(&self) -> bool {
        let is_verified = match self.dkim.status {
            Status::Success | Status::TemporaryFailure => true,
            // Other keys are waited for, and the old ones still count.
            Status::Pending => self.dkim.has_succeeded,
            Status::Failed | Status::NotStarted => false,
        };
        is_verified || self.is_verified_otherwise
    }

    /// Returns how the identity as a whole stands (`VerificationStatus`).
    pub(super) fn verification_status(&self) -> Status {
        match self.dkim.status {
            Status::TemporaryFailure if !self.is_verified_otherwise => Status::TemporaryFailure,
            _ if self.can_send() => Status::Success,
            Status::NotStarted => Status::Pending,
            status => status,
        }
    }

    /// Takes note of what the DNS said, at every look that was due by `until`; nothing in it changed meanwhile.
    pub(super) fn catch_up(&mut self, sighting: &Sighting, until: Timestamp) {
        while let Some(due_at) = self.due_at.filter(|due_at| *due_at <= until) {
            self.note(sighting, due_at);
        }
    }

    /// Takes note of one look.
    fn note(&mut self, sighting: &Sighting, now: Timestamp) {
        let seen = self.pretence.unwrap_or(sighting.dkim);
        self.dkim.note(seen, now);
        self.last_checked_at = Some(now);
        self.error = seen.error();
        self.soa.clone_from(&sighting.soa);
        if seen == Seen::Right {
            self.last_success_at = Some(now);
            if self.current_key != self.next_key {
                self.current_key = self.next_key;
                self.keys_made_at = now;
            }
        }
        if let (Some(mail_from), Some(seen)) = (&mut self.mail_from, sighting.mail_from) {
            mail_from.track.note(seen, now);
        }
        let tracks = std::iter::once(&self.dkim).chain(self.mail_from.as_ref().map(|mail_from| &mail_from.track));
        self.due_at = tracks.filter_map(|track| track.next_look(now)).min();
    }

    /// Has it looked at as soon as may be.
    pub(super) fn look_soon(&mut self, now: Timestamp) {
        if self.kind == IdentityKind::Domain {
            self.due_at = Some(now);
        }
    }

    /// Signs with Easy DKIM, under these tokens; a verification that failed starts again, with the tokens it had.
    pub(super) fn sign_easily(
        &mut self,
        tokens: Vec<String>,
        next_key: Option<KeyLength>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if let Some(length) = next_key.filter(|length| *length != self.next_key) {
            let is_early = |at: Timestamp| now.duration_since(at) < KEY_LENGTH_PAUSE;
            if self.key_length_set_at.is_some_and(is_early) {
                return Err(ApiError::BadRequest("the length of the keys may be changed once a day".to_owned()));
            }
            self.next_key = length;
            self.key_length_set_at = Some(now);
            self.dkim.search_anew(now);
        }
        match self.signing {
            Signing::Easy { .. } => self.dkim.restart(now),
            _ => self.sign_otherwise(Signing::Easy { tokens }, now),
        }
        self.changed(now);
        Ok(())
    }

    /// Signs with a key that was brought.
    pub(super) fn sign_with(&mut self, selector: &str, key: OwnKey, now: Timestamp) {
        let signing = Signing::Own { selector: selector.to_owned(), key: Some(key) };
        if self.signing == signing {
            self.dkim.restart(now);
        } else {
            self.sign_otherwise(signing, now);
        }
        self.changed(now);
    }

    /// Signs with the keys of another region.
    pub(super) fn replicate(&mut self, parent: &str, now: Timestamp) {
        let signing = Signing::Replica { parent: parent.to_owned() };
        if self.signing == signing {
            self.dkim.restart(now);
        } else {
            self.sign_otherwise(signing, now);
        }
        self.changed(now);
    }

    /// Signs with other keys from now on, whose records are searched for.
    fn sign_otherwise(&mut self, signing: Signing, now: Timestamp) {
        self.signing = signing;
        self.keys_made_at = now;
        self.dkim.restart(now);
        self.dkim.search_anew(now);
    }

    /// Sends with a MAIL FROM name of its own, or without one.
    pub(super) fn send_from(
        &mut self,
        domain: Option<&str>,
        on_failure: OnMxFailure,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Some(domain) = domain.map(str::trim).filter(|domain| !domain.is_empty()) else {
            self.mail_from = None;
            self.changed(now);
            return Ok(());
        };
        let own = self.name.rsplit('@').next().unwrap_or_default();
        let names = (Name::from_user_input(domain), Name::from_user_input(own));
        let (Ok(domain), Ok(own)) = names else {
            return Err(ApiError::BadRequest(format!("{domain} is no domain name")));
        };
        if !domain.is_strictly_below(&own) {
            let text = domain.to_text_without_dot();
            return Err(ApiError::BadRequest(format!("{text} is not a subdomain of the identity {}", self.name)));
        }
        let domain = domain.to_lowercase().to_text_without_dot();
        match &mut self.mail_from {
            Some(known) if known.domain == domain => {
                known.on_failure = on_failure;
                known.track.restart(now);
            }
            mail_from => *mail_from = Some(MailFrom { domain, on_failure, track: Track::begin(now, MAIL_FROM_GRACE) }),
        }
        self.changed(now);
        Ok(())
    }

    /// Takes note that something else is to be looked for.
    fn changed(&mut self, now: Timestamp) {
        self.revision += 1;
        self.look_soon(now);
    }
}

#[cfg(test)]
mod tests;
