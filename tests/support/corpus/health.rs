//! What is wrong with a zone and its servers beyond the records, and the repairs.

use std::fmt::Write;

use zoneproof::dns::dnssec::digest;
use zoneproof::dns::name::Name;

use super::dice::Dice;
use super::servers::{HOSTER, PARKING};
use super::tenant::{Line, State, Tenant, txt};

/// A key of a zone: flags, protocol, algorithm 13, and 64 octets.
const KEY: &str = "0101030d000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
                   202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
/// The tag of that key (RFC 4034 appendix B).
const KEY_TAG: u16 = 59409;
/// When signatures run out that are over: in 2015, in seconds since 1970.
const LONG_AGO: u32 = 1_425_000_000;
/// When signatures run out that hold: in 2060, less than 68 years ahead, where their clock wraps around (RFC 4034 §3.1.5).
const FAR_AHEAD: u32 = 2_840_140_800;

/// Marks a finding that leaves the records right.
fn beside(tenant: &mut Tenant, code: &'static str) {
    tenant.expected.beside.insert(code);
}

/// Adds records to the registry's zone.
fn register(tenant: &mut Tenant, lines: &str) {
    writeln!(tenant.more, "zone {} at 127.59.0.2 127.59.0.3\n  {lines}", tenant.registry).unwrap();
}

/// Adds texts at the sender domain.
fn add_texts(tenant: &mut Tenant, count: usize, length: usize) {
    let owner = tenant.apex();
    let texts = (0..count).map(|nth| (owner.clone(), txt(&format!("{nth:03} {}", "x".repeat(length)))));
    tenant.others.extend(texts.collect::<Vec<Line>>());
}

/// More texts stand at the sender domain than anybody needs, or longer ones.
pub(super) fn answer_too_large(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let (count, length) = dice.pick(&[(100, 20), (75, 240)]);
    add_texts(tenant, count, length);
    beside(tenant, "answer_too_large");
}

/// Many texts stand there, and no more than may.
pub(super) fn many_texts(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let (count, length) = dice.pick(&[(99, 20), (60, 240)]);
    add_texts(tenant, count, length);
}

/// The servers do not know EDNS.
pub(super) fn broken_edns(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    tenant.move_to_odd();
    let body = dice.pick(&["FORMERR, bare", "NOTIMP, bare", "FORMERR, no-edns"]);
    tenant.rule(&format!("edns any under {} -> {body}", tenant.zone()));
    beside(tenant, "broken_edns");
}

/// The servers do not speak of EDNS, and answer what has it.
pub(super) fn silent_on_edns(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("any under {} -> no-edns", tenant.zone()));
}

/// Moves the zone to servers that misbehave; the first cuts its texts over UDP.
fn cut_texts(tenant: &mut Tenant) {
    tenant.move_to_odd();
    let (zone, address) = (tenant.zone(), tenant.addresses[0].clone());
    writeln!(tenant.more, "server {address}\n  udp TXT under {zone} -> truncate").unwrap();
}

/// One server cuts its answers, and no connection can be made to it.
pub(super) fn broken_tcp(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    cut_texts(tenant);
    writeln!(tenant.more, "  tcp any under {} -> refuse-connection", tenant.zone()).unwrap();
    beside(tenant, "broken_tcp");
}

/// One server cuts its answers and gives them over TCP.
pub(super) fn whole_over_tcp(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    cut_texts(tenant);
}

/// The servers repeat questions in lower case over UDP.
pub(super) fn broken_0x20(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("udp any under {} -> lower-case", tenant.zone()));
    beside(tenant, "broken_0x20");
}

/// The servers repeat questions in lower case over TCP, where the texts have to be asked for.
pub(super) fn lower_case_over_tcp(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    cut_texts(tenant);
    writeln!(tenant.more, "  tcp any under {} -> lower-case", tenant.zone()).unwrap();
}

/// The servers say of the name above the keys that it does not exist.
pub(super) fn broken_qmin(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("any _domainkey.{} -> NXDOMAIN, aa", tenant.domain()));
    writeln!(tenant.more, "    authority {0} 300 SOA ns.{0} host.{0} 1 7200 900 1209600 300", tenant.zone()).unwrap();
    tenant.is_full = true;
    beside(tenant, "broken_qmin");
}

/// The servers say so of a name that has nothing below it.
pub(super) fn denies_another_name(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("any _domainkeys.{} -> NXDOMAIN, aa", tenant.domain()));
    tenant.is_full = true;
}

/// The servers answer for the zone itself, and for nothing that is asked for; or not for some of the keys.
pub(super) fn refused_by_policy(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    tenant.move_to_odd();
    tenant.expected.root_cause = "refused_by_policy";
    beside(tenant, "refused_by_policy");
    if dice.below(2) == 0 {
        tenant.rule(&format!("SOA {} -> normal", tenant.zone()));
        tenant.rule(&format!("any under {} -> REFUSED", tenant.zone()));
        tenant.expected.records = vec![State::Unable; 5];
        return;
    }
    for at in mask {
        tenant.rule(&format!("any {}._domainkey.{} -> REFUSED", tenant.tokens[*at], tenant.domain()));
        tenant.expected.records[*at] = State::Unable;
    }
}

