//! What SES says of the identity beside what the DNS says, in the words of the report.
//!
//! Holds words alone: who asks SES, and how both sides are put together, is decided elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Severity;

/// What DNS and SES mean together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SesOutcome {
    /// SES has verified the domain and signs its mail.
    Verified,
    /// Time will tell; `reason` says what is waited for.
    Wait,
    /// SES has stopped looking, or never began, and must be told to look.
    RestartNeeded,
    /// SES still sends, and will stop once it notices that the records are gone.
    WillBeLost,
    /// SES sends, and will stop signing when it changes keys: not all records are right.
    Partial,
    /// The records point into the zone of another region than the identity's.
    WrongRegion,
    /// SES looked at a zone older than the one that the servers have now.
    OlderZone,
    /// SES sends mail of the domain without a signature, or with an old key.
    Unsigned,
    /// The replica cannot use its parent's keys; nothing in the DNS helps.
    ReplicaTrouble,
    /// SES has no identity of this name in the region.
    NoIdentity,
    /// SES could not be asked, or said what nobody understands: nothing is known, and nothing changes.
    Unknown,
}

impl SesOutcome {
    /// All outcomes.
    pub const ALL: [Self; 11] = [
        Self::Verified,
        Self::Wait,
        Self::RestartNeeded,
        Self::WillBeLost,
        Self::Partial,
        Self::WrongRegion,
        Self::OlderZone,
        Self::Unsigned,
        Self::ReplicaTrouble,
        Self::NoIdentity,
        Self::Unknown,
    ];

    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Wait => "wait",
            Self::RestartNeeded => "restart_needed",
            Self::WillBeLost => "will_be_lost",
            Self::Partial => "partial",
            Self::WrongRegion => "wrong_region",
            Self::OlderZone => "older_zone",
            Self::Unsigned => "unsigned",
            Self::ReplicaTrouble => "replica_trouble",
            Self::NoIdentity => "no_identity",
            Self::Unknown => "unknown",
        }
    }

    /// Returns how bad it is; `None` where there is nothing to be done, be it that all is well or that time will tell.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Verified | Self::Wait | Self::OlderZone | Self::Unknown => None,
            Self::Partial | Self::WillBeLost | Self::Unsigned => Some(Severity::Warning),
            Self::RestartNeeded | Self::WrongRegion | Self::ReplicaTrouble | Self::NoIdentity => Some(Severity::Error),
        }
    }
}

/// Why it is so, where an outcome has several causes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SesReason {
    /// Some records are not right.
    RecordsNotRight,
    /// The records are not yet at all servers.
    Propagating,
    /// The records are right, and SES has not looked since.
    NotNoticedYet,
    /// Whether the records are right could not be found out.
    DnsUnclear,
    /// The records are right, and SES, which could not look, will look again.
    SesLooksAgain,
    /// SES has found the records, and does not send yet.
    NotSendingYet,
    /// The 72 hours were over before SES found the records.
    WindowOver,
    /// SES was never told to look for DKIM records.
    NeverStarted,
    /// Signing is switched off.
    SigningOff,
    /// SES is changing the key, and signs with the old one.
    KeyChange,
    /// SES verified the domain in the old way, by a TXT record, and has no DKIM key for it.
    LegacyVerified,
    /// SES did not find the DKIM records in time, and sends nevertheless.
    DkimFailed,
    /// SES saw a smaller serial than the servers have.
    OlderSerial,
    /// SES did not find the names, which are there: a resolver of its may remember that they were not.
    RememberedAbsence,
    /// SES gave a status that this version does not know.
    UnknownStatus,
    /// SES could not be asked.
    SesUnreachable,
}

/// What SES says of the identity, and what it means beside the verdict.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedSes {
    /// The region that was asked.
    pub region: String,
    /// What DNS and SES mean together.
    pub outcome: SesOutcome,
    /// Why; null where the outcome says it all.
    pub reason: Option<SesReason>,
    /// The outcome in words.
    pub sentence: String,
    /// Until when the outcome may last without anybody doing anything; null where nobody knows.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub until: Option<Timestamp>,
    /// What SES says; null where it has no identity or could not be asked.
    pub identity: Option<ReportedIdentity>,
}

/// What SES says of the identity, in its own words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedIdentity {
    /// Where the keys come from: `AWS_SES`, `EXTERNAL`, `AWS_SES_` and a region, or `UNKNOWN`.
    pub origin: String,
    /// How DKIM stands: `PENDING`, `SUCCESS`, `FAILED`, `TEMPORARY_FAILURE`, `NOT_STARTED` or `UNKNOWN`.
    pub dkim_status: String,
    /// How the identity stands as a whole, in the same words.
    pub verification_status: String,
    /// Whether SES sends mail of the domain.
    pub sending: bool,
    /// Whether mail is signed once the records are found.
    pub signing_enabled: bool,
    /// When SES last looked at the DNS; null where it does not tell.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_checked_at: Option<Timestamp>,
    /// When SES last found everything; null where it does not tell.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_success_at: Option<Timestamp>,
    /// What kept SES from finding the records, such as `HOST_NOT_FOUND`; null where nothing did.
    pub error: Option<String>,
    /// The serial of the zone that SES saw; null where it does not tell.
    pub soa_serial: Option<u32>,
    /// How the custom MAIL FROM name stands; null where there is none.
    pub mail_from_status: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_an_outcome_is_the_one_in_json() {
        for outcome in SesOutcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
