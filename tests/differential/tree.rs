//! Delegation trees by chance: zones, who serves them, how they are signed, and what is asked about them.

use std::collections::BTreeSet;

use super::dice::Dice;

/// Which of the three servers a zone is at.
pub(crate) type Server = usize;
/// How many servers there are.
pub(crate) const SERVERS: usize = 3;
/// How deep zones lie below the top of a tree.
const MAX_DEPTH: usize = 3;
/// Owners of records, relative to the zone; some have empty non-terminals above them.
const OWNERS: &[&str] = &["a", "b", "mail", "www", "x.y", "deep.er.still", "_dmarc", "k1._domainkey", "w", "v.w"];
/// Where zones are delegated, relative to the zone above.
const CUTS: &[&str] = &["sub", "child.of", "z", "other"];

/// How a zone denies what is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signing {
    /// It is not signed.
    None,
    /// By names.
    Nsec,
    /// By hashes.
    Nsec3,
    /// By hashes, with opt-out.
    OptOut,
}

/// What is wrong with a signed zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Its signatures have run out.
    Expired,
    /// Its signatures do not hold yet.
    Future,
    /// Its DS record is of another key.
    OtherKey,
    /// It is served without signatures.
    Stripped,
    /// Its addresses were changed after it was signed.
    Tampered,
    /// The signatures over its texts are gone.
    TextsUnsigned,
}

/// One zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// Its name, with the final dot.
    pub(crate) name: String,
    /// The zone above, by its place; the root has none.
    pub(crate) parent: Option<usize>,
    /// Who serves it; never empty.
    pub(crate) servers: Vec<Server>,
    /// How it is signed.
    pub(crate) signing: Signing,
    /// With what algorithm.
    pub(crate) algorithm: &'static str,
    /// Whether one key signs both keys and records.
    pub(crate) has_one_key: bool,
    /// Whether the zone above has its DS record.
    pub(crate) has_ds: bool,
    /// What is wrong with it.
    pub(crate) fault: Fault,
    /// Its NS records in the zone above and at its apex, and glue for the former: whole lines.
    pub(crate) delegation: Vec<String>,
    /// The addresses of its own servers, which stand in it too.
    pub(crate) hosts: Vec<String>,
    /// Its records: whole lines, without SOA and NS.
    pub(crate) records: Vec<String>,
}

/// All zones of one run and the questions about them.
#[derive(Default)]
pub(crate) struct Forest {
    /// The zones, each behind the one above it.
    pub(crate) zones: Vec<Zone>,
    /// The questions: name and type.
    pub(crate) questions: Vec<(String, &'static str)>,
}

/// The address of a server.
pub(crate) fn address(server: Server) -> String {
    format!("127.44.0.{}", server + 2)
}

/// An address at which nobody listens.
const NOBODY: &str = "127.44.0.99";

impl Forest {
    /// Grows `trees` trees below the root and `example.`.
    pub(crate) fn grow(seed: u64, trees: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut forest = Self::default();
        let all: Vec<Server> = (0..SERVERS).collect();
        let solid = |name: &str, parent| Zone {
            name: name.to_owned(),
            parent,
            servers: all.clone(),
            signing: Signing::Nsec,
            algorithm: "ECDSAP256SHA256",
            has_one_key: true,
            has_ds: true,
            fault: Fault::None,
            delegation: Vec::new(),
            hosts: Vec::new(),
            records: Vec::new(),
        };
        let mut root = solid(".", None);
        for (server, letter) in all.iter().zip(["a", "b", "c"]) {
            root.delegation.push(format!(". NS {letter}.root-servers."));
            root.hosts.push(format!("{letter}.root-servers. A {}", address(*server)));
        }
        forest.zones.push(root);
        for (name, parent) in [("example.", 0), ("hosts.example.", 1)] {
            let mut zone = solid(name, Some(parent));
            zone.serve_by_own_hosts();
            if name == "hosts.example." {
                zone.records.extend(all.iter().map(|server| format!("n{server}.{name} A {}", address(*server))));
                zone.records.push(format!("nobody.{name} A {NOBODY}"));
            }
            forest.zones.push(zone);
        }
        for tree in 0..trees {
            forest.grow_zone(&mut dice, format!("t{tree}.example."), 1, trees, 0);
        }
        forest
    }

