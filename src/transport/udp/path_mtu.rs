//! What a socket makes of what others say about the size of packets on the way.

use std::net::UdpSocket;

/// Has a socket ignore what ICMP says of the path's size, where the system can; queries are far smaller than any path takes.
///
/// Linux takes such a message for a socket where the port in it is one of an open socket, and remembers it for the whole host:
/// who sends them and looks at what is remembered finds the port of a question (SAD DNS, CVE-2021-20322). Of a socket
/// with `IP_PMTUDISC_OMIT` nothing is remembered, and no forged message has what it sends put into fragments or thrown
/// away. What comes in fragments is the servers' choice: they are told to send 1232 octets at most (RFC 9715 §3.2).
#[cfg(target_os = "linux")]
pub(super) fn ignore(socket: &UdpSocket, is_ipv4: bool) {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    };
    // What the operating system does not give is not needed to work.
    let _ = match is_ipv4 {
        true => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::OMIT),
        false => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::OMIT),
    };
}

/// Does nothing: other systems have no such choice.
#[cfg(not(target_os = "linux"))]
pub(super) fn ignore(_: &UdpSocket, _is_ipv4: bool) {}
