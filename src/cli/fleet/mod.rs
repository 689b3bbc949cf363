//! The commands over the stored fleet.

pub(super) mod args;
pub(super) mod bulk;
pub(super) mod report;
pub(super) mod webhooks;
pub(super) mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::engine::{Engine, Plan, Wrap};
use crate::cli::failure::Failure;
use crate::service::metered::Metered;
use crate::service::monitor::{Finished, News};
use crate::store::{self, Recorded, Store};

/// Opens a database.
async fn open(url: &str) -> Result<Arc<dyn Store>, Failure> {
    Ok(store::open(url).await?)
}

/// Makes the checker; where the database is shared, it asks the servers that all processes ask with tokens of all.
async fn start(plan: &Plan, url: &str, store: &Arc<dyn Store>) -> Result<Engine, Failure> {
    let is_shared = url.starts_with("postgres");
    let (store, pace) = (Arc::clone(store), plan.config.pace.anycast);
    let wrap: Wrap = Box::new(move |inner| Arc::new(Metered::new(inner, store, pace)));
    plan.start_through(false, is_shared.then_some(wrap)).await
}

/// Says in one line what changed with a domain; `None` where nothing did, or the result did not count.
fn change(finished: &Finished) -> Option<String> {
    let Finished { before, outcome, recorded } = finished;
    let is_same = before.last_verdict == Some(outcome.report.verdict) && before.state == outcome.state;
    if *recorded != Recorded::Written || is_same {
        return None;
    }
    let verdict = match before.last_verdict {
        Some(verdict) if verdict != outcome.report.verdict => {
            format!("{} -> {}", verdict.as_str(), outcome.report.verdict.as_str())
        }
        _ => outcome.report.verdict.as_str().to_owned(),
    };
    let cause = outcome.report.root_cause.map(|code| format!(" ({})", code.as_str())).unwrap_or_default();
    let event = outcome.event.as_ref().map(|event| format!(", {}", event.kind.as_str())).unwrap_or_default();
    let tenant = before.tenant.as_ref().map(|tenant| format!(" [{tenant}]")).unwrap_or_default();
    Some(format!("{}: {verdict}{cause}{event}{tenant}", before.name.to_text_without_dot()))
}

/// Says what a monitor has to tell besides results; the same trouble once in a while, however many meet it.
#[derive(Default)]
struct Remarks {
    /// The last trouble, and when it was told.
    told: Mutex<Option<(String, Instant)>>,
}

impl Remarks {
    /// For how long the same trouble is not told again.
    const QUIET: Duration = Duration::from_secs(30);

    /// Says it in one line; `None` where there is nothing to tell.
    fn line(&self, news: &News) -> Option<String> {
        match news {
            News::Finished(_) => None,
            News::Shards { held, workers } => {
                let others = workers.saturating_sub(1);
                Some(format!("holds {held} of {} shards; {others} other workers are alive", store::SHARDS))
            }
            News::Rescued(shards) => Some(format!("took over {shards} shards of a worker that went silent")),
            News::Trouble(text) => self.is_new(text).then(|| format!("{text}; trying again")),
        }
    }

    /// Says whether a trouble is another one than the last, or that one was told a while ago.
    fn is_new(&self, text: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref().is_some_and(|(last, at)| last == text && at.elapsed() < Self::QUIET) {
            return false;
        }
        *told = Some((text.to_owned(), Instant::now()));
        true
    }
}
