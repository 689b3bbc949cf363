//! What to publish, before anything is wrong: the records of a domain, in the words of its provider or in a form that a
//! machine reads.
//!
//! Reads the expectation and, where it was asked, the delegation. Checks nothing: a record may well be there already.

mod machine;
mod text;

pub use machine::{bind, cloudflare, route53, terraform};
pub use text::text;

use crate::dns::name::Name;
use crate::dns::rrset::RecordType;
use crate::evidence::Evidence;
use crate::expectation::{Expectation, Expected, RecordKind};
use crate::providers::Provider;
use crate::remedy::mail;
use crate::remedy::place::Place;

/// What a record holds.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    /// A CNAME to this name.
    Cname(Name),
    /// One text.
    Txt(String),
}

impl Content {
    /// Returns the type of the record.
    fn record_type(&self) -> RecordType {
        match self {
            Self::Cname(_) => RecordType::CNAME,
            Self::Txt(_) => RecordType::TXT,
        }
    }

    /// Writes the content as master files and most programs have it: names end with a dot, text stands in quotation
    /// marks (RFC 1035 §5.1).
    fn to_presentation(&self) -> String {
        match self {
            Self::Cname(target) => target.to_string(),
            Self::Txt(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// One record to publish.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// What it is for.
    kind: RecordKind,
    /// The owner name.
    name: Name,
    /// What it holds.
    content: Content,
    /// Where its name's records are kept.
    place: Place,
}

impl Entry {
    /// Says whether it is advice only, since the domain may have such a record, and other senders in it.
    fn is_suggestion(&self) -> bool {
        self.kind != RecordKind::Dkim
    }
}

/// All that is to be published for one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The sender domain.
    domain: Name,
    /// The name below which the targets lie.
    dkim_zone: Name,
    /// The records, in the expectation's order.
    entries: Vec<Entry>,
}

impl Publication {
    /// Writes down what `expectation` wants, at the places that `evidence` knows of.
    #[must_use]
    pub fn new(expectation: &Expectation, evidence: &Evidence) -> Self {
        let entries = expectation.records.iter().filter_map(|record| {
            let content = if let Expected::Cname(target) = &record.expected {
                Content::Cname(target.clone())
            } else if let Expected::SpfInclude(domain) = &record.expected {
                Content::Txt(format!("v=spf1 include:{} ~all", domain.to_text_without_dot()))
            } else if record.expected == Expected::DmarcPolicy {
                Content::Txt(mail::starter(&expectation.domain))
            } else {
                return None;
            };
            let place = Place::of(&record.name, evidence);
            Some(Entry { kind: record.kind, name: record.name.clone(), content, place })
        });
        Self {
            domain: expectation.domain.clone(),
            dkim_zone: expectation.dkim_zone.clone(),
            entries: entries.collect(),
        }
    }

    /// Takes one provider's words, for a domain of which nothing was asked.
    #[must_use]
    pub fn at(mut self, provider: &'static Provider) -> Self {
        for entry in &mut self.entries {
            entry.place = entry.place.clone().held_by(provider);
        }
        self
    }

    /// Leaves out what is advice only.
    #[must_use]
    pub fn without_suggestions(mut self) -> Self {
        self.entries.retain(|entry| !entry.is_suggestion());
        self
    }

    /// Returns the zone that the first record lies in; what is sent to one zone alone goes there.
    #[must_use]
    pub fn main_zone(&self) -> Option<&Name> {
        self.entries.first().map(|entry| &entry.place.zone)
    }

    /// Returns the names of the records that lie in other zones than the main one; in order.
    #[must_use]
    pub fn names_elsewhere(&self) -> Vec<&Name> {
        let main = self.main_zone();
        self.entries.iter().filter(|entry| Some(&entry.place.zone) != main).map(|entry| &entry.name).collect()
    }

    /// Says whether it is known who serves the main zone.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.entries.first().is_some_and(|entry| entry.place.is_known())
    }

    /// Iterates over the records of the main zone.
    fn main_entries(&self) -> impl Iterator<Item = &Entry> {
        let main = self.main_zone();
        self.entries.iter().filter(move |entry| Some(&entry.place.zone) == main)
    }
}

#[cfg(test)]
mod tests;
