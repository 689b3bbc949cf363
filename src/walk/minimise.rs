//! How much of a name each zone's servers are told (RFC 9156).
//!
//! Pure. A zone that only leads on is asked for the next label alone, and for its addresses, so that it learns neither
//! the rest nor the type. Where a server does not take that (an error, no reply, or NXDOMAIN, which some say of empty
//! non-terminals), the whole question is asked at once: relaxed, as RFC 9156 §2.3 allows.

use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};

/// How many questions are minimised before the whole one is asked (MAX_MINIMISE_COUNT, RFC 9156 §2.3).
const MAX_MINIMISED: usize = 10;
/// How many of them add one label; those after them share the rest (MINIMISE_ONE_LAB, RFC 9156 §2.3).
const ONE_LABEL_EACH: usize = 4;
/// The type that is asked for on the way (RFC 9156 §2.1).
const KIND_ON_THE_WAY: RecordType = RecordType::A;

/// The part of a question that has been told so far.
#[derive(Clone, Debug)]
pub struct Minimiser {
    /// How many labels are told at the moment.
    labels: usize,
    /// How many minimised questions were formed.
    formed: usize,
    /// Whether the whole question is asked from now on.
    is_over: bool,
}

impl Minimiser {
    /// Starts below a zone that is known.
    #[must_use]
    pub fn below(zone: &Name, question: &Question) -> Self {
        let mut minimiser = Self { labels: zone.label_count(), formed: 0, is_over: false };
        minimiser.tell_more(question);
        minimiser
    }

    /// Returns what to ask now: a part of the question, or all of it.
    #[must_use]
    pub fn asked(&self, question: &Question) -> Question {
        if self.is_over {
            return question.clone();
        }
        Question::new(question.name.last_labels(self.labels), KIND_ON_THE_WAY)
    }

    /// Says whether a part is asked at the moment, not the whole question.
    #[must_use]
    pub fn is_part(&self) -> bool {
        !self.is_over
    }

    /// Goes on from a zone that a referral led to.
    pub fn go_below(&mut self, zone: &Name, question: &Question) {
        self.labels = zone.label_count();
        self.tell_more(question);
    }

    /// Tells the next label, or several where few questions are left (RFC 9156 §2.3).
    pub fn tell_more(&mut self, question: &Question) {
        let hidden = question.name.label_count().saturating_sub(self.labels);
        let left = MAX_MINIMISED.saturating_sub(self.formed);
        let more = if self.formed < ONE_LABEL_EACH { 1 } else { hidden.div_ceil(left.max(1)) };
        self.formed += 1;
        self.labels += more;
        self.is_over |= left == 0 || more >= hidden;
    }

    /// Asks the whole question from now on.
    pub fn give_up(&mut self) {
        self.is_over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        Question::new(Name::parse(text).unwrap(), RecordType::TXT)
    }

    /// Everything that is asked where no server refers.
    fn all_asked(text: &str) -> Vec<String> {
        let question = question(text);
        let mut minimiser = Minimiser::below(&Name::root(), &question);
        let mut asked = vec![minimiser.asked(&question).to_string()];
        while minimiser.is_part() {
            minimiser.tell_more(&question);
            asked.push(minimiser.asked(&question).to_string());
        }
        asked
    }

    #[test]
    fn one_label_is_told_at_a_time_and_the_type_at_the_end() {
        assert_eq!(all_asked("a.example.com."), ["com. A", "example.com. A", "a.example.com. TXT"]);
        assert_eq!(all_asked("com."), ["com. TXT"]);
        assert_eq!(all_asked("."), [". TXT"]);
    }

    #[test]
    fn a_name_of_many_labels_takes_ten_questions_of_which_four_add_one_label() {
        let asked = all_asked(&"a.".repeat(100));
        assert_eq!(asked.len(), MAX_MINIMISED);
        let labels: Vec<usize> = asked.iter().map(|text| text.matches('.').count()).collect();
        assert_eq!(labels[..ONE_LABEL_EACH], [1, 2, 3, 4]);
        assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "{labels:?}");
        assert_eq!(labels.last(), Some(&100));
    }

    #[test]
    fn a_referral_saves_labels_that_the_zone_knows_already() {
        let question = question("a.b.c.example.com.");
        let mut minimiser = Minimiser::below(&Name::root(), &question);
        minimiser.go_below(&Name::parse("example.com.").unwrap(), &question);
        assert_eq!(minimiser.asked(&question).to_string(), "c.example.com. A");
        minimiser.give_up();
        assert_eq!(minimiser.asked(&question), question);
    }
}
