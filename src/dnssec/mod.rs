//! Whether what a server said is signed, from the trust anchors down (RFC 4033 to 4035, RFC 5155, RFC 6840).
//!
//! Pure: messages, keys and the time come in, a judgement comes out; asking for DS and DNSKEY records is up to the
//! walk. A record set is *secure*, *insecure* (proven to be outside of every signed zone), or *bogus* with a cause.
//! Never more work than [`Work`] allows is done, whatever an attacker sends (SECURITY.md A11).

pub mod anchor;
pub mod denial;
pub mod keys;
pub mod record;
pub mod reply;
pub mod signed_set;
pub mod verify;

/// Why a validating resolver refuses an answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Bogus {
    /// None of the zone's keys is one that its parent, or the trust anchor, vouches for (RFC 4035 §5.2).
    NoMatchingKey,
    /// The signatures have run out (RFC 4035 §5.3.1).
    Expired,
    /// The signatures do not hold yet (RFC 4035 §5.3.1).
    NotYetValid,
    /// A signature is not that of the key that it names, or of the records that it covers (RFC 4035 §5.3.3).
    BadSignature,
    /// There is no signature in a zone that is signed (RFC 4035 §5.3.1).
    MissingSignature,
    /// Nothing proves that what is said not to be there is not (RFC 4035 §5.4, RFC 5155 §8).
    MissingDenial,
    /// It would take more work than is spent on one question (SECURITY.md A11).
    TooMuchWork,
}

impl Bogus {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMatchingKey => "dnssec_bogus_no_dnskey",
            Self::Expired => "dnssec_expired_sig",
            Self::NotYetValid => "dnssec_not_yet_valid",
            Self::BadSignature => "dnssec_bad_signature",
            Self::MissingSignature => "dnssec_missing_signature",
            Self::MissingDenial => "dnssec_missing_denial",
            Self::TooMuchWork => "dnssec_too_much_work",
        }
    }
}

/// What holds of something that was checked and found to be in order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Security {
    /// Signed, from a trust anchor down.
    Secure,
    /// Proven to be outside of every signed zone.
    Insecure,
}

impl Security {
    /// Joins two parts of one answer: it is secure where both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// How many signatures may be verified for one question (SECURITY.md A11; PowerDNS allows 30).
const MAX_VERIFICATIONS: u32 = 30;
/// How many of them may fail (SECURITY.md A11; BIND allows one).
const MAX_FAILURES: u32 = 4;
/// How many names may be hashed (SECURITY.md A11; CVE-2023-50868).
const MAX_HASHES: u32 = 300;

/// What may still be spent on validating one question; never refilled.
#[derive(Debug)]
pub struct Work {
    /// Signatures that may still be verified.
    verifications: u32,
    /// Signatures that may still turn out wrong.
    failures: u32,
    /// Names that may still be hashed.
    hashes: u32,
}

impl Default for Work {
    fn default() -> Self {
        Self { verifications: MAX_VERIFICATIONS, failures: MAX_FAILURES, hashes: MAX_HASHES }
    }
}

impl Work {
    /// Pays for one verification.
    fn verify(&mut self) -> Result<(), Bogus> {
        take_one(&mut self.verifications)
    }

    /// Pays for a verification that failed.
    fn fail(&mut self) -> Result<(), Bogus> {
        take_one(&mut self.failures)
    }

    /// Pays for hashing one name.
    fn hash(&mut self) -> Result<(), Bogus> {
        take_one(&mut self.hashes)
    }
}

/// Takes one from a counter.
fn take_one(left: &mut u32) -> Result<(), Bogus> {
    *left = left.checked_sub(1).ok_or(Bogus::TooMuchWork)?;
    Ok(())
}
