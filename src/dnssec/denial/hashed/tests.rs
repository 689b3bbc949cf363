//! Proofs by hashes, over chains that are made here.

use super::*;
use crate::dns::rdata::Rdata;

/// The salt of all chains here.
const SALT: &[u8] = &[0xaa, 0xbb];

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn hash(owner: &Name) -> Vec<u8> {
    nsec3_hash(1, owner, SALT, 1).unwrap()
}

/// The whole chain of the zone `example.` with these names and types, as a signer would make it.
fn sets(names: &[(&str, &[RecordType])], is_opt_out: bool, iterations: u16) -> Vec<SignedSet> {
    let mut hashed: Vec<(Vec<u8>, &[RecordType])> =
        names.iter().map(|(owner, types)| (hash(&name(owner)), *types)).collect();
    hashed.sort();
    let nexts: Vec<Vec<u8>> = hashed.iter().cycle().skip(1).take(hashed.len()).map(|(next, _)| next.clone()).collect();
    let set = |((owner, types), next): ((Vec<u8>, &[RecordType]), Vec<u8>)| {
        let mut bits = [0_u8; 32];
        types.iter().for_each(|kind| bits[usize::from(kind.0 / 8)] |= 0x80 >> (kind.0 % 8));
        let octets = [
            &[1, u8::from(is_opt_out)][..],
            &iterations.to_be_bytes(),
            &[2],
            SALT,
            &[u8::try_from(next.len()).unwrap()],
            &next,
            &[0, 32],
            &bits,
        ];
        SignedSet {
            owner: name("example.").prepend(base32hex(&owner)).unwrap(),
            kind: RecordType::NSEC3,
            data: vec![Rdata::Other { kind: RecordType::NSEC3, octets: octets.concat().into() }],
            signatures: Vec::new(),
        }
    };
    hashed.into_iter().zip(nexts).map(set).collect()
}

fn chain(names: &[(&str, &[RecordType])], is_opt_out: bool) -> HashedChain {
    HashedChain::read(&sets(names, is_opt_out, 1), &name("example."))
}

/// Says `name`, `kind`, `cut`, `open` (one of the first two) or `none`, with `?` behind where the proof leaves a gap.
fn denied(chain: &HashedChain, owner: &str, kind: RecordType) -> String {
    let denied = chain.of_question(&Question::new(name(owner), kind), &mut Work::default()).unwrap();
    let Some(denied) = denied else { return "none".to_owned() };
    let word = match denied {
        Denied { is_unsigned_cut: true, .. } => "cut",
        Denied { is_name: Some(true), .. } => "name",
        Denied { is_name: None, .. } => "open",
        _ => "kind",
    };
    format!("{word}{}", if denied.security == Security::Insecure { "?" } else { "" })
}

#[test]
fn names_types_and_cuts_are_denied() {
    use RecordType as T;
    let names: &[(&str, &[T])] = &[
        ("example.", &[T::SOA, T::NS]),
        ("a.example.", &[T::A]),
        ("cut.example.", &[T::NS]),
        ("d.example.", &[T::DNAME]),
        ("w.example.", &[]),
        ("*.w.example.", &[T::TXT]),
    ];
    let (plain, opt_out) = (chain(names, false), chain(names, true));
    for (owner, kind, expected, with_opt_out) in [
        ("a.example.", T::TXT, "kind", "kind"),
        ("a.example.", T::A, "none", "none"),
        ("x.example.", T::A, "name", "open?"),
        ("x.y.example.", T::A, "name", "open?"),
        ("x.a.example.", T::A, "name", "open?"),
        ("cut.example.", T::DS, "cut", "cut"),
        ("cut.example.", T::A, "none", "none"),
        ("x.cut.example.", T::A, "none", "none"),
        ("x.d.example.", T::A, "none", "none"),
        ("w.example.", T::A, "kind", "kind"),
        ("x.w.example.", T::A, "kind", "kind?"),
        ("x.w.example.", T::TXT, "none", "cut?"),
        ("x.example.", T::DS, "name", "cut?"),
        ("example.", T::DS, "none", "none"),
    ] {
        assert_eq!(denied(&plain, owner, kind), expected, "{owner} {kind}");
        assert_eq!(denied(&opt_out, owner, kind), with_opt_out, "{owner} {kind} with opt-out");
    }
    let closer = |labels| plain.of_closer_name(&name("x.w.example."), labels, &mut Work::default());
    assert_eq!(closer(2), Ok(Some(Security::Secure)));
    assert_eq!(closer(1), Ok(None), "w.example. is there");
}

#[test]
fn a_zone_whose_hashes_cost_too_much_counts_as_unsigned_and_is_not_hashed() {
    let costly = HashedChain::read(&sets(&[("example.", &[])], false, 2500), &name("example."));
    let mut work = Work { hashes: 0, ..Work::default() };
    let denied = costly.of_question(&Question::new(name("x.example."), RecordType::A), &mut work).unwrap().unwrap();
    assert_eq!(denied.security, Security::Insecure);
    let cheap = chain(&[("example.", &[])], false);
    assert_eq!(
        cheap.of_question(&Question::new(name("x.example."), RecordType::A), &mut work),
        Err(Bogus::TooMuchWork)
    );
}

#[test]
fn links_of_another_zone_prove_nothing() {
    let mut sets = sets(&[("example.", &[RecordType::SOA])], false, 1);
    for set in &mut sets {
        set.owner = name("sub.example.").prepend(set.owner.first_label().unwrap()).unwrap();
    }
    let chain = HashedChain::read(&sets, &name("example."));
    assert_eq!(denied(&chain, "x.example.", RecordType::A), "none");
}

#[test]
fn base_32_reads_what_it_writes() {
    for octets in [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", &[0xff; 20]] {
        assert_eq!(from_base32hex(base32hex(octets).as_bytes()).as_deref(), Some(octets));
    }
    // RFC 4648 §10.
    assert_eq!(base32hex(b"foobar"), "cpnmuoj1e8");
    assert_eq!(from_base32hex(b"CPNMUOJ1E8").as_deref(), Some(&b"foobar"[..]));
    assert_eq!(from_base32hex(b"cpnmuoj1ex"), None);
}
