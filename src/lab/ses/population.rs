//! Identities for the tenants of a scenario: with the tokens that their checks expect, and standing as SES and DNS stand to
//! each other in the field, those cases included where the two disagree.
//!
//! Reads the scenario alone and asks nothing. How an identity stands follows from the verdict that the scenario expects
//! and from its number among those with that verdict, so that the same scenario comes out the same. Looks are due later,
//! at their usual time, so that what disagrees goes on to do so for a while. A tenant without an expected verdict begins
//! to be verified, and is looked at at once.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::HOME_REGION;
use super::account::{Account, folded};
use super::identity::{Identity, MailFrom, SeenSoa, Signing};
use super::own_key::OwnKey;
use super::region;
use super::track::{DKIM_GRACE, MAIL_FROM_GRACE, Track};
use super::words::{OnMxFailure, Status, VerificationError};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::RecordType;
use crate::scenario::expect::{Check, Expect, Subject};
use crate::scenario::{Scenario, Task};

/// Codes of tenants whose identity is gone.
const WITHOUT_IDENTITY: &[&str] = &["ses_target_nxdomain"];
/// Codes where the name that Amazon SES asks for is there, with other types.
const OTHER_TYPE: &[&str] = &[
    "cf_flattened",
    "cf_proxied",
    "txt_key_inline",
    "wrong_type_address",
    "wrong_type_txt",
    "wrong_type_url_redirect",
];
/// Codes where the record is there, with another value.
const OTHER_VALUE: &[&str] = &[
    "cname_loop",
    "indirect",
    "multiple_cnames",
    "target_dot_escaped",
    "target_zone_appended",
    "token_stale",
    "token_swapped",
    "token_truncated",
    "value_comma",
    "value_invisible",
    "value_quoted",
    "value_type_word",
    "value_url",
    "wildcard_synth",
    "wrong_provider_target",
    "wrong_region",
    "wrong_target",
];
/// One replica in so many may not read its parent.
const DENIED_REPLICA_ONE_IN: usize = 8;

/// How an identity stands, and since when.
#[derive(Clone, Copy, Debug)]
struct Stage {
    /// How its DKIM verification stands.
    status: Status,
    /// For how many hours.
    hours: i64,
    /// Whether it was verified in another way.
    is_verified_otherwise: bool,
    /// Whether what was seen is an older version of the zone, where the records were not there yet.
    is_behind: bool,
}

impl Stage {
    /// Stands so for some hours.
    fn new(status: Status, hours: i64) -> Self {
        Self { status, hours, is_verified_otherwise: false, is_behind: false }
    }
}

/// Decides how the identity number `n` among those of a verdict stands; none begins anew.
fn stage(verdict: &str, n: usize) -> Option<Stage> {
    use Status::{Failed, Pending, Success, TemporaryFailure};
    // Within 72 hours, all different.
    let age = i64::try_from(n * 7 % 71 + 1).unwrap_or(1);
    Some(match (verdict, n % 20) {
        // The records are right, and Amazon SES has not noticed, or has looked at an older zone.
        ("ready", 3) => Stage::new(Pending, 5),
        ("ready", 13) => Stage { is_behind: true, ..Stage::new(Pending, age) },
        // They became right too late.
        ("ready", 7) => Stage { is_behind: true, ..Stage::new(Failed, 30) },
        // The name servers were in trouble for a while.
        ("ready", 11) => Stage::new(TemporaryFailure, 6),
        // Verified by the TXT record of former times; DKIM comes later.
        ("ready", 17) => Stage { is_verified_otherwise: true, ..Stage::new(Pending, 40) },
        ("ready", _) => Stage::new(Success, 200),
        // It works until the keys are changed.
        ("partial", 0 | 1 | 3 | 4 | 6) => Stage::new(Success, 500),
        ("indeterminate", 0 | 3 | 6) => Stage::new(Success, 700),
        ("indeterminate", 1 | 4 | 7) => Stage::new(TemporaryFailure, 20),
        // The records are gone, and Amazon SES has not noticed, or counts the days.
        ("failing", 1 | 11) => Stage::new(Success, 400),
        ("failing", 4 | 14) => Stage::new(TemporaryFailure, 50),
        ("failing", 6 | 16) => Stage::new(Failed, 100),
        ("failing", 8) => Stage { is_verified_otherwise: true, ..Stage::new(Pending, age) },
        ("failing" | "partial" | "propagating" | "indeterminate", _) => Stage::new(Pending, age),
        _ => return None,
    })
}

