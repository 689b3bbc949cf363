//! Feeds the evaluation of SPF with answers from the authoritative DNS.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::Checker;
use crate::budget::Budget;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode, RecordType};
use crate::expectation::SES_SPF_INCLUDE;
use crate::findings::Finding;
use crate::findings::spf::lint::review;
use crate::records::spf::evaluation::{Answer, Evaluation, Message, Outcome, Step};
use crate::walk::Journey;
use crate::walk::lookup::{Lookup, LookupFailure};

/// An address that nobody sends from (RFC 2544, for benchmarks): it stands for all of Amazon SES.
const SES_STAND_IN: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 25);

impl Checker {
    /// Evaluates SPF for a message (RFC 7208 §4), each name asked of its own servers.
    ///
    /// What is not answered within the time and the budget of a check counts as a failure of the DNS.
    pub async fn evaluate_spf(&self, message: Message) -> Outcome {
        self.drive_spf(message, None).await
    }

    /// Says whether a message from Amazon SES would pass at `domain`.
    ///
    /// A made-up address stands for those of SES, and the record at `amazonses.com` is taken to name just that one: so
    /// the result says whether the include is reached, whatever addresses SES uses today.
    pub async fn evaluate_spf_for_ses(&self, domain: &str) -> Outcome {
        let message = Message {
            address: IpAddr::V4(SES_STAND_IN),
            domain: domain.to_owned(),
            helo: SES_SPF_INCLUDE.to_owned(),
            mail_from: format!("postmaster@{domain}"),
            receiver: "unknown".to_owned(),
            unix_seconds: 0,
        };
        let stand_in = Name::parse(SES_SPF_INCLUDE).ok().map(|name| {
            let text = format!("v=spf1 ip4:{SES_STAND_IN} -all").into_bytes();
            (Question::new(name, RecordType::TXT), Answer::Records(vec![Rdata::Txt(vec![text.into()])]))
        });
        self.drive_spf(message, stand_in).await
    }

    /// Looks over the SPF record of a domain and the tree under it.
    ///
    /// What is no name has no record and no findings.
    pub async fn review_spf(&self, domain: &str) -> SpfReview {
        let labels = domain.strip_suffix('.').unwrap_or(domain).split('.');
        let name = Name::from_labels(labels).ok().filter(|name| name.label_count() > 1);
        let Some(name) = name else { return SpfReview { findings: Vec::new() } };
        let asking = Asking { checker: self, budget: Budget::for_check(), deadline: self.deadline() };
        let mut known: BTreeMap<Question, Answer> = BTreeMap::new();
        loop {
            let review = review(&name, &mut |question| known.get(question).cloned());
            if review.wanted.is_empty() {
                return SpfReview { findings: review.findings };
            }
            let answers = asking.ask(&review.wanted).await;
            known.extend(review.wanted.into_iter().zip(answers));
        }
    }

    /// Says when the time of a check that starts now is up.
    fn deadline(&self) -> Instant {
        Instant::now() + self.engine.timeout
    }

    /// Asks what the evaluation wants until it is done.
    async fn drive_spf(&self, message: Message, known: Option<(Question, Answer)>) -> Outcome {
        let mut evaluation = Evaluation::new(message);
        if let Some((question, answer)) = known {
            evaluation.handle_answer(question, answer);
        }
        let asking = Asking { checker: self, budget: Budget::for_check(), deadline: self.deadline() };
        loop {
            let questions = match evaluation.next() {
                Step::Done(outcome) => return outcome,
                Step::Ask(questions) => questions,
            };
            let answers = asking.ask(&questions).await;
            for (question, answer) in questions.into_iter().zip(answers) {
                evaluation.handle_answer(question, answer);
            }
        }
    }
}

/// What was found in an SPF record and the tree under it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpfReview {
    /// The findings, in order of severity and precedence.
    pub findings: Vec<Finding>,
}

/// Rounds of lookups under one budget and one deadline.
struct Asking<'a> {
    /// What asks.
    checker: &'a Checker,
    /// The purse.
    budget: Arc<Budget>,
    /// When nothing more is waited for.
    deadline: Instant,
}

impl Asking<'_> {
    /// Looks all questions up at once; what is late counts as failed.
    async fn ask(&self, questions: &[Question]) -> Vec<Answer> {
        let lookups = questions.iter().map(|question| async {
            let journey = Journey::new(&self.budget, Duration::MAX);
            let left = self.deadline.saturating_duration_since(Instant::now());
            answer_of(question, &self.checker.engine.walker.lookup(question, left, journey, None).await)
        });
        join_all(lookups).await
    }
}

/// Reads a lookup as the evaluation wants it.
///
/// A circle of aliases has no record at its end; every other failure is one of the DNS.
fn answer_of(question: &Question, lookup: &Lookup) -> Answer {
    match lookup.failure {
        Some(LookupFailure::CnameLoop) => return Answer::Records(Vec::new()),
        Some(_) => return Answer::Failed,
        None if lookup.rcode == Rcode::NXDOMAIN => return Answer::NxDomain,
        None => {}
    }
    let records = lookup.answers.iter().filter(|record| record.kind() == question.kind);
    Answer::Records(records.map(|record| record.rdata.clone()).collect())
}
