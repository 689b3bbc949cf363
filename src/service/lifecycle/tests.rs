use proptest::prelude::*;

use super::*;

/// The time `minutes` after the start.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
}

/// Looks at a domain: `+` is yes, `-` is no, `?` could not tell; the DNS first, then SES where it is asked.
fn look(signs: &str, minutes: i64) -> Observation {
    let mut seen = signs.chars().map(|sign| Seen {
        sign: match sign {
            '+' => Sign::Positive,
            '-' => Sign::Negative,
            _ => Sign::Unclear,
        },
        at: at(minutes),
    });
    Observation { dns: seen.next().unwrap(), ses: seen.next() }
}

/// Moves a new domain through looks, one every `minutes`; returns the events and the last standing.
fn walk(looks: &str, minutes: i64) -> (Vec<&'static str>, Standing) {
    let mut standing = Standing::new(at(0));
    let mut events = Vec::new();
    for (signs, number) in looks.split_whitespace().zip(1..) {
        let (next, event) = advance(&standing, &look(signs, number * minutes));
        events.extend(event.map(EventKind::as_str));
        standing = next;
    }
    (events, standing)
}

#[test]
fn every_state_and_pair_of_signs_moves_as_the_table_says() {
    use DomainState::{Degraded, Lost, Pending, Verified};
    let old = Streak { count: 2, first_at: at(-60 * 24), last_at: at(-60) };
    // The columns: the signs of DNS and SES, and where pending, verified, degraded (by both sides, the third negative
    // of each within reach) and lost lead.
    for (signs, after) in [
        ("+", [Verified, Verified, Verified, Verified]),
        ("-", [Pending, Degraded, Lost, Lost]),
        ("?", [Pending, Verified, Degraded, Lost]),
        ("++", [Verified, Verified, Verified, Verified]),
        ("+-", [Pending, Degraded, Degraded, Lost]),
        ("+?", [Pending, Verified, Degraded, Lost]),
        ("-+", [Verified, Degraded, Degraded, Verified]),
        ("--", [Pending, Degraded, Lost, Lost]),
        ("-?", [Pending, Degraded, Degraded, Lost]),
        ("?+", [Verified, Verified, Degraded, Verified]),
        ("?-", [Pending, Degraded, Degraded, Lost]),
        ("??", [Pending, Verified, Degraded, Lost]),
    ] {
        for (state, expected) in [Pending, Verified, Degraded, Lost].into_iter().zip(after) {
            let has_streaks = matches!(state, Degraded | Lost).then_some(old);
            let ses = has_streaks.filter(|_| signs.len() == 2);
            let standing = Standing { state, since: at(-60 * 30), dns: has_streaks, ses, unclear_since: None };
            let (next, event) = advance(&standing, &look(signs, 0));
            assert_eq!(next.state, expected, "{state:?} {signs}");
            assert_eq!(event.map(state_after), (expected != state).then_some(expected), "{state:?} {signs}");
            assert!(event.is_none_or(|event| is_legal(state, event)), "{state:?} {signs}");
            assert_eq!(next.since, if event.is_some() { at(0) } else { standing.since }, "{state:?} {signs}");
        }
    }
}

#[test]
fn histories_make_the_events_that_they_should() {
    for (what, looks, minutes, expected) in [
        ("the DNS alone", "- - + + - + ", 60, &["verified", "degraded", "recovered"][..]),
        ("three negatives within the day are not enough", "+ - - - - - -", 60, &["verified", "degraded"]),
        ("two negatives over a day are not enough", "+ - -", 60 * 24, &["verified", "degraded"]),
        ("three negatives over a day", "+ - - -", 60 * 12, &["verified", "degraded", "lost"]),
        ("lost, then right again", "+ - - - ? +", 60 * 12, &["verified", "degraded", "lost", "recovered"]),
        (
            "a positive starts the count anew",
            "+ - - + - -",
            60 * 12,
            &["verified", "degraded", "recovered", "degraded"],
        ),
        ("what could not be told neither counts nor resets", "+ - ? - ? -", 60 * 6, &["verified", "degraded", "lost"]),
        ("SES decides, not the DNS", "+- +- ++", 60, &["verified"]),
        ("SES says yes for ever: warned, never lost", "++ -+ -+ -+ -+ -+", 60 * 12, &["verified", "degraded"]),
        ("the DNS says yes for ever: warned, never lost", "++ +- +- +- +-", 60 * 12, &["verified", "degraded"]),
        ("both sides negative over a day", "++ -- -- --", 60 * 12, &["verified", "degraded", "lost"]),
        ("both must have been so long enough", "++ -+ -+ -- -- ", 60 * 12, &["verified", "degraded"]),
        ("SES cannot tell: no loss", "++ -? -? -? -?", 60 * 12, &["verified", "degraded"]),
        ("degraded by SES alone, recovered by SES", "++ ?- ?+", 60, &["verified", "degraded", "recovered"]),
        ("recovery needs both to take back their no", "++ -- +? +? ++", 60, &["verified", "degraded", "recovered"]),
    ] {
        assert_eq!(walk(looks, minutes).0, expected, "{what}");
    }
}

