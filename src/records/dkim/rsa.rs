//! Measures an RSA public key in DER, without a library that would also use it.

use super::super::excerpt;

/// The algorithm of a SubjectPublicKeyInfo: object identifier 1.2.840.113549.1.1.1, rsaEncryption (RFC 3279 §2.3.1).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// DER tag of an INTEGER (X.690 §8.3).
const INTEGER: u8 = 0x02;
/// DER tag of a BIT STRING (X.690 §8.6).
const BIT_STRING: u8 = 0x03;
/// DER tag of an OBJECT IDENTIFIER (X.690 §8.19).
const OBJECT_IDENTIFIER: u8 = 0x06;
/// DER tag of a SEQUENCE (X.690 §8.9).
const SEQUENCE: u8 = 0x30;

/// How an RSA key is wrapped; verifiers see both (RFC 6376 §3.6.1 and its errata).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaForm {
    /// A SubjectPublicKeyInfo, which names its algorithm (RFC 5280 §4.1.2.7).
    SubjectPublicKeyInfo,
    /// A bare RSAPublicKey (RFC 8017 §A.1.1).
    RsaPublicKey,
}

/// Why octets are no RSA public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DerError {
    /// The key says it is longer than it is, as when a string of the record got lost.
    #[error("key ends too early")]
    Truncated,
    /// Something stands behind the key.
    #[error("octets after the key")]
    TrailingOctets,
    /// An element is not what it should be.
    #[error("found element {found:#04x} in place of {expected:#04x}")]
    UnexpectedElement {
        /// The DER tag that was found.
        found: u8,
        /// The DER tag that belongs there.
        expected: u8,
    },
    /// A length is not in DER, or the modulus is not a positive number.
    #[error("malformed number")]
    MalformedNumber,
    /// The key is for another algorithm.
    #[error("algorithm `{0}` is not rsaEncryption")]
    OtherAlgorithm(String),
}

/// Says how a key is wrapped, and how many bits its modulus has.
pub(super) fn measure(der: &[u8]) -> Result<(RsaForm, usize), DerError> {
    let (body, rest) = element(der, SEQUENCE)?;
    ended(rest)?;
    if body.first() == Some(&INTEGER) {
        return Ok((RsaForm::RsaPublicKey, modulus_bits(body)?));
    }
    let (algorithm, rest) = element(body, SEQUENCE)?;
    let (identifier, _parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if identifier != RSA_ENCRYPTION {
        return Err(DerError::OtherAlgorithm(excerpt(identifier)));
    }
    let (bits, rest) = element(rest, BIT_STRING)?;
    ended(rest)?;
    // The first octet counts the unused bits of the last one.
    let key = bits.strip_prefix(&[0]).ok_or(DerError::MalformedNumber)?;
    let (body, rest) = element(key, SEQUENCE)?;
    ended(rest)?;
    Ok((RsaForm::SubjectPublicKeyInfo, modulus_bits(body)?))
}

/// Measures the modulus of the inside of an RSAPublicKey, which is the modulus and the exponent.
fn modulus_bits(body: &[u8]) -> Result<usize, DerError> {
    let (modulus, rest) = element(body, INTEGER)?;
    let (_exponent, rest) = element(rest, INTEGER)?;
    ended(rest)?;
    match modulus {
        [0, first, rest @ ..] if *first >= 0x80 => Ok(8 + rest.len() * 8),
        [first @ 1..0x80, rest @ ..] => Ok(8 + rest.len() * 8 - leading_zeros(*first)),
        _ => Err(DerError::MalformedNumber),
    }
}

/// Counts the bits an octet does not need.
fn leading_zeros(octet: u8) -> usize {
    (0..8).take_while(|shift| octet & (0x80 >> shift) == 0).count()
}

/// Refuses octets where there should be none.
fn ended(rest: &[u8]) -> Result<(), DerError> {
    if rest.is_empty() { Ok(()) } else { Err(DerError::TrailingOctets) }
}

/// Takes one element off the front: what is in it, and what follows.
fn element(der: &[u8], expected: u8) -> Result<(&[u8], &[u8]), DerError> {
    let (found, rest) = der.split_first().ok_or(DerError::Truncated)?;
    if *found != expected {
        return Err(DerError::UnexpectedElement { found: *found, expected });
    }
    let (length, rest) = length(rest)?;
    rest.split_at_checked(length).ok_or(DerError::Truncated)
}

/// Takes a length off the front (X.690 §8.1.3). Two octets of it are as many as a TXT record can hold.
fn length(der: &[u8]) -> Result<(usize, &[u8]), DerError> {
    match der {
        [] | [0x81] | [0x82] | [0x82, _] => Err(DerError::Truncated),
        [short @ 0..=0x7f, rest @ ..] => Ok((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Ok((usize::from(*long), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => Err(DerError::MalformedNumber),
    }
}
