//! The SPF record of the domain: there, one, right, and with the include that Amazon SES needs.
//!
//! Reads TXT records and follows `include` and `redirect` as far as the evidence goes. Evaluates nothing for any sender.

pub mod lint;
mod tree;

use std::collections::{BTreeSet, VecDeque};

use crate::dns::name::Name;
use crate::dns::rrset::Question;
use crate::evidence::Evidence;
use crate::expectation::{Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, JudgedRecord, Subject};
use crate::findings::txt::{Texts, records_found, texts_at, texts_from};
use crate::findings::view::{View, Views};
use crate::records::spf::{DomainSpec, Mechanism, Qualifier, SpfRecord, TermKind, is_spf, merge, parse};
pub use tree::wanted;

/// The most records that the search for the include reads: a receiver makes no more lookups (RFC 7208 §4.6.4).
const MAX_LOOKUPS: usize = 10;
/// The record of a domain that has none, before it gets its include.
const BARE_RECORD: &str = "v=spf1 ~all";

/// What a search for an include came to.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Search {
    /// It is there.
    Found,
    /// It is not there.
    Missing,
    /// It takes these questions to know; none where they were asked in vain.
    Open(Vec<Question>),
}

/// Judges the SPF records that are expected, in the expectation's order.
///
/// Right is one record that includes the domain, itself or in what it includes or redirects to. Arguments: `include`,
/// and `new_record`, the record to have instead, where one can be made; beside them `record` (as it is), `column`,
/// `term` and `problem` with `spf_syntax`, `count` with `spf_multiple`. Where an include depends on the message, so that
/// nobody can say what is behind it, `spf_missing_include` is a notice with those terms in `depends_on_message`.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Spf) {
        let views = views(evidence, record);
        records.push(views.judged(records_found(evidence.observations(&record.question()), is_spf)));
        findings.extend(views.findings());
        findings.extend(tree::judge(expectation, evidence, record, &views));
    }
    (records, findings)
}

/// Returns the questions that it still takes to know whether an expected SPF record includes what it should; sorted,
/// each once, empty where everything is known or was asked in vain.
#[must_use]
pub fn includes_still_needed(record: &ExpectedRecord, evidence: &Evidence) -> Vec<Question> {
    let Some(include) = include_of(record) else { return Vec::new() };
    let mut needed = BTreeSet::new();
    for seen in evidence.observations(&record.question()) {
        match texts_from(evidence, seen) {
            Texts::Ask(question) => {
                needed.insert(question);
            }
            Texts::Known(texts) => {
                if let Some(own) = sole_record(&texts)
                    && let Search::Open(questions) = search(evidence, &record.name, &own, include)
                {
                    needed.extend(questions);
                }
            }
            Texts::Unknown => {}
        }
    }
    needed.into_iter().collect()
}

/// Reads what every server says of the record.
pub(super) fn views<'r, 'e>(evidence: &'e Evidence, record: &'r ExpectedRecord) -> Views<'r, 'e> {
    Views::read(evidence, record, |seen| match (texts_from(evidence, seen), include_of(record)) {
        (Texts::Known(texts), Some(include)) => view(evidence, record, include, &texts),
        _ => View::Unknown,
    })
}

/// Returns the domain that a record should include.
fn include_of(record: &ExpectedRecord) -> Option<&Name> {
    match &record.expected {
        Expected::SpfInclude(include) => Some(include),
        _ => None,
    }
}

/// Returns the SPF record among some texts, where there is one and it can be read.
fn sole_record(texts: &[Vec<u8>]) -> Option<SpfRecord> {
    let mut records = texts.iter().filter(|text| is_spf(text));
    let sole = records.next().filter(|_| records.next().is_none())?;
    parse(sole).ok()
}

