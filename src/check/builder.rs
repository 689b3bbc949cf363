//! How a checker is put together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Checker, Engine};
use crate::dns::name::Name;
use crate::dns::network::Network;
use crate::dnssec::anchor;
use crate::dnssec::record::DelegationSigner;
use crate::metrics::Metrics;
use crate::transport::DynTransport;
use crate::transport::guard::AddressPolicy;
use crate::transport::live::{Live, TransportSettings};
use crate::transport::pace::PaceLimits;
use crate::transport::turns::Turns;
use crate::walk::cut_cache::CutCache;
use crate::walk::trust::Trust;
use crate::walk::{Walker, root_hints};

/// How long one check may take (SECURITY.md A1).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How many octets of delegations and addresses are kept (SECURITY.md, limits).
pub const DEFAULT_CACHE_OCTETS: u64 = 64 * 1024 * 1024;

/// Why no checker can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no root server to start from.
    #[error("no root server is given")]
    NoRoot,
    /// The sockets cannot be opened.
    #[error("cannot open sockets")]
    Sockets(#[source] std::io::Error),
}

/// Puts a [`Checker`] together.
pub struct CheckerBuilder {
    /// The root servers.
    hints: Vec<(Name, IpAddr)>,
    /// How the live transport asks.
    settings: TransportSettings,
    /// Another transport than the live one.
    transport: Option<Arc<dyn DynTransport>>,
    /// How long one check may take.
    timeout: Duration,
    /// How much is kept of delegations and addresses.
    cache_octets: u64,
    /// The caller's own list of Cloudflare's networks.
    cloudflare_ranges: Option<Arc<[Network]>>,
    /// Where trust in signatures starts, where the caller says.
    anchors: Option<Vec<DelegationSigner>>,
    /// Whether lookups tell servers no more of a question than they need.
    minimises: bool,
    /// Whether a check asks the same servers however fast they are.
    is_repeatable: bool,
    /// The counters.
    metrics: Arc<Metrics>,
}

impl CheckerBuilder {
    /// Starts with the public root, port 53 and the house's pace.
    pub(super) fn new() -> Self {
        Self {
            hints: root_hints::public(),
            settings: TransportSettings::default(),
            transport: None,
            timeout: DEFAULT_TIMEOUT,
            cache_octets: DEFAULT_CACHE_OCTETS,
            cloudflare_ranges: None,
            anchors: None,
            minimises: true,
            is_repeatable: false,
            metrics: Arc::default(),
        }
    }

    /// Starts walks at these root servers.
    #[must_use]
    pub fn root_hints(mut self, hints: Vec<(Name, IpAddr)>) -> Self {
        self.hints = hints;
        self
    }

    /// Asks servers at another port than 53.
    #[must_use]
    pub fn dns_port(mut self, port: u16) -> Self {
        self.settings.dns_port = port;
        self
    }

    /// Lets servers live on loopback, private and documentation addresses, as in a lab.
    #[must_use]
    pub fn allow_special_addresses(mut self, allow: bool) -> Self {
        self.settings.policy = if allow { AddressPolicy::allowing_special() } else { AddressPolicy::public() };
        self
    }

    /// Asks servers at their IPv6 addresses too.
    #[must_use]
    pub fn ipv6(mut self, use_ipv6: bool) -> Self {
        self.settings.use_ipv6 = use_ipv6;
        self
    }

    /// Sets how fast servers are asked.
    #[must_use]
    pub fn pace(mut self, limits: PaceLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how often a question is sent over UDP before TCP is tried.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// Asks from this address.
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.settings.bind = Some(address);
        self
    }

    /// Sets how long one check may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many octets of delegations and addresses are kept.
    #[must_use]
    pub fn cache_octets(mut self, octets: u64) -> Self {
        self.cache_octets = octets;
        self
    }

    /// Tells Cloudflare's proxied names by these networks, in place of the built-in ones.
    #[must_use]
    pub fn cloudflare_ranges(mut self, ranges: Vec<Network>) -> Self {
        self.cloudflare_ranges = Some(ranges.into());
        self
    }

    /// Has lookups trust these keys of the root and no others; with none, signatures are not looked at.
    ///
    /// Unless told, it is the public root's keys where the root servers are public, and none with any other root.
    #[must_use]
    pub fn trust_anchors(mut self, anchors: Vec<DelegationSigner>) -> Self {
        self.anchors = Some(anchors);
        self
    }

    /// Sets whether lookups tell servers no more of a question than they need (RFC 9156); checks always ask full names.
    #[must_use]
    pub fn qname_minimization(mut self, minimises: bool) -> Self {
        self.minimises = minimises;
        self
    }

    /// Has a check ask the same servers however fast they are, so that a record of it can be replayed without delays.
    ///
    /// Unless told, a policy above is asked of the server that was the first to say that there is none below.
    #[must_use]
    pub fn repeatable(mut self, is_repeatable: bool) -> Self {
        self.is_repeatable = is_repeatable;
        self
    }

    /// Counts what happens here, in place of counters of its own.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Asks through `transport` instead of sockets: a replay, or one that records.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn DynTransport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Opens the live transport alone, for a transport that wraps it.
    ///
    /// # Errors
    /// [`BuildError::Sockets`]. Must be called within a tokio runtime.
    pub fn live_transport(&self) -> Result<Arc<dyn DynTransport>, BuildError> {
        let live = Live::open_counting(&self.settings, &self.metrics).map_err(BuildError::Sockets)?;
        Ok(live.transport)
    }

    /// Makes the checker.
    ///
    /// # Errors
    /// [`BuildError`]. Must be called within a tokio runtime.
    pub fn build(self) -> Result<Checker, BuildError> {
        if self.hints.is_empty() {
            return Err(BuildError::NoRoot);
        }
        let transport = match &self.transport {
            Some(transport) => Arc::clone(transport),
            None => self.live_transport()?,
        };
        let anchors = self.anchors.unwrap_or_else(|| anchors_of(&self.hints));
        let cache = CutCache::new(root_hints::root_cut(&self.hints), self.cache_octets);
        let walker = Walker::new(Arc::clone(&transport), cache, self.settings.use_ipv6);
        Ok(Checker {
            engine: Arc::new(Engine {
                transport,
                walker,
                turns: Turns::new(self.settings.limits),
                timeout: self.timeout,
                cloudflare_ranges: self.cloudflare_ranges,
                trust: Trust::new(anchors),
                minimises: self.minimises,
                is_repeatable: self.is_repeatable,
                metrics: self.metrics,
            }),
        })
    }
}

/// Returns the built-in anchors where one of the root servers is public: another root has other keys.
fn anchors_of(hints: &[(Name, IpAddr)]) -> Vec<DelegationSigner> {
    let public = root_hints::public();
    let is_public = |(_, address): &(Name, IpAddr)| public.iter().any(|(_, known)| known == address);
    let can_validate = cfg!(feature = "dnssec");
    if can_validate && hints.iter().any(is_public) { anchor::public() } else { Vec::new() }
}
