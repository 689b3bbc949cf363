//! One line per row, JSON or flat CSV with a fixed set of columns; or a few lines of text for people.

use std::fmt;

use serde::Serialize;

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
    /// The number of the row.
    pub row: u64,
    /// Its report, or what is wrong with the row.
    pub outcome: Result<Box<Report>, String>,
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

    /// Writes the line of a row behind those that are there, with its line end.
    pub fn write(self, finished: &Finished, lines: &mut Vec<u8>) {
        match (self, &finished.outcome) {
            (Self::JsonLines, Ok(report)) => {
                let start = lines.len();
                if let Err(error) = serde_json::to_writer(&mut *lines, report) {
                    lines.truncate(start);
                    self.write_bad_row(finished.row, &error.to_string(), lines);
                } else {
                    lines.push(b'\n');
                }
            }
            (Self::Csv, Ok(report)) => lines.extend(flatten(finished.row, report).into_bytes()),
            (Self::Text, Ok(report)) => lines.extend(narrate(report).into_bytes()),
            (Self::Nothing, Ok(_)) => {}
            (_, Err(error)) => self.write_bad_row(finished.row, error, lines),
        }
    }

    /// Writes the line of a row that has no report.
    fn write_bad_row(self, row: u64, error: &str, lines: &mut Vec<u8>) {
        let line = match self {
            // Numbers and a text are always written.
            Self::JsonLines => serde_json::to_string(&BadRow { schema: SCHEMA, row, error }).unwrap_or_default() + "\n",
            Self::Csv => {
                let number = row.to_string();
                let empty = std::iter::repeat_n("", COLUMNS.len().saturating_sub(2));
                let cells = std::iter::once(number.as_str()).chain(empty).chain([error]);
                csv_line(&cells.collect::<Vec<_>>())
            }
            Self::Text => format!("{:<13}  row {row}: {error}\n", "error"),
            Self::Nothing => String::new(),
        };
        lines.extend(line.into_bytes());
    }
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
        let bad = |format: Format| {
            let mut lines = Vec::new();
            let error = "2 cells, \"few\"".to_owned();
            format.write(&Finished { row: 7, outcome: Err(error), input_line: Some(8) }, &mut lines);
            String::from_utf8(lines).unwrap()
        };
        assert_eq!(bad(Format::JsonLines), "{\"schema\":1,\"row\":7,\"error\":\"2 cells, \\\"few\\\"\"}\n");
        let line = bad(Format::Csv);
        assert_eq!(line, "7,,,,,,,,,,,,,,,,,,,,,,,,,\"2 cells, \"\"few\"\"\"\n");
        assert_eq!(line.matches(',').count(), COLUMNS.len(), "one comma is in the text");
    }
}
