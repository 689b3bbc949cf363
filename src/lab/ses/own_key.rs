//! Bring-your-own DKIM: which public key belongs to a private key that was handed over.
//!
//! Reads RSA private keys in DER, in base64, as PKCS #1 or PKCS #8 (RFC 8017 §A.1.2, RFC 5958 §2). Signs nothing and keeps
//! no private part.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// DER tag of an INTEGER (X.690 §8.3).
const INTEGER: u8 = 0x02;
/// DER tag of an OCTET STRING (X.690 §8.7).
const OCTET_STRING: u8 = 0x04;
/// DER tag of a SEQUENCE (X.690 §8.9).
const SEQUENCE: u8 = 0x30;
/// How long a key may be, in bits (`DomainSigningPrivateKey` of the service model).
const KEY_BITS: std::ops::RangeInclusive<usize> = 1024..=2048;

/// Why a text is no private key that Amazon SES takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum OwnKeyError {
    /// The text is not in base64.
    #[error("the private key is not encoded in base64")]
    Base64,
    /// The octets are no RSA private key.
    #[error("the private key is no RSA key in PKCS #1 or PKCS #8")]
    Der,
    /// The key is too short or too long.
    #[error("the private key must have 1024 or 2048 bits")]
    Length,
}

/// A public key to be found in the DNS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct OwnKey {
    /// The key in DER: a bare RSAPublicKey, or as it was told.
    der: Vec<u8>,
}

impl OwnKey {
    /// Finds the public key that belongs to a private one.
    pub(super) fn of_private(base64: &str) -> Result<Self, OwnKeyError> {
        let octets = STANDARD.decode(base64).map_err(|_| OwnKeyError::Base64)?;
        let body = private_body(&octets).ok_or(OwnKeyError::Der)?;
        // RSAPrivateKey: version, modulus, public exponent, and the private parts (RFC 8017 §A.1.2).
        let (_, rest) = element(body, INTEGER).ok_or(OwnKeyError::Der)?;
        let (modulus, behind) = element(rest, INTEGER).ok_or(OwnKeyError::Der)?;
        let (_, behind) = element(behind, INTEGER).ok_or(OwnKeyError::Der)?;
        let public = rest.strip_suffix(behind).ok_or(OwnKeyError::Der)?;
        let bits = modulus.strip_prefix(&[0]).unwrap_or(modulus).len() * 8;
        if !KEY_BITS.contains(&bits) {
            return Err(OwnKeyError::Length);
        }
        Ok(Self { der: sequence(public) })
    }

    /// Takes a public key as it stands in a key record.
    pub(super) fn of_public(base64: &str) -> Result<Self, OwnKeyError> {
        STANDARD.decode(base64).map(|der| Self { der }).map_err(|_| OwnKeyError::Base64)
    }

    /// Says whether a key as published is this one, bare or within a SubjectPublicKeyInfo, whose last part it is.
    pub(super) fn is(&self, published: &[u8]) -> bool {
        published.ends_with(&self.der)
    }
}

/// Returns the inside of an RSAPrivateKey, taken out of a PKCS #8 wrapping where there is one.
fn private_body(octets: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(octets, SEQUENCE)?;
    let (_, rest) = element(body, INTEGER)?;
    if rest.first() != Some(&SEQUENCE) {
        return Some(body);
    }
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (wrapped, _) = element(rest, OCTET_STRING)?;
    element(wrapped, SEQUENCE).map(|(body, _)| body)
}

/// Takes one element off the front: what is in it, and what follows.
fn element(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = match rest {
        [short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, long, rest @ ..] => (usize::from(*long), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    if *found == expected { rest.split_at_checked(length) } else { None }
}

/// Wraps a body of at most 64 KiB in a SEQUENCE.
fn sequence(body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut der = match (high, low) {
        (0, 0..=0x7f) => vec![SEQUENCE, low],
        (0, _) => vec![SEQUENCE, 0x81, low],
        _ => vec![SEQUENCE, 0x82, high, low],
    };
    der.extend_from_slice(body);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An INTEGER whose first octet is not negative.
    fn integer(octets: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(octets.len() + 1).unwrap().to_be_bytes();
        [&[INTEGER, 0x82, high, low, 0][..], octets].concat()
    }

    /// A made-up key of so many octets: its public part as published bare, and its private form.
    fn key(octets: usize) -> (Vec<u8>, Vec<u8>) {
        let modulus = integer(&vec![0xc5; octets]);
        let exponent = [INTEGER, 3, 1, 0, 1];
        let public = [&modulus[..], &exponent].concat();
        let private = [&[INTEGER, 1, 0][..], &public, &integer(&vec![0x99; octets])].concat();
        (sequence(&public), sequence(&private))
    }

    #[test]
    fn the_public_key_is_found_in_both_wrappings() {
        let (public, private) = key(256);
        let algorithm = [SEQUENCE, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        let [high, low] = u16::try_from(private.len()).unwrap().to_be_bytes();
        let wrapped = [&[INTEGER, 1, 0][..], &algorithm, &[OCTET_STRING, 0x82, high, low], &private].concat();
        for private in [private, sequence(&wrapped)] {
            let found = OwnKey::of_private(&STANDARD.encode(private)).unwrap();
            assert!(found.is(&public));
            assert!(found.is(&[&algorithm[..], &public].concat()));
            assert!(!found.is(&key(128).0));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let of = |octets: &[u8]| OwnKey::of_private(&STANDARD.encode(octets)).unwrap_err();
        assert_eq!(OwnKey::of_private("%%%").unwrap_err(), OwnKeyError::Base64);
        assert_eq!(of(b"nothing of the kind"), OwnKeyError::Der);
        assert_eq!(of(&[]), OwnKeyError::Der);
        assert_eq!(of(&key(64).1), OwnKeyError::Length);
        assert_eq!(of(&key(512).1), OwnKeyError::Length);
        let whole = key(128).1;
        for cut in 0..260 {
            // Whatever is missing of the public part makes it no key; nothing here may panic.
            let _ = OwnKey::of_private(&STANDARD.encode(&whole[..cut]));
        }
    }
}
