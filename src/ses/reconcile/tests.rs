use proptest::prelude::*;

use super::*;
use crate::findings::Severity;
use crate::ses::identity::{KeyLength, SeenSoa, VerificationInfo};

/// The verdicts, in the order of the columns of the table.
const VERDICTS: [Verdict; 5] =
    [Verdict::Ready, Verdict::Propagating, Verdict::Partial, Verdict::Failing, Verdict::Indeterminate];

/// The statuses of SES that this version knows.
const KNOWN_STATUSES: [SesStatus; 5] =
    [SesStatus::Pending, SesStatus::Success, SesStatus::Failed, SesStatus::TemporaryFailure, SesStatus::NotStarted];

/// Every cell of the plain table: what SES says, and the outcome and its reason for each of [`VERDICTS`].
const TABLE: [(&str, [&str; 5]); 12] = [
    ("SUCCESS sends", ["verified", "verified", "partial", "will_be_lost", "verified"]),
    ("SUCCESS", ["wait not_sending_yet", "wait not_sending_yet", "partial", "will_be_lost", "wait not_sending_yet"]),
    (
        "PENDING sends",
        [
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
        ],
    ),
    (
        "PENDING",
        [
            "wait not_noticed_yet",
            "wait propagating",
            "wait records_not_right",
            "wait records_not_right",
            "wait dns_unclear",
        ],
    ),
    (
        "FAILED sends",
        [
            "unsigned dkim_failed",
            "unsigned dkim_failed",
            "unsigned dkim_failed",
            "unsigned dkim_failed",
            "unsigned dkim_failed",
        ],
    ),
    (
        "FAILED",
        [
            "restart_needed window_over",
            "restart_needed propagating",
            "restart_needed records_not_right",
            "restart_needed records_not_right",
            "restart_needed dns_unclear",
        ],
    ),
    (
        "TEMPORARY_FAILURE sends",
        ["wait ses_looks_again", "wait propagating", "partial", "will_be_lost", "wait dns_unclear"],
    ),
    (
        "TEMPORARY_FAILURE",
        [
            "wait ses_looks_again",
            "wait propagating",
            "wait records_not_right",
            "wait records_not_right",
            "wait dns_unclear",
        ],
    ),
    (
        "NOT_STARTED sends",
        [
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
            "unsigned legacy_verified",
        ],
    ),
    (
        "NOT_STARTED",
        [
            "restart_needed never_started",
            "restart_needed never_started",
            "restart_needed never_started",
            "restart_needed never_started",
            "restart_needed never_started",
        ],
    ),
    ("no identity", ["no_identity", "no_identity", "no_identity", "no_identity", "no_identity"]),
    (
        "unknown",
        [
            "unknown ses_unreachable",
            "unknown ses_unreachable",
            "unknown ses_unreachable",
            "unknown ses_unreachable",
            "unknown ses_unreachable",
        ],
    ),
];

/// When the checks of these tests end.
fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A view of the DNS with this verdict.
fn dns(verdict: Verdict) -> DnsView {
    DnsView {
        domain: "mail.example.com".to_owned(),
        checked_at: now(),
        verdict,
        root_cause: (verdict == Verdict::Failing).then_some(Code::HostDoubled),
        is_wrong_region: false,
        soa: None,
    }
}

/// An identity with this DKIM status.
fn identity(status: SesStatus, sending: bool) -> SesIdentity {
    SesIdentity {
        dkim_status: status,
        verification_status: status,
        sending,
        ..SesIdentity::new(Name::parse("mail.example.com").unwrap(), "eu-west-1")
    }
}

/// Writes an outcome and its reason as the table does.
fn words(found: &Reconciliation) -> String {
    let reason = found.reason.map(|reason| serde_json::to_value(reason).unwrap());
    let reason = reason.iter().filter_map(|reason| reason.as_str()).map(|reason| format!(" {reason}"));
    format!("{}{}", found.outcome.as_str(), reason.collect::<String>())
}

/// Reads what SES says in a row of the table.
fn row_identity(row: &str) -> Option<SesIdentity> {
    let (word, sending) = row.split_once(' ').map_or((row, false), |(word, _)| (word, true));
    let status = SesStatus::of_word(word);
    (status != SesStatus::Unknown).then(|| identity(status, sending))
}

/// Returns what SES says in a row of the table.
fn row_view<'a>(row: &str, known: &'a Option<SesIdentity>) -> SesView<'a> {
    match known {
        Some(identity) => SesView::Identity(identity),
        None if row == "no identity" => SesView::NoIdentity,
        None => SesView::Unknown,
    }
}

