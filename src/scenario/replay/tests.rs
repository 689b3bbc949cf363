//! Each way to misbehave, as the asking side sees it.

use super::*;
use crate::budget::{Budget, MAX_SENDS_PER_CHECK};
use crate::dns::name::Name;
use crate::dns::rrset::{Question, Rcode, RecordType};
use crate::transport::PaceClass;

const TEXT: &str = "
zone example.com at 192.0.2.53
  good A 192.0.2.1
  cut A 192.0.2.1
  slow A 192.0.2.1
  case A 192.0.2.1
  aa A 192.0.2.1
  ttl A 192.0.2.1
server 192.0.2.53
  any silent.example.com -> silence
  any deaf.example.com -> refuse-connection
  udp any cut.example.com -> truncate
  any tc.example.com -> truncate
  any slow.example.com -> after 2s
  any case.example.com -> lower-case
  any id.example.com -> wrong-id
  any question.example.com -> wrong-question
  any aa.example.com -> recursive-proxy
  any ttl.example.com -> ttl 2147483647
  any garbage.example.com -> raw 80
  any bare.example.com -> FORMERR, bare
  any nosoa.example.com -> no-soa
  any flaky.example.com first 1 -> silence
";

fn replay() -> Replay {
    Replay::new(Arc::new(TEXT.parse().unwrap()))
}

fn query(name: &str, protocol: Protocol, timeout: Duration) -> Query {
    let question = Question::new(Name::parse(&format!("{name}.example.com")).unwrap(), RecordType::A);
    let server = "192.0.2.53".parse().unwrap();
    let query = Query::new(server, question, PaceClass::Ordinary, Budget::for_check());
    Query { protocol, timeout: Some(timeout), ..query }
}

#[tokio::test(start_paused = true)]
async fn every_misbehaviour_comes_out_as_what_it_is() {
    let replay = replay();
    let (udp, tcp) = (Protocol::Udp, Protocol::Tcp);
    for (name, protocol, outcome) in [
        ("good", udp, "NOERROR aa 1"),
        ("good", tcp, "NOERROR aa 1"),
        ("nowhere", udp, "NXDOMAIN aa 0"),
        ("silent", udp, "Timeout"),
        ("deaf", tcp, "Refused"),
        ("cut", udp, "NOERROR aa tc 0"),
        ("cut", tcp, "NOERROR aa 1"),
        ("tc", tcp, "Malformed"),
        ("slow", udp, "Timeout"),
        ("case", udp, "Mismatched"),
        ("case", tcp, "NOERROR aa 1"),
        ("id", udp, "Mismatched"),
        ("question", udp, "Mismatched"),
        ("aa", udp, "NOERROR ra 1"),
        ("ttl", udp, "NOERROR aa 1"),
        ("garbage", udp, "Malformed"),
        ("bare", udp, "FORMERR 0"),
        ("nosoa", udp, "NXDOMAIN aa 0"),
        ("flaky", udp, "Timeout"),
        ("flaky", udp, "NXDOMAIN aa 0"),
    ] {
        let query = query(name, protocol, Duration::from_secs(1));
        let exchange = replay.exchange(&query).await;
        let seen = match &exchange.outcome {
            Ok(message) => {
                let flag = |set, word| if set { word } else { "" };
                let flags = message.flags;
                let authoritative = flag(flags.authoritative, " aa");
                let truncated = flag(flags.truncated, " tc");
                let available = flag(flags.recursion_available, " ra");
                format!("{}{authoritative}{truncated}{available} {}", message.rcode, message.answers.len())
            }
            Err(silence) => format!("{silence:?}"),
        };
        assert_eq!(seen, outcome, "{name} {protocol}");
        assert_eq!(exchange.protocol, protocol);
        assert_eq!(query.budget.sends(), 1, "one exchange is one try");
    }
    assert_eq!(replay.questions(), 20);
    assert_eq!(replay.questions_at("192.0.2.53".parse().unwrap()), 20);
    assert_eq!(replay.questions_at("192.0.2.54".parse().unwrap()), 0);
}

#[tokio::test(start_paused = true)]
async fn time_passes_as_told() {
    let replay = replay();
    for (name, timeout, rtt) in [("silent", 4, 4), ("slow", 3, 2), ("slow", 1, 1), ("good", 1, 0)] {
        let exchange = replay.exchange(&query(name, Protocol::Udp, Duration::from_secs(timeout))).await;
        assert_eq!(exchange.rtt, Duration::from_secs(rtt), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_budget() {
    let replay = replay();
    let query = query("good", Protocol::Udp, Duration::from_secs(1));
    for _ in 0..MAX_SENDS_PER_CHECK {
        assert!(replay.exchange(&query).await.outcome.is_ok());
    }
    assert_eq!(replay.exchange(&query).await.outcome, Err(Silence::Limit));
    assert_eq!(replay.questions(), MAX_SENDS_PER_CHECK);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_nobody_has_is_silent() {
    let query =
        Query { server: "203.0.113.1".parse().unwrap(), ..query("good", Protocol::Udp, Duration::from_secs(1)) };
    assert_eq!(replay().exchange(&query).await.outcome, Err(Silence::Timeout));
}

#[tokio::test(start_paused = true)]
async fn negative_answers_keep_their_soa_unless_told() {
    let replay = replay();
    for (name, records) in [("nowhere", 1), ("nosoa", 0)] {
        let exchange = replay.exchange(&query(name, Protocol::Udp, Duration::from_secs(1))).await;
        let message = exchange.outcome.unwrap();
        assert_eq!((message.rcode, message.authority.len()), (Rcode::NXDOMAIN, records));
    }
}
