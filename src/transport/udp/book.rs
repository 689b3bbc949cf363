//! Which questions are out, and which were closed of late.
//!
//! No sockets here: datagrams come in as octets. Questions are kept by server address, and below that by socket and
//! id, so that a reply finds its question at once and a forger's datagram finds all that it puts under suspicion.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::dns::message::{HEADER_OCTETS, is_bare_error_to, is_reply_in_other_letters, is_reply_to};
use crate::dns::rrset::Rcode;
use crate::evidence::Silence;
use crate::metrics::{Event, Metrics};

/// What is remembered of questions that nobody answered in time: longer than honest servers take to answer late, and ten
/// seconds of the highest pace a server is asked at.
const UNANSWERED: Memory = Memory { kept: Duration::from_secs(10), at_most: 2048 };
/// What is remembered of questions that were answered: for a reply that comes twice, two seconds of that pace are plenty.
const ANSWERED: Memory = Memory { kept: Duration::from_secs(2), at_most: 512 };
/// After how many questions the pages of addresses that are no longer asked are dropped.
const OPENINGS_BETWEEN_SWEEPS: u32 = 1024;

/// The number of a socket and the id of a query: no two questions to one address share them.
type Slot = (u64, u16);

/// What a question gets to hear.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Arrival {
    /// A reply that matches.
    Reply(Vec<u8>),
    /// Something of that many octets that matches no question, so that a forger may be at work.
    Suspicion(usize),
    /// The same, and it would match this question but for the case of its letters.
    OtherLetters(usize),
    /// Nothing: the query could not leave.
    Unsent(Silence),
}

/// All questions of one transport.
#[derive(Default)]
pub(super) struct Book {
    /// The questions by server address.
    pages: DashMap<IpAddr, Page>,
    /// How many questions were opened, going round.
    openings: AtomicU32,
    /// The counters.
    metrics: Arc<Metrics>,
}

/// The questions to one server address.
#[derive(Default)]
struct Page {
    /// The questions that are out or were closed of late.
    entries: HashMap<Slot, Entry>,
    /// Those that were answered.
    answered: Closed,
    /// Those that nobody answered in time.
    unanswered: Closed,
}

/// When which question was closed, oldest first.
type Closed = VecDeque<(Slot, Instant)>;

/// How long closed questions of one address are remembered, and how many.
struct Memory {
    /// How long.
    kept: Duration,
    /// How many.
    at_most: usize,
}

/// One question.
struct Entry {
    /// The query as it was sent.
    query: Arc<[u8]>,
    /// Who waits for the reply; nobody does once the question is closed.
    waiter: Option<oneshot::Sender<Arrival>>,
}

/// A question that is out. It is closed when this is dropped.
pub(super) struct Ticket {
    /// Where the question stands.
    book: Arc<Book>,
    /// The address that was asked.
    server: IpAddr,
    /// The socket and the id.
    slot: Slot,
    /// Where the reply comes in.
    arrival: oneshot::Receiver<Arrival>,
}

impl Ticket {
    /// Waits for what comes in; `None` where nothing ever will.
    pub(super) async fn arrival(&mut self) -> Option<Arrival> {
        (&mut self.arrival).await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(mut page) = self.book.pages.get_mut(&self.server) {
            page.close(self.slot);
        }
    }
}

