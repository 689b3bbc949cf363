//! A [`Transport`] that passes everything on and writes it down as a [`Scenario`].
//!
//! What comes back when the scenario is replayed is what came back live: every reply to every question at every address,
//! in the order of the tries where they differ. What this host did not send (no route, forbidden, no budget) is not
//! written down, nor is how long a reply took. A server that was never asked is not there in the replay. A question that
//! was never asked gets the referral that the server gave for the zone it lies in, since which of two walks goes
//! first is a matter of luck; without one it is REFUSED.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::dns::message::{Extent, Message, Section};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use crate::evidence::{Protocol, Silence};
use crate::scenario::rule::{Behaviour, Body, Matcher, Names, Rule, Server, Tries, Twist};
use crate::scenario::server::{MAX_UDP_OCTETS, raw_octets};
use crate::scenario::{Scenario, Task};
use crate::transport::{Exchange, Query, Transport};

/// The most questions that are written down; more are passed on all the same.
const MAX_QUESTIONS: usize = 100_000;
/// The most tries of one question that are written down.
const MAX_TRIES: usize = 32;
/// What marks the data of a record that is given another class.
const CLASS_MARK: &[u8] = b"a record of another class";
/// The class CHAOS, which no reader of ours takes (RFC 1035 §3.2.4).
const CLASS_CH: [u8; 2] = [0, 3];

/// One try of a question.
#[derive(Clone, Debug)]
struct Try {
    /// The way it went in the end.
    protocol: Protocol,
    /// Whether it had an OPT record.
    has_edns: bool,
    /// What came of it; silence while it is under way.
    behaviour: Behaviour,
    /// Whether it left this host.
    is_sent: bool,
}

/// All that was asked, in order.
#[derive(Debug, Default)]
struct Notes {
    /// Where each question of an address stands in `questions`.
    places: HashMap<(IpAddr, Question), usize>,
    /// The questions and their tries, in order of the first one.
    questions: Vec<(IpAddr, Question, Vec<Try>)>,
}

/// Records what a transport brings.
#[derive(Debug)]
pub struct Capture<T> {
    /// Who asks.
    inner: T,
    /// What was asked.
    notes: Mutex<Notes>,
}

impl<T> Capture<T> {
    /// Starts with nothing recorded.
    #[must_use]
    pub fn new(inner: T) -> Self {
        Self { inner, notes: Mutex::default() }
    }

    /// Makes a scenario of what was recorded so far: one server an address, in order of addresses, without zones.
    #[must_use]
    pub fn to_scenario(&self, title: &str, roots: &[IpAddr], tasks: Vec<Task>) -> Scenario {
        let notes = self.notes();
        let mut servers: Vec<Server> = Vec::new();
        let mut places: HashMap<IpAddr, usize> = HashMap::new();
        for (address, question, tries) in &notes.questions {
            let place = *places.entry(*address).or_insert(servers.len());
            if place == servers.len() {
                servers.push(Server { addresses: vec![*address], rules: Vec::new() });
            }
            if let Some(server) = servers.get_mut(place) {
                server.rules.extend(rules_of(question, tries));
            }
        }
        servers.retain(|server| !server.rules.is_empty());
        for server in &mut servers {
            let referrals = referral_rules(&server.rules);
            server.rules.extend(referrals);
        }
        servers.sort_by(|one, other| one.addresses.cmp(&other.addresses));
        Scenario::new(title.to_owned(), roots.to_vec(), Vec::new(), servers, tasks)
    }

    /// Takes the notes.
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that a query leaves; returns where, if there is room.
    fn note_query(&self, query: &Query) -> Option<(usize, usize)> {
        let mut guard = self.notes();
        let notes = &mut *guard;
        let key = (query.server, query.question.clone());
        let place = match notes.places.get(&key) {
            Some(place) => *place,
            None if notes.questions.len() == MAX_QUESTIONS => return None,
            None => {
                notes.places.insert(key, notes.questions.len());
                notes.questions.push((query.server, query.question.clone(), Vec::new()));
                notes.questions.len() - 1
            }
        };
        let (_, _, tries) = notes.questions.get_mut(place)?;
        if tries.len() == MAX_TRIES {
            return None;
        }
        let behaviour = Behaviour { body: Body::Silence, ..Behaviour::default() };
        tries.push(Try { protocol: query.protocol, has_edns: query.with_edns, behaviour, is_sent: true });
        Some((place, tries.len() - 1))
    }

