//! What a CNAME's target says about how it was typed.
//!
//! Compares labels in wire form, never text: a dot inside a label is data (RFC 1035 §5.1).

use crate::dns::name::Name;
use crate::dns::public_suffix;
use crate::expectation::{Expectation, Expected, ExpectedRecord};
use crate::findings::dkim::slip::{Slip, slip_in};

/// The names that the targets of SES end in, below which a label may name the region.
const SES_ZONE: [&[u8]; 2] = [b"amazonses", b"com"];
/// The label that the targets of SES have behind the token.
const SES_KEY_LABEL: &[u8] = b"dkim";
/// How long the tokens of SES are (Amazon SES, Easy DKIM).
const SES_TOKEN_OCTETS: usize = 32;
/// The most letters that are added, left out or changed by a slip of the hand.
const MAX_SLIPS: usize = 2;
/// The shortest token that is recognised with a slip in it: a shorter one is near too many others.
const MIN_OCTETS_WITH_SLIPS: usize = 16;

/// Other mail services by what the targets of their DKIM and return-path records end in.
const OTHER_SERVICES: &[(&str, &str)] = &[
    ("sendgrid.net", "SendGrid"),
    ("mailgun.org", "Mailgun"),
    ("mandrillapp.com", "Mailchimp"),
    ("mcsv.net", "Mailchimp"),
    ("sparkpostmail.com", "SparkPost"),
    ("e.sparkpost.com", "SparkPost"),
    ("mtasv.net", "Postmark"),
    ("postmarkapp.com", "Postmark"),
    ("mailjet.com", "Mailjet"),
    ("brevo.com", "Brevo"),
    ("sendinblue.com", "Brevo"),
    ("hubspotemail.net", "HubSpot"),
    ("hubspot.com", "HubSpot"),
    ("zoho.com", "Zoho"),
    ("zoho.eu", "Zoho"),
    ("zohomail.com", "Zoho"),
    ("zcsend.net", "Zoho"),
    ("google.com", "Google"),
    ("googlehosted.com", "Google"),
    ("googlemail.com", "Google"),
    ("onmicrosoft.com", "Microsoft 365"),
    ("outlook.com", "Microsoft 365"),
    ("klaviyomail.com", "Klaviyo"),
    ("klaviyo.com", "Klaviyo"),
    ("resend.com", "Resend"),
    ("resend.dev", "Resend"),
    ("rsgsv.net", "Mailchimp"),
    ("mailerlite.com", "MailerLite"),
    ("fastmail.com", "Fastmail"),
    ("messagingengine.com", "Fastmail"),
    ("protonmail.ch", "Proton Mail"),
    ("proton.ch", "Proton Mail"),
    ("exacttarget.com", "Salesforce"),
    ("mailtrap.live", "Mailtrap"),
    ("elasticemail.com", "Elastic Email"),
    ("activecampaign.com", "ActiveCampaign"),
    ("intercom.io", "Intercom"),
    ("zendesk.com", "Zendesk"),
];

/// What a target is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// What is expected.
    Expected,
    /// What is expected for another of the tokens.
    OfToken(Name),
    /// What is expected, for this token or another, with this name behind it.
    WithZone(Name),
    /// What is expected, for this token or another, with a dot as an octet of a label.
    WithDot,
    /// The same token, or another, in the DKIM zone of this region; `None` for the zone without a region.
    OfRegion(Option<String>),
    /// What is expected, for this token or another, with something that is no part of a name.
    WithSlip(Slip),
    /// What is expected, with letters of its token lost or changed.
    Garbled,
    /// A target of SES for a token that is none of these: of an older identity, or of another account.
    OfOlderToken,
    /// Below a name of this mail service.
    OfService(&'static str),
    /// Nothing known.
    Unrelated,
}

impl Target {
    /// Says whether it is the expected target but for the way that the panel stored it.
    #[must_use]
    pub(super) fn is_meant(&self) -> bool {
        matches!(self, Self::Expected | Self::WithZone(_) | Self::WithDot)
    }
}

/// Reads the target of one record of an expectation; `zone` is the deepest zone that the record lies in.
#[must_use]
pub(super) fn read_target(
    target: &Name,
    record: &ExpectedRecord,
    expectation: &Expectation,
    zone: Option<&Name>,
) -> Target {
    let own = expected_target(record);
    if own == Some(target) {
        return Target::Expected;
    }
    let all: Vec<&Name> = expectation.records.iter().filter_map(expected_target).collect();
    if let Some(other) = all.iter().find(|expected| **expected == target) {
        return Target::OfToken((*other).clone());
    }
    if let Some(appended) = appended_name(target, &all, &expectation.domain, zone) {
        return Target::WithZone(appended);
    }
    if has_dot_in_label(target) && all.iter().any(|expected| is_with_dot(target, expected)) {
        return Target::WithDot;
    }
    if let Some(slip) = slip_in(target, &all) {
        return Target::WithSlip(slip);
    }
    if let Some(region) = ses_region(target, &all) {
        return Target::OfRegion(region);
    }
    if is_of_previous_token(target, expectation) {
        return Target::OfOlderToken;
    }
    if own.is_some_and(|own| is_garbled(target, own)) {
        return Target::Garbled;
    }
    if is_of_ses_token(target, expectation) {
        return Target::OfOlderToken;
    }
    match OTHER_SERVICES.iter().find(|(suffix, _)| is_below(target, suffix)) {
        Some((_, service)) => Target::OfService(service),
        None => Target::Unrelated,
    }
}

