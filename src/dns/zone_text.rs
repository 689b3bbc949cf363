//! Master-file text to octets: the words of a line, names, and the data of one record.
//!
//! Faults live in single octets (a dot kept inside a label, a space in a target, a string cut at 255),
//! so nothing is tidied here: what is written is what goes out. One record is one line; `$ORIGIN`,
//! parentheses and inherited owners are not known.

use std::str::FromStr;

use crate::dns::name::{Name, NameError};
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::rrset::{RecordType, Ttl};

/// The longest character-string, in octets (RFC 1035 §3.3).
pub const MAX_STRING_OCTETS: usize = 255;
/// The most octets that the data of one record has (RFC 1035 §3.2.1: the length is 16 bits wide).
pub const MAX_RDATA_OCTETS: usize = 65_535;

/// One word of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Word {
    /// What was written, escapes untouched and without the quotes around it.
    pub text: String,
    /// Whether it stood in quotes.
    pub is_quoted: bool,
}

impl Word {
    /// Returns the word with its escapes resolved; `None` where an escape is broken or the octets are no UTF-8.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        String::from_utf8(unescape(&self.text)?).ok()
    }
}

/// Why a text is no record data.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("found {found:?}, expected {expected}")]
pub struct ZoneTextError {
    /// What stood there; empty at the end of the line.
    pub found: String,
    /// What should have stood there.
    pub expected: String,
}

impl ZoneTextError {
    /// Puts both halves together.
    fn new(found: &str, expected: impl Into<String>) -> Self {
        Self { found: found.to_owned(), expected: expected.into() }
    }
}

/// Splits one line into words at blanks.
///
/// A comment starts at a `;` outside quotes, or at a `#` in front of a word. A backslash keeps the character
/// behind it from meaning anything here. May be empty.
///
/// # Errors
/// [`ZoneTextError`] where a quote is not closed, or closed in the middle of a word.
///
/// Source: RFC 1035 §5.1.
pub fn split_words(line: &str) -> Result<Vec<Word>, ZoneTextError> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while let Some(first) = rest.chars().next() {
        if matches!(first, ';' | '#') {
            break;
        }
        let is_quoted = first == '"';
        let body = if is_quoted { rest.get(1..).unwrap_or_default() } else { rest };
        let length = word_length(body, is_quoted).ok_or_else(|| ZoneTextError::new(rest, "a closing quote"))?;
        let (text, behind) = body.split_at(length);
        words.push(Word { text: text.to_owned(), is_quoted });
        let behind = if is_quoted { behind.get(1..).unwrap_or_default() } else { behind };
        if behind.chars().next().is_some_and(|next| next != ';' && !next.is_ascii_whitespace()) {
            return Err(ZoneTextError::new(behind, "a blank between two words"));
        }
        rest = behind.trim_ascii_start();
    }
    Ok(words)
}

/// Returns how many octets of `body` belong to the word at its start; `None` where a quote is not closed.
fn word_length(body: &str, is_quoted: bool) -> Option<usize> {
    let mut is_escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at),
            ';' if !is_quoted => return Some(at),
            _ if !is_quoted && character.is_ascii_whitespace() => return Some(at),
            _ => {}
        }
    }
    if is_quoted { None } else { Some(body.len()) }
}

/// Reads a name: absolute with a final dot, `@` for `origin`, else relative to `origin`.
///
/// # Errors
/// [`ZoneTextError`] where the word is no name, or too long with `origin` behind it.
pub fn read_name(word: &Word, origin: &Name) -> Result<Name, ZoneTextError> {
    let wrong = |error: NameError| ZoneTextError::new(&word.text, format!("a domain name ({error})"));
    if word.is_quoted {
        return Err(ZoneTextError::new(&format!("\"{}\"", word.text), "a domain name without quotes"));
    }
    if word.text == "@" {
        return Ok(origin.clone());
    }
    let name = Name::parse(&word.text).map_err(wrong)?;
    if is_absolute(&word.text) { Ok(name) } else { name.concat(origin).map_err(wrong) }
}

/// Says whether a name in presentation form ends with a dot that is not escaped.
fn is_absolute(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|front| front.bytes().rev().take_while(|octet| *octet == b'\\').count() % 2 == 0)
}

/// Reads the data of one record of type `kind`; relative names are completed with `origin`.
///
/// Any type can be given as `\# length hex` (RFC 3597 §5) and is then kept as octets, which may well be no valid data of
/// its type. Types without a form of their own here have no other one.
///
/// # Errors
/// [`ZoneTextError`] at the first word that does not fit, and at a word too many.
pub fn read_rdata(kind: RecordType, words: &[Word], origin: &Name) -> Result<Rdata, ZoneTextError> {
    let mut words = Words { rest: words, origin };
    let rdata = if words.rest.first().is_some_and(|word| !word.is_quoted && word.text == r"\#") {
        words.generic(kind)?
    } else {
        words.typed(kind)?
    };
    match words.rest.first() {
        Some(word) => Err(ZoneTextError::new(&word.text, format!("the end of the {kind} data"))),
        None => Ok(rdata),
    }
}

/// Reads a time in seconds, or with one of the units `s m h d w` behind it; `None` where it is none, or over 2^31-1 seconds
/// (RFC 2181 §8).
#[must_use]
pub fn read_seconds(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let (digits, factor) = match lower.strip_suffix(['s', 'm', 'h', 'd', 'w']) {
        None => (lower.as_str(), 1),
        Some(digits) => (
            digits,
            match lower.as_bytes().last() {
                Some(b'm') => 60,
                Some(b'h') => 3600,
                Some(b'd') => 86_400,
                Some(b'w') => 604_800,
                _ => 1,
            },
        ),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok()?.checked_mul(factor).filter(|seconds| *seconds <= i32::MAX.unsigned_abs())
}

/// Reads pairs of hexadecimal digits; `None` where a digit is none or lacks its other half.
#[must_use]
pub fn read_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, left) = text.as_bytes().as_chunks::<2>();
    if !left.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect()
}

