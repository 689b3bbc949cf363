//! Octets to [`Message`] and back.
//!
//! A message is read record by record, so that one bad record does not hide the rest: what could
//! not be read is listed in [`Message::bad_records`]. Nothing here judges what a message means.

mod encode;
mod reader;

use reader::Reader;

pub use encode::{EncodeError, encode_message, encode_query, encode_within, write_query};

use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};

/// The length of a message header (RFC 1035 §4.1.1).
pub const HEADER_OCTETS: usize = 12;
/// The most records that are read from one message; an honest one has far fewer.
const MAX_RECORDS: usize = 4096;
/// For how many records of a section room is made before they are read: what most replies have.
const RECORDS_EXPECTED: usize = 2;
/// The class of the Internet (RFC 1035 §3.2.4).
const CLASS_IN: u16 = 1;
/// The EDNS option for extended errors (RFC 8914 §2).
const OPTION_EXTENDED_ERROR: u16 = 15;

/// Why octets are no message at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are fewer octets than a header has.
    #[error("{0} octets are no message; a header alone has {HEADER_OCTETS}")]
    NoHeader(usize),
    /// The question cannot be read, or there are several.
    #[error("the question section cannot be read")]
    BadQuestion,
}

/// The one-bit fields of a header, and the opcode (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// QR: this is a reply.
    pub is_reply: bool,
    /// The kind of query; zero is a plain one.
    pub opcode: u8,
    /// AA: the server speaks for the zone.
    pub authoritative: bool,
    /// TC: the reply was cut.
    pub truncated: bool,
    /// RD: recursion was asked for.
    pub recursion_desired: bool,
    /// RA: the server would recurse.
    pub recursion_available: bool,
}

impl Flags {
    /// Reads the two octets.
    fn from_bits(bits: u16) -> Self {
        let bit = |mask: u16| bits & mask != 0;
        Self {
            is_reply: bit(0x8000),
            opcode: u8::try_from((bits >> 11) & 0xf).unwrap_or_default(),
            authoritative: bit(0x0400),
            truncated: bit(0x0200),
            recursion_desired: bit(0x0100),
            recursion_available: bit(0x0080),
        }
    }

    /// Returns the two octets, with the low bits of `rcode`.
    fn to_bits(self, rcode: Rcode) -> u16 {
        let bit = |set: bool, mask: u16| if set { mask } else { 0 };
        bit(self.is_reply, 0x8000)
            | (u16::from(self.opcode & 0xf) << 11)
            | bit(self.authoritative, 0x0400)
            | bit(self.truncated, 0x0200)
            | bit(self.recursion_desired, 0x0100)
            | bit(self.recursion_available, 0x0080)
            | (rcode.0 & 0xf)
    }
}

/// What an OPT record says (RFC 6891 §6.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edns {
    /// The largest UDP payload that the sender takes, in octets.
    pub payload_octets: u16,
    /// DO: DNSSEC records are wanted (RFC 3225).
    pub dnssec_ok: bool,
    /// The extended error codes that came along (RFC 8914).
    pub extended_errors: Vec<u16>,
}

/// How much of a reply is read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// Nothing behind an answer: where the records that were asked for are there, with authority, the authority and
    /// additional sections mean nothing more, and are read for the OPT record alone.
    Answer,
}

/// A section of a message (RFC 1035 §4.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Section {
    /// The records that answer.
    Answer,
    /// The records that point to an authority.
    Authority,
    /// Additional records.
    Additional,
}

/// A record that could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadRecord {
    /// The section that it stands in.
    pub section: Section,
    /// The owner name, where that much could be read.
    pub owner: Option<Name>,
    /// The type, where that much could be read.
    pub kind: Option<RecordType>,
}

/// One DNS message of class IN.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message {
    /// The id.
    pub id: u16,
    /// The header's one-bit fields.
    pub flags: Flags,
    /// The response code, with the extended bits of EDNS.
    pub rcode: Rcode,
    /// The question; a reply to an unreadable query may have none.
    pub question: Option<Question>,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The additional section, without OPT.
    pub additional: Vec<Record>,
    /// The OPT record.
    pub edns: Option<Edns>,
    /// What could not be read. The rest of the message behind a record cut short is lost.
    pub bad_records: Vec<BadRecord>,
}

impl Default for Rcode {
    fn default() -> Self {
        Self::NOERROR
    }
}

