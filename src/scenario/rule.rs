//! How a server misbehaves: whom a rule takes, and what it makes of the answer.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::dns::message::Section;
use crate::dns::name::Name;
use crate::dns::rrset::{Question, Rcode, Record, RecordType};
use crate::evidence::Protocol;
use crate::scenario::print::{name_text, record_text};

/// The rules of one or more addresses; the first that takes a query decides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// The addresses, never empty.
    pub addresses: Vec<IpAddr>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Which queries it takes.
    pub matcher: Matcher,
    /// What becomes of them.
    pub behaviour: Behaviour,
}

/// Which queries a rule takes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Matcher {
    /// The way that the query came; `None` is both.
    pub protocol: Option<Protocol>,
    /// Whether only queries with an OPT record are taken.
    pub needs_edns: bool,
    /// The type asked for; `None` is every one.
    pub kind: Option<RecordType>,
    /// The names asked for.
    pub names: Names,
    /// Which of several same questions are taken.
    pub tries: Tries,
}

/// A choice of names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Names {
    /// Every name.
    #[default]
    All,
    /// This name.
    Exactly(Name),
    /// This name and all below it.
    Under(Name),
}

/// A choice among the times that one address is asked one question.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tries {
    /// Every time.
    #[default]
    All,
    /// Only so many times.
    First(u32),
    /// Only each so-manieth time.
    Every(u32),
}

impl Matcher {
    /// Says whether the rule takes a query; `nth` counts from one how often this address was asked this question.
    #[must_use]
    pub fn takes(&self, protocol: Protocol, question: &Question, has_edns: bool, nth: u32) -> bool {
        let is_name = match &self.names {
            Names::All => true,
            Names::Exactly(name) => *name == question.name,
            Names::Under(name) => question.name.is_subdomain_of(name),
        };
        let is_try = match self.tries {
            Tries::All => true,
            Tries::First(count) => nth <= count,
            Tries::Every(count) => nth.checked_rem(count) == Some(0),
        };
        is_name
            && is_try
            && self.protocol.is_none_or(|wanted| wanted == protocol)
            && self.kind.is_none_or(|wanted| wanted == question.kind)
            && (has_edns || !self.needs_edns)
    }
}

/// What a server makes of a query.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Behaviour {
    /// What the reply starts from.
    pub body: Body,
    /// What is done to it then, in order.
    pub twists: Vec<Twist>,
    /// How long the server waits before it replies.
    pub delay: Duration,
    /// Records that are put behind those of the body.
    pub extra: Vec<(Section, Record)>,
}

/// What a reply starts from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Body {
    /// The answer that the zones of the address give.
    #[default]
    Normal,
    /// Nothing but a response code.
    Rcode(Rcode),
    /// A referral to the root, as servers gave that knew nothing better.
    UpwardReferral,
    /// No reply.
    Silence,
    /// Nobody listens.
    RefuseConnection,
    /// These octets behind the query's id.
    Raw(Box<[u8]>),
}

/// One thing that is done to a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Twist {
    /// AA=1.
    Aa,
    /// AA=0.
    NoAa,
    /// RA=1.
    Ra,
    /// RD=1.
    Rd,
    /// TC=1, the records stay.
    Tc,
    /// TC=1, the records go.
    Truncate,
    /// AA=0 and RA=1, as a resolver in the authority's place.
    RecursiveProxy,
    /// No SOA in the authority section.
    NoSoa,
    /// Nothing in the additional section.
    NoGlue,
    /// No OPT record.
    NoEdns,
    /// An OPT record with this payload size.
    Edns(u16),
    /// An extended error (RFC 8914).
    ExtendedError(u16),
    /// This time to live in all records.
    Ttl(u32),
    /// A header and nothing behind it.
    Bare,
    /// The question in lower case.
    LowerCase,
    /// Another question.
    WrongQuestion,
    /// Another id.
    WrongId,
    /// Only so many octets.
    Cut(u32),
}

/// The twists that are one word.
pub(crate) const PLAIN_TWISTS: &[(&str, Twist)] = &[
    ("aa", Twist::Aa),
    ("no-aa", Twist::NoAa),
    ("ra", Twist::Ra),
    ("rd", Twist::Rd),
    ("tc", Twist::Tc),
    ("truncate", Twist::Truncate),
    ("recursive-proxy", Twist::RecursiveProxy),
    ("no-soa", Twist::NoSoa),
    ("no-glue", Twist::NoGlue),
    ("no-edns", Twist::NoEdns),
    ("bare", Twist::Bare),
    ("lower-case", Twist::LowerCase),
    ("wrong-question", Twist::WrongQuestion),
    ("wrong-id", Twist::WrongId),
];

/// The bodies that are one word, but for the response codes.
pub(crate) const PLAIN_BODIES: &[(&str, Body)] = &[
    ("normal", Body::Normal),
    ("upward-referral", Body::UpwardReferral),
    ("silence", Body::Silence),
    ("refuse-connection", Body::RefuseConnection),
];

/// The words for the sections of a message.
pub(crate) const SECTIONS: &[(&str, Section)] =
    &[("answer", Section::Answer), ("authority", Section::Authority), ("additional", Section::Additional)];

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(protocol) = self.protocol {
            write!(f, "{protocol} ")?;
        }
        if self.needs_edns {
            f.write_str("edns ")?;
        }
        match self.kind {
            Some(kind) => write!(f, "{kind}")?,
            None => f.write_str("any")?,
        }
        match &self.names {
            Names::All => {}
            Names::Exactly(name) => write!(f, " {}", name_text(name))?,
            Names::Under(name) => write!(f, " under {}", name_text(name))?,
        }
        match self.tries {
            Tries::All => Ok(()),
            Tries::First(count) => write!(f, " first {count}"),
            Tries::Every(count) => write!(f, " every {count}"),
        }
    }
}

impl fmt::Display for Twist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edns(octets) => write!(f, "edns {octets}"),
            Self::ExtendedError(code) => write!(f, "ede {code}"),
            Self::Ttl(seconds) => write!(f, "ttl {seconds}"),
            Self::Cut(octets) => write!(f, "cut {octets}"),
            plain => {
                let word = PLAIN_TWISTS.iter().find(|(_, twist)| twist == plain).map(|(word, _)| *word);
                f.write_str(word.unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::Rcode(rcode) => write!(f, "{rcode}")?,
            Body::Raw(octets) => {
                f.write_str("raw ")?;
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
                if octets.is_empty() {
                    f.write_str("-")?;
                }
            }
            plain => {
                let word = PLAIN_BODIES.iter().find(|(_, body)| body == plain).map(|(word, _)| *word);
                f.write_str(word.unwrap_or_default())?;
            }
        }
        for twist in &self.twists {
            write!(f, ", {twist}")?;
        }
        if !self.delay.is_zero() {
            write!(f, ", after {}", duration_text(self.delay))?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} -> {}", self.matcher, self.behaviour)?;
        for (section, record) in &self.behaviour.extra {
            let word = SECTIONS.iter().find(|(_, known)| known == section).map(|(word, _)| *word);
            writeln!(f, "    {} {}", word.unwrap_or_default(), record_text(record, &Name::root()))?;
        }
        Ok(())
    }
}

/// Writes a duration in seconds, or in milliseconds where that is needed.
pub(crate) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds.is_multiple_of(1000) { format!("{}s", milliseconds / 1000) } else { format!("{milliseconds}ms") }
}
