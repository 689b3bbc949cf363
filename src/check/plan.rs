//! What is left to ask.
//!
//! Pure: looks at what is expected and what was seen, and says what to ask next. The expected
//! records come first, all at once; more is asked only about what is not right, and it is the
//! findings that say what they would still like to see. Where nothing is left, they judge. What will be
//! asked whatever else is said need not wait until all is said: that is [`ahead`].

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Depth, Expectation, ExpectedRecord, RecordKind};
use crate::findings::finding::RecordStatus;
use crate::findings::inquiry::is_asked_or_futile;
pub use crate::findings::inquiry::{Ask, Scope};
use crate::findings::status::{Standing, standing};
use crate::findings::{dkim, dmarc, exchange, health, servers, spf};

/// Returns what is left to ask; sorted, each question once, empty where the evidence is complete.
///
/// Only questions that were not asked yet, so that asking round after round ends. A domain whose
/// records are right takes one round at depth quick, of the expected records alone. Where the
/// budget has run out, nothing is left.
#[must_use]
pub fn next(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    if evidence.is_budget_exceeded {
        return Vec::new();
    }
    let mut asks = expected_records(expectation, evidence);
    if asks.is_empty() {
        let standings = standings(expectation, evidence);
        asks = dkim::wanted(expectation, evidence, &standings);
        asks.extend(exchange::wanted(expectation, evidence));
        asks.extend(policies(expectation, evidence));
        asks.extend(spf::wanted(expectation, evidence));
        asks.extend(zone_health(expectation, evidence, &standings));
        asks.extend(servers::wanted(expectation, evidence, &standings));
    }
    // Scopes sort from wide to narrow: what every server is asked needs no single one.
    asks.sort();
    asks.dedup_by(|later, kept| later.question == kept.question && later.scope.is_of_deepest_zone());
    asks
}

/// Returns what will be left to ask whatever the servers say that are still awaited: the policies above, where one server
/// said that there is none.
///
/// `evidence` is what was seen so far. What is out already may be among the questions.
#[must_use]
pub fn ahead(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let walk = dmarc::walk_still_needed(expectation, evidence);
    asks_of_any(evidence, walk)
}

/// Says whether a reply may put more in front of [`ahead`]: one that says that there is no policy here, or that it stands
/// elsewhere.
#[must_use]
pub fn may_lead_on(question: &Question, seen: &Observation) -> bool {
    let leads = matches!(seen.response(), Some(Response::NoData(_) | Response::NxDomain(_) | Response::Alias(_)));
    question.kind == RecordType::TXT && leads
}

/// Asks every server for the expected records.
fn expected_records(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let questions = expectation.records.iter().map(ExpectedRecord::question);
    questions
        .filter(|question| !is_asked_or_futile(evidence, question))
        .map(|question| Ask { question, scope: Scope::Every })
        .collect()
}

/// Asks for the policies of other names that the DMARC records lead to.
fn policies(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    asks_of_any(evidence, dmarc::names_still_needed(expectation, evidence))
}

/// Asks one server after the other until one answers, what was not asked yet.
fn asks_of_any(evidence: &Evidence, questions: Vec<Question>) -> Vec<Ask> {
    let open = questions.into_iter().filter(|question| !is_asked_or_futile(evidence, question));
    open.map(|question| Ask { question, scope: Scope::Any }).collect()
}

/// Returns how each expected record stands at its servers.
///
/// Whether a policy is right is not known before it was followed, so that of those only it counts who answers and whether
/// servers differ.
fn standings<'e>(expectation: &'e Expectation, evidence: &'e Evidence) -> Vec<(&'e ExpectedRecord, Standing<'e>)> {
    let of = |record: &ExpectedRecord| match record.kind {
        RecordKind::Dkim => dkim::record_standing(evidence, record),
        _ => standing(evidence, &record.question(), |_| false),
    };
    expectation.records.iter().map(|record| (record, of(record))).collect()
}

/// Asks every server of a zone for its NS and SOA records: at depth full, and where a record there is not right.
///
/// Zones of registries are left out, and those whose servers did not answer.
fn zone_health(
    expectation: &Expectation,
    evidence: &Evidence,
    standings: &[(&ExpectedRecord, Standing<'_>)],
) -> Vec<Ask> {
    let zones: BTreeSet<&Name> = standings
        .iter()
        .filter(|(record, standing)| is_zone_of_interest(expectation.depth, record, standing))
        .filter_map(|(record, _)| Some(&evidence.zone_of(&record.name)?.zone))
        .filter(|zone| !is_registry(zone))
        .collect();
    if zones.is_empty() {
        return Vec::new();
    }
    let soundness = health::wanted(expectation, evidence, |zone| zones.contains(zone));
    zones
        .iter()
        .flat_map(|zone| [RecordType::NS, RecordType::SOA].map(|kind| Question::new(Name::clone(zone), kind)))
        .filter(|question| !is_asked_or_futile(evidence, question))
        .map(|question| Ask { question, scope: Scope::Every })
        .chain(soundness)
        .collect()
}

/// Says whether the zone of a record has to be looked at: its servers answer, and more is wanted than
/// what they said, they differ, or the DKIM record there is not right.
fn is_zone_of_interest(depth: Depth, record: &ExpectedRecord, standing: &Standing<'_>) -> bool {
    let status = match (record.kind, standing.status()) {
        (RecordKind::Dkim, status) => status,
        (_, RecordStatus::Absent | RecordStatus::Wrong) => RecordStatus::Ok,
        (_, differing) => differing,
    };
    match status {
        RecordStatus::UnableToCheck => false,
        RecordStatus::Ok => depth == Depth::Full,
        RecordStatus::Inconsistent | RecordStatus::Absent | RecordStatus::Wrong => true,
    }
}

#[cfg(test)]
mod tests;
