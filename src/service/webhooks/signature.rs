//! Signs messages as Standard Webhooks 1.0 says: HMAC-SHA256 over `id.timestamp.body`, with a secret of the endpoint.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// What a secret in text begins with.
const PREFIX: &str = "whsec_";
/// How many octets a new secret has: 256 bits, as the hash has.
const NEW_OCTETS: usize = 32;
/// The fewest octets of a secret that Standard Webhooks allows: 192 bits.
const MIN_OCTETS: usize = 24;
/// The most octets of a secret that Standard Webhooks allows: 512 bits.
const MAX_OCTETS: usize = 64;

/// The secret that an endpoint's messages are signed with. Its `Debug` form does not tell it.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Vec<u8>);

/// The text is no secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a webhook secret; expected whsec_ and {MIN_OCTETS} to {MAX_OCTETS} octets in base64")]
pub struct NotASecret;

impl Secret {
    /// Makes a new secret at random.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random::<[u8; NEW_OCTETS]>().to_vec())
    }

    /// Reads a secret as it was shown; the prefix may be missing.
    ///
    /// # Errors
    /// [`NotASecret`] where it is not base64, or too short or too long.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let text = text.trim();
        let octets = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| NotASecret)?;
        if (MIN_OCTETS..=MAX_OCTETS).contains(&octets.len()) { Ok(Self(octets)) } else { Err(NotASecret) }
    }

    /// Writes the secret as it is shown to the receiver, once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// Signs a message; returns the value of `webhook-signature`.
    #[must_use]
    pub fn sign(&self, id: &str, sent_at: Timestamp, body: &[u8]) -> String {
        // A key of any length is taken (RFC 2104 §2), so that there is always a signature.
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(mac) => mac,
            Err(_) => return String::new(),
        };
        for part in [id.as_bytes(), b".", sent_at.as_second().to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_of_standard_webhooks_is_met() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sent_at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_part_of_a_message_moves_its_signature() {
        let (secret, other) = (Secret::generate(), Secret::generate());
        let at = |second| Timestamp::from_second(second).unwrap();
        let signature = secret.sign("evt_1", at(1), b"{}");
        assert_eq!(signature, secret.sign("evt_1", at(1), b"{}"));
        for moved in [
            other.sign("evt_1", at(1), b"{}"),
            secret.sign("evt_2", at(1), b"{}"),
            secret.sign("evt_1", at(2), b"{}"),
            secret.sign("evt_1", at(1), b"{ }"),
        ] {
            assert_ne!(signature, moved);
        }
    }

    #[test]
    fn a_secret_reads_back_and_is_not_told_by_accident() {
        let secret = Secret::generate();
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        let of_octets = |count| format!("whsec_{}", STANDARD.encode(vec![7_u8; count]));
        for (text, is_secret) in [
            (of_octets(23), false),
            (of_octets(24), true),
            (of_octets(64), true),
            (of_octets(65), false),
            ("whsec_".to_owned(), false),
            ("whsec_!".to_owned(), false),
            (of_octets(24).replace("whsec_", ""), true),
        ] {
            assert_eq!(Secret::parse(&text).is_ok(), is_secret, "{text}");
        }
    }
}
