//! `zoneproof dmarc`: the policy that applies to one domain.

use futures::future::join_all;
use serde::Serialize;

use crate::check::Checker;
use crate::cli::args::{ColorChoice, DmarcArguments};
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::style::{Paint, Style, printable};
use crate::cli::{WELL, console};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Rcode;
use crate::evidence::Evidence;
use crate::expectation::Expectation;
use crate::findings::Code;
use crate::findings::dmarc::Legs;
use crate::findings::dmarc::assess::{Assessment, Heard, Said, Step, assess, question};
use crate::records::txt;
use crate::report::{ReportedFinding, report_finding};
use crate::walk::lookup::Lookup;

/// A policy in JSON.
#[derive(Serialize)]
struct Shown {
    /// The names of the tree walk, in the order asked, without final dots.
    queries: Vec<String>,
    /// The text of the record that applies.
    record: Option<String>,
    /// Where the organization begins.
    organizational_domain: Option<String>,
    /// What receivers apply to the domain.
    policy: Option<String>,
    /// The domain that publishes it.
    policy_source: Option<String>,
    /// What was found.
    findings: Vec<ReportedFinding>,
}

/// Finds the policy and prints it.
pub(super) async fn run(arguments: DmarcArguments, color: ColorChoice) -> Result<u8, Failure> {
    let domain = read_name(&arguments.domain)?;
    let mail_from = arguments.mail_from.as_deref().map(read_name).transpose()?;
    let signed_by = arguments.signed_by.as_deref().map(read_name).transpose()?;
    let source = arguments.dns_fixture.as_deref().map_or(Source::Live, Source::Fixture);
    let engine = Plan::read(&arguments.resolver, source)?.start(false).await?;
    let legs = Legs { signed_by: signed_by.as_ref(), mail_from: mail_from.as_ref() };
    let assessment = gather(&engine.checker, &domain, legs).await;
    let is_unread = assessment.findings.iter().any(|finding| finding.code == Code::UnableToCheck);
    let shown = show(&domain, &assessment);
    let text = if arguments.json {
        serde_json::to_string(&shown).map(|json| json + "\n").map_err(|error| Failure::stdout(error.into()))?
    } else {
        tell(&domain, &assessment, &shown, &Style::of_stdout(color))
    };
    console::print(&text)?;
    if is_unread && arguments.dns_fixture.is_none() && !engine.checker.is_root_answering().await {
        console::note(&Failure::NoRoot { port: engine.port }.to_string());
    }
    Ok(WELL)
}

/// Reads a name.
fn read_name(text: &str) -> Result<Name, Failure> {
    let read = if text.is_ascii() { Name::parse(text) } else { Name::from_user_input(text) };
    read.map(|name| name.to_lowercase()).map_err(|source| Failure::Name { text: text.to_owned(), source })
}

/// Asks until it is known what applies.
async fn gather(checker: &Checker, domain: &Name, legs: Legs<'_>) -> Assessment {
    let mut said = Said::default();
    loop {
        match assess(domain, legs, &said) {
            Step::Done(assessment) => return *assessment,
            Step::Ask(names) => {
                let questions: Vec<_> = names.iter().map(question).collect();
                let lookups = join_all(questions.iter().map(|question| checker.lookup(question))).await;
                for (name, lookup) in names.into_iter().zip(lookups) {
                    let proof = lookup.trace.last().cloned();
                    said.add(name, heard(&lookup), proof);
                }
            }
        }
    }
}

/// Reads a lookup; `None` where there is no answer.
fn heard(lookup: &Lookup) -> Option<Heard> {
    if lookup.failure.is_some() {
        return None;
    }
    let mut heard = Heard { texts: Vec::new(), is_nxdomain: false, alias: None };
    for record in &lookup.answers {
        match &record.rdata {
            Rdata::Txt(strings) => heard.texts.push(txt::join(strings)),
            Rdata::Cname(target) if heard.alias.is_none() => heard.alias = Some(target.clone()),
            _ => {}
        }
    }
    heard.texts.sort();
    // Behind an alias it is the target that does not exist.
    heard.is_nxdomain = lookup.rcode == Rcode::NXDOMAIN && heard.alias.is_none();
    Some(heard)
}

/// Writes a policy for JSON.
fn show(domain: &Name, assessment: &Assessment) -> Shown {
    let nothing = Evidence::new(String::new());
    let expectation = Expectation::of_nothing(domain.clone());
    let report = |finding| report_finding(finding, &expectation, &nothing);
    Shown {
        queries: assessment.queries.iter().map(Name::to_text_without_dot).collect(),
        record: assessment.record.as_ref().map(|text| String::from_utf8_lossy(text).into_owned()),
        organizational_domain: assessment.organizational_domain.as_ref().map(Name::to_text_without_dot),
        policy: assessment.policy.map(|policy| policy.to_string()),
        policy_source: assessment.policy_source.as_ref().map(Name::to_text_without_dot),
        findings: assessment.findings.iter().map(report).collect(),
    }
}

/// Writes a policy for people.
fn tell(domain: &Name, assessment: &Assessment, shown: &Shown, style: &Style) -> String {
    let is_unread =
        shown.findings.iter().any(|finding| finding.code == Code::UnableToCheck) && assessment.policy.is_none();
    let word = match &shown.policy {
        Some(policy) => format!("p={policy}"),
        None if is_unread => "could not be read".to_owned(),
        None => "no policy".to_owned(),
    };
    let bold = |text: &str| style.paint(Paint::Bold, text);
    let mut text = format!("{}  {}\n", bold(&domain.to_text_without_dot()), bold(&word));
    let unknown = || "not known".to_owned();
    let source = match (&shown.policy_source, assessment.policy_tag) {
        (Some(source), Some(tag)) => format!("{source} ({tag})"),
        _ => "nobody".to_owned(),
    };
    let rows = [
        ("Published by", source),
        ("Record", shown.record.as_deref().map_or_else(|| "none".to_owned(), printable)),
        ("Organization", shown.organizational_domain.clone().unwrap_or_else(unknown)),
        ("Asked", shown.queries.join(", ")),
    ];
    for (title, value) in rows {
        text += &format!("  {title:<14}{value}\n");
    }
    for finding in &shown.findings {
        let word = style.paint(Paint::of_severity(finding.severity), finding.severity.as_str());
        text += &format!("\n  {word}  {}\n{}\n", finding.code.as_str(), style.wrap(&finding.remedy.text, 4));
    }
    text
}
