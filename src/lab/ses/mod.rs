//! An Amazon SES in a process: the SES API v2 over HTTP on loopback, for people, demos, tests and whole runs of the program.
//!
//! Its replies have the shape of Amazon's own service model, against which `tests/peers/ses_boto3.py` holds them.
//! Identities become verified, fail and are lost by looking at a lab's DNS the way Amazon SES does, on a clock that can
//! be moved ([`track`] draws how). What a client must live through comes on demand: throttling, quotas, errors, replies
//! that are late, torn or lies ([`fault`]). What a client asked is counted ([`counters`]).
//!
//! The credential scope of a call (Signature Version 4) says which region it is for; the signature is not verified, so
//! that any key will do. `/_lab/` is for whoever runs the lab (`control.rs` lists its paths); nothing of that is in the
//! real service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use zoneproof::lab::{self, Lab};
//! use zoneproof::lab::ses::{SesLab, SesSettings};
//!
//! let dns = Lab::start(Arc::new(lab::demo()?), None).await?;
//! let ses = SesLab::start(&SesSettings::default(), dns.root_hints(), dns.port()).await?;
//! ses.populate(dns.scenario());
//! println!("AWS_ENDPOINT_URL_SESV2={}", ses.endpoint());
//! # Ok(())
//! # }
//! ```

mod account;
mod clock;
mod control;
pub mod counters;
mod error;
mod eyes;
pub mod fault;
mod identity;
mod looking;
mod metrics;
mod operation;
mod own_key;
mod paging;
mod population;
mod region;
mod routes;
mod sending;
mod signature;
mod telling;
mod token;
pub mod track;
mod wire;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::account::Account;
use self::clock::Clock;
use self::counters::Counters;
use self::eyes::Eyes;
use self::fault::{Fault, Faults};
use self::metrics::Metrics;
use crate::check::{BuildError, Checker};
use crate::dns::name::Name;
use crate::scenario::Scenario;
use crate::transport::pace::PaceLimits;
pub use control::{Change, Sees, Standing};
pub use operation::Operation;
pub use words::{IdentityKind, KeyLength, OnMxFailure, Status, VerificationError};

/// The region that the identities of the demo are in.
pub const HOME_REGION: &str = "eu-west-1";
/// How many identities a region may have (Amazon SES developer guide, service quotas).
pub const DEFAULT_MAX_IDENTITIES: usize = 10_000;
/// The seed of tokens and faults where none is told: the date of RFC 6376.
pub const DEFAULT_SEED: u64 = 201_109;
/// How often a question is sent over UDP before TCP: nothing is lost on loopback, and a silent server stays silent.
const UDP_ATTEMPTS: u32 = 1;
/// The access key, and its secret too, that calls may be signed with; any other one will do as well.
pub const ACCESS_KEY: &str = "lab";

/// How an SES is to be.
#[derive(Clone, Debug)]
pub struct SesSettings {
    /// Where it listens on 127.0.0.1; at a port that is free where it is zero.
    pub port: u16,
    /// What tokens and faults come from.
    pub seed: u64,
    /// What time it is at the start; the real time where it is not told.
    pub start: Option<Timestamp>,
    /// How many of its seconds go by in a real one; with none its clock stands still until it is moved.
    pub speed: u32,
    /// How many calls a second the account may make that manage identities; nobody is slowed where it is not told.
    pub calls_per_second: Option<NonZeroU32>,
    /// How many identities a region may have.
    pub max_identities: usize,
}

impl Default for SesSettings {
    fn default() -> Self {
        Self {
            port: 0,
            seed: DEFAULT_SEED,
            start: None,
            speed: 1,
            calls_per_second: None,
            max_identities: DEFAULT_MAX_IDENTITIES,
        }
    }
}

/// Why an SES cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SesLabError {
    /// The port cannot be had.
    #[error("cannot listen at port {port} of 127.0.0.1 for the lab's Amazon SES")]
    Listen {
        /// The port.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The lab's DNS cannot be asked.
    #[error(transparent)]
    Dns(#[from] BuildError),
}

/// What the calls, the clock and the looks share.
struct Shared {
    /// The account.
    account: Mutex<Account>,
    /// Looks at the DNS.
    eyes: Eyes,
    /// Held by the round of looks that is going on.
    turn: tokio::sync::Mutex<()>,
    /// Told when something may be due.
    woken: Notify,
    /// Closed when the SES stops.
    stopping: watch::Receiver<()>,
}

impl Shared {
    /// Takes the account.
    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the SES stops.
    async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // Nothing is ever sent; the error is that the sender is gone.
        while stopping.changed().await.is_ok() {}
    }
}

/// An SES that is being served; dropping it ends all connections.
pub struct SesLab {
    /// What the calls, the clock and the looks share.
    shared: Arc<Shared>,
    /// Where it listens.
    address: SocketAddr,
    /// Dropped to stop.
    _stop: watch::Sender<()>,
}

