//! Remedies for signatures that do not hold.

use crate::remedy::Remedy;
use crate::remedy::case::Case;
use crate::remedy::delegation::{Zone, lower_first};
use crate::remedy::words::{list_names, shown};

/// Says in whose eyes what is gone.
fn seen_by_nobody(case: &Case<'_>) -> String {
    let names = list_names(case.names("names"));
    let what = match case.text("signed") {
        Some("delegation") if !names.is_empty() => format!("see nothing of {names}"),
        Some("records") if !names.is_empty() => format!("do not see what stands at {names}"),
        Some("absence") if !names.is_empty() => {
            format!("get an error at {names}, where they should hear that there is nothing")
        }
        _ => "see none of its records".to_owned(),
    };
    format!("Amazon SES, Gmail and everyone who checks signatures {what}")
}

/// Writes a text about a signed zone: what is wrong, who does not see it, and what to have done.
fn resign(case: &Case<'_>, wrong: &str, have_done: &str) -> Remedy {
    let zone = Zone::of(case);
    let text = format!(
        "{} is signed (DNSSEC), and {wrong}: {}. Have {} {have_done}; where that takes long, delete the DS record {} until \
         it is done.",
        shown(&zone.name),
        seen_by_nobody(case),
        zone.place.who(),
        lower_first(&zone.at_delegator())
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// Signatures begin later.
pub(super) fn dnssec_not_yet_valid(case: &Case<'_>) -> Remedy {
    resign(
        case,
        "its signatures hold from a later time on only, as where the clock of whoever signs is wrong",
        "set the clock right and sign the zone again",
    )
}

/// Signatures are over something else.
pub(super) fn dnssec_bad_signature(case: &Case<'_>) -> Remedy {
    resign(
        case,
        "something in it was changed without being signed again, so that the signatures are no longer those of the records",
        "sign the zone again",
    )
}

/// There are no signatures, or others' ones.
pub(super) fn dnssec_missing_signature(case: &Case<'_>) -> Remedy {
    let wrong = if case.text("unknown_key").is_some() {
        "signatures in it are by a key that the zone does not have"
    } else {
        "signatures are missing in it, or its name servers do not give them out"
    };
    resign(case, wrong, "sign the zone again and serve it with its signatures")
}

/// Nothing proves what is not there.
pub(super) fn dnssec_missing_denial(case: &Case<'_>) -> Remedy {
    resign(
        case,
        "its name servers do not prove what is not there (by NSEC or NSEC3 records)",
        "sign the zone again and serve it with its NSEC or NSEC3 records",
    )
}

/// Checking costs too much.
pub(super) fn dnssec_too_much_work(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let text = format!(
        "{} is signed (DNSSEC) with so many keys and signatures that may belong together that everyone who checks them gives \
         up at some point, and may then see none of its records. Have {} sign it with a few keys, each with a number (key tag) \
         of its own, and take the other keys and signatures out.",
        shown(&zone.name),
        zone.place.who()
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// Hashes are repeated too often.
pub(super) fn dnssec_many_iterations(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let times = case.number("iterations").map(|count| format!(" {count} times")).unwrap_or_default();
    let text = format!(
        "{} is signed (DNSSEC) with NSEC3 records whose hash is repeated{times}: some who check signatures take the zone for \
         unsigned, others answer with an error where a record is not there. Have {} sign it with NSEC, or with NSEC3 with 0 \
         iterations and no salt.",
        shown(&zone.name),
        zone.place.who()
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}
