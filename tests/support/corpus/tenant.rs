//! One domain of the corpus: what stands in its zone, who serves it, and what must come of its check.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::servers::{REGISTRIES, Set};

/// How an expected record must stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Right everywhere.
    Ok,
    /// Not there, with this code.
    Absent(&'static str),
    /// Wrong, with this code.
    Wrong(&'static str),
    /// Right at one server only.
    Inconsistent,
    /// Nothing can be said.
    Unable,
}

impl State {
    /// Writes it as a report does: status, and the code where there is one.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Ok => "ok".to_owned(),
            Self::Absent(code) => format!("absent {code}"),
            Self::Wrong(code) => format!("wrong {code}"),
            Self::Inconsistent => "inconsistent inconsistent_servers".to_owned(),
            Self::Unable => "unable_to_check unable_to_check".to_owned(),
        }
    }

    /// Returns the code that is found for it; why nothing can be said is told apart.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Unable => None,
            Self::Absent(code) | Self::Wrong(code) => Some(code),
            Self::Inconsistent => Some("inconsistent_servers"),
        }
    }
}

/// What must come of a check, nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// The DKIM records, then SPF and DMARC, then what else is expected.
    pub(crate) records: Vec<State>,
    /// How many of them are DKIM records.
    pub(crate) dkim: usize,
    /// What is found beside what the records say.
    pub(crate) beside: BTreeSet<&'static str>,
    /// The finding that explains the others, where a DKIM record is not right.
    pub(crate) root_cause: &'static str,
    /// Whether nothing but what is found beside is told.
    pub(crate) is_alone: bool,
    /// Whether no validator can follow the zone's signatures.
    pub(crate) is_bogus: bool,
}

impl Label {
    /// Returns the codes that must be found.
    pub(crate) fn codes(&self) -> BTreeSet<&'static str> {
        if self.is_alone {
            return self.beside.clone();
        }
        let mut codes: BTreeSet<&str> = self.records.iter().filter_map(|state| state.code()).collect();
        codes.extend(&self.beside);
        let dkim = self.dkim();
        let is_missing = |state: &State| matches!(state, State::Absent(_) | State::Wrong(_));
        if dkim.contains(&State::Ok) && dkim.iter().any(is_missing) {
            codes.insert("partial");
        }
        codes
    }

    /// Returns how the DKIM records stand.
    pub(crate) fn dkim(&self) -> &[State] {
        &self.records[..self.dkim]
    }

    /// Returns the verdict by the rules of verdicts.
    pub(crate) fn verdict(&self) -> &'static str {
        let dkim = self.dkim();
        let is_somewhere = |state: &State| matches!(state, State::Ok | State::Inconsistent);
        if dkim.contains(&State::Unable) {
            "indeterminate"
        } else if self.is_bogus {
            "failing"
        } else if dkim.iter().all(|state| *state == State::Ok) {
            "ready"
        } else if dkim.iter().all(is_somewhere) {
            "propagating"
        } else if dkim.iter().any(is_somewhere) {
            "partial"
        } else {
            "failing"
        }
    }

    /// Returns the root cause, `none` where all DKIM records are right.
    pub(crate) fn root_cause(&self) -> &'static str {
        if self.verdict() == "ready" { "none" } else { self.root_cause }
    }
}

/// A record: its owner relative to the zone, its type and data.
pub(crate) type Line = (String, String);

/// Signs the lines of a zone; without the means to, they are left as they are.
#[cfg(feature = "dnssec")]
fn signed(zone: &str, servers: &[String], lines: &str) -> String {
    let lines = servers.iter().fold(lines.to_owned(), |lines, host| format!("{lines}  @ NS {host}.\n"));
    use super::signer::{HOLDING, Signer, zone_of};
    let scenario: zoneproof::scenario::Scenario = format!("zone {zone} at 192.0.2.1\n{lines}").parse().unwrap();
    let signer = Signer::new(zone, 0);
    let served = &scenario.zones()[0].zone;
    let signed = zone_of(served.origin(), signer.sign_zone(served, HOLDING)).to_zone_file();
    signed.lines().skip(2).map(|line| format!("  {line}\n")).collect()
}

