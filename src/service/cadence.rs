//! When a domain is to be looked at again.
//!
//! Pure: reads where a domain stands, what the last look saw change, and a number of its own that spreads domains over
//! time; says when it is due. It never says "now": the soonest is [`SOONEST`] ahead, the latest a good day.

use jiff::{SignedDuration, Timestamp};

use super::lifecycle::Standing;
use crate::store::DomainState;

/// The soonest that a domain is looked at again: somebody is just typing its records.
pub const SOONEST: SignedDuration = SignedDuration::from_secs(10);
/// How long SES looks for the records of a new identity (Amazon SES developer guide, "Verifying a domain identity").
pub const SES_WINDOW: SignedDuration = SignedDuration::from_hours(72);
/// The longest gap between two looks within [`SES_WINDOW`].
pub const LONGEST_IN_WINDOW: SignedDuration = SignedDuration::from_hours(4);
/// How often a domain is looked at of which nothing is to be decided.
pub const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// How often a degraded domain is looked at while it may still be lost or recover.
pub const WHILE_UNDECIDED: SignedDuration = SignedDuration::from_hours(1);
/// How long a domain counts as undecided: the 24 hours of negatives, and a few looks more.
pub const UNDECIDED: SignedDuration = SignedDuration::from_hours(27);
/// How soon is looked again where SES changed its mind.
pub const AFTER_SES_CHANGE: SignedDuration = SignedDuration::from_mins(15);
/// How soon is looked again where the zone got other servers or keys: resolvers follow within the hour or so.
pub const AFTER_DELEGATION_CHANGE: SignedDuration = SignedDuration::from_hours(1);
/// How soon is looked again where the zone got another serial alone: large zones do every few minutes.
pub const AFTER_SERIAL_CHANGE: SignedDuration = SignedDuration::from_hours(6);
/// How soon is looked again where the DNS could not be told, at first.
pub const AFTER_FAULT: SignedDuration = SignedDuration::from_mins(10);
/// The age is divided by this for the gap of a back-off: each gap is a fifth longer than the one before.
const AGE_A_GAP: i32 = 5;
/// A fault is looked at again after this part of its age.
const FAULT_AGE_A_GAP: i32 = 2;
/// How far a domain's own number moves it, as a part of the gap: a tenth down or up.
const SPREAD_PARTS: i64 = 10;

/// What the last look saw change since the one before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// SES gives the identity another status, or other tokens.
    pub ses: bool,
    /// The zone has other name servers or DS records at its parent.
    pub delegation: bool,
    /// The zone has another SOA serial.
    pub serial: bool,
}

/// Says when a domain is due again that was looked at `now`.
///
/// `spread` is a number of the domain's own, such as a hash of its id: domains that were added together drift apart.
/// The gap without it:
/// - pending: a fifth of the age, from [`SOONEST`] to [`LONGEST_IN_WINDOW`] within [`SES_WINDOW`], then [`DAILY`];
/// - verified: [`DAILY`];
/// - degraded: [`WHILE_UNDECIDED`] for [`UNDECIDED`], then a fifth of the age, up to [`DAILY`];
/// - lost: a fifth of the age, from [`WHILE_UNDECIDED`] to [`DAILY`].
///
/// What changed, and a DNS that could not be told, only ever make it sooner.
#[must_use]
pub fn next_check(standing: &Standing, changes: Changes, spread: u64, now: Timestamp) -> Timestamp {
    let age = now.duration_since(standing.since).max(SignedDuration::ZERO);
    let regular = match standing.state {
        DomainState::Pending if age < SES_WINDOW => (age / AGE_A_GAP).clamp(SOONEST, LONGEST_IN_WINDOW),
        DomainState::Degraded if age < UNDECIDED => WHILE_UNDECIDED,
        DomainState::Degraded | DomainState::Lost => (age / AGE_A_GAP).clamp(WHILE_UNDECIDED, DAILY),
        DomainState::Pending | DomainState::Verified => DAILY,
    };
    let fault = standing.unclear_since.map(|since| {
        let fault_age = now.duration_since(since).max(SignedDuration::ZERO);
        (fault_age / FAULT_AGE_A_GAP).max(AFTER_FAULT)
    });
    let sooner = [
        changes.ses.then_some(AFTER_SES_CHANGE),
        changes.delegation.then_some(AFTER_DELEGATION_CHANGE),
        changes.serial.then_some(AFTER_SERIAL_CHANGE),
        fault,
    ];
    let gap = sooner.into_iter().flatten().fold(regular, Ord::min);
    let gap = spread_out(gap, spread).max(SOONEST);
    now.checked_add(gap).unwrap_or(Timestamp::MAX)
}

