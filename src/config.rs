//! How the DNS is asked: what flags, variables and a file say, one over the other, checked once.
//!
//! A flag beats a variable, a variable beats the file, the file beats the default. Each default has its unit and its
//! reason here or where it is named.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::check::DEFAULT_TIMEOUT;
use crate::dns::name::Name;
use crate::dnssec::anchor::{self, AnchorError};
use crate::dnssec::record::DelegationSigner;
use crate::expectation::Depth;
use crate::transport::live::DNS_PORT;
use crate::transport::pace::PaceLimits;
use crate::walk::root_hints::{self, HintsError};

/// How many domains are in flight at most: enough to keep 2,000 questions a second going while some wait for dead
/// servers.
pub const DEFAULT_CONCURRENCY: usize = 500;
/// How many questions a second each domain in flight has to itself, as 500 domains have of 2,000: with fewer, questions
/// wait for their turn longer than a check may take.
const QUESTIONS_PER_SECOND_A_DOMAIN: u32 = 4;
/// The most domains in flight: each holds a few kilobytes and up to 300 questions.
const MAX_CONCURRENCY: usize = 100_000;
/// How often a question is sent over UDP before TCP is tried (SECURITY.md, limits).
pub const DEFAULT_ATTEMPTS: u32 = 3;
/// The most tries over UDP: more is harm, not help.
const MAX_ATTEMPTS: u32 = 10;
/// The longest time for a check, in milliseconds: ten minutes.
const MAX_TIMEOUT_MS: u64 = 600_000;

/// What one source says; `None` leaves it to the next.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A file of root servers in the form of `named.root`.
    pub root_hints: Option<PathBuf>,
    /// The port that servers are asked at.
    pub dns_port: Option<u16>,
    /// Whether servers may live on loopback, private and documentation addresses.
    pub allow_special_addresses: Option<bool>,
    /// Whether IPv6 is left out.
    pub no_ipv6: Option<bool>,
    /// Questions per second in all; 0 is no limit.
    pub max_qps: Option<u32>,
    /// Questions per second to one server address; 0 is no limit.
    pub max_qps_per_server: Option<u32>,
    /// How many domains are in flight.
    pub concurrency: Option<usize>,
    /// How long one check may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How often a question is sent over UDP.
    pub attempts: Option<u32>,
    /// The source address.
    pub bind: Option<IpAddr>,
    /// How much is looked at.
    pub depth: Option<DepthWord>,
    /// A file of keys of the root that are trusted, in place of the public root's.
    pub trust_anchor: Option<PathBuf>,
    /// Whether signatures are left alone.
    pub no_dnssec: Option<bool>,
    /// Whether servers are told the whole question from the start.
    pub no_qname_minimization: Option<bool>,
}

/// How much is looked at, as a word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum DepthWord {
    /// [`Depth::Quick`].
    Quick,
    /// [`Depth::Full`].
    Full,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or has a setting that does not exist.
    #[error("{}, line {line}: {text}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
    /// The root servers cannot be read.
    #[error("{}: {source}", path.display())]
    RootHints {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: HintsError,
    },
    /// The trust anchors cannot be read.
    #[error("{}: {source}", path.display())]
    TrustAnchor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: AnchorError,
    },
    /// A number is out of its range.
    #[error("{name} is {value}; expected {least} to {most}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What it is.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
}

/// How the DNS is asked, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The root servers; `None` takes the public ones, or those of the lab.
    pub root_hints: Option<Vec<(Name, IpAddr)>>,
    /// The port that servers are asked at; `None` takes 53, or that of the lab.
    pub dns_port: Option<u16>,
    /// Whether servers may live on special addresses.
    pub allow_special_addresses: bool,
    /// Whether IPv6 is used.
    pub ipv6: bool,
    /// How fast servers are asked.
    pub pace: PaceLimits,
    /// How many domains are in flight.
    pub concurrency: usize,
    /// How long one check may take.
    pub timeout: Duration,
    /// How often a question is sent over UDP.
    pub attempts: u32,
    /// The source address.
    pub bind: Option<IpAddr>,
    /// How much is looked at; `None` leaves it to the command.
    pub depth: Option<Depth>,
    /// The keys of the root that are trusted: `None` takes the public root's, none leaves signatures alone.
    pub anchors: Option<Vec<DelegationSigner>>,
    /// Whether servers are told no more of a looked up question than they need.
    pub minimises: bool,
}