/// Judges the TXT records that one server has.
fn view(evidence: &Evidence, record: &ExpectedRecord, include: &Name, texts: &[Vec<u8>]) -> View {
    let domain = include.to_text_without_dot();
    let found: Vec<&Vec<u8>> = texts.iter().filter(|text| is_spf(text)).collect();
    let finding = |code: Code| {
        let severity = if record.is_required { Severity::Error } else { code.severity() };
        Finding::new(code, record).with_severity(severity).with("include", Argument::Text(domain.clone()))
    };
    let (code, new_record) = match found.as_slice() {
        [] => (Code::SpfAbsent, with_include(BARE_RECORD, &domain)),
        [text] => match parse(text) {
            Ok(own) => return view_of_one(evidence, record, include, &own, finding(Code::SpfMissingInclude)),
            Err(error) => {
                let broken = finding(Code::SpfSyntax)
                    .with("record", Argument::Text(text.escape_ascii().to_string()))
                    .with("column", Argument::Number(u64::try_from(error.column).unwrap_or(u64::MAX)))
                    .with("term", Argument::Text(error.term))
                    .with("problem", Argument::Text(error.kind.to_string()));
                return View::Wrong(Box::new(broken));
            }
        },
        several => {
            let parsed: Result<Vec<SpfRecord>, _> = several.iter().map(|text| parse(text)).collect();
            let merged = parsed.ok().and_then(|records| merge(&records));
            (Code::SpfMultiple, merged.and_then(|merged| with_include(&merged, &domain)))
        }
    };
    let mut wrong = finding(code);
    if code == Code::SpfMultiple {
        wrong = wrong.with("count", Argument::Number(u64::try_from(found.len()).unwrap_or(u64::MAX)));
    }
    View::Wrong(Box::new(match new_record {
        Some(new_record) => wrong.with("new_record", Argument::Text(new_record)),
        None => wrong,
    }))
}

/// Judges the one record that a server has; `missing` is what to say where it lacks the include.
fn view_of_one(
    evidence: &Evidence,
    record: &ExpectedRecord,
    include: &Name,
    own: &SpfRecord,
    missing: Finding,
) -> View {
    match search(evidence, &record.name, own, include) {
        Search::Found => View::Right(lint::of_record(&Subject::from(record), own)),
        Search::Open(_) => View::Unknown,
        Search::Missing => {
            let mut missing = missing.with("record", Argument::Text(own.to_string()));
            if let Some(new_record) = with_include(&own.to_string(), &include.to_text_without_dot()) {
                missing = missing.with("new_record", Argument::Text(new_record));
            }
            let dynamic = dynamic_targets(own);
            if !dynamic.is_empty() {
                missing = missing
                    .with_severity(Severity::Notice)
                    .with("depends_on_message", Argument::Text(dynamic.join(" ")));
            }
            View::Wrong(Box::new(missing))
        }
    }
}

/// Writes a record with one more include.
fn with_include(text: &str, domain: &str) -> Option<String> {
    let domain: DomainSpec = domain.parse().ok()?;
    Some(parse(text.as_bytes()).ok()?.with_include(&domain))
}

/// Returns the terms that lead to other records by names that depend on the message.
fn dynamic_targets(own: &SpfRecord) -> Vec<String> {
    let is_dynamic = |kind: &TermKind| target(kind).is_some_and(DomainSpec::has_macros);
    own.live_terms().filter(|term| is_dynamic(&term.kind)).map(ToString::to_string).collect()
}

/// Returns where a term leads on to another record whose senders pass here too (RFC 7208 §5.2, §6.1).
fn target(kind: &TermKind) -> Option<&DomainSpec> {
    match kind {
        TermKind::Directive(Qualifier::Pass, Mechanism::Include(domain)) | TermKind::Redirect(domain) => Some(domain),
        _ => None,
    }
}

/// Looks for `include` in the record of `owner` and in the records that it leads to, the nearer ones first.
///
/// At most ten records are read, each once, so that loops end; what cannot be read has nothing in it. What a receiver
/// would not come to any more is not there.
fn search(evidence: &Evidence, owner: &Name, own: &SpfRecord, include: &Name) -> Search {
    let mut seen = BTreeSet::from([owner.clone()]);
    let mut waiting: VecDeque<Name> = VecDeque::new();
    let mut open = BTreeSet::new();
    let (mut is_open, mut lookups) = (false, 0);
    let mut current = Some(own.clone());
    loop {
        if let Some(record) = current.take() {
            let targets: Vec<Name> =
                record.live_terms().filter_map(|term| target(&term.kind)).filter_map(DomainSpec::name).collect();
            if targets.contains(include) {
                return Search::Found;
            }
            waiting.extend(targets.into_iter().filter(|name| seen.insert(name.clone())));
        }
        let Some(name) = waiting.pop_front().filter(|_| lookups < MAX_LOOKUPS) else { break };
        lookups += 1;
        match texts_at(evidence, &name) {
            Texts::Known(texts) => current = sole_record(&texts),
            Texts::Ask(question) => {
                is_open = true;
                open.insert(question);
            }
            Texts::Unknown => is_open = true,
        }
    }
    if is_open { Search::Open(open.into_iter().collect()) } else { Search::Missing }
}

#[cfg(test)]
mod tests;
