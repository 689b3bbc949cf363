//! What always holds, whatever the servers say.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{conclude_from, expectation};
use crate::dns::rrset::Question;
use crate::evidence::Evidence;
use crate::expectation::{Depth, Expectation, ExpectedRecord, RecordKind};
use crate::findings::sample::{evidence, name, say};
use crate::findings::{Judgement, RecordStatus, judge};

/// What a server may say to any question.
const SAYINGS: &[&str] =
    &["right", "right", "nxdomain", "nodata", "other", "refused", "servfail", "lame", "timeout", "no_route", "limit"];

/// Lets a server say one of [`SAYINGS`] to the question of an expected record.
fn say_one(seen: &mut Evidence, record: &ExpectedRecord, address: IpAddr, saying: &str) {
    let right = match record.kind {
        RecordKind::Dkim => format!("{}.dkim.amazonses.com.", String::from_utf8_lossy(record.token().unwrap())),
        RecordKind::Spf | RecordKind::MailFromSpf => "v=spf1 include:amazonses.com -all".to_owned(),
        RecordKind::Mx => "10 inbound-smtp.us-east-1.amazonaws.com.".to_owned(),
        RecordKind::MailFromMx => "10 feedback-smtp.us-east-1.amazonses.com.".to_owned(),
        RecordKind::Dmarc => "v=DMARC1; p=reject".to_owned(),
    };
    let what = match (saying, record.kind) {
        ("right", _) => right.as_str(),
        ("other", RecordKind::Dkim) => "other.example.",
        ("other", RecordKind::Spf | RecordKind::MailFromSpf) => "v=spf1 -all",
        ("other", RecordKind::Mx | RecordKind::MailFromMx) => "10 mx.example.net.",
        ("other", RecordKind::Dmarc) => "v=DMARC1; p=wrong",
        (other, _) => other,
    };
    seen_say(seen, &record.question(), address, what);
}

/// Lets one server of `example.com.` say something.
fn seen_say(seen: &mut Evidence, question: &Question, address: IpAddr, what: &str) {
    say(seen, question, &name("example.com."), Some(address), what);
}

/// Makes evidence of what each of four servers says to each of the five questions, `order` saying which server comes first.
fn evidence_of(sayings: &[Vec<usize>], order: &[usize]) -> Evidence {
    let zone = "zone example.com. ns1.example.net.=192.0.2.1 ns2.example.net.=192.0.2.2 \
                ns3.example.net.=192.0.2.3 ns4.example.net.=192.0.2.4\n_dmarc.example.com. TXT: nxdomain\n_dmarc.com. TXT: nxdomain\n";
    let mut seen = evidence(zone);
    for (place, server) in order.iter().enumerate() {
        let address = IpAddr::from([192, 0, 2, u8::try_from(place + 1).unwrap()]);
        for (record, saying) in expectation().records.iter().zip(&sayings[*server]) {
            say_one(&mut seen, record, address, SAYINGS[*saying]);
        }
    }
    seen
}

/// Writes what does not depend on the names of servers.
fn gist(judgement: &Judgement) -> String {
    let records = judgement.records.iter().map(|judged| (judged.status, judged.code, judged.is_right_somewhere));
    let findings = judgement.findings.iter().map(|finding| (finding.severity, finding.code));
    format!("{:?} {:?} {:?}", records.collect::<Vec<_>>(), findings.collect::<Vec<_>>(), judgement.root_cause)
}

/// Generates what four servers say to five questions.
fn sayings() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(0..SAYINGS.len(), 5), 4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn findings_do_not_change_with_the_order_of_servers(
        sayings in sayings(),
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
    ) {
        let judged = |order: &[usize]| gist(&judge(&expectation(), &evidence_of(&sayings, order)));
        prop_assert_eq!(judged(&[0, 1, 2, 3]), judged(&order));
    }

    #[test]
    fn findings_do_not_change_with_the_order_of_records(
        sayings in sayings(),
        records in Just(expectation().records).prop_shuffle(),
    ) {
        let seen = evidence_of(&sayings, &[0, 1, 2, 3]);
        let shuffled = Expectation { records: records.clone(), ..expectation().with_depth(Depth::Full) };
        let (one, other) = (judge(&expectation(), &seen), judge(&shuffled, &seen));
        prop_assert_eq!(&one.findings, &other.findings);
        prop_assert_eq!(one.root_cause, other.root_cause);
        let order: Vec<_> = other.records.iter().map(|judged| judged.record.clone()).collect();
        prop_assert_eq!(order, records);
    }

    #[test]
    fn what_nobody_answers_is_never_missing(sayings in sayings()) {
        let seen = evidence_of(&sayings, &[0, 1, 2, 3]);
        let judgement = conclude_from(&seen);
        for judged in &judgement.records {
            let said = seen.observations(&judged.record.question());
            let answering = said.iter().filter(|seen| seen.is_answer()).count();
            let counted = said.iter().filter(|seen| seen.is_counted()).count();
            let unable = answering == 0 || answering * 2 < counted;
            prop_assert_eq!(judged.status == RecordStatus::UnableToCheck, unable);
            prop_assert_eq!(judged.code.is_none(), judged.status == RecordStatus::Ok);
        }
    }

    #[test]
    fn there_is_a_root_cause_where_a_required_record_is_not_right(sayings in sayings()) {
        let judgement = conclude_from(&evidence_of(&sayings, &[0, 1, 2, 3]));
        let required = judgement.records.iter().filter(|judged| judged.record.is_required);
        let all_right = required.map(|judged| judged.status).all(|status| status == RecordStatus::Ok);
        prop_assert_eq!(judgement.root_cause.is_none(), all_right);
        prop_assert_eq!(judgement.root_cause.is_none_or(|code| judgement.findings[0].code == code), true);
        for finding in &judgement.findings {
            prop_assert!(!finding.proof.is_empty(), "{}", finding.code.as_str());
        }
    }
}
