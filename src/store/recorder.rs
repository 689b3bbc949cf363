//! Gathers outcomes from many checks, and records them together: one transaction, one wait for the disk.
//!
//! Whoever records an outcome waits until it is written; meanwhile others join the batch. While the database is away
//! the batch is kept and tried again; a thousand outcomes wait at most, then [`Recorder::record`] waits to hand over,
//! so that a worker that asks for no more work than it can record stops by itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::{MAX_BATCH, Outcome, Recorded, Store, StoreError, persist};

/// How long the first outcome of a batch waits for others (threats.md section 4).
const GATHER: Duration = Duration::from_millis(50);
/// How many outcomes wait at most while the database is away (threats.md section 4).
const MAX_WAITING: usize = 1000;

/// An outcome, and who waits for the answer.
type Waiting = (Outcome, oneshot::Sender<Result<Recorded, Arc<StoreError>>>);

/// Records outcomes in batches; cheap to clone. What it was given is recorded even if the last one is dropped, as long
/// as the runtime goes on.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// The way to the task that writes.
    sender: mpsc::Sender<Waiting>,
}

impl Recorder {
    /// Starts the task that writes to a store; it ends after the last recorder.
    #[must_use]
    pub fn start(store: Arc<dyn Store>) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING - MAX_BATCH);
        (Self { sender }, tokio::spawn(write_batches(store, receiver)))
    }

    /// Records an outcome, and says what became of it. Dropped while it waits, the outcome may be recorded or not.
    ///
    /// # Errors
    /// What made the store refuse the batch for good.
    pub async fn record(&self, outcome: Outcome) -> Result<Recorded, Arc<StoreError>> {
        let (answer, answered) = oneshot::channel();
        let gone = || Arc::new(StoreError::Unavailable("the task that records has ended".to_owned()));
        self.sender.send((outcome, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Writes batch after batch.
async fn write_batches(store: Arc<dyn Store>, mut receiver: mpsc::Receiver<Waiting>) {
    while let Some(first) = receiver.recv().await {
        let (mut outcomes, mut answers) = (vec![first.0], vec![first.1]);
        let deadline = Instant::now() + GATHER;
        while outcomes.len() < MAX_BATCH
            && let Ok(Some((outcome, answer))) = timeout_at(deadline, receiver.recv()).await
        {
            outcomes.push(outcome);
            answers.push(answer);
        }
        let told = |error: &StoreError, pause: Duration| {
            tracing::warn!(outcomes = outcomes.len(), ?pause, %error, "cannot record yet");
        };
        match persist(|| store.record(&outcomes), told).await {
            Ok(recorded) => answers.into_iter().zip(recorded).for_each(|(answer, recorded)| {
                // Whoever asked may have gone.
                let _ = answer.send(Ok(recorded));
            }),
            Err(error) => {
                let error = Arc::new(error);
                answers.into_iter().for_each(|answer| {
                    let _ = answer.send(Err(Arc::clone(&error)));
                });
            }
        }
    }
}
