//! Whole runs of `zoneproof bulk`: how long they take, and how much memory the process has at most.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use zoneproof::report::Verdict;
use zoneproof::store::{DomainId, RunId, Store, open};

use crate::world::World;

/// How often the process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many steps of its time the memory of a run is told at.
const STEPS: usize = 5;
/// How many results are read at a time.
const PAGE: u32 = 500;
/// One of how many domains has its whole history counted.
const SAMPLE: usize = 1000;

/// What was seen of a process.
#[derive(Default)]
struct Seen {
    /// The memory at each look, in KiB (proc(5), VmRSS).
    resident_kib: Vec<u64>,
    /// The most memory it ever had, in KiB (proc(5), VmHWM).
    peak_kib: u64,
}

/// Reads a line of /proc/ID/status, in KiB.
fn kib(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
}

/// Makes the command that checks all rows of the world, as fast as the machine can.
fn command(world: &World, log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoneproof"));
    command.arg("bulk").arg(&world.rows).arg("--root-hints").arg(&world.hints);
    command.args(["--dns-port", &world.port.to_string(), "--allow-special-addresses", "--depth", "quick", "--stats"]);
    command.args(["--max-qps", "0", "--max-qps-per-server", "0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(log).unwrap());
    command
}

/// Watches a process to its end, and has `look` called meanwhile.
async fn watch(child: &mut Child, mut look: impl AsyncFnMut()) -> Seen {
    let mut seen = Seen::default();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            // Some domains are not ready, and none could not be checked.
            assert_eq!(status.code(), Some(1), "the run ended with {status}");
            return seen;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        seen.resident_kib.extend(kib(&status, "VmRSS"));
        seen.peak_kib = seen.peak_kib.max(kib(&status, "VmHWM").unwrap_or_default());
        look().await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Prints what a run took, and how its memory went.
fn line(name: &str, rows: usize, took: Duration, seen: &Seen) {
    let rate = rows as f64 / took.as_secs_f64();
    println!("{name:<10} {rows:>9}  bulk       {:>9.2} s {rate:>10.0} rows/s", took.as_secs_f64());
    let at = |step: usize| seen.resident_kib.get((seen.resident_kib.len() * step / STEPS).saturating_sub(1));
    let steps: Vec<String> = (1..=STEPS).filter_map(at).map(|kib| (kib / 1024).to_string()).collect();
    println!("{name:<10} {rows:>9}  memory at most {} MiB; {} on the way", seen.peak_kib / 1024, steps.join(", "));
}

/// Prints what a run says at its end of all rows, and what it counted.
fn print_log(log: &Path) {
    let text = fs::read_to_string(log).unwrap_or_default();
    let counted = text.lines().skip_while(|line| !line.trim_start().starts_with("Counted"));
    for line in text.lines().take(1).chain(counted) {
        println!("    {line}");
    }
}

/// Runs over a file of rows to a file of results.
pub(crate) async fn to_file(world: &World, rows: usize) {
    let (log, output) = (world.folder.path().join("file.log"), world.folder.path().join("results.jsonl"));
    let begin = Instant::now();
    let mut child = command(world, &log).arg("--output").arg(&output).spawn().unwrap();
    let seen = watch(&mut child, async || ()).await;
    line("file", rows, begin.elapsed(), &seen);
    print_log(&log);
    let mut results = vec![0_u8; rows];
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for line in BufReader::new(fs::File::open(&output).unwrap()).lines() {
        let report: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let row = usize::try_from(report["row"].as_u64().unwrap()).unwrap();
        results[row - 1] += 1;
        *verdicts.entry(report["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(results.iter().all(|count| *count == 1), "each row has exactly one result");
    assert_eq!(verdicts.get("ready"), Some(&world.right), "{verdicts:?}");
    println!("file       {rows:>9}  each row has exactly one result: {verdicts:?}");
    fs::remove_file(output).unwrap();
}

/// Runs over a file of rows with a database.
pub(crate) async fn to_database(engine: &str, url: &str, world: &World, rows: usize) {
    let log = world.folder.path().join(format!("{engine}.log"));
    let store = open(url).await.unwrap();
    let mut run = None;
    let begin = Instant::now();
    let mut child = command(world, &log).args(["--database", url]).spawn().unwrap();
    let seen = watch(&mut child, async || {
        if run.is_none() {
            run = store.open_runs().await.unwrap_or_default().pop();
        }
    })
    .await;
    line(engine, rows, begin.elapsed(), &seen);
    print_log(&log);
    let run = run.expect("the run was seen under way");
    let begin = Instant::now();
    let verdicts = count_results(&store, &run, rows).await;
    assert_eq!(verdicts.get(Verdict::Ready.as_str()), Some(&world.right), "{verdicts:?}");
    println!("{engine:<10} {rows:>9}  each row has exactly one result: {verdicts:?} ({:?} to read)", begin.elapsed());
    store.close().await.unwrap();
}

/// Counts the results of a run by verdict, and sees to it that each row has one.
async fn count_results(store: &Arc<dyn Store>, run: &RunId, rows: usize) -> BTreeMap<&'static str, usize> {
    let standing = store.run(run).await.unwrap().unwrap();
    let all = rows as u64;
    assert!(standing.finished_at.is_some() && standing.domains == all && standing.done == all, "{standing:?}");
    let summary = store.summary(None, store.now().await.unwrap()).await.unwrap();
    assert_eq!(summary.domains, all);
    let mut verdicts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut after, mut seen): (Option<DomainId>, usize) = (None, 0);
    loop {
        let page = store.run_results(run, after.as_ref(), PAGE).await.unwrap();
        for result in &page {
            assert!(after.as_ref() < Some(&result.domain), "results come by domain, each once");
            after = Some(result.domain.clone());
            *verdicts.entry(result.summary.verdict.as_str()).or_default() += 1;
            if seen.is_multiple_of(SAMPLE) {
                let history = store.history(&result.domain, None, 10).await.unwrap();
                assert_eq!(history.len(), 1, "{} was checked once", result.domain);
            }
            seen += 1;
        }
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(seen, rows, "each row has a result");
    verdicts
}
