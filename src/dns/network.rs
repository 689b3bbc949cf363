//! Ranges of addresses, as people write them.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

/// The most characters of a line that count: the longest network has 43.
const MAX_LINE_SHOWN: usize = 80;

/// A range of addresses; IPv4 is held as its IPv4-mapped form (RFC 4291 §2.5.5.2).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Network {
    /// The first address.
    first: u128,
    /// How many of the low bits are free.
    free_bits: u32,
}

/// The text is not `address/length`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a network; expected an address range such as 192.0.2.0/24")]
pub struct NotANetwork(String);

/// Why a text is no list of networks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkListError {
    /// A line is something else.
    #[error("line {line}: {source}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: NotANetwork,
    },
    /// There is nothing in it.
    #[error("no network in it; expected an address range such as 192.0.2.0/24 a line")]
    Empty,
}

/// Reads a list of networks, one a line; what stands behind a `#` and empty lines do not count. Never empty.
///
/// # Errors
/// [`NetworkListError`] where a line is something else, or all are empty.
pub fn parse_list(text: &str) -> Result<Vec<Network>, NetworkListError> {
    let mut networks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let shown: String = line.chars().take(MAX_LINE_SHOWN).collect();
            let network =
                Network::try_from(shown).map_err(|source| NetworkListError::Line { line: index + 1, source })?;
            networks.push(network);
        }
    }
    if networks.is_empty() { Err(NetworkListError::Empty) } else { Ok(networks) }
}

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
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
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

    #[test]
    fn a_list_has_one_network_a_line() {
        let list = parse_list("# published\n192.0.2.0/24\n\n  2001:db8::/32  # ours\r\n").unwrap();
        assert_eq!(list.len(), 2);
        assert!(list[1].contains("2001:db8::1".parse().unwrap()));
        for (text, error) in [
            ("", "no network in it; expected an address range such as 192.0.2.0/24 a line"),
            ("# none\n", "no network in it; expected an address range such as 192.0.2.0/24 a line"),
            (
                "192.0.2.0/24\n192.0.2.0/33",
                "line 2: \"192.0.2.0/33\" is not a network; expected an address range such as 192.0.2.0/24",
            ),
            ("192.0.2.1", "line 1: \"192.0.2.1\" is not a network; expected an address range such as 192.0.2.0/24"),
        ] {
            assert_eq!(parse_list(text).unwrap_err().to_string(), error);
        }
    }
}
