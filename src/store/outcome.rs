//! What a check came to, and what is kept of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckId, DomainId, DomainState, EventId, RunId, ShardLease};
use crate::findings::Code;
use crate::report::{Report, Verdict};

/// How many outcomes go into one transaction at most (SECURITY.md, limits).
pub const MAX_BATCH: usize = 500;

/// What one check came to. All of it is written in one transaction, or none of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The name of the check; recording the same one again changes nothing.
    pub check: CheckId,
    /// The domain.
    pub domain: DomainId,
    /// The lease under which the domain was claimed.
    pub lease: ShardLease,
    /// The run whose final result for the domain this is.
    pub run: Option<RunId>,
    /// When the check began; a wish for a check that is younger stays.
    pub started_at: Timestamp,
    /// The report.
    pub report: Report,
    /// The domain's state from now on.
    pub state: DomainState,
    /// When the domain was first verified; a time that is stored already stays.
    pub verified_at: Option<Timestamp>,
    /// When to check next.
    pub due_at: Option<Timestamp>,
    /// The shard from now on.
    pub operator_shard: u16,
    /// The digest of the zone, by which a change is seen.
    pub zone_digest: Option<String>,
    /// What SES said; `None` leaves what is stored.
    pub identity: Option<Value>,
    /// What the life cycle needs to remember.
    pub negatives: Value,
    /// What there is to tell.
    pub event: Option<NewEvent>,
}

/// What became of one outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// It is written, and survives a power cut.
    Written,
    /// It was written before: the same check, or the run has its result for the domain.
    Repeated,
    /// Nothing was written: the shard has changed hands, or the domain is gone or no longer claimed.
    Fenced,
}

/// What there is to tell of a domain.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It is verified.
    Verified,
    /// It was, and something speaks against it.
    Degraded,
    /// It no longer is.
    Lost,
    /// It is again.
    Recovered,
}

impl EventKind {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Verified, Self::Degraded, Self::Lost, Self::Recovered];

    /// Returns the kind's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
            Self::Recovered => "recovered",
        }
    }

    /// Finds a kind by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// An event to store with an outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// What changed.
    pub diff: Value,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place among all events: a reader that has seen up to one place misses none by asking for those after it.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// The domain, which may be gone by now.
    pub domain: DomainId,
    /// The domain's name.
    pub name: String,
    /// Whose the domain was.
    pub tenant: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// The state before.
    pub from: DomainState,
    /// The state after.
    pub to: DomainState,
    /// When the check that showed it ended.
    pub at: Timestamp,
    /// That check.
    pub check: CheckId,
    /// What changed.
    pub diff: Value,
}

/// One line of a domain's history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckSummary {
    /// Its place among all checks; later ones have greater places.
    pub seq: i64,
    /// The check.
    pub check: CheckId,
    /// The domain.
    pub domain: DomainId,
    /// When it ended.
    pub at: Timestamp,
    /// Its verdict.
    pub verdict: Verdict,
    /// The finding that explains it.
    pub root_cause: Option<Code>,
    /// The domain's state after it.
    pub state: DomainState,
    /// How many questions it took.
    pub questions: u32,
    /// The run that it belongs to.
    pub run: Option<RunId>,
}
