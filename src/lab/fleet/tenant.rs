//! One tenant: what was registered, who serves it, what stands in its zone, and the text of all that.

use std::fmt::Write;

use crate::expectation::DKIM_TOKENS;
use crate::lab::dice::Dice;
use crate::lab::fleet::operators::{Operator, Registry, Server};
use crate::lab::fleet::policies;

/// The DKIM zone of most identities, as a scenario leaves it unsaid.
const DKIM_ZONE: &str = "dkim.amazonses.com";
/// DKIM zones of regions that have their own.
const REGIONAL_DKIM_ZONES: &[&str] =
    &["dkim.eu-south-1.amazonses.com", "dkim.af-south-1.amazonses.com", "dkim.ap-southeast-3.amazonses.com"];
/// How many of a hundred identities live in such a region.
const REGIONAL_PERCENT: usize = 8;
/// Times to live that panels set by default.
const TIMES_TO_LIVE: &[&str] = &["5m", "10m", "30m", "1h", "1h", "4h"];
/// What stands in front of the zone in a sender domain; the empty one is the zone itself.
const SENDERS: &[&str] =
    &["mail", "mail", "mail", "mail", "send", "notify", "news", "post", "news.mail", "app.send", "", "", ""];
/// What goes with [`Sender::Below`].
const SENDERS_BELOW: &[&str] = &["mail", "mail", "mail", "send", "notify", "news.mail"];
/// What goes with [`Sender::Deep`].
const SENDER_DEEP: &str = "news.mail";

/// Where the sender domain is to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sender {
    /// At the zone or below it.
    Anywhere,
    /// At the zone itself.
    AtZone,
    /// Below the zone.
    Below,
    /// Two labels below the zone.
    Deep,
}

/// A record: its owner relative to the zone, its type, its data.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The owner.
    pub(super) owner: String,
    /// The type.
    pub(super) kind: &'static str,
    /// The data.
    pub(super) data: String,
}

impl Line {
    /// Puts a record together.
    pub(super) fn new(owner: impl Into<String>, kind: &'static str, data: impl Into<String>) -> Self {
        Self { owner: owner.into(), kind, data: data.into() }
    }
}

/// A zone and who serves it.
#[derive(Clone, Debug)]
pub(super) struct ZoneText {
    /// The zone.
    pub(super) zone: String,
    /// The addresses.
    pub(super) addresses: Vec<String>,
    /// The records.
    pub(super) lines: Vec<Line>,
}

/// What a server does with some of the questions.
#[derive(Clone, Debug)]
pub(super) struct RuleText {
    /// The addresses.
    pub(super) addresses: Vec<String>,
    /// The rules, and the records of each below it.
    pub(super) lines: Vec<String>,
}

