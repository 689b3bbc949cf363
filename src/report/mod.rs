//! The report on one domain: the JSON contract, versioned.
//!
//! Reads what was expected, seen and judged, and puts it together with the remedies; decides nothing but
//! the verdict and the horizons. Names in it are in presentation form with their final dot, except the
//! domain, which is shown as people write it. `fixtures/report.schema.json` is made from these types.

mod bound;
mod build;
mod horizons;
mod reading;
mod ses;
mod texts;
pub mod verdict;
mod zone_version;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "cli")]
pub(crate) use self::build::report_finding;

use crate::expectation::RecordKind;
use crate::findings::{Code, RecordStatus, Severity};
use crate::remedy::Remedy;
pub use ses::{ReportedIdentity, ReportedSes, SesOutcome, SesReason};
pub use verdict::Verdict;

/// The version of the contract; a field may be added without a new one, none may go or change.
pub const SCHEMA: u32 = 1;

/// What a report says of the check itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Context {
    /// When the last reply came.
    pub checked_at: Timestamp,
    /// How long the check took.
    pub elapsed: Duration,
    /// How many questions were sent, retries included.
    pub questions: u32,
}

/// The report on one domain.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// The version of this contract.
    pub schema: u32,
    /// The row of the input that the report belongs to, from 1; only in a bulk run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The sender domain, without its final dot.
    pub domain: String,
    /// When the check ended, in UTC to the second.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub checked_at: Timestamp,
    /// How the domain stands.
    pub verdict: Verdict,
    /// How the DKIM records alone stand, in the same words: what SES looks for, whatever else is required.
    #[serde(default)]
    pub dkim_verdict: Verdict,
    /// The finding that explains the others; null where nothing is wrong.
    #[serde(deserialize_with = "reading::optional_code")]
    pub root_cause: Option<Code>,
    /// The expected records, DKIM first.
    pub records: Vec<ReportedRecord>,
    /// What was found, the root cause first, then by severity.
    pub findings: Vec<ReportedFinding>,
    /// The zones on the way to the records, the root first.
    pub delegation: Vec<ReportedZone>,
    /// Who serves the domain's zone; null where no zone was found.
    pub provider: Option<ReportedProvider>,
    /// Until when resolvers may keep what is no longer so.
    pub horizons: Horizons,
    /// What SES says of the identity, and what it means beside the verdict; null where SES was not asked.
    pub ses: Option<ReportedSes>,
    /// What the check cost.
    pub cost: Cost,
}

impl Report {
    /// Returns the JSON Schema of the report, as `fixtures/report.schema.json` holds it.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}

/// How one expected record stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedRecord {
    /// What the record is for.
    #[serde(deserialize_with = "reading::kind")]
    pub kind: RecordKind,
    /// The deepest zone that the name lies in; null where the way there is not known.
    pub zone: Option<Arc<str>>,
    /// The owner name.
    pub name: Arc<str>,
    /// The type.
    #[serde(rename = "type")]
    pub record_type: Cow<'static, str>,
    /// What it should hold: the CNAME's target, the SPF term, or the beginning of a DMARC policy.
    pub expected: String,
    /// How it stands.
    #[serde(deserialize_with = "reading::status")]
    pub status: RecordStatus,
    /// What is not right; null where the record is.
    #[serde(deserialize_with = "reading::optional_code")]
    pub code: Option<Code>,
    /// The records that were found for it, at its own name or at a wrong one.
    pub found: Vec<FoundRecord>,
    /// What each server address of the zone said, sorted by name and address.
    pub servers: Vec<ServerReply>,
}

/// A record that was found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FoundRecord {
    /// The owner name.
    pub name: Arc<str>,
    /// The type.
    #[serde(rename = "type")]
    pub record_type: Cow<'static, str>,
    /// The time to live in seconds.
    pub ttl: u32,
    /// The data in presentation form, cut where it is long.
    pub data: String,
}

