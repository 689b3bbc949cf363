//! One way through the records, with the answers known so far.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Answer, MAX_EXCHANGERS, MAX_LOOKUPS, MAX_POINTERS, MAX_VOID_LOOKUPS, Message, Problem, SpfResult};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, RecordType};
use crate::records::spf::macro_string::Letters;
use crate::records::spf::{
    DomainSpec, DualCidr, MacroString, Mechanism, Qualifier, SpfRecord, TermKind, is_spf, parse,
};
use crate::records::txt::join;

/// Why a pass ends before its result.
#[derive(Debug)]
pub(super) enum Stop {
    /// These questions are not answered yet.
    Ask(Vec<Question>),
    /// The DNS failed.
    Temporary(Problem),
    /// The records cannot be evaluated.
    Permanent(Problem),
}

/// What a record says about the sender.
pub(super) struct Verdict {
    /// The result.
    pub(super) result: SpfResult,
    /// The explanation of a fail.
    pub(super) explanation: Option<String>,
}

/// Whether questions that find nothing count.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Counting {
    /// They do.
    Voids,
    /// They do not: what an explanation takes is beside the limits.
    Nothing,
}

/// A way through the records.
pub(super) struct Pass<'a> {
    /// What is evaluated for.
    pub(super) message: &'a Message,
    /// The address, IPv4 where it is IPv4 in IPv6 (RFC 7208 §5).
    pub(super) address: IpAddr,
    /// What is known.
    answers: &'a BTreeMap<Question, Answer>,
    /// Terms that asked the DNS.
    lookups: u32,
    /// Questions that found nothing.
    void_lookups: u32,
    /// The names of the address that hold, once they were needed by a macro.
    pointers: Option<Vec<String>>,
    /// Whether questions that find nothing count.
    counting: Counting,
    /// The last term that matched in the outermost record.
    matched: Option<(String, String)>,
}

impl<'a> Pass<'a> {
    /// Starts anew.
    pub(super) fn new(message: &'a Message, answers: &'a BTreeMap<Question, Answer>) -> Self {
        Self {
            message,
            address: message.address.to_canonical(),
            answers,
            lookups: 0,
            void_lookups: 0,
            pointers: None,
            counting: Counting::Voids,
            matched: None,
        }
    }

    /// Returns how many lookups there were, and how many found nothing.
    pub(super) fn counts(&self) -> (u32, u32) {
        (self.lookups, self.void_lookups)
    }

    /// Gives away the domain and the term that decided.
    pub(super) fn into_matched(self) -> Option<(String, String)> {
        self.matched
    }

    /// Evaluates the record of the message's domain.
    pub(super) fn run(&mut self) -> Result<Verdict, Stop> {
        let domain = self.message.domain.strip_suffix('.').unwrap_or(&self.message.domain).to_owned();
        // RFC 7208 §4.3: what is no name of several labels has no record.
        let record = match name_of(&domain).filter(|name| name.label_count() > 1) {
            Some(_) => self.record_of(&domain)?,
            None => None,
        };
        match record {
            Some(record) => self.evaluate(&record, &domain, true),
            None => Ok(Verdict { result: SpfResult::None, explanation: None }),
        }
    }

    /// Evaluates one record (RFC 7208 §4.6.2).
    fn evaluate(&mut self, record: &SpfRecord, domain: &str, is_outermost: bool) -> Result<Verdict, Stop> {
        if record.redirect().is_some() {
            self.count_lookup()?;
        }
        for term in record.terms() {
            let TermKind::Directive(qualifier, mechanism) = &term.kind else { continue };
            if !self.matches(mechanism, domain)? {
                continue;
            }
            let result = match qualifier {
                Qualifier::Pass => SpfResult::Pass,
                Qualifier::Neutral => SpfResult::Neutral,
                Qualifier::SoftFail => SpfResult::SoftFail,
                Qualifier::Fail => SpfResult::Fail,
            };
            if is_outermost {
                self.matched = Some((domain.to_owned(), term.to_string()));
            }
            // RFC 7208 §6.2: the explanation of an included record is not used.
            let is_explained = is_outermost && result == SpfResult::Fail;
            let explanation = if is_explained { self.explain(record, domain)? } else { None };
            return Ok(Verdict { result, explanation });
        }
        let Some(target) = record.redirect() else {
            return Ok(Verdict { result: SpfResult::Neutral, explanation: None });
        };
        let target = self.expand_domain(target, domain)?;
        match self.record_of(&target)? {
            Some(next) => self.evaluate(&next, &target, is_outermost),
            None => Err(Stop::Permanent(Problem::NoRecord(target))),
        }
    }

