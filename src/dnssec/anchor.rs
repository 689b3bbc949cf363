//! Where trust starts: keys of the root that are known without asking (RFC 4033 §2, RFC 7958).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dns::crypto::key_digest;
use crate::dns::dnssec::zone_key;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::RecordType;
use crate::dnssec::record::{DelegationSigner, ZoneKey};

/// The root's key signing keys of 2017 (tag 20326) and 2024 (tag 38696), as IANA publishes them in root-anchors.xml
/// (<https://data.iana.org/root-anchors/>, RFC 7958 §2.1).
const ROOT_ANCHORS: &str = "\
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";
/// The digest that stands for a key that an anchor gives in full: SHA-256.
const SHA256: u8 = 2;

/// Why a text holds no trust anchors.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// A line is neither a DS nor a DNSKEY record of the root.
    #[error("line {0} is no DS or DNSKEY record of the root")]
    Line(usize),
    /// There is nothing in it.
    #[error("there is no DS or DNSKEY record in it")]
    Empty,
}

/// Returns the anchors of the public root.
#[must_use]
pub fn public() -> Vec<DelegationSigner> {
    parse(ROOT_ANCHORS).unwrap_or_default()
}

/// Reads trust anchors for the root: DS or DNSKEY records as a zone file has them, one a line, comments behind `;`.
///
/// Keys that only sign records (without the flag of a secure entry point) are read like all others.
///
/// # Errors
/// Any [`AnchorError`]. The result is never empty.
pub fn parse(text: &str) -> Result<Vec<DelegationSigner>, AnchorError> {
    let mut anchors = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split(';').next().unwrap_or_default().split_whitespace().collect();
        if !words.is_empty() {
            anchors.push(read_record(&words).ok_or(AnchorError::Line(number))?);
        }
    }
    if anchors.is_empty() { Err(AnchorError::Empty) } else { Ok(anchors) }
}

/// Reads one record: `. [TTL] [IN] DS TAG ALGORITHM TYPE DIGEST`, or `DNSKEY FLAGS PROTOCOL ALGORITHM KEY`.
fn read_record(words: &[&str]) -> Option<DelegationSigner> {
    let kind = words.iter().position(|word| ["DS", "DNSKEY"].iter().any(|kind| word.eq_ignore_ascii_case(kind)))?;
    let (front, rest) = words.split_at_checked(kind)?;
    let is_of_root = front.first() == Some(&".");
    let [kind, first, second, third, data @ ..] = rest else { return None };
    let data = data.concat();
    let mut octets = first.parse::<u16>().ok()?.to_be_bytes().to_vec();
    octets.extend([second.parse::<u8>().ok()?, third.parse::<u8>().ok()?]);
    let is_signer = kind.eq_ignore_ascii_case("DS");
    octets.extend(if is_signer { from_hex(&data)? } else { STANDARD.decode(&data).ok()? });
    let kind = if is_signer { RecordType::DS } else { RecordType::DNSKEY };
    let rdata = Rdata::Other { kind, octets: octets.into() };
    if !is_of_root {
        None
    } else if is_signer {
        DelegationSigner::read(&rdata)
    } else {
        let key = ZoneKey::read(&rdata)?;
        let digest = key_digest(&Name::root(), key.flags, key.id.algorithm, &key.public_key, SHA256)?;
        Some(DelegationSigner { key: zone_key(&rdata)?, digest_type: SHA256, digest })
    }
}

/// Reads pairs of hexadecimal digits; `None` where there is another character, or nothing.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    octets.filter(|octets| !octets.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_root_has_two_anchors() {
        let tags: Vec<u16> = public().iter().map(|anchor| anchor.key.tag).collect();
        assert_eq!(tags, [20326, 38696]);
        assert!(public().iter().all(|anchor| anchor.digest.len() == 32));
    }

    #[cfg(feature = "dnssec")]
    #[test]
    fn a_key_stands_for_its_digest() {
        // RFC 5702 §6.1 publishes this key of 512 bits; any key does here.
        let line = ". 3600 IN DNSKEY 257 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8\
                    PkxUdp6p/DlUmObdk= ; a comment";
        let anchors = parse(line).unwrap();
        assert_eq!((anchors.len(), anchors[0].digest_type, anchors[0].digest.len()), (1, 2, 32));
    }

    #[test]
    fn other_records_are_refused_with_their_line() {
        assert_eq!(parse("; nothing\n\n"), Err(AnchorError::Empty));
        for text in
            ["example. IN DS 1 8 2 00", ". IN DS 1 8 2", ". IN DS 1 8 2 0g", ". IN A 192.0.2.1", ". DS x 8 2 00"]
        {
            assert_eq!(parse(&format!("\n{text}")), Err(AnchorError::Line(2)), "{text}");
        }
    }
}
