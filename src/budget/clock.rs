//! The clock of one check, which stands still while all that the check does is to wait for its turn.
//!
//! Pure: the time comes in. What a server is asked next to others is no fault of a domain, so that the time in our own
//! queues must not count against it; the time that servers take does.

use std::time::{Duration, Instant};

/// What a question does at the moment, for the clock of its check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errand {
    /// It waits for its turn, or for the same thing that another check does.
    Waiting,
    /// It is out at a server.
    Out,
}

/// The clock of one check.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// How many questions wait.
    waiting: u32,
    /// How many are out.
    out: u32,
    /// Since when it stands still.
    stopped_since: Option<Instant>,
    /// For how long it stood still before.
    stopped: Duration,
}

impl Clock {
    /// Takes note that a question begins an errand.
    pub(super) fn begin(&mut self, errand: Errand, now: Instant) {
        let count = self.count(errand);
        *count = count.saturating_add(1);
        self.turn(now);
    }

    /// Takes note that a question ends an errand.
    pub(super) fn end(&mut self, errand: Errand, now: Instant) {
        let count = self.count(errand);
        *count = count.saturating_sub(1);
        self.turn(now);
    }

    /// Returns for how long it stood still so far.
    pub(super) fn stopped(&self, now: Instant) -> Duration {
        self.stopped + self.stopped_since.map_or(Duration::ZERO, |since| now.duration_since(since))
    }

    /// Returns how many questions are at an errand.
    fn count(&mut self, errand: Errand) -> &mut u32 {
        match errand {
            Errand::Waiting => &mut self.waiting,
            Errand::Out => &mut self.out,
        }
    }

    /// Stops or starts it, as the errands say: it stands still where some wait and none is out.
    fn turn(&mut self, now: Instant) {
        let stands_still = self.waiting > 0 && self.out == 0;
        if stands_still {
            self.stopped_since.get_or_insert(now);
        } else if let Some(since) = self.stopped_since.take() {
            self.stopped += now.duration_since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_some_wait_and_none_is_out() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let mut stopped = Vec::new();
        let steps: &[(bool, Errand)] = &[
            (true, Errand::Waiting),
            (true, Errand::Waiting),
            (true, Errand::Out),
            (false, Errand::Waiting),
            (false, Errand::Out),
            (false, Errand::Waiting),
        ];
        for (second, (begins, errand)) in (1..).zip(steps) {
            if *begins {
                clock.begin(*errand, at(second))
            } else {
                clock.end(*errand, at(second))
            }
            stopped.push(clock.stopped(at(second + 1)).as_secs());
        }
        assert_eq!(stopped, [1, 2, 2, 2, 3, 3]);
        assert_eq!(clock.stopped(at(100)), Duration::from_secs(3));
    }
}
