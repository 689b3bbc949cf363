//! Leases and claims: who may work on what.

use std::collections::HashSet;
use std::time::Duration;

use zoneproof::store::{DomainId, Lane, RecheckAnswer, Recorded, SHARDS, ShardLease, Taken, open};

use crate::scene::{LONG, after_noon, claim_due, new_domain, new_domains, noon, outcome, store_with, take_all};

/// Two workers, each with two tasks, claim until nothing is left.
pub(crate) async fn a_claim_hands_out_no_domain_twice(url: String) {
    let (store, ids) = store_with(&url, &new_domains("tenant", 1500)).await;
    let mut tasks = Vec::new();
    for worker in ["one", "two"] {
        store.heartbeat(worker, LONG).await.unwrap();
        let leases = store.take_shards(worker, SHARDS / 2).await.unwrap().leases;
        assert_eq!(leases.len(), usize::from(SHARDS / 2));
        for _ in 0..2 {
            let (store, leases) = (store.clone(), leases.clone());
            tasks.push(tokio::spawn(async move {
                let mut claimed = Vec::new();
                loop {
                    let claims = claim_due(&store, &leases, 37).await;
                    if claims.is_empty() {
                        return claimed;
                    }
                    claimed.extend(claims.into_iter().map(|claim| claim.domain.id));
                }
            }));
        }
    }
    let mut claimed = Vec::new();
    for task in tasks {
        claimed.extend(task.await.unwrap());
    }
    assert_eq!(claimed.len(), ids.len());
    assert_eq!(claimed.into_iter().collect::<HashSet<DomainId>>(), ids.into_iter().collect());
}

/// A claim that is let go is free; one that is not stays taken.
pub(crate) async fn a_domain_that_was_let_go_is_claimed_again(url: String) {
    let (store, _) = store_with(&url, &new_domains("tenant", 3)).await;
    let leases = take_all(&store, "one").await;
    let first = claim_due(&store, &leases, 10).await;
    assert_eq!(first.len(), 3);
    assert_eq!(claim_due(&store, &leases, 10).await, []);
    store.unclaim(&[(first[1].domain.id.clone(), first[1].lease)]).await.unwrap();
    let again = claim_due(&store, &leases, 10).await;
    assert_eq!(again, first[1..2]);
}

/// A claimed domain that is moved is claimed by whoever holds its new shard, and by nobody else; a void claim moves nothing.
pub(crate) async fn a_moved_domain_is_claimed_in_its_new_shard(url: String) {
    let (store, _) = store_with(&url, &new_domains("tenant", 2)).await;
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 10).await;
    let (first, second) = (&claims[0], &claims[1]);
    let target = leases.iter().find(|lease| lease.shard != first.lease.shard).unwrap();
    let stale = ShardLease { epoch: second.lease.epoch - 1, ..second.lease };
    let moves = [(first.domain.id.clone(), first.lease, target.shard), (second.domain.id.clone(), stale, target.shard)];
    store.move_domains(&moves).await.unwrap();
    assert_eq!(claim_due(&store, &[first.lease], 10).await, []);
    let again = claim_due(&store, &[*target], 10).await;
    let found: Vec<_> =
        again.iter().map(|claim| (&claim.domain.id, claim.domain.operator_shard, claim.lease)).collect();
    assert_eq!(found, [(&first.domain.id, target.shard, *target)]);
    assert_eq!(store.record(&[outcome(first)]).await.unwrap(), [Recorded::Fenced]);
}

/// Claims that their worker knows nothing of go back; those that it keeps, and those of other epochs, stay.
pub(crate) async fn claims_that_nobody_knows_of_are_let_go(url: String) {
    let (store, _) = store_with(&url, &new_domains("acme", 6)).await;
    let held = take_all(&store, "one").await;
    let claims = claim_due(&store, &held, 10).await;
    assert_eq!(claims.len(), 6);
    let kept = [claims[0].domain.id.clone(), claims[1].domain.id.clone()];
    let older: Vec<ShardLease> = held.iter().map(|lease| ShardLease { epoch: lease.epoch - 1, ..*lease }).collect();
    assert_eq!(store.unclaim_others(&older, &kept).await.unwrap(), 0);
    assert_eq!(store.unclaim_others(&[], &[]).await.unwrap(), 0);
    assert_eq!(store.unclaim_others(&held, &kept).await.unwrap(), 4);
    let again = claim_due(&store, &held, 10).await;
    assert_eq!(again.len(), 4);
    assert!(again.iter().all(|claim| !kept.contains(&claim.domain.id)));
    assert_eq!(store.record(&[outcome(&claims[0])]).await.unwrap(), [Recorded::Written]);
}

