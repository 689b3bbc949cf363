//! A check and lookups whose servers say what the octets of a test say, one reply after the other.
//!
//! The first octet says what is hostile and what is asked. Then, for each question that a hostile server gets, an octet
//! says what it does: an honest reply, one with octets changed, one that stands in the input as it is, none. Where the
//! input ends, all servers are honest. One zone is honest always, and must come out as if nothing had been before it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use zoneproof::budget::MAX_SENDS_PER_CHECK;
use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Message, encode_query, is_bare_error_to, is_reply_to};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::evidence::{Flaws, Protocol, Silence};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::report::{Report, Verdict};
use zoneproof::scenario::{Action, Scenario};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::{Exchange, Query, Transport};

/// In the first octet: everything is asked.
pub(crate) const FULL: u8 = 1;
/// In the first octet: the root and the registries are hostile too, so that nothing can be right.
pub(crate) const ALL_HOSTILE: u8 = 2;
/// In the first octet: names are looked up before the check.
pub(crate) const LOOKUPS_FIRST: u8 = 4;

/// What a hostile server does: nothing.
pub(crate) const SILENT: u8 = 1;
/// What a hostile server does: nobody listens.
pub(crate) const REFUSES: u8 = 2;
/// What a hostile server does: it says what follows, two octets of length and a message, about whatever was asked.
pub(crate) const SAYS: u8 = 6;

/// The longest time that a check or a lookup may take (SECURITY.md A1), and a little.
const MAX_TIME: Duration = Duration::from_secs(31);
/// How long a server is waited for where a query does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// The servers that are honest unless everything is hostile: of the root, of two registries, and of `example.org`.
const HONEST: [[u8; 4]; 5] =
    [[198, 51, 100, 1], [198, 51, 100, 11], [198, 51, 100, 12], [203, 0, 113, 1], [203, 0, 113, 2]];

/// Two domains that are set up right; the servers of the first, `example.com`, are the hostile ones.
const WORLD: &str = "zone . at 198.51.100.1\n  com NS a.nic.com.\n  a.nic.com. A 198.51.100.11\n  org NS a.nic.org.\n  \
    a.nic.org. A 198.51.100.12\n\
    zone com at 198.51.100.11\n  example NS ns1.example\n  ns1.example A 192.0.2.1\n  example NS ns2.example\n  \
    ns2.example A 192.0.2.2\n\
    zone org at 198.51.100.12\n  example NS ns1.example\n  ns1.example A 203.0.113.1\n  example NS ns2.example\n  \
    ns2.example A 203.0.113.2\n\
    zone example.com at 192.0.2.1 192.0.2.2\n  mail TXT \"v=spf1 include:amazonses.com ~all\"\n  _dmarc TXT \"v=DMARC1; \
    p=none\"\n  t1._domainkey.mail CNAME t1.dkim.amazonses.com.\n  t2._domainkey.mail CNAME t2.dkim.amazonses.com.\n  \
    t3._domainkey.mail CNAME t3.dkim.amazonses.com.\n\
    zone example.org at 203.0.113.1 203.0.113.2\n  mail TXT \"v=spf1 include:amazonses.com ~all\"\n  _dmarc TXT \
    \"v=DMARC1; p=none\"\n  t1._domainkey.mail CNAME t1.dkim.amazonses.com.\n  t2._domainkey.mail CNAME \
    t2.dkim.amazonses.com.\n  t3._domainkey.mail CNAME t3.dkim.amazonses.com.\n";

/// The world, read once.
static SCENARIO: LazyLock<Arc<Scenario>> = LazyLock::new(|| Arc::new(WORLD.parse().expect("a scenario")));
/// What comes of the honest zone where nothing was before it.
static COLD: LazyLock<String> = LazyLock::new(|| {
    let servers = Servers::new(&[], ALL_HOSTILE);
    runtime().block_on(async { gist(&check(&checker(&servers), "mail.example.org", Depth::Quick).await) })
});

/// What is left of the input.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Takes the next octet; zero where there is none.
    fn next(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// Takes the next octets, as many as there are.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Takes two octets of length and as many octets.
    fn counted(&mut self) -> &'a [u8] {
        let length = u16::from_be_bytes([self.next(), self.next()]);
        self.take(usize::from(length))
    }
}

