//! What is wrong, and the proof.
//!
//! Pure: reads an [`Expectation`] and [`Evidence`], asks nothing. Findings do not change with the order of servers or
//! records. What could not be checked is never missing.

pub mod candidates;
pub mod catalogue;
mod consistency;
mod delegation;
pub mod dkim;
pub mod dmarc;
mod dnssec;
pub mod exchange;
pub mod finding;
mod flaws;
pub mod health;
pub mod inquiry;
pub mod pages;
#[cfg(test)]
pub(crate) mod sample;
pub mod servers;
pub mod severity;
mod signatures;
pub mod spf;
pub mod status;
mod txt;
mod view;
mod zone;

use crate::evidence::Evidence;
use crate::expectation::Expectation;
use crate::findings::zone::home_zones;
pub use catalogue::{Code, Severity};
pub use finding::{Argument, Finding, JudgedRecord, Judgement, Proof, RecordStatus, Subject};

/// Judges a domain: how each expected record stands, what is wrong, and which finding explains the others.
///
/// The records are in the expectation's order; the findings are sorted, the root cause first.
#[must_use]
pub fn judge(expectation: &Expectation, evidence: &Evidence) -> Judgement {
    conclude(expectation, evidence, dkim::judge(expectation, evidence))
}

/// Puts what was found of the DKIM records together with all else.
///
/// What is not told, because another finding says it all:
///
/// | where this is found | this is not told | since |
/// |---|---|---|
/// | `not_registered` | anything else; every record is `absent` | there is no zone to have a record or a server |
/// | a zone that nobody answers for, with a finding about its servers | `unable_to_check` of its records | the finding says why |
/// | `budget_exceeded` | `unable_to_check` of the records that a limit kept back | the finding says why |
/// | `refused_by_policy` | `unable_to_check` of the records that servers refuse | the finding says why |
/// | no required record could be checked, and nothing says why | `unable_to_check` of each | one about the domain says it |
/// | `spf_as_cname` | `cname_at_parent` | both say that the domain is an alias |
/// | `dnssec_bogus_no_dnskey`, `dnssec_expired_sig`, by comparing keys and times | what verifying its signatures shows | the zone is refused as a whole |
/// | servers of one zone differ | what is wrong at some of them | `inconsistent_servers` says at which |
/// | a registry's zone where somebody answers | warnings about its servers | they are not the domain owner's |
fn conclude(
    expectation: &Expectation,
    evidence: &Evidence,
    (mut records, mut findings): (Vec<JudgedRecord>, Vec<Finding>),
) -> Judgement {
    let others = [
        spf::judge(expectation, evidence),
        dmarc::judge(expectation, evidence),
        exchange::judge(expectation, evidence),
    ];
    for (judged, found) in others {
        records.extend(judged);
        findings.extend(found);
    }
    if findings.iter().any(|finding| finding.code == Code::SpfAsCname) {
        findings.retain(|finding| finding.code != Code::CnameAtParent);
    }
    let place = |judged: &JudgedRecord| expectation.records.iter().position(|record| *record == judged.record);
    records.sort_by_key(place);
    if let Some(finding) = delegation::not_registered(expectation, evidence) {
        records.iter_mut().for_each(call_absent);
        return Judgement {
            root_cause: root_cause(&records, std::slice::from_ref(&finding)),
            records,
            findings: vec![finding],
        };
    }
    let zones = home_zones(expectation, evidence);
    findings.extend(delegation::judge(&zones, evidence));
    findings.extend(servers::judge(&zones, evidence));
    findings.extend(health::judge(&zones, evidence, &records));
    let refused = signatures::judge(expectation, evidence, &findings);
    findings.extend(refused);
    findings.extend(flaws::judge(expectation, &zones, evidence));
    findings.extend(delegation::budget_exceeded(expectation, evidence, &records));
    findings.extend(consistency::judge(expectation, evidence, &records));
    findings.extend(servers::unable_to_check(expectation, evidence, &records, &findings));
    let root_cause = root_cause(&records, &findings);
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| Some(finding.code) != root_cause;
        (key(one), one.rank(), &one.arguments).cmp(&(key(other), other.rank(), &other.arguments))
    });
    Judgement { records, findings, root_cause }
}

/// Makes a record absent.
fn call_absent(judged: &mut JudgedRecord) {
    judged.status = RecordStatus::Absent;
    judged.code = Some(Code::Absent);
    judged.is_right_somewhere = false;
    judged.found.clear();
}

/// Chooses the finding that explains the others: the first in the catalogue's order among the errors, or where there is
/// none among the warnings that are about a record; nothing where all required records are right and can be seen.
///
/// A warning about a zone or a server explains no record, since enough servers answer beside it.
fn root_cause(records: &[JudgedRecord], findings: &[Finding]) -> Option<Code> {
    let is_right = |judged: &JudgedRecord| judged.status == RecordStatus::Ok || !judged.record.is_required;
    if records.iter().all(is_right) && !findings.iter().any(Finding::proves_bogus) {
        return None;
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let about_records = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning && matches!(finding.subject, Subject::Record { .. }));
    errors.map(|finding| finding.code).min().or_else(|| about_records.map(|finding| finding.code).min())
}

#[cfg(test)]
mod tests;
