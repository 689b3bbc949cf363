//! One finding with all that its words need, and the forms that most remedies have.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Evidence;
use crate::expectation::{Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::{Argument, Finding, Subject};
use crate::records::txt;
use crate::remedy::place::Place;
use crate::remedy::words::{quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The most steps that are told one by one: a hostile zone can have thousands of records to delete.
const MAX_STEPS: usize = 24;

/// A finding and what is around it.
pub(super) struct Case<'a> {
    /// The finding.
    pub(super) finding: &'a Finding,
    /// What was expected.
    pub(super) expectation: &'a Expectation,
    /// What was seen.
    pub(super) evidence: &'a Evidence,
    /// The name that the finding is about: of the record, the zone or the domain; of a server, its zone.
    pub(super) owner: &'a Name,
    /// What the record is for, where the finding is about one.
    pub(super) kind: Option<RecordKind>,
    /// Where the records of that name are kept.
    pub(super) place: Place,
}

impl<'a> Case<'a> {
    /// Looks up what is around a finding.
    pub(super) fn new(finding: &'a Finding, expectation: &'a Expectation, evidence: &'a Evidence) -> Self {
        let (owner, kind) = match &finding.subject {
            Subject::Domain(name) | Subject::Zone(name) | Subject::Server { zone: name, .. } => (name, None),
            Subject::Record { kind, name } => (name, Some(*kind)),
        };
        Self { finding, expectation, evidence, owner, kind, place: Place::of(owner, evidence) }
    }

    /// Returns a name among the arguments.
    pub(super) fn name(&self, key: &str) -> Option<&'a Name> {
        match self.finding.arguments.get(key)? {
            Argument::Name(name) => Some(name),
            Argument::Names(names) => names.first(),
            Argument::Addresses(_) | Argument::Number(_) | Argument::Text(_) => None,
        }
    }

    /// Returns the names of an argument; empty where it is not there.
    pub(super) fn names(&self, key: &str) -> &'a [Name] {
        match self.finding.arguments.get(key) {
            Some(Argument::Names(names)) => names,
            Some(Argument::Name(name)) => std::slice::from_ref(name),
            _ => &[],
        }
    }

    /// Returns the addresses of an argument; empty where it is not there.
    pub(super) fn addresses(&self) -> &'a [IpAddr] {
        match self.finding.arguments.get("addresses") {
            Some(Argument::Addresses(addresses)) => addresses,
            _ => &[],
        }
    }

    /// Returns a number among the arguments.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        match self.finding.arguments.get(key)? {
            Argument::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns a text among the arguments, as it is.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        match self.finding.arguments.get(key)? {
            Argument::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Shows an argument that may be a name or a text.
    pub(super) fn shown(&self, key: &str) -> Option<String> {
        self.text(key).map(quoted).or_else(|| self.name(key).map(shown))
    }

    /// Returns the expected record that the finding is about.
    pub(super) fn record(&self) -> Option<&'a ExpectedRecord> {
        let mut records = self.expectation.records.iter();
        records.find(|record| Some(record.kind) == self.kind && record.name == *self.owner)
    }

    /// Returns the target that the record's CNAME should have.
    pub(super) fn target(&self) -> Option<&'a Name> {
        match self.record().map(|record| &record.expected) {
            Some(Expected::Cname(target)) => Some(target),
            _ => self.name("expected"),
        }
    }

    /// Returns the texts of the TXT records at the name, at all servers; sorted, without duplicates.
    pub(super) fn texts(&self) -> Vec<Vec<u8>> {
        let question = Question::new(self.owner.clone(), RecordType::TXT);
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for seen in self.evidence.observations(&question) {
            let rrset = match seen.response() {
                Some(Response::Answer(answer)) => Some(&answer.rrset),
                Some(Response::Alias(alias)) => alias.rrset.as_ref(),
                _ => None,
            };
            texts.extend(rrset.into_iter().flat_map(|rrset| rrset.data()).filter_map(|data| match data {
                Rdata::Txt(strings) => Some(txt::join(strings)),
                _ => None,
            }));
        }
        texts.sort();
        texts.dedup();
        texts
    }

    /// Makes a step at the panel that serves the name.
    pub(super) fn step(&self, action: Action, record_type: &str, value: Option<String>) -> Step {
        Step { action, host: self.place.host(self.owner), record_type: record_type.to_owned(), value }
    }

    /// Returns the provider's own sentence for this finding.
    pub(super) fn gotcha(&self) -> Option<String> {
        self.place.panel().gotcha(self.finding.code.as_str()).map(str::to_owned)
    }

    /// Puts a remedy together: what is wrong, the steps at the panel that serves the name, and what
    /// that provider's users should know.
    ///
    /// Of very many steps the first ones and the last one are told, and how many records more there are to delete.
    pub(super) fn at_panel(&self, what: String, mut steps: Vec<Step>) -> Remedy {
        let left_out = steps.len().saturating_sub(MAX_STEPS);
        // The last one says what is added or stays.
        let last = steps.pop_if(|_| left_out > 0);
        steps.truncate(MAX_STEPS - usize::from(last.is_some()));
        steps.extend(last);
        let rest = (left_out > 0).then(|| format!("Delete the {left_out} other records of the kind there too."));
        let sentences =
            [Some(what), Some(self.place.tell(&steps)), rest, self.gotcha(), self.place.usual_time_of(&steps)];
        Remedy { provider: self.place.provider_id(), text: join(sentences), steps }
    }

    /// Puts a remedy together that has nothing to be typed at a panel.
    pub(super) fn advise(&self, what: String, advice: String) -> Remedy {
        let sentences = [Some(what), Some(advice), self.gotcha()];
        Remedy { provider: self.place.provider_id(), text: join(sentences), steps: Vec::new() }
    }
}

/// Joins sentences, leaving out what is empty.
pub(super) fn join(sentences: impl IntoIterator<Item = Option<String>>) -> String {
    let said: Vec<String> = sentences.into_iter().flatten().filter(|sentence| !sentence.is_empty()).collect();
    said.join(" ")
}
