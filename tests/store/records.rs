//! Recording: what goes together goes together, and once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zoneproof::store::{
    CheckId, DeliveryFilter, DomainFilter, DomainId, DomainState, Endpoint, EndpointId, Enlist, EventKind, IntentEnd,
    Lane, NewEvent, Outcome, Recorded, Store,
};

use crate::scene::{after_noon, claim_due, new_domain, new_domains, noon, outcome, report, store_with, take_all};

/// An endpoint for all events.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::random(),
        url: "https://hooks.example.com/zoneproof".to_owned(),
        secret: "whsec_dGVzdA==".to_owned(),
        tenant: None,
        kinds: Vec::new(),
        is_enabled: true,
        created_at: noon(),
    }
}

/// Adds an event to an outcome.
pub(crate) fn telling(mut outcome: Outcome, kind: EventKind) -> Outcome {
    outcome.event = Some(NewEvent { kind, diff: json!({"verdict": [null, "ready"]}) });
    outcome
}

/// The domain, its report, its history, the event with its report, the delivery: all there, and all say the same.
pub(crate) async fn a_record_is_all_of_it(url: String) {
    let (store, ids) = store_with(&url, &[new_domain("tenant", "mail.example.com")]).await;
    let endpoint = endpoint();
    store.put_endpoint(&endpoint).await.unwrap();
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 1).await;
    let mut told = telling(outcome(&claims[0]), EventKind::Verified);
    told.operator_shard = 77;
    told.identity = Some(json!({"sending": true}));
    assert_eq!(store.record(std::slice::from_ref(&told)).await.unwrap(), [Recorded::Written]);

    let domain = store.domain(&ids[0]).await.unwrap().unwrap();
    assert_eq!(domain.state, DomainState::Verified);
    assert_eq!((domain.operator_shard, domain.due_at), (77, told.due_at));
    assert_eq!((domain.last_checked_at, domain.last_check.as_ref()), (Some(after_noon(5)), Some(&told.check)));
    assert_eq!((domain.last_verdict, domain.root_cause), (Some(told.report.verdict), None));
    assert_eq!((domain.provider.as_deref(), domain.zone_digest.as_deref()), (Some("godaddy"), Some("serial 7")));
    assert_eq!((domain.identity, domain.negatives), (told.identity.clone(), told.negatives.clone()));
    assert_eq!(store.report(&ids[0]).await.unwrap(), Some(told.report.clone()));
    let history = store.history(&ids[0], None, 10).await.unwrap();
    assert_eq!((history.len(), &history[0].check, history[0].questions), (1, &told.check, 13));
    let events = store.events(None, 0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].from, events[0].to), (DomainState::Pending, DomainState::Verified));
    assert_eq!((events[0].kind, &events[0].diff), (EventKind::Verified, &told.event.as_ref().unwrap().diff));
    assert_eq!((events[0].name.as_str(), events[0].tenant.as_deref()), ("mail.example.com", Some("tenant")));
    assert_eq!(store.event_report(&events[0].id).await.unwrap(), Some(told.report));
    let deliveries = store.deliveries(&DeliveryFilter::default(), None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!((&deliveries[0].event, &deliveries[0].endpoint), (&events[0], &endpoint));
}

/// Tells of each domain whether each trace of its record is there.
async fn traces(store: &Arc<dyn Store>, ids: &[DomainId]) -> HashSet<[bool; 5]> {
    let deliveries = store.deliveries(&DeliveryFilter::default(), None, 1000).await.unwrap();
    let mut traces = HashSet::new();
    for id in ids {
        traces.insert([
            store.domain(id).await.unwrap().unwrap().last_check.is_some(),
            store.report(id).await.unwrap().is_some(),
            !store.history(id, None, 10).await.unwrap().is_empty(),
            !store.events(Some(id), 0, 10).await.unwrap().is_empty(),
            deliveries.iter().any(|delivery| delivery.event.domain == *id),
        ]);
    }
    traces
}

/// A record is dropped after more and more time: whenever that is, all its traces are there or none is.
pub(crate) async fn a_dropped_record_is_nothing_or_everything(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 15)).await;
    store.put_endpoint(&endpoint()).await.unwrap();
    let leases = take_all(&store, "one").await;
    let outcomes: Vec<Outcome> =
        claim_due(&store, &leases, 15).await.iter().map(|claim| telling(outcome(claim), EventKind::Verified)).collect();
    for step in 0..40 {
        let record = store.record(&outcomes);
        let _ = tokio::time::timeout(Duration::from_micros(step * 150), record).await;
        // A commit that was under way may end between two looks; what is half stays half.
        let mut seen = traces(&store, &ids).await;
        for _ in 0..100 {
            if seen.len() == 1 && (seen.contains(&[false; 5]) || seen.contains(&[true; 5])) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            seen = traces(&store, &ids).await;
        }
        assert!(seen == [[false; 5]].into() || seen == [[true; 5]].into(), "step {step}: {seen:?}");
    }
    store.record(&outcomes).await.unwrap();
    assert_eq!(traces(&store, &ids).await, [[true; 5]].into());
    assert_eq!(store.events(None, 0, 1000).await.unwrap().len(), 15);
}

