//! What the program does with Amazon SES, here the lab's.

use std::process::{Command, Output};

use serde_json::Value;
use zoneproof::lab;
use zoneproof::lab::ses::{HOME_REGION, Operation, SesLab, SesSettings, Status};
use zoneproof::scenario::Scenario;
use zoneproof::scenario::expect::{Check, Expect, Subject};

use super::{run_in, zoneproof};

/// Returns the checks of a scenario with the verdict that each is to have.
fn checks(scenario: &Scenario) -> impl Iterator<Item = (&Check, Option<&str>)> {
    scenario.tasks.iter().filter_map(|task| match &task.subject {
        Subject::Check(check) => {
            let verdict = task.expectations.iter().find_map(|expected| match expected {
                Expect::Verdict(verdict) => Some(verdict.as_str()),
                _ => None,
            });
            Some((check, verdict))
        }
        Subject::Lookup(_) => None,
    })
}

/// Starts an SES whose clock stands still, with the identities of the demo; it sees no DNS.
async fn start(scenario: &Scenario) -> SesLab {
    let settings = SesSettings { speed: 0, ..SesSettings::default() };
    let roots = vec![("a.root.example".parse().unwrap(), "127.0.0.1".parse().unwrap())];
    let ses = SesLab::start(&settings, roots, 1).await.unwrap();
    ses.populate(scenario);
    ses
}

/// Prepares the program to ask an SES.
fn asking(ses: &SesLab, words: &[&str]) -> Command {
    let mut command = zoneproof(words);
    command
        .env_remove("AWS_PROFILE")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.envs(ses.environment());
    command
}

/// Runs a command to its end without holding up the SES that it asks.
async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What was printed, and the exit code.
fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// Finds a domain of the demo whose identity stands so.
fn domain_with(ses: &SesLab, scenario: &Scenario, status: Status) -> String {
    let found = checks(scenario)
        .map(|(check, _)| check.domain.clone())
        .find(|domain| ses.standing(HOME_REGION, domain).is_some_and(|standing| standing.dkim == status));
    found.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_shown_as_text_and_as_json() {
    let scenario = lab::demo().unwrap();
    let ses = start(&scenario).await;
    let domain = domain_with(&ses, &scenario, Status::Success);
    let (out, err, code) = told(&output(asking(&ses, &["ses", "show", &domain])).await);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert!(out.starts_with(&domain) && out.contains("SUCCESS") && out.contains(HOME_REGION), "{out}");
    let (out, _, code) = told(&output(asking(&ses, &["ses", "show", &domain, "--json"])).await);
    let identity: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&identity["dkim_status"], &identity["region"]), (&"SUCCESS".into(), &HOME_REGION.into()));
    assert_eq!(code, Some(0));
    let (out, err, code) = told(&output(asking(&ses, &["ses", "show", "nobody.example.com"])).await);
    assert_eq!((out.as_str(), code), ("", Some(1)));
    assert_eq!(err, "SES has no identity nobody.example.com in eu-west-1\n");
    // An identity belongs to its region.
    let (_, err, code) = told(&output(asking(&ses, &["ses", "show", &domain, "--region", "us-east-1"])).await);
    assert_eq!((err, code), (format!("SES has no identity {domain} in us-east-1\n"), Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_ses_look_again_and_keeps_the_tokens() {
    let scenario = lab::demo().unwrap();
    let ses = start(&scenario).await;
    let domain = domain_with(&ses, &scenario, Status::Failed);
    let show = || async {
        let (out, ..) = told(&output(asking(&ses, &["ses", "show", &domain, "--json"])).await);
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let before = show().await;
    let (out, err, code) = told(&output(asking(&ses, &["ses", "restart", &domain])).await);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert!(out.contains("looks for the same DKIM records again"), "{out}");
    let after = show().await;
    assert_eq!((&before["dkim_status"], &after["dkim_status"]), (&"FAILED".into(), &"PENDING".into()));
    assert_eq!(before["tokens"], after["tokens"]);
    assert_eq!(ses.counters().calls_of(Operation::DeleteEmailIdentity), 0);
    let verified = domain_with(&ses, &scenario, Status::Success);
    let (out, _, code) = told(&output(asking(&ses, &["ses", "restart", &verified])).await);
    assert_eq!((out, code), (format!("{verified}: SES has verified it and signs; nothing was done\n"), Some(0)));
}

#[test]
fn ses_that_cannot_be_asked_is_one_line() {
    let mut command = zoneproof(&["ses", "show", "mail.example.com"]);
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let (out, err, code) = told(&command.output().unwrap());
    assert_eq!((out.as_str(), code), ("", Some(2)));
    assert_eq!(err, "error: SES denies access: no region is told; give --region or set AWS_REGION\n");
}

#[test]
fn a_check_takes_tokens_and_state_from_ses() {
    let scenario = lab::demo().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (check, _) = checks(&scenario).find(|(_, verdict)| *verdict == Some("ready")).unwrap();
    let output = run_in(folder.path(), &["check", &check.domain, "--lab", "--ses", "--json"]);
    let (out, err, code) = told(&output);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((&report["verdict"], code), (&"ready".into(), Some(0)));
    assert_eq!((&report["ses"]["outcome"], &report["ses"]["region"]), (&"verified".into(), &HOME_REGION.into()));
    assert_eq!(report["ses"]["identity"]["sending"], true);
    let (text, ..) = told(&run_in(folder.path(), &["check", &check.domain, "--lab", "--ses"]));
    assert!(text.contains("Amazon SES in eu-west-1  verified"), "{text}");
    // Without SES, the report says nothing of it.
    let (plain, ..) = told(&run_in(folder.path(), &["check", &check.domain, "--lab", "--json"]));
    assert_eq!(serde_json::from_str::<Value>(&plain).unwrap()["ses"], Value::Null);
}

#[test]
fn a_bulk_run_with_ses_needs_domains_alone() {
    let scenario = lab::demo().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let domains: Vec<&str> = checks(&scenario)
        .filter(|(_, verdict)| *verdict == Some("ready"))
        .map(|(check, _)| check.domain.as_str())
        .take(12)
        .collect();
    let rows = format!("domain\n{}\nnobody.example.com\n", domains.join("\n"));
    std::fs::write(folder.path().join("domains.csv"), rows).unwrap();
    let words = ["bulk", "domains.csv", "--lab", "--ses", "-o", "out.csv"];
    let (_, err, code) = told(&run_in(folder.path(), &words));
    assert_eq!(code, Some(2), "the last row has neither identity nor tokens: {err}");
    assert!(err.contains("SES has no identity nobody.example.com in eu-west-1, and no tokens are given"), "{err}");
    assert!(err.contains("With Amazon SES"), "{err}");
    let mut reader = csv::Reader::from_path(folder.path().join("out.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (ses, sending, sentence) = (place("ses"), place("ses_sending"), place("ses_sentence"));
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let checked: Vec<_> = records.iter().filter(|record| !record[ses].is_empty()).collect();
    assert_eq!(checked.len(), domains.len());
    assert!(checked.iter().any(|record| &record[ses] == "verified" && &record[sending] == "true"), "{records:?}");
    assert!(checked.iter().any(|record| &record[ses] != "verified"), "some of the demo's identities lag behind");
    assert!(checked.iter().all(|record| record[sentence].ends_with('.')), "{records:?}");
}
