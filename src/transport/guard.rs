//! Which addresses are never asked.
//!
//! A name server may claim to live anywhere; where it claims a special-purpose address (RFC 6890), or one inside our
//! own network, nothing is sent there. This is judged here, at the last door before the sockets, whatever led to the
//! address. An IPv4 address inside an IPv6 one is taken out and judged for itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{Exchange, Query, Transport};
use crate::evidence::Silence;
use crate::metrics::{Event, Metrics};

/// What an address range is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// A server of the Internet may live there.
    Global,
    /// Loopback, private or documentation: labs and tests may live there.
    Lab,
    /// An IPv4 address lies inside.
    Embedded(Ipv4Addr),
    /// Nothing that may be asked lives there.
    Never,
}

use Purpose::{Global, Lab, Never};

/// The IPv4 special-purpose registry of IANA, multicast and the cloud metadata address (within 169.254.0.0/16): first
/// address, prefix length, purpose. The first row that fits counts; what is in none is global.
const V4_RANGES: [(Ipv4Addr, u32, Purpose); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Never),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Lab),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Lab),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Lab),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Never),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Lab),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Never),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Lab),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Never),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Never),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Never),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Lab),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Never),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Lab),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Lab),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Lab),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Never),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Never),
    (Ipv4Addr::BROADCAST, 32, Never),
];

/// The IPv6 special-purpose registry of IANA, site-local and multicast addresses, and the cloud metadata address.
const V6_RANGES: [(Ipv6Addr, u32, Purpose); 21] = [
    (Ipv6Addr::LOCALHOST, 128, Lab),
    (Ipv6Addr::UNSPECIFIED, 96, Never),
    (v6([0x64, 0xff9b, 1]), 48, Never),
    (v6([0x100]), 64, Never),
    (v6([0x100, 0, 0, 1]), 64, Never),
    // Parts of 2001::/23 that are globally reachable: anycast for PCP, TURN and DNS-SD, AMT, AS112, ORCHIDv2, drones.
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 1]), 128, Global),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 2]), 127, Global),
    (v6([0x2001, 3]), 32, Global),
    (v6([0x2001, 4, 0x112]), 48, Global),
    (v6([0x2001, 0x20]), 28, Global),
    (v6([0x2001, 0x30]), 28, Global),
    (v6([0x2001]), 23, Never),
    (v6([0x2001, 0xdb8]), 32, Lab),
    (v6([0x2620, 0x4f, 0x8000]), 48, Never),
    (v6([0x3fff]), 20, Lab),
    (v6([0x5f00]), 16, Never),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]), 128, Never),
    (v6([0xfc00]), 7, Lab),
    (v6([0xfe80]), 10, Never),
    (v6([0xfec0]), 10, Never),
    (v6([0xff00]), 8, Never),
];

/// The first address of the global unicast range.
const GLOBAL_UNICAST: Ipv6Addr = v6([0x2000]);

/// Puts the first pieces of an address before zeros.
const fn v6<const N: usize>(pieces: [u16; N]) -> Ipv6Addr {
    let mut bits = 0;
    let mut at = 0;
    while at < N {
        #[expect(clippy::indexing_slicing, reason = "`at` is below `N`, and constants are checked at compile time")]
        let piece = pieces[at];
        bits |= (piece as u128) << (112 - 16 * at);
        at += 1;
    }
    Ipv6Addr::from_bits(bits)
}

/// Which addresses may be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddressPolicy {
    /// Whether labs and tests may be asked too.
    allows_lab: bool,
}

impl AddressPolicy {
    /// Lets through what a server of the Internet may live at, and nothing else.
    #[must_use]
    pub const fn public() -> Self {
        Self { allows_lab: false }
    }

    /// Lets through loopback, private, shared, benchmarking and documentation addresses as well; never link-local,
    /// cloud metadata, multicast, broadcast or `0.0.0.0/8`.
    #[must_use]
    pub const fn allowing_special() -> Self {
        Self { allows_lab: true }
    }

    /// Says whether an address may be asked.
    ///
    /// IPv4-mapped, NAT64 and 6to4 addresses are special-purpose themselves: they are refused, or judged by the IPv4
    /// address inside where special addresses are allowed.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match purpose_of(address) {
            Global => true,
            Lab => self.allows_lab,
            Purpose::Embedded(inside) => self.allows_lab && self.allows(inside.into()),
            Never => false,
        }
    }
}

