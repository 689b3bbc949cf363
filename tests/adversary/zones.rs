//! Zones that cost, lie and come back from the dead, in a network whose time is paused; packets are counted where they
//! arrive.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;
use zoneproof::check::{Checker, CheckerBuilder};
use zoneproof::dns::message::{Flags, Message};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::{Rdata, Soa};
use zoneproof::dns::response::{Lameness, Response, read_response};
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use zoneproof::findings::RecordStatus;
use zoneproof::metrics::Metrics;
use zoneproof::report::{Report, Verdict};
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{Live, TransportSettings};
use zoneproof::transport::{Exchange, Query, Transport};
use zoneproof::walk::lookup::LookupFailure;

/// The root and three registries; `org` has the one zone that is in order.
pub(crate) const ABOVE: &str = "zone . at 198.51.100.1\n  com NS a.nic.com.\n  a.nic.com. A 198.51.100.11\n  net NS a.nic.net.\n  \
    a.nic.net. A 198.51.100.12\n  org NS a.nic.org.\n  a.nic.org. A 198.51.100.13\n\
    zone org at 198.51.100.13\n  example NS ns1.example\n  ns1.example A 203.0.113.1\n  example NS ns2.example\n  \
    ns2.example A 203.0.113.2\n";
/// The records that should be there.
pub(crate) const RECORDS: &str = "  t1._domainkey.mail CNAME t1.dkim.amazonses.com.\n  t2._domainkey.mail CNAME t2.dkim.amazonses.com.\n  \
    t3._domainkey.mail CNAME t3.dkim.amazonses.com.\n";
/// The same, leading elsewhere.
const OLD_RECORDS: &str = "  t1._domainkey.mail CNAME t1.dkim.example.net.\n  t2._domainkey.mail CNAME \
    t2.dkim.example.net.\n  t3._domainkey.mail CNAME t3.dkim.example.net.\n";
/// Who is named by hostile zones and has nothing to do with them.
const VICTIM: &str = "203.0.113.99";

/// A network whose zones can be exchanged for others.
pub(crate) struct World(Mutex<Arc<Replay>>);

impl World {
    /// Starts with these zones.
    pub(crate) fn new(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(replay(text))))
    }

    /// Exchanges the zones; counting starts anew.
    fn turn_into(&self, text: &str) {
        *self.0.lock().unwrap() = replay(text);
    }

    /// Returns the zones of now.
    fn now(&self) -> Arc<Replay> {
        Arc::clone(&self.0.lock().unwrap())
    }

    /// Returns how many packets came to an address since the zones are these.
    fn packets_at(&self, address: &str) -> u32 {
        self.now().questions_at(address.parse().unwrap())
    }

    /// Makes a checker that knows nothing yet.
    fn checker(self: &Arc<Self>) -> Checker {
        self.checker_counting(&Arc::default())
    }

    /// Makes one that counts here.
    pub(crate) fn checker_counting(self: &Arc<Self>, metrics: &Arc<Metrics>) -> Checker {
        self.builder_counting(metrics).build().unwrap()
    }

    /// Begins one that counts here.
    pub(crate) fn builder_counting(self: &Arc<Self>, metrics: &Arc<Metrics>) -> CheckerBuilder {
        let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
        let live = Live::over_counting(Arc::clone(self), Arc::clone(self), &settings, metrics);
        let hints: Vec<(Name, IpAddr)> = self.now().scenario().root_hints();
        Checker::builder().root_hints(hints).transport(live.transport).metrics(Arc::clone(metrics))
    }
}

impl Transport for World {
    async fn exchange(&self, query: &Query) -> Exchange {
        self.now().exchange(query).await
    }
}

/// Reads zones.
fn replay(text: &str) -> Arc<Replay> {
    Arc::new(Replay::new(Arc::new(text.parse().unwrap())))
}

