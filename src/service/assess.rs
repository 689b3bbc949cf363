//! What a look at a domain changes: its state, its event, when it is due again, and its place. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::cadence::{Changes, next_check};
use super::lifecycle::{Observation, Seen, Sign, Standing, advance};
use super::operator::{number_of_key, shard_of_report};
use super::sighting::Sighting;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::evidence::Evidence;
use crate::expectation::Expectation;
use crate::findings::Judgement;
use crate::report::{Context, Report, ReportedZone, Verdict};
use crate::ses::identity::SesStatus;
use crate::store::{Domain, DomainState, EventKind, NewEvent};

/// How many hexadecimal digits of a digest are kept.
const DIGEST_DIGITS: usize = 16;
/// What stands for a part of a zone's mark that is not known.
const UNKNOWN: &str = "-";

/// One look at a domain.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The domain as it stood before.
    pub domain: &'a Domain,
    /// What the DNS says.
    pub report: &'a Report,
    /// Whether SES is asked of this domain.
    pub asks_ses: bool,
    /// The DS records of the zone at its parent, written out and sorted; `None` where they were not asked for or not told.
    pub signers: Option<&'a [String]>,
    /// What SES last said; `None` where it has not said anything yet, or is not asked.
    pub sighting: Option<&'a Sighting>,
    /// The time of the look, by the clock that decides.
    pub now: Timestamp,
}

/// What follows from a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The state from now on.
    pub state: DomainState,
    /// When the domain was first verified, where that is now.
    pub verified_at: Option<Timestamp>,
    /// When to look again.
    pub due_at: Timestamp,
    /// The shard from now on.
    pub operator_shard: u16,
    /// The digest of the zone.
    pub zone_digest: Option<String>,
    /// What is remembered until the next look.
    pub memory: Value,
    /// What there is to tell.
    pub event: Option<NewEvent>,
}

/// What is remembered of a domain between looks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Memory {
    /// Where it stands.
    #[serde(flatten)]
    standing: Standing,
    /// Whether SES sent its mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sending: Option<bool>,
    /// How its DKIM stood at SES.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dkim_status: Option<SesStatus>,
}

impl Memory {
    /// Reads what is stored with a domain. What is missing or foreign is made up from its row: the state stands there too.
    fn read(domain: &Domain) -> Self {
        let fresh = Standing { state: domain.state, ..Standing::new(domain.created_at) };
        match Self::deserialize(&domain.negatives) {
            Ok(memory) => Self { standing: Standing { state: domain.state, ..memory.standing }, ..memory },
            Err(_) => Self { standing: fresh, sending: None, dkim_status: None },
        }
    }
}

/// Says what follows from a look.
#[must_use]
pub fn assess(look: &Look<'_>) -> Assessment {
    let Look { domain, report, sighting, now, .. } = *look;
    let before = Memory::read(domain);
    let unseen = Seen { sign: Sign::Unclear, at: now };
    let observation = Observation {
        dns: Seen { sign: Sign::of_verdict(report.verdict), at: now },
        ses: look.asks_ses.then(|| sighting.map_or(unseen, Sighting::sign)),
    };
    let (standing, kind) = advance(&before.standing, &observation);
    let (sending, dkim_status) = match sighting {
        Some(Sighting { identity, .. }) => {
            (identity.as_ref().map(|identity| identity.sending), identity.as_ref().map(|identity| identity.dkim_status))
        }
        None => (before.sending, before.dkim_status),
    };
    let after = Memory { standing, sending, dkim_status };
    let zone = ZoneMark::of_report(report, look.signers);
    let earlier = domain.zone_digest.as_deref().and_then(ZoneMark::read);
    let has_changed = |differs: fn(&ZoneMark, &ZoneMark) -> bool| match (&earlier, &zone) {
        (Some(old), Some(new)) => differs(old, new),
        _ => false,
    };
    let changes = Changes {
        ses: domain.last_checked_at.is_some()
            && (before.sending, before.dkim_status) != (after.sending, after.dkim_status),
        delegation: has_changed(|old, new| old.servers != new.servers || differ(&old.signers, &new.signers)),
        serial: has_changed(|old, new| differ(&old.serial, &new.serial)),
    };
    Assessment {
        state: standing.state,
        verified_at: (kind == Some(EventKind::Verified)).then_some(now),
        due_at: next_check(&standing, changes, number_of_key(domain.id.as_str()), now),
        operator_shard: shard_of_report(report).unwrap_or(domain.operator_shard),
        zone_digest: zone.map(|zone| zone.or(earlier.as_ref()).text()).or_else(|| domain.zone_digest.clone()),
        memory: serde_json::to_value(after).unwrap_or(Value::Null),
        event: kind.map(|kind| NewEvent { kind, diff: diff(look, &before, &after) }),
    }
}

