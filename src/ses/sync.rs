//! What SES is asked of a whole fleet: the listing, a thousand identities a call, and single identities only where that
//! is worth a call.
//!
//! ```text
//! listing (1 call a 1,000) -> plan (pure): which single ones? -> get (1 call each) -> one state a domain
//! ```
//!
//! Read at once are those that changed: new ones, those whose status or sending flag is another than known, those that
//! are gone. Beside them, of every 1,000 domains one: where the listing and the DNS disagree, else the one that was not
//! read for longest. In steady state that makes two calls for 1,000 domains. What could not be asked is unknown and
//! changes nothing.

use std::collections::{HashMap, HashSet};

use futures::stream::{StreamExt, iter};
use jiff::{SignedDuration, Timestamp};

use crate::dns::name::Name;
use crate::report::Verdict;
use crate::ses::client::{Identities, SesError};
use crate::ses::identity::{ListedIdentity, SesIdentity, SesStatus};
use crate::ses::reconcile::SesView;

/// Of how many domains one is read beyond those that changed.
const DOMAINS_A_GET: usize = 1_000;
/// How many single identities are asked for at the same time; the limit on their rate is the client's.
const GETS_AT_ONCE: usize = 8;
/// How long a disagreement is left to itself after a look.
const BETWEEN_LOOKS: SignedDuration = SignedDuration::from_mins(15);
/// After what time an identity that nothing points at is read again, where a call is to spare.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The most pages of one listing: ten million identities, a thousand times an account's quota.
const MAX_PAGES: usize = 10_000;

/// All domains that SES has in one region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// The domains by name.
    pub identities: HashMap<Name, ListedIdentity>,
    /// How many calls it took.
    pub pages: usize,
}

/// What is known of an identity, and since when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known<'a> {
    /// What SES said.
    pub identity: &'a SesIdentity,
    /// When it said it.
    pub read_at: Timestamp,
}

/// One domain of the fleet.
#[derive(Clone, Copy, Debug)]
pub struct SyncRow<'a> {
    /// Its name.
    pub name: &'a Name,
    /// What is known of its identity; `None` where none is.
    pub known: Option<Known<'a>>,
    /// How its DKIM records stand; `None` where they were not checked.
    pub dns: Option<Verdict>,
}

/// What is worth asking about one domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Worth {
    /// Nothing: what is known still holds.
    Nothing,
    /// Nothing: there is no identity, and none was known.
    Absent,
    /// A call at once: something changed.
    Now,
    /// A call where one is to spare: the listing and the DNS disagree.
    Disagreement,
    /// A call where one is to spare: it was not read for long.
    Stale,
}

/// What SES says of one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SesState {
    /// It has this identity.
    Identity(Box<SesIdentity>),
    /// It has none in this region.
    NoIdentity,
    /// It could not be asked, for this reason.
    Unknown(SesError),
}

impl SesState {
    /// Reads what became of a question about one identity.
    #[must_use]
    pub fn of(answer: Result<SesIdentity, SesError>) -> Self {
        match answer {
            Ok(identity) => Self::Identity(Box::new(identity)),
            Err(SesError::NotFound(_)) => Self::NoIdentity,
            Err(error) => Self::Unknown(error),
        }
    }

    /// Returns it as it is reconciled with the DNS.
    #[must_use]
    pub fn view(&self) -> SesView<'_> {
        match self {
            Self::Identity(identity) => SesView::Identity(identity),
            Self::NoIdentity => SesView::NoIdentity,
            Self::Unknown(_) => SesView::Unknown,
        }
    }
}

/// What SES says of the rows, and what that cost.
#[derive(Clone, Debug)]
pub struct Synced {
    /// What SES says, in the order of the rows; and whether it was read just now, rather than known and confirmed.
    pub states: Vec<(SesState, bool)>,
    /// How many calls were made.
    pub calls: usize,
}

/// Reads the whole listing of a region.
///
/// # Errors
/// Any [`SesError`] of a page: half a listing is none. [`SesError::Malformed`] where SES goes round in circles.
pub async fn list(identities: &dyn Identities) -> Result<Listing, SesError> {
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    let mut token = None;
    while listing.pages < MAX_PAGES {
        let page = identities.list(token.as_ref()).await?;
        listing.pages += 1;
        listing.identities.extend(page.identities.into_iter().map(|one| (one.name.clone(), one)));
        let Some(next) = page.next else { return Ok(listing) };
        if !seen.insert(next.clone()) {
            return Err(SesError::Malformed("the listing comes back to a page that it had".to_owned()));
        }
        token = Some(next);
    }
    Err(SesError::Malformed(format!("the listing has more than {MAX_PAGES} pages")))
}

