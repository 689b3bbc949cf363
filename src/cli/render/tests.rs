use serde_json::json;

use super::*;

/// A server's reply in JSON.
fn reply(number: u8, outcome: &str, data: &[&str]) -> serde_json::Value {
    let is_answer = !matches!(outcome, "timeout" | "not_asked");
    json!({
        "name": format!("ns{number}.example."), "address": format!("192.0.2.{number}"), "outcome": outcome,
        "aa": is_answer.then_some(true), "ttl": null, "data": data,
        "rtt_ms": is_answer.then_some(12.34 * f64::from(number)), "transport": "udp",
    })
}

/// A finding that a record stands at a doubled name, in JSON.
fn doubled(token: &str) -> serde_json::Value {
    json!({
        "code": "host_doubled", "severity": "error", "kind": "dkim",
        "record": format!("{token}._domainkey.mail.example.com."), "arguments": {}, "evidence": [],
        "remedy": {
            "provider": "godaddy",
            "text": format!("The record for {token} stands at a name with the domain twice. Delete it, and add it again with the host that is given here."),
            "steps": [
                {"action": "delete", "host": format!("{token}._domainkey.mail.example.com"), "type": "CNAME"},
                {"action": "add", "host": format!("{token}._domainkey.mail"), "type": "CNAME", "value": format!("{token}.dkim.amazonses.com")},
            ],
        },
    })
}

/// A DKIM record that stands at a doubled name, in JSON.
fn dkim(token: &str, servers: &[serde_json::Value]) -> serde_json::Value {
    let name = format!("{token}._domainkey.mail.example.com.");
    json!({
        "kind": "dkim", "zone": "example.com.", "name": name, "type": "CNAME",
        "expected": format!("{token}.dkim.amazonses.com."), "status": "wrong", "code": "host_doubled",
        "found": [{"name": format!("{name}example.com."), "type": "CNAME", "ttl": 300, "data": format!("{token}.dkim.amazonses.com.")}],
        "servers": servers,
    })
}

/// A report on a domain with two doubled hosts, a record that differs between servers, and two warnings.
fn sample() -> Report {
    let nothing = [reply(1, "nxdomain", &[]), reply(2, "nxdomain", &[]), reply(3, "timeout", &[])];
    let target = "t3.dkim.amazonses.com.";
    let report = json!({
        "schema": 1, "domain": "mail.example.com", "checked_at": "2026-11-24T12:00:00Z", "verdict": "partial",
        "root_cause": "host_doubled",
        "records": [
            dkim("t1", &nothing),
            dkim("t2", &nothing),
            {
                "kind": "dkim", "zone": "example.com.", "name": "t3._domainkey.mail.example.com.", "type": "CNAME",
                "expected": target, "status": "inconsistent", "code": "inconsistent_servers",
                "found": [{"name": "t3._domainkey.mail.example.com.", "type": "CNAME", "ttl": 300, "data": target}],
                "servers": [reply(1, "answer", &[target]), reply(2, "nodata", &[]), reply(3, "timeout", &[])],
            },
            {
                "kind": "spf", "zone": "example.com.", "name": "mail.example.com.", "type": "TXT",
                "expected": "include:amazonses.com", "status": "absent", "code": "spf_absent", "found": [],
                "servers": [reply(1, "nodata", &[]), reply(2, "nodata", &[]), reply(3, "not_asked", &[])],
            },
            {
                "kind": "dmarc", "zone": "example.com.", "name": "_dmarc.mail.example.com.", "type": "TXT",
                "expected": "v=DMARC1", "status": "ok", "code": null,
                "found": [{"name": "_dmarc.mail.example.com.", "type": "TXT", "ttl": 300, "data": "\"v=DMARC1; p=none\""}],
                "servers": [reply(1, "answer", &["\"v=DMARC1; p=none\""]), reply(2, "answer", &["\"v=DMARC1; p=none\""])],
            },
        ],
        "findings": [
            doubled("t1"), doubled("t2"),
            {
                "code": "inconsistent_servers", "severity": "warning", "kind": "dkim",
                "record": "t3._domainkey.mail.example.com.", "arguments": {}, "evidence": [],
                "remedy": {"provider": null, "text": "The name servers give different answers. Wait until all of them have the change.", "steps": []},
            },
            {
                "code": "spf_absent", "severity": "warning", "kind": "spf", "record": "mail.example.com.",
                "arguments": {}, "evidence": [],
                "remedy": {"provider": "godaddy", "text": "The domain has no SPF record. Add one.",
                    "steps": [{"action": "add", "host": "mail", "type": "TXT", "value": "v=spf1 include:amazonses.com ~all"}]},
            },
        ],
        "delegation": [
            {"zone": ".", "servers": []}, {"zone": "com.", "servers": []},
            {"zone": "example.com.", "servers": [{"name": "ns1.example.", "addresses": ["192.0.2.1"]}]},
        ],
        "provider": {"id": "godaddy", "name": "GoDaddy"},
        "horizons": {"negative_until": "2026-11-24T13:00:00Z", "positive_until": null, "delegation_until": null},
        "ses": null, "cost": {"questions": 17, "elapsed_ms": 48.1},
    });
    serde_json::from_value(report).unwrap()
}

#[test]
fn the_fix_comes_before_the_proof() {
    let style = Style { has_color: false, has_unicode: true, width: 80 };
    insta::assert_snapshot!(report(&sample(), &style));
}

#[test]
fn without_unicode_the_report_is_ascii_and_without_colour_it_has_no_escapes() {
    let style = Style { has_color: false, has_unicode: false, width: 80 };
    let text = report(&sample(), &style);
    assert!(text.is_ascii() && !text.contains('\u{1b}'));
}

#[test]
fn colours_change_nothing_but_colours() {
    let plain = Style { has_color: false, has_unicode: true, width: 80 };
    let colored = report(&sample(), &Style { has_color: true, ..plain });
    let mut bare = String::new();
    for (index, part) in colored.split('\u{1b}').enumerate() {
        let end = if index == 0 { 0 } else { part.find('m').unwrap() + 1 };
        bare.push_str(&part[end..]);
    }
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&bare), trimmed(&report(&sample(), &plain)));
    assert!(colored.contains("\u{1b}[33mPARTIAL\u{1b}[0m"));
}

#[test]
fn text_of_others_cannot_steer_the_terminal() {
    let mut sample = sample();
    sample.records[3].servers[0].data = ["\u{202e}evil\r\u{7}".to_owned()].into();
    let text = report(&sample, &Style { has_color: false, has_unicode: true, width: 80 });
    assert!(text.contains("\\u{202e}evil\\u{d}\\u{7}"), "{text}");
}
