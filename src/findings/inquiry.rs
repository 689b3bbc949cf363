//! What a rule reads, and what it would still like to read.
//!
//! The rules that diagnose a fault need more than the expected records. They ask an [`Inquiry`] for
//! it: what was seen they get, what was not asked yet is noted. So the plan asks what the judgement
//! reads, and nothing else.

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::Question;
use crate::evidence::{ChainEnd, DelegationChain, Evidence, Observation};
use crate::findings::status::cname_targets;

/// Whom to ask.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// Every address of every server of the deepest zone.
    Every,
    /// The servers of the deepest zone, until one answers.
    Any,
    /// The servers of this zone, which need not be the deepest one, until one answers or refers.
    At(Name),
    /// One address of the server of this name, which need not serve the zone by any delegation.
    Server(Name),
}

impl Scope {
    /// Says whether the question goes to the servers of the deepest zone that its name lies in.
    #[must_use]
    pub fn is_of_deepest_zone(&self) -> bool {
        matches!(self, Self::Every | Self::Any)
    }
}

/// One question that is left to ask.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ask {
    /// What to ask.
    pub question: Question,
    /// Whom.
    pub scope: Scope,
}

/// Evidence, and what is missing from it.
#[derive(Debug)]
pub struct Inquiry<'e> {
    /// What was seen.
    evidence: &'e Evidence,
    /// What was looked for and not asked yet, in order, without duplicates.
    wanted: Vec<Ask>,
    /// Whether more may be asked.
    is_open: bool,
}

impl<'e> Inquiry<'e> {
    /// Starts with nothing missing; more may be asked.
    #[must_use]
    pub fn open(evidence: &'e Evidence) -> Self {
        Self { evidence, wanted: Vec::new(), is_open: true }
    }

    /// Starts over evidence that is as complete as it gets: nothing is wanted, what was not asked stays unknown.
    #[must_use]
    pub fn closed(evidence: &'e Evidence) -> Self {
        Self { evidence, wanted: Vec::new(), is_open: false }
    }

    /// Returns the evidence.
    #[must_use]
    pub fn evidence(&self) -> &'e Evidence {
        self.evidence
    }

    /// Looks a question up that one server's word is enough for.
    pub fn look(&mut self, question: &Question) -> Sight<'e> {
        if !is_asked_or_futile(self.evidence, question) {
            self.want(question, Scope::Any);
        }
        let seen = self.evidence.observations(question).iter().filter(|seen| seen.is_answer()).collect();
        Sight { question: question.clone(), seen }
    }

    /// Looks a question up that all servers of the deepest zone are asked.
    pub fn look_at_every(&mut self, question: &Question) -> Sight<'e> {
        if !is_asked_or_futile(self.evidence, question) {
            self.want(question, Scope::Every);
        }
        let seen = self.evidence.observations(question).iter().filter(|seen| seen.is_answer()).collect();
        Sight { question: question.clone(), seen }
    }

    /// Looks up what the servers of `zone` said to a question about a name that lies in a zone below it.
    pub fn look_at(&mut self, question: &Question, zone: &Name) -> Sight<'e> {
        let all = self.evidence.observations_in(question, zone);
        let has_address = self.evidence.cut(zone).is_some_and(|cut| cut.addresses().next().is_some());
        if all.is_empty() && has_address {
            self.want(question, Scope::At(zone.clone()));
        }
        Sight { question: question.clone(), seen: all.iter().filter(|seen| seen.is_answer()).collect() }
    }

    /// Says whether the servers of `zone` were asked a question about a name that lies in a zone below it.
    #[must_use]
    pub fn is_asked_at(&self, question: &Question, zone: &Name) -> bool {
        !self.evidence.observations_in(question, zone).is_empty()
    }

    /// Looks up what a server says that no delegation need name; it is asked by its name.
    pub fn look_beside(&mut self, question: &Question, server: &Name) -> Sight<'e> {
        let said = self.evidence.beside(question, server);
        if said.is_none() {
            self.want(question, Scope::Server(server.clone()));
        }
        let seen = said.unwrap_or_default().iter().filter(|seen| seen.is_answer()).collect();
        Sight { question: question.clone(), seen }
    }

    /// Says whether something was looked for that was not asked yet.
    #[must_use]
    pub fn is_wanting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Returns what was looked for and not asked yet; in order, without duplicates.
    #[must_use]
    pub fn into_wanted(self) -> Vec<Ask> {
        self.wanted
    }

    /// Notes what is missing.
    fn want(&mut self, question: &Question, scope: Scope) {
        let ask = Ask { question: question.clone(), scope };
        if self.is_open && !self.wanted.contains(&ask) {
            self.wanted.push(ask);
        }
    }
}

/// Says whether there is no use in asking: it was done, the walk to the name led nowhere, or it ended
/// at a registry, whose servers said on the way that there is no such name.
#[must_use]
pub fn is_asked_or_futile(evidence: &Evidence, question: &Question) -> bool {
    let leads_nowhere =
        |chain: &DelegationChain| chain.end != ChainEnd::Reached || chain.zones.last().is_some_and(is_registry);
    evidence.is_asked(question) || evidence.chain(&question.name).is_some_and(leads_nowhere)
}

/// The answers to one question.
#[derive(Clone, Debug)]
pub struct Sight<'e> {
    /// What was asked.
    pub question: Question,
    /// Those who answer, in order of server names and addresses; empty where nobody does or nobody was asked.
    pub seen: Vec<&'e Observation>,
}

impl<'e> Sight<'e> {
    /// Returns the targets of the CNAMEs that the first answer gives; sorted, without duplicates.
    #[must_use]
    pub fn cname_targets(&self) -> Vec<&'e Name> {
        self.seen.first().map(|seen| cname_targets(seen)).unwrap_or_default()
    }

    /// Says whether somebody answers, and all who do say that the name is not there.
    #[must_use]
    pub fn is_nxdomain(&self) -> bool {
        !self.seen.is_empty() && self.seen.iter().all(|seen| matches!(seen.response(), Some(Response::NxDomain(_))))
    }

    /// Says whether somebody answers, and all who do say that the name is there and the type is not.
    #[must_use]
    pub fn is_nodata(&self) -> bool {
        !self.seen.is_empty() && self.seen.iter().all(|seen| matches!(seen.response(), Some(Response::NoData(_))))
    }
}
