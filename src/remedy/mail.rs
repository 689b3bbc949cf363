//! Remedies for the policies that stand in TXT records: SPF and DMARC.

use crate::dns::name::Name;
use crate::dns::public_suffix::registrable_name;
use crate::expectation::{Expected, SES_SPF_INCLUDE};
use crate::records::{dmarc, spf};
use crate::remedy::case::Case;
use crate::remedy::words::{printable, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The type of all records here.
const TXT: &str = "TXT";
/// What is said of a record that cannot be mended by a program.
const SPF_FORM: &str = "Correct it there: it starts with v=spf1, and its terms stand apart by blanks.";

/// There are several SPF records.
pub(super) fn spf_multiple(case: &Case<'_>) -> Remedy {
    let old = spf_texts(case);
    let count =
        if old.len() > 1 { format!("{} SPF records", old.len()) } else { "more than one SPF record".to_owned() };
    let what = format!("{} has {count}, which receivers treat as an error; there may be only one.", shown(case.owner));
    let Some(new) = new_spf(case) else {
        return case.advise(what, format!("At {}, merge them into one record.", case.place.who()));
    };
    let mut steps = deletes(case, &old);
    steps.push(case.step(Action::Add, TXT, Some(new)));
    case.at_panel(what, steps)
}

/// The SPF record cannot be read.
pub(super) fn spf_syntax(case: &Case<'_>) -> Remedy {
    let what = unreadable(case, "SPF");
    match case.text("new_record").map(printable) {
        Some(new) => case.at_panel(what, vec![case.step(Action::Change, TXT, Some(new))]),
        None => case.advise(what, format!("It is kept at {}. {SPF_FORM}", case.place.who())),
    }
}

/// Amazon SES is not among the senders.
pub(super) fn spf_missing_include(case: &Case<'_>) -> Remedy {
    let include = include(case);
    let what =
        format!("The SPF record of {} does not name Amazon SES: include:{include} is missing.", shown(case.owner));
    match new_spf(case) {
        Some(new) => case.at_panel(what, vec![case.step(Action::Change, TXT, Some(new))]),
        None => {
            let advice = format!("At {}, put include:{include} into it, in front of all.", case.place.who());
            case.advise(what, advice)
        }
    }
}

/// There is no SPF record.
pub(super) fn spf_absent(case: &Case<'_>) -> Remedy {
    let new = case.text("new_record").map_or_else(|| format!("v=spf1 include:{} ~all", include(case)), printable);
    let what = format!("{} has no SPF record, the list of those who may send its mail.", shown(case.owner));
    case.at_panel(what, vec![case.step(Action::Add, TXT, Some(new))])
}

/// There are several DMARC records.
pub(super) fn dmarc_multiple(case: &Case<'_>) -> Remedy {
    let mut old: Vec<Vec<u8>> = case.texts().into_iter().filter(|text| dmarc::is_dmarc(text)).collect();
    let what = format!("{} has more than one DMARC record, so that receivers use none of them.", shown(case.owner));
    // The mildest stays: none of them counts today, so that a stricter one would hit mail that now gets through.
    old.sort_by_key(|text| dmarc::parse(text).ok().map_or(dmarc::Policy::Reject, |record| policy(&record)));
    let Some((kept, others)) = old.split_first().filter(|(_, others)| !others.is_empty()) else {
        return case.advise(what, format!("At {}, keep one and delete the others.", case.place.who()));
    };
    let mut steps = deletes(case, others);
    steps.push(case.step(Action::Keep, TXT, Some(quoted(&String::from_utf8_lossy(kept)))));
    case.at_panel(what, steps)
}

/// The DMARC record is of no use.
pub(super) fn dmarc_syntax(case: &Case<'_>) -> Remedy {
    let new = case.text("new_record").map_or_else(|| starter(&case.expectation.domain), printable);
    case.at_panel(unreadable(case, "DMARC"), vec![case.step(Action::Change, TXT, Some(new))])
}

/// There is no DMARC policy.
pub(super) fn dmarc_absent(case: &Case<'_>) -> Remedy {
    let domain = shown(&case.expectation.domain);
    let what = format!(
        "Neither {domain} nor a domain above it has a DMARC policy, which tells receivers what to do with mail that only pretends \
         to come from it."
    );
    let record = Step {
        host: case.place.host(&policy_name(case)),
        ..case.step(Action::Add, TXT, Some(starter(&case.expectation.domain)))
    };
    let mut remedy = case.at_panel(what, vec![record]);
    remedy.text.push_str(
        " It asks receivers for reports only; once nothing of yours fails, p=none can become p=quarantine and then p=reject.",
    );
    remedy
}

/// The DMARC policy of a domain above applies.
pub(super) fn dmarc_inherited(case: &Case<'_>) -> Remedy {
    let domain = shown(&case.expectation.domain);
    let above = case.name("inherited_from").map_or_else(|| "a domain above it".to_owned(), shown);
    let policy = case.text("policy").map(|policy| format!(" (p={})", quoted(policy))).unwrap_or_default();
    let what = format!("{domain} has no DMARC policy of its own; the one of {above}{policy} applies to it.");
    let advice = format!(
        "Nothing has to be done. Where {domain} should have another policy, add a TXT record with {} {} at {}.",
        case.place.host_field(),
        quoted(&case.place.host(&policy_name(case))),
        case.place.who()
    );
    case.advise(what, advice)
}

/// Says where a record cannot be read, and why.
fn unreadable(case: &Case<'_>, standard: &str) -> String {
    let column = case.number("column").map(|column| format!(" at character {column}")).unwrap_or_default();
    let problem = case.text("problem").map(|problem| format!(": {}", quoted(problem))).unwrap_or_default();
    format!("The {standard} record at {} cannot be read{column}{problem}.", shown(case.owner))
}

/// Returns the domain that an SPF record should include.
fn include(case: &Case<'_>) -> String {
    match case.record().map(|record| &record.expected) {
        Some(Expected::SpfInclude(name)) => shown(name),
        _ => SES_SPF_INCLUDE.to_owned(),
    }
}

/// Returns the texts that are SPF records.
fn spf_texts(case: &Case<'_>) -> Vec<Vec<u8>> {
    case.texts().into_iter().filter(|text| spf::is_spf(text)).collect()
}

/// Writes the SPF record to have instead: the finding's own, or one made of those that stand there.
fn new_spf(case: &Case<'_>) -> Option<String> {
    if let Some(new) = case.text("new_record") {
        return Some(printable(new));
    }
    let old: Option<Vec<spf::SpfRecord>> = spf_texts(case).iter().map(|text| spf::parse(text).ok()).collect();
    let merged = spf::merge(&old?)?;
    let record = spf::parse(merged.as_bytes()).ok()?;
    Some(record.with_include(&include(case).parse().ok()?))
}

/// Takes records away, each by its value.
fn deletes(case: &Case<'_>, texts: &[Vec<u8>]) -> Vec<Step> {
    let value = |text: &Vec<u8>| quoted(&String::from_utf8_lossy(text));
    texts.iter().map(|text| case.step(Action::Delete, TXT, Some(value(text)))).collect()
}

/// Returns what a DMARC record asks for.
fn policy(record: &dmarc::DmarcRecord) -> dmarc::Policy {
    record.policy.unwrap_or(dmarc::Policy::None)
}

/// Returns the name of the domain's own DMARC policy.
fn policy_name(case: &Case<'_>) -> Name {
    let domain = &case.expectation.domain;
    domain.prepend("_dmarc").unwrap_or_else(|_| domain.clone())
}

/// Writes a DMARC policy to begin with: it changes nothing, and has reports sent to the registered domain.
pub(super) fn starter(domain: &Name) -> String {
    let registered = registrable_name(domain).unwrap_or_else(|| domain.clone());
    format!("v=DMARC1; p=none; rua=mailto:dmarc@{}", registered.to_text_without_dot())
}