/// Nobody takes the shards of a worker that is alive; once its term is over, they can be taken, and it learns of it.
pub(crate) async fn a_worker_keeps_its_shards_while_it_is_alive(url: String) {
    let store = open(&url).await.unwrap();
    let held = take_all(&store, "one").await;
    assert_eq!(held.len(), usize::from(SHARDS));
    assert_eq!(store.take_shards("nobody alive", 10).await.unwrap(), Taken::default());
    assert_eq!(take_all(&store, "two").await, []);
    let beat = store.heartbeat("one", LONG).await.unwrap();
    assert_eq!((beat.live_workers, &beat.leases), (2, &held));
    store.heartbeat("one", Duration::ZERO).await.unwrap();
    let taken = store.take_shards("two", 1000).await.unwrap();
    assert_eq!((taken.leases.len(), taken.rescued), (1000, 1000));
    assert!(taken.leases.iter().zip(&held).all(|(new, old)| new.shard == old.shard && new.epoch > old.epoch));
    let beat = store.heartbeat("one", LONG).await.unwrap();
    assert_eq!(beat.leases, held[1000..]);
}

/// What a worker gives back is free at once, and an epoch further on.
pub(crate) async fn an_ended_worker_leaves_its_shards_at_once(url: String) {
    let store = open(&url).await.unwrap();
    let held = take_all(&store, "one").await;
    store.give_up_shards("one", &held[..24]).await.unwrap();
    let taken = {
        store.heartbeat("two", LONG).await.unwrap();
        store.take_shards("two", SHARDS).await.unwrap()
    };
    assert_eq!((taken.leases.len(), taken.rescued), (24, 0));
    // What another has by now is let be.
    store.give_up_shards("one", &held[..24]).await.unwrap();
    assert_eq!(store.heartbeat("two", LONG).await.unwrap().leases, taken.leases);
    store.retire("one").await.unwrap();
    assert_eq!(store.heartbeat("two", LONG).await.unwrap().live_workers, 1);
    assert_eq!(store.take_shards("two", SHARDS).await.unwrap().leases.len(), 1000);
}

/// A tenant with ten domains is done while one with a thousand, whose domains have waited longer, has only begun; and
/// one that comes later does not wait for the rest of it either.
pub(crate) async fn tenants_move_on_side_by_side(url: String) {
    let (store, _) = store_with(&url, &new_domains("large", 1000)).await;
    let mut small = new_domains("small", 10);
    small.iter_mut().for_each(|domain| domain.due_at = Some(after_noon(1)));
    store.add_domains(&small, zoneproof::store::IfKnown::Keep, noon()).await.unwrap();
    let leases = take_all(&store, "one").await;
    let due = Lane::Due(after_noon(2));
    let of_tenant = |claims: &[zoneproof::store::Claim], tenant: &str| {
        claims.iter().filter(|claim| claim.domain.tenant.as_deref() == Some(tenant)).count()
    };
    let claims = store.claim(&due, &leases, 20).await.unwrap();
    assert_eq!((of_tenant(&claims, "large"), of_tenant(&claims, "small")), (10, 10));
    let outcomes: Vec<_> = claims.iter().map(outcome).collect();
    assert!(store.record(&outcomes).await.unwrap().iter().all(|answer| *answer == Recorded::Written));
    let claims = store.claim(&due, &leases, 300).await.unwrap();
    let outcomes: Vec<_> = claims.iter().map(outcome).collect();
    store.record(&outcomes).await.unwrap();
    store.add_domains(&new_domains("late", 10), zoneproof::store::IfKnown::Keep, noon()).await.unwrap();
    let claims = store.claim(&due, &leases, 20).await.unwrap();
    assert_eq!((of_tenant(&claims, "large"), of_tenant(&claims, "late")), (10, 10));
}

