//! Faults on demand: which calls go wrong, and how. The same seed and calls have the same faults.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::operation::Operation;
use crate::lab::dice::Dice;

/// A status that no service model has.
const UNKNOWN_STATUS: &str = "UNDER_REVIEW";
/// The members that hold a status.
const STATUS_MEMBERS: &[&str] = &["DkimStatus", "MailFromDomainStatus", "Status", "VerificationStatus"];

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429, `TooManyRequestsException`.
    Throttled,
    /// 500, `InternalServiceErrorException`.
    ServerError,
    /// 503, `ServiceUnavailable`.
    Unavailable,
    /// 403, `AccessDeniedException`.
    Denied,
    /// 400, `LimitExceededException`.
    QuotaReached,
    /// 500, `ConcurrentModificationException`.
    ConcurrentModification,
    /// No reply ever comes.
    Hang,
    /// The reply comes late.
    Slow,
    /// The reply is the first half of its JSON.
    Truncated,
    /// The call is taken as one to another region, where nothing is known of the identities.
    WrongRegion,
    /// The page that follows a page is told to be that page itself.
    RepeatedPageToken,
    /// Every status is a word that no service model has.
    UnknownStatus,
    /// Every second reply tells `TEMPORARY_FAILURE` in place of `SUCCESS`, and the other way about.
    Flapping,
}

/// A fault, and whom it befalls.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// How the call goes wrong.
    pub kind: FaultKind,
    /// The operation that it befalls; all, where none is told.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// How many calls of a hundred it befalls.
    #[serde(default = "always")]
    pub percent: u8,
    /// How often it comes before it is over; for ever, where it is not told.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the call is done all the same, and only its reply is lost.
    #[serde(default)]
    pub after: bool,
    /// How late a slow reply comes.
    #[serde(default)]
    pub delay_ms: u64,
}

/// All calls of a hundred.
fn always() -> u8 {
    100
}

impl Fault {
    /// Makes a fault that befalls every call.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, percent: always(), times: None, after: false, delay_ms: 0 }
    }

    /// Returns the error that the fault replies with; none, where it spoils a reply in another way.
    pub(super) fn error(&self, operation: Operation, quota: usize) -> Option<ApiError> {
        match self.kind {
            FaultKind::Throttled => Some(ApiError::TooManyRequests),
            FaultKind::ServerError => Some(ApiError::InternalServiceError),
            FaultKind::Unavailable => Some(ApiError::ServiceUnavailable),
            FaultKind::Denied => Some(ApiError::AccessDenied(operation.as_str())),
            FaultKind::QuotaReached => Some(ApiError::LimitExceeded(quota)),
            FaultKind::ConcurrentModification => Some(ApiError::ConcurrentModification),
            FaultKind::Hang
            | FaultKind::Slow
            | FaultKind::Truncated
            | FaultKind::WrongRegion
            | FaultKind::RepeatedPageToken
            | FaultKind::UnknownStatus
            | FaultKind::Flapping => None,
        }
    }
}

/// The faults that are about.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    /// The faults.
    rules: Vec<Fault>,
    /// Decides whom they befall.
    dice: Dice,
    /// Turns with every flapping reply.
    is_flap: bool,
}

