//! Keeps with every domain what SES says of it: one listing for all, and single identities where that is worth a call.
//!
//! A pass moves no state: it writes down what was seen and has domains checked at once of which SES says something new.
//! What could not be asked stays as it was. Where it is told to, it also has SES create identities that are missing, each
//! at most once, whatever dies on the way: the intent is written down before SES is asked.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{StreamExt, iter};
use jiff::{SignedDuration, Timestamp};

use super::sighting::Sighting;
use crate::dns::name::Name;
use crate::ses::client::{Identities, NewIdentity, SesError};
use crate::ses::identity::SesIdentity;
use crate::ses::sync::{Known, Listing, SyncRow, Worth, list, plan, worth};
use crate::store::{
    Domain, DomainFilter, DomainId, DomainState, IdentityIntent, IdentityUpdate, IntentEnd, Store, StoreError,
};

/// How many domains are looked at together: one page of a listing.
const PAGE: u32 = 1000;
/// From how many known identities on it is odd that most of them are gone at once.
const MIN_TO_VANISH: usize = 5;
/// How many single identities are asked for at the same time; the limit on their rate is the client's.
const ASKED_AT_ONCE: usize = 8;
/// How long a creation may be under way: it waits for its turn, and the client gives a call up after 20 s.
const CREATION_TAKES: SignedDuration = SignedDuration::from_mins(1);

/// Brings what SES says into a store.
#[derive(Clone)]
pub struct Feed {
    /// Where domains are.
    store: Arc<dyn Store>,
    /// SES, in one region.
    identities: Arc<dyn Identities>,
    /// Whether missing identities are created.
    creates: bool,
}

/// What a pass did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pass {
    /// How many domains were looked at.
    pub domains: u64,
    /// How many calls were made.
    pub calls: u64,
    /// How many domains SES says something new of.
    pub changed: u64,
    /// How many identities were created.
    pub created: u64,
    /// Why SES could not be asked for something, the last time in this pass.
    pub trouble: Option<SesError>,
}

/// What SES said of one domain.
type Answer = Result<Option<SesIdentity>, SesError>;

