//! What is known of a fleet, and who may work on it.
//!
//! A [`Store`] keeps domains, what was found of them, events and what they owe to webhooks, and it deals out work:
//! leases of operator shards ([`lease`]), claims under them, runs, tokens. SQLite keeps it in one file for one
//! machine; PostgreSQL shares it. Both keep the same promises, which `tests/store.rs` holds them to:
//!
//! - What a call acknowledges survives a power cut; a call that fails or is dropped has changed nothing, or all.
//! - A verdict, its report, its line of history, the event, the deliveries and the next due time are one transaction.
//! - A domain is claimed by one worker at a time, and what is recorded under a lost lease changes nothing.
//! - Times come in as values, but for leases, deliveries and tokens, where the database's clock decides.
//!
//! The store decides nothing about a domain: states, due times and events come from `service`.

mod database;
mod domain;
mod engine;
mod error;
mod fleet;
mod ids;
mod intent;
pub mod lease;
mod migrate;
mod outcome;
mod patience;
mod run;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

pub use self::domain::{
    Added, Domain, DomainFilter, DomainState, IdentityUpdate, IfKnown, NewDomain, RecheckAnswer, SHARDS,
};
pub use self::error::StoreError;
pub use self::fleet::{FleetSummary, Retention, Swept, TokenRate};
pub use self::ids::{CheckId, DeliveryId, DomainId, EndpointId, EventId, RunId};
pub use self::intent::{IdentityIntent, IntentEnd};
pub use self::lease::{Claim, Heartbeat, Lane, ShardLease, Taken};
pub use self::outcome::{CheckSummary, Event, EventKind, MAX_BATCH, NewEvent, Outcome, Recorded};
pub use self::patience::{pause_after, persist};
pub use self::run::{Enlist, Run, RunResult};
pub use self::webhook::{Delivery, DeliveryEnd, DeliveryFilter, DeliveryState, Endpoint};
use crate::dns::name::Name;
use crate::report::Report;

/// Opens the store at an address, and brings its tables up to date: `sqlite:PATH`, `sqlite::memory:` or
/// `postgres://USER@HOST/DATABASE`.
///
/// # Errors
/// Any [`StoreError`]; [`StoreError::NewerSchema`] where a newer version of this program has been there.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(database::Database::open(url).await?))
}

/// The answer of a store, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// What is known of a fleet.
///
/// Every future may be dropped; the call has then changed nothing, or all that it was to change. A call fails with
/// [`StoreError::Unavailable`] or [`StoreError::Busy`] where it may be made again; every call may.
pub trait Store: Send + Sync {
    /// Adds domains; a name that the tenant has already is not added again. Of a name that is given twice the last counts.
    ///
    /// Answers in the order of `domains`.
    fn add_domains<'a>(&'a self, domains: &'a [NewDomain], known: IfKnown, now: Timestamp) -> Answer<'a, Vec<Added>>;

    /// Returns a domain.
    fn domain<'a>(&'a self, id: &'a DomainId) -> Answer<'a, Option<Domain>>;

    /// Returns all domains with any of these names, of all tenants, sorted by id.
    fn domains_named<'a>(&'a self, names: &'a [Name]) -> Answer<'a, Vec<Domain>>;

