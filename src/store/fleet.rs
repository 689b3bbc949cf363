//! The fleet in numbers, and how long what is kept.

use std::collections::BTreeMap;
use std::time::Duration;

/// How many domains stand how.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct FleetSummary {
    /// All domains.
    pub domains: u64,
    /// By state.
    pub states: BTreeMap<String, u64>,
    /// By last verdict; those never checked are under `unchecked`.
    pub verdicts: BTreeMap<String, u64>,
    /// By root cause; those without one are left out.
    pub root_causes: BTreeMap<String, u64>,
    /// By provider; those never checked are left out.
    pub providers: BTreeMap<String, u64>,
    /// By age of the last check: `hour`, `day`, `week`, `older`, `never`.
    pub ages: BTreeMap<String, u64>,
}

/// How long what is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The history of checks; the last check of a domain and what belongs to a run that is kept stay.
    pub history: Duration,
    /// Events; those with a delivery that is not ended stay.
    pub events: Duration,
    /// Finished runs.
    pub runs: Duration,
}

/// What a sweep took away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Swept {
    /// Checks.
    pub checks: u64,
    /// Events, with their deliveries.
    pub events: u64,
    /// Runs.
    pub runs: u64,
    /// Workers that went long ago.
    pub workers: u64,
}

/// How fast tokens of one key come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenRate {
    /// The time that one token takes to come back.
    pub per_token: Duration,
    /// How many may be taken at once after a pause.
    pub burst: u32,
}
