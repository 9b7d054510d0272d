//! Exit codes, and errors that end a command.

use flow_runtime::decide::RunStatus;
use flow_runtime::{engine::RunError, schedule::CannotFit, store::StoreError};
use flow_syntax::suggest::did_you_mean;

use crate::terminal::Terminal;

/// What scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It holds, or it worked.
    Worked = 0,
    /// The input has errors, or a test or run failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// A missing file, a broken store, no such device.
    Environment = 3,
    Interrupted = 130,
}

/// An error that ends a command: one clear line, what to do about it, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
    pub help: Option<String>,
}

impl Failure {
    /// The input is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), help: None }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: None }
    }

    /// The machine lacks something.
    pub fn environment(message: impl Into<String>) -> Self {
        Self { exit: Exit::Environment, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Prints itself; gives the exit code.
    pub fn report(&self, terminal: &Terminal) -> Exit {
        terminal.error(&self.message, self.help.as_deref());
        self.exit
    }
}

/// A run that cannot be, with the exit code that scripts look at.
impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::Store(StoreError::Newer { .. }) => Failure::environment(message),
            RunError::Store(StoreError::Damaged { .. }) => Failure::environment(message).help(
                "move the folder `.flow` away: a new one is made, without the past runs and their results",
            ),
            RunError::Store(StoreError::Full { .. }) => Failure::environment(message)
                .help("make room on the disk: `flowc gc --keep N` removes all but the latest N runs"),
            RunError::Store(StoreError::Busy) => Failure::environment(message)
                .help("a flowc that is stopped or hangs may hold it: let it go on, or end it"),
            RunError::Store(StoreError::Occupied { .. }) => {
                Failure::environment(message).help("move it away: a new store is made in its place")
            }
            RunError::Store(_) => Failure::environment(message)
                .help("is the disk full, or the folder `.flow` not yours to write?"),
            RunError::Artifact(error) if error.is_lost() => {
                Failure::environment(message).help("run the workflow again: what is lost is computed anew")
            }
            RunError::Owned { ref run, .. } => {
                Failure::environment(message).help(format!("wait for its end, or `flowc cancel {run}`"))
            }
            RunError::HasEnded { ref run, ref status } => {
                let help = match status {
                    RunStatus::Failed | RunStatus::Blocked => {
                        format!("`flowc retry {run}` runs the failed part again")
                    }
                    RunStatus::Cancelled => format!("`flowc retry {run}` takes it up again"),
                    _ => "nothing of it is left to do".to_owned(),
                };
                Failure::input(message).help(help)
            }
            RunError::Removing => Failure::environment(message).help("wait for it to end"),
            RunError::Remove { .. } => {
                Failure::environment(message).help("is the folder `.flow` not yours to write?")
            }
            RunError::Lock(_) => Failure::environment(message)
                .help("is the disk full, or the folder `.flow` not yours to write?"),
            RunError::Artifact(_) | RunError::CannotFit(CannotFit::Gpus { .. }) => {
                Failure::environment(message)
            }
            RunError::NoImplementation { missing, .. } => {
                let failure = Failure::environment(message);
                match missing.help() {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
            RunError::NoRun { .. } => Failure::usage(message).help("`flowc runs` lists them"),
            RunError::ManyRuns { .. } => Failure::usage(message).help("give more of its id"),
            RunError::NoSignal { ref name, ref names, .. } => {
                let known = || format!("it has {}", names.join(", "));
                let help = match names.as_slice() {
                    [] => "none of its nodes waits for any".to_owned(),
                    _ => did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_else(known),
                };
                Failure::usage(message).help(help)
            }
            RunError::NoNode { .. } | RunError::NoPort { .. } | RunError::ManyPorts { .. } => {
                Failure::usage(message)
            }
            _ => Failure::input(message),
        }
    }
}
