use super::*;
use crate::dns::rdata::Rdata;
use crate::dns::zone_text;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::sample::evidence;
use crate::providers::catalogue;

/// What is expected of `mail.example.com`.
fn expectation() -> Expectation {
    Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap()
}

/// What is to be published at a provider, the registered domain being the zone.
fn at(provider: &str) -> Publication {
    Publication::new(&expectation(), &Evidence::new(String::new())).at(catalogue().get(provider).unwrap())
}

/// What is to be published at a provider for a domain that sends by a MAIL FROM name and takes in mail.
fn with_mail_from(provider: &str) -> Publication {
    let known = expectation().with_region("eu-west-1").unwrap().with_inbound();
    let known = known.with_mail_from("bounce.mail.example.com").unwrap();
    Publication::new(&known, &Evidence::new(String::new())).at(catalogue().get(provider).unwrap())
}

/// What is to be published at a provider for a domain with a key of its own, which is too long for one string.
fn with_own_key(provider: &str) -> Publication {
    let known = Expectation::with_own_key("mail.example.com", "s1", Some(&"QUJD".repeat(98))).unwrap();
    Publication::new(&known, &Evidence::new(String::new())).at(catalogue().get(provider).unwrap())
}

/// What is to be published where the keys lie in a zone of their own at another provider.
fn in_two_zones() -> Publication {
    let seen = evidence(
        "zone example.com. ns71.domaincontrol.com.=192.0.2.1
         zone _domainkey.mail.example.com. ns1.hornetdmarc.com.=198.51.100.1
         t1._domainkey.mail.example.com. CNAME: nxdomain",
    );
    Publication::new(&expectation(), &seen)
}

/// The owner, type and data of every record, in order.
fn records(publication: &Publication) -> Vec<(Name, RecordType, Vec<u8>)> {
    let of = |entry: &Entry| {
        let rdata = match &entry.content {
            Content::Cname(target) => Rdata::Cname(target.clone()),
            Content::Txt(text) => {
                Rdata::Txt(strings(text).into_iter().map(|string| string.as_bytes().into()).collect())
            }
            Content::Mx { preference, host } => Rdata::Mx { preference: *preference, exchange: host.clone() },
        };
        (entry.name.clone(), entry.content.record_type(), rdata.to_string().into_bytes())
    };
    publication.entries.iter().map(of).collect()
}

/// Reads a record from its owner, type and content in presentation form.
fn read(owner: &str, kind: &str, content: &str) -> (Name, RecordType, Vec<u8>) {
    let kind: RecordType = kind.parse().unwrap();
    let words = zone_text::split_words(content).unwrap();
    let rdata = zone_text::read_rdata(kind, &words, &Name::root()).unwrap();
    (Name::parse(owner).unwrap(), kind, rdata.to_string().into_bytes())
}

#[test]
fn text_is_in_the_words_of_the_provider() {
    insta::assert_snapshot!("text_godaddy", text(&at("godaddy")));
    insta::assert_snapshot!("text_cloudflare", text(&at("cloudflare")));
    insta::assert_snapshot!("text_gandi", text(&at("gandi")));
    insta::assert_snapshot!("text_hurricane_electric", text(&at("hurricane_electric")));
    insta::assert_snapshot!("text_two_zones", text(&in_two_zones()));
    insta::assert_snapshot!("text_mail_from", text(&with_mail_from("gandi")));
    insta::assert_snapshot!("text_own_key", text(&with_own_key("godaddy")));
}

#[test]
fn text_tells_each_provider_of_a_zone_and_none_where_none_is_known() {
    let seen = evidence("zone example.com. ns71.domaincontrol.com.=192.0.2.1 ns-1-a.gandi.net.=192.0.2.2");
    let both = text(&Publication::new(&expectation(), &seen));
    assert!(both.contains("At GoDaddy (ns71.domaincontrol.com), for example.com: "), "{both}");
    assert!(both.contains("At Gandi (ns-1-a.gandi.net), for example.com: "), "{both}");
    assert!(both.contains("Hostname  t1.dkim.amazonses.com.\n"), "{both}");
    let nobody = Publication::new(&expectation(), &Evidence::new(String::new()));
    assert!(!nobody.is_placed() && in_two_zones().is_placed());
    assert!(text(&nobody).contains("At your DNS provider, for example.com: "), "{}", text(&nobody));
}

