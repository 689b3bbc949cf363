//! A set of name servers for every pattern in the table of providers, and the Internet that they are found in.
//!
//! Addresses, by the second octet: 59 root (0.1), registries (0.2, 0.3), who serves the providers' own zones (1), a
//! small hoster (2), a parking service (3); 60 and 61 the two servers of each set; 62 its two servers that misbehave; 63 a machine of it where
//! nobody listens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;

/// The table of providers.
const TABLE: &str = include_str!("../../../src/providers/providers.toml");
/// The zones that tenants register in.
pub(crate) const REGISTRIES: &[&str] = &["example", "co.uk"];
/// Suffixes of two labels that name servers lie below.
const LONG_SUFFIXES: &[&str] = &["co.uk", "ne.jp"];
/// The hoster that serves zones below those of tenants; it does its work.
pub(crate) const HOSTER: [(&str, &str); 2] =
    [("ns1.harborline.example", "127.59.2.1"), ("ns2.harborline.example", "127.59.2.2")];

/// The table as far as it is of use here.
#[derive(Deserialize)]
struct Table {
    /// The providers.
    provider: Vec<Row>,
}

/// One provider.
#[derive(Deserialize)]
struct Row {
    /// Its id.
    id: String,
    /// The patterns of its name servers.
    ns: Vec<String>,
}

/// A service for domains that are for sale.
pub(crate) const PARKING: [(&str, &str); 2] =
    [("ns1.sedoparking.com", "127.59.3.1"), ("ns2.sedoparking.com", "127.59.3.2")];

/// A host name and its address.
pub(crate) type Host = (String, String);

/// The name servers of one pattern.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// The id of the provider, `unknown` where the table has none.
    pub(crate) provider: String,
    /// The servers that answer.
    pub(crate) hosts: [Host; 2],
    /// The servers that misbehave.
    pub(crate) odd: [Host; 2],
    /// A host where nobody listens.
    pub(crate) gone: Host,
}

/// Writes the lowest or the highest name of a pattern: a range gives its first or last, `*` a `1` or a `2`.
fn expand(pattern: &str, is_high: bool) -> String {
    let mut name = String::new();
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '*' => name.push(if is_high { '2' } else { '1' }),
            '[' => {
                let range: Vec<char> = rest.by_ref().take_while(|letter| *letter != ']').collect();
                name.push(if is_high { range[range.len() - 1] } else { range[0] });
            }
            plain => name.push(plain),
        }
    }
    name
}

/// Puts the servers of a pattern together.
fn set(provider: &str, pattern: &str, number: usize) -> Set {
    let (low, high) = (expand(pattern, false), expand(pattern, true));
    let names = if low == high { [format!("ns1.{low}"), format!("ns2.{low}")] } else { [low.clone(), high] };
    let [first, second] = names;
    Set {
        provider: provider.to_owned(),
        hosts: [(first, format!("127.60.{number}.1")), (second, format!("127.61.{number}.1"))],
        odd: [1, 2].map(|at| (format!("odd{at}.{low}"), format!("127.62.{number}.{at}"))),
        gone: (format!("gone.{low}"), format!("127.63.{number}.1")),
    }
}

/// Returns the sets of all patterns, one provider after the other, first patterns first; the last is of nobody known.
pub(crate) fn sets() -> Vec<Set> {
    let table: Table = toml::from_str(TABLE).unwrap();
    let longest = table.provider.iter().map(|row| row.ns.len()).max().unwrap();
    let patterns = (0..longest)
        .flat_map(|at| table.provider.iter().filter_map(move |row| Some((row.id.as_str(), row.ns.get(at)?.as_str()))));
    let known: Vec<(&str, &str)> = patterns.chain([("unknown", "vanity.example")]).collect();
    assert!(known.len() < 255, "an octet counts the sets");
    (1..).zip(known).map(|(number, (provider, pattern))| set(provider, pattern, number)).collect()
}

/// Returns the domain that a host was registered under.
fn registered(host: &str) -> (String, String) {
    let labels: Vec<&str> = host.split('.').collect();
    let long = labels[labels.len().saturating_sub(2)..].join(".");
    let suffix = if LONG_SUFFIXES.contains(&long.as_str()) { 2 } else { 1 };
    let at = labels.len() - suffix - 1;
    (labels[at..].join("."), labels[at + 1..].join("."))
}

/// Writes a key and a signature over it for the apex of a zone, neither of which is one: NSD gives DS records along with
/// referrals of zones that it takes for signed.
fn signed_apex(zone: &str) -> String {
    let labels: Vec<&str> = zone.split('.').collect();
    let signer = labels.iter().fold(String::new(), |hex, label| {
        let letters = label.bytes().fold(String::new(), |hex, octet| format!("{hex}{octet:02x}"));
        format!("{hex}{:02x}{letters}", label.len())
    });
    // Type covered, algorithm, labels, time to live, expiration, inception and key tag stand in front of the signer.
    let signature = format!("00300f{:02x}00000e10ffffffff000000000400{signer}00aa", labels.len());
    format!("  @ DNSKEY \\# 5 0101030faa\n  @ RRSIG \\# {} {signature}", signature.len() / 2)
}