/// Returns what an address is for.
fn purpose_of(address: IpAddr) -> Purpose {
    match address {
        IpAddr::V4(v4) => {
            let fits = |first: Ipv4Addr, length: u32| (first.to_bits() ^ v4.to_bits()).leading_zeros() >= length;
            V4_RANGES.iter().find(|(first, length, _)| fits(*first, *length)).map_or(Global, |range| range.2)
        }
        IpAddr::V6(v6) => {
            let fits = |first: Ipv6Addr, length: u32| (first.to_bits() ^ v6.to_bits()).leading_zeros() >= length;
            if let Some(inside) = embedded_v4(v6) {
                return Purpose::Embedded(inside);
            }
            // Global unicast addresses are handed out of 2000::/3 alone (RFC 4291 §2.4 and its registry at IANA).
            let otherwise = if fits(GLOBAL_UNICAST, 3) { Global } else { Never };
            V6_RANGES.iter().find(|(first, length, _)| fits(*first, *length)).map_or(otherwise, |range| range.2)
        }
    }
}

/// Returns the IPv4 address inside an IPv4-mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052 §2.1) or 6to4 (RFC 3056 §2)
/// address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
        | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
        | [0x20, 0x02, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    }
}

/// A transport that asks only addresses that may be asked.
pub struct Guard<T> {
    /// The transport.
    inner: T,
    /// What may be asked.
    policy: AddressPolicy,
    /// The counters.
    metrics: Arc<Metrics>,
}

impl<T: Transport> Guard<T> {
    /// Puts a policy before a transport.
    pub fn new(inner: T, policy: AddressPolicy) -> Self {
        Self { inner, policy, metrics: Arc::default() }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }
}

impl<T: Transport> Transport for Guard<T> {
    async fn exchange(&self, query: &Query) -> Exchange {
        if self.policy.allows(query.server) {
            return self.inner.exchange(query).await;
        }
        self.metrics.count(Event::ForbiddenAddresses);
        Exchange::silent(Silence::Forbidden, Duration::ZERO, query.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::{Scripted, query};

    /// The addresses of each kind: global, for labs, never.
    const GLOBAL: &str = "8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 198.17.255.255 198.20.0.0 \
        203.0.112.255 203.0.114.0 223.255.255.255 2001:500:2::c 2001:200:: 2001:7fe::53 2600:: 2a00:1450:: 2001:3::1 \
        2001:1::1 2001:1::3 2001:4:112::1 2001:20::1 2003:: 3ffe:: 3fff:1000::";
    const LAB: &str = "10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 172.16.0.1 \
        172.31.255.255 192.0.2.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 ::1 2001:db8::1 \
        fc00::1 fd12::1 3fff::1 3fff:fff::1 ::ffff:127.0.0.1 64:ff9b::a00:1 2002:7f00:1::1 ::ffff:8.8.8.8 \
        64:ff9b::808:808 2002:808:808::1";
    const NEVER: &str = "0.0.0.0 0.255.255.255 169.254.0.1 169.254.169.254 192.0.0.1 192.0.0.170 192.31.196.1 \
        192.52.193.1 192.88.99.1 192.175.48.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::2 ::7f00:1 \
        ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:224.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 100:0:0:1::1 \
        2001::1 2001:1::4 2001:2::1 2001:10::1 2001:1ff::1 2002:a9fe:a9fe:: 2002:e000:1:: 2620:4f:8000::1 5f00::1 \
        fd00:ec2::254 fe80::1 febf::1 fec0::1 ff02::1 ffff::1 4000::1 8000::1 200::1";

    #[test]
    fn every_address_is_of_its_kind() {
        let kinds = [(GLOBAL, (true, true)), (LAB, (false, true)), (NEVER, (false, false))];
        for (addresses, expected) in kinds {
            for address in addresses.split_whitespace() {
                let address = address.parse().unwrap();
                let got = (AddressPolicy::public().allows(address), AddressPolicy::allowing_special().allows(address));
                assert_eq!(got, expected, "{address}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_or_spent_for_a_forbidden_address() {
        let guard = Guard::new(Scripted::silent(Silence::Timeout), AddressPolicy::public());
        for server in ["127.0.0.1", "169.254.169.254", "fe80::1"] {
            let query = query(server);
            assert_eq!(guard.exchange(&query).await.outcome, Err(Silence::Forbidden));
            assert_eq!(query.budget.sends(), 0);
        }
        assert_eq!(guard.inner.sent().len(), 0);
        assert_eq!(guard.exchange(&query("8.8.8.8")).await.outcome, Err(Silence::Timeout));
        assert_eq!(guard.inner.sent().len(), 1);
    }
}
