//! What every panel wants typed, and every sign of a vanity name server, one row each.

use super::*;

/// The record that is to be typed.
const OWNER: &str = "T._domainkey.mail.example.com";
/// What a panel that appends the zone is given in `example.com` and in `mail.example.com`.
const RELATIVE: [&str; 2] = ["T._domainkey.mail", "T._domainkey"];
/// What a panel that wants the full name is given in both.
const FULL: [&str; 2] = [OWNER, OWNER];
/// The value without a dot.
const BARE: &str = "t.dkim.example.net";
/// The value with the dot.
const DOTTED: &str = "t.dkim.example.net.";
/// The hint where the dot is refused or added.
const REFUSED: &str = "without a dot at the end";
/// The hint where both work.
const EITHER: &str = "with or without a dot at the end";
/// The hint where the dot is needed.
const NEEDED: &str = "with the dot at the end";
/// The hint where the dot is said to be needed.
const MAYBE: &str = "with the dot at the end, as far as we know; without it if the panel refuses it";
/// The hint where nobody knows.
const UNKNOWN: &str = "without a dot at the end; with one if your domain gets appended to it";

/// Each provider: hosts in the two zones, value, hint.
const PANELS: &[(&str, [&str; 2], &str, &str)] = &[
    ("cloudflare", RELATIVE, BARE, EITHER),
    ("route53", RELATIVE, BARE, EITHER),
    ("vercel", RELATIVE, BARE, EITHER),
    ("namecheap", RELATIVE, BARE, EITHER),
    ("namecheap_hosting", RELATIVE, BARE, EITHER),
    ("godaddy", RELATIVE, BARE, REFUSED),
    ("squarespace", RELATIVE, BARE, REFUSED),
    ("squarespace_or_google_cloud", RELATIVE, BARE, REFUSED),
    ("google_cloud_dns", RELATIVE, DOTTED, NEEDED),
    ("azure_dns", RELATIVE, BARE, EITHER),
    ("digitalocean", RELATIVE, DOTTED, NEEDED),
    ("netlify_or_ns1", RELATIVE, BARE, REFUSED),
    ("ns1", RELATIVE, BARE, REFUSED),
    ("hover", RELATIVE, BARE, REFUSED),
    ("gandi", RELATIVE, DOTTED, NEEDED),
    ("ionos", RELATIVE, BARE, REFUSED),
    ("ovhcloud", RELATIVE, DOTTED, NEEDED),
    ("hetzner", RELATIVE, DOTTED, NEEDED),
    ("porkbun", RELATIVE, BARE, UNKNOWN),
    ("dynadot", RELATIVE, BARE, REFUSED),
    ("name_com", RELATIVE, BARE, EITHER),
    ("wix", RELATIVE, BARE, REFUSED),
    ("tucows", RELATIVE, BARE, UNKNOWN),
    ("wordpress_com", RELATIVE, BARE, REFUSED),
    ("dnsimple", RELATIVE, BARE, EITHER),
    ("dns_made_easy", RELATIVE, DOTTED, MAYBE),
    ("constellix", RELATIVE, DOTTED, NEEDED),
    ("ultradns", RELATIVE, BARE, EITHER),
    ("akamai_edge_dns", RELATIVE, BARE, EITHER),
    ("linode", RELATIVE, BARE, EITHER),
    ("vultr", RELATIVE, BARE, EITHER),
    ("bunny", RELATIVE, BARE, UNKNOWN),
    ("alibaba_cloud", RELATIVE, BARE, REFUSED),
    ("dnspod", RELATIVE, BARE, EITHER),
    ("strato", RELATIVE, BARE, UNKNOWN),
    ("loopia", RELATIVE, DOTTED, MAYBE),
    ("one_com", RELATIVE, BARE, REFUSED),
    ("sakura", RELATIVE, DOTTED, MAYBE),
    ("hostinger", RELATIVE, BARE, REFUSED),
    ("namesilo", RELATIVE, BARE, REFUSED),
    ("inwx", RELATIVE, BARE, REFUSED),
    ("infomaniak", RELATIVE, BARE, EITHER),
    ("transip", RELATIVE, DOTTED, MAYBE),
    ("netcup", RELATIVE, BARE, EITHER),
    ("joker", RELATIVE, BARE, EITHER),
    ("desec", RELATIVE, DOTTED, NEEDED),
    ("cloudns", RELATIVE, BARE, REFUSED),
    ("hurricane_electric", FULL, BARE, REFUSED),
    ("dreamhost", RELATIVE, DOTTED, MAYBE),
    ("network_solutions", RELATIVE, BARE, REFUSED),
    ("enom", RELATIVE, BARE, EITHER),
    ("spaceship", RELATIVE, BARE, REFUSED),
    ("namebright", RELATIVE, BARE, REFUSED),
    ("easydns", RELATIVE, DOTTED, MAYBE),
    ("bluehost", RELATIVE, BARE, EITHER),
    ("hostgator", RELATIVE, BARE, EITHER),
    ("siteground", RELATIVE, BARE, REFUSED),
    ("a2_hosting", RELATIVE, BARE, UNKNOWN),
    ("inmotion", RELATIVE, BARE, UNKNOWN),
    ("liquid_web", RELATIVE, BARE, UNKNOWN),
    ("contabo", RELATIVE, BARE, UNKNOWN),
    ("aruba_it", RELATIVE, BARE, REFUSED),
    ("all_inkl", RELATIVE, BARE, UNKNOWN),
    ("mittwald", RELATIVE, BARE, UNKNOWN),
    ("united_domains", RELATIVE, BARE, UNKNOWN),
    ("goneo", RELATIVE, BARE, UNKNOWN),
    ("internetx", RELATIVE, BARE, UNKNOWN),
    ("eurodns", RELATIVE, BARE, UNKNOWN),
    ("openprovider", RELATIVE, BARE, UNKNOWN),
    ("dandomain", RELATIVE, BARE, UNKNOWN),
    ("domeneshop", RELATIVE, BARE, UNKNOWN),
    ("simply_com", RELATIVE, BARE, UNKNOWN),
    ("glesys", RELATIVE, BARE, UNKNOWN),
    ("scaleway", RELATIVE, BARE, EITHER),
    ("gcore", RELATIVE, BARE, UNKNOWN),
    ("exoscale", RELATIVE, BARE, UNKNOWN),
    ("oracle_dns", RELATIVE, BARE, EITHER),
    ("microsoft_365", RELATIVE, BARE, REFUSED),
    ("reg_ru", RELATIVE, BARE, UNKNOWN),
    ("selectel", RELATIVE, BARE, UNKNOWN),
    ("timeweb", RELATIVE, BARE, UNKNOWN),
    ("beget", RELATIVE, BARE, UNKNOWN),
    ("njalla", RELATIVE, BARE, UNKNOWN),
    ("freedns_afraid", RELATIVE, BARE, UNKNOWN),
    ("epik", RELATIVE, BARE, UNKNOWN),
    ("sav", RELATIVE, BARE, UNKNOWN),
    ("gname", RELATIVE, BARE, UNKNOWN),
    ("yahoo_small_business", RELATIVE, BARE, UNKNOWN),
    ("hornetdmarc", RELATIVE, BARE, UNKNOWN),
    ("valimail", RELATIVE, BARE, UNKNOWN),
    ("ondmarc", RELATIVE, BARE, UNKNOWN),
    ("easydmarc", RELATIVE, BARE, UNKNOWN),
];

