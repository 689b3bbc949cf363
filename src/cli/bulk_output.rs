//! Where the lines of a bulk run go: a file, or standard output.
//!
//! They are written on a thread of their own. Whoever reads them may stop for any time, as a pager does, and no check that
//! is under way may take that for a silent server.

use std::io::{self, Write};
use std::path::Path;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bulk::resume::{Earlier, OutputError, OutputFile};
use crate::bulk::{Finished, Format};
use crate::cli::args::BulkArguments;
use crate::cli::bulk_input::Input;
use crate::cli::failure::Failure;

/// How many octets of lines are gathered before they are written.
const GATHERED_OCTETS: usize = 1 << 16;

/// Where lines end up.
pub(super) enum Sink {
    /// In a file.
    File(OutputFile),
    /// On standard output.
    Standard(io::Stdout),
}

impl Sink {
    /// Opens the output, and reads what is there where the run goes on.
    pub(super) fn open(arguments: &BulkArguments, input: &Input, format: Format) -> Result<(Self, Earlier), Failure> {
        let Some(path) = arguments.output.as_deref().filter(|path| *path != Path::new("-")) else {
            if arguments.resume {
                return Err(OutputError::NoFile("standard output".into()).into());
            }
            let mut sink = Self::Standard(io::stdout());
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
        let mut sink = Self::File(file);
        if is_empty {
            sink.write(format.header().as_bytes()).map_err(|source| sink.failure(source))?;
        }
        Ok((sink, earlier))
    }

    /// Writes lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(lines),
            Self::Standard(stdout) => stdout.write_all(lines).and_then(|()| stdout.flush()),
        }
    }

    /// Writes what comes until no more does, and gives the buffers back; returns how that ended.
    fn write_all(mut self, mut full: mpsc::Receiver<Vec<u8>>, empty: &mpsc::Sender<Vec<u8>>) -> (Self, io::Result<()>) {
        while let Some(mut lines) = full.blocking_recv() {
            if let Err(error) = self.write(&lines) {
                return (self, Err(error));
            }
            lines.clear();
            // There is place for all buffers that there are; at the end nobody wants them.
            let _ = empty.try_send(lines);
        }
        (self, Ok(()))
    }

    /// Says that nothing can be written.
    pub(super) fn failure(&self, source: io::Error) -> Failure {
        match self {
            Self::File(file) => Failure::Write { name: file.path().display().to_string(), source },
            Self::Standard(_) => Failure::stdout(source),
        }
    }

    /// Says whether these are lines on standard output.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self, Self::Standard(_))
    }

    /// Says whether the run can go on later.
    pub(super) fn is_resumable(&self) -> bool {
        matches!(self, Self::File(file) if file.is_resumable())
    }

    /// Ends the output; `is_complete` says that every row is in it.
    pub(super) fn close(self, is_complete: bool) -> Result<(), Failure> {
        if let Self::File(file) = self
            && is_complete
        {
            file.finish()?;
        }
        Ok(())
    }
}

/// Gathers lines and has them written.
pub(super) struct Writer {
    /// How lines are written.
    format: Format,
    /// Those that are gathered: always whole ones.
    lines: Vec<u8>,
    /// Takes full buffers to the thread that writes; while one is being written, another one may wait.
    full: mpsc::Sender<Vec<u8>>,
    /// Brings them back empty, for the next lines.
    empty: mpsc::Receiver<Vec<u8>>,
    /// The thread.
    thread: JoinHandle<(Sink, io::Result<()>)>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(sink: Sink, format: Format) -> Self {
        let (full, full_buffers) = mpsc::channel(1);
        let (empty_buffers, empty) = mpsc::channel(3);
        let thread = tokio::task::spawn_blocking(move || sink.write_all(full_buffers, &empty_buffers));
        Self { format, lines: Vec::new(), full, empty, thread }
    }

    /// Gathers the line of a row.
    pub(super) fn gather(&mut self, finished: &Finished) {
        self.format.write(finished, &mut self.lines);
    }

    /// Says whether enough is gathered: no more should be until that is handed over.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= GATHERED_OCTETS
    }

    /// Hands over what is gathered, if the thread can take it now.
    pub(super) fn hand_over(&mut self) {
        if !self.lines.is_empty()
            && let Ok(place) = self.full.try_reserve()
        {
            place.send(std::mem::replace(&mut self.lines, self.empty.try_recv().unwrap_or_default()));
        }
    }

    /// Waits until the thread can take something, or nothing can be written any more.
    pub(super) async fn room(&self) {
        let _ = self.full.reserve().await;
    }

    /// Waits until nothing can be written any more.
    pub(super) async fn broken(&self) {
        self.full.closed().await;
    }

    /// Has all written that was gathered; returns how that ended.
    pub(super) async fn finish(mut self) -> Result<(Sink, io::Result<()>), Failure> {
        self.room().await;
        self.hand_over();
        drop(self.full);
        self.thread.await.map_err(|error| Failure::Runtime(error.into()))
    }
}
