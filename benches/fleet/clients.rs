//! The programs that are measured, each run as a process of its own.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use zoneproof::findings::Code;
use zoneproof::report::Report;

use crate::many;
use crate::world::{Rows, World, find};

/// How often the memory of a program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often dnsperf goes through its questions.
const DNSPERF_ROUNDS: &str = "10";

/// What the run of massdns is called, and that of ours over the same records.
pub(crate) const MASSDNS: &str = "massdns, the same records";
pub(crate) const AS_MASSDNS: &str = "zoneproof, all answered";

/// What one run took.
pub(crate) struct Run {
    /// What ran.
    pub(crate) what: &'static str,
    /// From start to end.
    pub(crate) wall: Duration,
    /// The processor time of the whole process.
    pub(crate) cpu: Duration,
    /// The questions that were asked.
    pub(crate) questions: u64,
    /// The domains that came out; zero where the program knows of none.
    pub(crate) domains: u64,
    /// The most memory that was held.
    pub(crate) peak_kib: u64,
    /// The questions that no check can do without, where its reports were read.
    pub(crate) least: Option<Least>,
}

/// How many questions no check can do without.
#[derive(Clone, Copy, Default)]
pub(crate) struct Least {
    /// One referral for each domain, and each record at each address.
    pub(crate) records: u64,
    /// The policies above that apply where a domain has none of its own.
    pub(crate) policies: u64,
}

impl Least {
    /// Counts what the reports of a run could not do without.
    fn of(reports: &str) -> Self {
        reports.lines().map(|line| serde_json::from_str::<Report>(line).unwrap()).fold(
            Self::default(),
            |sum, report| {
                let asked: usize = report.records.iter().map(|record| record.servers.len()).sum();
                let is_inherited = report.findings.iter().any(|finding| finding.code == Code::DmarcInherited);
                Self {
                    records: sum.records + 1 + u64::try_from(asked).unwrap(),
                    policies: sum.policies + u64::from(is_inherited),
                }
            },
        )
    }
}

/// Runs a program to its end. How many questions and domains there were is for the caller.
fn run(what: &'static str, command: &mut Command) -> Run {
    let before = children_cpu();
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&status_file).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak_kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(peak_kib);
        std::thread::sleep(LOOK_EVERY);
    }
    Run { what, wall: started.elapsed(), cpu: children_cpu() - before, questions: 0, domains: 0, peak_kib, least: None }
}

/// Returns the processor time of all programs that were run and have ended.
fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds.try_into().unwrap())
}

/// Returns the command that checks the rows of a file.
pub(crate) fn bulk_command(world: &World, rows: &Rows) -> Command {
    command(&rows.path, &world.hints, world.port)
}

/// Returns the command that checks the rows of a file, from these root servers at this port.
fn command(rows: &Path, hints: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoneproof"));
    command.arg("bulk").arg(rows).arg("--root-hints").arg(hints);
    command.args(["--dns-port", &port.to_string()]);
    command.args(["--allow-special-addresses", "--no-ipv6", "--max-qps", "0", "--max-qps-per-server", "0"]);
    command
}

/// Checks the rows of a file and writes a report on each.
pub(crate) fn zoneproof(world: &World, what: &'static str, rows: &Rows) -> Run {
    let output = world.folder.path().join("reports.jsonl");
    let run = bulk(world, what, rows, |command| command.arg("-o").arg(&output));
    let reports = fs::read_to_string(&output).unwrap();
    assert_eq!(reports.lines().count(), rows.domains, "a report for every row");
    Run { least: Some(Least::of(&reports)), ..run }
}

/// Checks the first so many rows of many, and writes the reports away.
pub(crate) fn growth(world: &many::World, domains: usize) -> Run {
    let path = world.folder.path().join("growth.csv");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    // The first line says what is in which column.
    for line in BufReader::new(fs::File::open(&world.rows).unwrap()).lines().take(domains + 1) {
        writeln!(file, "{}", line.unwrap()).unwrap();
    }
    file.flush().unwrap();
    let log = world.folder.path().join("summary");
    finish("growth", command(&path, &world.hints, world.port), &log, domains)
}

/// Checks the rows of a file and writes nothing but the summary.
pub(crate) fn summary(world: &World, what: &'static str, rows: &Rows) -> Run {
    bulk(world, what, rows, |command| command.arg("--summary-only"))
}

/// Checks the rows of a file, about as many questions out at one time as the others have out, and writes the reports away.
pub(crate) fn few_at_once(world: &World, what: &'static str, rows: &Rows) -> Run {
    bulk(world, what, rows, |command| command.args(["--concurrency", "30"]))
}