/// Each sign of a provider behind vanity name servers: the RNAME of the SOA record.
const RNAMES: &[(&str, &str)] = &[
    ("dns.cloudflare.com", "cloudflare"),
    ("awsdns-hostmaster.amazon.com", "route53"),
    ("cloud-dns-hostmaster.google.com", "google_cloud_dns"),
    ("azuredns-hostmaster.microsoft.com", "azure_dns"),
    ("hostmaster.nsone.net", "ns1"),
    ("dns.jomax.net", "godaddy"),
    ("hostmaster.registrar-servers.com", "namecheap"),
    ("tech.ovh.net", "ovhcloud"),
    ("hostmaster.hetzner.com", "hetzner"),
    ("hostmaster.hetzner.de", "hetzner"),
    ("dns.hetzner.com", "hetzner"),
];

/// Each sign of a provider behind vanity name servers: the MNAME of the SOA record.
const MNAMES: &[(&str, &str)] = &[
    ("ada.ns.cloudflare.com", "cloudflare"),
    ("ns-1.awsdns-01.org", "route53"),
    ("ns-cloud-a1.googledomains.com", "squarespace_or_google_cloud"),
    ("ns1-01.azure-dns.com", "azure_dns"),
    ("dns1.p12.nsone.net", "ns1"),
    ("ns45.domaincontrol.com", "godaddy"),
    ("dns1.registrar-servers.com", "namecheap"),
    ("dns104.ovh.net", "ovhcloud"),
    ("hydrogen.ns.hetzner.com", "hetzner"),
];

#[test]
fn every_panel_is_given_the_host_and_the_value_that_it_wants() {
    for (id, hosts, value, hint) in PANELS {
        let panel = provider(id);
        for (zone, host) in ["example.com", "mail.example.com"].iter().zip(hosts) {
            assert_eq!(panel.host_field_for(&name(OWNER), &name(zone)), *host, "{id} in {zone}");
        }
        assert_eq!(panel.value_for(&name("t.dkim.example.net")), *value, "{id}");
        assert_eq!(panel.dot_hint(), *hint, "{id}");
    }
    let told: BTreeSet<&str> = PANELS.iter().map(|(id, ..)| *id).collect();
    let known: BTreeSet<&str> = catalogue().iter().map(|each| each.id.as_str()).collect();
    assert_eq!(told, known, "a row for every provider, and a provider for every row");
}

#[test]
fn vanity_name_servers_are_known_by_either_name_of_the_soa() {
    let vanity = names("ns1.example.net ns2.example.net");
    let others = (name("ns1.example.net"), name("hostmaster.example.net"));
    for (rname, id) in RNAMES {
        let found = detect(&vanity, Some((&others.0, &name(rname))));
        assert_eq!(found, Detection::Likely(provider(id)), "{rname}");
    }
    for (mname, id) in MNAMES {
        let found = detect(&vanity, Some((&name(mname), &others.1)));
        assert_eq!(found, Detection::Likely(provider(id)), "{mname}");
    }
    let of_table: BTreeSet<String> =
        pattern_lines().into_iter().filter(|line| line.1 == "rname").map(|line| line.2).collect();
    let told: BTreeSet<String> = RNAMES.iter().map(|(rname, _)| (*rname).to_owned()).collect();
    assert_eq!(told, of_table, "a row for every RNAME");
}

#[test]
fn hearsay_is_never_told_as_certain() {
    let zone = name("example.com");
    for each in catalogue().iter().filter(|each| each.is_unverified) {
        assert!(each.menu_for(&zone).starts_with("probably "), "{}", each.id);
        assert!(each.dot_hint().contains(';'), "{}", each.id);
    }
    assert_eq!(provider("contabo").menu_for(&zone), "probably the DNS zone management of the customer control panel");
    assert!(!provider("godaddy").menu_for(&zone).starts_with("probably"));
}