    /// Lists domains by id, those after `after` first, `limit` at most. What is there during the whole listing is
    /// seen exactly once, whatever is added meanwhile.
    fn page<'a>(&'a self, filter: &'a DomainFilter, after: Option<&'a DomainId>, limit: u32)
    -> Answer<'a, Vec<Domain>>;

    /// Takes a domain away with its history; its events stay. Says whether it was there.
    fn remove_domain<'a>(&'a self, id: &'a DomainId) -> Answer<'a, bool>;

    /// Keeps what SES said of identities, and has the domains checked sooner where that is wanted. Moves no state.
    fn update_identities<'a>(&'a self, updates: &'a [IdentityUpdate]) -> Answer<'a, ()>;

    /// Has a domain checked at once, unless it was within `freshness` or is about to be.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no such domain.
    fn request_recheck<'a>(
        &'a self,
        id: &'a DomainId,
        freshness: Duration,
        now: Timestamp,
    ) -> Answer<'a, RecheckAnswer>;

    /// Says that a worker is alive for another `term`, by the database's clock, and what it holds. The name must be
    /// unique to the process. The worker keeps its shards without a heartbeat only until another wants them.
    fn heartbeat<'a>(&'a self, worker: &'a str, term: Duration) -> Answer<'a, Heartbeat>;

    /// Leases up to `limit` shards that nobody alive holds; none to a worker that is not alive itself.
    fn take_shards<'a>(&'a self, worker: &'a str, limit: u16) -> Answer<'a, Taken>;

    /// Gives shards back at once; those that the worker no longer holds are let be.
    fn give_up_shards<'a>(&'a self, worker: &'a str, leases: &'a [ShardLease]) -> Answer<'a, ()>;

    /// Gives all back: the worker ends.
    fn retire<'a>(&'a self, worker: &'a str) -> Answer<'a, ()>;

    /// Claims up to `limit` domains of the leased shards. None is claimed twice under one epoch of its shard until
    /// it is recorded or let go; the claims of a worker that lost a shard are void.
    fn claim<'a>(&'a self, lane: &'a Lane, leases: &'a [ShardLease], limit: u32) -> Answer<'a, Vec<Claim>>;

    /// Lets go of claims that came to nothing; the domains can be claimed again.
    fn unclaim<'a>(&'a self, claims: &'a [(DomainId, ShardLease)]) -> Answer<'a, ()>;

    /// Lets go of every claim under these leases but those of the domains to be kept; returns how many those were.
    ///
    /// A claim whose answer was lost, or that its worker has dropped, would last as long as the lease otherwise.
    fn unclaim_others<'a>(&'a self, leases: &'a [ShardLease], kept: &'a [DomainId]) -> Answer<'a, u64>;

    /// Moves claimed domains to other shards and lets go of them; those whose claim is void stay as they are.
    fn move_domains<'a>(&'a self, moves: &'a [(DomainId, ShardLease, u16)]) -> Answer<'a, ()>;

    /// Says when the next domain of the leased shards is due that is not claimed; `None` where none ever is.
    fn next_due<'a>(&'a self, leases: &'a [ShardLease]) -> Answer<'a, Option<Timestamp>>;

    /// Records outcomes, in transactions of [`MAX_BATCH`] at most; a failure may leave earlier ones written, and
    /// recording all again is right. Answers in the order of `outcomes`.
    fn record<'a>(&'a self, outcomes: &'a [Outcome]) -> Answer<'a, Vec<Recorded>>;

    /// Returns the report of a domain's last check.
    fn report<'a>(&'a self, id: &'a DomainId) -> Answer<'a, Option<Report>>;

    /// Returns the report that came with an event.
    fn event_report<'a>(&'a self, id: &'a EventId) -> Answer<'a, Option<Report>>;

    /// Lists a domain's checks, the latest first, those before the place `before`.
    fn history<'a>(&'a self, id: &'a DomainId, before: Option<i64>, limit: u32) -> Answer<'a, Vec<CheckSummary>>;

    /// Lists events of one domain or all, in their order, those after the place `after`. None appears later at a
    /// place that was passed.
    fn events<'a>(&'a self, domain: Option<&'a DomainId>, after: i64, limit: u32) -> Answer<'a, Vec<Event>>;

    /// Begins a run over what `digest` stands for, or finds the one that is not finished.
    fn begin_run<'a>(&'a self, digest: &'a str, now: Timestamp) -> Answer<'a, Run>;

    /// Adds domains to a run; those that are in it already stay as they are. Returns how many are new.
    fn enlist<'a>(&'a self, run: &'a RunId, domains: &'a Enlist) -> Answer<'a, u64>;

    /// Tells how a run stands.
    fn run<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<Run>>;

    /// Lists the runs that are not finished, the oldest first.
    fn open_runs(&self) -> Answer<'_, Vec<RunId>>;

    /// Lists the results of a run by domain, those after `after`.
    fn run_results<'a>(&'a self, run: &'a RunId, after: Option<&'a DomainId>, limit: u32)
    -> Answer<'a, Vec<RunResult>>;

    /// Ends a run all of whose domains have their result; says whether it is ended.
    fn finish_run<'a>(&'a self, run: &'a RunId, now: Timestamp) -> Answer<'a, bool>;

    /// Returns what is known of the creation of a domain's identity.
    fn identity_intent<'a>(&'a self, domain: &'a DomainId) -> Answer<'a, Option<IdentityIntent>>;

    /// Writes down that an identity is about to be created, if it was intended exactly `attempts_before` times yet.
    /// Only the one caller that gets `true` may create it.
    fn intend_identity<'a>(&'a self, domain: &'a DomainId, attempts_before: u32, now: Timestamp) -> Answer<'a, bool>;

    /// Writes down what came of an attempt; an older attempt than the last changes nothing.
    fn settle_identity<'a>(&'a self, domain: &'a DomainId, attempt: u32, end: IntentEnd) -> Answer<'a, ()>;

    /// Adds a webhook endpoint, or changes the one with its id. Deliveries that are owed go where it points then.
    fn put_endpoint<'a>(&'a self, endpoint: &'a Endpoint) -> Answer<'a, ()>;

    /// Lists the webhook endpoints by id.
    fn endpoints(&self) -> Answer<'_, Vec<Endpoint>>;

    /// Takes an endpoint away with its deliveries; says whether it was there.
    fn remove_endpoint<'a>(&'a self, id: &'a EndpointId) -> Answer<'a, bool>;

    /// Leases up to `limit` deliveries that are due by the database's clock, for `term`; each counts as an attempt.
    fn lease_deliveries(&self, term: Duration, limit: u32) -> Answer<'_, Vec<Delivery>>;

    /// Writes down what came of the given attempt; says whether it counted, which it does not after the lease went on.
    fn settle_delivery<'a>(&'a self, id: &'a DeliveryId, attempt: u32, end: &'a DeliveryEnd) -> Answer<'a, bool>;

    /// Lists deliveries by id, those after `after`.
    fn deliveries<'a>(
        &'a self,
        filter: &'a DeliveryFilter,
        after: Option<&'a DeliveryId>,
        limit: u32,
    ) -> Answer<'a, Vec<Delivery>>;

    /// Makes the dead deliveries that match due again, with all their attempts; returns how many.
    fn replay<'a>(&'a self, filter: &'a DeliveryFilter) -> Answer<'a, u64>;

    /// Takes `tokens` of a key and says how long to wait before they are spent; over any time, no more are dealt out
    /// than the burst and what came back. The database's clock decides (GCRA). Tokens that nobody spends are gone.
    fn reserve<'a>(&'a self, key: &'a str, rate: TokenRate, tokens: u32) -> Answer<'a, Duration>;

    /// Takes away what is older than it need be kept, a few thousand rows a transaction.
    fn sweep<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Answer<'a, Swept>;

    /// Counts the fleet, of one tenant or all.
    fn summary<'a>(&'a self, tenant: Option<&'a str>, now: Timestamp) -> Answer<'a, FleetSummary>;

    /// Returns the time by the database's clock.
    fn now(&self) -> Answer<'_, Timestamp>;

    /// Ends all connections, once they are done with what they do; calls after it fail. A store that is dropped instead
    /// loses nothing, but may leave the next process to tidy up behind it.
    fn close(&self) -> Answer<'_, ()>;
}
