//! Replays every scenario under `fixtures/scenarios/`: one test a file, named by its path.
//!
//! A scenario fails where anything that it expects does not come true, where it does not print and parse back
//! to itself, and where the servers see more packets than the budget allows. One more test counts that
//! every code of the catalogue is expected by a scenario which forbids all others.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use zoneproof::budget::MAX_SENDS_PER_CHECK;
use zoneproof::check::Checker;
use zoneproof::dns::rrset::Question;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation, RecordKind};
use zoneproof::findings::Code;
use zoneproof::report::Report;
use zoneproof::scenario::Scenario;
use zoneproof::scenario::expect::{Check, Expect, Subject};
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::walk::lookup::Lookup;

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
            Trial::test(name, move || run_file(&file))
        })
        .collect();
    trials
        .push(Trial::test("every_code_is_expected_with_all_others_forbidden", move || every_code_is_expected(&files)));
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
                (runtime.block_on(run_lookup(&replay, question, &task.expectations)), question.to_string())
            }
        };
        faults.extend(faults_here.into_iter().map(|fault| format!("{what}: {fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Makes a checker that asks the replay through the whole stack of transports.
fn checker(replay: &Arc<Replay>) -> Checker {
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(replay) as _, Arc::clone(replay) as _, &settings);
    Checker::builder().root_hints(replay.root_hints()).transport(transport).build().expect("a scenario has a root")
}

/// Turns the line of a scenario into what the engine takes.
fn expectation(check: &Check) -> Result<Expectation, Failed> {
    let zone = check.option("dkim_zone").unwrap_or(DEFAULT_DKIM_ZONE);
    let depth = match check.option("depth") {
        None | Some("quick") => Depth::Quick,
        Some("full") => Depth::Full,
        Some(other) => return Err(format!("depth {other:?}; expected quick or full").into()),
    };
    let mut required = Vec::new();
    for word in check.required() {
        required.push(match word {
            "spf" => RecordKind::Spf,
            "dmarc" => RecordKind::Dmarc,
            other => return Err(format!("require {other:?}; expected spf or dmarc").into()),
        });
    }
    Ok(Expectation::new(&check.domain, &check.tokens(), zone)?.require(&required).with_depth(depth))
}

/// Runs a check and says what did not come true.
async fn run_check(replay: &Arc<Replay>, check: &Check, expects: &[Expect]) -> Result<Vec<String>, Failed> {
    let expectation = expectation(check)?;
    let report = checker(replay).check(&expectation).await;
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
    let mut matched = vec![false; report.findings.len()];
    for expect in expects {
        if let Some(fault) = unmet(expect, &report, replay, &mut matched) {
            faults.push(format!("expected {expect}: {fault}"));
        }
    }
    if expects.contains(&Expect::NoOtherFindings) {
        for (finding, _) in report.findings.iter().zip(&matched).filter(|(_, matched)| !**matched) {
            faults.push(format!("unexpected finding {} at {}", finding.code.as_str(), finding.record));
        }
    }
    Ok(faults)
}

/// Says why an expectation did not come true; marks the findings that it matches.
fn unmet(expect: &Expect, report: &Report, replay: &Replay, matched: &mut [bool]) -> Option<String> {
    let differs = |is: String, wanted: &str| (is != wanted).then(|| format!("it is {is}"));
    match expect {
        Expect::Verdict(word) => differs(report.verdict.as_str().to_owned(), word),
        Expect::RootCause(code) => {
            let is = report.root_cause.map_or("none", Code::as_str);
            differs(is.to_owned(), code.as_deref().unwrap_or("none"))
        }
        Expect::Record { kind, name, status, code } => {
            let record =
                report.records.iter().find(|record| record.kind.as_str() == kind && record.name == name.to_string());
            let Some(record) = record else { return Some("there is no such record".to_owned()) };
            let is = match code {
                Some(_) => format!("{} {}", record.status.as_str(), record.code.map_or("none", Code::as_str)),
                None => record.status.as_str().to_owned(),
            };
            let wanted = code.as_ref().map_or_else(|| status.clone(), |code| format!("{status} {code}"));
            differs(is, &wanted)
        }
        Expect::Finding { code, at, arguments } => unmet_finding(report, code, at.as_deref(), arguments, matched),
        Expect::NoOtherFindings => None,
        Expect::Questions { at, bound } => {
            let asked = at.map_or_else(|| replay.questions(), |address: IpAddr| replay.questions_at(address));
            (!bound.holds(asked)).then(|| format!("{asked} were asked"))
        }
        Expect::Remedy(text) => {
            let texts: Vec<&str> = report.findings.iter().map(|finding| finding.remedy.text.as_str()).collect();
            (!texts.iter().any(|remedy| remedy.contains(text.as_str()))).then(|| format!("they are {texts:?}"))
        }
        Expect::Horizon { which, within } => {
            let horizon = match which.as_str() {
                "negative" => report.horizons.negative_until,
                "positive" => report.horizons.positive_until,
                _ => report.horizons.delegation_until,
            };
            let ahead = horizon.map(|until| until.duration_since(report.checked_at).as_secs());
            let is_met = ahead.is_some_and(|ahead| u64::try_from(ahead).is_ok_and(|ahead| ahead <= within.as_secs()));
            (!is_met).then(|| format!("it lies {ahead:?} seconds ahead"))
        }
        Expect::Rcode(_) | Expect::Answer { .. } | Expect::NoOtherAnswers | Expect::Reason(_) => {
            Some("only a lookup can be held against it".to_owned())
        }
    }
}

/// Looks for a finding and marks all that match.
fn unmet_finding(
    report: &Report,
    code: &str,
    at: Option<&str>,
    arguments: &[(String, String)],
    matched: &mut [bool],
) -> Option<String> {
    let mut is_there = false;
    for (finding, matched) in report.findings.iter().zip(matched) {
        let is_at = at.is_none_or(|at| finding.record.trim_end_matches('.') == at.trim_end_matches('.'));
        let has_arguments = arguments.iter().all(|(name, value)| {
            finding.arguments.get(name.as_str()).is_some_and(|is| {
                let is = serde_json::to_value(is).unwrap_or_default();
                is.as_str().map_or_else(|| is.to_string(), str::to_owned) == *value
            })
        });
        if finding.code.as_str() == code && is_at && has_arguments {
            *matched = true;
            is_there = true;
        }
    }
    let all = || {
        let all = report.findings.iter();
        all.map(|finding| format!("{} at {} {:?}", finding.code.as_str(), finding.record, finding.arguments))
            .collect::<Vec<_>>()
            .join("; ")
    };
    (!is_there).then(|| format!("found: {}", all()))
}

/// Runs a lookup and says what did not come true.
async fn run_lookup(replay: &Arc<Replay>, question: &Question, expects: &[Expect]) -> Vec<String> {
    let lookup: Lookup = checker(replay).lookup(question).await;
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
    faults
}

/// Counts that no code is without a scenario that expects it and forbids what it does not list.
fn every_code_is_expected(files: &[PathBuf]) -> Result<(), Failed> {
    let mut expected = BTreeSet::new();
    for file in files {
        for task in &read(file)?.tasks {
            if !task.expectations.contains(&Expect::NoOtherFindings) {
                continue;
            }
            for expect in &task.expectations {
                if let Expect::Finding { code, .. } = expect {
                    let known = Code::from_word(code).ok_or_else(|| format!("{}: no code {code}", file.display()))?;
                    expected.insert(known);
                }
            }
        }
    }
    let missing: Vec<&str> =
        Code::ALL.iter().filter(|code| !expected.contains(code)).map(|code| code.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no scenario expects {}", missing.join(", ")).into()) }
}
