//! What SES says of a sender domain, in its own words.
//!
//! Reads the words of SES's API (version 2, 2019-09-27) and keeps one that it does not know as unknown: a newer SES is
//! no reason to fail. Decides nothing, and infers nothing: `sending` and the two statuses are independent of each other
//! (`sending` stays true while the DKIM status is PENDING after a change of key, or with the old TXT verification).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dns::name::Name;

/// What the origin of a deterministic replica starts with, before the region of its parent.
const REPLICA_PREFIX: &str = "AWS_SES_";

/// A status of SES: of DKIM, of the identity as a whole, or of the custom MAIL FROM name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SesStatus {
    /// SES is looking for the records.
    Pending,
    /// SES has found them.
    Success,
    /// SES has given up looking; only a restart makes it look again.
    Failed,
    /// SES had found them, and cannot look at present.
    TemporaryFailure,
    /// SES was never told to look.
    NotStarted,
    /// A word that this version does not know, or none.
    #[serde(other)]
    Unknown,
}

impl SesStatus {
    /// All statuses.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Success, Self::Failed, Self::TemporaryFailure, Self::NotStarted, Self::Unknown];

    /// Returns SES's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::TemporaryFailure => "TEMPORARY_FAILURE",
            Self::NotStarted => "NOT_STARTED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads SES's word; any other is [`SesStatus::Unknown`].
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Unknown)
    }
}

/// Where the keys come from that SES signs with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DkimOrigin {
    /// Easy DKIM: SES makes the keys and publishes them; the domain has three CNAMEs.
    EasyDkim,
    /// Bring-your-own DKIM: the caller made the key; the domain has one TXT record.
    External,
    /// Deterministic Easy DKIM: the keys and the CNAMEs are those of an identity in another region.
    Replica {
        /// The region of that identity, such as `us-east-1`.
        parent_region: String,
    },
    /// A word that this version does not know, or none.
    Unknown,
}

impl DkimOrigin {
    /// Reads SES's word: `AWS_SES`, `EXTERNAL`, `AWS_SES_US_EAST_1` and so on.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "AWS_SES" => Self::EasyDkim,
            "EXTERNAL" => Self::External,
            _ => match word.strip_prefix(REPLICA_PREFIX) {
                Some(region) if !region.is_empty() => {
                    Self::Replica { parent_region: region.to_ascii_lowercase().replace('_', "-") }
                }
                _ => Self::Unknown,
            },
        }
    }

    /// Returns SES's word; `UNKNOWN` where there is none.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::EasyDkim => "AWS_SES".to_owned(),
            Self::External => "EXTERNAL".to_owned(),
            Self::Replica { parent_region } => {
                format!("{REPLICA_PREFIX}{}", parent_region.to_ascii_uppercase().replace('-', "_"))
            }
            Self::Unknown => "UNKNOWN".to_owned(),
        }
    }
}

/// How long a key of Easy DKIM is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyLength {
    /// 1,024 bits.
    #[serde(rename = "RSA_1024_BIT")]
    Rsa1024,
    /// 2,048 bits.
    #[serde(rename = "RSA_2048_BIT")]
    Rsa2048,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl KeyLength {
    /// Reads SES's word; any other is [`KeyLength::Unknown`].
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "RSA_1024_BIT" => Self::Rsa1024,
            "RSA_2048_BIT" => Self::Rsa2048,
            _ => Self::Unknown,
        }
    }
}

