//! One line per row, JSON or flat CSV with a fixed set of columns; or a few lines of text for people.

use std::fmt;

use serde::Serialize;

use crate::bulk::tally::Gist;
use crate::expectation::RecordKind;
use crate::findings::Severity;
use crate::report::{Report, ReportedRecord, SCHEMA};

/// The columns of CSV output.
pub const COLUMNS: [&str; 26] = [
    "row",
    "domain",
    "checked_at",
    "verdict",
    "root_cause",
    "provider",
    "zone",
    "dkim1",
    "dkim2",
    "dkim3",
    "spf",
    "dmarc",
    "mx",
    "mail_from_mx",
    "mail_from_spf",
    "errors",
    "warnings",
    "codes",
    "fix",
    "ses",
    "ses_dkim_status",
    "ses_sending",
    "ses_sentence",
    "questions",
    "elapsed_ms",
    "error",
];

/// In how many octets most reports have room: room that grows piece by piece is copied each time.
const JSON_OCTETS: usize = 8 * 1024;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// A report in JSON per line.
    #[default]
    JsonLines,
    /// Flat CSV, [`COLUMNS`] in the first line.
    Csv,
    /// Text to read: the verdict, and below it what to type where. No run goes on from it.
    Text,
    /// Not at all: only the counts at the end are wanted. No run goes on from it.
    Nothing,
}

/// A row that is done.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its line, with the line end.
    pub line: String,
    /// What the summary needs of it.
    pub gist: Gist,
    /// The line of the input where it starts; only of a bad row.
    pub input_line: Option<u64>,
}

/// The line of a bad row in JSON.
#[derive(Serialize)]
struct BadRow<'a> {
    /// The version of the report's contract.
    schema: u32,
    /// The number of the row.
    row: u64,
    /// What is wrong with it.
    error: &'a str,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Text => "text",
            Self::Nothing => "nothing",
        })
    }
}

impl Format {
    /// Returns what stands above all lines; empty where nothing does.
    #[must_use]
    pub fn header(self) -> String {
        match self {
            Self::JsonLines | Self::Text | Self::Nothing => String::new(),
            Self::Csv => csv_line(&COLUMNS),
        }
    }

    /// Writes the line of a checked row.
    #[must_use]
    pub fn report(self, row: u64, mut report: Report) -> Finished {
        report.row = Some(row);
        let gist = Gist::of(&report);
        let line = match self {
            Self::JsonLines => match json_line(&report) {
                Ok(line) => line,
                Err(error) => return self.bad_row(row, None, error.to_string()),
            },
            Self::Csv => flatten(row, &report),
            Self::Text => narrate(&report),
            Self::Nothing => String::new(),
        };
        Finished { line, gist, input_line: None }
    }

    /// Writes the line of a row that cannot be checked.
    #[must_use]
    pub fn bad_row(self, row: u64, input_line: Option<u64>, error: String) -> Finished {
        let line = match self {
            // Numbers and a text are always written.
            Self::JsonLines => json_line(&BadRow { schema: SCHEMA, row, error: &error }).unwrap_or_default(),
            Self::Csv => {
                let number = row.to_string();
                let empty = std::iter::repeat_n("", COLUMNS.len().saturating_sub(2));
                let cells = std::iter::once(number.as_str()).chain(empty).chain([error.as_str()]);
                csv_line(&cells.collect::<Vec<_>>())
            }
            Self::Text => format!("{:<13}  row {row}: {error}\n", "error"),
            Self::Nothing => String::new(),
        };
        Finished { line, gist: Gist { row, error: Some(error), ..Gist::default() }, input_line }
    }
}

/// Writes something as one line of JSON, in the room that most reports need.
fn json_line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut line = Vec::with_capacity(JSON_OCTETS);
    serde_json::to_writer(&mut line, value)?;
    line.push(b'\n');
    String::from_utf8(line).map_err(serde::ser::Error::custom)
}

