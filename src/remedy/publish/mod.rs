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
use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation, Expected, ExpectedRecord, RecordKind};
use crate::providers::Provider;
use crate::remedy::mail;
use crate::remedy::place::Place;
use crate::remedy::words::shown;

/// The most octets of one character-string (RFC 1035 §3.3).
const MAX_STRING_OCTETS: usize = 255;

/// What a record holds.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    /// A CNAME to this name.
    Cname(Name),
    /// One text.
    Txt(String),
    /// A mail exchange.
    Mx {
        /// The preference.
        preference: u16,
        /// The host.
        host: Name,
    },
}

impl Content {
    /// Returns the type of the record.
    fn record_type(&self) -> RecordType {
        match self {
            Self::Cname(_) => RecordType::CNAME,
            Self::Txt(_) => RecordType::TXT,
            Self::Mx { .. } => RecordType::MX,
        }
    }

    /// Writes the content as master files and most programs have it: names end with a dot, text stands in quotation
    /// marks, cut into strings where it is long (RFC 1035 §5.1).
    fn to_presentation(&self) -> String {
        match self {
            Self::Cname(target) => target.to_string(),
            Self::Mx { preference, host } => format!("{preference} {host}"),
            Self::Txt(text) => {
                let quoted = |part: &str| format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""));
                strings(text).into_iter().map(quoted).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Cuts a text into character-strings; never empty.
fn strings(text: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    let mut rest = text;
    while rest.len() > MAX_STRING_OCTETS {
        let Some((string, behind)) = rest.split_at_checked(rest.floor_char_boundary(MAX_STRING_OCTETS)) else { break };
        strings.push(string);
        rest = behind;
    }
    strings.push(rest);
    strings
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
        matches!(self.kind, RecordKind::Spf | RecordKind::Dmarc)
    }

    /// Says whether it may take the place of what is there: no other can stand beside it, or belongs there.
    fn is_replacing(&self) -> bool {
        matches!(self.kind, RecordKind::Dkim | RecordKind::MailFromMx)
    }

    /// Returns what is to be minded before the record is put in.
    fn remark(&self) -> Option<&'static str> {
        match self.kind {
            RecordKind::Spf | RecordKind::Dmarc => {
                Some("Suggested, where the domain has none yet; where it has one, change that instead")
            }
            RecordKind::Mx => {
                Some("Takes all mail of the domain to Amazon SES; keep it out where another system takes it")
            }
            RecordKind::Dkim | RecordKind::MailFromMx | RecordKind::MailFromSpf => None,
        }
    }
}

/// All that is to be published for one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The sender domain.
    domain: Name,
    /// What to tell a check of it, as options of a command.
    options: String,
    /// The records, in the expectation's order.
    entries: Vec<Entry>,
}

impl Publication {
    /// Writes down what `expectation` wants, at the places that `evidence` knows of.
    #[must_use]
    pub fn new(expectation: &Expectation, evidence: &Evidence) -> Self {
        let entries = expectation.records.iter().filter_map(|record| {
            let content = content_of(expectation, record)?;
            let place = Place::of(&record.name, evidence);
            Some(Entry { kind: record.kind, name: record.name.clone(), content, place })
        });
        Self { domain: expectation.domain.clone(), options: options_of(expectation), entries: entries.collect() }
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

/// Says what a record has to hold; `None` for a key of one's own that was not told.
fn content_of(expectation: &Expectation, record: &ExpectedRecord) -> Option<Content> {
    match &record.expected {
        Expected::Cname(target) => Some(Content::Cname(target.clone())),
        Expected::SpfInclude(domain) => {
            Some(Content::Txt(format!("v=spf1 include:{} ~all", domain.to_text_without_dot())))
        }
        Expected::DmarcPolicy => Some(Content::Txt(mail::starter(&expectation.domain))),
        Expected::DkimKey(key) => key.as_ref().map(|key| Content::Txt(format!("v=DKIM1; k=rsa; p={key}"))),
        Expected::Exchange(exchange) => {
            let host = Name::parse(&exchange.host()).ok()?;
            Some(Content::Mx { preference: exchange.preference(), host })
        }
    }
}

/// Writes what is known of a domain as options of a command that checks it; what is as with most is left out.
fn options_of(expectation: &Expectation) -> String {
    let mut options: Vec<String> = Vec::new();
    options.extend(expectation.selector.as_ref().map(|selector| format!("--selector {}", shown(selector))));
    for record in expectation.of_kind(RecordKind::Dkim) {
        options.extend(record.token().map(|token| format!("--token {}", String::from_utf8_lossy(token))));
        if let Expected::DkimKey(Some(key)) = &record.expected {
            options.push(format!("--public-key {key}"));
        }
    }
    if expectation.selector.is_none() && expectation.dkim_zone.to_string() != DEFAULT_DKIM_ZONE {
        options.push(format!("--dkim-zone {}", shown(&expectation.dkim_zone)));
    }
    options.extend(expectation.mail_from.as_ref().map(|name| format!("--mail-from {}", shown(name))));
    options.extend(expectation.region.as_ref().map(|region| format!("--region {region}")));
    if expectation.is_inbound {
        options.push("--inbound".to_owned());
    }
    options.join(" ")
}

#[cfg(test)]
mod tests;
