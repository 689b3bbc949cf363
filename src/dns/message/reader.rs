//! Reads the parts of a message where they lie: nothing is copied but names, and those once.

use crate::dns::name::{MAX_NAME_OCTETS, Name};

/// How long a pointer is (RFC 1035 §4.1.4).
const POINTER_OCTETS: usize = 2;

/// The bits that tell a pointer from a label.
const POINTER_BITS: usize = 0xc000;

/// A place in a message.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The whole message, which names point back into.
    octets: &'a [u8],
    /// Where it is read on.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of a message.
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// Returns the same message read on from another place.
    pub(super) fn moved_to(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// Returns how many octets lie before the place.
    pub(super) fn index(&self) -> usize {
        self.at
    }

    /// Reads so many octets; `None`, and nothing is read, where there are fewer.
    pub(super) fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let slice = self.octets.get(self.at..end)?;
        self.at = end;
        Some(slice)
    }

    /// Reads a number of so many octets.
    pub(super) fn octets<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }

    /// Reads a number of two octets.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.octets().map(u16::from_be_bytes)
    }

    /// Reads a number of four octets.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.octets().map(u32::from_be_bytes)
    }

    /// Reads a character-string (RFC 1035 §3.3).
    pub(super) fn character_string(&mut self) -> Option<&'a [u8]> {
        let [length] = self.octets()?;
        self.slice(usize::from(length))
    }

    /// Says whether a pointer to a place of the message comes next (RFC 1035 §4.1.4).
    pub(super) fn is_pointer_to(&self, place: usize) -> bool {
        let next = self.octets.get(self.at..).and_then(<[u8]>::first_chunk::<POINTER_OCTETS>);
        next.is_some_and(|octets| {
            let pointer = usize::from(u16::from_be_bytes(*octets));
            pointer >= POINTER_BITS && pointer - POINTER_BITS == place
        })
    }

    /// Goes on behind a pointer to a place of the message, where one comes next.
    pub(super) fn skip_pointer_to(&mut self, place: usize) -> bool {
        let is_next = self.is_pointer_to(place);
        self.at += if is_next { POINTER_OCTETS } else { 0 };
        is_next
    }

    /// Reads a name as it was written, compressed or not.
    pub(super) fn name(&mut self) -> Option<Name> {
        self.wire_name(|_| {})
    }

    /// Reads a name in lower case, compressed or not.
    pub(super) fn lowercase_name(&mut self) -> Option<Name> {
        self.wire_name(<[u8]>::make_ascii_lowercase)
    }

    /// Goes on behind a name without reading it.
    pub(super) fn skip_name(&mut self) -> Option<()> {
        loop {
            let [first] = self.octets()?;
            match first {
                0 => return Some(()),
                1..=0x3f => self.slice(usize::from(first)).map(|_| ())?,
                0xc0.. => return self.slice(1).map(|_| ()),
                _ => return None,
            }
        }
    }

    /// Reads a name and does `change` to each label.
    ///
    /// A pointer leads back, before all that was read of the name so far, and what lies there ends before it comes to where
    /// it was pointed from; so that reading ends (RFC 1035 §4.1.4).
    fn wire_name(&mut self, change: impl Fn(&mut [u8])) -> Option<Name> {
        let mut wire = [0; MAX_NAME_OCTETS];
        let mut length = 0;
        let (mut at, mut run_start, mut run_end) = (self.at, self.at, usize::MAX);
        let mut behind = None;
        loop {
            if at >= run_end {
                return None;
            }
            let first = *self.octets.get(at)?;
            match first {
                0 => break,
                1..=0x3f => {
                    let end = at + 1 + usize::from(first);
                    let label = self.octets.get(at..end)?;
                    // The root label comes behind.
                    let next = length + label.len();
                    let place = wire.get_mut(length..next).filter(|_| next < MAX_NAME_OCTETS)?;
                    place.copy_from_slice(label);
                    change(place.get_mut(1..)?);
                    (at, length) = (end, next);
                }
                0xc0.. => {
                    let low = *self.octets.get(at + 1)?;
                    behind.get_or_insert(at + 2);
                    let target = usize::from(u16::from_be_bytes([first & 0x3f, low]));
                    if target >= run_start {
                        return None;
                    }
                    (at, run_start, run_end) = (target, target, run_start);
                }
                _ => return None,
            }
        }
        self.at = behind.unwrap_or(at + 1);
        Some(Name::from_whole_wire(wire.get(..=length)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the name at a place of a message and returns it with what lies before the next one.
    fn read(octets: &[u8], at: usize) -> Option<(String, usize)> {
        let mut reader = Reader::new(octets).moved_to(at);
        reader.lowercase_name().map(|name| (name.to_string(), reader.index()))
    }

    #[test]
    fn names_are_read_through_pointers_that_lead_back() {
        let octets = b"\x01A\x02bc\0\x01d\xc0\x02\x01e\xc0\x06\xc0\x06";
        for (at, name, next) in
            [(0, "a.bc.", 6), (2, "bc.", 6), (6, "d.bc.", 10), (10, "e.d.bc.", 14), (14, "d.bc.", 16)]
        {
            assert_eq!(read(octets, at), Some((name.to_owned(), next)), "at {at}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_read() {
        let too_long = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(4);
        let cases: [(&str, &[u8], usize); 10] = [
            ("ends before the root label", b"\x01a", 0),
            ("ends inside a label", b"\x05ab", 0),
            ("ends inside a pointer", b"\0\xc0", 1),
            ("points at itself", b"\xc0\x00", 0),
            ("points forward", b"\xc0\x02\x01a\0", 0),
            ("points into itself", b"\x01a\xc0\x00", 0),
            ("points back and runs into itself", b"\x01a\x01b\xc0\x00", 2),
            ("points in a circle", b"\xc0\x02\xc0\x00", 2),
            ("has a label of a kind that is no more", b"\x41a\0", 0),
            ("is longer than a name may be", &too_long, 0),
        ];
        for (what, octets, at) in cases {
            assert_eq!(read(octets, at), None, "{what}");
        }
    }
}
