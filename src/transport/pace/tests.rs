//! Time is paused, and no socket is used.

use futures::FutureExt;
use futures::future::join_all;

use super::*;
use crate::budget::Budget;
use crate::dns::message::Message;
use crate::transport::tests::{Scripted, message, query, truncated};

/// A paced transport whose inside answers after a millisecond, or as told.
fn paced(limits: PaceLimits, inner: Scripted) -> Paced<Arc<Scripted>> {
    Paced::new(Arc::new(inner), Pacer::new(limits))
}

fn good() -> Result<Arc<Message>, Silence> {
    Ok(message(Rcode::NOERROR))
}

/// Asks `count` questions at once, each of a check of its own, at addresses that `server` names.
async fn flood(
    paced: &Paced<Arc<Scripted>>,
    count: usize,
    class: PaceClass,
    server: impl Fn(usize) -> String,
) -> Vec<Exchange> {
    let queries: Vec<Query> = (0..count).map(|nth| Query { class, ..query(&server(nth)) }).collect();
    join_all(queries.iter().map(|query| paced.exchange(query))).await
}

/// Returns the most questions that left within any window of that length.
fn most_within(paced: &Paced<Arc<Scripted>>, window: Duration) -> usize {
    let times: Vec<Instant> = paced.inner.sent().into_iter().map(|(time, _)| time).collect();
    times
        .iter()
        .map(|start| times.iter().filter(|time| **time >= *start && **time - *start < window).count())
        .max()
        .unwrap_or(0)
}

