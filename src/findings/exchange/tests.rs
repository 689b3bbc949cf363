use super::*;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::sample::evidence;

/// What everybody expects here.
fn expectation(region: Option<&str>) -> Expectation {
    let plain = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let full = plain.with_inbound().with_mail_from("bounce.mail.example.com").unwrap();
    match region {
        Some(region) => full.with_region(region).unwrap(),
        None => full,
    }
}

/// Judges `said`, and writes `kind status code` for each record and `code severity` for each finding; `wants` what is left to ask.
fn judged(region: Option<&str>, said: &str) -> Vec<String> {
    let text = format!("zone example.com. ns1.example.net.=192.0.2.1 ns2.example.net.=192.0.2.2\n{said}");
    let (expectation, seen) = (expectation(region), evidence(&text));
    let (records, findings) = judge(&expectation, &seen);
    let kinds: &[RecordKind] = &[RecordKind::Mx, RecordKind::MailFromMx, RecordKind::MailFromSpf];
    let mut lines: Vec<String> = records
        .iter()
        .filter(|judged| kinds.contains(&judged.record.kind) && judged.status != RecordStatus::UnableToCheck)
        .map(|judged| {
            let code = judged.code.map_or("none", Code::as_str);
            format!("{} {} {code}", judged.record.kind.as_str(), judged.status.as_str())
        })
        .collect();
    lines.extend(findings.iter().map(|finding| format!("{} {}", finding.code.as_str(), finding.severity.as_str())));
    lines.extend(wanted(&expectation, &seen).iter().map(|ask| format!("wants {}", ask.question)));
    lines
}

#[test]
fn the_hosts_of_the_region_are_right_and_nothing_more_is_asked() {
    for (region, said) in [
        (Some("eu-west-1"), "mail.example.com. MX: 10 inbound-smtp.eu-west-1.amazonaws.com."),
        (None, "mail.example.com. MX: 0 inbound-smtp.us-east-1.amazonaws.com."),
    ] {
        assert_eq!(judged(region, said), ["mx ok none"], "{said}");
    }
    for (region, said) in [
        (Some("eu-west-1"), "bounce.mail.example.com. MX: 1 feedback-smtp.eu-west-1.amazonses.com."),
        (None, "bounce.mail.example.com. MX: 10 feedback-smtp.ap-south-1.amazonses.com."),
    ] {
        assert_eq!(judged(region, said), ["mail_from_mx ok none"], "{said}");
    }
}

#[test]
fn what_is_written_wrong_needs_no_more_questions() {
    for (said, code) in [
        ("10 feedback-smtp.us-east-1.amazonses.com.", "mailfrom_region"),
        ("10 feedback-smtp.eu-west-1.amazonses.com.example.com.", "mx_zone_appended"),
        ("10 feedback-smtp.eu-west-1.amazonses.com.mail.example.com.", "mx_zone_appended"),
        ("10 192.0.2.7.", "mx_is_ip"),
        ("10 192.0.2.7.example.com.", "mx_is_ip"),
        ("0 .", "mx_null"),
        ("10 feedback-smtp.eu-west-1.amazonses.com. | 20 feedback-smtp.us-east-1.amazonses.com.", "mailfrom_mx_extra"),
    ] {
        let lines = judged(Some("eu-west-1"), &format!("bounce.mail.example.com. MX: {said}"));
        assert_eq!(lines, [format!("mail_from_mx wrong {code}"), format!("{code} warning")], "{said}");
    }
}

#[test]
fn another_host_is_looked_up_before_it_is_judged() {
    let said = "mail.example.com. MX: 10 mx.example.com.";
    assert_eq!(judged(None, said), ["mx wrong mx_foreign", "mx_foreign warning", "wants mx.example.com. A"]);
    for (host, code) in [
        ("mx.example.com. A: 192.0.2.9", "mx_foreign"),
        ("mx.example.com. A: nxdomain", "mx_target_dead"),
        ("mx.example.com. A: nodata\nmx.example.com. AAAA: nodata", "mx_target_dead"),
        ("mx.example.com. A: nodata\nmx.example.com. AAAA: 2001:db8::1", "mx_foreign"),
        ("mx.example.com. A: servfail", "mx_foreign"),
    ] {
        let lines = judged(None, &format!("{said}\n{host}"));
        assert_eq!(lines, [format!("mx wrong {code}"), format!("{code} warning")], "{host}");
    }
}

#[test]
fn another_host_behind_the_right_one_is_a_backup() {
    let backup = "mail.example.com. MX: 10 inbound-smtp.eu-west-1.amazonaws.com. | 20 mx.example.com.\nmx.example.com. A: 192.0.2.9";
    assert_eq!(judged(None, backup), ["mx ok none", "mx_foreign notice"]);
    let equal = backup.replace("20 mx", "10 mx");
    assert_eq!(judged(None, &equal), ["mx wrong mx_foreign", "mx_foreign warning"]);
}

#[test]
fn a_domain_without_mx_takes_mail_at_its_address() {
    let said = "mail.example.com. MX: nodata";
    assert_eq!(
        judged(None, said),
        [
            "mx absent mx_inbound_absent",
            "mx_inbound_absent warning",
            "wants mail.example.com. A",
            "wants mail.example.com. AAAA"
        ]
    );
    let said = format!("{said}\nmail.example.com. A: 192.0.2.9\nmail.example.com. AAAA: nodata");
    assert_eq!(
        judged(None, &said),
        ["mx absent mx_inbound_absent", "mx_inbound_absent warning", "mx_implicit_a notice"]
    );
}

#[test]
fn the_policy_of_the_mail_from_name_has_its_own_code() {
    for (said, status) in [("nxdomain", "absent mailfrom_spf_absent"), ("v=spf1 -all", "wrong mailfrom_spf_absent")] {
        let lines = judged(None, &format!("bounce.mail.example.com. TXT: {said}"));
        assert_eq!(lines, [format!("mail_from_spf {status}"), "mailfrom_spf_absent warning".to_owned()], "{said}");
    }
}
