//! A [`Transport`] that answers lookups from one JSON object, in the layout of the published RFC 7208 suite's zonedata.
//!
//! ```json
//! {
//!   "example.com": [{"SPF": "v=spf1 mx -all"}, {"MX": [10, "mail.example.com"]}, {"A": "192.0.2.1"}],
//!   "mail.example.com": [{"AAAA": "2001:db8::1"}, "TIMEOUT"],
//!   "old.example.com": [{"SPF": ["v=spf1 ", "-all"]}, {"TXT": "NONE"}]
//! }
//! ```
//!
//! Names are taken letter by letter, dots apart: nothing is an escape, and a final dot is nothing.
//!
//! - `"TIMEOUT"` as an entry: every type that is not listed before it times out; `{TYPE: "TIMEOUT"}`: that type does.
//! - TXT and SPF hold a string, or a list of the strings of one record. An SPF entry is served as TXT too, behind all
//!   other entries, unless the name has a TXT entry; `{"TXT": "NONE"}` is one that serves nothing.
//! - A name that is not listed is NXDOMAIN; a type that is not listed is NODATA, or the name's CNAME.
//!
//! One made-up root server is in charge of all names, so that a walk ends there.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::dns::message::{Flags, Message};
use crate::dns::name::{Name, NameError};
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use crate::evidence::{Flaws, Silence};
use crate::transport::{Exchange, Query, Transport};

/// The address of the one server (RFC 5737).
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));
/// The time to live of every record, in seconds.
const TTL_SECONDS: u32 = 300;
/// The longest character-string (RFC 1035 §3.3).
const MAX_STRING_OCTETS: usize = 255;
/// What stands for silence.
const TIMEOUT: &str = "TIMEOUT";
/// What stands for no record, of TXT and SPF.
const NONE: &str = "NONE";

/// Why a text is no fixture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// It is no JSON object.
    #[error("expected one JSON object")]
    NoObject(#[source] serde_json::Error),
    /// A name has no list.
    #[error("{0:?}: expected a list of {{TYPE: value}} and \"TIMEOUT\"")]
    NoList(String),
    /// A value is not as its type wants it.
    #[error("{name:?}: {value} is no value of {kind}")]
    BadValue {
        /// The owner name.
        name: String,
        /// The type, as written.
        kind: String,
        /// The value.
        value: Value,
    },
}

/// One entry of a name, in the order written.
#[derive(Clone, Debug)]
enum Entry {
    /// A record.
    Record(Rdata),
    /// Nothing is said to a question for this type.
    SilentFor(RecordType),
    /// Nothing is said to any question that got no answer before.
    Silent,
}

/// Answers from JSON.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    /// What every name has.
    names: HashMap<Name, Vec<Entry>>,
}

impl Fixture {
    /// Returns the one root server to start walks from.
    #[must_use]
    pub fn root_hints() -> Vec<(Name, IpAddr)> {
        let name = Name::from_labels([b"fixture".as_slice()]).unwrap_or_else(|_| Name::root());
        vec![(name, SERVER)]
    }

    /// Says what is answered to a question; `None` is silence.
    fn reply(&self, question: &Question) -> Option<Message> {
        let flags = Flags { is_reply: true, authoritative: true, ..Flags::default() };
        let mut reply = Message { flags, question: Some(question.clone()), ..Message::default() };
        let Some(entries) = self.names.get(&question.name) else {
            reply.rcode = if question.name.is_root() { Rcode::NOERROR } else { Rcode::NXDOMAIN };
            return Some(reply);
        };
        let mut aliases = Vec::new();
        for entry in entries {
            match entry {
                Entry::Record(rdata) if rdata.kind() == question.kind => reply.answers.push(record(question, rdata)),
                Entry::Record(rdata @ Rdata::Cname(_)) => aliases.push(record(question, rdata)),
                Entry::Record(_) => {}
                Entry::SilentFor(kind) if *kind == question.kind => return None,
                Entry::SilentFor(_) => {}
                Entry::Silent if reply.answers.is_empty() && aliases.is_empty() => return None,
                Entry::Silent => break,
            }
        }
        if reply.answers.is_empty() {
            reply.answers = aliases;
        }
        Some(reply)
    }
}

/// Writes a record at the question's name.
fn record(question: &Question, rdata: &Rdata) -> Record {
    Record { owner: question.name.clone(), ttl: Ttl::from_wire(TTL_SECONDS), rdata: rdata.clone() }
}

