//! Remedies for SPF records that are not where or what they were meant to be, and for those that nobody reads.

use crate::dns::name::Name;
use crate::remedy::case::Case;
use crate::remedy::place::Place;
use crate::remedy::words::{printable, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The type of all records but one here.
const TXT: &str = "TXT";
/// What a record is that has no words of its own.
const STARTER: &str = "v=spf1 include:amazonses.com ~all";

/// Something stands in front of the record.
pub(super) fn leading_space_or_quote(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} has blanks, quotation marks or marks that cannot be seen in front, and for receivers only what begins with v=spf1 is an \
         SPF record.",
        shown(case.owner)
    );
    change(case, what, "Take out there what stands in front of v=spf1.")
}

/// A blank was lost where the record was cut.
pub(super) fn split_wrong(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} is stored in several pieces, and a blank was lost where it was cut: receivers put the pieces \
         together with nothing between.",
        shown(case.owner)
    );
    change(case, what, "Enter it there in one piece.")
}

/// The record has the type that nobody asks for.
pub(super) fn type99(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The SPF record of {} has the record type SPF, which no receiver asks for any more; it has to be a TXT record.",
        shown(case.owner)
    );
    let steps = vec![case.step(Action::Delete, "SPF", None), add(case)];
    case.at_panel(what, steps)
}

/// The record stands at a name with the domain twice.
pub(super) fn host_doubled(case: &Case<'_>) -> Remedy {
    let what = match case.name("typed") {
        Some(typed) => format!("The SPF record stands at {}: the panel appended the domain to the name.", shown(typed)),
        None => format!("The SPF record of {} stands at a name with the domain twice.", shown(case.owner)),
    };
    let steps = [case.name("typed").map(|typed| delete_at(case, typed)), Some(add(case))];
    case.at_panel(what, steps.into_iter().flatten().collect())
}

/// The record stands at the domain above.
pub(super) fn label_missing(case: &Case<'_>) -> Remedy {
    let above = case.name("typed").map_or_else(|| "a domain above".to_owned(), shown);
    let what = format!(
        "{} has no SPF record; one that names Amazon SES stands at {above}, and does not count for the names below.",
        shown(case.owner)
    );
    let mut remedy = case.at_panel(what, vec![add(case)]);
    remedy.text.push_str(&format!(" Leave the one at {above} where mail is sent in that name too."));
    remedy
}

/// The record is had over an alias.
pub(super) fn as_cname(case: &Case<'_>) -> Remedy {
    let target = case.name("target").map(|target| format!(" of {}", shown(target))).unwrap_or_default();
    let what =
        format!("{} is an alias (a CNAME record), so that its SPF record is the one{target}.", shown(case.owner));
    let advice = format!(
        "Nothing has to be done while that stays so. Nothing else can stand beside an alias: where the domain needs an MX \
         record or a text of its own, replace the CNAME record at {}.",
        case.place.who()
    );
    case.advise(what, advice)
}

/// No receiver reads the record for mail that Amazon SES sends.
pub(super) fn on_unused_name(case: &Case<'_>) -> Remedy {
    let named = case.name("mail_from").or(case.expectation.mail_from.as_ref());
    let mail_from = named.map_or_else(|| "the custom MAIL FROM name".to_owned(), shown);
    let what = format!(
        "The SPF record of {} is right, and receivers do not read it for mail by Amazon SES: they read the one of {mail_from}, \
         where bounces go.",
        shown(case.owner)
    );
    case.advise(what, "Nothing has to be done about it; what counts is that other one.".to_owned())
}

/// Puts the record to have instead into the place of the one that is there.
fn change(case: &Case<'_>, what: String, advice: &str) -> Remedy {
    match case.text("new_record").map(printable) {
        Some(new) => case.at_panel(what, vec![case.step(Action::Change, TXT, Some(new))]),
        None => case.advise(what, format!("It is kept at {}. {advice}", case.place.who())),
    }
}

/// Adds the record at the name where it belongs.
fn add(case: &Case<'_>) -> Step {
    let new = case.text("new_record").map_or_else(|| STARTER.to_owned(), printable);
    case.step(Action::Add, TXT, Some(new))
}

/// Takes the record away that stands at another name of the same zone.
fn delete_at(case: &Case<'_>, typed: &Name) -> Step {
    let there = Place::of(typed, case.evidence);
    let value = case.text("record").map(quoted);
    Step { action: Action::Delete, host: there.host(typed), record_type: TXT.to_owned(), value }
}
