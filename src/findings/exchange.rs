//! The MX records that Amazon SES needs: of a domain whose mail it takes in, and of the custom MAIL FROM name.
//!
//! One diagnosis serves the plan and the judgement, as with DKIM. A host that is right is never looked up. The policy of
//! the MAIL FROM name is read by [`spf`]; here it gets its own code.

mod hosts;

use crate::dns::name::Name;
use crate::dns::rrset::{Question, Record, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Exchange, Exchanger, Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::exchange::hosts::{Host, Hosts, State, addresses, read, state_of};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus};
use crate::findings::inquiry::{Ask, Inquiry};
use crate::findings::spf;
use crate::findings::status::standing;
use crate::findings::txt::answers_found;
use crate::findings::view::{View, Views};

/// The most hosts of one record set that are looked up; the ones that mail goes to first.
const MAX_HOSTS: usize = 3;

/// Judges the MX records and the SPF policy of the MAIL FROM name, in the expectation's order.
///
/// Arguments: `expected`, the data that the record should have; `exchanges`, the hosts in question; `region`, where these
/// are another region's; `target`, where an alias leads; `count`, how many records there are; `addresses`.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in &expectation.records {
        if exchange_of(record).is_some() {
            let views = views(expectation, evidence, record);
            let judged = views.judged(found(evidence, record));
            findings.extend(views.findings());
            if judged.code == Some(Code::MxInboundAbsent) {
                findings.extend(implicit(record, &mut Inquiry::closed(evidence)));
            }
            records.push(judged);
        } else if record.kind == RecordKind::MailFromSpf {
            let (judged, found) = policy(evidence, record);
            records.push(judged);
            findings.extend(found);
        }
    }
    let is_told = |finding: &Finding| finding.code == Code::MailfromIsCname && finding.severity != Severity::Notice;
    if findings.iter().any(is_told) {
        // Nothing can stand beside an alias: what is wrong is told once.
        findings.retain(|finding| finding.code != Code::MailfromSpfAbsent);
        for judged in records.iter_mut().filter(|judged| judged.code == Some(Code::MailfromSpfAbsent)) {
            (judged.status, judged.code) = (RecordStatus::Wrong, Some(Code::MailfromIsCname));
        }
    }
    (records, findings)
}

/// Returns what is left to ask to say what is wrong with the MX records; empty where all are right or nobody answers.
#[must_use]
pub fn wanted(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    for record in &expectation.records {
        let Some(exchange) = exchange_of(record) else { continue };
        for seen in standing(evidence, &record.question(), |_| true).answering() {
            if let View::Wrong(finding) = view(expectation, record, exchange, seen, &mut inquiry)
                && finding.code == Code::MxInboundAbsent
            {
                implicit(record, &mut inquiry);
            }
        }
    }
    inquiry.into_wanted()
}

/// Reads what every server says of an MX record.
pub(super) fn views<'r, 'e>(
    expectation: &Expectation,
    evidence: &'e Evidence,
    record: &'r ExpectedRecord,
) -> Views<'r, 'e> {
    Views::read(evidence, record, |seen| match exchange_of(record) {
        Some(exchange) => view(expectation, record, exchange, seen, &mut Inquiry::closed(evidence)),
        None => View::Unknown(Vec::new()),
    })
}

/// Returns the exchange that an MX record should name.
fn exchange_of(record: &ExpectedRecord) -> Option<&Exchange> {
    if let Expected::Exchange(exchange) = &record.expected { Some(exchange) } else { None }
}

/// Returns the MX records that were found, and the aliases in front of them; sorted, each once.
fn found(evidence: &Evidence, record: &ExpectedRecord) -> Vec<Record> {
    answers_found(evidence.observations(&record.question()), |_| true)
}

/// Judges the policy of the MAIL FROM name; where it does not name Amazon SES, it might as well not be there.
fn policy(evidence: &Evidence, record: &ExpectedRecord) -> (JudgedRecord, Vec<Finding>) {
    let views = spf::views(evidence, record);
    let mut findings = views.findings();
    let mut judged = views.judged(spf::found(evidence, record, &findings));
    let own_code = |code: Code| match code {
        Code::SpfAbsent | Code::SpfMissingInclude => Code::MailfromSpfAbsent,
        other => other,
    };
    judged.code = judged.code.map(own_code);
    findings.iter_mut().for_each(|finding| finding.code = own_code(finding.code));
    (judged, findings)
}