/// Writes a report as one line of CSV.
fn flatten(row: u64, report: &Report) -> String {
    let of_kind = |kind| report.records.iter().filter(move |record| record.kind == kind).map(standing);
    let mut dkim = of_kind(RecordKind::Dkim);
    let mut next_dkim = || dkim.next().unwrap_or_default();
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count().to_string();
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    let fix = report.findings.iter().find(|finding| Some(finding.code) == report.root_cause);
    let ses = report.ses.as_ref();
    let identity = ses.and_then(|ses| ses.identity.as_ref());
    let cells: [String; COLUMNS.len()] = [
        row.to_string(),
        report.domain.clone(),
        report.checked_at.to_string(),
        report.verdict.as_str().to_owned(),
        report.root_cause.map(|code| code.as_str().to_owned()).unwrap_or_default(),
        report.provider.as_ref().map(|provider| provider.id.clone()).unwrap_or_default(),
        report.delegation.last().map(|zone| zone.zone.to_string()).unwrap_or_default(),
        next_dkim(),
        next_dkim(),
        next_dkim(),
        of_kind(RecordKind::Spf).next().unwrap_or_default(),
        of_kind(RecordKind::Dmarc).next().unwrap_or_default(),
        of_kind(RecordKind::Mx).next().unwrap_or_default(),
        of_kind(RecordKind::MailFromMx).next().unwrap_or_default(),
        of_kind(RecordKind::MailFromSpf).next().unwrap_or_default(),
        count(Severity::Error),
        count(Severity::Warning),
        codes.join(" "),
        fix.map(|finding| finding.remedy.text.clone()).unwrap_or_default(),
        ses.map(|ses| ses.outcome.as_str().to_owned()).unwrap_or_default(),
        identity.map(|identity| identity.dkim_status.clone()).unwrap_or_default(),
        identity.map(|identity| identity.sending.to_string()).unwrap_or_default(),
        ses.map(|ses| ses.sentence.clone()).unwrap_or_default(),
        report.cost.questions.to_string(),
        report.cost.elapsed_ms.to_string(),
        String::new(),
    ];
    csv_line(&cells.each_ref().map(String::as_str))
}

/// Writes a report as text: one line, and the remedy of the root cause below it.
fn narrate(report: &Report) -> String {
    let mut text = format!("{:<13}  {}", report.verdict.as_str(), report.domain);
    let cause = report.findings.iter().find(|finding| Some(finding.code) == report.root_cause);
    if let Some(finding) = cause {
        let same = report.findings.iter().filter(|other| other.code == finding.code).count();
        text.push_str(&format!("  {}", finding.code.as_str()));
        if same > 1 {
            text.push_str(&format!(" ({same} times; the first:)"));
        }
        text.push_str(&format!("\n               {}", finding.remedy.text));
    }
    if let Some(ses) = &report.ses {
        text.push_str(&format!("\n               SES {}: {}", ses.outcome.as_str(), ses.sentence));
    }
    text.push('\n');
    text
}

/// Returns the code of what is not right with a record, or `ok`.
fn standing(record: &ReportedRecord) -> String {
    record.code.map_or(record.status.as_str(), |code| code.as_str()).to_owned()
}

/// Writes cells as one line of CSV, whatever stands in them.
///
/// A cell that a spreadsheet would take for a formula gets a `'` in front; line ends become blanks, so that a record is
/// a line.
pub(crate) fn csv_line(cells: &[&str]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let cells = cells.iter().map(|cell| defuse(cell));
    // Writing to memory does not fail.
    let line = writer.write_record(cells.map(String::into_bytes)).ok().and_then(|()| writer.into_inner().ok());
    line.and_then(|line| String::from_utf8(line).ok()).unwrap_or_default()
}

/// Makes a cell harmless.
fn defuse(cell: &str) -> String {
    let prefix = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let text: String = cell.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    format!("{prefix}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_prefixed() {
        for (cell, line) in [
            ("=1+1", "'=1+1\n"),
            ("+1", "'+1\n"),
            ("-1", "'-1\n"),
            ("@x", "'@x\n"),
            ("\tx", "' x\n"),
            ("\rx", "' x\n"),
            ("a=b", "a=b\n"),
            ("say \"hi\", all\nof you", "\"say \"\"hi\"\", all of you\"\n"),
        ] {
            assert_eq!(csv_line(&[cell]), line);
        }
    }

    #[test]
    fn a_bad_row_is_a_line_in_either_format() {
        let bad = |format: Format| format.bad_row(7, Some(8), "2 cells, \"few\"".to_owned());
        assert_eq!(bad(Format::JsonLines).line, "{\"schema\":1,\"row\":7,\"error\":\"2 cells, \\\"few\\\"\"}\n");
        let line = bad(Format::Csv).line;
        assert_eq!(line, "7,,,,,,,,,,,,,,,,,,,,,,,,,\"2 cells, \"\"few\"\"\"\n");
        assert_eq!(line.matches(',').count(), COLUMNS.len(), "one comma is in the text");
    }
}
