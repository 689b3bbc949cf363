//! The lab answers plain UDP and TCP as its scenario says, and starts and stops cleanly.
#![cfg(test)]
#![cfg(feature = "lab")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use zoneproof::dns::message::{Edns, Message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, Rcode, RecordType};
use zoneproof::lab::{self, Lab, LabError};
use zoneproof::scenario::Scenario;

/// How long a reply may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A few servers, most of which misbehave.
const SMALL: &str = r#"
zone . at 127.9.1.1
  example          NS    ns1.example
  ns1.example      A     127.9.1.2
zone example at 127.9.1.2
  a                TXT   "plain"
  long             TXT   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
  long             TXT   "1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
  long             TXT   "2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
  long             TXT   "3123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
  long             TXT   "4123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
server 127.9.1.2
  any slow.example -> after 150ms
  any mute.example -> silence
  any once.example first 1 -> SERVFAIL
  tcp any closed.example -> refuse-connection
server 127.9.1.4
  any -> refuse-connection
"#;

/// Starts a lab at a free port.
async fn start(text: &str) -> Lab {
    Lab::start(Arc::new(text.parse::<Scenario>().unwrap()), None).await.unwrap()
}

/// Encodes a question in lower case.
fn query(id: u16, name: &str, kind: RecordType, edns: Option<&Edns>) -> Vec<u8> {
    encode_query(id, &Question::new(Name::parse(name).unwrap(), kind), u64::MAX, edns)
}

/// Sends messages over UDP, one after the other, and returns what comes first.
async fn exchange(lab: &Lab, address: &str, messages: &[&[u8]]) -> std::io::Result<Message> {
    let server = SocketAddr::new(address.parse().unwrap(), lab.port());
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    for octets in messages {
        socket.send(octets).await.unwrap();
    }
    let mut buffer = vec![0; 4096];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap()?;
    Ok(Message::decode(&buffer[..length]).unwrap())
}

/// Asks over UDP and reads the reply.
async fn ask(lab: &Lab, address: &str, octets: &[u8]) -> Message {
    exchange(lab, address, &[octets]).await.unwrap()
}

/// Connects over TCP.
async fn connect(lab: &Lab, address: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(SocketAddr::new(address.parse().unwrap(), lab.port())).await
}

/// Sends a message behind its length.
async fn send(stream: &mut TcpStream, octets: &[u8]) {
    stream.write_u16(octets.len().try_into().unwrap()).await.unwrap();
    stream.write_all(octets).await.unwrap();
}

/// Reads the next message of a connection.
async fn receive(stream: &mut TcpStream) -> std::io::Result<Message> {
    let length = timeout(PATIENCE, stream.read_u16()).await.unwrap()?;
    let mut octets = vec![0; length.into()];
    stream.read_exact(&mut octets).await?;
    Ok(Message::decode(&octets).unwrap())
}

#[tokio::test]
async fn servers_refer_and_answer_over_udp() {
    let lab = start(SMALL).await;
    let referral = ask(&lab, "127.9.1.1", &query(1, "a.example", RecordType::TXT, None)).await;
    assert!(!referral.flags.authoritative && referral.answers.is_empty());
    assert_eq!(referral.authority[0].to_string(), "example. 300 NS ns1.example.");
    assert_eq!(referral.additional[0].to_string(), "ns1.example. 300 A 127.9.1.2");
    let answer = ask(&lab, "127.9.1.2", &query(2, "a.example", RecordType::TXT, Some(&Edns::default()))).await;
    assert!(answer.flags.authoritative && answer.edns.is_some());
    assert_eq!((answer.id, answer.answers[0].to_string().as_str()), (2, "a.example. 300 TXT \"plain\""));
    let nothing = ask(&lab, "127.9.1.2", &query(3, "b.example", RecordType::TXT, None)).await;
    assert_eq!((nothing.rcode, nothing.authority[0].kind()), (Rcode::NXDOMAIN, RecordType::SOA));
    assert_eq!(lab.questions(), 3);
    let hints: Vec<String> = lab.root_hints().iter().map(|(host, address)| format!("{host} {address}")).collect();
    assert_eq!(hints, ["a.root-servers.net. 127.9.1.1"]);
}

#[tokio::test]
async fn what_does_not_fit_comes_whole_over_tcp() {
    let lab = start(SMALL).await;
    let octets = query(7, "long.example", RecordType::TXT, None);
    let cut = ask(&lab, "127.9.1.2", &octets).await;
    assert!(cut.flags.truncated && cut.answers.is_empty());
    let mut stream = connect(&lab, "127.9.1.2").await.unwrap();
    send(&mut stream, &octets).await;
    let whole = receive(&mut stream).await.unwrap();
    assert!(!whole.flags.truncated);
    assert_eq!(whole.answers.len(), 5);
}

