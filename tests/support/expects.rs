//! Holds a report against what a scenario expects.

use std::net::IpAddr;

use zoneproof::expectation::{Depth, Expectation, ExpectationError, RecordKind};
use zoneproof::findings::Code;
use zoneproof::report::{ArgumentValue, Report};
use zoneproof::scenario::expect::{Check, Expect};

/// Turns the line of a scenario into what the engine takes.
pub(crate) fn expectation(check: &Check) -> Result<Expectation, String> {
    let depth = match check.option("depth") {
        None | Some("quick") => Depth::Quick,
        Some("full") => Depth::Full,
        Some(other) => return Err(format!("depth {other:?}; expected quick or full")),
    };
    let mut required = Vec::new();
    for word in check.required() {
        required.extend_from_slice(match word {
            "spf" => &[RecordKind::Spf][..],
            "dmarc" => &[RecordKind::Dmarc],
            "mx" => &[RecordKind::Mx],
            "mail_from" => &[RecordKind::MailFromMx, RecordKind::MailFromSpf],
            other => return Err(format!("require {other:?}; expected spf, dmarc, mx or mail_from")),
        });
    }
    let expectation = check.facts().and_then(|facts| facts.expectation());
    let expectation = expectation.map_err(|error: ExpectationError| error.to_string())?;
    Ok(expectation.require(&required).with_depth(depth))
}

/// Holds a report against all that is expected of it; `asked` says how many packets an address got, or all did.
pub(crate) fn unmet_by_report(
    expects: &[Expect],
    report: &Report,
    asked: &dyn Fn(Option<IpAddr>) -> u32,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut matched = vec![false; report.findings.len()];
    for expect in expects {
        if let Some(fault) = unmet(expect, report, asked, &mut matched) {
            faults.push(format!("expected {expect}: {fault}"));
        }
    }
    if expects.contains(&Expect::NoOtherFindings) {
        for (finding, _) in report.findings.iter().zip(&matched).filter(|(_, matched)| !**matched) {
            faults.push(format!(
                "unexpected finding {} at {} {:?}",
                finding.code.as_str(),
                finding.record,
                finding.arguments
            ));
        }
    }
    faults
}

/// Says why an expectation did not come true; marks the findings that it matches.
fn unmet(
    expect: &Expect,
    report: &Report,
    asked: &dyn Fn(Option<IpAddr>) -> u32,
    matched: &mut [bool],
) -> Option<String> {
    let differs = |is: String, wanted: &str| (is != wanted).then(|| format!("it is {is}"));
    match expect {
        Expect::Verdict(word) => differs(report.verdict.as_str().to_owned(), word),
        Expect::RootCause(code) => {
            let is = report.root_cause.map_or("none", Code::as_str);
            differs(is.to_owned(), code.as_deref().unwrap_or("none"))
        }
        Expect::Record { kind, name, status, code } => {
            let record =
                report.records.iter().find(|record| record.kind.as_str() == kind && *record.name == *name.to_string());
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
            let asked = asked(*at);
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
            finding.arguments.get(name.as_str()).is_some_and(|is| match is {
                ArgumentValue::Number(number) => number.to_string() == *value,
                ArgumentValue::Text(text) => text == value,
                ArgumentValue::List(list) => list.join(",") == *value,
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
