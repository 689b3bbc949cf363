//! [`Message`] to octets: queries as they leave, and replies as a lab or a test serves them.

use hickory_proto::rr::Name as WireName;
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};

use super::{CLASS_IN, Edns, Flags, Message};
use crate::dns::name::{MAX_NAME_OCTETS, Name};
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Rcode, Record, RecordType};

/// What a query has beside the name: its header, type and class, and the OPT record (RFC 6891 §6.1.2).
const QUERY_OCTETS_BESIDE_NAME: usize = 12 + 4 + 11;

/// A message that has no wire form: over 65,535 octets, or a character-string over 255.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the message is longer than the wire allows")]
pub struct EncodeError;

/// Returns a query as [`write_query`] writes it.
#[must_use]
pub fn encode_query(id: u16, question: &Question, case_bits: u64, edns: Option<&Edns>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(QUERY_OCTETS_BESIDE_NAME + question.name.wire().len());
    write_query(&mut octets, id, question, case_bits, edns);
    octets
}

/// Writes a query behind what is there: RD=0, class IN, with OPT where `edns` is given.
///
/// Bit `i` of `case_bits`, counted from the lowest and over again after 64, sets the case of the letter that stands at octet
/// `i` of the name (0x20), so that a forger has one more bit to guess for every letter.
///
/// Source: RFC 1035 §4.1, RFC 6891 §6.1.
pub fn write_query(octets: &mut Vec<u8>, id: u16, question: &Question, case_bits: u64, edns: Option<&Edns>) {
    let [id_high, id_low] = id.to_be_bytes();
    octets.extend_from_slice(&[id_high, id_low, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns.is_some())]);
    push_name_in_case(octets, &question.name, case_bits);
    let ([kind_high, kind_low], [class_high, class_low]) = (question.kind.0.to_be_bytes(), CLASS_IN.to_be_bytes());
    octets.extend_from_slice(&[kind_high, kind_low, class_high, class_low]);
    if let Some(edns) = edns {
        let ([opt_high, opt_low], [size_high, size_low]) =
            (RecordType::OPT.0.to_be_bytes(), edns.payload_octets.to_be_bytes());
        let flags = if edns.dnssec_ok { 0x80 } else { 0 };
        octets.extend_from_slice(&[0, opt_high, opt_low, size_high, size_low, 0, 0, flags, 0, 0, 0]);
    }
}

/// Writes a name with the case of each letter taken from `case_bits`.
fn push_name_in_case(octets: &mut Vec<u8>, name: &Name, mut case_bits: u64) {
    let length = name.wire().len();
    let mut eights = [[0; 8]; MAX_NAME_OCTETS.div_ceil(8)];
    if let Some(wire) = eights.as_flattened_mut().get_mut(..length) {
        wire.copy_from_slice(name.wire());
    }
    for eight in eights.iter_mut().take(length.div_ceil(8)) {
        let [bits, ..] = case_bits.to_le_bytes();
        *eight = in_case(*eight, bits);
        case_bits = case_bits.rotate_right(8);
    }
    octets.extend_from_slice(eights.as_flattened().get(..length).unwrap_or_default());
}

/// Sets the case of eight octets, those that are letters, by eight bits. All eight are done at once: each octet of the number
/// is one of them. The lengths of labels, 63 at most, are no letters.
fn in_case(octets: [u8; 8], bits: u8) -> [u8; 8] {
    /// A number with this octet eight times.
    const fn each(octet: u8) -> u64 {
        u64::from_le_bytes([octet; 8])
    }
    let word = u64::from_le_bytes(octets);
    // What comes to 0x80 by adding is at least `a`, and no more than `z` where it does not by adding less.
    let lower = (word | each(0x20)) & each(0x7f);
    let letters = (lower + each(0x80 - b'a')) & !(lower + each(0x7f - b'z')) & !word & each(0x80);
    // The bit of each octet, at another place in each, is made its highest one.
    let spread = (u64::from(bits) * each(1)) & 0x8040_2010_0804_0201;
    let chosen = ((spread & each(0x7f)) + each(0x7f)) | spread;
    let (letters, chosen) = (letters >> 2, (chosen & each(0x80)) >> 2);
    ((word & !letters) | (letters & chosen)).to_le_bytes()
}

/// Writes a whole message, with names compressed.
///
/// # Errors
/// [`EncodeError`] where it does not fit the wire.
pub fn encode_message(message: &Message) -> Result<Vec<u8>, EncodeError> {
    let mut octets = Vec::with_capacity(512);
    let mut encoder = BinEncoder::new(&mut octets);
    emit_message(&mut encoder, message)?;
    Ok(octets)
}

/// Writes a message into at most `limit` octets; one that is longer goes out with TC=1 and
/// without records (RFC 2181 §9).
///
/// # Errors
/// [`EncodeError`] where not even that fits the wire.
pub fn encode_within(message: &Message, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let whole = encode_message(message);
    if matches!(&whole, Ok(octets) if octets.len() <= limit) {
        return whole;
    }
    let mut cut = Message { edns: message.edns.clone(), question: message.question.clone(), ..Message::default() };
    cut.id = message.id;
    cut.rcode = message.rcode;
    cut.flags = Flags { truncated: true, ..message.flags };
    encode_message(&cut)
}

