//! `flowc signal`: tells a run what one of its nodes waits for.

use std::path::Path;

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    runs, state,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// The signal's name, as the workflow has it
    name: String,
    /// How to print the run; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root)?;
    let id = state::find(&engine, &options.run)?.id;
    let run = engine.signal(&id, &options.name)?;
    match options.format {
        Format::Json => terminal.result(&format!("{:#}\n", runs::to_json(&run))),
        Format::Human if run.status == "running" => {
            terminal.remark(&format!("run {} is told `{}`", run.id, options.name));
        }
        Format::Human => terminal.remark(&format!(
            "run {} is told `{}` as soon as `flowc resume {}` continues it",
            run.id, options.name, run.id
        )),
    }
    Ok(Exit::Worked)
}
