//! A server on loopback that misbehaves octet by octet, each way a row: what it sends, and what comes of it.
//!
//! Over TCP every server here says the truth, unless the row is about that. The truth must win, or nothing.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use zoneproof::budget::Budget;
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, Rcode, RecordType};
use zoneproof::evidence::{Protocol, Silence};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, live};
use zoneproof::transport::{PaceClass, Query};

/// Where the servers live, and a neighbour that answers in their place.
const SERVER: &str = "127.45.0.1";
/// See [`SERVER`].
const NEIGHBOUR: &str = "127.45.0.2";
/// The octets of a header.
const HEADER: usize = 12;

/// What a server sends over UDP for one datagram, given the query and the true reply.
type OverUdp = fn(&[u8], &[u8]) -> Vec<Vec<u8>>;
/// What a server does with a connection, given the true reply with its length in front.
type OverTcp = fn(&mut TcpStream, &[u8]);

/// What must come of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// The truth, over this protocol.
    Truth(Protocol),
    /// No reply, for this reason.
    Silent(Silence),
    /// The server's word that it cannot answer, over UDP.
    Error(Rcode),
    /// Something that is not true was believed.
    Lie,
}

use End::{Error, Lie, Silent, Truth};
use Protocol::{Tcp, Udp};

/// The address that the truth is.
const TRUTH: [u8; 4] = [192, 0, 2, 80];

