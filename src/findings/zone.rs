//! The zones that hold the expected records, and how each server address did there over all questions.
//!
//! What a server is cannot be told from one reply: a server that refuses one question and answers
//! the next is not lame. So the replies to all expected records of a zone are read together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::{Lameness, Response};
use crate::dns::rrset::{Question, Rcode, RecordType};
use crate::evidence::{ChainEnd, DelegationChain, Evidence, Observation, Outcome, Silence, ZoneCut};
use crate::expectation::{Expectation, ExpectedRecord};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, Subject};

/// One zone that expected records lie in, the deepest above each of them.
#[derive(Clone, Debug)]
pub(super) struct HomeZone<'e> {
    /// The zone.
    pub(super) zone: &'e Name,
    /// Who serves it, as its parent says.
    pub(super) cut: Option<&'e ZoneCut>,
    /// How the walks to its records ended.
    pub(super) ends: BTreeSet<ChainEnd>,
    /// The expected records in it, sorted.
    pub(super) records: Vec<&'e ExpectedRecord>,
    /// Whether the zone is a registry's: the domain was not delegated, or the walk did not get further.
    pub(super) is_registry: bool,
    /// The addresses that answer for the zone's own SOA record, where they were asked.
    serving: BTreeSet<IpAddr>,
    /// What was said there, in order of servers and addresses.
    said: Vec<Said<'e>>,
}

/// What one server address said.
#[derive(Clone, Debug)]
struct Said<'e> {
    /// The server's name.
    server: &'e Name,
    /// The address.
    address: IpAddr,
    /// What it said to which question, in order of questions.
    replies: Vec<(Question, &'e Observation)>,
}

/// How one server address did over all questions of a zone.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Conduct {
    /// It answers one question at least.
    Answers,
    /// It says that it does not serve the zone.
    Lame(Refusal),
    /// It refuses what it was asked, and serves the zone: it answers for its SOA record.
    Refuses,
    /// Nothing comes back.
    Unreachable,
    /// It must not be asked.
    Forbidden,
    /// It replies in another way that cannot be used, or was kept from being asked by a limit of ours.
    Other,
}

/// How a server says that it does not serve a zone (RFC 9499 §7, "lame delegation").
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Refusal {
    /// By REFUSED.
    Refused,
    /// By SERVFAIL, as a server does that could not load the zone.
    ServFail,
    /// By NOTAUTH.
    NotAuth,
    /// By a reply without authority.
    Lame(Lameness),
}

impl Refusal {
    /// Reads it from a reply.
    fn of(response: &Response) -> Option<Self> {
        match response {
            Response::Lame(lameness) => Some(Self::Lame(*lameness)),
            Response::Failed(Rcode::REFUSED) => Some(Self::Refused),
            Response::Failed(Rcode::SERVFAIL) => Some(Self::ServFail),
            Response::Failed(Rcode::NOTAUTH) => Some(Self::NotAuth),
            _ => None,
        }
    }

    /// Returns the word that findings use.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::ServFail => "servfail",
            Self::NotAuth => "notauth",
            Self::Lame(Lameness::NotAuthoritative) => "not_authoritative",
            Self::Lame(Lameness::RecursiveProxy) => "recursive_proxy",
            Self::Lame(Lameness::UpwardReferral) => "upward_referral",
            Self::Lame(Lameness::OutOfBailiwick) => "out_of_bailiwick",
        }
    }
}

/// Returns the zones that the walks to the expected records ended in, in canonical order.
pub(super) fn home_zones<'e>(expectation: &'e Expectation, evidence: &'e Evidence) -> Vec<HomeZone<'e>> {
    let mut zones: BTreeMap<&'e Name, HomeZone<'e>> = BTreeMap::new();
    let mut records: Vec<&ExpectedRecord> = expectation.records.iter().collect();
    records.sort_by(|one, other| (&one.name, one.record_type).cmp(&(&other.name, other.record_type)));
    for record in records {
        let Some((chain, zone)) = home_of(evidence, &record.name) else { continue };
        let home = zones.entry(zone).or_insert_with(|| HomeZone {
            zone,
            cut: evidence.cut(zone),
            ends: BTreeSet::new(),
            records: Vec::new(),
            is_registry: is_registry(zone),
            serving: serving(evidence, zone),
            said: Vec::new(),
        });
        home.ends.insert(chain.end);
        home.records.push(record);
        let question = record.question();
        let seen = evidence.observations_in(&question, zone).iter().filter(|seen| seen.is_counted());
        add_replies(&mut home.said, &question, seen, expectation.records.len());
    }
    for home in zones.values_mut() {
        home.records.sort();
    }
    zones.into_values().collect()
}

