//! The SPF record of the domain: there, one, right, and with the include that Amazon SES needs.
//!
//! Reads TXT records and follows `include` and `redirect` as far as the evidence goes. Evaluates nothing for any sender.

mod elsewhere;
pub mod lint;
pub(super) mod slip;
mod tree;

use std::collections::{BTreeSet, VecDeque};

use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Record, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Depth, Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::inquiry::{Ask, Inquiry};
use crate::findings::spf::slip::{CutRecord, cut_records, is_meant, split_wrong, unwrapped};
use crate::findings::txt::{Texts, answers_found, records_found, texts_at, texts_from};
use crate::findings::view::{View, Views};
use crate::records::spf::{DomainSpec, Mechanism, Qualifier, SpfRecord, TermKind, is_spf, merge, parse};

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
/// `term` and `problem` with `spf_syntax`, `count` with `spf_multiple`, `typed` (where it stands) with `spf_type99`,
/// `spf_host_doubled` and `spf_label_missing`, `target` with `spf_as_cname`, `mail_from` with `spf_on_unused_name`. Where
/// an include depends on the message, so that nobody can say what is behind it, `spf_missing_include` is a notice with
/// those terms in `depends_on_message`.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Spf) {
        let views = views(evidence, record);
        let told = views.findings();
        records.push(views.judged(found(evidence, record, &told)));
        findings.extend(told);
        findings.extend(tree::judge(expectation, evidence, record, &views));
        findings.extend(unused(expectation, record, &views));
    }
    (records, findings)
}

/// Tells that a record that is right is not the one that receivers read: bounces go to the custom MAIL FROM name, whose
/// SPF record counts (RFC 7208 §2.4). At depth full alone, since it is no fault.
///
/// Whether there is such a name is never inferred: nothing is told where the caller names none.
fn unused(expectation: &Expectation, record: &ExpectedRecord, views: &Views<'_, '_>) -> Option<Finding> {
    let mail_from = expectation.mail_from.as_ref().filter(|_| expectation.depth == Depth::Full)?;
    let finding = Finding::new(Code::SpfOnUnusedName, record).with("mail_from", Argument::Name(mail_from.clone()));
    (views.status().0 == RecordStatus::Ok).then(|| finding.proven_by(&record.question(), views.answering()))
}

/// Returns what is left to ask to know whether the records lead to what they should include, to say where one is that is
/// missing, and at depth full to look the trees over.
#[must_use]
pub fn wanted(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    for record in &expectation.records {
        let Some(include) = include_of(record) else { continue };
        let views = views(evidence, record);
        for question in views.needed() {
            inquiry.look(&question);
        }
        if views.status().1 == Some(Code::SpfAbsent) {
            elsewhere::look(record, include, &mut inquiry);
        }
    }
    let mut wanted = inquiry.into_wanted();
    wanted.extend(tree::wanted(expectation, evidence));
    wanted
}

/// Returns the SPF records that were found: at the record's own name, and where one stands by mistake.
pub(super) fn found(evidence: &Evidence, record: &ExpectedRecord, told: &[Finding]) -> Vec<Record> {
    let is_cut = told.iter().any(|finding| finding.code == Code::SpfSplitWrong);
    let own = evidence.observations(&record.question());
    let mut found = records_found(own, |text| is_meant(text) || (is_cut && text.starts_with(b"v=spf1")));
    for finding in told {
        let Some(typed) = finding.name("typed") else { continue };
        let kind = if finding.code == Code::SpfType99 { RecordType::SPF } else { RecordType::TXT };
        let there = evidence.observations(&Question::new(typed.clone(), kind));
        found.extend(answers_found(there, |rdata| elsewhere::text_of(rdata).is_some_and(|text| is_spf(&text))));
    }
    found
}