/// Moves a gap by up to a tenth of it, down or up.
fn spread_out(gap: SignedDuration, spread: u64) -> SignedDuration {
    let whole = i64::try_from(gap.as_millis()).unwrap_or(i64::MAX);
    let width = 2 * (whole / SPREAD_PARTS) + 1;
    let place = spread % width.unsigned_abs();
    let offset = i64::try_from(place).unwrap_or(0) - width / 2;
    SignedDuration::from_millis(whole.saturating_add(offset))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The time of every look.
    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// The number that moves a gap by nothing.
    fn middle(gap: SignedDuration) -> u64 {
        u64::try_from(gap.as_millis() / i128::from(SPREAD_PARTS)).unwrap()
    }

    /// A domain that is in a state for some time.
    fn standing(state: DomainState, age: SignedDuration) -> Standing {
        Standing { state, since: NOW - age, ..Standing::new(NOW) }
    }

    /// Tells the gap until a domain is due, unmoved if it is `expected`.
    fn gap(standing: &Standing, changes: Changes, expected: SignedDuration) -> SignedDuration {
        next_check(standing, changes, middle(expected), NOW).duration_since(NOW)
    }

    #[test]
    fn the_gap_grows_with_the_age_in_every_state() {
        use DomainState::{Degraded, Lost, Pending, Verified};
        let (secs, mins, hours) = (SignedDuration::from_secs, SignedDuration::from_mins, SignedDuration::from_hours);
        for (state, age, expected) in [
            (Pending, secs(0), secs(10)),
            (Pending, secs(50), secs(10)),
            (Pending, mins(5), mins(1)),
            (Pending, hours(1), mins(12)),
            (Pending, hours(10), hours(2)),
            (Pending, hours(20), hours(4)),
            (Pending, hours(71), hours(4)),
            (Pending, hours(72), hours(24)),
            (Pending, hours(9000), hours(24)),
            (Verified, secs(0), hours(24)),
            (Verified, hours(9000), hours(24)),
            (Degraded, secs(0), hours(1)),
            (Degraded, hours(26), hours(1)),
            (Degraded, hours(30), hours(6)),
            (Degraded, hours(500), hours(24)),
            (Lost, secs(0), hours(1)),
            (Lost, hours(10), hours(2)),
            (Lost, hours(500), hours(24)),
        ] {
            assert_eq!(gap(&standing(state, age), Changes::default(), expected), expected, "{state:?} for {age:#}");
        }
    }

    #[test]
    fn what_changed_makes_it_sooner_and_never_later() {
        let verified = standing(DomainState::Verified, DAILY);
        let fresh = standing(DomainState::Pending, SignedDuration::from_mins(1));
        let none = Changes::default();
        for (changes, expected) in [
            (Changes { ses: true, ..none }, AFTER_SES_CHANGE),
            (Changes { delegation: true, ..none }, AFTER_DELEGATION_CHANGE),
            (Changes { serial: true, ..none }, AFTER_SERIAL_CHANGE),
            (Changes { ses: true, delegation: true, serial: true }, AFTER_SES_CHANGE),
        ] {
            assert_eq!(gap(&verified, changes, expected), expected, "{changes:?}");
            let twelve = SignedDuration::from_secs(12);
            assert_eq!(gap(&fresh, changes, twelve), twelve, "{changes:?}");
        }
    }

    #[test]
    fn a_fault_is_looked_at_soon_then_less_and_less() {
        for (hours, expected) in
            [(0, AFTER_FAULT), (2, SignedDuration::from_hours(1)), (30, SignedDuration::from_hours(15)), (90, DAILY)]
        {
            let unclear_since = Some(NOW - SignedDuration::from_hours(hours));
            let verified = Standing { unclear_since, ..standing(DomainState::Verified, DAILY) };
            assert_eq!(gap(&verified, Changes::default(), expected), expected, "{hours} hours");
        }
    }

    #[test]
    fn a_pending_domain_costs_some_sixty_looks_in_the_window_of_ses() {
        let start = Standing::new(NOW);
        let (mut now, mut looks) = (NOW, 0);
        while now.duration_since(NOW) < SES_WINDOW {
            let gap = next_check(&start, Changes::default(), 0, now).duration_since(now);
            now += gap;
            looks += 1;
        }
        assert!((40..=70).contains(&looks), "{looks} looks");
    }

    /// Any state.
    fn any_state() -> impl Strategy<Value = DomainState> {
        proptest::sample::select(vec![
            DomainState::Pending,
            DomainState::Verified,
            DomainState::Degraded,
            DomainState::Lost,
        ])
    }

    proptest! {
        #[test]
        fn the_next_look_is_bounded_whatever_was_seen(
            state in any_state(),
            age in -1_000_000_i64..1_000_000_000,
            unclear in proptest::option::of(-1_000_000_i64..1_000_000_000),
            flags in any::<[bool; 3]>(),
            spread in any::<u64>(),
        ) {
            let seconds = SignedDuration::from_secs;
            let unclear_since = unclear.map(|age| NOW - seconds(age));
            let standing = Standing { unclear_since, ..standing(state, seconds(age)) };
            let [ses, delegation, serial] = flags;
            let changes = Changes { ses, delegation, serial };
            let gap = next_check(&standing, changes, spread, NOW).duration_since(NOW);
            prop_assert!(gap >= SOONEST && gap <= DAILY + DAILY / 10, "{gap:#}");
        }

        #[test]
        fn an_older_state_is_never_looked_at_sooner(
            state in any_state(),
            age in 0_i64..1_000_000,
            more in 0_i64..1_000_000,
        ) {
            let gap = |age: i64| {
                let standing = standing(state, SignedDuration::from_secs(age));
                // The number 0 moves every gap as far down as it may.
                next_check(&standing, Changes::default(), 0, NOW).duration_since(NOW).as_millis()
            };
            prop_assert!(gap(age) <= gap(age + more));
        }

        #[test]
        fn domains_added_together_drift_apart_and_keep_their_rhythm(spreads in any::<[u64; 2]>()) {
            let verified = standing(DomainState::Verified, DAILY);
            let gap = |spread| next_check(&verified, Changes::default(), spread, NOW).duration_since(NOW);
            let [one, other] = spreads.map(gap);
            prop_assert!(one >= DAILY - DAILY / 10 && one <= DAILY + DAILY / 10);
            let width = u64::try_from(2 * (DAILY.as_millis() / 10) + 1).unwrap();
            prop_assert_eq!(one == other, spreads[0] % width == spreads[1] % width);
        }
    }
}
