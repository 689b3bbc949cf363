//! A fleet of any size, and the name servers that it lives at.
//!
//! A hundred tenants lie in one zone, and zones go round sixty-four operators with two addresses each: walks, moves between
//! shards, claims and reports are those of a real fleet. One tenant in ten is not right. NSD serves all of it.

use std::fs;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use zoneproof::dns::message::{Message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};

/// How many tenants lie in one zone.
const TENANTS_PER_ZONE: usize = 100;
/// How many operators serve the zones.
const OPERATORS: usize = 64;
/// One in so many tenants has no key at all, and as many typed the domain twice in the name of their first one.
const WRONG: usize = 20;
/// How often a server that is starting is asked, and how long is waited in between.
const STARTING: (u32, Duration) = (3000, Duration::from_millis(100));
/// What every zone begins with.
const APEX: &str = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 300\n";

/// A fleet that is being served.
pub(crate) struct World {
    /// What `zoneproof bulk` reads.
    pub(crate) rows: PathBuf,
    /// How many domains are right.
    pub(crate) right: usize,
    /// The file with the root servers.
    pub(crate) hints: PathBuf,
    /// The port of all servers.
    pub(crate) port: u16,
    /// Where all files are.
    pub(crate) folder: tempfile::TempDir,
    /// The servers.
    _servers: Vec<Server>,
}

/// A server that ends with the bench.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Finds NSD; administrators' folders are looked into too.
fn nsd() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join("nsd")).find(|path| path.is_file())
}

/// Returns an address of an operator; each has a /24 of the loopback.
fn address(operator: usize, last: u8) -> IpAddr {
    Ipv4Addr::new(127, 81, u8::try_from(operator).unwrap(), last).into()
}

/// Returns the three tokens of a tenant: as long as those of SES, and no two alike.
fn tokens(tenant: usize) -> [String; 3] {
    [1, 2, 3].map(|token| format!("token{token}of{tenant:024x}"))
}

impl World {
    /// Writes the zones and the rows and serves them; `None` where NSD is not installed.
    pub(crate) fn start(rows: usize) -> Option<Self> {
        let program = nsd()?;
        let folder = tempfile::tempdir().unwrap();
        let (root, registry) = (address(254, 1), address(255, 1));
        let mut operators: Vec<IpAddr> = Vec::new();
        operators.extend((0..OPERATORS).flat_map(|operator| [1, 2].map(|last| address(operator, last))));
        let every: Vec<IpAddr> = operators.iter().chain([&root, &registry]).copied().collect();
        let port = free_port(&every);
        let (path, right) = write_rows(folder.path(), rows);
        let zones = rows.div_ceil(TENANTS_PER_ZONE);
        let root_zone = format!("{APEX}@ NS ns1\nns1 A {root}\nexample NS ns1.example.\nns1.example. A {registry}\n");
        let place = |name: &str| folder.path().join(name);
        let mut servers = vec![
            start(&program, &place("root"), &[root], port, &[(".".to_owned(), root_zone)]),
            start(&program, &place("registry"), &[registry], port, &[("example.".to_owned(), registry_zone(zones))]),
        ];
        let served = (0..OPERATORS).map(operator_zone).chain((0..zones).map(|zone| tenants_zone(zone, rows)));
        servers.push(start(&program, &place("operators"), &operators, port, &served.collect::<Vec<_>>()));
        let hints = place("hints");
        fs::write(&hints, format!(". NS ns1.\nns1. A {root}\n")).unwrap();
        for (server, zone) in [(root, "."), (registry, "example."), (operators[0], "customer0.example.")] {
            wait_for(server, port, &Question::new(Name::parse(zone).unwrap(), RecordType::SOA));
        }
        Some(Self { rows: path, right, hints, port, folder, _servers: servers })
    }
}

/// Writes the zone of the registry: a delegation for each zone and each operator.
fn registry_zone(zones: usize) -> String {
    let mut text = format!("{APEX}@ NS ns1\nns1 A {}\n", address(255, 1));
    for operator in 0..OPERATORS {
        for last in [1, 2] {
            let address = address(operator, last);
            text.push_str(&format!("operator{operator} NS ns{last}.operator{operator}\n"));
            text.push_str(&format!("ns{last}.operator{operator} A {address}\n"));
        }
    }
    for zone in 0..zones {
        let operator = zone % OPERATORS;
        text.push_str(&format!("customer{zone} NS ns1.operator{operator}\ncustomer{zone} NS ns2.operator{operator}\n"));
    }
    text
}