/// Starts a finding about an MX record: a warning, and an error where the verdict depends on it.
fn start(code: Code, record: &ExpectedRecord, exchange: &Exchange) -> Finding {
    let severity = if record.is_required { Severity::Error } else { code.severity() };
    Finding::new(code, record).with_severity(severity).with("expected", Argument::Text(exchange.data()))
}

/// Judges what one server says of an MX record.
fn view(
    expectation: &Expectation,
    record: &ExpectedRecord,
    exchange: &Exchange,
    seen: &Observation,
    inquiry: &mut Inquiry<'_>,
) -> View {
    let (hosts, alias) = match read(seen, inquiry) {
        Hosts::Known(hosts, alias) => (hosts, alias),
        Hosts::Unknown => return View::Unknown(Vec::new()),
    };
    let view = view_of_hosts(expectation, record, exchange, &hosts, inquiry);
    let Some(target) = alias.filter(|_| exchange.exchanger == Exchanger::Feedback) else { return view };
    // A CNAME excludes an MX record beside it (RFC 1034 §3.6.2); one that leads to the right MX record works.
    let finding = start(Code::MailfromIsCname, record, exchange).with("target", Argument::Name(target));
    match view {
        View::Right(_) => View::Right(vec![finding.with_severity(Severity::Notice)]),
        View::Wrong(_) => View::Wrong(Box::new(finding)),
        unknown @ View::Unknown(_) => unknown,
    }
}

/// Judges the hosts of an MX record set.
fn view_of_hosts(
    expectation: &Expectation,
    record: &ExpectedRecord,
    exchange: &Exchange,
    hosts: &[Host],
    inquiry: &mut Inquiry<'_>,
) -> View {
    let wrong = |finding: Finding| View::Wrong(Box::new(finding));
    let is_feedback = exchange.exchanger == Exchanger::Feedback;
    if hosts.is_empty() {
        let code = if is_feedback { Code::MailfromMxAbsent } else { Code::MxInboundAbsent };
        return wrong(start(code, record, exchange));
    }
    if hosts.iter().any(|host| host.name.is_root()) {
        return wrong(start(Code::MxNull, record, exchange));
    }
    let (right, others): (Vec<&Host>, Vec<&Host>) = hosts.iter().partition(|host| exchange.is_met_by(&host.name));
    if is_feedback && !right.is_empty() {
        // Amazon SES wants exactly one, whatever its preference.
        return match hosts.len() {
            1 => View::Right(Vec::new()),
            count => {
                let extra = if others.is_empty() { &right } else { &others };
                let number = u64::try_from(count).unwrap_or(u64::MAX);
                let finding = start(Code::MailfromMxExtra, record, exchange).with("exchanges", names(extra));
                wrong(finding.with("count", Argument::Number(number)))
            }
        };
    }
    let Some(nearest_other) = others.iter().map(|host| host.preference).min() else { return View::Right(Vec::new()) };
    let finding = fault_of(expectation, record, exchange, &others, inquiry);
    if right.iter().any(|host| host.preference < nearest_other) {
        return View::Right(vec![finding.with_severity(Severity::Notice)]);
    }
    wrong(finding)
}

