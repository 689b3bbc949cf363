//! The walk from the root to a zone, without sockets.
//!
//! ```text
//!            next()                         handle_reply()
//!   [at a cut] ---- Ask ----> driver asks one address ----> referral: [at the cut below]
//!       |                                                   answer or negative: Done
//!       |                                                   silent, lame, failed: [same cut, one address fewer]
//!       |---- Resolve --> driver looks addresses up ------> handle_addresses(): [same cut, more addresses]
//!       `---- Done
//! ```
//!
//! The driver calls [`Walk::next`] and does what it says until it says [`Step::Done`]. Every call to
//! a `handle_*` uses something up (an address, a server name, a label of the question's name, one of the ten questions
//! that are minimised), so that a walk ends whatever comes back.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::{Alias, Referral, Response};
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{ChainEnd, NameServer, Unresolved, ZoneCut};
use crate::walk::minimise::Minimiser;

/// The most server names of one delegation that count (SECURITY.md A2); those with glue come first.
pub const MAX_SERVERS_PER_CUT: usize = 13;
/// The most addresses of one server that count; an honest server has one or two.
pub const MAX_ADDRESSES_PER_SERVER: usize = 6;
/// The most zone cuts between the root and a name.
pub const MAX_CUTS: usize = 16;
/// The most addresses of a zone that only leads on which are tried before it counts as unanswered.
const MAX_TRIES_TO_LEAD_ON: usize = 6;
/// How many servers of a registry must say that a name is not there.
const NEGATIVES_WANTED: usize = 2;

/// How far a walk goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// To the first zone that no registry runs: all its servers are to be asked, with all their addresses known.
    Zone,
    /// To the first zone that no registry runs and whose servers have an address; where there is none, to the answer.
    Way,
    /// To the first server that answers with authority.
    Answer,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Ask the walk's question of one of these servers of `zone`; never empty, sorted by name and address.
    Ask {
        /// The zone that they serve.
        zone: Name,
        /// What to ask: the walk's question, or a part of it (RFC 9156).
        question: Question,
        /// Server names and addresses that have not been tried.
        untried: Vec<(Name, IpAddr)>,
    },
    /// Look up the addresses of these servers of the last zone; never empty, sorted.
    Resolve {
        /// Host names.
        names: Vec<Name>,
    },
    /// Nothing: the walk is over.
    Done(ChainEnd),
}

/// A walk on its way.
#[derive(Clone, Debug)]
pub struct Walk {
    /// What is asked on the way down: the question itself, since cuts show themselves by referrals.
    question: Question,
    /// How much of it is told, where not all of it is from the start.
    minimiser: Option<Minimiser>,
    /// How far to go.
    until: Until,
    /// The cuts met so far, the root first; never empty.
    cuts: Vec<Arc<ZoneCut>>,
    /// The addresses tried at the last cut.
    tried: BTreeSet<IpAddr>,
    /// How many servers of the last cut said that there is nothing.
    negatives: usize,
    /// An address that is asked only where no server of the cut has another one.
    avoid: Option<IpAddr>,
    /// How it ended, once it has.
    end: Option<ChainEnd>,
}

impl Walk {
    /// Starts below `known`: the cuts on the way to the question's name, the root first.
    ///
    /// Cuts that do not enclose the question's name are left out; without any the walk is over at once. A zone's own
    /// servers are not asked for its DS records, which are the parent's (RFC 4035 §3.1.4.1).
    #[must_use]
    pub fn new(question: Question, until: Until, known: Vec<Arc<ZoneCut>>) -> Self {
        let mut cuts: Vec<Arc<ZoneCut>> = Vec::new();
        for cut in known {
            let is_below = cuts.last().is_none_or(|last| cut.zone.is_strictly_below(&last.zone));
            if is_below && question.name.is_subdomain_of(&cut.zone) && !is_of_parent(&question, &cut.zone) {
                cuts.push(cut);
            }
        }
        let end = cuts.is_empty().then_some(ChainEnd::Unresolvable);
        Self { question, minimiser: None, until, cuts, tried: BTreeSet::new(), negatives: 0, avoid: None, end }
    }

