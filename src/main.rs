//! `flowc`: parses arguments, joins the crates, renders what they say.
//!
//! [`arguments`] turns words into an [`arguments::Invocation`]; each subcommand is a file of its own
//! and returns an [`exit::Exit`]. [`project`] is the only module that reads source files.

mod arguments;
mod artifact;
mod cancel;
mod check;
mod dag_file;
mod diff;
mod exit;
mod explain;
mod facts;
mod fmt;
mod gc;
mod golden;
mod interrupt;
mod launch;
mod logs;
mod lsp;
mod ops;
mod otlp;
mod outputs;
mod overview;
mod page;
mod plan;
mod project;
mod resume;
mod retry;
mod revival;
mod run;
mod runs;
mod shadow;
mod show;
mod signal;
mod state;
mod task;
mod terminal;
mod test;
mod watch;
mod why;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    interrupt::outlive_file_limit();
    let words: Vec<_> = std::env::args_os().collect();
    let exit = match arguments::parse(words) {
        Ok(invocation) => invocation.execute(),
        Err(exit) => exit,
    };
    ExitCode::from(exit as u8)
}