impl Book {
    /// Starts with no question, and counts what matches none.
    pub(super) fn counting(metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..Self::default() }
    }

    /// Counts a datagram from where nothing was asked.
    pub(super) fn count_stranger(&self) {
        self.metrics.count(Event::WrongSources);
    }

    /// Enters a question that is about to leave; `None` where its id is taken on that socket.
    pub(super) fn open(self: &Arc<Self>, server: IpAddr, socket: u64, query: &Arc<[u8]>) -> Option<Ticket> {
        self.sweep();
        let slot = (socket, id_of(query)?);
        let mut page = self.pages.entry(server).or_default();
        page.forget_old(Instant::now());
        if page.entries.contains_key(&slot) {
            return None;
        }
        let (waiter, arrival) = oneshot::channel();
        page.entries.insert(slot, Entry { query: Arc::clone(query), waiter: Some(waiter) });
        Some(Ticket { book: Arc::clone(self), server, slot, arrival })
    }

    /// Hands what came from a server to the question that it answers.
    ///
    /// What answers a question that was closed of late does nothing. What answers none at all ends every question to
    /// that address (RFC 5452 §9.1: it may be one of a forger's many guesses).
    pub(super) fn dispatch(&self, server: IpAddr, socket: u64, octets: &[u8]) {
        let Some(mut page) = self.pages.get_mut(&server) else { return self.count_stranger() };
        let slot = id_of(octets).map(|id| (socket, id));
        if let Some((slot, entry)) = slot.and_then(|slot| Some((slot, page.entries.get_mut(&slot)?))) {
            let is_match = is_reply_to(octets, &entry.query) || is_unread(octets, &entry.query);
            match entry.waiter.take_if(|_| is_match) {
                Some(waiter) => {
                    page.answered.push_back((slot, Instant::now()));
                    let _ = waiter.send(Arrival::Reply(octets.to_vec()));
                    return;
                }
                None if entry.waiter.is_none() && (is_match || is_same_but_case(octets, &entry.query)) => {
                    self.metrics.count(Event::LateReplies);
                    return;
                }
                None => {
                    if let Some(waiter) = entry.waiter.take_if(|_| is_reply_in_other_letters(octets, &entry.query)) {
                        page.answered.push_back((slot, Instant::now()));
                        let _ = waiter.send(Arrival::OtherLetters(octets.len()));
                        self.metrics.count(Event::WrongCases);
                    } else {
                        self.metrics.count(Event::WrongQuestions);
                    }
                }
            }
        } else {
            self.metrics.count(Event::WrongIds);
        }
        page.suspect(octets.len());
    }

    /// Tells a question that it could not leave.
    pub(super) fn give_up(&self, server: IpAddr, socket: u64, query: &[u8], silence: Silence) {
        let (Some(id), Some(mut page)) = (id_of(query), self.pages.get_mut(&server)) else { return };
        let slot = (socket, id);
        if let Some(waiter) = page.entries.get_mut(&slot).and_then(|entry| entry.waiter.take()) {
            page.unanswered.push_back((slot, Instant::now()));
            let _ = waiter.send(Arrival::Unsent(silence));
        }
    }

    /// Returns the queries to an address that are out.
    #[cfg(test)]
    pub(super) fn queries(&self, server: IpAddr) -> Vec<Arc<[u8]>> {
        let Some(page) = self.pages.get(&server) else { return Vec::new() };
        page.entries.values().filter(|entry| entry.waiter.is_some()).map(|entry| Arc::clone(&entry.query)).collect()
    }

    /// Drops the pages of addresses that are no longer asked, now and then.
    fn sweep(&self) {
        if self.openings.fetch_add(1, Ordering::Relaxed) % OPENINGS_BETWEEN_SWEEPS == OPENINGS_BETWEEN_SWEEPS - 1 {
            let now = Instant::now();
            self.pages.retain(|_, page| {
                page.forget_old(now);
                !page.entries.is_empty()
            });
        }
    }
}

impl Page {
    /// Closes a question, where it is out.
    fn close(&mut self, slot: Slot) {
        if self.entries.get_mut(&slot).is_some_and(|entry| entry.waiter.take().is_some()) {
            self.unanswered.push_back((slot, Instant::now()));
        }
    }

    /// Closes all questions that are out and tells them why.
    fn suspect(&mut self, octets: usize) {
        let now = Instant::now();
        for (slot, entry) in &mut self.entries {
            if let Some(waiter) = entry.waiter.take() {
                self.unanswered.push_back((*slot, now));
                let _ = waiter.send(Arrival::Suspicion(octets));
            }
        }
    }

    /// Forgets closed questions that are old or too many.
    fn forget_old(&mut self, now: Instant) {
        for (closed, memory) in [(&mut self.answered, ANSWERED), (&mut self.unanswered, UNANSWERED)] {
            while let Some((slot, at)) = closed.front() {
                if closed.len() <= memory.at_most && now.duration_since(*at) < memory.kept {
                    break;
                }
                self.entries.remove(slot);
                closed.pop_front();
            }
        }
    }
}

/// Returns the id of a message.
fn id_of(octets: &[u8]) -> Option<u16> {
    octets.first_chunk().map(|id| u16::from_be_bytes(*id))
}

