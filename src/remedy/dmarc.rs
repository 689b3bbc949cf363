//! Remedies for what is around a DMARC policy that receivers find, and for one that they do not.

use crate::remedy::case::Case;
use crate::remedy::words::{printable, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The type of all records here.
const TXT: &str = "TXT";

/// The policy stands where nobody looks.
pub(super) fn wrong_place(case: &Case<'_>) -> Remedy {
    let place = shown(case.owner);
    let Some(typed) = case.name("typed") else {
        let advice = format!("At {}, move it to {place}.", case.place.who());
        return case.advise(format!("The DMARC record is not at {place}, where receivers look for it."), advice);
    };
    let what = format!("The DMARC record stands at {}; receivers look for it at {place}.", shown(typed));
    let value = case.text("record").map(printable);
    let old = Step { host: case.place.host(typed), ..case.step(Action::Delete, TXT, value.clone()) };
    case.at_panel(what, vec![old, case.step(Action::Add, TXT, value)])
}

/// Strict alignment leaves a leg out.
pub(super) fn strict_misalign(case: &Case<'_>) -> Remedy {
    let domain = shown(&case.expectation.domain);
    let place = case.name("name").map_or_else(|| shown(case.owner), shown);
    let legs = legs(case, " (aspf=s)", " (adkim=s)");
    let what = format!("The DMARC policy at {place} asks for exactly {domain}, but {legs}.{}", still(case));
    let advice = format!(
        "At {}, take adkim=s and aspf=s out of the record: relaxed alignment takes all names of the organization.",
        case.place.who()
    );
    case.advise(what, advice)
}

/// A leg belongs to another organization.
pub(super) fn misalign(case: &Case<'_>) -> Remedy {
    let domain = shown(&case.expectation.domain);
    let organization = case.name("organizational_domain").map_or_else(|| domain.clone(), shown);
    let what = format!(
        "For DMARC, {domain} belongs to the organization of {organization}. But {}, which does not, so that it does not count.{}",
        legs(case, "", ""),
        still(case)
    );
    let advice = format!(
        "Have the mail signed and sent in the name of {domain} or of a name below it; where that is so, take psd= out of the \
         DMARC records below {organization}, which makes organizations of their own of them."
    );
    case.advise(what, advice)
}

/// Says which names the mail is sent and signed in, as far as they do not align.
fn legs(case: &Case<'_>, by_spf: &str, by_dkim: &str) -> String {
    let mut legs = Vec::new();
    if let Some(name) = case.name("mail_from") {
        legs.push(format!("SPF vouches for {}{by_spf}", shown(name)));
    }
    if let Some(name) = case.name("signed_by") {
        legs.push(format!("DKIM signs for {}{by_dkim}", shown(name)));
    }
    if legs.is_empty() { "it is sent or signed for another one".to_owned() } else { legs.join(" and ") }
}

/// Says which leg still stands.
fn still(case: &Case<'_>) -> &'static str {
    match case.text("still_aligned") {
        Some("dkim") => " The mail passes by its DKIM signature alone, and fails where that breaks on the way.",
        Some("spf") => " The mail passes by SPF alone, and fails where it is forwarded.",
        Some(_) => " Nothing else vouches for the mail: receivers treat it as failing DMARC.",
        None => "",
    }
}

/// Another organization did not agree to get the reports.
pub(super) fn rua_unauthorised(case: &Case<'_>) -> Remedy {
    let host = case.name("host").map_or_else(|| "another organization".to_owned(), shown);
    let domain = shown(&case.expectation.domain);
    let what = format!(
        "The DMARC reports of {domain} are to go to {host}, which has not published that it takes them; most receivers send none there."
    );
    let advice = match case.name("authorisation") {
        Some(name) => format!(
            "Ask {host} to add a TXT record at {} with the value \"v=DMARC1\", or send the reports to an address at {domain}.",
            shown(name)
        ),
        None => format!("Send the reports to an address at {domain}, or have {host} publish its consent."),
    };
    case.advise(what, advice)
}

/// A wildcard answers in place of the policy.
pub(super) fn wildcard(case: &Case<'_>) -> Remedy {
    let place = shown(case.owner);
    let wildcard = case.text("wildcard").map(quoted).unwrap_or_else(|| "a wildcard".to_owned());
    let what =
        format!("There is no record at {place} itself: {wildcard} answers there, as it does for every name beside it.");
    let advice = format!(
        "At {}, add the DMARC policy as a TXT record with {} {}: it takes precedence over the wildcard.",
        case.place.who(),
        case.place.host_field(),
        quoted(&case.place.host(case.owner))
    );
    case.advise(what, advice)
}

/// There are tags of the old standard.
pub(super) fn old_tags(case: &Case<'_>) -> Remedy {
    let tags = case.text("tags").map_or_else(|| "pct, rf or ri".to_owned(), quoted);
    let effect = match case.text("pct").filter(|percent| *percent != "100") {
        Some(percent) => format!(
            " Receivers that go by the standard of 2026 apply the policy to all mail; older ones to {} percent of it.",
            quoted(percent)
        ),
        None => String::new(),
    };
    let what = format!("The DMARC record at {} has what the standard took away: {tags}.{effect}", shown(case.owner));
    match case.text("new_record").map(printable) {
        Some(new) => case.at_panel(what, vec![case.step(Action::Change, TXT, Some(new))]),
        None => case.advise(what, format!("At {}, take it out of the record.", case.place.who())),
    }
}

/// The policy is only being tried.
pub(super) fn test_mode(case: &Case<'_>) -> Remedy {
    let place = case.name("name").map_or_else(|| shown(case.owner), shown);
    let effect = match (case.text("published"), case.text("policy")) {
        (Some(published), Some(effective)) if published != effective => {
            format!(", so that receivers apply p={} in place of p={}", quoted(effective), quoted(published))
        }
        _ => String::new(),
    };
    let what = format!("The DMARC policy at {place} is in test mode (t=y){effect}.");
    case.advise(what, "Take t=y out once nothing of yours fails.".to_owned())
}

/// The policy is an alias.
pub(super) fn alias(case: &Case<'_>) -> Remedy {
    let target = case.name("target").map_or_else(|| "another name".to_owned(), shown);
    let what = format!("{} is an alias for {target}, which decides the DMARC policy.", shown(case.owner));
    let advice = format!(
        "Nothing has to be done. For a policy of your own, replace the CNAME record by a TXT record with {} {} at {}: the two cannot stand beside each other.",
        case.place.host_field(),
        quoted(&case.place.host(case.owner)),
        case.place.who()
    );
    case.advise(what, advice)
}

/// Older receivers look elsewhere.
pub(super) fn psl_disagrees(case: &Case<'_>) -> Remedy {
    let domain = shown(&case.expectation.domain);
    let by_walk = case.name("organizational_domain").map_or_else(|| "one domain".to_owned(), shown);
    let by_list = case.name("by_list").map_or_else(|| "another one".to_owned(), shown);
    if case.text("effect") == Some("alignment") {
        let what = format!(
            "The organization of {domain} begins at {by_walk} by the standard of 2026, and at {by_list} for receivers that still go by the list of public suffixes: they take other names as aligned."
        );
        return case.advise(what, format!("Nothing has to be done where mail is signed for {domain} itself."));
    }
    let what = format!(
        "The DMARC policy of {domain} comes from {by_walk}; receivers that still go by the list of public suffixes look at {by_list} instead."
    );
    let advice = format!(
        "Nothing has to be done. A policy of its own, as a TXT record with {} {} at {}, is found by all.",
        case.place.host_field(),
        quoted(&case.place.host(case.owner)),
        case.place.who()
    );
    case.advise(what, advice)
}