/// The servers: honest ones, and hostile ones that do what the input says.
struct Servers {
    /// What they do, and how much of that was done.
    input: Mutex<(Vec<u8>, usize)>,
    /// Whether all of them are hostile.
    are_all_hostile: bool,
    /// How many packets came.
    packets: AtomicU32,
}

impl Servers {
    /// Starts with nothing asked.
    fn new(input: &[u8], setup: u8) -> Arc<Self> {
        let input = Mutex::new((input.to_vec(), 0));
        Arc::new(Self { input, are_all_hostile: setup & ALL_HOSTILE != 0, packets: AtomicU32::new(0) })
    }

    /// Returns the packets since the last call.
    fn take_packets(&self) -> u32 {
        self.packets.swap(0, Ordering::Relaxed)
    }

    /// Sends one query and waits for its reply.
    async fn send(&self, query: &Query) -> Result<Message, Silence> {
        if !query.budget.spend_send() {
            return Err(Silence::Limit);
        }
        self.packets.fetch_add(1, Ordering::Relaxed);
        assert!(AddressPolicy::allowing_special().allows(query.server), "{} was asked", query.server);
        let edns = Edns { payload_octets: 1232, dnssec_ok: query.dnssec_ok, ..Edns::default() };
        let octets = encode_query(7, &query.question, u64::MAX, query.with_edns.then_some(&edns));
        let honest = match SCENARIO.respond(query.server, query.protocol, &octets, 1) {
            Action::Reply { octets, .. } => Some(octets),
            Action::Silence | Action::RefuseConnection => None,
        };
        let is_honest = !self.are_all_hostile && HONEST.iter().any(|honest| query.server == IpAddr::from(*honest));
        let (delay, outcome) = if is_honest { (0, honest_reply(honest)) } else { self.hostile(query, &octets, honest) };
        let timeout = query.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let delay = Duration::from_millis(delay);
        if outcome == Err(Silence::Timeout) || delay >= timeout {
            sleep(timeout).await;
            return Err(Silence::Timeout);
        }
        sleep(delay).await;
        outcome
    }

    /// Does what the input says; returns how many milliseconds that takes, too.
    fn hostile(&self, query: &Query, octets: &[u8], honest: Option<Vec<u8>>) -> (u64, Result<Message, Silence>) {
        let mut place = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, done) = &mut *place;
        let mut input = Input(&all[*done..]);
        let does = input.next();
        let mut delay = 0;
        let outcome = match does % 8 {
            SILENT => Err(Silence::Timeout),
            REFUSES => Err(Silence::Refused),
            3 => Err(Silence::Malformed),
            4 => {
                let mut reply = honest.unwrap_or_else(|| octets.to_vec());
                for _ in 0..=input.next() % 8 {
                    let at = usize::from(u16::from_be_bytes([input.next(), input.next()])) % reply.len();
                    reply[at] ^= input.next();
                }
                read(&reply, octets, query)
            }
            5 => {
                let mut reply = [&[0, 7], input.counted()].concat();
                reply.truncate(usize::from(u16::MAX));
                read(&reply, octets, query)
            }
            SAYS => about(input.counted(), query),
            7 => {
                delay = u64::from(input.next()) * 50;
                about(input.counted(), query)
            }
            _ => honest_reply(honest),
        };
        *done = all.len() - input.0.len();
        (delay, outcome)
    }
}

