//! The whole product in one loop.
//!
//! ```text
//! plan (pure): what is left to ask? --nothing--> prove (I/O) --> judge (pure) --> report (pure)
//!   ^                |
//!   |                v
//!   `---- walk to the zone, ask its servers (I/O)
//! ```
//!
//! To prove is to ask for signatures and to verify them: at depth full, where the domain is signed.

mod gather;
pub mod plan;
mod prove;
mod spf;

pub use spf::SpfReview;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{Stream, StreamExt};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use crate::budget::Budget;
use crate::dns::name::Name;
use crate::dns::network::Network;
use crate::dns::public_suffix::is_registry;
use crate::dns::rrset::{Question, Rcode, Record, RecordType};
use crate::dnssec::anchor;
use crate::dnssec::record::DelegationSigner;
use crate::evidence::{Evidence, ZoneCut};
use crate::expectation::Expectation;
use crate::findings::judge;
use crate::metrics::{Event, Metrics, Snapshot};
use crate::report::{Context, Report};
use crate::transport::DynTransport;
use crate::transport::guard::AddressPolicy;
use crate::transport::live::{Live, TransportSettings};
use crate::transport::pace::PaceLimits;
use crate::transport::turns::Turns;
use crate::transport::waiting::within;
use crate::walk::cut_cache::{CutCache, FRESH_ENOUGH_FOR_A_CHECK};
use crate::walk::lookup::{Lookup, LookupFailure};
use crate::walk::machine::Until;
use crate::walk::trust::Trust;
use crate::walk::{Journey, Walker, root_hints};

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

/// Checks sender domains against the authoritative DNS.
///
/// Cheap to clone; clones share what they know of delegations and servers. A check may be dropped at any time.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zoneproof::check::Checker;
/// use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation};
///
/// let checker = Checker::builder().build()?;
/// let expectation = Expectation::new("mail.example.com", &["token1", "token2", "token3"], DEFAULT_DKIM_ZONE)?;
/// let report = checker.check(&expectation).await;
/// println!("{}: {}", report.domain, report.verdict.as_str());
/// for finding in &report.findings {
///     println!("{}", finding.remedy.text);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Checker {
    /// What all clones share.
    engine: Arc<Engine>,
}

/// The left wing: what asks.
struct Engine {
    /// How questions are asked.
    transport: Arc<dyn DynTransport>,
    /// Finds zones.
    walker: Walker,
    /// The queues before busy servers.
    turns: Turns,
    /// How long one check may take.
    timeout: Duration,
    /// The caller's own list of Cloudflare's networks.
    cloudflare_ranges: Option<Arc<[Network]>>,
    /// Where trust in signatures starts; without it lookups do not validate.
    trust: Option<Trust>,
    /// Whether lookups tell servers no more of a question than they need.
    minimises: bool,
    /// Whether a check asks the same servers however fast they are.
    is_repeatable: bool,
    /// The counters.
    metrics: Arc<Metrics>,
}

