//! One question is out to one address once, however many wait for the answer.
//!
//! Two checks of one domain at one time would give a forger two chances to hit (the birthday attack, SECURITY.md F2), and a
//! server twice the load. The first who asks sends; who comes while the answer is out waits for the same one. Nothing
//! is kept once it is there.
//!
//! Who belongs to the check that asked shares freely. One of another check pays one packet from its own purse, as if it
//! had asked, so that a purse holds whatever others do; and where the purse of the one who asked runs dry, it asks anew.
//! Whoever waits may go at any time: the question lives as long as one of them stays.
//!
//! A question on its way outlives who asked it, so that it has a room of its own; rooms are used again and again.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use futures::FutureExt;
use quick_cache::DefaultHashBuilder;
use tokio::sync::Notify;
use tokio_util::sync::ReusableBoxFuture;

use super::waiting::wait;
use super::{Asking, Exchange, Query, Transport};
use crate::dns::message::Extent;
use crate::dns::rrset::Question;
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};

/// The most rooms that are kept for further questions.
const ROOMS_KEPT: usize = 1024;

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
    /// How much of the reply is read.
    extent: Extent,
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
    Left(Room),
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

/// Where a question on its way lives, until its answer is there.
type Room = ReusableBoxFuture<'static, Exchange>;

/// The rooms that are free.
#[derive(Default)]
struct Rooms(Mutex<Vec<Room>>);

impl Rooms {
    /// Gives a question a room.
    fn lodge(&self, exchange: impl Future<Output = Exchange> + Send + 'static) -> Room {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(mut room) => {
                room.set(exchange);
                room
            }
            None => Room::new(exchange),
        }
    }

    /// Takes back the room of a question that was answered.
    fn clear(&self, room: Room) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < ROOMS_KEPT {
            free.push(room);
        }
    }
}

/// Joins questions that are the same and out at the same time.
pub struct Coalesce<T> {
    /// Who asks.
    inner: Arc<T>,
    /// The questions that are out, few enough for a quick hash.
    out: Questions,
    /// Where further questions find room.
    rooms: Rooms,
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
    /// Where its room goes back to.
    rooms: &'a Rooms,
}

impl Place<'_> {
    /// Takes the question out and returns what those who wait for it have in common.
    fn vacate(&self) -> Option<Arc<Common>> {
        self.out.remove_if(&self.key, |_, out| out.number == self.number)?.1.common
    }
}

/// The part of the one who sees to a question that is out.
pub struct Flight<'a> {
    /// Where it stands.
    place: Place<'a>,
    /// The question on its way; `None` once the answer is there.
    exchange: Option<Room>,
}

impl Future for Flight<'_> {
    type Output = Exchange;

    /// Waits for the answer and tells all others.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exchange> {
        let Some(exchange) = &mut self.exchange else { return Poll::Pending };
        let answer = ready!(exchange.poll(context));
        if let Some(room) = self.exchange.take() {
            self.place.rooms.clear(room);
        }
        if let Some(common) = self.place.vacate() {
            common.tell(News::Answer(answer.clone()));
        }
        Poll::Ready(answer)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
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
                let flight = Flight { place, exchange: Some(exchange) };
                drop(self);
                return flight.await;
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

impl<T: Transport + 'static> Coalesce<T> {
    /// Wraps a transport.
    pub fn new(inner: T) -> Self {
        let out = DashMap::with_hasher(DefaultHashBuilder::default());
        let (rooms, next, metrics) = (Rooms::default(), AtomicU64::new(0), Arc::default());
        Self { inner: Arc::new(inner), out, rooms, next, metrics }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
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
}

impl<T: Transport + 'static> Transport for Coalesce<T> {
    async fn exchange(&self, query: &Query) -> Exchange {
        self.asking(query).await
    }

    /// Sends the query where the same one is not out, and waits for that one's answer where it is.
    fn asking<'a>(&'a self, query: &'a Query) -> Asking<'a> {
        let key = Key {
            server: query.server,
            question: query.question.clone(),
            protocol: query.protocol,
            with_edns: query.with_edns,
            dnssec_ok: query.dnssec_ok,
            extent: query.extent,
        };
        match self.out.entry(key.clone()) {
            Entry::Occupied(mut entry) => {
                let out = entry.get_mut();
                out.waiting += 1;
                let common = Arc::clone(out.common.get_or_insert_default());
                let place = Place { out: &self.out, key, number: out.number, rooms: &self.rooms };
                let seat = Seat { place, common, asker: out.check };
                // Few questions are the same, so that none has to make room for this.
                Asking::Boxed(self.wait_beside(query, seat).boxed())
            }
            Entry::Vacant(entry) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                entry.insert(Out { number, check: query.budget.check(), waiting: 0, common: None });
                let (inner, query) = (Arc::clone(&self.inner), query.clone());
                let exchange = self.rooms.lodge(async move { inner.exchange(&query).await });
                let place = Place { out: &self.out, key, number, rooms: &self.rooms };
                Asking::Flight(Flight { place, exchange: Some(exchange) })
            }
        }
    }
}

#[cfg(test)]
mod tests;