#[test]
fn every_cell_of_the_table_is_what_it_says() {
    for (row, cells) in TABLE {
        let known = row_identity(row);
        for (verdict, expected) in VERDICTS.into_iter().zip(cells) {
            let found = reconcile(&dns(verdict), row_view(row, &known), None);
            assert_eq!(words(&found), expected, "{row}, {}", verdict.as_str());
            assert!(found.sentence.ends_with('.') && found.sentence.len() > 20, "{row}: {}", found.sentence);
        }
    }
}

#[test]
fn the_table_has_every_status_with_and_without_sending() {
    for status in KNOWN_STATUSES {
        for row in [status.as_str().to_owned(), format!("{} sends", status.as_str())] {
            assert!(TABLE.iter().any(|(known, _)| *known == row), "{row}");
        }
    }
}

#[test]
fn sending_follows_the_flag_of_ses_alone() {
    for (row, expected) in [
        ("SUCCESS sends", SendingSign::Positive),
        ("FAILED sends", SendingSign::Positive),
        ("TEMPORARY_FAILURE sends", SendingSign::Positive),
        ("SUCCESS", SendingSign::Negative),
        ("PENDING", SendingSign::Negative),
        ("FAILED", SendingSign::Negative),
        ("NOT_STARTED", SendingSign::Negative),
        ("TEMPORARY_FAILURE", SendingSign::CannotTell),
        ("no identity", SendingSign::Negative),
        ("unknown", SendingSign::CannotTell),
    ] {
        let known = row_identity(row);
        assert_eq!(row_view(row, &known).sending_sign(), expected, "{row}");
    }
    let odd = identity(SesStatus::Unknown, false);
    assert_eq!(SesView::Identity(&odd).sending_sign(), SendingSign::CannotTell);
    let whole = SesIdentity { verification_status: SesStatus::TemporaryFailure, ..identity(SesStatus::Failed, false) };
    assert_eq!(SesView::Identity(&whole).sending_sign(), SendingSign::CannotTell);
}

#[test]
fn a_wait_ends_with_the_window_and_a_restart_follows() {
    let pending = identity(SesStatus::Pending, false);
    let hours = |count: u64| Some(now().checked_sub(Duration::from_secs(count * 3600)).unwrap());
    for (since, verdict, expected, until) in [
        (None, Verdict::Ready, "wait not_noticed_yet", None),
        (hours(70), Verdict::Ready, "wait not_noticed_yet", Some("2026-11-24T14:00:00Z")),
        (hours(71), Verdict::Failing, "wait records_not_right", Some("2026-11-24T13:00:00Z")),
        (hours(72), Verdict::Ready, "restart_needed window_over", None),
        (hours(72), Verdict::Failing, "restart_needed records_not_right", None),
        (hours(100), Verdict::Indeterminate, "restart_needed dns_unclear", None),
    ] {
        let found = reconcile(&dns(verdict), SesView::Identity(&pending), since);
        assert_eq!(words(&found), expected, "{since:?}");
        assert_eq!(found.until, until.map(|until| until.parse().unwrap()), "{since:?}");
    }
    // What was verified once has no window.
    let verified = identity(SesStatus::Success, true);
    let found = reconcile(&dns(Verdict::Ready), SesView::Identity(&verified), hours(100));
    assert_eq!((words(&found).as_str(), found.until), ("verified", None));
}

/// An identity that looks for records, and what SES told of its last look.
fn looked(status: SesStatus, error: Option<VerificationError>, primary: &str, serial: u32) -> SesIdentity {
    SesIdentity {
        verification_info: Some(VerificationInfo {
            last_checked_at: Some("2026-11-24T11:30:00Z".parse().unwrap()),
            last_success_at: None,
            error,
            soa: Some(SeenSoa { primary: primary.to_owned(), admin: "root.example.".to_owned(), serial }),
        }),
        ..identity(status, false)
    }
}

