//! Walks, step by step.

use super::*;
use crate::dns::response::{Lameness, Negative};
use crate::dns::rrset::{Rcode, RecordType, Ttl};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn root() -> Arc<ZoneCut> {
    let server = |text: &str, last| NameServer { name: name(text), addresses: vec![address(last)], unresolved: None };
    Arc::new(ZoneCut {
        zone: Name::root(),
        parent: None,
        servers: vec![server("a.root.", 1), server("b.root.", 2), server("c.root.", 3)],
        ttl: Ttl::from_wire(3600),
        proofs: None,
    })
}

fn question() -> Question {
    Question::new(name("t1._domainkey.mail.example.com."), RecordType::CNAME)
}

/// A referral to `zone`, with "host" or "host=last octet" for each server.
fn referral(zone: &str, servers: &[&str]) -> Response {
    let host = |text: &&str| name(text.split('=').next().unwrap());
    let glue = |text: &&str| Some((host(text), address(text.split_once('=')?.1.parse().unwrap())));
    Response::Referral(Referral {
        zone: name(zone),
        servers: servers.iter().map(host).collect(),
        glue: servers.iter().filter_map(glue).collect(),
        ttl: Ttl::from_wire(300),
        proofs: None,
    })
}

fn asks(walk: &Walk) -> usize {
    match walk.next() {
        Step::Ask { untried, .. } => untried.len(),
        other => panic!("{other:?}"),
    }
}

fn nx() -> Response {
    Response::NxDomain(Negative::default())
}

#[test]
fn referrals_lead_to_the_registered_zone() {
    let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
    assert_eq!(asks(&walk), 3);
    walk.handle_reply(address(1), Some(&referral("com.", &["a.gtld.=10", "b.gtld.=11"])));
    assert_eq!(asks(&walk), 2);
    walk.handle_reply(address(10), Some(&referral("example.com.", &["ns1.example.com.=20", "ns2.example.net."])));
    assert_eq!(walk.next(), Step::Resolve { names: vec![name("ns2.example.net.")] });
    walk.handle_addresses(&name("ns2.example.net."), Ok(vec![address(21)]));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Reached));
    let zones: Vec<String> = walk.cuts().iter().map(|cut| cut.zone.to_string()).collect();
    assert_eq!(zones, [".", "com.", "example.com."]);
    assert_eq!(walk.cuts()[2].addresses().count(), 2);
    assert_eq!(walk.cuts()[2].parent, Some(name("com.")));
}

#[test]
fn an_address_that_is_avoided_is_asked_once_no_other_can_be_found() {
    let at_zone = || {
        let mut walk = Walk::new(question(), Until::Answer, vec![root()]).avoiding(Some(address(20)));
        walk.handle_reply(address(1), Some(&referral("example.com.", &["ns1.example.net.", "ns2.example.net."])));
        walk.handle_addresses(&name("ns1.example.net."), Ok(vec![address(20)]));
        assert_eq!(walk.next(), Step::Resolve { names: vec![name("ns2.example.net.")] });
        walk
    };
    let mut has_other = at_zone();
    has_other.handle_addresses(&name("ns2.example.net."), Ok(vec![address(21)]));
    assert_eq!(asks(&has_other), 2);
    let mut has_none = at_zone();
    has_none.handle_addresses(&name("ns2.example.net."), Err(Unresolved::NoAddress));
    assert_eq!(asks(&has_none), 1);
}

#[test]
fn a_silent_or_lame_server_is_followed_by_the_next() {
    let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
    walk.handle_reply(address(1), None);
    assert_eq!(asks(&walk), 2);
    walk.handle_reply(address(2), Some(&Response::Lame(Lameness::UpwardReferral)));
    assert_eq!(asks(&walk), 1);
    walk.handle_reply(address(3), Some(&Response::Failed(Rcode::REFUSED)));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Unanswered));
}

#[test]
fn a_registry_must_say_no_twice() {
    let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
    walk.handle_reply(address(1), Some(&nx()));
    walk.handle_reply(address(1), Some(&nx()));
    assert_eq!(asks(&walk), 2, "the same server does not count twice");
    walk.handle_reply(address(3), Some(&nx()));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Reached));
}

