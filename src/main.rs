//! `flowc`: parses arguments, joins the crates, renders what they say.
//!
//! [`arguments`] turns words into an [`arguments::Invocation`]; each subcommand is a file of its own, or a folder
//! with a `command` in it, and returns an [`exit::Exit`]. What they share, in the order that a run visits it:
//!
//! - [`project`] is the only module that reads source files, [`dag_file`] the one that reads DAGs; [`launch`] finds
//!   the workflow and makes flags of its parameters, [`facts`] says what a planner may know of this machine.
//! - [`overview`] tells a plan to people, [`golden`] compares it with the one that somebody looked at last.
//! - [`state`] opens a project's runs and artifacts, [`interrupt`] stops a run cleanly, [`revival`] takes one up
//!   again, [`watch`] shows it as it happens, [`otlp`] sends it to a collector.
//! - [`outputs`] prints what came out, [`page`] keeps a run as HTML, [`mod@shadow`] compares it with another.
//! - [`terminal`] decides what goes where and in which colour, [`words`] has the words that several say.

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
mod selection;
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
