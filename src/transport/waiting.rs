//! Who waits in our own queues, and how long a check may take besides.
//!
//! A question waits for the pace of its server, for the same question of another check, or for another check to find out
//! what both need. None of that is its domain's doing, so that it does not count as the time of the check.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, timeout};

use crate::budget::{Budget, Errand};

/// The least time after which is looked again whether the time of a check is up: its clock stands still meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A question at an errand, until this is dropped.
pub struct OnErrand<'a> {
    /// The purse of its check.
    budget: &'a Budget,
    /// What it does.
    errand: Errand,
}

impl<'a> OnErrand<'a> {
    /// Begins an errand.
    #[must_use]
    pub fn begin(budget: &'a Budget, errand: Errand) -> Self {
        budget.begin(errand, Instant::now().into_std());
        Self { budget, errand }
    }
}

impl Drop for OnErrand<'_> {
    fn drop(&mut self) {
        self.budget.end(self.errand, Instant::now().into_std());
    }
}

pin_project! {
    /// Waits for something that is not the doing of the check.
    ///
    /// By hand, since an `async fn` would hold what it waits for twice, and there is one of these for every question.
    pub struct Wait<'a, F> {
        #[pin]
        turn: F,
        budget: &'a Budget,
        // From when it had to wait.
        errand: Option<OnErrand<'a>>,
    }
}

/// Waits for something that is not the doing of the check. What is there at once costs nothing.
pub fn wait<F: Future>(budget: &Budget, turn: F) -> Wait<'_, F> {
    Wait { turn, budget, errand: None }
}

impl<F: Future> Future for Wait<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let turn = this.turn.poll(context);
        match turn {
            Poll::Ready(_) => *this.errand = None,
            Poll::Pending => {
                this.errand.get_or_insert_with(|| OnErrand::begin(this.budget, Errand::Waiting));
            }
        }
        turn
    }
}

/// Does a part of a check within `limit`, not counting the time in which the check only waited; `None` where that is up.
pub async fn within<F: Future + ?Sized>(budget: &Budget, limit: Duration, mut part: Pin<&mut F>) -> Option<F::Output> {
    let started = Instant::now();
    let queued_before = budget.queued_for(started.into_std());
    let mut left = limit;
    loop {
        if let Ok(done) = timeout(left, part.as_mut()).await {
            return Some(done);
        }
        let now = Instant::now();
        let queued = budget.queued_for(now.into_std()).saturating_sub(queued_before);
        let spent = now.duration_since(started).saturating_sub(queued);
        left = limit.checked_sub(spent).filter(|left| !left.is_zero())?.max(LOOK_AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn time_in_a_queue_does_not_count_and_time_at_servers_does() {
        let budget = Budget::for_check();
        let out = || async {
            let _out = OnErrand::begin(&budget, Errand::Out);
            sleep(SECOND * 4).await;
        };
        let started = Instant::now();
        let part = async {
            out().await;
            wait(&budget, sleep(SECOND * 600)).await;
            out().await;
        };
        assert_eq!(within(&budget, SECOND * 9, pin!(part)).await, Some(()));
        assert_eq!(started.elapsed(), SECOND * 608);
        let beside = async { futures::join!(wait(&budget, sleep(SECOND * 600)), out(), sleep(SECOND * 600)) };
        assert!(within(&budget, SECOND * 3, pin!(beside)).await.is_none(), "one is out while another one waits");
        let endless = async {
            wait(&budget, sleep(SECOND)).await;
            futures::future::pending::<()>().await;
        };
        let started = Instant::now();
        assert!(within(&budget, SECOND * 30, pin!(endless)).await.is_none());
        assert_eq!(started.elapsed(), SECOND * 31);
    }
}
