//! Deliveries, tokens, retention, and the tables themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zoneproof::store::{
    DeliveryEnd, DeliveryFilter, DeliveryState, Endpoint, EndpointId, Enlist, EventKind, Lane, Outcome, Retention,
    Store, StoreError, TokenRate, open,
};

use crate::records::{endpoint, telling};
use crate::scene::{LONG, after_noon, claim_due, new_domains, noon, outcome, store_with, take_all};

/// A store with events and an endpoint.
async fn with_events(url: &str, count: usize, endpoint: &Endpoint) -> Arc<dyn Store> {
    let (store, _) = store_with(url, &new_domains("tenant", count)).await;
    store.put_endpoint(endpoint).await.unwrap();
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, u32::try_from(count).unwrap()).await;
    let outcomes: Vec<Outcome> = claims.iter().map(|claim| telling(outcome(claim), EventKind::Verified)).collect();
    store.record(&outcomes).await.unwrap();
    store
}

/// Deliveries in a state.
fn in_state(state: DeliveryState) -> DeliveryFilter {
    DeliveryFilter { state: Some(state), ..DeliveryFilter::default() }
}

/// A leased delivery is nobody else's; after the lease it is, and the first one's word no longer counts.
pub(crate) async fn a_delivery_is_tried_by_one_and_settled_once(url: String) {
    let store = with_events(&url, 5, &endpoint()).await;
    let first = store.lease_deliveries(LONG, 3).await.unwrap();
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|delivery| delivery.attempts == 1));
    let rest = store.lease_deliveries(Duration::ZERO, 10).await.unwrap();
    assert_eq!(rest.len(), 2);
    let again = store.lease_deliveries(LONG, 10).await.unwrap();
    assert_eq!(again.iter().map(|each| (&each.id, each.attempts)).collect::<Vec<_>>(), {
        rest.iter().map(|each| (&each.id, 2)).collect::<Vec<_>>()
    });
    assert!(!store.settle_delivery(&rest[0].id, 1, &DeliveryEnd::Delivered).await.unwrap());
    assert!(store.settle_delivery(&rest[0].id, 2, &DeliveryEnd::Delivered).await.unwrap());
    assert!(!store.settle_delivery(&rest[0].id, 2, &DeliveryEnd::Delivered).await.unwrap());
    let retry = DeliveryEnd::Retry { at: noon(), error: "503".to_owned() };
    assert!(store.settle_delivery(&first[0].id, 1, &retry).await.unwrap());
    let retried = store.lease_deliveries(LONG, 10).await.unwrap();
    assert_eq!((retried.len(), &retried[0].id, retried[0].attempts), (1, &first[0].id, 2));
    assert_eq!(retried[0].last_error.as_deref(), Some("503"));
    let delivered = store.deliveries(&in_state(DeliveryState::Delivered), None, 10).await.unwrap();
    assert_eq!(delivered.iter().map(|each| &each.id).collect::<Vec<_>>(), [&rest[0].id]);
}

/// An endpoint is owed the events of its tenant and its kinds, from when it is there and as long as it is on.
pub(crate) async fn endpoints_are_owed_what_they_asked_for(url: String) {
    let (store, _) = store_with(&url, &new_domains("a", 3)).await;
    store_with(&url, &new_domains("b", 2)).await;
    let all = Endpoint { id: EndpointId::from_text("whk_1"), ..endpoint() };
    let of_b = Endpoint { id: EndpointId::from_text("whk_2"), tenant: Some("b".to_owned()), ..endpoint() };
    let kinds = vec![EventKind::Lost, EventKind::Recovered];
    let lost = Endpoint { id: EndpointId::from_text("whk_3"), kinds, ..endpoint() };
    let off = Endpoint { id: EndpointId::from_text("whk_4"), is_enabled: false, ..endpoint() };
    for endpoint in [&all, &of_b, &lost, &off] {
        store.put_endpoint(endpoint).await.unwrap();
    }
    assert_eq!(store.endpoints().await.unwrap(), [all.clone(), of_b.clone(), lost.clone(), off.clone()]);
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 10).await;
    let kind = |claim: &zoneproof::store::Claim| {
        let is_first = claim.domain.name.to_string().starts_with("d0.");
        if is_first { EventKind::Lost } else { EventKind::Verified }
    };
    let outcomes: Vec<Outcome> = claims.iter().map(|claim| telling(outcome(claim), kind(claim))).collect();
    store.record(&outcomes).await.unwrap();
    for (endpoint, owed) in [(&all, 5), (&of_b, 2), (&lost, 2), (&off, 0)] {
        let filter = DeliveryFilter { endpoint: Some(endpoint.id.clone()), ..DeliveryFilter::default() };
        assert_eq!(store.deliveries(&filter, None, 10).await.unwrap().len(), owed, "{}", endpoint.id);
    }
    store.put_endpoint(&Endpoint { is_enabled: false, ..all.clone() }).await.unwrap();
    assert_eq!(store.lease_deliveries(LONG, 10).await.unwrap().len(), 4);
    assert!(store.remove_endpoint(&of_b.id).await.unwrap());
    assert!(!store.remove_endpoint(&of_b.id).await.unwrap());
    assert_eq!(store.deliveries(&DeliveryFilter::default(), None, 10).await.unwrap().len(), 7);
}

