//! A small Internet for tests, that answers what a plan asks.
//!
//! ```text
//! zone example.com. ns1.example.=192.0.2.1            as in evidence
//! *.example.com. A: 192.0.2.80                        a record in the deepest zone
//! t1._domainkey.example.com. CNAME @192.0.2.2: timeout   what one server says
//! mail.example.com. TXT in example.com.: text         a record that a zone above still gives
//! ```
//!
//! A line with `{t}` stands for one line for each of `t1`, `t2` and `t3`.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::findings::inquiry::{Ask, Scope};
use crate::findings::sample::{evidence, name, question, say};

/// The tokens of all tests.
pub(crate) const TOKENS: [&str; 3] = ["t1", "t2", "t3"];

/// Something that servers say.
#[derive(Debug)]
struct Fact {
    /// To what question.
    question: Question,
    /// As servers of which zone, where not of the deepest one.
    zone: Option<Name>,
    /// At which address, where not at all.
    address: Option<IpAddr>,
    /// What.
    says: String,
}

/// What all servers say, and how much was asked of them.
#[derive(Debug)]
pub(crate) struct World {
    /// What they say.
    facts: Vec<Fact>,
    /// What was seen so far.
    pub(crate) evidence: Evidence,
    /// How many questions were asked, of however many servers.
    pub(crate) questions: usize,
    /// In how many rounds.
    pub(crate) rounds: usize,
}

impl World {
    /// Reads the text.
    pub(crate) fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines
            .flat_map(|line| match line.contains("{t}") {
                true => TOKENS.map(|token| line.replace("{t}", token)).to_vec(),
                false => vec![line.to_owned()],
            })
            .collect();
        let (zones, facts): (Vec<String>, Vec<String>) = lines.into_iter().partition(|line| line.starts_with("zone "));
        let evidence = evidence(&zones.join("\n"));
        Self { facts: facts.iter().map(|line| fact(line)).collect(), evidence, questions: 0, rounds: 0 }
    }

    /// Asks round after round what `plan` wants, until it wants nothing.
    pub(crate) fn run(mut self, plan: impl Fn(&Evidence) -> Vec<Ask>) -> Self {
        loop {
            let asks = plan(&self.evidence);
            if asks.is_empty() {
                return self;
            }
            self.rounds += 1;
            assert!(self.rounds < 30, "no end: {asks:?}");
            for ask in asks {
                self.ask(&ask);
            }
        }
    }

    /// Asks one question.
    fn ask(&mut self, ask: &Ask) {
        if let Scope::Server(server) = &ask.scope {
            // Nobody lives outside this world's zones.
            self.evidence.add_beside(ask.question.clone(), server.clone(), Vec::new());
            return;
        }
        self.questions += 1;
        let zones: Vec<Name> = self.evidence.cuts().map(|cut| cut.zone.clone()).collect();
        let deepest = zones.into_iter().filter(|zone| ask.question.name.is_subdomain_of(zone)).max().unwrap();
        let zone = if let Scope::At(zone) = &ask.scope { zone.clone() } else { deepest.clone() };
        let addresses: Vec<IpAddr> =
            self.evidence.cut(&zone).unwrap().addresses().map(|(_, address)| address).collect();
        for address in addresses {
            let says = self.says(&ask.question, &zone, &deepest, address);
            say(&mut self.evidence, &ask.question, &zone, Some(address), &says);
            let seen = self.evidence.observation_at(&ask.question, &zone, address);
            if ask.scope != Scope::Every && seen.is_some_and(Observation::is_answer) {
                break;
            }
        }
    }

    /// Returns what one server says to a question.
    fn says(&self, asked: &Question, zone: &Name, deepest: &Name, address: IpAddr) -> String {
        let facts = self.facts.iter().filter(|fact| fact.address.is_none_or(|one| one == address));
        let facts: Vec<&Fact> = facts.filter(|fact| fact.zone.as_ref().unwrap_or(deepest) == zone).collect();
        let at = |owner: &Name, kind: RecordType| {
            facts.iter().find(|fact| fact.question.name == *owner && fact.question.kind == kind).map(|fact| &fact.says)
        };
        let exists = |owner: &Name| facts.iter().any(|fact| fact.question.name.is_subdomain_of(owner));
        let say_at = |owner: &Name| {
            let alias = || at(owner, RecordType::CNAME).map(|target| format!("alias {target}"));
            at(owner, asked.kind).cloned().or_else(alias).unwrap_or_else(|| "nodata".to_owned())
        };
        if exists(&asked.name) {
            return say_at(&asked.name);
        }
        if zone != deepest {
            return format!("referral {deepest}");
        }
        let encloser = asked.name.ancestors().find(|name| exists(name)).unwrap_or_else(Name::root);
        let wildcard = encloser.prepend("*").unwrap();
        if exists(&wildcard) { say_at(&wildcard) } else { "nxdomain".to_owned() }
    }
}

/// Reads `NAME TYPE [@ADDRESS] [in ZONE]: WHAT`.
fn fact(line: &str) -> Fact {
    let (head, says) = line.split_once(": ").unwrap_or_else(|| panic!("no colon in {line}"));
    let words: Vec<&str> = head.split_whitespace().collect();
    Fact {
        question: question(&words[..2].join(" ")),
        zone: words.iter().position(|word| *word == "in").map(|at| name(words[at + 1])),
        address: words.iter().find_map(|word| word.strip_prefix('@')).map(|text| text.parse().unwrap()),
        says: says.to_owned(),
    }
}
