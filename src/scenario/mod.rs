//! A small Internet in one text: who serves which zone, who misbehaves how, and what should come of it.
//!
//! A [`Scenario`] is replayed without sockets by [`replay::Replay`], served on loopback by the lab, and written from a live
//! run by [`capture::Capture`].
//! What it expects of a check is plain data; the one who runs it compares.
//!
//! # The text
//!
//! One statement a line; what is indented belongs to the statement above. A comment starts at `;`, or at a `#` in
//! front of a word; the comment lines at the very top are the title. Names outside zones are absolute with or without the
//! final dot. Times are seconds, or have a unit behind them: `s m h d w`, and `ms` where they are short.
//!
//! ```text
//! root ADDRESS...                   root servers, a.root-servers.net. and so on; else those of the zone `.`
//! zone NAME at ADDRESS...           a zone, and who serves it; it goes on where the same line stands again, and differing
//!                                   copies at other addresses may follow
//!   $TTL TIME                       the time to live of the records below; 300 seconds if not told
//!   OWNER [TTL] [IN] TYPE DATA      names with a final dot are absolute, others relative to the zone, `@` is its apex
//! server ADDRESS...                 misbehaviour; the first rule that takes a query decides, else the zones answer
//!   [udp|tcp] [edns] TYPE|any [NAME|under NAME|*] [first N|every N] -> BODY[, TWIST]...
//!     answer|authority|additional OWNER [TTL] TYPE DATA           more records, in their section
//! check DOMAIN [OPTION=VALUE]...    token dkim_zone require depth region mail_from inbound selector public_key
//!                                   previous_token previous_ns dns_provider
//! lookup NAME TYPE
//!   expect verdict ready|propagating|partial|failing|indeterminate
//!   expect root_cause CODE|none
//!   expect record KIND NAME ok|absent|wrong|inconsistent|unable_to_check [CODE]
//!   expect finding CODE [at NAME|ADDRESS] [ARGUMENT=VALUE]...
//!   expect no other findings
//!   expect questions [at ADDRESS] <=|=|>= N
//!   expect remedy contains "TEXT"
//!   expect horizon negative|positive|delegation within TIME
//!   expect rcode RCODE              of a lookup, as the four below
//!   expect answer OWNER TYPE DATA
//!   expect no other answers
//!   expect reason WORD
//! ```
//!
//! A zone without an SOA gets `ns hostmaster 1 7200 900 1209600 300`, where `ns` is the first of its NS. One without NS at
//! its apex gets those of the delegation in the zone above, with their glue; without such a one, `ns1` in itself with
//! the addresses that serve it; and the root gets the names of the root servers. Data is written as in master files, a line each: A, AAAA, NS, CNAME, DNAME,
//! PTR, SOA, MX, TXT and DS in their own form, every type as `\# LENGTH HEX` (RFC 3597), malformed data too.
//!
//! Bodies: `normal` (what the zones answer), a response code (a reply with nothing in it), `upward-referral`,
//! `silence`, `refuse-connection`, `raw HEX` (all octets behind the id; `-` for none).
//! Twists, in the order given: `after TIME`, `aa`, `no-aa`, `ra`, `rd`, `tc` (the bit alone), `truncate` (TC=1, nothing
//! else), `recursive-proxy` (AA=0, RA=1), `no-soa`, `no-glue`, `no-edns`, `edns OCTETS`, `ede CODE`, `ttl TIME`, `bare` (a
//! header alone), `lower-case` and `wrong-question` (of the question), `wrong-id`, `cut OCTETS`. A body that is `normal` can
//! be left out. Over UDP, what does not fit is cut with TC=1 anyhow. `first N` and `every N` count how often the address is
//! asked the same question, over UDP or TCP.
//!
//! ```
//! use zoneproof::scenario::Scenario;
//!
//! let text = r#"
//! ; Host doubled: the panel appended the zone to the host field.
//!
//! zone . at 198.51.100.1
//!   com              NS   a.gtld.example.
//!   a.gtld.example.  A    192.0.2.1
//! zone com at 192.0.2.1
//!   example          NS   ns1.example
//!   ns1.example      A    192.0.2.53
//!   example          NS   ns2.example
//!   ns2.example      A    192.0.2.54
//! zone example.com at 192.0.2.53 192.0.2.54
//!   $TTL 1h
//!   mail             TXT  "v=spf1 include:amazonses.com ~all"
//!   _dmarc           TXT  "v=DMARC1; p=none"
//!   t1._domainkey.mail.example.com  300  CNAME  t1.dkim.amazonses.com.
//!   t2._domainkey.mail                   CNAME  t2.dkim.amazonses.com.
//!   t3._domainkey.mail                   CNAME  t3.dkim.amazonses.com.
//! server 192.0.2.54
//!   udp any under _domainkey.mail.example.com first 1 -> silence
//!   edns any -> FORMERR, bare          # an old server
//!   MX -> after 250ms, no-aa
//!   TXT a.example.com -> NXDOMAIN, aa
//!     authority example.com 60 SOA ns1.example.com. hostmaster.example.com. 7 7200 900 1209600 60
//!
//! check mail.example.com token=t1 token=t2 token=t3 require=spf,dmarc depth=full
//!   expect verdict partial
//!   expect root_cause host_doubled
//!   expect record dkim t1._domainkey.mail.example.com wrong host_doubled
//!   expect finding host_doubled at t1._domainkey.mail.example.com
//!   expect no other findings
//!   expect questions <= 30
//! lookup mail.example.com TXT
//!   expect rcode NOERROR
//!   expect answer mail.example.com TXT "v=spf1 include:amazonses.com ~all"
//! "#;
//! let scenario: Scenario = text.parse()?;
//! assert_eq!(scenario.title, "Host doubled: the panel appended the zone to the host field.");
//! assert_eq!(scenario.zones().len(), 3);
//! assert_eq!(scenario.tasks.len(), 2);
//! assert_eq!(scenario.to_string().parse::<Scenario>()?, scenario);
//! # Ok::<(), zoneproof::scenario::ParseError>(())
//! ```

