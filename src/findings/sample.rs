//! Evidence for tests, from short text.
//!
//! One line is a zone with its servers, or what they say:
//!
//! ```text
//! zone example.com. ns1.example.=192.0.2.1 ns2.example.=192.0.2.2
//! mail.example.com. CNAME: host.example.                 all servers of the deepest zone
//! mail.example.com. CNAME @192.0.2.2: nxdomain           one of them
//! mail.example.com. CNAME in example.com.: nodata        all servers of that zone
//! end mail.example.com. unanswered                       the walk to that name
//! ```
//!
//! What is said is data with ` | ` between, or one of the words of [`outcome`].

pub(crate) mod world;

use std::sync::Arc;

use std::net::IpAddr;
use std::time::Duration;

use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::response::{Alias, Answer, Lameness, Link, Negative, Referral, Response};
use crate::dns::rrset::{Question, RRset, Rcode, Record, RecordType, Ttl};
use crate::evidence::{
    ChainEnd, DelegationChain, Evidence, Flaws, NameServer, Observation, Outcome, Protocol, Reply, Silence, ZoneCut,
};

/// The time to live of all that is made here.
const TTL_SECONDS: u32 = 300;
/// The label that stands for a random one.
pub(crate) const PROBE_LABEL: &str = "zq7x1v9k";

/// Reads a name.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Reads `NAME TYPE`.
pub(crate) fn question(text: &str) -> Question {
    let (owner, kind) = text.trim().split_once(' ').unwrap();
    Question::new(name(owner), kind.trim().parse().unwrap())
}

/// Puts the root, `com.` and the zones of `text` together, and what their servers said.
pub(crate) fn evidence(text: &str) -> Evidence {
    let mut evidence = Evidence::new(PROBE_LABEL.to_owned());
    add_cut(&mut evidence, "zone . a.root.example.=192.0.2.251");
    add_cut(&mut evidence, "zone com. a.tld.example.=192.0.2.252");
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().filter(|line| line.starts_with("zone ")).for_each(|line| add_cut(&mut evidence, line));
    for line in lines().filter(|line| !line.starts_with("zone ") && !line.starts_with("end ")) {
        add_said(&mut evidence, line);
    }
    for line in lines().filter_map(|line| line.strip_prefix("end ")) {
        let (owner, end) = line.split_once(' ').unwrap();
        let end = match end.trim() {
            "unanswered" => ChainEnd::Unanswered,
            "unresolvable" => ChainEnd::Unresolvable,
            "loop" => ChainEnd::Loop,
            "limit" => ChainEnd::Limit,
            other => panic!("{other}"),
        };
        let zones = zones_above(&evidence, &name(owner));
        evidence.add_chain(name(owner), DelegationChain { zones, end });
    }
    evidence
}

/// Takes in a line `zone NAME SERVER=ADDRESS ...`.
fn add_cut(evidence: &mut Evidence, line: &str) {
    let mut words = line.split_whitespace().skip(1);
    let zone = name(words.next().unwrap());
    let mut servers: Vec<NameServer> = Vec::new();
    for word in words {
        let (server, address) = word.split_once('=').unwrap();
        let (server, address) = (name(server), address.parse::<IpAddr>().unwrap());
        match servers.iter_mut().find(|known| known.name == server) {
            Some(known) => known.addresses.push(address),
            None => servers.push(NameServer { name: server, addresses: vec![address], unresolved: None }),
        }
    }
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    let parent = zone.parent().and_then(|above| zones_above(evidence, &above).pop());
    evidence.add_cut(ZoneCut { zone, parent, servers, ttl: Ttl::from_wire(TTL_SECONDS), proofs: None });
}

/// Returns the known zones that hold `owner`, the root first.
fn zones_above(evidence: &Evidence, owner: &Name) -> Vec<Name> {
    evidence.cuts().map(|cut| cut.zone.clone()).filter(|zone| owner.is_subdomain_of(zone)).collect()
}

/// Takes in a line `NAME TYPE [@ADDRESS] [in ZONE]: WHAT`.
fn add_said(evidence: &mut Evidence, line: &str) {
    let (head, what) = line.split_once(": ").unwrap_or_else(|| panic!("no colon in {line}"));
    let words: Vec<&str> = head.split_whitespace().collect();
    let asked = question(&words[..2].join(" "));
    let after = |word: &str| words.iter().position(|each| *each == word).map(|at| name(words[at + 1]));
    let only: Option<IpAddr> = words.iter().find_map(|word| word.strip_prefix('@')).map(|text| text.parse().unwrap());
    let zone = after("in").unwrap_or_else(|| zones_above(evidence, &asked.name).pop().unwrap());
    say(evidence, &asked, &zone, only, what);
}

