//! Texts with macros, and the domain-specs made of them (RFC 7208 §7).

use std::fmt;
use std::str::FromStr;

use super::parse::{ErrorKind, Fault};
use crate::dns::name::Name;

/// A text in which macros may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroString {
    /// The parts in order; two literals never stand side by side.
    pieces: Vec<Piece>,
}

/// One part of a [`MacroString`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Visible ASCII that stands for itself.
    Literal(String),
    /// `%%`, a percent sign.
    Percent,
    /// `%_`, a blank.
    Space,
    /// `%-`, a blank as `%20`.
    EncodedSpace,
    /// `%{...}`.
    Macro(Macro),
}

/// A macro with its transformers, `%{d2r.-}` for instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macro {
    /// What is meant: one of `slodiphcrtv`, in lower case.
    pub letter: char,
    /// Whether the value is to be URL-escaped (the letter was in upper case).
    pub is_url_escaped: bool,
    /// How many parts to keep, counted from the right; never zero.
    pub kept_parts: Option<u32>,
    /// Whether the parts are to be put in reverse order first.
    pub is_reversed: bool,
    /// What the value is split at; empty means at dots.
    pub delimiters: String,
}

/// Which macro letters may stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// All of them.
    Any,
    /// All but `c`, `r` and `t`, which only explanations may use (RFC 7208 §7.2).
    InDomains,
}

/// A domain-spec: a macro-string that ends in a top label or in a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    /// The text of it.
    text: MacroString,
}

impl MacroString {
    /// Returns the parts in order; empty for an empty text.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Reads `text`, visible ASCII without blanks.
    pub(super) fn read(text: &str, letters: Letters) -> Result<Self, Fault> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (piece, length) = read_piece(rest).ok_or(Fault { kind: ErrorKind::BadMacro, at })?;
            if let Piece::Macro(Macro { letter: letter @ ('c' | 'r' | 't'), .. }) = piece
                && letters == Letters::InDomains
            {
                return Err(Fault { kind: ErrorKind::MacroOnlyInExplanation(letter), at });
            }
            pieces.push(piece);
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Self { pieces })
    }
}

impl DomainSpec {
    /// Returns the text of the domain-spec.
    pub fn text(&self) -> &MacroString {
        &self.text
    }

    /// Tells whether the name depends on the message.
    pub fn has_macros(&self) -> bool {
        self.text.pieces().iter().any(|piece| matches!(piece, Piece::Macro(_)))
    }

    /// Returns the name that is meant, where no macro is in the text and the text is a name at all.
    pub fn name(&self) -> Option<Name> {
        let [Piece::Literal(text)] = self.text.pieces() else { return None };
        Name::from_labels(text.strip_suffix('.').unwrap_or(text).split('.')).ok()
    }

    /// Reads `text`, visible ASCII without blanks.
    ///
    /// Source: RFC 7208 §7.1, `domain-end`.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let text_read = MacroString::read(text, Letters::InDomains)?;
        match text_read.pieces.last() {
            None => Err(Fault { kind: ErrorKind::MissingDomain, at: 0 }),
            Some(Piece::Literal(end)) if !ends_in_top_label(end) => {
                Err(Fault { kind: ErrorKind::BadTopLabel, at: top_label_offset(text) })
            }
            Some(_) => Ok(Self { text: text_read }),
        }
    }
}

impl FromStr for DomainSpec {
    type Err = ErrorKind;

    /// Reads a domain-spec that stands alone.
    fn from_str(text: &str) -> Result<Self, ErrorKind> {
        if let Some(octet) = text.bytes().find(|octet| !octet.is_ascii_graphic()) {
            return Err(ErrorKind::BadOctet(octet));
        }
        Self::read(text).map_err(|fault| fault.kind)
    }
}

/// Reads the part that `text` starts with, and says how many octets it took.
fn read_piece(text: &str) -> Option<(Piece, usize)> {
    let Some(after) = text.strip_prefix('%') else {
        let length = text.find('%').unwrap_or(text.len());
        return Some((Piece::Literal(text.get(..length)?.to_owned()), length));
    };
    match after.chars().next()? {
        '%' => Some((Piece::Percent, 2)),
        '_' => Some((Piece::Space, 2)),
        '-' => Some((Piece::EncodedSpace, 2)),
        '{' => {
            let end = text.find('}')?;
            Some((Piece::Macro(read_macro(text.get(2..end)?)?), end + 1))
        }
        _ => None,
    }
}

/// Reads what stands between the braces of a macro.
fn read_macro(body: &str) -> Option<Macro> {
    let letter = body.chars().next()?;
    let lower = letter.to_ascii_lowercase();
    if !"slodiphcrtv".contains(lower) {
        return None;
    }
    let transformers = body.get(1..)?;
    let after_digits = transformers.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = transformers.strip_suffix(after_digits)?;
    let delimiters = after_digits.strip_prefix(['r', 'R']).unwrap_or(after_digits);
    if !delimiters.chars().all(|character| ".-+,/_=".contains(character)) {
        return None;
    }
    Some(Macro {
        letter: lower,
        is_url_escaped: letter.is_ascii_uppercase(),
        kept_parts: if digits.is_empty() { None } else { Some(read_count(digits)?) },
        is_reversed: delimiters.len() < after_digits.len(),
        delimiters: delimiters.to_owned(),
    })
}

/// Reads how many parts a macro keeps: more than can be is as good as the most; zero is an error (RFC 7208 §7.3).
fn read_count(digits: &str) -> Option<u32> {
    let count = digits.parse().unwrap_or(u32::MAX);
    (count > 0).then_some(count)
}

/// Tells whether a text ends in a dot and a top label, and perhaps a final dot.
fn ends_in_top_label(text: &str) -> bool {
    let Some((_, label)) = text.strip_suffix('.').unwrap_or(text).rsplit_once('.') else { return false };
    label.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().any(|character| !character.is_ascii_digit())
}

/// Returns where the last label of a text begins.
fn top_label_offset(text: &str) -> usize {
    text.strip_suffix('.').unwrap_or(text).rfind('.').map_or(0, |dot| dot + 1)
}

impl fmt::Display for MacroString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| piece.fmt(f))
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Percent => f.write_str("%%"),
            Self::Space => f.write_str("%_"),
            Self::EncodedSpace => f.write_str("%-"),
            Self::Macro(body) => body.fmt(f),
        }
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.is_url_escaped { self.letter.to_ascii_uppercase() } else { self.letter };
        write!(f, "%{{{letter}")?;
        if let Some(count) = self.kept_parts {
            write!(f, "{count}")?;
        }
        write!(f, "{}{}}}", if self.is_reversed { "r" } else { "" }, self.delimiters)
    }
}

impl fmt::Display for DomainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
