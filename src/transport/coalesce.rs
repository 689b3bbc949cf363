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
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use quick_cache::DefaultHashBuilder;
use tokio::sync::Notify;

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

/// A question that is out.
struct Out {
    /// Its number, which tells it from a later one that is the same.
    number: u64,
    /// The check that asked.
    check: u64,
    /// How many wait beside the one who asks.
    waiting: usize,
    /// What those have in common; made when the first of them comes.
    common: Option<Arc<Common>>,
}

/// What those who wait for one answer have in common.
#[derive(Default)]
struct Common {
    /// What became of it.
    news: Mutex<News>,
    /// Tells them that there are news.
    has_news: Notify,
}

/// What became of a question that several wait for.
#[derive(Default)]
enum News {
    /// It is out, and somebody sees to it.
    #[default]
    None,
    /// Who saw to it left: one of those who wait does from here on.
    Left(BoxFuture<'static, Exchange>),
    /// The answer is there.
    Answer(Exchange),
}

impl Common {
    /// Says what is new.
    fn tell(&self, news: News) {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = news;
        self.has_news.notify_waiters();
    }
}

/// Joins questions that are the same and out at the same time.
pub struct Coalesce<T> {
    /// Who asks.
    inner: Arc<T>,
    /// The questions that are out, few enough for a quick hash.
    out: Questions,
    /// The number of the next one.
    next: AtomicU64,
    /// The counters.
    metrics: Arc<Metrics>,
}

/// The questions that are out.
type Questions = DashMap<Key, Out, DefaultHashBuilder>;

/// Where a question stands among those that are out.
struct Place<'a> {
    /// All of them.
    out: &'a Questions,
    /// The question.
    key: Key,
    /// Its number.
    number: u64,
}

impl Place<'_> {
    /// Takes the question out and returns what those who wait for it have in common.
    fn vacate(&self) -> Option<Arc<Common>> {
        self.out.remove_if(&self.key, |_, out| out.number == self.number)?.1.common
    }
}

/// The part of the one who sees to a question that is out.
struct Flight<'a> {
    /// Where it stands.
    place: Place<'a>,
    /// The question on its way.
    exchange: BoxFuture<'static, Exchange>,
    /// Whether the answer is there.
    has_landed: bool,
}

impl Flight<'_> {
    /// Waits for the answer and tells all others.
    async fn land(mut self) -> Exchange {
        let answer = (&mut self.exchange).await;
        self.has_landed = true;
        if let Some(common) = self.place.vacate() {
            common.tell(News::Answer(answer.clone()));
        }
        answer
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        let exchange = std::mem::replace(&mut self.exchange, pending().boxed());
        let Entry::Occupied(entry) = self.place.out.entry(self.place.key.clone()) else { return };
        match &entry.get().common {
            _ if entry.get().number != self.place.number => {}
            Some(common) if entry.get().waiting > 0 => common.tell(News::Left(exchange)),
            _ => drop(entry.remove()),
        }
    }
}

/// The part of one who waits beside.
struct Seat<'a> {
    /// Where the question stands.
    place: Place<'a>,
    /// What all who wait have in common.
    common: Arc<Common>,
    /// The check that asked.
    asker: u64,
}

impl Seat<'_> {
    /// Waits for the answer; sees to the question where who did so leaves.
    async fn answer(self) -> Exchange {
        let common = Arc::clone(&self.common);
        loop {
            let has_news = common.has_news.notified();
            let exchange = {
                let mut news = common.news.lock().unwrap_or_else(PoisonError::into_inner);
                match std::mem::take(&mut *news) {
                    News::None => None,
                    News::Left(exchange) => Some(exchange),
                    News::Answer(answer) => {
                        *news = News::Answer(answer.clone());
                        return answer;
                    }
                }
            };
            if let Some(exchange) = exchange {
                let place = Place { key: self.place.key.clone(), ..self.place };
                let flight = Flight { place, exchange, has_landed: false };
                drop(self);
                return flight.land().await;
            }
            has_news.await;
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Entry::Occupied(mut entry) = self.place.out.entry(self.place.key.clone()) else { return };
        let out = entry.get_mut();
        if out.number != self.place.number {
            return;
        }
        out.waiting = out.waiting.saturating_sub(1);
        let news = self.common.news.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody sees to it any more, and nobody waits.
        let is_over = out.waiting == 0 && matches!(&*news, News::Left(_));
        drop(news);
        if is_over {
            entry.remove();
        }
    }
}

/// How one comes to the answer.
enum Part<'a> {
    /// By asking.
    Asks(Flight<'a>),
    /// By waiting for the answer that another one gets.
    Waits(Seat<'a>),
}

impl<T: Transport + 'static> Coalesce<T> {
    /// Wraps a transport.
    pub fn new(inner: T) -> Self {
        let out = DashMap::with_hasher(DefaultHashBuilder::default());
        Self { inner: Arc::new(inner), out, next: AtomicU64::new(0), metrics: Arc::default() }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    /// Asks, or waits for the same question that is out.
    async fn ask(&self, query: &Query) -> Exchange {
        match self.part(query) {
            Part::Asks(flight) => flight.land().await,
            // Few questions are the same, so that none has to make room for this.
            Part::Waits(seat) => self.wait_beside(query, seat).boxed().await,
        }
    }

    /// Waits for the answer to the same question.
    async fn wait_beside(&self, query: &Query, seat: Seat<'_>) -> Exchange {
        self.metrics.count(Event::QuestionsJoined);
        if seat.asker == query.budget.check() {
            return seat.answer().await;
        }
        if !query.budget.spend_send() {
            self.metrics.count(Event::BudgetHits);
            return Exchange::silent(Silence::Limit, Duration::ZERO, query.protocol);
        }
        // What another check waits for, this one waits for too.
        let exchange = wait(&query.budget, seat.answer()).await;
        let is_their_limit = exchange.outcome == Err(Silence::Limit);
        if is_their_limit { self.inner.exchange(query).await } else { exchange }
    }

    /// Takes part in a question: sends it where it is not out.
    fn part(&self, query: &Query) -> Part<'_> {
        let key = Key {
            server: query.server,
            question: query.question.clone(),
            protocol: query.protocol,
            with_edns: query.with_edns,
            dnssec_ok: query.dnssec_ok,
        };
        match self.out.entry(key.clone()) {
            Entry::Occupied(mut entry) => {
                let out = entry.get_mut();
                out.waiting += 1;
                let common = Arc::clone(out.common.get_or_insert_default());
                let place = Place { out: &self.out, key, number: out.number };
                Part::Waits(Seat { place, common, asker: out.check })
            }
            Entry::Vacant(entry) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                entry.insert(Out { number, check: query.budget.check(), waiting: 0, common: None });
                let (inner, query) = (Arc::clone(&self.inner), query.clone());
                let exchange = async move { inner.exchange(&query).await }.boxed();
                Part::Asks(Flight { place: Place { out: &self.out, key, number }, exchange, has_landed: false })
            }
        }
    }
}

impl<T: Transport + 'static> Transport for Coalesce<T> {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        self.ask(query)
    }
}

#[cfg(test)]
mod tests;
