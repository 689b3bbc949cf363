//! Bulk runs against a lab on loopback: cut off, resumed, over a closed pipe.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How many rows the input has: enough to be cut off amid them.
const ROWS: u64 = 1000;

/// A lab, and a folder with an input.
struct Lab {
    /// The lab's process.
    process: Child,
    /// The options that lead to it.
    reach: Vec<String>,
    /// The folder.
    folder: TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        signal(&self.process, "INT");
        self.process.wait().unwrap();
    }
}

impl Lab {
    /// Starts a lab at a free port and writes the input.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lab.scn"), super::SCENARIO).unwrap();
        let mut input = String::from("domain,token1,token2,token3\n");
        input.extend((0..ROWS).map(|_| "example.com,a,b,c\n"));
        fs::write(folder.path().join("in.csv"), input).unwrap();
        let mut command = super::zoneproof(&["lab", "lab.scn", "--port", "0"]);
        command.current_dir(folder.path()).env("TMPDIR", folder.path()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.into_iter().find(|line| line.contains(" check ")).unwrap();
        let words = line.split(' ').skip_while(|word| *word != "--root-hints").map(str::to_owned);
        Self { process, reach: words.collect(), folder }
    }

    /// Prepares a bulk run against it, few domains at a time.
    fn bulk(&self, words: &[&str]) -> Command {
        self.bulk_of("4", words)
    }

    /// Prepares a bulk run against it, so many domains at a time.
    fn bulk_of(&self, at_once: &str, words: &[&str]) -> Command {
        let mut command = super::zoneproof(&["bulk", "--concurrency", at_once]);
        command.args(words).args(&self.reach).args(["--max-qps", "0", "--max-qps-per-server", "0"]);
        command.current_dir(self.folder.path());
        command
    }

    /// Starts a run and waits until some rows are written.
    fn start_run(&self) -> Child {
        let mut run = self.bulk(&["in.csv", "-o", "out.jsonl"]).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while fs::metadata(self.output()).map_or(0, |metadata| metadata.len()) == 0 {
            assert!(run.try_wait().unwrap().is_none() && Instant::now() < deadline, "the run wrote nothing");
            thread::sleep(Duration::from_millis(10));
        }
        run
    }

    /// Where results go.
    fn output(&self) -> PathBuf {
        self.folder.path().join("out.jsonl")
    }