/// Adds what servers said to one question, in their order, to what each said to others; room is made for so many in all.
fn add_replies<'e>(
    said: &mut Vec<Said<'e>>,
    question: &Question,
    seen: impl Iterator<Item = &'e Observation>,
    questions: usize,
) {
    // Most questions are answered by the same servers.
    let mut next = 0;
    for seen in seen {
        let is_next = said.get(next).is_some_and(|known| known.address == seen.address && *known.server == seen.server);
        let place = if is_next {
            Ok(next)
        } else {
            said.binary_search_by(|known| (known.server, known.address).cmp(&(&seen.server, seen.address)))
        };
        let at = place.unwrap_or_else(|at| {
            let replies = Vec::with_capacity(questions);
            said.insert(at, Said { server: &seen.server, address: seen.address, replies });
            at
        });
        if let Some(known) = said.get_mut(at) {
            known.replies.push((question.clone(), seen));
        }
        next = at + 1;
    }
}

/// Returns the addresses that answer for the SOA record of a zone.
fn serving(evidence: &Evidence, zone: &Name) -> BTreeSet<IpAddr> {
    let seen = evidence.observations(&Question::new(zone.clone(), RecordType::SOA));
    seen.iter().filter(|seen| seen.zone == *zone && seen.is_answer()).map(|seen| seen.address).collect()
}

/// Returns the way to an owner name and the zone that it ended in.
fn home_of<'e>(evidence: &'e Evidence, owner: &Name) -> Option<(&'e DelegationChain, &'e Name)> {
    let chain = evidence.chain(owner)?;
    Some((chain, chain.zones.last()?))
}

impl<'e> HomeZone<'e> {
    /// Returns how bad it is that servers of the zone do not serve: an error where none answers and the verdict
    /// depends on a record in the zone, a warning otherwise.
    pub(super) fn severity(&self) -> Severity {
        let is_required = self.records.iter().any(|record| record.is_required);
        if is_required && !self.is_answered() { Severity::Error } else { Severity::Warning }
    }

    /// Starts a finding about some of its servers, with their names and addresses.
    pub(super) fn finding(&self, code: Code, meant: impl IntoIterator<Item = (&'e Name, IpAddr, Conduct)>) -> Finding {
        let (mut servers, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for (server, address, _) in meant {
            servers.insert(server.clone());
            addresses.insert(address);
        }
        Finding::new(code, Subject::Zone(self.zone.clone()))
            .with_severity(self.severity())
            .with("servers", Argument::Names(servers.into_iter().collect()))
            .with("addresses", Argument::Addresses(addresses.into_iter().collect()))
    }

    /// Says whether one address answers one question at least.
    pub(super) fn is_answered(&self) -> bool {
        self.conducts().any(|(_, _, conduct)| conduct == Conduct::Answers)
    }

    /// Iterates over (server, address, conduct), in order of servers and addresses.
    pub(super) fn conducts(&self) -> impl Iterator<Item = (&'e Name, IpAddr, Conduct)> {
        self.said.iter().map(|said| (said.server, said.address, self.conduct(said.address, &said.replies)))
    }

    /// Iterates over (server, address, what it said to which question), in order of servers and addresses.
    pub(super) fn said(&self) -> impl Iterator<Item = (&'e Name, IpAddr, &[(Question, &'e Observation)])> {
        self.said.iter().map(|said| (said.server, said.address, said.replies.as_slice()))
    }

    /// Adds what was said by the addresses of which `is_meant` holds as proof, question by question.
    pub(super) fn prove(&self, finding: Finding, is_meant: impl Fn(Conduct) -> bool) -> Finding {
        let meant = self.said().filter(|(_, address, said)| is_meant(self.conduct(*address, said)));
        meant
            .flat_map(|(.., said)| said)
            .fold(finding, |finding, (question, seen)| finding.proven_by(question, [*seen]))
    }

    /// Reads all that one address said.
    fn conduct(&self, address: IpAddr, said: &[(Question, &Observation)]) -> Conduct {
        match conduct(said) {
            Conduct::Lame(Refusal::Refused) if self.serving.contains(&address) => Conduct::Refuses,
            conduct => conduct,
        }
    }
}

/// Reads what one address said to the questions for the expected records.
fn conduct(said: &[(Question, &Observation)]) -> Conduct {
    if said.iter().any(|(_, seen)| seen.is_answer()) {
        return Conduct::Answers;
    }
    if let Some(refusal) = said.iter().filter_map(|(_, seen)| Refusal::of(seen.response()?)).min() {
        return Conduct::Lame(refusal);
    }
    let all = |is: fn(Silence) -> bool| {
        said.iter().all(|(_, seen)| matches!(seen.outcome, Outcome::Silent(silence) if is(silence)))
    };
    if all(|silence| matches!(silence, Silence::Timeout | Silence::Refused)) {
        Conduct::Unreachable
    } else if all(|silence| silence == Silence::Forbidden) {
        Conduct::Forbidden
    } else {
        Conduct::Other
    }
}
