//! The pace of one operator, through a kill and a takeover: as a server of ours counts it, and as NSD and the kernel do.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::{RcvBuf, ReceiveTimeout, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, bind, recvmsg,
    setsockopt, socket,
};
use nix::sys::time::{TimeSpec, TimeVal, TimeValLike};

use super::daemons::{self, Daemon, Software};
use super::postgres;
use super::scene::{LEASE_SECONDS, Scene, number, wait_until};

/// The pace of one server address: a second's questions, and what may come at once after a pause.
const PACE: (f64, f64) = (20.0, 40.0);
/// The length of a UDP header (RFC 768).
const UDP_HEADER_OCTETS: usize = 8;
/// How much later than it was sent a question may be seen on a busy machine, in seconds.
const LATE: f64 = 0.5;
/// How many domains the one operator serves: too many for the time there is, so that the pace is always the limit.
const DOMAINS: usize = 150;

/// Starts a worker at the house's pace.
fn worker(scene: &Scene, url: &str) -> Child {
    scene.zoneproof(&["worker", "--no-webhooks"], url).spawn().unwrap()
}

/// Ends processes that may have ended.
fn end(processes: &mut [Child]) {
    for process in processes {
        let _ = process.kill();
        process.wait().unwrap();
    }
}

/// How long is watched.
fn watched() -> Duration {
    Duration::from_secs(number("ZONEPROOF_PACE_SECONDS", 24))
}

/// Asserts that no stretch of time has more questions than the pace allows, given when how many had come.
fn assert_pace(seen: &[(f64, u64)]) {
    for (place, (from, before)) in seen.iter().enumerate() {
        for (until, after) in &seen[place..] {
            let allowed = PACE.0 * (until - from + LATE) + PACE.1;
            let count = after - before;
            assert!(count as f64 <= allowed, "{count} questions from {from:.2} s to {until:.2} s, {allowed} allowed");
        }
    }
}

#[test]
fn all_workers_together_keep_to_the_pace_of_an_operator_through_a_kill_and_a_takeover() {
    let Some(server) = postgres::Postgres::start(false) else { return };
    let scene = Scene::with_operators(35, DOMAINS, 1);
    let operator = scene.operators.as_ref().unwrap();
    let url = server.database("fleet");
    let seconds = watched();
    let import = scene.zoneproof(&["bulk", "in.csv"], &url).spawn();
    let mut workers: Vec<Child> = vec![import.unwrap(), worker(&scene, &url), worker(&scene, &url)];
    let (begin, mut samples) = (Instant::now(), Vec::new());
    let mut is_killed = false;
    while begin.elapsed() < seconds {
        samples.push((begin.elapsed().as_secs_f64(), operator.questions()));
        if !is_killed && begin.elapsed() > seconds / 3 {
            // Whoever asks is among them.
            workers[0].kill().unwrap();
            workers[1].kill().unwrap();
            is_killed = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    end(&mut workers);
    let asked = samples.last().unwrap().1;
    assert!(asked > 60, "{asked} questions are too few to tell:\n{}", scene.said());
    let after_kill = samples.iter().find(|(at, _)| *at > seconds.as_secs_f64() / 3.0 + 1.0).unwrap().1;
    assert!(asked > after_kill, "nobody took over:\n{}", scene.said());
    assert_pace(&samples);
}

/// Listens to what comes in for one address over UDP, beside the server that it is for: when the kernel took in each
/// question. Nothing stands between the workers and the server.
struct Ear {
    /// When the questions came, in seconds since 1970.
    times: Arc<Mutex<Vec<f64>>>,
    /// Whether to end.
    is_over: Arc<AtomicBool>,
    /// The thread that listens.
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Ear {
    /// Begins to listen; `None` where this user may not.
    fn open(address: Ipv4Addr, port: u16) -> Option<Self> {
        let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Udp).ok()?;
        bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(address, 0))).unwrap();
        setsockopt(&socket, ReceiveTimestampns, &true).unwrap();
        setsockopt(&socket, RcvBuf, &(1 << 20)).unwrap();
        setsockopt(&socket, ReceiveTimeout, &TimeVal::milliseconds(100)).unwrap();
        let (times, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, told) = (Arc::clone(&times), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                if let Some((at, questions)) = next_arrival(&socket, port) {
                    kept.lock().unwrap().extend(std::iter::repeat_n(at, questions));
                }
            }
        });
        Some(Self { times, is_over, thread: Some(thread) })
    }

    /// Returns when the questions came so far.
    fn times(&self) -> Vec<f64> {
        self.times.lock().unwrap().clone()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Returns when something next came for a port, and how many questions; `None` where nothing came for a while.
///
/// What leaves in one piece (UDP_SEGMENT) is cut on loopback only where it is handed to the server: here it comes in one piece.
fn next_arrival(socket: &OwnedFd, port: u16) -> Option<(f64, usize)> {
    let mut octets = [0_u8; 8192];
    let mut buffers = [IoSliceMut::new(&mut octets)];
    let mut control = nix::cmsg_space!(TimeSpec);
    let received = recvmsg::<()>(socket.as_raw_fd(), &mut buffers, Some(&mut control), MsgFlags::empty()).ok()?;
    let times = received.cmsgs().unwrap().find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(time),
        _ => None,
    });
    let (at, length) = (times.unwrap(), received.bytes);
    // The IP header tells its own length in words of four octets; the port is the second number behind it (RFC 791, RFC 768).
    let header = usize::from(octets[0] & 0x0f) * 4;
    let to = u16::from_be_bytes([octets[header + 2], octets[header + 3]]);
    let at = at.tv_sec() as f64 + at.tv_nsec() as f64 / 1e9;
    (to == port).then(|| (at, count_queries(&octets[header + UDP_HEADER_OCTETS..length])))
}

