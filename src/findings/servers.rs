//! Servers of the delegation that do not serve: lame, out of reach; and what cannot be checked because of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dns::name::Name;
use crate::evidence::Evidence;
use crate::expectation::{Expectation, ExpectedRecord};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::delegation::is_limited;
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::status::standing;
use crate::findings::zone::{Conduct, HomeZone, home_zones};

/// Finds the servers that are lame or out of reach, at most one finding of each code a zone.
///
/// An error where no server of the zone answers and a required record lies there, a warning otherwise. A registry's
/// zone is not the domain owner's to repair: of it only the former is told.
///
/// Arguments: `servers`, `addresses`; with lame servers `kinds` too, the ways in which they say so.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> Vec<Finding> {
    let zones = home_zones(expectation, evidence);
    let told = zones.iter().filter(|home| !(home.is_registry && home.is_answered()));
    told.flat_map(|home| lame(home).into_iter().chain(unreachable(home))).collect()
}

/// Finds the servers that say that they do not serve the zone (RFC 9499 §7, RFC 1912 §2.8).
fn lame(home: &HomeZone<'_>) -> Option<Finding> {
    let is_lame = |conduct: Conduct| matches!(conduct, Conduct::Lame(_));
    let kinds: BTreeSet<&str> = home
        .conducts()
        .filter_map(|(_, _, conduct)| if let Conduct::Lame(refusal) = conduct { Some(refusal.as_str()) } else { None })
        .collect();
    if kinds.is_empty() {
        return None;
    }
    let is_all = home.conducts().all(|(_, _, conduct)| is_lame(conduct));
    let code = if is_all { Code::LameAll } else { Code::LameSome };
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
    let meant = home.conducts().filter(|(_, _, conduct)| is_lame(*conduct));
    let finding = home.finding(code, meant).with("kinds", Argument::Text(kinds));
    Some(home.prove(finding, is_lame))
}

/// Finds the servers none of whose addresses sends anything back.
fn unreachable(home: &HomeZone<'_>) -> Option<Finding> {
    let mut by_server: BTreeMap<&Name, bool> = BTreeMap::new();
    for (server, _, conduct) in home.conducts() {
        *by_server.entry(server).or_insert(true) &= conduct == Conduct::Unreachable;
    }
    let meant: Vec<_> =
        home.conducts().filter(|(server, ..)| by_server.get(server).copied().unwrap_or(false)).collect();
    if meant.is_empty() {
        return None;
    }
    let finding = home.finding(Code::NsUnreachable, meant);
    Some(home.prove(finding, |conduct| conduct == Conduct::Unreachable))
}

/// Tells what could not be checked and is not explained by `findings`.
///
/// One finding about the domain where no required record could be checked, else one about each record that could
/// not: an error where it is required, a warning otherwise. The latter has the arguments `ok` and `of`, how many of the
/// addresses asked answer, where fewer than half of them do; else the answers lead on to what could not be known.
pub(super) fn unable_to_check(
    expectation: &Expectation,
    evidence: &Evidence,
    records: &[JudgedRecord],
    findings: &[Finding],
) -> Vec<Finding> {
    let is_unable = |judged: &&JudgedRecord| judged.status == RecordStatus::UnableToCheck;
    let explained: Vec<ExpectedRecord> = explained_records(expectation, evidence, findings);
    let unexplained: Vec<&ExpectedRecord> = records
        .iter()
        .filter(is_unable)
        .map(|judged| &judged.record)
        .filter(|record| !explained.contains(record))
        .collect();
    let mut required = records.iter().filter(|judged| judged.record.is_required).peekable();
    let is_whole =
        required.peek().is_some() && required.all(|judged| is_unable(&judged) && !explained.contains(&judged.record));
    if is_whole {
        let finding = Finding::new(Code::UnableToCheck, Subject::Domain(expectation.domain.clone()));
        let meant = unexplained.iter().filter(|record| record.is_required);
        return vec![meant.fold(finding, |finding, record| prove_record(finding, evidence, record))];
    }
    unexplained
        .into_iter()
        .map(|record| {
            let severity = if record.is_required { Severity::Error } else { Severity::Warning };
            let finding = Finding::new(Code::UnableToCheck, record).with_severity(severity);
            prove_record(with_counts(finding, evidence, record), evidence, record)
        })
        .collect()
}

/// Returns the records that one of `findings` explains: those of a zone that nobody answers for, with a finding about
/// its servers, and those that a limit of ours kept back, with a finding that says so.
fn explained_records(expectation: &Expectation, evidence: &Evidence, findings: &[Finding]) -> Vec<ExpectedRecord> {
    let is_told = |home: &HomeZone<'_>| {
        let about_servers = |finding: &&Finding| {
            let is_bystander = matches!(
                finding.code,
                Code::ParentChildNsMismatch
                    | Code::GlueStale
                    | Code::CnameAtApex
                    | Code::InconsistentServers
                    | Code::BrokenEdns
                    | Code::NoDelegationSubzone
                    | Code::DomainConnect
                    | Code::NsV6OnlyBroken
            );
            !is_bystander
        };
        findings.iter().filter(about_servers).any(|finding| finding.subject == Subject::Zone(home.zone.clone()))
    };
    let budget_is_told = findings.iter().any(|finding| finding.code == Code::BudgetExceeded);
    let dead = home_zones(expectation, evidence).into_iter().filter(|home| !home.is_answered() && is_told(home));
    let limited = expectation.records.iter().filter(|record| budget_is_told && is_limited(evidence, record));
    dead.flat_map(|home| home.records).chain(limited).cloned().collect()
}

/// Adds how many of the addresses asked answer the question of a record, where these are too few.
fn with_counts(finding: Finding, evidence: &Evidence, record: &ExpectedRecord) -> Finding {
    let standing = standing(evidence, &record.question(), |_| true);
    if standing.asked() == 0 || standing.is_checkable() {
        return finding;
    }
    let number = |count: usize| Argument::Number(u64::try_from(count).unwrap_or(u64::MAX));
    finding.with("ok", number(standing.right.len())).with("of", number(standing.asked()))
}

/// Adds what was said to the question of a record as proof.
fn prove_record(finding: Finding, evidence: &Evidence, record: &ExpectedRecord) -> Finding {
    let question = record.question();
    finding.proven_by(&question, evidence.observations(&question))
}
