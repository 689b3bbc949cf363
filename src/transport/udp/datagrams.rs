//! Many datagrams with one system call, where the system has such a call; else one after the other.
//!
//! Nothing here waits: a socket that takes or gives no more says [`ErrorKind::WouldBlock`](std::io::ErrorKind).

use std::net::SocketAddr;
use std::ops::Range;

/// The longest datagram that is read; more than three times what servers are told to send at most.
pub(super) const DATAGRAM_OCTETS: usize = 4096;

/// Datagrams that are about to leave, one behind the other.
#[derive(Default)]
pub(super) struct Mail {
    /// What is in them.
    octets: Vec<u8>,
    /// Where they go.
    parcels: Vec<Parcel>,
}

/// One of them.
struct Parcel {
    /// Where to.
    server: SocketAddr,
    /// The number of its question.
    nth: usize,
    /// Where its octets lie.
    octets: Range<usize>,
}

impl Mail {
    /// Adds the datagram of a question.
    pub(super) fn push(&mut self, server: SocketAddr, nth: usize, octets: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.parcels.push(Parcel { server, nth, octets: start..self.octets.len() });
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// Takes all out, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.parcels.clear();
    }

    /// Returns the number of the question that stands at that place.
    pub(super) fn number(&self, place: usize) -> Option<usize> {
        self.parcels.get(place).map(|parcel| parcel.nth)
    }

    /// Iterates over those from a place on: where to, and what.
    fn from(&self, place: usize) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let parcels = self.parcels.get(place..).unwrap_or_default();
        parcels.iter().map(|one| (one.server, self.octets.get(one.octets.clone()).unwrap_or_default()))
    }
}

#[cfg(target_os = "linux")]
pub(super) use many::{receive, send};
#[cfg(not(target_os = "linux"))]
pub(super) use one::{receive, send};

/// With `sendmmsg` and `recvmmsg`.
#[cfg(target_os = "linux")]
mod many {
    use std::cell::RefCell;
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
    use std::net::SocketAddr;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::{DATAGRAM_OCTETS, Mail};

    /// The most datagrams of one system call; twice as many were not seen to cost less each.
    const BATCH: usize = 32;

    /// What the system fills with what came in; it is read before the next call. Nothing is sent with these headers: they
    /// would then point to addresses that are gone.
    struct Incoming {
        /// The datagrams.
        buffer: Vec<u8>,
        /// The headers of one batch, with IPv4 addresses.
        ipv4: MultiHeaders<SockaddrIn>,
        /// The headers of one batch, with IPv6 addresses.
        ipv6: MultiHeaders<SockaddrIn6>,
    }

    thread_local! {
        /// What comes in on this thread.
        static INCOMING: RefCell<Incoming> = RefCell::new(Incoming {
            buffer: vec![0; BATCH * DATAGRAM_OCTETS],
            ipv4: MultiHeaders::preallocate(BATCH, None),
            ipv6: MultiHeaders::preallocate(BATCH, None),
        });
    }

    /// Writes an IPv4 address as the system does; `None` where it is of the other family.
    fn write_v4(address: SocketAddr) -> Option<SockaddrIn> {
        if let SocketAddr::V4(v4) = address { Some(v4.into()) } else { None }
    }

    /// Writes an IPv6 address as the system does; `None` where it is of the other family.
    fn write_v6(address: SocketAddr) -> Option<SockaddrIn6> {
        if let SocketAddr::V6(v6) = address { Some(v6.into()) } else { None }
    }

