//! Reads tag=value lists, the form that DKIM keys and DMARC policies share (RFC 6376 §3.2).
//!
//! Knows the shape only: which tags exist, and what their values may be, is the record's own matter.

use std::collections::BTreeSet;
use std::ops::Range;

use super::excerpt;

/// One tag of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The tag's name as written; RFC 6376 tells upper from lower case.
    pub name: &'a str,
    /// The tag's value without the white space around it: printable ASCII, blanks and folds; may be empty.
    pub value: &'a str,
    /// Where the tag stands in the list, from its name to the end of its value, in octets.
    pub span: Range<usize>,
    /// The column of the value's first octet, counted from 1.
    pub value_column: usize,
}

/// Says what is wrong with one tag of a list. Columns are octets, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// There is nothing between two semicolons, or in the whole list.
    #[error("empty tag at column {column}")]
    Empty {
        /// Where the tag should begin.
        column: usize,
    },
    /// A tag has no equals sign.
    #[error("no `=` in `{text}` at column {column}")]
    NoEquals {
        /// The tag as written.
        text: String,
        /// Where the tag begins.
        column: usize,
    },
    /// A tag's name is not a letter followed by letters, digits and underscores.
    #[error("bad tag name `{name}` at column {column}")]
    BadName {
        /// The name as written.
        name: String,
        /// Where the name begins.
        column: usize,
    },
    /// A value holds an octet that is neither printable ASCII nor white space.
    #[error("octet {octet:#04x} in the value of `{name}` at column {column}")]
    BadOctet {
        /// The tag's name.
        name: String,
        /// The octet.
        octet: u8,
        /// Where the octet stands.
        column: usize,
    },
    /// A tag is given for a second time.
    #[error("second tag `{name}` at column {column}")]
    Duplicate {
        /// The tag's name.
        name: String,
        /// Where the second one begins.
        column: usize,
    },
}

/// Reads a list that must be right as a whole, as DKIM demands.
///
/// **Shape**: in the order written, unique by name, never empty.
/// **Errors**: the first thing wrong, from left to right.
///
/// Source: RFC 6376 §3.2, which voids a list with a repeated tag.
pub fn parse(input: &[u8]) -> Result<Vec<Tag<'_>>, TagError> {
    let mut seen = BTreeSet::new();
    read(input)
        .map(|tag| {
            let tag = tag?;
            if seen.insert(tag.name) {
                return Ok(tag);
            }
            Err(TagError::Duplicate { name: excerpt(tag.name.as_bytes()), column: tag.span.start + 1 })
        })
        .collect()
}

/// Reads a list tag by tag, going on after a broken one, as DMARC demands.
///
/// **Shape**: in the order written, at least one item; a final semicolon adds none. Does not look for repeated tags.
pub fn read(input: &[u8]) -> impl Iterator<Item = Result<Tag<'_>, TagError>> {
    let input = trim_end(input);
    let mut next = 0;
    input.strip_suffix(b";").unwrap_or(input).split(|&octet| octet == b';').map(move |segment| {
        let start = next;
        next += segment.len() + 1;
        read_tag(segment, start)
    })
}

/// Reads what stands between two semicolons and begins at octet `start` of the list.
fn read_tag(segment: &[u8], start: usize) -> Result<Tag<'_>, TagError> {
    let text = trim_start(segment);
    let start = start + segment.len() - text.len();
    let text = trim_end(text);
    let column = start + 1;
    if text.is_empty() {
        return Err(TagError::Empty { column });
    }
    let mut halves = text.splitn(2, |&octet| octet == b'=');
    let (Some(left), Some(right)) = (halves.next(), halves.next()) else {
        return Err(TagError::NoEquals { text: excerpt(text), column });
    };
    let name = read_name(trim_end(left), column)?;
    let value = trim_start(right);
    let value_column = column + text.len() - value.len();
    let value = read_value(value, name, value_column)?;
    Ok(Tag { name, value, span: start..start + text.len(), value_column })
}

