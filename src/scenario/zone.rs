//! A zone that answers by itself, as RFC 1034 §4.3.2 says.
//!
//! It reads nothing but its own records and never leaves itself: an alias is followed as far as it stays inside. Signatures
//! and NSEC records are given out where they stand in the zone and are asked for; nothing is signed here.

use std::collections::{HashMap, HashSet};

use crate::dns::message::{Flags, Message};
use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use crate::scenario::print::data_text;

/// The time to live of records that are given none, in seconds.
pub const DEFAULT_TTL_SECONDS: u32 = 300;
/// The most aliases that one answer follows: NSD follows as many as fit a message, BIND gives up after 11 with SERVFAIL.
const MAX_ALIASES: usize = 64;

/// How many data of one set are searched one by one for a duplicate of what is added; an honest set has fewer.
const SEARCHED_ONE_BY_ONE: usize = 64;

/// Why a record has no place in a zone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// The owner is not in the zone.
    #[error("{owner} is not in the zone {zone}")]
    OutOfZone {
        /// The owner of the record.
        owner: Name,
        /// The zone.
        zone: Name,
    },
    /// A CNAME stands alone but for its signature and NSEC (RFC 1034 §3.6.2, RFC 4035 §2.5), a zone has one SOA and a name one DNAME.
    #[error("{0} has a record already that suffers no other beside it")]
    Conflict(Name),
    /// An SOA stands below the apex.
    #[error("{0} has an SOA record, which belongs to the apex")]
    MisplacedSoa(Name),
}

/// The records of one type at one name.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Set {
    /// The type.
    kind: RecordType,
    /// The lowest time to live that was given.
    ttl: Ttl,
    /// The data, in the order given, without duplicates.
    data: Vec<Rdata>,
    /// The same again where it is too much to be searched for duplicates one by one; else empty.
    known: HashSet<Rdata>,
}

/// A name in the zone; without sets it is an empty non-terminal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Node {
    /// The sets, sorted by type.
    sets: Vec<Set>,
}

impl Node {
    /// Finds the records of one type.
    fn set(&self, kind: RecordType) -> Option<&Set> {
        self.sets.iter().find(|set| set.kind == kind)
    }
}

impl Set {
    /// Starts without data.
    fn new(kind: RecordType, ttl: Ttl) -> Self {
        Self { kind, ttl, data: Vec::new(), known: HashSet::new() }
    }

    /// Says whether these data are there.
    fn contains(&self, rdata: &Rdata) -> bool {
        if self.known.is_empty() { self.data.contains(rdata) } else { self.known.contains(rdata) }
    }

    /// Adds data that are not there.
    fn push(&mut self, rdata: Rdata) {
        self.data.push(rdata);
        match self.data.len() {
            SEARCHED_ONE_BY_ONE => self.known = self.data.iter().cloned().collect(),
            length if length > SEARCHED_ONE_BY_ONE => self.known.extend(self.data.last().cloned()),
            _ => {}
        }
    }

    /// Iterates over the records, with `owner` in front.
    fn records<'a>(&'a self, owner: &'a Name) -> impl Iterator<Item = Record> + 'a {
        self.data.iter().map(|rdata| Record { owner: owner.clone(), ttl: self.ttl, rdata: rdata.clone() })
    }
}

