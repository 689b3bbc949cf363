//! What one address replies to one query, octets in and octets out.
//!
//! The one place that decides this, for the replay without sockets and for the lab with them. It keeps no count and no
//! clock: how often a question came and how long to wait are the caller's.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use crate::dns::message::{DecodeError, Edns, Flags, HEADER_OCTETS, Message, Section, encode_message, encode_within};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use crate::evidence::Protocol;
use crate::scenario::rule::{Behaviour, Body, Twist};
use crate::scenario::zone::DEFAULT_TTL_SECONDS;
use crate::scenario::{Scenario, root_server_name};

/// The largest reply over UDP, in octets, however much the query allows (DNS flag day 2020).
pub const MAX_UDP_OCTETS: u16 = 1232;
/// The largest reply to a query without EDNS, in octets (RFC 1035 §2.3.4).
const MAX_PLAIN_UDP_OCTETS: u16 = 512;
/// The largest reply over TCP, in octets (RFC 1035 §4.2.2).
const MAX_TCP_OCTETS: usize = 65_535;
/// The most questions that are counted one by one; then counting starts afresh.
const MAX_TALLIED: usize = 1 << 20;

/// What a server does about a query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// It replies.
    Reply {
        /// The message, without the length that TCP puts in front.
        octets: Vec<u8>,
        /// How long it waits before.
        delay: Duration,
    },
    /// It says nothing.
    Silence,
    /// Nobody listens: an ICMP error over UDP, a reset over TCP.
    RefuseConnection,
}

impl Action {
    /// Replies at once with a header that bears nothing but an error.
    fn bare_error(id: u16, flags: Flags, rcode: Rcode) -> Self {
        let flags = Flags { is_reply: true, authoritative: false, ..flags };
        Self::reply(&Message { id, flags, rcode, ..Message::default() }, MAX_TCP_OCTETS)
    }

    /// Replies at once, with as much of a message as fits.
    fn reply(message: &Message, limit: usize) -> Self {
        let octets = encode_within(message, limit);
        octets.map_or(Self::Silence, |octets| Self::Reply { octets, delay: Duration::ZERO })
    }
}

/// Counts the queries that addresses got.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often one address was asked one question.
    questions: HashMap<(IpAddr, Question), u32>,
    /// How many queries one address got.
    addresses: BTreeMap<IpAddr, u32>,
}

impl Tally {
    /// Counts one query; returns how often this address was asked this question, this time included.
    pub fn count(&mut self, address: IpAddr, question: &Question) -> u32 {
        let queries = self.addresses.entry(address).or_default();
        *queries = queries.saturating_add(1);
        if self.questions.len() >= MAX_TALLIED {
            self.questions.clear();
        }
        let times = self.questions.entry((address, question.clone())).or_default();
        *times = times.saturating_add(1);
        *times
    }

    /// Returns how many queries one address got.
    #[must_use]
    pub fn queries_at(&self, address: IpAddr) -> u32 {
        self.addresses.get(&address).copied().unwrap_or_default()
    }

    /// Returns how many queries all addresses got.
    #[must_use]
    pub fn queries(&self) -> u32 {
        self.addresses.values().fold(0, |sum, queries| sum.saturating_add(*queries))
    }
}

impl Scenario {
    /// Decides what `address` does about the octets of a query.
    ///
    /// `nth` counts from one how often the address was asked this question (see [`Tally`]). An address that the scenario
    /// does not know is silent; so is every one to what is no query. What cannot be read is FORMERR, another opcode
    /// NOTIMP, a name outside all zones of the address REFUSED. A reply over UDP that does not fit goes out with TC=1
    /// and no records.
    #[must_use]
    pub fn respond(&self, address: IpAddr, protocol: Protocol, query: &[u8], nth: u32) -> Action {
        let decoded = match Message::decode(query) {
            _ if !self.knows(address) => return Action::Silence,
            Ok(message) if !message.flags.is_reply => message,
            Err(DecodeError::BadQuestion) => {
                let id = query.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
                return Action::bare_error(id, Flags::default(), Rcode::FORMERR);
            }
            _ => return Action::Silence,
        };
        if decoded.flags.opcode != 0 {
            return Action::bare_error(decoded.id, decoded.flags, Rcode::NOTIMP);
        }
        let Some(question) = &decoded.question else {
            return Action::bare_error(decoded.id, decoded.flags, Rcode::FORMERR);
        };
        let plain = Behaviour::default();
        let mut rules = self.rules_at(address);
        let rule = rules.find(|rule| rule.matcher.takes(protocol, question, decoded.edns.is_some(), nth));
        let behaviour = rule.map_or(&plain, |rule| &rule.behaviour);
        self.act(address, protocol, query, &decoded, question, behaviour)
    }

