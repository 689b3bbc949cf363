//! Rows of the input: CSV with a header, or JSON lines with the same names.
//!
//! The first character that is no white space tells them apart. Rows count from 1 without the header and without
//! blank lines. Needed are `domain`, and `token1`, `token2` and `token3` or a `selector`; the other [`COLUMNS`] may be
//! there; columns with other names are named once and not used. [`Rows::open_for_domains`] takes rows of domains alone, whose
//! tokens come from elsewhere.

mod row;

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use crate::bulk::csv_line::{self, CsvLine};
use row::RawRow;
pub use row::{COLUMNS, NEEDED, Row, expectation_of};
/// The longest line, and the longest record over several lines, in octets: a domain, three tokens and a zone are
/// below 1,000, and other columns are not used.
const MAX_RECORD_OCTETS: usize = 64 * 1024;
/// The most lines that one record goes on over: a quote that is never closed costs no more reading than that.
const MAX_RECORD_LINES: usize = 32;
/// The most unused names of JSON lines that are told.
const MAX_IGNORED: usize = 64;
/// The delimiters of CSV files, the usual one first; spreadsheets in some countries write the second.
const DELIMITERS: [char; 3] = [',', ';', '\t'];
/// The mark that some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Why an input cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// There is nothing in it.
    #[error("there is nothing in it; expected CSV with the header {}, or JSON lines", NEEDED.join(","))]
    Empty,
    /// The header cannot be read.
    #[error("the first line is no CSV header; expected {}, or JSON lines", NEEDED.join(","))]
    Header,
    /// A column is missing.
    #[error(
        "the header has no column {0}; expected {needed} and optionally {optional}",
        needed = NEEDED.join(","),
        optional = COLUMNS.split_at(NEEDED.len()).1.join(",")
    )]
    Missing(&'static str),
    /// A column is there twice.
    #[error("the header has the column {0} twice")]
    Twice(&'static str),
}

/// What the input holds next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one row at a time is read, and moved on at once")]
pub enum Item {
    /// A row.
    Row(Row),
    /// A row that cannot be read.
    Bad {
        /// Its number, from 1.
        row: u64,
        /// The line where it starts, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
    /// Columns that are not used, told once.
    Ignored(Vec<String>),
    /// The input cannot be read any further.
    Broken(io::Error),
}

impl Item {
    /// Returns the number of the row that the item is about.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        match self {
            Self::Row(row) => Some(row.number),
            Self::Bad { row, .. } => Some(*row),
            Self::Ignored(_) | Self::Broken(_) => None,
        }
    }
}

/// How the input is written.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each input")]
enum Shape {
    /// CSV, and where its columns are.
    Csv {
        /// What stands between cells.
        delimiter: char,
        /// How many cells a row has.
        width: usize,
        /// Where each of [`COLUMNS`] is.
        places: [Option<usize>; COLUMNS.len()],
    },
    /// JSON lines, and the unused names that were told.
    Json(Vec<String>),
}

/// One line of text.
struct Line {
    /// Its number, from 1.
    number: u64,
    /// What stands in it, or what is wrong with it.
    text: Result<String, &'static str>,
}

/// The rows of an input, read one by one.
#[derive(Debug)]
pub struct Rows<R> {
    /// Where lines come from.
    lines: Lines<R>,
    /// How they are written.
    shape: Shape,
    /// The number of the last row.
    row: u64,
    /// What is to be told before the next row.
    told_first: Option<Item>,
    /// Whether nothing more can come.
    is_over: bool,
    /// Whether each row must name tokens or a selector.
    needs_tokens: bool,
}

impl<R: BufRead> Rows<R> {
    /// Looks how the input is written, and reads the header of CSV.
    ///
    /// # Errors
    /// [`InputError`] where no row could be read from it.
    pub fn open(source: R) -> Result<Self, InputError> {
        Self::open_where(source, true)
    }