#[test]
fn a_lookup_ends_at_the_first_answer() {
    let mut walk = Walk::new(question(), Until::Answer, vec![root()]);
    walk.handle_reply(address(1), Some(&referral("example.com.", &["ns1.example.com.=20"])));
    assert_eq!(asks(&walk), 1);
    walk.handle_reply(address(20), Some(&nx()));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Reached));
}

#[test]
fn the_way_ends_where_somebody_can_be_asked() {
    let led_to = |servers: &[&str]| {
        let mut walk = Walk::new(question(), Until::Way, vec![root()]);
        walk.handle_reply(address(1), Some(&referral("com.", &["a.gtld.=10"])));
        assert_eq!(asks(&walk), 1, "a registry leads on");
        walk.handle_reply(address(10), Some(&referral("example.com.", servers)));
        walk
    };
    assert_eq!(led_to(&["ns1.example.com.=20", "ns2.example.net."]).next(), Step::Done(ChainEnd::Reached));
    let mut walk = led_to(&["ns1.example.net."]);
    assert_eq!(walk.next(), Step::Resolve { names: vec![name("ns1.example.net.")] });
    walk.handle_addresses(&name("ns1.example.net."), Ok(vec![address(20)]));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Reached));
    let mut answered = Walk::new(question(), Until::Way, vec![root()]);
    answered.handle_reply(address(1), Some(&nx()));
    assert_eq!(answered.next(), Step::Done(ChainEnd::Reached), "the registry itself may answer");
}

#[test]
fn servers_without_addresses_end_the_walk_with_the_reason() {
    for (reasons, end) in [
        ([Unresolved::NxDomain, Unresolved::NoAddress], ChainEnd::Unresolvable),
        ([Unresolved::NxDomain, Unresolved::Loop], ChainEnd::Loop),
        ([Unresolved::Limit, Unresolved::Loop], ChainEnd::Loop),
        ([Unresolved::Limit, Unresolved::NxDomain], ChainEnd::Limit),
    ] {
        let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
        walk.handle_reply(address(1), Some(&referral("example.com.", &["ns1.example.net.", "ns2.example.net."])));
        for (server, reason) in ["ns1.example.net.", "ns2.example.net."].into_iter().zip(reasons) {
            walk.handle_addresses(&name(server), Err(reason));
        }
        assert_eq!(walk.next(), Step::Done(end), "{reasons:?}");
    }
}

#[test]
fn a_referral_that_does_not_lead_down_is_as_good_as_none() {
    let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
    walk.handle_reply(address(1), Some(&referral("com.", &["a.gtld.=10", "b.gtld.=11"])));
    walk.handle_reply(address(10), Some(&referral("com.", &["evil.test.=66"])));
    walk.handle_reply(address(11), Some(&referral("net.", &["evil.test.=66"])));
    assert_eq!(walk.next(), Step::Done(ChainEnd::Unanswered));
    assert_eq!(walk.cuts().len(), 2);
}

#[test]
fn a_huge_delegation_is_cut_and_glue_comes_first() {
    let hosts: Vec<String> =
        (0..1500).map(|n| format!("x{n}.victim.test.")).chain(["z.example.com.=9".into()]).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let mut walk = Walk::new(question(), Until::Zone, vec![root()]);
    walk.handle_reply(address(1), Some(&referral("example.com.", &hosts)));
    assert_eq!(walk.cuts()[1].servers.len(), MAX_SERVERS_PER_CUT);
    assert!(walk.cuts()[1].servers.iter().any(|server| !server.addresses.is_empty()));
}

#[test]
fn cuts_that_do_not_lead_to_the_name_are_left_out() {
    let other = ZoneCut { zone: name("net."), parent: Some(Name::root()), ..(*root()).clone() };
    let walk = Walk::new(question(), Until::Zone, vec![root(), other.into()]);
    assert_eq!(walk.cuts().len(), 1);
    assert_eq!(Walk::new(question(), Until::Zone, vec![]).next(), Step::Done(ChainEnd::Unresolvable));
}