/// Says what is wrong with hosts that are not the expected one; there is one at least.
fn fault_of(
    expectation: &Expectation,
    record: &ExpectedRecord,
    exchange: &Exchange,
    others: &[&Host],
    inquiry: &mut Inquiry<'_>,
) -> Finding {
    let finding = |code: Code, meant: &[&Host]| start(code, record, exchange).with("exchanges", names(meant));
    let of = |is_meant: &dyn Fn(&Host) -> bool| -> Vec<&Host> {
        others.iter().copied().filter(|host| is_meant(host)).collect()
    };
    let zone = inquiry.evidence().zone_of(&record.name).map_or(&expectation.domain, |cut| &cut.zone);
    let appended = of(&|host| host.is_appended(exchange.exchanger, [zone, &expectation.domain, &record.name]));
    if !appended.is_empty() {
        return finding(Code::MxZoneAppended, &appended);
    }
    let addresses = of(&|host| host.is_address([zone, &expectation.domain, &record.name]));
    if !addresses.is_empty() {
        return finding(Code::MxIsIp, &addresses);
    }
    let elsewhere = of(&|host| exchange.exchanger.region_of(&host.name).is_some());
    if let Some(region) = elsewhere.first().and_then(|host| exchange.exchanger.region_of(&host.name)) {
        let code = if exchange.exchanger == Exchanger::Feedback { Code::MailfromRegion } else { Code::MxForeign };
        return finding(code, &elsewhere).with("region", Argument::Text(region));
    }
    if is_wildcard(expectation, record, exchange, others, inquiry) {
        return finding(Code::MailfromMxAbsent, others);
    }
    let states: Vec<(&Host, State)> =
        others.iter().take(MAX_HOSTS).map(|host| (*host, state_of(host, exchange, inquiry))).collect();
    let in_state = |wanted: fn(&State) -> bool| -> Vec<&Host> {
        states.iter().filter(|(_, state)| wanted(state)).map(|(host, _)| *host).collect()
    };
    let aliases = in_state(|state| matches!(state, State::AliasOfExpected));
    let dead = in_state(|state| matches!(state, State::Dead));
    if !aliases.is_empty() {
        finding(Code::MxIsCname, &aliases)
    } else if dead.len() == others.len() {
        prove_dead(finding(Code::MxTargetDead, &dead), &dead, inquiry)
    } else {
        finding(Code::MxForeign, others)
    }
}

/// Adds what was said of hosts without an address.
fn prove_dead(finding: Finding, dead: &[&Host], inquiry: &mut Inquiry<'_>) -> Finding {
    dead.iter().fold(finding, |finding, host| {
        let sight = inquiry.look(&Question::new(host.name.clone(), RecordType::A));
        finding.proven_by(&sight.question, sight.seen.iter().copied())
    })
}

/// Says whether the MX records of the MAIL FROM name are a wildcard's, so that it has none of its own (RFC 4592 §2.2).
fn is_wildcard(
    expectation: &Expectation,
    record: &ExpectedRecord,
    exchange: &Exchange,
    others: &[&Host],
    inquiry: &mut Inquiry<'_>,
) -> bool {
    let label = &inquiry.evidence().probe_label;
    let sibling = record.name.parent().filter(|parent| parent.is_subdomain_of(&expectation.domain));
    let Some(sibling) = sibling.and_then(|parent| parent.prepend(label).ok()) else { return false };
    if exchange.exchanger != Exchanger::Feedback {
        return false;
    }
    let sight = inquiry.look(&Question::new(sibling, RecordType::MX));
    let Some(seen) = sight.seen.first() else { return false };
    match read(seen, inquiry) {
        Hosts::Known(hosts, None) => {
            hosts.len() == others.len() && hosts.iter().zip(others).all(|(one, other)| one == *other)
        }
        _ => false,
    }
}

/// Finds that mail goes to the domain's addresses, since there is no MX record (RFC 5321 §5.1).
fn implicit(record: &ExpectedRecord, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let found = addresses(&record.name, inquiry);
    if found.is_empty() {
        return None;
    }
    let sights = [RecordType::A, RecordType::AAAA].map(|kind| inquiry.look(&Question::new(record.name.clone(), kind)));
    let finding = Finding::new(Code::MxImplicitA, record).with("addresses", Argument::Addresses(found));
    Some(sights.iter().fold(finding, |finding, sight| finding.proven_by(&sight.question, sight.seen.iter().copied())))
}

/// Returns the names of hosts as an argument.
fn names(hosts: &[&Host]) -> Argument {
    let mut names: Vec<Name> = hosts.iter().map(|host| host.name.clone()).collect();
    names.sort();
    names.dedup();
    Argument::Names(names)
}

#[cfg(test)]
mod tests;
