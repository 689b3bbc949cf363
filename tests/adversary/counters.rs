//! Everything that is counted is counted where it happens, and how often.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use zoneproof::budget::{Budget, MAX_SENDS_PER_CHECK};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::evidence::Protocol;
use zoneproof::metrics::{Event, Metrics, Snapshot};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{Live, TransportSettings};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::transport::{PaceClass, Query, Transport};

use crate::connections::CONNECTIONS;
use crate::datagrams::DATAGRAMS;
use crate::server::{Server, query, runtime};
use crate::unpredictability::of_late_copies;
use crate::zones::{ABOVE, RECORDS, World, check, paused};

/// An event, and how often it happens.
type Counts = &'static [(Event, u64)];

/// What one question to a server that misbehaves counts, by the behaviour.
const BY_BEHAVIOUR: &[(&str, Counts)] = &[
    ("the_truth", &[(Event::DatagramsSent, 1), (Event::Replies, 1), (Event::ConnectionsTried, 0), (Event::Retries, 0)]),
    (
        "nothing",
        &[(Event::Timeouts, 3), (Event::Retries, 2), (Event::TcpAfterSilence, 1), (Event::ConnectionsTried, 1)],
    ),
    ("another_id", &[(Event::WrongIds, 1), (Event::NearMisses, 1), (Event::TcpAfterNearMiss, 1)]),
    ("another_name", &[(Event::WrongQuestions, 1), (Event::NearMisses, 1), (Event::WrongCases, 0)]),
    ("the_truth_in_lower_case", &[(Event::WrongCases, 1), (Event::NearMisses, 1), (Event::WrongQuestions, 0)]),
    ("a_lie_from_another_port", &[(Event::WrongSources, 3), (Event::NearMisses, 0), (Event::Timeouts, 3)]),
    ("a_lie_from_another_address", &[(Event::WrongSources, 3), (Event::NearMisses, 0), (Event::Timeouts, 3)]),
    ("the_truth_ten_times", &[(Event::Replies, 1), (Event::NearMisses, 0)]),
    ("a_reply_of_five_thousand_octets", &[(Event::Malformed, 1), (Event::TcpAfterUnfit, 1)]),
    ("format_error_to_edns_alone", &[(Event::EdnsLeftOut, 1), (Event::DatagramsSent, 2), (Event::Retries, 0)]),
    ("a_cut_reply", &[(Event::TcpAfterCut, 1), (Event::ConnectionsTried, 1)]),
    ("the_end_at_once", &[(Event::Refusals, 1), (Event::TcpAfterCut, 1)]),
    ("another_id_over_tcp", &[(Event::MismatchesOverTcp, 1), (Event::NearMisses, 0)]),
];

/// Holds what was counted against what happened.
fn hold(what: &str, snapshot: &Snapshot, counts: Counts, seen: &mut BTreeSet<Event>) {
    for (event, count) in counts {
        assert_eq!(snapshot.of(*event), *count, "{what}: {event:?} ({snapshot})");
    }
    seen.extend(counts.iter().filter(|(_, count)| *count > 0).map(|(event, _)| *event));
}

/// Asks a server with one behaviour one question.
fn of_behaviour(name: &str) -> Snapshot {
    let mut behaviours = DATAGRAMS.iter().chain(CONNECTIONS);
    let behaviour = behaviours.find(|behaviour| behaviour.name == name).unwrap();
    let server = Server::start(behaviour.over_udp, behaviour.over_tcp, behaviour.from);
    let live = runtime().block_on(async {
        let live = Live::open(&server.settings()).unwrap();
        live.transport.exchange(&query("www.mail.example.com.")).await;
        live
    });
    live.metrics.snapshot()
}

/// A question for the first server of `example.org`.
fn question(label: &str, budget: &Arc<Budget>) -> Query {
    let server: IpAddr = "203.0.113.1".parse().unwrap();
    let question = Question::new(Name::parse(&format!("{label}.example.org.")).unwrap(), RecordType::TXT);
    Query::new(server, question, PaceClass::Ordinary, Arc::clone(budget))
}

