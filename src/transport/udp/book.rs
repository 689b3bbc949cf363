//! The questions of one socket: which are out, and which were closed.
//!
//! No sockets here: datagrams come in as octets, and the time with them. A socket takes few questions and is soon given
//! up, so that all of them are remembered as long as it lives: its ids all differ, and what comes late or twice is known.
//! They lie one behind the other, the queries in one piece; to ask one takes no memory of its own. A reply is read where
//! it lies.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::datagrams::DATAGRAM_OCTETS;
use crate::dns::message::{Extent, HEADER_OCTETS, Message, is_bare_error_to, is_reply_in_other_letters, is_reply_to};
use crate::dns::rrset::{Question, Rcode};
use crate::evidence::Silence;
use crate::metrics::Event;
use crate::transport::heard::Heard;
use crate::transport::{Query, write_query_with_case};

/// How often an id is drawn before giving up; the first is nearly always free, as a socket takes few questions.
const ID_DRAWS: usize = 16;
/// How many ids are looked through at once.
const IDS_AT_ONCE: usize = 32;

/// What a question gets to hear.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Arrival {
    /// A reply that matches, of that many octets; no message where it cannot be read, or may be cut.
    Reply(Option<Arc<Message>>, usize),
    /// Something of that many octets that matches no question, so that a forger may be at work.
    Suspicion(usize),
    /// The same, and it would match this question but for the case of its letters.
    OtherLetters(usize),
    /// Nothing in time.
    Nothing,
    /// Nothing: the query could not leave.
    Unsent(Silence),
}

/// What a datagram is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The reply to a question that is out.
    Reply,
    /// The reply to a question that was closed; it does nothing.
    Late,
    /// No reply to any question of this socket, and in which way: it puts all questions to its sender under suspicion
    /// (RFC 5452 §9.1: it may be one of a forger's many guesses).
    Suspect(Event),
}

/// The questions of one socket.
#[derive(Default)]
pub(super) struct Book {
    /// The ids of all questions, in order of asking; no two are the same.
    ids: Vec<u16>,
    /// The questions, in the same order.
    entries: Vec<Entry>,
    /// The queries as they were sent, one behind the other.
    octets: Vec<u8>,
    /// Until when each question is waited for, and its number, the next to end first. One that ended before its time stays
    /// until it comes up, so that a reply need not look for it.
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
}

/// One question.
struct Entry {
    /// The address that was asked.
    server: IpAddr,
    /// Where its query lies.
    query: Range<usize>,
    /// How it stands.
    state: State,
}

/// How a question stands.
enum State {
    /// It is out.
    Out(Waiting),
    /// Something came that nobody has taken yet.
    Heard(Arrival),
    /// It is closed.
    Closed,
}

/// What waits for a reply.
struct Waiting {
    /// Who is woken when it comes.
    waker: Option<Waker>,
    /// What was asked.
    question: Question,
    /// How much of the reply is read.
    extent: Extent,
    /// What other servers said to it, where they are asked too.
    heard: Option<Arc<Heard>>,
}

impl Waiting {
    /// Reads a reply; `None` where it is no message, or may be cut.
    fn read(&self, octets: &[u8]) -> Option<Arc<Message>> {
        if octets.len() >= DATAGRAM_OCTETS {
            return None;
        }
        match &self.heard {
            Some(heard) => heard.read(octets, &self.question, self.extent).ok(),
            None => Message::decode_reply(octets, &self.question, self.extent).ok().map(Arc::new),
        }
    }
}

impl Entry {
    /// Ends a question that is out.
    fn end(&mut self, arrival: Arrival) {
        if let State::Out(Waiting { waker: Some(waker), .. }) =
            std::mem::replace(&mut self.state, State::Heard(arrival))
        {
            waker.wake();
        }
    }

    /// Says whether it is out.
    fn is_out(&self) -> bool {
        matches!(self.state, State::Out(_))
    }
}

impl Book {
    /// Enters a question that is about to leave, under an id that nobody can foresee, and returns its number; `None`
    /// where no id is free.
    pub(super) fn open(&mut self, query: &Query, until: Instant) -> Option<usize> {
        let mut ids = std::iter::repeat_with(rand::random::<u16>).take(ID_DRAWS);
        let id = ids.find(|id| !self.ids.contains(id))?;
        let start = self.octets.len();
        write_query_with_case(&mut self.octets, id, query, rand::random());
        self.ids.push(id);
        let query_octets = start..self.octets.len();
        let (question, heard) = (query.question.clone(), query.heard.clone());
        let waiting = Waiting { waker: None, question, extent: query.extent, heard };
        let nth = self.entries.len();
        self.entries.push(Entry { server: query.server, query: query_octets, state: State::Out(waiting) });
        self.deadlines.push(Reverse((until, nth)));
        Some(nth)
    }

