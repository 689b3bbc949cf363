//! Whatever the servers say, a walk ends, asks no address twice in one zone, and only goes down towards its name.
#![no_main]

use std::collections::BTreeSet;
use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use zoneproof::dns::name::Name;
use zoneproof::dns::response::{Lameness, Negative, Referral, Response};
use zoneproof::dns::rrset::{Question, Rcode, RecordType, Ttl};
use zoneproof::evidence::Unresolved;
use zoneproof::walk::machine::{MAX_CUTS, MAX_SERVERS_PER_CUT, Step, Until, Walk};
use zoneproof::walk::root_hints;

/// More steps than any walk may take: each cut has 13 servers that may need an address, and tries.
const MAX_STEPS: usize = MAX_CUTS * (MAX_SERVERS_PER_CUT + 8) * 2;

/// Takes the next octet; zero when there is none.
fn next(data: &mut &[u8]) -> u8 {
    match data.split_first() {
        Some((first, rest)) => {
            *data = rest;
            *first
        }
        None => 0,
    }
}

/// Makes an address of one octet.
fn address(octet: u8) -> IpAddr {
    if octet < 128 { IpAddr::from([192, 0, 2, octet]) } else { IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet)]) }
}

/// Makes a referral to an ancestor of the name, or to somewhere else.
fn referral(data: &mut &[u8], name: &Name) -> Response {
    let depth = usize::from(next(data));
    let zone = name.ancestors().nth(depth % 12).unwrap_or_else(|| Name::parse("elsewhere.example.").expect("a name"));
    let hosts = usize::from(next(data)) % 20 + 1;
    let host = |nth: usize| Name::parse(&format!("ns{nth}.example.net.")).expect("a name");
    let glue = (0..usize::from(next(data)) % 20).map(|nth| (host(nth), address(next(data)))).collect();
    Response::Referral(Referral { zone, servers: (0..hosts).map(host).collect(), glue, ttl: Ttl::default(), is_signed: false })
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let name = Name::parse("t1._domainkey.a.b.c.d.e.f.mail.example.com.").expect("a name");
    let until = if next(&mut data) & 1 == 0 { Until::Zone } else { Until::Answer };
    let root = root_hints::root_cut(&root_hints::public());
    let mut walk = Walk::new(Question::new(name.clone(), RecordType::CNAME), until, vec![root]);
    let mut asked: BTreeSet<(Name, IpAddr)> = BTreeSet::new();
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
                    let answer = next(&mut data);
                    let addresses = match answer % 6 {
                        0 => Err(Unresolved::NxDomain),
                        1 => Err(Unresolved::Loop),
                        2 => Err(Unresolved::Limit),
                        3 => Ok(Vec::new()),
                        count => Ok((0..count).map(|nth| address(answer.wrapping_add(nth))).collect()),
                    };
                    walk.handle_addresses(&host, addresses);
                }
            }
            Step::Ask { zone, untried, .. } => {
                let nth = usize::from(next(&mut data)) % untried.len();
                let (_, address) = untried[nth];
                assert!(asked.insert((zone, address)), "the same address twice");
                let response = match next(&mut data) % 8 {
                    0 => None,
                    1 => Some(Response::Lame(Lameness::UpwardReferral)),
                    2 => Some(Response::Failed(Rcode::SERVFAIL)),
                    3 => Some(Response::NxDomain(Negative::default())),
                    4 => Some(Response::NoData(Negative::default())),
                    _ => Some(referral(&mut data, &name)),
                };
                walk.handle_reply(address, response.as_ref());
            }
        }
    }
    panic!("the walk did not end");
});
