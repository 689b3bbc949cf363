//! The bar of a bulk run: how far, how fast, how long still. Only on a terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::bulk::Tally;
use crate::cli::console;
use crate::report::Verdict;

/// How many times a second the bar is drawn.
const DRAWS_PER_SECOND: u8 = 5;
/// How often the bar moves while nothing ends.
const TICK: Duration = Duration::from_millis(500);

/// Shows how a run goes, and lets lines be written around the bar.
pub(super) struct Progress {
    /// The bar; hidden where standard error is no terminal.
    bar: ProgressBar,
}

impl Progress {
    /// Starts with `done` rows of `total`; `total` is `None` where nobody knows.
    ///
    /// `is_shared` says that results go to the same terminal, where a bar would only get in their way.
    pub(super) fn start(total: Option<u64>, done: u64, is_shared: bool) -> Self {
        if is_shared || !console::is_stderr_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
        let layout = match total {
            Some(_) => "{bar:30} {pos}/{len}  {rate}  {eta} left  {msg}",
            None => "{spinner} {pos} rows  {rate}  {elapsed}  {msg}",
        };
        // The layout is fixed and right; the plain bar would do too.
        let layout = ProgressStyle::with_template(layout).unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // The bar is drawn anew soon.
            let _ = write!(text, "{:.1} a second", state.per_sec());
        };
        bar.set_style(layout.with_key("rate", rate));
        bar.set_position(done);
        bar.reset_eta();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// Shows the counts.
    pub(super) fn show(&self, tally: &Tally) {
        self.bar.set_position(tally.rows);
        if self.bar.length().is_some_and(|length| length < tally.rows) {
            self.bar.set_length(tally.rows);
        }
        if !self.bar.is_hidden() {
            let (ready, unknown) = (tally.of(Verdict::Ready), tally.of(Verdict::Indeterminate));
            self.bar.set_message(format!("{ready} ready, {} not ready, {unknown} not checked", tally.not_ready()));
        }
    }

    /// Writes a line to standard error, above the bar.
    pub(super) fn note(&self, line: &str) {
        self.bar.suspend(|| console::note(line));
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
