//! What is known of each server address: how fast it is, whether it answers, what it cannot do.
//!
//! State only: the time comes in, and nothing is sent or waited for here. It never says that a server is not to be
//! asked; it says how much trouble one more question is worth.

use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::per_key::PerKey;

/// The shortest time that a try waits, and the longest (SECURITY.md A8).
const TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_millis(400), Duration::from_millis(3200));
/// How much longer than a steady server takes a try waits at least: what RFC 6298 §4 calls a fine clock.
const LEAST_MARGIN: Duration = Duration::from_millis(100);
/// How long the first try waits at an address of which nothing is known.
const UNKNOWN_TIMEOUT: Duration = Duration::from_millis(800);
/// After how many checks in a row without an answer an address is down (SECURITY.md A8).
const CHECKS_UNTIL_DOWN: usize = 3;
/// For how long it is down, and for how long retries are not spent again on one that did not answer.
const DOWN_TIME: Duration = Duration::from_secs(60);
/// The most checks whose try at a down address is remembered; the pace lets through fewer in that time.
const MAX_TRIES_WHILE_DOWN: usize = 4096;
/// How long what is known of an address is kept while nobody asks it, and its quirks in any case.
const KEPT: Duration = Duration::from_secs(900);
/// The most addresses that are remembered.
const SERVERS_KEPT: usize = 16_384;

/// How much trouble a question to an address is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It answered before: every question gets all its tries.
    Answers,
    /// Nothing is known: one question gets all its tries, the others one until it is known whether anybody is there.
    Unknown,
    /// It did not answer of late, though all tries were spent: every question gets one.
    Silent,
    /// It is down: each check gets one try.
    Down {
        /// Whether this question is the check's try.
        is_turn: bool,
    },
}

/// What a question to an address may expect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outlook {
    /// How much trouble it is worth.
    pub standing: Standing,
    /// How long its first try waits.
    pub first_timeout: Duration,
    /// What the address was seen not to do.
    pub quirks: Quirks,
}

/// What a server was seen not to do as others do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quirks {
    /// It takes no EDNS: it said so over TCP, and answered there without (SECURITY.md F8).
    pub refuses_edns: bool,
    /// Its UDP replies did not match, and over TCP it replied well: most often the case of letters is not kept.
    pub mismatches_udp: bool,
    /// It cut replies over UDP.
    pub truncates: bool,
}

/// What is known of all server addresses.
pub struct ServerHealth {
    /// The addresses.
    servers: PerKey<IpAddr, Server>,
}

/// One address.
#[derive(Default)]
struct Server {
    /// What is known of it.
    record: Mutex<Record>,
    /// Who holds this finds out for all others whether the address answers.
    lead: Arc<tokio::sync::Mutex<()>>,
}

/// What is known of one address.
#[derive(Default)]
struct Record {
    /// The smoothed round-trip time and its variance (RFC 6298 §2).
    rtt: Option<(Duration, Duration)>,
    /// Whether it answered since it was last down.
    has_answered: bool,
    /// The latest checks that it did not answer, all since its last answer; at most three.
    failed_checks: VecDeque<u64>,
    /// When it last failed to answer, all tries spent.
    last_failure: Option<Instant>,
    /// Until when it is down.
    down_until: Option<Instant>,
    /// The checks that had their try while it was down.
    tried_while_down: HashSet<u64>,
    /// What it does not do as others do.
    quirks: Quirks,
    /// When the first of the quirks was noted; they are found out anew now and then.
    quirks_noted: Option<Instant>,
    /// When it was last asked or heard.
    touched: Option<Instant>,
}

impl Default for ServerHealth {
    fn default() -> Self {
        Self { servers: PerKey::new(SERVERS_KEPT) }
    }
}

impl ServerHealth {
    /// Says what a question of `check` to that address may expect. While the address is down, this uses up the check's
    /// try.
    #[must_use]
    pub fn outlook(&self, server: IpAddr, check: u64, now: Instant) -> Outlook {
        self.with(server, now, |record| Outlook {
            standing: record.standing(check, now),
            first_timeout: record.first_timeout(),
            quirks: record.quirks,
        })
    }

