use super::*;
use crate::expectation::Facts;
use crate::report::{ReportedServer, ReportedSoa, ReportedZone};
use crate::ses::identity::SesIdentity;
use crate::store::DomainId;

/// The time of every look.
const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// A domain that was added a minute ago.
fn domain() -> Domain {
    Domain {
        id: DomainId::from_text("dom_1"),
        tenant: None,
        name: Name::parse("mail.example.com").unwrap(),
        asked: Facts::default(),
        operator_shard: 7,
        state: DomainState::Pending,
        created_at: NOW - jiff::SignedDuration::from_secs(60),
        verified_at: None,
        due_at: None,
        recheck_requested_at: None,
        last_checked_at: None,
        last_check: None,
        last_verdict: None,
        root_cause: None,
        provider: None,
        zone_digest: None,
        identity: None,
        negatives: Value::Null,
    }
}

/// A report with a verdict, of a zone with these servers and serial.
fn report(verdict: Verdict, servers: &[&str], serial: Option<u32>) -> Report {
    let zone = |zone: &str, servers: &[&str], serial: Option<u32>| ReportedZone {
        zone: zone.into(),
        servers: servers.iter().map(|name| ReportedServer { name: (*name).into(), addresses: vec![] }).collect(),
        soa: serial.map(|serial| ReportedSoa { primary: "ns.example.".to_owned(), serial, negative_seconds: 300 }),
    };
    let delegation = vec![zone("com.", &["a.registry.example."], None), zone("example.com.", servers, serial)];
    Report { verdict, delegation, ..unchecked_report(&domain().name, NOW) }
}

/// Looks at a domain; returns what follows, and the domain after it.
fn look(domain: &Domain, report: &Report, sighting: Option<&Sighting>) -> (Assessment, Domain) {
    look_with_signers(domain, report, None, sighting)
}

/// Does the same where these DS records were seen.
fn look_with_signers(
    domain: &Domain,
    report: &Report,
    signers: Option<&[String]>,
    sighting: Option<&Sighting>,
) -> (Assessment, Domain) {
    let asks_ses = sighting.is_some();
    let assessment = assess(&Look { domain, report, signers, asks_ses, sighting, now: NOW });
    let after = Domain {
        state: assessment.state,
        due_at: Some(assessment.due_at),
        operator_shard: assessment.operator_shard,
        last_checked_at: Some(NOW),
        last_verdict: Some(report.verdict),
        root_cause: report.root_cause,
        zone_digest: assessment.zone_digest.clone(),
        negatives: assessment.memory.clone(),
        ..domain.clone()
    };
    (assessment, after)
}

/// Returns the seconds until a domain is due again.
fn gap(assessment: &Assessment) -> i64 {
    assessment.due_at.duration_since(NOW).as_secs()
}

#[test]
fn the_event_tells_what_changed() {
    let (first, after) = look(&domain(), &report(Verdict::Ready, &["ns1.host.example."], None), None);
    let event = first.event.unwrap();
    assert_eq!(event.kind, EventKind::Verified);
    let expected = json!({
        "state": {"from": "pending", "to": "verified"}, "verdict": {"from": null, "to": "ready"},
    });
    assert_eq!((event.diff, first.verified_at), (expected, Some(NOW)));
    let (second, _) = look(&after, &report(Verdict::Failing, &["ns1.host.example."], None), None);
    let event = second.event.unwrap();
    assert_eq!(event.kind, EventKind::Degraded);
    assert_eq!(event.diff["verdict"], json!({"from": "ready", "to": "failing"}));
    assert_eq!(second.verified_at, None);
}

