//! Who serves the tenants' zones: registries, the big providers and small hosters, as in `fixtures/lab/internet.scn`.

/// A zone that tenants register in.
#[derive(Debug)]
pub(super) struct Registry {
    /// The zone.
    pub(super) zone: &'static str,
    /// Who serves it.
    pub(super) addresses: &'static [&'static str],
    /// How many of a hundred tenants are there.
    pub(super) percent: usize,
}

/// The registries.
pub(super) const REGISTRIES: &[Registry] = &[
    Registry { zone: "com", addresses: &["127.1.2.1", "127.1.2.2"], percent: 44 },
    Registry { zone: "net", addresses: &["127.1.2.1", "127.1.2.2"], percent: 10 },
    Registry { zone: "org", addresses: &["127.1.3.1", "127.1.3.2"], percent: 9 },
    Registry { zone: "io", addresses: &["127.1.4.1", "127.1.4.2"], percent: 11 },
    Registry { zone: "de", addresses: &["127.1.5.1", "127.1.5.2"], percent: 8 },
    Registry { zone: "co.uk", addresses: &["127.1.6.1", "127.1.6.2"], percent: 6 },
    Registry { zone: "dev", addresses: &["127.1.7.1", "127.1.7.2"], percent: 6 },
    Registry { zone: "shop", addresses: &["127.1.8.1", "127.1.8.2"], percent: 6 },
];

/// A name server: its host name and its address.
pub(super) type Server = (&'static str, &'static str);

/// Who runs name servers for others.
#[derive(Debug)]
pub(super) struct Operator {
    /// What rules call it.
    pub(super) id: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// The sets of name servers, of which a zone gets one.
    pub(super) sets: &'static [&'static [Server]],
    /// How many of a hundred tenants are there.
    pub(super) percent: usize,
}

/// The big providers.
pub(super) const PROVIDERS: &[Operator] = &[
    Operator {
        id: "cloudflare",
        name: "Cloudflare",
        sets: &[
            &[("ada.ns.cloudflare.com", "127.2.1.1"), ("rick.ns.cloudflare.com", "127.2.1.2")],
            &[("lola.ns.cloudflare.com", "127.2.1.3"), ("walt.ns.cloudflare.com", "127.2.1.4")],
        ],
        percent: 20,
    },
    Operator {
        id: "route53",
        name: "Route 53",
        sets: &[
            &[
                ("ns-101.awsdns-12.com", "127.2.2.1"),
                ("ns-612.awsdns-12.net", "127.2.2.2"),
                ("ns-1124.awsdns-12.org", "127.2.2.3"),
                ("ns-1836.awsdns-37.co.uk", "127.2.2.4"),
            ],
            &[
                ("ns-402.awsdns-50.com", "127.2.2.5"),
                ("ns-929.awsdns-52.net", "127.2.2.6"),
                ("ns-1327.awsdns-37.org", "127.2.2.7"),
                ("ns-1749.awsdns-26.co.uk", "127.2.2.8"),
            ],
        ],
        percent: 14,
    },
    Operator {
        id: "godaddy",
        name: "GoDaddy",
        sets: &[
            &[("ns17.domaincontrol.com", "127.2.3.1"), ("ns18.domaincontrol.com", "127.2.3.2")],
            &[("ns53.domaincontrol.com", "127.2.3.3"), ("ns54.domaincontrol.com", "127.2.3.4")],
        ],
        percent: 13,
    },
    Operator {
        id: "namecheap",
        name: "Namecheap",
        sets: &[&[("dns1.registrar-servers.com", "127.2.4.1"), ("dns2.registrar-servers.com", "127.2.4.2")]],
        percent: 10,
    },
    Operator {
        id: "squarespace",
        name: "Google/Squarespace",
        sets: &[&[
            ("ns-cloud-b1.googledomains.com", "127.2.5.1"),
            ("ns-cloud-b2.googledomains.com", "127.2.5.2"),
            ("ns-cloud-b3.googledomains.com", "127.2.5.3"),
            ("ns-cloud-b4.googledomains.com", "127.2.5.4"),
        ]],
        percent: 6,
    },
    Operator {
        id: "vercel",
        name: "Vercel",
        sets: &[&[("ns1.vercel-dns.com", "127.2.6.1"), ("ns2.vercel-dns.com", "127.2.6.2")]],
        percent: 6,
    },
    Operator {
        id: "ionos",
        name: "IONOS",
        sets: &[&[
            ("ns1045.ui-dns.com", "127.2.7.1"),
            ("ns1062.ui-dns.de", "127.2.7.2"),
            ("ns1113.ui-dns.org", "127.2.7.3"),
            ("ns1091.ui-dns.biz", "127.2.7.4"),
        ]],
        percent: 4,
    },
    Operator {
        id: "ovhcloud",
        name: "OVHcloud",
        sets: &[&[("dns104.ovh.net", "127.2.8.1"), ("ns104.ovh.net", "127.2.8.2")]],
        percent: 4,
    },
    Operator {
        id: "gandi",
        name: "Gandi",
        sets: &[&[
            ("ns-12-a.gandi.net", "127.2.9.1"),
            ("ns-151-b.gandi.net", "127.2.9.2"),
            ("ns-246-c.gandi.net", "127.2.9.3"),
        ]],
        percent: 3,
    },
    Operator {
        id: "hetzner",
        name: "Hetzner",
        sets: &[&[
            ("hydrogen.ns.hetzner.com", "127.2.10.1"),
            ("oxygen.ns.hetzner.com", "127.2.10.2"),
            ("helium.ns.hetzner.de", "127.2.10.3"),
        ]],
        percent: 4,
    },
    Operator {
        id: "digitalocean",
        name: "DigitalOcean",
        sets: &[&[
            ("ns1.digitalocean.com", "127.2.11.1"),
            ("ns2.digitalocean.com", "127.2.11.2"),
            ("ns3.digitalocean.com", "127.2.11.3"),
        ]],
        percent: 4,
    },
    Operator {
        id: "azure",
        name: "Azure",
        sets: &[&[
            ("ns1-04.azure-dns.com", "127.2.12.1"),
            ("ns2-04.azure-dns.net", "127.2.12.2"),
            ("ns3-04.azure-dns.org", "127.2.12.3"),
            ("ns4-04.azure-dns.info", "127.2.12.4"),
        ]],
        percent: 3,
    },
    Operator {
        id: "netlify",
        name: "Netlify",
        sets: &[&[
            ("dns1.p04.nsone.net", "127.2.13.1"),
            ("dns2.p04.nsone.net", "127.2.13.2"),
            ("dns3.p04.nsone.net", "127.2.13.3"),
            ("dns4.p04.nsone.net", "127.2.13.4"),
        ]],
        percent: 3,
    },
    Operator {
        id: "porkbun",
        name: "Porkbun",
        sets: &[&[
            ("curitiba.ns.porkbun.com", "127.2.14.1"),
            ("fortaleza.ns.porkbun.com", "127.2.14.2"),
            ("maceio.ns.porkbun.com", "127.2.14.3"),
            ("salvador.ns.porkbun.com", "127.2.14.4"),
        ]],
        percent: 2,
    },
    Operator {
        id: "hover",
        name: "Hover",
        sets: &[&[("ns1.hover.com", "127.2.15.1"), ("ns2.hover.com", "127.2.15.2")]],
        percent: 2,
    },
    Operator {
        id: "wix",
        name: "Wix",
        sets: &[&[("ns4.wixdns.net", "127.2.16.1"), ("ns5.wixdns.net", "127.2.16.2")]],
        percent: 2,
    },
];

