//! How many instructions the engine's stages take without sockets: the same on a busy machine as on an idle one.
//!
//! `cargo bench --bench instructions [-- WORD]` runs itself under callgrind, each stage so many times and twice as many
//! times, so that what it takes to get ready falls out; prints what one pass takes, and the change since this was last
//! measured here. One or two of a hundred more or less are chance. A word chooses the stages that have it in their names. Without valgrind it is left out.
#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a bench ends where it cannot run")]

mod stages;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How often a stage is gone through, and then twice as often, to see how long it is.
const FEW_PASSES: u64 = 100;
/// How many instructions the passes take together that are then measured: getting ready, which takes some more in one
/// process than in another as hashes differ, is little beside that.
const MEASURED: u64 = 50_000_000;
/// How often a stage is gone through at most, should the few passes have come out as next to nothing by chance.
const MOST_PASSES: u64 = 100_000;
/// What tells a run under callgrind from the one that starts it.
const STAGE: &str = "--stage";
/// Where the figures of the last time are.
const LAST: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/instructions");

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [option, stage, passes] if option == STAGE => go_through(stage, passes.parse().expect("a number")),
        [] => return measure(""),
        [word] => return measure(word),
        _ => panic!("one word at most"),
    }
    ExitCode::SUCCESS
}

/// Goes through a stage so many times.
fn go_through(stage: &str, passes: u64) {
    let stage = stages::ALL.into_iter().find(|known| known.name == stage).expect("a stage");
    let mut pass = (stage.prepare)();
    (0..passes).for_each(|_| pass());
}

/// Measures the stages that have a word in their names, and prints the table.
fn measure(word: &str) -> ExitCode {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let Some(valgrind) = std::env::split_paths(&folders).map(|folder| folder.join("valgrind")).find(|it| it.is_file())
    else {
        println!("instructions: left out, since valgrind is not installed");
        return ExitCode::SUCCESS;
    };
    let mut known = last();
    println!("| stage | instructions | since last time |");
    println!("| --- | ---: | ---: |");
    for stage in stages::ALL.iter().filter(|stage| stage.name.contains(word)) {
        let few = of_a_pass(&valgrind, stage.name, FEW_PASSES);
        let of_a_pass = of_a_pass(&valgrind, stage.name, (MEASURED / few.max(1)).clamp(FEW_PASSES, MOST_PASSES));
        let before = known.insert(stage.name.to_owned(), of_a_pass);
        let change = before.map_or_else(String::new, |before| percent(of_a_pass, before));
        println!("| {} | {of_a_pass} | {change} |", stage.name);
    }
    let lines: String = known.iter().map(|(stage, count)| format!("{count} {stage}\n")).collect();
    fs::write(LAST, lines).expect("the figures are kept");
    ExitCode::SUCCESS
}

/// Reads the figures of the last time.
fn last() -> BTreeMap<String, u64> {
    let text = fs::read_to_string(LAST).unwrap_or_default();
    let line = |line: &str| {
        let (count, stage) = line.split_once(' ')?;
        Some((stage.to_owned(), count.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Writes by how much a figure changed.
fn percent(now: u64, before: u64) -> String {
    let precise = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    format!("{:+.1} %", (precise(now) / precise(before) - 1.0) * 100.0)
}

/// Returns how many instructions a pass takes: what a process takes more that goes through the stage twice as often.
fn of_a_pass(valgrind: &Path, stage: &str, passes: u64) -> u64 {
    let [once, twice] = [passes, passes * 2].map(|passes| instructions(valgrind, stage, passes));
    twice.saturating_sub(once) / passes
}

/// Counts the instructions of a process that goes through a stage so many times.
fn instructions(valgrind: &Path, stage: &str, passes: u64) -> u64 {
    let out = PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/callgrind.out"));
    let done = Command::new(valgrind)
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(std::env::current_exe().expect("a program"))
        .args([STAGE, stage, &passes.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&done.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.unwrap_or_else(|| panic!("valgrind says: {text}"))
}
