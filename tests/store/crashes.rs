//! What dies on the way: processes, servers, disks.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use zoneproof::store::{DomainId, EventKind, Lane, Recorded, SHARDS, Store, StoreError, open};

use crate::postgres::Postgres;
use crate::records::{endpoint, telling};
use crate::scene::{claim_due, new_domains, noon, outcome, report, store_with, take_all};

/// Names the file that the process below writes to.
const VICTIM: &str = "ZONEPROOF_STORE_VICTIM";

/// The process that other tests kill and stop.
#[tokio::test]
#[ignore = "not a test of its own"]
async fn victim() {
    let url = std::env::var(VICTIM).unwrap();
    let store = open(&url).await.unwrap();
    let leases = take_all(&store, &format!("victim {}", std::process::id())).await;
    loop {
        let claims = claim_due(&store, &leases, 20).await;
        let outcomes: Vec<_> = claims
            .iter()
            .map(|claim| {
                let mut told = telling(outcome(claim), EventKind::Verified);
                told.due_at = Some(noon());
                told
            })
            .collect();
        store.record(&outcomes).await.unwrap();
        println!("recorded");
    }
}

/// Starts a process that claims and records, and waits until it has recorded `count` batches.
fn start_victim(url: &str, count: u64) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crashes::victim", "--ignored", "--nocapture"])
        .env(VICTIM, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut recorded = lines.map_while(Result::ok).filter(|line| line.ends_with("recorded"));
    for _ in 0..count {
        recorded.next().expect("the process ended");
    }
    (child, recorded)
}

/// Holds that each check of each domain has its event, and counts the checks.
async fn whole_records(store: &Arc<dyn Store>, ids: &[DomainId]) -> u64 {
    let mut checks = 0;
    for id in ids {
        let history = store.history(id, None, 10_000).await.unwrap();
        checks += history.len() as u64;
        let events = store.events(Some(id), 0, 10_000).await.unwrap();
        assert_eq!(
            events.iter().rev().map(|event| &event.check).collect::<Vec<_>>(),
            history.iter().map(|line| &line.check).collect::<Vec<_>>()
        );
        assert_eq!(store.domain(id).await.unwrap().unwrap().last_check, history.first().map(|line| line.check.clone()));
    }
    checks
}

/// A process is killed in the middle of writing, again and again: each check has its event, each event its delivery, and
/// what the process had acknowledged is there.
#[tokio::test]
async fn a_killed_writer_leaves_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fleet.db").display());
    let (store, ids) = store_with(&url, &new_domains("tenant", 100)).await;
    store.put_endpoint(&endpoint()).await.unwrap();
    let mut acknowledged = 0;
    for round in 0..8_u64 {
        // Wait until it writes, then a little longer, which differs from round to round.
        let (mut child, recorded) = start_victim(&url, round + 1);
        std::thread::sleep(Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged += 20 * (round + 1 + recorded.count() as u64);
        // What it held is free without waiting for its lease: nobody else is there to take it.
        sqlx::raw_sql("UPDATE workers SET alive_until = 0")
            .execute(&sqlx::SqlitePool::connect(&url).await.unwrap())
            .await
            .unwrap();
    }
    let checks = whole_records(&store, &ids).await;
    let owed = store.deliveries(&Default::default(), None, 1_000_000).await.unwrap().len() as u64;
    assert_eq!(owed, checks);
    assert!(checks >= acknowledged, "{acknowledged} were acknowledged, {checks} are there");
}

/// A worker is stopped in the middle of a transaction: others wait for seconds at most, take its shards, and record; what
/// it says when it goes on changes nothing.
#[tokio::test]
async fn a_stopped_worker_holds_nobody_up() {
    let Some(server) = Postgres::start(false) else { return };
    let url = server.database("fleet");
    let (store, ids) = store_with(&url, &new_domains("tenant", 100)).await;
    let database = sqlx::PgPool::connect(&url).await.unwrap();
    for round in 0..3 {
        let (mut child, mut recorded) = start_victim(&url, round + 1);
        let signal = |name: &str| Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(signal("-STOP").success());
        sqlx::raw_sql("UPDATE workers SET alive_until = 0").execute(&database).await.unwrap();
        let heir = format!("heir {round}");
        let begin = std::time::Instant::now();
        let mut leases = take_all(&store, &heir).await;
        while leases.len() < usize::from(SHARDS) {
            assert!(begin.elapsed() < Duration::from_secs(30), "{} shards after 30 s", leases.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
            leases.extend(take_all(&store, &heir).await);
        }
        let claims = claim_due(&store, &leases, 20).await;
        let told: Vec<_> = claims.iter().map(|claim| telling(outcome(claim), EventKind::Verified)).collect();
        assert!(!told.is_empty());
        let answers = zoneproof::store::persist(|| store.record(&told), |_, _| {}).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Recorded::Written), "{answers:?}");
        assert!(signal("-CONT").success());
        // It finds its transaction gone, and ends; or it finds itself fenced, and records nothing.
        recorded.next();
        child.kill().unwrap();
        child.wait().unwrap();
        for outcome in &told {
            let domain = store.domain(&outcome.domain).await.unwrap().unwrap();
            assert_eq!(domain.last_check.as_ref(), Some(&outcome.check));
        }
        store.retire(&heir).await.unwrap();
    }
    whole_records(&store, &ids).await;
}