/// Returns the target that is expected of a CNAME record.
fn expected_target(record: &ExpectedRecord) -> Option<&Name> {
    if let Expected::Cname(target) = &record.expected { Some(target) } else { None }
}

/// Returns the name that a panel put behind an expected target: the zone, the domain or one between
/// the domain and the name that was registered.
fn appended_name(target: &Name, all: &[&Name], domain: &Name, zone: Option<&Name>) -> Option<Name> {
    let registered = public_suffix::registrable_name(domain)?;
    let between = domain.ancestors().take_while(|name| name.is_subdomain_of(&registered));
    zone.cloned()
        .into_iter()
        .chain(between)
        .filter(|appended| !appended.is_root())
        .find(|appended| target.without_suffix(appended).is_some_and(|rest| all.contains(&&rest)))
}

/// Says whether a label of the name holds a dot.
fn has_dot_in_label(name: &Name) -> bool {
    name.labels().any(|label| label.contains(&b'.'))
}

/// Says whether the name reads like `expected` and a final dot, be it with a zone behind or without.
fn is_with_dot(name: &Name, expected: &Name) -> bool {
    let text = |name: &Name| name.labels().collect::<Vec<_>>().join(&b'.').to_ascii_lowercase();
    let (name, expected) = (text(name), text(expected));
    // A final dot that became data is followed by the end, or by the dot in front of the zone.
    name.strip_prefix(expected.as_slice()).is_some_and(|rest| matches!(rest, [] | [b'.'] | [b'.', b'.', ..]))
}

/// Returns the region of a target of SES for one of the tokens; the inner `None` stands for the zone without one.
#[expect(clippy::option_option, reason = "no region is a zone of its own, no match is none")]
fn ses_region(target: &Name, all: &[&Name]) -> Option<Option<String>> {
    let labels: Vec<Vec<u8>> = target.labels().map(<[u8]>::to_ascii_lowercase).collect();
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let is_token = |label: &[u8]| {
        all.iter().filter_map(|expected| expected.first_label()).any(|token| token.eq_ignore_ascii_case(label))
    };
    match labels.as_slice() {
        [token, dkim, zone @ ..] if is_token(token) && *dkim == SES_KEY_LABEL => match zone {
            zone if *zone == SES_ZONE => Some(None),
            [region, zone @ ..] if *zone == SES_ZONE => Some(Some(String::from_utf8_lossy(region).into_owned())),
            _ => None,
        },
        _ => None,
    }
}

/// Says whether a target is the expected one but for its token, which lost its start or end, half of it at most, or
/// has a slip or two in it.
fn is_garbled(target: &Name, expected: &Name) -> bool {
    let (Some(token), Some(seen)) = (expected.first_label(), target.first_label()) else { return false };
    let (token, seen) = (token.to_ascii_lowercase(), seen.to_ascii_lowercase());
    if target.parent() != expected.parent() || token == seen {
        return false;
    }
    let is_cut = (token.starts_with(&seen) || token.ends_with(&seen)) && seen.len() * 2 >= token.len();
    is_cut || (token.len() >= MIN_OCTETS_WITH_SLIPS && distance(&token, &seen) <= MAX_SLIPS)
}

