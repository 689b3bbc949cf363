//! The key record of a DKIM selector (RFC 6376 §3.6.1, RFC 8301, RFC 8463).
//!
//! Reads one record and says what key it holds. Verifies no signature, and does not judge
//! whether the key is long enough.

mod rsa;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
pub use rsa::{DerError, RsaForm};

use super::excerpt;
use super::tag_list::{self, Tag, TagError};

/// The length of an Ed25519 key in octets (RFC 8032 §5.1.5).
const ED25519_OCTETS: usize = 32;

/// Base64 whose padding may be missing, as the grammar of RFC 6376 §3.2 lets it be.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// What the key is for (`k=`, by default RSA).
    pub algorithm: Algorithm,
    /// The key (`p=`).
    pub key: Key,
    /// The hashes it may be used with, in lower case (`h=`); `None` means any.
    pub hashes: Option<Vec<String>>,
    /// The services it may be used for, in lower case (`s=`); `None` means any.
    pub services: Option<Vec<String>>,
    /// Whether the domain is only testing DKIM (`t=y`).
    pub is_testing: bool,
    /// Whether a signature's `i=` must name the very domain of its `d=` (`t=s`).
    pub is_strict: bool,
}

/// The kinds of keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa` (RFC 6376 §3.3).
    Rsa,
    /// `ed25519` (RFC 8463).
    Ed25519,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The value is empty: there was a key, and it is not to be trusted any more (RFC 6376 §3.6.1).
    Revoked,
    /// An RSA key.
    Rsa {
        /// The length of the modulus in bits.
        bits: usize,
        /// How the key is wrapped.
        form: RsaForm,
        /// The key as published, in DER.
        der: Vec<u8>,
    },
    /// An Ed25519 key.
    Ed25519([u8; ED25519_OCTETS]),
}

/// Why a text is no key record, or one that verifiers cannot use. Columns are octets, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is empty, as SES keeps it at the selectors it does not use: no key, and no revocation either.
    #[error("empty text")]
    Empty,
    /// The text is no list of tags, or one tag comes twice.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// `v=` stands somewhere else than at the start.
    #[error("version at column {column} is not first")]
    VersionNotFirst {
        /// Where `v` stands.
        column: usize,
    },
    /// `v=` says something other than `DKIM1`.
    #[error("unknown version `{version}` at column {column}")]
    UnknownVersion {
        /// The version as written.
        version: String,
        /// Where it stands.
        column: usize,
    },
    /// `k=` says something other than `rsa` or `ed25519`.
    #[error("unknown key type `{key_type}` at column {column}")]
    UnknownKeyType {
        /// The key type as written.
        key_type: String,
        /// Where it stands.
        column: usize,
    },
    /// There is no `p=`.
    #[error("missing `p=`")]
    MissingKey,
    /// The key is not base64.
    #[error("key at column {column} is not base64")]
    BadBase64 {
        /// Where the key begins.
        column: usize,
        /// What is wrong with it, without the white space in it.
        #[source]
        source: base64::DecodeError,
    },
    /// The key is base64, but no RSA key.
    #[error("key at column {column} is no RSA key")]
    BadRsaKey {
        /// Where the key begins.
        column: usize,
        /// What is wrong with it.
        #[source]
        source: DerError,
    },
    /// An Ed25519 key has another length than 32 octets.
    #[error("ed25519 key at column {column} has {octets} octets, not {ED25519_OCTETS}")]
    BadEd25519Key {
        /// Where the key begins.
        column: usize,
        /// How many octets it has.
        octets: usize,
    },
}

/// Reads a key record, its strings joined.
///
/// Unknown tags, hashes, services and flags are ignored. A repeated tag voids the record.
/// **Errors**: what voids the list first, then `v=`, `k=` and `p=`.
///
/// Source: RFC 6376 §3.6.1; RFC 8463 §4 for Ed25519.
pub fn parse(input: &[u8]) -> Result<KeyRecord, ParseError> {
    if input.is_empty() {
        return Err(ParseError::Empty);
    }
    let tags = tag_list::parse(input)?;
    let find = |name: &str| tags.iter().find(|tag| tag.name == name);
    check_version(&tags)?;
    let algorithm = find("k").map_or(Ok(Algorithm::Rsa), read_algorithm)?;
    let key = read_key(find("p").ok_or(ParseError::MissingKey)?, algorithm)?;
    let flags = find("t").map(read_words).unwrap_or_default();
    Ok(KeyRecord {
        algorithm,
        key,
        hashes: find("h").map(read_words),
        services: find("s").map(read_words),
        is_testing: flags.iter().any(|flag| flag == "y"),
        is_strict: flags.iter().any(|flag| flag == "s"),
    })
}

