//! A whole bulk run over a generated fleet that NSD serves: each domain comes out as it does alone.
//!
//! `ZONEPROOF_FLEET` says how many tenants there are and `ZONEPROOF_SAMPLE` how many are checked alone too; the
//! figures of the run are printed (`--no-capture` shows them).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zoneproof::check::Checker;
use zoneproof::dns::name::Name;
use zoneproof::expectation::Depth;
use zoneproof::lab::{fleet, internet_with};
use zoneproof::report::Report;
use zoneproof::scenario::Scenario;
use zoneproof::scenario::expect::{Check, Subject};
use zoneproof::transport::pace::PaceLimits;

use super::daemons::{self, Daemon, Software};
use super::{expects, free_port, wait_for, zones_at};

/// How many tenants there are unless told.
const TENANTS: usize = 400;
/// How many of them are checked alone too, unless told.
const SAMPLE: usize = 60;
/// The most memory that a bulk run may take (SECURITY.md, limits).
const MAX_MEMORY_KIB: u64 = 512 * 1024;

/// Reads a number from the environment.
fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Starts one NSD for each set of addresses that serve the same zones.
fn serve(scenario: &Scenario, folder: &Path, port: u16) -> Vec<Daemon> {
    let mut groups: BTreeMap<Vec<*const zoneproof::scenario::Zone>, Vec<IpAddr>> = BTreeMap::new();
    for address in scenario.addresses() {
        let zones = zones_at(scenario, address);
        groups.entry(zones.iter().map(|zone| std::ptr::from_ref(*zone)).collect()).or_default().push(address);
    }
    groups.remove(&Vec::new());
    let daemons: Vec<(Daemon, Vec<IpAddr>)> = groups
        .into_values()
        .map(|addresses| {
            let zones = zones_at(scenario, addresses[0]);
            (Daemon::start(Software::Nsd, &folder.join(addresses[0].to_string()), &addresses, port, &zones), addresses)
        })
        .collect();
    for (daemon, addresses) in &daemons {
        let zones = zones_at(scenario, addresses[0]);
        wait_for(daemon, addresses[0], port, &zones[zones.len() - 1..]);
    }
    daemons.into_iter().map(|(daemon, _)| daemon).collect()
}

/// Says what a report comes down to.
fn essence(report: &Report) -> (String, String, BTreeSet<(String, String)>) {
    let findings =
        report.findings.iter().map(|finding| (finding.code.as_str().to_owned(), finding.record.clone())).collect();
    let root_cause = report.root_cause.map_or("none", |code| code.as_str());
    (report.verdict.as_str().to_owned(), root_cause.to_owned(), findings)
}

/// Runs the program over the rows and returns the reports, by row; prints what the run cost.
fn run_bulk(folder: &Path, port: u16, rows: &[&Check]) -> BTreeMap<u64, Report> {
    let mut text = "domain,token1,token2,token3,dkim_zone,region,mail_from,inbound\n".to_owned();
    for check in rows {
        let told = ["dkim_zone", "region", "mail_from", "inbound"].map(|name| check.option(name).unwrap_or_default());
        writeln!(text, "{},{},{}", check.domain, check.tokens().join(","), told.join(",")).unwrap();
    }
    let (input, output) = (folder.join("tenants.csv"), folder.join("reports.jsonl"));
    std::fs::write(&input, text).unwrap();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zoneproof"))
        .arg("bulk")
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .arg("--root-hints")
        .arg(folder.join("hints"))
        .args(["--dns-port", &port.to_string()])
        .args(["--allow-special-addresses", "--no-ipv6", "--max-qps", "0", "--max-qps-per-server", "0"])
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(folder.join("summary")).unwrap())
        .spawn()
        .unwrap();
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status_file).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak_kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(peak_kib);
        std::thread::sleep(Duration::from_millis(50));
    }
    let elapsed = started.elapsed();
    let reports: Vec<Report> =
        std::fs::read_to_string(&output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let questions: u64 = reports.iter().map(|report| u64::from(report.cost.questions)).sum();
    println!("{} domains in {elapsed:.1?}, {questions} questions, peak {} MiB", reports.len(), peak_kib / 1024);
    println!("{}", std::fs::read_to_string(folder.join("summary")).unwrap());
    assert!(peak_kib < MAX_MEMORY_KIB, "{peak_kib} KiB");
    reports.into_iter().map(|report| (report.row.unwrap(), report)).collect()
}

#[test]
fn a_domain_comes_out_of_a_bulk_run_as_it_does_alone() {
    if !daemons::are_installed() {
        return;
    }
    let scenario = internet_with(&fleet::fleet(number("ZONEPROOF_FLEET", TENANTS), 7)).unwrap();
    let addresses = scenario.addresses();
    let port = free_port(&addresses);
    let folder = tempfile::tempdir().unwrap();
    let hints: Vec<(Name, IpAddr)> = scenario.root_hints();
    let lines = hints.iter().map(|(name, address)| format!(". NS {name}\n{name} A {address}\n"));
    std::fs::write(folder.path().join("hints"), lines.collect::<String>()).unwrap();
    let _daemons = serve(&scenario, folder.path(), port);

    let checks = scenario.tasks.iter().filter_map(|task| match &task.subject {
        Subject::Check(check) => Some(check),
        Subject::Lookup(_) => None,
    });
    let checks: Vec<&Check> = checks.collect();
    let reports = run_bulk(folder.path(), port, &checks);
    assert_eq!(reports.len(), checks.len(), "a report for every row");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let step = (checks.len() / number("ZONEPROOF_SAMPLE", SAMPLE)).max(1);
    let mut compared = 0;
    for (row, check) in (1..).zip(&checks).step_by(step) {
        let alone = runtime.block_on(async {
            let checker = Checker::builder()
                .root_hints(hints.clone())
                .dns_port(port)
                .allow_special_addresses(true)
                .ipv6(false)
                .pace(PaceLimits::default().with_per_server(0))
                .build()
                .unwrap();
            checker.check(&expects::expectation(check).unwrap().with_depth(Depth::Quick)).await
        });
        assert_eq!(essence(&reports[&row]), essence(&alone), "row {row}: {}", check.domain);
        compared += 1;
    }
    println!("{compared} domains checked alone came out the same");
}