/// A dead delivery rests until it is replayed, with all its attempts before it.
pub(crate) async fn a_dead_delivery_can_be_replayed(url: String) {
    let store = with_events(&url, 3, &endpoint()).await;
    let leased = store.lease_deliveries(LONG, 3).await.unwrap();
    for delivery in &leased[..2] {
        let dead = DeliveryEnd::Dead { error: "x".repeat(2000) };
        assert!(store.settle_delivery(&delivery.id, 1, &dead).await.unwrap());
    }
    let dead = store.deliveries(&in_state(DeliveryState::Dead), None, 10).await.unwrap();
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0].last_error.as_ref().map(String::len), Some(500));
    assert_eq!(store.lease_deliveries(LONG, 3).await.unwrap(), []);
    let one = DeliveryFilter { id: Some(dead[0].id.clone()), ..DeliveryFilter::default() };
    assert_eq!(store.replay(&one).await.unwrap(), 1);
    let replayed = store.lease_deliveries(LONG, 3).await.unwrap();
    assert_eq!((replayed.len(), &replayed[0].id, replayed[0].attempts), (1, &dead[0].id, 1));
    assert_eq!(store.replay(&DeliveryFilter::default()).await.unwrap(), 1);
}

/// Twenty tasks take 400 tokens that come back at one an hour: whenever each came, they are spent at one an hour.
pub(crate) async fn tokens_never_exceed_their_rate(url: String) {
    let store = open(&url).await.unwrap();
    let rate = TokenRate { per_token: Duration::from_secs(3600), burst: 10 };
    let begin = Instant::now();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut waits = Vec::new();
                for _ in 0..10 {
                    waits.push(store.reserve("ses:eu-west-1", rate, 2).await.unwrap());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    waits.sort_unstable();
    let slack = begin.elapsed() + Duration::from_secs(1);
    for (number, wait) in (1_u32..).zip(&waits) {
        let due = rate.per_token * (number * 2).saturating_sub(rate.burst);
        assert!(*wait <= due && *wait + slack >= due, "reservation {number} waits {wait:?}, not {due:?}");
    }
    assert_eq!(store.reserve("another key", rate, 10).await.unwrap(), Duration::ZERO);
    assert!(store.reserve("another key", rate, 1).await.unwrap() > Duration::from_secs(3590));
}

/// Old lines go; the last check of a domain, the results of a run, and what is still owed stay.
pub(crate) async fn a_sweep_leaves_what_is_needed(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 2)).await;
    store.put_endpoint(&endpoint()).await.unwrap();
    let leases = take_all(&store, "one").await;
    let run = store.begin_run("digest", noon()).await.unwrap();
    store.enlist(&run.id, &Enlist::These(vec![ids[0].clone()])).await.unwrap();
    for minutes in [0, 10, 20, 30] {
        let lane = if minutes == 0 { Lane::Run(run.id.clone()) } else { Lane::Due(noon()) };
        for claim in store.claim(&lane, &leases, 10).await.unwrap() {
            let mut told = telling(outcome(&claim), EventKind::Verified);
            told.run = (minutes == 0).then(|| run.id.clone());
            told.report.checked_at = after_noon(minutes);
            told.due_at = Some(noon());
            store.record(&[told]).await.unwrap();
        }
    }
    store.finish_run(&run.id, noon()).await.unwrap();
    let delivered = store.lease_deliveries(LONG, 2).await.unwrap();
    for delivery in &delivered {
        store.settle_delivery(&delivery.id, 1, &DeliveryEnd::Delivered).await.unwrap();
    }
    let keep = Duration::from_secs(3600);
    let retention = Retention { history: keep, events: keep, runs: keep * 2 };
    assert_eq!(store.sweep(&retention, after_noon(60)).await.unwrap().checks, 0);
    let swept = store.sweep(&retention, after_noon(91)).await.unwrap();
    // Of seven checks stay the last of each domain, and the one of the run.
    assert_eq!((swept.checks, swept.events, swept.runs), (4, 2, 0));
    assert_eq!(store.run_results(&run.id, None, 10).await.unwrap().len(), 1);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), None, 10).await.unwrap().len(), 5);
    assert_eq!(store.sweep(&retention, after_noon(121)).await.unwrap().runs, 1);
    assert_eq!(store.run(&run.id).await.unwrap(), None);
    assert_eq!(store.sweep(&retention, after_noon(121)).await.unwrap().checks, 1);
    for id in &ids {
        assert_eq!(store.history(id, None, 10).await.unwrap().len(), 1);
        assert!(store.report(id).await.unwrap().is_some());
    }
}

/// Who comes first makes the tables, the others wait.
pub(crate) async fn many_that_open_an_empty_database_at_once_all_can(url: String) {
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { open(&url).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

/// A database of a later version is left alone, with a line that says what to do.
pub(crate) async fn a_newer_schema_is_refused_in_one_line(url: String) {
    drop(open(&url).await.unwrap());
    let newer = "INSERT INTO schema_versions (version, applied_at) VALUES (99, 0)";
    if url.starts_with("sqlite:") {
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::raw_sql(newer).execute(&pool).await.unwrap();
        pool.close().await;
    } else {
        sqlx::raw_sql(newer).execute(&sqlx::PgPool::connect(&url).await.unwrap()).await.unwrap();
    }
    let Err(error) = open(&url).await else { panic!("it was opened") };
    assert!(matches!(error, StoreError::NewerSchema { found: 99, known: 1 }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the database has schema version 99, and this program knows 1: use a newer zoneproof"
    );
}