#[test]
fn a_master_file_reads_back_as_the_records() {
    for publication in [at("godaddy"), in_two_zones(), with_mail_from("godaddy"), with_own_key("godaddy")] {
        let text = bind(&publication);
        let lines = text.lines().filter(|line| !line.starts_with(';'));
        let back: Vec<_> = lines
            .map(|line| {
                let fields: Vec<&str> = line.splitn(5, '\t').collect();
                assert_eq!((fields[1], fields[2]), ("300", "IN"));
                assert!(fields[0].ends_with('.'), "{line}");
                read(fields[0], fields[3], fields[4])
            })
            .collect();
        assert_eq!(back, records(&publication));
    }
    insta::assert_snapshot!("bind", bind(&in_two_zones()));
    insta::assert_snapshot!("bind_mail_from", bind(&with_mail_from("godaddy")));
}

#[test]
fn a_change_batch_reads_back_as_the_records_of_one_zone() {
    let (put, new) = ("UPSERT", "CREATE");
    for (publication, expected) in [
        (at("route53"), vec![put, put, put, new, new]),
        // SPF, DMARC and the domain's own MX; then MX and SPF of the MAIL FROM name.
        (with_mail_from("route53"), vec![put, put, put, new, new, new, put, new]),
        (with_own_key("route53"), vec![put, new, new]),
    ] {
        let value: serde_json::Value = serde_json::from_str(&route53(&publication)).unwrap();
        let changes = value["Changes"].as_array().unwrap();
        let back: Vec<_> = changes
            .iter()
            .map(|change| {
                let set = &change["ResourceRecordSet"];
                assert_eq!(set["TTL"], 300);
                let content = set["ResourceRecords"][0]["Value"].as_str().unwrap();
                read(set["Name"].as_str().unwrap(), set["Type"].as_str().unwrap(), content)
            })
            .collect();
        assert_eq!(back, records(&publication));
        let actions: Vec<&str> = changes.iter().map(|change| change["Action"].as_str().unwrap()).collect();
        assert_eq!(actions, expected, "no policy that is there gets lost");
    }
    let of_one_zone: serde_json::Value = serde_json::from_str(&route53(&in_two_zones())).unwrap();
    assert_eq!(of_one_zone["Changes"].as_array().unwrap().len(), 3);
    assert_eq!(in_two_zones().names_elsewhere().len(), 2);
    insta::assert_snapshot!("route53", route53(&at("route53")));
}

#[test]
fn a_batch_for_cloudflare_reads_back_as_the_records_and_proxies_none() {
    for publication in [at("cloudflare"), with_mail_from("cloudflare"), with_own_key("cloudflare")] {
        let value: serde_json::Value = serde_json::from_str(&cloudflare(&publication)).unwrap();
        let posts = value["posts"].as_array().unwrap();
        let back: Vec<_> = posts
            .iter()
            .map(|post| {
                let (kind, content) = (post["type"].as_str().unwrap(), post["content"].as_str().unwrap());
                assert_eq!(post.get("proxied"), (kind == "CNAME").then_some(&false.into()));
                assert_eq!(post.get("priority").is_some(), kind == "MX");
                let priority = post.get("priority").map(|priority| format!("{priority} ")).unwrap_or_default();
                read(post["name"].as_str().unwrap(), kind, &format!("{priority}{content}"))
            })
            .collect();
        assert_eq!(back, records(&publication));
    }
    insta::assert_snapshot!("cloudflare", cloudflare(&at("cloudflare")));
}

