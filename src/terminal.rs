//! Where words go: results to stdout, progress and diagnostics to stderr, in colour where it helps.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use crate::{exit::Exit, watch::text::plain};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// How a command speaks.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether to stdout.
    pub colour_out: bool,
    /// Whether to stderr.
    pub colour_err: bool,
    pub quiet: bool,
    pub verbose: bool,
}

impl Terminal {
    pub fn new(colour: Colour, quiet: bool, verbose: bool) -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let decide = |is_terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => allowed && is_terminal,
        };
        Self {
            colour_out: decide(std::io::stdout().is_terminal()),
            colour_err: decide(std::io::stderr().is_terminal()),
            quiet,
            verbose,
        }
    }

    /// A result, as it is. A reader that has gone away is no error; a disk that is full ends the command, so that
    /// no script takes the half for the whole.
    pub fn result(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            let exit = match error.kind() {
                ErrorKind::BrokenPipe => Exit::Worked,
                _ => {
                    self.error(&format!("cannot write the result: {error}"), None);
                    Exit::Environment
                }
            };
            std::process::exit(exit as i32);
        }
    }

    /// A remark about the work, unless it is to be quiet.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            tell(&format!("{text}\n"));
        }
    }

    /// Text for stderr, as it is.
    pub fn diagnostic(&self, text: &str) {
        tell(text);
    }

    pub fn error(&self, message: &str, help: Option<&str>) {
        let mut text = format!("{} {}\n", self.paint_err("error:", "31;1"), harmless(message));
        if let Some(help) = help {
            text.push_str(&format!("{} {}\n", self.paint_err(" help:", "36"), harmless(help)));
        }
        self.diagnostic(&text);
    }

    pub fn warning(&self, message: &str) {
        self.diagnostic(&format!("{} {message}\n", self.paint_err("warning:", "33;1")));
    }

    /// `text` in the colour of an SGR code, for stdout.
    pub fn paint_out(&self, text: &str, code: &str) -> String {
        paint(self.colour_out, text, code)
    }

    /// `text` in the colour of an SGR code, for stderr.
    pub fn paint_err(&self, text: &str, code: &str) -> String {
        paint(self.colour_err, text, code)
    }
}

/// A message may quote what an operator wrote: that must not steer the terminal.
fn harmless(message: &str) -> String {
    message.lines().map(plain).collect::<Vec<_>>().join("\n")
}

fn paint(colour: bool, text: &str, code: &str) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Who draws at the bottom of stderr now, and takes what is told meanwhile.
static DRAWER: Mutex<Option<Drawer>> = Mutex::new(None);

type Drawer = Box<dyn Fn(&str) + Send>;

/// From now on somebody draws at the bottom of stderr: what is told is handed over, to go above.
pub fn draw_below(take: impl Fn(&str) + Send + 'static) {
    *DRAWER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(take));
}

/// Nobody draws any more.
pub fn draw_no_more() {
    *DRAWER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Text for stderr. Nobody reads what is told beside the results: that is no reason to stop.
pub fn tell(text: &str) {
    match &*DRAWER.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(take) => take(text),
        None => {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }
}
