//! What comes in, and which question it is for. Time is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::*;
use crate::transport::tests::query;

const SERVER: &str = "192.0.2.1";

/// Counts how often somebody is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Opens a question to a server, which waits for a second.
fn open(book: &mut Book, server: &str, now: Instant) -> usize {
    book.open(&query(server), now + Duration::from_secs(1)).unwrap()
}

/// Returns the reply that matches the query of a question.
fn reply(book: &Book, nth: usize) -> Vec<u8> {
    let mut octets = book.query(nth).unwrap().1.to_vec();
    octets[2] |= 0x80;
    octets
}

/// What a question gets to hear that a reply came to.
fn read(reply: &[u8]) -> Arrival {
    Arrival::Reply(Message::decode(reply).ok().map(Arc::new), reply.len())
}

/// Returns what came to a question, where something did.
fn arrival(book: &mut Book, nth: usize) -> Option<Arrival> {
    match book.poll_arrival(nth, &Context::from_waker(Waker::noop())) {
        Poll::Ready(arrival) => Some(arrival),
        Poll::Pending => None,
    }
}

fn server() -> IpAddr {
    SERVER.parse().unwrap()
}

#[test]
fn a_reply_wakes_who_waits_and_nobody_else() {
    let (mut book, now) = (Book::default(), Instant::now());
    let (one, other) = (open(&mut book, SERVER, now), open(&mut book, SERVER, now));
    let bells = [Arc::new(Bell::default()), Arc::new(Bell::default())];
    for (nth, bell) in [one, other].into_iter().zip(&bells) {
        assert!(book.poll_arrival(nth, &Context::from_waker(&Arc::clone(bell).into())).is_pending());
    }
    let said = reply(&book, other);
    assert_eq!(book.dispatch(server(), &said), Kind::Reply);
    assert_eq!(bells.each_ref().map(|bell| bell.0.load(Ordering::Relaxed)), [0, 1]);
    assert_eq!((arrival(&mut book, one), arrival(&mut book, other)), (None, Some(read(&said))));
}

#[test]
fn each_of_many_questions_gets_its_own_reply() {
    let (mut book, now) = (Book::default(), Instant::now());
    let all: Vec<usize> = (0..3 * IDS_AT_ONCE + 1).map(|_| open(&mut book, SERVER, now)).collect();
    for nth in all.into_iter().rev() {
        let said = reply(&book, nth);
        assert_eq!(book.dispatch(server(), &said), Kind::Reply);
        assert_eq!(arrival(&mut book, nth), Some(read(&said)));
    }
}

#[test]
fn a_late_reply_is_known_and_touches_nobody_else() {
    let (mut book, now) = (Book::default(), Instant::now());
    let (closed, out) = (open(&mut book, SERVER, now), open(&mut book, SERVER, now));
    book.close(closed);
    let mut late = reply(&book, closed);
    assert_eq!(book.dispatch(server(), &late), Kind::Late);
    // Not the header, whose id may have an octet that is a letter.
    late[HEADER_OCTETS..].make_ascii_lowercase();
    assert_eq!(book.dispatch(server(), &late), Kind::Late);
    let said = reply(&book, out);
    assert_eq!(book.dispatch(server(), &said), Kind::Reply);
    assert_eq!(book.dispatch(server(), &said), Kind::Late, "it came twice");
    assert_eq!(arrival(&mut book, out), Some(read(&said)));
}

#[test]
fn what_matches_nothing_is_suspect_and_ends_the_questions_to_its_sender_alone() {
    let (mut book, now) = (Book::default(), Instant::now());
    let (here, there) = (open(&mut book, SERVER, now), open(&mut book, "192.0.2.2", now));
    let elsewhere = reply(&book, there);
    assert_eq!(book.dispatch(server(), &elsewhere), Kind::Suspect(Event::WrongIds), "it was asked of another server");
    let mut other_name = reply(&book, here);
    other_name[13] ^= 1;
    assert_eq!(book.dispatch(server(), &other_name), Kind::Suspect(Event::WrongQuestions));
    assert!(book.suspect(server(), 99));
    assert!(!book.suspect([192, 0, 2, 3].into(), 99), "nothing was asked there");
    assert_eq!((arrival(&mut book, here), arrival(&mut book, there)), (Some(Arrival::Suspicion(99)), None));
}

