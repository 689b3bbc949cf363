//! Tenants by the hundred, as text: over the big providers in about their shares, two thirds right, one third wrong in
//! every way of the catalogue.
//!
//! The same count and seed give the same text, everywhere and for ever: `fixtures/lab/tenants.scn` is one of them. A
//! tenant is its registry's delegation, its zone, what its servers do wrong, and its check with what must come of it.

mod dmarc;
mod exchange;
mod faults;
mod operators;
mod policies;
mod records;
mod servers;
mod slips;
mod spf;
mod tenant;
mod words;

use std::fmt::Write;

use crate::lab::dice::Dice;
use faults::Fault;
use operators::{Operator, PROVIDERS, REGISTRIES, Registry, operator};
use tenant::{Sender, Tenant};
use words::Names;

/// How many tenants the demo has.
pub const DEMO_TENANTS: usize = 360;
/// The seed of the demo: the date of RFC 1034 and RFC 1035.
pub const DEMO_SEED: u64 = 198_711;
/// One tenant in so many is broken.
const BROKEN_ONE_IN: usize = 3;

/// Writes `count` tenants for the Internet of [`super::internet_with`].
///
/// From three tenants for each fault on, each fault comes at least once. Tenants whose name servers are silent come once,
/// however many tenants there are, so that a run over all of them does not spend its time on waiting.
#[must_use]
pub fn fleet(count: usize, seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let faults = faults::deal(count / BROKEN_ONE_IN, &mut dice);
    let mut dealt: Vec<Option<&Fault>> = faults.into_iter().map(Some).collect();
    dealt.resize(count, None);
    dice.shuffle(&mut dealt);
    let mut names = Names::default();
    let mut text =
        format!("; {count} tenants, written by `fleet({count}, {seed})`. Of three, two are right and one is not.\n");
    for (number, fault) in dealt.into_iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write_tenant(&mut text, number + 1, fault, &mut names, &mut dice);
    }
    text
}

/// Makes up a tenant and writes it.
fn write_tenant(
    text: &mut String,
    number: usize,
    fault: Option<&Fault>,
    names: &mut Names,
    dice: &mut Dice,
) -> std::fmt::Result {
    let places = fault.map(|fault| fault.places).unwrap_or_default();
    let Some(home) = operator(dice.pick(places)).or_else(|| provider(dice)) else { return Ok(()) };
    let Some(registry) = registry(dice) else { return Ok(()) };
    let sender = fault.map_or(Sender::Anywhere, |fault| fault.sender);
    let mut tenant = Tenant::new(names.next(dice), registry, home, sender, dice);
    if let Some(fault) = fault {
        (fault.apply)(&mut tenant, dice);
    }
    let remark = fault.map_or("all is well", |fault| fault.remark);
    let expectations = expectations(&tenant, fault);
    writeln!(text, "\n; {number}. {} at {}: {remark}.", tenant.zone(), tenant.operator)?;
    tenant.write(text, dice, &expectations)
}

/// Returns what must come of a tenant's check, and that nothing else may be found.
fn expectations(tenant: &Tenant, fault: Option<&Fault>) -> Vec<String> {
    let (verdict, root_cause) = fault.map_or(("ready", "none"), Fault::verdict);
    let mut findings = fault.map(Fault::findings).unwrap_or_default();
    if tenant.inherits_dmarc && !tenant.addresses.is_empty() {
        findings.push("dmarc_inherited");
    }
    let told = [format!("verdict {verdict}"), format!("root_cause {root_cause}")].into_iter();
    let found = findings.into_iter().map(|code| format!("finding {code}"));
    told.chain(found).chain(["no other findings".to_owned()]).collect()
}

/// Draws a provider by the shares.
fn provider(dice: &mut Dice) -> Option<&'static Operator> {
    let drawn = dice.below(100);
    let mut sum = 0;
    PROVIDERS.iter().find(|operator| {
        sum += operator.percent;
        drawn < sum
    })
}

/// Draws a registry by the shares.
fn registry(dice: &mut Dice) -> Option<&'static Registry> {
    let drawn = dice.below(100);
    let mut sum = 0;
    REGISTRIES.iter().find(|registry| {
        sum += registry.percent;
        drawn < sum
    })
}

#[cfg(test)]
mod tests;
