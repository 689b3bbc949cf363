//! What a scenario asks for and what it expects, as plain data: the one who runs it compares.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode};
use crate::expectation::{ExpectationError, Facts};
use crate::scenario::print::{data_text, escape_hashes, name_text, quoted_text};
use crate::scenario::rule::duration_text;

/// The words for verdicts.
pub const VERDICTS: &[&str] = &["ready", "propagating", "partial", "failing", "indeterminate"];
/// The words for the kinds of records.
pub const RECORD_KINDS: &[&str] = &["dkim", "spf", "dmarc", "mx", "mail_from_mx", "mail_from_spf"];
/// The words for the status of a record.
pub const STATUSES: &[&str] = &["ok", "absent", "wrong", "inconsistent", "unable_to_check"];
/// The words for horizons.
pub const HORIZONS: &[&str] = &["negative", "positive", "delegation"];
/// The options of a `check` line; `token`, `previous_token` and `previous_ns` may be given more than once.
pub const CHECK_OPTIONS: &[&str] = &[
    "token",
    "dkim_zone",
    "require",
    "depth",
    "region",
    "mail_from",
    "inbound",
    "selector",
    "public_key",
    "previous_token",
    "previous_ns",
    "dns_provider",
];

/// Something to do in the scenario's Internet, and what should come of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Task {
    /// What to do.
    pub subject: Subject,
    /// What should come of it, in the order given.
    pub expectations: Vec<Expect>,
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// Check a sender domain.
    Check(Check),
    /// Look one question up.
    Lookup(Question),
}

/// A sender domain and the options of its check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// The domain, as people type it.
    pub domain: String,
    /// The options and their values, in the order given; every option is one of [`CHECK_OPTIONS`].
    pub options: Vec<(String, String)>,
}

impl Check {
    /// Returns the DKIM tokens, in the order given; may be empty.
    #[must_use]
    pub fn tokens(&self) -> Vec<&str> {
        self.values("token").collect()
    }

    /// Returns the first value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// Iterates over all values of an option.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// Returns everything that the options tell of the domain.
    ///
    /// # Errors
    /// [`ExpectationError::Inbound`].
    pub fn facts(&self) -> Result<Facts, ExpectationError> {
        let text = |option: &str| self.option(option).map(str::to_owned);
        let mut facts = Facts {
            domain: self.domain.clone(),
            tokens: self.values("token").map(str::to_owned).collect(),
            dkim_zone: text("dkim_zone"),
            region: text("region"),
            mail_from: text("mail_from"),
            is_inbound: false,
            selector: text("selector"),
            public_key: text("public_key"),
            previous_tokens: self.values("previous_token").map(str::to_owned).collect(),
            previous_ns: self.values("previous_ns").map(str::to_owned).collect(),
            dns_provider: text("dns_provider"),
        };
        facts.set_inbound(self.option("inbound").unwrap_or_default())?;
        Ok(facts)
    }

    /// Returns the record kinds that the verdict should depend on too; may be empty.
    #[must_use]
    pub fn required(&self) -> Vec<&str> {
        self.values("require").flat_map(|list| list.split(',')).filter(|kind| !kind.is_empty()).collect()
    }
}

/// How a number should compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bound {
    /// At most this.
    AtMost(u32),
    /// At least this.
    AtLeast(u32),
    /// This.
    Exactly(u32),
}

impl Bound {
    /// Says whether a number is as it should be.
    #[must_use]
    pub fn holds(self, number: u32) -> bool {
        match self {
            Self::AtMost(most) => number <= most,
            Self::AtLeast(least) => number >= least,
            Self::Exactly(exactly) => number == exactly,
        }
    }
}

/// One thing that should come of a task.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expect {
    /// The verdict is this one of [`VERDICTS`].
    Verdict(String),
    /// The root cause has this code; `None` where there should be none.
    RootCause(Option<String>),
    /// A record of the report has this status.
    Record {
        /// One of [`RECORD_KINDS`].
        kind: String,
        /// The owner name.
        name: Name,
        /// One of [`STATUSES`].
        status: String,
        /// The code; where none is given, any will do.
        code: Option<String>,
    },
    /// There is a finding.
    Finding {
        /// The code.
        code: String,
        /// The name (absolute) or address that it is about; where none is given, any will do.
        at: Option<String>,
        /// Arguments that it has, among others.
        arguments: Vec<(String, String)>,
    },
    /// There are no findings but those expected.
    NoOtherFindings,
    /// So many questions are asked: of one address, or in all.
    Questions {
        /// The address.
        at: Option<IpAddr>,
        /// The number.
        bound: Bound,
    },
    /// The remedy of a finding contains this text.
    Remedy(String),
    /// A horizon lies at most so far ahead.
    Horizon {
        /// One of [`HORIZONS`].
        which: String,
        /// How far ahead.
        within: Duration,
    },
    /// The lookup ends with this response code.
    Rcode(Rcode),
    /// The lookup's answers hold this record, whatever its time to live.
    Answer {
        /// The owner name.
        owner: Name,
        /// The data.
        rdata: Rdata,
    },
    /// The lookup has no answers but those expected.
    NoOtherAnswers,
    /// The lookup gives this reason.
    Reason(String),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(number) => write!(f, "<= {number}"),
            Self::AtLeast(number) => write!(f, ">= {number}"),
            Self::Exactly(number) => write!(f, "= {number}"),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(word) => write!(f, "verdict {word}"),
            Self::RootCause(code) => write!(f, "root_cause {}", code.as_deref().unwrap_or("none")),
            Self::Record { kind, name, status, code } => {
                write!(f, "record {kind} {} {status}", name_text(name))?;
                code.iter().try_for_each(|code| write!(f, " {code}"))
            }
            Self::Finding { code, at, arguments } => {
                write!(f, "finding {code}")?;
                at.iter().try_for_each(|at| write!(f, " at {}", escape_hashes(at)))?;
                let mut words = arguments.iter().map(|(name, value)| quoted_text(&format!("{name}={value}")));
                words.try_for_each(|word| write!(f, " {word}"))
            }
            Self::NoOtherFindings => f.write_str("no other findings"),
            Self::Questions { at: None, bound } => write!(f, "questions {bound}"),
            Self::Questions { at: Some(address), bound } => write!(f, "questions at {address} {bound}"),
            Self::Remedy(text) => write!(f, "remedy contains {}", quoted_text(text)),
            Self::Horizon { which, within } => write!(f, "horizon {which} within {}", duration_text(*within)),
            Self::Rcode(rcode) => write!(f, "rcode {rcode}"),
            Self::Answer { owner, rdata } => {
                write!(f, "answer {} {} {}", name_text(owner), rdata.kind(), data_text(rdata))
            }
            Self::NoOtherAnswers => f.write_str("no other answers"),
            Self::Reason(word) => write!(f, "reason {word}"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {}", quoted_text(&self.domain))?;
        let mut words = self.options.iter().map(|(name, value)| quoted_text(&format!("{name}={value}")));
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Check(check) => writeln!(f, "{check}")?,
            Subject::Lookup(question) => writeln!(f, "lookup {} {}", name_text(&question.name), question.kind)?,
        }
        self.expectations.iter().try_for_each(|expect| writeln!(f, "  expect {expect}"))
    }
}
