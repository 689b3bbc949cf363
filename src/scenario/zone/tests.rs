//! Each rule of answering is a row.

use super::*;
use crate::scenario::Scenario;

/// One zone with everything in it that changes how a question is answered.
const TEXT: &str = r#"
zone example.com at 192.0.2.53
  $TTL 600
  @ SOA ns1 hostmaster 7 7200 900 1209600 60
  @ NS ns1
  @ NS ns.example.net.
  @ MX 10 mail
  ns1 A 192.0.2.53
  mail A 192.0.2.25
  t1._domainkey CNAME t1.dkim.example.net.
  alias CNAME mail
  alias2 CNAME alias
  lost CNAME nowhere
  half CNAME ns1
  round CNAME trip
  trip CNAME round
  self CNAME self
  into CNAME www.child
  a.deep.tree TXT "leaf"
  *.wild TXT "made up"
  below.sub.wild A 192.0.2.1
  *.walias CNAME mail
  *.ent.wild2 A 192.0.2.2
  x.*.wild3 A 192.0.2.2
  moved DNAME other
  target.other A 192.0.2.3
  far DNAME example.net.
  child NS ns1.child
  child NS ns1.sibling
  child NS ns.example.net.
  child DS 4711 13 2 00ff
  ns1.child A 192.0.2.61
  ns1.child AAAA 2001:db8::61
  sibling NS ns1.sibling
  ns1.sibling A 192.0.2.62
  *.sibling TXT "not mine to say"
"#;

fn zone() -> Zone {
    TEXT.parse::<Scenario>().unwrap().zones()[0].zone.clone()
}

fn section(records: &[Record]) -> String {
    let zone = Name::parse("example.com.").unwrap();
    let name = |name: &Name| match name.relative_to(&zone) {
        Some(front) if front.is_empty() => "@".to_owned(),
        Some(front) => front,
        None => name.to_string(),
    };
    let mut texts: Vec<String> = records
        .iter()
        .map(|record| {
            let data = match &record.rdata {
                Rdata::Ns(host) | Rdata::Cname(host) | Rdata::Dname(host) => name(host),
                Rdata::Soa(_) => record.ttl.seconds().to_string(),
                other => other.to_string(),
            };
            format!("{} {} {data}", name(&record.owner), record.kind())
        })
        .collect();
    texts.sort();
    texts.join(", ")
}

fn summary(owner: &str, kind: &str) -> String {
    let origin = Name::parse("example.com.").unwrap();
    let owner = if owner == "@" { origin } else { Name::parse(owner).unwrap().concat(&origin).unwrap() };
    let reply = zone().answer(&Question::new(owner, kind.parse().unwrap()), true);
    let aa = if reply.flags.authoritative { " aa" } else { "" };
    let sections = [&reply.answers, &reply.authority, &reply.additional].map(|records| section(records));
    format!("{}{aa} | {} | {} | {}", reply.rcode, sections[0], sections[1], sections[2])
}

