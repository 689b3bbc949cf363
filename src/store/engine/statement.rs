//! One statement for both engines: text with a few marks, and what is bound to it.
//!
//! | mark | SQLite | PostgreSQL |
//! |---|---|---|
//! | `$1` | the first value | the first value |
//! | `{batch}` | a table of rows, as VALUES | the same, as UNNEST of arrays |
//! | `{in $1}` | `IN` the values of a JSON array | `= ANY` of an array |
//! | `{held t.shard $1}` | `IN` the values of a JSON array | a bit of a map, as hundreds are held |
//! | `{now}`, `{now_us}` | the time in milli- and microseconds | the same, by the database's clock |
//! | `{greatest}` | `max` | `greatest` |
//! | `{share}`, `{update t}`, `{skip t}` | nothing: writers take turns | row locks, the last leaving out locked rows |
//!
//! `{batch}` stands at the beginning of a statement, before any value.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::value::Value;

/// Which engine a text is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Kind {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// Rows that are bound as a table.
pub(in crate::store) struct Batch {
    /// The names of the columns.
    pub(in crate::store) columns: &'static [&'static str],
    /// The rows; all of them as long as `columns`, and at least one.
    pub(in crate::store) rows: Vec<Vec<Value>>,
}

/// A statement with its values.
pub(in crate::store) struct Statement {
    /// The text, with its marks.
    text: Cow<'static, str>,
    /// The values of `$1` and so on.
    pub(super) values: Vec<Value>,
    /// The rows of `{batch}`.
    pub(super) batch: Option<Batch>,
    /// Whether it goes over the whole fleet, and may take its time.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only a server is waited for"))]
    pub(super) is_long: bool,
}

impl Statement {
    /// Takes a text; nothing that a user said may be part of it.
    pub(in crate::store) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new(), batch: None, is_long: false }
    }

    /// Lets it take its time: it goes over the whole fleet.
    pub(in crate::store) fn long(self) -> Self {
        Self { is_long: true, ..self }
    }

    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the rows of `{batch}`.
    pub(in crate::store) fn batch(mut self, columns: &'static [&'static str], rows: Vec<Vec<Value>>) -> Self {
        self.batch = Some(Batch { columns, rows });
        self
    }

    /// Writes the text for an engine.
    pub(super) fn text_for(&self, kind: Kind) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut rest: &str = &self.text;
        while let Some((before, mark, after)) = next_mark(rest) {
            text.push_str(&self.with_numbers(before, kind));
            text.push_str(&self.expand(mark, kind));
            rest = after;
        }
        text.push_str(&self.with_numbers(rest, kind));
        text
    }

    /// Writes what stands for a mark.
    fn expand(&self, mark: &str, kind: Kind) -> String {
        let (word, argument) = mark.split_once(' ').unwrap_or((mark, ""));
        match kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => match word {
                "batch" => self.values_table(),
                "in" => format!("IN (SELECT value FROM json_each({}))", self.with_numbers(argument, kind)),
                "held" => {
                    let (column, value) = argument.split_once(' ').unwrap_or_default();
                    format!("{column} IN (SELECT value FROM json_each({}))", self.with_numbers(value, kind))
                }
                "now" => "CAST(unixepoch('subsec') * 1000 AS INTEGER)".to_owned(),
                "now_us" => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)".to_owned(),
                "greatest" => "max".to_owned(),
                _ => String::new(),
            },
            #[cfg(feature = "postgres")]
            Kind::Postgres => match word {
                "batch" => self.unnest_table(),
                "in" => format!("= ANY({argument})"),
                "held" => {
                    let (column, value) = argument.split_once(' ').unwrap_or_default();
                    // Of `= 1` the planner takes one row in two hundred to be so, and sorts a million to find the first 500;
                    // of `<> 0` nearly all, as they are, and it reads them in order.
                    format!("get_bit({value}, {column}) <> 0")
                }
                "now" => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)".to_owned(),
                "now_us" => "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)".to_owned(),
                "greatest" => "greatest".to_owned(),
                "share" => "FOR SHARE".to_owned(),
                "update" => format!("FOR UPDATE OF {argument}"),
                "skip" => format!("FOR UPDATE OF {argument} SKIP LOCKED"),
                _ => String::new(),
            },
        }
    }

    /// Writes `$N` as the engine wants it: in SQLite the places of a batch come first.
    fn with_numbers<'a>(&self, text: &'a str, kind: Kind) -> Cow<'a, str> {
        match kind {
            #[cfg(feature = "postgres")]
            Kind::Postgres => Cow::Borrowed(text),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => {
                let taken = self.batch.as_ref().map_or(0, |batch| batch.columns.len() * batch.rows.len());
                let mut parts = text.split('$');
                let mut numbered = parts.next().unwrap_or_default().to_owned();
                for part in parts {
                    let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let (number, after) = part.split_at(digits);
                    let _ = write!(numbered, "?{}{after}", number.parse::<usize>().unwrap_or_default() + taken);
                }
                Cow::Owned(numbered)
            }
        }
    }

    /// Writes the rows as SQLite takes them.
    #[cfg(feature = "sqlite")]
    fn values_table(&self) -> String {
        let Some(batch) = &self.batch else { return String::new() };
        let row = format!("({})", vec!["?"; batch.columns.len()].join(","));
        format!("batch({}) AS (VALUES {})", batch.columns.join(","), vec![row; batch.rows.len()].join(","))
    }

    /// Writes the rows as PostgreSQL takes them: one array a column.
    #[cfg(feature = "postgres")]
    fn unnest_table(&self) -> String {
        let Some(batch) = &self.batch else { return String::new() };
        let mut arrays = String::new();
        let first = batch.rows.first().map_or(&[] as &[Value], Vec::as_slice);
        for (number, value) in (self.values.len() + 1..).zip(first) {
            let kind = match value {
                Value::Int(_) | Value::Ints(_) => "bigint",
                Value::Text(_) | Value::Texts(_) => "text",
                Value::Octets(_) | Value::Shards(_) => "bytea",
            };
            let comma = if arrays.is_empty() { "" } else { ", " };
            let _ = write!(arrays, "{comma}${number}::{kind}[]");
        }
        format!("batch({}) AS (SELECT * FROM unnest({arrays}))", batch.columns.join(","))
    }
}

/// Cuts a text at its next mark: what is before, the mark, what is after.
fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (mark, after) = rest.split_once('}')?;
    Some((before, mark, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A statement that uses most marks.
    fn statement() -> Statement {
        Statement::new("WITH {batch} SELECT a FROM t, batch WHERE b = $1 AND c {in $2} AND d < {now} {skip t}")
            .bind("x")
            .bind(vec![1_i64, 2])
            .batch(&["n", "m"], vec![vec![1_i64.into(), "a".into()], vec![2_i64.into(), "b".into()]])
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_counts_the_places_of_a_batch_first() {
        assert_eq!(
            statement().text_for(Kind::Sqlite),
            "WITH batch(n,m) AS (VALUES (?,?),(?,?)) SELECT a FROM t, batch WHERE b = ?5 AND c IN (SELECT value FROM \
             json_each(?6)) AND d < CAST(unixepoch('subsec') * 1000 AS INTEGER) "
        );
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgres_takes_a_batch_as_arrays_after_the_values() {
        assert_eq!(
            statement().text_for(Kind::Postgres),
            "WITH batch(n,m) AS (SELECT * FROM unnest($3::bigint[], $4::text[])) SELECT a FROM t, batch WHERE b = $1 \
             AND c = ANY($2) AND d < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) FOR UPDATE OF t SKIP LOCKED"
        );
    }
}