/// Writes the true reply: the question, and one address.
fn truth(query: &[u8]) -> Vec<u8> {
    let end = HEADER + query[HEADER..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = query[..end].to_vec();
    reply[2..HEADER].copy_from_slice(&[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
    reply.extend(TRUTH);
    reply
}

/// Changes a copy.
fn with(octets: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut copy = octets.to_vec();
    change(&mut copy);
    copy
}

/// A lie that is made like the truth: another address.
fn lie(truth: &[u8]) -> Vec<u8> {
    with(truth, |lie| {
        let last = lie.len() - 1;
        lie[last] = 66;
    })
}

/// Finds the first letter of the question's name.
fn first_letter(octets: &[u8]) -> usize {
    (HEADER..).find(|at| octets[*at].is_ascii_alphabetic()).unwrap()
}

/// What is done over UDP, and what comes of it, the truth being told over TCP.
const DATAGRAMS: &[(&str, OverUdp, End)] = &[
    ("the_truth", |_, t| vec![t.to_vec()], Truth(Udp)),
    ("the_truth_ten_times", |_, t| vec![t.to_vec(); 10], Truth(Udp)),
    ("the_truth_with_octets_behind_it", |_, t| vec![with(t, |r| r.extend([7; 40]))], Truth(Udp)),
    ("nothing", |_, _| vec![], Truth(Tcp)),
    ("another_id", |_, t| vec![with(&lie(t), |r| r[0] ^= 1)], Truth(Tcp)),
    ("another_id_and_then_the_truth", |_, t| vec![with(&lie(t), |r| r[1] ^= 1), t.to_vec()], Truth(Tcp)),
    ("every_id_near_the_right_one", |_, t| (1..=100).map(|n| with(&lie(t), |r| r[1] ^= n)).collect(), Truth(Tcp)),
    (
        "a_letter_in_another_case",
        |_, t| {
            vec![with(&lie(t), |r| {
                let at = first_letter(r);
                r[at] ^= 0x20;
            })]
        },
        Truth(Tcp),
    ),
    (
        "all_letters_in_lower_case_but_never_so_asked",
        |q, t| {
            vec![with(&lie(t), |r| {
                r[HEADER..q.len().min(40)].iter_mut().for_each(|o| {
                    if o.is_ascii_alphabetic() {
                        *o ^= 0x20
                    }
                })
            })]
        },
        Truth(Tcp),
    ),
    (
        "another_name",
        |_, t| {
            vec![with(&lie(t), |r| {
                let at = first_letter(r);
                r[at] ^= 3;
            })]
        },
        Truth(Tcp),
    ),
    (
        "another_type",
        |q, t| {
            vec![with(&lie(t), |r| {
                let at = type_at(q);
                r[at + 1] = 16;
            })]
        },
        Truth(Tcp),
    ),
    (
        "another_class",
        |q, t| {
            vec![with(&lie(t), |r| {
                let at = type_at(q);
                r[at + 3] = 3;
            })]
        },
        Truth(Tcp),
    ),
    ("a_query", |_, t| vec![with(&lie(t), |r| r[2] &= 0x7f)], Truth(Tcp)),
    ("the_query_itself", |q, _| vec![q.to_vec()], Truth(Tcp)),
    ("another_opcode", |_, t| vec![with(&lie(t), |r| r[2] |= 0x28)], Truth(Tcp)),
    ("no_question_but_an_answer", |_, t| vec![with(&lie(t), |r| r[5] = 0)], Truth(Tcp)),
    ("two_questions", |_, t| vec![with(&lie(t), |r| r[5] = 2)], Truth(Tcp)),
    ("an_empty_datagram", |_, _| vec![vec![]], Truth(Tcp)),
    ("one_octet", |_, _| vec![vec![0]], Truth(Tcp)),
    ("eleven_octets", |_, t| vec![t[..11].to_vec()], Truth(Tcp)),
    (
        "a_header_alone_that_says_all_is_well",
        |_, t| {
            vec![with(&t[..HEADER], |r| {
                r[5] = 0;
                r[7] = 0;
            })]
        },
        Truth(Tcp),
    ),
    (
        "a_header_alone_that_denies_the_name",
        |_, t| {
            vec![with(&t[..HEADER], |r| {
                r[3] = 3;
                r[5] = 0;
                r[7] = 0;
            })]
        },
        Truth(Tcp),
    ),
    ("a_cut_reply", |_, t| vec![with(t, |r| r[2] |= 2)], Truth(Tcp)),
    ("a_reply_of_five_thousand_octets", |_, t| vec![with(&lie(t), |r| r.resize(5000, 0))], Truth(Tcp)),
    ("random_octets", |_, _| vec![(0..200).map(|_| rand::random()).collect()], Truth(Tcp)),
    (
        "format_error_without_a_question",
        |_, t| {
            vec![with(&t[..HEADER], |r| {
                r[3] = 1;
                r[5] = 0;
                r[7] = 0;
            })]
        },
        Error(Rcode::FORMERR),
    ),
];

/// Returns where the type of the question stands.
fn type_at(query: &[u8]) -> usize {
    HEADER + query[HEADER..].iter().position(|octet| *octet == 0).unwrap() + 1
}

/// What is done over TCP where UDP cuts every reply, and what comes of it.
const CONNECTIONS: &[(&str, OverTcp, End)] = &[
    ("the_truth", |s, t| write(s, t), Truth(Tcp)),
    (
        "the_truth_in_two_parts",
        |s, t| {
            write(s, &t[..9]);
            write(s, &t[9..]);
        },
        Truth(Tcp),
    ),
    ("the_truth_and_then_a_lie_in_one_segment", |s, t| write(s, &[t, &framed(&lie(&t[2..]))].concat()), Truth(Tcp)),
    ("the_end_at_once", |s, _| drop(s.shutdown(Shutdown::Both)), Silent(Silence::Refused)),
    ("the_end_behind_the_length", |s, t| write(s, &t[..2]), Silent(Silence::Malformed)),
    ("the_end_in_the_middle", |s, t| write(s, &t[..20]), Silent(Silence::Malformed)),
    ("a_length_of_nothing", |s, _| write(s, &[0, 0]), Silent(Silence::Malformed)),
    ("a_length_of_more_than_comes", |s, t| write(s, &[&[0xff, 0xff], &t[2..]].concat()), Silent(Silence::Malformed)),
    ("another_id", |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[2] ^= 1)), Silent(Silence::Mismatched)),
    (
        "another_name",
        |s, t| {
            write(
                s,
                &with(&framed(&lie(&t[2..])), |r| {
                    let at = first_letter(&r[2..]) + 2;
                    r[at] ^= 3;
                }),
            )
        },
        Silent(Silence::Mismatched),
    ),
    ("a_query", |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[4] &= 0x7f)), Silent(Silence::Mismatched)),
    ("a_cut_reply", |s, t| write(s, &with(t, |r| r[4] |= 2)), Silent(Silence::Malformed)),
    ("octets_that_are_no_message", |s, _| write(s, &framed(&[0xff; 30])), Silent(Silence::Malformed)),
    ("two_questions", |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[7] = 2)), Silent(Silence::Malformed)),
];

/// Puts the length in front.
fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// Writes, and does not care whether anybody reads.
fn write(stream: &mut TcpStream, octets: &[u8]) {
    let _ = stream.write_all(octets);
}