/// Reads what every server says of the record.
pub(super) fn views<'r, 'e>(evidence: &'e Evidence, record: &'r ExpectedRecord) -> Views<'r, 'e> {
    Views::read(evidence, record, |seen| match (texts_from(evidence, seen), include_of(record)) {
        (Texts::Known(texts), Some(include)) => Reader { evidence, record, include, seen }.view(&texts),
        (Texts::Ask(question), Some(_)) => View::Unknown(vec![question]),
        _ => View::Unknown(Vec::new()),
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

/// What one server says of an expected record.
struct Reader<'a> {
    /// What was seen.
    evidence: &'a Evidence,
    /// The record.
    record: &'a ExpectedRecord,
    /// What it should include.
    include: &'a Name,
    /// The server's reply.
    seen: &'a Observation,
}

impl Reader<'_> {
    /// Judges the TXT records that the server has.
    fn view(&self, texts: &[Vec<u8>]) -> View {
        let found: Vec<&Vec<u8>> = texts.iter().filter(|text| is_spf(text)).collect();
        match found.as_slice() {
            [] => View::Wrong(Box::new(self.missing(texts))),
            [text] => self.view_of_one(text),
            several => {
                let parsed: Result<Vec<SpfRecord>, _> = several.iter().map(|text| parse(text)).collect();
                let merged = parsed.ok().and_then(|records| merge(&records));
                let count = Argument::Number(u64::try_from(several.len()).unwrap_or(u64::MAX));
                let finding = self.finding(Code::SpfMultiple).with("count", count);
                View::Wrong(Box::new(self.with_new_record(finding, merged.as_deref())))
            }
        }
    }

    /// Starts a finding about the record.
    fn finding(&self, code: Code) -> Finding {
        let severity = if self.record.is_required { Severity::Error } else { code.severity() };
        let include = Argument::Text(self.include.to_text_without_dot());
        Finding::new(code, self.record).with_severity(severity).with("include", include)
    }

    /// Adds the record to have instead: `text` with the include in it, where that can be read.
    fn with_new_record(&self, finding: Finding, text: Option<&str>) -> Finding {
        match text.and_then(|text| with_include(text, &self.include.to_text_without_dot())) {
            Some(new_record) => finding.with("new_record", Argument::Text(new_record)),
            None => finding,
        }
    }

    /// Says why there is no SPF record among the texts: one that is kept from being one, one that stands elsewhere, or none.
    fn missing(&self, texts: &[Vec<u8>]) -> Finding {
        if let Some((text, bare)) = texts.iter().find_map(|text| Some((text, unwrapped(text)?))) {
            let finding = self.finding(Code::SpfLeadingSpaceOrQuote).with("record", shown(text));
            return self.with_new_record(finding, str::from_utf8(&bare).ok());
        }
        if let Some((text, record)) = split_wrong(&cut_records(self.seen), |_| true) {
            return self.split(&text, &record);
        }
        let stray = elsewhere::look(self.record, self.include, &mut Inquiry::closed(self.evidence));
        let Some(stray) = stray else { return self.with_new_record(self.finding(Code::SpfAbsent), Some(BARE_RECORD)) };
        let there = self.evidence.observations(&stray.question).iter().filter(|seen| seen.is_answer());
        let finding = self
            .finding(stray.code)
            .with("typed", Argument::Name(stray.question.name.clone()))
            .with("record", shown(&stray.text))
            .proven_by(&stray.question, there);
        // What stands at the domain above may be that one's own, so that its senders need not be this one's.
        let is_of_above = stray.code == Code::SpfLabelMissing;
        let text = str::from_utf8(&stray.text).ok().filter(|text| !is_of_above && parse(text.as_bytes()).is_ok());
        self.with_new_record(finding, Some(text.unwrap_or(BARE_RECORD)))
    }

    /// Says that the strings of a record were cut at a blank that was lost.
    fn split(&self, text: &[u8], record: &SpfRecord) -> Finding {
        self.with_new_record(self.finding(Code::SpfSplitWrong).with("record", shown(text)), Some(&record.to_string()))
    }

    /// Judges the one record that the server has.
    fn view_of_one(&self, text: &[u8]) -> View {
        let cut =
            || -> Vec<CutRecord> { cut_records(self.seen).into_iter().filter(|(joined, _)| joined == text).collect() };
        let own = match parse(text) {
            Ok(own) => own,
            Err(error) => {
                if let Some((text, record)) = split_wrong(&cut(), |_| true) {
                    return View::Wrong(Box::new(self.split(&text, &record)));
                }
                let broken = self
                    .finding(Code::SpfSyntax)
                    .with("record", shown(text))
                    .with("column", Argument::Number(u64::try_from(error.column).unwrap_or(u64::MAX)))
                    .with("term", Argument::Text(error.term))
                    .with("problem", Argument::Text(error.kind.to_string()));
                return View::Wrong(Box::new(broken));
            }
        };
        match search(self.evidence, &self.record.name, &own, self.include) {
            Search::Found => {
                let mut notes = lint::of_record(&Subject::from(self.record), &own);
                notes.extend(self.alias());
                View::Right(notes)
            }
            Search::Open(questions) => View::Unknown(questions),
            Search::Missing => {
                if let Some((text, record)) =
                    split_wrong(&cut(), |record| record.includes().any(|it| it == *self.include))
                {
                    return View::Wrong(Box::new(self.split(&text, &record)));
                }
                let finding = self.finding(Code::SpfMissingInclude).with("record", Argument::Text(own.to_string()));
                let mut missing = self.with_new_record(finding, Some(&own.to_string()));
                let dynamic = dynamic_targets(&own);
                if !dynamic.is_empty() {
                    missing = missing
                        .with_severity(Severity::Notice)
                        .with("depends_on_message", Argument::Text(dynamic.join(" ")));
                }
                View::Wrong(Box::new(missing))
            }
        }
    }

    /// Tells that the record is had over an alias of the sender domain; of other names, others tell it.
    fn alias(&self) -> Option<Finding> {
        let is_apex = self.evidence.zone_of(&self.record.name).is_none_or(|cut| cut.zone == self.record.name);
        match self.seen.response()? {
            Response::Alias(alias) if alias.dname.is_none() && !is_apex && self.record.kind == RecordKind::Spf => {
                let target = alias.links.first()?.target.clone();
                Some(Finding::new(Code::SpfAsCname, self.record).with("target", Argument::Name(target)))
            }
            _ => None,
        }
    }
}

/// Returns a text for an argument.
fn shown(text: &[u8]) -> Argument {
    Argument::Text(text.escape_ascii().to_string())
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

/// Returns the names of the other records whose senders pass here too, where they do not depend on the message.
fn targets(record: &SpfRecord) -> impl Iterator<Item = Name> {
    record.live_terms().filter_map(|term| target(&term.kind)).filter_map(DomainSpec::name)
}

/// Looks for `include` in the record of `owner` and in the records that it leads to, the nearer ones first.
///
/// At most ten records are read, each once, so that loops end; what cannot be read has nothing in it. What a receiver
/// would not come to any more is not there.
fn search(evidence: &Evidence, owner: &Name, own: &SpfRecord, include: &Name) -> Search {
    // Most records name what they should include themselves.
    if targets(own).any(|name| name == *include) {
        return Search::Found;
    }
    let mut seen = BTreeSet::from([owner.clone()]);
    let mut waiting: VecDeque<Name> = VecDeque::new();
    let mut open = BTreeSet::new();
    let (mut is_open, mut lookups) = (false, 0);
    let mut current = Some(own.clone());
    loop {
        if let Some(record) = current.take() {
            let targets: Vec<Name> = targets(&record).collect();
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