/// A tenant.
#[derive(Clone, Debug)]
pub(super) struct Tenant {
    /// The label that was registered.
    pub(super) label: String,
    /// Where it was registered.
    pub(super) registry: &'static Registry,
    /// Who serves it, in words.
    pub(super) operator: &'static str,
    /// What stands in front of the zone in the sender domain; may be empty.
    pub(super) sender: &'static str,
    /// The three tokens.
    pub(super) tokens: Vec<String>,
    /// The name below which their targets lie.
    pub(super) dkim_zone: &'static str,
    /// The name servers that the registry knows; none where nothing is registered.
    pub(super) delegation: Vec<String>,
    /// The addresses that serve the zone.
    pub(super) addresses: Vec<String>,
    /// The addresses among them that do not have the DKIM records yet.
    pub(super) late_addresses: Vec<String>,
    /// What stands in the zone beside the records that matter.
    pub(super) others: Vec<Line>,
    /// The SPF and DMARC records, wherever they are.
    pub(super) policies: Vec<Line>,
    /// The DKIM records, wherever they are.
    pub(super) dkim: Vec<Line>,
    /// More records for the registry, such as those of a partner in a fault.
    pub(super) registered: Vec<(&'static Registry, Line)>,
    /// More zones.
    pub(super) zones: Vec<ZoneText>,
    /// Misbehaviour.
    pub(super) rules: Vec<RuleText>,
    /// More options of the check.
    pub(super) options: Vec<String>,
    /// Whether the DMARC policy stands at the zone alone and the sender domain lies below.
    pub(super) inherits_dmarc: bool,
}

impl Tenant {
    /// Makes a tenant whose records are right.
    pub(super) fn new(
        label: String,
        registry: &'static Registry,
        operator: &'static Operator,
        sender: Sender,
        dice: &mut Dice,
    ) -> Self {
        let servers: &[Server] = dice.pick(operator.sets);
        let mut addresses: Vec<String> = servers.iter().map(|(_, address)| (*address).to_owned()).collect();
        addresses.dedup();
        let dkim_zone = if dice.percent(REGIONAL_PERCENT) { dice.pick(REGIONAL_DKIM_ZONES) } else { DKIM_ZONE };
        let sender = match sender {
            Sender::Anywhere => dice.pick(SENDERS),
            Sender::AtZone => "",
            Sender::Below => dice.pick(SENDERS_BELOW),
            Sender::Deep => SENDER_DEEP,
        };
        let mut tenant = Self {
            label,
            registry,
            operator: operator.name,
            sender,
            tokens: (0..DKIM_TOKENS).map(|_| dice.token()).collect(),
            dkim_zone,
            delegation: servers.iter().map(|(host, _)| (*host).to_owned()).collect(),
            addresses,
            late_addresses: Vec::new(),
            others: Vec::new(),
            policies: Vec::new(),
            dkim: Vec::new(),
            registered: Vec::new(),
            zones: Vec::new(),
            rules: Vec::new(),
            options: Vec::new(),
            inherits_dmarc: false,
        };
        tenant.others = other_records(dice);
        policies::publish(&mut tenant, dice);
        tenant.place_dkim(|tenant, token| {
            Line::new(tenant.below(&format!("{token}._domainkey")), "CNAME", tenant.target(token))
        });
        tenant
    }

    /// Returns the zone, without a final dot.
    pub(super) fn zone(&self) -> String {
        format!("{}.{}", self.label, self.registry.zone)
    }

    /// Returns the sender domain, without a final dot.
    pub(super) fn domain(&self) -> String {
        if self.sender.is_empty() { self.zone() } else { format!("{}.{}", self.sender, self.zone()) }
    }

    /// Returns the owner of the sender domain itself, relative to the zone.
    pub(super) fn apex(&self) -> String {
        if self.sender.is_empty() { "@".to_owned() } else { self.sender.to_owned() }
    }

    /// Returns an owner below the sender domain, relative to the zone.
    pub(super) fn below(&self, front: &str) -> String {
        if self.sender.is_empty() { front.to_owned() } else { format!("{front}.{}", self.sender) }
    }

    /// Returns the absolute name of the DKIM record of a token, without a final dot.
    pub(super) fn dkim_name(&self, token: &str) -> String {
        format!("{token}._domainkey.{}", self.domain())
    }

    /// Returns the target that SES wants of a token.
    pub(super) fn target(&self, token: &str) -> String {
        format!("{token}.{}.", self.dkim_zone)
    }

    /// Makes the DKIM records anew, one for each token.
    pub(super) fn place_dkim(&mut self, make: impl Fn(&Self, &str) -> Line) {
        self.dkim = self.tokens.iter().map(|token| make(self, token)).collect();
    }

    /// Makes the data of the DKIM records anew, one for each token.
    pub(super) fn point_dkim(&mut self, make: impl Fn(&Self, &str) -> String) {
        let data: Vec<String> = self.tokens.iter().map(|token| make(self, token)).collect();
        for (line, data) in self.dkim.iter_mut().zip(data) {
            line.data = data;
        }
    }

    /// Makes the identity one of a region with a DKIM zone of its own.
    pub(super) fn move_to_region(&mut self, dice: &mut Dice) {
        self.dkim_zone = dice.pick(REGIONAL_DKIM_ZONES);
        self.point_dkim(Self::target);
    }

    /// Makes the identity one of a region without a DKIM zone of its own.
    pub(super) fn move_to_default_region(&mut self) {
        self.dkim_zone = DKIM_ZONE;
        self.point_dkim(Self::target);
    }