#[test]
fn one_listing_of_ses_counts_once_however_many_checks_it_serves() {
    let listed = Seen { sign: Sign::Negative, at: at(1) };
    let mut standing = Standing { state: DomainState::Verified, ..Standing::new(at(0)) };
    for day in 0..5 {
        let observation = Observation { dns: look("-", 60 * 24 * day).dns, ses: Some(listed) };
        standing = advance(&standing, &observation).0;
    }
    assert_eq!((standing.state, standing.ses.unwrap().count), (DomainState::Degraded, 1));
}

#[test]
fn since_when_the_dns_is_unclear_is_remembered_until_it_is_clear() {
    assert_eq!(walk("+ ? ? ?", 10).1.unclear_since, Some(at(20)));
    assert_eq!(walk("+ ? ? ? -", 10).1.unclear_since, None);
}

#[test]
fn a_verdict_that_is_not_definite_is_no_sign() {
    for (verdict, sign) in [
        (Verdict::Ready, Sign::Positive),
        (Verdict::Propagating, Sign::Unclear),
        (Verdict::Partial, Sign::Negative),
        (Verdict::Failing, Sign::Negative),
        (Verdict::Indeterminate, Sign::Unclear),
    ] {
        assert_eq!(Sign::of_verdict(verdict), sign);
    }
}

#[test]
fn a_standing_reads_back_as_it_was_written() {
    for looks in ["?", "++", "++ -- -?", "++ -- -- --"] {
        let standing = walk(looks, 60 * 12).1;
        let text = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    }
}

/// Looks at a domain of which SES is asked, or is not.
fn any_looks(asks_ses: bool, signs: &'static str) -> impl Strategy<Value = Vec<(String, i64)>> {
    let sign = proptest::sample::select(signs.chars().collect::<Vec<_>>());
    let count = if asks_ses { 2 } else { 1 };
    let look = proptest::collection::vec(sign, count).prop_map(String::from_iter);
    proptest::collection::vec((look, 1_i64..60 * 30), 0..40)
}

proptest! {
    #[test]
    fn faults_alone_never_move_a_domain(
        before in any_looks(true, "+-?"),
        looks in any_looks(true, "?"),
        alone in any_looks(false, "?"),
    ) {
        let (mut standing, mut minutes) = (Standing::new(at(0)), 0);
        for (signs, gap) in before {
            minutes += gap;
            standing = advance(&standing, &look(&signs, minutes)).0;
        }
        let state = standing.state;
        for (signs, gap) in looks.into_iter().chain(alone) {
            minutes += gap;
            let (next, event) = advance(&standing, &look(&signs, minutes));
            prop_assert_eq!((next.state, event), (state, None));
            standing = next;
        }
    }

    #[test]
    fn faults_in_between_change_no_event(looks in any_looks(true, "+-?"), faults in any_looks(true, "?")) {
        let run = |with_faults: bool| {
            let (mut standing, mut minutes, mut events) = (Standing::new(at(0)), 0, Vec::new());
            let mut faults = faults.iter().filter(|_| with_faults);
            for (signs, gap) in &looks {
                minutes += gap;
                if let Some((fault, _)) = faults.next() {
                    standing = advance(&standing, &look(fault, minutes - 1)).0;
                }
                let (next, event) = advance(&standing, &look(signs, minutes));
                standing = next;
                events.extend(event);
            }
            events
        };
        prop_assert_eq!(run(true), run(false));
    }

    #[test]
    fn events_form_a_legal_path_and_lead_to_the_state(looks in any_looks(true, "+-?"), alone in any_looks(false, "+-?")) {
        let (mut standing, mut minutes) = (Standing::new(at(0)), 0);
        let mut state = DomainState::Pending;
        for (signs, gap) in looks.into_iter().chain(alone) {
            minutes += gap;
            let (next, event) = advance(&standing, &look(&signs, minutes));
            if let Some(event) = event {
                prop_assert!(is_legal(state, event), "{:?} after {:?}", event, state);
                state = state_after(event);
            }
            prop_assert_eq!(next.state, state);
            let is_negative = next.dns.or(next.ses).is_some();
            prop_assert!(!is_negative || matches!(state, DomainState::Degraded | DomainState::Lost));
            standing = next;
        }
    }

    #[test]
    fn a_domain_is_lost_only_after_a_day_of_negatives_at_every_side(looks in any_looks(true, "+-?")) {
        let (mut standing, mut minutes) = (Standing::new(at(0)), 0);
        let mut seen: Vec<(String, i64)> = Vec::new();
        for (signs, gap) in looks {
            minutes += gap;
            let (next, event) = advance(&standing, &look(&signs, minutes));
            seen.push((signs, minutes));
            if event == Some(EventKind::Lost) {
                for side in 0..2 {
                    let negatives: Vec<i64> = seen
                        .iter()
                        .rev()
                        .map(|(signs, minutes)| (signs.chars().nth(side).unwrap(), *minutes))
                        .take_while(|(sign, _)| *sign != '+')
                        .filter(|(sign, _)| *sign == '-')
                        .map(|(_, minutes)| minutes)
                        .collect();
                    prop_assert!(negatives.len() >= 3);
                    prop_assert!(negatives[0] - negatives[negatives.len() - 1] >= 60 * 24);
                }
            }
            standing = next;
        }
    }
}