/// The small hosters, where server faults live; no tenant is there by chance.
pub(super) const HOSTERS: &[Operator] = &[
    Operator {
        id: "harborline",
        name: "a small hoster",
        sets: &[&[("ns1.harborline-dns.net", "127.3.1.1"), ("ns2.harborline-dns.net", "127.3.1.2")]],
        percent: 0,
    },
    Operator {
        id: "tidepool",
        name: "a hoster that closed",
        sets: &[&[("ns1.tidepool-hosting.com", "127.3.2.1"), ("ns2.tidepool-hosting.com", "127.3.2.2")]],
        percent: 0,
    },
    Operator {
        id: "old_lantern",
        name: "a hoster with old software",
        sets: &[&[("ns1.old-lantern-dns.com", "127.3.3.1"), ("ns2.old-lantern-dns.com", "127.3.3.2")]],
        percent: 0,
    },
    Operator {
        id: "sleepy_meadow",
        name: "a hoster behind a firewall",
        sets: &[&[("ns1.sleepy-meadow-dns.net", "127.3.4.1"), ("ns2.sleepy-meadow-dns.net", "127.3.4.2")]],
        percent: 0,
    },
    Operator {
        id: "slate_roof",
        name: "a hoster with half a database",
        sets: &[&[("ns1.slate-roof-dns.com", "127.3.5.1"), ("ns2.slate-roof-dns.com", "127.3.5.2")]],
        percent: 0,
    },
    Operator {
        id: "copper_gate",
        name: "a hoster without name servers",
        sets: &[&[("ns1.copper-gate-dns.com", "127.3.6.1"), ("ns2.copper-gate-dns.com", "127.3.6.2")]],
        percent: 0,
    },
    Operator {
        id: "nest",
        name: "a hoster found through a hoster",
        sets: &[&[("ns1.nest-one-dns.com", "127.3.8.1"), ("ns2.nest-one-dns.com", "127.3.8.1")]],
        percent: 0,
    },
];

/// Finds a provider or hoster.
pub(super) fn operator(id: &str) -> Option<&'static Operator> {
    PROVIDERS.iter().chain(HOSTERS).find(|operator| operator.id == id)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::dns::name::Name;
    use crate::dns::rrset::RecordType;
    use crate::lab;

    #[test]
    fn every_name_server_has_its_address_in_the_internet() {
        let internet = lab::internet_with("").unwrap();
        let servers = PROVIDERS.iter().chain(HOSTERS).flat_map(|operator| operator.sets).copied().flatten();
        for (host, address) in servers {
            let host = Name::parse(host).unwrap();
            let zone =
                internet.zones().iter().map(|served| &served.zone).filter(|zone| host.is_subdomain_of(zone.origin()));
            let zone = zone.max_by_key(|zone| zone.origin().label_count()).unwrap();
            let records = zone.records_at(&host, RecordType::A);
            assert_eq!(records.iter().map(|record| record.rdata.to_string()).collect::<Vec<_>>(), [*address], "{host}");
        }
        for registry in REGISTRIES {
            let origin = Name::parse(registry.zone).unwrap();
            for address in registry.addresses {
                let address: IpAddr = address.parse().unwrap();
                assert!(internet.zone_at(address, &origin).is_some(), "{origin} at {address}");
            }
        }
    }

    #[test]
    fn shares_make_a_whole() {
        assert_eq!(PROVIDERS.iter().map(|operator| operator.percent).sum::<usize>(), 100);
        assert_eq!(REGISTRIES.iter().map(|registry| registry.percent).sum::<usize>(), 100);
    }
}