/// Where the way down to a name ends.
enum Place<'a> {
    /// At the name itself, or at the wildcard that stands for it.
    Node(&'a Node),
    /// At a zone cut at or above the name.
    Cut(Name, &'a Set),
    /// At a DNAME above the name.
    Redirect(Name, &'a Set),
    /// There is no such name.
    Nothing,
}

/// The records of one zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    /// The apex.
    origin: Name,
    /// All names from the apex down, empty non-terminals included.
    nodes: HashMap<Name, Node>,
}

impl Zone {
    /// Starts a zone without records.
    #[must_use]
    pub fn new(origin: Name) -> Self {
        let nodes = HashMap::from([(origin.clone(), Node::default())]);
        Self { origin, nodes }
    }

    /// Returns the apex.
    #[must_use]
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// Takes a record in; one that is there already changes nothing but the time to live, where it is lower.
    ///
    /// # Errors
    /// Any [`ZoneError`].
    pub fn add(&mut self, record: Record) -> Result<(), ZoneError> {
        let Record { owner, ttl, rdata } = record;
        if !owner.is_subdomain_of(&self.origin) {
            return Err(ZoneError::OutOfZone { owner, zone: self.origin.clone() });
        }
        let kind = rdata.kind();
        if kind == RecordType::SOA && owner != self.origin {
            return Err(ZoneError::MisplacedSoa(owner));
        }
        self.add_names_above(&owner);
        let node = self.nodes.entry(owner.clone()).or_default();
        let is_alias = kind == RecordType::CNAME;
        let is_beside_alias = |kind: RecordType| matches!(kind, RecordType::RRSIG | RecordType::NSEC);
        let is_barred = |set: &Set| set.kind != kind && !is_beside_alias(set.kind) && !is_beside_alias(kind);
        if node.sets.iter().any(|set| is_barred(set) && (is_alias || set.kind == RecordType::CNAME)) {
            return Err(ZoneError::Conflict(owner));
        }
        let at = match node.sets.binary_search_by_key(&kind, |set| set.kind) {
            Ok(at) => at,
            Err(at) => {
                node.sets.insert(at, Set::new(kind, ttl));
                at
            }
        };
        let Some(set) = node.sets.get_mut(at) else { return Ok(()) };
        set.ttl = set.ttl.min(ttl);
        if !set.contains(&rdata) {
            let is_single = is_alias || matches!(kind, RecordType::SOA | RecordType::DNAME);
            if is_single && !set.data.is_empty() {
                return Err(ZoneError::Conflict(owner));
            }
            set.push(rdata);
        }
        Ok(())
    }

    /// Makes the names between the apex and `owner`, as empty non-terminals where they have no records.
    fn add_names_above(&mut self, owner: &Name) {
        let mut above = owner.parent();
        while let Some(name) = above {
            if self.nodes.contains_key(&name) {
                break;
            }
            above = name.parent();
            self.nodes.insert(name, Node::default());
        }
    }

    /// Says whether a name has records of a type.
    #[must_use]
    pub fn has(&self, owner: &Name, kind: RecordType) -> bool {
        self.nodes.get(owner).is_some_and(|node| node.set(kind).is_some())
    }

    /// Returns the records of one name and type, in the order given; may be empty.
    #[must_use]
    pub fn records_at(&self, owner: &Name, kind: RecordType) -> Vec<Record> {
        let set = self.nodes.get(owner).and_then(|node| node.set(kind));
        set.map(|set| set.records(owner).collect()).unwrap_or_default()
    }

    /// Returns all records: the SOA first, then in canonical order of names and by type.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut names: Vec<&Name> = self.nodes.keys().collect();
        names.sort_by_cached_key(|name| *name);
        let rest = names.into_iter().flat_map(|name| {
            let sets = self.nodes.get(name).map(|node| node.sets.as_slice()).unwrap_or_default();
            sets.iter().filter(|set| set.kind != RecordType::SOA).flat_map(move |set| set.records(name))
        });
        self.records_at(&self.origin, RecordType::SOA).into_iter().chain(rest).collect()
    }

    /// Writes the zone as a master file that other servers load (RFC 1035 §5).
    #[must_use]
    pub fn to_zone_file(&self) -> String {
        let mut text = format!("$ORIGIN {}\n$TTL {DEFAULT_TTL_SECONDS}\n", self.origin);
        for record in self.records() {
            text.push_str(&format!("{} {} IN {} ", record.owner, record.ttl.seconds(), record.kind()));
            text.push_str(&data_text(&record.rdata));
            text.push('\n');
        }
        text
    }

    /// Answers a question about a name in the zone: response code, AA and the three sections; id, question and EDNS are
    /// left to the server. A name outside is REFUSED.
    ///
    /// Aliases and DNAMEs are followed inside the zone, unless the CNAME is what was asked for; a referral has AA=0 unless
    /// an alias led to it; the additional section holds the glue of a referral and nothing else. Where `dnssec_ok` is set (RFC
    /// 3225), DS records, signatures and NSEC records go along as far as the zone has them.
    ///
    /// Source: RFC 1034 §4.3.2, RFC 2308 §2-3, RFC 4592 §3.3.1, RFC 6672 §3.2, RFC 9471 §2.
    #[must_use]
    pub fn answer(&self, question: &Question, dnssec_ok: bool) -> Message {
        let mut reply = Message { flags: Flags { authoritative: true, ..Flags::default() }, ..Message::default() };
        let mut name = question.name.clone();
        let mut followed = Vec::new();
        if !name.is_subdomain_of(&self.origin) {
            return Message { rcode: Rcode::REFUSED, ..Message::default() };
        }
        let is_alias_wanted = matches!(question.kind, RecordType::CNAME | RecordType::ANY);
        while let Some(next) = self.answer_at(&mut reply, &name, question.kind) {
            followed.push(name);
            if is_alias_wanted
                || !next.is_subdomain_of(&self.origin)
                || followed.contains(&next)
                || followed.len() > MAX_ALIASES
            {
                break;
            }
            name = next;
        }
        if dnssec_ok {
            self.add_proofs(&mut reply, question);
        } else {
            reply.authority.retain(|record| record.kind() != RecordType::DS);
        }
        reply
    }

    /// Answers for one name; returns the name that an alias leads on to.
    fn answer_at(&self, reply: &mut Message, name: &Name, kind: RecordType) -> Option<Name> {
        match self.find(name, kind) {
            Place::Cut(owner, servers) => self.refer(reply, &owner, servers),
            Place::Redirect(owner, dname) => return redirect(reply, name, &owner, dname),
            Place::Nothing => {
                reply.rcode = Rcode::NXDOMAIN; // also at the end of a chain of aliases: RFC 6604 §3
                reply.authority.extend(self.negative_soa());
            }
            Place::Node(node) => {
                let alias = node.set(RecordType::CNAME);
                if let Some(alias) = alias.filter(|_| !matches!(kind, RecordType::CNAME | RecordType::ANY)) {
                    reply.answers.extend(alias.records(name));
                    return alias.data.iter().find_map(|rdata| match rdata {
                        Rdata::Cname(target) => Some(target.clone()),
                        _ => None,
                    });
                }
                let wanted = node.sets.iter().filter(|set| kind == RecordType::ANY || set.kind == kind);
                let before = reply.answers.len();
                reply.answers.extend(wanted.flat_map(|set| set.records(name)));
                if reply.answers.len() == before {
                    reply.authority.extend(self.negative_soa());
                }
            }
        }
        None
    }

    /// Goes down from the apex to `name`, until there is a cut, a DNAME or nothing in the way.
    fn find(&self, name: &Name, kind: RecordType) -> Place<'_> {
        let mut way: Vec<Name> = name.ancestors().take_while(|above| above.is_subdomain_of(&self.origin)).collect();
        let mut encloser: Option<(Name, &Node)> = None;
        while let Some(step) = way.pop() {
            let Some(node) = self.nodes.get(&step) else { break };
            let is_last = way.is_empty();
            // The DS of a cut belongs to the parent (RFC 4035 §3.1.4.1).
            let may_cut = step != self.origin && !(is_last && kind == RecordType::DS);
            if let Some(servers) = node.set(RecordType::NS).filter(|_| may_cut) {
                return Place::Cut(step, servers);
            }
            if is_last {
                return Place::Node(node);
            }
            if let Some(dname) = node.set(RecordType::DNAME) {
                return Place::Redirect(step, dname);
            }
            encloser = Some((step, node));
        }
        let wildcard = encloser.and_then(|(closest, _)| closest.prepend("*").ok());
        wildcard.and_then(|wildcard| self.nodes.get(&wildcard)).map_or(Place::Nothing, Place::Node)
    }

    /// Writes a referral, with the addresses that the zone holds for the servers it names.
    fn refer(&self, reply: &mut Message, owner: &Name, servers: &Set) {
        reply.flags.authoritative = !reply.answers.is_empty();
        reply.authority.extend(servers.records(owner));
        reply.authority.extend(self.records_at(owner, RecordType::DS));
        for server in &servers.data {
            let Rdata::Ns(host) = server else { continue };
            for kind in [RecordType::A, RecordType::AAAA] {
                reply.additional.extend(self.records_at(host, kind));
            }
        }
    }

    /// Returns the SOA as it goes with a negative answer: its TTL at most the MINIMUM (RFC 2308 §3).
    fn negative_soa(&self) -> Option<Record> {
        let soa = self.nodes.get(&self.origin)?.set(RecordType::SOA)?;
        let mut record = soa.records(&self.origin).next()?;
        if let Rdata::Soa(Soa { minimum, .. }) = &record.rdata {
            record.ttl = record.ttl.min(*minimum);
        }
        Some(record)
    }
}

/// Writes a DNAME and the CNAME that follows from it; returns where that leads.
fn redirect(reply: &mut Message, name: &Name, owner: &Name, dname: &Set) -> Option<Name> {
    reply.answers.extend(dname.records(owner));
    let target = dname.data.iter().find_map(|rdata| match rdata {
        Rdata::Dname(target) => Some(target),
        _ => None,
    })?;
    let Some(alias) = name.without_suffix(owner).and_then(|front| front.concat(target).ok()) else {
        reply.rcode = Rcode::YXDOMAIN; // RFC 6672 §2.2: the new name is too long
        return None;
    };
    reply.answers.push(Record { owner: name.clone(), ttl: dname.ttl, rdata: Rdata::Cname(alias.clone()) });
    Some(alias)
}

mod proofs;
#[cfg(test)]
mod tests;