/// Returns the report of a domain of which it is not known what to expect, as its tokens are not: it says nothing.
#[must_use]
pub fn unchecked_report(name: &Name, now: Timestamp) -> Report {
    let nothing = Expectation::of_nothing(name.clone());
    let judgement = Judgement { records: Vec::new(), findings: Vec::new(), root_cause: None };
    let context = Context { checked_at: now, elapsed: Duration::ZERO, questions: 0 };
    let report = Report::build(&nothing, &Evidence::new(String::new()), &judgement, &context);
    Report { verdict: Verdict::Indeterminate, dkim_verdict: Verdict::Indeterminate, ..report }
}

/// Tells what is not as it was at the last look, each as `from` and `to`.
fn diff(look: &Look<'_>, before: &Memory, after: &Memory) -> Value {
    let Look { domain, report, .. } = *look;
    let mut changed = Map::new();
    let mut compare = |name: &str, from: Value, to: Value| {
        if from != to {
            changed.insert(name.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    compare("state", json!(before.standing.state), json!(after.standing.state));
    compare("verdict", json!(domain.last_verdict), json!(report.verdict));
    compare(
        "root_cause",
        json!(domain.root_cause.map(|code| code.as_str())),
        json!(report.root_cause.map(|code| code.as_str())),
    );
    compare("provider", json!(domain.provider), json!(report.provider.as_ref().map(|provider| &provider.id)));
    compare("ses_sending", json!(before.sending), json!(after.sending));
    compare("ses_dkim_status", json!(before.dkim_status), json!(after.dkim_status));
    Value::Object(changed)
}

/// Says whether two are known and are not the same.
fn differ<T: PartialEq>(old: &Option<T>, new: &Option<T>) -> bool {
    matches!((old, new), (Some(old), Some(new)) if old != new)
}

/// Returns the zone whose servers are the operator of a report's domain: the deepest around it that no registry runs.
#[must_use]
pub fn own_zone(report: &Report) -> Option<Name> {
    own_reported_zone(report).and_then(|zone| Name::parse(&zone.zone).ok())
}

/// Returns what a report says of the deepest zone around the domain; `None` where it names no server.
fn own_reported_zone(report: &Report) -> Option<&ReportedZone> {
    let domain = Name::parse(&report.domain).ok()?;
    let is_own = |name: &Name| domain.is_subdomain_of(name) && !is_registry(name);
    let zones = report.delegation.iter().filter(|zone| Name::parse(&zone.zone).is_ok_and(|name| is_own(&name)));
    zones.max_by_key(|zone| zone.zone.len()).filter(|zone| !zone.servers.is_empty())
}

/// What tells one version of a zone from another: `SERIAL/DIGEST OF ITS SERVERS/DIGEST OF ITS DS RECORDS`, each `-` where
/// it is not known. Earlier versions of this program wrote no third part.
#[derive(Clone, Debug, Eq, PartialEq)]
struct ZoneMark {
    /// The serial; `None` where no server told it.
    serial: Option<u32>,
    /// A digest of the names and addresses of its servers, as the parent gives them.
    servers: String,
    /// A digest of its DS records at the parent; `None` where nobody asked, or nobody told.
    signers: Option<String>,
}

impl ZoneMark {
    /// Reads what a report says of the deepest zone around the domain; `None` where it names no server.
    fn of_report(report: &Report, signers: Option<&[String]>) -> Option<Self> {
        let zone = own_reported_zone(report)?;
        let servers = zone.servers.iter().map(|server| format!("{} {:?}", server.name, server.addresses));
        let signers = signers.map(|signers| digest(signers.iter().cloned()));
        Some(Self { serial: zone.soa.as_ref().map(|soa| soa.serial), servers: digest(servers), signers })
    }

    /// Reads what is stored.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (serial, servers) = (parts.next()?, parts.next()?);
        let signers = parts.next().filter(|signers| *signers != UNKNOWN).map(str::to_owned);
        Some(Self { serial: serial.parse().ok(), servers: servers.to_owned(), signers })
    }

    /// Keeps what was known, where it is not told now.
    fn or(self, earlier: Option<&Self>) -> Self {
        Self {
            serial: self.serial.or(earlier.and_then(|earlier| earlier.serial)),
            signers: self.signers.or_else(|| earlier.and_then(|earlier| earlier.signers.clone())),
            ..self
        }
    }

    /// Writes what is stored.
    fn text(&self) -> String {
        let serial = self.serial.map_or_else(|| UNKNOWN.to_owned(), |serial| serial.to_string());
        format!("{serial}/{}/{}", self.servers, self.signers.as_deref().unwrap_or(UNKNOWN))
    }
}

/// Digests parts in their order.
fn digest(parts: impl Iterator<Item = String>) -> String {
    let mut digest = Sha256::new();
    parts.for_each(|part| digest.update(format!("{part};")));
    let text: String = digest.finalize().iter().map(|octet| format!("{octet:02x}")).collect();
    text.chars().take(DIGEST_DIGITS).collect()
}

#[cfg(test)]
mod tests;
