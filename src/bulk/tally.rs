//! How a whole run came out: by verdict, by code, by provider.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::bulk::output::{COLUMNS, Finished};
use crate::findings::Code;
use crate::report::{Report, SesOutcome, Verdict};

/// What a summary needs of one row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gist {
    /// The number of the row.
    pub row: u64,
    /// The verdict; `None` of a bad row.
    pub verdict: Option<Verdict>,
    /// The finding that explains the others.
    pub root_cause: Option<Code>,
    /// The codes of all findings.
    pub codes: Vec<Code>,
    /// The id of the provider.
    pub provider: Option<String>,
    /// What DNS and SES mean together; `None` where SES was not asked.
    pub ses: Option<SesOutcome>,
    /// How many questions were sent.
    pub questions: u32,
    /// What is wrong with a bad row.
    pub error: Option<String>,
}

/// Those parts of a line of JSON output that a summary needs.
#[derive(Deserialize)]
struct WrittenLine {
    /// The number of the row.
    row: u64,
    /// The verdict; not in the line of a bad row.
    verdict: Option<Verdict>,
    /// The word of the root cause.
    root_cause: Option<String>,
    /// The findings.
    #[serde(default)]
    findings: Vec<WrittenFinding>,
    /// The provider.
    provider: Option<WrittenProvider>,
    /// What SES says.
    ses: Option<WrittenSes>,
    /// The cost.
    cost: Option<WrittenCost>,
    /// What is wrong with a bad row.
    error: Option<String>,
}

/// The part of a finding that a summary needs.
#[derive(Deserialize)]
struct WrittenFinding {
    /// The word of its code.
    code: String,
}

/// The part of a provider that a summary needs.
#[derive(Deserialize)]
struct WrittenProvider {
    /// Its id.
    id: String,
}

/// The part of what SES says that a summary needs.
#[derive(Deserialize)]
struct WrittenSes {
    /// What DNS and SES mean together.
    outcome: SesOutcome,
}

/// The part of a cost that a summary needs.
#[derive(Deserialize)]
struct WrittenCost {
    /// How many questions were sent.
    questions: u32,
}

impl Gist {
    /// Takes what is needed from a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self {
            row: report.row.unwrap_or_default(),
            verdict: Some(report.verdict),
            root_cause: report.root_cause,
            codes: report.findings.iter().map(|finding| finding.code).collect(),
            provider: report.provider.as_ref().map(|provider| provider.id.clone()),
            ses: report.ses.as_ref().map(|ses| ses.outcome),
            questions: report.cost.questions,
            error: None,
        }
    }

    /// Takes what is needed from a row that is done.
    #[must_use]
    pub fn of_row(finished: &Finished) -> Self {
        match &finished.outcome {
            Ok(report) => Self { row: finished.row, ..Self::of(report) },
            Err(error) => Self { row: finished.row, error: Some(error.clone()), ..Self::default() },
        }
    }

    /// Reads it back from a line of JSON output; `None` where that is no line of ours.
    #[must_use]
    pub fn from_json(line: &str) -> Option<Self> {
        let line: WrittenLine = serde_json::from_str(line).ok()?;
        if line.verdict.is_none() && line.error.is_none() {
            return None;
        }
        Some(Self {
            row: line.row,
            verdict: line.verdict,
            root_cause: line.root_cause.as_deref().and_then(Code::from_word),
            codes: line.findings.iter().filter_map(|finding| Code::from_word(&finding.code)).collect(),
            provider: line.provider.map(|provider| provider.id),
            ses: line.ses.map(|ses| ses.outcome),
            questions: line.cost.map_or(0, |cost| cost.questions),
            error: line.error,
        })
    }

    /// Reads it back from the cells of a line of CSV output; `None` where that is no line of ours.
    #[must_use]
    pub fn from_cells(cells: &[String]) -> Option<Self> {
        let cell = |name: &str| {
            let place = COLUMNS.iter().position(|column| *column == name)?;
            cells.get(place).map(String::as_str)
        };
        let filled = |name: &str| cell(name).filter(|text| !text.is_empty());
        if cells.len() != COLUMNS.len() {
            return None;
        }
        let error = filled("error").map(str::to_owned);
        let verdict = filled("verdict").and_then(verdict_from_word);
        if verdict.is_none() && error.is_none() {
            return None;
        }
        Some(Self {
            row: cell("row")?.parse().ok()?,
            verdict,
            root_cause: filled("root_cause").and_then(Code::from_word),
            codes: cell("codes")?.split(' ').filter_map(Code::from_word).collect(),
            provider: filled("provider").map(str::to_owned),
            ses: filled("ses").and_then(|word| SesOutcome::ALL.into_iter().find(|one| one.as_str() == word)),
            questions: filled("questions").and_then(|number| number.parse().ok()).unwrap_or_default(),
            error,
        })
    }
}

