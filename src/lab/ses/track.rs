//! One verification as Amazon SES follows it: what it makes of each look at the DNS, and when it looks again.
//!
//! Pure; time comes in as a value.
//!
//! ```text
//!            right                     right
//! PENDING ----------> SUCCESS <----------------. TEMPORARY_FAILURE
//!    |                   `--- not right -------->       |
//!    `---- 72 h without ----> FAILED <--- gone too long-'
//! ```

use jiff::{SignedDuration, Timestamp};

use super::words::{Status, VerificationError};

/// How long Amazon SES looks for records that were never there (`DkimTokens` of the service model).
pub const SEARCH_WINDOW: SignedDuration = SignedDuration::from_hours(72);
/// How long DKIM records may be gone before the set-up is revoked: Amazon SES warns about five days ahead.
pub const DKIM_GRACE: SignedDuration = SignedDuration::from_hours(5 * 24);
/// How long the MX record of a MAIL FROM name may be gone (Amazon SES developer guide, states of a custom MAIL FROM domain).
pub const MAIL_FROM_GRACE: SignedDuration = SignedDuration::from_hours(72);

/// How long after its start a search counts as young. This and the cadences are ours: Amazon does not tell its own.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);
/// How often a young search looks.
const YOUNG_CADENCE: SignedDuration = SignedDuration::from_mins(5);
/// How often an older search looks, and one for records that are gone.
const SEARCH_CADENCE: SignedDuration = SignedDuration::from_hours(1);
/// How often records are looked at that were there.
const STEADY_CADENCE: SignedDuration = SignedDuration::from_hours(24);

/// What a look at the DNS came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// Everything is as it should be.
    Right,
    /// Something is not.
    Wrong(VerificationError),
    /// There is no use in looking: the verification fails at once.
    Refused(VerificationError),
}

impl Seen {
    /// Returns what is not right.
    pub(super) fn error(self) -> Option<VerificationError> {
        match self {
            Self::Right => None,
            Self::Wrong(error) | Self::Refused(error) => Some(error),
        }
    }
}

/// One verification.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Track {
    /// How far it is.
    pub(super) status: Status,
    /// When the status came about.
    pub(super) since: Timestamp,
    /// Whether the records were found since the verification last began from nothing.
    pub(super) has_succeeded: bool,
    /// How long the records may be gone.
    grace: SignedDuration,
}

impl Track {
    /// Begins to search.
    pub(super) fn begin(now: Timestamp, grace: SignedDuration) -> Self {
        Self { status: Status::Pending, since: now, has_succeeded: false, grace }
    }

    /// Stands where a verification stands after some time.
    pub(super) fn at(status: Status, since: Timestamp, grace: SignedDuration) -> Self {
        let has_succeeded = matches!(status, Status::Success | Status::TemporaryFailure);
        Self { status, since, has_succeeded, grace }
    }

    /// Begins to search again, unless it is searching or done already.
    pub(super) fn restart(&mut self, now: Timestamp) {
        if matches!(self.status, Status::Failed | Status::NotStarted) {
            *self = Self::begin(now, self.grace);
        }
    }

    /// Begins to search for other records; what was found before counts until the search fails.
    pub(super) fn search_anew(&mut self, now: Timestamp) {
        self.set(Status::Pending, now);
    }

    /// Takes note of a look.
    pub(super) fn note(&mut self, seen: Seen, now: Timestamp) {
        let age = now.duration_since(self.since);
        match (self.status, seen) {
            (Status::Failed | Status::NotStarted, _) => {}
            (_, Seen::Refused(_)) => self.fail(now),
            (_, Seen::Right) => {
                self.set(Status::Success, now);
                self.has_succeeded = true;
            }
            (Status::Pending, Seen::Wrong(_)) if age >= SEARCH_WINDOW => self.fail(now),
            (Status::TemporaryFailure, Seen::Wrong(_)) if age >= self.grace => self.fail(now),
            (Status::Success, Seen::Wrong(_)) => self.set(Status::TemporaryFailure, now),
            (Status::Pending | Status::TemporaryFailure, Seen::Wrong(_)) => {}
        }
    }

