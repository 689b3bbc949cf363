//! Time is paused: no socket here.

use futures::future::join_all;

use super::*;
use crate::budget::Budget;
use crate::dns::message::Message;
use crate::transport::tests::{Scripted, message, query, truncated};

/// A fallback over two lists.
struct Bench {
    /// What is tested.
    fallback: Fallback<Arc<Scripted>, Arc<Scripted>>,
    /// The way over UDP.
    udp: Arc<Scripted>,
    /// The way over TCP.
    tcp: Arc<Scripted>,
}

impl Bench {
    fn new(udp: Scripted, tcp: Scripted) -> Self {
        let (udp, tcp) = (Arc::new(udp), Arc::new(tcp));
        let fallback =
            Fallback::new(Arc::clone(&udp), Arc::clone(&tcp), Arc::default(), Arc::default(), DEFAULT_ATTEMPTS);
        Self { fallback, udp, tcp }
    }

    /// Asks a question of a check of its own.
    async fn ask(&self) -> Exchange {
        self.fallback.exchange(&query("192.0.2.1")).await
    }

    /// Returns how many questions went over UDP and over TCP.
    fn sent(&self) -> (usize, usize) {
        (self.udp.sent().len(), self.tcp.sent().len())
    }

    fn quirks(&self) -> crate::transport::server_health::Quirks {
        self.fallback.health.quirks("192.0.2.1".parse().unwrap(), now())
    }
}

fn good() -> Result<Arc<Message>, Silence> {
    Ok(message(Rcode::NOERROR))
}

fn refusing_edns() -> Result<Arc<Message>, Silence> {
    Ok(message(Rcode::FORMERR))
}

const TIMEOUT: Result<Arc<Message>, Silence> = Err(Silence::Timeout);

/// Checks `got` against `expected`, within the jitter.
fn assert_about(got: u128, expected: u128) {
    assert!((expected * 4 / 5..=expected * 6 / 5 + 1).contains(&got), "{got} ms instead of about {expected} ms");
}

#[tokio::test(start_paused = true)]
async fn three_tries_that_wait_longer_and_longer_then_tcp() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Timeout));
    let exchange = bench.ask().await;
    assert_eq!((exchange.outcome, exchange.protocol), (TIMEOUT, Protocol::Tcp));
    assert_eq!(bench.sent(), (3, 1));
    let gaps = bench.udp.gaps_ms();
    assert_about(gaps[0], 800);
    assert_about(gaps[1], 1600);
    let last = bench.udp.sent()[2].0;
    assert_about((bench.tcp.sent()[0].0 - last).as_millis(), 3200);
}

#[tokio::test(start_paused = true)]
async fn a_fast_server_is_asked_again_soon() {
    let udp = Scripted::silent(Silence::Timeout).then(10, good()).then(0, TIMEOUT).then(10, good());
    let bench = Bench::new(udp, Scripted::silent(Silence::Timeout));
    assert!(bench.ask().await.outcome.is_ok());
    assert!(bench.ask().await.outcome.is_ok());
    assert_about(bench.udp.gaps_ms()[1], 400);
    assert_eq!(bench.sent(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_unfit_goes_to_tcp_at_once() {
    for silence in [Silence::Mismatched, Silence::Malformed, Silence::Refused] {
        let bench = Bench::new(Scripted::silent(silence), Scripted::always(good()));
        let exchange = bench.ask().await;
        assert_eq!((exchange.outcome, exchange.protocol), (good(), Protocol::Tcp), "{silence:?}");
        assert_eq!(bench.sent(), (1, 1), "{silence:?}");
        assert_eq!(bench.quirks().mismatches_udp, silence == Silence::Mismatched);
    }
    let bench = Bench::new(Scripted::always(Ok(truncated())), Scripted::always(good()));
    assert_eq!(bench.ask().await.outcome, good());
    assert_eq!(bench.sent(), (1, 1));
    assert!(bench.quirks().truncates);
}

#[tokio::test(start_paused = true)]
async fn without_a_way_or_a_limit_left_nothing_more_is_tried() {
    for silence in [Silence::NoRoute, Silence::Limit, Silence::Forbidden] {
        let bench = Bench::new(Scripted::silent(silence), Scripted::always(good()));
        assert_eq!(bench.ask().await.outcome, Err(silence));
        assert_eq!(bench.sent(), (1, 0));
        assert_eq!(bench.ask().await.outcome, Err(silence), "and it is no failure of the server's");
        assert_eq!(bench.sent(), (2, 0));
    }
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::NoRoute));
    assert_eq!(bench.ask().await.outcome, TIMEOUT, "UDP had a way, so the address counts");
}

#[tokio::test(start_paused = true)]
async fn a_server_silent_over_udp_is_silent_though_no_connection_is_left() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Limit));
    assert_eq!(bench.ask().await.outcome, TIMEOUT);
    assert_eq!(bench.sent(), (3, 1));
    let bench = Bench::new(Scripted::silent(Silence::Mismatched), Scripted::silent(Silence::Limit));
    assert_eq!(bench.ask().await.outcome, Err(Silence::Limit), "a forger must not make a server look silent");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_ends_on_the_way_to_tcp_is_no_silence_of_the_server() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Limit));
    let query = query("192.0.2.1");
    while query.budget.spend_send() {}
    assert_eq!(bench.fallback.exchange(&query).await.outcome, Err(Silence::Limit));
}

