//! Many datagrams with one system call, where the system has such a call; else one after the other.
//!
//! Nothing here waits: a socket that takes or gives no more says [`ErrorKind::WouldBlock`](std::io::ErrorKind).

use std::net::SocketAddr;
use std::sync::Arc;

/// The longest datagram that is read; more than three times what servers are told to send at most.
pub(super) const DATAGRAM_OCTETS: usize = 4096;

/// A datagram that is about to leave.
pub(super) struct Outgoing {
    /// Where to.
    pub(super) server: SocketAddr,
    /// What.
    pub(super) octets: Arc<[u8]>,
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

    use super::{DATAGRAM_OCTETS, Outgoing};

    /// The most datagrams of one system call; twice as many were not seen to cost less each.
    const BATCH: usize = 32;

    thread_local! {
        /// Where datagrams come in; they are read before the next ones do.
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BATCH * DATAGRAM_OCTETS]);
    }

    /// Writes an IPv4 address as the system does; `None` where it is of the other family.
    fn write_v4(address: SocketAddr) -> Option<SockaddrIn> {
        if let SocketAddr::V4(v4) = address { Some(v4.into()) } else { None }
    }

    /// Writes an IPv6 address as the system does; `None` where it is of the other family.
    fn write_v6(address: SocketAddr) -> Option<SockaddrIn6> {
        if let SocketAddr::V6(v6) = address { Some(v6.into()) } else { None }
    }

    /// Sends the first of these datagrams and returns how many left, one at least.
    ///
    /// # Errors
    /// What the system says of the first one; [`ErrorKind::WouldBlock`] where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, datagrams: &[Outgoing]) -> io::Result<usize> {
        let is_ipv4 = datagrams.first().is_some_and(|datagram| datagram.server.is_ipv4());
        socket.try_io(Interest::WRITABLE, || match is_ipv4 {
            true => send_all(socket, datagrams, write_v4),
            false => send_all(socket, datagrams, write_v6),
        })
    }

    /// Sends datagrams to addresses of one family.
    fn send_all<A: SockaddrLike + Copy>(
        socket: &UdpSocket,
        datagrams: &[Outgoing],
        write: fn(SocketAddr) -> Option<A>,
    ) -> io::Result<usize> {
        let datagrams = datagrams.get(..BATCH).unwrap_or(datagrams);
        let slices: Vec<[IoSlice<'_>; 1]> = datagrams.iter().map(|one| [IoSlice::new(&one.octets)]).collect();
        let addresses: Vec<Option<A>> = datagrams.iter().map(|one| write(one.server)).collect();
        let mut headers = MultiHeaders::<A>::preallocate(slices.len(), None);
        let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, &addresses, [], MsgFlags::empty())?;
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
        BUFFER.with_borrow_mut(|buffer| {
            socket.try_io(Interest::READABLE, || match is_ipv4 {
                true => receive_all(socket, buffer, &mut take, |from: &SockaddrIn| SocketAddr::V4((*from).into())),
                false => receive_all(socket, buffer, &mut take, |from: &SockaddrIn6| SocketAddr::V6((*from).into())),
            })
        })
    }

    /// Reads datagrams from addresses of one family.
    fn receive_all<A: SockaddrLike + Copy>(
        socket: &UdpSocket,
        buffer: &mut [u8],
        take: &mut impl FnMut(SocketAddr, &[u8]),
        read: fn(&A) -> SocketAddr,
    ) -> io::Result<()> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            buffer.chunks_exact_mut(DATAGRAM_OCTETS).map(|chunk| [IoSliceMut::new(chunk)]).collect();
        let mut headers = MultiHeaders::<A>::preallocate(slices.len(), None);
        let mut count = 0;
        for datagram in recvmmsg(socket.as_raw_fd(), &mut headers, &mut slices, MsgFlags::empty(), None)? {
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

    use super::{DATAGRAM_OCTETS, Outgoing};

    /// Sends the first of these datagrams and returns that one left.
    ///
    /// # Errors
    /// What the system says of it; `WouldBlock` where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, datagrams: &[Outgoing]) -> io::Result<usize> {
        match datagrams.first() {
            Some(first) => socket.try_send_to(&first.octets, first.server).map(|_| 1),
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
