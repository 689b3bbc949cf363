//! Replays every scenario under `fixtures/scenarios/`: one test a file, named by its path.
//!
//! A scenario fails where anything that it expects does not come true, where it does not print and parse back
//! to itself, and where the servers see more packets than the budget allows. One more test prints, for every code of
//! the catalogue, how many scenarios expect it, and how many near misses forbid it: files named
//! `code-with-dashes-near-miss`, with more words behind where there are several.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use zoneproof::budget::MAX_SENDS_PER_CHECK;
use zoneproof::check::{BuildError, Checker};
use zoneproof::dns::rrset::Question;
use zoneproof::findings::Code;
use zoneproof::scenario::Scenario;
use zoneproof::scenario::expect::{Check, Expect, Subject};
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::walk::lookup::Lookup;

#[path = "support/expects.rs"]
mod expects;
#[cfg(feature = "dnssec")]
#[path = "scenarios/signed.rs"]
mod signed;
#[cfg(feature = "dnssec")]
#[path = "support/signer.rs"]
mod signer;

use expects::{expectation, unmet_by_report};

/// What stands at the end of the names of scenarios that take digests or signatures, which the feature `dnssec` makes.
const TAKES_DIGESTS: &[&str] = &["-other-digest", "-signed"];
/// Where the scenarios are.
const FOLDER: &str = "fixtures/scenarios";

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut trials: Vec<Trial> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap_or(file).with_extension("").display().to_string();
            let file = file.clone();
            let cannot = TAKES_DIGESTS.iter().any(|end| name.ends_with(end)) && !cfg!(feature = "dnssec");
            Trial::test(name, move || run_file(&file)).with_ignored_flag(cannot)
        })
        .collect();
    #[cfg(feature = "dnssec")]
    trials.push(Trial::test("signed_scenarios_are_what_the_generator_writes", move || {
        signed::files_are_as_written(&root)
    }));
    trials.push(Trial::test("every_code_is_expected_and_forbidden", move || every_code_is_held(&files)));
    libtest_mimic::run(&arguments, trials).exit();
}

/// Collects the scenario files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "scn") {
            files.push(path);
        }
    }
}

/// Reads a scenario.
fn read(file: &Path) -> Result<Scenario, Failed> {
    let text = std::fs::read_to_string(file)?;
    let scenario: Scenario = text.parse().map_err(|error| format!("{}: {error}", file.display()))?;
    let again = scenario.to_string().parse();
    if again.as_ref() != Ok(&scenario) {
        return Err("the scenario does not print and parse back to itself".into());
    }
    Ok(scenario)
}

