//! The tokens of Easy DKIM: the same seed, region and domain have the same three, everywhere and for ever.

use crate::expectation::DKIM_TOKENS;
use crate::lab::dice::Dice;

/// The offset basis of FNV-1a with 64 bits.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
/// The prime of FNV-1a with 64 bits.
const PRIME: u64 = 0x0100_0000_01b3;

/// Makes the tokens of a domain.
pub(super) fn tokens(seed: u64, region: &str, domain: &str) -> Vec<String> {
    let mut dice = Dice::new(digest(&[&seed.to_string(), region, &domain.to_ascii_lowercase()]));
    (0..DKIM_TOKENS).map(|_| dice.token()).collect()
}

/// Digests some texts into a number, by FNV-1a; which text ends where counts.
pub(super) fn digest(texts: &[&str]) -> u64 {
    let octets = texts.iter().flat_map(|text| text.bytes().chain([0]));
    octets.fold(BASIS, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_of_one_domain_in_one_region() {
        let own = tokens(1, "eu-west-1", "example.com");
        assert_eq!(own, tokens(1, "eu-west-1", "Example.com"));
        assert_eq!(own.len(), DKIM_TOKENS);
        for token in &own {
            assert_eq!(token.len(), 32);
            assert!(token.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit()), "{token}");
        }
        for other in [
            tokens(2, "eu-west-1", "example.com"),
            tokens(1, "eu-west-2", "example.com"),
            tokens(1, "eu-west-1", "example.org"),
        ] {
            assert!(own.iter().all(|token| !other.contains(token)));
        }
    }
}