/// The words of a record's data that are still to be read.
struct Words<'a> {
    /// The words.
    rest: &'a [Word],
    /// What relative names are completed with.
    origin: &'a Name,
}

impl<'a> Words<'a> {
    /// Takes the next word.
    fn word(&mut self, expected: &str) -> Result<&'a Word, ZoneTextError> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| ZoneTextError::new("", expected))?;
        self.rest = rest;
        Ok(first)
    }

    /// Takes a word that `T` can be read from.
    fn value<T: FromStr>(&mut self, expected: &str) -> Result<T, ZoneTextError> {
        let word = self.word(expected)?;
        word.text.parse().map_err(|_| ZoneTextError::new(&word.text, expected))
    }

    /// Takes a name.
    fn name(&mut self) -> Result<Name, ZoneTextError> {
        let word = self.word("a domain name")?;
        read_name(word, self.origin)
    }

    /// Takes a time.
    fn seconds(&mut self, expected: &str) -> Result<u32, ZoneTextError> {
        let word = self.word(expected)?;
        read_seconds(&word.text).ok_or_else(|| ZoneTextError::new(&word.text, expected))
    }

    /// Takes all words that are left as hexadecimal digits.
    fn hex(&mut self) -> Result<Vec<u8>, ZoneTextError> {
        let text: String = std::mem::take(&mut self.rest).iter().map(|word| word.text.as_str()).collect();
        read_hex(&text).ok_or_else(|| ZoneTextError::new(&text, "pairs of hexadecimal digits"))
    }

    /// Reads data in the form that its type has.
    fn typed(&mut self, kind: RecordType) -> Result<Rdata, ZoneTextError> {
        Ok(match kind {
            RecordType::A => Rdata::A(self.value("an IPv4 address")?),
            RecordType::AAAA => Rdata::Aaaa(self.value("an IPv6 address")?),
            RecordType::NS => Rdata::Ns(self.name()?),
            RecordType::CNAME => Rdata::Cname(self.name()?),
            RecordType::DNAME => Rdata::Dname(self.name()?),
            RecordType::PTR => Rdata::Ptr(self.name()?),
            RecordType::SOA => Rdata::Soa(Soa {
                mname: self.name()?,
                rname: self.name()?,
                serial: self.value("the serial")?,
                refresh: self.seconds("the refresh time")?,
                retry: self.seconds("the retry time")?,
                expire: self.seconds("the expire time")?,
                minimum: Ttl::from_wire(self.seconds("the minimum time to live")?),
            }),
            RecordType::MX => Rdata::Mx { preference: self.value("the preference of the MX")?, exchange: self.name()? },
            RecordType::TXT => self.strings()?,
            RecordType::DS => self.delegation_signer()?,
            other => {
                let found = self.rest.first().map(|word| word.text.as_str()).unwrap_or_default();
                return Err(ZoneTextError::new(found, format!(r"\# and octets, as {other} has no other form here")));
            }
        })
    }

    /// Reads the character-strings of a TXT record, one a word.
    fn strings(&mut self) -> Result<Rdata, ZoneTextError> {
        let mut strings = Vec::new();
        while strings.is_empty() || !self.rest.is_empty() {
            let word = self.word("a character-string")?;
            let octets = unescape(&word.text).filter(|octets| octets.len() <= MAX_STRING_OCTETS);
            let expected = "a character-string of at most 255 octets, with escapes as \\DDD";
            strings.push(octets.ok_or_else(|| ZoneTextError::new(&word.text, expected))?.into());
        }
        Ok(Rdata::Txt(strings))
    }

    /// Reads a DS record (RFC 4034 §5.3).
    fn delegation_signer(&mut self) -> Result<Rdata, ZoneTextError> {
        let mut octets = self.value::<u16>("a key tag")?.to_be_bytes().to_vec();
        octets.push(self.value("an algorithm number")?);
        octets.push(self.value("a digest type")?);
        octets.extend(self.hex()?);
        Ok(Rdata::Other { kind: RecordType::DS, octets: octets.into() })
    }

    /// Reads `\# length hex` (RFC 3597 §5).
    fn generic(&mut self, kind: RecordType) -> Result<Rdata, ZoneTextError> {
        self.word(r"\#")?;
        let length: usize = self.value("the number of octets")?;
        let octets = self.hex()?;
        if octets.len() != length || length > MAX_RDATA_OCTETS {
            let found = format!("{} octets", octets.len());
            return Err(ZoneTextError::new(&found, format!("{length} octets, at most {MAX_RDATA_OCTETS}")));
        }
        if kind == RecordType::TXT && octets.is_empty() {
            return Ok(Rdata::Txt(Vec::new()));
        }
        Ok(Rdata::Other { kind, octets: octets.into() })
    }
}

/// Resolves `\DDD` and `\X` in a character-string; `None` where an escape is broken.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(octets),
            [b'\\', b'0'..=b'9', ..] => {
                let digits = std::str::from_utf8(rest.get(1..4)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                    return None;
                }
                octets.push(digits.parse().ok()?);
                rest.get(4..)?
            }
            [b'\\'] => return None,
            [b'\\', octet, tail @ ..] | [octet, tail @ ..] => {
                octets.push(*octet);
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests;
