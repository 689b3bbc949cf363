//! Distance and loss before the servers: each address is so many milliseconds away, and some questions never arrive.
//!
//! A question goes to the server at once, and its reply comes back when the round-trip time of that address is over,
//! however fast the server was: so a check can be held against the time that the network alone takes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The least and the most round-trip time of root and registry servers, which are anycast.
const NEAR_MS: (u64, u64) = (5, 15);
/// The least and the most round-trip time of all other servers.
const FAR_MS: (u64, u64) = (12, 60);
/// The longest datagram that passes.
const DATAGRAM_OCTETS: usize = 4096;
/// How often the threads look whether the bench has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Returns the round-trip time of an address: always the same for one address.
pub(crate) fn rtt_of(address: IpAddr) -> Duration {
    let IpAddr::V4(v4) = address else { return Duration::from_millis(FAR_MS.1) };
    // The lab's Internet keeps root and registries in 127.1.0.0/16.
    let (least, most) = if v4.octets().starts_with(&[127, 1]) { NEAR_MS } else { FAR_MS };
    let mixed = u64::from(v4.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    Duration::from_millis(least + mixed % (most - least + 1))
}

/// A reply on its way back.
struct Reply {
    /// When it arrives.
    due: Instant,
    /// Which socket it leaves from.
    socket: Arc<UdpSocket>,
    /// Where to.
    to: SocketAddr,
    /// What.
    octets: Vec<u8>,
}

impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Reply {}

impl PartialOrd for Reply {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reply {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// Who asked, when, and with which id, by the id that the server sees.
type Asked = Arc<Mutex<HashMap<u16, (SocketAddr, Instant, [u8; 2])>>>;

/// The distance before all servers; it goes with the bench's process.
pub(crate) struct Forwarder {
    /// The port to ask.
    pub(crate) port: u16,
    /// How many of ten thousand questions are lost.
    loss: Arc<AtomicU32>,
    /// The addresses that never answer.
    dead: Arc<Mutex<Vec<IpAddr>>>,
}

impl Forwarder {
    /// Puts the distance before the servers at these addresses, which listen on `server_port`.
    pub(crate) fn start(addresses: &[IpAddr], server_port: u16, port: u16) -> Self {
        let forwarder = Self { port, loss: Arc::default(), dead: Arc::default() };
        let (sender, replies) = channel();
        std::thread::spawn(move || deliver(&replies));
        for address in addresses {
            let front = Arc::new(UdpSocket::bind((*address, port)).unwrap());
            let back = Arc::new(UdpSocket::bind((*address, 0)).unwrap());
            back.connect((*address, server_port)).unwrap();
            let asked = Asked::default();
            forwarder.carry_questions(*address, Arc::clone(&front), Arc::clone(&back), Arc::clone(&asked));
            carry_replies(*address, front, back, asked, sender.clone());
        }
        forwarder
    }

    /// Has so many of ten thousand questions get lost.
    pub(crate) fn lose(&self, of_ten_thousand: u32) {
        self.loss.store(of_ten_thousand, Ordering::Relaxed);
    }

    /// Has these addresses never answer.
    pub(crate) fn kill(&self, addresses: Vec<IpAddr>) {
        *self.dead.lock().unwrap() = addresses;
    }

    /// Carries questions to the server at once, under ids of our own.
    fn carry_questions(&self, address: IpAddr, front: Arc<UdpSocket>, back: Arc<UdpSocket>, asked: Asked) {
        let (loss, dead) = (Arc::clone(&self.loss), Arc::clone(&self.dead));
        std::thread::spawn(move || {
            let mut buffer = [0; DATAGRAM_OCTETS];
            let mut next: u16 = rand::random();
            while let Ok((length, from)) = front.recv_from(&mut buffer) {
                let is_lost = rand::random_range(0..10_000) < loss.load(Ordering::Relaxed);
                if length < 2 || is_lost || dead.lock().unwrap().contains(&address) {
                    continue;
                }
                next = next.wrapping_add(1);
                asked.lock().unwrap().insert(next, (from, Instant::now(), [buffer[0], buffer[1]]));
                buffer[..2].copy_from_slice(&next.to_be_bytes());
                let _ = back.send(buffer.get(..length).unwrap_or_default());
            }
        });
    }
}

/// Carries replies back, each to who asked, when its time is over.
fn carry_replies(address: IpAddr, front: Arc<UdpSocket>, back: Arc<UdpSocket>, asked: Asked, replies: Sender<Reply>) {
    std::thread::spawn(move || {
        let mut buffer = [0; DATAGRAM_OCTETS];
        while let Ok(length) = back.recv(&mut buffer) {
            let id = u16::from_be_bytes([buffer[0], buffer[1]]);
            let Some((to, since, own_id)) = asked.lock().unwrap().remove(&id) else { continue };
            buffer[..2].copy_from_slice(&own_id);
            let (due, octets) = (since + rtt_of(address), buffer.get(..length).unwrap_or_default().to_vec());
            let _ = replies.send(Reply { due, socket: Arc::clone(&front), to, octets });
        }
    });
}

/// Delivers replies in order of time.
fn deliver(replies: &Receiver<Reply>) {
    let mut waiting: BinaryHeap<Reverse<Reply>> = BinaryHeap::new();
    loop {
        let now = Instant::now();
        while waiting.peek().is_some_and(|Reverse(reply)| reply.due <= now) {
            if let Some(Reverse(reply)) = waiting.pop() {
                let _ = reply.socket.send_to(&reply.octets, reply.to);
            }
        }
        let pause = waiting.peek().map_or(LOOK_EVERY, |Reverse(reply)| reply.due.saturating_duration_since(now));
        match replies.recv_timeout(pause) {
            Ok(reply) => waiting.push(Reverse(reply)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