#[tokio::test(start_paused = true)]
async fn edns_is_left_out_for_one_try_and_forgotten() {
    let udp = Scripted::always(good()).then(1, refusing_edns());
    let bench = Bench::new(udp, Scripted::always(good()));
    for _ in 0..2 {
        assert_eq!(bench.ask().await.outcome, good());
    }
    let edns: Vec<_> = bench.udp.sent().iter().map(|(_, query)| query.with_edns).collect();
    assert_eq!(edns, [true, false, true], "a forged FORMERR must not change the next question");
    assert_eq!(bench.tcp.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn edns_that_is_refused_over_tcp_is_remembered() {
    let tcp = Scripted::always(good()).then(1, Ok(message(Rcode::BADVERS)));
    let bench = Bench::new(Scripted::always(Ok(truncated())), tcp);
    for _ in 0..2 {
        assert_eq!(bench.ask().await.outcome, good());
    }
    let edns =
        |sent: Vec<(tokio::time::Instant, Query)>| sent.iter().map(|(_, query)| query.with_edns).collect::<Vec<_>>();
    assert_eq!(edns(bench.tcp.sent()), [true, false, false]);
    assert_eq!(edns(bench.udp.sent()), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_with_and_without_edns_is_heard() {
    let bench = Bench::new(Scripted::always(refusing_edns()), Scripted::always(good()));
    assert_eq!(bench.ask().await.outcome, refusing_edns());
    assert_eq!(bench.sent(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cut_reply_over_tcp_is_a_failure_and_not_asked_again() {
    let bench = Bench::new(Scripted::always(Ok(truncated())), Scripted::silent(Silence::Malformed));
    assert_eq!(bench.ask().await.outcome, Err(Silence::Malformed));
    assert_eq!(bench.sent(), (1, 1));
}

/// Asks eight questions at once, all of one check.
async fn ask_eight(bench: &Bench) -> Vec<Result<Arc<Message>, Silence>> {
    let budget = Budget::for_check();
    let queries: Vec<Query> = (0..8).map(|_| Query { budget: Arc::clone(&budget), ..query("192.0.2.1") }).collect();
    let exchanges = join_all(queries.iter().map(|query| bench.fallback.exchange(query))).await;
    exchanges.into_iter().map(|exchange| exchange.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn retries_at_a_dead_address_are_spent_by_one_question() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Timeout));
    assert!(ask_eight(&bench).await.iter().all(|outcome| *outcome == TIMEOUT));
    assert_eq!(bench.sent(), (3 + 7, 1));
}

#[tokio::test(start_paused = true)]
async fn a_question_lost_at_first_contact_is_asked_again() {
    let mut udp = Scripted::always(good());
    for _ in 0..8 {
        udp = udp.then(0, TIMEOUT);
    }
    let bench = Bench::new(udp, Scripted::silent(Silence::Timeout));
    assert_eq!(ask_eight(&bench).await, vec![good(); 8]);
    assert_eq!(bench.sent(), (16, 0));
}

#[tokio::test(start_paused = true)]
async fn another_question_leads_where_the_first_was_dropped() {
    let bench = Bench::new(
        Scripted::silent(Silence::Timeout).then(0, TIMEOUT).then(0, TIMEOUT).then(1, good()),
        Scripted::silent(Silence::Timeout),
    );
    let (first, second) = (query("192.0.2.1"), query("192.0.2.1"));
    let mut leading = bench.fallback.exchange(&first).boxed();
    assert!(futures::poll!(&mut leading).is_pending());
    let mut following = bench.fallback.exchange(&second).boxed();
    assert!(futures::poll!(&mut following).is_pending());
    drop(leading);
    assert_eq!(following.await.outcome, good());
    assert_eq!(bench.sent(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_down_address_gets_one_try_a_check_and_comes_back() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Timeout));
    for round in 0..3 {
        bench.ask().await;
        bench.fallback.failures.forget_below(&crate::dns::name::Name::root());
        assert_eq!(bench.tcp.sent().len(), 1, "round {round}: the retries were spent once");
    }
    let before = bench.udp.sent().len();
    assert_eq!(before, 5);
    assert!(ask_eight(&bench).await.iter().all(|outcome| *outcome == TIMEOUT));
    assert_eq!(bench.sent(), (before + 1, 1));
    bench.fallback.failures.forget_below(&crate::dns::name::Name::root());
    bench.udp.script(1, good());
    bench.udp.script(1, good());
    let outcomes = ask_eight(&bench).await;
    assert!(outcomes[..2].iter().all(Result::is_ok), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_asked_again_at_once() {
    let bench = Bench::new(Scripted::silent(Silence::Malformed), Scripted::silent(Silence::Malformed));
    for _ in 0..1000 {
        assert_eq!(bench.ask().await.outcome, Err(Silence::Malformed));
        tokio::time::advance(Duration::from_millis(60)).await;
    }
    let rounds = bench.tcp.sent().len();
    assert!((2..=6).contains(&rounds), "{rounds} rounds in a minute");
    let over_tcp = Query { protocol: Protocol::Tcp, ..query("192.0.2.1") };
    bench.fallback.exchange(&over_tcp).await;
    assert_eq!(bench.tcp.sent().len(), rounds + 1, "who asks for TCP confirms, and is not held back");
}

#[tokio::test(start_paused = true)]
async fn an_empty_purse_ends_the_tries() {
    let bench = Bench::new(Scripted::silent(Silence::Timeout), Scripted::silent(Silence::Timeout));
    let budget = Budget::for_check().for_walk();
    while budget.sends() < 48 {
        assert!(budget.spend_send());
    }
    let query = Query { budget, ..query("192.0.2.1") };
    assert_eq!(bench.fallback.exchange(&query).await.outcome, Err(Silence::Limit));
    assert_eq!(bench.sent(), (2, 0));
}
