//! Puts a report together.

use std::collections::BTreeSet;

use jiff::{Timestamp, Unit};

use super::bound::bounded;
use super::zone_version;
use super::{
    ArgumentValue, Context, Cost, FoundRecord, Horizons, Quote, Report, ReportedFinding, ReportedProvider,
    ReportedRecord, ReportedServer, ReportedTransport, ReportedZone, SCHEMA, ServerReply, Verdict,
};
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::{Record, Ttl};
use crate::evidence::{Evidence, Observation, Outcome, Protocol, Silence};
use crate::expectation::{Expectation, Expected, RecordKind};
use crate::findings::finding::data_of;
use crate::findings::{Argument, Finding, JudgedRecord, Judgement, Proof, Subject};
use crate::providers::Detection;
use crate::remedy::{detection_of, remedy};

impl Report {
    /// Puts together what was expected, seen and judged.
    #[must_use]
    pub fn build(expectation: &Expectation, evidence: &Evidence, judgement: &Judgement, context: &Context) -> Self {
        let checked_at = to_the_second(context.checked_at);
        let findings = judgement.findings.iter().map(|finding| report_finding(finding, expectation, evidence));
        let is_bogus = judgement.findings.iter().any(Finding::proves_bogus);
        let keys = judgement.records.iter().filter(|judged| judged.record.kind == RecordKind::Dkim);
        Self {
            schema: SCHEMA,
            row: None,
            domain: expectation.domain.to_text_without_dot(),
            checked_at,
            verdict: Verdict::of(&judgement.records, is_bogus),
            dkim_verdict: Verdict::of(keys, is_bogus),
            root_cause: judgement.root_cause,
            records: judgement.records.iter().map(|judged| report_record(judged, evidence)).collect(),
            findings: findings.collect(),
            delegation: report_delegation(expectation, evidence),
            provider: report_provider(&expectation.domain, evidence),
            horizons: Horizons::of(judgement, evidence, checked_at),
            ses: None,
            cost: Cost { questions: context.questions, elapsed_ms: milliseconds(context.elapsed) },
        }
    }
}

/// Cuts a time to whole seconds, so that it reads as people write it.
fn to_the_second(time: Timestamp) -> Timestamp {
    let mode = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor);
    time.round(mode).unwrap_or(time)
}

/// Returns milliseconds to a tenth.
fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Reports an expected record.
fn report_record(judged: &JudgedRecord, evidence: &Evidence) -> ReportedRecord {
    let record = &judged.record;
    let mut servers: Vec<ServerReply> = Vec::new();
    let mut last: Option<&Observation> = None;
    for seen in evidence.observations(&record.question()) {
        // Most servers say what the one before said, so that it is written down once.
        let same = last.replace(seen).is_some_and(|last| last.response() == seen.response());
        let data = servers.last().filter(|_| same).map(|reply| reply.data.clone());
        servers.push(report_reply(seen, data.unwrap_or_else(|| bounded(data_of(seen)))));
    }
    ReportedRecord {
        kind: record.kind,
        zone: evidence.zone_of(&record.name).map(|cut| cut.zone.to_string()),
        name: record.name.to_string(),
        record_type: record.record_type.to_string(),
        expected: match &record.expected {
            Expected::Cname(target) => target.to_string(),
            Expected::SpfInclude(domain) => format!("include:{}", domain.to_text_without_dot()),
            Expected::DmarcPolicy => "v=DMARC1".to_owned(),
            Expected::DkimKey(key) => key.as_ref().map_or_else(|| "v=DKIM1".to_owned(), |key| format!("p={key}")),
            Expected::Exchange(exchange) => exchange.data(),
        },
        status: judged.status,
        code: judged.code,
        found: report_found(&judged.found),
        servers,
    }
}

/// Reports the records that were found; what is too much is cut as one set.
fn report_found(found: &[Record]) -> Vec<FoundRecord> {
    let data = bounded(found.iter().map(|record| record.rdata.to_string()).collect());
    let reported = found.iter().zip(data).map(|(record, data)| FoundRecord {
        name: record.owner.to_string(),
        record_type: record.kind().to_string(),
        ttl: record.ttl.seconds(),
        data,
    });
    reported.collect()
}