    /// Writes the tenant: delegation, zones, rules, and the check with the lines in `expectations`.
    pub(super) fn write(&self, text: &mut String, dice: &mut Dice, expectations: &[String]) -> std::fmt::Result {
        let mut delegations: Vec<(&Registry, Vec<Line>)> = Vec::new();
        let own = self.delegation.iter().map(|host| Line::new(self.label.clone(), "NS", absolute(host)));
        let own = own.map(|line| (self.registry, line));
        for (registry, line) in own.chain(self.registered.iter().map(|(registry, line)| (*registry, line.clone()))) {
            match delegations.iter_mut().find(|(known, _)| known.zone == registry.zone) {
                Some((_, lines)) => lines.push(line),
                None => delegations.push((registry, vec![line])),
            }
        }
        for (registry, lines) in delegations {
            writeln!(text, "zone {} at {}", registry.zone, registry.addresses.join(" "))?;
            write_lines(text, &lines)?;
        }
        let ttl = dice.pick(TIMES_TO_LIVE);
        let zone = self.zone();
        let plain: Vec<Line> = self.others.iter().chain(&self.policies).cloned().collect();
        let whole: Vec<Line> = plain.iter().chain(&self.dkim).cloned().collect();
        let (late, prompt): (Vec<&String>, Vec<&String>) =
            self.addresses.iter().partition(|address| self.late_addresses.contains(address));
        for (addresses, lines) in [(prompt, &whole), (late, &plain)] {
            let addresses = addresses.into_iter().cloned().collect();
            write_zone(text, ttl, &ZoneText { zone: zone.clone(), addresses, lines: lines.clone() })?;
        }
        self.zones.iter().try_for_each(|zone| write_zone(text, ttl, zone))?;
        for rules in &self.rules {
            writeln!(text, "server {}", rules.addresses.join(" "))?;
            rules.lines.iter().try_for_each(|line| writeln!(text, "  {line}"))?;
        }
        write!(text, "check {}", self.domain())?;
        self.tokens.iter().try_for_each(|token| write!(text, " token={token}"))?;
        if self.dkim_zone != DKIM_ZONE {
            write!(text, " dkim_zone={}", self.dkim_zone)?;
        }
        self.options.iter().try_for_each(|option| write!(text, " {option}"))?;
        writeln!(text)?;
        expectations.iter().try_for_each(|line| writeln!(text, "  expect {line}"))
    }
}

/// Puts the final dot behind a name.
pub(super) fn absolute(name: &str) -> String {
    format!("{name}.")
}

/// Makes up what stands in a zone anyhow: a web site, and often mail boxes elsewhere.
fn other_records(dice: &mut Dice) -> Vec<Line> {
    let mut lines = vec![Line::new("@", "A", format!("203.0.113.{}", 1 + dice.below(120)))];
    match dice.below(4) {
        0 => lines.push(Line::new("www", "CNAME", "@")),
        1 => lines.push(Line::new("www", "A", format!("203.0.113.{}", 1 + dice.below(120)))),
        _ => {}
    }
    if dice.percent(50) {
        lines.push(Line::new("@", "MX", "1 smtp.google.com."));
    }
    if dice.percent(20) {
        let number = dice.below(1_000_000_000);
        lines.push(Line::new("@", "TXT", format!("\"site-verification={number:09}\"")));
    }
    lines
}

/// Writes a zone, unless nobody serves it.
fn write_zone(text: &mut String, ttl: &str, zone: &ZoneText) -> std::fmt::Result {
    if zone.addresses.is_empty() {
        return Ok(());
    }
    writeln!(text, "zone {} at {}", zone.zone, zone.addresses.join(" "))?;
    if ttl != "5m" {
        writeln!(text, "  $TTL {ttl}")?;
    }
    write_lines(text, &zone.lines)
}

/// Writes records in columns.
fn write_lines(text: &mut String, lines: &[Line]) -> std::fmt::Result {
    let owners = lines.iter().map(|line| line.owner.len()).max().unwrap_or_default();
    let kinds = lines.iter().map(|line| line.kind.len()).max().unwrap_or_default();
    lines.iter().try_for_each(|line| writeln!(text, "  {:owners$}  {:kinds$}  {}", line.owner, line.kind, line.data))
}
