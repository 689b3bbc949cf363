//! How fast SES is asked, and when it is left alone.
//!
//! A gate gives every call its turn, first come, first served, one after the other. A throttled call halves the rate,
//! down to a tenth of a call a second; calls that succeed raise it again step by step. SES sends neither a rate nor a
//! time to come back, so that this is all there is to go by. A fixed quota would not do, as the rate changes while
//! calls wait. A breaker leaves SES alone for a while after many failures in a row.
//!
//! Time is tokio's, so that it can be paused.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The lowest rate that throttling leads to, in calls a second (SECURITY.md, limits).
const MIN_PER_SECOND: f64 = 0.1;
/// How much faster SES is asked after a call that succeeded, in calls a second, of a rate of one.
const STEP: f64 = 0.05;
/// How many failures in a row open the breaker (SECURITY.md, limits).
const FAILURES_UNTIL_OPEN: u32 = 10;
/// For how long an open breaker lets no call through (SECURITY.md, limits).
pub(super) const OPEN_FOR: Duration = Duration::from_secs(60);

/// Gives calls their turn.
#[derive(Debug)]
pub(super) struct Gate {
    /// The rate that was asked for, in calls a second; `None` is no limit.
    limit: Option<f64>,
    /// What changes.
    state: Mutex<GateState>,
}

/// The rate of the moment and the next turn.
#[derive(Debug)]
struct GateState {
    /// The rate of the moment, in calls a second.
    per_second: f64,
    /// When the next turn is; in the past where nobody waits.
    next: Option<Instant>,
    /// Until when further throttling is that of calls that had left before.
    halved_until: Option<Instant>,
}

impl Gate {
    /// Makes a gate for this many calls a second; zero, or what is no rate, is no limit.
    pub(super) fn new(per_second: f64) -> Self {
        let limit = (per_second.is_finite() && per_second > 0.0).then_some(per_second);
        let state = GateState { per_second: limit.unwrap_or(0.0), next: None, halved_until: None };
        Self { limit, state: Mutex::new(state) }
    }

    /// Waits for the turn of one call. A turn whose future is dropped is lost, on the safe side.
    pub(super) async fn turn(&self) {
        if let Some(at) = self.take_turn(Instant::now()) {
            sleep_until(at).await;
        }
    }

    /// Takes the next turn; `None` where it is now.
    fn take_turn(&self, now: Instant) -> Option<Instant> {
        self.limit?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let at = state.next.map_or(now, |next| next.max(now));
        state.next = at.checked_add(period(state.per_second));
        (at > now).then_some(at)
    }

    /// Takes note that SES was asked too often: halves the rate, once for all calls that were out.
    pub(super) fn slow_down(&self, now: Instant) {
        let Some(limit) = self.limit else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.halved_until.is_some_and(|until| now < until) {
            return;
        }
        state.per_second = (state.per_second / 2.0).max(MIN_PER_SECOND.min(limit));
        let next = now.checked_add(period(state.per_second));
        state.next = state.next.max(next);
        state.halved_until = next;
    }

    /// Takes note that a call succeeded.
    pub(super) fn speed_up(&self) {
        let Some(limit) = self.limit else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.per_second = (state.per_second + STEP * limit.max(1.0)).min(limit);
    }

    /// Returns the rate of the moment in calls a second; `None` is no limit.
    pub(super) fn per_second(&self) -> Option<f64> {
        self.limit?;
        Some(self.state.lock().unwrap_or_else(PoisonError::into_inner).per_second)
    }
}

/// Returns the time between two calls.
fn period(per_second: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::from_secs_f64(1.0 / MIN_PER_SECOND))
}

/// Leaves SES alone after many failures in a row.
///
/// ```text
/// closed --10 failures--> open for 60 s --> one call on trial --success--> closed
///                           ^                     | failure, or no word
///                           '---------------------'
/// ```
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// What changes.
    state: Mutex<BreakerState>,
}

/// Where a breaker stands.
#[derive(Debug, Default)]
struct BreakerState {
    /// How many calls in a row failed.
    failures: u32,
    /// Until when no call is let through; `None` while closed.
    open_until: Option<Instant>,
}

impl Breaker {
    /// Returns for how long no call is let through yet; `None` where one would be.
    pub(super) fn open_for(&self, now: Instant) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open_until.filter(|until| now < *until).map(|until| until.duration_since(now))
    }

    /// Says whether a call may be made; where the breaker was open, this one is on trial, and the next one may be made
    /// only after `trial_lasts` or its success.
    ///
    /// # Errors
    /// How long no call is let through yet.
    pub(super) fn admit(&self, now: Instant, trial_lasts: Duration) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.open_until {
            Some(until) if now < until => Err(until.duration_since(now)),
            Some(_) => {
                state.open_until = now.checked_add(trial_lasts);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes note that SES answered, whatever it said.
    pub(super) fn answered(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = BreakerState::default();
    }

    /// Takes note that SES did not answer, or nonsense.
    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_UNTIL_OPEN {
            state.open_until = now.checked_add(OPEN_FOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how long `count` calls take one after the other.
    async fn time_of(gate: &Gate, count: u32) -> Duration {
        let started = Instant::now();
        for _ in 0..count {
            gate.turn().await;
        }
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_their_distance() {
        for (per_second, count, seconds) in
            [(1.0, 5, 4.0), (2.0, 5, 2.0), (0.5, 3, 4.0), (0.0, 100, 0.0), (-1.0, 9, 0.0)]
        {
            let taken = time_of(&Gate::new(per_second), count).await.as_secs_f64();
            assert!((taken - seconds).abs() < 0.1, "{per_second}: {taken}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_gate_halves_once_for_all_calls_that_were_out_and_recovers() {
        let gate = Gate::new(1.0);
        gate.turn().await;
        for _ in 0..5 {
            gate.slow_down(Instant::now());
        }
        assert_eq!(gate.per_second(), Some(0.5));
        let taken = time_of(&gate, 1).await.as_secs_f64();
        assert!((taken - 2.0).abs() < 0.1, "{taken}");
        for _ in 0..100 {
            gate.slow_down(Instant::now());
            tokio::time::advance(Duration::from_secs(20)).await;
        }
        assert_eq!(gate.per_second(), Some(MIN_PER_SECOND));
        for _ in 0..100 {
            gate.speed_up();
        }
        assert_eq!(gate.per_second(), Some(1.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_below_the_lowest_is_kept() {
        let gate = Gate::new(0.05);
        gate.slow_down(Instant::now());
        assert_eq!(gate.per_second(), Some(0.05));
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_opens_after_failures_in_a_row_and_tries_one_call() {
        let breaker = Breaker::default();
        let trial = Duration::from_secs(20);
        for _ in 0..FAILURES_UNTIL_OPEN - 1 {
            breaker.failed(Instant::now());
        }
        breaker.answered();
        for _ in 0..FAILURES_UNTIL_OPEN {
            assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
            breaker.failed(Instant::now());
        }
        assert_eq!(breaker.admit(Instant::now(), trial), Err(OPEN_FOR));
        tokio::time::advance(OPEN_FOR).await;
        assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
        assert_eq!(breaker.admit(Instant::now(), trial), Err(trial));
        // The trial is never heard of again: another one is made.
        tokio::time::advance(trial).await;
        assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
        breaker.failed(Instant::now());
        assert_eq!(breaker.admit(Instant::now(), trial), Err(OPEN_FOR));
        tokio::time::advance(OPEN_FOR).await;
        assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
        breaker.answered();
        assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
        assert_eq!(breaker.admit(Instant::now(), trial), Ok(()));
    }
}