    /// Carries a behaviour out.
    fn act(
        &self,
        address: IpAddr,
        protocol: Protocol,
        octets_of_query: &[u8],
        query: &Message,
        question: &Question,
        behaviour: &Behaviour,
    ) -> Action {
        let mut message = match &behaviour.body {
            Body::Silence => return Action::Silence,
            Body::RefuseConnection => return Action::RefuseConnection,
            Body::Raw(raw) => {
                let reply = finish(raw_reply(raw, octets_of_query, question), &behaviour.twists);
                return Action::Reply { octets: reply, delay: behaviour.delay };
            }
            Body::Normal => self.answer(address, question, query.edns.as_ref().is_some_and(|edns| edns.dnssec_ok)),
            Body::Rcode(rcode) => Message { rcode: *rcode, ..Message::default() },
            Body::UpwardReferral => upward_referral(),
        };
        message.id = query.id;
        message.flags.is_reply = true;
        message.flags.recursion_desired = query.flags.recursion_desired;
        message.question = Some(question.clone());
        message.edns = query.edns.as_ref().map(|edns| Edns {
            payload_octets: MAX_UDP_OCTETS,
            dnssec_ok: edns.dnssec_ok,
            extended_errors: Vec::new(),
        });
        for (section, record) in &behaviour.extra {
            match section {
                Section::Answer => message.answers.push(record.clone()),
                Section::Authority => message.authority.push(record.clone()),
                Section::Additional => message.additional.push(record.clone()),
            }
        }
        behaviour.twists.iter().for_each(|twist| twist_message(&mut message, *twist));
        let limit = match (protocol, &query.edns) {
            (Protocol::Tcp, _) => MAX_TCP_OCTETS,
            (Protocol::Udp, Some(edns)) => usize::from(edns.payload_octets.clamp(MAX_PLAIN_UDP_OCTETS, MAX_UDP_OCTETS)),
            (Protocol::Udp, None) => usize::from(MAX_PLAIN_UDP_OCTETS),
        };
        match Action::reply(&message, limit) {
            Action::Reply { mut octets, .. } => {
                put_extended_errors(&mut octets, message.edns.as_ref());
                if !behaviour.twists.contains(&Twist::LowerCase) {
                    echo_case(&mut octets, octets_of_query, question);
                }
                Action::Reply { octets: finish(octets, &behaviour.twists), delay: behaviour.delay }
            }
            other => other,
        }
    }

    /// Answers from the deepest zone of the address that holds the name; for DS from the one above, if it is there.
    fn answer(&self, address: IpAddr, question: &Question, dnssec_ok: bool) -> Message {
        let mut zones = question.name.ancestors().filter_map(|above| self.zone_at(address, &above));
        let deepest = zones.next();
        let parent_side =
            question.kind == RecordType::DS && deepest.is_some_and(|zone| *zone.origin() == question.name);
        let zone = if parent_side { zones.next().or(deepest) } else { deepest };
        zone.map_or_else(
            || Message { rcode: Rcode::REFUSED, ..Message::default() },
            |zone| zone.answer(question, dnssec_ok),
        )
    }
}

/// Writes what servers reply that only know the root.
fn upward_referral() -> Message {
    let authority = (0..2).map(|index| Record {
        owner: Name::root(),
        ttl: Ttl::from_wire(DEFAULT_TTL_SECONDS),
        rdata: Rdata::Ns(root_server_name(index)),
    });
    Message { authority: authority.collect(), ..Message::default() }
}

