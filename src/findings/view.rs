//! What each answering server makes of an expected TXT record, and what they make of it together.

use crate::dns::rrset::{Question, Record};
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
    /// The server's word leads on to something that is not known: it takes these questions, or none where they were asked
    /// in vain.
    Unknown(Vec<Question>),
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
    /// The views, in the order in which they were formed.
    formed: Vec<View>,
    /// Who answers, each with the number of the view.
    said: Vec<(&'e Observation, usize)>,
    /// Whether half of the addresses asked have it right or wrong at least.
    is_checkable: bool,
}

impl<'r, 'e> Views<'r, 'e> {
    /// Reads what every server said; one whose word leads to what cannot be known counts as not answering.
    ///
    /// Servers that say the same one after the other, as most do, are of one view, so that it is not formed anew.
    pub(super) fn read(
        evidence: &'e Evidence,
        record: &'r ExpectedRecord,
        view: impl Fn(&Observation) -> View,
    ) -> Self {
        // All that answer are in one camp here.
        let standing = standing(evidence, &record.question(), |_| true);
        let mut formed: Vec<View> = Vec::new();
        let mut said: Vec<(&Observation, usize)> = Vec::with_capacity(standing.right.len());
        for same in standing.right.chunk_by(|one, next| one.says_the_same_as(next)) {
            said.extend(same.iter().map(|seen| (*seen, formed.len())));
            formed.extend(same.first().map(|seen| view(seen)));
        }
        let mut views = Self { record, formed, said, is_checkable: false };
        let known = views.right().count() + views.wrong().count();
        views.is_checkable = standing.is_checkable() && known > 0 && known * 2 >= standing.asked();
        views
    }

    /// Iterates over who answers, each with the view.
    fn each(&self) -> impl Iterator<Item = (&'e Observation, &View)> {
        self.said.iter().filter_map(|(seen, number)| Some((*seen, self.formed.get(*number)?)))
    }

    /// Iterates over who has it right, with what is worth knowing.
    fn right(&self) -> impl Iterator<Item = (&'e Observation, &[Finding])> {
        self.each().filter_map(|(seen, view)| if let View::Right(notes) = view { Some((seen, &**notes)) } else { None })
    }

    /// Iterates over who has it wrong, and how.
    fn wrong(&self) -> impl Iterator<Item = (&'e Observation, &Finding)> {
        self.each()
            .filter_map(|(seen, view)| if let View::Wrong(finding) = view { Some((seen, &**finding)) } else { None })
    }

    /// Returns what it still takes to know what every server's word comes to; sorted, each once.
    pub(super) fn needed(&self) -> Vec<Question> {
        let open = self.formed.iter().filter_map(|view| if let View::Unknown(open) = view { Some(open) } else { None });
        let mut needed: Vec<Question> = open.flatten().cloned().collect();
        needed.sort();
        needed.dedup();
        needed
    }

    /// Iterates over who says what is known, those who have it right first.
    pub(super) fn answering(&self) -> impl Iterator<Item = &'e Observation> {
        self.right().map(|(seen, _)| seen).chain(self.wrong().map(|(seen, _)| seen))
    }

    /// Iterates over who has it wrong.
    pub(super) fn dissenting(&self) -> impl Iterator<Item = &'e Observation> {
        self.wrong().map(|(seen, _)| seen)
    }

    /// Returns the code of what is wrong, where all servers that have it wrong agree on it.
    fn shared_code(&self) -> Option<Code> {
        let mut codes = self.wrong().map(|(_, finding)| finding.code);
        let first = codes.next()?;
        codes.all(|code| code == first).then_some(first)
    }

    /// Returns the status and the code that goes with it.
    pub(super) fn status(&self) -> (RecordStatus, Option<Code>) {
        if !self.is_checkable {
            return (RecordStatus::UnableToCheck, Some(Code::UnableToCheck));
        }
        match (self.right().next().is_none(), self.wrong().next().is_none(), self.shared_code()) {
            (_, true, _) => (RecordStatus::Ok, None),
            (true, false, Some(code)) if is_absence(code) => (RecordStatus::Absent, Some(code)),
            (true, false, Some(code)) => (RecordStatus::Wrong, Some(code)),
            (..) => (RecordStatus::Inconsistent, Some(Code::InconsistentServers)),
        }
    }

    /// Judges the record.
    pub(super) fn judged(&self, found: Vec<Record>) -> JudgedRecord {
        let (status, code) = self.status();
        let is_right_somewhere = self.right().next().is_some();
        JudgedRecord { record: self.record.clone(), status, code, is_right_somewhere, found }
    }

    /// Returns what was found, each code once and proven by all who say so: what is wrong, or what is worth knowing of a
    /// right record. Nothing where servers differ or too few answer, which others tell.
    ///
    /// Of several texts for one code the first in order of arguments is told.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let said: Vec<(&Observation, &Finding)> = match self.status().0 {
            RecordStatus::Ok => {
                self.right().flat_map(|(seen, notes)| notes.iter().map(move |note| (seen, note))).collect()
            }
            RecordStatus::Absent | RecordStatus::Wrong => self.wrong().collect(),
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