/// The servers refuse what nobody asks.
pub(super) fn refuses_other_names(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("any under intranet.{} -> REFUSED", tenant.domain()));
}

/// The panel let the owner make the whole zone an alias, on a server that checks nothing.
pub(super) fn cname_at_apex(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    let zone = tenant.zone();
    tenant.rule(&format!("SOA {zone} -> NOERROR, aa"));
    writeln!(tenant.more, "    answer {zone} 300 CNAME www.harborline.example.").unwrap();
    tenant.is_full = true;
    beside(tenant, "cname_at_apex");
}

/// Another name of the zone is an alias.
pub(super) fn cname_below_apex(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("www".to_owned(), "CNAME www.harborline.example.".to_owned()));
    tenant.is_full = true;
}

/// Has the registry vouch for a key by its tag and a digest.
fn vouch_for(tenant: &mut Tenant, tag: u16, algorithm: u8, digest: &str) {
    let label = tenant.label.clone();
    register(tenant, &format!("{label} DS {tag} {algorithm} 2 {digest}"));
}

/// Returns the digest of no key.
fn no_digest() -> String {
    "5A".repeat(32)
}

/// Returns the digest of the key in the tenant's zone; without the means to make one, nobody looks at it.
fn digest_of_key(tenant: &Tenant) -> String {
    let octets: Vec<u8> =
        (0..KEY.len()).step_by(2).map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap()).collect();
    let zone = Name::parse(&tenant.zone()).unwrap();
    let made = digest(2, &zone, &octets);
    made.map_or_else(no_digest, |made| made.iter().map(|octet| format!("{octet:02X}")).collect())
}

/// Makes the zone one that no validator can follow.
fn bogus(tenant: &mut Tenant, code: &'static str) {
    tenant.is_full = true;
    beside(tenant, code);
    tenant.expected.is_bogus = true;
    tenant.expected.root_cause = code;
}

/// The zone moved to a provider that does not sign, or signs with another key.
pub(super) fn dnssec_bogus(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let way = dice.below(if cfg!(feature = "dnssec") { 3 } else { 2 });
    if way > 0 {
        tenant.others.push(("@".to_owned(), format!("DNSKEY \\# 68 {KEY}")));
    }
    // The last way: the tag is the key's, the digest is another key's.
    vouch_for(tenant, if way == 2 { KEY_TAG } else { 4711 }, 13, &no_digest());
    bogus(tenant, "dnssec_bogus_no_dnskey");
}

/// The registry vouches with an algorithm that no validator knows, which is as good as not at all.
pub(super) fn unknown_algorithm(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    vouch_for(tenant, 4711, 12, &no_digest());
    tenant.is_full = true;
}

/// Signs what stands at the apex of the zone, or makes it look so.
fn sign(tenant: &mut Tenant, covered: u16, expiration: u32) {
    let zone = tenant.zone();
    let labels: Vec<&str> = zone.split('.').collect();
    let signer: String = labels
        .iter()
        .map(|label| {
            format!("{:02x}{}", label.len(), label.bytes().map(|octet| format!("{octet:02x}")).collect::<String>())
        })
        .collect();
    let signature = format!(
        "{covered:04x}0d{:02x}00000e10{expiration:08x}{:08x}{KEY_TAG:04x}{signer}00{}",
        labels.len(),
        LONG_AGO - 1_000_000,
        "aa".repeat(64)
    );
    let length = signature.len() / 2;
    tenant.others.push(("@".to_owned(), format!("RRSIG \\# {length} {signature}")));
}

/// Signs keys and SOA record of the zone, or makes it look so, and has the registry vouch for the key.
fn sign_zone(tenant: &mut Tenant, keys_until: u32, soa_until: u32) {
    tenant.others.push(("@".to_owned(), format!("DNSKEY \\# 68 {KEY}")));
    sign(tenant, 48, keys_until);
    sign(tenant, 6, soa_until);
    let digest = digest_of_key(tenant);
    vouch_for(tenant, KEY_TAG, 13, &digest);
}

/// Nobody signs the zone any more, or its records.
pub(super) fn dnssec_expired(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    sign_zone(tenant, dice.pick(&[LONG_AGO, FAR_AHEAD]), LONG_AGO);
    bogus(tenant, "dnssec_expired_sig");
}

/// The signatures hold.
#[cfg(feature = "dnssec")]
pub(super) fn dnssec_in_time(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let (label, ds) = (tenant.label.clone(), super::signer::Signer::new(&tenant.zone(), 0).ds());
    register(tenant, &format!("{label} DS {ds}"));
    tenant.is_signed = true;
    tenant.is_full = true;
}