/// Writes root, registries, the zones of the providers' name servers, and who else is needed.
pub(crate) fn internet(sets: &[Set]) -> String {
    let mut suffixes: BTreeSet<String> = ["com", "net", "org", "uk", "jp"].map(str::to_owned).into();
    suffixes.extend(REGISTRIES.iter().chain(LONG_SUFFIXES).map(|suffix| (*suffix).to_owned()));
    let mut domains: BTreeMap<String, BTreeSet<&Host>> = BTreeMap::new();
    let parking: [Host; 2] = PARKING.map(|(host, address)| (host.to_owned(), address.to_owned()));
    let of_sets = sets.iter().flat_map(|set| set.hosts.iter().chain(&set.odd).chain([&set.gone]));
    for host in of_sets.chain(&parking) {
        let (domain, suffix) = registered(&host.0);
        domains.entry(domain).or_default().insert(host);
        suffixes.insert(suffix);
    }
    let mut text = "zone . at 127.59.0.1\n  $TTL 2d\n".to_owned();
    for suffix in suffixes.iter().filter(|suffix| !suffix.contains('.')) {
        writeln!(text, "  {suffix} NS ns1.registry.example.\n  {suffix} NS ns2.registry.example.").unwrap();
    }
    text.push_str("  ns1.registry.example A 127.59.0.2\n  ns2.registry.example A 127.59.0.3\n");
    for suffix in &suffixes {
        writeln!(text, "zone {suffix} at 127.59.0.2 127.59.0.3\n  $TTL 2d\n{}", signed_apex(suffix)).unwrap();
        for below in LONG_SUFFIXES.iter().filter_map(|long| long.strip_suffix(&format!(".{suffix}"))) {
            writeln!(text, "  {below} NS ns1.registry.example.\n  {below} NS ns2.registry.example.").unwrap();
        }
    }
    text.push_str(
        "zone example at 127.59.0.2 127.59.0.3\n  ns1.registry A 127.59.0.2\n  ns2.registry A 127.59.0.3\n  \
         keeper NS ns1.keeper\n  keeper NS ns2.keeper\n  ns1.keeper A 127.59.1.1\n  ns2.keeper A 127.59.1.2\n  \
         harborline NS ns1.harborline\n  harborline NS ns2.harborline\n  ns1.harborline A 127.59.2.1\n  \
         ns2.harborline A 127.59.2.2\n  basement NS ns1.keeper\n  basement NS ns2.keeper\n  nest-a NS ns1.nest-b.net.\n\
         zone net at 127.59.0.2 127.59.0.3\n  nest-b NS ns1.nest-c.org.\n\
         zone org at 127.59.0.2 127.59.0.3\n  nest-c NS ns1.nest-d.com.\n\
         zone com at 127.59.0.2 127.59.0.3\n  nest-d NS ns1.nest-d\n  ns1.nest-d A 127.59.1.1\n\
         zone nest-d.com at 127.59.1.1\n  ns1 A 127.59.1.1\n\
         zone keeper.example at 127.59.1.1 127.59.1.2\n  ns1 A 127.59.1.1\n  ns2 A 127.59.1.2\n\
         zone harborline.example at 127.59.2.1 127.59.2.2\n  ns1 A 127.59.2.1\n  ns2 A 127.59.2.2\n  www A 203.0.113.9\n  \
         _spf TXT \"v=spf1 ip4:203.0.113.0/24 include:amazonses.com ~all\"\n\
         zone basement.example at 127.59.1.1 127.59.1.2\n  ns1 A 169.254.7.53\n  ns2 A 169.254.7.54\n",
    );
    let known = ["amazonses.com", "google.com", "sendgrid.net"].map(|domain| (domain.to_owned(), BTreeSet::new()));
    domains.extend(known);
    for (domain, hosts) in &domains {
        let suffix = registered(domain).1;
        let label = domain.strip_suffix(&format!(".{suffix}")).unwrap();
        writeln!(text, "zone {suffix} at 127.59.0.2 127.59.0.3\n  {label} NS ns1.keeper.example.").unwrap();
        writeln!(text, "  {label} NS ns2.keeper.example.\nzone {domain} at 127.59.1.1 127.59.1.2\n  $TTL 1d").unwrap();
        for (host, address) in hosts {
            writeln!(text, "  {host}. A {address}").unwrap();
        }
    }
    text.push_str(
        "zone amazonses.com at 127.59.1.1 127.59.1.2\n  @ TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n  \
         *.dkim TXT \"p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDAB\"\n  *.dkim.af-south-1 TXT \"\"\n  www.eu-south-1 A 198.51.100.9\n\
         zone google.com at 127.59.1.1 127.59.1.2\n  _spf TXT \"v=spf1 ip4:192.0.2.0/25 ~all\"\n  \
         *._report._dmarc TXT \"v=DMARC1\"\n",
    );
    // Every server serves something, so that it is up where the zones of the corpus are none of its own.
    for [(host, first), (_, second)] in sets.iter().map(|set| &set.hosts).chain([&parking]) {
        writeln!(text, "zone up.{host} at {first} {second}\n  @ A 203.0.113.1").unwrap();
    }
    text
}