/// Makes a runtime whose time is paused.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Checks a domain.
pub(crate) async fn check(checker: &Checker, domain: &str) -> Report {
    checker.check(&Expectation::new(domain, &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap()).await
}

/// Reads a name.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn zones_whose_servers_lie_in_each_other_cost_next_to_nothing_when_checked_again() {
    let rings = [
        "zone com at 198.51.100.11\n  example 0 NS ns1.example.net.\nzone net at 198.51.100.12\n  example 0 NS ns1.example.com.\n",
        "zone com at 198.51.100.11\n  example 0 NS ns.b.net.\nzone net at 198.51.100.12\n  b 0 NS ns.c.net.\n  c 0 NS \
         ns.example.com.\n",
        "zone com at 198.51.100.11\n  example 0 NS ns.example.com.\nzone net at 198.51.100.12\n",
    ];
    for ring in rings {
        let world = World::new(&format!("{ABOVE}{ring}"));
        paused().block_on(async {
            let checker = world.checker();
            assert_eq!(check(&checker, "mail.example.com").await.verdict, Verdict::Indeterminate);
            let first = world.now().questions();
            for _ in 0..100 {
                check(&checker, "mail.example.com").await;
            }
            let more = world.now().questions() - first;
            assert!(first <= 50 && more <= 20, "{first} packets and then {more}: {ring}");
        });
    }
}

#[test]
fn a_dead_zone_that_is_checked_a_thousand_times_a_minute_is_asked_in_six_rounds_at_most() {
    let world = World::new(&format!(
        "{ABOVE}zone com at 198.51.100.11\n  example NS ns1.example\n  ns1.example A 192.0.2.1\n  example NS ns2.example\n  \
         ns2.example A 192.0.2.2\nzone example.com at 192.0.2.1 192.0.2.2\nserver 192.0.2.1 192.0.2.2\n  any -> silence\n"
    ));
    let rounds = paused().block_on(async {
        let checker = world.checker();
        let checks = (0..1000_u64).map(|nth| {
            let checker = checker.clone();
            async move {
                sleep(Duration::from_millis(nth * 60)).await;
                assert_eq!(check(&checker, "mail.example.com").await.verdict, Verdict::Indeterminate);
            }
        });
        join_all(checks).await;
        world.packets_at("192.0.2.1").max(world.packets_at("192.0.2.2"))
    });
    // A round is five records (three keys, SPF, DMARC), and for each three datagrams and a connection at most.
    assert!(rounds <= 6 * 5 * 4, "{rounds} packets came to one address");
}

#[test]
fn a_victim_that_many_tenants_name_gets_no_more_than_its_share_of_each() {
    let delegations = |shared: bool| -> String {
        let host = |tenant: usize, nth: usize| {
            if shared { format!("x{nth}.example.net.") } else { format!("x{tenant}-{nth}.example.net.") }
        };
        let line = |tenant: usize, nth: usize| format!("  t{tenant} NS {}\n", host(tenant, nth));
        (0..20).flat_map(|tenant| (0..40).map(move |nth| line(tenant, nth))).collect()
    };
    for (shared, most) in [(true, 26), (false, 20 * 26)] {
        let world = World::new(&format!(
            "{ABOVE}zone com at 198.51.100.11\n{}zone net at 198.51.100.12\n  example NS ns.example\n  ns.example A {VICTIM}\n\
             zone example.net at {VICTIM}\n  www A 192.0.2.80\n",
            delegations(shared)
        ));
        paused().block_on(async {
            let checker = world.checker();
            for tenant in 0..20 {
                assert_ne!(check(&checker, &format!("mail.t{tenant}.com")).await.verdict, Verdict::Ready);
            }
        });
        let packets = world.packets_at(VICTIM);
        assert!(packets <= most, "{packets} packets came to the victim, names shared: {shared}");
    }
}

#[test]
fn a_name_of_123_labels_costs_a_few_questions() {
    let world = World::new(&format!(
        "{ABOVE}zone com at 198.51.100.11\n  example NS ns1.example\n  ns1.example A 192.0.2.1\nzone example.com at 192.0.2.1\n  \
         www A 192.0.2.80\n"
    ));
    let long = format!("{}example.com.", "a.".repeat(121));
    paused().block_on(async {
        let lookup = world.checker().lookup(&Question::new(name(&long), RecordType::TXT)).await;
        assert_eq!(lookup.rcode, Rcode::NXDOMAIN);
    });
    assert!(world.now().questions() <= 14, "{} questions", world.now().questions());
}

