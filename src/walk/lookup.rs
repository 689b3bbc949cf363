//! One name and type, from the root to the answer, as a validating resolver would give it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use crate::dns::bailiwick::MAX_CHAIN_LINKS;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::{Alias, Response};
use crate::dns::rrset::{Question, RRset, Rcode, Record};
use crate::dnssec::reply::dname_behind;
use crate::dnssec::{Bogus, Security, Work};
use crate::evidence::{ChainEnd, Observation};
use crate::observe::Seen;
use crate::transport::waiting::within;
use crate::walk::machine::Until;
use crate::walk::trust::{Proof, Refused, Trust, Validator, ask_on};
use crate::walk::{Detail, Found, Journey, Walker};

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
    /// The signatures do not hold: a validating resolver refuses the answer.
    Bogus(Bogus),
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
            Self::Bogus(cause) => cause.as_str(),
        }
    }
}

impl From<Bogus> for LookupFailure {
    fn from(cause: Bogus) -> Self {
        Self::Bogus(cause)
    }
}

/// The result of a lookup.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The response code as a resolver would give it: SERVFAIL for any failure of ours.
    pub rcode: Rcode,
    /// The records, with the chain of aliases in front; empty for a negative answer.
    pub answers: Vec<Record>,
    /// Whether signatures prove all of the answer, from a trust anchor down.
    pub authenticated: bool,
    /// Why there is no answer, where there is none.
    pub failure: Option<LookupFailure>,
    /// Everything that was asked, in order of time.
    pub trace: Vec<(Question, Observation)>,
}

/// The way from the first name to the last, as far as it was followed.
struct Following {
    /// What is asked next.
    at: Question,
    /// The names met so far.
    met: BTreeSet<Name>,
    /// The links followed so far.
    links: usize,
    /// The records so far.
    answers: Vec<Record>,
    /// Whether all so far is signed.
    security: Security,
}

impl Walker {
    /// Looks one question up from the root, over at most 8 aliases and for no longer than `time`; with `trust`, signatures
    /// must hold.
    pub async fn lookup(
        &self,
        question: &Question,
        time: Duration,
        journey: Journey<'_>,
        trust: Option<&Trust>,
    ) -> Lookup {
        let log = Seen::default();
        let detail = if trust.is_some() { Detail::Proof } else { Detail::Message };
        let journey = Journey { detail, ..journey.logged(&log) };
        let mut following = Following {
            at: question.clone(),
            met: BTreeSet::new(),
            links: 0,
            answers: Vec::new(),
            security: Security::Secure,
        };
        let mut validator = trust.map(|trust| Validator {
            walker: self,
            trust,
            journey,
            now: now(),
            work: Work::default(),
            failed: BTreeMap::new(),
        });
        let outcome =
            within(journey.budget, time, pin!(self.follow(&mut following, journey, validator.as_mut()))).await;
        let outcome = outcome.unwrap_or(Err(LookupFailure::BudgetExceeded));
        let trace = log.take();
        match outcome {
            Ok(rcode) => {
                let authenticated = trust.is_some() && following.security == Security::Secure;
                Lookup { rcode, answers: following.answers, authenticated, failure: None, trace }
            }
            Err(failure) => Lookup {
                rcode: Rcode::SERVFAIL,
                answers: Vec::new(),
                authenticated: false,
                failure: Some(failure),
                trace,
            },
        }
    }

    /// Follows aliases until a name that is none, and collects the records on the way.
    async fn follow(
        &self,
        following: &mut Following,
        journey: Journey<'_>,
        mut validator: Option<&mut Validator<'_>>,
    ) -> Result<Rcode, LookupFailure> {
        while following.met.len() <= MAX_CHAIN_LINKS {
            if !following.met.insert(following.at.name.clone()) {
                return Err(LookupFailure::CnameLoop);
            }
            let (found, proof) = self.ask_proven(&following.at, journey, validator.as_deref_mut()).await?;
            let response = found.seen.last().and_then(|(_, seen)| seen.response());
            let (Some(response), Some(message)) = (response, &found.message) else { return Err(failure_of(&found)) };
            if let Some(Proof { security, .. }) = proof {
                following.security = following.security.and(security);
            }
            if let Some(rcode) = following.take_in(response, &message.answers, proof)? {
                return Ok(rcode);
            }
        }
        Err(LookupFailure::ChainTooLong)
    }
}

