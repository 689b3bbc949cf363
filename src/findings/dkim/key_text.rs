//! What is wrong with the text of a DKIM key that its owner typed.
//!
//! Pure: compares the text with the key that is expected, where one is, and reads it as verifiers do.

use crate::findings::catalogue::Code;
use crate::records::dkim::{DerError, Key, ParseError, parse};

/// The shortest RSA key that verifiers take, in bits (RFC 8301 §3.2).
const MIN_RSA_BITS: usize = 1024;
/// How many octets of base64 have a capital letter among them, by all that is likely.
const MIN_OCTETS_WITH_CAPITALS: usize = 40;

/// What is wrong with a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum KeyFault {
    /// A backslash in front of a semicolon was kept.
    EscapedSemicolon,
    /// It is in lower case.
    Lowercased,
    /// It ends too early.
    Truncated,
    /// Blanks stand in it, where its strings were put together.
    SplitByBlanks,
    /// Quotation marks stand in it, where its strings were put together.
    SplitByQuotes,
    /// It is empty: revoked.
    Revoked,
    /// It has so many bits, which are too few.
    Weak(usize),
    /// It is another key, or none, for this.
    Other(String),
}

impl KeyFault {
    /// Returns the code for it.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::EscapedSemicolon => Code::ByoEscapedSemicolon,
            Self::Lowercased => Code::ByoKeyLowercased,
            Self::Truncated => Code::ByoKeyTruncated,
            Self::SplitByBlanks | Self::SplitByQuotes => Code::ByoKeySplitSpace,
            Self::Revoked => Code::ByoRevoked,
            Self::Weak(_) => Code::ByoWeak,
            Self::Other(_) => Code::ByoKeyMismatch,
        }
    }
}

/// Finds what is wrong with the text of a key record, of which `expected` is the key in base64.
///
/// Without an expected key, any that verifiers take is right.
pub(super) fn fault_of(text: &[u8], expected: Option<&str>) -> Option<KeyFault> {
    let text = String::from_utf8_lossy(text);
    if text.contains("\\;") {
        return Some(KeyFault::EscapedSemicolon);
    }
    let written = key_in(&text);
    let bare: String = written.chars().filter(|each| !each.is_ascii_whitespace() && *each != '"').collect();
    let has = |what: fn(char) -> bool| written.trim().contains(what);
    let is_as_expected = expected.is_none_or(|expected| is_same_key(&bare, expected));
    if is_as_expected && !bare.is_empty() {
        if has(|each| each == '"') {
            return Some(KeyFault::SplitByQuotes);
        }
        if let Some(fault) = fault_of_record(&text) {
            return Some(fault);
        }
        return has(|each| each.is_ascii_whitespace()).then_some(KeyFault::SplitByBlanks);
    }
    let Some(expected) = expected else { return fault_of_record(&text) };
    if bare.is_empty() {
        return Some(fault_of_record(&text).unwrap_or(KeyFault::Revoked));
    }
    if is_same_key(&bare.to_ascii_lowercase(), &expected.to_ascii_lowercase()) {
        return Some(KeyFault::Lowercased);
    }
    if expected.starts_with(bare.trim_end_matches('=')) {
        return Some(KeyFault::Truncated);
    }
    Some(KeyFault::Other("it is another key".to_owned()))
}

/// Says whether two texts in base64 are the same key; padding does not count.
fn is_same_key(one: &str, other: &str) -> bool {
    one.trim_end_matches('=') == other.trim_end_matches('=')
}

/// Returns the value of `p=` as written; empty where there is none.
fn key_in(text: &str) -> &str {
    let tag = text.split(';').find_map(|tag| {
        let (name, value) = tag.split_once('=')?;
        (name.trim().trim_matches('"') == "p").then_some(value)
    });
    tag.unwrap_or_default()
}