    /// Says whether the address answered since it was last down or new.
    #[must_use]
    pub fn has_answered(&self, server: IpAddr, now: Instant) -> bool {
        self.with(server, now, |record| record.has_answered)
    }

    /// Says whether the address failed to answer with all tries spent, at `since` or later.
    #[must_use]
    pub fn has_failed_since(&self, server: IpAddr, since: Instant, now: Instant) -> bool {
        self.with(server, now, |record| record.last_failure.is_some_and(|failure| since <= failure))
    }

    /// Returns how long the next try waits after one that waited for `timeout`.
    #[must_use]
    pub fn next_timeout(timeout: Duration) -> Duration {
        (timeout * 2).min(TIMEOUT_RANGE.1)
    }

    /// Returns what the address was seen not to do.
    #[must_use]
    pub fn quirks(&self, server: IpAddr, now: Instant) -> Quirks {
        self.with(server, now, |record| record.quirks)
    }

    /// Notes what the address does not do.
    pub fn note_quirk(&self, server: IpAddr, now: Instant, note: impl FnOnce(&mut Quirks)) {
        self.with(server, now, |record| {
            note(&mut record.quirks);
            record.quirks_noted.get_or_insert(now);
        });
    }

    /// Notes that the address replied, whatever it said; `rtt` where one datagram each way took that long.
    pub fn note_answer(&self, server: IpAddr, rtt: Option<Duration>, now: Instant) {
        self.with(server, now, |record| {
            if let Some(rtt) = rtt {
                record.measure(rtt);
            }
            record.has_answered = true;
            record.last_failure = None;
            record.down_until = None;
            record.failed_checks.clear();
            record.tried_while_down.clear();
        });
    }

    /// Notes that a question of `check` was not answered, all its tries spent. Three checks in a row without an answer
    /// put the address down for 60 s.
    pub fn note_failure(&self, server: IpAddr, check: u64, now: Instant) {
        self.with(server, now, |record| {
            record.last_failure = Some(now);
            if record.failed_checks.contains(&check) {
                return;
            }
            record.failed_checks.push_back(check);
            if record.failed_checks.len() > CHECKS_UNTIL_DOWN {
                record.failed_checks.pop_front();
            }
            if record.failed_checks.len() == CHECKS_UNTIL_DOWN && record.down_until.is_none_or(|until| until <= now) {
                record.down_until = Some(now + DOWN_TIME);
                record.has_answered = false;
                record.tried_while_down = record.failed_checks.iter().copied().collect();
            }
        });
    }

    /// Returns the lock of the question that finds out whether the address answers.
    pub(super) fn lead(&self, server: IpAddr) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.servers.get_or_make(&server, Server::default).lead)
    }

    /// Reads or changes what is known of an address, after forgetting what is old.
    fn with<T>(&self, server: IpAddr, now: Instant, change: impl FnOnce(&mut Record) -> T) -> T {
        let server = self.servers.get_or_make(&server, Server::default);
        let mut record = server.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.touched.is_some_and(|touched| now.duration_since(touched) > KEPT) {
            *record = Record::default();
        }
        record.touched = Some(now);
        if record.quirks_noted.take_if(|noted| now.duration_since(*noted) > KEPT).is_some() {
            record.quirks = Quirks::default();
        }
        change(&mut record)
    }
}

impl Record {
    /// Says how much trouble a question of `check` is worth, and uses up its try where it has but one.
    fn standing(&mut self, check: u64, now: Instant) -> Standing {
        if self.down_until.is_some_and(|until| now < until) {
            if self.tried_while_down.len() >= MAX_TRIES_WHILE_DOWN {
                self.tried_while_down.clear();
            }
            return Standing::Down { is_turn: self.tried_while_down.insert(check) };
        }
        if self.has_answered {
            Standing::Answers
        } else if self.last_failure.is_some_and(|failure| now < failure + DOWN_TIME) {
            Standing::Silent
        } else {
            Standing::Unknown
        }
    }

