//! Reads the words of the engine's closed lists back from a report.

use serde::de::{Deserialize, Deserializer, Error};

use crate::expectation::RecordKind;
use crate::findings::{Code, RecordStatus, Severity};

/// All kinds of records.
const KINDS: &[RecordKind] = RecordKind::ALL;
/// All severities.
const SEVERITIES: &[Severity] = &[Severity::Error, Severity::Warning, Severity::Notice, Severity::Info];
/// All statuses of a record.
const STATUSES: &[RecordStatus] = &[
    RecordStatus::Ok,
    RecordStatus::Inconsistent,
    RecordStatus::Absent,
    RecordStatus::Wrong,
    RecordStatus::UnableToCheck,
];

/// Finds a word in a closed list.
fn find<T: Copy, E: Error>(list: &[T], word: &str, as_str: impl Fn(T) -> &'static str) -> Result<T, E> {
    let found = list.iter().copied().find(|each| as_str(*each) == word);
    found.ok_or_else(|| E::custom(format!("{word:?} is no word of this version of the report")))
}

/// Reads a code.
pub(super) fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    find(Code::ALL, &String::deserialize(from)?, Code::as_str)
}

/// Reads a code or null.
pub(super) fn optional_code<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Code>, D::Error> {
    let word = Option::<String>::deserialize(from)?;
    word.map(|word| find(Code::ALL, &word, Code::as_str)).transpose()
}

/// Reads the kind of a record.
pub(super) fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<RecordKind, D::Error> {
    find(KINDS, &String::deserialize(from)?, RecordKind::as_str)
}

/// Reads the kind of a record or null.
pub(super) fn optional_kind<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RecordKind>, D::Error> {
    let word = Option::<String>::deserialize(from)?;
    word.map(|word| find(KINDS, &word, RecordKind::as_str)).transpose()
}

/// Reads a severity.
pub(super) fn severity<'de, D: Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
    find(SEVERITIES, &String::deserialize(from)?, Severity::as_str)
}

/// Reads the status of a record.
pub(super) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<RecordStatus, D::Error> {
    find(STATUSES, &String::deserialize(from)?, RecordStatus::as_str)
}
