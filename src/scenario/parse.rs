//! Reads the text of a scenario.

mod expectations;
mod rules;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::dns::name::Name;
use crate::dns::rrset::{Record, RecordType, Ttl};
use crate::dns::zone_text::{Word, ZoneTextError, read_name, read_rdata, read_seconds, split_words};
use crate::scenario::expect::Task;
use crate::scenario::rule::Server;
use crate::scenario::zone::{DEFAULT_TTL_SECONDS, Zone};
use crate::scenario::{MAX_ROOTS, Scenario, ServedZone};

/// The longest text, in octets: some 100,000 tenants with six records each.
pub const MAX_TEXT_OCTETS: usize = 64 * 1024 * 1024;
/// The longest line, in octets: raw octets of the longest message, and room for the rest.
const MAX_LINE_OCTETS: usize = 160 * 1024;
/// The most addresses in one statement.
const MAX_ADDRESSES: usize = 64;
/// The most characters of what was found that an error shows.
const MAX_FOUND_CHARACTERS: usize = 60;

/// Why a text is no scenario: one line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: found {found}, expected {expected}")]
pub struct ParseError {
    /// The line, counted from one.
    pub line: usize,
    /// What stood there.
    pub found: Found,
    /// What should have stood there.
    pub expected: String,
}

/// What stood where something else was expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found(String);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing more");
        }
        let shown: String = self.0.chars().take(MAX_FOUND_CHARACTERS).collect();
        let more = if shown.len() < self.0.len() { " and more" } else { "" };
        write!(f, "{shown:?}{more}")
    }
}

impl FromStr for Scenario {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_TEXT_OCTETS {
            let found = Found(format!("{} octets", text.len()));
            return Err(ParseError { line: 1, found, expected: format!("at most {MAX_TEXT_OCTETS} octets of text") });
        }
        let mut parser = Parser { title: title(text), ..Parser::default() };
        for (index, text) in text.lines().enumerate() {
            parser.read_line(index + 1, text)?;
        }
        Ok(Self::new(parser.title, parser.roots, parser.zones, parser.servers, parser.tasks))
    }
}

/// Takes the comment lines at the top.
fn title(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.trim().is_empty());
    let comments = lines.map_while(|line| line.strip_prefix([';', '#']));
    let bare: Vec<&str> = comments.map(str::trim).collect();
    bare.join("\n").trim().to_owned()
}

/// The statement that indented lines belong to.
#[derive(Clone, Copy, Debug, Default)]
enum Block {
    /// None that may have any.
    #[default]
    None,
    /// The zone at this place, with the time to live for the records to come.
    Zone(usize, Ttl),
    /// The last server.
    Server,
    /// The last task.
    Task,
}

/// What was read so far.
#[derive(Default)]
struct Parser {
    /// The title.
    title: String,
    /// The root servers.
    roots: Vec<IpAddr>,
    /// The zones.
    zones: Vec<ServedZone>,
    /// Which zones are served where, by their place.
    served: HashMap<(IpAddr, Name), usize>,
    /// The servers that misbehave.
    servers: Vec<Server>,
    /// The tasks.
    tasks: Vec<Task>,
    /// The statement that indented lines belong to.
    block: Block,
}

impl Parser {
    /// Reads one line.
    fn read_line(&mut self, number: usize, text: &str) -> Result<(), ParseError> {
        if text.len() > MAX_LINE_OCTETS {
            let expected = format!("at most {MAX_LINE_OCTETS} octets in a line");
            return Err(ParseError { line: number, found: Found(format!("{} octets", text.len())), expected });
        }
        let words = split_words(text).map_err(|error| at_line(number, error))?;
        if words.is_empty() {
            return Ok(());
        }
        let mut line = Line { number, rest: &words };
        if text.starts_with([' ', '\t']) {
            self.read_indented(&mut line)?
        } else {
            self.read_statement(&mut line)?
        }
        line.end()
    }