    /// Sends datagrams from a place on and returns how many left, one at least.
    ///
    /// # Errors
    /// What the system says of the first one; [`ErrorKind::WouldBlock`] where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, mail: &Mail, place: usize) -> io::Result<usize> {
        let is_ipv4 = mail.from(place).next().is_some_and(|(server, _)| server.is_ipv4());
        socket.try_io(Interest::WRITABLE, || match is_ipv4 {
            true => send_all(socket, mail, place, write_v4),
            false => send_all(socket, mail, place, write_v6),
        })
    }

    /// Sends datagrams to addresses of one family.
    fn send_all<A: SockaddrLike + Copy>(
        socket: &UdpSocket,
        mail: &Mail,
        place: usize,
        write: fn(SocketAddr) -> Option<A>,
    ) -> io::Result<usize> {
        let (mut slices, mut addresses) = ([[IoSlice::new(&[])]; BATCH], [None; BATCH]);
        let mut count = 0;
        for ((slice, address), (server, octets)) in slices.iter_mut().zip(&mut addresses).zip(mail.from(place)) {
            (*slice, *address) = ([IoSlice::new(octets)], write(server));
            count += 1;
        }
        let (slices, addresses) = (slices.get(..count).unwrap_or_default(), addresses.get(..count).unwrap_or_default());
        let mut headers = MultiHeaders::<A>::preallocate(count, None);
        let sent = sendmmsg(socket.as_raw_fd(), &mut headers, slices, addresses, [], MsgFlags::empty())?;
        Ok(sent.count())
    }

    /// Reads what has come in on a socket of that family, at most a batch, and hands each datagram to `take`; those of
    /// [`DATAGRAM_OCTETS`] may be cut.
    ///
    /// # Errors
    /// What the system says; [`ErrorKind::WouldBlock`] where nothing more is there, be it that some was.
    pub(in super::super) fn receive(
        socket: &UdpSocket,
        is_ipv4: bool,
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<()> {
        INCOMING.with_borrow_mut(|Incoming { buffer, ipv4, ipv6 }| {
            socket.try_io(Interest::READABLE, || match is_ipv4 {
                true => receive_all(socket, buffer, ipv4, &mut take, |from| SocketAddr::V4((*from).into())),
                false => receive_all(socket, buffer, ipv6, &mut take, |from| SocketAddr::V6((*from).into())),
            })
        })
    }

    /// Reads datagrams from addresses of one family.
    fn receive_all<A: SockaddrLike + Copy>(
        socket: &UdpSocket,
        buffer: &mut [u8],
        headers: &mut MultiHeaders<A>,
        take: &mut impl FnMut(SocketAddr, &[u8]),
        read: fn(&A) -> SocketAddr,
    ) -> io::Result<()> {
        let mut chunks = buffer.chunks_exact_mut(DATAGRAM_OCTETS);
        let mut slices: [_; BATCH] = std::array::from_fn(|_| [IoSliceMut::new(chunks.next().unwrap_or_default())]);
        let mut count = 0;
        for datagram in recvmmsg(socket.as_raw_fd(), headers, &mut slices, MsgFlags::empty(), None)? {
            count += 1;
            if let Some(from) = &datagram.address {
                // An empty datagram has no slice.
                take(read(from), datagram.iovs().next().unwrap_or_default());
            }
        }
        // A short batch leaves nothing behind.
        if count < BATCH { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}

/// With a call for each datagram.
#[cfg(not(target_os = "linux"))]
mod one {
    use std::io;
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;

    use super::{DATAGRAM_OCTETS, Mail};

    /// Sends the datagram that stands at a place and returns that one left.
    ///
    /// # Errors
    /// What the system says of it; `WouldBlock` where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, mail: &Mail, place: usize) -> io::Result<usize> {
        match mail.from(place).next() {
            Some((server, octets)) => socket.try_send_to(octets, server).map(|_| 1),
            None => Ok(0),
        }
    }

    /// Reads one datagram and hands it to `take`; one of [`DATAGRAM_OCTETS`] may be cut.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` where nothing is there.
    pub(in super::super) fn receive(
        socket: &UdpSocket,
        _is_ipv4: bool,
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<()> {
        let mut buffer = [0; DATAGRAM_OCTETS];
        let (length, from) = socket.try_recv_from(&mut buffer)?;
        take(from, buffer.get(..length).unwrap_or_default());
        Ok(())
    }
}
