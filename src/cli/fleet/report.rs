//! `zoneproof report`: the stored fleet, as one page or domain by domain.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::json;

use super::args::{ReportArguments, ReportFormat};
use super::open;
use crate::bulk::output::csv_line;
use crate::bulk::tally::VERDICTS;
use crate::cli::failure::Failure;
use crate::cli::style::printable;
use crate::cli::{WELL, console};
use crate::findings::Code;
use crate::report::Report;
use crate::service::sighting::Sighting;
use crate::store::{Domain, DomainFilter, DomainId, DomainState, FleetSummary, Store};

/// How many domains are read at a time (SECURITY.md, limits).
const PAGE: u32 = 500;
/// How many lines of one table are shown; the rest is one line.
const MAX_LINES: usize = 15;
/// How wide names are at least, so that the tables stand in line: the longest code.
const NAME_WIDTH: usize = 24;
/// The columns of CSV.
const COLUMNS: [&str; 11] = [
    "id",
    "tenant",
    "domain",
    "state",
    "verdict",
    "root_cause",
    "provider",
    "verified_at",
    "last_checked_at",
    "due_at",
    "ses_sending",
];

/// Prints the fleet.
pub(in crate::cli) async fn run(arguments: ReportArguments) -> Result<u8, Failure> {
    let store = open(&arguments.database.database).await?;
    if arguments.format == ReportFormat::Summary {
        let now = store.now().await?;
        let summary = store.summary(arguments.tenant.as_deref(), now).await?;
        console::print(&page(&summary))?;
        return Ok(WELL);
    }
    list(store.as_ref(), &arguments).await
}

/// Lists domain by domain.
async fn list(store: &dyn Store, arguments: &ReportArguments) -> Result<u8, Failure> {
    let filter = DomainFilter {
        tenant: arguments.tenant.clone().map(Some),
        state: arguments.state,
        provider: arguments.provider.clone(),
        ..DomainFilter::default()
    };
    let is_csv = arguments.format == ReportFormat::Csv;
    if is_csv && !console::print(&csv_line(&COLUMNS))? {
        return Ok(WELL);
    }
    let mut after: Option<DomainId> = None;
    loop {
        let domains = store.page(&filter, after.as_ref(), PAGE).await?;
        let Some(last) = domains.last() else { return Ok(WELL) };
        after = Some(last.id.clone());
        let mut text = String::new();
        for domain in &domains {
            if is_csv {
                text += &csv_line(&cells(domain).each_ref().map(String::as_str));
            } else {
                let report = store.report(&domain.id).await?;
                text += &format!("{}\n", object(domain, report.as_ref()));
            }
        }
        if !console::print(&text)? {
            return Ok(WELL);
        }
    }
}

/// Says whether SES sends a domain's mail; `None` where it has not said so.
fn sending(domain: &Domain) -> Option<bool> {
    Sighting::read(domain.identity.as_ref())?.identity.map(|identity| identity.sending)
}

/// Describes a domain in JSON.
fn object(domain: &Domain, report: Option<&Report>) -> serde_json::Value {
    json!({
        "id": domain.id, "tenant": domain.tenant, "domain": domain.name.to_text_without_dot(), "state": domain.state,
        "verdict": domain.last_verdict, "root_cause": domain.root_cause.map(Code::as_str), "provider": domain.provider,
        "created_at": domain.created_at, "verified_at": domain.verified_at, "last_checked_at": domain.last_checked_at,
        "due_at": domain.due_at, "ses_sending": sending(domain), "report": report,
    })
}

/// Describes a domain in the cells of CSV.
fn cells(domain: &Domain) -> [String; COLUMNS.len()] {
    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    [
        domain.id.to_string(),
        domain.tenant.clone().unwrap_or_default(),
        domain.name.to_text_without_dot(),
        domain.state.as_str().to_owned(),
        domain.last_verdict.map(|verdict| verdict.as_str().to_owned()).unwrap_or_default(),
        domain.root_cause.map(|code| code.as_str().to_owned()).unwrap_or_default(),
        domain.provider.clone().unwrap_or_default(),
        time(domain.verified_at),
        time(domain.last_checked_at),
        time(domain.due_at),
        sending(domain).map(|sending| sending.to_string()).unwrap_or_default(),
    ]
}

/// Lays the whole fleet out on one page.
fn page(summary: &FleetSummary) -> String {
    let mut text = format!("{} domains\n", summary.domains);
    let ordered = |words: &[&'static str], counts: &BTreeMap<String, u64>| {
        let known = words.iter().filter_map(|word| Some(((*word).to_owned(), *counts.get(*word)?)));
        known.filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    };
    let states = DomainState::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>();
    text += &table("State", &ordered(&states, &summary.states));
    let mut verdicts: Vec<&str> = VERDICTS.iter().map(|verdict| verdict.as_str()).collect();
    verdicts.push("unchecked");
    text += &table("Verdict", &ordered(&verdicts, &summary.verdicts));
    text += &table("Root cause", &most(&summary.root_causes));
    text += &table("Provider", &most(&summary.providers));
    text + &table("Last check", &ordered(&["hour", "day", "week", "older", "never"], &summary.ages))
}

/// Orders counts, the most first; those beyond a page are one line.
fn most(counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut sorted: Vec<(String, u64)> = counts.iter().map(|(word, count)| (word.clone(), *count)).collect();
    sorted.sort_by_key(|(word, count)| (Reverse(*count), word.clone()));
    let rest: u64 = sorted.iter().skip(MAX_LINES).map(|(_, count)| *count).sum();
    sorted.truncate(MAX_LINES);
    if rest > 0 {
        sorted.push(("others".to_owned(), rest));
    }
    sorted
}

/// Lays counts out below a heading; nothing where there are none.
fn table(heading: &str, rows: &[(String, u64)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|(word, _)| word.len()).max().unwrap_or_default().max(NAME_WIDTH);
    let lines: String = rows.iter().map(|(word, count)| format!("  {word:width$}  {count:>8}\n")).collect();
    printable(&format!("\n  {heading:width$}  {:>8}\n{lines}", "domains"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleet_fits_on_one_page() {
        let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
        let mut providers: BTreeMap<String, u64> = counts(&[("cloudflare", 700), ("godaddy", 200)]);
        providers.extend((0..20).map(|number| (format!("small{number:02}"), 5)));
        let summary = FleetSummary {
            domains: 1000,
            states: counts(&[("lost", 3), ("verified", 900), ("pending", 97)]),
            verdicts: counts(&[("failing", 60), ("ready", 930), ("unchecked", 10)]),
            root_causes: counts(&[("absent", 40), ("host_doubled", 20)]),
            providers,
            ages: counts(&[("older", 1), ("never", 10), ("day", 989)]),
        };
        insta::assert_snapshot!(page(&summary));
    }
}