    /// Does what [`Rows::open`] does for rows that need to name nothing but the domain.
    ///
    /// # Errors
    /// [`InputError`] where no row could be read from it.
    pub fn open_for_domains(source: R) -> Result<Self, InputError> {
        Self::open_where(source, false)
    }

    /// Looks how the input is written; `needs_tokens` says whether a domain alone is no row.
    fn open_where(source: R, needs_tokens: bool) -> Result<Self, InputError> {
        let mut lines = Lines { source, number: 0, again: VecDeque::new() };
        let first = lines.next_filled()?.ok_or(InputError::Empty)?;
        let text = first.text.as_deref().map_err(|_| InputError::Header)?;
        if text.trim_start().starts_with('{') {
            lines.again.push_front(first);
            let shape = Shape::Json(Vec::new());
            return Ok(Self { lines, shape, row: 0, told_first: None, is_over: false, needs_tokens });
        }
        let (shape, ignored) = read_header(text, needs_tokens)?;
        let told_first = (!ignored.is_empty()).then_some(Item::Ignored(ignored));
        Ok(Self { lines, shape, row: 0, told_first, is_over: false, needs_tokens })
    }

    /// Says whether the first line is a header.
    #[must_use]
    pub fn has_header(&self) -> bool {
        matches!(self.shape, Shape::Csv { .. })
    }

    /// Reads the next row.
    fn read(&mut self) -> io::Result<Option<Item>> {
        let Some(line) = self.lines.next_filled()? else { return Ok(None) };
        self.row = self.row.saturating_add(1);
        let (row, number) = (self.row, line.number);
        let bad = |error: String| Item::Bad { row, line: number, error };
        let text = match line.text {
            Ok(text) => text,
            Err(error) => return Ok(Some(bad(error.to_owned()))),
        };
        let read = match &mut self.shape {
            Shape::Json(told) => read_json(&text).map(|mut json| {
                let new = json.take_others().filter(|name| !told.contains(name));
                let new: Vec<String> = new.take(MAX_IGNORED.saturating_sub(told.len())).collect();
                told.extend_from_slice(&new);
                (json, new)
            }),
            Shape::Csv { delimiter, width, places } => {
                let cells = self.lines.record(text, *delimiter)?;
                let row = cells.and_then(|cells| read_cells(cells, *width, places));
                row.map(|row| (row, Vec::new()))
            }
        };
        let (item, ignored) = match read {
            Ok((raw, ignored)) => (raw.into_row(row, number, self.needs_tokens).map_or_else(bad, Item::Row), ignored),
            Err(error) => (bad(error), Vec::new()),
        };
        if ignored.is_empty() {
            return Ok(Some(item));
        }
        self.told_first = Some(item);
        Ok(Some(Item::Ignored(ignored)))
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.told_first.take() {
            return Some(item);
        }
        if self.is_over {
            return None;
        }
        match self.read() {
            Ok(Some(item)) => Some(item),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(error) => {
                self.is_over = true;
                Some(Item::Broken(error))
            }
        }
    }
}

/// Finds the columns in a header; returns those that are not used too.
fn read_header(text: &str, needs_tokens: bool) -> Result<(Shape, Vec<String>), InputError> {
    let delimiter = DELIMITERS.into_iter().find(|delimiter| text.contains(*delimiter)).unwrap_or(',');
    let CsvLine::Cells(cells) = csv_line::split(text, delimiter) else { return Err(InputError::Header) };
    let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
    if !names.iter().any(|name| NEEDED.contains(&name.as_str())) {
        return Err(InputError::Header);
    }
    let find = |wanted: &'static str| {
        let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (place, None) => Ok(place),
            (_, Some(_)) => Err(InputError::Twice(wanted)),
        }
    };
    let mut places = [None; COLUMNS.len()];
    for (place, wanted) in places.iter_mut().zip(COLUMNS) {
        *place = find(wanted)?;
    }
    // A selector of one's own stands in the place of the tokens.
    let is_enough = find("selector")?.is_some() || !needs_tokens;
    let needed = if is_enough { &NEEDED[..1] } else { &NEEDED[..] };
    if let Some(missing) = needed.iter().find(|name| !names.iter().any(|known| known == *name)) {
        return Err(InputError::Missing(missing));
    }
    let ignored = names.iter().filter(|name| !COLUMNS.contains(&name.as_str())).cloned().collect();
    Ok((Shape::Csv { delimiter, width: names.len(), places }, ignored))
}

