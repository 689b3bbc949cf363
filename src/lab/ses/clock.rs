//! The clock that this SES lives by: real time, faster time, or time that stands still and is moved by hand.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// When it was last set, in real time.
    anchor: Instant,
    /// What it showed then.
    shown: Timestamp,
    /// How many of its seconds go by in a real one; with none it stands still.
    speed: u32,
}

impl Clock {
    /// Starts a clock that shows this time.
    pub(super) fn start(shown: Timestamp, speed: u32, real: Instant) -> Self {
        Self { anchor: real, shown, speed }
    }

    /// Returns what it shows.
    pub(super) fn at(&self, real: Instant) -> Timestamp {
        let passed = real.saturating_duration_since(self.anchor).saturating_mul(self.speed);
        later(self.shown, passed)
    }

    /// Returns how fast it goes.
    pub(super) fn speed(&self) -> u32 {
        self.speed
    }

    /// Moves it forward.
    pub(super) fn advance(&mut self, by: Duration, real: Instant) {
        *self = Self::start(later(self.at(real), by), self.speed, real);
    }

    /// Has it go faster, slower, or not at all.
    pub(super) fn set_speed(&mut self, speed: u32, real: Instant) {
        *self = Self::start(self.at(real), speed, real);
    }

    /// Returns how long it really takes until it shows a time; for ever, where it stands still.
    pub(super) fn until(&self, time: Timestamp, real: Instant) -> Option<Duration> {
        let left = Duration::try_from(time.duration_since(self.at(real))).unwrap_or_default();
        if left.is_zero() { Some(left) } else { left.checked_div(self.speed) }
    }
}

/// Returns a time so much later; the last there is, where there is none.
fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_by_as_fast_as_told() {
        let real = Instant::now();
        let second = |seconds: u64| real + Duration::from_secs(seconds);
        let mut clock = Clock::start(Timestamp::UNIX_EPOCH, 60, real);
        assert_eq!(clock.at(second(2)).as_second(), 120);
        let hour = Timestamp::from_second(3600).unwrap();
        assert_eq!(clock.until(hour, second(2)), Some(Duration::from_secs(58)));
        clock.advance(Duration::from_secs(1000), second(2));
        assert_eq!(clock.at(second(3)).as_second(), 1180);
        clock.set_speed(0, second(3));
        assert_eq!((clock.at(second(500)).as_second(), clock.speed()), (1180, 0));
        assert_eq!(clock.until(hour, second(500)), None);
        assert_eq!(clock.until(Timestamp::UNIX_EPOCH, second(500)), Some(Duration::ZERO), "what is past is due");
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        let real = Instant::now();
        let mut clock = Clock::start(Timestamp::UNIX_EPOCH, u32::MAX, real);
        clock.advance(Duration::MAX, real);
        assert_eq!(clock.at(real + Duration::from_secs(10_000)), Timestamp::MAX);
    }
}