#[tokio::test]
async fn one_connection_carries_many_queries_and_a_slow_reply_holds_none_up() {
    let lab = start(SMALL).await;
    let mut stream = connect(&lab, "127.9.1.2").await.unwrap();
    send(&mut stream, &query(1, "slow.example", RecordType::TXT, None)).await;
    for id in 2..=20 {
        send(&mut stream, &query(id, "a.example", RecordType::TXT, None)).await;
    }
    let mut ids = Vec::new();
    for _ in 1..=20 {
        ids.push(receive(&mut stream).await.unwrap().id);
    }
    assert_eq!(ids, (2..=20).chain([1]).collect::<Vec<u16>>());
    let slow = query(1, "slow.example", RecordType::TXT, None);
    let quick = query(2, "a.example", RecordType::TXT, None);
    assert_eq!(exchange(&lab, "127.9.1.2", &[&slow, &quick]).await.unwrap().id, 2);
    assert_eq!(ask(&lab, "127.9.1.2", &slow).await.id, 1);
}

#[tokio::test]
async fn silence_refusal_and_counted_rules_are_as_the_scenario_says() {
    let lab = start(SMALL).await;
    let octets = query(1, "a.example", RecordType::TXT, None);
    let mute = query(2, "mute.example", RecordType::TXT, None);
    // An address takes one message after the other, so that a reply to the first would come first.
    assert_eq!(exchange(&lab, "127.9.1.2", &[&mute, &octets]).await.unwrap().id, 1);
    let refused = exchange(&lab, "127.9.1.4", &[&octets]).await;
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    let refused = connect(&lab, "127.9.1.4").await;
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    let mut stream = connect(&lab, "127.9.1.2").await.unwrap();
    send(&mut stream, &query(1, "closed.example", RecordType::TXT, None)).await;
    assert!(receive(&mut stream).await.is_err(), "the connection is closed");
    let once = query(1, "once.example", RecordType::TXT, None);
    assert_eq!(ask(&lab, "127.9.1.2", &once).await.rcode, Rcode::SERVFAIL);
    assert_eq!(ask(&lab, "127.9.1.2", &once).await.rcode, Rcode::NXDOMAIN);
}

#[tokio::test]
async fn a_port_in_use_is_named_and_free_again_after_the_lab() {
    let lab = start(SMALL).await;
    let port = lab.port();
    let scenario = Arc::clone(lab.scenario());
    let error = Lab::start(Arc::clone(&scenario), Some(port)).await.unwrap_err();
    let text = format!("port {port} of 127.9.1.1 is in use; stop what listens there, or choose another port");
    assert_eq!(error.to_string(), text);
    let other = Lab::start(Arc::clone(&scenario), None).await.unwrap();
    assert_ne!(other.port(), port);
    let octets = query(1, "a.example", RecordType::TXT, None);
    for both in [&lab, &other] {
        assert_eq!(ask(both, "127.9.1.2", &octets).await.answers.len(), 1);
    }
    assert_eq!((lab.questions(), other.questions()), (1, 1));
    drop(lab);
    // The loops end when the runtime gets to them.
    let again = async {
        loop {
            match Lab::start(Arc::clone(&scenario), Some(port)).await {
                Ok(lab) => return lab,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    assert_eq!(timeout(PATIENCE, again).await.unwrap().port(), port);
}

#[tokio::test]
async fn addresses_that_leave_the_machine_are_refused() {
    let start = async |text: &str| Lab::start(Arc::new(text.parse::<Scenario>().unwrap()), None).await.unwrap_err();
    let error = start("zone . at 127.9.2.1 192.0.2.1").await;
    let foreign: IpAddr = "192.0.2.1".parse().unwrap();
    assert!(matches!(error, LabError::NotLoopback(address) if address == foreign), "{error}");
    assert!(matches!(start("").await, LabError::Empty));
}

#[tokio::test]
async fn the_demo_leads_from_the_root_to_a_provider() {
    let demo = Arc::new(lab::demo().unwrap());
    let lab = Lab::start(demo, None).await.unwrap();
    let octets = query(1, "ada.ns.cloudflare.com", RecordType::A, None);
    let mut server = lab.root_hints()[0].1.to_string();
    for zone in ["com.", "cloudflare.com."] {
        let referral = ask(&lab, &server, &octets).await;
        assert_eq!(referral.authority[0].owner.to_string(), zone);
        server = referral.additional[0].rdata.to_string();
    }
    let answer = ask(&lab, &server, &octets).await;
    assert!(answer.flags.authoritative);
    assert_eq!(answer.answers[0].rdata.to_string(), "127.2.1.1");
}
