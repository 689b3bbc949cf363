//! Where packets leave from, and what an error of the operating system says about the server.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::evidence::Silence;

/// The error codes for an address family that the host does not have (EAFNOSUPPORT on Linux, macOS, Windows).
const NO_FAMILY: [i32; 3] = [97, 47, 10047];

/// Where packets leave from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Source {
    /// The source address; `None` leaves it to the routing table.
    pub bind: Option<IpAddr>,
    /// Whether IPv6 servers are asked at all.
    pub use_ipv6: bool,
}

impl Default for Source {
    fn default() -> Self {
        Self { bind: None, use_ipv6: true }
    }
}

impl Source {
    /// Returns the local address to ask `server` from, its port left to the operating system; `None` where the
    /// server's family is not used.
    #[must_use]
    pub fn local_for(&self, server: IpAddr) -> Option<SocketAddr> {
        let any: IpAddr = match server {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) if self.use_ipv6 => Ipv6Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => return None,
        };
        let local = self.bind.unwrap_or(any);
        (local.is_ipv4() == server.is_ipv4()).then_some(SocketAddr::new(local, 0))
    }
}

/// Says what it means that a socket could not be opened.
///
/// No such family and no such address are [`Silence::NoRoute`]; all else is a shortage of our own.
pub(super) fn silence_of_open(error: &Error) -> Silence {
    match error.kind() {
        ErrorKind::AddrNotAvailable | ErrorKind::NetworkUnreachable => Silence::NoRoute,
        _ if has_no_family(error) => Silence::NoRoute,
        _ => Silence::Limit,
    }
}

/// Says what it means that a datagram could not be sent.
pub(super) fn silence_of_send(error: &Error) -> Silence {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable => Silence::Refused,
        _ => silence_of_open(error),
    }
}

/// Says what it means that a connection could not be made.
///
/// Without a free port of our own it is [`Silence::Limit`].
pub(super) fn silence_of_connect(error: &Error) -> Silence {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Silence::Refused,
        ErrorKind::HostUnreachable => Silence::Refused,
        ErrorKind::TimedOut => Silence::Timeout,
        ErrorKind::NetworkUnreachable => Silence::NoRoute,
        _ if has_no_family(error) => Silence::NoRoute,
        _ => Silence::Limit,
    }
}

/// Says whether the host lacks the address family.
fn has_no_family(error: &Error) -> bool {
    error.raw_os_error().is_some_and(|code| NO_FAMILY.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_from_its_own_family() {
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        let any = Source::default();
        assert_eq!(any.local_for(v4), "0.0.0.0:0".parse().ok());
        assert_eq!(any.local_for(v6), "[::]:0".parse().ok());
        let no_ipv6 = Source { use_ipv6: false, ..any };
        assert_eq!((no_ipv6.local_for(v4), no_ipv6.local_for(v6)), ("0.0.0.0:0".parse().ok(), None));
        let bound = Source { bind: Some(v4), ..any };
        assert_eq!((bound.local_for(v4), bound.local_for(v6)), ("192.0.2.1:0".parse().ok(), None));
    }

    #[test]
    fn our_own_shortage_is_not_the_servers_fault() {
        let errors = [
            (Error::from(ErrorKind::NetworkUnreachable), [Silence::NoRoute; 3]),
            (Error::from_raw_os_error(97), [Silence::NoRoute; 3]),
            (Error::from(ErrorKind::AddrNotAvailable), [Silence::NoRoute, Silence::NoRoute, Silence::Limit]),
            (Error::from(ErrorKind::PermissionDenied), [Silence::Limit; 3]),
            (Error::from(ErrorKind::ConnectionRefused), [Silence::Limit, Silence::Refused, Silence::Refused]),
        ];
        for (error, expected) in errors {
            let got = [silence_of_open(&error), silence_of_send(&error), silence_of_connect(&error)];
            assert_eq!(got, expected, "{error}");
        }
    }
}
