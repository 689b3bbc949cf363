//! What was said to a question before, so that the same octets need not be read again.
//!
//! All servers of a zone are asked the same, and most say the same: but for the id, and for the letters of the question
//! that they repeat. Who says so is not read anew, and shares what was read.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dns::message::{DecodeError, Extent, HEADER_OCTETS, Message};
use crate::dns::rrset::Question;

/// How long the id of a message is (RFC 1035 §4.1.1).
const ID_OCTETS: usize = 2;

/// The reply to one question that came last, whoever gave it.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Option<(Vec<u8>, Arc<Message>)>>);

impl Heard {
    /// Reads a reply that repeats the question to the letter, always to the same extent. Its id and those letters are those
    /// of the first one of the same octets.
    ///
    /// # Errors
    /// As [`Message::decode_reply`].
    pub fn read(&self, octets: &[u8], asked: &Question, extent: Extent) -> Result<Arc<Message>, DecodeError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, message)) = last.as_ref().filter(|(before, _)| is_same(before, octets, asked)) {
            return Ok(Arc::clone(message));
        }
        let message = Arc::new(Message::decode_reply(octets, asked, extent)?);
        *last = Some((octets.to_vec(), Arc::clone(&message)));
        Ok(message)
    }
}

/// Says whether two replies to a question are the same but for their ids and the letters of the question.
fn is_same(one: &[u8], other: &[u8], asked: &Question) -> bool {
    let name = HEADER_OCTETS..HEADER_OCTETS + asked.name.wire().len();
    let is_equal = |place: Range<usize>, same: fn(&[u8], &[u8]) -> bool| {
        one.get(place.clone()).zip(other.get(place)).is_some_and(|(one, other)| same(one, other))
    };
    one.len() == other.len()
        && is_equal(ID_OCTETS..HEADER_OCTETS, <[u8]>::eq)
        && is_equal(name.clone(), <[u8]>::eq_ignore_ascii_case)
        && is_equal(name.end..one.len(), <[u8]>::eq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::{encode_message, encode_query};
    use crate::dns::name::Name;
    use crate::dns::rdata::Rdata;
    use crate::dns::rrset::{Record, RecordType, Ttl};

    /// A reply to a query with that id and those letters; the record has that time to live.
    fn reply(asked: &Question, id: u16, letters: u64, ttl: u32) -> Vec<u8> {
        let mut message = Message::decode(&encode_query(id, asked, letters, None)).unwrap();
        message.flags.is_reply = true;
        let (owner, target) = (asked.name.clone(), Name::parse("t1.dkim.amazonses.com.").unwrap());
        message.answers.push(Record { owner, ttl: Ttl::from_wire(ttl), rdata: Rdata::Cname(target) });
        encode_message(&message).unwrap()
    }

    #[test]
    fn the_same_octets_are_read_once_whatever_their_id_and_letters() {
        let asked = Question::new(Name::parse("t1._domainkey.example.com.").unwrap(), RecordType::CNAME);
        let heard = Heard::default();
        let read = |id, letters, ttl| heard.read(&reply(&asked, id, letters, ttl), &asked, Extent::Whole).unwrap();
        let first = read(1, 0x5555, 300);
        assert!(Arc::ptr_eq(&first, &read(2, 0x3333, 300)));
        let other = read(3, 0x5555, 600);
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(other.answers[0].ttl.seconds(), 600);
        assert!(Arc::ptr_eq(&other, &read(4, 0, 600)));
        assert_eq!(first.answers, read(5, 0, 300).answers);
    }

    #[test]
    fn what_differs_in_any_octet_is_read_anew() {
        let asked = Question::new(Name::parse("a.example.").unwrap(), RecordType::CNAME);
        let octets = reply(&asked, 7, 0, 300);
        for place in 0..octets.len() {
            let mut other = octets.clone();
            other[place] ^= 0x20;
            let is_letter = (HEADER_OCTETS..HEADER_OCTETS + asked.name.wire().len()).contains(&place)
                && octets[place].is_ascii_alphabetic();
            assert_eq!(is_same(&octets, &other, &asked), place < ID_OCTETS || is_letter, "octet {place}");
        }
        assert!(!is_same(&octets, &octets[..octets.len() - 1], &asked));
        assert!(!is_same(&[], &[], &asked));
    }
}
