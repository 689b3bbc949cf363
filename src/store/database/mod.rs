//! The store over a database: each promise of [`Store`] by a few statements, the same for both engines.

mod claims;
mod compact;
mod domains;
mod history;
mod leases;
mod recording;
mod runs;
mod upkeep;
mod webhooks;

use std::time::Duration;

use futures::future::FutureExt as _;
use jiff::Timestamp;

use super::engine::Engine;
use super::{
    Added, Answer, CheckSummary, Claim, Delivery, DeliveryEnd, DeliveryFilter, DeliveryId, Domain, DomainFilter,
    DomainId, Endpoint, EndpointId, Enlist, Event, EventId, FleetSummary, Heartbeat, IdentityIntent, IdentityUpdate,
    IfKnown, IntentEnd, Lane, NewDomain, Outcome, RecheckAnswer, Recorded, Retention, Run, RunId, RunResult,
    ShardLease, Store, StoreError, Swept, Taken, TokenRate, migrate,
};
use crate::dns::name::Name;
use crate::report::Report;

/// A store in a database.
pub(super) struct Database {
    /// The database.
    engine: Engine,
}

impl Database {
    /// Opens a database and brings its tables up to date.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = Engine::open(url).await?;
        migrate::migrate(&engine).await?;
        Ok(Self { engine })
    }
}

#[rustfmt::skip]
impl Store for Database {
    fn add_domains<'a>(&'a self, domains: &'a [NewDomain], known: IfKnown, now: Timestamp) -> Answer<'a, Vec<Added>> {
        domains::add(&self.engine, domains, known, now).boxed()
    }

    fn domain<'a>(&'a self, id: &'a DomainId) -> Answer<'a, Option<Domain>> {
        domains::find(&self.engine, id).boxed()
    }

    fn domains_named<'a>(&'a self, names: &'a [Name]) -> Answer<'a, Vec<Domain>> {
        domains::named(&self.engine, names).boxed()
    }

