//! Questions that are the same and out at the same time. Time is paused.

use std::time::Duration;

use super::*;
use crate::budget::Budget;
use crate::dns::rrset::Rcode;
use crate::transport::tests::{Scripted, message, query};

/// A server that takes a while to answer.
fn slow() -> (Arc<Scripted>, Coalesce<Arc<Scripted>>) {
    let server = Arc::new(Scripted::silent(Silence::Timeout).then(100, Ok(message(Rcode::NXDOMAIN))));
    (Arc::clone(&server), Coalesce::new(server))
}

#[tokio::test(start_paused = true)]
async fn two_checks_that_ask_the_same_send_one_packet_and_pay_one_each() {
    let (server, coalesce) = slow();
    let (one, other) = (query("192.0.2.1"), query("192.0.2.1"));
    let (first, second) = futures::join!(coalesce.exchange(&one), coalesce.exchange(&other));
    assert_eq!(first, second);
    assert!(first.outcome.is_ok());
    assert_eq!(server.sent().len(), 1);
    assert_eq!((one.budget.sends(), other.budget.sends()), (1, 1));
    assert!(coalesce.out.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_check_that_asks_twice_pays_once() {
    let (server, coalesce) = slow();
    let one = query("192.0.2.1");
    let again = Query { budget: one.budget.for_walk(), ..one.clone() };
    futures::join!(coalesce.exchange(&one), coalesce.exchange(&again));
    assert_eq!((server.sent().len(), one.budget.sends()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn other_questions_and_later_ones_are_sent() {
    let (server, coalesce) = slow();
    let one = query("192.0.2.1");
    let signed = Query { dnssec_ok: true, ..one.clone() };
    let elsewhere = query("192.0.2.2");
    futures::join!(coalesce.exchange(&one), coalesce.exchange(&signed), coalesce.exchange(&elsewhere));
    coalesce.exchange(&one).await;
    assert_eq!(server.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_answer_though_the_one_who_asked_left() {
    let (server, coalesce) = slow();
    let (one, other) = (query("192.0.2.1"), query("192.0.2.1"));
    let mut asker = coalesce.exchange(&one).boxed();
    assert!(futures::poll!(&mut asker).is_pending());
    let mut waiting = coalesce.exchange(&other).boxed();
    assert!(futures::poll!(&mut waiting).is_pending());
    drop(asker);
    assert!(waiting.await.outcome.is_ok());
    assert_eq!(server.sent().len(), 1);
    assert!(coalesce.out.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_sees_to_it_may_leave_and_so_may_all() {
    let (server, coalesce) = slow();
    let queries = [(); 3].map(|()| query("192.0.2.1"));
    let mut asked: Vec<_> = queries.iter().map(|query| coalesce.exchange(query).boxed()).collect();
    for one in &mut asked {
        assert!(futures::poll!(one).is_pending());
    }
    // The first one asked, and the next one sees to it as soon as it hears that the first left.
    drop(asked.remove(0));
    assert!(futures::poll!(&mut asked[0]).is_pending());
    drop(asked.remove(0));
    assert!(asked.remove(0).await.outcome.is_ok());
    assert_eq!(server.sent().len(), 1);
    let mut asked: Vec<_> = queries.iter().map(|query| coalesce.exchange(query).boxed()).collect();
    for one in &mut asked {
        assert!(futures::poll!(one).is_pending());
    }
    for one in asked {
        drop(one);
    }
    assert!(coalesce.out.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_where_all_leave() {
    let (server, coalesce) = slow();
    let one = query("192.0.2.1");
    let asked = tokio::time::timeout(Duration::from_millis(10), coalesce.exchange(&one)).await;
    assert!(asked.is_err());
    assert!(coalesce.out.is_empty());
    assert_eq!(server.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_purse_neither_joins_nor_spoils_it_for_others() {
    let (server, coalesce) = slow();
    let spent = Budget::for_check().for_walk();
    while spent.spend_send() {}
    let poor = Query { budget: spent, ..query("192.0.2.1") };
    let rich = query("192.0.2.1");
    // The poor one asks first and cannot pay; the rich one asks anew.
    let (first, second) = futures::join!(coalesce.exchange(&poor), coalesce.exchange(&rich));
    assert_eq!(first.outcome, Err(Silence::Limit));
    assert!(second.outcome.is_ok());
    let (_, third) = futures::join!(coalesce.exchange(&rich), coalesce.exchange(&poor));
    assert_eq!(third.outcome, Err(Silence::Limit));
    assert_eq!(server.sent().len(), 2);
}
