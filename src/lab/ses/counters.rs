//! What was asked, counted, so that a test can say what a client costs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::operation::Operation;

/// What was asked so far.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counters {
    /// Calls by their operation, those that failed too.
    pub calls: BTreeMap<Operation, u64>,
    /// Replies with an error, by its name.
    pub errors: BTreeMap<String, u64>,
    /// What became of each identity, by region and name.
    pub identities: BTreeMap<String, IdentityCounters>,
    /// Looks at the DNS.
    pub looks: u64,
}

/// What became of one identity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct IdentityCounters {
    /// Calls that wanted to make it.
    pub create_calls: u64,
    /// Times that it was made.
    pub creates: u64,
    /// Times that it was told.
    pub gets: u64,
    /// Times that it was changed.
    pub puts: u64,
    /// Times that it was removed.
    pub deletes: u64,
}

impl Counters {
    /// Returns how many calls there were of an operation.
    #[must_use]
    pub fn calls_of(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or_default()
    }

    /// Returns how many calls there were in all.
    #[must_use]
    pub fn calls_in_all(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Returns what became of an identity.
    #[must_use]
    pub fn identity(&self, region: &str, name: &str) -> IdentityCounters {
        self.identities.get(&key(region, name)).copied().unwrap_or_default()
    }

    /// Returns the counters of an identity, to count in.
    pub(super) fn identity_mut(&mut self, region: &str, name: &str) -> &mut IdentityCounters {
        self.identities.entry(key(region, name)).or_default()
    }

    /// Counts a call.
    pub(super) fn count(&mut self, operation: Operation) {
        *self.calls.entry(operation).or_default() += 1;
    }

    /// Counts an error.
    pub(super) fn count_error(&mut self, name: &str) {
        *self.errors.entry(name.to_owned()).or_default() += 1;
    }
}

/// Names an identity.
fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}