impl Message {
    /// Reads a message.
    ///
    /// Records that cannot be read, are of another class than IN, or exceed 4096 in number go to
    /// [`Message::bad_records`]; octets behind the last record are ignored.
    ///
    /// # Errors
    /// [`DecodeError`] where there is no header or the question section cannot be read.
    ///
    /// Source: RFC 1035 §4.1, RFC 6891 §6.1, RFC 3597 §3.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        Self::read(octets, None, Extent::Whole)
    }

    /// Reads a reply to a question as [`Self::decode`] does, but for the letters of the question where it is that one:
    /// they are then those of `asked`, which need not be read. With [`Extent::Answer`], what stands behind an answer is
    /// not looked at: the sections stay empty, and what could not be read there is not told.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_reply(octets: &[u8], asked: &Question, extent: Extent) -> Result<Self, DecodeError> {
        Self::read(octets, Some(asked), extent)
    }

    /// Reads a message, with the question that it most likely repeats.
    fn read(octets: &[u8], asked: Option<&Question>, extent: Extent) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let [id, bits, questions, answers, authority, additional] =
            read_header(&mut reader).ok_or(DecodeError::NoHeader(octets.len()))?;
        let asked = asked.filter(|asked| questions == 1 && skip_question(&mut reader, asked));
        let question = match asked {
            Some(asked) => Some(asked.clone()),
            None => read_question(&mut reader, questions)?,
        };
        let mut message =
            Self { id, flags: Flags::from_bits(bits), rcode: Rcode(bits & 0xf), question, ..Self::default() };
        let (mut left, mut name) = (MAX_RECORDS, asked.map(|asked| asked.name.to_lowercase()));
        let mut is_enough = false;
        for (section, count) in
            [(Section::Answer, answers), (Section::Authority, authority), (Section::Additional, additional)]
        {
            let count = usize::from(count);
            let is_read = if is_enough {
                message.pass_over(&mut reader, section, count, &mut left)
            } else {
                // One of the additional records is OPT, which is none of them.
                let records = count.saturating_sub(usize::from(section == Section::Additional));
                message.section_mut(section).reserve_exact(records.min(RECORDS_EXPECTED));
                message.read_section(&mut reader, &mut name, section, count, &mut left)
            };
            if !is_read {
                break;
            }
            is_enough |= extent == Extent::Answer && asked.is_some_and(|asked| message.answers(asked));
        }
        Ok(message)
    }

    /// Says whether it gives the records that were asked for, with authority, and nothing there could not be read.
    fn answers(&self, asked: &Question) -> bool {
        let is_asked = |record: &Record| record.kind() == asked.kind && record.owner == asked.name;
        self.flags.authoritative && self.rcode == Rcode::NOERROR && self.is_whole() && self.answers.iter().any(is_asked)
    }

    /// Says whether all records could be read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.bad_records.is_empty()
    }

    /// Returns the records of one section.
    #[must_use]
    pub fn section(&self, section: Section) -> &[Record] {
        match section {
            Section::Answer => &self.answers,
            Section::Authority => &self.authority,
            Section::Additional => &self.additional,
        }
    }

    /// Returns the records of one section, to add to them.
    fn section_mut(&mut self, section: Section) -> &mut Vec<Record> {
        match section {
            Section::Answer => &mut self.answers,
            Section::Authority => &mut self.authority,
            Section::Additional => &mut self.additional,
        }
    }

    /// Reads `count` records into a section; false where the rest of the message is lost.
    fn read_section(
        &mut self,
        reader: &mut Reader<'_>,
        asked: &mut Option<Name>,
        section: Section,
        count: usize,
        left: &mut usize,
    ) -> bool {
        for _ in 0..count {
            let Some((owner, frame)) = left.checked_sub(1).and_then(|rest| {
                *left = rest;
                Some((read_owner(reader, asked)?, Frame::read(reader)?))
            }) else {
                self.bad_records.push(BadRecord { section, owner: None, kind: None });
                return false;
            };
            if frame.kind == RecordType::OPT && section == Section::Additional {
                self.take_opt(&frame);
                continue;
            }
            let rdata = if frame.class == CLASS_IN { read_rdata(*reader, &frame) } else { None };
            match rdata {
                Some(rdata) => {
                    let record = Record { owner, ttl: Ttl::from_wire(frame.ttl), rdata };
                    self.section_mut(section).push(record);
                }
                None => self.bad_records.push(BadRecord { section, owner: Some(owner), kind: Some(frame.kind) }),
            }
        }
        true
    }

    /// Passes `count` records of a section over, but for the OPT record; false where the rest of the message is lost.
    fn pass_over(&mut self, reader: &mut Reader<'_>, section: Section, count: usize, left: &mut usize) -> bool {
        for _ in 0..count {
            let Some(frame) = left.checked_sub(1).and_then(|rest| {
                *left = rest;
                reader.skip_name()?;
                Frame::read(reader)
            }) else {
                return false;
            };
            if frame.kind == RecordType::OPT && section == Section::Additional {
                self.take_opt(&frame);
            }
        }
        true
    }

    /// Reads the OPT record: payload size in the class, flags and high rcode bits in the TTL.
    fn take_opt(&mut self, frame: &Frame<'_>) {
        if self.edns.is_some() {
            self.bad_records.push(BadRecord { section: Section::Additional, owner: None, kind: Some(RecordType::OPT) });
            return;
        }
        let high = u16::try_from(frame.ttl >> 24).unwrap_or_default();
        self.rcode = Rcode((high << 4) | self.rcode.0);
        let mut extended_errors = Vec::new();
        let mut rest = frame.rdata;
        while let [c1, c2, l1, l2, tail @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*l1, *l2]));
            let Some(value) = tail.get(..length) else { break };
            if let (OPTION_EXTENDED_ERROR, [e1, e2, ..]) = (u16::from_be_bytes([*c1, *c2]), value) {
                extended_errors.push(u16::from_be_bytes([*e1, *e2]));
            }
            rest = tail.get(length..).unwrap_or_default();
        }
        self.edns = Some(Edns { payload_octets: frame.class, dnssec_ok: frame.ttl & 0x8000 != 0, extended_errors });
    }
}

