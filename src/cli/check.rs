//! `zoneproof check`: one domain.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::cli::args::{CheckArguments, ColorChoice};
use crate::cli::engine::{Engine, Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::style::Style;
use crate::cli::{NOT_CHECKED, NOT_READY, WELL, console, render};
use crate::dns::name::Name;
use crate::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation, RecordKind};
use crate::report::{Report, Verdict};
use crate::scenario::Task;
use crate::scenario::expect::{Check, Expect, Subject};

/// Checks a domain and prints the report.
pub(super) async fn run(arguments: CheckArguments, color: ColorChoice) -> Result<u8, Failure> {
    let plan = Plan::read(&arguments.resolver, source(&arguments))?
        .with_cloudflare_ranges(arguments.cloudflare_ranges.as_deref())?;
    let expectation = expect(&arguments, &plan)?;
    // A file that cannot be written is told before anything is asked.
    let capture = arguments.capture.as_deref().map(|path| open(path).map(|file| (path, file))).transpose()?;
    let engine = plan.start(capture.is_some()).await?;
    let report = engine.checker.check(&expectation).await;
    let text = if arguments.json {
        serde_json::to_string(&report).map(|json| json + "\n").map_err(|error| Failure::stdout(error.into()))?
    } else {
        render::report(&report, &Style::of_stdout(color))
    };
    let printed = console::print(&text);
    if let Some((path, file)) = capture {
        write_capture(path, file, &engine, &expectation, &report)?;
    }
    printed?;
    if report.verdict == Verdict::Indeterminate
        && is_nothing_found(&report)
        && !engine.checker.is_root_answering().await
    {
        console::note(&Failure::NoRoot { port: engine.port }.to_string());
    }
    Ok(exit_code(report.verdict))
}

/// Returns the exit code of a verdict.
fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ready => WELL,
        Verdict::Propagating | Verdict::Partial | Verdict::Failing => NOT_READY,
        Verdict::Indeterminate => NOT_CHECKED,
    }
}

/// Says whether the way led nowhere below the root.
fn is_nothing_found(report: &Report) -> bool {
    report.delegation.iter().all(|zone| zone.zone == ".")
}

/// Says who is asked.
fn source(arguments: &CheckArguments) -> Source<'_> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    arguments.replay.as_deref().map_or(Source::Live, Source::Replay)
}

/// Says what should be there; the scenario fills in what was not typed.
fn expect(arguments: &CheckArguments, plan: &Plan) -> Result<Expectation, Failure> {
    let is_same =
        |check: &&Check| match (Name::from_user_input(&check.domain), Name::from_user_input(&arguments.domain)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        };
    let known = if arguments.tokens.is_empty() { plan.checks().find(is_same) } else { None };
    let tokens: Vec<&str> = match known {
        Some(check) => check.tokens(),
        None => arguments.tokens.iter().map(String::as_str).collect(),
    };
    let zone = arguments.dkim_zone.as_deref().or_else(|| known.and_then(|check| check.option("dkim_zone")));
    let expectation = Expectation::new(&arguments.domain, &tokens, zone.unwrap_or(DEFAULT_DKIM_ZONE));
    let expectation = match (expectation, plan.scenario_name()) {
        (Err(crate::expectation::ExpectationError::TokenCount(0)), Some(name)) => {
            return Err(Failure::NoTokens(name.to_owned()));
        }
        (expectation, _) => expectation?,
    };
    let required: Vec<RecordKind> = arguments.require.iter().map(|kind| RecordKind::from(*kind)).collect();
    Ok(expectation.require(&required).with_depth(plan.config.depth.unwrap_or(Depth::Full)))
}

/// Opens a file to write to, and leaves what is in it.
fn open(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    file.map_err(|source| Failure::Write { name: path.display().to_string(), source })
}

/// Writes what servers said as a scenario that asks for the same check and expects the same verdict.
fn write_capture(
    path: &Path,
    mut file: File,
    engine: &Engine,
    expectation: &Expectation,
    report: &Report,
) -> Result<(), Failure> {
    let Some(recorder) = &engine.recorder else { return Ok(()) };
    let tokens = expectation.of_kind(RecordKind::Dkim).filter_map(|record| record.token());
    let mut options: Vec<(String, String)> =
        tokens.map(|token| ("token".to_owned(), String::from_utf8_lossy(token).into_owned())).collect();
    options.push(("dkim_zone".to_owned(), expectation.dkim_zone.to_string()));
    options.push(("depth".to_owned(), if expectation.depth == Depth::Full { "full" } else { "quick" }.to_owned()));
    let required = expectation.records.iter().filter(|record| record.is_required && record.kind != RecordKind::Dkim);
    let required: Vec<&str> = required.map(|record| record.kind.as_str()).collect();
    if !required.is_empty() {
        options.push(("require".to_owned(), required.join(",")));
    }
    let task = Task {
        subject: Subject::Check(Check { domain: report.domain.clone(), options }),
        expectations: vec![
            Expect::Verdict(report.verdict.as_str().to_owned()),
            Expect::RootCause(report.root_cause.map(|code| code.as_str().to_owned())),
        ],
    };
    let title = format!("{} as its servers answered at {}", report.domain, report.checked_at);
    let roots: Vec<_> = engine.roots.iter().map(|(_, address)| *address).collect();
    let text = recorder.to_scenario(&title, &roots, vec![task]).to_string();
    let written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Write { name: path.display().to_string(), source })
}