    /// Resumes the run and asserts that every row is there exactly once.
    fn resume(&self) -> Output {
        let before = fs::read_to_string(self.output()).unwrap();
        let whole = before.rfind('\n').map_or(0, |end| end + 1);
        let output = self.bulk(&["in.csv", "-o", "out.jsonl", "--resume"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let after = fs::read_to_string(self.output()).unwrap();
        assert!(after.starts_with(&before[..whole]), "what was written stays");
        assert_eq!(rows(&after), (1..=ROWS).collect::<BTreeSet<_>>());
        assert_eq!(after.lines().count() as u64, ROWS);
        output
    }
}

/// Sends a signal to a process that this test started.
fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Reads the numbers of the rows.
fn rows(text: &str) -> BTreeSet<u64> {
    let row = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["row"].as_u64().unwrap();
    text.lines().map(row).collect()
}

#[test]
fn a_killed_run_goes_on_and_loses_nothing() {
    let lab = Lab::start();
    let mut run = lab.start_run();
    run.kill().unwrap();
    run.wait().unwrap();
    let refused = lab.bulk(&["in.csv", "-o", "out.jsonl"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "a run that was cut off is not overwritten");
    lab.resume();
    let changed = fs::read_to_string(lab.folder.path().join("in.csv")).unwrap().replace("example.com", "example.net");
    fs::write(lab.folder.path().join("in.csv"), changed).unwrap();
    let refused = lab.bulk(&["in.csv", "-o", "out.jsonl", "--resume"]).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("the input has changed"));
}

#[test]
fn ctrl_c_flushes_and_says_how_to_go_on() {
    let lab = Lab::start();
    let run = lab.start_run();
    signal(&run, "INT");
    let output = run.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(error.contains("interrupted after") && error.trim_end().ends_with("--resume"), "{error}");
    let written = fs::read_to_string(lab.output()).unwrap();
    assert!(written.ends_with('\n') && rows(&written).len() < usize::try_from(ROWS).unwrap());
    let summary = String::from_utf8(lab.resume().stderr).unwrap();
    assert!(summary.contains("from earlier runs") && summary.contains(&format!("ready{ROWS:>29}")), "{summary}");
}

#[test]
fn a_closed_pipe_ends_a_run_quietly() {
    let lab = Lab::start();
    let mut run = lab.bulk(&["in.csv"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.ends_with("}\n"));
    let output = run.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

#[test]
fn no_check_is_cut_short_while_nobody_reads_the_output() {
    let lab = Lab::start();
    let mut command = lab.bulk_of("200", &["in.csv", "--timeout-ms", "4000", "--stats"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The pipe is soon full, and a check may take less than that.
    thread::sleep(Duration::from_secs(8));
    let output = run.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("checks ") && !error.contains("checks_cut_short"), "{error}");
    assert_eq!(rows(&String::from_utf8(output.stdout).unwrap()), (1..=ROWS).collect());
}

#[test]
fn a_second_ctrl_c_ends_a_run_that_is_stuck_writing() {
    let lab = Lab::start();
    // Nobody reads the pipe, so that it fills up.
    let mut run = lab.bulk(&["in.csv"]).stdout(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    signal(&run, "INT");
    thread::sleep(Duration::from_millis(300));
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(130));
}

#[test]
fn rows_come_from_standard_input_too_and_a_bad_one_is_exit_code_2() {
    let lab = Lab::start();
    fs::write(lab.folder.path().join("few.csv"), "domain,token1,token2,token3,x\nexample.com,a,b,c,1\nbad\n").unwrap();
    let input = fs::File::open(lab.folder.path().join("few.csv")).unwrap();
    let output = lab.bulk(&["-", "-o", "out.csv", "--stats"]).stdin(input).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.starts_with("note: not used: x\nerror: row 2 (line 3): 1 cell; the header has 5\n"), "{error}");
    let counted = |word: &str| {
        let line = error.lines().find(|line| line.split_whitespace().next() == Some(word))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    assert!(counted("checks") == Some(1) && counted("replies") > Some(3), "{error}");
    let sent = counted("datagrams_sent").unwrap() + counted("connections_tried").unwrap_or_default();
    assert!(counted("replies").unwrap() <= sent, "{error}");
    let written = fs::read_to_string(lab.folder.path().join("out.csv")).unwrap();
    assert!(written.starts_with("row,domain,checked_at,verdict,") && written.lines().count() == 3, "{written}");
}

#[test]
fn a_summary_alone_sums_up_the_same() {
    let lab = Lab::start();
    fs::write(lab.folder.path().join("few.csv"), "domain,token1,token2,token3\nexample.com,a,b,c\nbad\n").unwrap();
    let [(whole, lines), (alone, none)] = [&["few.csv"][..], &["few.csv", "--summary-only"]].map(|words| {
        let output = lab.bulk(words).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        // All but the line that tells how long it took.
        let told: Vec<String> = error.lines().filter(|line| !line.contains(" questions")).map(str::to_owned).collect();
        ((output.status.code(), told), String::from_utf8(output.stdout).unwrap().lines().count())
    });
    assert_eq!((lines, none), (2, 0));
    assert!(whole.0 == Some(2) && whole.1.iter().any(|line| line.contains("ready")), "{whole:?}");
    assert_eq!(whole, alone);
}

#[test]
fn a_port_in_use_is_told_in_one_line() {
    let lab = Lab::start();
    let port = lab.reach.iter().skip_while(|word| *word != "--dns-port").nth(1).unwrap();
    super::refuses(lab.folder.path(), &format!("lab lab.scn --port {port}"), 2, "in use");
}

#[test]
fn no_root_server_answering_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dead.root"), ". NS a.root.\na.root. A 127.10.9.9\n").unwrap();
    fs::write(folder.path().join("in.csv"), "domain,token1,token2,token3\nexample.com,a,b,c\n").unwrap();
    let reach = "--root-hints dead.root --dns-port 9 --allow-special-addresses --timeout-ms 2000";
    super::refuses(folder.path(), &format!("bulk in.csv {reach}"), 2, "no root server answers at port 9");
    let check = format!("check example.com --token a --token b --token c --json {reach}");
    let output = super::run_in(folder.path(), &check.split(' ').collect::<Vec<_>>());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.starts_with("error: no root server answers at port 9") && error.lines().count() == 1, "{error}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"verdict\":\"indeterminate\""));
}

#[test]
fn records_are_for_whom_the_delegation_names() {
    let lab = Lab::start();
    let words = ["records", "mail.example.com", "--token", "a", "--token", "b", "--token", "c"];
    let output = super::zoneproof(&words).args(&lab.reach).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nAt the provider of the name server ns1.example, for example.com: "), "{text}");
    assert!(text.contains("    Host   a._domainkey.mail\n"), "{text}");
}
