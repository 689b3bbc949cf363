//! How well a forger can foresee a question, measured at the server that gets it: ports, ids and the case of letters.
//!
//! Chi-square over what was sent, with a threshold that a good generator misses once in a billion runs, from above and from
//! below: what is too even, such as numbers in a row, is as bad as what is uneven. Entropy is that of collisions: how often
//! two questions share a value.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zoneproof::evidence::Protocol::Udp;
use zoneproof::metrics::{Event, Metrics, Snapshot};
use zoneproof::transport::Transport;
use zoneproof::transport::live::{Live, TransportSettings};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::transport::source::Source;
use zoneproof::transport::udp::UdpTransport;

use crate::server::{End, HEADER, SERVER, ask, query, runtime, truth, type_at};

/// How many questions are measured.
const QUESTIONS: usize = 10_000;
/// How many ports that were opened for one question each are measured.
const PORTS: usize = 4_000;
/// How far the normal distribution is left at one in a billion, each side.
const SIGMAS: f64 = 6.0;
/// The least number of bits of a question that a forger must guess, letters apart (SECURITY.md F1).
const BITS_WANTED: f64 = 30.0;
/// How many letters the names of the questions have that are measured.
const LETTERS: usize = 14;

/// A question as the server got it.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// The port that it came from.
    port: u16,
    /// Its id.
    id: u16,
    /// The case of its letters: one bit each.
    cases: u16,
}

impl Sent {
    /// Reads a query.
    fn read(port: u16, octets: &[u8]) -> Self {
        let id = u16::from_be_bytes([octets[0], octets[1]]);
        let letters = octets[HEADER..type_at(octets)].iter().filter(|octet| octet.is_ascii_alphabetic());
        let cases = letters.take(LETTERS).fold(0, |cases, letter| (cases << 1) | u16::from(letter & 0x20 != 0));
        Self { port, id, cases }
    }
}

/// A server that says the truth and writes down what it got.
struct Witness {
    /// Its port.
    port: u16,
    /// What it got.
    sent: Arc<Mutex<Vec<Sent>>>,
    /// How many connections came.
    connections: Arc<AtomicUsize>,
    /// Whether it is to end.
    is_over: Arc<AtomicBool>,
    /// Its threads.
    threads: Vec<thread::JoinHandle<()>>,
}

impl Witness {
    /// Starts a server; with `repeats`, it also says again all that it said to earlier questions.
    fn start(repeats: bool) -> Self {
        let (listener, socket) = loop {
            let listener = TcpListener::bind((SERVER, 0)).unwrap();
            if let Ok(socket) = UdpSocket::bind((SERVER, listener.local_addr().unwrap().port())) {
                break (listener, socket);
            }
        };
        let port = listener.local_addr().unwrap().port();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (sent, connections) = (Arc::<Mutex<Vec<Sent>>>::default(), Arc::<AtomicUsize>::default());
        let is_over = Arc::<AtomicBool>::default();
        let (written, came, over) = (Arc::clone(&sent), Arc::clone(&connections), Arc::clone(&is_over));
        let serve = move || {
            let mut buffer = [0; 4096];
            let mut said: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
            while !over.load(Ordering::SeqCst) {
                came.fetch_add(usize::from(listener.accept().is_ok()), Ordering::SeqCst);
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                written.lock().unwrap().push(Sent::read(from.port(), &buffer[..length]));
                said.retain(|_| repeats);
                said.push((from, truth(&buffer[..length])));
                said.iter().for_each(|(to, reply)| drop(socket.send_to(reply, to)));
            }
        };
        Self { port, sent, connections, is_over, threads: vec![thread::spawn(serve)] }
    }

    /// Returns what it got, in order.
    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

/// Returns between what chi-square lies for that many values that are equally likely (Wilson and Hilferty).
fn chi_square_range(values: usize) -> (f64, f64) {
    let freedom = (values - 1) as f64;
    let spread = (2.0 / (9.0 * freedom)).sqrt();
    let at = |sigmas: f64| freedom * (1.0 - spread * spread + sigmas * spread).powi(3);
    (at(-SIGMAS), at(SIGMAS))
}

/// Says what is wrong with numbers that should be as likely as each other, below `values`.
fn unevenness(of: &str, numbers: impl Iterator<Item = usize>, values: usize) -> Option<String> {
    let mut counts = vec![0_u32; values];
    numbers.for_each(|number| counts[number] += 1);
    let all: u32 = counts.iter().sum();
    let expected = f64::from(all) / values as f64;
    let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    let (low, high) = chi_square_range(values);
    let told = format!("{of}: chi-square {chi_square:.0} of {values} values is not between {low:.0} and {high:.0}");
    (!(low..=high).contains(&chi_square)).then_some(told)
}

/// Returns the bits that a value takes to guess, by how often two of them are the same.
fn collision_bits(values: impl Iterator<Item = u16>) -> f64 {
    let mut counts: HashMap<u16, f64> = HashMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1.0);
    let all: f64 = counts.values().sum();
    let same: f64 = counts.values().map(|count| count * (count - 1.0)).sum();
    (all * (all - 1.0) / same.max(1.0)).log2()
}

