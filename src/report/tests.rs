use super::*;
use crate::evidence::Evidence;
use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use crate::findings::sample::{evidence, name, question};
use crate::findings::{Argument, Finding, JudgedRecord, Judgement, Subject};

/// Where the schema is kept.
const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/report.schema.json");

/// A domain at GoDaddy whose first record stands at a doubled host, and whose second server is silent or has no route.
fn case() -> (Expectation, Evidence, Judgement) {
    let expectation = Expectation::new("Mail.Example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let typed = "t1._domainkey.mail.example.com.example.com.";
    let evidence = evidence(&format!(
        "zone example.com. ns71.domaincontrol.com.=192.0.2.1 ns72.domaincontrol.com.=192.0.2.2 \
           ns72.domaincontrol.com.=2001:db8::2
         t1._domainkey.mail.example.com. CNAME: nxdomain
         t1._domainkey.mail.example.com. CNAME @192.0.2.2: timeout
         t1._domainkey.mail.example.com. CNAME @2001:db8::2: no_route
         {typed} CNAME: t1.dkim.amazonses.com.
         t2._domainkey.mail.example.com. CNAME: t2.dkim.amazonses.com.
         mail.example.com. TXT: v=spf1 -all | \u{1b}[2J"
    ));
    let subject = Subject::from(&expectation.records[0]);
    let asked = question(&format!("{typed} CNAME"));
    let seen = evidence.observations(&asked);
    let found = seen.iter().find_map(|one| match one.response() {
        Some(crate::dns::response::Response::Answer(answer)) => Some(crate::dns::rrset::Record {
            owner: answer.rrset.owner.clone(),
            ttl: answer.rrset.ttl,
            rdata: answer.rrset.data()[0].clone(),
        }),
        _ => None,
    });
    let finding = Finding::new(Code::HostDoubled, subject)
        .with("typed", Argument::Name(name(typed)))
        .proven_by(&asked, seen.iter().take(1));
    let judged = expectation.records.iter().enumerate().map(|(index, record)| JudgedRecord {
        record: record.clone(),
        status: if index == 0 { RecordStatus::Wrong } else { RecordStatus::Ok },
        code: (index == 0).then_some(Code::HostDoubled),
        is_right_somewhere: index != 0,
        found: found.iter().filter(|_| index == 0).cloned().collect(),
    });
    let records = judged.take(4).collect();
    (expectation, evidence, Judgement { records, findings: vec![finding], root_cause: Some(Code::HostDoubled) })
}

fn report() -> Report {
    let (expectation, evidence, judgement) = case();
    let context = Context {
        checked_at: "2026-11-24T12:00:00.987Z".parse().unwrap(),
        elapsed: Duration::from_micros(48_123),
        questions: 13,
    };
    Report::build(&expectation, &evidence, &judgement, &context)
}

#[test]
fn a_report_is_what_the_contract_shows() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&report()).unwrap());
}

#[test]
fn the_fields_stand_in_the_order_of_the_contract() {
    let mut report = report();
    report.row = Some(1);
    report.records.truncate(1);
    report.records[0].servers.truncate(1);
    report.delegation.truncate(1);
    report.findings[0].remedy.steps.truncate(1);
    let json = serde_json::to_string(&report).unwrap();
    let keys: Vec<&str> = json
        .split('"')
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|pair| pair[1].starts_with(':'))
        .map(|pair| pair[0])
        .collect();
    assert_eq!(
        keys.join(" "),
        "schema row domain checked_at verdict dkim_verdict root_cause \
         records kind zone name type expected status code found name type ttl data \
         servers name address outcome aa ttl data rtt_ms transport \
         findings code severity kind record arguments typed evidence question server outcome data name \
         remedy provider text steps action host type \
         delegation zone servers name addresses soa \
         provider id name horizons negative_until positive_until delegation_until ses cost questions elapsed_ms"
    );
}

