//! What one worker does for all: asking SES, and sweeping. Who holds a duty's shard does it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::keeper::Held;
use super::{News, is_waited_for};
use crate::service::feed::Feed;
use crate::service::operator::shard_of_key;
use crate::store::{Retention, Store, StoreError};

/// How often is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often is looked whether a duty is ours and due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what is over is kept: a quarter of history, a year of events, a month of runs.
const RETENTION: Retention = Retention {
    history: Duration::from_secs(90 * 24 * 60 * 60),
    events: Duration::from_secs(365 * 24 * 60 * 60),
    runs: Duration::from_secs(30 * 24 * 60 * 60),
};

/// Does the duties for ever; ends only with a failure that trying again does not mend.
pub(super) async fn serve(
    store: Arc<dyn Store>,
    feed: Option<(Feed, Duration)>,
    held: watch::Receiver<Option<Held>>,
    news: Arc<dyn Fn(News) + Send + Sync>,
) -> Result<(), StoreError> {
    let (mut ask_at, mut sweep_at) = (Instant::now(), Instant::now() + SWEEP_EVERY);
    let is_ours = |key: &str| {
        let held = held.borrow();
        held.as_ref().is_some_and(|held| held.is_fresh() && held.has_shard(shard_of_key(key)))
    };
    loop {
        let done = match &feed {
            Some((feed, every)) if ask_at <= Instant::now() && is_ours(&format!("ses {}", feed.region())) => {
                ask_at = Instant::now() + *every;
                feed.pass().await.map(|pass| {
                    if let Some(error) = pass.trouble {
                        news(News::Trouble(error.to_string()));
                    }
                })
            }
            _ if sweep_at <= Instant::now() && is_ours("sweep") => {
                sweep_at = Instant::now() + SWEEP_EVERY;
                let now = store.now().await;
                match now {
                    Ok(now) => store.sweep(&RETENTION, now).await.map(drop),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(()),
        };
        match done {
            Err(error) if !is_waited_for(&error) => return Err(error),
            Err(error) => news(News::Trouble(error.to_string())),
            Ok(()) => {}
        }
        sleep(LOOK_EVERY).await;
    }
}
