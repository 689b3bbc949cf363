//! The way from the root to a name.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rrset::{Record, Ttl};

/// Why a server's name has no address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unresolved {
    /// The name does not exist.
    NxDomain,
    /// The name exists, without an A or AAAA record.
    NoAddress,
    /// The name is an alias, which a server's name must not be (RFC 2181 §10.3).
    Alias,
    /// The servers that would know did not answer.
    Unanswered,
    /// To learn the address one must know it already.
    Loop,
    /// A limit of ours kept it from being looked up.
    Limit,
}

/// One authoritative server by its name (RFC 9499 §7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameServer {
    /// The host name, as the parent gives it.
    pub name: Name,
    /// Its addresses, sorted, without duplicates.
    pub addresses: Vec<IpAddr>,
    /// Why there is no address, where there is none.
    pub unresolved: Option<Unresolved>,
}

/// A zone and who serves it, as its parent says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneCut {
    /// The zone.
    pub zone: Name,
    /// The zone that delegates it; the root has none.
    pub parent: Option<Name>,
    /// Its servers, sorted by name, without duplicates.
    pub servers: Vec<NameServer>,
    /// How long the parent's word holds.
    pub ttl: Ttl,
    /// The records of DNSSEC that the parent gave with it: DS records, or what denies them, with their signatures; `None`
    /// where it was not asked for them.
    pub proofs: Option<Box<[Record]>>,
}

impl ZoneCut {
    /// Iterates over (server name, address) of all addresses, in order of names and addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (&Name, IpAddr)> {
        self.servers.iter().flat_map(|server| server.addresses.iter().map(|address| (&server.name, *address)))
    }

    /// Iterates over the names of the servers.
    pub fn server_names(&self) -> impl Iterator<Item = &Name> {
        self.servers.iter().map(|server| &server.name)
    }
}

/// How the way to a name ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ChainEnd {
    /// The last zone is the one to ask: it is as deep as referrals lead.
    Reached,
    /// No server of the last zone has an address.
    Unresolvable,
    /// No server of the last zone, which only leads on, gave a usable reply.
    Unanswered,
    /// The delegations lead in a circle.
    Loop,
    /// A limit of ours ended the walk.
    Limit,
}

/// The zones between the root and a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelegationChain {
    /// The zones, the root first, each delegated by the one before it.
    pub zones: Vec<Name>,
    /// How the walk ended.
    pub end: ChainEnd,
}