/// Picks the used cells of a row.
fn read_cells(mut cells: Vec<String>, width: usize, places: &[Option<usize>; COLUMNS.len()]) -> Result<RawRow, String> {
    if cells.len() != width {
        let count = cells.len();
        return Err(format!("{count} {}; the header has {width}", if count == 1 { "cell" } else { "cells" }));
    }
    let mut take = |place: usize| cells.get_mut(place).map(std::mem::take).unwrap_or_default();
    Ok(RawRow::of_cells(places.map(|place| place.map(&mut take))))
}

/// Reads a line of JSON.
fn read_json(text: &str) -> Result<RawRow, String> {
    serde_json::from_str(text).map_err(|error| {
        let error = error.to_string();
        // The line that serde names is always the first of one.
        let error = error.split(" at line ").next().unwrap_or(&error);
        format!("no row in JSON: {error}")
    })
}

/// Lines of bounded length, with their numbers.
#[derive(Debug)]
struct Lines<R> {
    /// Where they come from.
    source: R,
    /// The number of the last one.
    number: u64,
    /// Lines that were read and are to be read again.
    again: VecDeque<Line>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.number, self.text)
    }
}

impl<R: BufRead> Lines<R> {
    /// Returns the next line that is not blank.
    fn next_filled(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next()? {
                Some(line) if line.text.as_ref().is_ok_and(|text| text.trim().is_empty()) => {}
                other => return Ok(other),
            }
        }
    }

    /// Returns the next line, without its end; the rest of one that is too long is skipped.
    fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.again.pop_front() {
            return Ok(Some(line));
        }
        let mut octets = Vec::new();
        let limit = u64::try_from(MAX_RECORD_OCTETS).unwrap_or(u64::MAX);
        if (&mut self.source).take(limit).read_until(b'\n', &mut octets)? == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let number = self.number;
        if octets.pop_if(|last| *last == b'\n').is_none() && octets.len() >= MAX_RECORD_OCTETS {
            self.source.skip_until(b'\n')?;
            return Ok(Some(Line { number, text: Err("the line is longer than 64 KiB") }));
        }
        octets.pop_if(|last| *last == b'\r');
        let text = String::from_utf8(octets).map_err(|_| "the line is not UTF-8");
        let text = match text {
            Ok(text) if number == 1 => Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text)),
            other => other,
        };
        Ok(Some(Line { number, text }))
    }

    /// Reads a CSV record that starts with `text`, over as many lines as its quotes need.
    fn record(&mut self, text: String, delimiter: char) -> io::Result<Result<Vec<String>, String>> {
        let mut record = text;
        let mut taken = Vec::new();
        let error = loop {
            match csv_line::split(&record, delimiter) {
                CsvLine::Cells(cells) => return Ok(Ok(cells)),
                CsvLine::Broken => break "text follows a closing quote",
                CsvLine::Open => {}
            }
            let Some(line) = self.next()? else { break "a quote is not closed" };
            let fits = match &line.text {
                Ok(more) if record.len() + more.len() < MAX_RECORD_OCTETS && taken.len() < MAX_RECORD_LINES => {
                    record.push('\n');
                    record.push_str(more);
                    true
                }
                _ => false,
            };
            taken.push(line);
            if !fits {
                break "a quote is not closed";
            }
        };
        for line in taken.into_iter().rev() {
            self.again.push_front(line);
        }
        Ok(Err(error.to_owned()))
    }
}

#[cfg(test)]
mod tests;