/// Finds why verifiers would not take a key record.
fn fault_of_record(text: &str) -> Option<KeyFault> {
    let is_lower = |text: &str| {
        let key = key_in(text);
        key.len() >= MIN_OCTETS_WITH_CAPITALS && !key.contains(|each: char| each.is_ascii_uppercase())
    };
    match parse(text.as_bytes()) {
        Ok(record) => match record.key {
            Key::Revoked => Some(KeyFault::Revoked),
            Key::Rsa { bits, .. } if bits < MIN_RSA_BITS => Some(KeyFault::Weak(bits)),
            Key::Rsa { .. } | Key::Ed25519(_) => None,
        },
        Err(_) if is_lower(text) => Some(KeyFault::Lowercased),
        Err(ParseError::BadRsaKey { source: DerError::Truncated, .. }) => Some(KeyFault::Truncated),
        Err(ParseError::BadBase64 { .. }) if is_cut_within_a_group(key_in(text)) => Some(KeyFault::Truncated),
        Err(error) => Some(KeyFault::Other(error.to_string())),
    }
}

/// Says whether a key is no base64 only because it ends within one of its groups of four (RFC 4648 §4).
fn is_cut_within_a_group(key: &str) -> bool {
    let key: String = key.chars().filter(|each| !each.is_ascii_whitespace()).collect();
    let whole = key.get(..key.len() - key.len() % 4).unwrap_or_default();
    let cut = parse(format!("p={whole}").as_bytes());
    matches!(cut, Err(ParseError::BadRsaKey { source: DerError::Truncated, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An RSA key of 1024 bits, in a SubjectPublicKeyInfo.
    const KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDOLKjYZDgaI8uRe4boeQwLMbf5iPnmDb/ArPcJ4I1MCjs7sFv2YqIv4WiozLJFV4/5e95xnQ3pxI4WogIW/xcpMytdfnHzk2n7EXTNIejbfrKfC/O+tI6YH9CAa2kfIS9oMUoZ8ME/aMw1uZ07Nbt3WrQRUYO+sPPzuV0i9a+E3QIDAQAB";
    /// An RSA key of 512 bits.
    const WEAK: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMD1+sOhKNKbU2pSePPhcZRl0NEXXSUCNpAz2bDnhyHVPc66XTaGk/Olrgsf2pSl4KRMiYY/e6wKhFLOdKgKOMcCAwEAAQ==";

    #[test]
    fn a_text_tells_what_became_of_the_key() {
        let (lower, cut) = (KEY.to_ascii_lowercase(), &KEY[..150]);
        let (head, tail) = KEY.split_at(100);
        let other = KEY.replace("gQ", "gR");
        for (text, with, without) in [
            (format!("v=DKIM1; k=rsa; p={KEY}"), None, None),
            (format!("p={}", KEY.trim_end_matches('=')), None, None),
            (format!(r"v=DKIM1\; k=rsa\; p={KEY}"), Some(Code::ByoEscapedSemicolon), Some(Code::ByoEscapedSemicolon)),
            (format!("v=DKIM1; p={lower}"), Some(Code::ByoKeyLowercased), Some(Code::ByoKeyLowercased)),
            (format!("v=DKIM1; p={cut}"), Some(Code::ByoKeyTruncated), Some(Code::ByoKeyTruncated)),
            (format!("v=DKIM1; p={head} {tail}"), Some(Code::ByoKeySplitSpace), Some(Code::ByoKeySplitSpace)),
            (format!("v=DKIM1; p={head}\" \"{tail}"), Some(Code::ByoKeySplitSpace), Some(Code::ByoKeySplitSpace)),
            ("v=DKIM1; p=".to_owned(), Some(Code::ByoRevoked), Some(Code::ByoRevoked)),
            (format!("v=DKIM1; p={WEAK}"), Some(Code::ByoKeyMismatch), Some(Code::ByoWeak)),
            (format!("v=DKIM1; p={other}"), Some(Code::ByoKeyMismatch), None),
            ("v=DKIM1".to_owned(), Some(Code::ByoKeyMismatch), Some(Code::ByoKeyMismatch)),
            ("verification=1".to_owned(), Some(Code::ByoKeyMismatch), Some(Code::ByoKeyMismatch)),
        ] {
            assert_eq!(fault_of(text.as_bytes(), Some(KEY)).map(|fault| fault.code()), with, "{text}");
            assert_eq!(fault_of(text.as_bytes(), None).map(|fault| fault.code()), without, "{text}");
        }
        assert_eq!(fault_of(format!("v=DKIM1; p={WEAK}").as_bytes(), Some(WEAK)), Some(KeyFault::Weak(512)));
    }
}
