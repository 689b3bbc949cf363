//! The DMARC policy of the domain: its own, or that of a domain above by the tree walk (RFC 9989 §4.10).

mod alignment;
mod around;
pub mod assess;
mod author;
mod told;

use std::collections::BTreeSet;

use crate::dns::rrset::Question;
use crate::evidence::Evidence;
use crate::expectation::{Depth, Expectation, ExpectedRecord, RecordKind};
use crate::findings::catalogue::Code;
use crate::findings::delegation::not_registered;
pub use crate::findings::dmarc::alignment::Legs;
use crate::findings::dmarc::author::{Author, is_meant, txt};
use crate::findings::finding::{Finding, JudgedRecord};
use crate::findings::txt::records_found;
use crate::findings::view::Views;

/// Judges the DMARC records that are expected, in the expectation's order.
///
/// Right is a policy that receivers use, the domain's own or one above. A record at the domain's own name that
/// receivers cannot use is wrong, whatever applies in its place. Where a name of the tree walk could not be asked and
/// the policy may hang on it, nothing is known.
///
/// Arguments: `name`, where the record in question stands or belongs; with `dmarc_inherited` `inherited_from`, `policy`
/// (what receivers apply) and `tag` (where it comes from); with `dmarc_syntax` `record` and `problem`; with
/// `dmarc_multiple` `count`; with `dmarc_wrong_place` `typed`, where the record stands; the others as in [`told`] and
/// [`around`].
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Dmarc) {
        let author = Author::new(expectation, evidence, record);
        let views = author.views();
        let own = evidence.observations(&record.question());
        let mut told = views.findings();
        told.extend(author.further(&views).0);
        let elsewhere = told.iter().filter_map(|finding| match finding.code {
            Code::DmarcInherited => finding.name("name"),
            Code::DmarcWrongPlace => finding.name("typed"),
            _ => None,
        });
        let elsewhere = elsewhere.flat_map(|name| evidence.observations(&txt(name)));
        records.push(views.judged(records_found(own.iter().chain(elsewhere), is_meant)));
        findings.extend(told);
    }
    (records, findings)
}

/// Returns the questions that it still takes to know whose policy applies; sorted, each once, empty where everything
/// is known or was asked in vain.
///
/// Names of registries come last, and only where none below them has a policy.
#[must_use]
pub fn names_still_needed(expectation: &Expectation, evidence: &Evidence) -> Vec<Question> {
    if not_registered(expectation, evidence).is_some() {
        return Vec::new();
    }
    let mut needed = BTreeSet::new();
    for record in expectation.of_kind(RecordKind::Dmarc) {
        let author = Author::new(expectation, evidence, record);
        needed.extend(author.walk_needed());
        // At depth quick a policy that all servers have costs no more questions.
        if needed.is_empty() && (expectation.depth == Depth::Full || !author.has_own_everywhere()) {
            needed.extend(author.further(&author.views()).1);
        }
    }
    needed.into_iter().collect()
}

/// Returns those of [`names_still_needed`] that the tree walk takes; sorted, each once.
///
/// One server's word that there is no policy here is enough to want the names above, so that more servers' words make
/// these names no fewer.
#[must_use]
pub fn walk_still_needed(expectation: &Expectation, evidence: &Evidence) -> Vec<Question> {
    if not_registered(expectation, evidence).is_some() {
        return Vec::new();
    }
    let walks = expectation.of_kind(RecordKind::Dmarc).map(|record| Author::new(expectation, evidence, record));
    let needed: BTreeSet<Question> = walks.flat_map(|author| author.walk_needed()).collect();
    needed.into_iter().collect()
}

/// Reads what every server says of the record.
pub(super) fn views<'r, 'e>(
    expectation: &'r Expectation,
    evidence: &'e Evidence,
    record: &'r ExpectedRecord,
) -> Views<'r, 'e> {
    Author::new(expectation, evidence, record).views()
}

#[cfg(test)]
mod tests;
