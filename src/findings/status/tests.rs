//! Rows of (what the servers say, status), and what more servers may not change.

use proptest::prelude::*;

use super::*;
use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use crate::findings::sample;

/// Two servers, one of them on both families.
const ZONE: &str = "zone example.com. ns1.example.=192.0.2.1 ns1.example.=2001:db8::1 ns2.example.=192.0.2.2\n";

/// Returns the first DKIM record that is expected of example.com.
fn record() -> ExpectedRecord {
    Expectation::new("example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap().records.remove(0)
}

/// Puts together what 192.0.2.1, 2001:db8::1 and 192.0.2.2 say to the record's question.
fn said(each: &[&str]) -> Evidence {
    let mut text = ZONE.to_owned();
    for (address, what) in ["192.0.2.1", "2001:db8::1", "192.0.2.2"].iter().zip(each) {
        text += &format!("t1._domainkey.example.com. CNAME @{address}: {what}\n");
    }
    sample::evidence(&text)
}

#[test]
fn a_status_follows_from_what_each_address_says() {
    let right = "T1.dkim.AmazonSES.com.";
    for (each, status) in [
        (&[right, right, right], RecordStatus::Ok),
        (&[right, right, "timeout"], RecordStatus::Ok),
        (&[right, "no_route", "timeout"], RecordStatus::Ok),
        (&[right, "timeout", "timeout"], RecordStatus::UnableToCheck),
        (&["no_route", "no_route", "no_route"], RecordStatus::UnableToCheck),
        (&["nxdomain", "lame", "servfail"], RecordStatus::UnableToCheck),
        (&["limit", "refused", "referral t1._domainkey.example.com."], RecordStatus::UnableToCheck),
        (&[right, "nxdomain", "nxdomain"], RecordStatus::Inconsistent),
        (&["a.example.", "b.example.", "timeout"], RecordStatus::Inconsistent),
        (&["a.example.", "a.example.", "nxdomain"], RecordStatus::Inconsistent),
        (&["nodata", "nxdomain", "nodata"], RecordStatus::Absent),
        (&["a.example.", "A.example.", "timeout"], RecordStatus::Wrong),
        (&["t1.dkim.amazonses.com. | a.example.", "timeout", "no_route"], RecordStatus::Wrong),
    ] {
        let evidence = said(each);
        assert_eq!(cname_standing(&evidence, &record()).status(), status, "{each:?}");
    }
}

#[test]
fn nothing_is_said_where_nobody_was_asked_or_the_zone_was_not_reached() {
    let unasked = said(&[]);
    assert_eq!(cname_standing(&unasked, &record()).status(), RecordStatus::UnableToCheck);
    let right = "t1._domainkey.example.com. CNAME: t1.dkim.amazonses.com.";
    let unreached = sample::evidence(&format!("{ZONE}{right}\nend t1._domainkey.example.com. unanswered"));
    assert_eq!(cname_standing(&unreached, &record()).status(), RecordStatus::UnableToCheck);
}

#[test]
fn a_rule_may_read_a_part_of_an_answer_only() {
    let evidence = sample::evidence(
        "zone example.com. ns1.example.=192.0.2.1 ns2.example.=192.0.2.2
         example.com. TXT @192.0.2.1: v=spf1 -all | one=1
         example.com. TXT @192.0.2.2: v=spf1 -all | two=2",
    );
    let question = sample::question("example.com. TXT");
    assert_eq!(standing(&evidence, &question, |_| false).status(), RecordStatus::Inconsistent);
    assert_eq!(standing_by(&evidence, &question, |_| false, |_| ()).status(), RecordStatus::Wrong);
}

proptest! {
    #[test]
    fn one_more_server_that_is_right_never_worsens(each in proptest::collection::vec(0_usize..5, 2)) {
        let words = ["t1.dkim.amazonses.com.", "nxdomain", "timeout", "a.example.", "no_route"];
        let mut said_by: Vec<&str> = each.iter().map(|word| words[*word]).collect();
        let before = said(&said_by);
        said_by.push(words[0]);
        let after = said(&said_by);
        let badness = |evidence: &Evidence| match cname_standing(evidence, &record()).status() {
            RecordStatus::Ok => 0,
            RecordStatus::Inconsistent => 1,
            RecordStatus::Absent | RecordStatus::Wrong => 2,
            RecordStatus::UnableToCheck => 3,
        };
        prop_assert!(badness(&after) <= badness(&before), "{said_by:?}");
    }
}
