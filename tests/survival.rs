//! What a fleet survives: processes that are killed at random moments, stopped and woken, and databases that go away.
//!
//! Real processes over loopback. A few kills and a small fleet unless told; the whole of it is
//! `ZONEPROOF_KILLS=200 ZONEPROOF_SURVIVAL_DOMAINS=10000 ZONEPROOF_STOP_SECONDS=120 cargo test --release --test survival
//! -- --test-threads 4 --nocapture`, and ZONEPROOF_SURVIVAL_SEED moves the moments. PostgreSQL is left out where it is not
//! installed, unless `ZONEPROOF_POSTGRES=required`.
#![cfg(test)]
#![cfg(all(
    target_os = "linux",
    feature = "cli",
    feature = "lab",
    feature = "postgres",
    feature = "serve",
    feature = "ses",
    feature = "sqlite"
))]

#[path = "support/daemons.rs"]
mod daemons;
#[path = "survival/pace.rs"]
mod pace;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "survival/scene.rs"]
mod scene;
#[path = "survival/ses_trouble.rs"]
mod ses_trouble;
#[path = "survival/webhooks.rs"]
mod webhooks;

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use scene::{LEASE_SECONDS, Looks, Scene, dice, is_broken, number, signal, sleep_between, wait_until};
use zoneproof::dns::name::Name;
use zoneproof::expectation::Facts;
use zoneproof::lab::ses::HOME_REGION;
use zoneproof::lab::ses::fault::{Fault, FaultKind};
use zoneproof::service::operator::provisional_shard;
use zoneproof::store::{DomainState, IfKnown, NewDomain};

/// PostgreSQL goes away before the first of so many kills.
const RESTART_EVERY: u64 = 50;

/// How many domains the fleet has.
fn fleet_size() -> usize {
    usize::try_from(number("ZONEPROOF_SURVIVAL_DOMAINS", 120)).unwrap()
}

/// Starts a run over the whole input.
fn bulk(scene: &Scene, url: &str) -> Child {
    // Few at a time, so that it takes long enough to be killed amid it.
    let at_once = (scene.count / 500).max(2).to_string();
    let pace = ["--max-qps", "0", "--max-qps-per-server", "0", "--concurrency", &at_once];
    scene.zoneproof(&["bulk", "in.csv"], url).args(pace).spawn().unwrap()
}

/// Starts a worker that also has SES create identities.
fn worker(scene: &Scene, url: &str) -> Child {
    let words = ["worker", "--ses", "--ses-qps", "0", "--ses-every", "1", "--create-identities", "--no-webhooks"];
    let pace = ["--max-qps", "0", "--max-qps-per-server", "0", "--concurrency", "16"];
    scene.zoneproof(&words, url).args(pace).spawn().unwrap()
}

