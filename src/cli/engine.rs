//! Puts the checker together: live, over the lab, over a scenario, or recording.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::check::Checker;
use crate::cli::args::ResolverArguments;
use crate::cli::failure::Failure;
use crate::config::{Config, Settings};
use crate::dns::name::Name;
use crate::dns::network::{self, Network};
#[cfg(feature = "lab")]
use crate::lab::{self, Lab};
use crate::metrics::Metrics;
use crate::scenario::Scenario;
use crate::scenario::capture::Capture;
use crate::scenario::expect::{Check, Subject};
use crate::scenario::fixture::Fixture;
use crate::scenario::replay::Replay;
use crate::transport::DynTransport;
use crate::transport::guard::AddressPolicy;
use crate::transport::live::{DNS_PORT, Live, TransportSettings};
use crate::walk::root_hints;

/// A transport that records what comes over the live one.
pub(super) type Recorder = Arc<Capture<Arc<dyn DynTransport>>>;

/// Puts something before a transport.
pub(super) type Wrap = Box<dyn FnOnce(Arc<dyn DynTransport>) -> Arc<dyn DynTransport> + Send>;

/// Who is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source<'a> {
    /// The Internet.
    Live,
    /// The built-in lab.
    #[cfg(feature = "lab")]
    Lab,
    /// A scenario, without sockets.
    Replay(&'a Path),
    /// Records in JSON, without sockets.
    Fixture(&'a Path),
}

/// What is known before anything is asked.
pub(super) struct Plan {
    /// How the DNS is asked.
    pub(super) config: Config,
    /// The scenario of the lab or the replay, and what it is called.
    scenario: Option<(Arc<Scenario>, String)>,
    /// Whether it is served rather than replayed.
    is_served: bool,
    /// The networks that Cloudflare's proxied names answer with, where the built-in ones are not wanted.
    cloudflare_ranges: Option<Vec<Network>>,
    /// The records in JSON that stand for the whole DNS.
    fixture: Option<Arc<Fixture>>,
}

/// A checker, and what it needs to live.
pub(super) struct Engine {
    /// Checks.
    pub(super) checker: Checker,
    /// What the checker starts from.
    pub(super) roots: Vec<(Name, IpAddr)>,
    /// The port that servers are asked at.
    pub(super) port: u16,
    /// Records what servers say, where that is wanted.
    pub(super) recorder: Option<Recorder>,
    /// The lab, which ends when it is dropped.
    #[cfg(feature = "lab")]
    _lab: Option<Lab>,
}

impl Plan {
    /// Reads the settings and the scenario.
    pub(super) fn read(arguments: &ResolverArguments, source: Source<'_>) -> Result<Self, Failure> {
        let file = arguments.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
        let settings = arguments.settings().over(file);
        Ok(match source {
            Source::Live => Self {
                config: Config::check(settings)?,
                scenario: None,
                is_served: false,
                cloudflare_ranges: None,
                fixture: None,
            },
            #[cfg(feature = "lab")]
            Source::Lab => {
                // Our own servers need no mercy unless it is asked for; nobody else is asked.
                let lab = Settings { max_qps: Some(0), max_qps_per_server: Some(0), ..Settings::default() };
                let mut config = Config::check(settings.over(lab))?;
                config.allow_special_addresses = true;
                let name = "the lab".to_owned();
                let scenario = lab::demo().map_err(|error| scenario_failure(Path::new("the lab"), &error))?;
                Self {
                    config,
                    scenario: Some((Arc::new(scenario), name)),
                    is_served: true,
                    cloudflare_ranges: None,
                    fixture: None,
                }
            }
            Source::Replay(path) => {
                let scenario = Some((Arc::new(read_scenario(path)?), path.display().to_string()));
                Self {
                    config: Config::check(settings)?,
                    scenario,
                    is_served: false,
                    cloudflare_ranges: None,
                    fixture: None,
                }
            }
            Source::Fixture(path) => {
                let fixture = Some(Arc::new(read_fixture(path)?));
                let config = Config::check(settings)?;
                Self { config, scenario: None, is_served: false, cloudflare_ranges: None, fixture }
            }
        })
    }

    /// Reads the networks of Cloudflare from a file, where one is given.
    pub(super) fn with_cloudflare_ranges(self, path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(self) };
        let text = fs::read_to_string(path).map_err(|source| Failure::read(path, source))?;
        let ranges =
            network::parse_list(&text).map_err(|source| Failure::Networks { path: path.to_owned(), source })?;
        Ok(Self { cloudflare_ranges: Some(ranges), ..self })
    }

    /// Iterates over the checks that the scenario asks for.
    pub(super) fn checks(&self) -> impl Iterator<Item = &Check> {
        let tasks = self.scenario.iter().flat_map(|(scenario, _)| &scenario.tasks);
        tasks.filter_map(|task| match &task.subject {
            Subject::Check(check) => Some(check),
            Subject::Lookup(_) => None,
        })
    }

    /// Returns the scenario that is served or replayed.
    #[cfg(all(feature = "lab", feature = "ses"))]
    pub(super) fn served_scenario(&self) -> Option<&Arc<Scenario>> {
        self.scenario.as_ref().filter(|_| self.is_served).map(|(scenario, _)| scenario)
    }

    /// Returns what the scenario is called.
    pub(super) fn scenario_name(&self) -> Option<&str> {
        self.scenario.as_ref().map(|(_, name)| name.as_str())
    }

    /// Starts the lab where there is one, and makes the checker.
    pub(super) async fn start(&self, records: bool) -> Result<Engine, Failure> {
        self.start_through(records, None).await
    }

    /// Does the same, with something before the live transport.
    pub(super) async fn start_through(&self, records: bool, wrap: Option<Wrap>) -> Result<Engine, Failure> {
        let config = &self.config;
        let served = self.scenario.as_ref().filter(|_| self.is_served);
        #[cfg(feature = "lab")]
        let lab = match served {
            Some((scenario, _)) => Some(Lab::start(Arc::clone(scenario), None).await?),
            None => None,
        };
        let port = config.dns_port.unwrap_or(DNS_PORT);
        #[cfg(feature = "lab")]
        let port = lab.as_ref().map_or(port, Lab::port);
        let roots = match (&self.scenario, &config.root_hints) {
            _ if self.fixture.is_some() => Fixture::root_hints(),
            (Some((scenario, _)), _) => scenario.root_hints(),
            (None, Some(hints)) => hints.clone(),
            (None, None) => root_hints::public(),
        };
        let metrics = Arc::<Metrics>::default();
        let mut builder = Checker::builder()
            .metrics(Arc::clone(&metrics))
            .root_hints(roots.clone())
            .dns_port(port)
            .allow_special_addresses(config.allow_special_addresses)
            .ipv6(config.ipv6)
            .pace(config.pace)
            .timeout(config.timeout)
            .attempts(config.attempts)
            .qname_minimization(config.minimises)
            .repeatable(records || (self.scenario.is_some() && served.is_none()));
        if let Some(anchors) = &config.anchors {
            builder = builder.trust_anchors(anchors.clone());
        }
        if let Some(address) = config.bind {
            builder = builder.bind(address);
        }
        if let (Some((scenario, _)), None) = (&self.scenario, served) {
            // Through the whole stack, so that a cut reply is asked for over TCP as it is live.
            let replay: Arc<dyn DynTransport> = Arc::new(Replay::new(Arc::clone(scenario)));
            let settings =
                TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
            let live = Live::over_counting(Arc::clone(&replay), replay, &settings, &metrics);
            builder = builder.transport(live.transport);
        }
        if let Some(ranges) = &self.cloudflare_ranges {
            builder = builder.cloudflare_ranges(ranges.clone());
        }
        if let Some(fixture) = &self.fixture {
            builder = builder.transport(Arc::clone(fixture) as Arc<dyn DynTransport>);
        }
        if let Some(wrap) = wrap {
            let live = builder.live_transport()?;
            builder = builder.transport(wrap(live));
        }
        let mut recorder = None;
        if records {
            let live = Arc::new(Capture::new(builder.live_transport()?));
            builder = builder.transport(Arc::clone(&live) as Arc<dyn DynTransport>);
            recorder = Some(live);
        }
        Ok(Engine {
            checker: builder.build()?,
            roots,
            port,
            recorder,
            #[cfg(feature = "lab")]
            _lab: lab,
        })
    }
}

/// Reads a scenario from a file.
pub(super) fn read_scenario(path: &Path) -> Result<Scenario, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::read(path, source))?;
    text.parse().map_err(|error: crate::scenario::ParseError| scenario_failure(path, &error))
}

/// Reads records in JSON from a file.
fn read_fixture(path: &Path) -> Result<Fixture, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::read(path, source))?;
    text.parse().map_err(|source| Failure::Fixture { path: path.to_owned(), source })
}

/// Says what is wrong with a scenario.
fn scenario_failure(path: &Path, error: &crate::scenario::ParseError) -> Failure {
    Failure::Scenario { path: path.to_owned(), text: error.to_string() }
}
