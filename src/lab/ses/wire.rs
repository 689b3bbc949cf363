//! What goes over the wire: the inputs and outputs of the operations, member by member as the service model has them.
//!
//! Times are seconds since 1970 (rest-json). Members without a value are left out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use super::words::{IdentityKind, KeyLength, OnMxFailure, Status, VerificationError};

/// A time on the wire.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Seconds(pub(super) Timestamp);

impl TryFrom<f64> for Seconds {
    type Error = jiff::Error;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        SignedDuration::try_from_secs_f64(seconds).and_then(Timestamp::from_duration).map(Self)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_duration().as_secs_f64())
    }
}

/// A key and its value.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    /// The key.
    pub(super) key: String,
    /// The value.
    pub(super) value: String,
}

/// `DkimSigningAttributes`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SigningInput {
    /// Where a key that is brought stands.
    pub(super) domain_signing_selector: Option<String>,
    /// The key that is brought.
    pub(super) domain_signing_private_key: Option<String>,
    /// How long the next keys are to be.
    pub(super) next_signing_key_length: Option<KeyLength>,
    /// Where the keys come from.
    pub(super) domain_signing_attributes_origin: Option<String>,
}

/// `CreateEmailIdentityRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateInput {
    /// The name.
    pub(super) email_identity: String,
    /// Keys and values that the owner gives it.
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    /// What it signs with.
    pub(super) dkim_signing_attributes: Option<SigningInput>,
    /// The configuration set that its mail goes with.
    pub(super) configuration_set_name: Option<String>,
}

/// `PutEmailIdentityDkimSigningAttributesRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SignInput {
    /// Where the keys come from.
    pub(super) signing_attributes_origin: String,
    /// The key that is brought, or how long the next ones are to be.
    #[serde(default)]
    pub(super) signing_attributes: SigningInput,
}

/// `PutEmailIdentityDkimAttributesRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EnableInput {
    /// Whether mail is to be signed.
    pub(super) signing_enabled: bool,
}

/// `PutEmailIdentityMailFromAttributesRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct MailFromInput {
    /// The name; none takes it away.
    pub(super) mail_from_domain: Option<String>,
    /// What is to be done where its MX record is not there.
    pub(super) behavior_on_mx_failure: Option<OnMxFailure>,
}

/// `ListEmailIdentitiesRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListInput {
    /// Which ones.
    pub(super) filter: Filter,
    /// Where the page begins.
    pub(super) next_token: Option<String>,
    /// How many there may be on it.
    pub(super) page_size: Option<u32>,
}

/// `IdentityFilter`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", default)]
pub(super) struct Filter {
    /// A part of the name.
    pub(super) identity_name_contains: Option<String>,
    /// What it is.
    pub(super) identity_type: Option<IdentityKind>,
    /// How it stands.
    pub(super) verification_status: Option<Status>,
}

/// `DkimAttributes`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DkimOutput {
    /// Whether mail is signed.
    pub(super) signing_enabled: bool,
    /// How the verification stands.
    pub(super) status: Status,
    /// The tokens, or the selector of a key that was brought.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tokens: Vec<String>,
    /// The zone that the keys live in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signing_hosted_zone: Option<String>,
    /// Where the keys come from.
    pub(super) signing_attributes_origin: String,
    /// How long the next keys will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_signing_key_length: Option<KeyLength>,
    /// How long the keys in use are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_signing_key_length: Option<KeyLength>,
    /// When they were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_key_generation_timestamp: Option<Seconds>,
}

/// `CreateEmailIdentityResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateOutput {
    /// What it is.
    pub(super) identity_type: IdentityKind,
    /// Whether mail may be sent from it.
    pub(super) verified_for_sending_status: bool,
    /// What it signs with.
    pub(super) dkim_attributes: DkimOutput,
}

/// `MailFromAttributes`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MailFromOutput {
    /// The name.
    pub(super) mail_from_domain: String,
    /// How its verification stands.
    pub(super) mail_from_domain_status: Status,
    /// What is done where its MX record is not there.
    pub(super) behavior_on_mx_failure: OnMxFailure,
}

/// `SOARecord`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SoaOutput {
    /// The primary server.
    pub(super) primary_name_server: String,
    /// The mailbox of the person in charge.
    pub(super) admin_email: String,
    /// The version of the zone.
    pub(super) serial_number: u32,
}

/// `VerificationInfo`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerificationOutput {
    /// When it was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_checked_timestamp: Option<Seconds>,
    /// When the records were last found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_success_timestamp: Option<Seconds>,
    /// What was not right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<VerificationError>,
    /// The SOA record that was seen.
    #[serde(rename = "SOARecord", skip_serializing_if = "Option::is_none")]
    pub(super) soa_record: Option<SoaOutput>,
}

/// `GetEmailIdentityResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetOutput {
    /// What it is.
    pub(super) identity_type: IdentityKind,
    /// Whether bounces are told by mail.
    pub(super) feedback_forwarding_status: bool,
    /// Whether mail may be sent from it.
    pub(super) verified_for_sending_status: bool,
    /// What it signs with.
    pub(super) dkim_attributes: DkimOutput,
    /// The custom MAIL FROM name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mail_from_attributes: Option<MailFromOutput>,
    /// Who else may send; nobody here.
    pub(super) policies: serde_json::Map<String, serde_json::Value>,
    /// Keys and values that the owner gave it.
    pub(super) tags: Vec<Tag>,
    /// The configuration set that its mail goes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configuration_set_name: Option<String>,
    /// How it stands as a whole.
    pub(super) verification_status: Status,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verification_info: Option<VerificationOutput>,
}

/// `PutEmailIdentityDkimSigningAttributesResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SignOutput {
    /// How the verification stands.
    pub(super) dkim_status: Status,
    /// The tokens, or the selector of a key that was brought.
    pub(super) dkim_tokens: Vec<String>,
    /// The zone that the keys live in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signing_hosted_zone: Option<String>,
}

/// `IdentityInfo`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedOutput {
    /// What it is.
    pub(super) identity_type: IdentityKind,
    /// The name.
    pub(super) identity_name: String,
    /// Whether mail may be sent from it.
    pub(super) sending_enabled: bool,
    /// How it stands as a whole.
    pub(super) verification_status: Status,
}

/// `ListEmailIdentitiesResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOutput {
    /// The identities of the page.
    pub(super) email_identities: Vec<ListedOutput>,
    /// Where the next page begins; none, where this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}
