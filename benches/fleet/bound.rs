//! What the network alone takes for one check.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use zoneproof::dns::name::Name;
use zoneproof::dns::public_suffix::is_registry;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, Record, RecordType};
use zoneproof::findings::Code;
use zoneproof::report::Report;

use crate::forwarder::rtt_of;
use crate::world::World;

/// The least time that a check can take, told from its report.
pub(crate) struct Bound<'a> {
    /// Who serves.
    world: &'a World,
    /// What came of the check.
    report: &'a Report,
}

/// Returns the time that the fastest of some servers takes.
fn fastest<'a>(servers: impl IntoIterator<Item = &'a IpAddr>) -> Duration {
    servers.into_iter().map(|address| rtt_of(*address)).min().unwrap_or_default()
}

/// Returns the address that a record holds.
fn address_of(record: &Record) -> Option<IpAddr> {
    match record.rdata {
        Rdata::A(address) => Some(address.into()),
        _ => None,
    }
}

/// Reads a name.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl<'a> Bound<'a> {
    /// Holds a check against its world.
    pub(crate) fn new(world: &'a World, report: &'a Report) -> Self {
        Self { world, report }
    }

    /// Returns all servers that were asked for the records.
    fn asked(&self) -> BTreeSet<(Name, IpAddr)> {
        let servers = self.report.records.iter().flat_map(|record| &record.servers);
        servers.map(|server| (name(&server.name), server.address)).collect()
    }

    /// Returns the registries on the way, the root first, each with the time that its fastest server takes.
    fn registries(&self) -> Vec<(Name, Duration)> {
        let zones = self.report.delegation.iter().map(|zone| (name(&zone.zone), zone));
        let registries = zones.filter(|(name, _)| is_registry(name));
        registries
            .map(|(name, zone)| (name, fastest(zone.servers.iter().flat_map(|server| &server.addresses))))
            .collect()
    }

    /// Returns what the fastest server of each zone takes on the way to the domain's, with the last so many of them asked.
    fn way(&self, registries_asked: usize) -> Duration {
        self.registries().iter().rev().take(registries_asked).map(|(_, took)| *took).sum()
    }

    /// Returns the time for the way, the last so many registries of it asked, and then the slowest server.
    pub(crate) fn of_the_records(&self, registries_asked: usize) -> Duration {
        let slowest = self.asked().into_iter().map(|(_, address)| rtt_of(address)).max();
        self.way(registries_asked) + slowest.unwrap_or_default()
    }

    /// Returns what it takes to look up the address of a server that the domain's registry does not tell: the root, the
    /// other registry, and those that it gives an address of for the server's own name, the fastest of each.
    fn look_up(&self, server: &Name) -> Duration {
        if self.registries().last().is_none_or(|(registry, _)| server.is_subdomain_of(registry)) {
            return Duration::ZERO;
        }
        let zones = self.world.scenario.zones().iter().filter(|served| !served.zone.origin().is_root());
        let around = zones.filter(|it| server.is_subdomain_of(it.zone.origin()) && is_registry(it.zone.origin()));
        let Some(registry) = around.max_by_key(|served| served.zone.origin().label_count()) else {
            return Duration::ZERO;
        };
        let referral = registry.zone.answer(&Question::new(server.clone(), RecordType::A), false);
        let glue: Vec<IpAddr> = referral.additional.iter().filter_map(address_of).collect();
        let root = fastest(self.world.roots.iter().map(|(_, address)| address));
        root + fastest(&registry.addresses) + fastest(&glue)
    }

    /// Says whether the address of a server has to be looked up.
    pub(crate) fn has_look_ups(&self) -> bool {
        self.asked().iter().any(|(server, _)| !self.look_up(server).is_zero())
    }

    /// Returns how many policies of domains above were looked for: the organization's, where there is no own one.
    pub(crate) fn policies_above(&self) -> usize {
        usize::from(self.report.findings.iter().any(|finding| finding.code == Code::DmarcInherited))
    }

    /// Returns the time where the servers are known and the last so many registries are asked: that there is no own policy
    /// the fastest one says first, and then it is asked for the policy above.
    pub(crate) fn of_the_policy(&self, registries_asked: usize) -> Duration {
        let records = self.of_the_records(registries_asked);
        if self.policies_above() == 0 {
            return records;
        }
        let asked = self.asked();
        records.max(self.way(registries_asked) + fastest(asked.iter().map(|(_, address)| address)) * 2)
    }

    /// Returns the time for all of it, what has to be looked up included, where nothing is known: that there is no own policy
    /// one server says first, and then one is asked for the policy above.
    pub(crate) fn of_all(&self) -> Duration {
        let asked = self.asked();
        let replies = || asked.iter().map(|(server, address)| self.look_up(server) + rtt_of(*address));
        let slowest = replies().max().unwrap_or_default();
        let policy = if self.policies_above() > 0 {
            replies().min().unwrap_or_default() + fastest(asked.iter().map(|(_, address)| address))
        } else {
            Duration::ZERO
        };
        self.way(usize::MAX) + slowest.max(policy)
    }
}
