//! The addresses that providers answer with for a row of the type "URL redirect" or "forward".
//!
//! Such an address tells the type that was chosen only in a zone of that provider; elsewhere it is an address as any other.

use std::net::{IpAddr, Ipv4Addr};

/// Networks of redirecting web servers: the provider's id, the first address, the length of the prefix.
///
/// Each was seen by its users at names that they had forwarded: Namecheap puts any address of two networks in the place of
/// a "URL Redirect Record"; GoDaddy's forwarding has two addresses; Gandi's is that of its web redirect, OVHcloud's the one
/// beside which the target stands as a text, Hover's that of its forwarding host. Parking pages are not meant, though some
/// providers serve both from one address: Porkbun's and Hover's parking addresses are left out.
const REDIRECTORS: &[(&str, Ipv4Addr, u32)] = &[
    ("namecheap", Ipv4Addr::new(192, 64, 119, 0), 24),
    ("namecheap", Ipv4Addr::new(162, 255, 119, 0), 24),
    ("godaddy", Ipv4Addr::new(15, 197, 148, 33), 32),
    ("godaddy", Ipv4Addr::new(3, 33, 130, 190), 32),
    ("gandi", Ipv4Addr::new(217, 70, 184, 38), 32),
    ("ovhcloud", Ipv4Addr::new(213, 186, 33, 5), 32),
    ("hover", Ipv4Addr::new(64, 98, 145, 30), 32),
];

/// Says whether the provider's web server for redirects has this address.
pub(super) fn is_redirector(provider: &str, address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let is_in = |first: Ipv4Addr, prefix: u32| {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or_default();
        u32::from(address) & mask == u32::from(first)
    };
    REDIRECTORS.iter().any(|(id, first, prefix)| *id == provider && is_in(*first, *prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::catalogue;

    #[test]
    fn only_the_provider_whose_server_it_is_redirects_there() {
        for (provider, address, is_one) in [
            ("namecheap", "192.64.119.7", true),
            ("namecheap", "192.64.120.7", false),
            ("godaddy", "192.64.119.7", false),
            ("godaddy", "3.33.130.190", true),
            ("godaddy", "3.33.130.191", false),
            ("namecheap", "2001:db8::1", false),
        ] {
            assert_eq!(is_redirector(provider, address.parse().unwrap()), is_one, "{provider} {address}");
        }
    }

    #[test]
    fn every_redirector_belongs_to_a_known_provider() {
        for (id, first, prefix) in REDIRECTORS {
            assert!(catalogue().get(id).is_some(), "{id}");
            assert!(u32::from(*first).trailing_zeros() >= 32 - prefix, "{first}/{prefix}");
        }
    }
}