#[test]
fn an_older_zone_in_the_hands_of_ses_is_told() {
    let ours = |verdict: Verdict| DnsView {
        soa: Some(ReportedSoa { primary: "ns1.example.".to_owned(), serial: 10, negative_seconds: 3600 }),
        ..dns(verdict)
    };
    let until = Some("2026-11-24T12:30:00Z".parse().unwrap());
    let absent = Some(VerificationError::HostNotFound);
    for (verdict, seen, expected, until) in [
        (Verdict::Ready, looked(SesStatus::Pending, None, "NS1.example", 9), "older_zone older_serial", until),
        (Verdict::Ready, looked(SesStatus::Pending, None, "ns1.example.", 10), "wait not_noticed_yet", None),
        (Verdict::Ready, looked(SesStatus::Pending, None, "ns1.example.", 11), "wait not_noticed_yet", None),
        // The serials of other servers do not compare.
        (Verdict::Ready, looked(SesStatus::Pending, None, "ns.other.example.", 9), "wait not_noticed_yet", None),
        (
            Verdict::Ready,
            looked(SesStatus::Pending, absent, "ns1.example.", 10),
            "older_zone remembered_absence",
            until,
        ),
        (
            Verdict::Propagating,
            looked(SesStatus::TemporaryFailure, absent, "x.", 1),
            "older_zone remembered_absence",
            until,
        ),
        (Verdict::Failing, looked(SesStatus::Pending, absent, "ns1.example.", 9), "wait records_not_right", None),
        (Verdict::Ready, looked(SesStatus::Failed, absent, "ns1.example.", 9), "restart_needed window_over", None),
    ] {
        let found = reconcile(&ours(verdict), SesView::Identity(&seen), None);
        assert_eq!((words(&found).as_str(), found.until), (expected, until), "{verdict:?} {seen:?}");
    }
    // What SES may remember is over by now.
    let long_ago = DnsView { checked_at: "2026-11-24T12:31:00Z".parse().unwrap(), ..ours(Verdict::Ready) };
    let found = reconcile(&long_ago, SesView::Identity(&looked(SesStatus::Pending, absent, "x.", 1)), None);
    assert_eq!((words(&found).as_str(), found.until), ("older_zone remembered_absence", None));
    // Without a start of authority of ours, nobody knows until when.
    let found = reconcile(&dns(Verdict::Ready), SesView::Identity(&looked(SesStatus::Pending, absent, "x.", 1)), None);
    assert_eq!((words(&found).as_str(), found.until), ("older_zone remembered_absence", None));
}

#[test]
fn what_stands_over_the_table_wins_in_its_order() {
    let wrong = DnsView { is_wrong_region: true, ..dns(Verdict::Failing) };
    let denied = |status: SesStatus, sending: bool| SesIdentity {
        origin: DkimOrigin::Replica { parent_region: "us-east-1".to_owned() },
        sending,
        ..looked(status, Some(VerificationError::ReplicationAccessDenied), "x.", 1)
    };
    let off = |status: SesStatus| SesIdentity { signing_enabled: false, ..identity(status, true) };
    let changing = SesIdentity {
        current_key_length: Some(KeyLength::Rsa1024),
        next_key_length: Some(KeyLength::Rsa2048),
        ..identity(SesStatus::Pending, true)
    };
    let easy = SesIdentity { origin: DkimOrigin::EasyDkim, ..denied(SesStatus::Failed, false) };
    for (dns, identity, expected) in [
        (wrong.clone(), identity(SesStatus::Pending, false), "wrong_region"),
        (wrong.clone(), identity(SesStatus::Success, true), "wrong_region"),
        (wrong.clone(), identity(SesStatus::Failed, false), "wrong_region"),
        (wrong.clone(), identity(SesStatus::Unknown, true), "unknown unknown_status"),
        (DnsView { verdict: Verdict::Indeterminate, ..wrong.clone() }, identity(SesStatus::Success, true), "verified"),
        (dns(Verdict::Ready), denied(SesStatus::Failed, false), "replica_trouble"),
        (dns(Verdict::Failing), denied(SesStatus::Pending, true), "replica_trouble"),
        (wrong, denied(SesStatus::Failed, false), "replica_trouble"),
        (dns(Verdict::Ready), denied(SesStatus::Success, true), "verified"),
        (dns(Verdict::Ready), denied(SesStatus::TemporaryFailure, true), "wait ses_looks_again"),
        (dns(Verdict::Ready), easy, "restart_needed window_over"),
        (dns(Verdict::Ready), off(SesStatus::Success), "unsigned signing_off"),
        (dns(Verdict::Partial), off(SesStatus::Success), "unsigned signing_off"),
        (dns(Verdict::Failing), off(SesStatus::Success), "will_be_lost"),
        (dns(Verdict::Ready), off(SesStatus::TemporaryFailure), "wait ses_looks_again"),
        (dns(Verdict::Ready), changing, "unsigned key_change"),
    ] {
        let found = reconcile(&dns, SesView::Identity(&identity), None);
        assert_eq!(words(&found), expected, "{:?} {identity:?}", dns.verdict);
    }
}

#[test]
fn sentences_read_well() {
    let since = Some("2026-11-22T12:00:00Z".parse().unwrap());
    let mut text = String::new();
    for (row, _) in TABLE {
        let known = row_identity(row);
        for verdict in VERDICTS {
            let found = reconcile(&dns(verdict), row_view(row, &known), since);
            text += &format!("{row} | {} | {}\n", verdict.as_str(), found.sentence);
        }
    }
    insta::assert_snapshot!(text);
}

