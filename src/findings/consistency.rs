//! Servers of one zone that differ about a record.

use std::collections::{BTreeMap, BTreeSet};

use crate::dns::name::Name;
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Expectation, ExpectedRecord, RecordKind};
use crate::findings::catalogue::Code;
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus};
use crate::findings::view::Views;
use crate::findings::{dkim, dmarc, exchange, spf};

/// Finds the records whose servers differ, one finding for each kind of record.
///
/// It is about the first of the records in question; its arguments are `records`, the names of all of them, and
/// `servers` and `addresses`, those that answer without having it right, and `ok` of `of`, how many of the servers that
/// answer have that first record right at all their addresses. The proof quotes all that answer.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence, records: &[JudgedRecord]) -> Vec<Finding> {
    let mut by_kind: BTreeMap<&str, Vec<&ExpectedRecord>> = BTreeMap::new();
    for judged in records.iter().filter(|judged| judged.status == RecordStatus::Inconsistent) {
        by_kind.entry(judged.record.kind.as_str()).or_default().push(&judged.record);
    }
    by_kind.into_values().filter_map(|records| of_one_kind(expectation, evidence, records)).collect()
}

/// Makes one finding of the records of one kind.
fn of_one_kind(expectation: &Expectation, evidence: &Evidence, mut records: Vec<&ExpectedRecord>) -> Option<Finding> {
    records.sort();
    let first = *records.first()?;
    let (answering, wrong) = camps(expectation, evidence, first);
    let (all, not_right) = (server_names(&answering), server_names(&wrong));
    let mut finding = Finding::new(Code::InconsistentServers, first)
        .with("ok", number(all.difference(&not_right).count()))
        .with("of", number(all.len()));
    let (mut servers, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for record in &records {
        let (answering, wrong) = camps(expectation, evidence, record);
        servers.extend(wrong.iter().map(|seen| seen.server.clone()));
        addresses.extend(wrong.iter().map(|seen| seen.address));
        finding = finding.proven_by(&record.question(), answering);
    }
    let names = records.iter().map(|record| record.name.clone()).collect();
    Some(
        finding
            .with("records", Argument::Names(names))
            .with("servers", Argument::Names(servers.into_iter().collect()))
            .with("addresses", Argument::Addresses(addresses.into_iter().collect())),
    )
}

/// Returns the names of the servers, each once.
fn server_names<'e>(seen: &[&'e Observation]) -> BTreeSet<&'e Name> {
    seen.iter().map(|seen| &seen.server).collect()
}

/// Returns the servers that answer the question of a record, and those of them that do not have it right.
fn camps<'e>(
    expectation: &Expectation,
    evidence: &'e Evidence,
    record: &ExpectedRecord,
) -> (Vec<&'e Observation>, Vec<&'e Observation>) {
    let of = |views: Views<'_, 'e>| (views.answering().collect(), views.dissenting().collect());
    match record.kind {
        RecordKind::Dkim => {
            let standing = dkim::record_standing(evidence, record);
            (standing.answering().collect(), standing.other)
        }
        RecordKind::Spf | RecordKind::MailFromSpf => of(spf::views(evidence, record)),
        RecordKind::Dmarc => of(dmarc::views(expectation, evidence, record)),
        RecordKind::Mx | RecordKind::MailFromMx => of(exchange::views(expectation, evidence, record)),
    }
}

/// Makes an argument of a count.
fn number(count: usize) -> Argument {
    Argument::Number(u64::try_from(count).unwrap_or(u64::MAX))
}
