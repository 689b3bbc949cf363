//! Holds the evaluation of SPF against the published RFC 7208 suite and against pyspf, over the fixture transport.
//!
//! `ZONEPROOF_SPF_CASES` names files that `tests/peers/spf_cases.py` has written; without it nothing is compared.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::sync::Arc;

use serde_json::Value;
use zoneproof::check::Checker;
use zoneproof::records::spf::evaluation::{Message, SpfResult};
use zoneproof::scenario::fixture::Fixture;

/// Evaluates one case and says where it differs from what is expected.
async fn differences(case: &Value) -> Option<String> {
    let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let fixture: Fixture = case["zone"].to_string().parse().unwrap();
    let checker = Checker::builder().root_hints(Fixture::root_hints()).transport(Arc::new(fixture)).build().unwrap();
    let (helo, mail_from) = (text("helo"), text("mail_from"));
    let domain = mail_from.rsplit_once('@').map_or(mail_from.as_str(), |(_, domain)| domain);
    let domain = if mail_from.is_empty() { helo.clone() } else { domain.to_owned() };
    let address = text("ip").parse().unwrap();
    let message = Message { address, domain, helo, mail_from, receiver: "unknown".to_owned(), unix_seconds: 0 };
    let outcome = checker.evaluate_spf(message).await;
    let mut told = Vec::new();
    let results: Vec<&str> = case["results"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if !results.contains(&outcome.result.as_str()) {
        told.push(format!("{} instead of {results:?} ({:?})", outcome.result.as_str(), outcome.problem));
    }
    let explanation = outcome.explanation.clone().unwrap_or_default();
    if let Some(expected) = case["explanation"].as_str().filter(|_| outcome.result == SpfResult::Fail)
        && !explanation.eq_ignore_ascii_case(expected)
    {
        told.push(format!("explained {explanation:?} instead of {expected:?}"));
    }
    for (what, ours) in [("lookups", outcome.lookups), ("void_lookups", outcome.void_lookups)] {
        if case[what].as_u64().is_some_and(|theirs| theirs != u64::from(ours)) {
            told.push(format!("{ours} {what} instead of {} ({:?})", case[what], outcome.problem));
        }
    }
    (!told.is_empty()).then(|| format!("{}: {}", text("id"), told.join("; ")))
}

#[tokio::test]
async fn spf_is_evaluated_as_the_suite_and_pyspf_say() {
    let Ok(files) = std::env::var("ZONEPROOF_SPF_CASES") else {
        eprintln!("left out: ZONEPROOF_SPF_CASES names no cases");
        return;
    };
    for file in files.split(':') {
        let text = fs::read_to_string(file).unwrap();
        let (mut count, mut differ) = (0, Vec::new());
        for line in text.lines() {
            count += 1;
            differ.extend(differences(&serde_json::from_str(line).unwrap()).await);
        }
        eprintln!("{file}: {count} cases, {} differ", differ.len());
        assert!(count > 0, "{file} has no cases");
        assert!(differ.is_empty(), "{file}: {} of {count} differ:\n{}", differ.len(), differ.join("\n"));
    }
}
