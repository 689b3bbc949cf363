//! Validating resolvers of others, started on loopback for one run and ended with it.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zoneproof::dns::message::{Edns, Flags, Message, encode_message};
use zoneproof::dns::rrset::{Question, Rcode, RecordType};

/// How long a resolver may take for one answer, and how often it is asked.
const PATIENCE: (Duration, usize) = (Duration::from_secs(5), 2);
/// How long a resolver may take to start.
const STARTING: Duration = Duration::from_secs(30);
/// The AD bit, in the fourth octet of a message (RFC 4035 §3.2.3).
const AUTHENTIC: u8 = 0x20;

/// Which program resolves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resolver {
    /// NLnet Labs' Unbound.
    Unbound,
    /// ISC's BIND.
    Bind,
    /// CZ.NIC's Knot Resolver.
    Knot,
}

/// What a resolver makes of a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// The response code.
    pub(crate) rcode: Rcode,
    /// The records, without signatures and times to live.
    pub(crate) answers: BTreeSet<String>,
    /// Whether all of it is proven.
    pub(crate) is_authentic: bool,
}

impl Resolver {
    /// All programs.
    pub(crate) const ALL: &[Self] = &[Self::Unbound, Self::Bind, Self::Knot];

    /// Finds the program.
    pub(crate) fn path(self) -> Option<PathBuf> {
        let program = match self {
            Self::Unbound => "unbound",
            Self::Bind => "named",
            Self::Knot => "kresd",
        };
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders)
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
    }
}

/// A running resolver.
pub(crate) struct Running {
    /// The process.
    child: Child,
    /// Where it listens.
    place: (IpAddr, u16),
    /// What it prints.
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a resolver with these root hints and this DS record of the root, and waits until it answers.
    pub(crate) fn start(resolver: Resolver, folder: &Path, place: (IpAddr, u16), hints: &str, anchor: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("hints"), hints).unwrap();
        fs::write(folder.join("anchor"), format!("{anchor}\n")).unwrap();
        let text = match resolver {
            Resolver::Unbound => unbound_configuration(folder, place),
            Resolver::Bind => bind_configuration(folder, place, anchor),
            Resolver::Knot => knot_configuration(folder, place, hints, anchor),
        };
        fs::write(folder.join("configuration"), text).unwrap();
        let log = folder.join("log");
        let output = fs::File::create(&log).unwrap();
        let arguments: &[&str] = match resolver {
            Resolver::Unbound => &["-d", "-c", "configuration"],
            Resolver::Bind => &["-g", "-n", "1", "-c", "configuration"],
            Resolver::Knot => &["-n", "-c", "configuration", "."],
        };
        let child = Command::new(resolver.path().unwrap())
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let running = Self { child, place, log };
        let soa = Question::new(zoneproof::dns::name::Name::root(), RecordType::SOA);
        let started = Instant::now();
        while running.ask_once(&soa, Duration::from_secs(1)).is_none_or(|outcome| outcome.rcode != Rcode::NOERROR) {
            let log = || fs::read_to_string(&running.log).unwrap_or_default();
            assert!(started.elapsed() < STARTING, "{resolver:?} does not come up: {}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
        running
    }

    /// Asks until there is an answer that is not SERVFAIL, a few times at most.
    pub(crate) fn ask(&self, question: &Question) -> Option<Outcome> {
        let mut last = None;
        for _ in 0..PATIENCE.1 {
            last = self.ask_once(question, PATIENCE.0).or(last);
            if last.as_ref().is_some_and(|outcome| outcome.rcode != Rcode::SERVFAIL) {
                break;
            }
        }
        last
    }

    /// Asks once over UDP.
    fn ask_once(&self, question: &Question, patience: Duration) -> Option<Outcome> {
        let query = Message {
            id: rand::random(),
            flags: Flags { recursion_desired: true, ..Flags::default() },
            question: Some(question.clone()),
            edns: Some(Edns { payload_octets: 4096, dnssec_ok: true, ..Edns::default() }),
            ..Message::default()
        };
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_read_timeout(Some(patience)).ok()?;
        socket.send_to(&encode_message(&query).ok()?, self.place).ok()?;
        let mut buffer = [0; 8192];
        let length = socket.recv(&mut buffer).ok()?;
        let reply = Message::decode(&buffer[..length]).ok()?;
        let records = reply.answers.iter().filter(|record| record.kind() != RecordType::RRSIG);
        let answers = records.map(super::print).collect();
        let rcode = reply.rcode;
        let is_authentic = buffer[3] & AUTHENTIC != 0;
        let answers = if rcode == Rcode::SERVFAIL { BTreeSet::new() } else { answers };
        Some(Outcome { rcode, answers, is_authentic })
    }
}

/// Writes Unbound's configuration.
fn unbound_configuration(folder: &Path, (address, port): (IpAddr, u16)) -> String {
    let folder = folder.display();
    format!(
        "server:\n  interface: {address}\n  port: {port}\n  username: \"\"\n  chroot: \"\"\n  directory: \"{folder}\"\n  \
         pidfile: \"{folder}/pid\"\n  do-ip6: no\n  use-syslog: no\n  logfile: \"\"\n  num-threads: 1\n  \
         do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow\n  root-hints: \"{folder}/hints\"\n  \
         trust-anchor-file: \"{folder}/anchor\"\n  module-config: \"validator iterator\"\n  aggressive-nsec: no\n  \
         minimal-responses: yes\n  unknown-server-time-limit: 50\nremote-control:\n  control-enable: no\n"
    )
}

/// Writes BIND's configuration.
fn bind_configuration(folder: &Path, (address, port): (IpAddr, u16), anchor: &str) -> String {
    let folder = folder.display();
    let words: Vec<&str> = anchor.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "DS").unwrap();
    let (numbers, digest) = (words[at + 1..at + 4].join(" "), words[at + 4..].concat());
    format!(
        "options {{\n  directory \"{folder}\";\n  listen-on port {port} {{ {address}; }};\n  listen-on-v6 {{ none; }};\n  \
         pid-file \"{folder}/pid\";\n  session-keyfile \"{folder}/key\";\n  recursion yes;\n  \
         allow-query {{ any; }};\n  allow-recursion {{ any; }};\n  \
         dnssec-validation yes;\n  minimal-responses yes;\n  empty-zones-enable no;\n  synth-from-dnssec no;\n  \
         query-source address 127.0.0.1;\n}};\ncontrols {{ }};\ntrust-anchors {{ . static-ds {numbers} \"{digest}\"; }};\n\
         zone \".\" {{ type hint; file \"{folder}/hints\"; }};\n"
    )
}

/// Writes Knot Resolver's configuration.
fn knot_configuration(folder: &Path, (address, port): (IpAddr, u16), hints: &str, anchor: &str) -> String {
    let folder = folder.display();
    let servers: String = hints
        .lines()
        .filter_map(|line| line.split_once(" A "))
        .map(|(host, address)| format!("['{host}'] = '{address}', "))
        .collect();
    format!(
        "net.listen('{address}', {port}, {{ kind = 'dns' }})\nnet.ipv6 = false\nmodules = {{ 'hints' }}\n\
         option('ALLOW_LOCAL', true)\nhints.root({{ {servers} }})\ntrust_anchors.remove('.')\n\
         trust_anchors.add('{}')\ncache.open(20 * MB, 'lmdb://{folder}/cache')\n",
        anchor.replace("IN DS", "3600 IN DS")
    )
}
