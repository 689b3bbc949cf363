//! The standard stack: what asks the Internet, or a lab on this host.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use super::coalesce::Coalesce;
use super::failure_cache::FailureCache;
use super::fallback::{DEFAULT_ATTEMPTS, Fallback};
use super::guard::{AddressPolicy, Guard};
use super::pace::{PaceLimits, Paced, Pacer};
use super::server_health::ServerHealth;
use super::source::Source;
use super::tcp::{TcpLimits, TcpTransport};
use super::udp::UdpTransport;
use super::{DynTransport, Transport};
use crate::metrics::Metrics;

/// The port of the DNS (RFC 1035 §4.2).
pub const DNS_PORT: u16 = 53;

/// How servers are asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransportSettings {
    /// The port that servers listen on; 53 unless told.
    pub dns_port: u16,
    /// The source address; unless told, what the routing table says. Servers of the other family are then not asked.
    pub bind: Option<IpAddr>,
    /// Whether IPv6 servers are asked; yes unless told. Where not, they are [`NoRoute`](crate::evidence::Silence).
    pub use_ipv6: bool,
    /// How fast servers are asked.
    pub limits: PaceLimits,
    /// Which addresses are asked; those of the public Internet unless told.
    pub policy: AddressPolicy,
    /// The tries over UDP before TCP; 3 unless told.
    pub attempts: u32,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            dns_port: DNS_PORT,
            bind: None,
            use_ipv6: true,
            limits: PaceLimits::default(),
            policy: AddressPolicy::public(),
            attempts: DEFAULT_ATTEMPTS,
        }
    }
}

/// The standard stack and what it knows.
#[derive(Clone)]
pub struct Live {
    /// What to ask with.
    pub transport: Arc<dyn DynTransport>,
    /// What is known of the servers.
    pub health: Arc<ServerHealth>,
    /// What failed of late.
    pub failures: Arc<FailureCache>,
    /// What was counted.
    pub metrics: Arc<Metrics>,
}

impl Live {
    /// Builds the standard stack on sockets. It is asked from within a tokio runtime.
    ///
    /// # Errors
    /// What the operating system says where the source address is none of this host.
    pub fn open(settings: &TransportSettings) -> io::Result<Self> {
        Self::open_counting(settings, &Arc::default())
    }

    /// Does the same with counters of the caller's.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_counting(settings: &TransportSettings, metrics: &Arc<Metrics>) -> io::Result<Self> {
        let source = Source { bind: settings.bind, use_ipv6: settings.use_ipv6 };
        let udp = UdpTransport::new(settings.dns_port, source)?.counting(metrics);
        let tcp = TcpTransport::new(settings.dns_port, source, TcpLimits::default());
        Ok(Self::over_counting(udp, tcp, settings, metrics))
    }

    /// Builds the standard stack on other ways to send one datagram, or to make one connection, for a query.
    ///
    /// Port, source address and family are then up to those.
    pub fn over<U, T>(udp: U, tcp: T, settings: &TransportSettings) -> Self
    where
        U: Transport + 'static,
        T: Transport + 'static,
    {
        Self::over_counting(udp, tcp, settings, &Arc::default())
    }

    /// Does the same with counters of the caller's.
    pub fn over_counting<U, T>(udp: U, tcp: T, settings: &TransportSettings, metrics: &Arc<Metrics>) -> Self
    where
        U: Transport + 'static,
        T: Transport + 'static,
    {
        let pacer = Pacer::new(settings.limits);
        let udp = Paced::new(udp, Arc::clone(&pacer)).counting(metrics);
        let tcp = Paced::new(tcp, pacer).counting(metrics);
        let (health, failures) = (Arc::<ServerHealth>::default(), Arc::<FailureCache>::default());
        let fallback =
            Fallback::new(udp, tcp, Arc::clone(&health), Arc::clone(&failures), settings.attempts).counting(metrics);
        let guard = Guard::new(fallback, settings.policy).counting(metrics);
        let transport = Arc::new(Coalesce::new(guard).counting(metrics));
        Self { transport, health, failures, metrics: Arc::clone(metrics) }
    }
}

/// Builds the standard stack on sockets, coalesce(guard(fallback(paced(udp), paced(tcp)))), for who needs no more than to ask.
///
/// # Errors
/// As [`Live::open`].
pub fn live(settings: &TransportSettings) -> io::Result<Arc<dyn DynTransport>> {
    Live::open(settings).map(|live| live.transport)
}

/// Builds the standard stack on other ways to send, such as a replay, for who needs no more than to ask.
#[must_use]
pub fn stack(
    udp: Arc<dyn DynTransport>,
    tcp: Arc<dyn DynTransport>,
    settings: &TransportSettings,
) -> Arc<dyn DynTransport> {
    Live::over(udp, tcp, settings).transport
}

#[cfg(test)]
mod tests;
