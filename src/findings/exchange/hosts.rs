//! The hosts that MX records name: how they are written, and whether they can take mail.

use std::net::{IpAddr, Ipv4Addr};

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RRset, RecordType};
use crate::evidence::Observation;
use crate::expectation::{Exchange, Exchanger};
use crate::findings::inquiry::{Inquiry, Sight};

/// One MX record, sorted by preference and then by name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Host {
    /// The preference; lower comes first.
    pub(super) preference: u16,
    /// The name.
    pub(super) name: Name,
}

/// The MX records that one reply leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Hosts {
    /// These, sorted, and where the alias leads that stands in front of them.
    Known(Vec<Host>, Option<Name>),
    /// It cannot be known.
    Unknown,
}

/// How a host stands that is not the expected one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// It is an alias of the expected one, which an MX record may not name (RFC 2181 §10.3).
    AliasOfExpected,
    /// It has no address.
    Dead,
    /// It has one, or nobody knows.
    Other,
}

impl Host {
    /// Says whether the name is a host of Amazon SES with one of `zones` behind it.
    pub(super) fn is_appended(&self, exchanger: Exchanger, zones: [&Name; 3]) -> bool {
        let is_host = |front: Name| exchanger.region_of(&front).is_some();
        zones.into_iter().any(|zone| self.name.without_suffix(zone).is_some_and(is_host))
    }

    /// Says whether the name is an IPv4 address, with or without one of `zones` behind it.
    pub(super) fn is_address(&self, zones: [&Name; 3]) -> bool {
        let is_address = |name: &Name| name.to_text_without_dot().parse::<Ipv4Addr>().is_ok();
        is_address(&self.name)
            || zones.into_iter().any(|zone| self.name.without_suffix(zone).is_some_and(|front| is_address(&front)))
    }
}

/// Reads the MX records that a server gives; the end of an alias counts as the same server gives it, where it may speak of
/// it, else as that name's own servers do.
pub(super) fn read(seen: &Observation, inquiry: &mut Inquiry<'_>) -> Hosts {
    match seen.response() {
        Some(Response::Answer(answer)) => Hosts::Known(hosts_of(&answer.rrset), None),
        Some(Response::NoData(_) | Response::NxDomain(_)) => Hosts::Known(Vec::new(), None),
        Some(Response::Alias(alias)) => {
            let Some(target) = alias.last_target() else { return Hosts::Unknown };
            if let Some(rrset) = &alias.rrset {
                return Hosts::Known(hosts_of(rrset), Some(target.clone()));
            }
            let sight = inquiry.look(&Question::new(target.clone(), RecordType::MX));
            match sight.seen.first().and_then(|seen| seen.response()) {
                Some(Response::Answer(answer)) => Hosts::Known(hosts_of(&answer.rrset), Some(target.clone())),
                Some(Response::NoData(_) | Response::NxDomain(_)) => Hosts::Known(Vec::new(), Some(target.clone())),
                _ => Hosts::Unknown,
            }
        }
        _ => Hosts::Unknown,
    }
}

/// Returns the hosts of a record set, sorted.
fn hosts_of(rrset: &RRset) -> Vec<Host> {
    let host = |rdata: &Rdata| match rdata {
        Rdata::Mx { preference, exchange } => Some(Host { preference: *preference, name: exchange.clone() }),
        _ => None,
    };
    let mut hosts: Vec<Host> = rrset.data().iter().filter_map(host).collect();
    hosts.sort();
    hosts
}

/// Looks a host up that is not the expected one.
pub(super) fn state_of(host: &Host, exchange: &Exchange, inquiry: &mut Inquiry<'_>) -> State {
    let sight = inquiry.look(&Question::new(host.name.clone(), RecordType::A));
    let leads_to_expected = sight.seen.first().is_some_and(|seen| match seen.response() {
        Some(Response::Alias(alias)) => alias.links.iter().any(|link| exchange.is_met_by(&link.target)),
        _ => false,
    });
    if leads_to_expected {
        State::AliasOfExpected
    } else if sight.is_nxdomain() || sight.is_nodata() && is_without_ipv6(host, inquiry) {
        State::Dead
    } else {
        State::Other
    }
}

/// Says whether a host is known to have no IPv6 address.
fn is_without_ipv6(host: &Host, inquiry: &mut Inquiry<'_>) -> bool {
    inquiry.look(&Question::new(host.name.clone(), RecordType::AAAA)).is_nodata()
}

/// Returns the addresses of a name; sorted, without duplicates.
pub(super) fn addresses(name: &Name, inquiry: &mut Inquiry<'_>) -> Vec<IpAddr> {
    let sights = [RecordType::A, RecordType::AAAA].map(|kind| inquiry.look(&Question::new(name.clone(), kind)));
    let mut found: Vec<IpAddr> = sights.iter().flat_map(addresses_in).collect();
    found.sort();
    found.dedup();
    found
}

/// Returns the addresses that the first answer gives.
fn addresses_in(sight: &Sight<'_>) -> Vec<IpAddr> {
    match sight.seen.first().and_then(|seen| seen.response()) {
        Some(Response::Answer(answer)) => answer
            .rrset
            .data()
            .iter()
            .filter_map(|rdata| match rdata {
                Rdata::A(address) => Some(IpAddr::V4(*address)),
                Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