/// Counts the octets that have to be added, left out or changed to make one text of the other (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.iter().enumerate() {
        let mut next = vec![index + 1];
        for (place, right) in other.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, place) + usize::from(left != right);
            next.push(changed.min(at(&row, place + 1) + 1).min(at(&next, place) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Says whether a target is one of SES for a token that an earlier identity of the domain had.
pub(super) fn is_of_previous_token(target: &Name, expectation: &Expectation) -> bool {
    let is_previous =
        |label: &[u8]| expectation.previous_tokens.iter().any(|token| token.as_bytes().eq_ignore_ascii_case(label));
    target.first_label().is_some_and(is_previous) && is_in_ses_zone(target, expectation)
}

/// Says whether a target looks like those that SES gives out: 32 letters and digits below one of its DKIM zones.
fn is_of_ses_token(target: &Name, expectation: &Expectation) -> bool {
    let is_token =
        |label: &[u8]| label.len() == SES_TOKEN_OCTETS && label.iter().all(|octet| octet.is_ascii_alphanumeric());
    target.first_label().is_some_and(is_token) && is_in_ses_zone(target, expectation)
}

/// Says whether a target lies right below a DKIM zone of SES.
fn is_in_ses_zone(target: &Name, expectation: &Expectation) -> bool {
    let Some(zone) = target.parent() else { return false };
    let labels: Vec<Vec<u8>> = zone.labels().map(<[u8]>::to_ascii_lowercase).collect();
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let is_of_ses = match labels.as_slice() {
        [dkim, rest @ ..] if *dkim == SES_KEY_LABEL => *rest == SES_ZONE || rest.get(1..) == Some(SES_ZONE.as_slice()),
        _ => false,
    };
    zone == expectation.dkim_zone || is_of_ses
}

/// Says whether a name is `suffix` or below it.
fn is_below(name: &Name, suffix: &str) -> bool {
    Name::parse(suffix).is_ok_and(|suffix| name.is_subdomain_of(&suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::sample::name;

    /// Reads a target of the first record of mail.example.com.
    fn read(target: &str, dkim_zone: &str) -> Target {
        let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], dkim_zone).unwrap();
        read_target(&name(target), &expectation.records[0], &expectation, Some(&name("example.com")))
    }

    #[test]
    fn a_target_tells_how_it_was_typed() {
        let zone = |text: &str| Target::WithZone(name(text));
        let region = |text: &str| Target::OfRegion(Some(text.to_owned()));
        for (target, meaning) in [
            ("T1.DKIM.amazonses.com", Target::Expected),
            ("t3.dkim.amazonses.com", Target::OfToken(name("t3.dkim.amazonses.com"))),
            ("t1.dkim.amazonses.com.example.com", zone("example.com")),
            ("t1.dkim.amazonses.com.mail.example.com", zone("mail.example.com")),
            ("t2.dkim.amazonses.com.example.com", zone("example.com")),
            ("t1.dkim.amazonses.com.example.org", Target::Unrelated),
            (r"t1.dkim.amazonses.com\.", Target::WithDot),
            (r"t1.dkim.amazonses.com\..example.com", Target::WithDot),
            (r"t1\.dkim\.amazonses\.com\.", Target::WithDot),
            (r"t9.dkim.amazonses.com\.", Target::Unrelated),
            ("t1.dkim.eu-west-1.amazonses.com", region("eu-west-1")),
            ("t2.dkim.eu-west-1.amazonses.com", region("eu-west-1")),
            ("t9.dkim.eu-west-1.amazonses.com", Target::Unrelated),
            ("t1.dkim.amazonses.com.au", Target::Unrelated),
            ("s1.domainkey.u123.wl.sendgrid.net", Target::OfService("SendGrid")),
            ("selector1-example-com._domainkey.example.onmicrosoft.com", Target::OfService("Microsoft 365")),
            ("notsendgrid.net", Target::Unrelated),
            ("parking.example", Target::Unrelated),
            (".", Target::Unrelated),
        ] {
            assert_eq!(read(target, "dkim.amazonses.com"), meaning, "{target}");
        }
    }

    #[test]
    fn the_zone_without_a_region_is_wrong_where_ses_names_one() {
        assert_eq!(read("t1.dkim.amazonses.com", "dkim.eu-west-1.amazonses.com"), Target::OfRegion(None));
        assert_eq!(read("t1.dkim.eu-west-1.amazonses.com", "dkim.eu-west-1.amazonses.com"), Target::Expected);
    }

    #[test]
    fn a_token_with_a_slip_is_told_from_an_older_one() {
        let (own, other) = ("abcdefghijklmnopqrstuvwxyz012345", "zyxwvutsrqponmlkjihgfedcba543210");
        let expectation = Expectation::new("example.com", &[own, "t2", "t3"], "dkim.amazonses.com").unwrap();
        for (target, meaning) in [
            (format!("{}.dkim.amazonses.com", &own[..31]), Target::Garbled),
            (format!("{}.dkim.amazonses.com", &own[3..]), Target::Garbled),
            (format!("{}.dkim.amazonses.com", &own[..16]), Target::Garbled),
            (format!("{}.dkim.amazonses.com", &own[..15]), Target::Unrelated),
            (format!("{}.dkim.amazonses.com", own.replace("mn", "nm")), Target::Garbled),
            (format!("{}.dkim.amazonses.com", own.replace('m', "")), Target::Garbled),
            (format!("{}.dkim.amazonses.net", &own[..31]), Target::Unrelated),
            (format!("{other}.dkim.amazonses.com"), Target::OfOlderToken),
            (format!("{other}.dkim.eu-south-1.amazonses.com"), Target::OfOlderToken),
            (format!("{other}.example.net"), Target::Unrelated),
            (format!("{}.dkim.amazonses.com", &other[1..]), Target::Unrelated),
        ] {
            let read = read_target(&name(&target), &expectation.records[0], &expectation, None);
            assert_eq!(read, meaning, "{target}");
        }
    }

    #[test]
    fn every_other_service_is_found_by_its_suffix() {
        for (suffix, service) in OTHER_SERVICES {
            assert_eq!(read(&format!("x.{suffix}"), "dkim.amazonses.com"), Target::OfService(service), "{suffix}");
        }
    }
}
