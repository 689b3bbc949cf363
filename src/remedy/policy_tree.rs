//! Remedies for SPF records that work and will hurt: what stands in them without use, and what they lead to.

use crate::findings::{Argument, Code};
use crate::remedy::case::Case;
use crate::remedy::words::{printable, quoted, shown};
use crate::remedy::{Action, Remedy};

/// The record can be had in better form.
pub(super) fn spf_tidy(case: &Case<'_>) -> Remedy {
    let what = match case.finding.code {
        Code::SpfPlusAll => "ends in +all: it lets anyone send mail in the domain's name",
        Code::SpfTermsAfterAll => "has terms behind all, which receivers never come to",
        Code::SpfRedirectWithAll => "has both all and redirect, so that the redirect does nothing",
        Code::SpfNeutralAll => "ends in ?all: it says nothing about mail from senders that it does not name",
        Code::SpfPtr => "uses ptr, which is slow and unreliable; many receivers pass over it",
        _ => "ends in neither all nor redirect: it says nothing about mail from senders that it does not name",
    };
    let what = format!("The SPF record of {} {what}.", shown(case.owner));
    match case.text("new_record").map(printable) {
        Some(new) => case.at_panel(what, vec![case.step(Action::Change, "TXT", Some(new))]),
        None => {
            let advice = format!(
                "At {}, take ptr out of it, and name the senders that it stood for with ip4, ip6, a or include.",
                case.place.who()
            );
            case.advise(what, advice)
        }
    }
}

/// There are too many lookups.
pub(super) fn spf_too_many_lookups(case: &Case<'_>) -> Remedy {
    let lookups = case.number("lookups").map_or_else(|| "more than 10".to_owned(), |lookups| lookups.to_string());
    let each = case.text("branches").map(|branches| format!(" They are {}.", quoted(branches))).unwrap_or_default();
    let what = format!(
        "A receiver needs {lookups} DNS lookups for the SPF record of {}; 10 are allowed, and beyond that it counts as \
         broken.{each}",
        shown(case.owner)
    );
    let first = case.text("heaviest").map(|term| format!(" The most are behind {}.", quoted(term))).unwrap_or_default();
    let advice = format!(
        "At {}, take out of it what no longer sends for you.{first} A service with few addresses can be named by them \
         with ip4 and ip6, which need no lookup.",
        case.place.who()
    );
    case.advise(what, advice)
}

/// The record leads back to itself.
pub(super) fn spf_loop(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} leads in a circle by way of {}: receivers give up on it.",
        shown(case.owner),
        names(case)
    );
    case.advise(what, format!("At {}, take the include or redirect that closes the circle out.", case.place.who()))
}

/// A record that is included is not there.
pub(super) fn spf_include_dead(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} leads to {}, where no SPF record is: receivers that come to it treat the whole as broken.",
        shown(case.owner),
        names(case)
    );
    case.advise(what, format!("At {}, take it out, or correct the name if it is misspelled.", case.place.who()))
}

/// Too many names lead to nothing.
pub(super) fn spf_void(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} names {}, where nothing is; more than 2 of these, and receivers treat it as broken.",
        shown(case.owner),
        names(case)
    );
    case.advise(what, format!("At {}, take them out, or correct them if they are misspelled.", case.place.who()))
}

/// Writes the names that the finding is about.
fn names(case: &Case<'_>) -> String {
    match case.finding.arguments.get("names") {
        Some(Argument::Names(names)) => names.iter().map(shown).collect::<Vec<_>>().join(", "),
        _ => "other names".to_owned(),
    }
}
