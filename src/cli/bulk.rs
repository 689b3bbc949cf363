//! `zoneproof bulk`: many domains.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::bulk::tally::Gist;
use crate::bulk::{Event, Finished, Format, Run, Settings, Tally};
use crate::cli::args::{BulkArguments, Requirement};
use crate::cli::bulk_input::Input;
use crate::cli::bulk_output::{Sink, Writer};
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
use crate::cli::fleet;
use crate::cli::interrupt::Interrupts;
use crate::cli::progress::Progress;
#[cfg(feature = "ses")]
use crate::cli::ses::BesideSes;
use crate::cli::{NOT_CHECKED, NOT_POSSIBLE, NOT_READY, WELL, console, summary};
use crate::expectation::Depth;
use crate::report::Verdict;

/// How often lines are written out: what a kill may lose.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// All rows are done.
    Complete,
    /// The input could not be read to its end.
    InputBroken,
    /// Nothing can be written any more: the writer tells why.
    OutputBroken,
    /// A signal came; the exit code that belongs to it.
    Interrupted(u8),
}

/// Checks all rows.
pub(super) async fn run(arguments: BulkArguments) -> Result<u8, Failure> {
    let plan = Plan::read(&arguments.resolver, source(&arguments))?
        .with_cloudflare_ranges(arguments.cloudflare_ranges.as_deref())?;
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    if let Some(url) = arguments.database.clone() {
        return fleet::bulk::run(arguments, plan, &url).await;
    }
    let input = Input::open(&arguments, &plan)?;
    let engine = plan.start(false).await?;
    #[cfg(feature = "ses")]
    let beside = BesideSes::start(&arguments.ses, arguments.region.as_deref(), &plan, &engine).await?;
    // Without a root server every row would come out the same, after half a minute each.
    if !engine.checker.is_root_answering().await {
        console::warn_of_interception(&engine.checker);
        return Err(Failure::NoRoot { port: engine.port });
    }
    let settings = Settings {
        at_once: plan.config.concurrency,
        depth: plan.config.depth.unwrap_or(Depth::Quick),
        required: Requirement::kinds(&arguments.require),
    };
    let format = format(&arguments);
    let (sink, earlier) = Sink::open(&arguments, &input, format)?;
    let interrupts = Interrupts::listen()?;
    let is_shared = sink.is_standard() && console::is_stdout_terminal();
    let progress = Progress::start(input.rows(), earlier.done.len(), is_shared);
    let mut work = Work {
        writer: Writer::start(sink, format),
        progress,
        tally: earlier.tally,
        earlier: earlier.done.len(),
        started: Instant::now(),
    };
    let run = Run::start(engine.checker.clone(), settings, input.rows, earlier.done);
    #[cfg(feature = "ses")]
    let run = match beside {
        Some(beside) => run.with_check(beside.row_check()),
        None => run,
    };
    let end = work.drive(run, interrupts).await;
    console::warn_of_interception(&engine.checker);
    let code = work.conclude(end).await?;
    if arguments.stats {
        console::note(summary::counters(&engine.checker.metrics()).trim_end());
    }
    Ok(code)
}

/// Says who is asked.
fn source(arguments: &BulkArguments) -> Source<'static> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    let _ = arguments;
    Source::Live
}

/// Says how lines are written.
fn format(arguments: &BulkArguments) -> Format {
    let is_csv = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    match arguments.format {
        Some(word) => word.into(),
        None if arguments.summary_only => Format::Nothing,
        None if arguments.output.as_deref().is_some_and(is_csv) => Format::Csv,
        None if arguments.output.is_none() && console::is_stdout_terminal() => Format::Text,
        None => Format::JsonLines,
    }
}

/// A run under way.
struct Work {
    /// What has lines written.
    writer: Writer,
    /// How it is shown.
    progress: Progress,
    /// How it came out so far, earlier runs included.
    tally: Tally,
    /// How many rows earlier runs have done.
    earlier: u64,
    /// When this run started.
    started: Instant,
}