/// Signs the lines of a zone; without the means to, they are left as they are.
#[cfg(not(feature = "dnssec"))]
fn signed(_: &str, _: &[String], lines: &str) -> String {
    lines.to_owned()
}

/// One domain.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Whether the zone is signed whole, with a key that anybody knows.
    pub(crate) is_signed: bool,
    /// The label that was registered.
    pub(crate) label: String,
    /// Where it was registered.
    pub(crate) registry: &'static str,
    /// What stands in front of the zone in the sender domain; may be empty.
    pub(crate) sender: &'static str,
    /// The tokens.
    pub(crate) tokens: [String; 3],
    /// The name below which the targets lie.
    pub(crate) dkim_zone: &'static str,
    /// The key of a domain that has one of its own instead of tokens.
    pub(crate) own_key: Option<&'static str>,
    /// Who serves.
    pub(crate) set: Set,
    /// The hosts that the registry knows.
    pub(crate) delegation: Vec<String>,
    /// The addresses that serve the zone.
    pub(crate) addresses: Vec<String>,
    /// What is wherever the tenant's zone is, beside the records that matter.
    pub(crate) others: Vec<Line>,
    /// The DKIM records by token.
    pub(crate) dkim: [Vec<Line>; 3],
    /// The texts at the sender domain that are meant as SPF.
    pub(crate) spf: Vec<String>,
    /// The DMARC records, with their owners.
    pub(crate) dmarc: Vec<Line>,
    /// What the second server has instead.
    pub(crate) second: Option<Vec<Line>>,
    /// More text: zones of others, rules of servers.
    pub(crate) more: String,
    /// Whether all there is to see is looked at.
    pub(crate) is_full: bool,
    /// Whether others than the provider's servers are registered.
    pub(crate) provider_is_another: bool,
    /// The region of the identity, where one is told.
    pub(crate) region: Option<&'static str>,
    /// Whether Amazon SES takes the domain's mail in.
    pub(crate) is_inbound: bool,
    /// What stands in front of the sender domain in its MAIL FROM name, where it has one.
    pub(crate) mail_from: Option<&'static str>,
    /// What must come of it.
    pub(crate) expected: Label,
}

/// Puts a text in quotes.
pub(crate) fn txt(text: &str) -> String {
    format!("TXT \"{text}\"")
}

impl Tenant {
    /// Makes up a tenant whose records are right.
    pub(crate) fn new(label: String, registry: usize, sender: &'static str, tokens: [String; 3], set: &Set) -> Self {
        let mut tenant = Self {
            is_signed: false,
            label,
            registry: REGISTRIES[registry % REGISTRIES.len()],
            sender,
            tokens,
            dkim_zone: "dkim.amazonses.com",
            own_key: None,
            delegation: set.hosts.iter().map(|(host, _)| host.clone()).collect(),
            addresses: set.hosts.iter().map(|(_, address)| address.clone()).collect(),
            set: set.clone(),
            others: vec![("@".to_owned(), "A 203.0.113.20".to_owned())],
            dkim: Default::default(),
            spf: vec!["v=spf1 include:amazonses.com ~all".to_owned()],
            dmarc: Vec::new(),
            second: None,
            more: String::new(),
            is_full: false,
            provider_is_another: false,
            region: None,
            is_inbound: false,
            mail_from: None,
            expected: Label {
                records: vec![State::Ok; 5],
                dkim: 3,
                beside: BTreeSet::new(),
                root_cause: "none",
                is_alone: false,
                is_bogus: false,
            },
        };
        tenant.settle(sender);
        tenant
    }

    /// Says what stands in front of the zone in the sender domain, and makes its DKIM and DMARC records.
    pub(crate) fn settle(&mut self, sender: &'static str) {
        self.sender = sender;
        self.dmarc = vec![(self.below("_dmarc"), txt("v=DMARC1; p=none"))];
        for at in 0..3 {
            self.point(at, &self.target(at));
        }
    }

    /// Returns the zone, without a final dot.
    pub(crate) fn zone(&self) -> String {
        format!("{}.{}", self.label, self.registry)
    }

