//! What was seen: delegations and the replies of every server, asked by question.
//!
//! Evidence only grows. It judges nothing and holds no clock; the left wing fills it, the right
//! wing reads it.

pub mod delegation;
mod few;
pub mod observation;
pub mod proven;

use std::net::IpAddr;
use std::sync::Arc;

use crate::dns::name::Name;
use crate::dns::network::Network;
use crate::dns::rrset::Question;
pub use delegation::{ChainEnd, DelegationChain, NameServer, Unresolved, ZoneCut};
use few::Few;
pub use observation::{Flaws, Observation, Outcome, Protocol, Reply, Silence};
pub use proven::Proven;

/// All that one check has seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evidence {
    /// A label that nobody chose, for names that exist only where a wildcard makes them up.
    pub probe_label: String,
    /// The zone cuts that were met, by zone.
    cuts: Few<Name, Arc<ZoneCut>>,
    /// The way from the root to each owner name that was asked for.
    chains: Few<Name, DelegationChain>,
    /// The replies, by question; sorted by server name and address.
    observations: Few<Question, Vec<Observation>>,
    /// The caller's own list of the networks that Cloudflare's proxied names answer with, in place of the built-in one.
    pub cloudflare_ranges: Option<Arc<[Network]>>,
    /// What servers said that no delegation names, by the question and the server's name; empty where it has no address.
    beside: Few<(Question, Name), Vec<Observation>>,
    /// What was proven of what servers said with their signatures, by question; sorted as observations are.
    proven: Few<Question, Vec<Proven>>,
    /// Whether something was left unasked because the budget ran out.
    pub is_budget_exceeded: bool,
    /// When it was gathered, in seconds since 1970 modulo 2^32, as signatures count; `None` where nobody says.
    pub gathered_at: Option<u32>,
}

impl Evidence {
    /// Starts with nothing seen.
    #[must_use]
    pub fn new(probe_label: String) -> Self {
        Self {
            probe_label,
            cuts: Few::new(),
            chains: Few::new(),
            observations: Few::new(),
            cloudflare_ranges: None,
            beside: Few::new(),
            proven: Few::new(),
            is_budget_exceeded: false,
            gathered_at: None,
        }
    }

    /// Takes in a zone cut; one that is known already is replaced.
    pub fn add_cut(&mut self, cut: impl Into<Arc<ZoneCut>>) {
        let cut = cut.into();
        self.cuts.insert(cut.zone.clone(), cut);
    }

    /// Takes in the way to an owner name; one that is known already is replaced.
    pub fn add_chain(&mut self, owner: Name, chain: DelegationChain) {
        self.chains.insert(owner, chain);
    }

    /// Takes in one reply, or the lack of one. A server address counts once for a question in a zone:
    /// a later observation replaces the earlier one.
    pub fn add_observation(&mut self, question: Question, observation: Observation) {
        self.observations.change(question, |seen| {
            match seen.binary_search_by(|known| place_of(known).cmp(&place_of(&observation))) {
                Ok(at) => {
                    if let Some(place) = seen.get_mut(at) {
                        *place = observation;
                    }
                }
                Err(at) => seen.insert(at, observation),
            }
        });
    }

    /// Takes in what was proven of a reply; what was proven of the same address before is replaced.
    pub fn add_proven(&mut self, question: Question, proven: Proven) {
        self.proven.change(question, |known| {
            known.retain(|other| place_of(&other.seen) != place_of(&proven.seen));
            known.push(proven);
            known.sort_by(|one, other| place_of(&one.seen).cmp(&place_of(&other.seen)));
        });
    }

    /// Iterates over what was proven, by question; none is without a reply.
    pub fn proven(&self) -> impl Iterator<Item = (&Question, &[Proven])> {
        self.proven.iter().map(|(question, proven)| (question, proven.as_slice()))
    }

    /// Takes in what a server said that was asked by its name, whether or not a delegation names it. Nothing of
    /// that counts for the records; it may be that nothing was said, since the server has no address.
    pub fn add_beside(&mut self, question: Question, server: Name, said: Vec<Observation>) {
        self.beside.insert((question, server), said);
    }

    /// Returns what a server said that was asked by its name; `None` where it was not asked.
    #[must_use]
    pub fn beside(&self, question: &Question, server: &Name) -> Option<&[Observation]> {
        self.beside.get(&(question.clone(), server.clone())).map(Vec::as_slice)
    }

    /// Returns a zone cut.
    #[must_use]
    pub fn cut(&self, zone: &Name) -> Option<&ZoneCut> {
        self.cuts.get(zone).map(Arc::as_ref)
    }

    /// Iterates over the zone cuts, in canonical order of their zones.
    pub fn cuts(&self) -> impl Iterator<Item = &ZoneCut> {
        self.cuts.iter().map(|(_, cut)| cut.as_ref())
    }

    /// Returns the way to an owner name that was asked for.
    #[must_use]
    pub fn chain(&self, owner: &Name) -> Option<&DelegationChain> {
        self.chains.get(owner)
    }

    /// Returns the deepest zone that `owner` was found to lie in.
    #[must_use]
    pub fn zone_of(&self, owner: &Name) -> Option<&ZoneCut> {
        let zone = self.chain(owner)?.zones.last()?;
        self.cut(zone)
    }

    /// Says whether a question was asked at all.
    #[must_use]
    pub fn is_asked(&self, question: &Question) -> bool {
        self.observations.get(question).is_some()
    }

    /// Returns what all servers of the deepest zone said to a question; sorted by server name and address,
    /// empty where it was not asked.
    #[must_use]
    pub fn observations(&self, question: &Question) -> &[Observation] {
        let Some(all) = self.observations.get(question) else { return &[] };
        let zone = self.chain(&question.name).and_then(|chain| chain.zones.last());
        zone.map(|zone| in_zone(all, zone)).unwrap_or_default()
    }

    /// Returns what the servers of `zone` said to a question, whether or not the name lies in a zone below it.
    #[must_use]
    pub fn observations_in(&self, question: &Question, zone: &Name) -> &[Observation] {
        self.observations.get(question).map(|all| in_zone(all, zone)).unwrap_or_default()
    }

    /// Iterates over everything that was seen, the replies of parent zones included, in order of question.
    pub fn all_observations(&self) -> impl Iterator<Item = (&Question, &Observation)> {
        self.observations.iter().flat_map(|(question, seen)| seen.iter().map(move |one| (question, one)))
    }

    /// Returns what one server address said to a question about `zone`.
    #[must_use]
    pub fn observation_at(&self, question: &Question, zone: &Name, address: IpAddr) -> Option<&Observation> {
        self.observations_in(question, zone).iter().find(|seen| seen.address == address)
    }
}

/// Returns what observations of one question are sorted by.
fn place_of(seen: &Observation) -> (&Name, &Name, IpAddr) {
    (&seen.zone, &seen.server, seen.address)
}

/// Returns those observations of one question that are of the servers of `zone`; all are sorted by zone first.
fn in_zone<'e>(all: &'e [Observation], zone: &Name) -> &'e [Observation] {
    let is_of_zone = |seen: Option<&Observation>| seen.is_some_and(|seen| seen.zone == *zone);
    if is_of_zone(all.first()) && is_of_zone(all.last()) {
        return all;
    }
    let from_first = all.get(all.partition_point(|seen| seen.zone < *zone)..).unwrap_or_default();
    let count = from_first.partition_point(|seen| seen.zone == *zone);
    from_first.get(..count).unwrap_or_default()
}
