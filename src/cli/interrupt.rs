//! Ctrl-C, and being told to end.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::failure::Failure;

/// The exit code after Ctrl-C, as shells have it: 128 and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;
/// The exit code after a request to end.
pub(crate) const TERMINATED: u8 = 143;

/// Hears the first signal; the second one ends the program at once, even while it is stuck writing.
pub(crate) struct Interrupts {
    /// Where the first signal comes in, as the exit code that belongs to it.
    first: mpsc::Receiver<u8>,
}

/// The signals that are listened for.
struct Signals {
    /// Ctrl-C.
    #[cfg(unix)]
    interrupt: Signal,
    /// A request to end.
    #[cfg(unix)]
    terminate: Signal,
}

impl Interrupts {
    /// Starts to listen; must be called inside a tokio runtime.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut signals = Signals::new().map_err(Failure::Runtime)?;
        let (sender, first) = mpsc::channel(1);
        tokio::spawn(async move {
            let code = signals.next().await;
            // Nobody waits for it any more where the command is just ending.
            let _ = sender.send(code).await;
            std::process::exit(signals.next().await.into());
        });
        Ok(Self { first })
    }

    /// Waits for the first signal; returns the exit code that belongs to it. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> u8 {
        match self.first.recv().await {
            Some(code) => code,
            None => std::future::pending().await,
        }
    }
}

impl Signals {
    /// Starts to listen.
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Starts to listen.
    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal; returns the exit code that belongs to it.
    #[cfg(unix)]
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
        }
    }

    /// Waits for the next Ctrl-C; returns the exit code that belongs to it.
    #[cfg(not(unix))]
    async fn next(&mut self) -> u8 {
        // Without a way to listen, Ctrl-C ends the program by itself.
        match tokio::signal::ctrl_c().await {
            Ok(()) => INTERRUPTED,
            Err(_) => std::future::pending().await,
        }
    }
}
