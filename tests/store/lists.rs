//! Adding, changing, listing, counting.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use zoneproof::dns::name::Name;
use zoneproof::report::Verdict;
use zoneproof::store::{
    Added, DomainFilter, DomainId, DomainState, EventKind, IdentityUpdate, IfKnown, NewEvent, open,
};

use crate::scene::{after_noon, claim_due, new_domain, new_domains, noon, outcome, report, store_with, take_all};

/// The same name of the same tenant is the same domain, whatever its letter case; of another tenant it is another.
pub(crate) async fn adding_again_adds_nothing(url: String) {
    let store = open(&url).await.unwrap();
    let domains =
        [("a", "mail.example.com"), ("a", "MAIL.example.com"), ("b", "mail.example.com"), ("", "mail.example.com")];
    let domains = domains.map(|(tenant, name)| new_domain(tenant, name));
    let added = store.add_domains(&domains, IfKnown::Keep, noon()).await.unwrap();
    assert!(added.iter().all(|added| added.is_new && added.id.as_str().starts_with("dom_")));
    assert_eq!(added[0].id, added[1].id);
    assert_eq!(added.iter().map(|added| &added.id).collect::<HashSet<_>>().len(), 3);
    let again = store.add_domains(&domains, IfKnown::Keep, after_noon(9)).await.unwrap();
    let known: Vec<Added> = added.iter().map(|added| Added { id: added.id.clone(), is_new: false }).collect();
    assert_eq!(again, known);
    let found = store.domains_named(&[Name::parse("Mail.Example.com").unwrap()]).await.unwrap();
    assert_eq!(found.len(), 3);
    let tenants: HashSet<Option<&str>> = found.iter().map(|domain| domain.tenant.as_deref()).collect();
    assert_eq!(tenants, [None, Some("a"), Some("b")].into());
    let domain = store.domain(&added[0].id).await.unwrap().unwrap();
    assert_eq!((domain.state, domain.created_at, domain.due_at), (DomainState::Pending, noon(), Some(noon())));
    assert_eq!(domain.asked.tokens, domains[0].asked.tokens);
    assert_eq!(store.domain(&DomainId::random()).await.unwrap(), None);
}

/// New tokens are taken over and bring the next check forward; the same ones change nothing.
pub(crate) async fn an_update_takes_over_what_is_asked_for(url: String) {
    let mut domain = new_domain("tenant", "mail.example.com");
    domain.due_at = Some(after_noon(60));
    let (store, ids) = store_with(&url, std::slice::from_ref(&domain)).await;
    let before = store.domain(&ids[0]).await.unwrap().unwrap();
    domain.due_at = Some(noon());
    store.add_domains(std::slice::from_ref(&domain), IfKnown::Update, noon()).await.unwrap();
    assert_eq!(store.domain(&ids[0]).await.unwrap().unwrap(), before);
    domain.asked.tokens = vec!["u1".to_owned(), "u2".to_owned(), "u3".to_owned()];
    store.add_domains(std::slice::from_ref(&domain), IfKnown::Keep, noon()).await.unwrap();
    assert_eq!(store.domain(&ids[0]).await.unwrap().unwrap(), before);
    let added = store.add_domains(std::slice::from_ref(&domain), IfKnown::Update, noon()).await.unwrap();
    assert_eq!(added, [Added { id: ids[0].clone(), is_new: false }]);
    let after = store.domain(&ids[0]).await.unwrap().unwrap();
    assert_eq!((after.asked, after.due_at), (domain.asked, Some(noon())));
}

/// Someone adds domains between the pages; those that were there are seen once each, in the order of their ids.
pub(crate) async fn a_listing_sees_each_domain_once_while_others_are_added(url: String) {
    let (store, ids) = store_with(&url, &new_domains("first", 230)).await;
    let (mut seen, mut after): (Vec<DomainId>, Option<DomainId>) = (Vec::new(), None);
    for round in 0.. {
        let page = store.page(&DomainFilter::default(), after.as_ref(), 50).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|domain| domain.id));
        if round < 5 {
            let more = new_domains(&format!("more{round}"), 7);
            store.add_domains(&more, IfKnown::Keep, noon()).await.unwrap();
        }
    }
    assert!(seen.is_sorted());
    let unique: HashSet<&DomainId> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len());
    assert!(ids.iter().all(|id| unique.contains(id)));
}

/// Each part of a filter leaves out what does not match.
pub(crate) async fn a_listing_keeps_to_its_filter(url: String) {
    let domains = [
        new_domain("a", "ready.example.com"),
        new_domain("b", "failing.example.com"),
        new_domain("", "new.example.com"),
    ];
    let (store, ids) = store_with(&url, &domains).await;
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 10).await;
    let outcomes: Vec<_> = claims
        .iter()
        .filter(|claim| claim.domain.id != ids[2])
        .map(|claim| {
            let mut outcome = outcome(claim);
            if claim.domain.id == ids[1] {
                outcome.report = report("failing.example.com", "failing", after_noon(5));
                outcome.state = DomainState::Pending;
            }
            outcome
        })
        .collect();
    store.record(&outcomes).await.unwrap();
    let all = DomainFilter::default;
    let cases = [
        (all(), &[0, 1, 2][..]),
        (DomainFilter { tenant: Some(Some("a".to_owned())), ..all() }, &[0]),
        (DomainFilter { tenant: Some(None), ..all() }, &[2]),
        (DomainFilter { state: Some(DomainState::Verified), ..all() }, &[0]),
        (DomainFilter { verdict: Some(Verdict::Failing), ..all() }, &[1]),
        (DomainFilter { root_cause: Some(zoneproof::findings::Code::HostDoubled), ..all() }, &[1]),
        (DomainFilter { provider: Some("godaddy".to_owned()), ..all() }, &[0, 1]),
        (DomainFilter { due_by: Some(after_noon(1)), ..all() }, &[2]),
        (DomainFilter { provider: Some("godaddy".to_owned()), state: Some(DomainState::Pending), ..all() }, &[1]),
        (DomainFilter { tenant: Some(Some("'; DROP TABLE domains; --".to_owned())), ..all() }, &[]),
    ];
    for (filter, expected) in cases {
        let page = store.page(&filter, None, 10).await.unwrap();
        let found: HashSet<&DomainId> = page.iter().map(|domain| &domain.id).collect();
        assert_eq!(found, expected.iter().map(|index| &ids[*index]).collect(), "{filter:?}");
    }
}