    /// Writes down what came of a query.
    fn note_exchange(&self, (place, index): (usize, usize), exchange: &Exchange) {
        let mut notes = self.notes();
        let Some((_, _, tries)) = notes.questions.get_mut(place) else { return };
        let Some(noted) = tries.get_mut(index) else { return };
        noted.protocol = exchange.protocol;
        match behaviour_of(exchange, noted.has_edns) {
            Some(behaviour) => noted.behaviour = behaviour,
            None => noted.is_sent = false,
        }
    }
}

impl<T: Transport> Transport for Capture<T> {
    async fn exchange(&self, query: &Query) -> Exchange {
        let place = self.note_query(query);
        // What is written down is written down whole.
        let exchange = self.inner.exchange(&Query { extent: Extent::Whole, ..query.clone() }).await;
        if let Some(place) = place {
            self.note_exchange(place, &exchange);
        }
        exchange
    }
}

/// Writes the rules for one question: one where all tries came out alike, else one for each way of asking where that
/// tells them apart, else one for each try.
fn rules_of(question: &Question, tries: &[Try]) -> Vec<Rule> {
    let sent: Vec<&Try> = tries.iter().filter(|noted| noted.is_sent).collect();
    let Some((last, earlier)) = sent.split_last() else { return Vec::new() };
    let matcher =
        Matcher { kind: Some(question.kind), names: Names::Exactly(question.name.clone()), ..Matcher::default() };
    let rule = |matcher: Matcher, noted: &Try| Rule { matcher, behaviour: noted.behaviour.clone() };
    if earlier.iter().all(|noted| noted.behaviour == last.behaviour) {
        return vec![rule(matcher, last)];
    }
    let mut ways: Vec<&Try> = Vec::new();
    let same_way = |one: &Try, other: &Try| (one.protocol, one.has_edns) == (other.protocol, other.has_edns);
    let tells_apart = sent.iter().all(|noted| match ways.iter().find(|way| same_way(way, noted)) {
        Some(way) => way.behaviour == noted.behaviour,
        None => {
            ways.push(noted);
            true
        }
    });
    if tells_apart {
        ways.sort_by_key(|way| !way.has_edns); // what needs EDNS stands in front of what does not
        let of_way = |way: &&Try| {
            let both = ways.iter().any(|other| other.protocol != way.protocol);
            let protocol = Some(way.protocol).filter(|_| both);
            let needs_edns = way.has_edns && ways.iter().any(|other| !other.has_edns);
            rule(Matcher { protocol, needs_edns, ..matcher.clone() }, way)
        };
        return ways.iter().map(of_way).collect();
    }
    let mut rules: Vec<Rule> = Vec::new();
    for ((count, noted), next) in (1..).zip(&sent).zip(sent.iter().skip(1)) {
        if noted.behaviour != next.behaviour {
            rules.push(rule(Matcher { tries: Tries::First(count), ..matcher.clone() }, noted));
        }
    }
    rules.push(rule(matcher, last));
    rules
}

/// Writes a rule for all names below each zone that a server referred to, the deepest zone first.
fn referral_rules(rules: &[Rule]) -> Vec<Rule> {
    let mut zones: Vec<(Name, &Behaviour)> = Vec::new();
    for rule in rules {
        if let Some(zone) = zone_referred_to(&rule.behaviour)
            && zones.iter().all(|(known, _)| known != zone)
        {
            zones.push((zone.clone(), &rule.behaviour));
        }
    }
    zones.sort_by_key(|(zone, _)| Reverse(zone.label_count()));
    let rule = |(zone, behaviour): (Name, &Behaviour)| Rule {
        matcher: Matcher { names: Names::Under(zone), ..Matcher::default() },
        behaviour: behaviour.clone(),
    };
    zones.into_iter().map(rule).collect()
}

/// Returns the zone that a reply refers to: NOERROR without AA and without an answer, and NS in the authority section.
fn zone_referred_to(behaviour: &Behaviour) -> Option<&Name> {
    let is_plain = behaviour.body == Body::Rcode(Rcode::NOERROR) && !behaviour.twists.contains(&Twist::Aa);
    let has_answer = behaviour.extra.iter().any(|(section, _)| *section == Section::Answer);
    behaviour
        .extra
        .iter()
        .filter(|_| is_plain && !has_answer)
        .find(|(section, record)| *section == Section::Authority && record.kind() == RecordType::NS)
        .map(|(_, record)| &record.owner)
        .filter(|zone| !zone.is_root())
}

