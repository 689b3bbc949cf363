//! What each answering server makes of an expected TXT record, and what they make of it together.

use crate::dns::rrset::Record;
use crate::evidence::{Evidence, Observation};
use crate::expectation::ExpectedRecord;
use crate::findings::catalogue::Code;
use crate::findings::finding::{Finding, JudgedRecord, RecordStatus};
use crate::findings::status::standing;

/// What a record comes to at one answering server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum View {
    /// It is right; the findings are worth knowing all the same.
    Right(Vec<Finding>),
    /// It is not right, for this.
    Wrong(Box<Finding>),
    /// The server's word leads on to something that cannot be known.
    Unknown,
}

/// Says whether a code means that nothing is there.
fn is_absence(code: Code) -> bool {
    matches!(code, Code::SpfAbsent | Code::DmarcAbsent | Code::MxInboundAbsent | Code::MailfromMxAbsent)
}

/// What a record comes to at all its servers.
#[derive(Clone, Debug)]
pub(super) struct Views<'r, 'e> {
    /// The record.
    record: &'r ExpectedRecord,
    /// Who has it right, with what is worth knowing.
    right: Vec<(&'e Observation, Vec<Finding>)>,
    /// Who has it wrong, and how.
    wrong: Vec<(&'e Observation, Finding)>,
    /// Whether half of the addresses asked are among the two at least.
    is_checkable: bool,
}

impl<'r, 'e> Views<'r, 'e> {
    /// Reads what every server said; one whose word leads to what cannot be known counts as not answering.
    ///
    /// Two servers that say the same are of one view, so that it is not formed anew.
    pub(super) fn read(
        evidence: &'e Evidence,
        record: &'r ExpectedRecord,
        view: impl Fn(&Observation) -> View,
    ) -> Self {
        let standing = standing(evidence, &record.question(), |_| true);
        let mut views = Self { record, right: Vec::new(), wrong: Vec::new(), is_checkable: false };
        let mut last: Option<(&Observation, View)> = None;
        for seen in standing.answering() {
            // Most servers say what the one before said.
            let known = last.take().filter(|(other, _)| other.response() == seen.response());
            let (_, formed) = last.insert(known.unwrap_or_else(|| (seen, view(seen))));
            match formed.clone() {
                View::Right(notes) => views.right.push((seen, notes)),
                View::Wrong(finding) => views.wrong.push((seen, *finding)),
                View::Unknown => {}
            }
        }
        let known = views.right.len() + views.wrong.len();
        views.is_checkable = standing.is_checkable() && known > 0 && known * 2 >= standing.asked();
        views
    }

    /// Returns who says what is known, those who have it right first.
    pub(super) fn answering(&self) -> Vec<&'e Observation> {
        let right = self.right.iter().map(|(seen, _)| *seen);
        right.chain(self.wrong.iter().map(|(seen, _)| *seen)).collect()
    }

    /// Returns who has it wrong.
    pub(super) fn wrong(&self) -> Vec<&'e Observation> {
        self.wrong.iter().map(|(seen, _)| *seen).collect()
    }

    /// Returns the code of what is wrong, where all servers that have it wrong agree on it.
    fn shared_code(&self) -> Option<Code> {
        let mut codes = self.wrong.iter().map(|(_, finding)| finding.code);
        let first = codes.next()?;
        codes.all(|code| code == first).then_some(first)
    }

    /// Returns the status and the code that goes with it.
    pub(super) fn status(&self) -> (RecordStatus, Option<Code>) {
        if !self.is_checkable {
            return (RecordStatus::UnableToCheck, Some(Code::UnableToCheck));
        }
        match (self.right.is_empty(), self.wrong.is_empty(), self.shared_code()) {
            (_, true, _) => (RecordStatus::Ok, None),
            (true, false, Some(code)) if is_absence(code) => (RecordStatus::Absent, Some(code)),
            (true, false, Some(code)) => (RecordStatus::Wrong, Some(code)),
            (..) => (RecordStatus::Inconsistent, Some(Code::InconsistentServers)),
        }
    }

    /// Judges the record.
    pub(super) fn judged(&self, found: Vec<Record>) -> JudgedRecord {
        let (status, code) = self.status();
        JudgedRecord { record: self.record.clone(), status, code, is_right_somewhere: !self.right.is_empty(), found }
    }

    /// Returns what was found, each code once and proven by all who say so: what is wrong, or what is worth knowing of a
    /// right record. Nothing where servers differ or too few answer, which others tell.
    ///
    /// Of several texts for one code the first in order of arguments is told.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let said: Vec<(&Observation, &Finding)> = match self.status().0 {
            RecordStatus::Ok => {
                self.right.iter().flat_map(|(seen, notes)| notes.iter().map(|note| (*seen, note))).collect()
            }
            RecordStatus::Absent | RecordStatus::Wrong => {
                self.wrong.iter().map(|(seen, finding)| (*seen, finding)).collect()
            }
            RecordStatus::Inconsistent | RecordStatus::UnableToCheck => Vec::new(),
        };
        let mut codes: Vec<Code> = said.iter().map(|(_, finding)| finding.code).collect();
        codes.sort();
        codes.dedup();
        let told = codes.into_iter().filter_map(|code| {
            let of_code = || said.iter().filter(move |(_, finding)| finding.code == code);
            let &(_, first) =
                of_code().min_by(|(_, a), (_, b)| (&a.arguments, a.severity).cmp(&(&b.arguments, b.severity)))?;
            Some(Finding::clone(first).proven_by(&self.record.question(), of_code().map(|(seen, _)| *seen)))
        });
        told.collect()
    }
}
