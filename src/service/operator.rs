//! Which shard a domain belongs to: that of the operator of its name servers. Pure.
//!
//! All questions to one operator's servers are to leave from one process, whose pace then is the pace of all machines.
//! An operator is told by the registrable domain of its servers' names; servers that a domain has named after itself
//! are told by their network, where they are likely the same machines under other names. Who serves the zone that the
//! registry delegates counts, not who serves a zone below it: that is what is known before anybody else is asked.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::dns::name::Name;
use crate::dns::public_suffix::{is_registry, registrable_name};
use crate::evidence::ZoneCut;
use crate::report::Report;
use crate::store::SHARDS;

/// How many bits of an IPv4 address tell a network (SECURITY.md A9).
const V4_PREFIX: u32 = 24;
/// How many bits of an IPv6 address tell a network (SECURITY.md A9).
const V6_PREFIX: u32 = 48;

/// Returns the shard of a domain of whose servers nothing is known yet: its own name spreads it.
#[must_use]
pub fn provisional_shard(domain: &Name) -> u16 {
    shard_of_key(&registrable_name(domain).unwrap_or_else(|| domain.clone()).to_lowercase().to_string())
}

/// Returns the shard of the operator of a zone; `None` where no server of it is known.
#[must_use]
pub fn shard_of_cut(cut: &ZoneCut) -> Option<u16> {
    let servers: Vec<(Name, &[IpAddr])> =
        cut.servers.iter().map(|server| (server.name.clone(), server.addresses.as_slice())).collect();
    Some(shard_of_key(&operator_key(&cut.zone, &servers)?))
}

/// Returns the shard of the operator that a report names; `None` where no zone was found that people registered.
#[must_use]
pub fn shard_of_report(report: &Report) -> Option<u16> {
    let domain = Name::parse(&report.domain).ok()?;
    let zones = report.delegation.iter().filter_map(|zone| Some((Name::parse(&zone.zone).ok()?, zone)));
    let (name, zone) = zones
        .filter(|(name, _)| domain.is_subdomain_of(name) && !is_registry(name))
        .min_by_key(|(name, _)| name.label_count())?;
    let servers: Vec<(Name, &[IpAddr])> = zone
        .servers
        .iter()
        .filter_map(|server| Some((Name::parse(&server.name).ok()?, server.addresses.as_slice())))
        .collect();
    Some(shard_of_key(&operator_key(&name, &servers)?))
}

/// Tells an operator by its servers, whatever their order: the least name or network that speaks for it.
fn operator_key(zone: &Name, servers: &[(Name, &[IpAddr])]) -> Option<String> {
    let own = registrable_name(zone);
    let operator = |name: &Name| registrable_name(name).filter(|found| Some(found) != own.as_ref());
    let names = servers.iter().filter_map(|(name, _)| operator(name)).map(|name| name.to_lowercase().to_string());
    let networks = || servers.iter().flat_map(|(_, addresses)| addresses.iter()).map(|address| network(*address));
    let hosts = || servers.iter().map(|(name, _)| name.to_lowercase().to_string());
    names.min().or_else(|| networks().min()).or_else(|| hosts().min())
}

/// Writes the network that an address lies in.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{:08x}/{V4_PREFIX}", v4.to_bits() & (u32::MAX << (32 - V4_PREFIX))),
        IpAddr::V6(v6) => format!("{:032x}/{V6_PREFIX}", v6.to_bits() & (u128::MAX << (128 - V6_PREFIX))),
    }
}

/// Deals a key to a shard; the same one on every machine and in every version.
#[must_use]
pub fn shard_of_key(key: &str) -> u16 {
    u16::try_from(number_of_key(key) % u64::from(SHARDS)).unwrap_or_default()
}

/// Turns a key into a number, spread evenly over all; the same one on every machine and in every version.
#[must_use]
pub fn number_of_key(key: &str) -> u64 {
    Sha256::digest(key.as_bytes()).iter().take(8).fold(0_u64, |number, octet| (number << 8) | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Tells the operator of a zone by `name=address` words.
    fn key(zone: &str, servers: &str) -> Option<String> {
        let read: Vec<(Name, Vec<IpAddr>)> = servers
            .split_whitespace()
            .map(|word| word.split_once('=').unwrap_or((word, "")))
            .map(|(name, address)| (Name::parse(name).unwrap(), address.parse().into_iter().collect()))
            .collect();
        let servers: Vec<(Name, &[IpAddr])> = read.iter().map(|(name, all)| (name.clone(), all.as_slice())).collect();
        operator_key(&Name::parse(zone).unwrap(), &servers)
    }

    #[test]
    fn an_operator_is_told_by_its_names_and_vanity_servers_by_their_network() {
        for (what, zone, servers, expected) in [
            ("two names", "example.com", "b.ns.example.net a.ns.example.net", Some("example.net.")),
            ("letter case", "example.com", "A.NS.Example.NET", Some("example.net.")),
            ("two operators", "example.com", "ns.example.org ns.example.net", Some("example.net.")),
            (
                "named after the domain",
                "example.com",
                "ns1.example.com=192.0.2.7 ns2.example.com=192.0.2.9",
                Some("c0000200/24"),
            ),
            ("one of each", "example.com", "ns1.example.com=192.0.2.7 ns.example.net", Some("example.net.")),
            (
                "named after the domain, IPv6",
                "example.com",
                "ns1.example.com=2001:db8:1:2::7",
                Some("20010db8000100000000000000000000/48"),
            ),
            ("named after the domain, no address", "example.com", "ns1.example.com", Some("ns1.example.com.")),
            ("no server", "example.com", "", None),
        ] {
            assert_eq!(key(zone, servers).as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn the_shard_of_a_key_never_changes() {
        // A change here would put every stored domain into the wrong shard.
        assert_eq!([shard_of_key("example.net."), shard_of_key("c0000200/24"), shard_of_key("")], [526, 322, 20]);
    }

    #[test]
    fn names_below_one_registered_name_share_a_shard_and_others_spread() {
        let shard = |name: &str| provisional_shard(&Name::parse(name).unwrap());
        assert_eq!(shard("mail.example.com"), shard("EXAMPLE.com"));
        let shards: BTreeSet<u16> = (0..4096).map(|number| shard(&format!("d{number}.example"))).collect();
        assert!(shards.len() > 900 && shards.iter().all(|shard| *shard < SHARDS), "{}", shards.len());
    }
}
