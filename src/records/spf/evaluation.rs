//! Evaluates SPF for one message, `check_host()` of RFC 7208 §4, without asking anything itself.
//!
//! ```text
//!          next()                            handle_answer()
//! [ ] ---- Ask(questions) ----> driver asks ----------------> [ ]
//!  `------ Done(outcome)
//! ```
//!
//! Each [`Evaluation::next`] goes through the records from the start with the answers that are known; where one is
//! missing it says which. Every round needs another answer, and the limits of RFC 7208 §4.6.4 bound how many there are.

mod expand;
mod pass;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use self::pass::{Pass, Stop};
use super::ParseError;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Question;

/// The most terms that ask the DNS (RFC 7208 §4.6.4).
pub const MAX_LOOKUPS: u32 = 10;
/// The most questions of terms that may be answered by nothing (RFC 7208 §4.6.4).
pub const MAX_VOID_LOOKUPS: u32 = 2;
/// The most mail exchangers of one `mx` term (RFC 7208 §4.6.4).
pub const MAX_EXCHANGERS: usize = 10;
/// The most names of the sender's address that are looked at (RFC 7208 §4.6.4).
pub const MAX_POINTERS: usize = 10;

/// What SPF is evaluated for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The address that the message comes from; one that is IPv4 in IPv6 counts as IPv4.
    pub address: IpAddr,
    /// The domain whose record is evaluated, as written.
    pub domain: String,
    /// What the sender said in HELO or EHLO.
    pub helo: String,
    /// The reverse-path without brackets; empty where it is null (RFC 7208 §2.4).
    pub mail_from: String,
    /// The name of the host that receives, for explanations.
    pub receiver: String,
    /// Seconds since 1970, for explanations.
    pub unix_seconds: i64,
}

/// What is known of one question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Records of the type that was asked for, at the end of any aliases; none where there are none.
    Records(Vec<Rdata>),
    /// The name is not there.
    NxDomain,
    /// Nobody gave a usable answer.
    Failed,
}

/// The result of an evaluation (RFC 7208 §2.6).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfResult {
    /// There is no record, or no domain that could have one.
    None,
    /// The record says nothing about the sender.
    Neutral,
    /// The sender may send.
    Pass,
    /// The sender may not send.
    Fail,
    /// The sender probably may not send.
    SoftFail,
    /// The DNS did not answer; asking again later may help.
    TempError,
    /// The records cannot be evaluated.
    PermError,
}

impl SpfResult {
    /// Returns the word of RFC 7208 §2.6.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Why an evaluation ended in an error.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// More than [`MAX_LOOKUPS`] terms ask the DNS.
    #[error("more than {MAX_LOOKUPS} DNS lookups")]
    TooManyLookups,
    /// More than [`MAX_VOID_LOOKUPS`] questions were answered by nothing.
    #[error("more than {MAX_VOID_LOOKUPS} lookups found nothing")]
    TooManyVoidLookups,
    /// A domain has more than [`MAX_EXCHANGERS`] mail exchangers.
    #[error("{0} has more than {MAX_EXCHANGERS} mail exchangers")]
    TooManyExchangers(String),
    /// A domain has several SPF records.
    #[error("{0} has more than one SPF record")]
    SeveralRecords(String),
    /// A record cannot be read.
    #[error("the record of {domain}: {error}")]
    Syntax {
        /// Whose record.
        domain: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// An included domain, or one that is redirected to, has no SPF record.
    #[error("{0} is included or redirected to and has no SPF record")]
    NoRecord(String),
    /// A question has no usable answer.
    #[error("no usable answer to {0}")]
    Unanswered(Question),
}

/// How an evaluation ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The result.
    pub result: SpfResult,
    /// The explanation that the domain publishes; only with a fail (RFC 7208 §6.2).
    pub explanation: Option<String>,
    /// How many terms asked the DNS; a `redirect` counts once its record is read, used or not.
    pub lookups: u32,
    /// How many questions were answered by nothing, the first one and those of `mx` and `ptr` included.
    pub void_lookups: u32,
    /// Why it ended in an error.
    pub problem: Option<Problem>,
    /// The term that matched, and the domain whose record it stands in.
    pub matched: Option<(String, String)>,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Ask these questions, following aliases; never empty, without duplicates, all new.
    Ask(Vec<Question>),
    /// Nothing: the evaluation is over.
    Done(Outcome),
}

/// An evaluation on its way.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What it is for.
    message: Message,
    /// What is known.
    answers: BTreeMap<Question, Answer>,
}

impl Evaluation {
    /// Starts with nothing known.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self { message, answers: BTreeMap::new() }
    }

    /// Takes in the answer to a question; of two answers to one question the first counts.
    pub fn handle_answer(&mut self, question: Question, answer: Answer) {
        self.answers.entry(question).or_insert(answer);
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(&self) -> Step {
        let mut pass = Pass::new(&self.message, &self.answers);
        let (result, problem, explanation) = match pass.run() {
            Ok(verdict) => (verdict.result, None, verdict.explanation),
            Err(Stop::Ask(questions)) => return Step::Ask(questions),
            Err(Stop::Temporary(problem)) => (SpfResult::TempError, Some(problem), None),
            Err(Stop::Permanent(problem)) => (SpfResult::PermError, Some(problem), None),
        };
        let (lookups, void_lookups) = pass.counts();
        let matched = pass.into_matched().filter(|_| problem.is_none());
        Step::Done(Outcome { result, explanation, lookups, void_lookups, problem, matched })
    }
}
