//! Asks the servers of a zone.
//!
//! Every address of every server is asked every question at once, or one address after the other
//! until one answers. What comes back is written down as it came; nothing is judged here. What it makes
//! somebody else want to know is asked while the rest is still out.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::stream::StreamExt;
use futures_buffered::FuturesUnordered;

use crate::budget::Budget;
use crate::dns::message::{Extent, Message};
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::{Response, read_response};
use crate::dns::rrset::Question;
use crate::evidence::{Observation, Outcome, Reply, ZoneCut};
use crate::providers;
use crate::transport::heard::Heard;
use crate::transport::{DynTransport, Exchange, PaceClass, Query, Transport};

/// The most addresses of one zone that are asked (13 servers with an IPv4 and an IPv6 address, and some to spare).
pub const MAX_ADDRESSES_PER_ZONE: usize = 32;
/// The most addresses that are asked one after the other where one answer is enough.
const MAX_ADDRESSES_FOR_ONE_ANSWER: usize = 4;

/// What was seen so far, shared by those who ask at the same time.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Vec<(Question, Observation)>>);

impl Seen {
    /// Writes one observation down.
    pub fn push(&self, question: &Question, observation: Observation) {
        if let Ok(mut seen) = self.0.lock() {
            seen.push((question.clone(), observation));
        }
    }

    /// Takes everything out, in order of arrival.
    #[must_use]
    pub fn take(&self) -> Vec<(Question, Observation)> {
        self.0.lock().map(|mut seen| std::mem::take(&mut *seen)).unwrap_or_default()
    }
}

/// One server of a zone, by name and address.
#[derive(Clone, Debug)]
pub struct Target {
    /// The zone that it is asked about.
    pub zone: Name,
    /// The server's name.
    pub server: Name,
    /// The address to ask.
    pub address: IpAddr,
}

/// Returns how much load a server of `zone` takes: those of registries and of the big anycast
/// providers take more.
#[must_use]
pub fn pace_class(zone: &Name, server: &Name) -> PaceClass {
    if is_registry(zone) || providers::is_anycast_shared(server) { PaceClass::Anycast } else { PaceClass::Ordinary }
}

/// Asks one question of one address.
pub async fn ask(
    transport: &dyn DynTransport,
    target: Target,
    question: &Question,
    budget: &Arc<Budget>,
) -> Observation {
    let class = pace_class(&target.zone, &target.server);
    let query = Query::new(target.address, question.clone(), class, Arc::clone(budget));
    let exchange = transport.exchange(&query).await;
    let outcome = read(&exchange, question, &target.zone);
    observation(target, exchange, outcome)
}

/// Asks one question of one address, for signatures too where `dnssec_ok`, and gives back the message as well, which is then
/// whole.
pub async fn ask_whole(
    transport: &dyn DynTransport,
    target: Target,
    question: &Question,
    dnssec_ok: bool,
    budget: &Arc<Budget>,
) -> (Observation, Option<Arc<Message>>) {
    let class = pace_class(&target.zone, &target.server);
    let query = Query::new(target.address, question.clone(), class, Arc::clone(budget));
    let query = if dnssec_ok { Query { dnssec_ok, extent: Extent::Whole, ..query } } else { query };
    let exchange = transport.exchange(&query).await;
    let message = exchange.outcome.as_ref().ok().cloned();
    let outcome = read(&exchange, question, &target.zone);
    (observation(target, exchange, outcome), message)
}

/// Reads what came back from a server of `zone`.
fn read(exchange: &Exchange, question: &Question, zone: &Name) -> Outcome {
    match &exchange.outcome {
        Ok(message) => {
            let reading = read_response(message, question, zone);
            Outcome::Replied(Arc::new(Reply {
                response: reading.response,
                rcode: message.rcode,
                is_authoritative: message.flags.authoritative,
                dropped: reading.dropped,
                signatures: reading.signatures,
            }))
        }
        Err(silence) => Outcome::Silent(*silence),
    }
}

/// Writes down what one address said.
fn observation(target: Target, exchange: Exchange, outcome: Outcome) -> Observation {
    Observation {
        zone: target.zone,
        server: target.server,
        address: target.address,
        outcome,
        rtt: exchange.rtt,
        protocol: exchange.protocol,
        flaws: exchange.flaws,
    }
}

/// Questions to the servers of one zone.
#[derive(Clone, Debug)]
pub struct Questions {
    /// The questions.
    questions: Vec<Question>,
    /// The addresses that are asked at once.
    at_once: Vec<Target>,
    /// The addresses that are asked one after the other where those before do not answer.
    later: Vec<Target>,
}

impl Questions {
    /// Asks every question of every address of the zone's servers, all at once.
    #[must_use]
    pub fn to_every_server(cut: &ZoneCut, questions: Vec<Question>) -> Self {
        Self { questions, at_once: targets(cut).take(MAX_ADDRESSES_PER_ZONE).collect(), later: Vec::new() }
    }

