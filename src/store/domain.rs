//! Domains: what is asked for, and how each stands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckId, DomainId};
use crate::dns::name::Name;
use crate::expectation::Facts;
use crate::findings::Code;
use crate::report::Verdict;

/// How many shards the operators of name servers are dealt to.
pub const SHARDS: u16 = 1024;

/// Where a domain is in its life. `service::lifecycle` moves it on; the store only keeps it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainState {
    /// Not verified yet.
    #[default]
    Pending,
    /// Verified.
    Verified,
    /// Verified once, and something speaks against it now.
    Degraded,
    /// No longer verified.
    Lost,
}

impl DomainState {
    /// All states.
    pub const ALL: &[Self] = &[Self::Pending, Self::Verified, Self::Degraded, Self::Lost];

    /// Returns the state's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
        }
    }

    /// Finds a state by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }
}

/// A domain of a tenant, as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Whose it is; `None` where there are no tenants.
    pub tenant: Option<String>,
    /// The sender domain.
    pub name: Name,
    /// What is asked for.
    pub asked: Facts,
    /// The shard of its name servers' operator, below [`SHARDS`].
    pub operator_shard: u16,
    /// Where it is in its life.
    pub state: DomainState,
    /// When it was added.
    pub created_at: Timestamp,
    /// When SES first said that mail may be sent from it; stamped once.
    pub verified_at: Option<Timestamp>,
    /// When to check it next; `None` for never.
    pub due_at: Option<Timestamp>,
    /// When somebody asked for a check at once, until that check is recorded.
    pub recheck_requested_at: Option<Timestamp>,
    /// When it was last checked.
    pub last_checked_at: Option<Timestamp>,
    /// The last check.
    pub last_check: Option<CheckId>,
    /// The verdict of the last check.
    pub last_verdict: Option<Verdict>,
    /// The finding that explained the last check.
    pub root_cause: Option<Code>,
    /// Who served its zone at the last check: the id of `report.provider`.
    pub provider: Option<String>,
    /// A digest of the zone's SOA serial, NS and DS at the last check, by which a change is seen.
    pub zone_digest: Option<String>,
    /// What SES last said of the identity.
    pub identity: Option<Value>,
    /// What the life cycle needs to remember between checks; `Value::Null` at first.
    pub negatives: Value,
}

/// A domain to add.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDomain {
    /// Whose it is; `None` where there are no tenants.
    pub tenant: Option<String>,
    /// The sender domain; letter case does not count.
    pub name: Name,
    /// What is asked for.
    pub asked: Facts,
    /// The shard of its name servers' operator, or of its name while that is not known.
    pub operator_shard: u16,
    /// When to check it first; `None` for never.
    pub due_at: Option<Timestamp>,
}

/// What to do with a domain that the tenant has already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IfKnown {
    /// Leave it as it is.
    Keep,
    /// Take over what is asked for; where that changes, it is due at the new time if that is sooner.
    Update,
}

/// What became of a domain to add.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Added {
    /// Its id, whether new or known.
    pub id: DomainId,
    /// Whether this call added it.
    pub is_new: bool,
}

/// Which domains to list; the default is all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DomainFilter {
    /// Only of this tenant; `Some(None)` for those of no tenant.
    pub tenant: Option<Option<String>>,
    /// Only in this state.
    pub state: Option<DomainState>,
    /// Only with this last verdict.
    pub verdict: Option<Verdict>,
    /// Only with this root cause.
    pub root_cause: Option<Code>,
    /// Only served by this provider.
    pub provider: Option<String>,
    /// Only those due by then.
    pub due_by: Option<Timestamp>,
}

/// What SES said of the identity of a domain, outside of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityUpdate {
    /// The domain.
    pub domain: DomainId,
    /// What SES said; `None` where it has no such identity.
    pub identity: Option<Value>,
    /// Check the domain by then; a due time that is sooner stays.
    pub due_at: Option<Timestamp>,
}

/// What became of the wish to check a domain at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecheckAnswer {
    /// It is in the interactive lane from now on.
    Queued,
    /// It was there already, since then: one check serves both.
    Joined(Timestamp),
    /// It was checked so lately, at that time, that no new check is made.
    Fresh(Timestamp),
}
