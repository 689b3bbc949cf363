//! One finding: a code, what it is about, its arguments and its proof.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Record};
use crate::evidence::{Observation, Outcome};
use crate::expectation::{ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};

/// The most replies that one finding quotes; one is enough to prove it, several show who agrees.
const MAX_PROOFS: usize = 16;

/// What a finding is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// The domain as a whole.
    Domain(Name),
    /// A zone and its delegation.
    Zone(Name),
    /// One server of a zone.
    Server {
        /// The zone.
        zone: Name,
        /// The server's name.
        server: Name,
    },
    /// An expected record.
    Record {
        /// What the record is for.
        kind: RecordKind,
        /// Its owner name.
        name: Name,
    },
}

impl From<&ExpectedRecord> for Subject {
    fn from(record: &ExpectedRecord) -> Self {
        Self::Record { kind: record.kind, name: record.name.clone() }
    }
}

/// The value of an argument.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Argument {
    /// A name.
    Name(Name),
    /// Several names, sorted.
    Names(Vec<Name>),
    /// Several addresses, sorted.
    Addresses(Vec<IpAddr>),
    /// A number; its key says of what.
    Number(u64),
    /// Text, with what does not print escaped.
    Text(String),
}

/// A reply that proves a finding.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Proof {
    /// What was asked.
    pub question: Question,
    /// The server's name.
    pub server: Name,
    /// The address that was asked.
    pub address: IpAddr,
    /// The word for what came back ([`Observation::outcome_word`]).
    pub outcome: Cow<'static, str>,
    /// The data that came back, in presentation form, sorted.
    pub data: Vec<String>,
}

impl Proof {
    /// Quotes what one server said.
    #[must_use]
    pub fn quote(question: &Question, seen: &Observation) -> Self {
        Self {
            question: question.clone(),
            server: seen.server.clone(),
            address: seen.address,
            outcome: seen.outcome_word(),
            data: data_of(seen),
        }
    }
}

/// Returns the data that an observation shows, in presentation form: the answer, the links of an alias, or
/// the servers of a referral.
#[must_use]
pub fn data_of(seen: &Observation) -> Vec<String> {
    let Outcome::Replied(reply) = &seen.outcome else { return Vec::new() };
    match &reply.response {
        Response::Answer(answer) => answer.rrset.data().iter().map(ToString::to_string).collect(),
        Response::Alias(alias) => alias.links.iter().map(|link| link.target.to_string()).collect(),
        Response::Referral(referral) => referral.servers.iter().map(ToString::to_string).collect(),
        Response::NoData(_) | Response::NxDomain(_) | Response::Lame(_) | Response::Failed(_) => Vec::new(),
    }
}

/// Something that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is here.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What the words for it need, by name.
    pub arguments: BTreeMap<&'static str, Argument>,
    /// The replies that prove it, sorted; empty only where there was nobody to ask.
    pub proof: Vec<Proof>,
}

impl Finding {
    /// Starts a finding with the severity of its code.
    #[must_use]
    pub fn new(code: Code, subject: impl Into<Subject>) -> Self {
        Self { code, severity: code.severity(), subject: subject.into(), arguments: BTreeMap::new(), proof: Vec::new() }
    }

    /// Sets another severity than the code's.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: Argument) -> Self {
        self.arguments.insert(key, value);
        self
    }

    /// Returns a name among the arguments.
    #[must_use]
    pub fn name(&self, key: &str) -> Option<&Name> {
        match self.arguments.get(key) {
            Some(Argument::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Adds the replies to a question as proof; at most 16 are kept.
    #[must_use]
    pub fn proven_by<'a>(mut self, question: &Question, seen: impl IntoIterator<Item = &'a Observation>) -> Self {
        self.proof.extend(seen.into_iter().map(|one| Proof::quote(question, one)));
        self.proof.sort();
        self.proof.dedup();
        self.proof.truncate(MAX_PROOFS);
        self
    }

    /// Says whether it proves that validating resolvers see nothing of a required record, however right it is.
    #[must_use]
    pub fn proves_bogus(&self) -> bool {
        let is_refused = matches!(
            self.code,
            Code::DnssecBogusNoDnskey
                | Code::DnssecExpiredSig
                | Code::DnssecNotYetValid
                | Code::DnssecBadSignature
                | Code::DnssecMissingSignature
                | Code::DnssecMissingDenial
        );
        self.severity == Severity::Error && is_refused
    }

    /// Returns the order in which findings are told: precedence, then subject.
    #[must_use]
    pub fn rank(&self) -> (Severity, Code, &Subject) {
        (self.severity, self.code, &self.subject)
    }
}

/// How an expected record stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordStatus {
    /// Right at all servers that answer.
    Ok,
    /// The servers that answer differ.
    Inconsistent,
    /// All say that there is nothing, and nothing explains it.
    Absent,
    /// Anything else; the code says what.
    Wrong,
    /// Fewer than half of the addresses asked answer.
    UnableToCheck,
}

impl RecordStatus {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Inconsistent => "inconsistent",
            Self::Absent => "absent",
            Self::Wrong => "wrong",
            Self::UnableToCheck => "unable_to_check",
        }
    }
}

/// How one expected record was judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JudgedRecord {
    /// What was expected.
    pub record: ExpectedRecord,
    /// How it stands.
    pub status: RecordStatus,
    /// The code that says what is not right; `None` where it is `Ok`.
    pub code: Option<Code>,
    /// Whether one server at least has it right.
    pub is_right_somewhere: bool,
    /// What was found that belongs to it, at its own name or at a wrong one; sorted, without duplicates.
    pub found: Vec<Record>,
}

/// How a domain was judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// The expected records, in the expectation's order.
    pub records: Vec<JudgedRecord>,
    /// The findings, the root cause first, then by severity, precedence and subject.
    pub findings: Vec<Finding>,
    /// The finding that explains the others, where something is not right with a required record or a delegation.
    pub root_cause: Option<Code>,
}
