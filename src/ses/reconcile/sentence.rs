//! Each outcome in a sentence or two for people.

use jiff::Timestamp;

use super::{Cell, DnsView, SesView};
use crate::report::{SesOutcome, SesReason, Verdict};
use crate::ses::identity::{DkimOrigin, SesIdentity};

/// How many seconds an hour has.
const SECONDS_AN_HOUR: i64 = 60 * 60;

/// Says an outcome in words.
pub(super) fn say(dns: &DnsView, ses: SesView<'_>, (outcome, reason): Cell, until: Option<Timestamp>) -> String {
    let domain = &dns.domain;
    let SesView::Identity(identity) = ses else {
        return match outcome {
            SesOutcome::NoIdentity => format!("Amazon SES has no identity {domain} in this region."),
            _ => "Amazon SES could not be asked, so that nothing is known of the identity, and nothing changes."
                .to_owned(),
        };
    };
    match outcome {
        SesOutcome::Verified => format!("Amazon SES has verified {domain} and signs its mail.{}", beside(dns.verdict)),
        SesOutcome::Partial => format!(
            "Amazon SES counts {domain} as signed today; that ends when it changes its keys, since not every DKIM record \
             is right."
        ),
        SesOutcome::WillBeLost => format!(
            "Amazon SES still counts {domain} as signed, and will take that back once it notices that the DKIM records \
             are not right{}.",
            cause(dns)
        ),
        SesOutcome::WrongRegion => format!(
            "The DKIM records point into the zone of another region; this identity is in {}, and its targets end in {}.",
            identity.region,
            zone(identity)
        ),
        SesOutcome::OlderZone => older_zone(reason, until),
        SesOutcome::ReplicaTrouble => replica_trouble(identity),
        SesOutcome::Unsigned => unsigned(domain, reason),
        SesOutcome::RestartNeeded => restart(dns, reason),
        SesOutcome::Wait => wait(dns, identity, reason, until),
        SesOutcome::NoIdentity | SesOutcome::Unknown => {
            format!(
                "Amazon SES gives {domain} a status that this version does not know, so that nothing is said and nothing changes."
            )
        }
    }
}

/// Says what the DNS adds to a verified domain.
fn beside(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Propagating => " The records are not yet at all servers.",
        Verdict::Indeterminate => " The DNS could not be checked this time, which changes nothing.",
        Verdict::Ready | Verdict::Partial | Verdict::Failing => "",
    }
}

/// Names the root cause in brackets.
fn cause(dns: &DnsView) -> String {
    dns.root_cause.map(|code| format!(" ({})", code.as_str())).unwrap_or_default()
}

/// Names the zone that the targets of an identity end in.
fn zone(identity: &SesIdentity) -> String {
    let told = identity.signing_hosted_zone.as_ref();
    told.map_or_else(|| "dkim.amazonses.com".to_owned(), crate::dns::name::Name::to_text_without_dot)
}

/// Says when SES last looked.
fn last_look(identity: &SesIdentity) -> String {
    let looked = identity.verification_info.as_ref().and_then(|info| info.last_checked_at);
    looked.map(|at| format!(" (it last looked at {})", super::to_the_second(at))).unwrap_or_default()
}

/// Says how long SES goes on looking.
fn window(dns: &DnsView, until: Option<Timestamp>) -> String {
    let Some(until) = until else { return String::new() };
    let hours = until.duration_since(dns.checked_at).as_secs() / SECONDS_AN_HOUR;
    match hours {
        ..=0 => format!(" It gives up at {until}, in less than an hour."),
        1 => format!(" It gives up at {until}, in an hour."),
        _ => format!(" It gives up at {until}, in {hours} hours."),
    }
}

