//! The report on one domain, as people like to read it.
//!
//! First how it stands, why, and what to type where; then the rest of what was found; then the proof, records by
//! servers. Reads a report and nothing else.

mod matrix;

use crate::cli::style::{Cell, Paint, Style, printable};
use crate::findings::{Code, Severity};
use crate::remedy::Step;
use crate::report::{Report, ReportedFinding, ReportedSes, SesOutcome, Verdict};

/// How many names are listed beside a finding before the rest is only counted.
const MAX_NAMES: usize = 3;

/// Lays a report out.
pub(super) fn report(report: &Report, style: &Style) -> String {
    let mut parts = vec![headline(report, style)];
    let causes: Vec<&ReportedFinding> =
        report.findings.iter().filter(|finding| Some(finding.code) == report.root_cause).collect();
    if let Some(first) = causes.first() {
        parts.push(root_cause(report, first, &causes, style));
    }
    if let Some(ses) = &report.ses {
        parts.push(beside_ses(ses, style));
    }
    let others: Vec<&ReportedFinding> =
        report.findings.iter().filter(|finding| Some(finding.code) != report.root_cause).collect();
    if !others.is_empty() {
        parts.push(other_findings(&others, causes.is_empty(), style));
    }
    parts.push(matrix::records(report, style));
    parts.push(footer(report, style));
    parts.retain(|part| !part.is_empty());
    printable_but_colors(&(parts.join("\n\n") + "\n"))
}

/// Says how the domain stands.
fn headline(report: &Report, style: &Style) -> String {
    let word = report.verdict.as_str().to_uppercase();
    let meaning = match report.verdict {
        Verdict::Ready => "every required record is right at every server that answers",
        Verdict::Propagating => "every required record is right at some servers, and not yet at all",
        Verdict::Partial => "some required records are right, others are not",
        Verdict::Failing => "no required record is right",
        Verdict::Indeterminate => "a required record could not be checked, so nothing is said",
    };
    let word = style.paint(Paint::of_verdict(report.verdict), &word);
    format!("{}  {word}\n{}", style.paint(Paint::Bold, &report.domain), style.wrap(meaning, 0))
}

/// Says why it stands so, and how to mend it.
fn root_cause(report: &Report, first: &ReportedFinding, causes: &[&ReportedFinding], style: &Style) -> String {
    let head = style.paint(Paint::Bold, "Root cause");
    let code = style.paint(Paint::of_severity(first.severity), first.code.as_str());
    let mut text = format!("{head}  {code}\n{}\n", style.wrap(first.code.meaning(), 2));
    let place = match (&first.remedy.provider, &report.provider) {
        (Some(id), Some(provider)) if *id == provider.id => format!("Fix at {}", provider.name),
        _ => "Fix".to_owned(),
    };
    text += &format!("\n{}\n{}", style.paint(Paint::Bold, &place), style.wrap(&first.remedy.text, 2));
    if let Some(more) = more(causes.len()) {
        text += &format!("\n{}", style.wrap(&more, 2));
    }
    let steps = steps(causes);
    if !steps.is_empty() {
        text += &format!("\n\n{}", step_table(&steps, style));
    }
    text
}

/// Says what Amazon SES has to do with it.
fn beside_ses(ses: &ReportedSes, style: &Style) -> String {
    let paint = match (ses.outcome, ses.outcome.severity()) {
        (SesOutcome::Verified, _) => Paint::Green,
        (_, Some(severity)) => Paint::of_severity(severity),
        (_, None) => Paint::Yellow,
    };
    let head = style.paint(Paint::Bold, &format!("Amazon SES in {}", ses.region));
    let word = style.paint(paint, ses.outcome.as_str());
    let mut text = format!("{head}  {word}\n{}", style.wrap(&ses.sentence, 2));
    if let Some(identity) = &ses.identity {
        let said = format!(
            "It says: DKIM {}, identity {}, {}{}.",
            identity.dkim_status,
            identity.verification_status,
            if identity.sending { "sends" } else { "does not send" },
            identity.error.as_ref().map(|error| format!(", {error}")).unwrap_or_default()
        );
        text += &format!("\n{}", style.wrap(&said, 2));
    }
    text
}