    /// Returns the sender domain, without a final dot.
    pub(crate) fn domain(&self) -> String {
        if self.sender.is_empty() { self.zone() } else { format!("{}.{}", self.sender, self.zone()) }
    }

    /// Returns the owner of the sender domain, relative to the zone.
    pub(crate) fn apex(&self) -> String {
        if self.sender.is_empty() { "@".to_owned() } else { self.sender.to_owned() }
    }

    /// Returns an owner below the sender domain, relative to the zone.
    pub(crate) fn below(&self, front: &str) -> String {
        if self.sender.is_empty() { front.to_owned() } else { format!("{front}.{}", self.sender) }
    }

    /// Returns the owner of the DKIM record of a token, relative to the zone.
    pub(crate) fn owner(&self, at: usize) -> String {
        self.below(&format!("{}._domainkey", self.tokens[at]))
    }

    /// Returns the target of a token, without a final dot.
    pub(crate) fn target(&self, at: usize) -> String {
        format!("{}.{}", self.tokens[at], self.dkim_zone)
    }

    /// Returns the right value of the DKIM record of a token.
    pub(crate) fn right(&self, at: usize) -> String {
        format!("CNAME {}.", self.target(at))
    }

    /// Points the DKIM record of a token at an absolute name without its final dot.
    pub(crate) fn point(&mut self, at: usize, target: &str) {
        self.dkim[at] = vec![(self.owner(at), format!("CNAME {target}."))];
    }

    /// Puts something in the place of the right DKIM record.
    pub(crate) fn put(&mut self, at: usize, owner: String, data: impl Into<String>) {
        self.dkim[at] = vec![(owner, data.into())];
    }

    /// Marks the DKIM records of `mask` as wrong, for a reason that is the root cause.
    pub(crate) fn call_wrong(&mut self, mask: &[usize], code: &'static str) {
        for at in mask {
            self.expected.records[*at] = if code == "absent" { State::Absent(code) } else { State::Wrong(code) };
        }
        self.expected.root_cause = code;
    }

    /// Says that nothing can be said, for a reason that is found.
    pub(crate) fn call_unable(&mut self, code: &'static str) {
        self.expected.records = vec![State::Unable; 5];
        self.expected.beside.insert(code);
        self.expected.root_cause = code;
        self.expected.is_alone = true;
    }

    /// Moves the zone to the servers of the provider that misbehave.
    pub(crate) fn move_to_odd(&mut self) {
        self.delegation = self.set.odd.iter().map(|(host, _)| host.clone()).collect();
        self.addresses = self.set.odd.iter().map(|(_, address)| address.clone()).collect();
    }

    /// Adds a rule of the servers that misbehave.
    pub(crate) fn rule(&mut self, rule: &str) {
        let addresses: Vec<&str> = self.set.odd.iter().map(|(_, address)| address.as_str()).collect();
        writeln!(self.more, "server {}\n  {rule}", addresses.join(" ")).unwrap();
    }

    /// Returns all that stands in the zone.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let spf = self.spf.iter().map(|text| (self.apex(), txt(text)));
        let dkim = self.dkim.iter().flatten().cloned();
        self.others.iter().cloned().chain(spf).chain(self.dmarc.iter().cloned()).chain(dkim).collect()
    }

    /// Writes the tenant.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.delegation.is_empty() {
            writeln!(text, "zone {} at 127.59.0.2 127.59.0.3", self.registry).unwrap();
            for host in &self.delegation {
                writeln!(text, "  {} NS {host}.", self.label).unwrap();
            }
        }
        let copies = match (&self.second, self.addresses.as_slice()) {
            (Some(second), [one, other]) => vec![(one.clone(), self.lines()), (other.clone(), second.clone())],
            (_, []) => Vec::new(),
            (_, addresses) => vec![(addresses.join(" "), self.lines())],
        };
        for (addresses, lines) in copies {
            let lines: String = lines.into_iter().map(|(owner, data)| format!("  {owner} {data}\n")).collect();
            let lines = if self.is_signed { signed(&self.zone(), &self.delegation, &lines) } else { lines };
            write!(text, "zone {} at {addresses}\n{lines}", self.zone()).unwrap();
        }
        text + &self.more
    }
}
