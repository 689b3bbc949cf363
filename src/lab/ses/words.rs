//! The words that Amazon SES has for how things stand, as the service model spells them.

use serde::{Deserialize, Serialize};

/// How far a verification is: `DkimStatus`, `VerificationStatus` and `MailFromDomainStatus`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The records are looked for.
    Pending,
    /// The records were found at the last look.
    Success,
    /// The records were not found in time, or are gone for too long; nobody looks any more.
    Failed,
    /// The records were there before, and could not be found at the last look.
    TemporaryFailure,
    /// Nobody asked for a verification.
    NotStarted,
}

impl Status {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::TemporaryFailure => "TEMPORARY_FAILURE",
            Self::NotStarted => "NOT_STARTED",
        }
    }
}

/// Why the records are not seen: `VerificationError`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerificationError {
    /// Amazon SES could not look.
    ServiceError,
    /// The name servers could not answer.
    DnsServerError,
    /// There is no such name.
    HostNotFound,
    /// The name has no record of the type.
    TypeNotFound,
    /// The record holds something else.
    InvalidValue,
    /// The parent may not be read.
    ReplicationAccessDenied,
    /// The parent is not there.
    ReplicationPrimaryNotFound,
    /// The parent has a key that was brought.
    ReplicationPrimaryByoDkimNotSupported,
    /// The parent is a replica itself.
    ReplicationReplicaAsPrimaryNotSupported,
    /// The parent's region is no other region.
    ReplicationPrimaryInvalidRegion,
}

/// How long a DKIM key is: `DkimSigningKeyLength`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum KeyLength {
    /// 1,024 bits.
    #[serde(rename = "RSA_1024_BIT")]
    Rsa1024,
    /// 2,048 bits.
    #[serde(rename = "RSA_2048_BIT")]
    Rsa2048,
}

/// What is done where the MX record of a MAIL FROM name is not there: `BehaviorOnMxFailure`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnMxFailure {
    /// Mail goes out with a MAIL FROM name of Amazon SES.
    #[default]
    UseDefaultValue,
    /// Mail is refused.
    RejectMessage,
}

/// What an identity is: `IdentityType`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IdentityKind {
    /// One address.
    EmailAddress,
    /// A domain with all its addresses.
    Domain,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_model() {
        for status in [Status::Pending, Status::Success, Status::Failed, Status::TemporaryFailure, Status::NotStarted] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        let word = |error: VerificationError| serde_json::to_value(error).unwrap();
        assert_eq!(word(VerificationError::DnsServerError), "DNS_SERVER_ERROR");
        assert_eq!(
            word(VerificationError::ReplicationPrimaryByoDkimNotSupported),
            "REPLICATION_PRIMARY_BYO_DKIM_NOT_SUPPORTED"
        );
        assert_eq!(serde_json::to_value(KeyLength::Rsa2048).unwrap(), "RSA_2048_BIT");
        assert_eq!(serde_json::to_value(OnMxFailure::RejectMessage).unwrap(), "REJECT_MESSAGE");
        assert_eq!(serde_json::to_value(IdentityKind::EmailAddress).unwrap(), "EMAIL_ADDRESS");
    }
}