const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn one_address_is_asked_twenty_times_a_second_after_a_burst_of_forty() {
    let paced = paced(PaceLimits::default(), Scripted::always(good()));
    let started = Instant::now();
    let exchanges = flood(&paced, 200, PaceClass::Ordinary, |_| "192.0.2.1".to_owned()).await;
    assert!(exchanges.iter().all(|exchange| exchange.outcome.is_ok()), "nobody is put off");
    assert!((7900..8200).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert!(most_within(&paced, SECOND) <= 60, "{} in a second", most_within(&paced, SECOND));
    assert!(most_within(&paced, TENTH) <= 44, "{} in a tenth", most_within(&paced, TENTH));
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_given_up_and_pays_nothing() {
    let limits = PaceLimits { max_wait: SECOND * 10, ..PaceLimits::default() };
    let paced = paced(limits, Scripted::always(good()));
    let exchanges = flood(&paced, 1000, PaceClass::Ordinary, |_| "192.0.2.1".to_owned()).await;
    let limited = exchanges.iter().filter(|exchange| exchange.outcome == Err(Silence::Limit)).count();
    assert_eq!(paced.inner.sent().len() + limited, 1000);
    assert!((235..=245).contains(&paced.inner.sent().len()), "{} were sent in 10 s", paced.inner.sent().len());
}

#[tokio::test(start_paused = true)]
async fn a_network_gets_five_times_the_pace_of_an_address() {
    for network in ["192.0.2.", "2001:db8:0:1::"] {
        let paced = paced(PaceLimits::default(), Scripted::always(good()));
        flood(&paced, 600, PaceClass::Ordinary, |nth| format!("{network}{}", nth % 200 + 1)).await;
        let most = most_within(&paced, SECOND);
        assert!((280..=300).contains(&most), "{most} in a second at {network}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_together_are_asked_two_thousand_times_a_second() {
    let paced = paced(PaceLimits::default(), Scripted::always(good()));
    flood(&paced, 6000, PaceClass::Anycast, |nth| format!("198.{}.{}.1", nth / 250, nth % 250)).await;
    let times = paced.inner.sent();
    let took = (times[5999].0 - times[0].0).as_millis();
    assert!((2850..=3100).contains(&took), "6000 questions took {took} ms");
}

#[tokio::test(start_paused = true)]
async fn zero_is_no_limit_but_flight_stays_capped() {
    let limits = PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0);
    let mut inner = Scripted::always(good());
    for _ in 0..1000 {
        inner = inner.then(100, good());
    }
    let paced = paced(limits, inner);
    flood(&paced, 160, PaceClass::Ordinary, |_| "192.0.2.1".to_owned()).await;
    assert_eq!(most_within(&paced, TENTH), 16);
}

#[tokio::test(start_paused = true)]
async fn a_big_provider_gets_twice_as_many_in_flight_until_one_is_lost() {
    let limits = PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0);
    let paced = paced(limits, Scripted::always(good()));
    let most_at_once = async |questions: usize| {
        let before = paced.inner.sent().len();
        (0..questions).for_each(|_| paced.inner.script(100, good()));
        flood(&paced, questions, PaceClass::Anycast, |_| "198.51.100.1".to_owned()).await;
        let times: Vec<Instant> = paced.inner.sent().into_iter().skip(before).map(|(time, _)| time).collect();
        times.chunk_by(|one, next| *next - *one < TENTH).map(<[_]>::len).max()
    };
    assert_eq!(most_at_once(64).await, Some(64));
    assert_eq!(most_at_once(8000).await, Some(128));
    paced.inner.script(0, Err(Silence::Timeout));
    flood(&paced, 1, PaceClass::Anycast, |_| "198.51.100.1".to_owned()).await;
    assert_eq!(most_at_once(65).await, Some(64));
}

#[tokio::test(start_paused = true)]
async fn no_rate_is_too_high() {
    let limits = PaceLimits { per_second_in_all: u32::MAX, ..PaceLimits::default() }.with_per_server(u32::MAX);
    let paced = paced(limits, Scripted::always(good()));
    let started = Instant::now();
    flood(&paced, 100, PaceClass::Ordinary, |_| "192.0.2.1".to_owned()).await;
    assert!(started.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_question_gives_its_place_back() {
    let paced = paced(PaceLimits::default(), Scripted::silent(Silence::Timeout));
    let queries: Vec<Query> = (0..32).map(|_| query("192.0.2.1")).collect();
    let mut asking: Vec<_> = queries.iter().map(|query| paced.exchange(query).boxed()).collect();
    for one in &mut asking {
        assert!(futures::poll!(one).is_pending());
    }
    assert_eq!(paced.inner.sent().len(), 16);
    asking.drain(..16);
    for one in &mut asking {
        assert!(futures::poll!(one).is_pending());
    }
    assert_eq!(paced.inner.sent().len(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_question_without_budget_does_not_queue() {
    let paced = paced(PaceLimits::default(), Scripted::always(good()));
    let query = query("192.0.2.1");
    query.budget.spend_octets(usize::MAX);
    assert_eq!(paced.exchange(&query).await.outcome, Err(Silence::Limit));
    assert_eq!(paced.inner.sent().len(), 0);
}

/// Returns what a question to the server costs after replies of that kind to questions of one check, `count` at once.
async fn cost_after(
    paced: &Paced<Arc<Scripted>>,
    check: &Arc<Budget>,
    count: usize,
    outcome: Result<Arc<Message>, Silence>,
) -> u32 {
    for _ in 0..count {
        paced.inner.script(1, outcome.clone());
    }
    let queries: Vec<Query> = (0..count).map(|_| Query { budget: Arc::clone(check), ..query("192.0.2.1") }).collect();
    join_all(queries.iter().map(|query| paced.exchange(query))).await;
    paced
        .pacer
        .servers
        .get_or_make(&("192.0.2.1".parse().unwrap(), PaceClass::Ordinary), || unreachable!())
        .cost()
        .get()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_under_load_is_slowed_and_recovers() {
    let (paced, check) = (paced(PaceLimits::default(), Scripted::always(good())), Budget::for_check());
    assert_eq!(cost_after(&paced, &check, 8, Err(Silence::Timeout)).await, 1, "one that never answered is not slowed");
    assert_eq!(cost_after(&paced, &check, 1, good()).await, 1);
    assert_eq!(cost_after(&paced, &check, 3, Ok(message(Rcode::REFUSED))).await, 1, "that is no load");
    assert_eq!(cost_after(&paced, &check, 8, Ok(message(Rcode::REFUSED))).await, 2, "one burst halves once");
    sleep(SECOND * 2).await;
    assert_eq!(cost_after(&paced, &check, 8, Ok(truncated())).await, 4);
    for _ in 0..3 {
        sleep(SECOND * 2).await;
        cost_after(&paced, &check, 8, Err(Silence::Timeout)).await;
    }
    assert!(cost_after(&paced, &check, 1, good()).await <= MAX_COST);
    for _ in 0..10 {
        sleep(BETWEEN_STEPS).await;
        cost_after(&paced, &check, 1, good()).await;
    }
    assert_eq!(cost_after(&paced, &check, 1, good()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_slowed_server_is_asked_at_half_the_rate() {
    let (paced, check) = (paced(PaceLimits::default(), Scripted::always(good())), Budget::for_check());
    cost_after(&paced, &check, 1, good()).await;
    assert_eq!(cost_after(&paced, &check, 8, Ok(message(Rcode::REFUSED))).await, 2);
    sleep(SECOND * 3).await;
    let before = paced.inner.sent().len();
    // A burst of forty pays for twenty; sixteen more take a tenth of a second each.
    let started = Instant::now();
    flood(&paced, 36, PaceClass::Ordinary, |_| "192.0.2.1".to_owned()).await;
    assert_eq!(paced.inner.sent().len(), before + 36);
    assert!((1550..1700).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_have_a_zone_is_not_slowed_for_refusing_it() {
    let paced = paced(PaceLimits::default(), Scripted::always(good()));
    let refused = || Ok(message(Rcode::REFUSED));
    let [hosted, elsewhere] = [(); 2].map(|()| Budget::for_check());
    assert_eq!(cost_after(&paced, &hosted, 5, good()).await, 1);
    for _ in 0..5 {
        assert_eq!(cost_after(&paced, &elsewhere, 16, refused()).await, 1, "it answered others alone");
        sleep(SECOND).await;
    }
    assert_eq!(cost_after(&paced, &hosted, 16, refused()).await, 2, "it answered the same check before");
}

#[test]
fn networks_are_told_by_their_prefix() {
    let same = [
        ("192.0.2.1", "192.0.2.255", true),
        ("192.0.2.1", "192.0.3.1", false),
        ("2001:db8:1::1", "2001:db8:1:ffff::1", true),
        ("2001:db8:1::1", "2001:db8:2::1", false),
    ];
    for (one, other, expected) in same {
        assert_eq!(network_of(one.parse().unwrap()) == network_of(other.parse().unwrap()), expected, "{one} {other}");
    }
}
