use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::dns::name::Name;
use crate::expectation::Facts;
use crate::report::Verdict;
use crate::scenario::Scenario;
use crate::scenario::replay::Replay;
use crate::service::lifecycle::is_legal;
use crate::service::operator::{provisional_shard, shard_of_key};
use crate::service::sighting::Sighting;
use crate::ses::identity::{SesIdentity, SesStatus};
use crate::store::{Domain, DomainFilter, DomainState, Enlist, EventKind, IdentityUpdate, IfKnown, NewDomain};
use crate::transport::guard::AddressPolicy;
use crate::transport::live::{TransportSettings, stack};
use crate::transport::pace::PaceLimits;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A registry and two hosters, `count` tenants in turn at either: `t0`, `t1` and so on. Every third one has no records, and
/// every fifth has servers that refuse.
fn internet(count: usize, delay: &str) -> Arc<Scenario> {
    let mut text =
        "root 198.51.100.1\nzone . at 198.51.100.1\n  com NS a.registry.com.\n  a.registry.com. A 198.51.100.2\n\
         zone com at 198.51.100.2\n  a.registry A 198.51.100.2\n"
            .to_owned();
    for (host, address) in [("odd", "192.0.2.1"), ("even", "192.0.2.2"), ("closed", "192.0.2.3")] {
        text += &format!("  {host} NS ns.{host}\n  ns.{host} A {address}\n");
    }
    for (host, address) in [("odd", "192.0.2.1"), ("even", "192.0.2.2")] {
        text += &format!("zone {host}.com at {address}\n  @ NS ns\n  ns A {address}\n");
    }
    text += &format!("server 192.0.2.3\n  any -> REFUSED\nserver 192.0.2.1 192.0.2.2\n  any -> {delay}\n");
    for number in 0..count {
        let (host, address) = match number {
            _ if number % 5 == 4 => ("closed", "192.0.2.3"),
            _ if number % 2 == 0 => ("even", "192.0.2.2"),
            _ => ("odd", "192.0.2.1"),
        };
        text += &format!("zone com at 198.51.100.2\n  t{number} NS ns.{host}\n");
        if host == "closed" {
            continue;
        }
        text += &format!("zone t{number}.com at {address}\n  @ NS ns.{host}.com.\n");
        if number % 3 != 2 {
            for token in ["a", "b", "c"] {
                text += &format!("  {token}._domainkey CNAME {token}.dkim.amazonses.com.\n");
            }
        }
    }
    Arc::new(text.parse().unwrap())
}

/// What the DNS says of a tenant.
fn verdict(number: usize) -> Verdict {
    match number {
        _ if number % 5 == 4 => Verdict::Indeterminate,
        _ if number % 3 == 2 => Verdict::Failing,
        _ => Verdict::Ready,
    }
}

/// A fleet in a store of its own, and the Internet that it lives in.
struct Fleet {
    /// The store.
    store: Arc<dyn Store>,
    /// Checks domains.
    checker: Checker,
    /// Counts questions.
    replay: Arc<Replay>,
    /// The tenants.
    count: usize,
    /// Where the store is.
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// Adds `count` tenants, all due.
    async fn new(count: usize) -> Self {
        Self::slowed(count, "normal").await
    }

    /// Adds `count` tenants, all due, of operators whose replies have a twist.
    async fn slowed(count: usize, delay: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(&format!("sqlite:{}", folder.path().join("fleet.db").display())).await.unwrap();
        let now = store.now().await.unwrap();
        let domains: Vec<NewDomain> = (0..count)
            .map(|number| {
                let name = Name::parse(&format!("t{number}.com")).unwrap();
                let asked = Facts {
                    domain: name.to_text_without_dot(),
                    tokens: ["a", "b", "c"].map(str::to_owned).to_vec(),
                    ..Facts::default()
                };
                let operator_shard = provisional_shard(&name);
                NewDomain {
                    tenant: Some(format!("tenant{}", number % 3)),
                    name,
                    asked,
                    operator_shard,
                    due_at: Some(now),
                }
            })
            .collect();
        store.add_domains(&domains, IfKnown::Keep, now).await.unwrap();
        let scenario = internet(count, delay);
        let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
        let limits = PaceLimits { per_second_in_all: 0, ..PaceLimits::default().with_per_server(0) };
        let settings =
            TransportSettings { policy: AddressPolicy::allowing_special(), limits, ..TransportSettings::default() };
        let transport = stack(Arc::clone(&replay) as _, Arc::clone(&replay) as _, &settings);
        let builder = Checker::builder().root_hints(scenario.root_hints()).pace(limits).transport(transport);
        Self { store, checker: builder.build().unwrap(), replay, count, _folder: folder }
    }