/// Writes the own zone of an operator.
fn operator_zone(operator: usize) -> (String, String) {
    let [one, two] = [1, 2].map(|last| address(operator, last));
    let text = format!("{APEX}@ NS ns1\n@ NS ns2\nns1 A {one}\nns2 A {two}\n");
    (format!("operator{operator}.example."), text)
}

/// Writes a zone with its tenants.
fn tenants_zone(zone: usize, rows: usize) -> (String, String) {
    let operator = zone % OPERATORS;
    let mut text = format!(
        "{APEX}@ NS ns1.operator{operator}.example.\n@ NS ns2.operator{operator}.example.\n_dmarc TXT \"v=DMARC1; p=none\"\n"
    );
    let first = zone * TENANTS_PER_ZONE;
    for tenant in first..(first + TENANTS_PER_ZONE).min(rows) {
        text.push_str(&format!("mail{tenant} TXT \"v=spf1 include:amazonses.com ~all\"\n"));
        for (number, token) in tokens(tenant).iter().enumerate().filter(|_| !tenant.is_multiple_of(WRONG)) {
            let is_doubled = number == 0 && tenant % WRONG == WRONG / 2;
            let doubled = if is_doubled { format!(".customer{zone}.example") } else { String::new() };
            text.push_str(&format!("{token}._domainkey.mail{tenant}{doubled} CNAME {token}.dkim.amazonses.com.\n"));
        }
    }
    (format!("customer{zone}.example."), text)
}

/// Writes the rows; returns the file, and how many are right.
fn write_rows(folder: &Path, rows: usize) -> (PathBuf, usize) {
    let path = folder.join("rows.csv");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "domain,token1,token2,token3,tenant").unwrap();
    let mut right = 0;
    for tenant in 0..rows {
        let zone = tenant / TENANTS_PER_ZONE;
        let tokens = tokens(tenant).join(",");
        writeln!(file, "mail{tenant}.customer{zone}.example,{tokens},tenant{}", zone % 100).unwrap();
        right += usize::from(!tenant.is_multiple_of(WRONG / 2));
    }
    file.flush().unwrap();
    (path, right)
}

/// Starts NSD over zones, given as (name, text).
fn start(program: &Path, folder: &Path, addresses: &[IpAddr], port: u16, zones: &[(String, String)]) -> Server {
    fs::create_dir_all(folder).unwrap();
    let listen: String = addresses.iter().map(|address| format!("  ip-address: {address}\n")).collect();
    let place = folder.display();
    let mut text = format!(
        "server:\n{listen}  port: {port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{place}\"\n  \
         database: \"\"\n  pidfile: \"{place}/pid\"\n  xfrdfile: \"{place}/xfrd\"\n  xfrdir: \"{place}\"\n  zonelistfile: \
         \"{place}/list\"\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n"
    );
    for (number, (zone, records)) in zones.iter().enumerate() {
        fs::write(folder.join(format!("{number}.zone")), records).unwrap();
        text.push_str(&format!("zone:\n  name: \"{zone}\"\n  zonefile: \"{number}.zone\"\n"));
    }
    let configuration = folder.join("configuration");
    fs::write(&configuration, text).unwrap();
    let child = Command::new(program)
        .args(["-d", "-c"])
        .arg(&configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    Server(child)
}

/// Finds a port that is free over UDP and TCP at every address.
fn free_port(addresses: &[IpAddr]) -> u16 {
    let is_free = |port: &u16| {
        addresses
            .iter()
            .all(|address| UdpSocket::bind((*address, *port)).is_ok() && TcpListener::bind((*address, *port)).is_ok())
    };
    (0..50).map(|_| 20_000 + rand::random_range(0..10_000)).find(is_free).unwrap()
}

/// Waits until a server answers with authority.
fn wait_for(server: IpAddr, port: u16, question: &Question) {
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        socket.send_to(&encode_query(rand::random(), question, 0, None), (server, port)).ok()?;
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Message::decode(buffer.get(..length)?).ok()
    };
    let is_up = (0..STARTING.0).any(|_| {
        let is_up = ask().is_some_and(|reply| reply.flags.authoritative);
        if !is_up {
            std::thread::sleep(STARTING.1);
        }
        is_up
    });
    assert!(is_up, "{server} does not answer {question}");
}
