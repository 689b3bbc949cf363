//! One word for a domain, by a truth table over its required records.

use serde::{Deserialize, Serialize};

use crate::findings::{JudgedRecord, RecordStatus};

/// How a domain stands.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every required record is right at every server that answers.
    Ready,
    /// Every required record is right at one server or more, and not yet at all.
    Propagating,
    /// Some required record is right somewhere, and another nowhere.
    Partial,
    /// No required record is right anywhere.
    Failing,
    /// A required record could not be checked, so that nothing is said.
    #[default]
    Indeterminate,
}

impl Verdict {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Propagating => "propagating",
            Self::Partial => "partial",
            Self::Failing => "failing",
            Self::Indeterminate => "indeterminate",
        }
    }

    /// Judges a domain by its required records; the first rule that matches wins.
    ///
    /// | the required records | verdict |
    /// |---|---|
    /// | any could not be checked | indeterminate |
    /// | any in a zone whose signatures are proven bogus | failing |
    /// | all right at all servers that answer | ready |
    /// | each right at one server or more | propagating |
    /// | any right somewhere | partial |
    /// | else, as where the domain is not registered | failing |
    ///
    /// Without a required record nothing is proven, so that the verdict is indeterminate.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a JudgedRecord>, is_bogus: bool) -> Self {
        let required: Vec<&JudgedRecord> = records.into_iter().filter(|judged| judged.record.is_required).collect();
        let is_ok = |judged: &JudgedRecord| judged.status == RecordStatus::Ok;
        let is_right_somewhere = |judged: &JudgedRecord| is_ok(judged) || judged.is_right_somewhere;
        if required.is_empty() || required.iter().any(|judged| judged.status == RecordStatus::UnableToCheck) {
            Self::Indeterminate
        } else if is_bogus {
            Self::Failing
        } else if required.iter().all(|judged| is_ok(judged)) {
            Self::Ready
        } else if required.iter().all(|judged| is_right_somewhere(judged)) {
            Self::Propagating
        } else if required.iter().any(|judged| is_right_somewhere(judged)) {
            Self::Partial
        } else {
            Self::Failing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation, RecordKind};

    /// Judges three DKIM records and an SPF record, each by a letter: `o` right everywhere, `i` right at some servers,
    /// `d` at none though they differ, `w` wrong, `p` wrong with one server right, `a` absent, `u` could not be checked.
    fn verdict_of(letters: &str, required: &[RecordKind], is_bogus: bool) -> Verdict {
        let expectation = Expectation::new("example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
        let records = expectation.require(required).records;
        let judged: Vec<JudgedRecord> = records
            .into_iter()
            .zip(letters.chars())
            .map(|(record, letter)| {
                let (status, is_right_somewhere) = match letter {
                    'o' => (RecordStatus::Ok, true),
                    'i' => (RecordStatus::Inconsistent, true),
                    'd' => (RecordStatus::Inconsistent, false),
                    'w' => (RecordStatus::Wrong, false),
                    'p' => (RecordStatus::Wrong, true),
                    'a' => (RecordStatus::Absent, false),
                    'u' => (RecordStatus::UnableToCheck, false),
                    other => panic!("{other}"),
                };
                JudgedRecord { record, status, code: None, is_right_somewhere, found: Vec::new() }
            })
            .collect();
        Verdict::of(&judged, is_bogus)
    }

    /// Judges them where nothing is bogus.
    fn verdict(letters: &str, required: &[RecordKind]) -> Verdict {
        verdict_of(letters, required, false)
    }

    #[test]
    fn what_validators_refuse_fails_unless_nothing_is_known() {
        for letters in ["oooo", "iooo", "aaao"] {
            assert_eq!(verdict_of(letters, &[], true), Verdict::Failing, "{letters}");
        }
        assert_eq!(verdict_of("ouoo", &[], true), Verdict::Indeterminate);
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        for (letters, expected) in [
            ("oooo", Verdict::Ready),
            ("oooa", Verdict::Ready),
            ("ooou", Verdict::Ready),
            ("iooo", Verdict::Propagating),
            ("iiio", Verdict::Propagating),
            ("poio", Verdict::Propagating),
            ("ooao", Verdict::Partial),
            ("odoo", Verdict::Partial),
            ("iawo", Verdict::Partial),
            ("wwio", Verdict::Partial),
            ("aaao", Verdict::Failing),
            ("wado", Verdict::Failing),
            ("aaai", Verdict::Failing),
            ("oouo", Verdict::Indeterminate),
            ("uaao", Verdict::Indeterminate),
            ("uuuu", Verdict::Indeterminate),
            ("", Verdict::Indeterminate),
        ] {
            assert_eq!(verdict(letters, &[]), expected, "{letters}");
        }
    }

    #[test]
    fn what_is_required_moves_the_verdict() {
        for (letters, expected) in [
            ("oooo", Verdict::Ready),
            ("oooi", Verdict::Propagating),
            ("oooa", Verdict::Partial),
            ("aaai", Verdict::Partial),
            ("aaaw", Verdict::Failing),
            ("ooou", Verdict::Indeterminate),
        ] {
            assert_eq!(verdict(letters, &[RecordKind::Spf]), expected, "{letters}");
        }
    }
}
