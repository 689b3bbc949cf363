//! Many domains: rows in, one line per row out, in order of completion.
//!
//! Few rows are read ahead of the checks, so that the memory a run takes does not depend on how many there are. A row that
//! cannot be read comes out like the others, and the run goes on. Nothing here writes or prints: the caller takes what is
//! finished one by one, and may stop at any time.

mod ahead;
pub mod csv_line;
pub mod input;
pub mod output;
pub mod resume;
pub mod row_set;
pub mod tally;

use std::io::{self, BufRead};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::bulk::ahead::RowsAhead;
use crate::check::Checker;
use crate::expectation::{Depth, Expectation, RecordKind};
use crate::report::Report;
pub use input::{Item, Row, Rows};
pub use output::{Finished, Format};
pub use row_set::RowSet;
pub use tally::Tally;

/// How many checks may wait for the runtime to begin with them. A new one waits behind all that is ready: where replies
/// come faster than they are judged, no more are begun meanwhile, so that what is under way stays in the processor's caches.
const MAX_UNBEGUN: usize = 8;

/// How every row is checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many domains are checked at the same time.
    pub at_once: usize,
    /// How much is looked at.
    pub depth: Depth,
    /// Which records the verdict depends on too.
    pub required: Vec<RecordKind>,
}

/// How one row comes to its report, where it takes more than the DNS; an error is one line for that row.
///
/// It is given the row and what the plain check would do with an expectation.
pub type RowCheck = Arc<dyn Fn(Row, DnsCheck) -> BoxFuture<'static, Result<Report, String>> + Send + Sync>;

/// Checks the DNS as a run does.
#[derive(Clone)]
pub struct DnsCheck {
    /// Checks the domains.
    checker: Checker,
    /// How much is looked at.
    depth: Depth,
    /// Which records the verdict depends on too.
    required: Arc<[RecordKind]>,
}

impl DnsCheck {
    /// Checks one domain.
    pub async fn check(&self, expectation: Expectation) -> Report {
        self.checker.check(&expectation.require(&self.required).with_depth(self.depth)).await
    }
}

/// What a run tells next.
#[derive(Debug)]
pub enum Event {
    /// A row is done.
    Finished(Finished),
    /// These columns of the input are not used.
    Ignored(Vec<String>),
    /// The input cannot be read any further.
    Broken(io::Error),
}

/// A run over all rows of an input.
pub struct Run {
    /// Checks the domains.
    dns: DnsCheck,
    /// What takes the place of a plain check.
    own_check: Option<RowCheck>,
    /// How.
    settings: Settings,
    /// What was read ahead.
    rows: RowsAhead,
    /// Whether more rows may come.
    is_open: bool,
    /// The places of checks that have not begun.
    unbegun: Arc<Semaphore>,
    /// The checks under way.
    checks: JoinSet<Finished>,
}

impl Run {
    /// Starts to read `rows`, all but those in `done`. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start<R: BufRead + Send + 'static>(
        checker: Checker,
        settings: Settings,
        rows: Rows<R>,
        done: RowSet,
    ) -> Self {
        let rows = RowsAhead::start(rows, done);
        let unbegun = Arc::new(Semaphore::new(MAX_UNBEGUN));
        let dns = DnsCheck { checker, depth: settings.depth, required: settings.required.clone().into() };
        Self { dns, own_check: None, settings, rows, is_open: true, unbegun, checks: JoinSet::new() }
    }

    /// Has each row come to its report in another way.
    #[must_use]
    pub fn with_check(self, check: RowCheck) -> Self {
        Self { own_check: Some(check), ..self }
    }

    /// Waits for the next event; `None` once all rows are done. May be dropped at any time and called again.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let has_slot = self.is_open && self.checks.len() < self.settings.at_once.max(1);
            tokio::select! {
                Some(done) = self.checks.join_next() => {
                    // A check neither panics past its catch nor is it aborted while the run lives.
                    if let Ok(finished) = done {
                        return Some(Event::Finished(finished));
                    }
                }
                (place, item) = next_row(&self.unbegun, &mut self.rows), if has_slot => match item {
                    Some(Item::Row(row)) => self.spawn(row, place),
                    Some(Item::Bad { row, line, error }) => {
                        return Some(Event::Finished(Finished { row, outcome: Err(error), input_line: Some(line) }));
                    }
                    Some(Item::Ignored(columns)) => return Some(Event::Ignored(columns)),
                    Some(Item::Broken(error)) => return Some(Event::Broken(error)),
                    None => self.is_open = false,
                },
                else => return None,
            }
        }
    }

    /// Starts the check of one row, and gives its place back once it has begun.
    fn spawn(&mut self, row: Row, place: Option<OwnedSemaphorePermit>) {
        let (dns, own_check) = (self.dns.clone(), self.own_check.clone());
        self.checks.spawn(async move {
            drop(place);
            let (number, line) = (row.number, row.line);
            let check = async move {
                match own_check {
                    Some(check) => check(row, dns).await,
                    None => Ok(dns.check(row.expectation()?).await),
                }
            };
            // In a box, since it is large and moved about with its task.
            let outcome = AssertUnwindSafe(check.boxed()).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err("the check broke off: a fault of ours".to_owned()));
            let input_line = outcome.is_err().then_some(line);
            let outcome = outcome.map(|report| Box::new(Report { row: Some(number), ..report }));
            Finished { row: number, outcome, input_line }
        });
    }
}

/// Waits for a place for one more check and for its row.
async fn next_row(unbegun: &Arc<Semaphore>, rows: &mut RowsAhead) -> (Option<OwnedSemaphorePermit>, Option<Item>) {
    // Without a place there is none to give back: nobody closes this.
    let place = Arc::clone(unbegun).acquire_owned().await.ok();
    (place, rows.next().await)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::{future, poll};
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn as_many_checks_are_under_way_as_are_wanted_and_no_more() {
        const AT_ONCE: usize = 5 * MAX_UNBEGUN;
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&begun);
        let endless: RowCheck = Arc::new(move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            future::pending().boxed()
        });
        let rows: String = (0..2 * AT_ONCE).map(|number| format!("t{number}.example\n")).collect();
        let rows = Rows::open_for_domains(Cursor::new(format!("domain\n{rows}"))).unwrap();
        let settings = Settings { at_once: AT_ONCE, depth: Depth::Quick, required: Vec::new() };
        let checker = Checker::builder().build().unwrap();
        let mut run = Run::start(checker, settings, rows, RowSet::default()).with_check(endless);
        let mut next = pin!(run.next());
        // Rows come from a thread of their own.
        while begun.load(Ordering::Relaxed) < AT_ONCE {
            assert!(poll!(&mut next).is_pending());
            yield_now().await;
        }
        for _ in 0..AT_ONCE {
            assert!(poll!(&mut next).is_pending());
            yield_now().await;
        }
        assert_eq!(begun.load(Ordering::Relaxed), AT_ONCE);
    }
}
