//! What can be typed of the stored fleet.

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::{Requirement, ResolverArguments};
use crate::cli::examples;
use crate::store::{DomainState, EventKind};

/// Which database.
#[derive(Args, Debug)]
pub(crate) struct DatabaseArguments {
    /// The database of the fleet: sqlite:PATH, or postgres://USER@HOST/NAME for several machines
    #[arg(long, value_name = "URL", env = "ZONEPROOF_DATABASE", hide_env = true)]
    pub(crate) database: String,
}

/// What `worker` takes.
#[derive(Args, Debug)]
pub(crate) struct WorkerArguments {
    /// The database.
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// Check what is due, and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Post no webhooks; another worker does
    #[arg(long)]
    pub(crate) no_webhooks: bool,
    /// Start the built-in lab on loopback and ask it instead of the Internet, and its Amazon SES with --ses
    #[cfg(feature = "lab")]
    #[arg(long)]
    pub(crate) lab: bool,
    /// What the verdicts depend on too
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',')]
    pub(crate) require: Vec<Requirement>,
    /// Amazon SES.
    #[cfg(feature = "ses")]
    #[command(flatten)]
    pub(crate) ses: FeedArguments,
    /// How long a silent process counts as alive.
    #[command(flatten)]
    pub(crate) term: TermArguments,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// Whether Amazon SES is asked of a fleet.
#[cfg(feature = "ses")]
#[derive(Args, Debug)]
pub(crate) struct FeedArguments {
    /// Ask Amazon SES too: it says whether a domain is verified, and the DNS explains it
    #[arg(long)]
    pub(crate) ses: bool,
    /// Calls to Amazon SES per second, such as 0.5; 0 is no limit [default: 1; no limit with --lab]
    #[arg(long, value_name = "N", requires = "ses", env = "ZONEPROOF_SES_QPS", hide_env = true)]
    pub(crate) ses_qps: Option<f64>,
    /// The AWS region of the identities [default: that of AWS_REGION or the profile]
    #[arg(long, value_name = "REGION", requires = "ses")]
    pub(crate) region: Option<String>,
    /// How often Amazon SES is asked what changed, in seconds
    #[arg(long, value_name = "N", default_value_t = 900, requires = "ses")]
    pub(crate) ses_every: u64,
    /// Have Amazon SES create the identities that it does not have of stored domains
    #[arg(long, requires = "ses")]
    pub(crate) create_identities: bool,
}

/// How long a silent process counts as alive.
#[derive(Args, Debug)]
pub(crate) struct TermArguments {
    /// For how many seconds others leave this process's work alone after it went silent; 4 at least
    #[arg(long, value_name = "N", default_value_t = 60, env = "ZONEPROOF_LEASE_SECONDS", hide_env = true)]
    pub(crate) lease_seconds: u64,
}

/// What `report` takes.
#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// The database.
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Summary)]
    pub(crate) format: ReportFormat,
    /// Only the domains of this tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Only domains in this state; not of the summary
    #[arg(long, value_name = "STATE", value_parser = read_state)]
    pub(crate) state: Option<DomainState>,
    /// Only domains served by this DNS provider; not of the summary
    #[arg(long, value_name = "ID")]
    pub(crate) provider: Option<String>,
}

/// How a fleet is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One page: by state, verdict, root cause, provider and age
    Summary,
    /// A domain a line, in JSON, with its last report
    Jsonl,
    /// A domain a line, in CSV
    Csv,
}

/// What can be done with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Post events to a URL from now on; prints the secret that signs them
    #[command(after_help = examples::WEBHOOKS_ADD)]
    Add {
        /// The database.
        #[command(flatten)]
        database: DatabaseArguments,
        /// Where to post to: https, at an address of the Internet
        url: String,
        /// Only events of this tenant's domains
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
        /// Only these kinds of events: verified, degraded, lost, recovered
        #[arg(long = "on", value_name = "KINDS", value_delimiter = ',', value_parser = read_kind)]
        kinds: Vec<EventKind>,
        /// Let the URL be http, and at a loopback, private or documentation address
        #[arg(long)]
        allow_special_addresses: bool,
    },
    /// List where events are posted to
    List {
        /// The database.
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Post no more to one of them; what it is still owed goes too
    Remove {
        /// The database.
        #[command(flatten)]
        database: DatabaseArguments,
        /// Its id, as list shows it
        id: String,
    },
    /// List what was given up
    Dead {
        /// The database.
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Post again what was given up: all of it, or that of one URL, or one message
    Replay {
        /// The database.
        #[command(flatten)]
        database: DatabaseArguments,
        /// Only what went to this one, by its id
        #[arg(long, value_name = "ID")]
        endpoint: Option<String>,
        /// Only this message, by its id
        #[arg(long, value_name = "ID")]
        delivery: Option<String>,
    },
}

/// Reads the word of a state.
fn read_state(word: &str) -> Result<DomainState, String> {
    DomainState::from_word(word)
        .ok_or_else(|| format!("expected one of {}", words(DomainState::ALL, DomainState::as_str)))
}

/// Reads the word of a kind of event.
fn read_kind(word: &str) -> Result<EventKind, String> {
    EventKind::from_word(word).ok_or_else(|| format!("expected one of {}", words(EventKind::ALL, EventKind::as_str)))
}

/// Lists words.
fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ")
}