/// Recorded again, as after a lost answer: it is seen, and nothing is written. Another check under the old claim is fenced.
pub(crate) async fn a_record_that_comes_again_changes_nothing(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 3)).await;
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 3).await;
    let outcomes: Vec<Outcome> = claims.iter().map(|claim| telling(outcome(claim), EventKind::Verified)).collect();
    assert_eq!(store.record(&outcomes[..2]).await.unwrap(), [Recorded::Written; 2]);
    let again = store.record(&outcomes).await.unwrap();
    assert_eq!(again, [Recorded::Repeated, Recorded::Repeated, Recorded::Written]);
    assert_eq!(store.events(None, 0, 10).await.unwrap().len(), 3);
    let mut other = outcomes[0].clone();
    other.check = CheckId::random();
    assert_eq!(store.record(&[other]).await.unwrap(), [Recorded::Fenced]);
    assert_eq!(store.history(&outcomes[0].domain, None, 10).await.unwrap().len(), 1);
    assert_eq!(ids.len(), 3);
}

/// The first time stays.
pub(crate) async fn verified_is_stamped_once(url: String) {
    let (store, ids) = store_with(&url, &[new_domain("tenant", "mail.example.com")]).await;
    let leases = take_all(&store, "one").await;
    for minutes in [5, 10] {
        let mut outcome = outcome(&claim_due(&store, &leases, 1).await[0]);
        outcome.verified_at = Some(after_noon(minutes));
        outcome.due_at = Some(noon());
        outcome.identity = (minutes == 5).then(|| json!("kept"));
        store.record(&[outcome]).await.unwrap();
    }
    let domain = store.domain(&ids[0]).await.unwrap().unwrap();
    assert_eq!((domain.verified_at, domain.identity), (Some(after_noon(5)), Some(json!("kept"))));
    let history = store.history(&ids[0], None, 10).await.unwrap();
    assert_eq!(history.len(), 2);
    assert!(history[0].seq > history[1].seq);
    assert_eq!(store.history(&ids[0], Some(history[0].seq), 10).await.unwrap(), history[1..]);
}

/// Four write events while one reads them by place: it sees every one once, though it never looks back.
pub(crate) async fn events_are_seen_in_their_order_and_none_is_missed(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 400)).await;
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 400).await;
    let writers: Vec<_> = claims
        .chunks(100)
        .map(|chunk| {
            let (store, chunk) = (Arc::clone(&store), chunk.to_vec());
            tokio::spawn(async move {
                for claim in chunk.chunks(5) {
                    let outcomes: Vec<Outcome> =
                        claim.iter().map(|claim| telling(outcome(claim), EventKind::Verified)).collect();
                    store.record(&outcomes).await.unwrap();
                }
            })
        })
        .collect();
    let (mut place, mut seen) = (0, Vec::new());
    while seen.len() < ids.len() {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let events = store.events(None, place, 7).await.unwrap();
        assert!(!is_over || !events.is_empty(), "missed some: saw {}", seen.len());
        for event in events {
            assert!(event.seq > place);
            place = event.seq;
            seen.push(event.domain);
        }
    }
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), ids.into_iter().collect());
}

