//! Runs: each domain of a run gets exactly one final result, whatever dies on the way.

use jiff::Timestamp;

use super::{CheckSummary, DomainFilter, DomainId, RunId};
use crate::report::Report;

/// A run over many domains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// A digest of what the run is over; a run that is not finished is found again by it.
    pub digest: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When its last domain got its result, and somebody said so.
    pub finished_at: Option<Timestamp>,
    /// How many domains are enlisted.
    pub domains: u64,
    /// How many of them have their result.
    pub done: u64,
}

/// Which domains to enlist.
#[derive(Clone, Debug, PartialEq)]
pub enum Enlist {
    /// These.
    These(Vec<DomainId>),
    /// All that match now.
    Matching(DomainFilter),
}

/// The final result of a domain in a run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The domain.
    pub domain: DomainId,
    /// The check.
    pub summary: CheckSummary,
    /// The domain's latest report, where that is still the one of this check.
    pub report: Option<Report>,
}