    /// Returns where a question goes, and its query.
    pub(super) fn query(&self, nth: usize) -> Option<(IpAddr, &[u8])> {
        let entry = self.entries.get(nth)?;
        self.octets.get(entry.query.clone()).map(|octets| (entry.server, octets))
    }

    /// Takes what came to a question; whoever asks is woken when something does.
    pub(super) fn poll_arrival(&mut self, nth: usize, context: &Context<'_>) -> Poll<Arrival> {
        let Some(entry) = self.entries.get_mut(nth) else { return Poll::Ready(Arrival::Nothing) };
        if let State::Out(waiting) = &mut entry.state {
            match &mut waiting.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut entry.state, State::Closed) {
            State::Heard(arrival) => Poll::Ready(arrival),
            State::Out(_) | State::Closed => Poll::Ready(Arrival::Nothing),
        }
    }

    /// Closes a question that nobody waits for any more.
    pub(super) fn close(&mut self, nth: usize) {
        if let Some(entry) = self.entries.get_mut(nth) {
            entry.state = State::Closed;
        }
    }

    /// Hands what came from a server to the question that it answers, and says what it is. What is suspect is for the
    /// caller to tell all sockets ([`Self::suspect`]); a question that it would answer but for the case of its letters
    /// has heard of it then.
    pub(super) fn dispatch(&mut self, server: IpAddr, octets: &[u8]) -> Kind {
        let nth = id_of(octets).and_then(|id| self.place_of(id));
        let found = nth.and_then(|nth| self.entries.get_mut(nth)).filter(|entry| entry.server == server);
        let Some(entry) = found else { return Kind::Suspect(Event::WrongIds) };
        let query = self.octets.get(entry.query.clone()).unwrap_or_default();
        let is_match = is_reply_to(octets, query) || is_unread(octets, query);
        match &entry.state {
            State::Out(waiting) if is_match => {
                let message = waiting.read(octets);
                entry.end(Arrival::Reply(message, octets.len()));
                Kind::Reply
            }
            State::Out(_) if is_reply_in_other_letters(octets, query) => {
                entry.end(Arrival::OtherLetters(octets.len()));
                Kind::Suspect(Event::WrongCases)
            }
            State::Heard(_) | State::Closed if is_match || is_same_but_case(octets, query) => Kind::Late,
            _ => Kind::Suspect(Event::WrongQuestions),
        }
    }

    /// Returns the number of the question that went out under an id.
    fn place_of(&self, id: u16) -> Option<usize> {
        // Whether it is among so many at once, a few vector instructions tell.
        let at = self.ids.chunks(IDS_AT_ONCE).position(|ids| ids.contains(&id))? * IDS_AT_ONCE;
        let nth = self.ids.get(at..)?.iter().position(|known| *known == id)?;
        Some(at + nth)
    }

    /// Ends all questions to a server that are out, as something of so many octets came that matches none; says whether
    /// it was asked anything from here.
    pub(super) fn suspect(&mut self, server: IpAddr, octets: usize) -> bool {
        let mut is_asked = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.server == server) {
            is_asked = true;
            if entry.is_out() {
                entry.end(Arrival::Suspicion(octets));
            }
        }
        is_asked
    }

    /// Tells a question that it could not leave.
    pub(super) fn give_up(&mut self, nth: usize, silence: Silence) {
        if let Some(entry) = self.entries.get_mut(nth).filter(|entry| entry.is_out()) {
            entry.end(Arrival::Unsent(silence));
        }
    }

    /// Returns before which time nobody has waited long enough; `None` where nobody waits.
    pub(super) fn alarm(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((until, _))| *until)
    }

    /// Ends all questions that have waited long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(next) = self.deadlines.peek_mut() {
            let Reverse((until, nth)) = *next;
            if let Some(entry) = self.entries.get_mut(nth).filter(|entry| entry.is_out()) {
                if until > now {
                    break;
                }
                entry.end(Arrival::Nothing);
            }
            PeekMut::pop(next);
        }
    }

    /// Returns the queries to an address that are out.
    #[cfg(test)]
    pub(super) fn queries(&self, server: IpAddr) -> Vec<Vec<u8>> {
        let out = self.entries.iter().filter(|entry| entry.server == server && entry.is_out());
        out.filter_map(|entry| self.octets.get(entry.query.clone())).map(<[u8]>::to_vec).collect()
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
mod tests;