impl SesLab {
    /// Starts to serve, with no identity, over the DNS that these root servers lead to. Runs inside a tokio runtime.
    ///
    /// # Errors
    /// [`SesLabError`]; then nothing is served.
    pub async fn start(
        settings: &SesSettings,
        root_hints: Vec<(Name, IpAddr)>,
        dns_port: u16,
    ) -> Result<Self, SesLabError> {
        let port = settings.port;
        let unheard = |source| SesLabError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let pace = PaceLimits { per_second_in_all: 0, ..PaceLimits::default().with_per_server(0) };
        let checker = Checker::builder()
            .root_hints(root_hints)
            .dns_port(dns_port)
            .allow_special_addresses(true)
            .pace(pace)
            .attempts(UDP_ATTEMPTS)
            .build()?;
        let (stop, stopping) = watch::channel(());
        let shared = Arc::new(Shared {
            account: Mutex::new(account(settings)),
            eyes: Eyes::new(checker),
            turn: tokio::sync::Mutex::default(),
            woken: Notify::new(),
            stopping,
        });
        let router = routes::routes().merge(control::routes()).with_state(Arc::clone(&shared));
        let (served, watched) = (Arc::clone(&shared), Arc::clone(&shared));
        tokio::spawn(async move {
            let stopped = async move { served.stopped().await };
            // Serving has no errors of its own: a connection that cannot be taken is tried again.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        tokio::spawn(async move {
            let stopped = Arc::clone(&watched);
            tokio::select! {
                () = looking::watch(watched) => {}
                () = stopped.stopped() => {}
            }
        });
        Ok(Self { shared, address, _stop: stop })
    }

    /// Returns the URL to call.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the variables that lead an AWS SDK here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_SESV2", self.endpoint()),
            ("AWS_REGION", HOME_REGION.to_owned()),
            ("AWS_DEFAULT_REGION", HOME_REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.to_owned()),
        ]
    }

    /// Has an identity for each tenant of a scenario, and returns how many tenants that are.
    ///
    /// Each has the tokens of its check, and stands as its expected verdict suggests or, now and then, otherwise; a
    /// tenant without an expected verdict begins to be verified. A replica's parent comes along in its own region. No
    /// question is asked for it. What stands there already is replaced.
    pub fn populate(&self, scenario: &Scenario) -> usize {
        let count = self.shared.lock().populate(scenario);
        self.shared.woken.notify_one();
        count
    }

    /// Has the domains of a scenario get the tokens that its checks expect, once they are made; makes none.
    pub fn learn_tokens(&self, scenario: &Scenario) {
        self.shared.lock().learn_tokens(scenario);
    }

    /// Returns what time it is here.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.lock().clock.at(Instant::now())
    }

    /// Moves the clock forward, looks at everything that was due on the way, and returns how many domains that were.
    ///
    /// Each is looked at once, and what was seen counts for every look that was due: nothing changed meanwhile.
    pub async fn advance(&self, by: Duration) -> usize {
        let looked_at = looking::look_after(&self.shared, |account| account.clock.advance(by, Instant::now())).await;
        self.shared.woken.notify_one();
        looked_at
    }

    /// Looks at all domains now, whatever is due, and returns how many that were.
    pub async fn look_now(&self) -> usize {
        let looked_at = looking::look_after(&self.shared, |account| account.look_soon(None)).await;
        self.shared.woken.notify_one();
        looked_at
    }

    /// Puts other faults in the place of those before; without any, all is well again.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.lock().faults.set(faults);
    }

    /// Changes how an identity stands, or what is seen of it; returns whether there is such an identity.
    pub fn change(&self, region: &str, name: &str, change: &Change) -> bool {
        let is_there = self.shared.lock().change(region, name, change);
        self.shared.woken.notify_one();
        is_there
    }

    /// Returns how an identity stands.
    #[must_use]
    pub fn standing(&self, region: &str, name: &str) -> Option<Standing> {
        self.shared.lock().standing(region, name)
    }

    /// Returns what was asked so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }
}

/// Makes an account that nobody used yet.
fn account(settings: &SesSettings) -> Account {
    let start = settings.start.unwrap_or_else(Timestamp::now);
    Account {
        clock: Clock::start(start, settings.speed, Instant::now()),
        faults: Faults::new(settings.seed),
        counters: Counters::default(),
        identities: BTreeMap::new(),
        metrics: Metrics::default(),
        is_paused: false,
        known_tokens: HashMap::new(),
        seed: settings.seed,
        max_identities: settings.max_identities,
        pause: settings.calls_per_second.map(pause),
        next_call: None,
    }
}

/// Returns how much time lies between two calls at a rate.
fn pause(per_second: NonZeroU32) -> Duration {
    Duration::from_secs(1) / per_second.get()
}
