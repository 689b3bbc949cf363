use super::*;
use crate::expectation::{DEFAULT_DKIM_ZONE, RecordKind};
use crate::findings::sample::{evidence, name};
use crate::findings::{Argument, Subject};

/// The name servers of a zone at each provider, and at one that nobody knows.
const GODADDY: [&str; 2] = ["ns71.domaincontrol.com.", "ns72.domaincontrol.com."];
const CLOUDFLARE: [&str; 2] = ["ada.ns.cloudflare.com.", "bob.ns.cloudflare.com."];
const GANDI: [&str; 2] = ["ns-1-a.gandi.net.", "ns-2-b.gandi.net."];
const UNKNOWN: [&str; 2] = ["ns1.example.net.", "ns2.example.net."];

fn expectation() -> Expectation {
    let plain = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let with_mail_from = plain.with_inbound().with_mail_from("bounce.mail.example.com").unwrap();
    with_mail_from.with_region("eu-west-1").unwrap()
}

/// The zone `example.com.` at two servers, with two SPF and two DMARC records.
fn zone_at(servers: [&str; 2]) -> Evidence {
    let [one, two] = servers;
    evidence(&format!(
        "zone example.com. {one}=192.0.2.1 {two}=192.0.2.2
         t1._domainkey.mail.example.com. CNAME: nxdomain
         mail.example.com. TXT: v=spf1 ip4:192.0.2.7 ~all | v=spf1 include:spf.example.net -all | not=spf
         bounce.mail.example.com. MX: 10 feedback-smtp.eu-west-1.amazonses.com. | 20 mx.example.net.
         _dmarc.mail.example.com. TXT: v=DMARC1; p=reject | v=DMARC1; p=none"
    ))
}

/// A zone `mail.example.com.` at Cloudflare below a zone at GoDaddy.
fn sub_zone() -> Evidence {
    let ([one, two], [three, four]) = (GODADDY, CLOUDFLARE);
    evidence(&format!(
        "zone example.com. {one}=192.0.2.1 {two}=192.0.2.2
         zone mail.example.com. {three}=198.51.100.1 {four}=198.51.100.2
         t1._domainkey.mail.example.com. CNAME: nxdomain
         t1._domainkey.example.com. CNAME: t1.dkim.amazonses.com."
    ))
}

fn dkim() -> Subject {
    Subject::Record { kind: RecordKind::Dkim, name: name("t1._domainkey.mail.example.com.") }
}

fn spf() -> Subject {
    Subject::Record { kind: RecordKind::Spf, name: name("mail.example.com.") }
}

fn dmarc() -> Subject {
    Subject::Record { kind: RecordKind::Dmarc, name: name("_dmarc.mail.example.com.") }
}

fn mx() -> Subject {
    Subject::Record { kind: RecordKind::Mx, name: name("mail.example.com.") }
}

fn mail_from(kind: RecordKind) -> Subject {
    Subject::Record { kind, name: name("bounce.mail.example.com.") }
}

fn zone() -> Subject {
    Subject::Zone(name("example.com."))
}

fn a_name(text: &str) -> Argument {
    Argument::Name(name(text))
}

fn names(texts: &[&str]) -> Argument {
    Argument::Names(texts.iter().map(|text| name(text)).collect())
}

