//! The door.

use std::process::ExitCode;

/// A check takes hundreds of small pieces and gives them back; with the system's allocator a run over near servers takes longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    zoneproof::cli::run(std::env::args_os())
}