/// Says what a forger could foresee of ids and letters.
fn weaknesses(sent: &[Sent]) -> Vec<String> {
    let pairs = || sent.iter().zip(&sent[1..]);
    let mut found = vec![
        unevenness("the high octet of ids", sent.iter().map(|one| usize::from(one.id >> 8)), 256),
        unevenness("the low octet of ids", sent.iter().map(|one| usize::from(one.id & 0xff)), 256),
        unevenness("from one id to the next", pairs().map(|(a, b)| usize::from(b.id.wrapping_sub(a.id) >> 8)), 256),
        unevenness("the letters together", sent.iter().map(|one| usize::from(one.cases & 0xff)), 256),
        unevenness("from letters to letters", pairs().map(|(a, b)| usize::from((a.cases ^ b.cases) & 0xff)), 256),
        unevenness("letters and ids", sent.iter().map(|one| usize::from((one.cases ^ one.id) & 0xff)), 256),
    ];
    for letter in 0..LETTERS {
        let is_small = sent.iter().filter(|one| one.cases >> letter & 1 == 1).count() as f64;
        let (all, half) = (sent.len() as f64, sent.len() as f64 / 2.0);
        let is_even = (is_small - half).abs() <= SIGMAS * all.sqrt() / 2.0;
        found.push((!is_even).then(|| format!("letter {letter} is small {is_small} times of {all}")));
    }
    found.into_iter().flatten().collect()
}

/// Returns the ports that the operating system picks from.
fn port_range() -> (u16, u16) {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    numbers.next().zip(numbers.next()).unwrap_or((49_152, 65_535))
}

/// Says what a forger could foresee of ports that were opened one after the other.
fn weakness_of_ports(ports: &[u16]) -> Vec<String> {
    const SLICES: usize = 64;
    let (first, last) = port_range();
    let width = usize::from(last - first) / SLICES;
    // The last ports of the range make no whole slice.
    let slices = |ports: &mut dyn Iterator<Item = u16>| -> Vec<usize> {
        ports.map(|port| usize::from(port - first) / width).filter(|slice| *slice < SLICES).collect()
    };
    let steps = ports.iter().zip(&ports[1..]).map(|(a, b)| usize::from(b.wrapping_sub(*a) & 0xf));
    let found = [
        unevenness("ports", slices(&mut ports.iter().copied()).into_iter(), SLICES),
        unevenness("from one port to the next", steps, 16),
    ];
    found.into_iter().flatten().collect()
}

/// Asks many questions through one stack, some at a time; returns what the server got.
fn ask_many(witness: &Witness, questions: usize, at_once: usize) -> Vec<Sent> {
    ask_many_counting(witness, questions, at_once, &Arc::default())
}

/// Does the same and counts.
fn ask_many_counting(witness: &Witness, questions: usize, at_once: usize, metrics: &Arc<Metrics>) -> Vec<Sent> {
    let limits = PaceLimits { per_second_in_all: 0, ..PaceLimits::default().with_per_server(0) };
    let policy = zoneproof::transport::guard::AddressPolicy::allowing_special();
    let settings = TransportSettings { dns_port: witness.port, limits, policy, ..TransportSettings::default() };
    runtime().block_on(async {
        let transport = Live::open_counting(&settings, metrics).unwrap().transport;
        let ends = stream::iter(0..questions).map(|nth| {
            let transport = Arc::clone(&transport);
            async move { ask(transport.as_ref(), &format!("{nth}.www.mail.example.com.")).await }
        });
        let ends: Vec<End> = ends.buffered(at_once).collect().await;
        assert!(ends.iter().all(|end| *end == End::Truth(Udp)), "the server is at hand");
    });
    witness.sent()
}

/// Opens ports for one question each; returns them as the server saw them.
fn open_many(witness: &Witness, ports: usize) -> Vec<u16> {
    runtime().block_on(async {
        for _ in 0..ports {
            let udp = UdpTransport::new(witness.port, Source::default()).unwrap();
            assert!(udp.exchange(&query("www.mail.example.com.")).await.outcome.is_ok());
        }
    });
    witness.sent().iter().map(|one| one.port).collect()
}