fn addresses(texts: &[&str]) -> Argument {
    Argument::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn text(text: &str) -> Argument {
    Argument::Text(text.to_owned())
}

/// A finding of each code, as its rule makes it, in a zone with these servers.
#[expect(clippy::too_many_lines, reason = "one arm for each code, and none is left out")]
fn finding(code: Code, servers: [&str; 2]) -> Finding {
    let moved = |typed: &str| Finding::new(code, dkim()).with("typed", a_name(typed));
    let pointing = |seen: &str| Finding::new(code, dkim()).with("seen", a_name(seen));
    let second = Subject::Server { zone: name("example.com."), server: name(servers[1]) };
    match code {
        Code::NotRegistered => Finding::new(code, Subject::Domain(name("mail.example.com."))),
        Code::DelegationLoop | Code::LameAll => Finding::new(code, zone()).with("servers", names(&servers)),
        Code::BudgetExceeded => Finding::new(code, Subject::Domain(name("mail.example.com."))),
        Code::NsUnresolvable | Code::NsUnreachable => Finding::new(code, second),
        Code::NsAddressForbidden => Finding::new(code, second).with("addresses", addresses(&["10.0.0.1"])),
        Code::LameSome => Finding::new(code, zone()).with("lame", names(&servers[1..])),
        Code::ParentChildNsMismatch => Finding::new(code, zone())
            .with("missing_at_parent", names(&["ns3.example."]))
            .with("missing_at_child", names(&servers[1..])),
        Code::UnableToCheck | Code::InconsistentServers => {
            Finding::new(code, dkim()).with("ok", Argument::Number(1)).with("of", Argument::Number(4))
        }
        Code::SubzoneShadow | Code::Absent | Code::CfFlattened | Code::WrongTypeTxt => Finding::new(code, dkim()),
        Code::WrongProviderEdited => Finding::new(code, dkim())
            .with("edited_provider", text("vercel"))
            .with("edited_servers", names(&["ns1.vercel-dns.com."])),
        Code::ExpiredParked
        | Code::BrokenTcp
        | Code::BrokenEdns
        | Code::Broken0x20
        | Code::BrokenQmin
        | Code::RefusedByPolicy => Finding::new(code, zone()).with("servers", names(&servers[..1])),
        Code::NsV6OnlyBroken => {
            Finding::new(code, zone()).with("servers", names(&servers)).with("addresses", addresses(&["2001:db8::53"]))
        }
        Code::DnssecBogusNoDnskey => Finding::new(code, zone()).with("key_tags", text("12345")),
        Code::DnssecExpiredSig => Finding::new(code, zone()).with("seconds_over", Argument::Number(200_000)),
        Code::DnssecNotYetValid => Finding::new(code, zone()).with("signed", text("keys")),
        Code::DnssecBadSignature | Code::DnssecTooMuchWork => {
            let name = names(&["t1._domainkey.mail.example.com."]);
            Finding::new(code, zone()).with("signed", text("records")).with("names", name)
        }
        Code::DnssecMissingSignature => Finding::new(code, zone())
            .with("signed", text("delegation"))
            .with("names", names(&["mail.example.com."]))
            .with("unknown_key", text("yes")),
        Code::DnssecMissingDenial => Finding::new(code, zone())
            .with("signed", text("absence"))
            .with("names", names(&["_dmarc.mail.example.com."])),
        Code::DnssecManyIterations => Finding::new(code, zone()).with("iterations", Argument::Number(100)),
        Code::CnameAtApex => Finding::new(code, zone()).with("target", a_name("www.example.net.")),
        Code::NoDelegationSubzone => Finding::new(code, zone())
            .with("servers", names(&servers[..1]))
            .with("subzone", a_name("mail.example.com.")),
        Code::DomainConnect => Finding::new(code, zone()).with("host", text("domainconnect.api.example.net")),
        Code::GlueStale => Finding::new(code, zone())
            .with("servers", names(&servers[..1]))
            .with("addresses", addresses(&["192.0.2.9"])),
        Code::AnswerTooLarge => {
            Finding::new(code, spf()).with("records", Argument::Number(140)).with("octets", Argument::Number(20_000))
        }
        Code::CfProxied => Finding::new(code, dkim()).with("addresses", addresses(&["192.0.2.80", "2001:db8::80"])),
        Code::WrongTypeAddress => Finding::new(code, dkim()).with("addresses", addresses(&["192.0.2.80"])),
        Code::WildcardSynth => pointing("parking.example."),
        Code::MultipleCnames => {
            Finding::new(code, dkim()).with("targets", names(&["other.example.", "t1.dkim.amazonses.com."]))
        }
        Code::CnameLoop => Finding::new(code, dkim()).with("targets", names(&["a.example.com.", "b.example.com."])),
        Code::HostDoubled => moved("t1._domainkey.mail.example.com.example.com."),
        Code::LabelMissing => moved("t1._domainkey.example.com."),
        Code::DomainkeyMissing => moved("t1.mail.example.com."),
        Code::UnderscoreStripped => moved("t1.domainkey.mail.example.com."),
        Code::TargetZoneAppended => pointing("t1.dkim.amazonses.com.example.com."),
        Code::TargetDotEscaped => pointing(r"t1.dkim.amazonses.com\.."),
        Code::WrongRegion => pointing("t1.dkim.eu-central-1.amazonses.com.").with("region", text("eu-central-1")),
        Code::TokenSwapped => pointing("t2.dkim.amazonses.com."),
        Code::WrongProviderTarget => pointing("u1.wl.mail-service.example.").with("service", text("Mail Service")),
        Code::WrongTarget => pointing("elsewhere.example."),
        Code::Indirect => Finding::new(code, dkim()).with("targets", names(&["via.example."])),
        Code::Partial => Finding::new(code, Subject::Domain(name("mail.example.com.")))
            .with("ok", Argument::Number(1))
            .with("of", Argument::Number(3)),
        Code::TxtKeyInline
        | Code::WrongTypeUrlRedirect
        | Code::DnameAbove
        | Code::LabelExtra
        | Code::UnderscoreTypo
        | Code::FieldsSwapped
        | Code::ValueInvisible
        | Code::ValueUrl
        | Code::ValueQuoted
        | Code::ValueComma
        | Code::ValueTypeWord
        | Code::TokenTruncated
        | Code::TokenStale
        | Code::CnameAndOther
        | Code::WildcardShadowing
        | Code::SesTargetNxdomain
        | Code::SesKeyAllEmpty
        | Code::CnameAtParent
        | Code::TtlLong
        | Code::ByoCnameInstead
        | Code::ByoMultipleTxt
        | Code::ByoEscapedSemicolon
        | Code::ByoKeyLowercased
        | Code::ByoKeySplitSpace
        | Code::ByoKeyTruncated
        | Code::ByoRevoked
        | Code::ByoWeak
        | Code::ByoKeyMismatch => slip(code),
        Code::SpfMultiple | Code::SpfAbsent => Finding::new(code, spf()),
        Code::SpfLeadingSpaceOrQuote | Code::SpfSplitWrong | Code::SpfType99 => {
            Finding::new(code, spf()).with("new_record", text("v=spf1 include:amazonses.com ~all"))
        }
        Code::SpfHostDoubled | Code::SpfLabelMissing => {
            let is_doubled = code == Code::SpfHostDoubled;
            let typed = if is_doubled { "mail.example.com.example.com." } else { "example.com." };
            Finding::new(code, spf())
                .with("typed", a_name(typed))
                .with("record", text("v=spf1 include:amazonses.com -all"))
        }
        Code::SpfAsCname => Finding::new(code, spf()).with("target", a_name("host.example.net.")),
        Code::SpfOnUnusedName => Finding::new(code, spf()).with("mail_from", a_name("bounce.mail.example.com.")),
        Code::SpfMissingInclude => {
            Finding::new(code, spf()).with("new_record", text("v=spf1 ip4:192.0.2.7 include:amazonses.com ~all"))
        }
        Code::SpfSyntax => Finding::new(code, spf())
            .with("column", Argument::Number(8))
            .with("problem", text("unknown mechanism `includ`")),
        Code::SpfTooManyLookups => Finding::new(code, spf())
            .with("lookups", Argument::Number(14))
            .with("branches", text("include:a.example (11), mx (3)"))
            .with("heaviest", text("include:a.example")),
        Code::SpfLoop | Code::SpfIncludeDead | Code::SpfVoid => {
            Finding::new(code, spf()).with("names", names(&["one.example.", "two.example."]))
        }
        Code::SpfPtr => Finding::new(code, spf()).with("record", text("v=spf1 ptr include:amazonses.com -all")),
        Code::SpfPlusAll | Code::SpfTermsAfterAll | Code::SpfRedirectWithAll | Code::SpfNeutralAll | Code::SpfNoAll => {
            Finding::new(code, spf()).with("new_record", text("v=spf1 include:amazonses.com ~all"))
        }
        Code::DmarcMultiple | Code::DmarcAbsent => Finding::new(code, dmarc()),
        Code::DmarcSyntax => Finding::new(code, dmarc()).with("problem", text("bad policy `nothing`")),
        Code::DmarcWrongPlace => Finding::new(code, dmarc())
            .with("typed", a_name("dmarc.mail.example.com."))
            .with("record", text("v=DMARC1; p=none")),
        Code::DmarcStrictMisalign => Finding::new(code, dmarc())
            .with("mail_from", a_name("bounce.mail.example.com."))
            .with("still_aligned", text("dkim")),
        Code::DmarcMisalign => Finding::new(code, dmarc())
            .with("signed_by", a_name("example.net."))
            .with("organizational_domain", a_name("example.com."))
            .with("still_aligned", text("none")),
        Code::DmarcRuaUnauthorised => Finding::new(code, dmarc())
            .with("host", a_name("reports.example."))
            .with("authorisation", a_name("mail.example.com._report._dmarc.reports.example.")),
        Code::DmarcWildcard => Finding::new(code, dmarc()).with("wildcard", text("*.mail.example.com")),
        Code::DmarcOldTags => Finding::new(code, dmarc())
            .with("tags", text("pct, ri"))
            .with("pct", text("50"))
            .with("new_record", text("v=DMARC1; p=reject")),
        Code::DmarcTestMode => {
            Finding::new(code, dmarc()).with("published", text("reject")).with("policy", text("quarantine"))
        }
        Code::DmarcCname => Finding::new(code, dmarc()).with("target", a_name("policy.example.")),
        Code::DmarcPslDisagrees => Finding::new(code, dmarc())
            .with("organizational_domain", a_name("b.example.com."))
            .with("by_list", a_name("example.com.")),
        Code::DmarcInherited => {
            Finding::new(code, dmarc()).with("inherited_from", a_name("example.com.")).with("policy", text("reject"))
        }
        Code::MailfromIsCname => {
            Finding::new(code, mail_from(RecordKind::MailFromMx)).with("target", a_name("mail-service.example."))
        }
        Code::MxNull | Code::MailfromMxAbsent => Finding::new(code, mail_from(RecordKind::MailFromMx)),
        Code::MxZoneAppended => Finding::new(code, mail_from(RecordKind::MailFromMx))
            .with("exchanges", names(&["feedback-smtp.eu-west-1.amazonses.com.example.com."])),
        Code::MxIsIp => Finding::new(code, mx()).with("exchanges", names(&["192.0.2.7."])),
        Code::MailfromRegion => Finding::new(code, mail_from(RecordKind::MailFromMx))
            .with("exchanges", names(&["feedback-smtp.us-east-1.amazonses.com."]))
            .with("region", text("us-east-1")),
        Code::MailfromMxExtra => {
            Finding::new(code, mail_from(RecordKind::MailFromMx)).with("count", Argument::Number(2))
        }
        Code::MxIsCname | Code::MxTargetDead => Finding::new(code, mx()).with("exchanges", names(&["mx.example.com."])),
        Code::MxForeign => Finding::new(code, mx()).with("exchanges", names(&["aspmx.l.google.com."])),
        Code::MxInboundAbsent => Finding::new(code, mx()),
        Code::MailfromSpfAbsent => Finding::new(code, mail_from(RecordKind::MailFromSpf)),
        Code::MxImplicitA => Finding::new(code, mx()).with("addresses", addresses(&["192.0.2.80"])),
    }
}

/// A finding about a slip of the hand in a DKIM record, or about what is worth knowing of it.
fn slip(code: Code) -> Finding {
    let of_record = Finding::new(code, dkim());
    let of_domain = Finding::new(code, Subject::Domain(name("mail.example.com.")));
    match code {
        Code::WrongTypeUrlRedirect => of_record.with("addresses", addresses(&["192.0.2.80"])),
        Code::DnameAbove => of_record.with("dname", a_name("_domainkey.mail.example.com.")),
        Code::LabelExtra => of_record.with("typed", a_name("t1._domainkey.mail.mail.example.com.")),
        Code::UnderscoreTypo => of_record.with("typed", a_name("t1._domainkeys.mail.example.com.")),
        Code::FieldsSwapped => of_record.with("typed", a_name("t1.dkim.amazonses.com.example.com.")),
        Code::ValueInvisible => {
            of_record.with("seen", a_name("t1.dkim.amazonses.com\u{200b}.")).with("characters", text("U+200B"))
        }
        Code::ValueUrl => of_record.with("seen", a_name("https://t1.dkim.amazonses.com.")),
        Code::ValueQuoted => of_record.with("seen", a_name(r#"\"t1.dkim.amazonses.com\"."#)),
        Code::ValueComma => of_record.with("seen", a_name("t1.dkim.amazonses.com,.")),
        Code::ValueTypeWord => of_record.with("seen", a_name(r"CNAME\032t1.dkim.amazonses.com.")),
        Code::TokenTruncated => of_record.with("seen", a_name("t.dkim.amazonses.com.")),
        Code::TokenStale => of_record.with("previous", names(&["t8._domainkey.mail.example.com."])),
        Code::CnameAndOther => of_record.with("types", text("TXT,MX")),
        Code::CnameAtParent => of_domain.with("seen", a_name("host.example.net.")),
        Code::SesKeyAllEmpty => of_domain,
        Code::ByoCnameInstead => of_record.with("seen", a_name("keys.example.net.")),
        Code::ByoWeak => of_record.with("bits", Argument::Number(512)),
        Code::ByoKeyMismatch => of_record.with("problem", text("it is another key")),
        Code::TtlLong => of_record.with("ttl_seconds", Argument::Number(86_400)),
        _ => of_record,
    }
}

/// Writes a remedy down as people would check it.
fn written(remedy: &Remedy) -> String {
    let steps = remedy.steps.iter().map(|step| {
        let value = step.value.as_deref().map(|value| format!(" = {value}")).unwrap_or_default();
        format!("\n  * {} {} {}{value}", step.action.as_str(), step.record_type, step.host)
    });
    format!("[{}] {}{}", remedy.provider.as_deref().unwrap_or("-"), remedy.text, steps.collect::<String>())
}

/// Writes down the remedies of all codes in a zone with these servers.
fn catalogue_at(servers: [&str; 2]) -> String {
    let (expectation, seen) = (expectation(), zone_at(servers));
    let remedies = Code::ALL.iter().map(|code| {
        let evidence = if *code == Code::SubzoneShadow { sub_zone() } else { seen.clone() };
        format!("{}\n{}", code.as_str(), written(&remedy(&finding(*code, servers), &expectation, &evidence)))
    });
    remedies.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn every_code_has_words_at_godaddy() {
    insta::assert_snapshot!("godaddy", catalogue_at(GODADDY));
}

#[test]
fn every_code_has_words_at_cloudflare() {
    insta::assert_snapshot!("cloudflare", catalogue_at(CLOUDFLARE));
}

#[test]
fn every_code_has_words_at_gandi() {
    insta::assert_snapshot!("gandi", catalogue_at(GANDI));
}

#[test]
fn every_code_has_words_at_a_provider_that_nobody_knows() {
    insta::assert_snapshot!("unknown", catalogue_at(UNKNOWN));
}

#[test]
fn every_code_has_words_without_arguments_and_evidence() {
    let nothing = Evidence::new("probe".to_owned());
    for code in Code::ALL {
        let subject = finding(*code, UNKNOWN).subject;
        let remedy = remedy(&Finding::new(*code, subject), &expectation(), &nothing);
        assert!(remedy.text.ends_with('.'), "{}", remedy.text);
        for bad in ["  ", " .", "()", " ,", ".."] {
            assert!(!remedy.text.contains(bad), "{}: {bad:?} in {}", code.as_str(), remedy.text);
        }
        assert_eq!(remedy.provider.filter(|id| id != "cloudflare"), None, "{}", code.as_str());
    }
}

#[test]
fn a_value_ends_with_a_dot_where_the_panel_needs_one() {
    let remedy = remedy(&finding(Code::Absent, GANDI), &expectation(), &zone_at(GANDI));
    assert_eq!(
        remedy.text,
        "There is no CNAME record at t1._domainkey.mail.example.com. At Gandi, add a CNAME record (Domain > example.com > \
         DNS Records > Add record): Name t1._domainkey.mail, Hostname t1.dkim.amazonses.com. (with the dot at the end). \
         The change is usually seen within 20 minutes at this provider's servers."
    );
    let step = Step {
        action: Action::Add,
        host: "t1._domainkey.mail".to_owned(),
        record_type: "CNAME".to_owned(),
        value: Some("t1.dkim.amazonses.com.".to_owned()),
    };
    assert_eq!(remedy.steps, [step]);
}

#[test]
fn a_record_in_another_zone_is_deleted_there_and_added_in_its_own() {
    let remedy = remedy(&finding(Code::LabelMissing, GODADDY), &expectation(), &sub_zone());
    assert_eq!(
        written(&remedy),
        "[cloudflare] The record stands at t1._domainkey.example.com: the part mail is missing in the name. \
         At GoDaddy, delete the CNAME record with Name t1._domainkey. \
         At Cloudflare, add a CNAME record (mail.example.com > DNS > Records > Add record): Name t1._domainkey, \
         Target t1.dkim.amazonses.com (with or without a dot at the end). \
         The change is usually seen within 2 minutes at this provider's servers.\
         \n  * delete CNAME t1._domainkey\
         \n  * add CNAME t1._domainkey = t1.dkim.amazonses.com"
    );
}

#[test]
fn each_provider_of_a_zone_gets_its_own_words() {
    let remedy = remedy(&finding(Code::Absent, GODADDY), &expectation(), &zone_at([GODADDY[0], GANDI[0]]));
    assert_eq!(remedy.provider, None);
    for part in [
        "example.com is served by two providers at the same time, and each of them needs the change.",
        "At Gandi (ns-1-a.gandi.net), add a CNAME record (Domain > example.com > DNS Records > Add record): \
         Name t1._domainkey.mail, Hostname t1.dkim.amazonses.com. (with the dot at the end).",
        "At GoDaddy (ns71.domaincontrol.com), add a CNAME record",
        "Value t1.dkim.amazonses.com (without a dot at the end).",
    ] {
        assert!(remedy.text.contains(part), "{part}: {}", remedy.text);
    }
    let mixed = zone_at([GODADDY[0], "ns1.he.net."]);
    let remedy = super::remedy(&finding(Code::SpfAbsent, GODADDY), &expectation(), &mixed);
    assert!(remedy.text.contains("Name mail.example.com, Value \"v=spf1"), "{}", remedy.text);
    assert!(remedy.text.contains("Name mail, Value \"v=spf1"), "{}", remedy.text);
    let half = zone_at([GODADDY[0], UNKNOWN[0]]);
    let remedy = super::remedy(&finding(Code::Absent, GODADDY), &expectation(), &half);
    assert!(remedy.text.contains("At the provider of the name server ns1.example.net, add a CNAME"), "{}", remedy.text);
}

#[test]
fn a_dmarc_service_that_holds_the_key_names_is_named() {
    let [one, two] = GODADDY;
    let held = evidence(&format!(
        "zone example.com. {one}=192.0.2.1 {two}=192.0.2.2
         zone _domainkey.mail.example.com. ns1.hornetdmarc.com.=198.51.100.1 ns2.hornetdmarc.com.=198.51.100.2
         t1._domainkey.mail.example.com. CNAME: nxdomain"
    ));
    for code in [Code::Absent, Code::SubzoneShadow] {
        let remedy = remedy(&finding(code, GODADDY), &expectation(), &held);
        assert_eq!(remedy.provider.as_deref(), Some("hornetdmarc"));
        assert!(remedy.text.contains("handed over to the DMARC service Hornetsecurity"), "{}", remedy.text);
        assert!(remedy.text.contains("Host t1,"), "{}", remedy.text);
    }
}

#[test]
fn a_delegation_from_a_zone_that_somebody_holds_is_changed_there() {
    let lame = Finding::new(Code::LameSome, Subject::Zone(name("mail.example.com.")))
        .with("lame", names(&["bob.ns.cloudflare.com."]));
    assert_eq!(
        written(&remedy(&lame, &expectation(), &sub_zone())),
        "[godaddy] The name server bob.ns.cloudflare.com of mail.example.com answers that it does not serve the zone. \
         In the zone example.com, at GoDaddy, take it out, unless the zone is to be set up there.\
         \n  * delete NS mail = bob.ns.cloudflare.com"
    );
}

#[test]
fn the_last_name_server_is_never_to_be_taken_out() {
    let lame = Finding::new(Code::LameSome, zone()).with("lame", names(&GODADDY));
    assert_eq!(remedy(&lame, &expectation(), &zone_at(GODADDY)).steps, []);
}

#[test]
fn foreign_octets_reach_no_terminal() {
    let hostile = Finding::new(Code::WrongTarget, dkim()).with("seen", a_name("a\u{1b}[2J\u{202e}b.example."));
    let told = Finding::new(Code::SpfSyntax, spf()).with("problem", text("\u{7}\u{9b}2J\u{202e}"));
    let long = "x".repeat(4000);
    let seen = evidence(&format!(
        "zone example.com. {}=192.0.2.1
         mail.example.com. TXT: v=spf1 \u{1b}[2J{long} -all | v=spf1 -all",
        GODADDY[0]
    ));
    let several = Finding::new(Code::SpfMultiple, spf()).with("new_record", text("v=spf1 -all"));
    for finding in [hostile, told, several] {
        let remedy = remedy(&finding, &expectation(), &seen);
        let values = remedy.steps.iter().filter_map(|step| step.value.as_deref());
        for text in values.chain([remedy.text.as_str()]) {
            assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{text:?}");
            assert!(text.len() < 1500, "{} octets", text.len());
        }
    }
}

#[test]
fn a_record_to_be_typed_is_never_cut() {
    let record = format!("v=spf1 {} include:amazonses.com -all", "ip4:192.0.2.7 ".repeat(40).trim());
    let finding = Finding::new(Code::SpfMissingInclude, spf()).with("new_record", text(&record));
    let remedy = remedy(&finding, &expectation(), &zone_at(GODADDY));
    assert_eq!(remedy.steps[0].value.as_deref(), Some(record.as_str()));
    assert!(remedy.text.contains("..."));
}

#[test]
fn a_ds_record_of_another_key_with_the_same_number_is_told_apart() {
    let missing = Finding::new(Code::DnssecBogusNoDnskey, zone()).with("key_tags", text("12345"));
    let told = |finding: &Finding| remedy(finding, &expectation(), &zone_at(GODADDY)).text;
    assert!(told(&missing).contains("do not have the key that the DS record in the zone above names (key tag 12345)."));
    let differs = missing.clone().with("digest_differs", text("yes"));
    assert!(told(&differs).contains("names (key tag 12345) and not the fingerprint (digest)"), "{}", told(&differs));
}

#[test]
fn of_thousands_of_records_to_delete_the_first_are_told_and_the_one_to_add() {
    let many: Vec<String> = (0..3000).map(|number| format!("v=spf1 a:a{number}.example -all")).collect();
    let seen = evidence(&format!(
        "zone example.com. {}=192.0.2.1
         mail.example.com. TXT: {}",
        GODADDY[0],
        many.join(" | ")
    ));
    let finding = Finding::new(Code::SpfMultiple, spf()).with("new_record", text("v=spf1 -all"));
    let told = remedy(&finding, &expectation(), &seen);
    assert_eq!(told.steps.len(), 24);
    assert!(told.steps[..23].iter().all(|step| step.action == Action::Delete));
    assert_eq!((told.steps[23].action, told.steps[23].value.as_deref()), (Action::Add, Some("v=spf1 -all")));
    assert!(told.text.contains(" Delete the 2977 other records of the kind there too."), "{}", told.text);
    assert!(told.text.len() < 5000);
}
