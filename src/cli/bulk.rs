//! `zoneproof bulk`: many domains.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::bulk::resume::{Earlier, OutputError, OutputFile};
use crate::bulk::tally::Gist;
use crate::bulk::{Event, Finished, Format, Run, Settings, Tally};
use crate::cli::args::{BulkArguments, Requirement};
use crate::cli::bulk_input::Input;
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
/// How many octets of lines are gathered before that.
const BUFFER_OCTETS: usize = 1 << 16;

/// Where lines go.
enum Sink {
    /// To a file.
    File(OutputFile),
    /// To standard output.
    Standard(io::Stdout),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// All rows are done.
    Complete,
    /// The input could not be read to its end.
    InputBroken,
    /// Nobody reads the results any more.
    PipeClosed,
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
    let (sink, earlier) = open_sink(&arguments, &input, format)?;
    let interrupts = Interrupts::listen()?;
    let is_shared = matches!(sink, Sink::Standard(_)) && console::is_stdout_terminal();
    let progress = Progress::start(input.rows(), earlier.done.len(), is_shared);
    let mut work = Work {
        sink,
        format,
        lines: Vec::new(),
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
    let code = work.conclude(end)?;
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

/// Opens the output, and reads what is there where the run goes on.
fn open_sink(arguments: &BulkArguments, input: &Input, format: Format) -> Result<(Sink, Earlier), Failure> {
    let Some(path) = arguments.output.as_deref().filter(|path| *path != Path::new("-")) else {
        if arguments.resume {
            return Err(OutputError::NoFile("standard output".into()).into());
        }
        let mut sink = Sink::Standard(io::stdout());
        sink.write(format.header().as_bytes()).map_err(Failure::stdout)?;
        return Ok((sink, Earlier::default()));
    };
    if arguments.resume && input.fingerprint.is_none() {
        return Err(Failure::ResumeStandardInput);
    }
    if arguments.resume && format == Format::Text {
        return Err(Failure::ResumeText);
    }
    let fingerprint = input.fingerprint.as_ref();
    let (file, earlier) = OutputFile::open(path, input.path.as_deref(), fingerprint, format, arguments.resume)?;
    let is_empty = file.is_empty();
    let mut sink = Sink::File(file);
    if is_empty {
        sink.write(format.header().as_bytes()).map_err(|source| sink.failure(source))?;
    }
    Ok((sink, earlier))
}

impl Sink {
    /// Writes lines out.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(lines),
            Self::Standard(stdout) => stdout.write_all(lines).and_then(|()| stdout.flush()),
        }
    }

    /// Says that nothing can be written.
    fn failure(&self, source: io::Error) -> Failure {
        match self {
            Self::File(file) => Failure::Write { name: file.path().display().to_string(), source },
            Self::Standard(_) => Failure::stdout(source),
        }
    }

    /// Says whether the run can go on later.
    fn is_resumable(&self) -> bool {
        matches!(self, Self::File(file) if file.is_resumable())
    }

    /// Ends the output; `is_complete` says that every row is in it.
    fn close(self, is_complete: bool) -> Result<(), Failure> {
        if let Self::File(file) = self
            && is_complete
        {
            file.finish()?;
        }
        Ok(())
    }
}

/// A run under way.
struct Work {
    /// Where lines go.
    sink: Sink,
    /// How they are written.
    format: Format,
    /// Those that are gathered: always whole ones, all in the same room.
    lines: Vec<u8>,
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
    async fn drive(&mut self, mut run: Run, mut interrupts: Interrupts) -> Result<End, io::Error> {
        let mut flushes = tokio::time::interval(FLUSH_EVERY);
        flushes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut end = End::Complete;
        loop {
            tokio::select! {
                biased;
                code = interrupts.next() => {
                    end = End::Interrupted(code);
                    break;
                }
                _ = flushes.tick() => {
                    self.write_out()?;
                    self.progress.show(&self.tally);
                }
                event = run.next() => match event {
                    None => break,
                    Some(Event::Finished(finished)) => self.take(&finished)?,
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
        self.write_out()?;
        Ok(end)
    }

    /// Writes out what was gathered.
    fn write_out(&mut self) -> io::Result<()> {
        let written = self.sink.write(&self.lines);
        self.lines.clear();
        written
    }

    /// Gathers the line of a row and counts it.
    fn take(&mut self, finished: &Finished) -> io::Result<()> {
        self.format.write(finished, &mut self.lines);
        self.tally.add(&Gist::of_row(finished));
        if let Err(error) = &finished.outcome {
            let line = finished.input_line.map(|line| format!(" (line {line})")).unwrap_or_default();
            self.progress.note(&format!("error: row {}{line}: {error}", finished.row));
        }
        if self.lines.len() < BUFFER_OCTETS { Ok(()) } else { self.write_out() }
    }

    /// Sums up and says how to go on; returns the exit code.
    fn conclude(self, end: Result<End, io::Error>) -> Result<u8, Failure> {
        self.progress.clear();
        let end = match end {
            Err(error) if error.kind() == ErrorKind::BrokenPipe && matches!(self.sink, Sink::Standard(_)) => {
                End::PipeClosed
            }
            Err(error) => {
                if self.sink.is_resumable() {
                    console::note(&how_to_go_on());
                }
                return Err(self.sink.failure(error));
            }
            Ok(end) => end,
        };
        if end == End::PipeClosed {
            return Ok(exit_code(&self.tally));
        }
        console::note(summary::text(&self.tally, self.earlier, self.started.elapsed()).trim_end());
        let is_resumable = self.sink.is_resumable();
        self.sink.close(end == End::Complete)?;
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
            End::Complete | End::PipeClosed => Ok(exit_code(&self.tally)),
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