    fn page<'a>(&'a self, filter: &'a DomainFilter, after: Option<&'a DomainId>, limit: u32) -> Answer<'a, Vec<Domain>> {
        domains::page(&self.engine, filter, after, limit).boxed()
    }

    fn remove_domain<'a>(&'a self, id: &'a DomainId) -> Answer<'a, bool> {
        domains::remove(&self.engine, id).boxed()
    }

    fn update_identities<'a>(&'a self, updates: &'a [IdentityUpdate]) -> Answer<'a, ()> {
        domains::update_identities(&self.engine, updates).boxed()
    }

    fn request_recheck<'a>(&'a self, id: &'a DomainId, freshness: Duration, now: Timestamp) -> Answer<'a, RecheckAnswer> {
        domains::request_recheck(&self.engine, id, freshness, now).boxed()
    }

    fn heartbeat<'a>(&'a self, worker: &'a str, term: Duration) -> Answer<'a, Heartbeat> {
        leases::heartbeat(&self.engine, worker, term).boxed()
    }

    fn take_shards<'a>(&'a self, worker: &'a str, limit: u16) -> Answer<'a, Taken> {
        leases::take(&self.engine, worker, limit).boxed()
    }

    fn give_up_shards<'a>(&'a self, worker: &'a str, leases: &'a [ShardLease]) -> Answer<'a, ()> {
        leases::give_up(&self.engine, worker, leases).boxed()
    }

    fn retire<'a>(&'a self, worker: &'a str) -> Answer<'a, ()> {
        leases::retire(&self.engine, worker).boxed()
    }

    fn claim<'a>(&'a self, lane: &'a Lane, leases: &'a [ShardLease], limit: u32) -> Answer<'a, Vec<Claim>> {
        claims::claim(&self.engine, lane, leases, limit).boxed()
    }

    fn unclaim<'a>(&'a self, claims: &'a [(DomainId, ShardLease)]) -> Answer<'a, ()> {
        claims::unclaim(&self.engine, claims).boxed()
    }

    fn unclaim_others<'a>(&'a self, leases: &'a [ShardLease], kept: &'a [DomainId]) -> Answer<'a, u64> {
        claims::unclaim_others(&self.engine, leases, kept).boxed()
    }

    fn move_domains<'a>(&'a self, moves: &'a [(DomainId, ShardLease, u16)]) -> Answer<'a, ()> {
        claims::move_domains(&self.engine, moves).boxed()
    }

    fn next_due<'a>(&'a self, leases: &'a [ShardLease]) -> Answer<'a, Option<Timestamp>> {
        claims::next_due(&self.engine, leases).boxed()
    }

    fn record<'a>(&'a self, outcomes: &'a [Outcome]) -> Answer<'a, Vec<Recorded>> {
        recording::record(&self.engine, outcomes).boxed()
    }

    fn report<'a>(&'a self, id: &'a DomainId) -> Answer<'a, Option<Report>> {
        history::report(&self.engine, id).boxed()
    }

    fn event_report<'a>(&'a self, id: &'a EventId) -> Answer<'a, Option<Report>> {
        history::event_report(&self.engine, id).boxed()
    }

    fn history<'a>(&'a self, id: &'a DomainId, before: Option<i64>, limit: u32) -> Answer<'a, Vec<CheckSummary>> {
        history::history(&self.engine, id, before, limit).boxed()
    }

    fn events<'a>(&'a self, domain: Option<&'a DomainId>, after: i64, limit: u32) -> Answer<'a, Vec<Event>> {
        history::events(&self.engine, domain, after, limit).boxed()
    }

    fn begin_run<'a>(&'a self, digest: &'a str, now: Timestamp) -> Answer<'a, Run> {
        runs::begin(&self.engine, digest, now).boxed()
    }

    fn enlist<'a>(&'a self, run: &'a RunId, domains: &'a Enlist) -> Answer<'a, u64> {
        runs::enlist(&self.engine, run, domains).boxed()
    }

    fn run<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<Run>> {
        runs::find(&self.engine, run).boxed()
    }

    fn open_runs(&self) -> Answer<'_, Vec<RunId>> {
        runs::open(&self.engine).boxed()
    }

    fn run_results<'a>(&'a self, run: &'a RunId, after: Option<&'a DomainId>, limit: u32) -> Answer<'a, Vec<RunResult>> {
        runs::results(&self.engine, run, after, limit).boxed()
    }

    fn finish_run<'a>(&'a self, run: &'a RunId, now: Timestamp) -> Answer<'a, bool> {
        runs::finish(&self.engine, run, now).boxed()
    }

    fn identity_intent<'a>(&'a self, domain: &'a DomainId) -> Answer<'a, Option<IdentityIntent>> {
        runs::intent(&self.engine, domain).boxed()
    }

    fn intend_identity<'a>(&'a self, domain: &'a DomainId, attempts_before: u32, now: Timestamp) -> Answer<'a, bool> {
        runs::intend(&self.engine, domain, attempts_before, now).boxed()
    }

    fn settle_identity<'a>(&'a self, domain: &'a DomainId, attempt: u32, end: IntentEnd) -> Answer<'a, ()> {
        runs::settle(&self.engine, domain, attempt, end).boxed()
    }

    fn put_endpoint<'a>(&'a self, endpoint: &'a Endpoint) -> Answer<'a, ()> {
        webhooks::put_endpoint(&self.engine, endpoint).boxed()
    }

    fn endpoints(&self) -> Answer<'_, Vec<Endpoint>> {
        webhooks::endpoints(&self.engine).boxed()
    }

    fn remove_endpoint<'a>(&'a self, id: &'a EndpointId) -> Answer<'a, bool> {
        webhooks::remove_endpoint(&self.engine, id).boxed()
    }

    fn lease_deliveries(&self, term: Duration, limit: u32) -> Answer<'_, Vec<Delivery>> {
        webhooks::lease(&self.engine, term, limit).boxed()
    }

    fn settle_delivery<'a>(&'a self, id: &'a DeliveryId, attempt: u32, end: &'a DeliveryEnd) -> Answer<'a, bool> {
        webhooks::settle(&self.engine, id, attempt, end).boxed()
    }

    fn deliveries<'a>(&'a self, filter: &'a DeliveryFilter, after: Option<&'a DeliveryId>, limit: u32) -> Answer<'a, Vec<Delivery>> {
        webhooks::list(&self.engine, filter, after, limit).boxed()
    }

    fn replay<'a>(&'a self, filter: &'a DeliveryFilter) -> Answer<'a, u64> {
        webhooks::replay(&self.engine, filter).boxed()
    }

    fn reserve<'a>(&'a self, key: &'a str, rate: TokenRate, tokens: u32) -> Answer<'a, Duration> {
        upkeep::reserve(&self.engine, key, rate, tokens).boxed()
    }

    fn sweep<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Answer<'a, Swept> {
        upkeep::sweep(&self.engine, retention, now).boxed()
    }

    fn summary<'a>(&'a self, tenant: Option<&'a str>, now: Timestamp) -> Answer<'a, FleetSummary> {
        upkeep::summary(&self.engine, tenant, now).boxed()
    }

    fn now(&self) -> Answer<'_, Timestamp> {
        upkeep::now(&self.engine).boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.engine.close().map(Ok).boxed()
    }
}
