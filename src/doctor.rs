//! Whether this host can ask the DNS at all, and whether what answers is what was asked.
//!
//! A resolver or a middlebox that answers in the servers' place makes every check a lie. What is asked here has one
//! right answer: root servers speak with authority and offer no recursion, all of them give their zone's records the same
//! time to live, and nobody lives at an address that is set aside for documentation.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use crate::budget::Budget;
use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::rrset::{Question, Rcode, RecordType, Ttl};
use crate::evidence::{Protocol, Silence};
use crate::transport::{DynTransport, Exchange, PaceClass, Query, Transport};

/// How many root servers of each family are asked: more than one, so that a dead one says nothing about this host.
const ROOTS_ASKED: usize = 3;
/// An address of TEST-NET-3 (RFC 5737 §3), which nobody has: what answers there stands in between.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 53));
/// How long is waited for an answer from nobody.
const NOBODY_TIMEOUT: Duration = Duration::from_secs(1);

/// How one probe ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// As it should be.
    Well,
    /// Not as it should be, and checks can do without.
    Lacking,
    /// Checks from here cannot be trusted.
    Broken,
}

/// What one probe found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Probe {
    /// What was looked at.
    pub subject: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
}

/// Looks at how this host reaches the DNS; the probes come in a fixed order.
///
/// `stray` must let one datagram go to a documentation address, and do nothing but send it.
pub async fn examine(transport: &dyn DynTransport, stray: &dyn DynTransport, roots: &[(Name, IpAddr)]) -> Vec<Probe> {
    let of_family = |is_v4: bool| {
        let family = roots.iter().map(|(_, address)| *address).filter(move |address| address.is_ipv4() == is_v4);
        family.take(ROOTS_ASKED).collect::<Vec<IpAddr>>()
    };
    let (v4, v6) = (of_family(true), of_family(false));
    let any = if v4.is_empty() { &v6 } else { &v4 };
    let (udp, tcp, ipv6, keys, nobody) = futures::join!(
        ask_all(transport, any, RecordType::NS, Protocol::Udp),
        ask_all(transport, any, RecordType::NS, Protocol::Tcp),
        ask_all(transport, &v6, RecordType::NS, Protocol::Udp),
        ask_all(transport, any, RecordType::DNSKEY, Protocol::Udp),
        ask_nobody(stray),
    );
    vec![
        reach("UDP", &udp, Protocol::Udp),
        reach("TCP", &tcp, Protocol::Tcp),
        reach_ipv6(&ipv6),
        edns(&keys),
        interception(&udp, &nobody),
    ]
}

/// Says whether checks from here can be trusted.
#[must_use]
pub fn can_be_trusted(probes: &[Probe]) -> bool {
    probes.iter().all(|probe| probe.health != Health::Broken)
}

/// Asks some root servers the same about the root, all at once.
async fn ask_all(
    transport: &dyn DynTransport,
    servers: &[IpAddr],
    kind: RecordType,
    protocol: Protocol,
) -> Vec<Exchange> {
    let budget = Budget::for_check();
    join_all(servers.iter().map(|server| {
        let question = Question::new(Name::root(), kind);
        let query = Query { protocol, ..Query::new(*server, question, PaceClass::Anycast, Arc::clone(&budget)) };
        async move { transport.exchange(&query).await }
    }))
    .await
}

/// Asks an address that nobody has, once.
async fn ask_nobody(stray: &dyn DynTransport) -> Exchange {
    let question = Question::new(Name::root(), RecordType::NS);
    let query = Query::new(NOBODY, question, PaceClass::Ordinary, Budget::for_check());
    stray.exchange(&Query { timeout: Some(NOBODY_TIMEOUT), ..query }).await
}

/// Says how many root servers answer over one protocol.
fn reach(subject: &'static str, exchanges: &[Exchange], protocol: Protocol) -> Probe {
    let heard = exchanges.iter().filter(|one| one.outcome.is_ok() && one.protocol == protocol).count();
    let health = if heard > 0 { Health::Well } else { Health::Broken };
    let seen = format!("{heard} of {} root servers answer over {subject}", exchanges.len());
    Probe { subject, health, seen }
}

