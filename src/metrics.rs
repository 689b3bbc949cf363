//! How often something happened that whoever runs this wants to know of: what was sent, what looked forged, what was
//! tried again, what a limit kept back.
//!
//! Plain counters, shared by all clones of a checker and never reset. They hold no names and no addresses, and nothing is
//! decided by them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Names everything that is counted, once: what it is called, and what it counts.
macro_rules! events {
    ($($(#[doc = $text:literal])+ $event:ident,)+) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event {
            $($(#[doc = $text])+ $event,)+
        }

        impl Event {
            /// All of them, in the order of their kinds.
            pub const ALL: &'static [Self] = &[$(Self::$event,)+];

            /// Returns what it counts, in words.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$event => concat!($($text),+).trim_ascii(),)+
                }
            }
        }
    };
}

events! {
    /// Checks that came to an end.
    Checks,
    /// Checks that a limit or the time cut short.
    ChecksCutShort,
    /// Lookups that came to an end.
    Lookups,
    /// Lookups whose signatures do not hold.
    LookupsBogus,
    /// Datagrams that were sent.
    DatagramsSent,
    /// Connections that were tried.
    ConnectionsTried,
    /// Replies that matched their question.
    Replies,
    /// Tries that nothing came of in time.
    Timeouts,
    /// Tries that the host refused.
    Refusals,
    /// Tries whose reply was no message, or cut where it may not be.
    Malformed,
    /// Questions of an address family without a route from here.
    NoRoute,
    /// Tries that ended because something came that did not match.
    NearMisses,
    /// Datagrams with an id that no question of late has there.
    WrongIds,
    /// Datagrams with the id of a question and the question of another.
    WrongQuestions,
    /// Datagrams that match but for the case of their letters.
    WrongCases,
    /// Datagrams from a port or an address that nothing was asked of.
    WrongSources,
    /// Datagrams for questions that were closed already; these do nothing.
    LateReplies,
    /// Replies over TCP to another question.
    MismatchesOverTcp,
    /// Datagrams that were sent again for want of a reply.
    Retries,
    /// Questions that were sent again without EDNS.
    EdnsLeftOut,
    /// Questions that went to TCP because the reply was cut.
    TcpAfterCut,
    /// Questions that went to TCP because something came that did not match.
    TcpAfterNearMiss,
    /// Questions that went to TCP because what came was unfit, or the host refused.
    TcpAfterUnfit,
    /// Questions that went to TCP because nothing came at all.
    TcpAfterSilence,
    /// Questions that were not sent for want of budget.
    BudgetHits,
    /// Questions that waited too long for their turn and were put off.
    PutOff,
    /// Questions that failed of late and were not sent again yet.
    FailuresRecalled,
    /// Questions that were not sent because the address is down.
    DownAddresses,
    /// Questions for addresses that are never asked.
    ForbiddenAddresses,
    /// Questions that shared the reply to the same one.
    QuestionsJoined,
    /// Times that a server's rate was halved.
    ServersSlowed,
}

impl Event {
    /// Returns the word that outputs use.
    #[must_use]
    pub fn word(self) -> String {
        let mut word = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !word.is_empty() {
                word.push('_');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }
}

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// One counter for each event, in their order.
    counters: [AtomicU64; Event::ALL.len()],
}

impl Metrics {
    /// Counts an event.
    pub fn count(&self, event: Event) {
        if let Some(counter) = self.counters.get(event as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reads all counters, one after the other: events of the same moment may be in one and not in another.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let counts = Event::ALL.iter().zip(&self.counters);
        Snapshot(counts.map(|(event, counter)| (*event, counter.load(Ordering::Relaxed))).collect())
    }
}

/// How often everything had happened at one moment; in JSON an object with a number for each word.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Snapshot(BTreeMap<Event, u64>);

impl Snapshot {
    /// Returns how often an event happened.
    #[must_use]
    pub fn of(&self, event: Event) -> u64 {
        self.0.get(&event).copied().unwrap_or_default()
    }

    /// Iterates over what happened at all, in the order of [`Event::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Event, u64)> {
        self.0.iter().map(|(event, count)| (*event, *count)).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for Snapshot {
    /// Writes what happened at all in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (event, count)) in self.iter().enumerate() {
            write!(f, "{}{} {count}", if nth == 0 { "" } else { ", " }, event.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_counter_a_word_and_a_meaning_of_its_own() {
        let metrics = Metrics::default();
        for (nth, event) in Event::ALL.iter().enumerate() {
            (0..=nth).for_each(|_| metrics.count(*event));
            assert_eq!(serde_json::to_string(event).unwrap(), format!("{:?}", event.word()));
            assert!(event.meaning().ends_with('.'), "{event:?}");
        }
        let snapshot = metrics.snapshot();
        let counts: Vec<u64> = Event::ALL.iter().map(|event| snapshot.of(*event)).collect();
        assert_eq!(counts, (1..=u64::try_from(Event::ALL.len()).unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn a_snapshot_reads_what_it_writes_and_prints_what_happened() {
        let metrics = Metrics::default();
        for event in [Event::Checks, Event::Retries, Event::Retries] {
            metrics.count(event);
        }
        let snapshot = metrics.snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
        assert_eq!(snapshot.to_string(), "checks 1, retries 2");
    }
}