/// Checks that `v=`, where there is one, is first and `DKIM1`.
fn check_version(tags: &[Tag<'_>]) -> Result<(), ParseError> {
    match tags.iter().enumerate().find(|(_, tag)| tag.name == "v") {
        Some((0, tag)) if tag.value != "DKIM1" => {
            Err(ParseError::UnknownVersion { version: excerpt(tag.value.as_bytes()), column: tag.value_column })
        }
        None | Some((0, _)) => Ok(()),
        Some((_, tag)) => Err(ParseError::VersionNotFirst { column: tag.span.start + 1 }),
    }
}

/// Reads `k=`.
fn read_algorithm(tag: &Tag<'_>) -> Result<Algorithm, ParseError> {
    match tag.value.to_ascii_lowercase().as_str() {
        "rsa" => Ok(Algorithm::Rsa),
        "ed25519" => Ok(Algorithm::Ed25519),
        _ => Err(ParseError::UnknownKeyType { key_type: excerpt(tag.value.as_bytes()), column: tag.value_column }),
    }
}

/// Reads `p=`.
fn read_key(tag: &Tag<'_>, algorithm: Algorithm) -> Result<Key, ParseError> {
    let column = tag.value_column;
    if tag.value.is_empty() {
        return Ok(Key::Revoked);
    }
    let text: Vec<u8> = tag.value.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let octets = BASE64.decode(text).map_err(|source| ParseError::BadBase64 { column, source })?;
    match algorithm {
        Algorithm::Ed25519 => <[u8; ED25519_OCTETS]>::try_from(octets.as_slice())
            .map(Key::Ed25519)
            .map_err(|_| ParseError::BadEd25519Key { column, octets: octets.len() }),
        Algorithm::Rsa => match rsa::measure(&octets) {
            Ok((form, bits)) => Ok(Key::Rsa { bits, form, der: octets }),
            Err(source) => Err(ParseError::BadRsaKey { column, source }),
        },
    }
}

/// Reads a list of words with colons between; empty ones are dropped.
fn read_words(tag: &Tag<'_>) -> Vec<String> {
    let words = tag.value.split(':').map(|word| word.trim_ascii().to_ascii_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

impl KeyRecord {
    /// Tells whether signatures with SHA-256, the only hash left, may use the key (RFC 8301 §3.1).
    pub fn allows_sha256(&self) -> bool {
        self.hashes.as_ref().is_none_or(|hashes| hashes.iter().any(|hash| hash == "sha256"))
    }

    /// Tells whether the key may sign mail (RFC 6376 §3.6.1, `s=`).
    pub fn allows_email(&self) -> bool {
        self.services
            .as_ref()
            .is_none_or(|services| services.iter().any(|service| service == "*" || service == "email"))
    }
}

/// Writes the record in the order of RFC 6376, with its version and key type, and without defaults otherwise.
impl fmt::Display for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=DKIM1; k={}", self.algorithm)?;
        for (name, words) in [("h", &self.hashes), ("s", &self.services)] {
            if let Some(words) = words {
                write!(f, "; {name}={}", words.join(":"))?;
            }
        }
        match (self.is_testing, self.is_strict) {
            (false, false) => {}
            (true, false) => f.write_str("; t=y")?,
            (false, true) => f.write_str("; t=s")?,
            (true, true) => f.write_str("; t=y:s")?,
        }
        write!(f, "; p={}", self.key)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        })
    }
}

/// Writes the key in base64; nothing where it is revoked.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked => Ok(()),
            Self::Rsa { der, .. } => f.write_str(&BASE64.encode(der)),
            Self::Ed25519(key) => f.write_str(&BASE64.encode(key)),
        }
    }
}
