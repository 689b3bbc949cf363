//! Checks every tenant of the demo without sockets: what comes of it is what stands beside the tenant.
#![cfg(test)]
#![cfg(feature = "lab")]

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use zoneproof::check::Checker;
use zoneproof::expectation::Depth;
use zoneproof::lab;
use zoneproof::scenario::Scenario;
use zoneproof::scenario::capture::Capture;
use zoneproof::scenario::expect::{Check, Expect, Subject};
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::DynTransport;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};

#[path = "support/expects.rs"]
mod expects;

/// The most questions that a tenant may take on average, by depth: all tenants, then those whose domain has nothing wrong.
///
/// Root, registries and the zones of name servers are learned once for all. A domain that is right takes one referral at
/// depth quick, and five questions of each of its servers, of which there are two or four.
const CEILINGS: [(Depth, [f64; 2]); 2] = [(Depth::Quick, [18.5, 15.5]), (Depth::Full, [34.0, 34.5])];
/// How many tenants are checked at the same time.
const AT_ONCE: usize = 16;

/// Makes a checker over a replay, with what wraps its transport.
fn checker(scenario: &Arc<Scenario>, wrap: impl FnOnce(Arc<dyn DynTransport>) -> Arc<dyn DynTransport>) -> Checker {
    let replay = Arc::new(Replay::new(Arc::clone(scenario)));
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = wrap(stack(Arc::clone(&replay) as _, Arc::clone(&replay) as _, &settings));
    Checker::builder().root_hints(scenario.root_hints()).transport(transport).build().unwrap()
}

/// Checks one tenant and says what did not come true.
async fn unmet(checker: &Checker, check: &Check, expects: &[Expect]) -> Option<String> {
    let report = checker.check(&expects::expectation(check).unwrap()).await;
    let unmet = expects::unmet_by_report(expects, &report, &|_| 0);
    (!unmet.is_empty()).then(|| format!("{}: {}", check.domain, unmet.join("; ")))
}

/// The tenants of a scenario.
fn tenants(scenario: &Scenario) -> impl Iterator<Item = (&Check, &[Expect])> {
    scenario.tasks.iter().filter_map(|task| match &task.subject {
        Subject::Check(check) => Some((check, task.expectations.as_slice())),
        Subject::Lookup(_) => None,
    })
}

#[tokio::test(start_paused = true)]
async fn every_tenant_comes_out_as_told() {
    let scenario = Arc::new(lab::demo().unwrap());
    let checker = checker(&scenario, |transport| transport);
    let checks = tenants(&scenario).map(|(check, expects)| unmet(&checker, check, expects));
    let faults: Vec<String> =
        stream::iter(checks).buffer_unordered(AT_ONCE).filter_map(async |fault| fault).collect().await;
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), scenario.tasks.len(), faults.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn every_tenant_comes_out_of_its_captured_check_as_told() {
    let scenario = Arc::new(lab::demo().unwrap());
    let roots: Vec<_> = scenario.root_hints().into_iter().map(|(_, address)| address).collect();
    for (check, expects) in tenants(&scenario) {
        let mut capture = None;
        let live = checker(&scenario, |transport| Arc::clone(capture.insert(Arc::new(Capture::new(transport)))) as _);
        assert_eq!(unmet(&live, check, expects).await, None);
        let text = capture.unwrap().to_scenario("captured", &roots, Vec::new()).to_string();
        let replayed = checker(&Arc::new(text.parse().unwrap()), |transport| transport);
        assert_eq!(unmet(&replayed, check, expects).await, None, "{text}");
    }
}

/// Returns the average.
fn average(counts: &[u32]) -> f64 {
    counts.iter().map(|count| f64::from(*count)).sum::<f64>() / f64::from(u32::try_from(counts.len()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_demo_takes_few_questions_at_either_depth() {
    let scenario = Arc::new(lab::demo().unwrap());
    for (depth, [of_all, of_right]) in CEILINGS {
        let checker = checker(&scenario, |transport| transport);
        let expectations: Vec<_> =
            tenants(&scenario).map(|(check, _)| expects::expectation(check).unwrap().with_depth(depth)).collect();
        let reports: Vec<_> = stream::iter(expectations.iter().map(|expectation| checker.check(expectation)))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let all: Vec<u32> = reports.iter().map(|report| report.cost.questions).collect();
        let right = reports.iter().filter(|report| report.findings.is_empty());
        let right: Vec<u32> = right.map(|report| report.cost.questions).collect();
        println!(
            "{depth:?}: {:.1} questions on average over {} tenants, {:.1} over the {} with nothing wrong",
            average(&all),
            all.len(),
            average(&right),
            right.len()
        );
        assert!(average(&all) <= of_all && average(&right) <= of_right, "{depth:?}");
    }
}
