//! The options of every command that asks the DNS.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use crate::config::{DepthWord, Settings};

/// How the DNS is asked; every option is also a variable, such as ZONEPROOF_MAX_QPS, and a line of the --config file,
/// such as max_qps = 100.
#[derive(Args, Debug)]
#[command(next_help_heading = "Resolver options (also ZONEPROOF_* variables, and settings of the --config file)")]
pub(crate) struct ResolverArguments {
    /// Read settings from a TOML file: the names of these options with _ for -
    #[arg(long, value_name = "FILE", env = "ZONEPROOF_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
    /// Start from these root servers, in the form of named.root
    #[arg(long, value_name = "FILE", env = "ZONEPROOF_ROOT_HINTS", hide_env = true)]
    pub(crate) root_hints: Option<PathBuf>,
    /// The port that servers are asked at [default: 53]
    #[arg(long, value_name = "N", env = "ZONEPROOF_DNS_PORT", hide_env = true)]
    pub(crate) dns_port: Option<u16>,
    /// Let servers live on loopback, private and documentation addresses, as in a lab
    #[arg(long, env = "ZONEPROOF_ALLOW_SPECIAL_ADDRESSES", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES|NO")]
    #[arg(value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub(crate) allow_special_addresses: Option<bool>,
    /// Ask over IPv4 only
    #[arg(long, env = "ZONEPROOF_NO_IPV6", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES|NO")]
    #[arg(value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub(crate) no_ipv6: Option<bool>,
    /// Questions per second in all; 0 is no limit [default: 2000]
    #[arg(long, value_name = "N", env = "ZONEPROOF_MAX_QPS", hide_env = true)]
    pub(crate) max_qps: Option<u32>,
    /// Questions per second to one server address; 0 is no limit [default: 20; 200 for root, TLD and big anycast
    /// servers]
    #[arg(long, value_name = "N", env = "ZONEPROOF_MAX_QPS_PER_SERVER", hide_env = true)]
    pub(crate) max_qps_per_server: Option<u32>,
    /// Domains in flight at the same time [default: 500, or a quarter of --max-qps where that is less]
    #[arg(long, value_name = "N", env = "ZONEPROOF_CONCURRENCY", hide_env = true)]
    pub(crate) concurrency: Option<usize>,
    /// The time for one whole check, in milliseconds [default: 30000]
    #[arg(long, value_name = "N", env = "ZONEPROOF_TIMEOUT_MS", hide_env = true)]
    pub(crate) timeout_ms: Option<u64>,
    /// Tries over UDP before TCP is tried [default: 3]
    #[arg(long, value_name = "N", env = "ZONEPROOF_ATTEMPTS", hide_env = true)]
    pub(crate) attempts: Option<u32>,
    /// The source address to ask from
    #[arg(long, value_name = "ADDRESS", env = "ZONEPROOF_BIND", hide_env = true)]
    pub(crate) bind: Option<IpAddr>,
    /// How much is looked at: quick is the expected records, full is zone health too [default: full in check, quick in
    /// bulk]
    #[arg(long, value_enum, value_name = "DEPTH", env = "ZONEPROOF_DEPTH", hide_env = true)]
    pub(crate) depth: Option<DepthChoice>,
    /// Trust these keys of the root, DS or DNSKEY records one a line, instead of the public root's, which are not trusted
    /// with the servers of another root
    #[arg(long, value_name = "FILE", env = "ZONEPROOF_TRUST_ANCHOR", hide_env = true)]
    pub(crate) trust_anchor: Option<PathBuf>,
    /// Do not check signatures (DNSSEC)
    #[arg(long, env = "ZONEPROOF_NO_DNSSEC", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES|NO")]
    #[arg(value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub(crate) no_dnssec: Option<bool>,
    /// Tell every server on the way of a lookup the whole question, as checks do
    #[arg(long, env = "ZONEPROOF_NO_QNAME_MINIMIZATION", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES|NO")]
    #[arg(value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub(crate) no_qname_minimization: Option<bool>,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum DepthChoice {
    /// The expected records, with the fewest questions
    Quick,
    /// Zone health too
    Full,
}

impl ResolverArguments {
    /// Returns what flags and variables say.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            root_hints: self.root_hints.clone(),
            dns_port: self.dns_port,
            allow_special_addresses: self.allow_special_addresses,
            no_ipv6: self.no_ipv6,
            max_qps: self.max_qps,
            max_qps_per_server: self.max_qps_per_server,
            concurrency: self.concurrency,
            timeout_ms: self.timeout_ms,
            attempts: self.attempts,
            bind: self.bind,
            depth: self.depth.map(|depth| match depth {
                DepthChoice::Quick => DepthWord::Quick,
                DepthChoice::Full => DepthWord::Full,
            }),
            trust_anchor: self.trust_anchor.clone(),
            no_dnssec: self.no_dnssec,
            no_qname_minimization: self.no_qname_minimization,
        }
    }
}
