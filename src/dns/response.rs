//! From a reply to its meaning.
//!
//! One pure function of (message, question, zone asked). Outcomes are values: NXDOMAIN, a lame
//! server or SERVFAIL are no errors here, and nothing is made up that no server sent.

use std::net::IpAddr;

use crate::dns::bailiwick::{MAX_CHAIN_LINKS, Scrubbed, scrub};
use crate::dns::message::{Message, Section};
use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::rrset::{Question, RRset, Rcode, Record, RecordType, Ttl};

/// How many records that were not the server's to say are kept of one reply as evidence (SECURITY.md A6); one of 64 KiB may have
/// thousands.
const MAX_DROPPED_KEPT: usize = 16;

/// What a reply says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Response {
    /// The RRset that was asked for, from the authority.
    Answer(Answer),
    /// The name is an alias, from the authority.
    Alias(Alias),
    /// The name is there, the type is not (RFC 2308 §2.2).
    NoData(Negative),
    /// The name is not there, nor anything below it (RFC 2308 §2.1, RFC 8020).
    NxDomain(Negative),
    /// Another zone is in charge.
    Referral(Referral),
    /// The server is no authority for the zone that it was asked about.
    Lame(Lameness),
    /// The server could not or would not answer.
    Failed(Rcode),
}

/// The RRset that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The records.
    pub rrset: RRset,
    /// The owner of the DNAME that the answer was made from (RFC 6672 §3.1).
    pub dname: Option<Name>,
}

/// One step of a chain of aliases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The alias.
    pub owner: Name,
    /// What it stands for.
    pub target: Name,
    /// The time to live of the CNAME.
    pub ttl: Ttl,
}

/// A name that stands for another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alias {
    /// The links, the first at the question's name; 1 to 8.
    pub links: Vec<Link>,
    /// The owner of the DNAME that the first link was made from.
    pub dname: Option<Name>,
    /// The RRset at the chain's end, where the same server gave it and may speak of it.
    pub rrset: Option<RRset>,
    /// The response code; it belongs to the chain's last name (RFC 6604 §3).
    pub rcode: Rcode,
}

impl Alias {
    /// Returns the last target of the chain.
    #[must_use]
    pub fn last_target(&self) -> Option<&Name> {
        self.links.last().map(|link| &link.target)
    }
}

/// The SOA record that came with a negative answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Negative {
    /// The zone that the SOA names, with its data and time to live; a server may leave it out.
    pub soa: Option<(Name, Soa, Ttl)>,
}

impl Negative {
    /// Returns how long a resolver may remember the answer: min(SOA TTL, SOA MINIMUM) (RFC 2308 §5).
    #[must_use]
    pub fn ttl(&self) -> Option<Ttl> {
        self.soa.as_ref().map(|(_, soa, ttl)| (*ttl).min(soa.minimum))
    }
}

/// A delegation to a zone below.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Referral {
    /// The zone delegated to.
    pub zone: Name,
    /// The names of its servers, sorted, without duplicates, never empty.
    pub servers: Vec<Name>,
    /// Addresses that came along, sorted by name and address, without duplicates.
    pub glue: Vec<(Name, IpAddr)>,
    /// The time to live of the NS records.
    pub ttl: Ttl,
    /// The records of DNSSEC that came along: DS records, or what denies them, with their signatures; `None` where the server
    /// was not asked for them, or does not know of them (DO=0).
    pub proofs: Option<Box<[Record]>>,
}

/// In which way a server is no authority (RFC 9499 §7, "lame delegation").
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Lameness {
    /// It answers, without AA.
    NotAuthoritative,
    /// It answers without AA and offers recursion: a resolver stands in the authority's place.
    RecursiveProxy,
    /// It points to the zone itself or above.
    UpwardReferral,
    /// All that it said was not its to say.
    OutOfBailiwick,
}

/// A reply that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// What it says.
    pub response: Response,
    /// What it stated without being entitled to; no more than is worth keeping.
    pub dropped: Vec<(Section, Record)>,
    /// The signatures beside the answer, of the name that was asked for.
    pub signatures: Vec<Rdata>,
}

/// Reads a reply to `question`, asked of a server for `zone`.
///
/// Records that `zone` may not state are dropped first. An emptied reply is
/// [`Response::Lame`], never NODATA: no result is made up. Only AA=1 makes an answer, an alias
/// or a negative answer; a referral needs no AA.
///
/// Source: RFC 1034 §4.3.2, RFC 2308 §2.1-2.2, RFC 9499 §7.
#[must_use]
pub fn read_response(message: &Message, question: &Question, zone: &Name) -> Reading {
    let scrubbed = scrub(message, question, zone);
    let response = meaning(message, question, &scrubbed);
    let of_name = scrubbed.answers.iter().filter(|record| record.owner == question.name);
    let signatures = of_name.filter(|record| record.kind() == RecordType::RRSIG).map(|record| record.rdata.clone());
    let dropped =
        scrubbed.dropped.iter().take(MAX_DROPPED_KEPT).map(|(section, record)| (*section, Record::clone(record)));
    Reading { response, dropped: dropped.collect(), signatures: signatures.collect() }
}