/// Says whether servers can be asked over IPv6.
fn reach_ipv6(exchanges: &[Exchange]) -> Probe {
    let heard = exchanges.iter().filter(|one| one.outcome.is_ok()).count();
    let has_no_route = exchanges.iter().any(|one| one.outcome == Err(Silence::NoRoute));
    let (health, seen) = match (exchanges.len(), heard) {
        (0, _) => (Health::Lacking, "no root server with an IPv6 address is known".to_owned()),
        (_, 0) if has_no_route => {
            (Health::Lacking, "this host has no IPv6; servers are asked over IPv4 alone".to_owned())
        }
        (asked, 0) => {
            (Health::Lacking, format!("none of {asked} root servers answers over IPv6; better turn it off (--no-ipv6)"))
        }
        (asked, heard) => (Health::Well, format!("{heard} of {asked} root servers answer over IPv6")),
    };
    Probe { subject: "IPv6", health, seen }
}

/// Says whether replies of the size that EDNS allows come through.
fn edns(exchanges: &[Exchange]) -> Probe {
    let replies = || exchanges.iter().filter_map(|one| Some((one, one.outcome.as_ref().ok()?)));
    let has_edns = replies().any(|(one, reply)| reply.edns.is_some() && !one.flaws.takes_no_edns);
    let over_udp = replies().any(|(one, _)| one.protocol == Protocol::Udp);
    let (health, seen) = match (replies().next().is_some(), has_edns, over_udp) {
        (false, ..) => (Health::Lacking, "no root server gives its keys".to_owned()),
        (_, false, _) => (Health::Lacking, "replies come without EDNS: something on the way takes it out".to_owned()),
        (_, _, false) => {
            (Health::Lacking, "large replies do not come over UDP: questions take a connection more".to_owned())
        }
        _ => (Health::Well, "replies come with EDNS, large ones over UDP".to_owned()),
    };
    Probe { subject: "EDNS", health, seen }
}

/// Says whether something answers in the servers' place.
fn interception(exchanges: &[Exchange], nobody: &Exchange) -> Probe {
    let replies: Vec<&Message> = exchanges.iter().filter_map(|one| one.outcome.as_deref().ok()).collect();
    let offers = replies.iter().filter(|reply| reply.flags.recursion_available).count();
    let speaks = |reply: &&&Message| reply.flags.authoritative && reply.rcode == Rcode::NOERROR;
    let without_authority = replies.len() - replies.iter().filter(speaks).count();
    let lives = lives_of(&replies);
    let sign = if nobody.outcome.is_ok() {
        Some(format!("{NOBODY}, which nobody has, answered"))
    } else if offers > 0 {
        Some(format!("{offers} root servers offer recursion, which root servers do not"))
    } else if without_authority > 0 {
        Some(format!("{without_authority} root servers answer without authority"))
    } else if lives.windows(2).any(|pair| pair.first() != pair.last()) {
        Some("root servers give their records different times to live, as a cache does".to_owned())
    } else {
        None
    };
    let (health, seen) = match sign {
        Some(sign) => (Health::Broken, format!("something answers in the servers' place: {sign}")),
        None if replies.is_empty() => (Health::Broken, "nothing answers, so nothing is known".to_owned()),
        None => (Health::Well, "the servers themselves answer".to_owned()),
    };
    Probe { subject: "interception", health, seen }
}

/// Returns the time to live of the root's NS records in each reply that has them.
fn lives_of(replies: &[&Message]) -> Vec<Ttl> {
    let ttl =
        |reply: &&Message| reply.answers.iter().find(|record| record.kind() == RecordType::NS).map(|record| record.ttl);
    replies.iter().filter_map(ttl).collect()
}

#[cfg(test)]
mod tests;