/// Checks the rows of a file; what it took is in the first line of the summary.
fn bulk(world: &World, what: &'static str, rows: &Rows, add: impl FnOnce(&mut Command) -> &mut Command) -> Run {
    let mut command = bulk_command(world, rows);
    add(&mut command);
    finish(what, command, &world.folder.path().join("summary"), rows.domains)
}

/// Has a command check so many domains, and its summary written to a file.
fn finish(what: &'static str, mut command: Command, file: &Path, domains: usize) -> Run {
    command.stdout(Stdio::null()).stderr(fs::File::create(file).unwrap());
    let mut run = run(what, &mut command);
    let summary = fs::read_to_string(file).unwrap();
    let questions = summary.split_once("; ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    run.questions = questions.unwrap_or_else(|| panic!("{summary}"));
    run.domains = u64::try_from(domains).unwrap();
    run
}

/// Asks the busiest server everything about its tenants; one client, a hundred questions out at one time.
pub(crate) fn dnsperf(world: &World) -> Run {
    let output = world.folder.path().join("dnsperf");
    let mut command = Command::new(find("dnsperf").unwrap());
    command.args(["-s", &world.busiest.to_string(), "-p", &world.port.to_string(), "-d"]).arg(&world.questions);
    command.args(["-e", "-c", "1", "-T", "1", "-q", "100", "-n", DNSPERF_ROUNDS]);
    let mut run = run("dnsperf", command.stdout(fs::File::create(&output).unwrap()).stderr(Stdio::null()));
    let text = fs::read_to_string(&output).unwrap();
    let completed = text.lines().find_map(|line| line.trim().strip_prefix("Queries completed:"));
    run.questions = completed.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap();
    run
}

/// What a run asked of servers that all answered: the domains, and everything that was asked about them.
pub(crate) struct Answered {
    /// The domains.
    pub(crate) rows: Rows,
    /// The questions for massdns: type, name and server, one a line.
    questions: PathBuf,
    /// How many questions those are.
    count: u64,
    /// How many of them were answered with records.
    answers: usize,
}

impl Answered {
    /// Checks the domains that are right once, and reads off the reports what was asked.
    ///
    /// The reports leave out the way to the zone, some one question a domain, which massdns could not go.
    pub(crate) fn read(world: &World) -> Self {
        let output = world.folder.path().join("answered.jsonl");
        bulk(world, "zoneproof", &world.right_rows, |command| command.arg("-o").arg(&output));
        // massdns takes a question for the same as one that is still out, whoever it is for: server by server, none is.
        let mut of_server: Vec<Vec<String>> = Vec::new();
        let (mut domains, mut answers) = (HashSet::new(), 0);
        for line in fs::read_to_string(&output).unwrap().lines() {
            let report: Report = serde_json::from_str(line).unwrap();
            let replies = || report.records.iter().flat_map(|record| record.servers.iter());
            if replies().any(|reply| matches!(&*reply.outcome, "timeout" | "refused_connection")) {
                continue;
            }
            answers += replies().filter(|reply| reply.outcome == "answer").count();
            for record in &report.records {
                of_server.resize(of_server.len().max(record.servers.len()), Vec::new());
                for (questions, server) in of_server.iter_mut().zip(&record.servers) {
                    let address = SocketAddr::new(server.address, world.port);
                    questions.push(format!("{} {} {address}\n", record.record_type, record.name));
                }
            }
            domains.insert(report.domain.to_string());
        }
        let questions = of_server.concat();
        let file = world.folder.path().join("questions.massdns");
        fs::write(&file, questions.concat()).unwrap();
        let rows = world.right_rows.only(&world.folder.path().join("answered.csv"), &domains);
        Self { rows, questions: file, count: u64::try_from(questions.len()).unwrap(), answers }
    }
}

/// Asks every server about the same records with massdns, a hundred questions out at one time.
pub(crate) fn massdns(world: &World, program: &Path, answered: &Answered) -> Run {
    let [resolvers, output] = ["resolvers", "massdns"].map(|file| world.folder.path().join(file));
    // It wants one to fall back on.
    fs::write(&resolvers, format!("{}:{}\n", world.busiest, world.port)).unwrap();
    let mut command = Command::new(program);
    command.arg("-r").arg(&resolvers).arg("-w").arg(&output);
    command.args(["--extended-input", "--norecurse", "-q", "-o", "S", "-s", "100"]).arg(&answered.questions);
    let mut run = run(MASSDNS, command.stdout(Stdio::null()).stderr(Stdio::null()));
    let found = fs::read_to_string(&output).unwrap().lines().count();
    assert!(found >= answered.answers, "massdns found {found} records in {} answers", answered.answers);
    run.questions = answered.count;
    run.domains = u64::try_from(answered.rows.domains).unwrap();
    run
}
