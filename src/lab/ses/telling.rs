//! How an identity is told: what an operation's output says of it.

use serde_json::Value;

use super::account::{Account, EASY, EXTERNAL, folded, written};
use super::error::ApiError;
use super::identity::{Identity, Signing};
use super::region;
use super::wire::{DkimOutput, GetOutput, MailFromOutput, Seconds, SoaOutput, Tag, VerificationOutput};

impl Account {
    /// Tells everything of an identity.
    pub(super) fn get(&mut self, region: &str, name: &str) -> Result<Value, ApiError> {
        self.counters.identity_mut(region, &folded(name)).gets += 1;
        let identity = self.identity(region, name)?;
        written(&GetOutput {
            identity_type: identity.kind,
            feedback_forwarding_status: true,
            verified_for_sending_status: identity.can_send(),
            dkim_attributes: self.dkim_output(region, identity),
            mail_from_attributes: identity.mail_from.as_ref().map(|mail_from| MailFromOutput {
                mail_from_domain: mail_from.domain.clone(),
                mail_from_domain_status: mail_from.track.status,
                behavior_on_mx_failure: mail_from.on_failure,
            }),
            policies: serde_json::Map::new(),
            tags: identity.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect(),
            configuration_set_name: identity.configuration_set.clone(),
            verification_status: identity.verification_status(),
            verification_info: identity.last_checked_at.map(|_| VerificationOutput {
                last_checked_timestamp: identity.last_checked_at.map(Seconds),
                last_success_timestamp: identity.last_success_at.map(Seconds),
                error_type: identity.error,
                soa_record: identity.soa.as_ref().map(|soa| SoaOutput {
                    primary_name_server: soa.primary.clone(),
                    admin_email: soa.admin.clone(),
                    serial_number: soa.serial,
                }),
            }),
        })
    }

    /// Tells what an identity signs with; a replica has the tokens and the zone of its parent.
    pub(super) fn dkim_output(&self, region: &str, identity: &Identity) -> DkimOutput {
        let (tokens, zone, origin) = match &identity.signing {
            Signing::Easy { tokens } => (tokens.clone(), Some(region::dkim_zone(region)), EASY.to_owned()),
            Signing::Own { selector, .. } => (vec![selector.clone()], None, EXTERNAL.to_owned()),
            Signing::Replica { parent } => {
                let tokens = self.tokens_of_parent(region, parent, &identity.name).unwrap_or_default();
                (tokens.to_vec(), Some(region::dkim_zone(parent)), region::replica_origin(parent))
            }
            Signing::Nothing => (Vec::new(), None, EASY.to_owned()),
        };
        let has_own_keys = matches!(identity.signing, Signing::Easy { .. } | Signing::Replica { .. });
        DkimOutput {
            signing_enabled: identity.signing_enabled,
            status: identity.dkim.status,
            tokens,
            signing_hosted_zone: zone,
            signing_attributes_origin: origin,
            next_signing_key_length: has_own_keys.then_some(identity.next_key),
            current_signing_key_length: has_own_keys.then_some(identity.current_key),
            last_key_generation_timestamp: has_own_keys.then_some(Seconds(identity.keys_made_at)),
        }
    }
}
