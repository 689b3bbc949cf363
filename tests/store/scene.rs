//! What the parts of the story have in common: a store, domains, a worker with shards, outcomes.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use zoneproof::dns::name::Name;
use zoneproof::expectation::Facts;
use zoneproof::report::Report;
use zoneproof::store::{
    CheckId, Claim, DomainId, DomainState, IfKnown, Lane, NewDomain, Outcome, SHARDS, ShardLease, Store, open,
};

/// A term that does not end during a test.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Some time.
pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// Some minutes after noon.
pub(crate) fn after_noon(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

/// A domain that is due at noon.
pub(crate) fn new_domain(tenant: &str, name: &str) -> NewDomain {
    let tokens = ["t1", "t2", "t3"].map(str::to_owned).to_vec();
    let shard = name.bytes().fold(7_u16, |sum, byte| (sum * 31 + u16::from(byte)) % SHARDS);
    NewDomain {
        tenant: Some(tenant.to_owned()).filter(|tenant| !tenant.is_empty()),
        name: Name::parse(name).unwrap(),
        asked: Facts { domain: name.to_owned(), tokens, ..Facts::default() },
        operator_shard: shard,
        due_at: Some(noon()),
    }
}

/// Many domains of one tenant.
pub(crate) fn new_domains(tenant: &str, count: usize) -> Vec<NewDomain> {
    (0..count).map(|number| new_domain(tenant, &format!("d{number}.{tenant}.example"))).collect()
}

/// Opens a store and adds domains.
pub(crate) async fn store_with(url: &str, domains: &[NewDomain]) -> (Arc<dyn Store>, Vec<DomainId>) {
    let store = open(url).await.unwrap();
    let added = store.add_domains(domains, IfKnown::Keep, noon()).await.unwrap();
    (store, added.into_iter().map(|added| added.id).collect())
}

/// Has a worker take all free shards for a long time.
pub(crate) async fn take_all(store: &Arc<dyn Store>, worker: &str) -> Vec<ShardLease> {
    store.heartbeat(worker, LONG).await.unwrap();
    store.take_shards(worker, SHARDS).await.unwrap().leases
}

/// Claims what is due at noon.
pub(crate) async fn claim_due(store: &Arc<dyn Store>, leases: &[ShardLease], limit: u32) -> Vec<Claim> {
    store.claim(&Lane::Due(noon()), leases, limit).await.unwrap()
}

/// A report with a verdict.
pub(crate) fn report(domain: &str, verdict: &str, at: Timestamp) -> Report {
    serde_json::from_value(json!({
        "schema": 1, "domain": domain, "checked_at": at, "verdict": verdict,
        "root_cause": if verdict == "failing" { json!("host_doubled") } else { json!(null) },
        "records": [], "findings": [], "delegation": [], "provider": {"id": "godaddy", "name": "GoDaddy"},
        "horizons": {"negative_until": null, "positive_until": null, "delegation_until": null},
        "ses": null, "cost": {"questions": 13, "elapsed_ms": 48.1}
    }))
    .unwrap()
}

/// The outcome of a check five minutes after noon that found the claimed domain ready.
pub(crate) fn outcome(claim: &Claim) -> Outcome {
    Outcome {
        check: CheckId::random(),
        domain: claim.domain.id.clone(),
        lease: claim.lease,
        run: None,
        started_at: after_noon(4),
        report: report(&claim.domain.name.to_text_without_dot(), "ready", after_noon(5)),
        state: DomainState::Verified,
        verified_at: Some(after_noon(5)),
        due_at: Some(after_noon(1440)),
        operator_shard: claim.domain.operator_shard,
        zone_digest: Some("serial 7".to_owned()),
        identity: None,
        negatives: json!({"dns": []}),
        event: None,
    }
}