impl Walker {
    /// Asks one question and has the reply proven; where that fails, another server is asked, once.
    async fn ask_proven(
        &self,
        question: &Question,
        journey: Journey<'_>,
        mut validator: Option<&mut Validator<'_>>,
    ) -> Result<(Found, Option<Proof>), LookupFailure> {
        let mut before = None::<Refused>;
        loop {
            let avoid = before.map(|refused| refused.address);
            let found = self.walk(question.clone(), Until::Answer, Journey { avoid, ..journey }).await;
            let response =
                found.seen.last().and_then(|(_, seen)| seen.response()).filter(|response| is_final(response));
            let read = match (response, &found.message, validator.as_deref_mut()) {
                (Some(response), Some(message), Some(validator)) => {
                    validator.prove(question, response, message).await.map(Some)
                }
                (Some(_), Some(_), None) => Ok(None),
                _ => Err(failure_of(&found)),
            };
            match ask_on(before, &found, read) {
                Ok(proof) => return proof.map(|proof| (found, proof)),
                Err(refused) => before = Some(refused),
            }
        }
    }
}

impl Following {
    /// Takes in what was said to the question; returns the response code where it is the last.
    fn take_in(
        &mut self,
        response: &Response,
        section: &[Record],
        proof: Option<Proof>,
    ) -> Result<Option<Rcode>, LookupFailure> {
        // What is proven counts, not the code: some servers say NXDOMAIN of empty non-terminals, and a compact denial
        // says NOERROR of names that are not there (RFC 9824 §2).
        let is_name_absent = proof.and_then(|proof| proof.is_name_absent);
        let negative = |is_absent: bool| if is_absent { Rcode::NXDOMAIN } else { Rcode::NOERROR };
        match response {
            Response::Answer(answer) => {
                push_rrset(&mut self.answers, &answer.rrset);
                Ok(Some(Rcode::NOERROR))
            }
            Response::NoData(_) => Ok(Some(negative(is_name_absent.unwrap_or(false)))),
            Response::NxDomain(_) => Ok(Some(negative(is_name_absent.unwrap_or(true)))),
            Response::Alias(alias) => self.take_alias(alias, section),
            Response::Referral(_) | Response::Lame(_) | Response::Failed(_) => Err(LookupFailure::Unanswered),
        }
    }

    /// Takes in a chain of aliases, of which one reply may bring several.
    fn take_alias(&mut self, alias: &Alias, section: &[Record]) -> Result<Option<Rcode>, LookupFailure> {
        self.links += alias.links.len();
        if self.links > MAX_CHAIN_LINKS {
            return Err(LookupFailure::ChainTooLong);
        }
        for link in &alias.links {
            self.answers.extend(dname_behind(link, section).cloned());
            self.answers.push(Record {
                owner: link.owner.clone(),
                ttl: link.ttl,
                rdata: Rdata::Cname(link.target.clone()),
            });
        }
        if let Some(rrset) = &alias.rrset {
            push_rrset(&mut self.answers, rrset);
            return Ok(Some(Rcode::NOERROR));
        }
        self.met.extend(alias.links.iter().skip(1).map(|link| link.owner.clone()));
        let target = alias.last_target().ok_or(LookupFailure::Unanswered)?;
        self.at.name = target.clone();
        Ok(None)
    }
}

/// Says whether a reply answers a question, be it that there is nothing.
fn is_final(response: &Response) -> bool {
    matches!(response, Response::Answer(_) | Response::Alias(_) | Response::NoData(_) | Response::NxDomain(_))
}

/// Says why a walk has no answer.
pub(super) fn failure_of(found: &Found) -> LookupFailure {
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

/// Returns the seconds since 1970, modulo 2^32 as signatures count them (RFC 4034 §3.1.5).
fn now() -> u32 {
    u32::try_from(jiff::Timestamp::now().as_second().rem_euclid(1 << 32)).unwrap_or_default()
}