/// Says what is worth asking about one domain.
#[must_use]
pub fn worth(listed: Option<&ListedIdentity>, row: &SyncRow<'_>, now: Timestamp) -> Worth {
    let (listed, known) = match (listed, row.known) {
        (None, None) => return Worth::Absent,
        (Some(_), None) | (None, Some(_)) => return Worth::Now,
        (Some(listed), Some(known)) => (listed, known),
    };
    let age = now.duration_since(known.read_at);
    let identity = known.identity;
    if (listed.verification_status, listed.sending) != (identity.verification_status, identity.sending) {
        Worth::Now
    } else if disagrees(listed, row.dns) && age >= BETWEEN_LOOKS {
        Worth::Disagreement
    } else if age >= STALE_AFTER {
        Worth::Stale
    } else {
        Worth::Nothing
    }
}

/// Says whether the listing and the DNS tell different tales; a DNS that is unclear or under way tells none.
fn disagrees(listed: &ListedIdentity, dns: Option<Verdict>) -> bool {
    let is_good = listed.sending && listed.verification_status == SesStatus::Success;
    let is_bad = !listed.sending && listed.verification_status != SesStatus::Success;
    match dns {
        Some(Verdict::Ready) => !is_good,
        Some(Verdict::Partial | Verdict::Failing) => !is_bad,
        Some(Verdict::Propagating | Verdict::Indeterminate) | None => false,
    }
}

/// Says which rows are read one by one: all that changed, and of every 1,000 rows one more, the oldest knowledge first
/// and disagreements before all else. The places are sorted.
#[must_use]
pub fn plan(listing: &Listing, rows: &[SyncRow<'_>], now: Timestamp) -> Vec<usize> {
    let (mut wanted, mut to_spare) = (Vec::new(), Vec::new());
    for (place, row) in rows.iter().enumerate() {
        let read_at = row.known.map(|known| known.read_at);
        match worth(listing.identities.get(row.name), row, now) {
            Worth::Nothing | Worth::Absent => {}
            Worth::Now => wanted.push(place),
            Worth::Disagreement => to_spare.push((false, read_at, place)),
            Worth::Stale => to_spare.push((true, read_at, place)),
        }
    }
    to_spare.sort_unstable();
    let spare = (rows.len() / DOMAINS_A_GET).max(1);
    wanted.extend(to_spare.into_iter().take(spare).map(|(_, _, place)| place));
    wanted.sort_unstable();
    wanted
}

/// Asks SES what is worth a call, and says how every row stands.
///
/// Nothing fails: where SES cannot be asked, rows are unknown. A row whose look was only one to spare keeps what is
/// known, which the listing has just confirmed.
pub async fn sync(identities: &dyn Identities, rows: &[SyncRow<'_>], now: Timestamp) -> Synced {
    let listing = match list(identities).await {
        Ok(listing) => listing,
        Err(error) => {
            let unknown = |_: &SyncRow<'_>| (SesState::Unknown(error.clone()), false);
            return Synced { states: rows.iter().map(unknown).collect(), calls: 1 };
        }
    };
    let wanted = plan(&listing, rows, now);
    let calls = listing.pages + wanted.len();
    let asked = iter(wanted).map(|place| async move {
        let answer = match rows.get(place) {
            Some(row) => identities.get(row.name).await,
            None => Err(SesError::Malformed("a row that is not there".to_owned())),
        };
        (place, answer)
    });
    let mut answers: HashMap<usize, _> = asked.buffer_unordered(GETS_AT_ONCE).collect().await;
    let states = rows.iter().enumerate().map(|(place, row)| {
        let listed = listing.identities.get(row.name);
        let is_confirmed = worth(listed, row, now) != Worth::Now;
        match (answers.remove(&place), row.known) {
            (Some(Err(error)), Some(known)) if error.is_transient() && is_confirmed => {
                (SesState::Identity(Box::new(known.identity.clone())), false)
            }
            (Some(answer), _) => (SesState::of(answer), true),
            (None, Some(known)) => (SesState::Identity(Box::new(known.identity.clone())), false),
            (None, None) => (SesState::NoIdentity, false),
        }
    });
    Synced { states: states.collect(), calls }
}

#[cfg(test)]
mod tests;