/// A server that lives as long as this.
struct Server {
    /// The port, the same for both protocols.
    port: u16,
    /// How many datagrams came.
    datagrams: Arc<AtomicUsize>,
    /// How many connections came.
    connections: Arc<AtomicUsize>,
    /// Whether it is to end.
    is_over: Arc<AtomicBool>,
    /// Its threads.
    threads: Vec<thread::JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((SERVER, self.port)));
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

impl Server {
    /// Starts a server; datagrams are answered from the neighbour's address where `is_neighbour`.
    fn start(over_udp: OverUdp, over_tcp: OverTcp, is_neighbour: bool) -> Self {
        let (socket, listener) = loop {
            let listener = TcpListener::bind((SERVER, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            if let Ok(socket) = UdpSocket::bind((SERVER, port)) {
                break (socket, listener);
            }
        };
        let port = listener.local_addr().unwrap().port();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let neighbour = is_neighbour.then(|| UdpSocket::bind((NEIGHBOUR, port)).unwrap());
        let (datagrams, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let is_over = Arc::<AtomicBool>::default();
        let (came, over) = (Arc::clone(&datagrams), Arc::clone(&is_over));
        let udp = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !over.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                came.fetch_add(1, Ordering::SeqCst);
                let query = &buffer[..length];
                for datagram in over_udp(query, &truth(query)) {
                    drop(neighbour.as_ref().unwrap_or(&socket).send_to(&datagram, from));
                }
            }
        });
        let (came, over) = (Arc::clone(&connections), Arc::clone(&is_over));
        let tcp = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                came.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_ok() {
                    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut query).unwrap();
                    over_tcp(&mut stream, &framed(&truth(&query)));
                }
            }
        });
        Self { port, datagrams, connections, is_over, threads: vec![udp, tcp] }
    }

    /// Asks the server through the whole stack; returns the end, and how many datagrams and connections came.
    fn ask(&self) -> (End, usize, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let exchange = runtime.block_on(async {
            let settings = TransportSettings {
                dns_port: self.port,
                policy: AddressPolicy::allowing_special(),
                ..TransportSettings::default()
            };
            let question = Question::new(Name::parse("www.mail.example.com.").unwrap(), RecordType::A);
            let server: IpAddr = SERVER.parse().unwrap();
            let query = Query::new(server, question, PaceClass::Ordinary, Budget::for_check());
            let query = Query { timeout: Some(Duration::from_millis(200)), ..query };
            live(&settings).unwrap().exchange(&query).await
        });
        let end = match &exchange.outcome {
            Err(silence) => Silent(*silence),
            Ok(reply) => {
                let answers: Vec<&Rdata> = reply.answers.iter().map(|record| &record.rdata).collect();
                match (reply.rcode, answers.as_slice()) {
                    (Rcode::NOERROR, [Rdata::A(address)]) if address.octets() == TRUTH => Truth(exchange.protocol),
                    (Rcode::NOERROR | Rcode::NXDOMAIN, _) => Lie,
                    (rcode, _) => Error(rcode),
                }
            }
        };
        (end, self.datagrams.load(Ordering::SeqCst), self.connections.load(Ordering::SeqCst))
    }
}

/// The most datagrams and connections that one question costs: three tries and one without EDNS, then TCP with and without.
const MOST: (usize, usize) = (4, 2);

#[test]
fn over_udp_the_truth_wins_or_tcp_is_asked() {
    let mut faults = Vec::new();
    for (name, over_udp, expected) in DATAGRAMS {
        let server = Server::start(*over_udp, write, false);
        let (end, datagrams, connections) = server.ask();
        if end != *expected || datagrams > MOST.0 || connections > MOST.1 {
            faults.push(format!("{name}: {end:?} after {datagrams} datagrams and {connections} connections"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_another_address_says_is_not_heard() {
    let server = Server::start(|_, truth| vec![lie(truth)], write, true);
    assert_eq!(server.ask(), (Truth(Tcp), 3, 1));
}

#[test]
fn over_tcp_the_truth_is_read_or_the_server_failed() {
    let mut faults = Vec::new();
    for (name, over_tcp, expected) in CONNECTIONS {
        let server = Server::start(|_, truth| vec![with(truth, |reply| reply[2] |= 2)], *over_tcp, false);
        let (end, datagrams, connections) = server.ask();
        if end != *expected || datagrams > MOST.0 || connections > MOST.1 {
            faults.push(format!("{name}: {end:?} after {datagrams} datagrams and {connections} connections"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
