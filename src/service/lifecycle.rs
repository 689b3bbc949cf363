//! How a domain moves between pending, verified, degraded and lost.
//!
//! ```text
//!              yes                        no, at DNS or SES
//!   pending ---------> verified ----------------------------> degraded
//!    verified             ^  ^        degraded                  |  |
//!                         |  '----------------------------------'  | 3 times no over 24 h,
//!                         |      recovered: no side says no         v at DNS and SES alike
//!                         '----------------------------------------- lost
//!                                recovered: yes
//! ```
//!
//! Pure: reads where a domain stands and one observation of both sides, and says where it stands then. Which side says
//! yes: SES, where SES is asked (its `VerifiedForSendingStatus`), else the DNS. A side that could not tell changes no
//! state, however often it could not; only a yes takes back a no. The event names the move; the caller stores both.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::report::Verdict;
use crate::store::{DomainState, EventKind};

/// How many negatives in a row each side takes before a domain is lost.
pub const NEGATIVES_UNTIL_LOST: u32 = 3;
/// How long each side must have been negative before a domain is lost.
pub const NEGATIVE_UNTIL_LOST: SignedDuration = SignedDuration::from_hours(24);

/// What one side says of a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// It is as it should be.
    Positive,
    /// It is definitely not.
    Negative,
    /// Nobody could tell: no answer, half an answer, or a change under way.
    Unclear,
}

impl Sign {
    /// Reads the sign of the DNS out of a verdict.
    ///
    /// Servers that differ are no sign: a change may be under way, and SES may see either.
    #[must_use]
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ready => Self::Positive,
            Verdict::Partial | Verdict::Failing => Self::Negative,
            Verdict::Propagating | Verdict::Indeterminate => Self::Unclear,
        }
    }
}

/// A sign and when it was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The sign.
    pub sign: Sign,
    /// When it was seen: one listing of SES may serve several checks, and counts once.
    pub at: Timestamp,
}

/// One look at a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Observation {
    /// What the DNS says.
    pub dns: Seen,
    /// What SES says; `None` where SES is not asked of this domain.
    pub ses: Option<Seen>,
}

/// Negatives of one side in a row, with what could not be told left out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Streak {
    /// How many.
    pub count: u32,
    /// When the first was seen.
    pub first_at: Timestamp,
    /// When the last was seen.
    pub last_at: Timestamp,
}

impl Streak {
    /// Says whether a side has been negative often and long enough for a domain to be lost.
    fn is_decided(self) -> bool {
        self.count >= NEGATIVES_UNTIL_LOST && self.last_at.duration_since(self.first_at) >= NEGATIVE_UNTIL_LOST
    }
}

/// Where a domain stands, and what is remembered to move it on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// The state.
    pub state: DomainState,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// The negatives of the DNS since it last was positive; `None` unless degraded or lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Streak>,
    /// The negatives of SES since it last was positive; `None` unless degraded or lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ses: Option<Streak>,
    /// Since when the DNS could not be told; `None` where the last check could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear_since: Option<Timestamp>,
}

impl Standing {
    /// A domain that was never seen, since `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { state: DomainState::Pending, since: now, dns: None, ses: None, unclear_since: None }
    }
}

/// Moves a domain on by one look at it; returns where it stands then, and the event where the state changed.
///
/// - `pending` and `lost` become `verified` when the side that decides says yes: SES where it is asked, else the DNS.
/// - `verified` becomes `degraded` when a side says no.
/// - `degraded` becomes `verified` when neither side's last word is no, and `lost` once every side that is asked has
///   said no [`NEGATIVES_UNTIL_LOST`] times over [`NEGATIVE_UNTIL_LOST`]. As long as SES says yes, it is not lost.
#[must_use]
pub fn advance(standing: &Standing, observation: &Observation) -> (Standing, Option<EventKind>) {
    let mut next = *standing;
    let Observation { dns, ses } = *observation;
    next.unclear_since = match dns.sign {
        Sign::Unclear => standing.unclear_since.or(Some(dns.at)),
        Sign::Positive | Sign::Negative => None,
    };
    let decider = ses.unwrap_or(dns);
    let event = match standing.state {
        DomainState::Pending => (decider.sign == Sign::Positive).then_some(EventKind::Verified),
        DomainState::Lost => (decider.sign == Sign::Positive).then_some(EventKind::Recovered),
        DomainState::Verified | DomainState::Degraded => {
            next.dns = counted(standing.dns, dns);
            next.ses = ses.and_then(|ses| counted(standing.ses, ses));
            let is_decided = |streak: Option<Streak>| streak.is_some_and(Streak::is_decided);
            let is_negative = next.dns.or(next.ses).is_some();
            // Where SES is no longer asked, its signs go without a word: that alone moves nothing.
            let says = |sign: Sign| dns.sign == sign || ses.is_some_and(|ses| ses.sign == sign);
            let is_lost = is_decided(next.dns) && (ses.is_none() || is_decided(next.ses));
            match standing.state {
                DomainState::Verified => is_negative.then_some(EventKind::Degraded),
                _ if !is_negative => says(Sign::Positive).then_some(EventKind::Recovered),
                _ => (is_lost && says(Sign::Negative)).then_some(EventKind::Lost),
            }
        }
    };
    if let Some(event) = event {
        next.state = state_after(event);
        next.since = later(dns.at, ses);
        if next.state == DomainState::Verified {
            (next.dns, next.ses) = (None, None);
        }
    }
    (next, event)
}

/// Returns the state that an event leads to.
#[must_use]
pub fn state_after(event: EventKind) -> DomainState {
    match event {
        EventKind::Verified | EventKind::Recovered => DomainState::Verified,
        EventKind::Degraded => DomainState::Degraded,
        EventKind::Lost => DomainState::Lost,
    }
}

/// Says whether an event may happen to a domain in a state: what a stored history is held against.
#[must_use]
pub fn is_legal(state: DomainState, event: EventKind) -> bool {
    matches!(
        (state, event),
        (DomainState::Pending, EventKind::Verified)
            | (DomainState::Verified, EventKind::Degraded)
            | (DomainState::Degraded, EventKind::Recovered | EventKind::Lost)
            | (DomainState::Lost, EventKind::Recovered)
    )
}

/// Counts a sign into the negatives of its side. What was seen before counts no second time.
fn counted(streak: Option<Streak>, seen: Seen) -> Option<Streak> {
    match (seen.sign, streak) {
        (Sign::Positive, _) => None,
        (Sign::Unclear, streak) => streak,
        (Sign::Negative, None) => Some(Streak { count: 1, first_at: seen.at, last_at: seen.at }),
        (Sign::Negative, Some(streak)) if seen.at <= streak.last_at => Some(streak),
        (Sign::Negative, Some(streak)) => {
            Some(Streak { count: streak.count.saturating_add(1), last_at: seen.at, ..streak })
        }
    }
}

/// Returns the later of the times that an observation was made at.
fn later(at: Timestamp, ses: Option<Seen>) -> Timestamp {
    ses.map_or(at, |ses| at.max(ses.at))
}

#[cfg(test)]
mod tests;
