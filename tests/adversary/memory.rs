//! What a run holds in memory while a hundred servers each say all that a message can hold.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How many domains there are, each with a server of its own.
const DOMAINS: u8 = 100;
/// How many of them are checked at one time: what several hold at one time adds up.
const AT_ONCE: &str = "1";
/// The most that a run may hold more than one whose servers say little, in KiB. A check may receive 512 KiB (SECURITY.md A6), which
/// are 7 MiB once they are read; what checks before it held is gone.
const MORE_ALLOWED_KIB: u64 = 12 * 1024;
/// The octets of a header.
const HEADER: usize = 12;
/// What a record costs here: a pointer to the question's name, a TXT record of one string of three octets.
const RECORD_OCTETS: usize = 16;

/// What the servers of domains say.
type Says = fn(&[u8]) -> Vec<u8>;

/// Returns the address of a server; the first one is that of the root.
fn address(nth: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 46, 0, nth + 1)
}

/// Returns where the question ends.
fn question_end(query: &[u8]) -> usize {
    HEADER + query[HEADER..].iter().position(|octet| *octet == 0).unwrap() + 5
}

/// Writes a reply with a question and so many records.
fn reply(query: &[u8], flags: [u8; 2], counts: [u16; 3], records: &[u8]) -> Vec<u8> {
    let counts: Vec<u8> = counts.iter().flat_map(|count| count.to_be_bytes()).collect();
    [&query[..2], &flags, &[0, 1], &counts, &query[HEADER..question_end(query)], records].concat()
}

/// Says that there is nothing.
fn nothing(query: &[u8]) -> Vec<u8> {
    reply(query, [0x84, 0], [0; 3], &[])
}

/// Says all that fits into a message: 4,000 TXT records, whatever was asked.
fn all_that_fits(query: &[u8]) -> Vec<u8> {
    let count = u16::try_from((usize::from(u16::MAX) - question_end(query)) / RECORD_OCTETS).unwrap();
    let record = |nth: u16| [&[0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 44, 0, 4, 3, b'x'][..], &nth.to_be_bytes()].concat();
    reply(query, [0x84, 0], [count, 0, 0], &(0..count).flat_map(record).collect::<Vec<u8>>())
}

/// Says that the rest does not fit.
fn cut(query: &[u8]) -> Vec<u8> {
    reply(query, [0x86, 0], [0; 3], &[])
}

/// Refers to the server of a domain `d7.example.`, given a name that lies in it; of all else there is nothing.
fn refer(query: &[u8]) -> Vec<u8> {
    let mut at = HEADER;
    while query[at] != 0 {
        let label = &query[at + 1..=at + usize::from(query[at])];
        let number =
            std::str::from_utf8(label).ok().and_then(|text| text.to_lowercase().strip_prefix('d')?.parse::<u8>().ok());
        if let Some(number) = number {
            let zone = [0xc0, u8::try_from(at).unwrap()];
            let host = [&[2, b'n', b's'][..], &zone].concat();
            let ns = [&zone[..], &[0, 2, 0, 1, 0, 0, 1, 44, 0, 5], &host].concat();
            let glue = [&host[..], &[0, 1, 0, 1, 0, 0, 1, 44, 0, 4], &address(number + 1).octets()].concat();
            return reply(query, [0x80, 0], [0, 1, 1], &[ns, glue].concat());
        }
        at += 1 + usize::from(query[at]);
    }
    nothing(query)
}

/// Serves one connection.
fn serve_stream(mut stream: TcpStream, says: Says) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() {
            return;
        }
        let said = says(&query);
        let length = u16::try_from(said.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length, said.as_slice()].concat()).is_err() {
            return;
        }
    }
}

/// Serves at one address until the process ends.
fn serve(udp: UdpSocket, tcp: TcpListener, over_udp: Says, over_tcp: Says) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut buffer) {
            let _ = udp.send_to(&over_udp(&buffer[..length]), from);
        }
    });
    thread::spawn(move || {
        tcp.incoming().flatten().for_each(|stream| drop(thread::spawn(move || serve_stream(stream, over_tcp))))
    });
}

/// Starts the root and the servers of all domains on one port.
fn start(over_udp: Says, over_tcp: Says) -> u16 {
    for _ in 0..100 {
        let port = UdpSocket::bind((address(0), 0)).unwrap().local_addr().unwrap().port();
        let open = |nth: u8| {
            Some((UdpSocket::bind((address(nth), port)).ok()?, TcpListener::bind((address(nth), port)).ok()?))
        };
        let Some(sockets) = (0..=DOMAINS).map(open).collect::<Option<Vec<_>>>() else { continue };
        for (nth, (udp, tcp)) in sockets.into_iter().enumerate() {
            if nth == 0 { serve(udp, tcp, refer, refer) } else { serve(udp, tcp, over_udp, over_tcp) }
        }
        return port;
    }
    panic!("no port is free at all addresses");
}

/// Returns the most that a process held, in KiB; `None` once it has ended.
fn high_water(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Checks all domains in a process of its own; returns the most that it held, in KiB, and how many lines it wrote.
fn run(port: u16, folder: &Path) -> (u64, usize) {
    let hints = folder.join("hints");
    fs::write(&hints, format!(". NS a.root.\na.root. A {}\n", address(0))).unwrap();
    let mut rows = "domain,token1,token2,token3\n".to_owned();
    (0..DOMAINS).for_each(|nth| writeln!(rows, "mail.d{nth}.example,a,b,c").unwrap());
    fs::write(folder.join("rows"), rows).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zoneproof"))
        .args(["bulk", "rows", "-o", "out", "--format", "jsonl", "--root-hints", "hints", "--depth", "full"])
        .args(["--dns-port", &port.to_string(), "--concurrency", AT_ONCE, "--allow-special-addresses", "--no-ipv6"])
        .args(["--no-dnssec", "--max-qps-per-server", "0", "--max-qps", "0"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = high_water(&child).unwrap_or(most).max(most);
        // It only grows, so that no more than its very last growth is missed.
        thread::sleep(Duration::from_millis(10));
    }
    let written = fs::read_to_string(folder.join("out")).unwrap_or_default().lines().count();
    assert!(written > 0, "{}", fs::read_to_string(folder.join("log")).unwrap());
    (most, written)
}

#[test]
fn a_hundred_servers_that_say_all_that_fits_cost_a_few_mebibytes() {
    let folder = |_| tempfile::tempdir().unwrap();
    let [few, many] = [0, 1].map(folder);
    let (with_little, little_lines) = run(start(nothing, nothing), few.path());
    let (with_much, much_lines) = run(start(cut, all_that_fits), many.path());
    println!("{with_little} KiB, and {with_much} KiB where the servers say all that fits");
    assert_eq!((little_lines, much_lines), (usize::from(DOMAINS), usize::from(DOMAINS)));
    assert!(with_much < with_little + MORE_ALLOWED_KIB, "{with_little} KiB became {with_much} KiB");
}
