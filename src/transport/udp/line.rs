//! One socket, and its task: questions that come at the same time leave together, replies that wait are read together, and
//! one timer does for all questions that are out.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::future::poll_fn;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::book::{Arrival, Book, Kind};
use super::datagrams::{HAS_SEGMENTS, are_segments_unknown, receive, send};
use super::mail::Mail;
use crate::metrics::{Event, Metrics};
use crate::transport::Query;
use crate::transport::source::silence_of_send;

/// How many errors in a row a socket may report before it is replaced.
const ERRORS_IN_A_ROW: usize = 64;

/// All sockets of a transport that still live: what comes in at one may put questions of another under suspicion.
#[derive(Default)]
pub(super) struct Lines {
    /// The sockets.
    lines: Mutex<Vec<Weak<Line>>>,
    /// Whether the system was seen to cut nothing into datagrams.
    lacks_segments: AtomicBool,
    /// The counters.
    metrics: Arc<Metrics>,
}

/// A socket, its questions, and which of them are to leave.
pub(super) struct Line {
    /// The socket.
    pub(super) socket: UdpSocket,
    /// Whether it is one of IPv4.
    is_ipv4: bool,
    /// The port that servers listen on.
    port: u16,
    /// The questions.
    desk: Mutex<Desk>,
    /// Tells the task that something is to leave.
    has_mail: Notify,
}

/// What lies on the desk of one socket.
#[derive(Default)]
struct Desk {
    /// The questions.
    book: Book,
    /// The numbers of those that are to leave.
    leaving: Vec<usize>,
}

impl Desk {
    /// Packs all that is to leave.
    fn pack(&mut self, mail: &mut Mail, port: u16, in_segments: bool) {
        mail.clear();
        for nth in self.leaving.drain(..) {
            if let Some((server, octets)) = self.book.query(nth) {
                mail.push(SocketAddr::new(server, port), nth, octets, in_segments);
            }
        }
        mail.sort();
    }
}

/// A question that is out. It is closed when this is dropped.
struct Ticket<'a> {
    /// Where it left.
    line: &'a Line,
    /// Its number there.
    nth: usize,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.line.desk().book.close(self.nth);
    }
}

impl Lines {
    /// Starts with no socket, and counts what matches no question.
    pub(super) fn counting(metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..Self::default() }
    }

    /// Takes in a socket; who gives it up says nothing.
    pub(super) fn add(&self, line: &Arc<Line>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(line));
    }

    /// Returns the sockets that live.
    pub(super) fn living(&self) -> Vec<Arc<Line>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter_map(Weak::upgrade).collect()
    }

    /// Says whether questions to one server may leave in one piece.
    fn has_segments(&self) -> bool {
        HAS_SEGMENTS && !self.lacks_segments.load(Ordering::Relaxed)
    }

    /// Ends all questions to a server, whichever socket they left from, and counts why; where nothing was asked of it, that
    /// is what is counted.
    fn suspect(&self, server: IpAddr, octets: usize, why: Event) {
        let suspected = self.living().iter().filter(|line| line.desk().book.suspect(server, octets)).count();
        self.metrics.count(if suspected > 0 { why } else { Event::WrongSources });
    }
}

impl Line {
    /// Makes a line of a socket of one family, to servers that listen on `port`.
    pub(super) fn new(socket: UdpSocket, is_ipv4: bool, port: u16) -> Self {
        Self { socket, is_ipv4, port, desk: Mutex::default(), has_mail: Notify::new() }
    }

    /// Takes what lies on the desk.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a query with the next ones and waits until `until` for what comes of it; `None` where it has no id to go under.
    pub(super) async fn ask(&self, query: &Query, until: Instant) -> Option<Arrival> {
        let ticket = Ticket { line: self, nth: self.post(query, until)? };
        Some(poll_fn(|context| self.desk().book.poll_arrival(ticket.nth, context)).await)
    }

    /// Lets a query leave with the next ones, and returns its number.
    fn post(&self, query: &Query, until: Instant) -> Option<usize> {
        let Desk { book, leaving } = &mut *self.desk();
        let nth = book.open(query, until)?;
        leaving.push(nth);
        if leaving.len() == 1 {
            self.has_mail.notify_one();
        }
        Some(nth)
    }