    /// Says when the next look is due after one at `now`; never, once the verification failed.
    pub(super) fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let cadence = match self.status {
            Status::Pending if now.duration_since(self.since) < YOUNG => YOUNG_CADENCE,
            Status::Pending | Status::TemporaryFailure => SEARCH_CADENCE,
            Status::Success => STEADY_CADENCE,
            Status::Failed | Status::NotStarted => return None,
        };
        now.checked_add(cadence).ok()
    }

    /// Gives up.
    fn fail(&mut self, now: Timestamp) {
        self.set(Status::Failed, now);
        self.has_succeeded = false;
    }

    /// Takes a status, from now on unless it was the status before.
    fn set(&mut self, status: Status, now: Timestamp) {
        if self.status != status {
            self.status = status;
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing found.
    const NOTHING: Seen = Seen::Wrong(VerificationError::HostNotFound);

    /// The hour `hours` after the beginning.
    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// Follows looks, each at its hour, and returns the statuses after each.
    fn follow(looks: &[(i64, Seen)]) -> Vec<Status> {
        let mut track = Track::begin(at(0), DKIM_GRACE);
        let mut after = |&(hours, seen): &(i64, Seen)| {
            track.note(seen, at(hours));
            track.status
        };
        looks.iter().map(&mut after).collect()
    }

    #[test]
    fn a_search_ends_in_success_or_after_72_hours() {
        use Status::{Failed, Pending, Success};
        assert_eq!(follow(&[(1, NOTHING), (71, Seen::Right)]), [Pending, Success]);
        assert_eq!(follow(&[(71, NOTHING), (72, NOTHING), (73, Seen::Right)]), [Pending, Failed, Failed]);
    }

    #[test]
    fn records_that_go_are_missed_for_five_days() {
        use Status::{Failed, Success, TemporaryFailure};
        let looks = [(0, Seen::Right), (1, NOTHING), (120, NOTHING), (121, NOTHING), (122, Seen::Right)];
        assert_eq!(follow(&looks), [Success, TemporaryFailure, TemporaryFailure, Failed, Failed]);
        let looks =
            [(0, Seen::Right), (1, NOTHING), (120, Seen::Right), (121, NOTHING), (240, NOTHING), (241, NOTHING)];
        let expected = [Success, TemporaryFailure, Success, TemporaryFailure, TemporaryFailure, Failed];
        assert_eq!(follow(&looks), expected, "a recovery starts the days anew");
    }

    #[test]
    fn what_is_refused_fails_at_once() {
        let refused = Seen::Refused(VerificationError::ReplicationPrimaryNotFound);
        assert_eq!(follow(&[(0, refused)]), [Status::Failed]);
        assert_eq!(follow(&[(0, Seen::Right), (1, refused)]), [Status::Success, Status::Failed]);
    }

    #[test]
    fn only_what_failed_is_restarted() {
        let mut track = Track::begin(at(0), DKIM_GRACE);
        track.restart(at(50));
        assert_eq!((track.status, track.since), (Status::Pending, at(0)));
        track.note(NOTHING, at(72));
        track.restart(at(100));
        assert_eq!((track.status, track.since), (Status::Pending, at(100)));
        track.note(Seen::Right, at(101));
        track.restart(at(102));
        assert_eq!(track.status, Status::Success);
        track.search_anew(at(103));
        assert_eq!((track.status, track.has_succeeded), (Status::Pending, true));
        track.note(NOTHING, at(103 + 72));
        assert_eq!((track.status, track.has_succeeded), (Status::Failed, false));
    }

    #[test]
    fn looks_get_rarer_and_end_with_failure() {
        let mut track = Track::begin(at(0), DKIM_GRACE);
        let minutes =
            |track: &Track, now: Timestamp| track.next_look(now).map(|next| next.duration_since(now).as_mins());
        assert_eq!(minutes(&track, at(0)), Some(5));
        assert_eq!(minutes(&track, at(1)), Some(60));
        track.note(Seen::Right, at(1));
        assert_eq!(minutes(&track, at(1)), Some(24 * 60));
        track.note(NOTHING, at(2));
        assert_eq!(minutes(&track, at(2)), Some(60));
        track.note(NOTHING, at(200));
        assert_eq!(minutes(&track, at(200)), None);
    }
}