#[test]
fn a_zone_answers_by_rfc_1034() {
    let soa = "@ SOA 60";
    let child = "child DS \\# 6 12670d0200ff, child NS ns.example.net., child NS ns1.child, child NS ns1.sibling";
    let glue = "ns1.child A 192.0.2.61, ns1.child AAAA 2001:db8::61, ns1.sibling A 192.0.2.62";
    for (owner, kind, answers, authority, additional) in [
        // answers, and what a positive answer does not bring along
        ("mail", "A", "NOERROR aa | mail A 192.0.2.25", "", ""),
        ("@", "NS", "NOERROR aa | @ NS ns.example.net., @ NS ns1", "", ""),
        ("@", "MX", "NOERROR aa | @ MX 10 mail.example.com.", "", ""),
        ("@", "SOA", "NOERROR aa | @ SOA 600", "", ""),
        ("@", "ANY", "NOERROR aa | @ MX 10 mail.example.com., @ NS ns.example.net., @ NS ns1, @ SOA 600", "", ""),
        // NODATA and NXDOMAIN, with the SOA at its MINIMUM
        ("mail", "AAAA", "NOERROR aa | ", soa, ""),
        ("nowhere", "A", "NXDOMAIN aa | ", soa, ""),
        ("t1._domainkey.nowhere", "A", "NXDOMAIN aa | ", soa, ""),
        ("below.mail", "A", "NXDOMAIN aa | ", soa, ""),
        ("@", "DS", "NOERROR aa | ", soa, ""),
        // empty non-terminals are there
        ("_domainkey", "CNAME", "NOERROR aa | ", soa, ""),
        ("tree", "TXT", "NOERROR aa | ", soa, ""),
        ("deep.tree", "TXT", "NOERROR aa | ", soa, ""),
        ("b.deep.tree", "TXT", "NXDOMAIN aa | ", soa, ""),
        // aliases
        ("t1._domainkey", "CNAME", "NOERROR aa | t1._domainkey CNAME t1.dkim.example.net.", "", ""),
        ("t1._domainkey", "TXT", "NOERROR aa | t1._domainkey CNAME t1.dkim.example.net.", "", ""),
        ("alias2", "A", "NOERROR aa | alias CNAME mail, alias2 CNAME alias, mail A 192.0.2.25", "", ""),
        ("alias2", "CNAME", "NOERROR aa | alias2 CNAME alias", "", ""),
        ("lost", "A", "NXDOMAIN aa | lost CNAME nowhere", soa, ""),
        ("half", "TXT", "NOERROR aa | half CNAME ns1", soa, ""),
        ("round", "A", "NOERROR aa | round CNAME trip, trip CNAME round", "", ""),
        ("self", "A", "NOERROR aa | self CNAME self", "", ""),
        ("into", "A", "NOERROR aa | into CNAME www.child", child, glue),
        // wildcards: the closest encloser decides, and what exists is never made up
        ("x.wild", "TXT", "NOERROR aa | x.wild TXT \"made up\"", "", ""),
        ("x.y.wild", "TXT", "NOERROR aa | x.y.wild TXT \"made up\"", "", ""),
        ("x.wild", "A", "NOERROR aa | ", soa, ""),
        ("*.wild", "TXT", "NOERROR aa | *.wild TXT \"made up\"", "", ""),
        ("wild", "TXT", "NOERROR aa | ", soa, ""),
        ("sub.wild", "TXT", "NOERROR aa | ", soa, ""),
        ("x.sub.wild", "TXT", "NXDOMAIN aa | ", soa, ""),
        ("x.below.sub.wild", "TXT", "NXDOMAIN aa | ", soa, ""),
        ("x.walias", "A", "NOERROR aa | mail A 192.0.2.25, x.walias CNAME mail", "", ""),
        ("x.walias", "CNAME", "NOERROR aa | x.walias CNAME mail", "", ""),
        ("ent.wild2", "A", "NOERROR aa | ", soa, ""),
        ("x.wild2", "A", "NXDOMAIN aa | ", soa, ""),
        ("y.wild3", "A", "NOERROR aa | ", soa, ""),
        // DNAME
        ("moved", "DNAME", "NOERROR aa | moved DNAME other", "", ""),
        ("moved", "A", "NOERROR aa | ", soa, ""),
        (
            "target.moved",
            "A",
            "NOERROR aa | moved DNAME other, target.moved CNAME target.other, target.other A 192.0.2.3",
            "",
            "",
        ),
        ("no.moved", "CNAME", "NOERROR aa | moved DNAME other, no.moved CNAME no.other", "", ""),
        ("no.moved", "A", "NXDOMAIN aa | moved DNAME other, no.moved CNAME no.other", soa, ""),
        ("x.far", "A", "NOERROR aa | far DNAME example.net., x.far CNAME x.example.net.", "", ""),
        // referrals
        ("child", "A", "NOERROR | ", child, glue),
        ("child", "NS", "NOERROR | ", child, glue),
        ("a.b.child", "TXT", "NOERROR | ", child, glue),
        ("ns1.child", "A", "NOERROR | ", child, glue),
        ("a.child", "DS", "NOERROR | ", child, glue),
        ("child", "DS", "NOERROR aa | child DS \\# 6 12670d0200ff", "", ""),
        ("sibling", "DS", "NOERROR aa | ", soa, ""),
        ("x.sibling", "TXT", "NOERROR | ", "sibling NS ns1.sibling", "ns1.sibling A 192.0.2.62"),
    ] {
        assert_eq!(summary(owner, kind), format!("{answers} | {authority} | {additional}"), "{owner} {kind}");
    }
}

#[test]
fn a_referral_has_ds_only_for_those_who_want_it() {
    let question = Question::new(Name::parse("child.example.com").unwrap(), RecordType::A);
    let signers = |dnssec_ok| {
        let reply = zone().answer(&question, dnssec_ok);
        reply.authority.iter().filter(|record| record.kind() == RecordType::DS).count()
    };
    assert_eq!((signers(false), signers(true)), (0, 1));
}

#[test]
fn a_name_outside_is_refused() {
    let reply = zone().answer(&Question::new(Name::parse("example.net").unwrap(), RecordType::A), false);
    assert_eq!((reply.rcode, reply.flags.authoritative), (Rcode::REFUSED, false));
}