/// Says whether a server could not read the query at all, as servers without EDNS may say (RFC 6891 §7).
fn is_unread(reply: &[u8], query: &[u8]) -> bool {
    let code = reply.get(3).map(|code| Rcode(u16::from(code & 0xf)));
    matches!(code, Some(Rcode::FORMERR | Rcode::NOTIMP)) && is_bare_error_to(reply, query)
}

/// Says whether a message repeats the question of the query, but for the case of its letters.
fn is_same_but_case(reply: &[u8], query: &[u8]) -> bool {
    let question = |octets: &[u8]| {
        let end = octets.iter().skip(HEADER_OCTETS).position(|octet| *octet == 0)? + HEADER_OCTETS + 5;
        octets.get(HEADER_OCTETS..end).map(<[u8]>::to_ascii_lowercase)
    };
    question(query).is_some() && question(reply) == question(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An octet string that is a query for `example. TXT` with that id.
    fn query(id: u16) -> Arc<[u8]> {
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend_from_slice(b"\0\0\0\x01\0\0\0\0\0\0\x07eXAmple\0\0\x10\0\x01");
        octets.into()
    }

    /// The reply that matches a query.
    fn reply(query: &[u8]) -> Vec<u8> {
        let mut octets = query.to_vec();
        octets[2] |= 0x80;
        octets
    }

    const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn a_late_reply_is_known_and_touches_nobody_else() {
        let book = Arc::new(Book::default());
        drop(book.open(SERVER, 1, &query(7)).unwrap());
        assert!(book.open(SERVER, 1, &query(7)).is_none(), "an id of late is not used again");
        let mut other = book.open(SERVER, 1, &query(8)).unwrap();
        book.dispatch(SERVER, 1, &reply(&query(7)));
        book.dispatch(SERVER, 1, &reply(&query(7)).to_ascii_lowercase());
        book.dispatch(SERVER, 1, &reply(&query(8)));
        assert_eq!(other.arrival().await, Some(Arrival::Reply(reply(&query(8)))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_matches_nothing_ends_all_questions_to_that_address_alone() {
        let book = Arc::new(Book::default());
        let elsewhere: IpAddr = "192.0.2.2".parse().unwrap();
        let mut here = [book.open(SERVER, 1, &query(1)).unwrap(), book.open(SERVER, 2, &query(2)).unwrap()];
        let mut there = book.open(elsewhere, 1, &query(1)).unwrap();
        book.dispatch(SERVER, 2, &reply(&query(1)));
        for ticket in &mut here {
            assert_eq!(ticket.arrival().await, Some(Arrival::Suspicion(reply(&query(1)).len())));
        }
        book.dispatch(elsewhere, 1, &reply(&query(1)));
        assert_eq!(there.arrival().await, Some(Arrival::Reply(reply(&query(1)))));
    }

    #[tokio::test(start_paused = true)]
    async fn closed_questions_are_forgotten_and_bounded_the_answered_ones_sooner() {
        for (is_answered, memory, other) in [(true, ANSWERED, UNANSWERED), (false, UNANSWERED, ANSWERED)] {
            let book = Arc::new(Book::default());
            for id in 0..4096 {
                let ticket = book.open(SERVER, 1, &query(id)).unwrap();
                if is_answered {
                    book.dispatch(SERVER, 1, &reply(&query(id)));
                }
                drop(ticket);
            }
            let remembered = || book.pages.get(&SERVER).map_or(0, |page| page.entries.len());
            assert!((memory.at_most..=memory.at_most + 2).contains(&remembered()), "{}", remembered());
            let sweep = || {
                for _ in 0..OPENINGS_BETWEEN_SWEEPS {
                    drop(book.open("192.0.2.2".parse().unwrap(), 1, &query(1)));
                }
                remembered()
            };
            tokio::time::advance(memory.kept.min(other.kept) - Duration::from_millis(1)).await;
            assert!(sweep() >= memory.at_most);
            tokio::time::advance(memory.kept).await;
            assert_eq!(sweep(), 0);
        }
    }

    #[test]
    fn an_error_without_a_question_counts_only_where_the_query_was_not_read() {
        let bare = |code: u8| [0, 7, 0x80, code, 0, 0, 0, 0, 0, 0, 0, 0];
        let codes: Vec<u8> = (0..16).filter(|code| is_unread(&bare(*code), &query(7))).collect();
        assert_eq!(codes, [1, 4]);
        assert!(!is_unread(&bare(1), &query(8)), "the id must match");
    }
}
