//! `zoneproof check`: one domain.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::cli::args::{CheckArguments, ColorChoice, KnownArguments, Requirement};
use crate::cli::engine::{Engine, Plan, Source};
use crate::cli::failure::Failure;
#[cfg(feature = "ses")]
use crate::cli::ses::BesideSes;
use crate::cli::style::Style;
use crate::cli::{NOT_CHECKED, NOT_READY, WELL, console, render};
use crate::dns::name::Name;
use crate::expectation::{Depth, Expectation, ExpectationError, Expected, Facts, RecordKind};
use crate::providers;
use crate::report::{Report, Verdict};
use crate::scenario::Task;
use crate::scenario::expect::{Check, Expect, Subject};

/// Checks a domain and prints the report.
pub(super) async fn run(arguments: CheckArguments, color: ColorChoice) -> Result<u8, Failure> {
    let plan = Plan::read(&arguments.resolver, source(&arguments))?
        .with_cloudflare_ranges(arguments.cloudflare_ranges.as_deref())?;
    let CheckArguments { domain, tokens, dkim_zone, known, .. } = &arguments;
    let facts = facts_of(domain, tokens, dkim_zone.as_deref(), known, &plan)?;
    let is_with_ses = is_with_ses(&arguments);
    // What SES tells comes only when everything that was typed is known to be of use.
    let typed = if is_with_ses { None } else { Some(complete(&arguments, expectation_of(&facts, &plan)?, &plan)?) };
    // A file that cannot be written is told before anything is asked.
    let capture = arguments.capture.as_deref().map(|path| open(path).map(|file| (path, file))).transpose()?;
    let engine = plan.start(capture.is_some()).await?;
    let (expectation, report) = match typed {
        Some(expectation) => {
            let report = engine.checker.check(&expectation).await;
            (expectation, report)
        }
        None => with_ses(&arguments, facts, &plan, &engine).await?,
    };
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
    console::warn_of_interception(&engine.checker);
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
    report.delegation.iter().all(|zone| &*zone.zone == ".")
}

/// Says who is asked.
fn source(arguments: &CheckArguments) -> Source<'_> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    arguments.replay.as_deref().map_or(Source::Live, Source::Replay)
}

/// Says whether Amazon SES is asked too.
fn is_with_ses(arguments: &CheckArguments) -> bool {
    #[cfg(feature = "ses")]
    return arguments.ses.ses;
    #[cfg(not(feature = "ses"))]
    {
        let _ = arguments;
        false
    }
}

/// Checks a domain by what Amazon SES tells of it, and says what both sides mean together.
#[cfg(feature = "ses")]
async fn with_ses(
    arguments: &CheckArguments,
    facts: Facts,
    plan: &Plan,
    engine: &Engine,
) -> Result<(Expectation, Report), Failure> {
    let started = BesideSes::start(&arguments.ses, arguments.known.region.as_deref(), plan, engine).await?;
    let beside = started.ok_or_else(|| Failure::Usage("--ses is missing".to_owned()))?;
    let checked = beside.report(facts, |expectation| async {
        let expectation = complete(arguments, expectation, plan)?;
        let report = engine.checker.check(&expectation).await;
        Ok::<_, Failure>((expectation, report))
    });
    checked.await
}

/// Takes the place of the above where the program knows no Amazon SES.
#[cfg(not(feature = "ses"))]
async fn with_ses(_: &CheckArguments, _: Facts, _: &Plan, _: &Engine) -> Result<(Expectation, Report), Failure> {
    Err(Failure::Usage("this program is built without Amazon SES".to_owned()))
}

/// Adds to an expectation what was typed of the verdict and the depth.
fn complete(arguments: &CheckArguments, expectation: Expectation, plan: &Plan) -> Result<Expectation, Failure> {
    let required = Requirement::kinds(&arguments.require);
    for (kind, option) in [(RecordKind::Mx, "--inbound"), (RecordKind::MailFromMx, "--mail-from")] {
        if required.contains(&kind) && expectation.of_kind(kind).next().is_none() {
            return Err(Failure::Usage(format!("--require is given for what is not expected without {option}")));
        }
    }
    Ok(expectation.require(&required).with_depth(plan.config.depth.unwrap_or(Depth::Full)))
}

/// Puts together what is known of a domain; the scenario fills in what was not typed, where no token was.
pub(super) fn facts_of(
    domain: &str,
    tokens: &[String],
    dkim_zone: Option<&str>,
    typed: &KnownArguments,
    plan: &Plan,
) -> Result<Facts, Failure> {
    let is_same = |check: &&Check| match (Name::from_user_input(&check.domain), Name::from_user_input(domain)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let is_filled_in = tokens.is_empty() && typed.selector.is_none();
    let known = if is_filled_in { plan.checks().find(is_same) } else { None };
    let mut facts = known.map(Check::facts).transpose()?.unwrap_or_default();
    domain.clone_into(&mut facts.domain);
    if !tokens.is_empty() {
        facts.tokens = tokens.to_vec();
    }
    facts.dkim_zone = dkim_zone.map(str::to_owned).or(facts.dkim_zone);
    typed.fill(&mut facts);
    Ok(facts)
}

/// Says which records a domain should have by what is known of it.
pub(super) fn expectation_of(facts: &Facts, plan: &Plan) -> Result<Expectation, Failure> {
    let expectation = match (facts.expectation(), plan.scenario_name()) {
        (Err(ExpectationError::TokenCount(0)), Some(name)) => return Err(Failure::NoTokens(name.to_owned())),
        (expectation, _) => expectation?,
    };
    match &expectation.dns_provider {
        Some(id) if providers::catalogue().get(id).is_none() => Err(Failure::Provider(id.clone(), String::new())),
        _ => Ok(expectation),
    }
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
    let options = options_of(expectation);
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

/// Writes an expectation as the options of a scenario's check.
fn options_of(expectation: &Expectation) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    let mut tell = |option: &str, value: String| options.push((option.to_owned(), value));
    for record in expectation.of_kind(RecordKind::Dkim) {
        match (&record.expected, record.token()) {
            (Expected::DkimKey(Some(key)), _) => tell("public_key", key.clone()),
            (_, Some(token)) => tell("token", String::from_utf8_lossy(token).into_owned()),
            _ => {}
        }
    }
    match &expectation.selector {
        Some(selector) => tell("selector", selector.to_text_without_dot()),
        None => tell("dkim_zone", expectation.dkim_zone.to_string()),
    }
    if let Some(region) = &expectation.region {
        tell("region", region.clone());
    }
    if let Some(mail_from) = &expectation.mail_from {
        tell("mail_from", mail_from.to_text_without_dot());
    }
    if expectation.is_inbound {
        tell("inbound", "yes".to_owned());
    }
    for token in &expectation.previous_tokens {
        tell("previous_token", token.clone());
    }
    for server in &expectation.previous_name_servers {
        tell("previous_ns", server.to_text_without_dot());
    }
    if let Some(id) = &expectation.dns_provider {
        tell("dns_provider", id.clone());
    }
    tell("depth", if expectation.depth == Depth::Full { "full" } else { "quick" }.to_owned());
    let required = expectation.records.iter().filter(|record| record.is_required);
    let mut required: Vec<&str> = required
        .filter_map(|record| match record.kind {
            RecordKind::Dkim => None,
            RecordKind::MailFromMx | RecordKind::MailFromSpf => Some("mail_from"),
            kind => Some(kind.as_str()),
        })
        .collect();
    required.dedup();
    if !required.is_empty() {
        tell("require", required.join(","));
    }
    options
}
