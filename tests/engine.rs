//! What the engine promises of many checks together, and of the time that one takes. Time is paused and runs by itself.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio::time::Instant;
use zoneproof::check::Checker;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use zoneproof::findings::Code;
use zoneproof::findings::finding::RecordStatus;
use zoneproof::report::{Report, Verdict};
use zoneproof::scenario::Scenario;
use zoneproof::scenario::capture::Capture;
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::pace::{ClassPace, PaceLimits};

/// A registry and one hoster with two servers, `count` tenants at it; every server takes 100 ms to reply.
fn internet(count: usize) -> Arc<Scenario> {
    internet_with_keys_at(count, |_| "mail".to_owned())
}

/// The same with the DKIM records of each tenant below another name in its zone.
fn internet_with_keys_at(count: usize, place: impl Fn(usize) -> String) -> Arc<Scenario> {
    let mut text = "root 198.51.100.1\nzone . at 198.51.100.1\n  com NS a.registry.com.\n  a.registry.com. A 198.51.100.2\n\
         zone com at 198.51.100.2\n  a.registry A 198.51.100.2\n  host NS ns1.host\n  host NS ns2.host\n  \
         ns1.host A 192.0.2.1\n  ns2.host A 192.0.2.2\nzone host.com at 192.0.2.1 192.0.2.2\n  @ NS ns1\n  @ NS ns2\n  \
         ns1 A 192.0.2.1\n  ns2 A 192.0.2.2\nserver 198.51.100.1 198.51.100.2 192.0.2.1 192.0.2.2\n  any -> after 100ms\n"
        .to_owned();
    for tenant in 0..count {
        let place = place(tenant);
        text.push_str(&format!(
            "zone com at 198.51.100.2\n  t{tenant} NS ns1.host\n  t{tenant} NS ns2.host\n\
             zone t{tenant}.com at 192.0.2.1 192.0.2.2\n  @ NS ns1.host.com.\n  @ NS ns2.host.com.\n  \
             mail TXT \"v=spf1 include:amazonses.com ~all\"\n  _dmarc.mail TXT \"v=DMARC1; p=none\"\n  \
             a._domainkey.{place} CNAME a.dkim.amazonses.com.\n  b._domainkey.{place} CNAME b.dkim.amazonses.com.\n  \
             c._domainkey.{place} CNAME c.dkim.amazonses.com.\n"
        ));
    }
    Arc::new(text.parse().unwrap())
}

/// Makes a checker that asks the scenario at the house's pace, and the count of what it asks.
fn checker(scenario: &Arc<Scenario>) -> (Checker, Arc<Replay>) {
    checker_at(scenario, PaceLimits::default())
}

/// The same where servers turn out to bear another pace than what checks count on.
fn checker_at(scenario: &Arc<Scenario>, limits: PaceLimits) -> (Checker, Arc<Replay>) {
    let replay = Arc::new(Replay::new(Arc::clone(scenario)));
    let policy = AddressPolicy::allowing_special();
    let settings = TransportSettings { policy, limits, ..TransportSettings::default() };
    let transport = stack(Arc::clone(&replay) as _, Arc::clone(&replay) as _, &settings);
    let builder = Checker::builder().root_hints(scenario.root_hints()).transport(transport);
    (builder.build().unwrap(), replay)
}

