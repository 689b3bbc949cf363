//! A corpus of labelled domains: every fault at every provider, on one record, two or all, at three depths; beside each
//! the zone with as little repaired as it takes.
//!
//! The same count and seed give the same corpus. What must come of a domain is worked out from what was done to it,
//! never from what the engine says.

mod delegation;
mod dice;
mod dkim;
mod dmarc;
mod faults;
mod health;
mod mail;
pub(crate) mod own_key;
mod policies;
pub(crate) mod servers;
mod several;
#[cfg(feature = "dnssec")]
#[path = "../signer.rs"]
#[expect(dead_code, reason = "whole zones are signed here, no single records")]
mod signer;
mod slips;
mod spf;
mod tenant;
pub(crate) mod unlabelled;

use std::collections::BTreeMap;

use dice::Dice;
pub(crate) use faults::FAULTS;
use faults::{Fault, Place};
use servers::Set;
pub(crate) use tenant::Tenant;

/// Which of the three DKIM records a fault hits.
const MASKS: &[&[usize]] = &[&[0, 1, 2], &[0], &[1, 2], &[2], &[0, 1], &[1], &[0, 2]];
/// What stands in front of the zone in the sender domain.
const DEPTHS: &[&str] = &["mail", "", "news.mail"];

/// One domain of the corpus.
pub(crate) struct Case {
    /// The row of the matrix.
    pub(crate) row: String,
    /// The row of the fault's table.
    pub(crate) fault: usize,
    /// Whether it was repaired.
    pub(crate) is_repaired: bool,
    /// The records that the fault hit, by token.
    pub(crate) mask: &'static [usize],
    /// The domain.
    pub(crate) tenant: Tenant,
}

/// A corpus.
pub(crate) struct Corpus {
    /// The Internet and all zones, as the text of a scenario.
    pub(crate) text: String,
    /// The domains.
    pub(crate) cases: Vec<Case>,
}

/// Makes a corpus of `count` domains.
pub(crate) fn corpus(count: usize, seed: u64) -> Corpus {
    let sets = servers::sets();
    let mut providers: Vec<(&str, Vec<&Set>)> = Vec::new();
    for set in &sets {
        match providers.iter_mut().find(|(provider, _)| *provider == set.provider) {
            Some((_, sets)) => sets.push(set),
            None => providers.push((&set.provider, vec![set])),
        }
    }
    let mut dice = Dice::new(seed);
    let mut cases: Vec<Case> = Vec::new();
    for round in 0.. {
        for (number, fault) in FAULTS.iter().enumerate().filter(|(_, fault)| round % fault.every == 0) {
            let place = round / fault.every;
            let sets = match fault.place {
                // The code is one provider's own: half of its domains are there.
                Place::Often(provider) if place % 2 == 0 => {
                    &providers.iter().find(|(id, _)| *id == provider).unwrap().1
                }
                _ => &providers[(place + 7 * number) % providers.len()].1,
            };
            let combination = place + place / providers.len() + 5 * number;
            let mask = MASKS[combination % MASKS.len()];
            let depth = combination / MASKS.len();
            let sender =
                if fault.place == Place::Below { DEPTHS[2 * (depth % 2)] } else { DEPTHS[depth % DEPTHS.len()] };
            for is_repaired in [false, true] {
                if cases.len() == count {
                    return whole(&sets_of(&providers), cases);
                }
                let set = dice.pick(sets);
                cases.push(case(number, fault, is_repaired, mask, sender, set, cases.len(), &mut dice));
            }
        }
    }
    unreachable!("the rounds do not end")
}

/// Returns all sets.
fn sets_of(providers: &[(&str, Vec<&Set>)]) -> Vec<Set> {
    providers.iter().flat_map(|(_, sets)| sets.iter().map(|set| (*set).clone())).collect()
}

/// Makes one domain.
#[expect(clippy::too_many_arguments, reason = "all that tells one domain from another")]
fn case(
    number: usize,
    fault: &Fault,
    is_repaired: bool,
    mask: &'static [usize],
    sender: &'static str,
    set: &Set,
    place: usize,
    dice: &mut Dice,
) -> Case {
    let tokens = [dice.token(), dice.token(), dice.token()];
    let mut tenant = Tenant::new(format!("c{place:05}"), place / 2, sender, tokens, set);
    let (apply, end) = if is_repaired { (fault.repair, ", repaired") } else { (fault.apply, "") };
    apply(&mut tenant, mask, dice);
    Case { row: format!("{}{end}", fault.row), fault: number, is_repaired, mask, tenant }
}

/// Writes the text of a corpus.
fn whole(sets: &[Set], cases: Vec<Case>) -> Corpus {
    let mut text = servers::internet(sets);
    cases.iter().for_each(|case| text.push_str(&case.tenant.text()));
    Corpus { text, cases }
}

/// Counts what of the product of faults, providers, records and depths a corpus has; repaired zones do not count.
pub(crate) fn coverage(cases: &[Case]) -> BTreeMap<&'static str, usize> {
    let broken: Vec<&Case> = cases.iter().filter(|case| !case.is_repaired).collect();
    let count = |key: &dyn Fn(&Case) -> String| {
        broken.iter().map(|case| key(case)).collect::<std::collections::BTreeSet<_>>().len()
    };
    BTreeMap::from([
        ("faults", count(&|case| case.row.clone())),
        ("faults x providers", count(&|case| format!("{} {}", case.row, case.tenant.set.provider))),
        ("faults x records", count(&|case| format!("{} {:?}", case.row, case.mask))),
        ("faults x depths", count(&|case| format!("{} {}", case.row, case.tenant.sender))),
        ("providers x records", count(&|case| format!("{} {:?}", case.tenant.set.provider, case.mask))),
        ("patterns of servers", count(&|case| case.tenant.set.hosts[0].0.clone())),
        (
            "whole product",
            count(&|case| format!("{} {} {:?} {}", case.row, case.tenant.set.provider, case.mask, case.tenant.sender)),
        ),
    ])
}