    /// Sends all that is to leave. `mail` is lent to hold it on the way.
    async fn send_all(&self, mail: &mut Mail, lines: &Lines) {
        self.desk().pack(mail, self.port, lines.has_segments());
        self.send(mail, lines).await;
    }

    /// Sends what was packed; questions that cannot leave get to hear why. What cannot leave in one piece leaves in several.
    async fn send(&self, mail: &mut Mail, lines: &Lines) {
        let mut gone = 0;
        while gone < mail.len() {
            match send(&self.socket, mail, gone) {
                Ok(sent) => gone += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // What it says shows itself with the next try.
                    let _ = self.socket.writable().await;
                }
                Err(error) => {
                    if mail.unpack(gone) {
                        lines.lacks_segments.fetch_or(are_segments_unknown(&error), Ordering::Relaxed);
                    } else {
                        let mut desk = self.desk();
                        for nth in mail.numbers(gone) {
                            desk.book.give_up(*nth, silence_of_send(&error));
                        }
                    }
                    gone += 1;
                }
            }
        }
    }

    /// Hands a datagram to the question that it answers.
    fn dispatch(&self, server: IpAddr, octets: &[u8], lines: &Lines) {
        let kind = self.desk().book.dispatch(server, octets);
        match kind {
            Kind::Reply => {}
            Kind::Late => lines.metrics.count(Event::LateReplies),
            Kind::Suspect(why) => lines.suspect(server, octets.len(), why),
        }
    }

    /// Returns the queries to an address that are out.
    #[cfg(test)]
    pub(super) fn queries(&self, server: IpAddr) -> Vec<Vec<u8>> {
        self.desk().book.queries(server)
    }
}

/// Sends and receives on one socket until it is given up; what comes from another port than the servers' is not looked
/// at.
pub(super) async fn serve(line: Arc<Line>, lines: Arc<Lines>) {
    let (mut errors, mut mail) = (0, Mail::default());
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut is_set = false;
    while errors < ERRORS_IN_A_ROW {
        tokio::select! {
            () = line.has_mail.notified() => line.send_all(&mut mail, &lines).await,
            _ = line.socket.readable() => {
                let received = receive(&line.socket, line.is_ipv4, |from, octets| {
                    if from.port() == line.port {
                        line.dispatch(from.ip(), octets, &lines);
                    } else {
                        lines.metrics.count(Event::WrongSources);
                    }
                });
                match received {
                    Ok(()) => errors = 0,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => errors = 0,
                    Err(_) => {
                        errors += 1;
                        tokio::task::yield_now().await;
                    }
                }
            }
            () = &mut timer, if is_set => line.desk().book.expire(Instant::now()),
        }
        // A timer that goes off too early does no harm: it is set anew then.
        let alarm = line.desk().book.alarm();
        if let Some(alarm) = alarm.filter(|alarm| !is_set || timer.is_elapsed() || *alarm < timer.deadline()) {
            timer.as_mut().reset(alarm);
        }
        is_set = alarm.is_some();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transport::tests::{HostileServer, Stream};

    #[tokio::test]
    async fn what_the_system_cuts_too_little_for_leaves_a_datagram_each() {
        let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (line, lines) = (Line::new(socket, true, server.port), Lines::default());
        let query = server.query();
        let post = |count: usize| {
            let mut mail = Mail::default();
            for _ in 0..count {
                line.post(&query, Instant::now()).unwrap();
            }
            line.desk().pack(&mut mail, line.port, lines.has_segments());
            mail
        };
        let all_seen = async |count: usize| {
            while server.seen().0 < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(server.seen(), (count, 0));
        };
        let mut fitting = post(10);
        assert_eq!(fitting.len(), 1);
        line.send(&mut fitting, &lines).await;
        all_seen(10).await;
        assert!(lines.has_segments());
        // No kernel cuts so many out of one piece.
        let mut too_many = post(150);
        too_many.merge();
        assert_eq!(too_many.len(), 1);
        line.send(&mut too_many, &lines).await;
        all_seen(160).await;
        assert!(!lines.has_segments());
        assert_eq!(post(10).len(), 10);
    }
}
