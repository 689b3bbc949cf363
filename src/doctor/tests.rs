//! What is made of what root servers say.

use super::*;
use crate::dns::message::{Edns, Flags};
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Record;
use crate::evidence::Flaws;
use futures::FutureExt;

/// Root servers of both families.
fn roots() -> Vec<(Name, IpAddr)> {
    let address = |text: &str| (Name::parse("a.root-servers.net.").unwrap(), text.parse().unwrap());
    ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"].map(address).to_vec()
}

/// A host's way out: what is done to each reply, and who does not answer.
struct Way<F>(F);

impl<F: Fn(&Query, &mut Message) -> Result<Protocol, Silence> + Send + Sync> Transport for Way<F> {
    async fn exchange(&self, query: &Query) -> Exchange {
        let mut reply = Message {
            flags: Flags { is_reply: true, authoritative: true, ..Flags::default() },
            edns: Some(Edns::default()),
            ..Message::default()
        };
        reply.answers.push(Record {
            owner: Name::root(),
            ttl: Ttl::from_wire(518_400),
            rdata: Rdata::Ns(Name::parse("a.root-servers.net.").unwrap()),
        });
        let done = (self.0)(query, &mut reply);
        let protocol = done.unwrap_or(query.protocol);
        Exchange { outcome: done.map(|_| Arc::new(reply)), rtt: Duration::ZERO, protocol, flaws: Flaws::default() }
    }
}

/// Examines a host whose questions to servers go one way, and those to nobody go unanswered.
fn examine_way(way: impl Fn(&Query, &mut Message) -> Result<Protocol, Silence> + Send + Sync) -> Vec<(Health, String)> {
    let stray = Way(|_: &Query, _: &mut Message| Err(Silence::Timeout));
    let roots = roots();
    let probes = examine(&Way(way), &stray, &roots).now_or_never().unwrap();
    probes.into_iter().map(|probe| (probe.health, probe.seen)).collect()
}

fn healths(probes: &[(Health, String)]) -> Vec<Health> {
    probes.iter().map(|(health, _)| *health).collect()
}

use Health::{Broken, Lacking, Well};

#[test]
fn a_host_with_a_free_way_out_is_well() {
    assert_eq!(healths(&examine_way(|query, _| Ok(query.protocol))), [Well; 5]);
}

#[test]
fn a_host_without_ipv6_or_edns_can_be_trusted_and_one_without_tcp_or_udp_cannot() {
    let without_ipv6 = |query: &Query, _: &mut Message| {
        if query.server.is_ipv6() { Err(Silence::NoRoute) } else { Ok(query.protocol) }
    };
    assert_eq!(healths(&examine_way(without_ipv6)), [Well, Well, Lacking, Well, Well]);
    let without_edns = |query: &Query, reply: &mut Message| {
        reply.edns = None;
        Ok(query.protocol)
    };
    assert_eq!(healths(&examine_way(without_edns)), [Well, Well, Well, Lacking, Well]);
    let without_tcp = |query: &Query, _: &mut Message| match query.protocol {
        Protocol::Tcp => Err(Silence::Refused),
        Protocol::Udp => Ok(Protocol::Udp),
    };
    assert_eq!(healths(&examine_way(without_tcp))[1], Broken);
    let without_udp = |_: &Query, _: &mut Message| Ok(Protocol::Tcp);
    assert_eq!(healths(&examine_way(without_udp))[0], Broken);
    let silent = |_: &Query, _: &mut Message| Err(Silence::Timeout);
    assert_eq!(healths(&examine_way(silent)), [Broken, Broken, Lacking, Lacking, Broken]);
}

#[test]
fn a_resolver_in_the_servers_place_is_found_out() {
    let last = |probes: Vec<(Health, String)>| probes.into_iter().last().unwrap();
    let recursion = last(examine_way(|query, reply| {
        reply.flags.recursion_available = true;
        Ok(query.protocol)
    }));
    assert!(recursion.0 == Broken && recursion.1.contains("offer recursion"), "{recursion:?}");
    let no_authority = last(examine_way(|query, reply| {
        reply.flags.authoritative = false;
        Ok(query.protocol)
    }));
    assert!(no_authority.0 == Broken && no_authority.1.contains("without authority"), "{no_authority:?}");
    let cached = last(examine_way(|query, reply| {
        let [.., octet] = match query.server {
            IpAddr::V4(address) => address.octets(),
            IpAddr::V6(_) => [0; 4],
        };
        reply.answers[0].ttl = Ttl::from_wire(500_000 + u32::from(octet));
        Ok(query.protocol)
    }));
    assert!(cached.0 == Broken && cached.1.contains("as a cache does"), "{cached:?}");
}

#[test]
fn an_answer_from_nobody_gives_a_middlebox_away() {
    let free = || Way(|query: &Query, _: &mut Message| Ok(query.protocol));
    let probes = examine(&free(), &free(), &roots()).now_or_never().unwrap();
    assert!(!can_be_trusted(&probes));
    assert!(probes.last().unwrap().seen.contains("203.0.113.53, which nobody has, answered"), "{probes:?}");
}
