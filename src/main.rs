//! The door.

use std::process::ExitCode;

fn main() -> ExitCode {
    zoneproof::cli::run(std::env::args_os())
}
