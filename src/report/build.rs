//! Puts a report together.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{Timestamp, Unit};

use super::bound::bounded;
use super::texts::Texts;
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
        let mut texts = Texts::default();
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
            records: judgement.records.iter().map(|judged| report_record(judged, evidence, &mut texts)).collect(),
            findings: findings.collect(),
            delegation: report_delegation(expectation, evidence, &mut texts),
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
fn report_record<'e>(judged: &'e JudgedRecord, evidence: &'e Evidence, texts: &mut Texts<'e>) -> ReportedRecord {
    let record = &judged.record;
    let said = evidence.observations(&record.question());
    let mut servers: Vec<ServerReply> = Vec::with_capacity(said.len());
    let mut last: Option<&Observation> = None;
    for seen in said {
        // Most servers say what the one before said, so that it is written down once.
        let is_same = last.replace(seen).is_some_and(|last| last.says_the_same_as(seen));
        let data = servers.last().filter(|_| is_same).map(|reply| Arc::clone(&reply.data));
        servers.push(report_reply(seen, texts.of(&seen.server), data.unwrap_or_else(|| bounded(data_of(seen)).into())));
    }
    ReportedRecord {
        kind: record.kind,
        zone: evidence.zone_of(&record.name).map(|cut| texts.of(&cut.zone)),
        name: texts.of(&record.name),
        record_type: record.record_type.text(),
        expected: match &record.expected {
            Expected::Cname(target) => target.to_string(),
            Expected::SpfInclude(domain) => format!("include:{}", domain.to_text_without_dot()),
            Expected::DmarcPolicy => "v=DMARC1".to_owned(),
            Expected::DkimKey(key) => key.as_ref().map_or_else(|| "v=DKIM1".to_owned(), |key| format!("p={key}")),
            Expected::Exchange(exchange) => exchange.data(),
        },
        status: judged.status,
        code: judged.code,
        found: report_found(&judged.found, said.first().zip(servers.first()), texts),
        servers,
    }
}

/// Reports the records that were found; what is too much is cut as one set.
///
/// Most often that is what the `first` server said, which is written out already.
fn report_found<'e>(
    found: &'e [Record],
    first: Option<(&Observation, &ServerReply)>,
    texts: &mut Texts<'e>,
) -> Vec<FoundRecord> {
    let is_found = |(seen, _): &(&Observation, &ServerReply)| match seen.response() {
        Some(Response::Answer(answer)) => found.iter().map(|record| &record.rdata).eq(answer.rrset.data()),
        _ => false,
    };
    let data = match first.filter(is_found) {
        Some((_, reply)) => reply.data.to_vec(),
        None => bounded(found.iter().map(|record| record.rdata.to_string()).collect()),
    };
    let reported = found.iter().zip(data).map(|(record, data)| FoundRecord {
        name: texts.of(&record.owner),
        record_type: record.kind().text(),
        ttl: record.ttl.seconds(),
        data,
    });
    reported.collect()
}

/// Reports what one address of the server of this name said.
fn report_reply(seen: &Observation, name: Arc<str>, data: Arc<[String]>) -> ServerReply {
    let is_asked = !matches!(seen.outcome, Outcome::Silent(Silence::NoRoute | Silence::Forbidden | Silence::Limit));
    ServerReply {
        name,
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
fn report_delegation<'e>(
    expectation: &'e Expectation,
    evidence: &'e Evidence,
    texts: &mut Texts<'e>,
) -> Vec<ReportedZone> {
    let owners = std::iter::once(&expectation.domain).chain(expectation.records.iter().map(|record| &record.name));
    let zones: BTreeSet<&Name> =
        owners.filter_map(|owner| evidence.chain(owner)).flat_map(|chain| &chain.zones).collect();
    // The canonical order puts a name in front of all that lie below it.
    zones.into_iter().map(|zone| report_zone(zone, evidence, texts)).collect()
}

/// Reports a zone and its servers.
fn report_zone<'e>(zone: &'e Name, evidence: &'e Evidence, texts: &mut Texts<'e>) -> ReportedZone {
    let servers = evidence
        .cut(zone)
        .into_iter()
        .flat_map(|cut| &cut.servers)
        .map(|server| ReportedServer { name: texts.of(&server.name), addresses: server.addresses.clone() });
    let servers = servers.collect();
    ReportedZone { zone: texts.of(zone), servers, soa: zone_version::newest(zone, evidence) }
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