pub mod capture;
pub mod expect;
pub mod fixture;
mod parse;
mod print;
pub mod replay;
pub mod rule;
pub mod server;
pub mod zone;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::rrset::{Record, RecordType, Ttl};
pub use expect::Task;
pub use parse::{MAX_TEXT_OCTETS, ParseError};
pub use rule::{Rule, Server};
pub use server::Action;
use zone::DEFAULT_TTL_SECONDS;
pub use zone::Zone;

/// The most root servers: they have the names `a` to `m`.
pub const MAX_ROOTS: usize = 13;

/// A zone and the addresses that serve this copy of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedZone {
    /// The zone.
    pub zone: Zone,
    /// The addresses, never empty.
    pub addresses: Vec<IpAddr>,
}

/// What one address has, by its place in the scenario.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Host {
    /// The zones that it serves.
    zones: HashMap<Name, usize>,
    /// The server statements that name it.
    servers: Vec<usize>,
}

/// A small Internet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scenario {
    /// What it is about, in one or more lines.
    pub title: String,
    /// What is to be done in it.
    pub tasks: Vec<Task>,
    /// The root servers.
    roots: Vec<IpAddr>,
    /// The zones, each with SOA and NS.
    zones: Vec<ServedZone>,
    /// Who misbehaves.
    servers: Vec<Server>,
    /// What every address has.
    hosts: HashMap<IpAddr, Host>,
}

impl Scenario {
    /// Puts a scenario together; zones without SOA or apex NS get those that the module tells of.
    ///
    /// Without `roots`, the servers of the first root zone are taken; of more than [`MAX_ROOTS`], the first ones. Of two
    /// copies of a zone at one address the last one counts.
    #[must_use]
    pub fn new(
        title: String,
        roots: Vec<IpAddr>,
        zones: Vec<ServedZone>,
        servers: Vec<Server>,
        tasks: Vec<Task>,
    ) -> Self {
        let mut scenario = Self { title, tasks, roots, zones, servers, hosts: HashMap::new() };
        if scenario.roots.is_empty() {
            let root = scenario.zones.iter().find(|served| served.zone.origin().is_root());
            scenario.roots = root.map(|served| served.addresses.clone()).unwrap_or_default();
        }
        scenario.roots.truncate(MAX_ROOTS);
        scenario.complete_zones();
        for (place, served) in scenario.zones.iter().enumerate() {
            for address in &served.addresses {
                let host = scenario.hosts.entry(*address).or_default();
                host.zones.insert(served.zone.origin().clone(), place);
            }
        }
        for (place, server) in scenario.servers.iter().enumerate() {
            for address in &server.addresses {
                scenario.hosts.entry(*address).or_default().servers.push(place);
            }
        }
        scenario
    }

    /// Returns the root servers with their names, in order.
    #[must_use]
    pub fn root_hints(&self) -> Vec<(Name, IpAddr)> {
        (0..MAX_ROOTS).map(root_server_name).zip(self.roots.iter().copied()).collect()
    }

    /// Returns the zones, in the order given; several may be copies of one.
    #[must_use]
    pub fn zones(&self) -> &[ServedZone] {
        &self.zones
    }