/// Writes header, question and all sections.
fn emit_message(encoder: &mut BinEncoder<'_>, message: &Message) -> Result<(), EncodeError> {
    let count = |records: usize| u16::try_from(records).map_err(|_| EncodeError);
    emit_u16(encoder, message.id)?;
    emit_u16(encoder, message.flags.to_bits(message.rcode))?;
    emit_u16(encoder, u16::from(message.question.is_some()))?;
    emit_u16(encoder, count(message.answers.len())?)?;
    emit_u16(encoder, count(message.authority.len())?)?;
    emit_u16(encoder, count(message.additional.len() + usize::from(message.edns.is_some()))?)?;
    if let Some(question) = &message.question {
        emit_name(encoder, &question.name)?;
        emit_u16(encoder, question.kind.0)?;
        emit_u16(encoder, CLASS_IN)?;
    }
    for record in message.answers.iter().chain(&message.authority).chain(&message.additional) {
        emit_record(encoder, record)?;
    }
    if let Some(edns) = &message.edns {
        emit_opt(encoder, edns, message.rcode)?;
    }
    Ok(())
}

/// Writes the OPT record.
fn emit_opt(encoder: &mut BinEncoder<'_>, edns: &Edns, rcode: Rcode) -> Result<(), EncodeError> {
    encoder.emit(0).map_err(|_| EncodeError)?;
    emit_u16(encoder, RecordType::OPT.0)?;
    emit_u16(encoder, edns.payload_octets)?;
    let flags: u32 = if edns.dnssec_ok { 0x8000 } else { 0 };
    encoder.emit_u32((u32::from(rcode.0 >> 4) << 24) | flags).map_err(|_| EncodeError)?;
    emit_u16(encoder, 0)
}

/// Writes one record.
fn emit_record(encoder: &mut BinEncoder<'_>, record: &Record) -> Result<(), EncodeError> {
    emit_name(encoder, &record.owner)?;
    emit_u16(encoder, record.kind().0)?;
    emit_u16(encoder, CLASS_IN)?;
    encoder.emit_u32(record.ttl.seconds()).map_err(|_| EncodeError)?;
    let length = encoder.place::<u16>().map_err(|_| EncodeError)?;
    emit_rdata(encoder, &record.rdata)?;
    let octets = u16::try_from(encoder.len_since_place(&length)).map_err(|_| EncodeError)?;
    length.replace(encoder, octets).map_err(|_| EncodeError)
}

/// Writes the data of a record; names of types that RFC 3597 §4 lets compress are compressed.
fn emit_rdata(encoder: &mut BinEncoder<'_>, rdata: &Rdata) -> Result<(), EncodeError> {
    match rdata {
        Rdata::A(address) => encoder.emit_vec(&address.octets()).map_err(|_| EncodeError),
        Rdata::Aaaa(address) => encoder.emit_vec(&address.octets()).map_err(|_| EncodeError),
        Rdata::Ns(name) | Rdata::Cname(name) | Rdata::Ptr(name) => emit_name(encoder, name),
        Rdata::Dname(name) => encoder.emit_vec(name.wire()).map_err(|_| EncodeError),
        Rdata::Soa(soa) => {
            emit_name(encoder, &soa.mname)?;
            emit_name(encoder, &soa.rname)?;
            [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum.seconds()]
                .into_iter()
                .try_for_each(|number| encoder.emit_u32(number).map_err(|_| EncodeError))
        }
        Rdata::Mx { preference, exchange } => {
            emit_u16(encoder, *preference)?;
            emit_name(encoder, exchange)
        }
        Rdata::Txt(strings) => {
            strings.iter().try_for_each(|string| encoder.emit_character_data(string).map_err(|_| EncodeError))
        }
        Rdata::Other { octets, .. } => encoder.emit_vec(octets).map_err(|_| EncodeError),
    }
}

/// Writes a name, compressed where a part of it stood before.
fn emit_name(encoder: &mut BinEncoder<'_>, name: &Name) -> Result<(), EncodeError> {
    let mut wire = WireName::from_labels(name.labels()).map_err(|_| EncodeError)?;
    wire.set_fqdn(true);
    wire.emit(encoder).map_err(|_| EncodeError)
}

/// Writes a number of two octets.
fn emit_u16(encoder: &mut BinEncoder<'_>, number: u16) -> Result<(), EncodeError> {
    encoder.emit_u16(number).map_err(|_| EncodeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_letters_is_set_and_nothing_else() {
        for octet in 0..=u8::MAX {
            for (bits, other) in [(0, b'q'), (u8::MAX, b'Q')] {
                for place in 0..8 {
                    let mut octets = [other; 8];
                    octets[place] = octet;
                    let expected = octets.map(|one| match (one.is_ascii_alphabetic(), bits) {
                        (true, 0) => one.to_ascii_uppercase(),
                        (true, _) => one.to_ascii_lowercase(),
                        (false, _) => one,
                    });
                    assert_eq!(in_case(octets, bits), expected, "{octet} at {place}");
                }
            }
        }
        assert_eq!(in_case(*b"abcdefgh", 0b1010_0110), *b"AbcDEfGh");
    }
}