/// Says what a server did; `None` where nothing left this host.
fn behaviour_of(exchange: &Exchange, has_edns: bool) -> Option<Behaviour> {
    let plain = |body| Behaviour { body, ..Behaviour::default() };
    Some(match &exchange.outcome {
        Ok(message) => replied(message, has_edns),
        Err(Silence::Timeout) => plain(Body::Silence),
        Err(Silence::Refused) => plain(Body::RefuseConnection),
        Err(Silence::Malformed) => plain(Body::Raw(Box::default())),
        Err(Silence::Mismatched) => Behaviour { twists: vec![Twist::WrongId], ..plain(Body::Rcode(Rcode::NOERROR)) },
        Err(Silence::NoRoute | Silence::Forbidden | Silence::Limit) => return None,
    })
}

/// Writes a reply section by section, or as octets where it has records that could not be read.
fn replied(message: &Message, has_edns: bool) -> Behaviour {
    if !message.is_whole() {
        let raw = broken_octets(message);
        return Behaviour { body: Body::Raw(raw.unwrap_or_default()), ..Behaviour::default() };
    }
    let mut twists = Vec::new();
    let flags = message.flags;
    for (is_set, twist) in [
        (flags.authoritative, Twist::Aa),
        (flags.recursion_available, Twist::Ra),
        (flags.recursion_desired, Twist::Rd),
        (flags.truncated, Twist::Tc),
        (message.question.is_none(), Twist::Bare),
        (message.edns.is_none() && message.question.is_some() && has_edns, Twist::NoEdns),
    ] {
        if is_set {
            twists.push(twist);
        }
    }
    if let Some(edns) = &message.edns {
        if edns.payload_octets != MAX_UDP_OCTETS || !has_edns {
            twists.push(Twist::Edns(edns.payload_octets));
        }
        twists.extend(edns.extended_errors.iter().map(|code| Twist::ExtendedError(*code)));
    }
    let mut extra = Vec::new();
    for section in [Section::Answer, Section::Authority, Section::Additional] {
        extra.extend(message.section(section).iter().map(|record| (section, record.clone())));
    }
    Behaviour { body: Body::Rcode(message.rcode), twists, delay: Duration::ZERO, extra }
}

/// Writes a reply whose bad records are bad again when they are read: with a class that is not read where they could be
/// told from each other, else by a count that is one too high.
fn broken_octets(message: &Message) -> Option<Box<[u8]>> {
    let mut message = message.clone();
    let mut count_at = None;
    for bad in std::mem::take(&mut message.bad_records) {
        let (section, at) = match bad.section {
            Section::Answer => (&mut message.answers, 6),
            Section::Authority => (&mut message.authority, 8),
            Section::Additional => (&mut message.additional, 10),
        };
        match (bad.owner, bad.kind) {
            (Some(owner), Some(kind)) => section.push(marked(owner, kind)),
            _ => count_at = Some(at),
        }
    }
    let mut octets: Vec<u8> = raw_octets(&message)?.into();
    let marks: Vec<usize> = octets
        .windows(CLASS_MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == CLASS_MARK)
        .map(|(at, _)| at)
        .collect();
    for at in marks {
        // In front of the data stand the class, four octets of TTL and two of length (RFC 1035 §3.2.1).
        octets.get_mut(at.checked_sub(8)?..)?.get_mut(..2)?.copy_from_slice(&CLASS_CH);
    }
    if let Some(at) = count_at {
        // The id is not among the octets.
        let count = octets.get_mut(at - 2..at)?;
        let number = u16::from_be_bytes([*count.first()?, *count.last()?]).saturating_add(1);
        count.copy_from_slice(&number.to_be_bytes());
    }
    Some(octets.into())
}

/// Makes a record that [`broken_octets`] finds again.
fn marked(owner: Name, kind: RecordType) -> Record {
    Record { owner, ttl: Ttl::default(), rdata: Rdata::Other { kind, octets: CLASS_MARK.into() } }
}

#[cfg(test)]
mod tests;