/// Each domain of a run gets one result: not from one that is not in it, not twice, and the run ends when all have it.
pub(crate) async fn a_run_gives_each_domain_one_result(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 30)).await;
    let leases = take_all(&store, "one").await;
    let run = store.begin_run("a digest", noon()).await.unwrap();
    assert_eq!(store.enlist(&run.id, &Enlist::These(ids[..20].to_vec())).await.unwrap(), 20);
    assert_eq!(store.enlist(&run.id, &Enlist::These(ids[10..25].to_vec())).await.unwrap(), 5);
    let lane = Lane::Run(run.id.clone());
    let claims = store.claim(&lane, &leases, 100).await.unwrap();
    assert_eq!(claims.len(), 25);
    assert_eq!(store.claim(&lane, &leases, 100).await.unwrap(), []);
    let of_run = |claim: &zoneproof::store::Claim| Outcome { run: Some(run.id.clone()), ..outcome(claim) };
    let outcomes: Vec<Outcome> = claims.iter().map(of_run).collect();
    assert_eq!(store.record(&outcomes[..24]).await.unwrap(), [Recorded::Written; 24]);
    assert!(!store.finish_run(&run.id, noon()).await.unwrap());
    let late = claim_due(&store, &leases, 100).await;
    let outsider = late.iter().find(|claim| ids[25..].contains(&claim.domain.id)).unwrap();
    assert_eq!(store.record(&[of_run(outsider)]).await.unwrap(), [Recorded::Fenced]);
    store.record(&outcomes[24..]).await.unwrap();

    // Another check of a domain that has its result: it counts for the domain, and never for the run.
    let mut next = outcomes[0].clone();
    next.check = CheckId::random();
    assert_eq!(store.record(&[next]).await.unwrap(), [Recorded::Repeated]);
    let mut results = store.run_results(&run.id, None, 10).await.unwrap();
    results.extend(store.run_results(&run.id, Some(&results[9].domain), 100).await.unwrap());
    let checks: HashSet<&CheckId> = results.iter().map(|result| &result.summary.check).collect();
    assert_eq!((results.len(), checks), (25, outcomes.iter().map(|outcome| &outcome.check).collect()));
    assert!(results.iter().all(|result| result.report.is_some()));
    assert!(store.finish_run(&run.id, after_noon(7)).await.unwrap());
    let ended = store.run(&run.id).await.unwrap().unwrap();
    assert_eq!((ended.domains, ended.done, ended.finished_at), (25, 25, Some(after_noon(7))));
}

/// The same digest finds the open run, and begins another after its end.
pub(crate) async fn an_open_run_is_found_again(url: String) {
    let (store, _) = store_with(&url, &new_domains("a", 3)).await;
    store_with(&url, &new_domains("b", 4)).await;
    let run = store.begin_run("digest", noon()).await.unwrap();
    assert_eq!(store.begin_run("digest", after_noon(1)).await.unwrap(), run);
    assert_ne!(store.begin_run("other", noon()).await.unwrap().id, run.id);
    let of_b = DomainFilter { tenant: Some(Some("b".to_owned())), ..DomainFilter::default() };
    assert_eq!(store.enlist(&run.id, &Enlist::Matching(of_b.clone())).await.unwrap(), 4);
    assert_eq!(store.enlist(&run.id, &Enlist::Matching(of_b)).await.unwrap(), 0);
    assert_eq!(store.enlist(&run.id, &Enlist::Matching(DomainFilter::default())).await.unwrap(), 3);
    let leases = take_all(&store, "one").await;
    let claims = store.claim(&Lane::Run(run.id.clone()), &leases, 10).await.unwrap();
    let outcomes: Vec<Outcome> =
        claims.iter().map(|claim| Outcome { run: Some(run.id.clone()), ..outcome(claim) }).collect();
    store.record(&outcomes).await.unwrap();
    assert!(store.finish_run(&run.id, noon()).await.unwrap());
    assert_ne!(store.begin_run("digest", after_noon(1)).await.unwrap().id, run.id);
    assert_eq!(report("x.example", "ready", noon()).schema, 1);
}

/// Many want to create it; one may. After an attempt without an end, again one may, and the old attempt cannot end it.
pub(crate) async fn of_two_that_intend_to_create_an_identity_one_does(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 1)).await;
    assert_eq!(store.identity_intent(&ids[0]).await.unwrap(), None);
    for before in 0..3 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, id) = (Arc::clone(&store), ids[0].clone());
                tokio::spawn(async move { store.intend_identity(&id, before, noon()).await.unwrap() })
            })
            .collect();
        let mut winners = 0;
        for task in tasks {
            winners += u32::from(task.await.unwrap());
        }
        assert_eq!(winners, 1);
        let intent = store.identity_intent(&ids[0]).await.unwrap().unwrap();
        assert_eq!((intent.attempt, intent.end, intent.intended_at), (before + 1, IntentEnd::Open, noon()));
    }
    store.settle_identity(&ids[0], 2, IntentEnd::Refused).await.unwrap();
    assert_eq!(store.identity_intent(&ids[0]).await.unwrap().unwrap().end, IntentEnd::Open);
    store.settle_identity(&ids[0], 3, IntentEnd::Created).await.unwrap();
    assert_eq!(store.identity_intent(&ids[0]).await.unwrap().unwrap().end, IntentEnd::Created);
    assert!(!store.intend_identity(&DomainId::random(), 0, noon()).await.unwrap());
}