impl Faults {
    /// Starts with none.
    pub(super) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), dice: Dice::new(seed), is_flap: false }
    }

    /// Puts other faults in the place of those before.
    pub(super) fn set(&mut self, rules: Vec<Fault>) {
        self.rules = rules;
    }

    /// Returns the faults that are about, with how often each still comes.
    pub(super) fn rules(&self) -> &[Fault] {
        &self.rules
    }

    /// Draws the faults of one call, in the order in which they were told.
    pub(super) fn draw(&mut self, operation: Operation) -> Vec<Fault> {
        let mut drawn = Vec::new();
        for rule in &mut self.rules {
            let is_meant = rule.operation.is_none_or(|meant| meant == operation) && rule.times != Some(0);
            if is_meant && self.dice.percent(rule.percent.into()) {
                rule.times = rule.times.map(|times| times - 1);
                drawn.push(rule.clone());
            }
        }
        drawn
    }

    /// Spoils the reply to a call that was done; `page` is the page token that the call came with.
    pub(super) fn spoil(&mut self, drawn: &[Fault], page: Option<&str>, reply: &mut Value) {
        for fault in drawn {
            match fault.kind {
                FaultKind::UnknownStatus => each_status(reply, &|_| Some(UNKNOWN_STATUS)),
                FaultKind::RepeatedPageToken => repeat_page(page, reply),
                FaultKind::Flapping => {
                    self.is_flap = !self.is_flap;
                    if self.is_flap {
                        each_status(reply, &flapped);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Returns how late a reply comes.
pub(super) fn delay(drawn: &[Fault]) -> Duration {
    drawn.iter().filter(|fault| fault.kind == FaultKind::Slow).map(|fault| Duration::from_millis(fault.delay_ms)).sum()
}

/// Says whether a kind of fault was drawn.
pub(super) fn has(drawn: &[Fault], kind: FaultKind) -> bool {
    drawn.iter().any(|fault| fault.kind == kind)
}

/// Returns the other one of two statuses.
fn flapped(status: &str) -> Option<&'static str> {
    match status {
        "SUCCESS" => Some("TEMPORARY_FAILURE"),
        "TEMPORARY_FAILURE" => Some("SUCCESS"),
        _ => None,
    }
}

/// Has the next page be the one that was asked for; the first page stays, or nobody would come to ask for a second.
fn repeat_page(page: Option<&str>, reply: &mut Value) {
    if let (Some(page), Some(members)) = (page, reply.as_object_mut()) {
        members.insert("NextToken".to_owned(), page.into());
    }
}

/// Puts other words in the place of statuses, however deep they lie.
fn each_status(value: &mut Value, other: &impl Fn(&str) -> Option<&'static str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let told = member.as_str().filter(|_| STATUS_MEMBERS.contains(&name.as_str())).and_then(other);
                match told {
                    Some(word) => *member = word.into(),
                    None => each_status(member, other),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| each_status(value, other)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// How many of so many calls a fault befalls.
    fn befallen(fault: Fault, operation: Operation, calls: usize, seed: u64) -> usize {
        let mut faults = Faults::new(seed);
        faults.set(vec![fault]);
        (0..calls).filter(|_| !faults.draw(operation).is_empty()).count()
    }

    #[test]
    fn a_fault_befalls_whom_it_is_meant_for_and_as_often_as_told() {
        use Operation::{GetEmailIdentity as Get, SendEmail as Send};
        let throttled = Fault::new(FaultKind::Throttled);
        assert_eq!(befallen(throttled.clone(), Get, 10, 1), 10);
        assert_eq!(befallen(Fault { operation: Some(Send), ..throttled.clone() }, Get, 10, 1), 0);
        assert_eq!(befallen(Fault { times: Some(3), ..throttled.clone() }, Get, 10, 1), 3);
        let half = Fault { percent: 50, ..throttled.clone() };
        let of_1000 = befallen(half.clone(), Get, 1000, 7);
        assert!((400..600).contains(&of_1000), "{of_1000}");
        assert_eq!(of_1000, befallen(half, Get, 1000, 7), "the same seed has the same faults");
        assert_eq!(befallen(Fault { percent: 0, ..throttled }, Get, 100, 7), 0);
    }

    #[test]
    fn statuses_are_spoilt_wherever_they_are() {
        let reply = || {
            json!({"VerificationStatus": "SUCCESS", "DkimAttributes": {"Status": "PENDING", "SigningHostedZone": "SUCCESS"},
                   "EmailIdentities": [{"VerificationStatus": "TEMPORARY_FAILURE"}]})
        };
        let mut faults = Faults::new(1);
        let mut spoilt = reply();
        faults.spoil(&[Fault::new(FaultKind::UnknownStatus)], None, &mut spoilt);
        assert_eq!(spoilt["DkimAttributes"]["Status"], UNKNOWN_STATUS);
        assert_eq!(spoilt["EmailIdentities"][0]["VerificationStatus"], UNKNOWN_STATUS);
        assert_eq!(spoilt["DkimAttributes"]["SigningHostedZone"], "SUCCESS", "that is no status");
        let flapping = [Fault::new(FaultKind::Flapping)];
        let (mut first, mut second) = (reply(), reply());
        faults.spoil(&flapping, None, &mut first);
        faults.spoil(&flapping, None, &mut second);
        assert_eq!(first["VerificationStatus"], "TEMPORARY_FAILURE");
        assert_eq!(first["DkimAttributes"]["Status"], "PENDING");
        assert_eq!(first["EmailIdentities"][0]["VerificationStatus"], "SUCCESS");
        assert_eq!(second, reply());
    }

    #[test]
    fn a_repeated_page_names_itself_as_the_next() {
        let mut faults = Faults::new(1);
        let repeated = [Fault::new(FaultKind::RepeatedPageToken)];
        let mut first = json!({"EmailIdentities": [], "NextToken": "two"});
        faults.spoil(&repeated, None, &mut first);
        assert_eq!(first["NextToken"], "two");
        let mut last = json!({"EmailIdentities": []});
        faults.spoil(&repeated, Some("two"), &mut last);
        assert_eq!(last["NextToken"], "two");
    }

    #[test]
    fn faults_read_as_they_are_written_down() {
        let text = r#"{"kind": "hang", "operation": "CreateEmailIdentity", "percent": 10, "times": 2, "after": true}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        let expected = Fault {
            operation: Some(Operation::CreateEmailIdentity),
            percent: 10,
            times: Some(2),
            after: true,
            ..Fault::new(FaultKind::Hang)
        };
        assert_eq!(fault, expected);
        assert_eq!(
            serde_json::from_str::<Fault>(r#"{"kind": "throttled"}"#).unwrap(),
            Fault::new(FaultKind::Throttled)
        );
        assert!(serde_json::from_str::<Fault>(r#"{"kind": "throttled", "precent": 10}"#).is_err());
    }
}