    /// Says whether the deepest zone that a name lies in is delegated to a server that does not serve it.
    pub(crate) fn has_lame_server(&self, name: &str) -> bool {
        let encloses = |zone: &&Zone| name == zone.name || name.ends_with(&format!(".{}", zone.name));
        let zone = self.zones.iter().filter(encloses).max_by_key(|zone| zone.name.len());
        zone.is_some_and(|zone| {
            (0..SERVERS)
                .filter(|server| !zone.servers.contains(server))
                .any(|server| zone.delegation.iter().any(|line| line.ends_with(&format!(" n{server}.hosts.example."))))
        })
    }

    /// Says whether a name lies in an unsigned zone whose delegation stands two labels below one with opt-out, which NSD (the
    /// first server) serves.
    pub(crate) fn is_below_hidden_cut(&self, name: &str) -> bool {
        self.zones.iter().any(|zone| {
            let above = zone.parent.map(|parent| &self.zones[parent]);
            let is_inside = name == zone.name || name.ends_with(&format!(".{}", zone.name));
            is_inside
                && !zone.has_ds
                && above.is_some_and(|above| {
                    let front = zone.name.strip_suffix(&above.name).unwrap_or_default();
                    above.signing == Signing::OptOut && above.servers.contains(&0) && front.matches('.').count() > 1
                })
        })
    }

    /// Says whether a name stands between a zone with opt-out and an unsigned delegation of it, where NSD serves that zone, and
    /// nobody but NSD the one above.
    pub(crate) fn is_hidden_by_nsd_alone(&self, name: &str) -> bool {
        self.zones.iter().any(|zone| {
            let above = zone.parent.map(|parent| &self.zones[parent]);
            let top = above.and_then(|above| above.parent).map(|parent| &self.zones[parent]);
            !zone.has_ds
                && zone.name.ends_with(&format!(".{name}"))
                && above.is_some_and(|above| {
                    let is_inside = name.ends_with(&format!(".{}", above.name));
                    is_inside && above.signing == Signing::OptOut && above.servers.contains(&0)
                })
                && top.is_some_and(|top| top.servers == [0])
        })
    }

    /// Tells of the zones that a name lies in, the root first: who serves them, how they are signed, and what is wrong.
    pub(crate) fn tell(&self, name: &str) -> String {
        let encloses =
            |zone: &&Zone| zone.name == "." || name == zone.name || name.ends_with(&format!(".{}", zone.name));
        let lines = self.zones.iter().filter(encloses).map(|zone| {
            let Zone { name, servers, signing, has_ds, fault, delegation, .. } = zone;
            format!("\n    {name} at {servers:?}, {signing:?}, DS {has_ds}, {fault:?}: {}", delegation.join(", "))
        });
        lines.collect()
    }