/// Puts raw octets behind the id of the query.
fn raw_reply(raw: &[u8], query: &[u8], question: &Question) -> Vec<u8> {
    let mut reply: Vec<u8> = query.iter().take(2).chain(raw).copied().collect();
    echo_case(&mut reply, query, question);
    reply
}

/// Gives the question of a reply the case that it has in the query, where they differ in nothing else (0x20): a message
/// that was read holds names in lower case.
fn echo_case(reply: &mut [u8], query: &[u8], question: &Question) {
    let end = HEADER_OCTETS + question.name.wire().len() + 4;
    if let (Some(asked), Some(place)) = (query.get(HEADER_OCTETS..end), reply.get_mut(HEADER_OCTETS..end))
        && place.eq_ignore_ascii_case(asked)
    {
        place.copy_from_slice(asked);
    }
}

/// Does to a message what a twist asks for, as far as that can be said in a message.
fn twist_message(message: &mut Message, twist: Twist) {
    let clear = |message: &mut Message| {
        message.answers.clear();
        message.authority.clear();
        message.additional.clear();
    };
    match twist {
        Twist::Aa => message.flags.authoritative = true,
        Twist::NoAa => message.flags.authoritative = false,
        Twist::Ra => message.flags.recursion_available = true,
        Twist::Rd => message.flags.recursion_desired = true,
        Twist::Tc => message.flags.truncated = true,
        Twist::Truncate => {
            message.flags.truncated = true;
            clear(message);
        }
        Twist::RecursiveProxy => {
            message.flags.authoritative = false;
            message.flags.recursion_available = true;
        }
        Twist::NoSoa => message.authority.retain(|record| record.kind() != RecordType::SOA),
        Twist::NoGlue => message.additional.clear(),
        Twist::NoEdns => message.edns = None,
        Twist::Edns(octets) => {
            message.edns.get_or_insert_default().payload_octets = octets;
        }
        Twist::ExtendedError(code) => {
            if let Some(edns) = &mut message.edns {
                edns.extended_errors.push(code);
            }
        }
        Twist::Ttl(seconds) => {
            let all = message.answers.iter_mut().chain(&mut message.authority).chain(&mut message.additional);
            all.for_each(|record| record.ttl = Ttl::from_wire(seconds));
        }
        Twist::Bare => {
            message.question = None;
            message.edns = None;
            clear(message);
        }
        Twist::LowerCase => {
            if let Some(question) = &mut message.question {
                question.name = question.name.to_lowercase();
            }
        }
        Twist::WrongQuestion => {
            if let Some(question) = &mut message.question {
                question.name = question.name.prepend("other").unwrap_or_else(|_| Name::root());
            }
        }
        Twist::WrongId | Twist::Cut(_) => {}
    }
}

/// Does to octets what twists ask for that no message can say.
fn finish(mut octets: Vec<u8>, twists: &[Twist]) -> Vec<u8> {
    for twist in twists {
        match twist {
            Twist::WrongId => octets.iter_mut().take(2).for_each(|octet| *octet = !*octet),
            Twist::Cut(length) => octets.truncate(usize::try_from(*length).unwrap_or(usize::MAX)),
            _ => {}
        }
    }
    octets
}

/// Adds extended errors to the OPT record, which is the last one and empty (RFC 8914 §2).
fn put_extended_errors(octets: &mut Vec<u8>, edns: Option<&Edns>) {
    let codes = edns.map(|edns| edns.extended_errors.as_slice()).unwrap_or_default();
    let Ok(length) = u16::try_from(codes.len() * 6) else { return };
    if codes.is_empty() {
        return;
    }
    octets.truncate(octets.len().saturating_sub(2));
    octets.extend_from_slice(&length.to_be_bytes());
    for code in codes {
        octets.extend_from_slice(&[0, 15, 0, 2]);
        octets.extend_from_slice(&code.to_be_bytes());
    }
}

/// Writes a message as the raw octets of a rule: all that stands behind the id; `None` where it has no wire form.
#[must_use]
pub fn raw_octets(message: &Message) -> Option<Box<[u8]>> {
    let mut octets = encode_message(message).ok()?;
    put_extended_errors(&mut octets, message.edns.as_ref());
    octets.get(2..).map(Box::from)
}

#[cfg(test)]
mod tests;