/// All verdicts, the best first.
pub const VERDICTS: [Verdict; 5] =
    [Verdict::Ready, Verdict::Propagating, Verdict::Partial, Verdict::Failing, Verdict::Indeterminate];

/// Finds a verdict by its word.
fn verdict_from_word(word: &str) -> Option<Verdict> {
    VERDICTS.into_iter().find(|verdict| verdict.as_str() == word)
}

/// The counts of a run. Its size is bounded by the lists of codes and of providers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many rows are done.
    pub rows: u64,
    /// How many of them could not be read.
    pub bad_rows: u64,
    /// How many domains have each verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// By code: how many domains have it as their root cause, and how many have it at all.
    pub codes: BTreeMap<Code, (u64, u64)>,
    /// How many domains have each outcome of DNS and SES together.
    pub ses: BTreeMap<SesOutcome, u64>,
    /// By provider: how many of its domains are ready, and how many there are.
    pub providers: BTreeMap<String, (u64, u64)>,
    /// How many questions were sent.
    pub questions: u64,
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, gist: &Gist) {
        self.rows += 1;
        self.questions += u64::from(gist.questions);
        let Some(verdict) = gist.verdict else {
            self.bad_rows += 1;
            return;
        };
        *self.verdicts.entry(verdict).or_default() += 1;
        if let Some(outcome) = gist.ses {
            *self.ses.entry(outcome).or_default() += 1;
        }
        let mut codes = gist.codes.clone();
        codes.extend(gist.root_cause);
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            let (causes, domains) = self.codes.entry(code).or_default();
            *causes += u64::from(gist.root_cause == Some(code));
            *domains += 1;
        }
        let provider = gist.provider.clone().unwrap_or_else(|| "none".to_owned());
        let (ready, domains) = self.providers.entry(provider).or_default();
        *ready += u64::from(verdict == Verdict::Ready);
        *domains += 1;
    }

    /// Counts the domains with a verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// Counts the domains that are definitely not ready.
    #[must_use]
    pub fn not_ready(&self) -> u64 {
        [Verdict::Propagating, Verdict::Partial, Verdict::Failing].map(|verdict| self.of(verdict)).iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_once_per_code_and_a_bad_row_has_no_verdict() {
        let mut tally = Tally::default();
        tally.add(&Gist {
            row: 1,
            verdict: Some(Verdict::Failing),
            root_cause: Some(Code::Absent),
            codes: vec![Code::Absent, Code::Absent, Code::SpfAbsent],
            provider: Some("cloudflare".to_owned()),
            ses: Some(SesOutcome::Wait),
            questions: 13,
            error: None,
        });
        tally.add(&Gist { row: 2, verdict: Some(Verdict::Ready), questions: 12, ..Gist::default() });
        tally.add(&Gist { row: 3, error: Some("bad".to_owned()), ..Gist::default() });
        assert_eq!((tally.rows, tally.bad_rows, tally.questions, tally.not_ready()), (3, 1, 25, 1));
        assert_eq!(tally.ses, BTreeMap::from([(SesOutcome::Wait, 1)]));
        assert_eq!(tally.codes, BTreeMap::from([(Code::Absent, (1, 1)), (Code::SpfAbsent, (0, 1))]));
        assert_eq!(tally.providers, BTreeMap::from([("cloudflare".to_owned(), (0, 1)), ("none".to_owned(), (1, 1))]));
    }

    #[test]
    fn a_line_without_verdict_or_error_is_none_of_ours() {
        assert_eq!(Gist::from_json("{\"row\":1}"), None);
        assert_eq!(Gist::from_json("{\"row\":1,\"verdict\":\"splendid\"}"), None);
        let bad = Gist { row: 7, error: Some("bad".to_owned()), ..Gist::default() };
        assert_eq!(Gist::from_json("{\"schema\":1,\"row\":7,\"error\":\"bad\"}"), Some(bad));
    }
}