#[test]
fn a_dname_that_makes_too_long_a_name_is_yxdomain() {
    let mut zone = Zone::new(Name::parse("example.").unwrap());
    let long = Name::from_labels(["x".repeat(63), "y".repeat(63), "z".repeat(40)]).unwrap();
    let ttl = Ttl::from_wire(60);
    let dname = Rdata::Dname(long.concat(&Name::parse("example.").unwrap()).unwrap());
    zone.add(Record { owner: Name::parse("d.example.").unwrap(), ttl, rdata: dname }).unwrap();
    let asked = long.concat(&Name::parse("d.example.").unwrap()).unwrap();
    let reply = zone.answer(&Question::new(asked, RecordType::A), false);
    assert_eq!((reply.rcode, reply.answers.len()), (Rcode::YXDOMAIN, 1));
}

#[test]
fn an_octet_in_a_label_is_no_label_edge() {
    let mut zone = Zone::new(Name::parse("example.com.").unwrap());
    let owner = Name::parse(r"com\..example.com.").unwrap();
    let rdata = Rdata::Txt(vec![b"x".as_slice().into()]);
    zone.add(Record { owner: owner.clone(), ttl: Ttl::from_wire(60), rdata }).unwrap();
    assert_eq!(zone.answer(&Question::new(owner, RecordType::TXT), false).answers.len(), 1);
    let other = Name::parse("com.example.com.").unwrap();
    assert_eq!(zone.answer(&Question::new(other, RecordType::TXT), false).rcode, Rcode::NXDOMAIN);
}

#[test]
fn what_has_no_place_is_refused() {
    let mut zone = zone();
    let mut add = |owner: &str, kind: &str, data: &str| {
        let words = crate::dns::zone_text::split_words(data).unwrap();
        let rdata = crate::dns::zone_text::read_rdata(kind.parse().unwrap(), &words, &Name::root()).unwrap();
        zone.add(Record { owner: Name::parse(owner).unwrap(), ttl: Ttl::from_wire(60), rdata })
    };
    let conflict = |owner: &str| Err(ZoneError::Conflict(Name::parse(owner).unwrap()));
    assert_eq!(add("mail.example.com", "CNAME", "x."), conflict("mail.example.com"));
    assert_eq!(add("alias.example.com", "A", "192.0.2.1"), conflict("alias.example.com"));
    assert_eq!(add("alias.example.com", "CNAME", "x."), conflict("alias.example.com"));
    assert_eq!(add("alias.example.com", "CNAME", "MAIL.example.com."), Ok(()));
    assert_eq!(
        add("a.example.com", "SOA", "a. b. 1 2 3 4 5").unwrap_err().to_string(),
        "a.example.com. has an SOA record, which belongs to the apex"
    );
    assert_eq!(
        add("a.example.net", "A", "192.0.2.1").unwrap_err().to_string(),
        "a.example.net. is not in the zone example.com."
    );
}

#[test]
fn the_zone_file_says_all() {
    let zone = zone();
    let file = zone.to_zone_file();
    assert!(file.starts_with("$ORIGIN example.com.\n$TTL 300\nexample.com. 600 IN SOA ns1.example.com. "), "{file}");
    let text: String = file.lines().skip(2).map(|line| format!("  {line}\n")).collect();
    let again: Scenario = format!("zone example.com at 192.0.2.53\n{text}").parse().unwrap();
    assert_eq!(again.zones()[0].zone, zone);
}

#[test]
fn a_record_that_is_there_already_is_found_among_few_and_among_many() {
    for count in [1, SEARCHED_ONE_BY_ONE - 1, SEARCHED_ONE_BY_ONE, SEARCHED_ONE_BY_ONE + 1, 50_000] {
        let mut zone = Zone::new(Name::parse("example.com.").unwrap());
        let record = |nth: usize, ttl| Record {
            owner: Name::parse("example.com.").unwrap(),
            ttl: Ttl::from_wire(ttl),
            rdata: Rdata::Ns(Name::parse(&format!("ns{nth}.example.net.")).unwrap()),
        };
        (0..count).for_each(|nth| zone.add(record(nth, 300)).unwrap());
        let whole = zone.clone();
        zone.add(record(0, 300)).unwrap();
        zone.add(record(count - 1, 300)).unwrap();
        assert_eq!(zone, whole, "{count}");
        zone.add(record(count / 2, 60)).unwrap();
        let records = zone.records_at(zone.origin(), RecordType::NS);
        assert_eq!(records.len(), count);
        assert!(records.iter().all(|record| record.ttl.seconds() == 60), "the lowest time to live counts");
        assert_eq!(records.last().unwrap().rdata, record(count - 1, 60).rdata, "the order is that given");
    }
}