/// What one server address said.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServerReply {
    /// The server's name.
    pub name: Arc<str>,
    /// The address that was asked.
    pub address: IpAddr,
    /// What came back: `answer`, `alias`, `nodata`, `nxdomain`, `referral`, `lame`, `rcode:NAME`, `timeout`,
    /// `refused_connection`, `malformed` or `not_asked`.
    pub outcome: Cow<'static, str>,
    /// Whether the reply claimed authority; null without a reply.
    pub aa: Option<bool>,
    /// The time to live of the answer in seconds; null without one.
    pub ttl: Option<u32>,
    /// The data in presentation form, sorted, cut where it is long.
    pub data: Arc<[String]>,
    /// How long the reply took in milliseconds, or how long was waited; null where it was not asked.
    pub rtt_ms: Option<f64>,
    /// How the last try travelled; null where it was not asked.
    pub transport: Option<ReportedTransport>,
}

/// How a question travelled.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportedTransport {
    /// One datagram each way.
    Udp,
    /// A stream.
    Tcp,
}

/// Something that was found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedFinding {
    /// What it is.
    #[serde(deserialize_with = "reading::code")]
    pub code: Code,
    /// How bad it is.
    #[serde(deserialize_with = "reading::severity")]
    pub severity: Severity,
    /// What the record is for; null where the finding is about a zone, a server or the domain.
    #[serde(deserialize_with = "reading::optional_kind")]
    pub kind: Option<RecordKind>,
    /// The name of the record, the zone, the server or the domain that the finding is about.
    pub record: String,
    /// What the words for it need, by name.
    pub arguments: BTreeMap<String, ArgumentValue>,
    /// The replies that prove it.
    pub evidence: Vec<Quote>,
    /// What to do about it.
    pub remedy: Remedy,
}

/// The value of an argument.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum ArgumentValue {
    /// A number.
    Number(u64),
    /// A name, or text with what does not print escaped.
    Text(String),
    /// Names or addresses, sorted.
    List(Vec<String>),
}

/// A reply that proves a finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Quote {
    /// What was asked: name and type.
    pub question: String,
    /// The server address that was asked.
    pub server: IpAddr,
    /// What came back, in the words of `records[].servers[].outcome`.
    pub outcome: Cow<'static, str>,
    /// The data in presentation form, sorted, cut where it is long.
    pub data: Vec<String>,
    /// The server's name.
    pub name: String,
}

/// A zone and who serves it, as its parent says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedZone {
    /// The zone.
    pub zone: Arc<str>,
    /// Its servers, sorted by name.
    pub servers: Vec<ReportedServer>,
    /// The newest start of authority that its servers gave; null where none did, as it is not asked for on its own.
    #[serde(default)]
    pub soa: Option<ReportedSoa>,
}

/// Which version of a zone its servers have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedSoa {
    /// The primary server (MNAME).
    pub primary: String,
    /// The version of the zone.
    pub serial: u32,
    /// For how many seconds resolvers may remember that a name is not there (RFC 2308 §5), at most 3 hours.
    pub negative_seconds: u32,
}

/// A server of a zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedServer {
    /// The server's name.
    pub name: Arc<str>,
    /// Its addresses, sorted; empty where none was found.
    pub addresses: Vec<IpAddr>,
}

/// Who serves a zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportedProvider {
    /// The id of the provider; `mixed` where several serve the zone, `unknown` where its servers are not known.
    pub id: String,
    /// Its name as people know it, or the names of the servers.
    pub name: String,
}

/// Until when resolvers may keep what is no longer so; null where nothing old is about.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Horizons {
    /// Until when they may remember that a record is not there (RFC 2308 §5).
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub negative_until: Option<Timestamp>,
    /// Until when they may remember a wrong record.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub positive_until: Option<Timestamp>,
    /// Until when they may remember other name servers.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub delegation_until: Option<Timestamp>,
}

/// What a check cost.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Cost {
    /// How many questions were sent, retries included.
    pub questions: u32,
    /// How long the check took in milliseconds, to a tenth.
    pub elapsed_ms: f64,
}

#[cfg(test)]
mod tests;