/// Checks a tag's name: `ALPHA *(ALPHA / DIGIT / "_")`.
fn read_name(octets: &[u8], column: usize) -> Result<&str, TagError> {
    let right = octets.first().is_some_and(u8::is_ascii_alphabetic)
        && octets.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    str::from_utf8(octets).ok().filter(|_| right).ok_or_else(|| TagError::BadName { name: excerpt(octets), column })
}

/// Checks a tag's value: printable ASCII and white space.
fn read_value<'a>(octets: &'a [u8], name: &str, column: usize) -> Result<&'a str, TagError> {
    let bad_octet = |at: usize| TagError::BadOctet {
        name: excerpt(name.as_bytes()),
        octet: octets.get(at).copied().unwrap_or_default(),
        column: column + at,
    };
    match octets.iter().position(|octet| !octet.is_ascii_graphic() && !is_white_space(octet)) {
        Some(at) => Err(bad_octet(at)),
        None => str::from_utf8(octets).map_err(|error| bad_octet(error.valid_up_to())),
    }
}

/// Tells what a fold is made of (RFC 6376 §2.8); that a line break is followed by a blank is not asked.
fn is_white_space(octet: &u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Drops white space from the start.
fn trim_start(octets: &[u8]) -> &[u8] {
    let blanks = octets.iter().take_while(|octet| is_white_space(octet)).count();
    octets.get(blanks..).unwrap_or_default()
}

/// Drops white space from the end.
fn trim_end(octets: &[u8]) -> &[u8] {
    let blanks = octets.iter().rev().take_while(|octet| is_white_space(octet)).count();
    octets.get(..octets.len() - blanks).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes a list as `name=value` pairs, or its error.
    fn shown(input: &[u8]) -> String {
        match parse(input) {
            Ok(tags) => tags.iter().map(|tag| format!("[{}={}]", tag.name, tag.value)).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lists_read_as_rfc_6376_says() {
        let rows: [(&[u8], &str); 17] = [
            (b"v=DKIM1", "[v=DKIM1]"),
            (b"v=DKIM1;", "[v=DKIM1]"),
            (b"v=DKIM1; p=abc ; ", "[v=DKIM1][p=abc]"),
            (b" \r\n\tv \t= DKIM1\t;p\r\n =\r\n a b\r\n c", "[v=DKIM1][p=a b\r\n c]"),
            (b"p=", "[p=]"),
            (b"p=;x_1=a=b==", "[p=][x_1=a=b==]"),
            (b"p=1;P=2", "[p=1][P=2]"),
            (b"", "empty tag at column 1"),
            (b" ; ", "empty tag at column 2"),
            (b"a=1;;b=2", "empty tag at column 5"),
            (b"a=1;b=2;;", "empty tag at column 9"),
            (b"a=1; plain", "no `=` in `plain` at column 6"),
            (b"a=1; 1b=2", "bad tag name `1b` at column 6"),
            (b"a=1; =2", "bad tag name `` at column 6"),
            (b"a=1; b-c=2", "bad tag name `b-c` at column 6"),
            (b"a=1; b= x\xe2\x80\x9d", "octet 0xe2 in the value of `b` at column 10"),
            (b"a=1; b=2; a=1", "second tag `a` at column 11"),
        ];
        for (input, expected) in rows {
            assert_eq!(shown(input), expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn a_broken_tag_does_not_hide_the_next() {
        let read: Vec<_> = read(b"a=1; oops; b=2").map(|tag| tag.is_ok()).collect();
        assert_eq!(read, [true, false, true]);
    }

    proptest! {
        #[test]
        fn spans_point_at_the_tag(input in "[ a-z=;]{0,40}") {
            for tag in read(input.as_bytes()).flatten() {
                let text = &input[tag.span.clone()];
                prop_assert!(text.starts_with(tag.name) && text.ends_with(tag.value));
                prop_assert!(input[tag.value_column - 1..].starts_with(tag.value));
            }
        }

        #[test]
        fn any_octets_are_read_without_panic(input in any::<Vec<u8>>()) {
            let _ = parse(&input);
        }
    }
}