/// Puts a stack on zones whose servers do what is said, if anything.
fn stack_on(does: &str, limits: PaceLimits) -> Live {
    let world = World::new(&format!(
        "{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}server 203.0.113.1 203.0.113.2\n  any -> {does}\n"
    ));
    let policy = AddressPolicy::allowing_special();
    Live::over(Arc::clone(&world), world, &TransportSettings { policy, limits, ..TransportSettings::default() })
}

#[test]
fn everything_is_counted_where_it_happens() {
    let mut seen = BTreeSet::new();
    for (behaviour, counts) in BY_BEHAVIOUR {
        hold(behaviour, &of_behaviour(behaviour), counts, &mut seen);
    }
    for (what, snapshot, counts) in of_stacks().into_iter().chain(of_checks()) {
        hold(what, &snapshot, counts, &mut seen);
    }
    let late = of_late_copies();
    assert!(late.of(Event::LateReplies) > 0 && late.of(Event::NearMisses) == 0, "{late}");
    seen.insert(Event::LateReplies);
    if cfg!(not(feature = "dnssec")) {
        seen.insert(Event::LookupsBogus);
    }
    let unseen: Vec<&Event> = Event::ALL.iter().filter(|event| !seen.contains(event)).collect();
    assert!(unseen.is_empty(), "nothing here counts {unseen:?}");
}

/// What questions count that are kept back, joined, or not sent again.
fn of_stacks() -> Vec<(&'static str, Snapshot, Counts)> {
    let normal = PaceLimits::default();
    let on = |does: &str, limits: PaceLimits, ask: &dyn Fn(&Live)| {
        let live = stack_on(does, limits);
        ask(&live);
        live.metrics.snapshot()
    };
    let ask = |live: &Live, queries: &[Query]| {
        paused().block_on(async { join_all(queries.iter().map(|query| live.transport.exchange(query))).await });
    };
    let forbidden = on("normal", normal, &|live| {
        let query = Query { server: "169.254.169.254".parse().unwrap(), ..question("a", &Budget::for_check()) };
        ask(live, &[query]);
    });
    let poor = on("normal", normal, &|live| {
        let budget = Budget::for_check();
        assert!((0..MAX_SENDS_PER_CHECK).all(|_| budget.spend_send()));
        ask(live, &[question("a", &budget)]);
    });
    let joined = on("after 50ms", normal, &|live| {
        let budget = Budget::for_check();
        ask(live, &[question("a", &budget), question("a", &budget), question("b", &budget)]);
    });
    let put_off = on("normal", PaceLimits { max_wait: Duration::from_secs(10), ..normal }, &|live| {
        let queries: Vec<Query> = (0..400).map(|nth| question(&format!("n{nth}"), &Budget::for_check())).collect();
        ask(live, &queries);
    });
    let again = on("refuse-connection", normal, &|live| {
        let budget = Budget::for_check();
        paused().block_on(async {
            live.transport.exchange(&question("a", &budget)).await;
            live.transport.exchange(&question("a", &budget)).await;
        });
    });
    let down = on("silence", normal, &|live| {
        paused().block_on(async {
            for nth in 0..3 {
                live.transport.exchange(&question(&format!("n{nth}"), &Budget::for_check())).await;
            }
            let budget = Budget::for_check();
            let (one, other) = (question("a", &budget), question("b", &budget));
            join(live.transport.exchange(&one), live.transport.exchange(&other)).await;
        });
    });
    vec![
        ("an address inside", forbidden, &[(Event::ForbiddenAddresses, 1), (Event::DatagramsSent, 0)]),
        ("an empty purse", poor, &[(Event::BudgetHits, 1), (Event::DatagramsSent, 0)]),
        ("the same question twice", joined, &[(Event::QuestionsJoined, 1), (Event::DatagramsSent, 2)]),
        // Forty leave at once and twenty a second for ten seconds; the rest is put off.
        ("four hundred at once", put_off, &[(Event::PutOff, 160)]),
        ("a question that failed", again, &[(Event::FailuresRecalled, 1), (Event::Refusals, 2)]),
        ("an address that is down", down, &[(Event::DownAddresses, 1)]),
        ("a server at its limit", of_strain(), &[(Event::ServersSlowed, 1)]),
        ("no way to IPv6", of_no_route(), &[(Event::NoRoute, 1), (Event::DatagramsSent, 0)]),
    ]
}

