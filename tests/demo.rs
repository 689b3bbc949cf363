//! Checks every tenant of the demo without sockets: what comes of it is what stands beside the tenant.
#![cfg(test)]
#![cfg(feature = "lab")]

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use zoneproof::check::Checker;
use zoneproof::lab;
use zoneproof::scenario::expect::Subject;
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};

#[path = "support/expects.rs"]
mod expects;

/// How many tenants are checked at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(start_paused = true)]
async fn every_tenant_comes_out_as_told() {
    let scenario = Arc::new(lab::demo().unwrap());
    let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(&replay) as _, Arc::clone(&replay) as _, &settings);
    let checker = Checker::builder().root_hints(scenario.root_hints()).transport(transport).build().unwrap();
    let checks = scenario.tasks.iter().map(|task| {
        let checker = checker.clone();
        async move {
            let Subject::Check(check) = &task.subject else { return None };
            let expectation = expects::expectation(check).unwrap();
            let report = checker.check(&expectation).await;
            let unmet = expects::unmet_by_report(&task.expectations, &report, &|_| 0);
            (!unmet.is_empty()).then(|| format!("{}: {}", check.domain, unmet.join("; ")))
        }
    });
    let faults: Vec<String> =
        stream::iter(checks).buffer_unordered(AT_ONCE).filter_map(async |fault| fault).collect().await;
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), scenario.tasks.len(), faults.join("\n"));
}
