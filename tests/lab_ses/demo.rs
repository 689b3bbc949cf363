//! The demo's identities under the demo's DNS: what SES sees there is what the tenants' checks say.

use std::sync::Arc;

use zoneproof::lab::ses::{HOME_REGION, SesLab, SesSettings, Status};
use zoneproof::lab::{self, Lab};
use zoneproof::scenario::Task;
use zoneproof::scenario::expect::{Expect, Subject};

/// Says whether a tenant's name servers say nothing at all, so that a look at them is a long wait.
fn is_silent(task: &Task) -> bool {
    task.expectations.contains(&Expect::RootCause(Some("ns_unreachable".to_owned())))
}

#[tokio::test]
async fn a_look_at_the_demo_agrees_with_what_its_checks_expect() {
    let mut scenario = lab::demo().unwrap();
    scenario.tasks.retain(|task| !is_silent(task));
    let scenario = Arc::new(scenario);
    let dns = Lab::start(Arc::clone(&scenario), None).await.unwrap();
    let settings = SesSettings { speed: 0, ..SesSettings::default() };
    let ses = SesLab::start(&settings, dns.root_hints(), dns.port()).await.unwrap();
    assert!(ses.populate(&scenario) > 350);
    ses.look_now().await;
    let is_expected = |task: &Task, verdict: &str| task.expectations.contains(&Expect::Verdict(verdict.to_owned()));
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for task in &scenario.tasks {
        let Subject::Check(check) = &task.subject else { continue };
        let Some(standing) = ses.standing(HOME_REGION, &check.domain) else { continue };
        // What failed is not looked at again; where servers differ, it depends on which one is asked.
        if standing.dkim == Status::Failed || is_expected(task, "propagating") {
            continue;
        }
        compared += 1;
        if (standing.dkim == Status::Success) != is_expected(task, "ready") {
            wrong.push(format!("{}: {:?} {:?}", check.domain, standing.dkim, standing.error));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 300, "{compared}");
}
