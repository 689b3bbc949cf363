//! A [`Transport`] that asks a [`Scenario`] instead of the Internet.
//!
//! Queries and replies are real octets, encoded, matched and decoded as on the wire, so that reading them is exercised
//! too. One exchange is one try over the protocol that the query names, as with a socket; time passes by tokio's clock,
//! which tests can pause.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::dns::message::{Edns, Message, encode_query, is_bare_error_to, is_reply_in_other_letters, is_reply_to};
use crate::evidence::{Flaws, Protocol, Silence};
use crate::scenario::Scenario;
use crate::scenario::server::{Action, MAX_UDP_OCTETS, Tally};
use crate::transport::{Exchange, Query, Transport};

/// How long a try waits where the query does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// Answers from a scenario.
#[derive(Debug)]
pub struct Replay {
    /// Who answers what.
    scenario: Arc<Scenario>,
    /// What was asked so far.
    tally: Mutex<Tally>,
    /// Where ids and the case of names come from: the same in every run, different in every query.
    nonce: AtomicU64,
}

impl Replay {
    /// Starts with nothing asked.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>) -> Self {
        Self { scenario, tally: Mutex::default(), nonce: AtomicU64::new(1) }
    }

    /// Returns the scenario.
    #[must_use]
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// Returns how many queries were sent in all, every try counted.
    #[must_use]
    pub fn questions(&self) -> u32 {
        self.tally().queries()
    }

    /// Returns how many queries were sent to one address.
    #[must_use]
    pub fn questions_at(&self, address: IpAddr) -> u32 {
        self.tally().queries_at(address)
    }

    /// Takes the counters.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one query and waits for its reply.
    async fn ask(&self, query: &Query, flaws: &mut Flaws) -> Result<Message, Silence> {
        if !query.budget.spend_send() {
            return Err(Silence::Limit);
        }
        let nonce = mix(self.nonce.fetch_add(1, Ordering::Relaxed));
        let [high, low, ..] = nonce.to_be_bytes();
        // Over TCP nobody can guess: the case says nothing, and servers that do not keep it must be heard there.
        let case_bits = if query.protocol == Protocol::Udp { nonce } else { u64::MAX };
        let edns = Edns { payload_octets: MAX_UDP_OCTETS, dnssec_ok: query.dnssec_ok, ..Edns::default() };
        let edns = Some(&edns).filter(|_| query.with_edns);
        let octets = encode_query(u16::from_be_bytes([high, low]), &query.question, case_bits, edns);
        let nth = self.tally().count(query.server, &query.question);
        let timeout = query.timeout.unwrap_or(DEFAULT_TIMEOUT);
        match self.scenario.respond(query.server, query.protocol, &octets, nth) {
            Action::RefuseConnection => Err(Silence::Refused),
            Action::Reply { octets: reply, delay } if delay < timeout => {
                tokio::time::sleep(delay).await;
                query.budget.spend_octets(reply.len());
                flaws.loses_case = query.protocol == Protocol::Udp && is_reply_in_other_letters(&reply, &octets);
                read_reply(&reply, &octets, query)
            }
            Action::Reply { .. } | Action::Silence => {
                tokio::time::sleep(timeout).await;
                Err(Silence::Timeout)
            }
        }
    }
}

impl Transport for Replay {
    async fn exchange(&self, query: &Query) -> Exchange {
        let start = Instant::now();
        let mut flaws = Flaws::default();
        let outcome = self.ask(query, &mut flaws).await.map(Arc::new);
        Exchange { outcome, rtt: start.elapsed(), protocol: query.protocol, flaws }
    }
}

/// Reads the octets of a reply, if they are one to this query, which was `sent` as that.
fn read_reply(reply: &[u8], sent: &[u8], query: &Query) -> Result<Message, Silence> {
    let message = Message::decode_reply(reply, &query.question, query.extent).map_err(|_| Silence::Malformed)?;
    if !is_reply_to(reply, sent) && !is_bare_error_to(reply, sent) {
        return Err(Silence::Mismatched);
    }
    if query.protocol == Protocol::Tcp && message.flags.truncated {
        return Err(Silence::Malformed);
    }
    Ok(message)
}

/// Spreads a counter over all 64 bits (the finaliser of SplitMix64).
fn mix(counter: u64) -> u64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