/// What kept SES from finding the records.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerificationError {
    /// Trouble of SES's own.
    ServiceError,
    /// The domain's servers did not answer, or with an error.
    DnsServerError,
    /// A name is not there.
    HostNotFound,
    /// The name is there and the record is not.
    TypeNotFound,
    /// The record holds something else.
    InvalidValue,
    /// The replica may not read its parent.
    ReplicationAccessDenied,
    /// The parent signs with a key of its own, of which there are no replicas.
    ReplicationPrimaryByoDkimNotSupported,
    /// The region of the parent is none that replicas can have.
    ReplicationPrimaryInvalidRegion,
    /// There is no parent in its region.
    ReplicationPrimaryNotFound,
    /// The parent is a replica itself.
    ReplicationReplicaAsPrimaryNotSupported,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl VerificationError {
    /// All words.
    pub const ALL: [Self; 11] = [
        Self::ServiceError,
        Self::DnsServerError,
        Self::HostNotFound,
        Self::TypeNotFound,
        Self::InvalidValue,
        Self::ReplicationAccessDenied,
        Self::ReplicationPrimaryByoDkimNotSupported,
        Self::ReplicationPrimaryInvalidRegion,
        Self::ReplicationPrimaryNotFound,
        Self::ReplicationReplicaAsPrimaryNotSupported,
        Self::Unknown,
    ];

    /// Returns SES's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceError => "SERVICE_ERROR",
            Self::DnsServerError => "DNS_SERVER_ERROR",
            Self::HostNotFound => "HOST_NOT_FOUND",
            Self::TypeNotFound => "TYPE_NOT_FOUND",
            Self::InvalidValue => "INVALID_VALUE",
            Self::ReplicationAccessDenied => "REPLICATION_ACCESS_DENIED",
            Self::ReplicationPrimaryByoDkimNotSupported => "REPLICATION_PRIMARY_BYO_DKIM_NOT_SUPPORTED",
            Self::ReplicationPrimaryInvalidRegion => "REPLICATION_PRIMARY_INVALID_REGION",
            Self::ReplicationPrimaryNotFound => "REPLICATION_PRIMARY_NOT_FOUND",
            Self::ReplicationReplicaAsPrimaryNotSupported => "REPLICATION_REPLICA_AS_PRIMARY_NOT_SUPPORTED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads SES's word; any other is [`VerificationError::Unknown`].
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|error| error.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Says whether the trouble is between a replica and its parent, where nothing in the DNS helps.
    #[must_use]
    pub fn is_of_replication(self) -> bool {
        self.as_str().starts_with("REPLICATION_")
    }
}

/// The start of authority that SES saw when it last looked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SeenSoa {
    /// The primary name server (MNAME).
    pub primary: String,
    /// Who answers for the zone (RNAME).
    pub admin: String,
    /// The version of the zone.
    pub serial: u32,
}

/// What SES tells of its looks at the DNS.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct VerificationInfo {
    /// When it last looked.
    pub last_checked_at: Option<Timestamp>,
    /// When it last found everything.
    pub last_success_at: Option<Timestamp>,
    /// What kept it from finding the records; `None` where nothing did.
    pub error: Option<VerificationError>,
    /// The start of authority that it saw.
    pub soa: Option<SeenSoa>,
}

/// What SES does with mail while the MX record of the MAIL FROM name is not right.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnMxFailure {
    /// It sends from its own name, `amazonses.com`.
    UseDefaultValue,
    /// It refuses the mail.
    RejectMessage,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl OnMxFailure {
    /// Reads SES's word; any other is [`OnMxFailure::Unknown`].
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "USE_DEFAULT_VALUE" => Self::UseDefaultValue,
            "REJECT_MESSAGE" => Self::RejectMessage,
            _ => Self::Unknown,
        }
    }
}

/// The custom MAIL FROM name of an identity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MailFrom {
    /// The name.
    pub domain: Name,
    /// How it stands; never NOT_STARTED.
    pub status: SesStatus,
    /// What happens while its MX record is not right.
    pub on_mx_failure: OnMxFailure,
}

/// What SES says of one sender domain in one region.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SesIdentity {
    /// The sender domain.
    pub name: Name,
    /// The region of the identity, such as `eu-west-1`; each region has identities of its own.
    pub region: String,
    /// Where its keys come from.
    pub origin: DkimOrigin,
    /// How DKIM stands (`DkimAttributes.Status`).
    pub dkim_status: SesStatus,
    /// How the identity stands as a whole (`VerificationStatus`).
    pub verification_status: SesStatus,
    /// Whether mail is signed once the records are found (`SigningEnabled`).
    pub signing_enabled: bool,
    /// The three tokens, as SES writes them; with bring-your-own DKIM, the selector; may be empty.
    pub tokens: Vec<String>,
    /// The name below which the targets of the CNAMEs lie; `None` where SES does not tell it.
    pub signing_hosted_zone: Option<Name>,
    /// Whether SES sends mail of the domain (`VerifiedForSendingStatus`).
    pub sending: bool,
    /// What SES tells of its looks at the DNS.
    pub verification_info: Option<VerificationInfo>,
    /// The custom MAIL FROM name.
    pub mail_from: Option<MailFrom>,
    /// How long the key is that SES signs with.
    pub current_key_length: Option<KeyLength>,
    /// How long the key is that it will sign with next; another than the current one while keys are changed.
    pub next_key_length: Option<KeyLength>,
    /// When the key was made.
    pub last_key_generated_at: Option<Timestamp>,
}

