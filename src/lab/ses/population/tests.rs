//! The demo's identities have the tenants' tokens, and every way for SES and DNS to stand to each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::lab;
use crate::lab::ses::{SesSettings, account};

/// The account of the demo, and the demo.
fn demo() -> (Account, Scenario) {
    let scenario = lab::demo().unwrap();
    let mut account = account(&SesSettings::default());
    account.populate(&scenario);
    (account, scenario)
}

#[test]
fn every_tenant_has_an_identity_with_its_tokens_and_zone() {
    let (mut account, scenario) = demo();
    let mut replicas = 0;
    for task in &scenario.tasks {
        let check = check_of(task).unwrap();
        let told = account.get(HOME_REGION, &check.domain);
        if codes(task).contains(&"ses_target_nxdomain") {
            assert!(told.is_err(), "{}", check.domain);
            continue;
        }
        let told = told.unwrap();
        let dkim = &told["DkimAttributes"];
        assert_eq!(dkim["Tokens"], Value::from(check.tokens()), "{}", check.domain);
        assert_eq!(dkim["SigningHostedZone"], check.option("dkim_zone").unwrap_or("dkim.amazonses.com"));
        replicas += usize::from(dkim["SigningAttributesOrigin"].as_str().unwrap().starts_with("AWS_SES_"));
        assert_eq!(told.get("MailFromAttributes").is_some(), check.option("mail_from").is_some());
    }
    assert!(replicas > 10, "{replicas}");
}

#[test]
fn the_demo_has_every_way_to_stand() {
    let (account, scenario) = demo();
    let mut met = BTreeSet::new();
    for task in &scenario.tasks {
        let name = folded(&check_of(task).unwrap().domain);
        let Some(identity) = account.identities.get(&(HOME_REGION.to_owned(), name)) else { continue };
        met.insert((verdict(task).unwrap(), identity.dkim.status.as_str(), identity.can_send()));
    }
    for wanted in [
        ("ready", "SUCCESS", true),
        ("ready", "PENDING", false),
        ("ready", "PENDING", true),
        ("ready", "FAILED", false),
        ("ready", "TEMPORARY_FAILURE", true),
        ("propagating", "PENDING", false),
        ("partial", "SUCCESS", true),
        ("partial", "PENDING", false),
        ("failing", "SUCCESS", true),
        ("failing", "PENDING", false),
        ("failing", "PENDING", true),
        ("failing", "FAILED", false),
        ("failing", "TEMPORARY_FAILURE", true),
        ("indeterminate", "SUCCESS", true),
        ("indeterminate", "TEMPORARY_FAILURE", true),
        ("indeterminate", "PENDING", false),
    ] {
        assert!(met.contains(&wanted), "{wanted:?} is not among {met:?}");
    }
    let has = |is: &dyn Fn(&Identity) -> bool| account.identities.values().any(is);
    assert!(has(&|identity| identity.error == Some(VerificationError::ReplicationAccessDenied)));
    assert!(has(&|identity| identity.soa.as_ref().is_some_and(|soa| soa.serial == 0)), "an older zone was seen");
    assert!(has(&|identity| identity.error == Some(VerificationError::TypeNotFound)));
    assert!(has(&|identity| identity.error == Some(VerificationError::InvalidValue)));
    assert!(has(&|identity| identity.mail_from.as_ref().is_some_and(|name| name.track.status == Status::Failed)));
}

#[test]
fn what_stands_so_goes_on_for_a_while_and_within_its_window() {
    let (account, _) = demo();
    let now = account.clock.at(Instant::now());
    for identity in account.identities.values() {
        let dkim = &identity.dkim;
        if let Some(due_at) = identity.due_at {
            assert!(due_at > now + SignedDuration::from_mins(15), "{}: {}", identity.name, due_at.duration_since(now));
        }
        if dkim.status == Status::Pending {
            assert!(now.duration_since(dkim.since) < super::super::track::SEARCH_WINDOW, "{}", identity.name);
        }
        assert!(identity.last_checked_at.is_none_or(|at| at <= now));
    }
}

#[test]
fn a_tenant_without_a_verdict_begins_at_once() {
    let text = "zone . at 127.9.9.1\ncheck example.com token=a token=b token=c\ncheck own.example.com selector=s1\nlookup example.com A";
    let mut account = account(&SesSettings::default());
    assert_eq!(account.populate(&text.parse().unwrap()), 2);
    let now = account.clock.at(Instant::now());
    for identity in account.identities.values() {
        assert_eq!((identity.dkim.status, identity.last_checked_at), (Status::Pending, None));
        assert!(identity.due_at <= Some(now));
    }
    assert_eq!(account.tokens("us-east-1", "example.com"), ["a", "b", "c"]);
}
