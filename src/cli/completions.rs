//! `zoneproof completions`: what a shell needs to complete commands and options.

use clap_complete::Shell;

use crate::cli::failure::Failure;
use crate::cli::{WELL, console};

/// Prints the completions.
pub(super) fn run(shell: Shell, command: &mut clap::Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "zoneproof", &mut script);
    console::print(&String::from_utf8_lossy(&script))?;
    Ok(WELL)
}