/// Reports what one address said.
fn report_reply(seen: &Observation, data: Vec<String>) -> ServerReply {
    let is_asked = !matches!(seen.outcome, Outcome::Silent(Silence::NoRoute | Silence::Forbidden | Silence::Limit));
    ServerReply {
        name: seen.server.to_string(),
        address: seen.address,
        outcome: seen.outcome_word(),
        aa: match &seen.outcome {
            Outcome::Replied(reply) => Some(reply.is_authoritative),
            Outcome::Silent(_) => None,
        },
        ttl: ttl_of(seen).map(Ttl::seconds),
        data,
        rtt_ms: is_asked.then(|| milliseconds(seen.rtt)),
        transport: is_asked.then_some(match seen.protocol {
            Protocol::Udp => ReportedTransport::Udp,
            Protocol::Tcp => ReportedTransport::Tcp,
        }),
    }
}

/// Returns the time to live of what an address gave.
fn ttl_of(seen: &Observation) -> Option<Ttl> {
    match seen.response()? {
        Response::Answer(answer) => Some(answer.rrset.ttl),
        Response::Alias(alias) => alias.links.iter().map(|link| link.ttl).min(),
        Response::Referral(referral) => Some(referral.ttl),
        Response::NoData(_) | Response::NxDomain(_) | Response::Lame(_) | Response::Failed(_) => None,
    }
}

/// Reports a finding with its remedy.
pub(crate) fn report_finding(finding: &Finding, expectation: &Expectation, evidence: &Evidence) -> ReportedFinding {
    let (kind, record) = match &finding.subject {
        Subject::Domain(name) | Subject::Zone(name) | Subject::Server { server: name, .. } => (None, name),
        Subject::Record { kind, name } => (Some(*kind), name),
    };
    let arguments = finding.arguments.iter().map(|(key, value)| ((*key).to_owned(), report_argument(value)));
    ReportedFinding {
        code: finding.code,
        severity: finding.severity,
        kind,
        record: record.to_string(),
        arguments: arguments.collect(),
        evidence: finding.proof.iter().map(report_proof).collect(),
        remedy: remedy(finding, expectation, evidence),
    }
}

/// Reports the value of an argument.
fn report_argument(value: &Argument) -> ArgumentValue {
    match value {
        Argument::Name(name) => ArgumentValue::Text(name.to_string()),
        Argument::Names(names) => ArgumentValue::List(bounded(names.iter().map(Name::to_string).collect())),
        Argument::Addresses(addresses) => {
            ArgumentValue::List(bounded(addresses.iter().map(ToString::to_string).collect()))
        }
        Argument::Number(number) => ArgumentValue::Number(*number),
        Argument::Text(text) => ArgumentValue::Text(bounded(vec![text.clone()]).join("")),
    }
}

/// Reports a reply that proves a finding.
fn report_proof(proof: &Proof) -> Quote {
    Quote {
        question: proof.question.to_string(),
        server: proof.address,
        outcome: proof.outcome.clone(),
        data: bounded(proof.data.clone()),
        name: proof.server.to_string(),
    }
}

/// Reports the zones on the way to the domain and its records, those above first.
fn report_delegation(expectation: &Expectation, evidence: &Evidence) -> Vec<ReportedZone> {
    let owners = std::iter::once(&expectation.domain).chain(expectation.records.iter().map(|record| &record.name));
    let zones: BTreeSet<&Name> =
        owners.filter_map(|owner| evidence.chain(owner)).flat_map(|chain| &chain.zones).collect();
    // The canonical order puts a name in front of all that lie below it.
    zones.into_iter().map(|zone| report_zone(zone, evidence)).collect()
}

/// Reports a zone and its servers.
fn report_zone(zone: &Name, evidence: &Evidence) -> ReportedZone {
    let servers = evidence
        .cut(zone)
        .into_iter()
        .flat_map(|cut| &cut.servers)
        .map(|server| ReportedServer { name: server.name.to_string(), addresses: server.addresses.clone() });
    let soa = zone_version::newest(zone, evidence);
    ReportedZone { zone: zone.to_string(), servers: servers.collect(), soa }
}

/// Tells who serves the domain's zone.
fn report_provider(domain: &Name, evidence: &Evidence) -> Option<ReportedProvider> {
    let cut = evidence.zone_of(domain).filter(|cut| !is_registry(&cut.zone))?;
    let detection = detection_of(cut, evidence);
    let id = match &detection {
        Detection::Certain(provider) | Detection::Likely(provider) => provider.id.clone(),
        Detection::Mixed(_) => "mixed".to_owned(),
        Detection::Unknown(_) => "unknown".to_owned(),
    };
    Some(ReportedProvider { id, name: detection.to_string() })
}
