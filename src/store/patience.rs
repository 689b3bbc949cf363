//! Asking again while the database is away.

use std::time::Duration;

use super::{Answer, StoreError};

/// The first pause (SECURITY.md, limits).
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause (SECURITY.md, limits).
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Says how long to wait before the try after `failures` failed ones: twice as long each time, up to ten seconds, and
/// by chance up to half of it less, so that those who lost a database together do not all come back at once.
#[must_use]
pub fn pause_after(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u32 << failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_PAUSE).mul_f64(rand::random_range(0.5..1.0))
}

/// Makes a call until it works or fails for good. `told` hears of each failure that is not for good, and of the pause
/// after it. Whoever cannot wait for ever drops the future.
///
/// # Errors
/// The first [`StoreError`] that is not transient.
pub async fn persist<'a, T>(
    mut call: impl FnMut() -> Answer<'a, T>,
    mut told: impl FnMut(&StoreError, Duration),
) -> Result<T, StoreError> {
    let mut failures = 0;
    loop {
        match call().await {
            Err(error) if error.is_transient() => {
                failures += 1;
                let pause = pause_after(failures);
                told(&error, pause);
                tokio::time::sleep(pause).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::FutureExt as _;

    use super::*;

    #[test]
    fn pauses_double_from_a_tenth_of_a_second_to_ten() {
        let cases = [(1, 100), (2, 200), (3, 400), (7, 6_400), (8, 10_000), (40, 10_000)];
        for (failures, longest) in cases {
            let pauses = Duration::from_millis(longest / 2)..=Duration::from_millis(longest);
            assert!((0..100).all(|_| pauses.contains(&pause_after(failures))), "{failures} failures");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_made_until_the_database_is_back() {
        let (mut calls, mut pauses) = (0, Vec::new());
        let call = || {
            calls += 1;
            let answer = if calls < 10 { Err(StoreError::Unavailable("away".to_owned())) } else { Ok(calls) };
            async move { answer }.boxed()
        };
        assert_eq!(persist(call, |_, pause| pauses.push(pause)).await.ok(), Some(10));
        assert_eq!(pauses.len(), 9);
        assert!(pauses.iter().all(|pause| *pause >= FIRST_PAUSE / 2 && *pause <= LONGEST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_good_is_not_tried_again() {
        let mut calls = 0;
        let call = || {
            calls += 1;
            async { Err::<(), _>(StoreError::Full("disk".to_owned())) }.boxed()
        };
        assert!(persist(call, |_, _| {}).await.is_err());
        assert_eq!(calls, 1);
    }
}