/// Says what is waited for.
fn wait(dns: &DnsView, identity: &SesIdentity, reason: Option<SesReason>, until: Option<Timestamp>) -> String {
    let domain = &dns.domain;
    let text = match reason {
        Some(SesReason::RecordsNotRight) => format!(
            "The DKIM records are not right{}; repair them, and Amazon SES will find them{}.",
            cause(dns),
            last_look(identity)
        ),
        Some(SesReason::Propagating) => format!(
            "The DKIM records are not yet at all servers of {domain}; Amazon SES will notice once they are{}.",
            last_look(identity)
        ),
        Some(SesReason::DnsUnclear) => format!(
            "Whether the DKIM records of {domain} are right could not be found out this time; Amazon SES is still looking{}.",
            last_look(identity)
        ),
        Some(SesReason::SesLooksAgain) => format!(
            "The DNS is healthy now; Amazon SES had trouble with the name servers of {domain} and will look again{}.",
            last_look(identity)
        ),
        Some(SesReason::NotSendingYet) => {
            format!(
                "Amazon SES has found the DKIM records of {domain} and does not send its mail yet; this should pass by itself."
            )
        }
        _ => format!("The DNS is right; Amazon SES will notice{}.", last_look(identity)),
    };
    text + &window(dns, until)
}

/// Says why SES must be told to look.
fn restart(dns: &DnsView, reason: Option<SesReason>) -> String {
    let domain = &dns.domain;
    let command = format!("`zoneproof ses restart {domain}`");
    match reason {
        Some(SesReason::NeverStarted) => {
            format!("Amazon SES was never told to look for DKIM records of {domain}; {command} starts it.")
        }
        Some(SesReason::RecordsNotRight) => format!(
            "Amazon SES has stopped looking, and the DKIM records are not right{}; repair them, then run {command}.",
            cause(dns)
        ),
        Some(SesReason::Propagating) => format!(
            "Amazon SES has stopped looking, and the DKIM records are not yet at all servers; once they are, run {command}."
        ),
        Some(SesReason::DnsUnclear) => format!(
            "Amazon SES has stopped looking, and whether the DKIM records of {domain} are right could not be found out; \
             once they are, run {command}."
        ),
        _ => format!(
            "The DNS is right, and Amazon SES has stopped looking: the 72 hours were over before the records were right; \
             run {command}."
        ),
    }
}

/// Says how mail leaves without a good signature.
fn unsigned(domain: &str, reason: Option<SesReason>) -> String {
    let how = match reason {
        Some(SesReason::SigningOff) => "without a DKIM signature, since signing is switched off",
        Some(SesReason::KeyChange) => "signed with the old key, until it finds the records of the new one",
        Some(SesReason::DkimFailed) => "without a DKIM signature, since it did not find the DKIM records in time",
        _ => "without a DKIM signature: it was verified in the old way, by a TXT record, and DKIM is not verified",
    };
    let then = match reason {
        Some(SesReason::DkimFailed) => format!(" Once they are right, run `zoneproof ses restart {domain}`."),
        _ => String::new(),
    };
    format!("Amazon SES sends mail of {domain} {how}.{then}")
}

/// Says what SES still sees.
fn older_zone(reason: Option<SesReason>, until: Option<Timestamp>) -> String {
    let text = match reason {
        Some(SesReason::OlderSerial) => "The DNS is right; Amazon SES saw an older version of the zone",
        _ => "The DNS is right; Amazon SES did not find the names, and may remember that they were not there",
    };
    match until {
        Some(until) => format!("{text}, until {until} at most; it will look again."),
        None => format!("{text}; it will look again."),
    }
}

/// Says what keeps a replica from its parent's keys.
fn replica_trouble(identity: &SesIdentity) -> String {
    let parent = match &identity.origin {
        DkimOrigin::Replica { parent_region } => parent_region.as_str(),
        DkimOrigin::EasyDkim | DkimOrigin::External | DkimOrigin::Unknown => "another region",
    };
    let error = identity.verification_info.as_ref().and_then(|info| info.error);
    let word = error.map_or("", |error| error.as_str());
    format!(
        "This identity is a replica of the one in {parent}, whose keys Amazon SES cannot use ({word}); nothing in the DNS \
         helps: mend the parent identity or its permissions."
    )
}