impl Settings {
    /// Reads a file of settings.
    ///
    /// # Errors
    /// [`ConfigError::Read`] and [`ConfigError::File`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            // The text of some errors has lines of its own.
            let message = error.message().lines().collect::<Vec<_>>().join(" ");
            ConfigError::File { path: path.to_owned(), line, text: message }
        })
    }

    /// Fills what is not set here with what `below` says.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            root_hints: self.root_hints.or(below.root_hints),
            dns_port: self.dns_port.or(below.dns_port),
            allow_special_addresses: self.allow_special_addresses.or(below.allow_special_addresses),
            no_ipv6: self.no_ipv6.or(below.no_ipv6),
            max_qps: self.max_qps.or(below.max_qps),
            max_qps_per_server: self.max_qps_per_server.or(below.max_qps_per_server),
            concurrency: self.concurrency.or(below.concurrency),
            timeout_ms: self.timeout_ms.or(below.timeout_ms),
            attempts: self.attempts.or(below.attempts),
            bind: self.bind.or(below.bind),
            depth: self.depth.or(below.depth),
            trust_anchor: self.trust_anchor.or(below.trust_anchor),
            no_dnssec: self.no_dnssec.or(below.no_dnssec),
            no_qname_minimization: self.no_qname_minimization.or(below.no_qname_minimization),
        }
    }
}

impl Config {
    /// Checks the settings, reads the root servers, and fills in the defaults.
    ///
    /// # Errors
    /// Any [`ConfigError`] but [`ConfigError::File`].
    pub fn check(settings: Settings) -> Result<Self, ConfigError> {
        let default_ms = u64::try_from(DEFAULT_TIMEOUT.as_millis()).unwrap_or(MAX_TIMEOUT_MS);
        let timeout_ms = within("timeout-ms", settings.timeout_ms.unwrap_or(default_ms), 1, MAX_TIMEOUT_MS)?;
        let attempts = settings.attempts.unwrap_or(DEFAULT_ATTEMPTS);
        within("attempts", attempts.into(), 1, MAX_ATTEMPTS.into())?;
        let concurrency = settings.concurrency.unwrap_or_else(|| default_concurrency(settings.max_qps));
        let most = u64::try_from(MAX_CONCURRENCY).unwrap_or(u64::MAX);
        within("concurrency", u64::try_from(concurrency).unwrap_or(u64::MAX), 1, most)?;
        within("dns-port", settings.dns_port.unwrap_or(DNS_PORT).into(), 1, u16::MAX.into())?;
        let mut pace = PaceLimits::default();
        if let Some(per_second) = settings.max_qps {
            pace.per_second_in_all = per_second;
        }
        if let Some(per_second) = settings.max_qps_per_server {
            pace = pace.with_per_server(per_second);
        }
        Ok(Self {
            root_hints: settings.root_hints.as_deref().map(read_hints).transpose()?,
            dns_port: settings.dns_port,
            allow_special_addresses: settings.allow_special_addresses.unwrap_or(false),
            ipv6: !settings.no_ipv6.unwrap_or(false),
            pace,
            concurrency,
            timeout: Duration::from_millis(timeout_ms),
            attempts,
            bind: settings.bind,
            depth: settings.depth.map(|word| match word {
                DepthWord::Quick => Depth::Quick,
                DepthWord::Full => Depth::Full,
            }),
            anchors: if settings.no_dnssec.unwrap_or(false) {
                Some(Vec::new())
            } else {
                settings.trust_anchor.as_deref().map(read_anchors).transpose()?
            },
            minimises: !settings.no_qname_minimization.unwrap_or(false),
        })
    }
}

/// Returns how many domains are in flight at this rate in all, where nobody says.
fn default_concurrency(max_qps: Option<u32>) -> usize {
    match max_qps {
        None | Some(0) => DEFAULT_CONCURRENCY,
        Some(rate) => usize::try_from(rate / QUESTIONS_PER_SECOND_A_DOMAIN)
            .map_or(DEFAULT_CONCURRENCY, |fitting| fitting.clamp(1, DEFAULT_CONCURRENCY)),
    }
}

