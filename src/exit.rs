//! Exit codes, and errors that end a command.

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