    /// Reads a statement.
    fn read_statement(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let word = line.text("a statement")?;
        self.block = match word {
            "root" => {
                let addresses = line.addresses()?;
                if self.roots.len() + addresses.len() > MAX_ROOTS {
                    return Err(line.error(word, format!("at most {MAX_ROOTS} root servers")));
                }
                if let Some(known) = addresses.iter().find(|address| self.roots.contains(address)) {
                    return Err(line.error(&known.to_string(), "root servers that were not given before"));
                }
                self.roots.extend(addresses);
                Block::None
            }
            "zone" => self.read_zone(line)?,
            "server" => {
                self.servers.push(Server { addresses: line.addresses()?, rules: Vec::new() });
                Block::Server
            }
            "check" | "lookup" => {
                self.tasks.push(line.task(word)?);
                Block::Task
            }
            other => return Err(line.error(other, "root, zone, server, check or lookup")),
        };
        Ok(())
    }

    /// Reads the head of a zone; one with the same addresses as before goes on.
    fn read_zone(&mut self, line: &mut Line<'_>) -> Result<Block, ParseError> {
        let origin = line.name(&Name::root())?;
        line.keyword("at")?;
        let addresses = line.addresses()?;
        let before = addresses.first().and_then(|address| self.served.get(&(*address, origin.clone())).copied());
        let before = before.filter(|place| self.zones.get(*place).is_some_and(|served| served.addresses == addresses));
        let default_ttl = Ttl::from_wire(DEFAULT_TTL_SECONDS);
        if let Some(place) = before {
            return Ok(Block::Zone(place, default_ttl));
        }
        for address in &addresses {
            if self.served.insert((*address, origin.clone()), self.zones.len()).is_some() {
                return Err(line.error(&address.to_string(), format!("an address that serves no {origin} yet")));
            }
        }
        self.zones.push(ServedZone { zone: Zone::new(origin), addresses });
        Ok(Block::Zone(self.zones.len() - 1, default_ttl))
    }

    /// Reads a line that belongs to the statement above.
    fn read_indented(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let first = line.peek();
        match self.block {
            Block::Zone(place, _) if first == "$TTL" => {
                line.text("$TTL")?;
                self.block = Block::Zone(place, line.ttl()?);
            }
            Block::Zone(place, ttl) => {
                let Some(served) = self.zones.get_mut(place) else { return Ok(()) };
                let record = line.record(served.zone.origin(), ttl)?;
                let shown = record.owner.to_string();
                served.zone.add(record).map_err(|error| line.error(&shown, format!("another record: {error}")))?;
            }
            Block::Server => {
                let Some(server) = self.servers.last_mut() else { return Ok(()) };
                line.rule_or_section(&mut server.rules)?;
            }
            Block::Task => {
                let Some(task) = self.tasks.last_mut() else { return Ok(()) };
                task.expectations.push(line.expectation()?);
            }
            Block::None => return Err(line.error(first, "a statement that is not indented")),
        }
        Ok(())
    }
}

/// Says in which line a text was wrong.
fn at_line(line: usize, error: ZoneTextError) -> ParseError {
    ParseError { line, found: Found(error.found), expected: error.expected }
}

/// The words of a line that are still to be read.
struct Line<'a> {
    /// The line, counted from one.
    number: usize,
    /// The words.
    rest: &'a [Word],
}

impl<'a> Line<'a> {
    /// Says what is wrong.
    fn error(&self, found: &str, expected: impl Into<String>) -> ParseError {
        ParseError { line: self.number, found: Found(found.to_owned()), expected: expected.into() }
    }