    /// Returns how long the first try of a question waits.
    fn first_timeout(&self) -> Duration {
        let (shortest, longest) = TIMEOUT_RANGE;
        match self.rtt {
            Some((smoothed, variance)) => (smoothed + (variance * 4).max(LEAST_MARGIN)).clamp(shortest, longest),
            None => UNKNOWN_TIMEOUT,
        }
    }

    /// Takes a round-trip time into the average (RFC 6298 §2.2-2.3).
    fn measure(&mut self, rtt: Duration) {
        self.rtt = Some(match self.rtt {
            None => (rtt, rtt / 2),
            Some((smoothed, variance)) => ((smoothed * 7 + rtt) / 8, (variance * 3 + smoothed.abs_diff(rtt)) / 4),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    impl ServerHealth {
        /// Returns how much trouble a question of `check` is worth.
        fn standing(&self, server: IpAddr, check: u64, now: Instant) -> Standing {
            self.outlook(server, check, now).standing
        }

        /// Returns how long the first try of a question waits.
        fn first_timeout(&self, server: IpAddr, now: Instant) -> Duration {
            self.outlook(server, 0, now).first_timeout
        }
    }

    #[test]
    fn timeouts_follow_the_round_trip_time_within_bounds() {
        let (health, now) = (ServerHealth::default(), Instant::now());
        assert_eq!(health.first_timeout(SERVER, now), UNKNOWN_TIMEOUT);
        let cases = [(5, 400, 400), (300, 400, 700), (3000, 3100, 3100), (5000, 3200, 3200)];
        for (rtt, at_least, at_most) in cases {
            let health = ServerHealth::default();
            for _ in 0..100 {
                health.note_answer(SERVER, Some(Duration::from_millis(rtt)), now);
            }
            let timeout = health.first_timeout(SERVER, now).as_millis();
            assert!((at_least..=at_most).contains(&timeout), "{rtt} ms gives {timeout} ms");
        }
        assert_eq!(ServerHealth::next_timeout(Duration::from_millis(800)), Duration::from_millis(1600));
        assert_eq!(ServerHealth::next_timeout(Duration::from_millis(3200)), Duration::from_millis(3200));
    }

    #[test]
    fn three_checks_in_a_row_without_an_answer_put_an_address_down_for_a_minute() {
        let (health, mut now) = (ServerHealth::default(), Instant::now());
        for check in [1, 1, 1, 2, 2] {
            health.note_failure(SERVER, check, now);
            assert_eq!(health.standing(SERVER, check, now), Standing::Silent, "check {check}");
        }
        health.note_answer(SERVER, None, now);
        for check in [3, 4] {
            health.note_failure(SERVER, check, now);
            assert_eq!(health.standing(SERVER, check, now), Standing::Answers, "the row starts again");
        }
        health.note_failure(SERVER, 5, now);
        assert_eq!(health.standing(SERVER, 5, now), Standing::Down { is_turn: false }, "check 5 had its tries");
        assert_eq!(health.standing(SERVER, 6, now), Standing::Down { is_turn: true });
        assert_eq!(health.standing(SERVER, 6, now), Standing::Down { is_turn: false });
        health.note_failure(SERVER, 6, now + DOWN_TIME / 2);
        now += DOWN_TIME;
        assert_eq!(health.standing(SERVER, 7, now), Standing::Silent);
        health.note_failure(SERVER, 7, now);
        assert_eq!(health.standing(SERVER, 8, now), Standing::Down { is_turn: true }, "down again at once");
        health.note_answer(SERVER, None, now);
        assert_eq!(health.standing(SERVER, 8, now), Standing::Answers);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (health, now) = (ServerHealth::default(), Instant::now());
        health.note_quirk(SERVER, now, |quirks| quirks.refuses_edns = true);
        health.note_answer(SERVER, Some(Duration::from_millis(10)), now);
        assert!(health.quirks(SERVER, now + KEPT).refuses_edns, "it was asked just now");
        let later = now + KEPT * 2 + Duration::from_secs(1);
        assert_eq!(health.quirks(SERVER, later), Quirks::default());
        assert_eq!(health.standing(SERVER, 1, later), Standing::Unknown);
        assert_eq!(health.first_timeout(SERVER, later), UNKNOWN_TIMEOUT);
    }
}
