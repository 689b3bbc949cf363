//! When a message that was not taken is sent again, and when it is given up. Pure.

use jiff::SignedDuration;

/// How long is waited after each failed attempt (Standard Webhooks 1.0, "Deliverability and reliability"): ten attempts
/// over three days and some hours.
const WAITS: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];
/// By what part of it a wait is prolonged at most, so that messages that failed together do not come back together.
const JITTER_PARTS: i32 = 10;
/// The longest wait that a receiver may ask for in `Retry-After`: the longest of the schedule.
const MAX_ASKED: SignedDuration = SignedDuration::from_hours(24);

/// Returns how long to wait after `attempts` attempts, all failed; `None` where the message is given up.
///
/// `asked` is what the receiver asked for (RFC 9110 §10.2.3): it may only make the wait longer. `jitter` is 0 to 1.
#[must_use]
pub fn wait_after(attempts: u32, asked: Option<SignedDuration>, jitter: f64) -> Option<SignedDuration> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let wait = *WAITS.get(place)?;
    let wait = asked.map_or(wait, |asked| wait.max(asked.min(MAX_ASKED)));
    let most = (wait / JITTER_PARTS).as_secs_f64();
    let longer = SignedDuration::try_from_secs_f64(most * jitter.clamp(0.0, 1.0)).unwrap_or(SignedDuration::ZERO);
    Some(wait + longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_are_made_over_three_days_and_some_hours() {
        let waits: Vec<i64> =
            (1..).map_while(|attempts| wait_after(attempts, None, 0.0)).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(wait_after(0, None, 0.0), None);
        assert_eq!(wait_after(u32::MAX, None, 0.0), None);
    }

    #[test]
    fn jitter_prolongs_by_up_to_a_tenth() {
        for (jitter, expected) in [(-1.0, 300), (0.0, 300), (0.5, 315), (1.0, 330), (9.0, 330), (f64::NAN, 300)] {
            assert_eq!(wait_after(2, None, jitter).unwrap().as_secs(), expected, "{jitter}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_longer_but_not_for_ever_nor_for_sooner() {
        for (asked, expected) in [(1, 300), (600, 600), (i64::MAX, 86_400), (-5, 300)] {
            let asked = Some(SignedDuration::from_secs(asked));
            assert_eq!(wait_after(2, asked, 0.0).unwrap().as_secs(), expected);
        }
    }
}
