//! Checks one claimed domain and assesses it.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use jiff::Timestamp;

use super::Settings;
use super::keeper::Held;
use super::recorder::Done;
use crate::check::Checker;
use crate::dns::name::Name;
use crate::expectation::Facts;
use crate::report::Report;
use crate::service::assess::{Assessment, Look, assess, own_zone, unchecked_report};
use crate::service::operator::shard_of_cut;
use crate::service::sighting::Sighting;
use crate::ses;
use crate::ses::reconcile::{SesView, reconcile, report_ses};
use crate::store::{CheckId, Claim, DomainState, Outcome, RunId};

/// What came of a claim.
#[derive(Debug)]
pub(super) enum Inspected {
    /// It was checked.
    Done(Box<Done>),
    /// Its servers' operator has another shard: nothing was asked of them. Even where this worker holds that one too, the
    /// claim must be under it: a shard that rests or is given up is known by the claims of it that are out.
    Elsewhere(Box<Claim>, u16),
}

/// Checks a claim, unless the operator of its servers turns out to have another shard.
pub(super) async fn inspect(
    checker: &Checker,
    settings: &Settings,
    held: &Held,
    claim: Claim,
    run: Option<RunId>,
) -> Inspected {
    let started_at = held.now();
    if claim.domain.last_checked_at.is_none()
        && let Some(cut) = checker.delegation(&claim.domain.name).await
        && let Some(shard) = shard_of_cut(&cut).filter(|shard| *shard != claim.lease.shard)
    {
        return Inspected::Elsewhere(Box::new(claim), shard);
    }
    let Claim { domain, lease } = claim;
    let sighting = settings.region.as_ref().and_then(|_| Sighting::read(domain.identity.as_ref()));
    let report = check(checker, settings, &domain.asked, &domain.name, sighting.as_ref()).await;
    let signers = signers(checker, domain.state, &report).await;
    let look = Look {
        domain: &domain,
        report: &report,
        signers: signers.as_deref(),
        asks_ses: settings.region.is_some(),
        sighting: sighting.as_ref(),
        now: held.now(),
    };
    let Assessment { state, verified_at, due_at, operator_shard, zone_digest, memory, event } = assess(&look);
    let outcome = Outcome {
        check: CheckId::random(),
        domain: domain.id.clone(),
        lease,
        run,
        started_at,
        report,
        state,
        verified_at,
        due_at: Some(due_at),
        operator_shard,
        zone_digest,
        // Whoever lists the identities keeps them; a check only reads.
        identity: None,
        negatives: memory,
        event,
    };
    Inspected::Done(Box::new(Done { before: domain, outcome }))
}

/// Asks the parent for the DS records of a verified domain's zone: one question a day. The referrals of a check bring none,
/// as they are not asked for signatures (RFC 4035 §3.1.4.1).
async fn signers(checker: &Checker, state: DomainState, report: &Report) -> Option<Vec<String>> {
    let zone = Some(report).filter(|_| state == DomainState::Verified).and_then(own_zone)?;
    checker.delegation_signers(&zone).await
}

/// Checks a domain, with what SES says in the place of what its row says.
async fn check(
    checker: &Checker,
    settings: &Settings,
    asked: &Facts,
    name: &Name,
    sighting: Option<&Sighting>,
) -> Report {
    let identity = sighting.and_then(|sighting| sighting.identity.as_ref());
    let facts = match identity {
        // An identity without keys says nothing that could be looked for.
        Some(identity) => ses::expect::facts(identity, asked.clone()).unwrap_or_else(|_| asked.clone()),
        None => asked.clone(),
    };
    let Ok(expectation) = facts.expectation() else {
        return with_ses(unchecked_report(name, Timestamp::now()), settings, sighting);
    };
    let expectation = expectation.require(&settings.required).with_depth(settings.depth);
    // A fault of ours must neither end the worker nor say anything of the domain.
    let report = match AssertUnwindSafe(checker.check(&expectation)).catch_unwind().await {
        Ok(report) => report,
        Err(_) => unchecked_report(name, Timestamp::now()),
    };
    with_ses(report, settings, sighting)
}

/// Puts what SES says beside what the DNS says.
fn with_ses(report: Report, settings: &Settings, sighting: Option<&Sighting>) -> Report {
    let Some(region) = &settings.region else { return report };
    let view = sighting.map_or(SesView::Unknown, Sighting::view);
    let since = sighting.and_then(|sighting| sighting.pending_since);
    let reconciled = reconcile(&(&report).into(), view, since);
    Report { ses: Some(report_ses(region, view, reconciled)), ..report }
}
