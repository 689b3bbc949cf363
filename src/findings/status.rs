//! How one expected record stands at the servers of its zone.
//!
//! Reads [`Evidence`] alone. Says whether a question could be checked, who has it right, who says
//! something else and who said nothing; what the something else means is for the rules of each kind.

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RRset};
use crate::evidence::{ChainEnd, Evidence, Observation};
use crate::expectation::{Expected, ExpectedRecord};
use crate::findings::finding::RecordStatus;

/// What the servers of the deepest zone said to one question, sorted into camps.
///
/// Every list is in the order of server names and addresses, and each address is in one list at
/// most: those of a family that has no route here are in none.
#[derive(Clone, Debug)]
pub struct Standing<'e> {
    /// Who answers and has it right.
    pub right: Vec<&'e Observation>,
    /// Who answers and says something else.
    pub other: Vec<&'e Observation>,
    /// Who was asked and does not answer.
    pub silent: Vec<&'e Observation>,
    /// Whether the walk found the zone to ask.
    is_reached: bool,
    /// Whether all of `other` mean the same.
    is_uniform: bool,
}

/// Sorts what was said to `question` by `is_right`, which is asked of answering servers only.
///
/// Two answers that are not right differ where [`Meaning`] does.
#[must_use]
pub fn standing<'e>(
    evidence: &'e Evidence,
    question: &Question,
    is_right: impl Fn(&Observation) -> bool,
) -> Standing<'e> {
    standing_by(evidence, question, is_right, Meaning::of)
}

/// Does what [`standing`] does, for a rule that reads only a part of an answer: two answers that are
/// not right differ where `meaning` does.
#[must_use]
pub fn standing_by<'e, M: PartialEq>(
    evidence: &'e Evidence,
    question: &Question,
    is_right: impl Fn(&Observation) -> bool,
    meaning: impl Fn(&'e Observation) -> M,
) -> Standing<'e> {
    let chain = evidence.chain(&question.name);
    let is_reached = chain.is_some_and(|chain| chain.end == ChainEnd::Reached);
    let zone = chain.and_then(|chain| chain.zones.last());
    let said = zone.map(|zone| evidence.observations_in(question, zone)).unwrap_or_default();
    let mut standing =
        Standing { right: Vec::new(), other: Vec::new(), silent: Vec::new(), is_reached, is_uniform: true };
    for seen in said.iter().filter(|seen| seen.is_counted()) {
        if !seen.is_answer() {
            standing.silent.push(seen);
        } else if is_right(seen) {
            standing.right.push(seen);
        } else {
            standing.other.push(seen);
        }
    }
    let mut meanings = standing.other.iter().map(|seen| meaning(seen));
    if let Some(first) = meanings.next() {
        standing.is_uniform = meanings.all(|other| other == first);
    }
    standing
}

/// Sorts what was said to the question of an expected CNAME record; all is wrong for another kind of record.
#[must_use]
pub fn cname_standing<'e>(evidence: &'e Evidence, record: &ExpectedRecord) -> Standing<'e> {
    standing(evidence, &record.question(), |seen| is_expected_cname(record, seen))
}

/// Says whether a reply is right for an expected CNAME record: one CNAME, to exactly the expected name.
#[must_use]
pub fn is_expected_cname(record: &ExpectedRecord, seen: &Observation) -> bool {
    let Expected::Cname(expected) = &record.expected else { return false };
    match seen.response() {
        Some(Response::Answer(answer)) => {
            let is_cname = |rdata: &&Rdata| matches!(rdata, Rdata::Cname(_));
            let mut targets = answer.rrset.data().iter().filter(is_cname);
            matches!(targets.next(), Some(Rdata::Cname(target)) if target == expected) && targets.next().is_none()
        }
        Some(Response::Alias(alias)) => alias.links.first().is_some_and(|link| link.target == *expected),
        _ => false,
    }
}

/// Returns the targets of the CNAMEs that a reply gives for the name asked; sorted, without
/// duplicates, empty where there is none.
#[must_use]
pub fn cname_targets(seen: &Observation) -> Vec<&Name> {
    match seen.response() {
        Some(Response::Answer(answer)) => answer
            .rrset
            .data()
            .iter()
            .filter_map(|rdata| if let Rdata::Cname(target) = rdata { Some(target) } else { None })
            .collect(),
        Some(Response::Alias(alias)) => alias.links.first().map(|link| &link.target).into_iter().collect(),
        _ => Vec::new(),
    }
}

impl<'e> Standing<'e> {
    /// Returns how many addresses were asked and count.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.right.len() + self.other.len() + self.silent.len()
    }

    /// Iterates over who answers, those who have it right first.
    pub fn answering(&self) -> impl Iterator<Item = &'e Observation> {
        self.right.iter().chain(&self.other).copied()
    }

    /// Says whether enough of the addresses answer to say anything: at least half of those asked.
    #[must_use]
    pub fn is_checkable(&self) -> bool {
        let answering = self.right.len() + self.other.len();
        self.is_reached && answering > 0 && answering * 2 >= self.asked()
    }

    /// Returns the status; a rule that can explain an absence makes [`RecordStatus::Wrong`] of it.
    #[must_use]
    pub fn status(&self) -> RecordStatus {
        if !self.is_checkable() {
            return RecordStatus::UnableToCheck;
        }
        if self.other.is_empty() {
            return RecordStatus::Ok;
        }
        if !self.right.is_empty() || !self.is_uniform {
            return RecordStatus::Inconsistent;
        }
        if self.other.iter().all(|seen| says_nothing_is_there(seen)) {
            RecordStatus::Absent
        } else {
            RecordStatus::Wrong
        }
    }
}

/// Says whether a server says that there is no such record, be it NODATA or NXDOMAIN.
#[must_use]
pub fn says_nothing_is_there(seen: &Observation) -> bool {
    Meaning::of(seen) == Meaning::Nothing
}

/// What an answering server's reply means for the records at the name asked; TTLs and the order of data do not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning<'e> {
    /// There is no such record. NODATA and NXDOMAIN are one here: a server that keeps no empty
    /// non-terminals gives the one where its sibling gives the other (RFC 8020 §2, RFC 4592 §2.2.2).
    Nothing,
    /// These records.
    Records(&'e RRset),
    /// An alias for this name; what the servers know of the rest of the chain is no matter of this zone.
    Alias(&'e Name),
    /// The server does not answer.
    Silence,
}

impl<'e> Meaning<'e> {
    /// Reads it from an observation.
    #[must_use]
    pub fn of(seen: &'e Observation) -> Self {
        match seen.response() {
            Some(Response::NoData(_) | Response::NxDomain(_)) => Self::Nothing,
            Some(Response::Answer(answer)) => Self::Records(&answer.rrset),
            Some(Response::Alias(alias)) => alias.links.first().map_or(Self::Silence, |link| Self::Alias(&link.target)),
            _ => Self::Silence,
        }
    }
}

#[cfg(test)]
mod tests;