/// A store outlives its server: calls fail as transient while it is away, and work again when it is back.
#[tokio::test]
async fn a_restarted_postgres_is_found_again() {
    let Some(mut server) = Postgres::start(false) else { return };
    let (store, ids) = store_with(&server.database("fleet"), &new_domains("tenant", 3)).await;
    let leases = take_all(&store, "one").await;
    let outcomes: Vec<_> = claim_due(&store, &leases, 3).await.iter().map(outcome).collect();
    server.kill();
    let error = store.record(&outcomes).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    server.run();
    zoneproof::store::persist(|| store.record(&outcomes), |_, _| {}).await.unwrap();
    assert_eq!(store.report(&ids[0]).await.unwrap().map(|found| found.verdict), Some(outcomes[0].report.verdict));
    assert_eq!(report("x.example", "ready", noon()).verdict, outcomes[0].report.verdict);
}

/// Each thing that cannot be a database, or not be written, is told in one line.
#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("text.db"), "this is no database, and long enough to be seen as none".repeat(40)).unwrap();
    let cases = [
        (format!("sqlite:{}", path("text.db")), "the database is damaged: file is not a database"),
        (format!("sqlite:{}", path("none/fleet.db")), "unable to open database file"),
        ("mysql://user:secret@db.example.com/fleet".to_owned(), "\"mysql://user@db.example.com/fleet\": expected"),
        ("postgres://user:secret@127.0.0.1:1/fleet".to_owned(), "the database cannot be reached:"),
    ];
    for (url, line) in cases {
        let Err(error) = open(&url).await else { panic!("{url} was opened") };
        let text = error.to_string();
        assert!(text.contains(line) && !text.contains('\n') && !text.contains("secret"), "{url}: {text}");
        assert_eq!(error.is_transient(), matches!(error, StoreError::Unavailable(_)));
    }
}

/// A file that may only be read can be read, and says so when it is to be written.
#[tokio::test]
async fn a_file_that_may_only_be_read_can_be_listed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fleet.db").display());
    let (store, ids) = store_with(&url, &new_domains("tenant", 3)).await;
    store.close().await.unwrap();
    let store = open(&format!("{url}?mode=ro")).await.unwrap();
    assert_eq!(store.page(&Default::default(), None, 10).await.unwrap().len(), 3);
    let error = store.remove_domain(&ids[0]).await.unwrap_err();
    assert_eq!(error.to_string(), "the database cannot be written: attempt to write a readonly database");
}

/// A damaged page is told as such, and does no harm to what is not in it.
#[tokio::test]
async fn a_damaged_page_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let url = format!("sqlite:{}", path.display());
    let (store, _) = store_with(&url, &new_domains("tenant", 2000)).await;
    store.close().await.unwrap();
    let mut octets = std::fs::read(&path).unwrap();
    assert!(octets.len() > 500_000, "the file holds the domains");
    octets[200_000..].fill(0xa5);
    std::fs::write(&path, octets).unwrap();
    let outcome = match open(&url).await {
        Ok(store) => store.page(&Default::default(), None, 5000).await.map(drop),
        Err(error) => Err(error),
    };
    assert!(matches!(outcome, Err(StoreError::Corrupted(_))), "{outcome:?}");
}

/// A file system of its own, of a few MiB, which root may mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it; `None` where this user may not.
    fn mount() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.run("mount", &["-t", "tmpfs", "-o", "size=4m", "none"]).then_some(disk)
    }

    /// Runs a command on its folder.
    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let status = Command::new(program).args(arguments).arg(self.0.path()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.run("umount", &["--lazy"]);
    }
}

/// The disk fills up in the middle: a line says so, what was acknowledged is there and whole, and when there is room the
/// same store goes on.
#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    let url = format!("sqlite:{}", disk.0.path().join("fleet.db").display());
    let (store, ids) = store_with(&url, &new_domains("tenant", 20)).await;
    store.put_endpoint(&endpoint()).await.unwrap();
    let leases = take_all(&store, "one").await;
    let mut acknowledged = 0;
    let (error, lost) = loop {
        let claims = store.claim(&Lane::Due(noon()), &leases, 20).await;
        let Ok(claims) = claims else { break (claims.unwrap_err(), Vec::new()) };
        let outcomes: Vec<_> = claims
            .iter()
            .map(|claim| {
                let mut told = telling(outcome(claim), EventKind::Verified);
                told.due_at = Some(noon());
                told.event.as_mut().unwrap().diff = serde_json::json!("x".repeat(2000));
                told
            })
            .collect();
        match store.record(&outcomes).await {
            Ok(_) => acknowledged += outcomes.len(),
            Err(error) => break (error, outcomes),
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(error.to_string().starts_with("no room is left for the database: "), "{error}");
    let written = |store: Arc<dyn Store>, ids: Vec<DomainId>| async move {
        let mut checks = 0;
        for id in &ids {
            let history = store.history(id, None, 10_000).await.unwrap();
            assert_eq!(store.events(Some(id), 0, 10_000).await.unwrap().len(), history.len());
            checks += history.len();
        }
        checks
    };
    assert_eq!(written(store.clone(), ids.clone()).await, acknowledged);
    assert!(disk.run("mount", &["-o", "remount,size=64m"]));
    store.record(&lost).await.unwrap();
    assert_eq!(written(store.clone(), ids).await, acknowledged + lost.len());
    store.close().await.unwrap();
}

/// A store in memory has one connection, and works like any other.
#[tokio::test]
async fn a_store_in_memory_works_like_any_other() {
    let (store, ids) = store_with("sqlite::memory:", &new_domains("tenant", 20)).await;
    let leases = take_all(&store, "one").await;
    let outcomes: Vec<_> = claim_due(&store, &leases, 20).await.iter().map(outcome).collect();
    let all = futures::future::try_join_all(outcomes.chunks(3).map(|chunk| store.record(chunk))).await.unwrap();
    assert_eq!(all.concat().len(), 20);
    for id in &ids {
        assert!(store.report(id).await.unwrap().is_some());
    }
}
