//! What the stages are measured with: a healthy domain with two servers, what they say, and all that a check of it sees.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use zoneproof::dns::message::{Edns, Message, encode_message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::response::read_response;
use zoneproof::dns::rrset::{Question, Record, RecordType, Ttl};
use zoneproof::evidence::{
    ChainEnd, DelegationChain, Evidence, Flaws, NameServer, Observation, Outcome, Protocol, Reply, ZoneCut,
};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::scenario::{Action, Scenario};
use zoneproof::transport::{Exchange, Query, Transport};

/// A healthy domain with two servers.
const SCENARIO: &str = r#"
root 198.51.100.1
zone . at 198.51.100.1
  example  NS  a.registry.example.
  a.registry.example.  A  198.51.100.2
zone example at 198.51.100.2
  @               NS  a.registry
  a.registry      A   198.51.100.2
  tenant          NS  ns1.tenant
  tenant          NS  ns2.tenant
  ns1.tenant      A   192.0.2.1
  ns2.tenant      A   192.0.2.2
zone tenant.example at 192.0.2.1 192.0.2.2
  @               NS     ns1
  @               NS     ns2
  ns1             A      192.0.2.1
  ns2             A      192.0.2.2
  mail            TXT    "v=spf1 include:amazonses.com ~all"
  _dmarc.mail     TXT    "v=DMARC1; p=none"
  t1._domainkey.mail  CNAME  t1.dkim.amazonses.com.
  t2._domainkey.mail  CNAME  t2.dkim.amazonses.com.
  t3._domainkey.mail  CNAME  t3.dkim.amazonses.com.
"#;

/// The addresses of the domain's servers.
pub(super) const SERVERS: [(&str, &str); 2] =
    [("ns1.tenant.example.", "192.0.2.1"), ("ns2.tenant.example.", "192.0.2.2")];

/// Reads the scenario.
pub(super) fn scenario() -> Scenario {
    SCENARIO.parse().expect("the scenario parses")
}

/// Reads a name.
pub(super) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// A question, the zone whose servers are asked, and what one of them says.
pub(super) struct Asked {
    /// What is asked.
    pub(super) question: Question,
    /// The zone.
    pub(super) zone: Name,
    /// The reply.
    pub(super) octets: Vec<u8>,
}

impl Asked {
    /// Asks a server of the domain for a DKIM record.
    pub(super) fn alias() -> Self {
        Self::of("192.0.2.1", "tenant.example.")
    }

    /// The same, where the reply names the zone's servers and their addresses too, as many servers do (RFC 1034 §4.3.2).
    pub(super) fn alias_beside_servers() -> Self {
        let asked = Self::alias();
        let record = |owner: &Name, rdata| Record { owner: owner.clone(), ttl: Ttl::from_wire(3600), rdata };
        let mut message = asked.message();
        for (host, address) in SERVERS.map(|(host, address)| (name(host), address)) {
            message.authority.push(record(&asked.zone, Rdata::Ns(host.clone())));
            message.additional.push(record(&host, Rdata::A(address.parse().expect("an address"))));
        }
        Self { octets: encode_message(&message).expect("a message"), ..asked }
    }

    /// Asks the registry for the same.
    pub(super) fn referral() -> Self {
        Self::of("198.51.100.2", "example.")
    }

    /// Asks a server of a zone for a DKIM record.
    fn of(address: &str, zone: &str) -> Self {
        let question = Question::new(name("t1._domainkey.mail.tenant.example."), RecordType::CNAME);
        Self { octets: reply(&scenario(), address, &question), zone: name(zone), question }
    }

    /// Returns the reply as a message.
    pub(super) fn message(&self) -> Message {
        Message::decode(&self.octets).expect("a message")
    }
}

/// What is expected of the domain.
pub(super) fn expectation() -> Expectation {
    let expected = Expectation::new("mail.tenant.example", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("expected");
    expected.with_depth(Depth::Quick)
}

/// Returns the reply to one question, as octets.
fn reply(scenario: &Scenario, address: &str, question: &Question) -> Vec<u8> {
    let query = encode_query(1, question, 0, Some(&Edns { payload_octets: 1232, ..Edns::default() }));
    match scenario.respond(address.parse().expect("an address"), Protocol::Udp, &query, 1) {
        Action::Reply { octets, .. } => octets,
        other => panic!("{other:?}"),
    }
}

/// A transport that has the reply at hand.
pub(super) struct AtHand(pub(super) Arc<Message>);

impl Transport for AtHand {
    async fn exchange(&self, query: &Query) -> Exchange {
        let outcome = Ok(Arc::clone(&self.0));
        Exchange { outcome, rtt: Duration::ZERO, protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// Returns a zone cut with these servers.
pub(super) fn cut(zone: &str, parent: Option<&str>, servers: &[(&str, &str)]) -> ZoneCut {
    let servers = servers.iter().map(|(host, address)| NameServer {
        name: name(host),
        addresses: vec![address.parse().expect("an address")],
        unresolved: None,
    });
    ZoneCut {
        zone: name(zone),
        parent: parent.map(name),
        servers: servers.collect(),
        ttl: Ttl::from_wire(3600),
        proofs: None,
    }
}

/// Returns all that a check of the domain sees.
pub(super) fn evidence(scenario: &Scenario, expectation: &Expectation) -> Evidence {
    let mut evidence = Evidence::new("probe".to_owned());
    let registry = [("a.registry.example.", "198.51.100.2")];
    let zones = [cut(".", None, &[]), cut("example.", Some("."), &registry)];
    let zones = zones.into_iter().chain([cut("tenant.example.", Some("example."), &SERVERS)]);
    let zones: Vec<ZoneCut> = zones.collect();
    let chain = DelegationChain { zones: zones.iter().map(|cut| cut.zone.clone()).collect(), end: ChainEnd::Reached };
    let zone = zones.last().expect("a zone").zone.clone();
    zones.into_iter().for_each(|cut| evidence.add_cut(cut));
    for question in expectation.records.iter().map(|record| record.question()) {
        evidence.add_chain(question.name.clone(), chain.clone());
        for (server, address) in SERVERS {
            let message = Message::decode(&reply(scenario, address, &question)).expect("a message");
            let reading = read_response(&message, &question, &zone);
            let outcome = Outcome::Replied(Arc::new(Reply {
                response: reading.response,
                rcode: message.rcode,
                is_authoritative: message.flags.authoritative,
                dropped: reading.dropped,
                signatures: reading.signatures,
            }));
            let observation = Observation {
                zone: zone.clone(),
                server: name(server),
                address: address.parse::<IpAddr>().expect("an address"),
                outcome,
                rtt: Duration::from_millis(10),
                protocol: Protocol::Udp,
                flaws: Flaws::default(),
            };
            evidence.add_observation(question.clone(), observation);
        }
    }
    evidence
}