/// What SES says moves no state; a domain is due at the sooner of the two times.
pub(crate) async fn what_ses_says_is_kept_and_makes_a_domain_due(url: String) {
    let mut domains = new_domains("tenant", 3);
    domains.iter_mut().for_each(|domain| domain.due_at = Some(after_noon(60)));
    domains[2].due_at = None;
    let (store, ids) = store_with(&url, &domains).await;
    let update = |index: usize, due_at| IdentityUpdate {
        domain: ids[index].clone(),
        identity: Some(json!({"sending": true, "quote": "it's \"so\" \u{e9}"})),
        due_at,
    };
    let updates = [update(0, Some(after_noon(90))), update(1, Some(after_noon(1))), update(2, Some(after_noon(2)))];
    store.update_identities(&updates).await.unwrap();
    for (index, due) in [(0, 60), (1, 1), (2, 2)] {
        let domain = store.domain(&ids[index]).await.unwrap().unwrap();
        assert_eq!((domain.identity, domain.due_at), (updates[index].identity.clone(), Some(after_noon(due))));
        assert_eq!(domain.state, DomainState::Pending);
    }
    store.update_identities(&[IdentityUpdate { domain: ids[0].clone(), identity: None, due_at: None }]).await.unwrap();
    let domain = store.domain(&ids[0]).await.unwrap().unwrap();
    assert_eq!((domain.identity, domain.due_at), (None, Some(after_noon(60))));
}

/// History and report go with a domain, the event stays; a result that comes later changes nothing.
pub(crate) async fn a_removed_domain_is_gone_and_its_events_stay(url: String) {
    let (store, ids) = store_with(&url, &[new_domain("tenant", "mail.example.com")]).await;
    let leases = take_all(&store, "one").await;
    let mut first = outcome(&claim_due(&store, &leases, 1).await[0]);
    first.event = Some(NewEvent { kind: EventKind::Verified, diff: json!({}) });
    first.due_at = Some(noon());
    store.record(&[first]).await.unwrap();
    let second = outcome(&claim_due(&store, &leases, 1).await[0]);
    assert!(store.remove_domain(&ids[0]).await.unwrap());
    assert!(!store.remove_domain(&ids[0]).await.unwrap());
    assert_eq!(store.record(&[second]).await.unwrap(), [zoneproof::store::Recorded::Fenced]);
    assert_eq!(store.domain(&ids[0]).await.unwrap(), None);
    assert_eq!(store.report(&ids[0]).await.unwrap(), None);
    assert_eq!(store.history(&ids[0], None, 10).await.unwrap(), []);
    assert_eq!(store.events(Some(&ids[0]), 0, 10).await.unwrap().len(), 1);
}

/// By state, verdict, cause, provider and age.
pub(crate) async fn the_fleet_is_counted_by_what_it_is(url: String) {
    let (store, _) = store_with(&url, &new_domains("a", 5)).await;
    store_with(&url, &new_domains("b", 2)).await;
    let leases = take_all(&store, "one").await;
    let claims = claim_due(&store, &leases, 10).await;
    let of_a = claims.iter().filter(|claim| claim.domain.tenant.as_deref() == Some("a"));
    let ages = [5, -60 * 10, -1440 * 3, -1440 * 30];
    let outcomes: Vec<_> = of_a
        .zip(ages)
        .enumerate()
        .map(|(number, (claim, minutes))| {
            let mut outcome = outcome(claim);
            outcome.report = report("x.example", if number == 0 { "failing" } else { "ready" }, after_noon(minutes));
            outcome
        })
        .collect();
    store.record(&outcomes).await.unwrap();
    let count = |words: &[(&str, u64)]| -> BTreeMap<String, u64> {
        words.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
    };
    let all = store.summary(None, after_noon(10)).await.unwrap();
    assert_eq!(all.domains, 7);
    assert_eq!(all.states, count(&[("pending", 3), ("verified", 4)]));
    assert_eq!(all.verdicts, count(&[("failing", 1), ("ready", 3), ("unchecked", 3)]));
    assert_eq!(all.root_causes, count(&[("host_doubled", 1)]));
    assert_eq!(all.providers, count(&[("godaddy", 4)]));
    assert_eq!(all.ages, count(&[("day", 1), ("hour", 1), ("never", 3), ("older", 1), ("week", 1)]));
    assert_eq!(store.summary(Some("b"), noon()).await.unwrap().domains, 2);
}
