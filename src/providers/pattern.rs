//! How the table of providers writes names and networks.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

/// A pattern of names: one glob for each of the rightmost labels, the top-level one first.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern(Vec<String>);

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text.rsplit('.').map(str::to_owned).collect())
    }
}

impl Pattern {
    /// Says whether labels, the top-level one first, are at or below what the pattern names.
    pub(super) fn matches(&self, labels: &[&[u8]]) -> bool {
        labels.len() >= self.0.len()
            && self.0.iter().zip(labels).all(|(glob, label)| glob_matches(glob.as_bytes(), label))
    }

    /// Returns how many labels the pattern names.
    pub(super) fn label_count(&self) -> usize {
        self.0.len()
    }
}

/// Matches one label, in any case, with a glob in lower case: `*` is any run, `[a-e]` one of a range.
fn glob_matches(glob: &[u8], label: &[u8]) -> bool {
    match (glob, label) {
        ([], _) => label.is_empty(),
        ([b'*', rest @ ..], [_, tail @ ..]) => glob_matches(rest, label) || glob_matches(glob, tail),
        ([b'*', rest @ ..], []) => glob_matches(rest, label),
        ([b'[', low, b'-', high, b']', rest @ ..], [octet, tail @ ..]) => {
            (low..=high).contains(&&octet.to_ascii_lowercase()) && glob_matches(rest, tail)
        }
        ([wanted, rest @ ..], [octet, tail @ ..]) => *wanted == octet.to_ascii_lowercase() && glob_matches(rest, tail),
        (_, []) => false,
    }
}

/// A range of addresses; IPv4 is held as its IPv4-mapped form (RFC 4291 §2.5.5.2).
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Network {
    /// The first address.
    first: u128,
    /// How many of the low bits are free.
    free_bits: u32,
}

/// The text is not `address/length`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a network")]
pub(super) struct NotANetwork(String);

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        let parts = text.split_once('/').and_then(|(first, length)| {
            let first: IpAddr = first.parse().ok()?;
            let width = if first.is_ipv4() { Ipv4Addr::BITS } else { u128::BITS };
            let free_bits = width.checked_sub(length.parse().ok()?)?;
            Some(Self { first: mapped(first), free_bits })
        });
        parts.ok_or(NotANetwork(text))
    }
}

impl Network {
    /// Says whether the address is in the range.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        (mapped(address) ^ self.first).checked_shr(self.free_bits).is_none_or(|differing| differing == 0)
    }
}

/// Returns an address as 128 bits.
fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_labels_from_the_right() {
        let rows = [
            ("example.com", "ns1.example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "ns1.badexample.com", false),
            ("example.com", "example.com.example.net", false),
            ("example.com", "com", false),
            ("ns[1-3].example.com", "ns3.example.com", true),
            ("ns[1-3].example.com", "NS3.Example.COM", true),
            ("ns[1-3].example.com", "ns4.example.com", false),
            ("ns[1-3].example.com", "ns.example.com", false),
            ("ns[1-3].example.com", "ns12.example.com", false),
            ("*ns*.example.com", "ns.example.com", true),
            ("*ns*.example.com", "pdns01.example.com", true),
            ("*ns*.example.com", "www.example.com", false),
            ("a*b*c.example.com", "abxbc.example.com", true),
            ("a*b*c.example.com", "abxb.example.com", false),
        ];
        for (pattern, name, expected) in rows {
            let labels: Vec<&[u8]> = name.rsplit('.').map(str::as_bytes).collect();
            assert_eq!(Pattern::from(pattern.to_owned()).matches(&labels), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn networks_hold_their_first_to_last_address() {
        let rows = [
            ("192.0.2.0/25", "192.0.2.0", true),
            ("192.0.2.0/25", "192.0.2.127", true),
            ("192.0.2.0/25", "192.0.2.128", false),
            ("192.0.2.0/25", "::ffff:192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.0", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("::/0", "2001:db8::1", true),
        ];
        for (network, address, expected) in rows {
            let network = Network::try_from(network.to_owned()).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for text in ["192.0.2.0", "192.0.2.0/33", "2001:db8::/129", "192.0.2/24", "/8", "192.0.2.0/-1"] {
            assert!(Network::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
