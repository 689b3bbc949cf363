//! Remedies for zones that are not sound, and for servers with flaws.

use crate::findings::Subject;
use crate::remedy::case::{Case, join};
use crate::remedy::delegation::{Zone, lower_first, named};
use crate::remedy::words::{aside, list, list_names, plural, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The registrar vouches for keys that the zone does not have.
pub(super) fn dnssec_bogus_no_dnskey(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let tags = case.text("key_tags").map(|tags| format!(" (key tag {})", quoted(tags))).unwrap_or_default();
    let cause = if case.text("digest_differs").is_some() {
        "a key of its name servers has the number that the DS record in the zone above names{tags} and not the fingerprint \
         (digest): the DS record was copied wrong, or made for another key"
    } else {
        "its name servers do not have the key that the DS record in the zone above names{tags}"
    };
    let text = format!(
        "{} is marked as signed (DNSSEC), but {}. Amazon SES, Gmail and everyone who checks signatures see none of its \
         records. {}, delete the DS record, or switch DNSSEC on at {} and enter the DS record that it shows.",
        shown(&zone.name),
        cause.replace("{tags}", &tags),
        zone.at_delegator(),
        zone.place.who()
    );
    let step = Step { action: Action::Delete, host: shown(&zone.name), record_type: "DS".to_owned(), value: None };
    Remedy { steps: vec![step], ..zone.advise(text) }
}

/// The signatures are over.
pub(super) fn dnssec_expired_sig(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let since = case.number("seconds_over").map(|seconds| match seconds / 3600 {
        hours @ 0..48 => format!("{hours} hours ago"),
        hours => format!("{} days ago", hours / 24),
    });
    let text = format!(
        "{} is signed (DNSSEC), and its signatures ran out{}: Amazon SES, Gmail and everyone who checks signatures see none \
         of its records. Have {} sign the zone again; where that takes long, delete the DS record {} until it is done.",
        shown(&zone.name),
        since.map(|since| format!(" {since}")).unwrap_or_default(),
        zone.place.who(),
        lower_first(&zone.at_delegator())
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// The parent's addresses of servers are old.
pub(super) fn glue_stale(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let (servers, addresses) = (case.names("servers"), case.addresses());
    let given = if addresses.is_empty() {
        "another address than the zone itself".to_owned()
    } else {
        format!("{}, which the zone itself does not", list(addresses))
    };
    let text = format!(
        "For {} of {}, the zone above gives {given}. {}, set the addresses of {} (host records, also called glue) to those \
         in the zone.",
        lower_first(&named(servers)),
        shown(&zone.name),
        zone.at_delegator(),
        plural(servers.len(), "this name server", "these name servers")
    );
    zone.advise(text)
}

/// The domain is parked.
pub(super) fn expired_parked(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let text = format!(
        "{} is parked{}: its name servers are those of a service for domains that have expired, wait for their owner to \
         confirm an e-mail address, or are for sale. {}, renew or confirm the domain, then set the name servers of the \
         provider where its records are.",
        shown(&zone.name),
        aside(&list_names(case.names("servers"))),
        zone.at_delegator()
    );
    zone.advise(text)
}

/// An alias stands at the apex.
pub(super) fn cname_at_apex(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let target = case.name("target").map(|target| format!(" (to {})", shown(target))).unwrap_or_default();
    let what = format!(
        "{} itself has a CNAME record{target}. Nothing may stand beside a CNAME, so that SPF, MX and everything else at \
         this name may not be seen.",
        shown(&zone.name)
    );
    let step = Step {
        action: Action::Delete,
        host: zone.place.host(&zone.name),
        record_type: "CNAME".to_owned(),
        value: None,
    };
    let advice =
        "To point the name at a website, use the provider's ALIAS or flattening, or address records.".to_owned();
    let text = join([Some(what), Some(zone.place.tell(std::slice::from_ref(&step))), Some(advice)]);
    Remedy { provider: zone.place.provider_id(), text, steps: vec![step] }
}

/// The servers hold different versions of the zone.
pub(super) fn serials_differ(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let serials = case.text("serials").map(quoted).unwrap_or_default();
    let text = format!(
        "The name servers of {} hold different versions of the zone{}, though they agree on the records looked at. A change \
         may be on its way: check again in a few minutes. If it stays so, ask {} why its servers differ.",
        shown(&zone.name),
        aside(&serials),
        zone.place.who()
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// A zone of its own that nobody is led to.
pub(super) fn no_delegation_subzone(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let below = case.name("subzone").map_or_else(|| "a subdomain".to_owned(), shown);
    let holders = case.names("servers");
    let text = format!(
        "{} of {} {} {below} as a zone of its own, and the other name servers know nothing of it: what is seen depends on \
         who is asked. At {}, delete the zone {below} and keep its records in {}, or add NS records for {below} there.",
        named(holders),
        shown(&zone.name),
        plural(holders.len(), "keeps", "keep"),
        zone.place.who(),
        shown(&zone.name)
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// Records can be added without typing.
pub(super) fn domain_connect(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let host = case.text("host").map(|host| format!(" ({})", quoted(host))).unwrap_or_default();
    let text = format!(
        "{} takes records of {} from other services by Domain Connect{host}: where a service offers that, one click adds its \
         records. Nothing has to be done.",
        upper_first(&zone.place.who()),
        shown(&zone.name)
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// Makes the beginning of a sentence.
fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Long answers cannot be had.
pub(super) fn broken_tcp(case: &Case<'_>) -> Remedy {
    flawed(
        case,
        "cuts long answers and does not give them whole over TCP either",
        "cut long answers and do not give them whole over TCP either",
    )
}

/// Questions as they are put today are refused.
pub(super) fn broken_edns(case: &Case<'_>) -> Remedy {
    flawed(
        case,
        "answers questions of the old form only (without EDNS), not those that are asked today",
        "answer questions of the old form only (without EDNS), not those that are asked today",
    )
}

/// The letters of questions are not kept.
pub(super) fn broken_0x20(case: &Case<'_>) -> Remedy {
    flawed(
        case,
        "repeats questions in other letters (capital or small) than they were asked in, which careful resolvers take for a \
         forged answer, so that they ask again",
        "repeat questions in other letters (capital or small) than they were asked in, which careful resolvers take for \
         forged answers, so that they ask again",
    )
}

/// A name with records below it is said not to exist.
pub(super) fn broken_qmin(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let above = case.name("name").map_or_else(|| "a name with records below it".to_owned(), shown);
    let text = format!(
        "{}{} of {} {} that {above} does not exist, although there are records below it: a resolver that hears this first \
         does not look for them any more, and does not find your DKIM records. Have {} repair {}.",
        named(&servers),
        aside(&list(case.addresses())),
        shown(&zone.name),
        plural(servers.len(), "says", "say"),
        zone.place.who(),
        plural(servers.len(), "it", "them")
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// Servers answer some questions and refuse others.
pub(super) fn refused_by_policy(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let text = format!(
        "{}{} of {} {} the domain, and {} to answer some questions about it: by a rule about who may ask, from where, or how \
         often. Others may be turned away as well. Have {} answer everyone's questions; it may be over in a few minutes \
         where only too much was asked.",
        named(&servers),
        aside(&list(case.addresses())),
        shown(&zone.name),
        plural(servers.len(), "serves", "serve"),
        plural(servers.len(), "refuses", "refuse"),
        zone.place.who()
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// One address family is out of reach.
pub(super) fn ns_v6_only_broken(case: &Case<'_>) -> Remedy {
    flawed(
        case,
        "answers over one of IPv4 and IPv6, and not at this address over the other",
        "answer over one of IPv4 and IPv6, and not at these addresses over the other",
    )
}

/// Servers have a flaw that stops nothing today.
fn flawed(case: &Case<'_>, one: &'static str, several: &'static str) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let text = format!(
        "{}{} of {} {}. Have {} repair {}.",
        named(&servers),
        aside(&list(case.addresses())),
        shown(&zone.name),
        plural(servers.len(), one, several),
        zone.place.who(),
        plural(servers.len(), "it", "them")
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// A name holds too much.
pub(super) fn answer_too_large(case: &Case<'_>) -> Remedy {
    let size = match (case.number("records"), case.number("octets")) {
        (Some(records), Some(octets @ 1..)) => format!(" ({records} records, {octets} octets of text)"),
        (Some(records), _) => format!(" ({records} records)"),
        _ => String::new(),
    };
    let what = format!("There is so much at {}{size} that receivers may give up reading it.", shown(case.owner));
    case.advise(what, format!("At {}, delete what is no longer needed there.", case.place.who()))
}

/// Says whether a finding is about a zone as a whole.
pub(super) fn is_about_zone(case: &Case<'_>) -> bool {
    matches!(case.finding.subject, Subject::Zone(_))
}
