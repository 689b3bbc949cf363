//! Records outcomes in batches, and waits for a database that is away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{News, is_waited_for};
use crate::store::{Domain, MAX_BATCH, Outcome, Recorded, Store, StoreError, pause_after};

/// How long the first outcome of a batch waits for others: one transaction serves them all.
const GATHER: Duration = Duration::from_millis(50);

/// An outcome that is to be recorded.
#[derive(Debug)]
pub(super) struct Done {
    /// The domain as it stood before.
    pub(super) before: Domain,
    /// What to record.
    pub(super) outcome: Outcome,
}

/// A domain that was checked.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The domain as it stood before.
    pub before: Domain,
    /// What the check came to.
    pub outcome: Outcome,
    /// What became of that.
    pub recorded: Recorded,
}

/// Records what comes in until nothing more does; tells each that is done.
pub(super) async fn record(
    store: Arc<dyn Store>,
    mut incoming: mpsc::Receiver<Done>,
    recorded: mpsc::UnboundedSender<Finished>,
    news: Arc<dyn Fn(News) + Send + Sync>,
) -> Result<(), StoreError> {
    let mut batch = Vec::new();
    while incoming.recv_many(&mut batch, MAX_BATCH).await > 0 {
        if batch.len() < MAX_BATCH {
            sleep(GATHER).await;
            while batch.len() < MAX_BATCH
                && let Ok(done) = incoming.try_recv()
            {
                batch.push(done);
            }
        }
        let (befores, outcomes): (Vec<Domain>, Vec<Outcome>) =
            batch.drain(..).map(|done: Done| (done.before, done.outcome)).unzip();
        let answers = write(store.as_ref(), &outcomes, &news).await?;
        for ((before, outcome), recorded_as) in befores.into_iter().zip(outcomes).zip(answers) {
            // Nobody listens any more once the work is broken off.
            let _ = recorded.send(Finished { before, outcome, recorded: recorded_as });
        }
    }
    Ok(())
}

/// Writes a batch, again and again while the database is away: writing it twice is as writing it once.
async fn write(
    store: &dyn Store,
    outcomes: &[Outcome],
    news: &Arc<dyn Fn(News) + Send + Sync>,
) -> Result<Vec<Recorded>, StoreError> {
    let mut failures = 0;
    loop {
        match store.record(outcomes).await {
            Ok(recorded) => return Ok(recorded),
            Err(error) if is_waited_for(&error) => {
                failures += 1;
                news(News::Trouble(format!("{error}; {} results wait", outcomes.len())));
                sleep(pause_after(failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
}