impl Checker {
    /// Starts with the public root, port 53 and the house's pace.
    #[must_use]
    pub fn builder() -> CheckerBuilder {
        CheckerBuilder {
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

    /// Checks one domain.
    ///
    /// What could not be asked within the time and the budget is `unable_to_check` in the report; there is no error.
    pub async fn check(&self, expectation: &Expectation) -> Report {
        let started = Instant::now();
        let budget = Budget::for_check();
        let span = tracing::info_span!("check", domain = %expectation.domain);
        let evidence = gather::gather(&self.engine, expectation, &budget).instrument(span).await;
        self.engine.metrics.count(Event::Checks);
        if evidence.is_budget_exceeded {
            self.engine.metrics.count(Event::ChecksCutShort);
        }
        let judgement = judge(expectation, &evidence);
        let context = Context { checked_at: Timestamp::now(), elapsed: started.elapsed(), questions: budget.sends() };
        Report::build(expectation, &evidence, &judgement, &context)
    }

    /// Checks many domains, at most `at_once` at the same time; reports come in the order in which they are ready.
    pub fn check_all(
        &self,
        expectations: impl Stream<Item = Expectation>,
        at_once: usize,
    ) -> impl Stream<Item = Report> {
        let checker = self.clone();
        expectations
            .map(move |expectation| {
                let checker = checker.clone();
                async move { checker.check(&expectation).await }
            })
            .buffer_unordered(at_once.max(1))
    }

    /// Looks one name and type up, from the root, over at most 8 aliases, as a validating resolver would.
    ///
    /// What is not known within the time of a check has failed: a limit of ours was met.
    pub async fn lookup(&self, question: &Question) -> Lookup {
        let budget = Budget::for_check();
        let journey = Journey::new(&budget, Duration::MAX).minimising(self.engine.minimises);
        let span = tracing::info_span!("lookup", %question);
        let lookup = self
            .engine
            .walker
            .lookup(question, self.engine.timeout, journey, self.engine.trust.as_ref())
            .instrument(span)
            .await;
        self.engine.metrics.count(Event::Lookups);
        if matches!(lookup.failure, Some(LookupFailure::Bogus(_))) {
            self.engine.metrics.count(Event::LookupsBogus);
        }
        lookup
    }

    /// Returns how often everything that is counted has happened so far, all clones together.
    ///
    /// With a transport of the caller's, what that one counts is here only where [`CheckerBuilder::metrics`] was given the
    /// same counters.
    #[must_use]
    pub fn metrics(&self) -> Snapshot {
        self.engine.metrics.snapshot()
    }

    /// Finds the zones that the expected records lie in and who serves them; checks nothing.
    ///
    /// A few questions: one server's answer for the first key, the domain and the policy. What nobody answers, or not in
    /// time, is left out.
    pub async fn locate(&self, expectation: &Expectation) -> Evidence {
        gather::locate(&self.engine, expectation, &Budget::for_check()).await
    }

    /// Returns the zone around a domain that its registry delegates, and who serves it; asks none of those servers, unless
    /// for the address of one.
    ///
    /// `None` where there is no such zone, or it was not found in time.
    pub async fn delegation(&self, domain: &Name) -> Option<Arc<ZoneCut>> {
        let budget = Budget::for_check();
        let journey = Journey::new(&budget, FRESH_ENOUGH_FOR_A_CHECK);
        let question = Question::new(domain.clone(), RecordType::NS);
        let mut walk = self.engine.walker.walk(question, Until::Zone, journey);
        let found = within(&budget, self.engine.timeout, walk.as_mut()).await?;
        found.cuts.into_iter().next_back().filter(|cut| !is_registry(&cut.zone))
    }

    /// Returns the DS records of a zone, written out and sorted, as one server of its parent gives them; empty where it has
    /// none. Nothing is proven: it serves to see that they change.
    ///
    /// `None` where no server answered, or not in time.
    pub async fn delegation_signers(&self, zone: &Name) -> Option<Vec<String>> {
        let budget = Budget::for_check();
        let journey = Journey::new(&budget, FRESH_ENOUGH_FOR_A_CHECK);
        let question = Question::new(zone.clone(), RecordType::DS);
        let found = self.engine.walker.lookup(&question, self.engine.timeout, journey, None).await;
        let is_own = |record: &&Record| record.owner == *zone && record.kind() == RecordType::DS;
        let mut signers: Vec<String> =
            found.answers.iter().filter(is_own).map(|record| record.rdata.to_string()).collect();
        signers.sort_unstable();
        (found.rcode == Rcode::NOERROR).then_some(signers)
    }

    /// Says whether something seems to answer in the servers' place: a root server spoke without authority.
    #[must_use]
    pub fn has_seen_interception(&self) -> bool {
        self.engine.walker.has_seen_interception()
    }

    /// Says whether any root server answers: without one nothing can be checked.
    pub async fn is_root_answering(&self) -> bool {
        let question = Question::new(Name::root(), RecordType::NS);
        let budget = Budget::for_check();
        let journey = Journey::new(&budget, Duration::MAX);
        self.engine.walker.lookup(&question, self.engine.timeout, journey, None).await.rcode == Rcode::NOERROR
    }
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
