//! Ctrl-C, and the signal that a service manager sends: the first stops the run cleanly, the second at once.

use std::time::Duration;

use flow_runtime::act::Cancel;

use crate::{
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// A file that may not grow further (`ulimit -f`) is an error like a disk that is full, not the end of this process.
#[cfg(unix)]
pub fn outlive_file_limit() {
    const SIGXFSZ: i32 = 25;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    // Whoever listens once is no longer killed by it; what runs outside of this process is, as everywhere.
    let _guard = runtime.enter();
    let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ));
}

#[cfg(not(unix))]
pub fn outlive_file_limit() {}

/// How long the run may take to kill what it has started and to say that it was cancelled, once it shall stop at once.
const HURRY: Duration = Duration::from_millis(900);

/// Listens from now on, on a thread of its own.
pub fn cancel_on_signal(cancel: &Cancel, terminal: &Terminal) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failure::environment(format!("cannot listen for Ctrl-C: {error}")))?;
    let (cancel, terminal) = (cancel.clone(), *terminal);
    std::thread::spawn(move || {
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else { return };
            signals.next().await;
            terminal.remark("stopping; once more to stop at once");
            cancel.cancel();
            signals.next().await;
            cancel.hurry();
            // Unless the run ends, and this process with it.
            std::thread::sleep(HURRY);
            std::process::exit(Exit::Interrupted as i32);
        });
    });
    Ok(())
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
