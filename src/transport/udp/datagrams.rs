//! Many datagrams with one system call, where the system has such a call; else one after the other.
//!
//! Nothing here waits: a socket that takes or gives no more says [`ErrorKind::WouldBlock`](std::io::ErrorKind).

/// The longest datagram that is read; more than three times what servers are told to send at most.
pub(super) const DATAGRAM_OCTETS: usize = 4096;

#[cfg(target_os = "linux")]
pub(super) use many::{HAS_SEGMENTS, are_segments_unknown, receive, send};
#[cfg(not(target_os = "linux"))]
pub(super) use one::{HAS_SEGMENTS, are_segments_unknown, receive, send};

/// With `sendmmsg` and `recvmmsg`.
#[cfg(target_os = "linux")]
mod many {
    use std::cell::RefCell;
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
    use std::net::SocketAddr;
    use std::os::fd::AsRawFd;

    use nix::cmsg_space;
    use nix::errno::Errno;
    use nix::sys::socket::{
        ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg,
    };
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::DATAGRAM_OCTETS;
    use crate::transport::udp::mail::Mail;

    /// The system can cut one piece into datagrams (`UDP_SEGMENT`), though not every kernel and every network card.
    pub(in super::super) const HAS_SEGMENTS: bool = true;
    /// The most datagrams, or pieces to cut, of one system call; twice as many were not seen to cost less each.
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

    /// The headers of what goes out, written anew with every call.
    struct Outgoing<A> {
        /// Those of a batch of datagrams.
        whole: MultiHeaders<A>,
        /// Those of a batch of pieces to cut, which say how long the segments are.
        to_cut: MultiHeaders<A>,
    }

    impl<A: SockaddrLike + Copy> Outgoing<A> {
        /// Makes room for a batch.
        fn new() -> RefCell<Self> {
            let to_cut = MultiHeaders::preallocate(BATCH, Some(cmsg_space!(u16)));
            RefCell::new(Self { whole: MultiHeaders::preallocate(BATCH, None), to_cut })
        }
    }

    thread_local! {
        /// What comes in on this thread.
        static INCOMING: RefCell<Incoming> = RefCell::new(Incoming {
            buffer: vec![0; BATCH * DATAGRAM_OCTETS],
            ipv4: MultiHeaders::preallocate(BATCH, None),
            ipv6: MultiHeaders::preallocate(BATCH, None),
        });
        /// What goes out on this thread to IPv4 addresses.
        static OUTGOING_IPV4: RefCell<Outgoing<SockaddrIn>> = Outgoing::new();
        /// What goes out on this thread to IPv6 addresses.
        static OUTGOING_IPV6: RefCell<Outgoing<SockaddrIn6>> = Outgoing::new();
    }

    /// Writes an IPv4 address as the system does; `None` where it is of the other family.
    fn write_v4(address: SocketAddr) -> Option<SockaddrIn> {
        if let SocketAddr::V4(v4) = address { Some(v4.into()) } else { None }
    }

    /// Writes an IPv6 address as the system does; `None` where it is of the other family.
    fn write_v6(address: SocketAddr) -> Option<SockaddrIn6> {
        if let SocketAddr::V6(v6) = address { Some(v6.into()) } else { None }
    }

    /// Sends parcels from a place on and returns how many left, one at least.
    ///
    /// # Errors
    /// What the system says of the first one; [`ErrorKind::WouldBlock`] where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, mail: &Mail, place: usize) -> io::Result<usize> {
        let is_ipv4 = mail.alike(place).next().is_some_and(|(server, _)| server.is_ipv4());
        socket.try_io(Interest::WRITABLE, || match is_ipv4 {
            true => OUTGOING_IPV4.with_borrow_mut(|headers| send_all(socket, mail, place, headers, write_v4)),
            false => OUTGOING_IPV6.with_borrow_mut(|headers| send_all(socket, mail, place, headers, write_v6)),
        })
    }

    /// Sends parcels to addresses of one family.
    fn send_all<A: SockaddrLike + Copy>(
        socket: &UdpSocket,
        mail: &Mail,
        place: usize,
        headers: &mut Outgoing<A>,
        write: fn(SocketAddr) -> Option<A>,
    ) -> io::Result<usize> {
        let (mut slices, mut addresses) = ([[IoSlice::new(&[])]; BATCH], [None; BATCH]);
        let mut count = 0;
        for ((slice, address), (server, octets)) in slices.iter_mut().zip(&mut addresses).zip(mail.alike(place)) {
            (*slice, *address) = ([IoSlice::new(octets)], write(server));
            count += 1;
        }
        let (slices, addresses) = (slices.get(..count).unwrap_or_default(), addresses.get(..count).unwrap_or_default());
        let segment = mail.segment(place);
        let control = segment.as_ref().map(ControlMessage::UdpGsoSegments);
        let headers = if segment.is_some() { &mut headers.to_cut } else { &mut headers.whole };
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(fd, headers, slices, addresses, control.as_slice(), flags)?;
        Ok(sent.count())
    }

    /// Says whether an error means that the kernel, or the network card on the way, cuts nothing into datagrams.
    pub(in super::super) fn are_segments_unknown(error: &io::Error) -> bool {
        matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EIO | Errno::EINVAL | Errno::EOPNOTSUPP))
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

/// With a call for each datagram. It is tested where it is not used, too.
#[cfg(any(test, not(target_os = "linux")))]
mod one {
    use std::io;
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;

    use super::DATAGRAM_OCTETS;
    use crate::transport::udp::mail::Mail;

    /// The system cuts nothing into datagrams.
    pub(in super::super) const HAS_SEGMENTS: bool = false;

    /// Says whether an error means that nothing is cut into datagrams; nothing ever is.
    pub(in super::super) fn are_segments_unknown(_: &io::Error) -> bool {
        true
    }

    /// Sends the datagram that stands at a place and returns that one left.
    ///
    /// # Errors
    /// What the system says of it; `WouldBlock` where the socket takes no more.
    pub(in super::super) fn send(socket: &UdpSocket, mail: &Mail, place: usize) -> io::Result<usize> {
        match mail.alike(place).next() {
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

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::one;
    use crate::transport::udp::mail::Mail;

    #[tokio::test]
    async fn without_calls_for_many_they_go_and_come_one_by_one() {
        let [here, there] =
            [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()];
        let mut mail = Mail::default();
        let texts: [&[u8]; 3] = [b"one", b"two", b"three"];
        for (nth, text) in texts.into_iter().enumerate() {
            mail.push(there.local_addr().unwrap(), nth, text, one::HAS_SEGMENTS);
        }
        for place in 0..mail.len() {
            here.writable().await.unwrap();
            assert_eq!(one::send(&here, &mail, place).unwrap(), 1);
        }
        let mut came = Vec::new();
        while came.len() < texts.len() {
            there.readable().await.unwrap();
            let take = |from, octets: &[u8]| came.push((from, octets.to_vec()));
            // It may have been said too early that something is there.
            let _ = one::receive(&there, true, take);
        }
        assert_eq!(came, texts.map(|text| (here.local_addr().unwrap(), text.to_vec())));
        assert!(one::are_segments_unknown(&std::io::ErrorKind::Other.into()));
    }
}
