//! The stages of the store alone: adding, claiming, recording, listing.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use zoneproof::check::Checker;
use zoneproof::dns::name::Name;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation, Facts};
use zoneproof::report::Report;
use zoneproof::scenario::Scenario;
use zoneproof::scenario::replay::Replay;
use zoneproof::store::{
    CheckId, Claim, DomainFilter, DomainState, EventKind, IfKnown, Lane, MAX_BATCH, NewDomain, NewEvent, Outcome,
    SHARDS, Store, open,
};

/// How many tenants share the domains.
const TENANTS: usize = 100;
/// One of how many checks has something to tell.
const QUIET: usize = 100;
/// The scenario whose report is stored: a domain whose first record has its host doubled.
const SCENARIO: &str = r#"
root 198.51.100.1
zone . at 198.51.100.1
  example  NS  a.registry.example.
  a.registry.example.  A  198.51.100.2
zone example at 198.51.100.2
  @               NS  a.registry
  a.registry      A   198.51.100.2
  tenant          NS  ns1.tenant
  tenant          NS  ns2.tenant
  ns1.tenant      A   192.0.2.1
  ns2.tenant      A   192.0.2.2
zone tenant.example at 192.0.2.1 192.0.2.2
  @               NS     ns1
  @               NS     ns2
  t1._domainkey.mail.tenant.example  CNAME  t1.dkim.amazonses.com.
  t2._domainkey.mail  CNAME  t2.dkim.amazonses.com.
  t3._domainkey.mail  CNAME  t3.dkim.amazonses.com.
"#;

/// Checks the scenario's domain.
pub(crate) async fn report() -> Report {
    let scenario: Arc<Scenario> = Arc::new(SCENARIO.parse().expect("the scenario parses"));
    let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
    let checker = Checker::builder().root_hints(scenario.root_hints()).transport(replay).build().expect("a checker");
    let expectation =
        Expectation::new("mail.tenant.example", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("expected");
    checker.check(&expectation).await
}

/// Makes the domains with these numbers.
fn domains(numbers: std::ops::Range<usize>, now: Timestamp) -> Vec<NewDomain> {
    numbers
        .map(|number| {
            let name = format!("mail.customer{number}.example");
            NewDomain {
                tenant: Some(format!("tenant{}", number % TENANTS)),
                name: Name::parse(&name).expect("a name"),
                asked: Facts {
                    domain: name,
                    tokens: (0..3).map(|token| format!("token{number:026}{token}")).collect(),
                    ..Facts::default()
                },
                operator_shard: u16::try_from(number % usize::from(SHARDS)).expect("a shard"),
                due_at: Some(now),
            }
        })
        .collect()
}

/// Says that the check of a claimed domain came to the report.
fn outcome(number: usize, claim: &Claim, report: &Report, now: Timestamp) -> Outcome {
    let is_told = number.is_multiple_of(QUIET);
    Outcome {
        check: CheckId::random(),
        domain: claim.domain.id.clone(),
        lease: claim.lease,
        run: None,
        started_at: now,
        report: report.clone(),
        state: DomainState::Pending,
        verified_at: None,
        due_at: Some(now + SignedDuration::from_hours(24)),
        operator_shard: claim.domain.operator_shard,
        zone_digest: Some("2026112401 ns1 ns2".to_owned()),
        identity: None,
        negatives: serde_json::json!({"dns": [now]}),
        event: is_told.then(|| NewEvent { kind: EventKind::Verified, diff: serde_json::json!({"verdict": "partial"}) }),
    }
}

/// Prints a line of the table.
fn line(engine: &str, rows: usize, what: &str, took: Duration) {
    let rate = rows as f64 / took.as_secs_f64();
    println!("{engine:<10} {rows:>9}  {what:<10} {:>9.2} s {rate:>10.0} rows/s", took.as_secs_f64());
}

/// Reads how much memory the process has had at most since [`forget_peak`], in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Has the kernel begin anew with the highest memory (proc(5), clear_refs).
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Runs all stages over a database.
pub(crate) async fn measure(engine: &str, url: &str, rows: usize, report: &Report) {
    let store = open(url).await.expect("a store");
    let now = Timestamp::now();
    let mut took = Duration::ZERO;
    for first in (0..rows).step_by(MAX_BATCH) {
        let domains = domains(first..(first + MAX_BATCH).min(rows), now);
        let begin = Instant::now();
        store.add_domains(&domains, IfKnown::Keep, now).await.expect("added");
        took += begin.elapsed();
    }
    line(engine, rows, "add", took);
    work(engine, &store, rows, report, now).await;
    list(engine, &store, rows, now).await;
    store.close().await.expect("closed");
}

/// Claims and records until nothing is due, as a worker does.
async fn work(engine: &str, store: &Arc<dyn Store>, rows: usize, report: &Report, now: Timestamp) {
    store.heartbeat("bench", Duration::from_secs(86_400)).await.expect("a heartbeat");
    let leases = store.take_shards("bench", SHARDS).await.expect("shards").leases;
    let (mut claiming, mut recording, mut slowest, mut done) = (Duration::ZERO, Duration::ZERO, Duration::ZERO, 0);
    loop {
        let begin = Instant::now();
        let claims = store.claim(&Lane::Due(now), &leases, 500).await.expect("claims");
        claiming += begin.elapsed();
        slowest = slowest.max(begin.elapsed());
        if claims.is_empty() {
            break;
        }
        let outcomes: Vec<Outcome> =
            claims.iter().enumerate().map(|(number, claim)| outcome(done + number, claim, report, now)).collect();
        let begin = Instant::now();
        store.record(&outcomes).await.expect("recorded");
        recording += begin.elapsed();
        done += claims.len();
    }
    assert_eq!(done, rows, "each domain is claimed once");
    line(engine, rows, "claim", claiming);
    line(engine, rows, "record", recording);
    println!("{engine:<10} {rows:>9}  slowest claim {:.0} ms", slowest.as_secs_f64() * 1000.0);
}

/// Lists all domains by pages of 500, and counts them.
async fn list(engine: &str, store: &Arc<dyn Store>, rows: usize, now: Timestamp) {
    forget_peak();
    let before = peak_mib();
    let begin = Instant::now();
    let (mut after, mut seen) = (None, 0);
    loop {
        let page = store.page(&DomainFilter::default(), after.as_ref(), 500).await.expect("a page");
        let Some(last) = page.last() else { break };
        seen += page.len();
        after = Some(last.id.clone());
    }
    assert_eq!(seen, rows, "each domain is listed once");
    line(engine, rows, "list", begin.elapsed());
    println!("{engine:<10} {rows:>9}  memory at most {} MiB, {before} MiB before the listing", peak_mib());
    let begin = Instant::now();
    let summary = store.summary(None, now).await.expect("a summary");
    assert_eq!(summary.domains, rows as u64);
    line(engine, rows, "summary", begin.elapsed());
}
