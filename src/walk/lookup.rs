//! One name and type, from the root to the answer, as a resolver would give it.

use std::collections::BTreeSet;

use crate::dns::bailiwick::MAX_CHAIN_LINKS;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::{Alias, Response};
use crate::dns::rrset::{Question, RRset, Rcode, Record};
use crate::evidence::{ChainEnd, Observation};
use crate::observe::Seen;
use crate::walk::machine::Until;
use crate::walk::{Found, Journey, Walker};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LookupFailure {
    /// No server on the way, or none of the last zone, gave a usable reply.
    Unanswered,
    /// No server of a zone on the way has an address.
    Unresolvable,
    /// Delegations lead in a circle.
    DelegationLoop,
    /// Aliases lead in a circle.
    CnameLoop,
    /// There are more than 8 aliases.
    ChainTooLong,
    /// A limit of ours was met.
    BudgetExceeded,
}

impl LookupFailure {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unanswered => "unanswered",
            Self::Unresolvable => "ns_unresolvable",
            Self::DelegationLoop => "delegation_loop",
            Self::CnameLoop => "cname_loop",
            Self::ChainTooLong => "chain_too_long",
            Self::BudgetExceeded => "budget_exceeded",
        }
    }
}

/// The result of a lookup.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The response code as a resolver would give it: SERVFAIL for any failure of ours.
    pub rcode: Rcode,
    /// The records, with the chain of aliases in front; empty for a negative answer.
    pub answers: Vec<Record>,
    /// Why there is no answer, where there is none.
    pub failure: Option<LookupFailure>,
    /// Everything that was asked, in order of time.
    pub trace: Vec<(Question, Observation)>,
}

impl Walker {
    /// Looks one question up from the root, over at most 8 aliases.
    pub async fn lookup(&self, question: &Question, journey: Journey<'_>) -> Lookup {
        let log = Seen::default();
        let mut answers = Vec::new();
        let outcome = self.follow(question, journey.logged(&log), &mut answers).await;
        let trace = log.take();
        match outcome {
            Ok(rcode) => Lookup { rcode, answers, failure: None, trace },
            Err(failure) => Lookup { rcode: Rcode::SERVFAIL, answers: Vec::new(), failure: Some(failure), trace },
        }
    }

    /// Follows aliases until a name that is none, and collects the records on the way.
    async fn follow(
        &self,
        question: &Question,
        journey: Journey<'_>,
        answers: &mut Vec<Record>,
    ) -> Result<Rcode, LookupFailure> {
        let mut at = question.clone();
        let mut met: BTreeSet<Name> = BTreeSet::new();
        let mut links = 0;
        while met.len() <= MAX_CHAIN_LINKS {
            if !met.insert(at.name.clone()) {
                return Err(LookupFailure::CnameLoop);
            }
            let found = self.walk(at.clone(), Until::Answer, journey).await;
            let response = found.seen.last().and_then(|(_, seen)| seen.response());
            match response {
                Some(Response::Answer(answer)) => {
                    push_rrset(answers, &answer.rrset);
                    return Ok(Rcode::NOERROR);
                }
                Some(Response::NoData(_)) => return Ok(Rcode::NOERROR),
                Some(Response::NxDomain(_)) => return Ok(Rcode::NXDOMAIN),
                Some(Response::Alias(alias)) => {
                    // One reply may bring several links.
                    links += alias.links.len();
                    if links > MAX_CHAIN_LINKS {
                        return Err(LookupFailure::ChainTooLong);
                    }
                    push_links(answers, alias);
                    if let Some(rrset) = &alias.rrset {
                        push_rrset(answers, rrset);
                        return Ok(Rcode::NOERROR);
                    }
                    met.extend(alias.links.iter().skip(1).map(|link| link.owner.clone()));
                    let Some(target) = alias.last_target() else { return Err(LookupFailure::Unanswered) };
                    at.name = target.clone();
                }
                _ => return Err(failure_of(&found)),
            }
        }
        Err(LookupFailure::ChainTooLong)
    }
}

/// Says why a walk has no answer.
fn failure_of(found: &Found) -> LookupFailure {
    match found.end {
        ChainEnd::Reached | ChainEnd::Unanswered => LookupFailure::Unanswered,
        ChainEnd::Unresolvable => LookupFailure::Unresolvable,
        ChainEnd::Loop => LookupFailure::DelegationLoop,
        ChainEnd::Limit => LookupFailure::BudgetExceeded,
    }
}

/// Adds the records of an RRset.
fn push_rrset(answers: &mut Vec<Record>, rrset: &RRset) {
    answers.extend(rrset.data().iter().map(|rdata| Record {
        owner: rrset.owner.clone(),
        ttl: rrset.ttl,
        rdata: rdata.clone(),
    }));
}

/// Adds the links of a chain as CNAME records.
fn push_links(answers: &mut Vec<Record>, alias: &Alias) {
    answers.extend(alias.links.iter().map(|link| Record {
        owner: link.owner.clone(),
        ttl: link.ttl,
        rdata: Rdata::Cname(link.target.clone()),
    }));
}