/// Says whether `reply` is a reply to `query`: same id, QR set, the same opcode and the same
/// question, letter by letter (RFC 5452 §9.1, 0x20). Both are octets as sent and received.
#[must_use]
pub fn is_reply_to(reply: &[u8], query: &[u8]) -> bool {
    is_reply_with_question(reply, query, |repeated, asked| repeated == asked)
}

/// Says whether `reply` would be a reply to `query` if the letters of its question had the case that they were sent in.
#[must_use]
pub fn is_reply_in_other_letters(reply: &[u8], query: &[u8]) -> bool {
    !is_reply_to(reply, query) && is_reply_with_question(reply, query, <[u8]>::eq_ignore_ascii_case)
}

/// Says whether `reply` is a reply to `query`, its question being the `same`.
fn is_reply_with_question(reply: &[u8], query: &[u8], same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let question_end = |octets: &[u8]| {
        let mut end = HEADER_OCTETS;
        loop {
            let length = usize::from(*octets.get(end)?);
            end += 1;
            if length == 0 {
                return Some(end + 4);
            }
            end += length;
        }
    };
    let Some(end) = question_end(query) else { return false };
    let (Some([q1, q2, q3, ..]), Some([r1, r2, r3, ..])) = (query.get(..3), reply.get(..3)) else { return false };
    let questions = reply.get(HEADER_OCTETS..end).zip(query.get(HEADER_OCTETS..end));
    let same_question = questions.is_some_and(|(repeated, asked)| same(repeated, asked));
    let one_question = reply.get(4..6) == Some(&[0, 1]);
    (q1, q2) == (r1, r2) && r3 & 0x80 != 0 && (r3 ^ q3) & 0x78 == 0 && one_question && same_question
}

/// Says whether `reply` is an error without a question section that answers `query` by its id: what
/// servers send that could not read the query, such as old ones that do not know EDNS.
///
/// NXDOMAIN is none: it says something about a name, which must then be there (SECURITY.md F1).
#[must_use]
pub fn is_bare_error_to(reply: &[u8], query: &[u8]) -> bool {
    let (Some(id), Some([flags, code])) = (reply.get(..2), reply.get(2..4)) else { return false };
    let is_error = !matches!(Rcode(u16::from(code & 0xf)), Rcode::NOERROR | Rcode::NXDOMAIN);
    query.get(..2) == Some(id) && flags & 0x80 != 0 && is_error && reply.get(4..6) == Some(&[0, 0])
}

/// What a record has behind its owner, before its data is looked at.
struct Frame<'a> {
    /// The type.
    kind: RecordType,
    /// The class, or what OPT keeps in its place.
    class: u16,
    /// The time to live, or what OPT keeps in its place.
    ttl: u32,
    /// The data.
    rdata: &'a [u8],
    /// Where the data starts in the message.
    start: usize,
}

