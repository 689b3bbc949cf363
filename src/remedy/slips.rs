//! Remedies for slips of the hand in the CNAME records of DKIM, and for what is worth knowing beside them.

use crate::remedy::case::{Case, join};
use crate::remedy::cname::{CNAME, add, change, moved, points_at};
use crate::remedy::place::Place;
use crate::remedy::words::{aside, list, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// How many seconds an hour has.
const HOUR: u64 = 3600;

/// The key itself was pasted.
pub(super) fn txt_key_inline(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The record at {} is a TXT record with a copy of the key; it has to be a CNAME record, or mail stops being signed \
         when Amazon SES changes to the next key.",
        shown(case.owner)
    );
    case.at_panel(what, add(case, &[case.step(Action::Delete, "TXT", None)]))
}

/// A redirect for web pages was made.
pub(super) fn wrong_type_url_redirect(case: &Case<'_>) -> Remedy {
    let with = aside(&list(case.addresses()));
    let what = format!(
        "{} is a URL redirect: it answers with the address of a web server{with}, where a CNAME record has to be.",
        shown(case.owner)
    );
    case.at_panel(what, add(case, &[case.step(Action::Delete, "URL redirect", None)]))
}

/// A DNAME leads everything below it elsewhere.
pub(super) fn dname_above(case: &Case<'_>) -> Remedy {
    let dname = case.name("dname");
    let above = dname.map(|name| format!(" at {}", shown(name))).unwrap_or_default();
    let what = format!(
        "A DNAME record{above} leads all names below it elsewhere, so that the record at {} cannot stand there.",
        shown(case.owner)
    );
    let delete = dname.map(|name| Step {
        action: Action::Delete,
        host: case.place.host(name),
        record_type: "DNAME".to_owned(),
        value: None,
    });
    let deletes: Vec<Step> = delete.into_iter().collect();
    case.at_panel(what, add(case, &deletes))
}

/// A label stands in the name that does not belong there.
pub(super) fn label_extra(case: &Case<'_>) -> Remedy {
    stands_at(case, "with a part in the name that does not belong there")
}

/// `_domainkey` is misspelled.
pub(super) fn underscore_typo(case: &Case<'_>) -> Remedy {
    stands_at(case, "which is not spelled right: the part behind the token has to read _domainkey")
}

/// Host and value were exchanged.
pub(super) fn fields_swapped(case: &Case<'_>) -> Remedy {
    stands_at(case, "and points at the name where it should stand: host and value were exchanged")
}

/// Says where the record stands and what is wrong with that; it has to move.
fn stands_at(case: &Case<'_>, but: &str) -> Remedy {
    let what = match case.name("typed") {
        Some(typed) => format!("The record stands at {}, {but}.", shown(typed)),
        None => format!("The record for {} stands at another name, {but}.", shown(case.owner)),
    };
    moved(case, what)
}

/// Something that cannot be seen was pasted.
pub(super) fn value_invisible(case: &Case<'_>) -> Remedy {
    let which = aside(&case.text("characters").map(quoted).unwrap_or_default());
    let but = format!("which has characters in it that cannot be seen or only look right{which}: type it by hand");
    case.at_panel(points_at(case, &but), change(case, None))
}

/// A web address was pasted.
pub(super) fn value_url(case: &Case<'_>) -> Remedy {
    case.at_panel(points_at(case, "which is a web address and not a host name"), change(case, None))
}

/// The value stands in quotation marks.
pub(super) fn value_quoted(case: &Case<'_>) -> Remedy {
    case.at_panel(points_at(case, "which has quotation marks or blanks in it"), change(case, None))
}

/// The value has a comma behind it.
pub(super) fn value_comma(case: &Case<'_>) -> Remedy {
    case.at_panel(points_at(case, "which has a comma or semicolon in it"), change(case, None))
}

/// The value has a word of the form in front of it.
pub(super) fn value_type_word(case: &Case<'_>) -> Remedy {
    case.at_panel(points_at(case, "which has a word in front that is no part of the value"), change(case, None))
}

