//! A server on loopback that misbehaves octet by octet, over UDP and over TCP, and what the whole stack makes of it.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use zoneproof::budget::Budget;
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::response::{Response, read_response};
use zoneproof::dns::rrset::{Question, Rcode, RecordType};
use zoneproof::evidence::{Protocol, Silence};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, live};
use zoneproof::transport::{DynTransport, PaceClass, Query, Transport};

/// Where the servers live, and a neighbour that answers in their place.
pub(crate) const SERVER: &str = "127.45.0.1";
/// See [`SERVER`].
const NEIGHBOUR: &str = "127.45.0.2";
/// The octets of a header.
pub(crate) const HEADER: usize = 12;
/// How long one try over UDP waits: long for a server that replies, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// The address that the truth is.
const TRUTH: [u8; 4] = [192, 0, 2, 80];
/// How many servers run at one time.
const AT_ONCE: usize = 16;

/// What a server sends over UDP for its nth datagram, from one on, given the query and the true reply.
pub(crate) type OverUdp = fn(usize, &[u8], &[u8]) -> Vec<Vec<u8>>;
/// What a server does with a connection, given the true reply with its length in front.
pub(crate) type OverTcp = fn(&mut TcpStream, &[u8]);

/// What must come of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// The truth, over this protocol.
    Truth(Protocol),
    /// No reply, for this reason.
    Silent(Silence),
    /// The server's word that it cannot answer.
    Error(Rcode),
    /// A reply that says nothing that counts.
    Nothing,
    /// Something that is not true was believed.
    Lie,
}

/// Where a server's datagrams come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum From {
    /// From where it was asked.
    Itself,
    /// From another port of its address.
    OtherPort,
    /// From the same port of another address.
    Neighbour,
}

/// One way to misbehave.
pub(crate) struct Behaviour {
    /// The row of the table of threats that it belongs to.
    pub(crate) row: &'static str,
    /// What it is called.
    pub(crate) name: &'static str,
    /// Where its datagrams come from.
    pub(crate) from: From,
    /// What it does over UDP.
    pub(crate) over_udp: OverUdp,
    /// What it does over TCP.
    pub(crate) over_tcp: OverTcp,
    /// What must come of it.
    pub(crate) end: End,
}