fn tenant(number: usize) -> Expectation {
    Expectation::new(&format!("mail.t{number}.com"), &["a", "b", "c"], DEFAULT_DKIM_ZONE).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_healthy_domain_takes_two_round_trips_and_eleven_questions_where_root_and_registry_are_known() {
    let (checker, replay) = checker(&internet(2));
    let cold = Instant::now();
    assert_eq!(checker.check(&tenant(0)).await.verdict, Verdict::Ready);
    // Root, registry, and all records at once.
    assert!(cold.elapsed() < Duration::from_millis(310), "{:?}", cold.elapsed());

    let (warm, asked) = (Instant::now(), replay.questions());
    assert_eq!(checker.check(&tenant(1)).await.verdict, Verdict::Ready);
    assert_eq!(replay.questions() - asked, 11, "one referral, and five records at two addresses");
    assert!(warm.elapsed() < Duration::from_millis(210), "{:?}", warm.elapsed());
}

#[tokio::test(start_paused = true)]
async fn servers_in_another_registry_are_looked_up_in_three_round_trips_for_both_families() {
    let text = "root 198.51.100.1\nzone . at 198.51.100.1\n  com NS a.registry.com.\n  a.registry.com. A 198.51.100.2\n  \
         net NS a.registry.net.\n  a.registry.net. A 198.51.100.3\nzone com at 198.51.100.2\n  t0 NS ns1.host.net.\n  \
         t0 NS ns2.host.net.\nzone net at 198.51.100.3\n  host NS ns1.host\n  host NS ns2.host\n  ns1.host A 192.0.2.1\n  \
         ns2.host A 192.0.2.2\nzone host.net at 192.0.2.1 192.0.2.2\n  @ NS ns1\n  @ NS ns2\n  ns1 A 192.0.2.1\n  \
         ns2 A 192.0.2.2\nzone t0.com at 192.0.2.1 192.0.2.2\n  @ NS ns1.host.net.\n  @ NS ns2.host.net.\n  \
         mail TXT \"v=spf1 include:amazonses.com ~all\"\n  _dmarc.mail TXT \"v=DMARC1; p=none\"\n  \
         a._domainkey.mail CNAME a.dkim.amazonses.com.\n  b._domainkey.mail CNAME b.dkim.amazonses.com.\n  \
         c._domainkey.mail CNAME c.dkim.amazonses.com.\n\
         server 198.51.100.1 198.51.100.2 198.51.100.3 192.0.2.1 192.0.2.2\n  any -> after 100ms\n";
    let (checker, replay) = checker(&Arc::new(text.parse().unwrap()));
    let started = Instant::now();
    assert_eq!(checker.check(&tenant(0)).await.verdict, Verdict::Ready);
    assert_eq!(
        replay.questions(),
        20,
        "root and com, then root, net, A and AAAA for each server, and ten for the records"
    );
    assert!(started.elapsed() < Duration::from_millis(610), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn wrong_domains_among_many_at_a_slowed_server_come_out_as_alone() {
    const TENANTS: usize = 60;
    let scenario = internet_with_keys_at(TENANTS, |tenant| format!("mail.t{tenant}.com"));
    let codes = |report: &Report| report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let (alone, _) = checker(&scenario);
    let expected = codes(&alone.check(&tenant(0)).await);
    assert_eq!(expected, [Code::HostDoubled; 3]);
    let ordinary = ClassPace { per_second: 3, ..PaceLimits::default().ordinary };
    let (together, _) = checker_at(&scenario, PaceLimits { ordinary, ..PaceLimits::default() });
    let reports: Vec<Report> = together.check_all(stream::iter((0..TENANTS).map(tenant)), TENANTS).collect().await;
    for report in &reports {
        assert_eq!(codes(report), expected, "{}", report.domain);
    }
}

#[tokio::test(start_paused = true)]
async fn a_domain_with_a_question_that_was_put_off_could_not_be_checked() {
    const TENANTS: usize = 60;
    let scenario = internet_with_keys_at(TENANTS, |tenant| format!("mail.t{tenant}.com"));
    let ordinary = ClassPace { per_second: 3, ..PaceLimits::default().ordinary };
    let limits = PaceLimits { ordinary, max_wait: Duration::from_secs(40), ..PaceLimits::default() };
    let (checker, _) = checker_at(&scenario, limits);
    let reports: Vec<Report> = checker.check_all(stream::iter((0..TENANTS).map(tenant)), TENANTS).collect().await;
    let codes = |report: &Report| report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let (mut told, mut put_off) = (0, 0);
    for report in &reports {
        match codes(report).as_slice() {
            [Code::HostDoubled, Code::HostDoubled, Code::HostDoubled] => told += 1,
            [Code::BudgetExceeded] => {
                put_off += 1;
                assert_eq!(report.verdict, Verdict::Indeterminate);
                assert!(report.records.iter().all(|record| record.status == RecordStatus::UnableToCheck));
            }
            others => panic!("{}: {others:?}", report.domain),
        }
    }
    assert!(told > 0 && put_off > 0, "{told} told, {put_off} put off");
}

#[tokio::test(start_paused = true)]
async fn a_domain_among_many_at_one_server_comes_out_as_alone() {
    const TENANTS: usize = 300;
    let (checker, replay) = checker(&internet(TENANTS));
    let started = Instant::now();
    let reports: Vec<Report> = checker.check_all(stream::iter((0..TENANTS).map(tenant)), TENANTS).collect().await;
    let ready = reports.iter().filter(|report| report.verdict == Verdict::Ready).count();
    assert_eq!(ready, TENANTS, "the pace of a server fails no check");
    let per_second = f64::from(replay.questions_at("192.0.2.1".parse().unwrap())) / started.elapsed().as_secs_f64();
    assert!(per_second <= 21.0, "{per_second:.1} questions a second at one server");
}

/// A domain at two servers, which take so many milliseconds to reply; root and registry take none.
fn distant(first: u64, second: u64, policies: &str) -> Arc<Scenario> {
    let text = format!(
        "root 198.51.100.1\nzone . at 198.51.100.1\n  com NS a.registry.com.\n  a.registry.com. A 198.51.100.2\n\
         zone com at 198.51.100.2\n  t0 NS ns1.t0\n  t0 NS ns2.t0\n  ns1.t0 A 192.0.2.1\n  ns2.t0 A 192.0.2.2\n\
         zone t0.com at 192.0.2.1 192.0.2.2\n  mail TXT \"v=spf1 include:amazonses.com ~all\"\n  \
         a._domainkey.mail CNAME a.dkim.amazonses.com.\n  b._domainkey.mail CNAME b.dkim.amazonses.com.\n  \
         c._domainkey.mail CNAME c.dkim.amazonses.com.\n{policies}\
         server 192.0.2.1\n  any -> after {first}ms\nserver 192.0.2.2\n  any -> after {second}ms\n"
    );
    Arc::new(text.parse().unwrap())
}

/// A policy of the organization.
const ABOVE: &str = "  _dmarc TXT \"v=DMARC1; p=reject\"\n";

#[tokio::test(start_paused = true)]
async fn a_policy_above_is_asked_for_while_the_slowest_server_is_awaited() {
    for (what, policies, servers, took, questions) in [
        ("an own policy", "  _dmarc.mail TXT \"v=DMARC1; p=none\"\n", (10, 100), 100, 12),
        ("a policy above, and the first server is fast", ABOVE, (10, 100), 100, 13),
        ("a policy above, and the second server is fast", ABOVE, (100, 10), 100, 13),
        ("a policy above, and the servers are equally far", ABOVE, (100, 100), 200, 13),
        ("no policy anywhere, so that the registry and places nearby are asked in turn", "", (10, 100), 210, 16),
    ] {
        let (checker, replay) = checker(&distant(servers.0, servers.1, policies));
        let started = Instant::now();
        assert_eq!(checker.check(&tenant(0)).await.verdict, Verdict::Ready, "{what}");
        assert!(started.elapsed() < Duration::from_millis(took + 5), "{what}: {:?}", started.elapsed());
        assert_eq!(replay.questions(), questions, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_repeatable_is_the_same_in_a_replay_of_its_record() {
    for is_repeatable in [true, false] {
        let scenario = distant(100, 10, ABOVE);
        let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
        let builder = |replay: &Arc<Replay>| {
            let transport = stack(Arc::clone(replay) as _, Arc::clone(replay) as _, &settings);
            let record = Arc::new(Capture::new(transport));
            let builder = Checker::builder().root_hints(replay.scenario().root_hints()).repeatable(is_repeatable);
            (builder.transport(Arc::clone(&record) as _).build().unwrap(), record)
        };
        let (live, record) = builder(&Arc::new(Replay::new(Arc::clone(&scenario))));
        let before = live.check(&tenant(0)).await;
        let roots: Vec<_> = scenario.root_hints().into_iter().map(|(_, address)| address).collect();
        let recorded = Arc::new(record.to_scenario("recorded", &roots, Vec::new()));
        let (again, _) = builder(&Arc::new(Replay::new(recorded)));
        let after = again.check(&tenant(0)).await;
        let is_same = (&before.findings, before.cost.questions) == (&after.findings, after.cost.questions);
        assert_eq!(is_same, is_repeatable, "{:?} and then {:?}", before.findings, after.findings);
    }
}