/// Decides what the scrubbed reply says.
fn meaning(message: &Message, question: &Question, scrubbed: &Scrubbed<'_>) -> Response {
    if message.rcode != Rcode::NOERROR && message.rcode != Rcode::NXDOMAIN {
        return Response::Failed(message.rcode);
    }
    if scrubbed.answers.is_empty() && message.rcode == Rcode::NOERROR && scrubbed.soa.is_none() {
        if let Some(referral) = referral(message, scrubbed) {
            return Response::Referral(referral);
        }
        if !scrubbed.upward.is_empty() {
            return Response::Lame(Lameness::UpwardReferral);
        }
    }
    if !message.flags.authoritative {
        let proxy = message.flags.recursion_available;
        return Response::Lame(if proxy { Lameness::RecursiveProxy } else { Lameness::NotAuthoritative });
    }
    if let Some(rrset) = RRset::collect(&question.name, question.kind, scrubbed.answers.iter().copied()) {
        return Response::Answer(Answer { rrset, dname: dname_above(&question.name, scrubbed) });
    }
    if let Some(alias) = alias(message.rcode, question, scrubbed) {
        return Response::Alias(alias);
    }
    let lost_records = message.bad_records.iter().any(|bad| bad.section == Section::Answer);
    if lost_records || !message.answers.is_empty() {
        return Response::Lame(Lameness::OutOfBailiwick);
    }
    if question.kind == RecordType::DS && is_of_zone_below(question, scrubbed) {
        return Response::Lame(Lameness::NotAuthoritative);
    }
    let negative = Negative { soa: scrubbed.soa.and_then(soa_of) };
    if message.rcode == Rcode::NXDOMAIN { Response::NxDomain(negative) } else { Response::NoData(negative) }
}

/// Puts the delegation of a scrubbed reply together.
fn referral(message: &Message, scrubbed: &Scrubbed<'_>) -> Option<Referral> {
    let first = scrubbed.delegation.first()?;
    let mut servers: Vec<Name> = scrubbed
        .delegation
        .iter()
        .filter_map(|record| match &record.rdata {
            Rdata::Ns(host) => Some(host.clone()),
            _ => None,
        })
        .collect();
    servers.sort();
    servers.dedup();
    let mut glue: Vec<(Name, IpAddr)> = scrubbed
        .glue
        .iter()
        .filter_map(|record| match record.rdata {
            Rdata::A(address) => Some((record.owner.clone(), IpAddr::V4(address))),
            Rdata::Aaaa(address) => Some((record.owner.clone(), IpAddr::V6(address))),
            _ => None,
        })
        .collect();
    glue.sort();
    glue.dedup();
    let ttl = scrubbed.delegation.iter().map(|record| record.ttl).min().unwrap_or_default();
    let is_asked = message.edns.as_ref().is_some_and(|edns| edns.dnssec_ok);
    let proofs = is_asked.then(|| scrubbed.proofs.iter().copied().cloned().collect());
    Some(Referral { zone: first.owner.clone(), servers, glue, ttl, proofs })
}

/// Says whether a negative answer about DS records is that of the very zone whose keys they vouch for: they are not its to
/// give (RFC 4035 §3.1.4.1), so that the server does not serve the zone that it was asked about.
fn is_of_zone_below(question: &Question, scrubbed: &Scrubbed<'_>) -> bool {
    !question.name.is_root() && scrubbed.soa.is_some_and(|soa| soa.owner == question.name)
}

/// Follows the chain of CNAMEs from the question's name.
fn alias(rcode: Rcode, question: &Question, scrubbed: &Scrubbed<'_>) -> Option<Alias> {
    let mut links: Vec<Link> = Vec::new();
    let mut at = question.name.clone();
    while links.len() < MAX_CHAIN_LINKS && !links.iter().any(|link| link.owner == at) {
        let next = scrubbed.answers.iter().find_map(|record| match &record.rdata {
            Rdata::Cname(target) if record.owner == at => {
                Some(Link { owner: at.clone(), target: target.clone(), ttl: record.ttl })
            }
            _ => None,
        });
        let Some(link) = next else { break };
        at = link.target.clone();
        links.push(link);
    }
    let rrset =
        links.last().and_then(|link| RRset::collect(&link.target, question.kind, scrubbed.answers.iter().copied()));
    let dname = dname_above(&question.name, scrubbed);
    (!links.is_empty()).then_some(Alias { links, dname, rrset, rcode })
}

/// Finds a DNAME in the answer whose subtree holds `name`.
fn dname_above(name: &Name, scrubbed: &Scrubbed<'_>) -> Option<Name> {
    scrubbed
        .answers
        .iter()
        .find(|record| record.kind() == RecordType::DNAME && name.is_strictly_below(&record.owner))
        .map(|record| record.owner.clone())
}

/// Takes the parts of an SOA record.
fn soa_of(record: &Record) -> Option<(Name, Soa, Ttl)> {
    match &record.rdata {
        Rdata::Soa(soa) => Some((record.owner.clone(), soa.clone(), record.ttl)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