#[test]
fn what_changed_at_the_zone_or_at_ses_brings_the_next_look_forward() {
    let ready = |servers: &[&str], serial| report(Verdict::Ready, servers, serial);
    let (_, verified) = look(&domain(), &ready(&["ns1.host.example."], Some(1)), None);
    let hours = |from: i64, to: i64| 3600 * from..=3600 * to;
    for (what, next, expected) in [
        ("nothing", ready(&["ns1.host.example."], Some(1)), hours(21, 27)),
        ("the serial", ready(&["ns1.host.example."], Some(2)), hours(5, 7)),
        ("no serial is told", ready(&["ns1.host.example."], None), hours(21, 27)),
        ("the servers", ready(&["ns1.other.example."], Some(1)), 3240..=3960),
        ("it could not be checked", report(Verdict::Indeterminate, &[], None), 540..=660),
    ] {
        let (assessment, after) = look(&verified, &next, None);
        assert!(expected.contains(&gap(&assessment)), "{what}: {} s", gap(&assessment));
        assert_eq!((assessment.state, assessment.event), (DomainState::Verified, None), "{what}");
        // What was not seen this time is compared with next time.
        let back = look(&after, &ready(&["ns1.host.example."], Some(1)), None).0;
        assert_eq!(hours(21, 27).contains(&gap(&back)), !["the serial", "the servers"].contains(&what), "{what}");
    }
    let identity =
        |dkim_status| SesIdentity { dkim_status, sending: true, ..SesIdentity::new(domain().name, "eu-west-1") };
    let success = Sighting::new(Some(identity(SesStatus::Success)), NOW, None);
    let failed = Sighting::new(Some(identity(SesStatus::Failed)), NOW, None);
    let (_, verified) = look(&domain(), &ready(&["ns1.host.example."], Some(1)), Some(&success));
    assert!(hours(21, 27).contains(&gap(&look(&verified, &ready(&["ns1.host.example."], Some(1)), Some(&success)).0)));
    assert!((810..=990).contains(&gap(&look(&verified, &ready(&["ns1.host.example."], Some(1)), Some(&failed)).0)));
}

#[test]
fn other_ds_records_at_the_parent_alone_bring_the_next_look_forward() {
    let ready = report(Verdict::Ready, &["ns1.host.example."], Some(1));
    let one = ["12345 13 2 ab".to_owned()];
    let two = ["12345 13 2 ab".to_owned(), "54321 13 2 cd".to_owned()];
    let (_, verified) = look(&domain(), &ready, None);
    let (first, signed) = look_with_signers(&verified, &ready, Some(&one), None);
    let daily = 3600 * 21..=3600 * 27;
    assert!(daily.contains(&gap(&first)), "the first that is known of them is no change: {} s", gap(&first));
    for (what, signers, is_change) in [
        ("the same", Some(&one[..]), false),
        ("not told", None, false),
        ("one more", Some(&two[..]), true),
        ("none any more", Some(&[][..]), true),
    ] {
        let (assessment, after) = look_with_signers(&signed, &ready, signers, None);
        assert_eq!((3240..=3960).contains(&gap(&assessment)), is_change, "{what}: {} s", gap(&assessment));
        assert_eq!((assessment.state, assessment.event), (DomainState::Verified, None), "{what}");
        let (again, _) = look_with_signers(&after, &ready, Some(&one), None);
        assert_eq!((3240..=3960).contains(&gap(&again)), is_change, "back from {what}");
    }
    // What an earlier version wrote down has no part for them.
    let old = Domain {
        zone_digest: verified.zone_digest.as_ref().map(|text| text.trim_end_matches("/-").to_owned()),
        ..verified
    };
    assert!(daily.contains(&gap(&look_with_signers(&old, &ready, Some(&one), None).0)));
}

#[test]
fn the_state_of_the_row_counts_and_a_foreign_memory_does_not() {
    for memory in [Value::Null, json!({}), json!("?"), json!({"state": "lost", "since": "2026-01-01T00:00:00Z"})] {
        let verified = Domain { state: DomainState::Verified, negatives: memory.clone(), ..domain() };
        let (assessment, _) = look(&verified, &report(Verdict::Failing, &[], None), None);
        assert_eq!(assessment.state, DomainState::Degraded, "{memory}");
    }
}

#[test]
fn a_zone_that_was_not_found_leaves_what_is_known_of_it() {
    let (first, after) = look(&domain(), &report(Verdict::Ready, &["ns1.host.example."], Some(5)), None);
    assert_ne!(first.operator_shard, 7);
    let lost_sight = Report { delegation: Vec::new(), ..report(Verdict::Indeterminate, &[], None) };
    let (second, _) = look(&after, &lost_sight, None);
    assert_eq!((second.operator_shard, second.zone_digest), (first.operator_shard, first.zone_digest));
}