#[test]
fn a_lookup_takes_no_longer_than_a_check_may_and_tells_what_it_saw() {
    let mut text = format!("{ABOVE}zone com at 198.51.100.11\n");
    for nth in 0..6 {
        text.push_str(&format!("  example NS ns{nth}.example\n  ns{nth}.example A 192.0.2.{nth}\n"));
    }
    // Six connections that say nothing take five seconds each.
    text.push_str("server 192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5\n  udp any -> truncate\n  tcp any -> silence\n");
    let world = World::new(&text);
    paused().block_on(async {
        let time = Duration::from_secs(10);
        let checker = world.builder_counting(&Arc::default()).timeout(time).build().unwrap();
        let started = tokio::time::Instant::now();
        let lookup = checker.lookup(&Question::new(name("a.b.c.example.com."), RecordType::TXT)).await;
        assert!(started.elapsed() <= time, "{:?}", started.elapsed());
        assert_eq!((lookup.rcode, lookup.failure), (Rcode::SERVFAIL, Some(LookupFailure::BudgetExceeded)));
        assert!(!lookup.trace.is_empty());
    });
}

#[test]
fn two_tenants_that_check_one_domain_at_one_time_send_each_question_once() {
    let world = World::new(&format!(
        "{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}server 203.0.113.1 203.0.113.2 198.51.100.13\n  any -> \
         after 50ms\n"
    ));
    let at_server = |at_once: usize| {
        world.turn_into(&world.now().scenario().to_string());
        paused().block_on(async {
            let checker = world.checker();
            let reports = join_all((0..at_once).map(|_| check(&checker, "mail.example.org"))).await;
            assert!(reports.iter().all(|report| report.verdict == Verdict::Ready));
        });
        world.now().questions()
    };
    assert_eq!(at_server(2), at_server(1));
}

/// What one of four servers does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Does {
    /// It has the records.
    Right,
    /// It has others, be it of old or forged.
    Old,
    /// It has none.
    Denies,
    /// It fails.
    Fails,
    /// It says nothing.
    Silent,
}

#[test]
fn every_mixture_of_four_servers_comes_out_as_the_rules_say() {
    use Does::{Denies, Fails, Old, Right, Silent};
    let kinds = [Right, Old, Denies, Fails, Silent];
    let mut mixtures: Vec<[Does; 4]> = Vec::new();
    for (a, b, c, d) in (0..625).map(|nth| (nth % 5, nth / 5 % 5, nth / 25 % 5, nth / 125)) {
        let mut mixture = [kinds[a], kinds[b], kinds[c], kinds[d]];
        mixture.sort();
        mixtures.push(mixture);
    }
    mixtures.sort();
    mixtures.dedup();
    assert_eq!(mixtures.len(), 70);
    for mixture in mixtures {
        let mut text = format!("{ABOVE}zone com at 198.51.100.11\n");
        let mut copies = String::new();
        for (nth, does) in mixture.iter().enumerate() {
            text.push_str(&format!("  example NS ns{nth}.example\n  ns{nth}.example A 192.0.2.{nth}\n"));
            let records = [RECORDS, OLD_RECORDS, "  www A 192.0.2.80\n"][(*does as usize).min(2)];
            copies.push_str(&format!("zone example.com at 192.0.2.{nth}\n{records}"));
            match does {
                Fails => copies.push_str(&format!("server 192.0.2.{nth}\n  any -> SERVFAIL\n")),
                Silent => copies.push_str(&format!("server 192.0.2.{nth}\n  any -> silence\n")),
                Right | Old | Denies => {}
            }
        }
        let world = World::new(&format!("{text}{copies}"));
        let report = paused().block_on(async { check(&world.checker(), "mail.example.com").await });
        let count = |wanted: Does| mixture.iter().filter(|does| **does == wanted).count();
        let answering = count(Right) + count(Old) + count(Denies);
        let status = match () {
            () if answering < 2 => RecordStatus::UnableToCheck,
            () if count(Right) == answering => RecordStatus::Ok,
            () if count(Old) == answering => RecordStatus::Wrong,
            () if count(Denies) == answering => RecordStatus::Absent,
            () => RecordStatus::Inconsistent,
        };
        let verdict = match status {
            RecordStatus::UnableToCheck => Verdict::Indeterminate,
            RecordStatus::Ok => Verdict::Ready,
            RecordStatus::Inconsistent if count(Right) > 0 => Verdict::Propagating,
            _ => Verdict::Failing,
        };
        let keys: Vec<RecordStatus> = report.records.iter().take(3).map(|record| record.status).collect();
        assert_eq!((report.verdict, keys), (verdict, vec![status; 3]), "{mixture:?}");
    }
}

