//! One socket, and its task: questions that come at the same time leave together, replies that wait are read together, and
//! one timer does for all questions that are out.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::future::poll_fn;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::book::{Arrival, Book, Kind};
use super::datagrams::{Mail, receive, send};
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
    /// The counters.
    metrics: Arc<Metrics>,
}

/// A socket, its questions, and which of them are to leave.
pub(super) struct Line {
    /// The socket.
    pub(super) socket: UdpSocket,
    /// Whether it is one of IPv4.
    is_ipv4: bool,
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
    /// What is to leave.
    mail: Mail,
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
        Self { lines: Mutex::default(), metrics: Arc::clone(metrics) }
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

    /// Ends all questions to a server, whichever socket they left from, and counts why; where nothing was asked of it, that
    /// is what is counted.
    fn suspect(&self, server: IpAddr, octets: usize, why: Event) {
        let suspected = self.living().iter().filter(|line| line.desk().book.suspect(server, octets)).count();
        self.metrics.count(if suspected > 0 { why } else { Event::WrongSources });
    }
}

impl Line {
    /// Makes a line of a socket of one family.
    pub(super) fn new(socket: UdpSocket, is_ipv4: bool) -> Self {
        Self { socket, is_ipv4, desk: Mutex::default(), has_mail: Notify::new() }
    }

    /// Takes what lies on the desk.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a query with the next ones and waits until `until` for what comes of it; `None` where it has no id to go under.
    pub(super) async fn ask(&self, query: &Query, port: u16, until: Instant) -> Option<Arrival> {
        let ticket = Ticket { line: self, nth: self.post(query, port, until)? };
        Some(poll_fn(|context| self.desk().book.poll_arrival(ticket.nth, context)).await)
    }

    /// Lets a query leave with the next ones, and returns its number.
    fn post(&self, query: &Query, port: u16, until: Instant) -> Option<usize> {
        let Desk { book, mail } = &mut *self.desk();
        let nth = book.open(query, until)?;
        mail.push(SocketAddr::new(query.server, port), nth, book.query(nth));
        if mail.len() == 1 {
            self.has_mail.notify_one();
        }
        Some(nth)
    }

    /// Sends all that is to leave; questions that cannot leave get to hear why. `mail` is lent to hold it on the way.
    async fn send_all(&self, mail: &mut Mail) {
        mail.clear();
        std::mem::swap(mail, &mut self.desk().mail);
        let mut gone = 0;
        while gone < mail.len() {
            match send(&self.socket, mail, gone) {
                Ok(sent) => gone += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // What it says shows itself with the next try.
                    let _ = self.socket.writable().await;
                }
                Err(error) => {
                    if let Some(nth) = mail.number(gone) {
                        self.desk().book.give_up(nth, silence_of_send(&error));
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
pub(super) async fn serve(line: Arc<Line>, lines: Arc<Lines>, port: u16) {
    let (mut errors, mut mail) = (0, Mail::default());
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut is_set = false;
    while errors < ERRORS_IN_A_ROW {
        tokio::select! {
            () = line.has_mail.notified() => line.send_all(&mut mail).await,
            _ = line.socket.readable() => {
                let received = receive(&line.socket, line.is_ipv4, |from, octets| {
                    if from.port() == port {
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