#[test]
fn a_report_reads_back_as_it_was_written() {
    let mut report = report();
    for row in [None, Some(7)] {
        report.row = row;
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}

#[test]
fn every_code_reads_back() {
    let report = report();
    for code in Code::ALL {
        let report = Report { root_cause: Some(*code), ..report.clone() };
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap().root_cause, Some(*code));
    }
    let unknown = serde_json::to_string(&report).unwrap().replace("host_doubled", "no_such_code");
    assert!(serde_json::from_str::<Report>(&unknown).unwrap_err().to_string().contains("no_such_code"));
}

#[test]
fn a_domain_that_a_registry_denies_has_no_provider() {
    let (expectation, _, judgement) = case();
    let evidence = evidence("mail.example.com. TXT: nxdomain");
    let context = Context { checked_at: Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, questions: 1 };
    let report = Report::build(&expectation, &evidence, &judgement, &context);
    assert_eq!(report.provider, None);
    let zones: Vec<&str> = report.delegation.iter().map(|zone| &*zone.zone).collect();
    assert_eq!(zones, [".", "com."]);
    assert_eq!(report.records[0].zone, None);
}

#[test]
fn servers_that_nobody_knows_are_the_provider_s_name() {
    let (expectation, _, judgement) = case();
    let context = Context { checked_at: Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, questions: 1 };
    for (servers, id, shown) in [
        ("ns1.example.net.=192.0.2.1", "unknown", "the name server ns1.example.net"),
        (
            "ada.ns.cloudflare.com.=192.0.2.1 ns71.domaincontrol.com.=192.0.2.2",
            "mixed",
            "Cloudflare (ada.ns.cloudflare.com) and GoDaddy (ns71.domaincontrol.com)",
        ),
    ] {
        let evidence = evidence(&format!("zone example.com. {servers}\nmail.example.com. TXT: nodata"));
        let report = Report::build(&expectation, &evidence, &judgement, &context);
        assert_eq!(report.provider, Some(ReportedProvider { id: id.to_owned(), name: shown.to_owned() }));
    }
}

#[test]
fn the_schema_has_not_drifted() {
    let schema = serde_json::to_string_pretty(&Report::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(SCHEMA_FILE, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA_FILE).unwrap_or_default();
    assert!(
        kept == schema,
        "fixtures/report.schema.json is not what the types say; look at the difference after `UPDATE_SCHEMA=1 cargo test schema`"
    );
}

#[test]
fn every_field_of_a_report_is_in_the_schema() {
    let schema = serde_json::to_value(Report::json_schema()).unwrap();
    let report = serde_json::to_value(Report { row: Some(1), ..report() }).unwrap();
    let named = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(named(&schema["properties"]), named(&report));
    for (part, at) in [
        ("ReportedRecord", "/records/0"),
        ("FoundRecord", "/records/0/found/0"),
        ("ServerReply", "/records/0/servers/0"),
        ("ReportedFinding", "/findings/0"),
        ("Quote", "/findings/0/evidence/0"),
        ("Remedy", "/findings/0/remedy"),
        ("Step", "/findings/0/remedy/steps/1"),
        ("ReportedZone", "/delegation/0"),
        ("ReportedServer", "/delegation/0/servers/0"),
        ("ReportedProvider", "/provider"),
        ("Horizons", "/horizons"),
        ("Cost", "/cost"),
    ] {
        assert_eq!(named(&schema["$defs"][part]["properties"]), named(report.pointer(at).unwrap()), "{part}");
    }
}

#[test]
fn what_else_is_required_does_not_move_the_verdict_on_dkim() {
    let (expectation, evidence, mut judgement) = case();
    for (judged, is_right) in judgement.records.iter_mut().zip([true, true, true, false]) {
        judged.record.is_required = true;
        judged.status = if is_right { RecordStatus::Ok } else { RecordStatus::Absent };
        judged.is_right_somewhere = is_right;
    }
    let context = Context { checked_at: Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, questions: 0 };
    let report = Report::build(&expectation, &evidence, &judgement, &context);
    assert_eq!((report.verdict, report.dkim_verdict), (Verdict::Partial, Verdict::Ready));
}