/// The zones of a scenario, by their origin.
type Serials = HashMap<Name, SeenSoa>;

impl Account {
    /// Has the domains of a scenario get the tokens that its checks expect.
    pub(super) fn learn_tokens(&mut self, scenario: &Scenario) {
        for check in scenario.tasks.iter().filter_map(check_of) {
            let tokens: Vec<String> = check.tokens().into_iter().map(folded).collect();
            if !tokens.is_empty() {
                self.known_tokens.insert(folded(&check.domain), tokens);
            }
        }
    }

    /// Has an identity for each tenant of a scenario, and returns how many that are.
    pub(super) fn populate(&mut self, scenario: &Scenario) -> usize {
        self.learn_tokens(scenario);
        let now = self.clock.at(Instant::now());
        let serials = serials(scenario);
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut replicas = 0;
        let mut count = 0;
        for task in &scenario.tasks {
            let Some(check) = check_of(task) else { continue };
            let codes = codes(task);
            let is_gone = codes.iter().any(|code| WITHOUT_IDENTITY.contains(code));
            let Some(signing) = signing(check).filter(|_| !is_gone) else { continue };
            let verdict = verdict(task).unwrap_or_default();
            let number = numbers.entry(verdict.to_owned()).or_default();
            let stage = stage(verdict, *number);
            *number += 1;
            let mut identity = Identity::domain(&folded(&check.domain), signing, now);
            if let Some(stage) = stage {
                identity.soa = soa(&identity.name, &serials);
                identity.error = seen_error(stage.status, verdict, &codes);
                age(&mut identity, stage, now);
            }
            identity.mail_from = check.option("mail_from").map(|name| mail_from(name, &codes, now));
            let home = check.option("region").unwrap_or(HOME_REGION).to_owned();
            count += 1;
            if let Some(parent) = check.option("dkim_zone").and_then(region::owner_of_zone).filter(|zone| *zone != home)
            {
                let copy = Signing::Replica { parent: parent.to_owned() };
                let mut replica = identity.clone();
                replica.signing = copy;
                if replicas % DENIED_REPLICA_ONE_IN == DENIED_REPLICA_ONE_IN - 1 {
                    replica.dkim = Track::at(Status::Failed, hours_before(now, 10), DKIM_GRACE);
                    replica.error = Some(VerificationError::ReplicationAccessDenied);
                    replica.due_at = None;
                }
                replicas += 1;
                self.identities.insert((home, replica.name.clone()), replica);
                self.identities.insert((parent.to_owned(), identity.name.clone()), identity);
            } else {
                self.identities.insert((home, identity.name.clone()), identity);
            }
        }
        count
    }
}

/// Returns the check of a task, where it has one.
fn check_of(task: &Task) -> Option<&Check> {
    match &task.subject {
        Subject::Check(check) => Some(check),
        Subject::Lookup(_) => None,
    }
}

/// Returns the verdict that is expected of a task.
fn verdict(task: &Task) -> Option<&str> {
    task.expectations.iter().find_map(|expect| match expect {
        Expect::Verdict(verdict) => Some(verdict.as_str()),
        _ => None,
    })
}

/// Returns the codes that are expected of a task.
fn codes(task: &Task) -> Vec<&str> {
    let code = |expect| match expect {
        &Expect::Finding { ref code, .. } | &Expect::RootCause(Some(ref code)) => Some(code.as_str()),
        _ => None,
    };
    task.expectations.iter().filter_map(code).collect()
}