impl Work {
    /// Takes events until there are no more, a signal comes, or nothing can be written.
    ///
    /// While lines wait to be written no more are taken, so that no more checks begin either; those under way go on.
    async fn drive(&mut self, mut run: Run, mut interrupts: Interrupts) -> End {
        let mut flushes = tokio::time::interval(FLUSH_EVERY);
        flushes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut end = End::Complete;
        loop {
            let is_full = self.writer.is_full();
            tokio::select! {
                biased;
                code = interrupts.next() => return End::Interrupted(code),
                () = self.writer.broken() => return End::OutputBroken,
                _ = flushes.tick() => {
                    self.writer.hand_over();
                    self.progress.show(&self.tally);
                }
                () = self.writer.room(), if is_full => self.writer.hand_over(),
                event = run.next(), if !is_full => match event {
                    None => return end,
                    Some(Event::Finished(finished)) => self.take(&finished),
                    Some(Event::Ignored(columns)) => {
                        self.progress.note(&format!("note: not used: {}", columns.join(", ")));
                    }
                    Some(Event::Broken(error)) => {
                        self.progress.note(&format!("error: the input cannot be read any further: {error}"));
                        end = End::InputBroken;
                    }
                },
            }
        }
    }

    /// Gathers the line of a row and counts it.
    fn take(&mut self, finished: &Finished) {
        self.writer.gather(finished);
        self.tally.add(&Gist::of_row(finished));
        if let Err(error) = &finished.outcome {
            let line = finished.input_line.map(|line| format!(" (line {line})")).unwrap_or_default();
            self.progress.note(&format!("error: row {}{line}: {error}", finished.row));
        }
    }

    /// Writes what is left, sums up and says how to go on; returns the exit code.
    async fn conclude(self, end: End) -> Result<u8, Failure> {
        let (sink, written) = self.writer.finish().await?;
        self.progress.clear();
        let is_resumable = sink.is_resumable();
        if let Err(error) = written {
            if error.kind() == ErrorKind::BrokenPipe && sink.is_standard() {
                // Nobody reads the results any more.
                return Ok(exit_code(&self.tally));
            }
            if is_resumable {
                console::note(&how_to_go_on());
            }
            return Err(sink.failure(error));
        }
        console::note(summary::text(&self.tally, self.earlier, self.started.elapsed()).trim_end());
        sink.close(end == End::Complete)?;
        match end {
            End::Interrupted(code) => {
                let rows = self.tally.rows;
                let hint = if is_resumable {
                    how_to_go_on()
                } else {
                    "it cannot go on later: that takes -o FILE and a file as input".to_owned()
                };
                console::note(&format!("interrupted after {rows} rows; {hint}"));
                Ok(code)
            }
            End::InputBroken => Ok(NOT_POSSIBLE),
            End::Complete | End::OutputBroken => Ok(exit_code(&self.tally)),
        }
    }
}

/// Returns the exit code of a run.
pub(super) fn exit_code(tally: &Tally) -> u8 {
    if tally.bad_rows > 0 {
        NOT_POSSIBLE
    } else if tally.not_ready() > 0 {
        NOT_READY
    } else if tally.of(Verdict::Indeterminate) > 0 {
        NOT_CHECKED
    } else {
        WELL
    }
}

/// Writes the command that goes on with this run.
fn how_to_go_on() -> String {
    let mut words: Vec<String> = std::env::args_os().map(|word| quoted(&word.to_string_lossy())).collect();
    if !words.iter().any(|word| word == "--resume") {
        words.push("--resume".to_owned());
    }
    format!("go on with:\n  {}", words.join(" "))
}

/// Quotes a word for a shell, where it needs that.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_row_gives_the_exit_code() {
        let tally = |verdicts: &[(Verdict, u64)], bad_rows| Tally {
            verdicts: verdicts.iter().copied().collect(),
            bad_rows,
            ..Tally::default()
        };
        for (verdicts, bad_rows, code) in [
            (&[][..], 0, 0),
            (&[(Verdict::Ready, 2)], 0, 0),
            (&[(Verdict::Ready, 2), (Verdict::Indeterminate, 1)], 0, 3),
            (&[(Verdict::Propagating, 1), (Verdict::Indeterminate, 1)], 0, 1),
            (&[(Verdict::Failing, 1)], 0, 1),
            (&[(Verdict::Failing, 1)], 1, 2),
        ] {
            assert_eq!(exit_code(&tally(verdicts, bad_rows)), code, "{verdicts:?} {bad_rows}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        for (word, expected) in [("a.csv", "a.csv"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(quoted(word), expected);
        }
    }
}
