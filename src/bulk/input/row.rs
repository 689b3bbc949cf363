//! One row: its columns, and the facts that they tell.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::expectation::{Expectation, Facts};
use crate::providers;

/// The columns that every row needs; the tokens only where there is no selector.
pub const NEEDED: [&str; 4] = ["domain", "token1", "token2", "token3"];
/// All columns, the needed ones first; `tenant` is the caller's own word for whose the domain is.
pub const COLUMNS: [&str; 14] = [
    "domain",
    "token1",
    "token2",
    "token3",
    "dkim_zone",
    "region",
    "mail_from",
    "inbound",
    "selector",
    "public_key",
    "previous_tokens",
    "previous_ns",
    "dns_provider",
    "tenant",
];

/// One row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// Its number, from 1.
    pub number: u64,
    /// The line where it starts, from 1.
    pub line: u64,
    /// Whose the domain is; only a stored fleet has a use for it.
    pub tenant: Option<String>,
    /// What it tells of the domain, as it stands there.
    pub facts: Facts,
}

impl Row {
    /// Says what should be there for the row's domain.
    ///
    /// # Errors
    /// One line that says what is wrong with the row.
    pub fn expectation(&self) -> Result<Expectation, String> {
        expectation_of(&self.facts)
    }
}

/// Says what should be there by what a row tells, or what was found out in its place.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn expectation_of(facts: &Facts) -> Result<Expectation, String> {
    let expectation = facts.expectation().map_err(|error| error.to_string())?;
    match &expectation.dns_provider {
        Some(id) if providers::catalogue().get(id).is_none() => {
            Err(format!("dns_provider {id:?}: expected the id of a provider in providers.toml, such as cloudflare"))
        }
        _ => Ok(expectation),
    }
}

/// What stands in the columns of one row.
#[derive(Deserialize)]
pub(super) struct RawRow {
    /// The domain.
    domain: String,
    /// The first token.
    token1: Option<String>,
    /// The second token.
    token2: Option<String>,
    /// The third token.
    token3: Option<String>,
    /// The name below which the DKIM targets lie.
    dkim_zone: Option<String>,
    /// The AWS region.
    region: Option<String>,
    /// The custom MAIL FROM name.
    mail_from: Option<String>,
    /// Whether Amazon SES takes in the mail.
    inbound: Option<YesNo>,
    /// The selector of bring-your-own DKIM.
    selector: Option<String>,
    /// The public key of bring-your-own DKIM.
    public_key: Option<String>,
    /// The tokens of earlier identities.
    previous_tokens: Option<Several>,
    /// The name servers of before.
    previous_ns: Option<Several>,
    /// The DNS provider that the caller believes in.
    dns_provider: Option<String>,
    /// Whose the domain is.
    tenant: Option<Word>,
    /// Everything else.
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// A word or a number; anything else is nobody's name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    /// A word.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// Anything else.
    Other(IgnoredAny),
}

/// Yes or no, as JSON or as a word.
#[derive(Deserialize)]
#[serde(untagged)]
enum YesNo {
    /// As JSON.
    Flag(bool),
    /// As a word.
    Word(String),
}

/// Several words, as an array or in one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Several {
    /// As an array.
    Array(Vec<String>),
    /// In one text, with blanks, commas or semicolons between.
    Text(String),
}

impl Several {
    /// Returns the words; may be empty.
    fn into_words(self) -> Vec<String> {
        match self {
            Self::Array(words) => words,
            Self::Text(text) => {
                let words = text.split(|character: char| character.is_whitespace() || matches!(character, ',' | ';'));
                words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
            }
        }
    }
}

impl RawRow {
    /// Takes the cells of [`COLUMNS`].
    pub(super) fn of_cells(cells: [Option<String>; COLUMNS.len()]) -> Self {
        let [
            domain,
            token1,
            token2,
            token3,
            dkim_zone,
            region,
            mail_from,
            inbound,
            selector,
            public_key,
            previous_tokens,
            previous_ns,
            dns_provider,
            tenant,
        ] = cells;
        Self {
            domain: domain.unwrap_or_default(),
            token1,
            token2,
            token3,
            dkim_zone,
            region,
            mail_from,
            inbound: inbound.map(YesNo::Word),
            selector,
            public_key,
            previous_tokens: previous_tokens.map(Several::Text),
            previous_ns: previous_ns.map(Several::Text),
            dns_provider,
            tenant: tenant.map(Word::Text),
            others: BTreeMap::new(),
        }
    }

    /// Takes the names that are not used.
    pub(super) fn take_others(&mut self) -> impl Iterator<Item = String> + use<> {
        std::mem::take(&mut self.others).into_keys()
    }

    /// Gives the row its place; `needs_tokens` says whether a domain alone is no row.
    ///
    /// # Errors
    /// One line that says what is wrong with the row.
    pub(super) fn into_row(self, number: u64, line: u64, needs_tokens: bool) -> Result<Row, String> {
        let is_blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        let tokens = [("token1", self.token1), ("token2", self.token2), ("token3", self.token3)];
        let missing = tokens.iter().find(|(_, token)| needs_tokens && token.is_none() && is_blank(&self.selector));
        if let Some((name, _)) = missing {
            return Err(format!("no row in JSON: missing field `{name}`"));
        }
        let mut facts = Facts {
            domain: self.domain,
            tokens: tokens.into_iter().filter_map(|(_, token)| token).collect(),
            dkim_zone: self.dkim_zone,
            region: self.region,
            mail_from: self.mail_from,
            is_inbound: false,
            selector: self.selector,
            public_key: self.public_key,
            previous_tokens: self.previous_tokens.map(Several::into_words).unwrap_or_default(),
            previous_ns: self.previous_ns.map(Several::into_words).unwrap_or_default(),
            dns_provider: self.dns_provider,
        };
        match self.inbound {
            None => {}
            Some(YesNo::Flag(flag)) => facts.is_inbound = flag,
            Some(YesNo::Word(word)) => facts.set_inbound(&word).map_err(|error| error.to_string())?,
        }
        let tenant = match self.tenant {
            Some(Word::Text(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(Word::Number(number)) => Some(number.to_string()),
            Some(Word::Other(IgnoredAny)) | None => None,
        };
        Ok(Row { number, line, tenant, facts })
    }
}
