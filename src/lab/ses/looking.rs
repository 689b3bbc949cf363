//! Looks at the DNS when the time for it has come: what is due, in what order, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use tokio::time::Instant;

use super::Shared;
use super::account::{Account, folded};
use super::eyes::{Errand, Wanted};
use super::identity::{Identity, Signing};
use super::region;
use crate::dns::name::Name;

/// How long is waited for more changes before the next round, so that many at once are one round.
const GATHERING: Duration = Duration::from_millis(20);
/// How many domains are looked at at the same time.
const AT_ONCE: usize = 64;

/// A domain that is due.
struct Due {
    /// Its region and name.
    key: (String, String),
    /// What is to be found out.
    errand: Errand,
    /// Its revision when that was decided.
    revision: u64,
}

impl Account {
    /// Returns what is due, in the order of regions and names.
    fn due(&self, now: Timestamp) -> Vec<Due> {
        let is_due = |identity: &Identity| identity.due_at.is_some_and(|due_at| due_at <= now);
        let due = self.identities.iter().filter(|(_, identity)| is_due(identity));
        due.filter_map(|(key, identity)| {
            let errand = self.errand(&key.0, identity)?;
            Some(Due { key: key.clone(), errand, revision: identity.revision })
        })
        .collect()
    }

    /// Decides what is to be found out of a domain.
    fn errand(&self, region: &str, identity: &Identity) -> Option<Errand> {
        let domain = Name::parse(&identity.name).ok()?;
        let keys = domain.prepend("_domainkey").ok()?;
        let aliases = |tokens: &[String], zone: &str| {
            let zone = Name::parse(zone).ok()?;
            let alias = |token: &String| Some((keys.prepend(token).ok()?, zone.prepend(token).ok()?));
            tokens.iter().map(alias).collect::<Option<Vec<_>>>().map(Wanted::Aliases)
        };
        let dkim = match &identity.signing {
            Signing::Easy { tokens } => aliases(tokens, &region::dkim_zone(region))?,
            Signing::Own { selector, key } => Wanted::Key { name: keys.prepend(selector).ok()?, key: key.clone() },
            Signing::Replica { parent } => match self.tokens_of_parent(region, parent, &identity.name) {
                Ok(tokens) => aliases(tokens, &region::dkim_zone(parent))?,
                Err(error) => Wanted::Hopeless(error),
            },
            Signing::Nothing => return None,
        };
        let mail_from = identity.mail_from.as_ref().and_then(|mail_from| {
            let host = format!("feedback-smtp.{region}.amazonses.com");
            Some((Name::parse(&mail_from.domain).ok()?, Name::parse(&host).ok()?))
        });
        Some(Errand { domain, dkim, mail_from })
    }

    /// Returns when something is due next.
    fn next_due(&self) -> Option<Timestamp> {
        self.identities.values().filter_map(|identity| identity.due_at).min()
    }

    /// Has domains looked at as soon as may be: one by its name in every region, or all.
    pub(super) fn look_soon(&mut self, name: Option<&str>) {
        let now = self.clock.at(Instant::now());
        let name = name.map(folded);
        let meant =
            self.identities.values_mut().filter(|identity| name.as_ref().is_none_or(|name| identity.name == *name));
        meant.for_each(|identity| identity.look_soon(now));
    }
}

/// Has something done, looks at everything that is due then, and returns how many domains that were.
///
/// One round goes on at a time, and none begins between what is done and the look at what comes of it.
pub(super) async fn look_after(shared: &Shared, prepare: impl FnOnce(&mut Account)) -> usize {
    let _turn = shared.turn.lock().await;
    let (due, now) = {
        let mut account = shared.lock();
        prepare(&mut account);
        let now = account.clock.at(Instant::now());
        (account.due(now), now)
    };
    let eyes = &shared.eyes;
    let looks = stream::iter(due).map(async |due| {
        let sighting = eyes.look(&due.errand).await;
        (due, sighting)
    });
    let seen: Vec<_> = looks.buffer_unordered(AT_ONCE).collect().await;
    let mut account = shared.lock();
    for (due, sighting) in &seen {
        account.counters.looks += 1;
        if let Some(identity) = account.identities.get_mut(&due.key)
            && identity.revision == due.revision
        {
            identity.catch_up(sighting, now);
        }
    }
    seen.len()
}

/// Looks for ever, each domain at its time.
pub(super) async fn watch(shared: Arc<Shared>) {
    loop {
        look_after(&shared, |_| {}).await;
        // Registered before the account is read, so that no change in between is missed.
        let woken = shared.woken.notified();
        let wait = {
            let account = shared.lock();
            account.next_due().and_then(|due_at| account.clock.until(due_at, Instant::now()))
        };
        match wait {
            Some(wait) => {
                // Changed or due: both mean another round.
                let _ = tokio::time::timeout(wait, woken).await;
            }
            None => woken.await,
        }
        tokio::time::sleep(GATHERING).await;
    }
}