    /// Has servers told no more of the question than they need (RFC 9156).
    #[must_use]
    pub fn minimised(mut self) -> Self {
        self.minimiser = self.cuts.last().map(|cut| Minimiser::below(&cut.zone, &self.question));
        self
    }

    /// Has an address asked only where no server of its zone has another one: the others are looked up first.
    #[must_use]
    pub fn avoiding(self, avoid: Option<IpAddr>) -> Self {
        Self { avoid, ..self }
    }

    /// Returns the cuts met so far, the root first.
    #[must_use]
    pub fn cuts(&self) -> &[Arc<ZoneCut>] {
        &self.cuts
    }

    /// Gives the cuts away.
    #[must_use]
    pub fn into_cuts(self) -> Vec<Arc<ZoneCut>> {
        self.cuts
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(&self) -> Step {
        if let Some(end) = self.end {
            return Step::Done(end);
        }
        let Some(cut) = self.cuts.last() else { return Step::Done(ChainEnd::Unresolvable) };
        let unknown: Vec<Name> = cut
            .servers
            .iter()
            .filter(|server| server.addresses.is_empty() && server.unresolved.is_none())
            .map(|server| server.name.clone())
            .collect();
        let has_address = cut.addresses().next().is_some();
        if self.until == Until::Zone && !is_registry(&cut.zone) {
            return match (unknown.is_empty(), has_address) {
                (false, _) => Step::Resolve { names: unknown },
                (true, true) => Step::Done(ChainEnd::Reached),
                (true, false) => Step::Done(unresolvable(cut)),
            };
        }
        if self.until == Until::Way && !is_registry(&cut.zone) && has_address {
            return Step::Done(ChainEnd::Reached);
        }
        let untried: Vec<(Name, IpAddr)> = cut
            .addresses()
            .filter(|(_, address)| !self.tried.contains(address))
            .map(|(name, address)| (name.clone(), address))
            .collect();
        let is_avoided = !unknown.is_empty() && untried.iter().all(|(_, address)| Some(*address) == self.avoid);
        if !untried.is_empty() && !is_avoided && self.tried.len() < MAX_TRIES_TO_LEAD_ON {
            let question =
                self.minimiser.as_ref().map_or_else(|| self.question.clone(), |part| part.asked(&self.question));
            return Step::Ask { zone: cut.zone.clone(), question, untried };
        }
        if !unknown.is_empty() && self.tried.len() < MAX_TRIES_TO_LEAD_ON {
            return Step::Resolve { names: unknown };
        }
        Step::Done(match (self.negatives > 0, has_address) {
            (true, _) => ChainEnd::Reached,
            (false, true) => ChainEnd::Unanswered,
            (false, false) => unresolvable(cut),
        })
    }

    /// Takes in what the server at `address` said, `None` where there was no reply that could be read.
    pub fn handle_reply(&mut self, address: IpAddr, response: Option<&Response>) {
        if self.end.is_some() || !self.tried.insert(address) {
            return;
        }
        if self.minimiser.as_ref().is_some_and(Minimiser::is_part) {
            self.handle_reply_to_part(address, response);
            return;
        }
        match response {
            Some(Response::Referral(referral)) => self.go_down(referral),
            Some(Response::Answer(_) | Response::Alias(_)) => self.end = Some(ChainEnd::Reached),
            Some(Response::NoData(_) | Response::NxDomain(_)) => {
                self.negatives += 1;
                if self.until != Until::Zone || self.negatives >= NEGATIVES_WANTED {
                    self.end = Some(ChainEnd::Reached);
                }
            }
            Some(Response::Lame(_) | Response::Failed(_)) | None => {}
        }
    }

    /// Takes in what a server said to a part of the question. Whoever said it is asked on.
    fn handle_reply_to_part(&mut self, address: IpAddr, response: Option<&Response>) {
        let is_alias = |alias: &Alias| alias.dname.is_none();
        match response {
            Some(Response::Referral(referral)) => return self.go_down(referral),
            Some(Response::Answer(_) | Response::NoData(_)) => self.tell_more(),
            // A CNAME holds for this name alone, a DNAME for all below it (RFC 6672 §2.1).
            Some(Response::Alias(alias)) if is_alias(alias) => self.tell_more(),
            _ => self.minimiser.iter_mut().for_each(Minimiser::give_up),
        }
        self.tried.remove(&address);
    }

    /// Tells the servers of the last cut more of the question.
    fn tell_more(&mut self) {
        if let Some(minimiser) = &mut self.minimiser {
            minimiser.tell_more(&self.question);
        }
    }

    /// Takes in the addresses of one server of the last cut, or why there are none.
    pub fn handle_addresses(&mut self, name: &Name, addresses: Result<Vec<IpAddr>, Unresolved>) {
        let Some(cut) = self.cuts.last_mut() else { return };
        // What the cache keeps is the parent's word alone: the addresses are written into a copy.
        let Some(server) = Arc::make_mut(cut).servers.iter_mut().find(|server| server.name == *name) else { return };
        match addresses {
            Ok(addresses) if !addresses.is_empty() => server.addresses = at_most_a_few(addresses),
            Ok(_) => server.unresolved = Some(Unresolved::NoAddress),
            Err(reason) => server.unresolved = Some(reason),
        }
    }

    /// Ends the walk because a limit of ours was met.
    pub fn stop(&mut self) {
        self.end = Some(ChainEnd::Limit);
    }

    /// Follows a referral, which must lead strictly downwards and towards the question's name.
    fn go_down(&mut self, referral: &Referral) {
        let Some(last) = self.cuts.last() else { return };
        let is_down = referral.zone.is_strictly_below(&last.zone) && self.question.name.is_subdomain_of(&referral.zone);
        if !is_down || is_of_parent(&self.question, &referral.zone) {
            return;
        }
        if self.cuts.len() >= MAX_CUTS {
            self.end = Some(ChainEnd::Limit);
            return;
        }
        let cut = cut_of(referral, &last.zone);
        self.cuts.push(Arc::new(cut));
        if let Some(minimiser) = &mut self.minimiser {
            minimiser.go_below(&referral.zone, &self.question);
        }
        self.tried.clear();
        self.negatives = 0;
    }
}

/// Says whether a question about `zone` itself is for the zone above.
fn is_of_parent(question: &Question, zone: &Name) -> bool {
    question.kind == RecordType::DS && question.name == *zone && !zone.is_root()
}

/// Turns a referral from a server of `parent` into a zone cut.
///
/// At most 13 server names are taken, those with glue first.
#[must_use]
pub fn cut_of(referral: &Referral, parent: &Name) -> ZoneCut {
    let mut servers: Vec<NameServer> = referral
        .servers
        .iter()
        .map(|name| {
            let glue = referral.glue.iter().filter(|(owner, _)| owner == name).map(|(_, address)| *address);
            NameServer { name: name.clone(), addresses: at_most_a_few(glue.collect()), unresolved: None }
        })
        .collect();
    servers.sort_by_key(|server| server.addresses.is_empty());
    servers.truncate(MAX_SERVERS_PER_CUT);
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    ZoneCut {
        zone: referral.zone.clone(),
        parent: Some(parent.clone()),
        servers,
        ttl: referral.ttl,
        proofs: referral.proofs.clone(),
    }
}

/// Sorts addresses and keeps at most [`MAX_ADDRESSES_PER_SERVER`] of them.
fn at_most_a_few(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort();
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES_PER_SERVER);
    addresses
}

/// Says how a walk ends at a cut whose servers have no address.
#[must_use]
pub fn unresolvable(cut: &ZoneCut) -> ChainEnd {
    let reasons = || cut.servers.iter().filter_map(|server| server.unresolved);
    // A circle uses the limits up, so that of the two it is the reason.
    if reasons().any(|reason| reason == Unresolved::Loop) {
        ChainEnd::Loop
    } else if reasons().any(|reason| reason == Unresolved::Limit) {
        ChainEnd::Limit
    } else {
        ChainEnd::Unresolvable
    }
}

#[cfg(test)]
mod tests;
