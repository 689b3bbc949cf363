//! Reads the rules of a server.

use crate::dns::name::Name;
use crate::dns::rrset::{Rcode, Ttl};
use crate::dns::zone_text::read_hex;
use crate::evidence::Protocol;
use crate::scenario::parse::{Line, ParseError};
use crate::scenario::rule::{
    Behaviour, Body, Matcher, Names, PLAIN_BODIES, PLAIN_TWISTS, Rule, SECTIONS, Tries, Twist,
};
use crate::scenario::zone::DEFAULT_TTL_SECONDS;

impl Line<'_> {
    /// Reads a rule, or a record for the rule above.
    pub(super) fn rule_or_section(&mut self, rules: &mut Vec<Rule>) -> Result<(), ParseError> {
        let first = self.peek();
        let Some((_, section)) = SECTIONS.iter().find(|(word, _)| *word == first) else {
            let rule = self.rule()?;
            rules.push(rule);
            return Ok(());
        };
        let Some(rule) = rules.last_mut() else { return Err(self.error(first, "a rule above its records")) };
        if matches!(rule.behaviour.body, Body::Silence | Body::RefuseConnection | Body::Raw(_)) {
            return Err(self.error(first, "no records, as the rule above makes no message"));
        }
        self.take(first);
        let record = self.record(&Name::root(), Ttl::from_wire(DEFAULT_TTL_SECONDS))?;
        rule.behaviour.extra.push((*section, record));
        Ok(())
    }

    /// Reads a rule.
    fn rule(&mut self) -> Result<Rule, ParseError> {
        let matcher = self.matcher()?;
        self.keyword("->")?;
        Ok(Rule { matcher, behaviour: self.behaviour()? })
    }

    /// Reads which queries a rule takes.
    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let protocol = match self.peek() {
            "udp" => Some(Protocol::Udp),
            "tcp" => Some(Protocol::Tcp),
            _ => None,
        };
        if protocol.is_some() {
            self.text("udp or tcp")?;
        }
        let needs_edns = self.take("edns");
        let kind = if self.take("any") { None } else { Some(self.value("a record type or `any`")?) };
        let names = match self.peek() {
            "->" | "first" | "every" | "" => Names::All,
            "*" => {
                self.take("*");
                Names::All
            }
            "under" => {
                self.take("under");
                Names::Under(self.name(&Name::root())?)
            }
            _ => Names::Exactly(self.name(&Name::root())?),
        };
        let tries = match self.peek() {
            "first" => {
                self.take("first");
                Tries::First(self.value("how many times")?)
            }
            "every" => {
                self.take("every");
                Tries::Every(self.value("how many times")?)
            }
            _ => Tries::All,
        };
        Ok(Matcher { protocol, needs_edns, kind, names, tries })
    }

    /// Reads what becomes of a query.
    fn behaviour(&mut self) -> Result<Behaviour, ParseError> {
        let mut behaviour = Behaviour::default();
        let mut has_body = false;
        while !self.rest.is_empty() {
            let word = self.text("a body")?.trim_end_matches(',');
            if let Some((_, twist)) = PLAIN_TWISTS.iter().find(|(plain, _)| *plain == word) {
                behaviour.twists.push(*twist);
                continue;
            }
            match word {
                "after" => behaviour.delay = self.duration()?,
                "edns" => behaviour.twists.push(Twist::Edns(self.number("a number of octets")?)),
                "ede" => behaviour.twists.push(Twist::ExtendedError(self.number("an extended error code")?)),
                "cut" => behaviour.twists.push(Twist::Cut(self.number("a number of octets")?)),
                "ttl" => {
                    let seconds = self.duration()?.as_secs();
                    behaviour.twists.push(Twist::Ttl(u32::try_from(seconds).unwrap_or_default()));
                }
                other => {
                    if has_body {
                        return Err(self.error(other, "one of the twists, as the rule has a body already"));
                    }
                    behaviour.body = self.body(other)?;
                    has_body = true;
                }
            }
        }
        if !has_body && behaviour == Behaviour::default() {
            return Err(self.error("", "what becomes of the query"));
        }
        Ok(behaviour)
    }

    /// Reads what a reply starts from.
    fn body(&mut self, word: &str) -> Result<Body, ParseError> {
        if let Some((_, body)) = PLAIN_BODIES.iter().find(|(plain, _)| *plain == word) {
            return Ok(body.clone());
        }
        if word == "raw" {
            let expected = "octets in hexadecimal, or `-` for none";
            let text = self.text(expected)?.trim_end_matches(',');
            let octets = if text == "-" { Some(Vec::new()) } else { read_hex(text) };
            return octets.map(|octets| Body::Raw(octets.into())).ok_or_else(|| self.error(text, expected));
        }
        let expected = "a response code, normal, silence, refuse-connection, upward-referral, raw or a twist";
        word.parse::<Rcode>().map(Body::Rcode).map_err(|_| self.error(word, expected))
    }

    /// Takes a number that a comma may follow.
    fn number<T: std::str::FromStr>(&mut self, expected: &str) -> Result<T, ParseError> {
        let text = self.text(expected)?.trim_end_matches(',');
        text.parse().map_err(|_| self.error(text, expected))
    }
}