/// The signatures hold, as far as their times go.
#[cfg(not(feature = "dnssec"))]
pub(super) fn dnssec_in_time(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    sign_zone(tenant, FAR_AHEAD, FAR_AHEAD);
    tenant.is_full = true;
}

/// The provider takes records from others.
pub(super) fn domain_connect(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("_domainconnect".to_owned(), txt("api.harborline.example/settings")));
    tenant.is_full = true;
    beside(tenant, "domain_connect");
}

/// What stands there is no host.
pub(super) fn no_host_to_connect_to(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("_domainconnect".to_owned(), txt("off")));
    tenant.is_full = true;
}

/// Registers the servers of a parking service.
fn park(tenant: &mut Tenant) {
    tenant.delegation = PARKING.iter().map(|(host, _)| (*host).to_owned()).collect();
    tenant.addresses = PARKING.iter().map(|(_, address)| (*address).to_owned()).collect();
    tenant.provider_is_another = true;
}

/// The registration ran out, and the domain is for sale.
pub(super) fn expired_parked(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    park(tenant);
    tenant.others = ["@", "*"].map(|owner| (owner.to_owned(), "A 203.0.113.80".to_owned())).into();
    tenant.spf.clear();
    tenant.dmarc.clear();
    tenant.dkim = Default::default();
    tenant.call_wrong(&[0, 1, 2], "wildcard_synth");
    tenant.expected.records[3..].copy_from_slice(&[State::Absent("spf_absent"), State::Absent("dmarc_absent")]);
    beside(tenant, "expired_parked");
    tenant.expected.root_cause = "expired_parked";
}

/// The service serves the owner's own records.
pub(super) fn served_by_the_parking_service(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    park(tenant);
    tenant.is_full = true;
}

/// The server lives in the zone, which gives it this address; the registry gives its own.
fn server_inside(tenant: &mut Tenant, address_in_zone: Option<&str>) {
    tenant.addresses.truncate(1);
    let (label, registered) = (tenant.label.clone(), tenant.addresses[0].clone());
    register(tenant, &format!("ns1.{label} A {registered}"));
    tenant.delegation = vec![format!("ns1.{}", tenant.zone())];
    tenant.others.push(("@".to_owned(), "NS ns1".to_owned()));
    let own = address_in_zone.unwrap_or(&registered);
    tenant.others.push(("ns1".to_owned(), format!("A {own}")));
    tenant.provider_is_another = true;
    tenant.is_full = true;
}

/// The server moved, and the registry has its old address.
pub(super) fn glue_stale(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    server_inside(tenant, Some("203.0.113.53"));
    beside(tenant, "glue_stale");
}

/// The registry has its new address.
pub(super) fn glue_fresh(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    server_inside(tenant, None);
}

/// The second server keeps the sender domain as a zone of its own that nobody delegates; some records are nowhere.
pub(super) fn no_delegation_subzone(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    mask.iter().for_each(|at| tenant.dkim[*at].clear());
    tenant.call_wrong(mask, "absent");
    let (domain, second) = (tenant.domain(), tenant.addresses[1].clone());
    let inside = |owner: &str| match owner.strip_suffix(tenant.sender).map(|front| front.trim_end_matches('.')) {
        Some("") => Some("@".to_owned()),
        front => front.map(str::to_owned),
    };
    let lines: String =
        tenant.lines().iter().filter_map(|(owner, data)| Some(format!("  {} {data}\n", inside(owner)?))).collect();
    write!(tenant.more, "zone {domain} at {second}\n  @ NS {}.\n{lines}", tenant.set.hosts[1].0).unwrap();
    beside(tenant, "no_delegation_subzone");
}

/// The owner edits the zone at a hoster whose servers the zone names, and the registry does not.
pub(super) fn wrong_provider_edited(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    let servers: Vec<Line> = HOSTER.iter().map(|(host, _)| ("@".to_owned(), format!("NS {host}."))).collect();
    tenant.others.extend(servers);
    let addresses: Vec<&str> = HOSTER.iter().map(|(_, address)| *address).collect();
    writeln!(tenant.more, "zone {} at {}", tenant.zone(), addresses.join(" ")).unwrap();
    for (owner, data) in tenant.lines() {
        writeln!(tenant.more, "  {owner} {data}").unwrap();
    }
    mask.iter().for_each(|at| tenant.dkim[*at].clear());
    tenant.call_wrong(mask, "wrong_provider_edited");
    beside(tenant, "parent_child_ns_mismatch");
}

/// The registry names the hoster's servers.
pub(super) fn right_provider_edited(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = HOSTER.iter().map(|(host, _)| (*host).to_owned()).collect();
    tenant.addresses = HOSTER.iter().map(|(_, address)| (*address).to_owned()).collect();
    tenant.provider_is_another = true;
    tenant.is_full = true;
}