    /// Prepares a monitor.
    fn monitor(&self, until: Until, region: Option<&str>) -> Monitor {
        let settings = Settings {
            at_once: 8,
            depth: Depth::Quick,
            required: Vec::new(),
            region: region.map(str::to_owned),
            until,
        };
        Monitor::new(Arc::clone(&self.store), self.checker.clone(), settings)
    }

    /// Runs a monitor to its end.
    async fn run(&self, until: Until, region: Option<&str>) -> Tally {
        let run = self.monitor(until, region).run(std::future::pending(), |_| {});
        timeout(PATIENCE, run).await.expect("the monitor ends").unwrap()
    }

    /// Returns the domains by number.
    async fn domains(&self) -> BTreeMap<usize, Domain> {
        let all = self.store.page(&DomainFilter::default(), None, 10_000).await.unwrap();
        assert_eq!(all.len(), self.count);
        let number = |domain: &Domain| {
            let text = domain.name.to_text_without_dot();
            text.trim_start_matches('t').trim_end_matches(".com").parse().unwrap()
        };
        all.into_iter().map(|domain| (number(&domain), domain)).collect()
    }

    /// Asserts that each domain was checked exactly `times` times, and that its events form a legal path.
    async fn assert_checked(&self, times: usize) {
        for domain in self.domains().await.values() {
            let history = self.store.history(&domain.id, None, 100).await.unwrap();
            assert_eq!(history.len(), times, "{}", domain.name);
            let mut state = DomainState::Pending;
            for event in self.store.events(Some(&domain.id), 0, 100).await.unwrap() {
                assert!(event.from == state && is_legal(state, event.kind), "{}: {event:?}", domain.name);
                state = event.to;
            }
            assert_eq!(domain.state, state);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_checked_once_and_then_waits_for_its_time() {
    let fleet = Fleet::new(10).await;
    let tally = fleet.run(Until::NothingIsDue, None).await;
    assert_eq!((tally.written, tally.fenced, tally.repeated), (10, 0, 0));
    fleet.assert_checked(1).await;
    let now = fleet.store.now().await.unwrap();
    for (number, domain) in fleet.domains().await {
        assert_eq!(domain.last_verdict, Some(verdict(number)), "{number}");
        let is_ready = verdict(number) == Verdict::Ready;
        assert_eq!(domain.state == DomainState::Verified, is_ready, "{number}");
        assert_eq!(domain.verified_at.is_some(), is_ready, "{number}");
        let due_in = domain.due_at.unwrap().duration_since(now).as_secs();
        let expected = if is_ready { 21 * 3600..=27 * 3600 } else { 0..=11 };
        assert!(expected.contains(&due_in), "{number}: {due_in} s");
    }
    let asked = fleet.replay.questions();
    let verified = fleet.store.events(None, 0, 100).await.unwrap();
    assert!(verified.iter().all(|event| event.kind == EventKind::Verified));
    assert!(fleet.replay.questions() == asked, "reading asks nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parent_is_asked_for_the_ds_records_of_a_verified_domain_alone() {
    let fleet = Fleet::new(6).await;
    fleet.run(Until::NothingIsDue, None).await;
    let are_known = |domain: &Domain| domain.zone_digest.as_ref().is_some_and(|mark| !mark.ends_with("/-"));
    let before = fleet.domains().await;
    assert!(!before.values().any(are_known), "no domain was verified when it was checked");
    let now = fleet.store.now().await.unwrap();
    for domain in before.values() {
        fleet.store.request_recheck(&domain.id, Duration::ZERO, now).await.unwrap();
    }
    fleet.run(Until::NothingIsDue, None).await;
    for (number, domain) in fleet.domains().await {
        assert_eq!(are_known(&domain), verdict(number) == Verdict::Ready, "{number}: {:?}", domain.zone_digest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_moves_to_the_shard_of_its_operator() {
    let fleet = Fleet::new(6).await;
    fleet.run(Until::NothingIsDue, None).await;
    let shards = ["even.com.", "odd.com.", "closed.com."].map(shard_of_key);
    for (number, domain) in fleet.domains().await {
        let expected = if number % 5 == 4 { shards[2] } else { shards[number % 2] };
        assert_eq!(domain.operator_shard, expected, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_gives_each_of_its_domains_one_result_and_is_over() {
    let fleet = Fleet::new(12).await;
    let now = fleet.store.now().await.unwrap();
    let run = fleet.store.begin_run("all", now).await.unwrap();
    fleet.store.enlist(&run.id, &Enlist::Matching(DomainFilter::default())).await.unwrap();
    assert_eq!(fleet.run(Until::RunIsDone(run.id.clone()), None).await.written, 12);
    let run = fleet.store.run(&run.id).await.unwrap().unwrap();
    assert_eq!((run.domains, run.done), (12, 12));
    assert_eq!(fleet.run(Until::RunIsDone(run.id), None).await.written, 0);
    fleet.assert_checked(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_share_the_work_and_do_nothing_twice() {
    let fleet = Fleet::new(60).await;
    let now = fleet.store.now().await.unwrap();
    let run = fleet.store.begin_run("all", now).await.unwrap().id;
    fleet.store.enlist(&run, &Enlist::Matching(DomainFilter::default())).await.unwrap();
    let (one, two) =
        tokio::join!(fleet.run(Until::RunIsDone(run.clone()), None), fleet.run(Until::RunIsDone(run.clone()), None));
    assert_eq!(one.written + two.written, 60);
    assert_eq!((one.fenced, two.fenced), (0, 0));
    fleet.assert_checked(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_helps_with_the_runs_of_others() {
    let fleet = Fleet::new(12).await;
    fleet.run(Until::NothingIsDue, None).await;
    let now = fleet.store.now().await.unwrap();
    let run = fleet.store.begin_run("all", now).await.unwrap().id;
    fleet.store.enlist(&run, &Enlist::Matching(DomainFilter::default())).await.unwrap();
    // All shards are the worker's: the run comes to its end by the worker alone.
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = fleet.monitor(Until::Stopped, None).run(async { drop(stopped.await) }, |_| {});
    let store = Arc::clone(&fleet.store);
    let wait = async move {
        while store.run(&run).await.unwrap().unwrap().done < 12 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(stop);
    };
    let (tally, ()) = timeout(PATIENCE, async { tokio::join!(worker, wait) }).await.expect("the run is done");
    assert!(tally.unwrap().written >= 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_lets_go_of_everything_at_once() {
    let fleet = Fleet::new(40).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    // The first result ends it.
    let on_news = move |news: News| {
        if matches!(news, News::Finished(_)) {
            drop(stop.lock().unwrap().take());
        }
    };
    let monitor = fleet.monitor(Until::Stopped, None);
    let run = monitor.run(async { drop(stopped.await) }, on_news);
    let tally = timeout(PATIENCE, run).await.expect("the monitor ends").unwrap();
    assert!(tally.written >= 1 && tally.fenced == 0, "{tally:?}");
    // Nothing is held or claimed any more: another one does the rest, without waiting for a lease to end.
    let heartbeat = fleet.store.heartbeat("other", Duration::from_secs(60)).await.unwrap();
    assert_eq!((heartbeat.live_workers, heartbeat.leases.len()), (1, 0));
    fleet.store.retire("other").await.unwrap();
    let rest = fleet.run(Until::NothingIsDue, None).await;
    assert!(rest.written >= 40 - tally.written, "{rest:?}");
    assert!(fleet.domains().await.values().all(|domain| domain.last_checked_at.is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_for_a_check_is_met_although_nothing_is_due() {
    let fleet = Fleet::new(2).await;
    fleet.run(Until::NothingIsDue, None).await;
    let id = fleet.domains().await[&0].id.clone();
    let now = fleet.store.now().await.unwrap();
    fleet.store.request_recheck(&id, Duration::ZERO, now).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let wanted = id.clone();
    let on_news = move |news: News| {
        if matches!(&news, News::Finished(finished) if finished.before.id == wanted) {
            drop(stop.lock().unwrap().take());
        }
    };
    let run = fleet.monitor(Until::Stopped, None).run(async { drop(stopped.await) }, on_news);
    timeout(PATIENCE, run).await.expect("the monitor ends").unwrap();
    assert_eq!(fleet.domains().await[&0].recheck_requested_at, None);
    assert_eq!(fleet.store.history(&id, None, 10).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_ses_is_asked_it_alone_verifies_and_the_dns_explains() {
    let fleet = Fleet::new(4).await;
    let now = fleet.store.now().await.unwrap();
    // What SES says of t0 to t2; of t3 it has not said anything yet.
    let said = [Some((SesStatus::Success, true)), Some((SesStatus::Pending, false)), Some((SesStatus::Success, true))];
    let domains = fleet.domains().await;
    let updates: Vec<IdentityUpdate> = said
        .iter()
        .enumerate()
        .map(|(number, said)| {
            let domain = &domains[&number];
            let identity = said.map(|(dkim_status, sending)| SesIdentity {
                dkim_status,
                sending,
                tokens: ["a", "b", "c"].map(str::to_owned).to_vec(),
                ..SesIdentity::new(domain.name.clone(), "eu-west-1")
            });
            let identity = Sighting::new(identity, now, None).to_value();
            IdentityUpdate { domain: domain.id.clone(), identity, due_at: None }
        })
        .collect();
    fleet.store.update_identities(&updates).await.unwrap();
    fleet.run(Until::NothingIsDue, Some("eu-west-1")).await;
    let domains = fleet.domains().await;
    let states: Vec<DomainState> = domains.values().map(|domain| domain.state).collect();
    use DomainState::{Pending, Verified};
    assert_eq!(states, [Verified, Pending, Verified, Pending]);
    for (number, outcome) in [(0, "verified"), (1, "wait"), (2, "will_be_lost"), (3, "unknown")] {
        let report = fleet.store.report(&domains[&number].id).await.unwrap().unwrap();
        assert_eq!(report.ses.unwrap().outcome.as_str(), outcome, "t{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_without_tokens_says_nothing_and_holds_nothing_up() {
    let fleet = Fleet::new(1).await;
    let now = Timestamp::UNIX_EPOCH;
    let name = Name::parse("bare.example.com").unwrap();
    let asked = Facts { domain: "bare.example.com".to_owned(), ..Facts::default() };
    let domain = NewDomain { tenant: None, operator_shard: 7, name: name.clone(), asked, due_at: Some(now) };
    fleet.store.add_domains(&[domain], IfKnown::Keep, now).await.unwrap();
    assert_eq!(fleet.run(Until::NothingIsDue, None).await.written, 2);
    let domain = fleet.store.domains_named(&[name]).await.unwrap().remove(0);
    assert_eq!((domain.state, domain.last_verdict), (DomainState::Pending, Some(Verdict::Indeterminate)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_finds_after_its_shards_went_changes_nothing() {
    // Both become verified, so that neither is due again however long this takes.
    let fleet = Fleet::slowed(2, "after 800ms").await;
    // Another worker takes all shards while the first one waits for replies: as after two minutes of sleep.
    let monitor = fleet.monitor(Until::NothingIsDue, None);
    let (worker, store) = (monitor.worker.clone(), Arc::clone(&fleet.store));
    let run = monitor.run(std::future::pending(), |_| {});
    let replay = Arc::clone(&fleet.replay);
    let steal = async move {
        while replay.questions_at("192.0.2.1".parse().unwrap()) == 0 {
            tokio::task::yield_now().await;
        }
        store.heartbeat(&worker, Duration::ZERO).await.unwrap();
        store.heartbeat("thief", Duration::from_secs(60)).await.unwrap();
        let taken = store.take_shards("thief", crate::store::SHARDS).await.unwrap();
        store.retire("thief").await.unwrap();
        taken.rescued
    };
    let (tally, rescued) = timeout(PATIENCE, async { tokio::join!(run, steal) }).await.expect("the monitor ends");
    let tally = tally.unwrap();
    assert!(rescued > 0, "nothing was stolen");
    // The first refusal has the worker look what it holds, and break off what is void.
    assert!(tally.written == 2 && tally.fenced > 0, "{tally:?}");
    fleet.assert_checked(1).await;
}
