//! The tenants and who serves them.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use zoneproof::dns::message::{Message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use zoneproof::lab::{fleet, internet_with};
use zoneproof::scenario::expect::{Check, Expect, Subject};
use zoneproof::scenario::{Scenario, Zone};

/// What the tenants are drawn with.
const SEED: u64 = 7;
/// How often a server that is starting is asked, and how long is waited in between.
const STARTING: (u32, Duration) = (600, Duration::from_millis(100));

/// Which program serves.
#[derive(Clone, Copy)]
pub(crate) enum Software {
    /// CZ.NIC's Knot DNS.
    Knot,
    /// NLnet Labs' NSD.
    Nsd,
}

impl Software {
    /// Reads its name.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "knot" => Self::Knot,
            "nsd" => Self::Nsd,
            other => panic!("{other} is no server; expected knot or nsd"),
        }
    }

    /// Returns the program's file name.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Knot => "knotd",
            Self::Nsd => "nsd",
        }
    }

    /// Returns the options in front of the path of the configuration.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Knot => &["-c"],
            Self::Nsd => &["-d", "-c"],
        }
    }

    /// Writes the configuration.
    fn configuration(self, folder: &Path, addresses: &[IpAddr], port: u16, zones: &[(String, PathBuf)]) -> String {
        let folder = folder.display();
        let mut text = String::new();
        match self {
            Self::Knot => {
                let listen: Vec<String> = addresses.iter().map(|address| format!("{address}@{port}")).collect();
                let listen = listen.join(", ");
                write!(
                    text,
                    "server:\n  listen: [ {listen} ]\n  rundir: \"{folder}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
                     background-workers: 1\ndatabase:\n  storage: \"{folder}\"\n  journal-db-max-size: 8M\n  \
                     timer-db-max-size: 2M\nlog:\n  - target: stderr\n    any: error\ntemplate:\n  - id: default\n    \
                     zonefile-sync: -1\n    journal-content: none\n    semantic-checks: off\nzone:\n"
                )
                .unwrap();
                for (zone, file) in zones {
                    writeln!(text, "  - domain: \"{zone}\"\n    file: \"{}\"", file.display()).unwrap();
                }
            }
            Self::Nsd => {
                let listen: String = addresses.iter().map(|address| format!("  ip-address: {address}\n")).collect();
                write!(
                    text,
                    "server:\n{listen}  port: {port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
                     zonesdir: \"{folder}\"\n  database: \"\"\n  pidfile: \"{folder}/pid\"\n  xfrdfile: \
                     \"{folder}/xfrd\"\n  xfrdir: \"{folder}\"\n  zonelistfile: \"{folder}/list\"\n  rrl-ratelimit: \
                     0\nremote-control:\n  control-enable: no\n"
                )
                .unwrap();
                for (zone, file) in zones {
                    writeln!(text, "zone:\n  name: \"{zone}\"\n  zonefile: \"{}\"", file.display()).unwrap();
                }
            }
        }
        text
    }
}

/// A server that ends with the bench.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The rows of one run.
pub(crate) struct Rows {
    /// The file that `zoneproof bulk` reads.
    pub(crate) path: PathBuf,
    /// How many domains are in it.
    pub(crate) domains: usize,
}