impl SesIdentity {
    /// Describes an identity of which nothing is known yet: of Easy DKIM, unknown to both statuses, without tokens.
    #[must_use]
    pub fn new(name: Name, region: &str) -> Self {
        Self {
            name,
            region: region.to_owned(),
            origin: DkimOrigin::EasyDkim,
            dkim_status: SesStatus::Unknown,
            verification_status: SesStatus::Unknown,
            signing_enabled: true,
            tokens: Vec::new(),
            signing_hosted_zone: None,
            sending: false,
            verification_info: None,
            mail_from: None,
            current_key_length: None,
            next_key_length: None,
            last_key_generated_at: None,
        }
    }
}

/// What a listing tells of one domain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListedIdentity {
    /// The sender domain.
    pub name: Name,
    /// How the identity stands as a whole.
    pub verification_status: SesStatus,
    /// Whether SES sends mail of the domain.
    pub sending: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ses_read_back_and_others_are_unknown() {
        for status in SesStatus::ALL {
            assert_eq!(SesStatus::of_word(status.as_str()), status);
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("{:?}", status.as_str()));
        }
        for error in VerificationError::ALL {
            assert_eq!(VerificationError::of_word(error.as_str()), error);
            assert_eq!(serde_json::to_string(&error).unwrap(), format!("{:?}", error.as_str()));
        }
        assert_eq!(SesStatus::of_word("HALF_DONE"), SesStatus::Unknown);
        assert_eq!(SesStatus::of_word("success"), SesStatus::Unknown);
        assert_eq!(serde_json::from_str::<SesStatus>("\"HALF_DONE\"").unwrap(), SesStatus::Unknown);
        assert_eq!(VerificationError::of_word(""), VerificationError::Unknown);
        assert_eq!(KeyLength::of_word("RSA_4096_BIT"), KeyLength::Unknown);
        assert_eq!(OnMxFailure::of_word("BOUNCE"), OnMxFailure::Unknown);
    }

    #[test]
    fn the_origin_of_a_replica_names_the_region_of_its_parent() {
        let replica = |region: &str| DkimOrigin::Replica { parent_region: region.to_owned() };
        for (word, origin) in [
            ("AWS_SES", DkimOrigin::EasyDkim),
            ("EXTERNAL", DkimOrigin::External),
            ("AWS_SES_US_EAST_1", replica("us-east-1")),
            ("AWS_SES_US_GOV_WEST_1", replica("us-gov-west-1")),
            ("AWS_SES_AP_NORTHEAST_3", replica("ap-northeast-3")),
        ] {
            assert_eq!(DkimOrigin::of_word(word), origin, "{word}");
            assert_eq!(origin.word(), word);
        }
        for word in ["", "AWS_SES_", "AWS", "aws_ses", "GOOGLE"] {
            assert_eq!(DkimOrigin::of_word(word), DkimOrigin::Unknown, "{word}");
        }
    }

    #[test]
    fn an_identity_reads_back_from_json() {
        let name = Name::parse("mail.example.com").unwrap();
        let at = "2026-11-24T12:00:00Z".parse().unwrap();
        let full = SesIdentity {
            origin: DkimOrigin::Replica { parent_region: "eu-west-1".to_owned() },
            dkim_status: SesStatus::TemporaryFailure,
            tokens: vec!["t1".to_owned()],
            signing_hosted_zone: Some(Name::parse("dkim.eu-north-1.amazonses.com").unwrap()),
            verification_info: Some(VerificationInfo {
                last_checked_at: Some(at),
                last_success_at: None,
                error: Some(VerificationError::HostNotFound),
                soa: Some(SeenSoa { primary: "ns1.example.".to_owned(), admin: "root.example.".to_owned(), serial: 7 }),
            }),
            mail_from: Some(MailFrom {
                domain: name.prepend("bounce").unwrap(),
                status: SesStatus::Pending,
                on_mx_failure: OnMxFailure::RejectMessage,
            }),
            current_key_length: Some(KeyLength::Rsa1024),
            next_key_length: Some(KeyLength::Rsa2048),
            last_key_generated_at: Some(at),
            ..SesIdentity::new(name.clone(), "us-east-1")
        };
        for identity in [full, SesIdentity::new(name, "us-east-1")] {
            let text = serde_json::to_string(&identity).unwrap();
            assert_eq!(serde_json::from_str::<SesIdentity>(&text).unwrap(), identity, "{text}");
        }
    }
}
