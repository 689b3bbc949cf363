//! How fast one address is asked, however many want something of it, measured where packets arrive; time is paused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep_until};
use zoneproof::budget::Budget;
use zoneproof::dns::message::{Flags, Message};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::evidence::{Flaws, Silence};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::transport::{Exchange, PaceClass, Query, Transport};

/// How many questions want to leave at once.
const QUESTIONS: usize = 2000;
/// The most that may come within a second: the rate and the burst (SECURITY.md A9).
const MOST_A_SECOND: usize = 60;
/// The most that may come within a tenth of a second: the burst and the rate (SECURITY.md A9).
const MOST_A_TENTH: usize = 44;

/// When a server replies to a question that came so long after the start.
type RepliesAt = fn(Duration) -> Duration;

/// A server that writes down when it is asked, and replies at the time that it likes.
struct Clocked {
    /// When it was asked.
    asked: Mutex<Vec<Instant>>,
    /// When it was started.
    start: Instant,
    /// Returns when it replies to a question that came so long after the start.
    replies_at: RepliesAt,
}

impl Transport for Clocked {
    async fn exchange(&self, query: &Query) -> Exchange {
        assert!(query.budget.spend_send());
        let now = Instant::now();
        self.asked.lock().unwrap().push(now);
        sleep_until(self.start + (self.replies_at)(now - self.start)).await;
        let flags = Flags { is_reply: true, authoritative: true, ..Flags::default() };
        let reply = Message { flags, question: Some(query.question.clone()), ..Message::default() };
        Exchange { outcome: Ok(reply.into()), rtt: now.elapsed(), protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// Asks one address many questions at once; returns when each came, and how many were put off.
fn ask_at_once(replies_at: RepliesAt) -> (Vec<Instant>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let server = Arc::new(Clocked { asked: Mutex::default(), start: Instant::now(), replies_at });
        let limits = PaceLimits { max_wait: Duration::from_secs(10), ..PaceLimits::default() };
        let policy = AddressPolicy::allowing_special();
        let settings = TransportSettings { policy, limits, ..TransportSettings::default() };
        let transport = stack(Arc::clone(&server) as _, Arc::clone(&server) as _, &settings);
        let address: IpAddr = [192, 0, 2, 1].into();
        let asked = (0..QUESTIONS).map(|nth| {
            let name = Name::parse(&format!("n{nth}.example.com.")).unwrap();
            let question = Question::new(name, RecordType::TXT);
            let query = Query::new(address, question, PaceClass::Ordinary, Budget::for_check());
            let transport = Arc::clone(&transport);
            async move { transport.exchange(&query).await.outcome }
        });
        let outcomes = join_all(asked).await;
        let put_off = outcomes.iter().filter(|outcome| **outcome == Err(Silence::Limit)).count();
        let asked = server.asked.lock().unwrap().clone();
        (asked, put_off)
    })
}

/// Returns how many of these times lie within one such span at most.
fn most_within(times: &[Instant], span: Duration) -> usize {
    let within = |first: &Instant| times.iter().filter(|time| **time >= *first && **time < *first + span).count();
    times.iter().map(within).max().unwrap_or_default()
}

#[test]
fn one_address_is_asked_no_faster_than_its_limit_however_many_ask() {
    let ways: [(&str, RepliesAt); 3] = [
        ("at once", |now| now),
        ("after a while", |now| now + Duration::from_millis(200)),
        // All that came within three seconds is answered in the same moment.
        ("held back", |now| Duration::from_secs(now.as_secs() / 3 * 3 + 3)),
    ];
    for (way, replies_at) in ways {
        let (asked, put_off) = ask_at_once(replies_at);
        let (second, tenth) = (Duration::from_secs(1), Duration::from_millis(100));
        let (a_second, a_tenth) = (most_within(&asked, second), most_within(&asked, tenth));
        println!("{way}: {} asked, {put_off} put off, {a_second} a second, {a_tenth} a tenth", asked.len());
        assert!(a_second <= MOST_A_SECOND && a_tenth <= MOST_A_TENTH, "{way}: {a_second} a second, {a_tenth} a tenth");
        assert!(put_off > 0 && put_off + asked.len() >= QUESTIONS, "{way}: what waits too long is put off");
    }
}