/// Returns what a tenant signs with; nothing, where the check does not tell.
fn signing(check: &Check) -> Option<Signing> {
    match check.option("selector") {
        Some(selector) => {
            let key = check.option("public_key").and_then(|key| OwnKey::of_public(key).ok());
            Some(Signing::Own { selector: selector.to_owned(), key })
        }
        None => {
            let tokens: Vec<String> = check.tokens().into_iter().map(folded).collect();
            (!tokens.is_empty()).then_some(Signing::Easy { tokens })
        }
    }
}

/// Has an identity stand as it would after some hours.
fn age(identity: &mut Identity, stage: Stage, now: Timestamp) {
    let since = hours_before(now, stage.hours);
    identity.dkim = Track::at(stage.status, since, DKIM_GRACE);
    identity.is_verified_otherwise = stage.is_verified_otherwise;
    identity.keys_made_at = since;
    // Half of the time to the next look is over.
    let cadence = identity.dkim.next_look(now).map_or(SignedDuration::from_hours(2), |next| next.duration_since(now));
    let half = cadence.checked_div(2).unwrap_or_default();
    let checked_at = now.checked_sub(half).unwrap_or(now).max(since);
    identity.last_checked_at = Some(checked_at);
    identity.due_at = identity.dkim.next_look(checked_at).map(|next| next.max(now + half));
    if stage.is_behind
        && let Some(soa) = &mut identity.soa
    {
        soa.serial = soa.serial.saturating_sub(1);
    }
    identity.last_success_at = match stage.status {
        Status::Success => Some(checked_at),
        Status::TemporaryFailure => Some(since),
        _ => None,
    };
}

/// Returns what Amazon SES would say of records whose check has this verdict and these codes.
fn seen_error(status: Status, verdict: &str, codes: &[&str]) -> Option<VerificationError> {
    let has = |some: &[&str]| codes.iter().any(|code| some.contains(code));
    match (status, verdict) {
        (Status::Success, _) => None,
        (Status::TemporaryFailure, "ready") | (_, "indeterminate") => Some(VerificationError::DnsServerError),
        _ if has(OTHER_TYPE) => Some(VerificationError::TypeNotFound),
        _ if has(OTHER_VALUE) => Some(VerificationError::InvalidValue),
        _ => Some(VerificationError::HostNotFound),
    }
}

/// Makes a MAIL FROM name that is verified unless something is wrong with it.
fn mail_from(name: &str, codes: &[&str], now: Timestamp) -> MailFrom {
    let is_wrong = codes.iter().any(|code| code.starts_with("mailfrom_") && *code != "mailfrom_spf_absent");
    let status = if is_wrong { Status::Failed } else { Status::Success };
    let track = Track::at(status, hours_before(now, 200), MAIL_FROM_GRACE);
    MailFrom { domain: folded(name), on_failure: OnMxFailure::default(), track }
}

/// Returns the SOA record of every zone of a scenario.
fn serials(scenario: &Scenario) -> Serials {
    let zones = scenario.zones().iter().map(|served| &served.zone);
    zones
        .filter_map(|zone| {
            let record = zone.records_at(zone.origin(), RecordType::SOA).into_iter().next()?;
            let Rdata::Soa(soa) = record.rdata else { return None };
            let seen = SeenSoa { primary: soa.mname.to_string(), admin: soa.rname.to_string(), serial: soa.serial };
            Some((zone.origin().clone(), seen))
        })
        .collect()
}

/// Returns the SOA record of the zone that a domain lies in.
fn soa(domain: &str, serials: &Serials) -> Option<SeenSoa> {
    let domain = Name::parse(domain).ok()?;
    std::iter::once(domain.clone()).chain(domain.ancestors()).find_map(|name| serials.get(&name).cloned())
}

/// Returns a time so many hours earlier.
fn hours_before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
