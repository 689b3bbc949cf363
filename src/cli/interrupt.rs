//! Ctrl-C, and being told to end.

use std::io;
use std::thread;

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
    /// Starts to listen, on a thread of its own: the one that checks may be stuck.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let (sender, first) = mpsc::channel(1);
        let (started, has_started) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.and_then(|runtime| runtime.block_on(hear(sender, &started)));
            // What went wrong before it started is told; once it has, it ends with the program.
            let _ = started.send(outcome);
        });
        has_started.recv().unwrap_or(Ok(())).map_err(Failure::Runtime)?;
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

/// Hears signals and says when it has begun to; ends the program with the second one.
async fn hear(first: mpsc::Sender<u8>, started: &std::sync::mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let _ = started.send(Ok(()));
    let code = signals.next().await;
    // Nobody waits for it any more where the command is just ending.
    let _ = first.send(code).await;
    std::process::exit(signals.next().await.into());
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