impl<'a> Frame<'a> {
    /// Reads all that stands behind the owner and goes on behind it; `None` where the message ends before that.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let kind = RecordType(reader.u16()?);
        let class = reader.u16()?;
        let ttl = reader.u32()?;
        let length = usize::from(reader.u16()?);
        let start = reader.index();
        let rdata = reader.slice(length)?;
        Some(Self { kind, class, ttl, rdata, start })
    }
}

/// Reads the owner of a record.
///
/// Names of replies are read in lower case: servers compress names by pointing into the question, whose letters have
/// the case that we made up (0x20), so that the case of a reply says nothing. Most owners are such a pointer to the
/// name that was `asked` for, which is read once.
fn read_owner(reader: &mut Reader<'_>, asked: &mut Option<Name>) -> Option<Name> {
    match asked {
        Some(name) if reader.skip_pointer_to(HEADER_OCTETS) => Some(name.clone()),
        _ if reader.is_pointer_to(HEADER_OCTETS) => Some(asked.insert(reader.lowercase_name()?).clone()),
        _ => reader.lowercase_name(),
    }
}

/// Reads the six numbers of a header.
fn read_header(reader: &mut Reader<'_>) -> Option<[u16; 6]> {
    let mut header = [0; 6];
    for field in &mut header {
        *field = reader.u16()?;
    }
    Some(header)
}

/// Goes on behind the question, where it is that one; the case of its letters does not count.
fn skip_question(reader: &mut Reader<'_>, asked: &Question) -> bool {
    let (name, mut behind) = (asked.name.wire(), *reader);
    let is_asked = behind.slice(name.len()).is_some_and(|octets| octets.eq_ignore_ascii_case(name))
        && behind.u16() == Some(asked.kind.0)
        && behind.u16() == Some(CLASS_IN);
    if is_asked {
        *reader = behind;
    }
    is_asked
}

/// Reads the question section, which has one question or none, in the case that it was asked in.
fn read_question(reader: &mut Reader<'_>, count: u16) -> Result<Option<Question>, DecodeError> {
    let mut read = || {
        let name = reader.name()?;
        let kind = RecordType(reader.u16()?);
        let class = reader.u16()?;
        (class == CLASS_IN).then(|| Question::new(name, kind))
    };
    match count {
        0 => Ok(None),
        1 => read().map(Some).ok_or(DecodeError::BadQuestion),
        _ => Err(DecodeError::BadQuestion),
    }
}

/// Reads the data of a record; `None` where it is not as its type wants it to the last octet.
fn read_rdata(message: Reader<'_>, frame: &Frame<'_>) -> Option<Rdata> {
    let mut reader = message.moved_to(frame.start);
    let end = frame.start + frame.rdata.len();
    let rdata = match frame.kind {
        RecordType::A => Rdata::A(reader.octets::<4>()?.into()),
        RecordType::AAAA => Rdata::Aaaa(reader.octets::<16>()?.into()),
        RecordType::NS => Rdata::Ns(reader.lowercase_name()?),
        RecordType::CNAME => Rdata::Cname(reader.lowercase_name()?),
        RecordType::DNAME => Rdata::Dname(reader.lowercase_name()?),
        RecordType::PTR => Rdata::Ptr(reader.lowercase_name()?),
        RecordType::SOA => read_soa(&mut reader)?,
        RecordType::MX => {
            let preference = reader.u16()?;
            Rdata::Mx { preference, exchange: reader.lowercase_name()? }
        }
        RecordType::TXT => {
            let mut strings = Vec::new();
            while reader.index() < end {
                strings.push(reader.character_string()?.into());
            }
            Rdata::Txt(strings)
        }
        kind => return Some(Rdata::Other { kind, octets: frame.rdata.into() }),
    };
    (reader.index() == end).then_some(rdata)
}

/// Reads the data of an SOA record.
fn read_soa(reader: &mut Reader<'_>) -> Option<Rdata> {
    let mname = reader.lowercase_name()?;
    let rname = reader.lowercase_name()?;
    let (serial, refresh, retry, expire) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
    let minimum = Ttl::from_wire(reader.u32()?);
    Some(Rdata::Soa(Soa { mname, rname, serial, refresh, retry, expire, minimum }))
}

#[cfg(test)]
mod tests;