/// Writes the true reply: the question, and one address.
pub(crate) fn truth(query: &[u8]) -> Vec<u8> {
    let end = HEADER + query[HEADER..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = query[..end].to_vec();
    reply[2..HEADER].copy_from_slice(&[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
    reply.extend(TRUTH);
    reply
}

/// Changes a copy.
pub(crate) fn with(octets: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut copy = octets.to_vec();
    change(&mut copy);
    copy
}

/// A lie that is made like the truth: another address.
pub(crate) fn lie(truth: &[u8]) -> Vec<u8> {
    with(truth, |lie| {
        let last = lie.len() - 1;
        lie[last] = 66;
    })
}

/// Finds the first letter of the question's name.
pub(crate) fn first_letter(octets: &[u8]) -> usize {
    (HEADER..).find(|at| octets[*at].is_ascii_alphabetic()).unwrap()
}

/// Returns where the type of the question stands.
pub(crate) fn type_at(query: &[u8]) -> usize {
    HEADER + query[HEADER..].iter().position(|octet| *octet == 0).unwrap() + 1
}

/// Says whether a query has an OPT record.
pub(crate) fn has_edns(query: &[u8]) -> bool {
    query[11] == 1
}

/// Puts the length in front.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// Writes, and does not care whether anybody reads.
pub(crate) fn write(stream: &mut TcpStream, octets: &[u8]) {
    let _ = stream.write_all(octets);
}

/// A server that lives as long as this.
pub(crate) struct Server {
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

/// Opens both sockets of a server at one port, and the socket that its datagrams leave from where that is another.
fn open(from: From) -> (UdpSocket, TcpListener, Option<UdpSocket>) {
    loop {
        let listener = TcpListener::bind((SERVER, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = match from {
            From::Itself => None,
            From::OtherPort => Some(UdpSocket::bind((SERVER, 0))),
            From::Neighbour => Some(UdpSocket::bind((NEIGHBOUR, port))),
        };
        // The port may be taken over UDP, or at the neighbour.
        if let (Ok(socket), Ok(other)) = (UdpSocket::bind((SERVER, port)), other.transpose()) {
            return (socket, listener, other);
        }
    }
}

impl Server {
    /// Starts a server.
    pub(crate) fn start(over_udp: OverUdp, over_tcp: OverTcp, from: From) -> Self {
        let (socket, listener, other) = open(from);
        let port = listener.local_addr().unwrap().port();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (datagrams, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let is_over = Arc::<AtomicBool>::default();
        let (came, over) = (Arc::clone(&datagrams), Arc::clone(&is_over));
        let udp = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !over.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let nth = came.fetch_add(1, Ordering::SeqCst) + 1;
                let query = &buffer[..length];
                for datagram in over_udp(nth, query, &truth(query)) {
                    drop(other.as_ref().unwrap_or(&socket).send_to(&datagram, from));
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

    /// Returns how servers at this port are asked.
    pub(crate) fn settings(&self) -> TransportSettings {
        let policy = AddressPolicy::allowing_special();
        TransportSettings { dns_port: self.port, policy, ..TransportSettings::default() }
    }

    /// Returns how many datagrams and connections came.
    pub(crate) fn came(&self) -> (usize, usize) {
        (self.datagrams.load(Ordering::SeqCst), self.connections.load(Ordering::SeqCst))
    }

    /// Asks the server through the whole stack; returns the end, and how many datagrams and connections came.
    pub(crate) fn ask(&self) -> (End, usize, usize) {
        let end =
            runtime().block_on(async { ask(live(&self.settings()).unwrap().as_ref(), "www.mail.example.com.").await });
        let (datagrams, connections) = self.came();
        (end, datagrams, connections)
    }
}

/// Makes a runtime.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Writes a query for the address of a name.
pub(crate) fn query(name: &str) -> Query {
    let question = Question::new(Name::parse(name).unwrap(), RecordType::A);
    let server: IpAddr = SERVER.parse().unwrap();
    let query = Query::new(server, question, PaceClass::Ordinary, Budget::for_check());
    Query { timeout: Some(PATIENCE), ..query }
}

/// Asks for the address of a name and says what came of it.
pub(crate) async fn ask(transport: &dyn DynTransport, name: &str) -> End {
    let query = query(name);
    let exchange = transport.exchange(&query).await;
    match &exchange.outcome {
        Err(silence) => End::Silent(*silence),
        Ok(reply) => match read_response(reply, &query.question, &Name::parse("example.com.").unwrap()).response {
            Response::Answer(answer) if answer.rrset.data() == [Rdata::A(TRUTH.into())] => {
                End::Truth(exchange.protocol)
            }
            Response::Failed(rcode) => End::Error(rcode),
            Response::Lame(_) => End::Nothing,
            _ => End::Lie,
        },
    }
}

/// The most datagrams and connections that one question costs: three tries and one without EDNS, then TCP with and without.
const MOST: (usize, usize) = (4, 2);

/// Runs every behaviour against a server of its own; says which ended in another way than they must, or cost too much.
pub(crate) fn unmet(behaviours: &[Behaviour]) -> Vec<String> {
    let run = |behaviour: &Behaviour| {
        let server = Server::start(behaviour.over_udp, behaviour.over_tcp, behaviour.from);
        let (end, datagrams, connections) = server.ask();
        let holds = end == behaviour.end && datagrams <= MOST.0 && connections <= MOST.1;
        let told = format!("{end:?} after {datagrams} datagrams and {connections} connections");
        (!holds).then(|| format!("{}: {told}; it must be {:?}", behaviour.name, behaviour.end))
    };
    let mut faults = Vec::new();
    for some in behaviours.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let runs: Vec<_> = some.iter().map(|behaviour| scope.spawn(|| run(behaviour))).collect();
            faults.extend(runs.into_iter().filter_map(|run| run.join().unwrap()));
        });
    }
    faults
}