/// Refuses a number that is out of its range.
fn within(name: &'static str, value: u64, least: u64, most: u64) -> Result<u64, ConfigError> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(ConfigError::Range { name, value, least, most }) }
}

/// Reads a file of root servers.
fn read_hints(path: &Path) -> Result<Vec<(Name, IpAddr)>, ConfigError> {
    let text = read_text(path)?;
    root_hints::parse(&text).map_err(|source| ConfigError::RootHints { path: path.to_owned(), source })
}

/// Reads a file of trust anchors.
fn read_anchors(path: &Path) -> Result<Vec<DelegationSigner>, ConfigError> {
    let text = read_text(path)?;
    anchor::parse(&text).map_err(|source| ConfigError::TrustAnchor { path: path.to_owned(), source })
}

/// Reads a text file.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads settings from a file with this text.
    fn read(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        let strip = |error: ConfigError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
        Settings::read(&path).map_err(strip)
    }

    #[test]
    fn the_upper_source_beats_the_lower_and_the_default_is_last() {
        let flags = Settings { dns_port: Some(5300), no_ipv6: Some(false), ..Settings::default() };
        let file = read("dns_port = 53\nno_ipv6 = true\nattempts = 2\ndepth = \"full\"\n").unwrap();
        let config = Config::check(flags.over(file)).unwrap();
        assert_eq!((config.dns_port, config.ipv6, config.attempts), (Some(5300), true, 2));
        assert_eq!((config.depth, config.timeout), (Some(Depth::Full), DEFAULT_TIMEOUT));
        assert_eq!(config.pace, PaceLimits::default());
    }

    #[test]
    fn a_lower_rate_keeps_fewer_domains_in_flight_unless_told() {
        for (max_qps, concurrency, expected) in [
            (None, None, 500),
            (Some(0), None, 500),
            (Some(2000), None, 500),
            (Some(100), None, 25),
            (Some(1), None, 1),
            (Some(100_000), None, 500),
            (Some(100), Some(70), 70),
        ] {
            let settings = Settings { max_qps, concurrency, ..Settings::default() };
            assert_eq!(Config::check(settings).unwrap().concurrency, expected, "{max_qps:?} {concurrency:?}");
        }
    }

    #[test]
    fn zero_is_no_limit() {
        let settings = Settings { max_qps: Some(0), max_qps_per_server: Some(0), ..Settings::default() };
        let pace = Config::check(settings).unwrap().pace;
        assert_eq!((pace.per_second_in_all, pace.ordinary.per_second, pace.anycast.per_second), (0, 0, 0));
        assert_eq!(pace.ordinary.in_flight, PaceLimits::default().ordinary.in_flight);
    }

    #[test]
    fn a_bad_file_is_refused_in_one_line() {
        let error = read("dns_port = 53\nattemps = 2\n").unwrap_err();
        assert!(error.starts_with("config.toml, line 2: unknown field `attemps`"), "{error}");
        let error = read("dns_port = 53\nattempts = \"two\"\n").unwrap_err();
        assert!(error.starts_with("config.toml, line 2: invalid type: string \"two\""), "{error}");
        assert!(read("x =").unwrap_err().starts_with("config.toml, line 1: "));
        let missing = Settings::read(Path::new("missing.toml")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read missing.toml: No such file"), "{missing}");
    }

    #[test]
    fn a_number_out_of_its_range_is_refused() {
        for (settings, error) in [
            (Settings { timeout_ms: Some(0), ..Settings::default() }, "timeout-ms is 0; expected 1 to 600000"),
            (Settings { attempts: Some(11), ..Settings::default() }, "attempts is 11; expected 1 to 10"),
            (Settings { concurrency: Some(0), ..Settings::default() }, "concurrency is 0; expected 1 to 100000"),
            (Settings { dns_port: Some(0), ..Settings::default() }, "dns-port is 0; expected 1 to 65535"),
        ] {
            assert_eq!(Config::check(settings).unwrap_err().to_string(), error);
        }
    }
}
