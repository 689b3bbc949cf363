//! What all sockets of a lab share: the scenario, and how often something was asked.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::dns::message::Message;
use crate::evidence::Protocol;
use crate::scenario::Scenario;
use crate::scenario::rule::{Body, Matcher, Tries};
use crate::scenario::server::{Action, Tally};

/// Decides what becomes of the octets that come in.
#[derive(Debug)]
pub(super) struct Desk {
    /// Who says what.
    scenario: Arc<Scenario>,
    /// How many messages came in.
    questions: AtomicU64,
    /// The addresses with a rule that depends on how often a question came.
    counting: HashSet<IpAddr>,
    /// How often questions came there.
    tally: Mutex<Tally>,
}

impl Desk {
    /// Starts with nothing asked.
    pub(super) fn new(scenario: Arc<Scenario>) -> Self {
        let is_counting = |address: &IpAddr| scenario.rules_at(*address).any(|rule| rule.matcher.tries != Tries::All);
        let counting = scenario.addresses().into_iter().filter(is_counting).collect();
        Self { scenario, questions: AtomicU64::new(0), counting, tally: Mutex::default() }
    }

    /// Returns the scenario.
    pub(super) fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// Returns how many messages came in.
    pub(super) fn questions(&self) -> u64 {
        self.questions.load(Ordering::Relaxed)
    }

    /// Counts a message and decides what is done about it.
    pub(super) fn decide(&self, address: IpAddr, protocol: Protocol, octets: &[u8]) -> Action {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let nth = if self.counting.contains(&address) { self.count(address, octets) } else { 1 };
        self.scenario.respond(address, protocol, octets, nth)
    }

    /// Counts a question at its address; what cannot be read is always the first of its kind.
    fn count(&self, address: IpAddr, octets: &[u8]) -> u32 {
        let question = Message::decode(octets).ok().and_then(|message| message.question);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        question.map_or(1, |question| tally.count(address, &question))
    }
}

/// Says whether anybody listens at an address: not where its first rule refuses whatever comes over this protocol, so
/// that the system itself says so, by an ICMP error or a reset.
pub(super) fn is_listening(scenario: &Scenario, address: IpAddr, protocol: Protocol) -> bool {
    let mut rules = scenario.rules_at(address);
    let first = rules.find(|rule| rule.matcher.protocol.is_none_or(|wanted| wanted == protocol));
    !first.is_some_and(|rule| {
        let matcher = Matcher { protocol: None, ..rule.matcher.clone() };
        matcher == Matcher::default() && rule.behaviour.body == Body::RefuseConnection
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_where_everything_is_refused() {
        let text = "
zone example at 127.0.9.1
server 127.0.9.2
  any -> refuse-connection
server 127.0.9.3
  tcp any -> refuse-connection
server 127.0.9.4
  any example -> refuse-connection
  any -> silence
";
        let scenario: Scenario = text.parse().unwrap();
        for (address, udp, tcp) in [
            ("127.0.9.1", true, true),
            ("127.0.9.2", false, false),
            ("127.0.9.3", true, false),
            ("127.0.9.4", true, true),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(is_listening(&scenario, address, Protocol::Udp), udp, "{address}");
            assert_eq!(is_listening(&scenario, address, Protocol::Tcp), tcp, "{address}");
        }
    }
}
