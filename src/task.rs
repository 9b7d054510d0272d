//! `flowc task`: one task in a fresh process, as an engine elsewhere would start it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use flow_runtime::{act::Cancel, task::run_envelope};
use flow_stdlib::StandardLibrary;

use crate::{
    exit::{Exit, Failure},
    interrupt,
    project::{Folders, unreadable},
    state,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// A `flow-task/1` in JSON, `-` for stdin; its artifacts are those of the project
    #[arg(value_name = "ENVELOPE")]
    envelope: PathBuf,
}

/// Prints the answer, a `flow-result/1`.
pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let shown = options.envelope.display();
    let text = if options.envelope == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&options.envelope)
    };
    let text = text.map_err(|error| unreadable(&shown, &error))?;
    let engine = state::open(&Folders::find(Path::new("."), root)?)?;
    let cancel = Cancel::new();
    interrupt::cancel_on_signal(&cancel, terminal)?;
    let answer = run_envelope(&text, &StandardLibrary, engine.environment(), engine.artifacts(), &cancel)
        .map_err(|error| Failure::input(format!("`{shown}`: {error}")))?;
    terminal.result(&format!("{answer}\n"));
    Ok(match answer.get("error") {
        None => Exit::Worked,
        Some(_) if cancel.is_cancelled() => Exit::Interrupted,
        Some(_) => Exit::Failed,
    })
}