impl Rows {
    /// Writes a file with those rows alone whose domain is wanted.
    pub(crate) fn only(&self, path: &Path, domains: &HashSet<String>) -> Self {
        let text = fs::read_to_string(&self.path).unwrap();
        let is_wanted = |line: &&str| line.split_once(',').is_some_and(|(domain, _)| domains.contains(domain));
        let rows: Vec<&str> = text.lines().skip(1).filter(is_wanted).collect();
        assert_eq!(rows.len(), domains.len(), "a row for every domain");
        let header = text.lines().next().unwrap();
        fs::write(path, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        Self { path: path.to_owned(), domains: rows.len() }
    }
}

/// Tenants that are being served.
pub(crate) struct World {
    /// The port of all servers.
    pub(crate) port: u16,
    /// The file with the root servers.
    pub(crate) hints: PathBuf,
    /// All tenants, of which a third is wrong.
    pub(crate) every_row: Rows,
    /// Those that are right.
    pub(crate) right_rows: Rows,
    /// Questions for [`World::busiest`], one a line: name and type.
    pub(crate) questions: PathBuf,
    /// The address that serves the most tenants.
    pub(crate) busiest: IpAddr,
    /// Who serves.
    pub(crate) software: Software,
    /// The root servers.
    pub(crate) roots: Vec<(Name, IpAddr)>,
    /// The same Internet, without sockets.
    pub(crate) scenario: Arc<Scenario>,
    /// All addresses that serve.
    pub(crate) addresses: Vec<IpAddr>,
    /// What is expected of the tenants that are right.
    pub(crate) right: Vec<Expectation>,
    /// The servers.
    _servers: Vec<Server>,
    /// Where all files are.
    pub(crate) folder: tempfile::TempDir,
}

/// Finds a program; administrators' folders are looked into too.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

impl World {
    /// Makes up tenants and serves them.
    pub(crate) fn start(software: Software, tenants: usize) -> Self {
        let scenario = internet_with(&fleet::fleet(tenants, SEED)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let addresses = scenario.addresses();
        let port = free_port(&addresses);
        let servers = serve(&scenario, software, folder.path(), port);
        let hints = folder.path().join("hints");
        let lines =
            scenario.root_hints().into_iter().map(|(name, address)| format!(". NS {name}\n{name} A {address}\n"));
        fs::write(&hints, lines.collect::<String>()).unwrap();

        let checks = |is_wanted: &dyn Fn(&[Expect]) -> bool| -> Vec<Check> {
            let wanted = scenario.tasks.iter().filter(|task| is_wanted(&task.expectations));
            wanted
                .filter_map(|task| match &task.subject {
                    Subject::Check(check) => Some(check.clone()),
                    Subject::Lookup(_) => None,
                })
                .collect()
        };
        let every = checks(&|_| true);
        let right = checks(&|expectations| expectations.iter().any(|one| one.to_string() == "verdict ready"));
        let busiest = busiest(&scenario);
        let questions = folder.path().join("questions");
        fs::write(&questions, questions_for(&scenario, busiest, &right)).unwrap();
        Self {
            port,
            hints,
            every_row: write_rows(&folder.path().join("every.csv"), &every),
            right_rows: write_rows(&folder.path().join("right.csv"), &right),
            questions,
            busiest,
            software,
            roots: scenario.root_hints(),
            addresses,
            right: right.iter().map(|check| check.facts().unwrap().expectation().unwrap()).collect(),
            scenario: Arc::new(scenario),
            _servers: servers,
            folder,
        }
    }
}

/// Finds a port that is free over UDP and TCP at every address.
pub(crate) fn free_port(addresses: &[IpAddr]) -> u16 {
    let is_free = |port: &u16| {
        addresses
            .iter()
            .all(|address| UdpSocket::bind((*address, *port)).is_ok() && TcpListener::bind((*address, *port)).is_ok())
    };
    (0..50).map(|_| 20_000 + rand::random_range(0..10_000)).find(is_free).unwrap()
}

/// Returns the zones that are served at one address.
fn zones_at(scenario: &Scenario, address: IpAddr) -> Vec<&Zone> {
    let here = scenario.zones().iter().filter(|served| served.addresses.contains(&address));
    here.map(|served| &served.zone).collect()
}

/// Starts one server for each set of addresses that serve the same zones, and waits until all answer.
fn serve(scenario: &Scenario, software: Software, folder: &Path, port: u16) -> Vec<Server> {
    let mut groups: BTreeMap<Vec<*const Zone>, Vec<IpAddr>> = BTreeMap::new();
    for address in scenario.addresses() {
        let zones = zones_at(scenario, address);
        groups.entry(zones.iter().map(|zone| std::ptr::from_ref(*zone)).collect()).or_default().push(address);
    }
    groups.remove(&Vec::new());
    let mut servers = Vec::new();
    let mut last_zones = Vec::new();
    for addresses in groups.into_values() {
        let [first, ..] = addresses.as_slice() else { continue };
        let zones = zones_at(scenario, *first);
        servers.push(start(software, &folder.join(first.to_string()), &addresses, port, &zones));
        last_zones.extend(zones.last().map(|zone| (*first, Question::new(zone.origin().clone(), RecordType::SOA))));
    }
    for (address, question) in last_zones {
        let is_up = (0..STARTING.0).any(|_| {
            answers(address, port, &question) || {
                std::thread::sleep(STARTING.1);
                false
            }
        });
        assert!(is_up, "{address} does not answer {question}");
    }
    servers
}

/// Starts one server.
fn start(software: Software, folder: &Path, addresses: &[IpAddr], port: u16, zones: &[&Zone]) -> Server {
    fs::create_dir_all(folder).unwrap();
    let mut files = Vec::new();
    for (number, zone) in zones.iter().enumerate() {
        let file = folder.join(format!("{number}.zone"));
        fs::write(&file, zone.to_zone_file()).unwrap();
        files.push((zone.origin().to_string(), file));
    }
    let configuration = folder.join("configuration");
    fs::write(&configuration, software.configuration(folder, addresses, port, &files)).unwrap();
    let child = Command::new(find(software.program()).unwrap())
        .args(software.options())
        .arg(&configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    Server(child)
}

/// Says whether a server answers with authority.
fn answers(address: IpAddr, port: u16, question: &Question) -> bool {
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        socket.send_to(&encode_query(rand::random(), question, 0, None), (address, port)).ok()?;
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Message::decode(buffer.get(..length)?).ok()
    };
    ask().is_some_and(|reply| reply.flags.authoritative)
}

/// Returns the address that serves the most zones.
fn busiest(scenario: &Scenario) -> IpAddr {
    let mut zones: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for served in scenario.zones() {
        for address in &served.addresses {
            *zones.entry(*address).or_default() += 1;
        }
    }
    zones.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

/// Writes the questions about the domains whose zone one address serves.
fn questions_for(scenario: &Scenario, address: IpAddr, checks: &[Check]) -> String {
    let zones = zones_at(scenario, address);
    let origins: std::collections::BTreeSet<_> = zones.iter().map(|zone| zone.origin()).collect();
    let mut text = String::new();
    for check in checks {
        let Ok(expectation) = Expectation::new(&check.domain, &check.tokens(), DEFAULT_DKIM_ZONE) else { continue };
        if expectation.domain.ancestors().any(|zone| origins.contains(&zone)) {
            for record in &expectation.records {
                writeln!(text, "{} {}", record.name, record.record_type).unwrap();
            }
        }
    }
    text
}

/// Writes the rows that `zoneproof bulk` reads.
fn write_rows(path: &Path, checks: &[Check]) -> Rows {
    let mut text = "domain,token1,token2,token3,dkim_zone,region,mail_from,inbound\n".to_owned();
    for check in checks {
        let told = ["dkim_zone", "region", "mail_from", "inbound"].map(|name| check.option(name).unwrap_or_default());
        writeln!(text, "{},{},{}", check.domain, check.tokens().join(","), told.join(",")).unwrap();
    }
    fs::write(path, text).unwrap();
    Rows { path: path.to_owned(), domains: checks.len() }
}