/// Says that the words hold for other records too.
fn more(findings: usize) -> Option<String> {
    match findings {
        0 | 1 => None,
        2 => Some("The same holds for one more; all steps are below.".to_owned()),
        more => Some(format!("The same holds for {} more; all steps are below.", more - 1)),
    }
}

/// Collects the steps of findings, each once, in their order.
fn steps<'a>(findings: &[&'a ReportedFinding]) -> Vec<&'a Step> {
    let mut steps: Vec<&Step> = Vec::new();
    for step in findings.iter().flat_map(|finding| &finding.remedy.steps) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

/// Lays steps out: what to do, with which host, type and value.
fn step_table(steps: &[&Step], style: &Style) -> String {
    let head = ["", "Type", "Host", "Value"].map(|title| Cell::new(Some(Paint::Dim), title));
    let mut rows = vec![head.to_vec()];
    rows.extend(steps.iter().map(|step| {
        vec![
            Cell::new(Some(Paint::Bold), step.action.as_str()),
            Cell::new(None, &step.record_type),
            Cell::new(None, &step.host),
            Cell::new(None, step.value.as_deref().unwrap_or_default()),
        ]
    }));
    style.table(&rows, 2)
}

/// Tells the rest of what was found, each code once.
fn other_findings(findings: &[&ReportedFinding], is_all: bool, style: &Style) -> String {
    let mut codes: Vec<(Severity, Code)> = findings.iter().map(|finding| (finding.severity, finding.code)).collect();
    codes.dedup();
    let mut seen = Vec::new();
    codes.retain(|code| {
        let is_new = !seen.contains(code);
        seen.push(*code);
        is_new
    });
    let mut text = style.paint(Paint::Bold, if is_all { "Found" } else { "Also found" });
    for (severity, code) in codes {
        let same: Vec<&ReportedFinding> =
            findings.iter().copied().filter(|finding| (finding.severity, finding.code) == (severity, code)).collect();
        let names: Vec<&str> = same.iter().map(|finding| finding.record.as_str()).take(MAX_NAMES).collect();
        let rest = same.len().saturating_sub(names.len());
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let word = style.paint(Paint::of_severity(severity), severity.as_str());
        text += &format!("\n  {word}  {}  {}{rest}", code.as_str(), names.join(", "));
        if let Some(first) = same.first() {
            text += &format!("\n{}", style.wrap(&first.remedy.text, 4));
        }
        let steps = steps(&same);
        if !steps.is_empty() && severity <= Severity::Warning {
            text += &format!("\n{}", step_table(&steps, style));
        }
    }
    text
}

/// Tells the way to the domain, who serves it, until when old answers may be kept, and the cost.
fn footer(report: &Report, style: &Style) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    if !report.delegation.is_empty() {
        let zones: Vec<&str> = report.delegation.iter().map(|zone| &*zone.zone).collect();
        rows.push(("Delegation", zones.join(style.signs().down)));
    }
    if let Some(provider) = &report.provider {
        rows.push(("Provider", provider.name.clone()));
    }
    let horizons = [
        ("a missing record", report.horizons.negative_until),
        ("a wrong record", report.horizons.positive_until),
        ("old name servers", report.horizons.delegation_until),
    ];
    let kept = horizons.iter().filter_map(|(what, until)| until.map(|until| format!("{what} until {until}")));
    let kept: Vec<String> = kept.collect();
    if !kept.is_empty() {
        rows.push(("Resolvers may keep", kept.join(", ")));
    }
    let cost = report.cost;
    rows.push(("Cost", format!("{} questions, {} ms", cost.questions, cost.elapsed_ms)));
    rows.push(("Checked at", report.checked_at.to_string()));
    let rows: Vec<Vec<Cell>> = rows
        .into_iter()
        .map(|(title, text)| vec![Cell::new(Some(Paint::Dim), title), Cell::new(None, &text)])
        .collect();
    style.table(&rows, 0)
}

/// Escapes what could steer a terminal, but keeps the colours that were put in here.
///
/// Text of others never holds the escape character: reports escape what does not print.
fn printable_but_colors(text: &str) -> String {
    text.split('\u{1b}').map(printable).collect::<Vec<_>>().join("\u{1b}")
}

#[cfg(test)]
mod tests;