    /// Asks one address of the zone's servers after the other until one answers, `first` in front where it is one of them.
    #[must_use]
    pub fn until_answered(cut: &ZoneCut, question: Question, first: Option<IpAddr>) -> Self {
        let mut all: Vec<Target> = targets(cut).collect();
        // False sorts in front of true, and the others stay in their order.
        all.sort_by_key(|target| Some(target.address) != first);
        let mut all = all.into_iter().take(MAX_ADDRESSES_FOR_ONE_ANSWER);
        Self { questions: vec![question], at_once: all.next().into_iter().collect(), later: all.collect() }
    }
}

/// One question that is out.
struct Out {
    /// The question.
    question: Question,
    /// What was said to it, where several servers are asked at once.
    heard: Option<Arc<Heard>>,
    /// What was read last, with the message that it was read from: most servers say the same.
    last: Option<(Arc<Message>, Outcome)>,
    /// The addresses that are asked one after the other where those before do not answer.
    later: std::vec::IntoIter<Target>,
}

impl Out {
    /// Makes the query for the server at one address, which is of this class, and has this lot.
    fn query(&self, server: IpAddr, class: PaceClass, lot: u8, budget: &Arc<Budget>) -> Query {
        let query = Query::new(server, self.question.clone(), class, Arc::clone(budget));
        Query { heard: self.heard.clone(), lot, ..query }
    }

    /// Reads what came back from a server of `zone`, the same message once.
    fn read(&mut self, exchange: &Exchange, zone: &Name) -> Outcome {
        match (&exchange.outcome, &self.last) {
            (Ok(message), Some((before, outcome))) if Arc::ptr_eq(message, before) => return outcome.clone(),
            _ => {}
        }
        let outcome = read(exchange, &self.question, zone);
        if let Ok(message) = &exchange.outcome {
            self.last = Some((Arc::clone(message), outcome.clone()));
        }
        outcome
    }
}

/// Asks the servers of some zones, all zones at the same time.
///
/// What comes back goes to `hear` in order of arrival, so that it is not lost where the future is dropped. What that returns
/// is asked as well, while the other replies are still awaited.
pub async fn ask_servers(
    transport: &dyn DynTransport,
    first: Vec<Questions>,
    budget: &Arc<Budget>,
    mut hear: impl FnMut(&Question, Observation) -> Vec<Questions>,
) {
    let count = first.iter().map(|one| one.questions.len() * one.at_once.len()).sum();
    let (mut out, mut exchanges): (Vec<Out>, _) = (Vec::new(), FuturesUnordered::with_capacity(count));
    let mut to_ask = first;
    loop {
        for Questions { mut questions, at_once, later } in to_ask {
            let from = out.len();
            // Of what leaves in one piece, only the last may be shorter.
            questions.sort_by_key(|question| Reverse(question.name.wire().len()));
            for question in questions {
                let heard = (at_once.len() > 1).then(Arc::default);
                out.push(Out { question, heard, last: None, later: later.clone().into_iter() });
            }
            for target in at_once {
                let class = pace_class(&target.zone, &target.server);
                let lot = rand::random();
                for (nth, one) in out.iter().enumerate().skip(from) {
                    let query = one.query(target.address, class, lot, budget);
                    exchanges.push(send(transport, nth, query, target.clone()));
                }
            }
        }
        let Some((nth, target, exchange)) = exchanges.next().await else { return };
        let Some(one) = out.get_mut(nth) else { return };
        let outcome = one.read(&exchange, &target.zone);
        let observation = observation(target, exchange, outcome);
        if !observation.is_answer()
            && !is_referral(&observation)
            && let Some(next) = one.later.next()
        {
            let class = pace_class(&next.zone, &next.server);
            exchanges.push(send(transport, nth, one.query(next.address, class, rand::random(), budget), next));
        }
        to_ask = hear(&one.question, observation);
    }
}

/// Asks one server the question that has the number `nth`.
async fn send(transport: &dyn DynTransport, nth: usize, query: Query, target: Target) -> (usize, Target, Exchange) {
    (nth, target, transport.exchange(&query).await)
}

/// Says whether a server points to a zone below.
#[must_use]
pub fn is_referral(seen: &Observation) -> bool {
    matches!(seen.response(), Some(Response::Referral(_)))
}

/// Iterates over the servers of a zone, each address once: one server's second address comes after
/// every server's first.
pub fn targets(cut: &ZoneCut) -> impl Iterator<Item = Target> {
    let mut order: Vec<(usize, &Name, IpAddr)> = cut
        .servers
        .iter()
        .flat_map(|server| server.addresses.iter().enumerate().map(|(nth, address)| (nth, &server.name, *address)))
        .collect();
    order.sort();
    let mut known = BTreeSet::new();
    order.retain(|(_, _, address)| known.insert(*address));
    order.into_iter().map(|(_, server, address)| Target { zone: cut.zone.clone(), server: server.clone(), address })
}
