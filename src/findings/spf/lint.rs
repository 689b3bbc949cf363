//! What is worth mending in an SPF record that works, and in the tree of records under it.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, RecordType};
use crate::expectation::SES_SPF_INCLUDE;
use crate::findings::catalogue::Code;
use crate::findings::finding::{Argument, Finding, Subject};
use crate::findings::spf::slip::unwrapped;
use crate::records::spf::evaluation::{Answer, MAX_LOOKUPS, MAX_VOID_LOOKUPS};
use crate::records::spf::survey::Survey;
use crate::records::spf::{Mechanism, Qualifier, SpfRecord, TermKind, is_spf, merge, parse};
use crate::records::txt::join;

/// Looks over one record: takes no questions. Arguments: `record`, and `new_record` where a program can mend it.
pub(super) fn of_record(subject: &Subject, own: &SpfRecord) -> Vec<Finding> {
    let finding = |code: Code| Finding::new(code, subject.clone()).with("record", Argument::Text(own.to_string()));
    let mended = |code: Code| finding(code).with("new_record", Argument::Text(own.tidied()));
    let all_at = own.terms().iter().position(|term| term.kind.is_all());
    let is_directive = |kind: &TermKind| matches!(kind, TermKind::Directive(..));
    let mut findings = Vec::new();
    if all_at.is_some() && own.redirect().is_some() {
        findings.push(mended(Code::SpfRedirectWithAll));
    }
    let mut behind_all = own.terms().iter().skip(all_at.map_or(usize::MAX, |at| at.saturating_add(1)));
    if behind_all.any(|term| is_directive(&term.kind)) {
        findings.push(mended(Code::SpfTermsAfterAll));
    }
    if own.live_terms().any(|term| matches!(term.kind, TermKind::Directive(_, Mechanism::Ptr(_)))) {
        findings.push(finding(Code::SpfPtr));
    }
    match own.all() {
        Some(Qualifier::Pass) => findings.push(mended(Code::SpfPlusAll)),
        Some(Qualifier::Neutral) => findings.push(mended(Code::SpfNeutralAll)),
        None if own.redirect().is_none() => findings.push(mended(Code::SpfNoAll)),
        _ => {}
    }
    findings
}

/// Looks over the tree of records. Arguments: `lookups`, `heaviest` and `branches` with `spf_too_many_lookups`, else
/// the `names` that it is about.
pub(super) fn of_tree(subject: &Subject, survey: &Survey) -> Vec<Finding> {
    let mut findings = Vec::new();
    if survey.lookups > MAX_LOOKUPS {
        let branches: Vec<String> =
            survey.branches.iter().map(|branch| format!("{} ({})", branch.term, branch.lookups)).collect();
        let mut finding = Finding::new(Code::SpfTooManyLookups, subject.clone())
            .with("lookups", Argument::Number(survey.lookups.into()))
            .with("branches", Argument::Text(branches.join(", ")));
        if let Some(heaviest) = survey.heaviest() {
            finding = finding.with("heaviest", Argument::Text(heaviest.term.clone()));
        }
        findings.push(finding);
    }
    let about =
        |code: Code, names: Vec<Name>| Finding::new(code, subject.clone()).with("names", Argument::Names(names));
    if !survey.loops.is_empty() {
        findings.push(about(Code::SpfLoop, survey.loops.clone()));
    }
    if !survey.dead.is_empty() {
        findings.push(about(Code::SpfIncludeDead, survey.dead.clone()));
    }
    if u32::try_from(survey.voids.len()).is_ok_and(|voids| voids > MAX_VOID_LOOKUPS) {
        let names: BTreeSet<Name> = survey.voids.iter().map(|question| question.name.clone()).collect();
        findings.push(about(Code::SpfVoid, names.into_iter().collect()));
    }
    findings
}

/// Says that a record does not lead to Amazon SES.
fn without_include(subject: Subject, own: &SpfRecord) -> Finding {
    let finding = Finding::new(Code::SpfMissingInclude, subject).with("record", Argument::Text(own.to_string()));
    match SES_SPF_INCLUDE.parse() {
        Ok(include) => finding.with("new_record", Argument::Text(own.with_include(&include))),
        Err(_) => finding,
    }
}

/// What a look at one domain's record came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Review {
    /// What is not answered yet; empty where the findings are complete.
    pub wanted: Vec<Question>,
    /// The findings, in order of severity and precedence.
    pub findings: Vec<Finding>,
}

/// Looks over the SPF record of a domain and the tree under it, with what `answer` knows.
///
/// Where the DNS fails nothing is said: a record that could not be read is not missing.
pub fn review(domain: &Name, answer: &mut dyn FnMut(&Question) -> Option<Answer>) -> Review {
    let question = Question::new(domain.clone(), RecordType::TXT);
    let texts: Vec<Vec<u8>> = match answer(&question) {
        None => return Review { wanted: vec![question], findings: Vec::new() },
        Some(Answer::Failed) => return Review::default(),
        Some(Answer::NxDomain) => Vec::new(),
        Some(Answer::Records(records)) => records
            .iter()
            .filter_map(|rdata| match rdata {
                Rdata::Txt(strings) => Some(join(strings)),
                _ => None,
            })
            .collect(),
    };
    let (texts, others): (Vec<Vec<u8>>, Vec<Vec<u8>>) = texts.into_iter().partition(|text| is_spf(text));
    let subject = Subject::Domain(domain.clone());
    let parsed: Result<Vec<SpfRecord>, _> = texts.iter().map(|text| parse(text)).collect();
    let mut review = Review::default();
    match parsed {
        Err(error) => review.findings.push(
            Finding::new(Code::SpfSyntax, subject)
                .with("column", Argument::Number(u64::try_from(error.column).unwrap_or(u64::MAX)))
                .with("term", Argument::Text(error.term))
                .with("problem", Argument::Text(error.kind.to_string())),
        ),
        Ok(records) => match records.as_slice() {
            [] => {
                let wrapped = others.iter().find(|text| unwrapped(text).is_some());
                review.findings.push(match wrapped {
                    Some(text) => Finding::new(Code::SpfLeadingSpaceOrQuote, subject)
                        .with("record", Argument::Text(text.escape_ascii().to_string())),
                    None => Finding::new(Code::SpfAbsent, subject),
                });
            }
            [own] => {
                let taken: Vec<Name> = Name::parse(SES_SPF_INCLUDE).into_iter().collect();
                let survey = Survey::over(domain, own, &taken, answer);
                review.findings = of_record(&subject, own);
                review.findings.extend(of_tree(&subject, &survey));
                if survey.is_whole && !survey.reaches_taken && survey.wanted.is_empty() {
                    review.findings.push(without_include(subject, own));
                }
                review.wanted = survey.wanted;
            }
            several => {
                let finding = Finding::new(Code::SpfMultiple, subject);
                let merged = merge(several).map(Argument::Text);
                review.findings.push(match merged {
                    Some(merged) => finding.with("new_record", merged),
                    None => finding,
                });
            }
        },
    }
    review.findings.sort_by(|one, other| one.rank().cmp(&other.rank()));
    review
}