    /// Returns all addresses that serve or misbehave, sorted, without duplicates.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = self.hosts.keys().copied().collect();
        addresses.sort();
        addresses
    }

    /// Says whether anything is at an address.
    #[must_use]
    pub fn knows(&self, address: IpAddr) -> bool {
        self.hosts.contains_key(&address)
    }

    /// Returns the copy of a zone that an address serves.
    #[must_use]
    pub fn zone_at(&self, address: IpAddr, origin: &Name) -> Option<&Zone> {
        let place = self.hosts.get(&address)?.zones.get(origin)?;
        self.zones.get(*place).map(|served| &served.zone)
    }

    /// Iterates over the rules of an address, in order.
    pub fn rules_at(&self, address: IpAddr) -> impl Iterator<Item = &Rule> {
        let places = self.hosts.get(&address).map(|host| host.servers.as_slice()).unwrap_or_default();
        places.iter().filter_map(|place| self.servers.get(*place)).flat_map(|server| &server.rules)
    }

    /// Gives every zone the SOA and the NS that it lacks.
    fn complete_zones(&mut self) {
        let mut copies: HashMap<Name, Vec<usize>> = HashMap::new();
        for (place, served) in self.zones.iter().enumerate() {
            copies.entry(served.zone.origin().clone()).or_default().push(place);
        }
        for place in 0..self.zones.len() {
            let Some(served) = self.zones.get(place) else { break };
            let origin = served.zone.origin();
            let has_servers = served.zone.has(origin, RecordType::NS);
            let records = if has_servers { Vec::new() } else { self.made_up_servers(served, &copies) };
            if let Some(served) = self.zones.get_mut(place) {
                add_all(&mut served.zone, records);
                add_soa(&mut served.zone);
            }
        }
    }

    /// Finds the NS records of a zone that tells none, and the addresses of those that lie in it.
    fn made_up_servers(&self, served: &ServedZone, copies: &HashMap<Name, Vec<usize>>) -> Vec<Record> {
        let origin = served.zone.origin();
        if origin.is_root() {
            return self
                .root_hints()
                .into_iter()
                .flat_map(|(host, address)| ns_and_address(origin, &host, address))
                .collect();
        }
        let parents = origin.ancestors().skip(1).filter_map(|above| copies.get(&above)).flatten();
        let mut parents = parents.filter_map(|place| self.zones.get(*place)).map(|served| &served.zone);
        let Some(parent) = parents.find(|parent| parent.has(origin, RecordType::NS)) else {
            let host = origin.prepend("ns1").unwrap_or_else(|_| origin.clone());
            return served.addresses.iter().flat_map(|address| ns_and_address(origin, &host, *address)).collect();
        };
        let mut records = parent.records_at(origin, RecordType::NS);
        for place in 0..records.len() {
            let Some(Rdata::Ns(host)) = records.get(place).map(|record| &record.rdata) else { continue };
            let host = host.clone();
            for kind in [RecordType::A, RecordType::AAAA] {
                if host.is_subdomain_of(origin) && !served.zone.has(&host, kind) {
                    records.extend(parent.records_at(&host, kind));
                }
            }
        }
        records
    }
}

/// Writes an NS record and the address of its host.
fn ns_and_address(zone: &Name, host: &Name, address: IpAddr) -> [Record; 2] {
    let ttl = Ttl::from_wire(DEFAULT_TTL_SECONDS);
    let rdata = match address {
        IpAddr::V4(address) => Rdata::A(address),
        IpAddr::V6(address) => Rdata::Aaaa(address),
    };
    [Record { owner: zone.clone(), ttl, rdata: Rdata::Ns(host.clone()) }, Record { owner: host.clone(), ttl, rdata }]
}

/// Adds records, leaving out those that have no place in the zone.
fn add_all(zone: &mut Zone, records: Vec<Record>) {
    for record in records {
        // A name that is an alias already stays one: the text wants it so.
        let _ = zone.add(record);
    }
}

/// Gives a zone the SOA that it lacks.
fn add_soa(zone: &mut Zone) {
    let origin = zone.origin().clone();
    if zone.has(&origin, RecordType::SOA) {
        return;
    }
    let first = zone.records_at(&origin, RecordType::NS).into_iter().find_map(|record| match record.rdata {
        Rdata::Ns(host) => Some(host),
        _ => None,
    });
    let ttl = Ttl::from_wire(DEFAULT_TTL_SECONDS);
    let soa = Soa {
        mname: first.unwrap_or_else(|| origin.clone()),
        rname: origin.prepend("hostmaster").unwrap_or_else(|_| origin.clone()),
        serial: 1,
        refresh: 7200,
        retry: 900,
        expire: 1_209_600,
        minimum: ttl,
    };
    add_all(zone, vec![Record { owner: origin, ttl, rdata: Rdata::Soa(soa) }]);
}

/// Returns the name of a root server; there are [`MAX_ROOTS`].
fn root_server_name(index: usize) -> Name {
    let letter = u8::try_from(index).map_or(b'a', |index| b'a'.saturating_add(index));
    Name::from_labels([[letter].as_slice(), b"root-servers", b"net"]).unwrap_or_else(|_| Name::root())
}
