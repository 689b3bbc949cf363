//! Whether it pays on this host to send what one check asks one server as one message of segments (UDP_SEGMENT).
//!
//! ```text
//! cargo bench --bench segments
//! ```
//!
//! Sends bursts of questions over loopback to a thread that repeats them: a datagram each, and in segments. Prints the
//! processor time that a datagram takes the sender, its reply included. Only Linux has such messages.
#![cfg_attr(
    target_os = "linux",
    expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench ends where it cannot run")
)]

/// Runs where there are such messages.
fn main() {
    #[cfg(target_os = "linux")]
    linux::print();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{IoSlice, IoSliceMut};
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use nix::cmsg_space;
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, sendmsg};
    use nix::sys::time::TimeValLike;

    /// The octets of the questions that a check has for a server: three of DKIM, then DMARC and SPF.
    const LENGTHS: [usize; 5] = [90, 90, 90, 64, 57];
    /// The octets of the longest.
    const LONGEST: usize = 90;
    /// How many of them fit one message: all segments are of one length, only the last may be shorter.
    const FITTING: usize = 4;
    /// How many servers are asked at once.
    const SERVERS: usize = 12;
    /// How many questions that makes.
    const QUESTIONS: usize = SERVERS * LENGTHS.len();
    /// How many bursts make a round, and how many rounds are run.
    const BURSTS: usize = 2000;
    const ROUNDS: usize = 7;
    /// How long a datagram may take.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Sends one burst.
    type Send = fn(&UdpSocket, SockaddrIn);

    /// Sends messages of these lengths to each server, with one call, cut into segments where such a message is longer.
    fn send_all(socket: &UdpSocket, server: SockaddrIn, lengths: &[usize], segment: Option<u16>) {
        let octets = [0; LONGEST * LENGTHS.len()];
        let lengths = lengths.iter().cycle().take(lengths.len() * SERVERS);
        let slices: Vec<_> = lengths.map(|length| [IoSlice::new(octets.get(..*length).unwrap())]).collect();
        let control: Vec<_> = segment.iter().map(ControlMessage::UdpGsoSegments).collect();
        let mut headers = MultiHeaders::<SockaddrIn>::preallocate(slices.len(), segment.map(|_| cmsg_space!(u16)));
        let addresses = vec![Some(server); slices.len()];
        let flags = MsgFlags::empty();
        let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, addresses, control, flags).unwrap();
        assert_eq!(sent.count(), slices.len());
    }

    /// Sends a datagram for each question, all with one call.
    fn one_by_one(socket: &UdpSocket, server: SockaddrIn) {
        send_all(socket, server, &LENGTHS, None);
    }

    /// Sends one message to each server, all with one call, as if all questions were of one length.
    fn padded(socket: &UdpSocket, server: SockaddrIn) {
        send_all(socket, server, &[LONGEST * LENGTHS.len()], Some(u16::try_from(LONGEST).unwrap()));
    }

    /// Sends what fits as one message to each server, each with a call of its own, since no two checks' questions are of one
    /// length; and the others with one call.
    fn as_they_are(socket: &UdpSocket, server: SockaddrIn) {
        let octets = [0; LONGEST * LENGTHS.len()];
        let (fitting, others) = LENGTHS.split_at(FITTING);
        let slices = [IoSlice::new(octets.get(..fitting.iter().sum()).unwrap())];
        let segment = u16::try_from(LONGEST).unwrap();
        for _ in 0..SERVERS {
            let control = [ControlMessage::UdpGsoSegments(&segment)];
            sendmsg(socket.as_raw_fd(), &slices, &control, MsgFlags::empty(), Some(&server)).unwrap();
        }
        send_all(socket, server, others, None);
    }

    /// Reads the replies to one burst, which are all there.
    fn receive(socket: &UdpSocket) {
        let mut buffer = [[0; LONGEST]; QUESTIONS];
        let mut slices = buffer.each_mut().map(|octets| [IoSliceMut::new(octets)]);
        let mut headers = MultiHeaders::<SockaddrIn>::preallocate(slices.len(), None);
        let received = recvmmsg(socket.as_raw_fd(), &mut headers, &mut slices, MsgFlags::empty(), None).unwrap();
        assert_eq!(received.count(), QUESTIONS);
    }

    /// Returns the processor time of this thread in microseconds.
    fn cpu() -> i64 {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
    }

    /// Prints what a datagram takes either way.
    pub(super) fn print() {
        let [client, server] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let std::net::SocketAddr::V4(address) = server.local_addr().unwrap() else { unreachable!() };
        let (repeated, all_repeated) = mpsc::channel();
        thread::spawn(move || {
            let mut octets = [0; LONGEST];
            for nth in 1.. {
                let Ok((length, from)) = server.recv_from(&mut octets) else { return };
                server.send_to(octets.get(..length).unwrap_or_default(), from).unwrap();
                if nth % QUESTIONS == 0 && repeated.send(()).is_err() {
                    return;
                }
            }
        });
        let round = |send: Send| {
            let before = cpu();
            for _ in 0..BURSTS {
                send(&client, address.into());
                all_repeated.recv_timeout(PATIENCE).unwrap();
                receive(&client);
            }
            f64::from(i32::try_from(cpu() - before).unwrap()) / f64::from(u32::try_from(BURSTS * QUESTIONS).unwrap())
        };
        let ways: [(&str, Send); 3] = [
            ("a datagram each", one_by_one),
            ("in segments, all padded to one length", padded),
            ("in segments, as long as they are", as_they_are),
        ];
        let mut taken = ways.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (taken, (_, send)) in taken.iter_mut().zip(ways) {
                taken.push(round(send));
            }
        }
        for (taken, (name, _)) in taken.iter_mut().zip(ways) {
            taken.sort_by(f64::total_cmp);
            let median = taken.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
            println!("{name:<38} {median:.2} µs of CPU a question and its reply");
        }
    }
}
