//! The digests and signatures that DNSSEC rests on, by their numbers in the registries of IANA.
//!
//! Without the feature `dnssec` no algorithm is known, and whoever relies on one sees unsigned zones only.

use crate::dns::name::Name;

/// The most octets of an RSA key that is used: a modulus of 4096 bits (RFC 3110 §2), and before it an exponent of any size that
/// the library takes. A longer key would cost four times as much (SECURITY.md A11).
#[cfg(feature = "dnssec")]
const MAX_KEY_OCTETS: usize = 512 + 8;
/// The only hash algorithm of NSEC3: SHA-1 (RFC 5155 §11).
#[cfg(feature = "dnssec")]
const NSEC3_SHA1: u8 = 1;

/// Says whether signatures of this algorithm can be verified (RFC 8624 §3.1): RSA, ECDSA and Ed25519.
#[must_use]
pub fn is_known_algorithm(algorithm: u8) -> bool {
    #[cfg(feature = "dnssec")]
    return hickory_proto::dnssec::Algorithm::from_u8(algorithm).is_supported();
    #[cfg(not(feature = "dnssec"))]
    {
        let _ = algorithm;
        false
    }
}

/// Says whether digests of this type can be made (RFC 8624 §3.3): SHA-1, SHA-256 and SHA-384.
#[must_use]
pub fn is_known_digest(digest_type: u8) -> bool {
    #[cfg(feature = "dnssec")]
    return hickory_proto::dnssec::DigestType::from(digest_type).is_supported();
    #[cfg(not(feature = "dnssec"))]
    {
        let _ = digest_type;
        false
    }
}

/// Says whether `signature` over `signed` was made with the private half of this key; false too where the algorithm is
/// not known, or the key is malformed or longer than 4096 bits.
#[must_use]
pub fn is_signed_by(algorithm: u8, public_key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    #[cfg(feature = "dnssec")]
    {
        use hickory_proto::dnssec::{Algorithm, PublicKey, PublicKeyBuf};
        let algorithm = Algorithm::from_u8(algorithm);
        algorithm.is_supported()
            && public_key.len() <= MAX_KEY_OCTETS
            && PublicKeyBuf::new(public_key.to_vec(), algorithm).verify(signed, signature).is_ok()
    }
    #[cfg(not(feature = "dnssec"))]
    {
        let _ = (algorithm, public_key, signed, signature);
        false
    }
}

/// Makes the digest of a key as a DS record holds it (RFC 4034 §5.1.4); `None` where the type is not known.
#[must_use]
pub fn key_digest(owner: &Name, flags: u16, algorithm: u8, public_key: &[u8], digest_type: u8) -> Option<Vec<u8>> {
    #[cfg(feature = "dnssec")]
    {
        use hickory_proto::dnssec::rdata::DNSKEY;
        use hickory_proto::dnssec::{Algorithm, DigestType, PublicKeyBuf};
        let digest_type = DigestType::from(digest_type);
        let key = PublicKeyBuf::new(public_key.to_vec(), Algorithm::from_u8(algorithm));
        let key = DNSKEY::with_flags(flags, key);
        if !digest_type.is_supported() {
            return None;
        }
        Some(key.to_digest(&wire_name(owner)?, digest_type).ok()?.as_ref().to_vec())
    }
    #[cfg(not(feature = "dnssec"))]
    {
        let _ = (owner, flags, algorithm, public_key, digest_type);
        None
    }
}

/// Hashes a name as an NSEC3 record does (RFC 5155 §5); `None` where the hash algorithm is not known.
#[must_use]
pub fn nsec3_hash(hash_algorithm: u8, name: &Name, salt: &[u8], iterations: u16) -> Option<Vec<u8>> {
    #[cfg(feature = "dnssec")]
    {
        use hickory_proto::dnssec::Nsec3HashAlgorithm;
        if hash_algorithm != NSEC3_SHA1 {
            return None;
        }
        Some(Nsec3HashAlgorithm::SHA1.hash(salt, &wire_name(name)?, iterations).ok()?.as_ref().to_vec())
    }
    #[cfg(not(feature = "dnssec"))]
    {
        let _ = (hash_algorithm, name, salt, iterations);
        None
    }
}

/// Turns a name into the library's.
#[cfg(feature = "dnssec")]
fn wire_name(name: &Name) -> Option<hickory_proto::rr::Name> {
    let mut wire = hickory_proto::rr::Name::from_labels(name.labels()).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}

#[cfg(test)]
#[cfg(feature = "dnssec")]
mod tests {
    use super::*;

    #[test]
    fn names_hash_as_in_the_example_zone_of_the_standard() {
        // RFC 5155 appendix A: salt aabbccdd, 12 iterations; base32hex 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom is example.
        let salt = [0xaa, 0xbb, 0xcc, 0xdd];
        let hash = nsec3_hash(1, &Name::parse("Example.").unwrap(), &salt, 12).unwrap();
        assert_eq!(crate::dnssec::denial::base32hex(&hash), "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
        assert_eq!(nsec3_hash(2, &Name::root(), &salt, 0), None);
    }

    #[test]
    fn what_is_not_implemented_is_not_known() {
        assert!([5, 7, 8, 10, 13, 14, 15].into_iter().all(is_known_algorithm));
        assert!(![0, 1, 3, 6, 12, 16, 253].into_iter().any(is_known_algorithm));
        assert!([1, 2, 4].into_iter().all(is_known_digest));
        assert!(!is_signed_by(13, b"short", b"text", b"signature"));
        assert!(!is_signed_by(8, &[0xff; MAX_KEY_OCTETS + 1], b"text", &[7; 512]));
    }
}