/// Runs all tasks of one file, each with nothing known from the one before.
fn run_file(file: &Path) -> Result<(), Failed> {
    let scenario = Arc::new(read(file)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let mut faults = Vec::new();
    if scenario.tasks.is_empty() {
        faults.push("there is nothing to do in it".to_owned());
    }
    for task in &scenario.tasks {
        let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
        let (faults_here, what) = match &task.subject {
            Subject::Check(check) => {
                (runtime.block_on(run_check(&replay, check, &task.expectations))?, check.domain.clone())
            }
            Subject::Lookup(question) => {
                (runtime.block_on(run_lookup(&replay, question, &task.expectations))?, question.to_string())
            }
        };
        faults.extend(faults_here.into_iter().map(|fault| format!("{what}: {fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Makes a checker that asks the replay through the whole stack of transports.
fn checker(replay: &Arc<Replay>) -> Result<Checker, BuildError> {
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(replay) as _, Arc::clone(replay) as _, &settings);
    Checker::builder().root_hints(replay.scenario().root_hints()).transport(transport).build()
}

/// Runs a check and says what did not come true.
async fn run_check(replay: &Arc<Replay>, check: &Check, expects: &[Expect]) -> Result<Vec<String>, Failed> {
    let expectation = expectation(check)?;
    let report = checker(replay)?.check(&expectation).await;
    let mut faults: Vec<String> = Vec::new();
    if replay.questions() > MAX_SENDS_PER_CHECK {
        faults.push(format!("{} packets were sent; at most {MAX_SENDS_PER_CHECK} may be", replay.questions()));
    }
    if replay.questions() != report.cost.questions {
        faults.push(format!(
            "the report counts {} questions, the servers {}",
            report.cost.questions,
            replay.questions()
        ));
    }
    let asked = |at: Option<IpAddr>| at.map_or_else(|| replay.questions(), |address| replay.questions_at(address));
    faults.extend(unmet_by_report(expects, &report, &asked));
    Ok(faults)
}

/// Runs a lookup and says what did not come true.
async fn run_lookup(replay: &Arc<Replay>, question: &Question, expects: &[Expect]) -> Result<Vec<String>, Failed> {
    let lookup: Lookup = checker(replay)?.lookup(question).await;
    let mut expected = BTreeSet::new();
    let mut faults = Vec::new();
    for expect in expects {
        let fault = match expect {
            Expect::Rcode(rcode) => (lookup.rcode != *rcode).then(|| format!("it is {}", lookup.rcode)),
            Expect::Answer { owner, rdata } => {
                let at = lookup.answers.iter().position(|record| record.owner == *owner && record.rdata == *rdata);
                expected.extend(at);
                at.is_none().then(|| format!("the answers are {:?}", lookup.answers))
            }
            Expect::NoOtherAnswers => None,
            Expect::Reason(word) => {
                let is = lookup.failure.map_or("none", |failure| failure.as_str());
                (is != word).then(|| format!("it is {is}"))
            }
            Expect::Questions { at, bound } => {
                let asked = at.map_or_else(|| replay.questions(), |address| replay.questions_at(address));
                (!bound.holds(asked)).then(|| format!("{asked} were asked"))
            }
            other => Some(format!("{other} does not go with a lookup")),
        };
        faults.extend(fault.map(|fault| format!("expected {expect}: {fault}")));
    }
    if expects.contains(&Expect::NoOtherAnswers) && expected.len() != lookup.answers.len() {
        faults.push(format!("there are other answers: {:?}", lookup.answers));
    }
    Ok(faults)
}

/// What scenarios hold of a code.
#[derive(Default)]
struct Tally {
    /// How many expect it.
    fires: usize,
    /// How many are close to it and forbid it.
    near_misses: usize,
}

/// Counts that no code is without a scenario that expects it, and without one that is close to it and forbids it; both
/// forbid what they do not list.
#[expect(clippy::print_stdout, reason = "the counts are what a reader of the test wants to see")]
fn every_code_is_held(files: &[PathBuf]) -> Result<(), Failed> {
    let mut tallies: BTreeMap<Code, Tally> = Code::ALL.iter().map(|code| (*code, Tally::default())).collect();
    for file in files {
        let missed = missed_code(file);
        for task in &read(file)?.tasks {
            if !task.expectations.contains(&Expect::NoOtherFindings) {
                continue;
            }
            let mut expected = BTreeSet::new();
            for expect in &task.expectations {
                if let Expect::Finding { code, .. } = expect {
                    let known = Code::from_word(code).ok_or_else(|| format!("{}: no code {code}", file.display()))?;
                    expected.insert(known);
                }
            }
            if let Some(missed) = missed {
                if expected.contains(&missed) {
                    return Err(format!("{} expects what it should miss", file.display()).into());
                }
                tallies.entry(missed).or_default().near_misses += 1;
            }
            expected.iter().for_each(|code| tallies.entry(*code).or_default().fires += 1);
        }
    }
    for (code, tally) in &tallies {
        println!("{:4} fire {:4} near  {}", tally.fires, tally.near_misses, code.as_str());
    }
    let words = |count: fn(&Tally) -> usize| -> Vec<&str> {
        tallies.iter().filter(|(_, tally)| count(tally) == 0).map(|(code, _)| code.as_str()).collect()
    };
    let faults = [
        ("no scenario expects", words(|tally| tally.fires)),
        ("no near miss forbids", words(|tally| tally.near_misses)),
    ];
    let told: Vec<String> = faults
        .into_iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(fault, words)| format!("{fault} {}", words.join(", ")))
        .collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("; ").into()) }
}

/// Returns the code that a file is a near miss of, by its name.
fn missed_code(file: &Path) -> Option<Code> {
    let name = file.file_stem()?.to_str()?;
    let (front, _) = name.split_once("-near-miss")?;
    Code::from_word(&front.replace('-', "_"))
}
