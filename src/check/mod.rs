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

mod builder;
mod gather;
pub mod plan;
mod prove;
mod spf;

pub use builder::{BuildError, CheckerBuilder, DEFAULT_CACHE_OCTETS, DEFAULT_TIMEOUT};
pub use spf::SpfReview;

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
use crate::evidence::{Evidence, ZoneCut};
use crate::expectation::Expectation;
use crate::findings::judge;
use crate::metrics::{Event, Metrics, Snapshot};
use crate::report::{Context, Report};
use crate::transport::DynTransport;
use crate::transport::turns::Turns;
use crate::transport::waiting::within;
use crate::walk::cut_cache::FRESH_ENOUGH_FOR_A_CHECK;
use crate::walk::lookup::{Lookup, LookupFailure};
use crate::walk::machine::Until;
use crate::walk::trust::Trust;
use crate::walk::{Journey, Walker};

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
        CheckerBuilder::new()
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
