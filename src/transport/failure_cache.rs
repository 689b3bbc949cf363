//! Which question failed at which address, so that it is not asked again at once (RFC 9520 §3.2).
//!
//! Pure: the time comes in. Only silence is remembered here; what a server replied, SERVFAIL and REFUSED included, is
//! evidence that must be fresh. Nothing is remembered of questions that never left.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::dns::name::Name;
use crate::dns::rrset::Question;
use crate::evidence::Silence;

/// For how long a first failure is remembered (SECURITY.md A10; RFC 9520 §3.2 asks for a second or more).
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// For how long a failure is remembered at most (RFC 9520 §3.2: no more than five minutes).
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The most failures that are remembered.
const FAILURES_KEPT: usize = 32_768;

/// The failures of late.
pub struct FailureCache {
    /// The failures by address and question.
    failures: Cache<(IpAddr, Question), Failure>,
}

/// One failure.
#[derive(Clone, Copy)]
struct Failure {
    /// How the server failed.
    silence: Silence,
    /// When it may be asked again.
    until: Instant,
    /// How long the wait is.
    wait: Duration,
}

impl Default for FailureCache {
    fn default() -> Self {
        Self { failures: Cache::new(FAILURES_KEPT) }
    }
}

impl FailureCache {
    /// Returns how the server failed that question, where it is too early to ask again.
    #[must_use]
    pub fn recall(&self, server: IpAddr, question: &Question, now: Instant) -> Option<Silence> {
        let failure = self.failures.get(&(server, question.clone()))?;
        (now < failure.until).then_some(failure.silence)
    }

    /// Remembers a failure: for 5 s, and for twice as long each time that the next try fails too, up to 300 s.
    ///
    /// Questions that never left, and servers that cannot be reached from here, are not remembered.
    pub fn note_failure(&self, server: IpAddr, question: &Question, silence: Silence, now: Instant) {
        if matches!(silence, Silence::NoRoute | Silence::Forbidden | Silence::Limit) {
            return;
        }
        let key = (server, question.clone());
        let wait = match self.failures.get(&key) {
            // A failure of the same moment is the same failure.
            Some(last) if now < last.until => return,
            Some(last) if now < last.until + LONGEST_WAIT => (last.wait * 2).min(LONGEST_WAIT),
            _ => FIRST_WAIT,
        };
        self.failures.insert(key, Failure { silence, until: now + wait, wait });
    }

    /// Forgets the failure of a question that was answered.
    pub fn note_answer(&self, server: IpAddr, question: &Question) {
        self.failures.remove(&(server, question.clone()));
    }

    /// Lets everything at or below `zone` be asked again at once, for a re-check that a user asked for.
    pub fn forget_below(&self, zone: &Name) {
        self.failures.retain(|(_, question), _| !question.name.is_subdomain_of(zone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::rrset::RecordType;

    const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn question(name: &str) -> Question {
        Question::new(Name::parse(name).unwrap(), RecordType::TXT)
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let (cache, question) = (FailureCache::default(), question("example."));
        let mut now = Instant::now();
        for expected in [5, 10, 20, 40, 80, 160, 300, 300] {
            cache.note_failure(SERVER, &question, Silence::Timeout, now);
            cache.note_failure(SERVER, &question, Silence::Timeout, now);
            now += Duration::from_secs(expected) - Duration::from_millis(1);
            assert_eq!(cache.recall(SERVER, &question, now), Some(Silence::Timeout), "after {expected} s");
            now += Duration::from_millis(1);
            assert_eq!(cache.recall(SERVER, &question, now), None, "after {expected} s");
        }
        now += LONGEST_WAIT;
        cache.note_failure(SERVER, &question, Silence::Refused, now);
        assert_eq!(cache.recall(SERVER, &question, now + FIRST_WAIT), None, "an old failure does not count");
    }

    #[test]
    fn an_answer_and_a_recheck_end_the_wait() {
        let (cache, now) = (FailureCache::default(), Instant::now());
        let names = ["a.example.", "b.a.example.", "example."];
        for name in names {
            cache.note_failure(SERVER, &question(name), Silence::Timeout, now);
        }
        let left = |cache: &FailureCache| names.map(|name| cache.recall(SERVER, &question(name), now).is_some());
        cache.forget_below(&Name::parse("a.example.").unwrap());
        assert_eq!(left(&cache), [false, false, true]);
        cache.note_answer(SERVER, &question("example."));
        assert_eq!(left(&cache), [false; 3]);
    }

    #[test]
    fn what_never_left_is_not_remembered() {
        let (cache, now) = (FailureCache::default(), Instant::now());
        for silence in [Silence::NoRoute, Silence::Forbidden, Silence::Limit] {
            cache.note_failure(SERVER, &question("example."), silence, now);
            assert_eq!(cache.recall(SERVER, &question("example."), now), None);
        }
    }
}
