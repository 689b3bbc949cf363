//! The command line: reads what was typed, does it, and ends with the right exit code.
//!
//! Results go to standard output, everything else to standard error. An error is one line that starts with `error:`.
//! A closed pipe ends a command quietly.

mod args;
mod bulk;
mod bulk_input;
mod bulk_output;
mod check;
mod completions;
mod console;
mod dmarc;
mod doctor;
mod engine;
mod examples;
mod failure;
mod findings;
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
mod fleet;
mod interrupt;
#[cfg(feature = "lab")]
mod lab;
mod lookup;
mod progress;
mod records;
mod render;
#[cfg(feature = "ses")]
mod ses;
mod spf;
mod style;
mod summary;

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use args::{Arguments, Command};
use failure::Failure;

/// The exit code where everything is well.
pub(crate) const WELL: u8 = 0;
/// The exit code where a domain is definitely not ready.
pub(crate) const NOT_READY: u8 = 1;
/// The exit code where the command was not possible, or a row was bad.
pub(crate) const NOT_POSSIBLE: u8 = 2;
/// The exit code where a domain could not be checked, or a lookup could not be read.
pub(crate) const NOT_CHECKED: u8 = 3;
/// How long threads that wait for the outside may take to end.
const GRACE: Duration = Duration::from_millis(100);

/// Runs the program with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => dispatch(arguments),
        Err(error) => refuse(&error),
    };
    let code = outcome.unwrap_or_else(|failure| {
        console::note(&failure.to_string());
        failure.exit_code()
    });
    ExitCode::from(code)
}

/// Does what was typed; returns the exit code.
fn dispatch(arguments: Arguments) -> Result<u8, Failure> {
    let color = arguments.color;
    match arguments.command {
        Command::Check(check) => block_on(check::run(check, color)),
        Command::Bulk(bulk) => block_on_one_thread(bulk::run(bulk)),
        Command::Dmarc(dmarc) => block_on(dmarc::run(dmarc, color)),
        Command::Records(records) => block_on(records::run(records)),
        Command::Lookup(lookup) => block_on(lookup::run(lookup)),
        Command::Doctor(doctor) => block_on(doctor::run(doctor)),
        Command::Spf(spf) => block_on(spf::run(spf)),
        Command::Findings(findings) => findings::run(&findings, color),
        #[cfg(feature = "ses")]
        Command::Ses { command } => block_on(ses::run(command, color)),
        #[cfg(feature = "lab")]
        Command::Lab(lab) => block_on(lab::run(lab)),
        #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
        Command::Worker(worker) => block_on(fleet::worker::run(worker)),
        #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
        Command::Report(report) => block_on(fleet::report::run(report)),
        #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
        Command::Webhooks { command } => block_on(fleet::webhooks::run(command)),
        Command::Completions { shell } => completions::run(shell, &mut Arguments::command()),
    }
}

/// Runs a command on a runtime of its own.
fn block_on(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
    finish(runtime, command)
}

/// Runs a command that does the same thing over and over on one thread: what the pace allows takes a small part of it,
/// and threads that wake each other for every reply cost more than they bring.
fn block_on_one_thread(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    finish(runtime, command)
}

/// Runs a command to its end, and waits for no thread that reads standard input.
fn finish(runtime: tokio::runtime::Runtime, command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(GRACE);
    outcome
}

/// Shows help and version, or says in one line what is wrong with what was typed.
fn refuse(error: &clap::Error) -> Result<u8, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => console::show_help(error),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            console::note(error.to_string().trim_end());
            Ok(NOT_POSSIBLE)
        }
        _ => Err(Failure::Usage(one_line(&error.to_string()))),
    }
}

/// Joins the lines that say what is wrong, without those that repeat the usage.
fn one_line(text: &str) -> String {
    let text = text.split("\n\nUsage:").next().unwrap_or(text);
    let text = text.split("\n\nFor more information").next().unwrap_or(text);
    // How to pass what looks like an option as a value is of no use where no value looks like one.
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("tip: to pass"));
    let line = lines.collect::<Vec<_>>().join(" ").replace(" tip: ", "; ");
    line.strip_prefix("error: ").map(str::to_owned).unwrap_or(line)
}

#[cfg(test)]
mod tests;