#[test]
fn the_command_that_checks_has_all_that_it_needs() {
    let regional =
        Expectation::new("mail.example.com", &["t1", "t2", "t3"], "dkim.eu-central-1.amazonses.com").unwrap();
    let text = text(&Publication::new(&regional, &Evidence::new(String::new())));
    assert!(text.ends_with("--token t3 --dkim-zone dkim.eu-central-1.amazonses.com\n"), "{text}");
    let text = super::text(&with_mail_from("godaddy"));
    assert!(text.ends_with("--token t3 --mail-from bounce.mail.example.com --region eu-west-1 --inbound\n"), "{text}");
    let text = super::text(&with_own_key("godaddy"));
    assert!(text.contains("zoneproof check mail.example.com --selector s1 --public-key QUJD"), "{text}");
}

/// A block of HCL: its words, and its arguments with their values as they stand there.
type Block = (Vec<String>, Vec<(String, String)>);

/// Reads HCL of the shape that stands in a `.tf` file without nested blocks; panics on anything else.
fn read_hcl(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_suffix('{') {
            assert!(!is_open, "{line}");
            let words = head.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect();
            blocks.push((words, Vec::new()));
            is_open = true;
        } else if line == "}" {
            assert!(is_open);
            is_open = false;
        } else {
            let (key, value) = line.split_once('=').unwrap();
            assert!(is_open, "{line}");
            blocks.last_mut().unwrap().1.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    assert!(!is_open);
    blocks
}

/// Reads a string of HCL.
fn unquote(text: &str) -> String {
    let body = text.trim_matches(['[', ']']).strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    body.replace("$${", "${").replace("%%{", "%{").replace("\\\"", "\"").replace("\\\\", "\\")
}

#[test]
fn terraform_reads_back_as_the_records() {
    let publications = ["cloudflare", "godaddy"].into_iter().flat_map(|provider| {
        [at(provider), with_mail_from(provider), with_own_key(provider)].map(|publication| (provider, publication))
    });
    for (provider, publication) in publications {
        let (resource, key) = match provider {
            "cloudflare" => ("cloudflare_record", "content"),
            _ => ("aws_route53_record", "records"),
        };
        let blocks = read_hcl(&terraform(&publication));
        assert_eq!(blocks[0].0, ["variable", "zone_id_example_com"]);
        let back: Vec<_> = blocks[1..]
            .iter()
            .map(|(words, arguments)| {
                assert_eq!(words[..2], ["resource".to_owned(), resource.to_owned()]);
                let find = |key: &str| arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
                let get = |key: &str| find(key).unwrap();
                assert_eq!(get("zone_id"), "var.zone_id_example_com");
                let (kind, content) = (unquote(get("type")), unquote(get(key)));
                let is_bare_text = kind == "TXT" && !content.starts_with('"');
                let content = if is_bare_text { format!("\"{content}\"") } else { content };
                let content = find("priority").map_or(content.clone(), |priority| format!("{priority} {content}"));
                read(&unquote(get("name")), &kind, &content)
            })
            .collect();
        assert_eq!(back, records(&publication));
        let labels: std::collections::BTreeSet<_> = blocks.iter().map(|(words, _)| words.last()).collect();
        assert_eq!(labels.len(), blocks.len(), "labels are unique");
    }
    insta::assert_snapshot!("terraform_route53", terraform(&in_two_zones()));
    insta::assert_snapshot!("terraform_cloudflare", terraform(&at("cloudflare")));
}

#[test]
fn without_suggestions_only_the_keys_are_left() {
    let keys = at("godaddy").without_suggestions();
    assert_eq!(keys.entries.len(), 3);
    assert!(!text(&keys).contains("Suggested") && !bind(&keys).contains("TXT"));
}

#[test]
fn strings_of_hcl_hold_what_they_are_given() {
    for (content, written) in
        [("a\"b\\c", r#""a\"b\\c""#), ("v=spf1 exists:%{i}.${x}", "\"v=spf1 exists:%%{i}.$${x}\"")]
    {
        let written_now = machine::hcl_string(content);
        assert_eq!(written_now, written);
        assert_eq!(unquote(&written_now), content);
    }
}