impl Feed {
    /// Prepares a feed; `creates` says whether identities that are missing are created.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, identities: Arc<dyn Identities>, creates: bool) -> Self {
        Self { store, identities, creates }
    }

    /// Returns the region that is asked.
    #[must_use]
    pub fn region(&self) -> &str {
        self.identities.region()
    }

    /// Goes through the whole fleet once. Where SES cannot be asked nothing changes, and the pass says why.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn pass(&self) -> Result<Pass, StoreError> {
        let mut pass = Pass::default();
        let now = self.store.now().await?;
        let listing = match list(self.identities.as_ref()).await {
            Ok(listing) => listing,
            Err(error) => return Ok(Pass { calls: 1, trouble: Some(error), ..pass }),
        };
        pass.calls = u64::try_from(listing.pages).unwrap_or_default();
        let mut after: Option<DomainId> = None;
        loop {
            let domains = self.store.page(&DomainFilter::default(), after.as_ref(), PAGE).await?;
            let Some(last) = domains.last() else { return Ok(pass) };
            after = Some(last.id.clone());
            pass.domains += u64::try_from(domains.len()).unwrap_or_default();
            self.take_page(&listing, domains, now, &mut pass).await?;
        }
    }

    /// Brings one page of domains up to date.
    async fn take_page(
        &self,
        listing: &Listing,
        domains: Vec<Domain>,
        now: Timestamp,
        pass: &mut Pass,
    ) -> Result<(), StoreError> {
        let region = self.region();
        let is_ours =
            |domain: &Domain| domain.asked.region.as_deref().is_none_or(|asked| asked.eq_ignore_ascii_case(region));
        let domains: Vec<(Domain, Option<Sighting>)> = domains
            .into_iter()
            .filter(is_ours)
            .map(|domain| {
                let sighting = Sighting::read(domain.identity.as_ref());
                (domain, sighting)
            })
            .collect();
        let rows: Vec<SyncRow<'_>> = domains.iter().map(|(domain, sighting)| row(domain, sighting.as_ref())).collect();
        if let Some(error) = self.vanished(listing, &rows) {
            pass.trouble = Some(error);
            return Ok(());
        }
        let wanted = plan(listing, &rows, now);
        pass.calls += u64::try_from(wanted.len()).unwrap_or_default();
        let asked: Vec<(usize, Name)> =
            wanted.into_iter().filter_map(|place| Some((place, rows.get(place)?.name.clone()))).collect();
        let asking = iter(asked).map(|(place, name)| async move { (place, self.ask(&name).await) });
        let mut answers: HashMap<usize, Answer> = asking.buffer_unordered(ASKED_AT_ONCE).collect().await;
        let mut updates = Vec::new();
        for (place, (domain, sighting)) in domains.iter().enumerate() {
            let listed = listing.identities.get(&domain.name);
            let mut answer = answers.remove(&place);
            if rows.get(place).is_some_and(|row| worth(listed, row, now) == Worth::Absent) {
                if self.creates && domain.asked.selector.is_none() {
                    answer = Some(self.create(domain, now, pass).await?);
                } else if sighting.is_none() {
                    answer = Some(Ok(None));
                }
            }
            let identity = match answer {
                Some(Ok(identity)) => identity,
                Some(Err(error)) => {
                    pass.trouble = Some(error);
                    continue;
                }
                // The listing has just confirmed what is known. That counts where a no is being counted.
                None => match sighting {
                    Some(sighting) if domain.state == DomainState::Degraded => sighting.identity.clone(),
                    _ => continue,
                },
            };
            let next = Sighting::new(identity, now, sighting.as_ref());
            let is_new = next.differs_from(sighting.as_ref());
            pass.changed += u64::from(is_new);
            updates.push(IdentityUpdate {
                domain: domain.id.clone(),
                identity: next.to_value(),
                due_at: is_new.then_some(now),
            });
        }
        if updates.is_empty() { Ok(()) } else { self.store.update_identities(&updates).await }
    }

    /// Says so where SES no longer has most of the identities that it had: then it is another account or region that was
    /// asked, or SES is not itself, and nothing of it is believed.
    fn vanished(&self, listing: &Listing, rows: &[SyncRow<'_>]) -> Option<SesError> {
        let known = || rows.iter().filter(|row| row.known.is_some());
        let (known, gone) = (known().count(), known().filter(|row| !listing.identities.contains_key(row.name)).count());
        let is_odd = known >= MIN_TO_VANISH && gone * 2 > known;
        is_odd.then(|| {
            let region = self.region();
            SesError::Malformed(format!(
                "{gone} of {known} identities are no longer in {region}: is it the right account?"
            ))
        })
    }

    /// Asks for one identity.
    async fn ask(&self, name: &Name) -> Answer {
        match self.identities.get(name).await {
            Ok(identity) => Ok(Some(identity)),
            Err(SesError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has SES create a domain's identity, unless that was done or is being done.
    ///
    /// An attempt whose end is not known may have come through: SES is asked before another is made, and one that is not
    /// older than [`CREATION_TAKES`] may still be under way elsewhere: it is left alone.
    async fn create(&self, domain: &Domain, now: Timestamp, pass: &mut Pass) -> Result<Answer, StoreError> {
        let before = match self.store.identity_intent(&domain.id).await? {
            None => 0,
            Some(intent) if matches!(intent.end, IntentEnd::Open | IntentEnd::Unclear) => {
                pass.calls += 1;
                match self.ask(&domain.name).await {
                    Ok(None) if is_under_way(&intent, now) => return Ok(Ok(None)),
                    Ok(None) => intent.attempt,
                    Ok(Some(identity)) => {
                        self.store.settle_identity(&domain.id, intent.attempt, IntentEnd::Created).await?;
                        return Ok(Ok(Some(identity)));
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
            // It was created and somebody deleted it, or SES refused it: that is for people to decide.
            Some(_) => return Ok(Ok(None)),
        };
        if !self.store.intend_identity(&domain.id, before, now).await? {
            return Ok(Ok(None));
        }
        pass.calls += 1;
        let (end, answer) = match self.identities.create(&NewIdentity::new(domain.name.clone())).await {
            Ok(identity) => {
                pass.created += 1;
                (IntentEnd::Created, Ok(Some(identity)))
            }
            Err(SesError::AlreadyExists(_)) => (IntentEnd::Created, self.ask(&domain.name).await),
            Err(error) if error.is_transient() => (IntentEnd::Unclear, Err(error)),
            Err(error) => (IntentEnd::Refused, Err(error)),
        };
        self.store.settle_identity(&domain.id, before + 1, end).await?;
        Ok(answer)
    }
}

/// Says whether somebody may be creating the identity at this moment.
fn is_under_way(intent: &IdentityIntent, now: Timestamp) -> bool {
    intent.end == IntentEnd::Open && now.duration_since(intent.intended_at) < CREATION_TAKES
}

/// Describes a domain to the plan.
fn row<'a>(domain: &'a Domain, sighting: Option<&'a Sighting>) -> SyncRow<'a> {
    let known = sighting
        .and_then(|sighting| sighting.identity.as_ref().map(|identity| Known { identity, read_at: sighting.seen_at }));
    SyncRow { name: &domain.name, known, dns: domain.last_verdict }
}

#[cfg(test)]
mod tests;
