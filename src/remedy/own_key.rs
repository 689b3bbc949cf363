//! Remedies for the key record of bring-your-own DKIM.

use crate::remedy::case::{Case, join};
use crate::remedy::cname::{CNAME, TXT, add, change};
use crate::remedy::words::{aside, quoted, shown};
use crate::remedy::{Action, Remedy};

/// A CNAME stands in the place of the key.
pub(super) fn byo_cname_instead(case: &Case<'_>) -> Remedy {
    let target = aside(&case.shown("seen").unwrap_or_default());
    let what =
        format!("The record at {} is a CNAME{target}; it has to be a TXT record with the key.", shown(case.owner));
    case.at_panel(what, add(case, &[case.step(Action::Delete, CNAME, None)]))
}

/// Several TXT records stand there.
pub(super) fn byo_multiple_txt(case: &Case<'_>) -> Remedy {
    let what = format!(
        "{} has more than one TXT record, of which mail servers take any or none; delete all but the one with the key.",
        shown(case.owner)
    );
    case.at_panel(what, add(case, &[case.step(Action::Delete, TXT, None)]))
}

/// Backslashes were kept.
pub(super) fn byo_escaped_semicolon(case: &Case<'_>) -> Remedy {
    corrected(case, "has backslashes in front of its semicolons, which are no part of it")
}

/// Capital letters got lost.
pub(super) fn byo_key_lowercased(case: &Case<'_>) -> Remedy {
    let remedy = corrected(case, "holds the key in lower case, which makes another key of it");
    let hint = "If the panel makes small letters of it again, ask the provider's support.".to_owned();
    Remedy { text: join([Some(remedy.text), Some(hint)]), ..remedy }
}

/// Blanks or quotation marks got in.
pub(super) fn byo_key_split_space(case: &Case<'_>) -> Remedy {
    corrected(case, "has blanks or quotation marks within the key: enter it in one piece")
}

/// The end got lost.
pub(super) fn byo_key_truncated(case: &Case<'_>) -> Remedy {
    let remedy = corrected(case, "holds only the beginning of the key");
    let hint =
        "If the panel takes no more than 255 characters, enter the key in several parts, each in quotation marks.";
    Remedy { text: join([Some(remedy.text), Some(hint.to_owned())]), ..remedy }
}

/// The key is empty.
pub(super) fn byo_revoked(case: &Case<'_>) -> Remedy {
    corrected(case, "is empty, which says that the key is not to be trusted any more")
}

/// The key is too short.
pub(super) fn byo_weak(case: &Case<'_>) -> Remedy {
    let bits = case.number("bits").map_or_else(|| "less than 1024".to_owned(), |bits| bits.to_string());
    let what = format!("The key at {} has {bits} bits, so that mail servers do not take it.", shown(case.owner));
    let advice =
        "Make a key of 2048 bits, give the private part to Amazon SES, and publish the public one in its place.";
    case.advise(what, advice.to_owned())
}

/// Another key stands there.
pub(super) fn byo_key_mismatch(case: &Case<'_>) -> Remedy {
    let problem = aside(&case.text("problem").map(quoted).unwrap_or_default());
    corrected(case, &format!("does not hold the key that mail is signed with{problem}"))
}

/// Says what is wrong with the TXT record, and gives it the right value.
fn corrected(case: &Case<'_>, but: &str) -> Remedy {
    case.at_panel(format!("The TXT record at {} {but}.", shown(case.owner)), change(case, None))
}
