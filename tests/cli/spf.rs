//! `zoneproof spf` over a fixture.

use std::fs;

use serde_json::{Value, json};

use super::{refuses, run_in};

/// A record for each of the seven results of RFC 7208 §2.6, and what they lead to.
const RECORDS: &str = r#"{
  "pass.example.com": [{"TXT": "v=spf1 ip4:192.0.2.0/24 -all"}],
  "fail.example.com": [{"TXT": "v=spf1 -all exp=why.example.com"}],
  "why.example.com": [{"TXT": "%{i} may not send for %{d}"}],
  "silent.example.com": [{"TXT": "v=spf1 -all"}],
  "softfail.example.com": [{"TXT": "v=spf1 ~all"}],
  "neutral.example.com": [{"SPF": ["v=spf1 ", "?all"]}],
  "none.example.com": [{"A": "192.0.2.1"}],
  "permerror.example.com": [{"TXT": "v=spf1 a,b -all"}],
  "temperror.example.com": ["TIMEOUT"],
  "late.example.com": [{"TXT": "v=spf1 include:temperror.example.com -all"}],
  "null.example.com": [{"TXT": "v=spf1 exists:%{l}.%{o}.seen.example.com -all"}],
  "postmaster.mx.example.net.seen.example.com": [{"A": "127.0.0.2"}],
  "void.example.com": [{"TXT": "v=spf1 a:one.example.com a:two.example.com ip4:192.0.2.1 -all"}],
  "ses.example.com": [{"TXT": "v=spf1 include:spf.example.com ~all"}],
  "spf.example.com": [{"TXT": "v=spf1 include:amazonses.com -all"}],
  "quoted.example.com": [{"TXT": "\"v=spf1 include:amazonses.com ~all\""}]
}"#;

/// Returns what the program prints of a domain as JSON, with the codes of the findings alone; it always ends well.
fn evaluated(domain: &str, options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.json"), RECORDS).unwrap();
    let words = [&["spf", domain, "--json", "--dns-fixture", "records.json"], options].concat();
    let output = run_in(folder.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let mut printed: Value = serde_json::from_str(&text).unwrap();
    let findings = printed["findings"].as_array().unwrap();
    let codes: Vec<Value> = findings.iter().map(|finding| finding["code"].clone()).collect();
    printed["findings"] = Value::Array(codes);
    printed
}

#[test]
fn one_object_is_printed_for_each_of_the_seven_results() {
    let missing = json!(["spf_missing_include"]);
    for (domain, result, explanation, findings) in [
        ("pass", "pass", json!(null), missing.clone()),
        ("fail", "fail", json!("198.51.100.9 may not send for fail.example.com"), missing.clone()),
        ("silent", "fail", json!(null), missing.clone()),
        ("softfail", "softfail", json!(null), missing.clone()),
        ("neutral", "neutral", json!(null), json!(["spf_missing_include", "spf_neutral_all"])),
        ("none", "none", json!(null), json!(["spf_absent"])),
        ("nosuch", "none", json!(null), json!(["spf_absent"])),
        ("permerror", "permerror", json!(null), json!(["spf_syntax"])),
        ("temperror", "temperror", json!(null), json!([])),
    ] {
        let address = if result == "pass" { "192.0.2.9" } else { "198.51.100.9" };
        // That the domain itself has no record is a question that was answered by nothing.
        let voids = usize::from(result == "none");
        let expected = json!({
            "result": result, "explanation": explanation, "lookups": 0, "void_lookups": voids, "findings": findings,
        });
        assert_eq!(evaluated(&format!("{domain}.example.com"), &["--ip", address]), expected, "{domain}");
    }
}

#[test]
fn lookups_are_counted_and_a_failure_behind_an_include_is_temporary() {
    let void = evaluated("void.example.com", &["--ip", "192.0.2.1"]);
    assert_eq!((&void["result"], &void["lookups"], &void["void_lookups"]), (&json!("pass"), &json!(2), &json!(2)));
    let late = evaluated("late.example.com", &["--ip", "192.0.2.1"]);
    assert_eq!((&late["result"], &late["lookups"]), (&json!("temperror"), &json!(1)));
}

#[test]
fn an_empty_mail_from_is_the_null_reverse_path() {
    // The sender is then postmaster at the name in HELO (RFC 7208 §2.4).
    let null = |helo: &str| {
        evaluated("null.example.com", &["--ip", "192.0.2.1", "--helo", helo, "--mail-from", ""])["result"].clone()
    };
    assert_eq!(null("mx.example.net"), json!("pass"));
    assert_eq!(null("other.example.net"), json!("fail"));
    let named = ["--ip", "192.0.2.1", "--mail-from", "postmaster@mx.example.net"];
    assert_eq!(evaluated("null.example.com", &named)["result"], json!("pass"));
}

#[test]
fn a_domain_that_is_no_name_has_no_policy() {
    let long = format!("{}.example.com", "a".repeat(64));
    for domain in ["a..example.com", ".example.com", "localhost", long.as_str(), ""] {
        let expected =
            json!({ "result": "none", "explanation": null, "lookups": 0, "void_lookups": 0, "findings": [] });
        assert_eq!(evaluated(domain, &["--ip", "192.0.2.1"]), expected, "{domain:?}");
    }
}

#[test]
fn without_an_address_it_is_told_whether_amazon_ses_passes() {
    assert_eq!(
        evaluated("ses.example.com", &[]),
        json!({ "result": "pass", "explanation": null, "lookups": 2, "void_lookups": 0, "findings": [] })
    );
    assert_eq!(evaluated("pass.example.com", &[])["result"], json!("fail"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.json"), RECORDS).unwrap();
    let output = run_in(folder.path(), &["spf", "softfail.example.com", "--dns-fixture", "records.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("softfail.example.com: softfail for a message from Amazon SES"), "{text}");
    assert!(text.contains("spf_missing_include"), "{text}");
}

#[test]
fn a_record_that_is_none_for_what_stands_in_front_is_told_as_that() {
    let quoted = evaluated("quoted.example.com", &[]);
    assert_eq!((&quoted["result"], &quoted["findings"]), (&json!("none"), &json!(["spf_leading_space_or_quote"])));
}

#[test]
fn what_was_typed_wrong_is_no_result() {
    let folder = tempfile::tempdir().unwrap();
    refuses(folder.path(), "spf example.com --ip 192.0.2.300 --dns-fixture none.json", 3, "192.0.2.300");
    refuses(folder.path(), "spf example.com --dns-fixture none.json", 2, "cannot read none.json");
    refuses(folder.path(), "spf example.com --mail-from a@example.com", 2, "were not provided: --ip <ADDRESS>");
}