/// Letters of the token are missing.
pub(super) fn token_truncated(case: &Case<'_>) -> Remedy {
    case.at_panel(points_at(case, "which is the value with some letters missing or changed"), change(case, None))
}

/// The record belongs to an older identity.
pub(super) fn token_stale(case: &Case<'_>) -> Remedy {
    let older = case.names("previous");
    if older.is_empty() {
        let but = "which belongs to a previous set-up, or to another Amazon SES account";
        return case.at_panel(points_at(case, but), change(case, None));
    }
    let what = format!(
        "There is no CNAME record at {}, but there are those of a previous set-up, which Amazon SES does not look for any more.",
        shown(case.owner)
    );
    let delete = |name| {
        let host = Place::of(name, case.evidence).host(name);
        Step { action: Action::Delete, host, record_type: CNAME.to_owned(), value: None }
    };
    let deletes: Vec<Step> = older.iter().map(delete).collect();
    case.at_panel(what, add(case, &deletes))
}

/// Other records stand beside the CNAME.
pub(super) fn cname_and_other(case: &Case<'_>) -> Remedy {
    let types: Vec<&str> = case.text("types").unwrap_or_default().split(',').filter(|kind| !kind.is_empty()).collect();
    let what = format!(
        "Beside the CNAME record at {} stand others{}, which may not be: some who ask will not see the CNAME.",
        shown(case.owner),
        aside(&list(&types))
    );
    let deletes = types.iter().map(|kind| case.step(Action::Delete, kind, None));
    case.at_panel(what, deletes.collect())
}

/// A wildcard has the target.
pub(super) fn wildcard_shadowing(case: &Case<'_>) -> Remedy {
    let what = format!(
        "A wildcard (*) answers with the same value for every name beside {}, so that it cannot be right for the other tokens.",
        shown(case.owner)
    );
    let hint = "Then delete the wildcard.".to_owned();
    let steps = add(case, &[]);
    let sentences = [Some(what), Some(case.place.tell(&steps)), Some(hint), case.gotcha()];
    Remedy { provider: case.place.provider_id(), text: join(sentences), steps }
}

/// Amazon SES has nothing at the target.
pub(super) fn ses_target_nxdomain(case: &Case<'_>) -> Remedy {
    let target = case.target().map_or_else(|| "its target".to_owned(), shown);
    let what = format!(
        "The CNAME record at {} is right, but Amazon SES has nothing at {target}: the identity is new, deleted, or one of \
         another account.",
        shown(case.owner)
    );
    let advice = "Wait some minutes where it is new; else look in Amazon SES which tokens the identity has today.";
    case.advise(what, advice.to_owned())
}

/// None of the targets holds a key.
pub(super) fn ses_key_all_empty(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The DKIM records of {} are right, but Amazon SES holds no key at any of their targets, so that mail cannot be \
         verified.",
        shown(case.owner)
    );
    let advice =
        "Nothing has to be changed in the DNS. Wait an hour; if it stays so, create the identity in Amazon SES anew.";
    case.advise(what, advice.to_owned())
}

/// The domain is an alias.
pub(super) fn cname_at_parent(case: &Case<'_>) -> Remedy {
    let target = case.shown("seen").map(|seen| format!(" for {seen}")).unwrap_or_default();
    let what = format!(
        "{} is an alias (CNAME){target}: beside it no SPF or MX record can stand, and those of the other name apply.",
        shown(case.owner)
    );
    let advice = "The DKIM records are not touched by that. Where the domain needs SPF or MX records of its own, replace the \
                  CNAME by address records (A and AAAA).";
    case.advise(what, advice.to_owned())
}

/// Resolvers keep the record for long.
pub(super) fn ttl_long(case: &Case<'_>) -> Remedy {
    let hours =
        case.number("ttl_seconds").map_or_else(|| "a day".to_owned(), |seconds| format!("{} hours", seconds / HOUR));
    let what = format!(
        "Resolvers may keep the CNAME record at {} for {hours}, and would keep a mistake in it as long.",
        shown(case.owner)
    );
    case.advise(what, "Set its TTL to 3600 seconds or less before changing it.".to_owned())
}