#[test]
fn a_reply_without_authority_carries_no_vote_whatever_else_it_bears() {
    let (zone, question) = (name("example.com."), Question::new(name("www.example.com."), RecordType::A));
    let record = |owner: &Name, rdata| Record { owner: owner.clone(), ttl: Ttl::from_wire(300), rdata };
    let soa = Soa {
        mname: zone.clone(),
        rname: zone.clone(),
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: Ttl::from_wire(5),
    };
    for combination in 0..32_u8 {
        let has = |bit: u8| combination & (1 << bit) != 0;
        let (authoritative, recursion_available, has_soa, has_ns, has_answer) =
            (has(0), has(1), has(2), has(3), has(4));
        let mut message = Message {
            flags: Flags { is_reply: true, authoritative, recursion_available, ..Flags::default() },
            question: Some(question.clone()),
            ..Message::default()
        };
        if has_answer {
            message.answers.push(record(&question.name, Rdata::A([192, 0, 2, 80].into())));
        }
        if has_soa {
            message.authority.push(record(&zone, Rdata::Soa(soa.clone())));
        }
        if has_ns {
            message.authority.push(record(&zone, Rdata::Ns(name("ns.example.com."))));
        }
        let response = read_response(&message, &question, &zone).response;
        let is_upward = !has_answer && has_ns && !has_soa;
        let holds = match &response {
            Response::Answer(_) => authoritative && has_answer,
            Response::NoData(_) => authoritative && !has_answer && !is_upward,
            Response::Lame(Lameness::UpwardReferral) => is_upward,
            Response::Lame(Lameness::RecursiveProxy) => !authoritative && recursion_available && !is_upward,
            Response::Lame(Lameness::NotAuthoritative) => !authoritative && !recursion_available && !is_upward,
            _ => false,
        };
        assert!(holds, "{combination:05b}: {response:?}");
    }
}

/// The domain's delegation, and its servers, whose own NS set never runs out.
fn delegated(is_delegated: bool) -> String {
    let delegation = "  example NS ns1.example\n  ns1.example A 192.0.2.1\n";
    format!(
        "{ABOVE}zone com at 198.51.100.11\n  www A 192.0.2.80\n{}zone example.com at 192.0.2.1\n  @ 2147483647 NS \
         ns1.example.com.\n  ns1 2147483647 A 192.0.2.1\n{RECORDS}",
        if is_delegated { delegation } else { "" }
    )
}

#[test]
fn a_delegation_that_was_taken_back_is_gone_however_often_the_child_is_asked() {
    let world = World::new(&delegated(true));
    paused().block_on(async {
        let checker = world.checker();
        assert_eq!(check(&checker, "mail.example.com").await.verdict, Verdict::Ready);
        world.turn_into(&delegated(false));
        for nth in 0..1000 {
            let question = Question::new(name(&format!("n{nth}.example.com.")), RecordType::NS);
            checker.lookup(&question).await;
            checker.lookup(&Question::new(name("example.com."), RecordType::NS)).await;
        }
        sleep(Duration::from_secs(61)).await;
        let report = check(&checker, "mail.example.com").await;
        assert_eq!(report.verdict, Verdict::Failing, "the registry no longer knows it");
        assert!(report.records.iter().all(|record| record.status != RecordStatus::Ok));
    });
}

#[test]
fn servers_that_had_no_address_are_found_once_they_have_one() {
    let text = |has_address: bool| {
        let address = if has_address { "  ns A 192.0.2.1\n" } else { "" };
        format!(
            "{ABOVE}zone com at 198.51.100.11\n  example NS ns.example.net.\nzone net at 198.51.100.12\n  example NS \
             a.example\n  a.example A 192.0.2.9\nzone example.net at 192.0.2.9\n  www A 192.0.2.80\n{address}zone example.com at \
             192.0.2.1\n{RECORDS}"
        )
    };
    let world = World::new(&text(false));
    paused().block_on(async {
        let checker = world.checker();
        assert_eq!(check(&checker, "mail.example.com").await.verdict, Verdict::Indeterminate);
        world.turn_into(&text(true));
        sleep(Duration::from_secs(61)).await;
        assert_eq!(check(&checker, "mail.example.com").await.verdict, Verdict::Ready, "no empty set is remembered");
    });
}

/// How many hostile checks come before the good one unless `ZONEPROOF_HOSTILE_CHECKS` says.
const DEFAULT_HOSTILE_CHECKS: usize = 160;

