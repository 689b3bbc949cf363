//! Writing to standard output and standard error, with pipes that may be closed.

use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::check::Checker;
use crate::cli::WELL;
use crate::cli::failure::Failure;

/// Writes a line to standard error. Nobody is left to be told where that fails.
pub(crate) fn note(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Warns where something seems to answer in the servers' place.
pub(crate) fn warn_of_interception(checker: &Checker) {
    if checker.has_seen_interception() {
        note(
            "warning: a root server answered as a resolver does, so that something may answer in the servers' place; \
              `zoneproof doctor` looks closer",
        );
    }
}

/// Writes to standard output; says whether it is still open. A closed pipe is no error: the reader has what it wants.
pub(crate) fn print(text: &str) -> Result<bool, Failure> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::stdout(error)),
    }
}

/// Shows help or version as clap lays it out.
pub(super) fn show_help(help: &clap::Error) -> Result<u8, Failure> {
    match help.print() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::stdout(error)),
        _ => Ok(WELL),
    }
}

/// Says whether standard output is a terminal.
pub(crate) fn is_stdout_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Says whether standard error is a terminal.
pub(crate) fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}