impl Transport for Servers {
    async fn exchange(&self, query: &Query) -> Exchange {
        let start = Instant::now();
        let outcome = self.send(query).await.map(Into::into);
        Exchange { outcome, rtt: start.elapsed(), protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// Reads what an honest server said; what no server said is a timeout.
fn honest_reply(octets: Option<Vec<u8>>) -> Result<Message, Silence> {
    octets.map_or(Err(Silence::Timeout), |octets| Message::decode(&octets).map_err(|_| Silence::Malformed))
}

/// Reads octets, if they are a reply to the query.
fn read(reply: &[u8], octets: &[u8], query: &Query) -> Result<Message, Silence> {
    query.budget.spend_octets(reply.len());
    let message = Message::decode(reply).map_err(|_| Silence::Malformed)?;
    let fits = is_reply_to(reply, octets) || is_bare_error_to(reply, octets);
    let is_cut = message.flags.truncated && query.protocol == Protocol::Tcp;
    if !fits {
        Err(Silence::Mismatched)
    } else if is_cut {
        Err(Silence::Malformed)
    } else {
        Ok(message)
    }
}

/// Reads octets as a message and has it be about what was asked, whatever it was about.
fn about(octets: &[u8], query: &Query) -> Result<Message, Silence> {
    query.budget.spend_octets(octets.len());
    let mut message = Message::decode(octets).map_err(|_| Silence::Malformed)?;
    if let Some(Question { name, .. }) = message.question.replace(query.question.clone()) {
        let sections = [&mut message.answers, &mut message.authority, &mut message.additional];
        for record in sections.into_iter().flatten().filter(|record| record.owner == name) {
            record.owner = query.question.name.to_lowercase();
        }
    }
    let is_cut = message.flags.truncated && query.protocol == Protocol::Tcp;
    if is_cut { Err(Silence::Malformed) } else { Ok(message) }
}

/// Makes a runtime whose time is paused.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Makes a checker that asks these servers through the whole stack of transports.
fn checker(servers: &Arc<Servers>) -> Checker {
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(servers) as _, Arc::clone(servers) as _, &settings);
    Checker::builder().root_hints(SCENARIO.root_hints()).transport(transport).build().expect("a checker")
}

/// Checks a domain.
async fn check(checker: &Checker, domain: &str, depth: Depth) -> Report {
    let expectation = Expectation::new(domain, &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("a domain");
    checker.check(&expectation.with_depth(depth)).await
}

/// Writes what a report says, without what it took.
fn gist(report: &Report) -> String {
    let found: BTreeMap<String, String> = report
        .records
        .iter()
        .map(|record| (record.name.to_string(), format!("{:?} {:?} {:?}", record.status, record.code, record.found)))
        .collect();
    format!("{} {found:?}", report.verdict.as_str())
}

/// Runs a session.
///
/// # Panics
/// Panics where a limit is not kept, where a report contradicts itself, or where the honest zone suffers.
pub(crate) fn run(data: &[u8]) {
    let (setup, input) = data.split_first().map_or((0, data), |(setup, input)| (*setup, input));
    let (servers, cold) = (Servers::new(input, setup), COLD.as_str());
    runtime().block_on(async {
        let checker = checker(&servers);
        let depth = if setup & FULL != 0 { Depth::Full } else { Depth::Quick };
        let lookups = async || {
            for (name, kind) in
                [("t1._domainkey.mail.example.com.", RecordType::CNAME), ("a.b.example.com.", RecordType::MX)]
            {
                let question = Question::new(Name::parse(name).expect("a name"), kind);
                let started = Instant::now();
                let lookup = checker.lookup(&question).await;
                assert!(!lookup.authenticated && servers.take_packets() <= MAX_SENDS_PER_CHECK);
                assert!(started.elapsed() <= MAX_TIME, "a lookup took {:?}", started.elapsed());
            }
        };
        if setup & LOOKUPS_FIRST != 0 {
            lookups().await;
        }
        let started = Instant::now();
        let report = check(&checker, "mail.example.com", depth).await;
        let (packets, elapsed) = (servers.take_packets(), started.elapsed());
        assert!(packets <= MAX_SENDS_PER_CHECK, "{packets} packets were sent");
        assert!(elapsed <= MAX_TIME, "a check took {elapsed:?}");
        assert!(report.verdict != Verdict::Ready || report.root_cause.is_none());
        serde_json::to_string(&report).expect("a report is JSON");
        if setup & LOOKUPS_FIRST == 0 {
            lookups().await;
        }
        if setup & ALL_HOSTILE == 0 {
            // What was asked of a server here may have used its pace up; that comes back by itself.
            sleep(MAX_TIME).await;
            assert_eq!(gist(&check(&checker, "mail.example.org", Depth::Quick).await), cold, "the honest zone suffers");
        }
    });
}