#[test]
fn ids_ports_and_letters_of_ten_thousand_questions_cannot_be_foreseen() {
    let sent = ask_many(&Witness::start(false), QUESTIONS, 8);
    let ports = open_many(&Witness::start(false), PORTS);
    assert!(sent.len() >= QUESTIONS && ports.len() >= PORTS);
    let weaknesses = [weaknesses(&sent), weakness_of_ports(&ports)].concat();
    assert!(weaknesses.is_empty(), "{}", weaknesses.join("\n"));
    let id_bits = collision_bits(sent.iter().map(|one| one.id));
    let port_bits = collision_bits(ports.iter().copied());
    let letter_bits = collision_bits(sent.iter().map(|one| one.cases));
    println!("id {id_bits:.2}, port {port_bits:.2}, {LETTERS} letters {letter_bits:.2} bits");
    assert!(id_bits + port_bits >= BITS_WANTED, "{id_bits:.2} bits of id and {port_bits:.2} of port");
    assert!(letter_bits >= LETTERS as f64 - 0.5, "{letter_bits:.2} bits for {LETTERS} letters");
}

#[test]
fn a_port_carries_few_questions_and_no_two_in_a_row_more_often_than_by_chance() {
    // One after the other: what waits for the same socket leaves together.
    let sent = ask_many(&Witness::start(false), QUESTIONS, 1);
    let mut counts: HashMap<u16, u32> = HashMap::new();
    sent.iter().for_each(|one| *counts.entry(one.port).or_default() += 1);
    // A port may come up again once its socket is closed, which is rare among 28,000.
    let busy = counts.values().filter(|count| **count > 256).count();
    assert!(busy <= 1, "{busy} ports carried more than 256 questions");
    assert!(counts.len() >= QUESTIONS / 256, "{} ports for {QUESTIONS} questions", counts.len());
    let same = sent.iter().zip(&sent[1..]).filter(|(one, next)| one.port == next.port).count();
    // One in sixteen by chance; twice as many are forty sigmas away.
    assert!(same < QUESTIONS / 8, "{same} questions left from the port of the one before");
}

#[test]
fn a_bad_generator_is_found_out() {
    let mut random = StdRng::seed_from_u64(5);
    let good: Vec<Sent> = (0..10_000)
        .map(|_| Sent { port: random.random(), id: random.random(), cases: random.random::<u16>() >> (16 - LETTERS) })
        .collect();
    assert_eq!(weaknesses(&good), Vec::<String>::new());
    type Spoil = fn(usize, Sent) -> Sent;
    let bad: [(&str, Spoil); 7] = [
        ("ids in a row", |nth, one| Sent { id: nth as u16, ..one }),
        ("ids in steps", |nth, one| Sent { id: (nth * 257) as u16, ..one }),
        ("ids of twelve bits", |_, one| Sent { id: one.id & 0xfff, ..one }),
        ("even ids", |_, one| Sent { id: one.id & !1, ..one }),
        ("one case", |_, one| Sent { cases: 0, ..one }),
        ("letters that follow the id", |_, one| Sent { cases: one.id & 0x3fff, ..one }),
        ("a letter that is mostly small", |nth, one| Sent { cases: one.cases | u16::from(nth % 5 == 0), ..one }),
    ];
    for (what, spoil) in bad {
        let spoiled: Vec<Sent> = good.iter().enumerate().map(|(nth, one)| spoil(nth, *one)).collect();
        assert!(!weaknesses(&spoiled).is_empty(), "{what} were not found out");
    }
    let (first, last) = port_range();
    let ports: Vec<u16> = (0..PORTS).map(|_| random.random_range(first..=last)).collect();
    assert_eq!(weakness_of_ports(&ports), Vec::<String>::new());
    let in_a_row: Vec<u16> = (0..PORTS).map(|nth| first + nth as u16).collect();
    // One port for each of sixteen sockets, over and over.
    let few: Vec<u16> = (0..PORTS).map(|nth| ports[nth % 16]).collect();
    let upper: Vec<u16> = ports.iter().map(|port| port / 2 + last / 2).collect();
    for bad in [in_a_row, few.clone(), upper] {
        assert!(!weakness_of_ports(&bad).is_empty());
    }
    assert!(collision_bits(few.into_iter()) < 4.1);
}

/// Asks a server that says everything again and again; returns what was counted.
pub(crate) fn of_late_copies() -> Snapshot {
    let witness = Witness::start(true);
    let metrics = Arc::<Metrics>::default();
    let sent = ask_many_counting(&witness, 60, 8, &metrics);
    assert_eq!((sent.len(), witness.connections.load(Ordering::SeqCst)), (60, 0));
    metrics.snapshot()
}

#[test]
fn late_copies_of_answers_start_no_tcp() {
    assert_eq!(of_late_copies().of(Event::NearMisses), 0);
}