    /// Looks at the next word; empty at the end of the line.
    fn peek(&self) -> &'a str {
        self.rest.first().map(|word| word.text.as_str()).unwrap_or_default()
    }

    /// Takes the next word.
    fn word(&mut self, expected: &str) -> Result<&'a Word, ParseError> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| self.error("", expected))?;
        self.rest = rest;
        Ok(first)
    }

    /// Takes the text of the next word.
    fn text(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        self.word(expected).map(|word| word.text.as_str())
    }

    /// Takes the next word if it is this one.
    fn take(&mut self, keyword: &str) -> bool {
        let is_there = self.peek() == keyword;
        if is_there {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        is_there
    }

    /// Takes a word that must be this one.
    fn keyword(&mut self, keyword: &str) -> Result<(), ParseError> {
        if self.take(keyword) { Ok(()) } else { Err(self.error(self.peek(), format!("`{keyword}`"))) }
    }

    /// Takes a word that `T` can be read from.
    fn value<T: FromStr>(&mut self, expected: &str) -> Result<T, ParseError> {
        let text = self.text(expected)?;
        text.parse().map_err(|_| self.error(text, expected))
    }

    /// Takes a word that is one of `choices`.
    fn one_of(&mut self, choices: &[&str]) -> Result<String, ParseError> {
        let expected = choices.join(", ");
        let text = self.text(&expected)?;
        if choices.contains(&text) { Ok(text.to_owned()) } else { Err(self.error(text, expected)) }
    }

    /// Takes a name; a relative one is completed with `origin`.
    fn name(&mut self, origin: &Name) -> Result<Name, ParseError> {
        let word = self.word("a domain name")?;
        read_name(word, origin).map_err(|error| at_line(self.number, error))
    }

    /// Takes the time to live of records.
    fn ttl(&mut self) -> Result<Ttl, ParseError> {
        let text = self.text("a time to live")?;
        read_seconds(text).map(Ttl::from_wire).ok_or_else(|| self.error(text, "a time to live"))
    }

    /// Takes a time, which may be in milliseconds.
    fn duration(&mut self) -> Result<Duration, ParseError> {
        let expected = "a time such as 2s or 250ms";
        let text = self.text(expected)?.trim_end_matches(',');
        let milliseconds = text.strip_suffix("ms").and_then(|number| number.parse::<u32>().ok());
        let short = milliseconds.map(|milliseconds| Duration::from_millis(milliseconds.into()));
        let long = || read_seconds(text).map(|seconds| Duration::from_secs(seconds.into()));
        short.or_else(long).ok_or_else(|| self.error(text, expected))
    }

    /// Takes all words that are left as addresses, of which there must be one.
    fn addresses(&mut self) -> Result<Vec<IpAddr>, ParseError> {
        let mut addresses = Vec::new();
        while addresses.is_empty() || !self.rest.is_empty() {
            let text = self.text("an IP address")?;
            let address = text.parse().map_err(|_| self.error(text, "an IP address"))?;
            if addresses.contains(&address) || addresses.len() == MAX_ADDRESSES {
                return Err(self.error(text, format!("at most {MAX_ADDRESSES} addresses, each once")));
            }
            addresses.push(address);
        }
        Ok(addresses)
    }

    /// Takes all words that are left as a record.
    fn record(&mut self, origin: &Name, default_ttl: Ttl) -> Result<Record, ParseError> {
        let owner = self.name(origin)?;
        let ttl = match read_seconds(self.peek()) {
            Some(_) => self.ttl()?,
            None => default_ttl,
        };
        self.take("IN");
        let expected = "a time to live or a record type";
        let text = self.text(expected)?;
        let kind: RecordType = text.parse().map_err(|_| self.error(text, expected))?;
        if matches!(kind, RecordType::OPT | RecordType::ANY) {
            return Err(self.error(text, "a type that records can have"));
        }
        let words = std::mem::take(&mut self.rest);
        let rdata = read_rdata(kind, words, origin).map_err(|error| at_line(self.number, error))?;
        Ok(Record { owner, ttl, rdata })
    }

    /// Makes sure that the line ends.
    fn end(&self) -> Result<(), ParseError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(self.peek(), "the end of the line")) }
    }
}

#[cfg(test)]
mod tests;