/// Waits for a process to end, and returns its exit code.
fn ended(scene: &Scene, process: &mut Child) -> Option<i32> {
    let mut status = None;
    wait_until("the end of a process", scene, || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    status.and_then(|status| status.code())
}

/// Kills runs over one input at random moments, then lets one end.
fn kill_runs(scene: &Scene, url: &str, mut between: impl FnMut(u64)) {
    let (mut dice, kills) = (dice(), number("ZONEPROOF_KILLS", 3));
    for kill in 0..kills {
        let mut process = bulk(scene, url);
        sleep_between(&mut dice, 300, 1000 * (LEASE_SECONDS + 3));
        between(kill);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // Domains without records are definitely not ready.
    assert_eq!(ended(scene, &mut bulk(scene, url)), Some(1), "{}", scene.said());
    let store = scene.open(url);
    let runs = scene.assert_one_result_a_run(&store);
    let (checks, events) = scene.assert_legal(&store);
    println!("{} domains, {kills} kills: {runs} runs, {checks} checks, {events} events", scene.count);
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_each_domain_one_result() {
    let scene = Scene::start(31, fleet_size());
    kill_runs(&scene, &scene.sqlite(), |_| {});
}

#[test]
fn a_run_that_sleeps_past_its_lease_comes_to_its_end_although_nobody_took_its_shards() {
    let scene = Scene::start(41, 200);
    let url = scene.sqlite();
    let mut process = bulk(&scene, &url);
    for _ in 0..4 {
        // In the middle of checks, which are broken off when it wakes.
        std::thread::sleep(Duration::from_millis(700));
        signal(&process, "STOP");
        std::thread::sleep(Duration::from_secs(LEASE_SECONDS + 1));
        signal(&process, "CONT");
    }
    assert_eq!(ended(&scene, &mut process), Some(1), "{}", scene.said());
    let store = scene.open(&url);
    scene.assert_one_result_a_run(&store);
    scene.assert_legal(&store);
}

#[test]
fn a_run_survives_kills_of_its_own_and_of_postgresql() {
    let Some(mut server) = postgres::Postgres::start(false) else { return };
    let scene = Scene::start(32, fleet_size());
    let url = server.database("fleet");
    kill_runs(&scene, &url, |kill| {
        if kill % RESTART_EVERY == 0 {
            server.kill();
            server.run();
        }
    });
}

/// Adds the fleet without tokens: SES is to make them.
fn add_fleet(scene: &Scene, url: &str) {
    let store = scene.open(url);
    let add = async {
        let now = store.now().await.unwrap();
        let domains: Vec<NewDomain> = (0..scene.count)
            .map(|number| {
                let text = format!("d{number}.example");
                let name = Name::parse(&text).unwrap();
                let asked = Facts { domain: text, ..Facts::default() };
                NewDomain { tenant: None, operator_shard: provisional_shard(&name), name, asked, due_at: Some(now) }
            })
            .collect();
        store.add_domains(&domains, IfKnown::Keep, now).await.unwrap();
    };
    scene.runtime.block_on(add);
}

/// Ends one worker the hard way and starts another, or stops it for longer than its lease: `stops` counts how often.
fn strike(scene: &Scene, url: &str, workers: &mut [Child], dice: &mut StdRng, stops: &mut u64) {
    let at = dice.random_range(0..workers.len());
    if dice.random_range(0..4) == 0 {
        let least = LEASE_SECONDS + 2;
        // The first stop may be told to be a long one.
        let seconds = if *stops == 0 { number("ZONEPROOF_STOP_SECONDS", least) } else { least };
        signal(&workers[at], "STOP");
        std::thread::sleep(Duration::from_secs(seconds));
        signal(&workers[at], "CONT");
        *stops += 1;
    } else {
        workers[at].kill().unwrap();
        workers[at].wait().unwrap();
        workers[at] = worker(scene, url);
    }
}

/// Kills and stops two workers at random moments while they bring a fleet from nothing to verified, with an SES that
/// throttles half of all calls.
fn strike_workers(scene: &Scene, url: &str, mut between: impl FnMut(u64)) {
    add_fleet(scene, url);
    let (mut dice, kills) = (dice(), number("ZONEPROOF_KILLS", 3));
    let throttled = Fault { percent: 50, ..Fault::new(FaultKind::Throttled) };
    let lost = Fault { percent: 10, after: true, ..Fault::new(FaultKind::ServerError) };
    scene.ses.set_faults(vec![throttled, lost]);
    let mut workers = [worker(scene, url), worker(scene, url)];
    let (mut looks, mut stops) = (Looks::default(), 0);
    for kill in 0..kills {
        sleep_between(&mut dice, 300, 3000);
        looks.look(scene);
        between(kill);
        strike(scene, url, &mut workers, &mut dice, &mut stops);
    }
    let throttled = scene.ses.counters().errors.clone();
    scene.ses.set_faults(Vec::new());
    let store = scene.open(url);
    let creations = || {
        let counters = scene.ses.counters();
        (0..scene.count)
            .map(|number| counters.identity(HOME_REGION, &format!("d{number}.example")).creates)
            .collect::<Vec<u64>>()
    };
    wait_until("that all have an identity, and all with records are verified", scene, || {
        looks.look(scene);
        let is_done = |(number, domain): (usize, zoneproof::store::Domain)| {
            domain.last_checked_at.is_some() && (domain.state == DomainState::Verified) != is_broken(number)
        };
        creations().iter().all(|creates| *creates > 0) && scene.domains(&store).into_iter().all(is_done)
    });
    for process in &mut workers {
        signal(process, "TERM");
    }
    for process in &mut workers {
        assert_eq!(ended(scene, process), Some(0), "{}", scene.said());
    }
    let (checks, events) = scene.assert_legal(&store);
    for (number, creates) in creations().iter().enumerate() {
        assert_eq!(*creates, 1, "d{number}.example");
    }
    println!(
        "{} domains, {} kills, {stops} stops: {checks} checks, {events} events, each identity created once in {} calls to \
         SES, errors under faults: {throttled:?}",
        scene.count,
        kills - stops,
        scene.ses.counters().calls_in_all(),
    );
}

#[test]
fn workers_that_are_killed_and_stopped_verify_each_domain_once_and_create_each_identity_once() {
    let scene = Scene::start(33, fleet_size());
    strike_workers(&scene, &scene.sqlite(), |_| {});
}

#[test]
fn workers_survive_postgresql_going_away() {
    let Some(mut server) = postgres::Postgres::start(false) else { return };
    let scene = Scene::start(34, fleet_size());
    let url = server.database("fleet");
    strike_workers(&scene, &url, |kill| {
        if kill % RESTART_EVERY == 0 {
            server.kill();
            std::thread::sleep(Duration::from_secs(2));
            server.run();
        }
    });
}

#[test]
fn a_worker_goes_on_by_itself_after_postgresql_stopped_answering() {
    /// Longer than a statement may go without an answer.
    const FROZEN: Duration = Duration::from_secs(30);
    let Some(server) = postgres::Postgres::start(false) else { return };
    let scene = Scene::start(39, 40);
    let url = server.database("fleet");
    assert_eq!(ended(&scene, &mut bulk(&scene, &url)), Some(1), "{}", scene.said());
    let pace = ["--max-qps", "0", "--max-qps-per-server", "0"];
    let mut worker = scene.zoneproof(&["worker", "--no-webhooks"], &url).args(pace).spawn().unwrap();
    let store = scene.open(&url);
    let ask_for_checks = || {
        let now = scene.runtime.block_on(store.now()).unwrap();
        for domain in scene.domains(&store).values() {
            scene.runtime.block_on(store.request_recheck(&domain.id, Duration::ZERO, now)).unwrap();
        }
    };
    let checks = || {
        let domains = scene.domains(&store);
        let history = |domain: &zoneproof::store::Domain| {
            scene.runtime.block_on(store.history(&domain.id, None, 10_000)).unwrap().len()
        };
        domains.values().map(history).sum::<usize>()
    };
    let first = checks();
    ask_for_checks();
    // In the middle of work: some are checked, others are not.
    wait_until("the first of the checks", &scene, || checks() > first);
    ask_for_checks();
    // These are always in the middle of a statement, one or another of them.
    let callers = (0..8).map(|_| {
        let store = std::sync::Arc::clone(&store);
        scene.runtime.spawn(async move {
            loop {
                if let Err(error) = store.now().await {
                    return error.to_string();
                }
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    std::thread::sleep(Duration::from_secs(1));
    server.signal_all("STOP");
    let begin = std::time::Instant::now();
    let given_up = async { tokio::time::timeout(FROZEN, futures::future::join_all(callers)).await };
    let given_up = scene.runtime.block_on(given_up).expect("a call hangs as long as the server does");
    println!("{:?} after {:.1?}", given_up.into_iter().map(Result::unwrap).collect::<BTreeSet<_>>(), begin.elapsed());
    std::thread::sleep(FROZEN.saturating_sub(begin.elapsed()));
    assert_eq!(worker.try_wait().unwrap(), None, "{}", scene.said());
    server.signal_all("CONT");
    let before = checks();
    ask_for_checks();
    wait_until("checks of all domains", &scene, || checks() >= before + scene.count);
    signal(&worker, "TERM");
    assert_eq!(ended(&scene, &mut worker), Some(0), "{}", scene.said());
    scene.assert_legal(&store);
}
