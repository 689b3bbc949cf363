//! Who may check which domains: leases of operator shards, and claims under them.
//!
//! All name servers of one operator fall into one shard, and a shard is leased by one worker at a time, so that the
//! worker's own pace towards an operator is the pace of all machines. A lease has an epoch, which grows whenever the
//! shard changes hands; what is written under an older epoch changes nothing. The database's clock alone says when
//! a worker has gone: a stopped or wrong clock of a worker does no harm.

use std::time::Duration;

use jiff::Timestamp;

use super::{Domain, RunId};

/// How long a worker keeps its shards without a heartbeat (SECURITY.md, limits).
pub const LEASE_TERM: Duration = Duration::from_secs(60);
/// How often a worker should give one.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// A worker's hold on one shard.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ShardLease {
    /// The shard.
    pub shard: u16,
    /// How often it had changed hands when the worker got it.
    pub epoch: i64,
}

/// What a heartbeat told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heartbeat {
    /// The time by the clock that decides on leases.
    pub now: Timestamp,
    /// How many workers are alive, this one counted.
    pub live_workers: u32,
    /// The shards that the worker holds, sorted; those it had before and that are not here are lost.
    pub leases: Vec<ShardLease>,
}

/// What a worker got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// The new leases, sorted.
    pub leases: Vec<ShardLease>,
    /// How many of them another worker had when it went silent.
    pub rescued: u32,
}

/// Which domains to claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lane {
    /// Those that somebody wants checked at once; fair over tenants.
    Rechecks,
    /// Those due by then; fair over tenants.
    Due(Timestamp),
    /// Those that have no result in this run; fair over tenants as far as one claim goes.
    Run(RunId),
}

/// A domain that the worker is to check and then record.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The domain as it stands.
    pub domain: Domain,
    /// The lease under which it was claimed.
    pub lease: ShardLease,
}