    /// Says whether a mechanism matches (RFC 7208 §5).
    fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, prefix) => Ok(self.is_in(IpAddr::V4(*network), *prefix)),
            Mechanism::Ip6(network, prefix) => Ok(self.is_in(IpAddr::V6(*network), *prefix)),
            Mechanism::Include(target) => {
                self.count_lookup()?;
                let target = self.expand_domain(target, domain)?;
                match self.record_of(&target)? {
                    Some(record) => Ok(self.evaluate(&record, &target, false)?.result == SpfResult::Pass),
                    None => Err(Stop::Permanent(Problem::NoRecord(target))),
                }
            }
            Mechanism::A(target, cidr) => {
                self.count_lookup()?;
                let target = self.own_or(target.as_ref(), domain)?;
                let found = self.ask_of(&target, self.address_kind())?;
                Ok(self.is_any_in(&found, *cidr))
            }
            Mechanism::Mx(target, cidr) => {
                self.count_lookup()?;
                let target = self.own_or(target.as_ref(), domain)?;
                let found = self.exchanger_addresses(&target)?;
                Ok(self.is_any_in(&found, *cidr))
            }
            Mechanism::Exists(target) => {
                self.count_lookup()?;
                let target = self.expand_domain(target, domain)?;
                // RFC 7208 §5.7: an A record, whatever the sender's address is.
                Ok(!self.ask_of(&target, RecordType::A)?.is_empty())
            }
            Mechanism::Ptr(target) => {
                self.count_lookup()?;
                let target = self.own_or(target.as_ref(), domain)?;
                let pointers = self.valid_pointers()?;
                Ok(pointers.iter().any(|pointer| is_at_or_below(pointer, &target)))
            }
        }
    }

    /// Returns the domain that a term names, by default the one of its record.
    fn own_or(&mut self, target: Option<&DomainSpec>, domain: &str) -> Result<String, Stop> {
        target.map_or_else(|| Ok(domain.to_owned()), |target| self.expand_domain(target, domain))
    }

    /// Counts one term that asks the DNS.
    fn count_lookup(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > MAX_LOOKUPS { Err(Stop::Permanent(Problem::TooManyLookups)) } else { Ok(()) }
    }

    /// Returns the SPF record of a domain, where there is one (RFC 7208 §4.4, §4.5).
    fn record_of(&mut self, domain: &str) -> Result<Option<SpfRecord>, Stop> {
        let found = self.ask_of(domain, RecordType::TXT)?;
        let texts: Vec<Vec<u8>> = found.iter().filter_map(text_of).filter(|text| is_spf(text)).collect();
        match texts.as_slice() {
            [] => Ok(None),
            [text] => match parse(text) {
                Ok(record) => Ok(Some(record)),
                Err(error) => Err(Stop::Permanent(Problem::Syntax { domain: domain.to_owned(), error })),
            },
            _ => Err(Stop::Permanent(Problem::SeveralRecords(domain.to_owned()))),
        }
    }

    /// Returns the explanation of a fail; what goes wrong on the way to it is no error (RFC 7208 §6.2).
    fn explain(&mut self, record: &SpfRecord, domain: &str) -> Result<Option<String>, Stop> {
        self.counting = Counting::Nothing;
        let explanation = match record.explanation() {
            Some(target) => self.explanation_at(target, domain),
            None => Ok(None),
        };
        match explanation {
            Err(Stop::Temporary(_) | Stop::Permanent(_)) => Ok(None),
            other => other,
        }
    }

    /// Reads the explanation that stands at a name.
    fn explanation_at(&mut self, target: &DomainSpec, domain: &str) -> Result<Option<String>, Stop> {
        let target = self.expand_domain(target, domain)?;
        let found = self.ask_of(&target, RecordType::TXT)?;
        let [only] = found.as_slice() else { return Ok(None) };
        let text = text_of(only).filter(|text| text.is_ascii()).and_then(|text| String::from_utf8(text).ok());
        match text.and_then(|text| MacroString::read(&text, Letters::Any).ok()) {
            Some(text) => self.expand(&text, domain).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the addresses of the mail exchangers of a domain, all of them asked for at once (RFC 7208 §5.4).
    fn exchanger_addresses(&mut self, domain: &str) -> Result<Vec<Rdata>, Stop> {
        let mut exchangers = self.ask_of(domain, RecordType::MX)?;
        if exchangers.len() > MAX_EXCHANGERS {
            return Err(Stop::Permanent(Problem::TooManyExchangers(domain.to_owned())));
        }
        exchangers.sort();
        let hosts = exchangers.iter().filter_map(|exchanger| match exchanger {
            // RFC 7505: the root stands for no exchanger.
            Rdata::Mx { exchange, .. } if !exchange.is_root() => Some(exchange.clone()),
            _ => None,
        });
        let questions: Vec<Question> = hosts.map(|host| Question::new(host, self.address_kind())).collect();
        self.want(&questions)?;
        let mut found = Vec::new();
        for question in &questions {
            found.extend(self.ask(question)?);
        }
        Ok(found)
    }

    /// Returns the names that the sender's address claims and that have that address, at most ten (RFC 7208 §5.5).
    ///
    /// Where the DNS fails there is no such name.
    fn valid_pointers(&mut self) -> Result<Vec<String>, Stop> {
        let pointers = match name_of(&super::expand::reverse_name(self.address)) {
            Some(name) => self.ask(&Question::new(name, RecordType::PTR)),
            None => return Ok(Vec::new()),
        };
        let mut pointers = match pointers {
            Err(Stop::Temporary(_)) => return Ok(Vec::new()),
            other => other?,
        };
        pointers.truncate(MAX_POINTERS);
        let hosts: Vec<Name> = pointers
            .into_iter()
            .filter_map(|pointer| match pointer {
                Rdata::Ptr(host) if !host.is_root() => Some(host),
                _ => None,
            })
            .collect();
        let questions: Vec<Question> =
            hosts.iter().map(|host| Question::new(host.clone(), self.address_kind())).collect();
        self.want(&questions)?;
        let mut valid = Vec::new();
        for question in &questions {
            match self.ask(question) {
                Ok(found) if self.is_any_in(&found, DualCidr { ipv4: 32, ipv6: 128 }) => {
                    valid.push(text_of_name(&question.name));
                }
                Ok(_) | Err(Stop::Temporary(_)) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(valid)
    }

    /// Returns the name of the sender's address that the macro `p` stands for (RFC 7208 §7.3).
    pub(super) fn pointer(&mut self, domain: &str) -> Result<String, Stop> {
        let valid = match self.pointers.take() {
            Some(known) => known,
            None => self.valid_pointers()?,
        };
        let own = valid.iter().find(|pointer| pointer.eq_ignore_ascii_case(domain));
        let below = || valid.iter().find(|pointer| is_at_or_below(pointer, domain));
        let best = own.or_else(below).or_else(|| valid.first()).cloned();
        self.pointers = Some(valid);
        Ok(best.unwrap_or_else(|| "unknown".to_owned()))
    }

    /// Returns the records of a type at a domain; none where the text is no name.
    fn ask_of(&mut self, domain: &str, kind: RecordType) -> Result<Vec<Rdata>, Stop> {
        match name_of(domain) {
            Some(name) => self.ask(&Question::new(name, kind)),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the answer to a question, and counts it where it is nothing (RFC 7208 §4.6.4).
    fn ask(&mut self, question: &Question) -> Result<Vec<Rdata>, Stop> {
        match self.answers.get(question) {
            None => Err(Stop::Ask(vec![question.clone()])),
            Some(Answer::Failed) => Err(Stop::Temporary(Problem::Unanswered(question.clone()))),
            Some(Answer::Records(records)) if !records.is_empty() => Ok(records.clone()),
            Some(Answer::Records(_) | Answer::NxDomain) => {
                if self.counting == Counting::Voids {
                    self.void_lookups += 1;
                    if self.void_lookups > MAX_VOID_LOOKUPS {
                        return Err(Stop::Permanent(Problem::TooManyVoidLookups));
                    }
                }
                Ok(Vec::new())
            }
        }
    }

    /// Stops for those of some questions that are not answered yet.
    fn want(&self, questions: &[Question]) -> Result<(), Stop> {
        let mut missing: Vec<Question> =
            questions.iter().filter(|question| !self.answers.contains_key(question)).cloned().collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Ask(missing)) }
    }

    /// Returns the type that holds addresses like the sender's.
    fn address_kind(&self) -> RecordType {
        if self.address.is_ipv4() { RecordType::A } else { RecordType::AAAA }
    }

    /// Says whether the sender's address is in a network around one of some addresses.
    fn is_any_in(&self, found: &[Rdata], cidr: DualCidr) -> bool {
        found.iter().any(|rdata| match rdata {
            Rdata::A(address) => self.is_in(IpAddr::V4(*address), cidr.ipv4),
            Rdata::Aaaa(address) => self.is_in(IpAddr::V6(*address), cidr.ipv6),
            _ => false,
        })
    }

    /// Says whether the sender's address shares its first `prefix` bits with `network`.
    fn is_in(&self, network: IpAddr, prefix: u8) -> bool {
        let (difference, bits) = match (self.address, network) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits() ^ other.to_bits()), 32_u32),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits(), 128),
            _ => return false,
        };
        difference.checked_shr(bits.saturating_sub(u32::from(prefix))).unwrap_or(0) == 0
    }
}

/// Reads a domain as macros leave it: dots apart labels, nothing is an escape.
fn name_of(domain: &str) -> Option<Name> {
    Name::from_labels(domain.strip_suffix('.').unwrap_or(domain).split('.')).ok()
}

/// Writes a name with its dots and without escapes.
fn text_of_name(name: &Name) -> String {
    let labels: Vec<String> = name.labels().map(|label| String::from_utf8_lossy(label).into_owned()).collect();
    labels.join(".")
}

/// Says whether one domain is another one or below it.
fn is_at_or_below(domain: &str, above: &str) -> bool {
    match (name_of(domain), name_of(above)) {
        (Some(name), Some(above)) => name.is_subdomain_of(&above),
        _ => false,
    }
}

/// Returns the text of a TXT record, its strings joined (RFC 7208 §3.3).
fn text_of(rdata: &Rdata) -> Option<Vec<u8>> {
    match rdata {
        Rdata::Txt(strings) => Some(join(strings)),
        _ => None,
    }
}
