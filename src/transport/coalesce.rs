//! One question is out to one address once, however many wait for the answer.
//!
//! Two checks of one domain at one time would give a forger two chances to hit (the birthday attack, SECURITY.md F2), and a
//! server twice the load. The first who asks sends; who comes while the answer is out waits for the same one. Nothing
//! is kept once it is there.
//!
//! Who belongs to the check that asked shares freely. One of another check pays one packet from its own purse, as if it
//! had asked, so that a purse holds whatever others do; and where the purse of the one who asked runs dry, it asks anew.
//! Whoever waits may go at any time: the question lives as long as one of them stays.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::waiting::wait;
use super::{Exchange, Query, Transport};
use crate::dns::rrset::Question;
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};

/// What makes two questions the same.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    /// The address that is asked.
    server: IpAddr,
    /// What is asked.
    question: Question,
    /// How it travels first.
    protocol: Protocol,
    /// Whether with an OPT record.
    with_edns: bool,
    /// Whether for signatures too.
    dnssec_ok: bool,
}

/// An exchange that several wait for.
type Common = Shared<BoxFuture<'static, Exchange>>;

/// A question that is out.
struct Out {
    /// Its number, which tells it from a later one that is the same.
    number: u64,
    /// The check that asked.
    check: u64,
    /// What those who wait hold; gone when the last of them goes.
    exchange: Option<WeakShared<BoxFuture<'static, Exchange>>>,
}

impl Out {
    /// Returns what is waited for, while somebody does.
    fn common(&self) -> Option<Common> {
        self.exchange.as_ref()?.upgrade()
    }
}

/// Joins questions that are the same and out at the same time.
pub struct Coalesce<T> {
    /// Who asks.
    inner: Arc<T>,
    /// The questions that are out.
    out: DashMap<Key, Out>,
    /// The number of the next one.
    next: AtomicU64,
    /// The counters.
    metrics: Arc<Metrics>,
}

/// A place among those who wait. It goes after the exchange that is held beside it.
struct Place<'a> {
    /// Where the question stands.
    out: &'a DashMap<Key, Out>,
    /// The question.
    key: Key,
    /// Its number.
    number: u64,
    /// Whether the answer is there.
    is_done: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let is_over = |out: &Out| self.is_done || out.common().is_none();
        self.out.remove_if(&self.key, |_, out| out.number == self.number && is_over(out));
    }
}

impl<T: Transport + 'static> Coalesce<T> {
    /// Wraps a transport.
    pub fn new(inner: T) -> Self {
        Self { inner: Arc::new(inner), out: DashMap::new(), next: AtomicU64::new(0), metrics: Arc::default() }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    /// Asks, or waits for the same question that is out.
    async fn ask(&self, query: &Query) -> Exchange {
        let (common, mut place, asker) = self.join(query);
        let own = query.budget.check();
        if asker != own && !query.budget.spend_send() {
            drop(common);
            self.metrics.count(Event::BudgetHits);
            return Exchange::silent(Silence::Limit, Duration::ZERO, query.protocol);
        }
        // What another check waits for, this one waits for too.
        let exchange = if asker == own { common.await } else { wait(&query.budget, common).await };
        place.is_done = true;
        drop(place);
        let is_their_limit = asker != own && exchange.outcome == Err(Silence::Limit);
        if is_their_limit { self.inner.exchange(query).await } else { exchange }
    }

    /// Takes a place before the answer to a question, sent now where it is not out; tells which check asked.
    fn join(&self, query: &Query) -> (Common, Place<'_>, u64) {
        let key = Key {
            server: query.server,
            question: query.question.clone(),
            protocol: query.protocol,
            with_edns: query.with_edns,
            dnssec_ok: query.dnssec_ok,
        };
        let entry = self.out.entry(key.clone());
        let place = |number| Place { out: &self.out, key, number, is_done: false };
        match entry {
            Entry::Occupied(mut entry) => match entry.get().common() {
                Some(common) => {
                    self.metrics.count(Event::QuestionsJoined);
                    (common, place(entry.get().number), entry.get().check)
                }
                None => {
                    let (common, out) = self.send(query);
                    let number = out.number;
                    entry.insert(out);
                    (common, place(number), query.budget.check())
                }
            },
            Entry::Vacant(entry) => {
                let (common, out) = self.send(query);
                let number = out.number;
                entry.insert(out);
                (common, place(number), query.budget.check())
            }
        }
    }

    /// Gets a question ready; it is sent when it is first waited for.
    fn send(&self, query: &Query) -> (Common, Out) {
        let (inner, query) = (Arc::clone(&self.inner), query.clone());
        let check = query.budget.check();
        let common = async move { inner.exchange(&query).await }.boxed().shared();
        let exchange = common.downgrade();
        (common, Out { number: self.next.fetch_add(1, Ordering::Relaxed), check, exchange })
    }
}

impl<T: Transport + 'static> Transport for Coalesce<T> {
    fn exchange<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Exchange> {
        self.ask(query).boxed()
    }
}

#[cfg(test)]
mod tests;