/// What hostile servers put beside their answers, each about the good zone or those above it.
const POISONS: [&str; 8] = [
    "any -> normal\n    additional ns1.example.org 86400 A 203.0.113.99\n    additional ns2.example.org 86400 A 203.0.113.99",
    "any -> normal\n    authority org 86400 NS ns.evil.com\n    additional ns.evil.com 86400 A 203.0.113.99",
    "any -> normal\n    authority example.org 86400 NS ns.evil.com\n    additional ns.evil.com 86400 A 203.0.113.99",
    "any -> NOERROR\n    authority . 86400 NS ns.evil.com\n    additional ns.evil.com 86400 A 203.0.113.99",
    "any -> NOERROR\n    authority example.org 86400 NS ns1.example.org\n    additional ns1.example.org 86400 A 203.0.113.99",
    "any -> normal\n    answer t1._domainkey.mail.example.org 86400 CNAME t1.evil.com\n    answer mail.example.org 86400 TXT \
     \"v=spf1 -all\"",
    "any -> NXDOMAIN, aa\n    authority org 86400 SOA a.nic.org. hostmaster.nic.org. 1 7200 900 1209600 86400",
    "any -> silence",
];

#[test]
fn after_many_hostile_checks_a_good_zone_comes_out_as_on_the_first_day() {
    let hostile = std::env::var("ZONEPROOF_HOSTILE_CHECKS").ok().and_then(|text| text.parse().ok());
    let mut text = format!(
        "{ABOVE}zone example.org at 203.0.113.1 203.0.113.2\n{RECORDS}  mail TXT \"v=spf1 include:amazonses.com ~all\"\nzone com at 198.51.100.11\n"
    );
    (0..POISONS.len()).for_each(|nth| {
        // Its servers are the good zone's by name, at an address of its own choice.
        text.push_str(&format!(
            "  evil{nth} NS ns.evil{nth}\n  ns.evil{nth} A 192.0.2.{nth}\n  evil{nth} NS ns1.example.org.\n"
        ));
    });
    for (nth, poison) in POISONS.iter().enumerate() {
        text.push_str(&format!("zone evil{nth}.com at 192.0.2.{nth}\n{RECORDS}server 192.0.2.{nth}\n  {poison}\n"));
    }
    let world = World::new(&text);
    let gist = |report: &Report| {
        let mut value = serde_json::to_value(report).unwrap();
        let object = value.as_object_mut().unwrap();
        object.retain(|key, _| key != "checked_at" && key != "cost");
        value.to_string()
    };
    paused().block_on(async {
        let cold = gist(&check(&world.checker(), "mail.example.org").await);
        let checker = world.checker();
        for nth in 0..hostile.unwrap_or(DEFAULT_HOSTILE_CHECKS) {
            check(&checker, &format!("h{nth}.evil{}.com", nth % POISONS.len())).await;
        }
        // Questions that a hostile zone had sent to the good servers used their pace up for a while.
        sleep(Duration::from_secs(30)).await;
        assert_eq!(gist(&check(&checker, "mail.example.org").await), cold);
    });
    assert_eq!(world.packets_at(VICTIM), 0);
}

#[cfg(feature = "dnssec")]
#[test]
fn keys_that_cannot_be_learned_make_nothing_bogus_and_nothing_authenticated() {
    use zoneproof::dnssec::Bogus;
    use zoneproof::dnssec::anchor;

    // An SOA of the root with a signature of the key that the anchor names (RSA, tag 20326), made of four octets.
    const SIGNED: &str = "server 198.51.100.1\n  SOA . -> normal\n    answer . 300 TYPE46 \\# 23 \
        000608000000012c7fffffff000000004f660001020304\n";
    let says = |does: &str| format!("{ABOVE}{SIGNED}  DNSKEY . -> {does}\n");
    let cases = [
        (says("silence"), LookupFailure::Unanswered),
        (says("SERVFAIL"), LookupFailure::Unanswered),
        (says("REFUSED"), LookupFailure::Unanswered),
        // It says that it has none, though the anchor says that it must.
        (says("normal"), LookupFailure::Bogus(Bogus::NoMatchingKey)),
    ];
    for (text, failure) in cases {
        let world = World::new(&text);
        paused().block_on(async {
            let checker = world.builder_counting(&Arc::default()).trust_anchors(anchor::public()).build().unwrap();
            let lookup = checker.lookup(&Question::new(Name::root(), RecordType::SOA)).await;
            assert_eq!((lookup.rcode, lookup.failure), (Rcode::SERVFAIL, Some(failure)), "{text}");
            assert!(!lookup.authenticated && lookup.answers.is_empty());
        });
    }
}