/// Ranks how bad an outcome is.
fn weight(outcome: SesOutcome) -> u8 {
    match outcome.severity() {
        None => 0,
        Some(Severity::Warning) => 1,
        Some(_) => 2,
    }
}

prop_compose! {
    /// Any identity that SES may describe.
    fn any_identity()(
        // A status that nobody knows is no state that could get worse.
        status in prop::sample::select(KNOWN_STATUSES.to_vec()),
        whole in prop::sample::select(SesStatus::ALL.to_vec()),
        sending in any::<bool>(),
        signing_enabled in any::<bool>(),
        is_replica in any::<bool>(),
        is_changing in any::<bool>(),
        error in prop::option::of(prop::sample::select(VerificationError::ALL.to_vec())),
        serial in 0_u32..4,
    ) -> SesIdentity {
        SesIdentity {
            origin: if is_replica {
                DkimOrigin::Replica { parent_region: "us-east-1".to_owned() }
            } else {
                DkimOrigin::EasyDkim
            },
            verification_status: whole,
            sending,
            signing_enabled,
            current_key_length: is_changing.then_some(KeyLength::Rsa1024),
            next_key_length: is_changing.then_some(KeyLength::Rsa2048),
            ..looked(status, error, "ns1.example.", serial)
        }
    }
}

prop_compose! {
    /// Anything that a check may say.
    fn any_dns()(
        verdict in prop::sample::select(VERDICTS.to_vec()),
        is_wrong_region in any::<bool>(),
        serial in prop::option::of(0_u32..4),
    ) -> DnsView {
        DnsView {
            // Where every record is right at some server, none points elsewhere.
            is_wrong_region: is_wrong_region && matches!(verdict, Verdict::Partial | Verdict::Failing),
            soa: serial.map(|serial| ReportedSoa { primary: "ns1.example.".to_owned(), serial, negative_seconds: 60 }),
            ..dns(verdict)
        }
    }
}

proptest! {
    #[test]
    fn trouble_that_passes_never_gives_a_worse_outcome(
        dns in any_dns(),
        identity in any_identity(),
        age in prop::option::of(0_u64..200),
    ) {
        let since = age.map(|hours| now().checked_sub(Duration::from_secs(hours * 3600)).unwrap());
        let before = reconcile(&dns, SesView::Identity(&identity), since);
        let unclear = DnsView { verdict: Verdict::Indeterminate, ..dns.clone() };
        let failing_for_now = SesIdentity { dkim_status: SesStatus::TemporaryFailure, ..identity.clone() };
        let troubles = [
            reconcile(&unclear, SesView::Identity(&identity), since),
            reconcile(&dns, SesView::Unknown, since),
            reconcile(&unclear, SesView::Unknown, since),
            reconcile(&dns, SesView::Identity(&failing_for_now), since),
            reconcile(&unclear, SesView::Identity(&failing_for_now), since),
        ];
        for after in troubles {
            prop_assert!(weight(after.outcome) <= weight(before.outcome), "{before:?} became {after:?}");
        }
        // What SES sends is never taken back for it either.
        prop_assert_ne!(SesView::Unknown.sending_sign(), SendingSign::Negative);
        prop_assert_ne!(SesView::Identity(&failing_for_now).sending_sign(), SendingSign::Negative);
    }

    #[test]
    fn every_outcome_is_said_in_words(dns in any_dns(), identity in any_identity()) {
        let found = reconcile(&dns, SesView::Identity(&identity), None);
        prop_assert!(found.sentence.ends_with('.'), "{}", found.sentence);
        let reported = report_ses("eu-west-1", SesView::Identity(&identity), found.clone());
        prop_assert_eq!(reported.outcome, found.outcome);
        prop_assert_eq!(reported.identity.unwrap().dkim_status, identity.dkim_status.as_str());
    }
}

#[test]
fn a_young_key_bounds_the_wait_and_an_old_one_says_nothing() {
    let made = |time: &str| SesIdentity {
        last_key_generated_at: Some(time.parse().unwrap()),
        ..identity(SesStatus::Pending, false)
    };
    let young = made("2026-11-23T12:00:00Z");
    assert_eq!(earliest_start(&young, now()), young.last_key_generated_at);
    assert_eq!(earliest_start(&made("2026-11-21T12:00:00Z"), now()), None);
    assert_eq!(earliest_start(&identity(SesStatus::Pending, false), now()), None);
}