    /// Grows one zone and all below it.
    fn grow_zone(&mut self, dice: &mut Dice, name: String, parent: usize, trees: usize, depth: usize) {
        let is_parent_signed = self.zones[parent].signing != Signing::None;
        let signing = match dice.below(10) {
            0..3 => Signing::None,
            3..6 => Signing::Nsec,
            6..8 => Signing::Nsec3,
            _ => Signing::OptOut,
        };
        let has_ds = is_parent_signed && signing != Signing::None && dice.below(5) > 0;
        let faults =
            [Fault::Expired, Fault::Future, Fault::OtherKey, Fault::Stripped, Fault::Tampered, Fault::TextsUnsigned];
        let fault = if has_ds && dice.below(8) == 0 { dice.pick(&faults) } else { Fault::None };
        let mut servers: Vec<Server> = (0..SERVERS).filter(|_| dice.below(2) == 0).collect();
        if servers.is_empty() {
            servers.push(dice.below(SERVERS));
        }
        let algorithms =
            ["ECDSAP256SHA256", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519", "RSASHA256", "ECDSAP256SHA256"];
        let mut zone = Zone {
            name: name.clone(),
            parent: Some(parent),
            servers,
            signing,
            algorithm: dice.pick(&algorithms),
            has_one_key: dice.below(2) == 0,
            has_ds,
            fault,
            delegation: Vec::new(),
            hosts: Vec::new(),
            records: Vec::new(),
        };
        if dice.below(2) == 0 {
            zone.serve_by_own_hosts();
        } else {
            zone.delegation = zone.servers.iter().map(|server| format!("{name} NS n{server}.hosts.example.")).collect();
        }
        match dice.below(6) {
            0 => zone.delegation.push(format!("{name} NS n{}.hosts.example.", dice.below(SERVERS))),
            1 => zone.delegation.push(format!("{name} NS nobody.hosts.example.")),
            2 => zone.delegation.push(format!("{name} NS nosuch.hosts.example.")),
            _ => {}
        }
        zone.delegation.sort();
        zone.delegation.dedup();
        self.fill(&mut zone, dice, trees);
        let place = self.zones.len();
        self.zones.push(zone);
        if depth < MAX_DEPTH {
            let cuts: BTreeSet<&str> = (0..dice.below(3)).map(|_| dice.pick(CUTS)).collect();
            for cut in cuts {
                self.grow_zone(dice, format!("{cut}.{name}"), place, trees, depth + 1);
            }
        }
    }

    /// Puts records into a zone and questions about it into the forest.
    fn fill(&mut self, zone: &mut Zone, dice: &mut Dice, trees: usize) {
        let name = &zone.name;
        let mut ask = |owner: String, kind| self.questions.push((owner, kind));
        for kind in ["A", "NS", "SOA", "DS", "DNSKEY", "MX"] {
            ask(name.clone(), kind);
        }
        zone.records.push(format!("{name} MX 10 mail.{name}"));
        let owners: BTreeSet<&str> = (0..3 + dice.below(5)).map(|_| dice.pick(OWNERS)).collect();
        for owner in owners {
            let record = match dice.below(5) {
                0 => "A 192.0.2.80".to_owned(),
                1 => "TXT \"v=spf1 -all\"".to_owned(),
                2 => "AAAA 2001:db8::80".to_owned(),
                _ => format!("CNAME {}", some_target(name, dice, trees)),
            };
            zone.records.push(format!("{owner}.{name} {record}"));
            for kind in ["A", "TXT", "CNAME"] {
                ask(format!("{owner}.{name}"), kind);
            }
            ask(format!("below.{owner}.{name}"), "A");
        }
        for empty in ["y", "er.still", "_domainkey", "of"] {
            ask(format!("{empty}.{name}"), dice.pick(&["A", "TXT", "DS"]));
        }
        if dice.below(2) == 0 {
            let above = dice.pick(&["", "w.", "q.r."]);
            let data = match dice.below(3) {
                0 => "A 192.0.2.81".to_owned(),
                1 => "TXT \"made up\"".to_owned(),
                _ => format!("CNAME {}", some_target(name, dice, trees)),
            };
            zone.records.push(format!("*.{above}{name} {data}"));
            for label in ["p", "p.q", "*"] {
                ask(format!("{label}.{above}{name}"), "A");
                ask(format!("{label}.{above}{name}"), "TXT");
            }
        }
        if dice.below(3) == 0 {
            let target = some_target(name, dice, trees);
            let target = target.strip_prefix("a.").unwrap_or(&target);
            zone.records.push(format!("d.{name} DNAME {target}"));
            ask(format!("d.{name}"), "DNAME");
            for label in ["a", "www", "nosuch", "*"] {
                ask(format!("{label}.d.{name}"), "A");
            }
        }
        for label in ["nosuch", "no.such", "zzz"] {
            ask(format!("{label}.{name}"), dice.pick(&["A", "TXT", "DS", "NS"]));
        }
    }
}

impl Zone {
    /// Gives the zone servers of its own names, with glue.
    fn serve_by_own_hosts(&mut self) {
        let name = &self.name;
        for server in &self.servers {
            self.delegation.push(format!("{name} NS ns{server}.{name}"));
            self.hosts.push(format!("ns{server}.{name} A {}", address(*server)));
        }
    }
}

/// Chooses where an alias leads: in the zone, above or below it, into another tree, or nowhere.
fn some_target(zone: &str, dice: &mut Dice, trees: usize) -> String {
    let above = zone.split_once('.').map_or(zone, |(_, above)| above);
    match dice.below(8) {
        0..3 => format!("{}.{zone}", dice.pick(OWNERS)),
        3 => format!("{}.{}.{zone}", dice.pick(OWNERS), dice.pick(CUTS)),
        4 => format!("a.{above}"),
        5..7 => format!("{}.t{}.example.", dice.pick(OWNERS), dice.below(trees)),
        _ => format!("nosuch.{zone}"),
    }
}
