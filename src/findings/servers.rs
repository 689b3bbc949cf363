//! Servers of the delegation that do not serve: lame, refusing, out of reach; and what cannot be checked because of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Rcode, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Expectation, ExpectedRecord};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::delegation::is_limited;
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::inquiry::{Ask, Inquiry};
use crate::findings::status::{Standing, standing};
use crate::findings::zone::{Conduct, HomeZone, Refusal, home_zones};

/// Finds the servers that are lame or out of reach, at most one finding of each code a zone.
///
/// An error where no server of the zone answers and a required record lies there, a warning otherwise. A registry's
/// zone is not the domain owner's to repair: of it only the former is told.
///
/// Arguments: `servers`, `addresses`; with lame servers `kinds` too, the ways in which they say so.
pub(super) fn judge(zones: &[HomeZone<'_>], evidence: &Evidence) -> Vec<Finding> {
    let told = zones.iter().filter(|home| !(home.is_registry && home.is_answered()));
    told.flat_map(|home| {
        let of_home = [lame(home), unreachable(home), refused_by_policy(evidence, home)];
        of_home.into_iter().flatten()
    })
    .collect()
}

/// Returns what is left to ask: the SOA record of a zone whose servers refuse so much that a required record cannot be
/// checked, as the `standings` of the records tell. Who serves the zone answers that, whatever else it refuses.
#[must_use]
pub fn wanted(
    expectation: &Expectation,
    evidence: &Evidence,
    standings: &[(&ExpectedRecord, Standing<'_>)],
) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    let is_hit = |record: &ExpectedRecord, standing: &Standing<'_>| record.is_required && !standing.is_checkable();
    let hit = standings.iter().filter(|(record, standing)| is_hit(record, standing));
    let hit: Vec<&ExpectedRecord> = hit.map(|(record, _)| *record).collect();
    if hit.is_empty() {
        return Vec::new();
    }
    for home in home_zones(expectation, evidence).iter().filter(|home| !home.is_registry) {
        if home.records.iter().any(|record| hit.contains(record))
            && home.conducts().any(|(_, _, conduct)| conduct == Conduct::Lame(Refusal::Refused))
        {
            inquiry.look_at_every(&soa_of(home));
        }
    }
    inquiry.into_wanted()
}

/// Returns the question for the SOA record of a zone.
fn soa_of(home: &HomeZone<'_>) -> Question {
    Question::new(home.zone.clone(), RecordType::SOA)
}

/// Says whether a server refused a question.
fn is_refused(seen: &Observation) -> bool {
    matches!(seen.response(), Some(Response::Failed(Rcode::REFUSED)))
}

/// Says whether a record cannot be checked since servers refuse the question for it.
fn is_kept_back(evidence: &Evidence, record: &ExpectedRecord) -> bool {
    let standing = standing(evidence, &record.question(), |_| true);
    !standing.is_checkable() && !standing.silent.is_empty() && standing.silent.iter().all(|seen| is_refused(seen))
}

/// Finds the servers that serve the zone, as other answers of theirs show, and refuse questions about it.
///
/// An error where a required record cannot be checked for that, a warning otherwise. Arguments: `servers`, `addresses`.
fn refused_by_policy(evidence: &Evidence, home: &HomeZone<'_>) -> Option<Finding> {
    let refusing: BTreeSet<_> = home
        .conducts()
        .filter(|(.., conduct)| matches!(conduct, Conduct::Answers | Conduct::Refuses))
        .map(|(_, address, _)| address)
        .filter(|address| {
            home.said().any(|(_, at, said)| at == *address && said.iter().any(|(_, seen)| is_refused(seen)))
        })
        .collect();
    if refusing.is_empty() {
        return None;
    }
    let is_needed = home.records.iter().any(|record| record.is_required && is_kept_back(evidence, record));
    let severity = if is_needed { Severity::Error } else { Severity::Warning };
    let meant = home.conducts().filter(|(_, address, _)| refusing.contains(address));
    let finding = home.finding(Code::RefusedByPolicy, meant).with_severity(severity);
    let finding = home
        .said()
        .filter(|(_, address, _)| refusing.contains(address))
        .flat_map(|(.., said)| said)
        .fold(finding, |finding, (question, seen)| finding.proven_by(question, [*seen]));
    let soa = soa_of(home);
    let serving = evidence.observations(&soa).iter().filter(|seen| refusing.contains(&seen.address));
    Some(finding.proven_by(&soa, serving.filter(|seen| seen.is_answer())))
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
    if !records.iter().any(|judged| is_unable(&judged)) {
        return Vec::new();
    }
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
/// its servers, and those that a limit of ours or the servers' refusal kept back, with a finding that says so.
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
                    | Code::Broken0x20
                    | Code::BrokenQmin
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
    let refusal_is_told = findings.iter().any(|finding| finding.code == Code::RefusedByPolicy);
    let refused = expectation.records.iter().filter(|record| refusal_is_told && is_kept_back(evidence, record));
    dead.flat_map(|home| home.records).chain(limited).chain(refused).cloned().collect()
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
