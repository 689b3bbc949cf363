//! Reads tasks and what is expected of them.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rrset::{Question, Ttl};
use crate::scenario::expect::{
    Bound, CHECK_OPTIONS, Check, Expect, HORIZONS, RECORD_KINDS, STATUSES, Subject, Task, VERDICTS,
};
use crate::scenario::parse::{Line, ParseError};

/// The words that an expectation may start with.
const EXPECTATIONS: &str =
    "verdict, root_cause, record, finding, no, questions, remedy, horizon, rcode, answer or reason";

impl Line<'_> {
    /// Reads a task, whose first word is `kind`.
    pub(super) fn task(&mut self, kind: &str) -> Result<Task, ParseError> {
        let subject = if kind == "lookup" {
            Subject::Lookup(Question::new(self.name(&Name::root())?, self.value("a record type")?))
        } else {
            let domain = self.plain_text("a domain")?;
            let mut options = Vec::new();
            while !self.rest.is_empty() {
                options.push(self.assignment(CHECK_OPTIONS)?);
            }
            Subject::Check(Check { domain, options })
        };
        Ok(Task { subject, expectations: Vec::new() })
    }

    /// Reads what is expected of the task above.
    pub(super) fn expectation(&mut self) -> Result<Expect, ParseError> {
        self.keyword("expect")?;
        let word = self.text(EXPECTATIONS)?;
        Ok(match word {
            "verdict" => Expect::Verdict(self.one_of(VERDICTS)?),
            "root_cause" => {
                let code = self.code()?;
                Expect::RootCause(Some(code).filter(|code| code != "none"))
            }
            "record" => {
                let kind = self.one_of(RECORD_KINDS)?;
                let name = self.name(&Name::root())?;
                let status = self.one_of(STATUSES)?;
                let code = if self.rest.is_empty() { None } else { Some(self.code()?) };
                Expect::Record { kind, name, status, code }
            }
            "finding" => self.finding()?,
            "no" => {
                self.keyword("other")?;
                match self.one_of(&["findings", "answers"])?.as_str() {
                    "findings" => Expect::NoOtherFindings,
                    _ => Expect::NoOtherAnswers,
                }
            }
            "questions" => {
                let at = if self.take("at") { Some(self.value("an IP address")?) } else { None };
                Expect::Questions { at, bound: self.bound()? }
            }
            "remedy" => {
                self.keyword("contains")?;
                Expect::Remedy(self.plain_text("a text")?)
            }
            "horizon" => {
                let which = self.one_of(HORIZONS)?;
                self.keyword("within")?;
                Expect::Horizon { which, within: self.duration()? }
            }
            "rcode" => Expect::Rcode(self.value("a response code")?),
            "answer" => {
                let record = self.record(&Name::root(), Ttl::default())?;
                Expect::Answer { owner: record.owner, rdata: record.rdata }
            }
            "reason" => Expect::Reason(self.code()?),
            other => return Err(self.error(other, EXPECTATIONS)),
        })
    }

    /// Reads a finding.
    fn finding(&mut self) -> Result<Expect, ParseError> {
        let code = self.code()?;
        let at = if self.take("at") {
            let text = self.peek();
            let address = text.parse::<IpAddr>().ok();
            Some(match address {
                Some(address) => {
                    self.take(text);
                    address.to_string()
                }
                None => self.name(&Name::root())?.to_string(),
            })
        } else {
            None
        };
        let mut arguments = Vec::new();
        while !self.rest.is_empty() {
            arguments.push(self.assignment(&[])?);
        }
        Ok(Expect::Finding { code, at, arguments })
    }

    /// Reads a comparison with a number.
    fn bound(&mut self) -> Result<Bound, ParseError> {
        let sign = self.one_of(&["<=", "=", ">="])?;
        let number = self.value("a number")?;
        Ok(match sign.as_str() {
            "<=" => Bound::AtMost(number),
            ">=" => Bound::AtLeast(number),
            _ => Bound::Exactly(number),
        })
    }

    /// Takes a word of lower-case letters, digits and underscores.
    fn code(&mut self) -> Result<String, ParseError> {
        let expected = "a code of lower-case letters, digits and _";
        let text = self.text(expected)?;
        let is_code = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_';
        if text.bytes().all(is_code) { Ok(text.to_owned()) } else { Err(self.error(text, expected)) }
    }

    /// Takes a word with its escapes resolved.
    fn plain_text(&mut self, expected: &str) -> Result<String, ParseError> {
        let word = self.word(expected)?;
        word.to_text().ok_or_else(|| self.error(&word.text, expected))
    }

    /// Takes `name=value`; the name is one of `names`, where there are any.
    fn assignment(&mut self, names: &[&str]) -> Result<(String, String), ParseError> {
        let text = self.plain_text("name=value")?;
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(self.error(&text, "name=value"));
        };
        if !names.is_empty() && !names.contains(&name) {
            return Err(self.error(name, names.join(", ")));
        }
        Ok((name.to_owned(), value.to_owned()))
    }
}
