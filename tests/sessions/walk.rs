//! Whatever the servers say, a walk ends, asks no address twice in one zone, and only goes down towards its name.
//!
//! The replies are made up octet by octet from the input, or are messages that stand in it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use zoneproof::dns::message::Message;
use zoneproof::dns::name::Name;
use zoneproof::dns::response::{Lameness, Negative, Referral, Response, read_response};
use zoneproof::dns::rrset::{Question, Rcode, RecordType, Ttl};
use zoneproof::evidence::Unresolved;
use zoneproof::walk::machine::{MAX_CUTS, MAX_SERVERS_PER_CUT, Step, Until, Walk};
use zoneproof::walk::root_hints;

/// More steps than any walk may take: each cut has 13 servers that may need an address, tries, and parts of the name.
const MAX_STEPS: usize = MAX_CUTS * (MAX_SERVERS_PER_CUT + 8) * 2;
/// In the first octet: the walk ends with an answer, not with a zone.
pub(crate) const UNTIL_ANSWER: u8 = 1;
/// In the first octet: servers are told no more of the name than they need.
pub(crate) const MINIMISED: u8 = 2;
/// In the first octet: the walk ends where somebody can be asked.
const UNTIL_WAY: u8 = 4;
/// What a server does: it says what follows, two octets of length and a message.
pub(crate) const SAYS: u8 = 5;

/// Takes the first octets off.
fn take<'a>(data: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = data.split_at(count.min(data.len()));
    *data = rest;
    taken
}

/// Takes the next octet; zero when there is none.
fn next(data: &mut &[u8]) -> u8 {
    take(data, 1).first().copied().unwrap_or_default()
}

/// Makes an address of one octet.
fn address(octet: u8) -> IpAddr {
    let in_v6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet)];
    if octet < 128 { IpAddr::from([192, 0, 2, octet]) } else { IpAddr::from(in_v6) }
}

/// Makes a referral to an ancestor of the name, or to somewhere else.
fn referral(data: &mut &[u8], name: &Name) -> Response {
    let depth = usize::from(next(data));
    let zone = name.ancestors().nth(depth % 12).unwrap_or_else(|| Name::parse("elsewhere.example.").expect("a name"));
    let hosts = usize::from(next(data)) % 20 + 1;
    let host = |nth: usize| Name::parse(&format!("ns{nth}.example.net.")).expect("a name");
    let glue = (0..usize::from(next(data)) % 20).map(|nth| (host(nth), address(next(data)))).collect();
    let servers = (0..hosts).map(host).collect();
    Response::Referral(Referral { zone, servers, glue, ttl: Ttl::default(), proofs: None })
}

/// Reads a message and has it be about what was asked.
fn said(data: &mut &[u8], question: &Question, zone: &Name) -> Option<Response> {
    let length = u16::from_be_bytes([next(data), next(data)]);
    let mut message = Message::decode(take(data, usize::from(length))).ok()?;
    if let Some(Question { name, .. }) = message.question.replace(question.clone()) {
        message.answers.iter_mut().filter(|record| record.owner == name).for_each(|record| {
            record.owner = question.name.to_lowercase();
        });
    }
    Some(read_response(&message, question, zone).response)
}

/// Makes what a server says.
fn response(data: &mut &[u8], question: &Question, zone: &Name) -> Option<Response> {
    match next(data) % 8 {
        0 => None,
        1 => Some(Response::Lame(Lameness::UpwardReferral)),
        2 => Some(Response::Failed(Rcode::SERVFAIL)),
        3 => Some(Response::NxDomain(Negative::default())),
        4 => Some(Response::NoData(Negative::default())),
        SAYS => said(data, question, zone),
        _ => Some(referral(data, &question.name)),
    }
}

/// Makes the addresses of one server.
fn addresses(data: &mut &[u8]) -> Result<Vec<IpAddr>, Unresolved> {
    let answer = next(data);
    match answer % 6 {
        0 => Err(Unresolved::NxDomain),
        1 => Err(Unresolved::Loop),
        2 => Err(Unresolved::Limit),
        3 => Ok(Vec::new()),
        count => Ok((0..count).map(|nth| address(answer.wrapping_add(nth))).collect()),
    }
}

/// Runs a walk.
///
/// # Panics
/// Panics where the walk does not end, goes where it should not, or asks the same twice.
pub(crate) fn run(data: &[u8]) {
    let mut data = data;
    let name = Name::parse("t1._domainkey.a.b.c.d.e.f.mail.example.com.").expect("a name");
    let setup = next(&mut data);
    let until = match (setup & UNTIL_ANSWER, setup & UNTIL_WAY) {
        (0, 0) => Until::Zone,
        (0, _) => Until::Way,
        (_, _) => Until::Answer,
    };
    let root = root_hints::root_cut(&root_hints::public());
    let mut walk = Walk::new(Question::new(name.clone(), RecordType::CNAME), until, vec![root.into()]);
    if setup & MINIMISED != 0 {
        walk = walk.minimised();
    }
    let mut asked: BTreeSet<(Name, IpAddr, Question)> = BTreeSet::new();
    for _ in 0..MAX_STEPS {
        match walk.next() {
            Step::Done(_) => {
                let zones: Vec<&Name> = walk.cuts().iter().map(|cut| &cut.zone).collect();
                assert!(zones.len() <= MAX_CUTS);
                assert!(zones.is_sorted_by(|above, below| below.is_strictly_below(above)));
                assert!(zones.iter().all(|zone| name.is_subdomain_of(zone)));
                return;
            }
            Step::Resolve { names } => {
                assert!(!names.is_empty() && names.len() <= MAX_SERVERS_PER_CUT);
                for host in names {
                    walk.handle_addresses(&host, addresses(&mut data));
                }
            }
            Step::Ask { zone, question, untried } => {
                assert!(name.is_subdomain_of(&question.name) && question.name.is_subdomain_of(&zone));
                let nth = usize::from(next(&mut data)) % untried.len();
                let (_, address) = untried[nth];
                let response = response(&mut data, &question, &zone);
                assert!(asked.insert((zone, address, question)), "the same address twice");
                walk.handle_reply(address, response.as_ref());
            }
        }
    }
    panic!("the walk did not end");
}
