//! `zoneproof spf`: the SPF record of a domain, evaluated and looked over.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use crate::check::SpfReview;
use crate::cli::args::SpfArguments;
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::style::printable;
use crate::cli::{WELL, console};
use crate::dns::name::Name;
use crate::findings::Finding;
use crate::findings::finding::Argument;
use crate::records::spf::evaluation::{Message, Outcome};

/// An evaluation in JSON.
#[derive(Serialize)]
struct Evaluated<'a> {
    /// One of the seven results of RFC 7208.
    result: &'static str,
    /// The explanation that the domain publishes, with a fail.
    explanation: Option<&'a str>,
    /// How many terms asked the DNS.
    lookups: u32,
    /// How many questions were answered by nothing.
    void_lookups: u32,
    /// What was found.
    findings: Vec<Found<'a>>,
}

/// A finding in JSON.
#[derive(Serialize)]
struct Found<'a> {
    /// The code.
    code: &'static str,
    /// How bad it is.
    severity: &'static str,
    /// What it means, in one sentence.
    meaning: &'static str,
    /// What to do about it.
    remedy: &'static str,
    /// What it is about.
    arguments: &'a std::collections::BTreeMap<&'static str, Argument>,
}

/// Evaluates and prints.
pub(super) async fn run(arguments: SpfArguments) -> Result<u8, Failure> {
    let domain = ascii_domain(&arguments.domain);
    let read = |text: &String| text.parse::<IpAddr>().map_err(|_| Failure::Address(text.clone()));
    let address = arguments.ip.as_ref().map(read).transpose()?;
    let source = arguments.dns_fixture.as_deref().map_or(Source::Live, Source::Fixture);
    let plan = Plan::read(&arguments.resolver, source)?;
    let engine = plan.start(false).await?;
    let review = engine.checker.review_spf(&domain).await;
    let outcome = match address {
        Some(address) => {
            let helo = arguments.helo.clone().unwrap_or_else(|| domain.clone());
            let mail_from = arguments.mail_from.clone().unwrap_or_else(|| format!("postmaster@{domain}"));
            let unix_seconds = jiff::Timestamp::now().as_second();
            let receiver = "unknown".to_owned();
            let message = Message { address, domain: domain.clone(), helo, mail_from, receiver, unix_seconds };
            engine.checker.evaluate_spf(message).await
        }
        None => engine.checker.evaluate_spf_for_ses(&domain).await,
    };
    let text =
        if arguments.json { in_json(&outcome, &review) } else { in_words(&arguments, &domain, &outcome, &review) };
    console::print(&text)?;
    Ok(WELL)
}

/// Writes the domain with A-labels where it is a name that has them; what is no name stays as it is.
fn ascii_domain(text: &str) -> String {
    match Name::from_user_input(text) {
        Ok(name) if !text.is_ascii() => name.to_text_without_dot(),
        _ => text.trim().to_owned(),
    }
}

/// Writes one object.
fn in_json(outcome: &Outcome, review: &SpfReview) -> String {
    let evaluated = Evaluated {
        result: outcome.result.as_str(),
        explanation: outcome.explanation.as_deref(),
        lookups: outcome.lookups,
        void_lookups: outcome.void_lookups,
        findings: review.findings.iter().map(found).collect(),
    };
    // Numbers and texts are always written.
    serde_json::to_string(&evaluated).unwrap_or_default() + "\n"
}

/// Writes one finding.
fn found(finding: &Finding) -> Found<'_> {
    Found {
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        meaning: finding.code.meaning(),
        remedy: finding.code.remedy(),
        arguments: &finding.arguments,
    }
}

/// Writes for people.
fn in_words(arguments: &SpfArguments, domain: &str, outcome: &Outcome, review: &SpfReview) -> String {
    let result = outcome.result.as_str();
    let who = match &arguments.ip {
        Some(address) => format!("a message from {}", printable(address)),
        None => "a message from Amazon SES".to_owned(),
    };
    let mut text = format!("{}: {result} for {who}", printable(domain));
    if let Some((owner, term)) = &outcome.matched {
        text += &format!(", by {} in the record of {}", printable(term), printable(owner));
    }
    if let Some(problem) = &outcome.problem {
        text += &format!(": {}", printable(&problem.to_string()));
    }
    text += &format!("\n{} of 10 lookups, {} of 2 may find nothing\n", outcome.lookups, outcome.void_lookups);
    if arguments.ip.is_none() {
        text += "Amazon's addresses change: this says whether include:amazonses.com is reached, not which they are.\n";
    }
    if let Some(explanation) = &outcome.explanation {
        text += &format!("explanation: {}\n", printable(explanation));
    }
    for finding in &review.findings {
        text += &format!("{} {}: {}\n", finding.severity.as_str(), finding.code.as_str(), finding.code.meaning());
        for (key, value) in &finding.arguments {
            text += &format!("    {key}: {}\n", printable(&words_of(value)));
        }
        text += &format!("    {}\n", finding.code.remedy());
    }
    text
}

/// Writes the value of an argument.
fn words_of(value: &Argument) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
