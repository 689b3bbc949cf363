//! The three CNAME records of Easy DKIM, and the one TXT record of bring-your-own DKIM.
//!
//! One diagnosis serves the plan and the judgement: what it would still like to see is what
//! [`wanted`] returns, and what it makes of all that was seen is what [`judge`] returns. Of the
//! faults that a record shows, the first one counts: what stands at the record's own name, then a
//! record at a wrong name, then a record at servers that nobody asks, then a wildcard, then nothing.
//!
//! Never says anything about records that could not be checked, nor why servers differ.

mod advice;
mod chase;
mod key_text;
mod own_key;
mod own_name;
mod redirect;
mod search;
mod ses_keys;
mod shadow;
mod site;
mod slip;
mod target;
mod text;

use crate::evidence::Evidence;
use crate::expectation::{Depth, Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::catalogue::Code;
use crate::findings::dkim::own_name::{OwnName, look_at_own_name};
use crate::findings::dkim::search::search;
use crate::findings::dkim::shadow::look_at_shadows;
use crate::findings::dkim::site::{Diagnosis, Site, all_found};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::inquiry::{Ask, Inquiry};
use crate::findings::status::{Standing, cname_standing};

/// Judges the DKIM records.
///
/// Returns the records in the expectation's order, and one finding for each that is absent or wrong,
/// with one about the domain where only some are right; in no particular order.
#[must_use]
pub fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let mut inquiry = Inquiry::closed(evidence);
    let sites = sites(expectation, evidence);
    let opinions = examine(&sites, &mut inquiry);
    let mut findings: Vec<Finding> =
        opinions.iter().filter_map(|(_, diagnosis)| diagnosis.clone()).map(|each| each.finding).collect();
    let mut records: Vec<JudgedRecord> =
        sites.iter().zip(opinions).map(|(site, (status, diagnosis))| judged(site, status, diagnosis)).collect();
    findings.extend(partial(expectation, &sites, &records));
    findings.extend(advice::advise(&sites, &mut inquiry));
    findings.extend(ses_keys::judge(&sites, &mut inquiry));
    findings.extend(advice::cname_at_parent(expectation, evidence));
    let (own_records, own_findings) = own_key::judge(expectation, &mut inquiry);
    records.extend(own_records);
    findings.extend(own_findings);
    (records, findings)
}

/// Returns what is left to ask to say what is wrong with the DKIM records, whose `standings` are among those of all
/// records; empty where all are right, where they could not be checked, and where all is known.
#[must_use]
pub fn wanted<'e>(
    expectation: &'e Expectation,
    evidence: &'e Evidence,
    standings: &[(&'e ExpectedRecord, Standing<'e>)],
) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    let keys = standings.iter().filter(|(record, _)| record.kind == RecordKind::Dkim);
    let sites: Vec<Site<'_>> =
        keys.filter_map(|(record, standing)| Site::new(expectation, record, evidence, || standing.clone())).collect();
    examine(&sites, &mut inquiry);
    // At depth quick nothing is asked for advice.
    if expectation.depth == Depth::Full {
        advice::advise(&sites, &mut inquiry);
        ses_keys::judge(&sites, &mut inquiry);
    }
    own_key::judge(expectation, &mut inquiry);
    inquiry.into_wanted()
}

/// Sorts what was said to the question of a DKIM record, be it a CNAME of Easy DKIM or a key of one's own.
#[must_use]
pub fn record_standing<'e>(evidence: &'e Evidence, record: &ExpectedRecord) -> Standing<'e> {
    match record.expected {
        Expected::DkimKey(_) => own_key::key_standing(evidence, record),
        _ => cname_standing(evidence, record),
    }
}

/// Looks every expected CNAME up.
fn sites<'e>(expectation: &'e Expectation, evidence: &'e Evidence) -> Vec<Site<'e>> {
    let keys = expectation.of_kind(RecordKind::Dkim);
    keys.filter_map(|record| Site::new(expectation, record, evidence, || cname_standing(evidence, record))).collect()
}

/// Says of each record how it stands and, where it is absent or wrong, why.
fn examine(sites: &[Site<'_>], inquiry: &mut Inquiry<'_>) -> Vec<(RecordStatus, Option<Diagnosis>)> {
    let own: Vec<OwnName> = sites.iter().map(|site| look_at_own_name(site, inquiry)).collect();
    let missing: Vec<&Site<'_>> =
        sites.iter().zip(&own).filter(|(_, own)| matches!(own, OwnName::Missing(_))).map(|(site, _)| site).collect();
    // Elsewhere is looked only when it is known which records are missing.
    let by_wildcard = own.iter().any(|own| matches!(own, OwnName::Missing(Some(_))));
    let mut hits = if inquiry.is_wanting() { Vec::new() } else { search(&missing, by_wildcard, inquiry) };
    if !inquiry.is_wanting() {
        look_at_shadows(&missing, sites.len(), inquiry, &mut hits);
    }
    let mut hits = hits.into_iter();
    let mut say = |(site, own): (&Site<'_>, OwnName)| match own {
        OwnName::Settled(status) => (status, None),
        OwnName::Fault(diagnosis) => (RecordStatus::Wrong, Some(diagnosis)),
        OwnName::Missing(by_wildcard) => match hits.next().flatten().or(by_wildcard) {
            Some(diagnosis) => (RecordStatus::Wrong, Some(diagnosis)),
            None => (RecordStatus::Absent, Some(Diagnosis::new(site.finding(Code::Absent)))),
        },
    };
    sites.iter().zip(own).map(&mut say).collect()
}

/// Puts the judgement of one record together.
fn judged(site: &Site<'_>, status: RecordStatus, diagnosis: Option<Diagnosis>) -> JudgedRecord {
    let code = match status {
        RecordStatus::Ok => None,
        RecordStatus::UnableToCheck => Some(Code::UnableToCheck),
        RecordStatus::Inconsistent => Some(Code::InconsistentServers),
        RecordStatus::Absent | RecordStatus::Wrong => diagnosis.as_ref().map(|each| each.finding.code),
    };
    let found = all_found(&site.standing, diagnosis.as_ref());
    let is_right_somewhere = !site.standing.right.is_empty();
    JudgedRecord { record: site.record.clone(), status, code, is_right_somewhere, found }
}

/// Finds that only a part of the records is right; those that are only on their way do not count.
fn partial(expectation: &Expectation, sites: &[Site<'_>], records: &[JudgedRecord]) -> Option<Finding> {
    let names = |is_meant: fn(RecordStatus) -> bool| {
        let mut names: Vec<_> =
            records.iter().filter(|record| is_meant(record.status)).map(|record| record.record.name.clone()).collect();
        names.sort();
        names
    };
    let right = names(|status| status == RecordStatus::Ok);
    let wrong = names(|status| matches!(status, RecordStatus::Absent | RecordStatus::Wrong));
    if right.is_empty() || wrong.is_empty() {
        return None;
    }
    let count = |number: usize| Argument::Number(u64::try_from(number).unwrap_or(u64::MAX));
    let finding = Finding::new(Code::Partial, Subject::Domain(expectation.domain.clone()))
        .with("ok", count(right.len()))
        .with("of", count(records.len()))
        .with("right", Argument::Names(right))
        .with("wrong", Argument::Names(wrong));
    // One reply for each record is enough: the records' own findings hold the others.
    let proven = sites
        .iter()
        .fold(finding, |finding, site| finding.proven_by(&site.record.question(), site.standing.answering().take(1)));
    Some(proven)
}

#[cfg(test)]
mod tests;
