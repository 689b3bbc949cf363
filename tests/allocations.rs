//! What a question costs in memory: nothing of its own. What is taken is taken for a round of questions, or once.
#![cfg(test)]

use std::net::{IpAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use zoneproof::budget::Budget;
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType, Ttl};
use zoneproof::evidence::{NameServer, ZoneCut};
use zoneproof::observe::{Questions, ask_servers};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{Live, TransportSettings};
use zoneproof::transport::pace::PaceLimits;

/// How many questions each server is asked in a round.
const QUESTIONS: usize = 5;
/// How many servers are asked in a small round, and in a big one.
const FEW: u8 = 2;
const MANY: u8 = 12;
/// How many rounds are run: the first ones open sockets and come to know the servers, and every few hundred questions a socket
/// is opened anew.
const ROUNDS: usize = 60;

/// Starts servers on one port that say to each question that there is no such name.
fn serve() -> u16 {
    let sockets: Vec<UdpSocket> = loop {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let all: Result<Vec<_>, _> =
            (1..=MANY).map(|nth| UdpSocket::bind((IpAddr::from([127, 0, 0, nth]), port))).collect();
        if let Ok(all) = all {
            break all;
        }
    };
    let port = sockets[0].local_addr().unwrap().port();
    for socket in sockets {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        thread::spawn(move || {
            let mut octets = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut octets) {
                // QR and AA, and the code of a name that is not there.
                (octets[2], octets[3]) = (0x84, 3);
                socket.send_to(&octets[..length], from).unwrap();
            }
        });
    }
    port
}

/// Returns the least number of times that memory is taken in a round that asks so many servers.
fn taken(live: &Live, runtime: &tokio::runtime::Runtime, servers: u8) -> u64 {
    let zone = Name::parse("example.com.").unwrap();
    let server = |nth| NameServer {
        name: Name::parse(&format!("ns{nth}.example.com.")).unwrap(),
        addresses: vec![[127, 0, 0, nth].into()],
        unresolved: None,
    };
    let cut = ZoneCut {
        zone,
        parent: Some(Name::parse("com.").unwrap()),
        servers: (1..=servers).map(server).collect(),
        ttl: Ttl::from_wire(300),
        proofs: None,
    };
    let name = |nth| Name::parse(&format!("k{nth}._domainkey.example.com.")).unwrap();
    let questions: Vec<Question> = (0..QUESTIONS).map(|nth| Question::new(name(nth), RecordType::CNAME)).collect();
    let round = || {
        let budget = Budget::for_check();
        let asked = Questions::to_every_server(&cut, questions.clone());
        let mut answers = 0;
        let taken = measure(|| {
            let hear = |_: &Question, seen: zoneproof::evidence::Observation| {
                answers += usize::from(seen.is_answer());
                Vec::new()
            };
            runtime.block_on(ask_servers(&*live.transport, vec![asked], &budget, hear));
        });
        assert_eq!(answers, QUESTIONS * usize::from(servers));
        taken.count_total
    };
    std::iter::repeat_with(round).take(ROUNDS).min().unwrap()
}

#[test]
fn a_question_takes_no_memory_of_its_own() {
    let settings = TransportSettings {
        dns_port: serve(),
        policy: AddressPolicy::allowing_special(),
        limits: PaceLimits { per_second_in_all: 0, ..PaceLimits::default().with_per_server(0) },
        ..TransportSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let live = runtime.block_on(async { Live::open(&settings).unwrap() });
    let (few, many) = (taken(&live, &runtime, FEW), taken(&live, &runtime, MANY));
    let more = QUESTIONS * usize::from(MANY - FEW);
    println!("{few} times for {FEW} servers, {many} for {MANY}: {more} questions more");
    assert!(many - few < more as u64 / 4, "{few} times for {FEW} servers, {many} for {MANY}");
}