#[test]
fn other_letters_are_suspect_and_the_question_hears_which() {
    let (mut book, now) = (Book::default(), Instant::now());
    let nth = open(&mut book, SERVER, now);
    let mut said = reply(&book, nth);
    said[13] ^= 0x20;
    assert_eq!(book.dispatch(server(), &said), Kind::Suspect(Event::WrongCases));
    assert!(book.suspect(server(), said.len()));
    assert_eq!(arrival(&mut book, nth), Some(Arrival::OtherLetters(said.len())));
}

#[test]
fn one_alarm_does_for_all_questions_and_each_ends_at_its_own_time() {
    let (mut book, now) = (Book::default(), Instant::now());
    assert_eq!(book.alarm(), None);
    let times = [3, 1, 2].map(|seconds| now + Duration::from_secs(seconds));
    let questions = times.map(|until| book.open(&query(SERVER), until).unwrap());
    assert_eq!(book.alarm(), Some(times[1]));
    book.close(questions[1]);
    book.expire(times[1]);
    assert_eq!(book.alarm(), Some(times[2]), "who was closed is not waited for");
    assert_eq!(arrival(&mut book, questions[2]), None);
    book.expire(times[2]);
    assert_eq!(arrival(&mut book, questions[2]), Some(Arrival::Nothing));
    assert_eq!((arrival(&mut book, questions[0]), book.alarm()), (None, Some(times[0])));
    book.expire(times[0]);
    assert_eq!((arrival(&mut book, questions[0]), book.alarm()), (Some(Arrival::Nothing), None));
}

#[test]
fn of_many_questions_each_ends_at_its_time_whatever_the_order_of_asking() {
    let (mut book, now) = (Book::default(), Instant::now());
    // All differ: 89 and 256 have no common divisor.
    let times: Vec<Instant> = (0..256).map(|nth| now + Duration::from_millis(nth * 89 % 256)).collect();
    let questions: Vec<usize> = times.iter().map(|time| book.open(&query(SERVER), *time).unwrap()).collect();
    let (answered, mut waiting): (Vec<usize>, Vec<usize>) = questions.into_iter().partition(|nth| nth % 3 == 0);
    for nth in answered {
        let said = reply(&book, nth);
        assert_eq!(book.dispatch(server(), &said), Kind::Reply);
    }
    for millisecond in 0..256 {
        let now = now + Duration::from_millis(millisecond);
        book.expire(now);
        assert!(book.alarm().is_none_or(|alarm| alarm > now), "it would go off again at once");
        waiting.retain(|nth| match arrival(&mut book, *nth) {
            Some(arrival) => {
                assert_eq!((arrival, times[*nth]), (Arrival::Nothing, now));
                false
            }
            None => true,
        });
    }
    assert_eq!((waiting, book.alarm()), (Vec::new(), None));
}

#[test]
fn a_question_that_cannot_leave_hears_why() {
    let (mut book, now) = (Book::default(), Instant::now());
    let nth = open(&mut book, SERVER, now);
    book.give_up(nth, Silence::NoRoute);
    assert_eq!(arrival(&mut book, nth), Some(Arrival::Unsent(Silence::NoRoute)));
}

#[test]
fn no_two_questions_of_one_socket_have_the_same_id() {
    let (mut book, now) = (Book::default(), Instant::now());
    for _ in 0..4096 {
        open(&mut book, SERVER, now);
    }
    let ids: std::collections::HashSet<u16> = book.ids.iter().copied().collect();
    assert_eq!(ids.len(), 4096);
}

#[test]
fn an_error_without_a_question_counts_only_where_the_query_was_not_read() {
    let query = [0, 7, 0, 0, 0, 1];
    let bare = |code: u8| [0, 7, 0x80, code, 0, 0, 0, 0, 0, 0, 0, 0];
    let codes: Vec<u8> = (0..16).filter(|code| is_unread(&bare(*code), &query)).collect();
    assert_eq!(codes, [1, 4]);
    assert!(!is_unread(&bare(1), &[0, 8, 0, 0, 0, 1]), "the id must match");
}
