//! One record of a CSV file (RFC 4180), read so that one bad row costs no other.
//!
//! A quote that is never closed must not eat the rows behind it: here a quoted cell may go on over line ends, but
//! what follows its closing quote must be a delimiter or the end. The caller takes the first line alone for bad where
//! that does not hold, and reads on with the second.

/// What a text turned out to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CsvLine {
    /// A whole record.
    Cells(Vec<String>),
    /// A quoted cell is open: more lines are needed.
    Open,
    /// A quote is followed by something else than a delimiter.
    Broken,
}

/// Splits a text without its last line end into cells.
#[must_use]
pub fn split(text: &str, delimiter: char) -> CsvLine {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(quoted) => match quoted_cell(quoted) {
                Some(split) => split,
                None => return CsvLine::Open,
            },
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (cell, behind) = rest.split_at(end);
                (cell.to_owned(), behind)
            }
        };
        cells.push(cell);
        if behind.is_empty() {
            return CsvLine::Cells(cells);
        }
        match behind.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None => return CsvLine::Broken,
        }
    }
}

/// Reads a cell behind its opening quote; returns it and what follows its closing quote.
fn quoted_cell(text: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('"')?;
        cell.push_str(part);
        match behind.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Some((cell, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_split_and_quotes_read() {
        for (text, cells) in [
            ("a,b", vec!["a", "b"]),
            ("", vec![""]),
            ("a,", vec!["a", ""]),
            (",,", vec!["", "", ""]),
            (r#""a,b",c"#, vec!["a,b", "c"]),
            (r#""say ""hi""",c"#, vec![r#"say "hi""#, "c"]),
            ("\"a\nb\",c", vec!["a\nb", "c"]),
            (r#"a"b,c"#, vec![r#"a"b"#, "c"]),
            (r#""""#, vec![""]),
        ] {
            let cells = cells.into_iter().map(str::to_owned).collect();
            assert_eq!(split(text, ','), CsvLine::Cells(cells), "{text}");
        }
    }

    #[test]
    fn a_quote_left_open_or_closed_too_early_is_told() {
        assert_eq!(split("\"a,b", ','), CsvLine::Open);
        assert_eq!(split("\"a\"\"", ','), CsvLine::Open);
        assert_eq!(split("\"a\"b,c", ','), CsvLine::Broken);
    }
}