/// Lets all servers of a zone, or one of them, say something to a question.
pub(crate) fn say(evidence: &mut Evidence, asked: &Question, zone: &Name, only: Option<IpAddr>, what: &str) {
    if evidence.chain(&asked.name).is_none() {
        let zones = zones_above(evidence, &asked.name);
        evidence.add_chain(asked.name.clone(), DelegationChain { zones, end: ChainEnd::Reached });
    }
    let servers: Vec<(Name, IpAddr)> =
        evidence.cut(zone).unwrap().addresses().map(|(server, address)| (server.clone(), address)).collect();
    for (server, address) in servers.into_iter().filter(|(_, address)| only.is_none_or(|one| one == *address)) {
        let observation = Observation {
            zone: zone.clone(),
            server,
            address,
            outcome: outcome(asked, zone, what.trim()),
            rtt: Duration::from_millis(1),
            protocol: Protocol::Udp,
            flaws: Flaws::default(),
        };
        evidence.add_observation(asked.clone(), observation);
    }
}

/// Reads what a server said to a question.
fn outcome(asked: &Question, zone: &Name, what: &str) -> Outcome {
    let negative = || Negative { soa: Some((zone.clone(), soa(), Ttl::from_wire(TTL_SECONDS))) };
    let (response, rcode) = match what {
        "nxdomain" => (Response::NxDomain(negative()), Rcode::NXDOMAIN),
        "nodata" => (Response::NoData(negative()), Rcode::NOERROR),
        "lame" => (Response::Lame(Lameness::NotAuthoritative), Rcode::NOERROR),
        "refused" => (Response::Failed(Rcode::REFUSED), Rcode::REFUSED),
        "servfail" => (Response::Failed(Rcode::SERVFAIL), Rcode::SERVFAIL),
        "timeout" => return Outcome::Silent(Silence::Timeout),
        "no_route" => return Outcome::Silent(Silence::NoRoute),
        "limit" => return Outcome::Silent(Silence::Limit),
        _ => match what.strip_prefix("referral ") {
            Some(below) => {
                let (ttl, servers) = (Ttl::from_wire(TTL_SECONDS), vec![name("ns.example.")]);
                let referral = Referral { zone: name(below), servers, glue: Vec::new(), ttl, proofs: None };
                (Response::Referral(referral), Rcode::NOERROR)
            }
            None => (data(asked, what), Rcode::NOERROR),
        },
    };
    let (dropped, signatures) = (Vec::new(), Vec::new());
    Outcome::Replied(Arc::new(Reply { response, rcode, is_authoritative: true, dropped, signatures }))
}

/// Reads data of the type asked for, or `alias TARGET`.
fn data(asked: &Question, what: &str) -> Response {
    let ttl = Ttl::from_wire(TTL_SECONDS);
    if let Some(target) = what.strip_prefix("alias ") {
        let links = vec![Link { owner: asked.name.clone(), target: name(target), ttl }];
        return Response::Alias(Alias { links, dname: None, rrset: None, rcode: Rcode::NOERROR });
    }
    let records: Vec<Record> = what
        .split(" | ")
        .map(|text| Record { owner: asked.name.clone(), ttl, rdata: rdata(asked.kind, text.trim()) })
        .collect();
    let rrset = RRset::collect(&asked.name, asked.kind, &records).unwrap();
    Response::Answer(Answer { rrset, dname: None })
}

/// Reads the data of one record; a TXT is one character-string, as it stands.
pub(crate) fn rdata(kind: RecordType, text: &str) -> Rdata {
    match kind {
        RecordType::A => Rdata::A(text.parse().unwrap()),
        RecordType::AAAA => Rdata::Aaaa(text.parse().unwrap()),
        RecordType::CNAME => Rdata::Cname(name(text)),
        RecordType::NS => Rdata::Ns(name(text)),
        RecordType::TXT => Rdata::Txt(vec![text.as_bytes().into()]),
        RecordType::SOA => Rdata::Soa(soa()),
        RecordType::MX => {
            let (preference, exchange) = text.split_once(' ').unwrap();
            Rdata::Mx { preference: preference.parse().unwrap(), exchange: name(exchange) }
        }
        other => panic!("{other}"),
    }
}

/// Returns some SOA data.
fn soa() -> Soa {
    Soa {
        mname: name("ns.example."),
        rname: name("admin.example."),
        serial: 1,
        refresh: 7200,
        retry: 900,
        expire: 1_209_600,
        minimum: Ttl::from_wire(TTL_SECONDS),
    }
}
