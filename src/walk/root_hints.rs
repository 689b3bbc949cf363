//! The root servers, and how to read others from a file.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rrset::Ttl;
use crate::evidence::{NameServer, ZoneCut};

/// The root servers' names and addresses, as IANA publishes them in `named.root`.
const ROOT_SERVERS: &[(&str, &str, &str)] = &[
    ("a.root-servers.net.", "198.41.0.4", "2001:503:ba3e::2:30"),
    ("b.root-servers.net.", "170.247.170.2", "2801:1b8:10::b"),
    ("c.root-servers.net.", "192.33.4.12", "2001:500:2::c"),
    ("d.root-servers.net.", "199.7.91.13", "2001:500:2d::d"),
    ("e.root-servers.net.", "192.203.230.10", "2001:500:a8::e"),
    ("f.root-servers.net.", "192.5.5.241", "2001:500:2f::f"),
    ("g.root-servers.net.", "192.112.36.4", "2001:500:12::d0d"),
    ("h.root-servers.net.", "198.97.190.53", "2001:500:1::53"),
    ("i.root-servers.net.", "192.36.148.17", "2001:7fe::53"),
    ("j.root-servers.net.", "192.58.128.30", "2001:503:c27::2:30"),
    ("k.root-servers.net.", "193.0.14.129", "2001:7fd::1"),
    ("l.root-servers.net.", "199.7.83.42", "2001:500:9f::42"),
    ("m.root-servers.net.", "202.12.27.33", "2001:dc3::35"),
];

/// How long hints hold, in seconds: they are read once and never expire within a run.
const HINTS_TTL: u32 = 3_600_000;

/// Why a file of root hints cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HintsError {
    /// A line is no NS, A or AAAA record.
    #[error("line {line}: {text:?}; expected an NS, A or AAAA record in the form of named.root")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// There is no server with an address.
    #[error("no root server with an address; expected NS records for . and their A or AAAA records")]
    Empty,
}

/// Returns the root servers of the public DNS.
#[must_use]
pub fn public() -> Vec<(Name, IpAddr)> {
    let both = |(name, v4, v6): &(&str, &str, &str)| {
        let name = Name::parse(name).ok()?;
        Some([(name.clone(), v4.parse().ok()?), (name, v6.parse().ok()?)])
    };
    ROOT_SERVERS.iter().filter_map(both).flatten().collect()
}

/// Reads hints in the form of `named.root`: owner, time to live and class where they are given, type, data;
/// `;` starts a comment.
///
/// # Errors
/// [`HintsError`] where a line is something else, or no server has an address.
pub fn parse(text: &str) -> Result<Vec<(Name, IpAddr)>, HintsError> {
    let mut servers = Vec::new();
    let mut addresses = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let record = line.split(';').next().unwrap_or_default();
        if record.trim().is_empty() {
            continue;
        }
        let bad = || HintsError::Line { line: index + 1, text: line.trim().chars().take(80).collect() };
        let words: Vec<&str> = record.split_whitespace().collect();
        let (Some(owner), Some(data), Some(kind)) =
            (words.first(), words.last(), words.get(words.len().saturating_sub(2)))
        else {
            return Err(bad());
        };
        let owner = Name::parse(owner).map_err(|_| bad())?;
        match kind.to_ascii_uppercase().as_str() {
            "NS" if owner.is_root() => servers.push(Name::parse(data).map_err(|_| bad())?),
            "A" | "AAAA" => addresses.push((owner, data.parse().map_err(|_| bad())?)),
            _ => return Err(bad()),
        }
    }
    let hints: Vec<(Name, IpAddr)> = addresses.into_iter().filter(|(owner, _)| servers.contains(owner)).collect();
    if hints.is_empty() { Err(HintsError::Empty) } else { Ok(hints) }
}

/// Turns hints into the cut that every walk starts from.
#[must_use]
pub fn root_cut(hints: &[(Name, IpAddr)]) -> ZoneCut {
    let mut servers: Vec<NameServer> = Vec::new();
    for (name, address) in hints {
        match servers.iter_mut().find(|server| server.name == *name) {
            Some(server) => server.addresses.push(*address),
            None => servers.push(NameServer { name: name.clone(), addresses: vec![*address], unresolved: None }),
        }
    }
    for server in &mut servers {
        server.addresses.sort();
        server.addresses.dedup();
    }
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    ZoneCut { zone: Name::root(), parent: None, servers, ttl: Ttl::from_wire(HINTS_TTL), proofs: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_root_has_thirteen_servers_with_two_addresses() {
        let cut = root_cut(&public());
        assert_eq!(cut.servers.len(), 13);
        assert!(cut.servers.iter().all(|server| server.addresses.len() == 2));
    }

    #[test]
    fn a_hints_file_is_read() {
        let text = "; comment\n.  3600000  NS  A.ROOT.\nA.ROOT.  3600000 IN A 127.0.0.1\na.root. AAAA ::1 ; both\n";
        let hints = parse(text).unwrap();
        assert_eq!(root_cut(&hints).servers.len(), 1);
        assert_eq!(hints.len(), 2);
    }

    #[test]
    fn a_bad_hints_file_is_refused_in_one_line() {
        for (text, error) in [
            (". NS a.root.", "no root server with an address; expected NS records for . and their A or AAAA records"),
            (
                "a.root. A 192.0.2.1",
                "no root server with an address; expected NS records for . and their A or AAAA records",
            ),
            (
                ". NS a.root.\na.root. A 192.0.2",
                "line 2: \"a.root. A 192.0.2\"; expected an NS, A or AAAA record in the form of named.root",
            ),
            ("hello", "line 1: \"hello\"; expected an NS, A or AAAA record in the form of named.root"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), error);
        }
    }
}