/// Wishes join each other; a check that had begun before the wish does not answer it; one after it does.
pub(crate) async fn a_wish_for_a_check_waits_for_a_check_that_is_younger(url: String) {
    let (store, ids) = store_with(&url, &[new_domain("tenant", "mail.example.com")]).await;
    let leases = take_all(&store, "one").await;
    let freshness = Duration::from_secs(10);
    let ask = |minutes| store.request_recheck(&ids[0], freshness, after_noon(minutes));
    let running = claim_due(&store, &leases, 1).await;
    assert_eq!(ask(6).await.unwrap(), RecheckAnswer::Queued);
    assert_eq!(ask(7).await.unwrap(), RecheckAnswer::Joined(after_noon(6)));
    assert_eq!(store.claim(&Lane::Rechecks, &leases, 9).await.unwrap(), []);
    store.record(&[outcome(&running[0])]).await.unwrap();
    let claims = store.claim(&Lane::Rechecks, &leases, 9).await.unwrap();
    assert_eq!(claims.len(), 1);
    let mut younger = outcome(&claims[0]);
    younger.started_at = after_noon(8);
    younger.report.checked_at = after_noon(9);
    store.record(&[younger]).await.unwrap();
    assert_eq!(store.claim(&Lane::Rechecks, &leases, 9).await.unwrap(), []);
    assert_eq!(store.domain(&ids[0]).await.unwrap().unwrap().recheck_requested_at, None);
    assert_eq!(ask(9).await.unwrap(), RecheckAnswer::Fresh(after_noon(9)));
    assert_eq!(ask(10).await.unwrap(), RecheckAnswer::Queued);
    assert!(store.request_recheck(&DomainId::from_text("dom_none"), freshness, noon()).await.is_err());
}

/// One tenant wants fifty checks, then another one: that one is second.
pub(crate) async fn wishes_of_a_busy_tenant_do_not_hold_up_another(url: String) {
    let (store, busy) = store_with(&url, &new_domains("busy", 50)).await;
    let (_, other) = store_with(&url, &new_domains("other", 1)).await;
    let leases = take_all(&store, "one").await;
    for id in busy.iter().chain(&other) {
        store.request_recheck(id, Duration::ZERO, noon()).await.unwrap();
    }
    let claims = store.claim(&Lane::Rechecks, &leases, 2).await.unwrap();
    assert!(claims.iter().any(|claim| claim.domain.id == other[0]), "{claims:?}");
}

/// A worker goes silent with a claim in its hands, another takes over, then the first comes back.
pub(crate) async fn what_a_zombie_records_changes_nothing(url: String) {
    let (store, ids) = store_with(&url, &[new_domain("tenant", "mail.example.com")]).await;
    let zombie_leases = take_all(&store, "zombie").await;
    let zombie_claims = claim_due(&store, &zombie_leases, 1).await;
    store.heartbeat("zombie", Duration::ZERO).await.unwrap();
    let leases = take_all(&store, "heir").await;
    assert_eq!(leases.len(), usize::from(SHARDS));

    let mut of_zombie = outcome(&zombie_claims[0]);
    of_zombie.report.verdict = zoneproof::report::Verdict::Failing;
    let before = store.domain(&ids[0]).await.unwrap().unwrap();
    assert_eq!(store.record(&[of_zombie.clone()]).await.unwrap(), [Recorded::Fenced]);
    assert_eq!(store.domain(&ids[0]).await.unwrap().unwrap(), before);
    assert_eq!(claim_due(&store, &zombie_leases, 1).await, []);

    let claims = claim_due(&store, &leases, 1).await;
    assert_eq!(claims.len(), 1, "the zombie's claim is void");
    store.unclaim(&[(ids[0].clone(), zombie_claims[0].lease)]).await.unwrap();
    let both = [of_zombie.clone(), outcome(&claims[0])];
    assert_eq!(store.record(&both).await.unwrap(), [Recorded::Fenced, Recorded::Written]);
    assert_eq!(store.record(&[of_zombie]).await.unwrap(), [Recorded::Fenced]);
    let history = store.history(&ids[0], None, 10).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].verdict, zoneproof::report::Verdict::Ready);
}

/// A worker can sleep until there is something to claim.
pub(crate) async fn the_next_due_time_is_that_of_the_next_claim(url: String) {
    let mut domains = new_domains("tenant", 3);
    domains[1].due_at = Some(after_noon(30));
    domains[2].due_at = None;
    let (store, ids) = store_with(&url, &domains).await;
    let leases = take_all(&store, "one").await;
    assert_eq!(store.next_due(&leases).await.unwrap(), Some(noon()));
    assert_eq!(claim_due(&store, &leases, 10).await.len(), 1);
    assert_eq!(store.next_due(&leases).await.unwrap(), Some(after_noon(30)));
    store.request_recheck(&ids[2], Duration::ZERO, after_noon(3)).await.unwrap();
    assert_eq!(store.next_due(&leases).await.unwrap(), Some(after_noon(3)));
    assert_eq!(store.next_due(&[]).await.unwrap(), None);
}
