//! Datagrams that are about to leave, and which of them leave in one piece.

use std::net::SocketAddr;
use std::ops::Range;

/// The most datagrams that are handed over in one piece; Linux takes 64 (`UDP_MAX_SEGMENTS` before 6.10).
const MAX_SEGMENTS: usize = 32;

/// Datagrams that are about to leave, one behind the other.
#[derive(Default)]
pub(super) struct Mail {
    /// What is in them.
    octets: Vec<u8>,
    /// The numbers of their questions, in the same order.
    numbers: Vec<usize>,
    /// How they are handed over.
    parcels: Vec<Parcel>,
}

/// What is handed over for one server: a datagram, or several that the system cuts out of one piece.
#[derive(Clone)]
struct Parcel {
    /// Where to.
    server: SocketAddr,
    /// How long each datagram is, but the last, which may be shorter.
    length: usize,
    /// Where its octets lie.
    octets: Range<usize>,
    /// Where the numbers of its questions lie.
    numbers: Range<usize>,
}

impl Parcel {
    /// Says whether one more datagram can be cut out behind the others.
    fn has_room_for(&self, server: SocketAddr, length: usize) -> bool {
        let is_even = self.octets.len() == self.length * self.numbers.len();
        self.server == server && is_even && length <= self.length && self.numbers.len() < MAX_SEGMENTS
    }

    /// Returns how long the segments are that it is to be cut into; `None` where it is one datagram.
    fn segment(&self) -> Option<u16> {
        if self.numbers.len() > 1 { u16::try_from(self.length).ok() } else { None }
    }
}

impl Mail {
    /// Adds the datagram of a question; where it `may_join` them, to those before it that go to the same server.
    pub(super) fn push(&mut self, server: SocketAddr, nth: usize, octets: &[u8], may_join: bool) {
        let (start, place, length) = (self.octets.len(), self.numbers.len(), octets.len());
        self.octets.extend_from_slice(octets);
        self.numbers.push(nth);
        let (octets_end, numbers_end) = (start + length, place + 1);
        match self.parcels.last_mut() {
            Some(last) if may_join && last.has_room_for(server, length) => {
                (last.octets.end, last.numbers.end) = (octets_end, numbers_end);
            }
            _ => {
                let (octets, numbers) = (start..octets_end, place..numbers_end);
                self.parcels.push(Parcel { server, length, octets, numbers });
            }
        }
    }

    /// Puts parcels of the same segments behind each other: they can leave with one call.
    pub(super) fn sort(&mut self) {
        self.parcels.sort_by_key(Parcel::segment);
    }

    /// Unpacks a parcel: its datagrams go to the end, each for itself. False where it is one datagram.
    pub(super) fn unpack(&mut self, place: usize) -> bool {
        let Some(parcel) = self.parcels.get(place).filter(|parcel| parcel.segment().is_some()).cloned() else {
            return false;
        };
        for (start, number) in parcel.octets.clone().step_by(parcel.length).zip(parcel.numbers) {
            let octets = start..parcel.octets.end.min(start + parcel.length);
            let numbers = number..number + 1;
            self.parcels.push(Parcel { server: parcel.server, length: octets.len(), octets, numbers });
        }
        true
    }

    /// Returns how many parcels there are.
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// Takes all out, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.numbers.clear();
        self.parcels.clear();
    }

    /// Returns the numbers of the questions in a parcel.
    pub(super) fn numbers(&self, place: usize) -> &[usize] {
        let numbers = self.parcels.get(place).and_then(|parcel| self.numbers.get(parcel.numbers.clone()));
        numbers.unwrap_or_default()
    }

    /// Iterates over the parcels from a place on that can leave with one call: where to, and what.
    pub(super) fn alike(&self, place: usize) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let parcels = self.parcels.get(place..).unwrap_or_default();
        let segment = parcels.first().and_then(Parcel::segment);
        let alike = parcels.iter().take_while(move |parcel| parcel.segment() == segment);
        alike.map(|one| (one.server, self.octets.get(one.octets.clone()).unwrap_or_default()))
    }

    /// Makes one parcel of all, however many datagrams it is to be cut into.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn merge(&mut self) {
        let [first, .., last] = &mut *self.parcels else { return };
        (first.octets.end, first.numbers.end) = (last.octets.end, last.numbers.end);
        self.parcels.truncate(1);
    }

    /// Returns how long the segments of a parcel are; `None` where it is one datagram.
    #[cfg(target_os = "linux")]
    pub(super) fn segment(&self, place: usize) -> Option<u16> {
        self.parcels.get(place).and_then(Parcel::segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs datagrams of these servers and lengths, numbered from zero.
    fn packed(datagrams: &[(u8, usize)], may_join: bool) -> Mail {
        let mut mail = Mail::default();
        for (nth, (server, length)) in datagrams.iter().enumerate() {
            let octets = vec![u8::try_from(nth).unwrap(); *length];
            mail.push(SocketAddr::new([192, 0, 2, *server].into(), 53), nth, &octets, may_join);
        }
        mail
    }

    /// Returns how long the segments of each parcel are, and what stands in each of their datagrams.
    fn parcels(mail: &Mail) -> Vec<(Option<u16>, Vec<usize>)> {
        let of = |parcel: &Parcel| {
            let octets = &mail.octets[parcel.octets.clone()];
            let datagrams: Vec<&[u8]> = octets.chunks(parcel.length).collect();
            let numbers = mail.numbers[parcel.numbers.clone()].to_vec();
            let within: Vec<usize> = datagrams.iter().map(|datagram| usize::from(datagram[0])).collect();
            assert_eq!(numbers, within);
            assert!(datagrams.iter().all(|datagram| datagram.iter().all(|octet| *octet == datagram[0])));
            (parcel.segment(), numbers)
        };
        mail.parcels.iter().map(of).collect()
    }

    #[test]
    fn what_is_of_one_length_and_one_shorter_leave_together() {
        let datagrams = [(1, 90), (1, 90), (1, 90), (1, 64), (1, 57), (2, 90), (3, 64), (3, 64), (4, 91), (4, 90)];
        let mut mail = packed(&datagrams, true);
        let alone = [(None, vec![4]), (None, vec![5])];
        let together = [(Some(64), vec![6, 7]), (Some(90), vec![0, 1, 2, 3]), (Some(91), vec![8, 9])];
        mail.sort();
        assert_eq!(parcels(&mail), [alone.to_vec(), together.to_vec()].concat());
        assert_eq!(mail.alike(0).count(), 2);
        assert_eq!(mail.alike(2).count(), 1);
        assert_eq!(packed(&datagrams, false).len(), datagrams.len());
    }

    #[test]
    fn a_piece_has_a_bounded_number_of_datagrams() {
        let mail = packed(&[(1, 90); 100], true);
        let counts: Vec<usize> = (0..mail.len()).map(|place| mail.numbers(place).len()).collect();
        assert_eq!(counts, [MAX_SEGMENTS, MAX_SEGMENTS, MAX_SEGMENTS, 100 - 3 * MAX_SEGMENTS]);
    }

    #[test]
    fn what_is_unpacked_is_the_same_for_itself() {
        let mut mail = packed(&[(1, 90), (1, 90), (1, 64), (1, 57)], true);
        assert!(mail.unpack(0));
        assert!(!mail.unpack(1), "it is one datagram");
        let alone = [3, 0, 1, 2].map(|nth| (None, vec![nth]));
        assert_eq!(parcels(&mail)[1..], alone);
    }
}
