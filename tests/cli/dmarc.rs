//! `zoneproof dmarc` over a fixture.

use std::fs;

use serde_json::{Value, json};

use super::{refuses, run_in};

/// Records with a policy that is being tried, a server that does not answer, and a record in a wrong place.
const RECORDS: &str = r#"{
  "_dmarc.example.com": [{"TXT": "v=DMARC1; p=reject; sp=quarantine; np=reject; t=y"}],
  "mail.example.com": [{"A": "192.0.2.1"}],
  "_dmarc.silent.example.com": ["TIMEOUT"],
  "_dmarc.strict.example": [{"TXT": "v=DMARC1; p=reject; adkim=s; aspf=s"}],
  "example.net": [{"TXT": "v=DMARC1; p=reject"}]
}"#;

/// Returns what the program prints of a domain, as JSON with the codes of the findings alone.
fn policy(domain: &str) -> Value {
    policy_with(domain, &[])
}

/// Does what [`policy`] does with more options.
fn policy_with(domain: &str, options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.json"), RECORDS).unwrap();
    let words = [&["dmarc", domain, "--json", "--dns-fixture", "records.json"], options].concat();
    let output = run_in(folder.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<Value> =
        printed["findings"].as_array().unwrap().iter().map(|finding| finding["code"].clone()).collect();
    printed["findings"] = Value::Array(codes);
    printed
}

#[test]
fn the_effective_policy_is_printed_with_the_names_asked_and_its_source() {
    let text = "v=DMARC1; p=reject; sp=quarantine; np=reject; t=y";
    for (domain, policy_word, queries, codes) in [
        ("Example.com.", "quarantine", json!(["_dmarc.example.com", "_dmarc.com"]), json!(["dmarc_test_mode"])),
        (
            "mail.example.com",
            "none",
            json!(["_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com"]),
            json!(["dmarc_test_mode", "dmarc_inherited"]),
        ),
        (
            "nosuch.example.com",
            "quarantine",
            json!(["_dmarc.nosuch.example.com", "_dmarc.example.com", "_dmarc.com"]),
            json!(["dmarc_test_mode", "dmarc_inherited"]),
        ),
    ] {
        let expected = json!({
            "queries": queries, "record": text, "organizational_domain": "example.com", "policy": policy_word,
            "policy_source": "example.com", "findings": codes,
        });
        assert_eq!(policy(domain), expected, "{domain}");
    }
}

#[test]
fn what_could_not_be_read_is_never_absent() {
    let unread = policy("silent.example.com");
    assert_eq!(unread["findings"], json!(["unable_to_check"]));
    assert!(unread["policy"].is_null() && unread["record"].is_null() && unread["organizational_domain"].is_null());
    let absent = policy("example.org");
    assert_eq!(absent["findings"], json!(["dmarc_absent"]));
    assert_eq!(absent["organizational_domain"], json!("example.org"));
    assert_eq!(policy("example.net")["findings"], json!(["dmarc_wrong_place"]));
}

#[test]
fn it_is_told_which_leg_aligns_with_the_policy() {
    for (domain, options, codes) in [
        ("strict.example", ["--mail-from", "bounce.strict.example"], json!(["dmarc_strict_misalign"])),
        ("strict.example", ["--signed-by", "example.net"], json!(["dmarc_misalign"])),
        ("strict.example", ["--signed-by", "strict.example"], json!([])),
        ("example.com", ["--mail-from", "bounce.example.com"], json!(["dmarc_test_mode"])),
        ("example.com", ["--mail-from", "amazonses.com"], json!(["dmarc_misalign", "dmarc_test_mode"])),
    ] {
        let printed = policy_with(domain, &options);
        assert_eq!(printed["findings"], codes, "{domain} {options:?}");
        assert_eq!(printed["queries"].as_array().unwrap().last(), policy(domain)["queries"].as_array().unwrap().last());
    }
}

#[test]
fn people_read_the_policy_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.json"), RECORDS).unwrap();
    let output = run_in(folder.path(), &["dmarc", "example.net", "--dns-fixture", "records.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in ["example.net  no policy", "dmarc_wrong_place", "receivers look for it at _dmarc.example.net"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_domain_that_cannot_be_read_is_exit_code_3_and_a_bad_fixture_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.json"), "[]").unwrap();
    refuses(folder.path(), "dmarc bad..name", 3, "name \"bad..name\": the name has an empty label");
    refuses(folder.path(), "dmarc example.com --dns-fixture bad.json", 2, "expected one JSON object");
    refuses(folder.path(), "dmarc example.com --dns-fixture none.json", 2, "cannot read none.json");
}