impl Transport for Fixture {
    async fn exchange(&self, query: &Query) -> Exchange {
        let outcome = if query.budget.spend_send() {
            self.reply(&query.question).map(Arc::new).ok_or(Silence::Timeout)
        } else {
            Err(Silence::Limit)
        };
        Exchange { outcome, rtt: Duration::ZERO, protocol: query.protocol, flaws: Flaws::default() }
    }
}

impl FromStr for Fixture {
    type Err = FixtureError;

    /// Reads the layout that the module tells of; a name that no question can have is left out.
    fn from_str(text: &str) -> Result<Self, FixtureError> {
        let names: Map<String, Value> = serde_json::from_str(text).map_err(FixtureError::NoObject)?;
        let mut fixture = Self::default();
        for (name, list) in names {
            let Value::Array(list) = list else { return Err(FixtureError::NoList(name)) };
            let entries = read_entries(&name, &list)?;
            if let Ok(name) = read_name(&name) {
                fixture.names.entry(name).or_default().extend(entries);
            }
        }
        Ok(fixture)
    }
}

/// Reads the list of one name.
fn read_entries(name: &str, list: &[Value]) -> Result<Vec<Entry>, FixtureError> {
    let (mut entries, mut served_as_txt) = (Vec::new(), Vec::new());
    let mut has_txt = false;
    for item in list {
        let fields = match item {
            Value::String(word) if word == TIMEOUT => {
                entries.push(Entry::Silent);
                continue;
            }
            Value::Object(fields) => fields,
            _ => return Err(FixtureError::NoList(name.to_owned())),
        };
        for (word, value) in fields {
            let bad = || FixtureError::BadValue { name: name.to_owned(), kind: word.clone(), value: value.clone() };
            let kind = word.parse::<RecordType>().map_err(|_| bad())?;
            let is_text = matches!(kind, RecordType::TXT | RecordType::SPF);
            has_txt |= kind == RecordType::TXT;
            match value.as_str() {
                Some(TIMEOUT) => entries.push(Entry::SilentFor(kind)),
                Some(NONE) if is_text => {}
                _ => {
                    entries.push(Entry::Record(read_rdata(kind, value).ok_or_else(bad)?));
                    if let (RecordType::SPF, Some(strings)) = (kind, read_strings(value)) {
                        served_as_txt.push(Entry::Record(Rdata::Txt(strings)));
                    }
                }
            }
        }
    }
    if !has_txt {
        entries.append(&mut served_as_txt);
    }
    Ok(entries)
}

/// Reads one value.
fn read_rdata(kind: RecordType, value: &Value) -> Option<Rdata> {
    let host = |value: &Value| read_name(value.as_str()?).ok();
    Some(match kind {
        RecordType::A => Rdata::A(value.as_str()?.parse().ok()?),
        RecordType::AAAA => Rdata::Aaaa(value.as_str()?.parse().ok()?),
        RecordType::CNAME => Rdata::Cname(host(value)?),
        RecordType::NS => Rdata::Ns(host(value)?),
        RecordType::PTR => Rdata::Ptr(host(value)?),
        RecordType::TXT => Rdata::Txt(read_strings(value)?),
        RecordType::MX => match value.as_array()?.as_slice() {
            [preference, exchange] => {
                Rdata::Mx { preference: preference.as_u64()?.try_into().ok()?, exchange: host(exchange)? }
            }
            _ => return None,
        },
        RecordType::SPF => {
            let mut octets = Vec::new();
            for part in read_strings(value)?.iter().flat_map(|string| string.chunks(MAX_STRING_OCTETS)) {
                octets.push(u8::try_from(part.len()).ok()?);
                octets.extend_from_slice(part);
            }
            Rdata::Other { kind, octets: octets.into() }
        }
        _ => return None,
    })
}

/// Reads the strings of a TXT or SPF record.
fn read_strings(value: &Value) -> Option<Vec<Box<[u8]>>> {
    let octets = |text: &str| Box::from(text.as_bytes());
    match value {
        Value::String(text) => Some(vec![octets(text)]),
        Value::Array(list) => list.iter().map(|item| item.as_str().map(octets)).collect(),
        _ => None,
    }
}

/// Reads a name without escapes; nothing at all is the root.
fn read_name(text: &str) -> Result<Name, NameError> {
    match text.strip_suffix('.').unwrap_or(text) {
        "" => Ok(Name::root()),
        text => Name::from_labels(text.split('.')),
    }
}

#[cfg(test)]
mod tests;