/// A server that answers, and refuses what comes in a crowd.
fn of_strain() -> Snapshot {
    let world = World::new(&format!(
        "{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}server 203.0.113.1\n  any under crowd.example.org -> REFUSED, \
         after 50ms\n"
    ));
    let policy = AddressPolicy::allowing_special();
    let live = Live::over(Arc::clone(&world), world, &TransportSettings { policy, ..TransportSettings::default() });
    let budget = Budget::for_check();
    paused().block_on(async {
        live.transport.exchange(&question("a", &budget)).await;
        let crowd: Vec<Query> = (0..8).map(|nth| question(&format!("n{nth}.crowd"), &budget)).collect();
        join_all(crowd.iter().map(|query| live.transport.exchange(query))).await;
    });
    live.metrics.snapshot()
}

/// A server that is to be asked over IPv6, which this host is not to use.
fn of_no_route() -> Snapshot {
    runtime().block_on(async {
        let settings = TransportSettings {
            policy: AddressPolicy::allowing_special(),
            use_ipv6: false,
            ..TransportSettings::default()
        };
        let live = Live::open(&settings).unwrap();
        let query = Query { server: "2001:db8::1".parse().unwrap(), ..question("a", &Budget::for_check()) };
        assert_eq!(query.protocol, Protocol::Udp);
        live.transport.exchange(&query).await;
        live.metrics.snapshot()
    })
}

/// What checks and lookups count.
fn of_checks() -> Vec<(&'static str, Snapshot, Counts)> {
    let well = World::new(&format!("{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}"));
    let checked = paused().block_on(async {
        let checker = well.checker_counting(&Arc::default());
        check(&checker, "mail.example.org").await;
        check(&checker.clone(), "mail.example.org").await;
        let question = Question::new(Name::parse("mail.example.org.").unwrap(), RecordType::TXT);
        checker.lookup(&question).await;
        checker.metrics()
    });
    let slow = World::new(&format!(
        "{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}server 203.0.113.1 203.0.113.2\n  udp any -> truncate\n  any \
         -> after 4900ms\n"
    ));
    let metrics = Arc::<Metrics>::default();
    let cut_short = paused().block_on(async {
        let checker = slow.builder_counting(&metrics).timeout(Duration::from_secs(2)).build().unwrap();
        check(&checker, "mail.example.org").await;
        checker.metrics()
    });
    assert_eq!(cut_short, metrics.snapshot());
    let mut all: Vec<(&'static str, Snapshot, Counts)> = vec![
        ("two checks and a lookup", checked, &[(Event::Checks, 2), (Event::Lookups, 1), (Event::ChecksCutShort, 0)]),
        ("a check that takes too long", cut_short, &[(Event::Checks, 1), (Event::ChecksCutShort, 1)]),
    ];
    let anchored = paused().block_on(async {
        let anchors = zoneproof::dnssec::anchor::public();
        let checker = well.builder_counting(&Arc::default()).trust_anchors(anchors).build().unwrap();
        checker.lookup(&Question::new(Name::root(), RecordType::SOA)).await;
        checker.metrics()
    });
    if cfg!(feature = "dnssec") {
        all.push(("a root without signatures", anchored, &[(Event::Lookups, 1), (Event::LookupsBogus, 1)]));
    }
    all
}
