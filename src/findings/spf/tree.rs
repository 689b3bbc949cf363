//! The tree under an expected SPF record, looked over at depth full.

use crate::dns::bailiwick::MAX_CHAIN_LINKS;
use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::Question;
use crate::evidence::Evidence;
use crate::expectation::{Depth, Expectation, ExpectedRecord, RecordKind};
use crate::findings::finding::{Finding, Subject};
use crate::findings::inquiry::{Ask, Inquiry, is_asked_or_futile};
use crate::findings::spf::{include_of, lint, sole_record};
use crate::findings::txt::{Texts, texts_at};
use crate::findings::view::Views;
use crate::records::spf::evaluation::Answer;
use crate::records::spf::survey::Survey;

/// Returns what it still takes to look the trees over; nothing at depth quick.
#[must_use]
pub(super) fn wanted(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    for record in expectation.of_kind(RecordKind::Spf) {
        let _ = survey(expectation, evidence, record, &mut inquiry);
    }
    inquiry.into_wanted()
}

/// Looks one tree over, proven by the servers that hold the record at its top.
pub(super) fn judge(
    expectation: &Expectation,
    evidence: &Evidence,
    record: &ExpectedRecord,
    views: &Views<'_, '_>,
) -> Vec<Finding> {
    let mut inquiry = Inquiry::closed(evidence);
    let Some(survey) = survey(expectation, evidence, record, &mut inquiry) else { return Vec::new() };
    let findings = lint::of_tree(&Subject::from(record), &survey).into_iter();
    findings.map(|finding| finding.proven_by(&record.question(), views.answering())).collect()
}

/// Surveys the tree under the record that most servers hold, where there is one that can be read.
///
/// What should be included is taken to be right: it is Amazon's, and one lookup.
fn survey(
    expectation: &Expectation,
    evidence: &Evidence,
    record: &ExpectedRecord,
    inquiry: &mut Inquiry<'_>,
) -> Option<Survey> {
    if expectation.depth != Depth::Full {
        return None;
    }
    let Texts::Known(texts) = texts_at(evidence, &record.name) else { return None };
    let own = sole_record(&texts)?;
    let taken: Vec<Name> = include_of(record).cloned().into_iter().collect();
    Some(Survey::over(&record.name, &own, &taken, &mut |question| answer(inquiry, question)))
}

/// Returns what the first server says that answers, over at most 8 aliases; `None` where nobody was asked yet.
fn answer(inquiry: &mut Inquiry<'_>, question: &Question) -> Option<Answer> {
    let mut at = question.clone();
    for _ in 0..=MAX_CHAIN_LINKS {
        let sight = inquiry.look(&at);
        let Some(response) = sight.seen.first().and_then(|seen| seen.response()) else {
            let is_over = is_asked_or_futile(inquiry.evidence(), &at);
            return is_over.then(|| unanswered(inquiry.evidence(), &at));
        };
        match response {
            Response::Answer(answer) => return Some(Answer::Records(answer.rrset.data().to_vec())),
            Response::NxDomain(_) => return Some(Answer::NxDomain),
            Response::NoData(_) => return Some(Answer::Records(Vec::new())),
            Response::Alias(alias) => match (&alias.rrset, alias.last_target()) {
                (Some(rrset), _) => return Some(Answer::Records(rrset.data().to_vec())),
                (None, Some(target)) => at.name = target.clone(),
                (None, None) => return Some(Answer::Failed),
            },
            _ => return Some(Answer::Failed),
        }
    }
    Some(Answer::Failed)
}

/// Says what it means that no server of the name's zone answers: the name is not there where its registry says so.
fn unanswered(evidence: &Evidence, question: &Question) -> Answer {
    let says_no = |seen: &crate::evidence::Observation| matches!(seen.response(), Some(Response::NxDomain(_)));
    let is_at_or_above = |asked: &Name| question.name.is_subdomain_of(asked);
    let denied = evidence.all_observations().any(|(asked, seen)| is_at_or_above(&asked.name) && says_no(seen));
    if denied { Answer::NxDomain } else { Answer::Failed }
}
