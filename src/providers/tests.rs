//! The table against itself and against name servers as they are met.

use super::*;

mod panels;

/// Reads a name.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Reads names from words.
fn names(text: &str) -> Vec<Name> {
    text.split_whitespace().map(name).collect()
}

/// Returns the provider with this id, which must be there.
fn provider(id: &str) -> &'static Provider {
    catalogue().get(id).unwrap_or_else(|| panic!("no provider {id}"))
}

/// Every pattern line of the table: the provider, the key, the pattern.
fn pattern_lines() -> Vec<(String, String, String)> {
    let table: toml::Table = include_str!("providers.toml").parse().unwrap();
    let mut lines = Vec::new();
    for entry in table["provider"].as_array().unwrap() {
        for key in ["ns", "rname"] {
            for pattern in entry.get(key).and_then(toml::Value::as_array).into_iter().flatten() {
                let texts = [entry["id"].as_str(), Some(key), pattern.as_str()].map(|text| text.unwrap().to_owned());
                lines.push(texts.into());
            }
        }
    }
    lines
}

#[test]
fn table_parses_and_its_ids_are_unique_and_stable_in_form() {
    let parsed: Result<Providers, _> = toml::from_str(include_str!("providers.toml"));
    let parsed = parsed.unwrap();
    assert_eq!(parsed.iter().count(), catalogue().iter().count());
    let ids: BTreeSet<&str> = parsed.iter().map(|each| each.id.as_str()).collect();
    assert_eq!(ids.len(), parsed.iter().count());
    for each in parsed.iter() {
        assert!(each.id.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{}", each.id);
        assert!(!each.name.is_empty() && !each.menu.is_empty(), "{}", each.id);
        assert!(!each.ns.is_empty() || !each.rname.is_empty(), "{}", each.id);
        assert!(each.gotchas.values().all(|text| text.ends_with('.')), "{}", each.id);
    }
}

#[test]
fn each_pattern_is_lower_case_and_finds_its_own_provider_only() {
    for (id, key, pattern) in pattern_lines() {
        assert_eq!(pattern, pattern.to_ascii_lowercase());
        let mut sample = pattern.replace('*', "7");
        while let Some(open) = sample.find('[') {
            let low = sample[open + 1..=open + 1].to_owned();
            sample.replace_range(open..open + 5, &low);
        }
        for sample in [name(&sample), name(&format!("x.{sample}")), name(&sample.to_ascii_uppercase())] {
            let found = match key.as_str() {
                "ns" => catalogue().by_server(&sample),
                _ => catalogue().by_soa(&name("ns1.example.net"), &sample),
            };
            assert_eq!(found.map(|found| found.id.as_str()), Some(id.as_str()), "{pattern} {sample}");
        }
    }
}

#[test]
fn name_servers_as_met_are_known_and_hosts_of_customers_are_not() {
    let rows = [
        ("ada.ns.cloudflare.com", "cloudflare"),
        ("ns-1234.awsdns-26.org", "route53"),
        ("NS-2047.AWSDNS-63.CO.UK.", "route53"),
        ("ns1.vercel-dns.com", "vercel"),
        ("dns1.registrar-servers.com", "namecheap"),
        ("dns1.namecheaphosting.com", "namecheap_hosting"),
        ("ns45.domaincontrol.com", "godaddy"),
        ("cns1.secureserver.net", "godaddy"),
        ("nsd3.squarespacedns.com", "squarespace"),
        ("ns-cloud-e4.googledomains.com", "squarespace_or_google_cloud"),
        ("ns1-01.azure-dns.com", "azure_dns"),
        ("ns3.digitalocean.com", "digitalocean"),
        ("dns1.p01.nsone.net", "netlify_or_ns1"),
        ("dns1.p12.nsone.net", "ns1"),
        ("ns-103-a.gandi.net", "gandi"),
        ("ns1023.ui-dns.biz", "ionos"),
        ("dns104.ovh.net", "ovhcloud"),
        ("ns200.anycast.me", "ovhcloud"),
        ("helium.ns.hetzner.de", "hetzner"),
        ("robotns3.second-ns.com", "hetzner"),
        ("ns1kpv.name.com", "name_com"),
        ("pns21.cloudns.net", "cloudns"),
        ("ns1.dns-parking.com", "hostinger"),
        ("ns2.a2hosting.com", "a2_hosting"),
        ("ns1.contabo.net", "contabo"),
        ("vmi123.contaboserver.net", "-"),
        ("ns5.kasserver.com", "all_inkl"),
        ("w012345.kasserver.com", "-"),
        ("ns.udag.de", "united_domains"),
        ("a.ns14.net", "internetx"),
        ("ns1.hyp.net", "domeneshop"),
        ("ns0.dom.scw.cloud", "scaleway"),
        ("ns1.p201.dns.oraclecloud.net", "oracle_dns"),
        ("ns1.p01.dynect.net", "oracle_dns"),
        ("ns1.reg.ru", "reg_ru"),
        ("server1.hosting.reg.ru", "-"),
        ("ns1.beget.com", "beget"),
        ("1-you.njal.la", "njalla"),
        ("ns1.afraid.org", "freedns_afraid"),
        ("yns1.yahoo.com", "yahoo_small_business"),
        ("ns1.yahoo.com", "-"),
        ("ns1.hornetdmarc.com", "hornetdmarc"),
        ("ns.vali.email", "valimail"),
        ("ns1.namecheap.com", "-"),
        ("ns-1.awsdns-99.com", "-"),
        ("ns-1.awsdns-evil.com", "-"),
        ("ns.cloudflare.com.example.net", "-"),
        ("evilns.cloudflare.com", "-"),
        ("ip-192-0-2-1.ip.secureserver.net", "-"),
        ("vps123.ovh.net", "-"),
        ("sdns1.ovh.net", "-"),
        ("ns3012345.ovh.net", "-"),
        ("static.clients.your-server.de", "-"),
        ("shop.wordpress.com", "-"),
        ("li1-1.members.linode.com", "-"),
        ("ns-cloud-f1.googledomains.com", "-"),
        (".", "-"),
    ];
    for (server, expected) in rows {
        let found = catalogue().by_server(&name(server)).map_or("-", |found| found.id.as_str());
        assert_eq!(found, expected, "{server}");
    }
}

#[test]
fn detection_counts_servers_first_and_the_soa_only_where_none_is_known() {
    let vanity = "ns2.example.net ns1.example.net";
    let rows = [
        ("ada.ns.cloudflare.com bob.NS.cloudflare.com.", None, "certain Cloudflare"),
        ("ada.ns.cloudflare.com", Some("ns1.example.net dns.jomax.net"), "certain Cloudflare"),
        (vanity, Some("ns1.example.net cloud-dns-hostmaster.google.com"), "likely Google Cloud DNS"),
        (vanity, Some("ns1.example.net dns.jomax.net"), "likely GoDaddy"),
        (vanity, Some("ns-1.awsdns-01.com dns.jomax.net"), "likely Amazon Route 53"),
        (
            vanity,
            Some("ns1.example.net hostmaster.example.net"),
            "unknown the name servers ns1.example.net, ns2.example.net",
        ),
        ("ns1.example.net", None, "unknown the name server ns1.example.net"),
        (
            "f.example d.example e.example c.example b.example a.example",
            None,
            "unknown the name servers a.example, b.example, c.example, d.example and 2 more",
        ),
        ("", None, "unknown an unknown provider"),
        (
            "ns1.digitalocean.com ada.ns.cloudflare.com bob.ns.cloudflare.com",
            None,
            "mixed Cloudflare (ada.ns.cloudflare.com, bob.ns.cloudflare.com) and DigitalOcean (ns1.digitalocean.com)",
        ),
        (
            "ns1.example.net ada.ns.cloudflare.com",
            Some("ada.ns.cloudflare.com dns.cloudflare.com"),
            "mixed Cloudflare (ada.ns.cloudflare.com) and the name server ns1.example.net",
        ),
    ];
    for (servers, soa, expected) in rows {
        let mut servers = names(servers);
        let soa = soa.map(names);
        let soa = soa.as_deref().map(|soa| (&soa[0], &soa[1]));
        let detection = detect(&servers, soa);
        let kind = match &detection {
            Detection::Certain(_) => "certain",
            Detection::Likely(_) => "likely",
            Detection::Mixed(_) => "mixed",
            Detection::Unknown(_) => "unknown",
        };
        assert_eq!(format!("{kind} {detection}"), expected);
        servers.reverse();
        servers.extend(servers.clone());
        assert_eq!(detect(&servers, soa), detection, "the order and number of names must not matter");
    }
}

#[test]
fn several_providers_or_none_get_the_panel_of_an_unknown_one() {
    assert_eq!(detect(&names("ns45.domaincontrol.com"), None).panel().id, "godaddy");
    for servers in ["ns1.example.net", "ns45.domaincontrol.com ada.ns.cloudflare.com"] {
        let detection = detect(&names(servers), None);
        assert_eq!((detection.provider(), detection.panel().id.as_str()), (None, "unknown"));
    }
}

#[test]
fn host_is_relative_to_the_real_zone_cut_and_value_has_the_dot_where_needed() {
    let owner = "T._domainkey.mail.example.com";
    let rows = [
        ("godaddy", owner, "example.com", "T._domainkey.mail", "t.example.net"),
        ("godaddy", owner, "Mail.Example.com", "T._domainkey", "t.example.net"),
        ("godaddy", owner, "_domainkey.mail.example.com", "T", "t.example.net"),
        ("godaddy", "example.com", "example.com", "@", "t.example.net"),
        ("godaddy", owner, "example.net", owner, "t.example.net"),
        ("cloudflare", owner, "example.com", "T._domainkey.mail", "t.example.net"),
        ("vercel", owner, "example.com", "T._domainkey.mail", "t.example.net"),
        ("gandi", owner, "example.com", "T._domainkey.mail", "t.example.net."),
        ("hurricane_electric", owner, "example.com", owner, "t.example.net"),
        ("hurricane_electric", "example.com", "example.com", "example.com", "t.example.net"),
        ("unknown", owner, "example.com", "T._domainkey.mail", "t.example.net"),
    ];
    for (id, owner, zone_cut, host, value) in rows {
        let panel = if id == "unknown" { detect(&[], None).panel() } else { provider(id) };
        assert_eq!(panel.host_field_for(&name(owner), &name(zone_cut)), host, "{id} {owner} in {zone_cut}");
        assert_eq!(panel.value_for(&name("t.example.net")), value, "{id}");
    }
    assert!(detect(&[], None).panel().value_dot.hint().contains("with one if"));
}

#[test]
fn only_large_anycast_providers_bear_the_larger_pace() {
    let rows = [
        ("ada.ns.cloudflare.com", true),
        ("ns-1.awsdns-00.com", true),
        ("dns1.p01.nsone.net", true),
        ("dns1.registrar-servers.com", true),
        ("ns1.loopia.se", false),
        ("ns-1.awsdns-99.com", false),
        ("ns1.example.net", false),
    ];
    for (server, expected) in rows {
        assert_eq!(is_anycast_shared(&name(server)), expected, "{server}");
    }
}

#[test]
fn cloudflare_proxy_addresses_are_told_from_others() {
    let rows = [
        ("104.16.0.0", true),
        ("104.27.255.255", true),
        ("104.28.0.0", false),
        ("172.67.1.1", true),
        ("2606:4700::1", true),
        ("2606:4701::", false),
        ("192.0.2.1", false),
        ("2001:db8::1", false),
    ];
    for (address, expected) in rows {
        assert_eq!(is_cloudflare_proxy(address.parse().unwrap(), None), expected, "{address}");
    }
    let own = crate::dns::network::parse_list("192.0.2.0/24").unwrap();
    for (address, expected) in [("192.0.2.1", true), ("104.16.0.0", false)] {
        assert_eq!(is_cloudflare_proxy(address.parse().unwrap(), Some(&own)), expected, "{address}");
    }
}

#[test]
fn gotchas_are_found_by_the_code_of_a_finding() {
    assert!(provider("cloudflare").gotcha("cf_proxied").is_some_and(|text| text.contains("DNS only")));
    assert_eq!(provider("cloudflare").gotcha("no_such_code"), None);
}
