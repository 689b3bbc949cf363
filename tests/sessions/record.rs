//! What the servers of a scenario say to its checks and lookups, written down as the fuzzer's inputs.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Message, encode_query};
use zoneproof::evidence::{Flaws, Protocol, Silence};
use zoneproof::scenario::expect::Subject;
use zoneproof::scenario::{Action, Scenario};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::{Exchange, Query, Transport};

use crate::{expects, session, walk};

/// What one server said to one question.
pub(crate) struct Said {
    /// The server's address.
    pub(crate) server: IpAddr,
    /// The message, as it came; `None` where none did.
    pub(crate) octets: Option<Vec<u8>>,
}

/// Writes down what the servers of a scenario say.
struct Recorder {
    /// The scenario.
    scenario: Scenario,
    /// What was said, in order of time.
    said: Mutex<Vec<Said>>,
}

impl Transport for Recorder {
    async fn exchange(&self, query: &Query) -> Exchange {
        let silent = |silence| Exchange::silent(silence, std::time::Duration::ZERO, query.protocol);
        if !query.budget.spend_send() {
            return silent(Silence::Limit);
        }
        let edns = Edns { payload_octets: 1232, dnssec_ok: query.dnssec_ok, ..Edns::default() };
        let octets = encode_query(7, &query.question, u64::MAX, query.with_edns.then_some(&edns));
        let octets = match self.scenario.respond(query.server, query.protocol, &octets, 1) {
            Action::Reply { octets, .. } => Some(octets),
            Action::Silence | Action::RefuseConnection => None,
        };
        let message = octets.as_deref().map(Message::decode);
        self.said.lock().unwrap().push(Said { server: query.server, octets });
        match message {
            None => silent(Silence::Timeout),
            Some(Err(_)) => silent(Silence::Malformed),
            Some(Ok(message)) if message.flags.truncated && query.protocol == Protocol::Tcp => {
                silent(Silence::Malformed)
            }
            Some(Ok(message)) => {
                Exchange { outcome: Ok(message.into()), flaws: Flaws::default(), ..silent(Silence::Limit) }
            }
        }
    }
}

/// Runs all checks and lookups of a scenario, each for itself, and returns what was said in each.
pub(crate) fn record(scenario: &Scenario) -> Vec<Vec<Said>> {
    scenario.tasks.iter().map(|task| record_task(scenario, &task.subject)).collect()
}

/// Runs one check or lookup.
fn record_task(scenario: &Scenario, subject: &Subject) -> Vec<Said> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let recorder = Arc::new(Recorder { scenario: scenario.clone(), said: Mutex::default() });
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    runtime.block_on(async {
        let transport = stack(Arc::clone(&recorder) as _, Arc::clone(&recorder) as _, &settings);
        let hints = scenario.root_hints();
        let Ok(checker) = Checker::builder().root_hints(hints).transport(transport).build() else { return };
        match subject {
            Subject::Check(check) => {
                let expectation = expects::expectation(check).unwrap();
                checker.check(&expectation).await;
            }
            Subject::Lookup(question) => {
                checker.lookup(question).await;
            }
        }
    });
    std::mem::take(&mut *recorder.said.lock().unwrap())
}

/// Writes sessions: one of all servers, and one of those that serve neither the root nor a registry.
pub(crate) fn session_seeds(said: &[Said]) -> Vec<Vec<u8>> {
    let is_above = |server: IpAddr| matches!(server, IpAddr::V4(v4) if v4.octets()[..3] == [198, 51, 100]);
    let all = said.iter().fold(vec![session::ALL_HOSTILE | session::FULL], push_session_reply);
    let below = said.iter().filter(|said| !is_above(said.server)).fold(vec![0], push_session_reply);
    vec![all, below]
}

/// Adds what a server does to a session.
fn push_session_reply(mut seed: Vec<u8>, said: &Said) -> Vec<u8> {
    match &said.octets {
        Some(octets) => {
            seed.push(session::SAYS);
            push_counted(&mut seed, octets);
        }
        None => seed.push(session::SILENT),
    }
    seed
}

/// Writes walks: one that ends at a zone, and one that ends with an answer and minimises.
pub(crate) fn walk_seeds(said: &[Said]) -> Vec<Vec<u8>> {
    let seed = |setup: u8| {
        said.iter().fold(vec![setup], |mut seed, said| {
            // The first of the servers is asked.
            seed.push(0);
            match &said.octets {
                Some(octets) => {
                    seed.push(walk::SAYS);
                    push_counted(&mut seed, octets);
                }
                None => seed.push(0),
            }
            seed
        })
    };
    vec![seed(0), seed(walk::UNTIL_ANSWER | walk::MINIMISED)]
}

/// Writes what the judge is to see: the short replies, each with one octet of length in front, at both depths.
pub(crate) fn judgement_seeds(said: &[Said]) -> Vec<Vec<u8>> {
    let seed = |depth: u8| {
        said.iter().fold(vec![depth], |mut seed, said| {
            match said.octets.as_deref().map(|octets| (u8::try_from(octets.len()), octets)) {
                Some((Ok(length), octets)) => {
                    seed.extend([1, length]);
                    seed.extend(octets);
                }
                // Too long to be told, or nothing.
                Some((Err(_), _)) | None => seed.push(0),
            }
            seed
        })
    };
    vec![seed(0), seed(1)]
}

/// Adds octets with their length in front.
fn push_counted(seed: &mut Vec<u8>, octets: &[u8]) {
    seed.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
    seed.extend(octets);
}