/// Counts the queries that lie one behind the other: a header, one question and an OPT record without options each.
fn count_queries(mut octets: &[u8]) -> usize {
    const BEHIND_NAME: usize = 4 + 11;
    let mut count = 0;
    while let Some(name) = octets.get(12..) {
        let end = name.iter().position(|octet| *octet == 0).unwrap();
        octets = &name[end + 1 + BEHIND_NAME..];
        count += 1;
    }
    assert!(octets.is_empty(), "{octets:?} is no query");
    count
}

/// Reads how many questions NSD counted, over UDP and TCP.
fn counted_by_nsd(folder: &Path) -> [u64; 2] {
    let output =
        Command::new("nsd-control").arg("-c").arg(folder.join("configuration")).arg("stats_noreset").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name} in {text} {output:?}")).parse::<u64>().unwrap()
    };
    // Those over TCP are counted by address family too.
    [value("num.udp"), value("num.tcp")]
}

#[test]
fn nsd_is_not_asked_faster_than_its_pace_through_a_kill_and_a_takeover() {
    let Some(server) = postgres::Postgres::start(false) else { return };
    if !daemons::are_installed() {
        return;
    }
    let scene = Scene::without_operators(36, DOMAINS, 1);
    let (address, port) = (Ipv4Addr::new(127, 36, 1, 1), scene.registry.port());
    let folder = scene.folder.path().join("nsd");
    let zones: Vec<_> = scene.zones.zones().iter().map(|served| &served.zone).collect();
    let nsd = Daemon::start(Software::Nsd, &folder, &[IpAddr::V4(address)], port, &zones);
    let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
    probe.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut number = 0;
    wait_until(&format!("an answer of NSD:\n{}", nsd.log()), &scene, || {
        // A header without a question: that it answers at all is enough. Once it answered the last one, it has counted all.
        number += 1;
        probe.send_to(&[0, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], (address, port)).unwrap();
        let mut reply = [0; 512];
        probe.recv(&mut reply).is_ok() && reply[1] == number
    });
    let Some(ear) = Ear::open(address, port) else { return };
    let [before, _] = counted_by_nsd(&folder);
    let url = server.database("fleet");
    let import = scene.zoneproof(&["bulk", "in.csv"], &url).spawn();
    let mut workers: Vec<Child> =
        vec![import.unwrap(), worker(&scene, &url), worker(&scene, &url), worker(&scene, &url)];
    let (begin, third) = (Instant::now(), watched() / 3);
    std::thread::sleep(third);
    let before_kill = ear.times().len();
    // Of four processes these are three, so that whoever asks is likely among them.
    for process in &mut workers[..3] {
        process.kill().unwrap();
    }
    let after_kill = ear.times().len();
    workers.push(worker(&scene, &url));
    std::thread::sleep(watched() - third);
    end(&mut workers);
    let seconds = begin.elapsed().as_secs_f64();
    // The last questions may still be under way to either of the two.
    wait_until("that the ear heard what NSD counted", &scene, || {
        counted_by_nsd(&folder) == [before + ear.times().len() as u64, 0]
    });
    let times = ear.times();
    let seen: Vec<(f64, u64)> = times.iter().zip(0..).map(|(at, number)| (*at, number)).collect();
    let busiest = seen.iter().map(|(from, _)| seen.iter().filter(|(at, _)| (0.0..1.0).contains(&(at - from))).count());
    println!(
        "{} questions in {seconds:.1} s, {before_kill} of them before three of four processes were killed, at most {} within \
         a second; the lease is {LEASE_SECONDS} s; NSD counts as many, all over UDP",
        seen.len(),
        busiest.max().unwrap_or_default(),
    );
    assert!(seen.len() > 60, "{} questions are too few to tell:\n{}", seen.len(), scene.said());
    assert!(times.len() > after_kill + 20, "nobody took over:\n{}", scene.said());
    assert_pace(&seen);
}
