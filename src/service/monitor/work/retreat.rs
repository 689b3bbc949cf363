//! The end of work: what is under way is finished, recorded, or let go of, within the grace.

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::super::inspect::Inspected;
use super::super::{GRACE, GRACE_TO_RECORD, Tally};
use super::{DomainId, ShardLease, StoreError, Task, Work, broken_off};

impl Work {
    /// Finishes what is under way and lets go of what is not done in time; nothing more is claimed.
    pub(super) async fn retreat(
        mut self,
        mut recording: JoinHandle<Result<(), StoreError>>,
    ) -> Result<Tally, StoreError> {
        let deadline = Instant::now() + GRACE;
        let inspections_end = deadline - GRACE_TO_RECORD;
        while let Ok(Some(task)) = timeout_at(inspections_end, self.tasks.join_next()).await {
            match task {
                // Claims that come now are not begun.
                Ok(Task::Claimed(_, _, Ok(claims))) => {
                    let claims: Vec<(DomainId, ShardLease)> =
                        claims.into_iter().map(|claim| (claim.domain.id, claim.lease)).collect();
                    self.unclaim(&claims).await;
                }
                Ok(Task::Inspected(Inspected::Done(done))) => {
                    self.end_inspection(&done.outcome.domain);
                    let _ = self.outcomes.try_send(*done);
                }
                Ok(Task::Moved(moves, Ok(()))) => moves.iter().for_each(|(domain, ..)| self.count_out(domain)),
                _ => {}
            }
        }
        self.tasks.abort_all();
        // The recorder ends once it has written what it was given.
        let (closed, _) = tokio::sync::mpsc::channel(1);
        drop(std::mem::replace(&mut self.outcomes, closed));
        let recorded = timeout_at(deadline, &mut recording).await;
        while let Ok(finished) = self.recorded.try_recv() {
            self.settle(finished);
        }
        self.let_go().await;
        match recorded {
            Ok(Ok(Ok(()))) => Ok(self.tally),
            Ok(ended) => Err(broken_off(ended)),
            Err(_) => {
                recording.abort();
                Err(StoreError::Unavailable("the database did not take the last results in time".to_owned()))
            }
        }
    }

    /// Lets go of every claim that is still out, as far as the database is there.
    pub(super) async fn let_go(&mut self) {
        self.tasks.abort_all();
        let claims: Vec<(DomainId, ShardLease)> = self.out.drain().map(|(domain, out)| (domain, out.lease)).collect();
        self.unclaim(&claims).await;
    }

    /// Lets go of claims; where that does not work they are free again when the shards go to somebody else.
    async fn unclaim(&self, claims: &[(DomainId, ShardLease)]) {
        if !claims.is_empty() {
            let end = Instant::now() + GRACE_TO_RECORD;
            let _ = timeout_at(end, self.store.unclaim(claims)).await;
        }
    }
}
