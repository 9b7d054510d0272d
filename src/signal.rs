//! `flowc signal`: tells a run what one of its nodes waits for.

use std::path::Path;

use flow_runtime::engine::Signalled;

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
    let engine = state::open_existing(root, terminal)?;
    let id = state::find(&engine, &options.run)?.id;
    let (run, signalled) = engine.signal(&id, &options.name)?;
    if options.format == Format::Json {
        terminal.result(&format!("{:#}\n", runs::to_json(&run)));
    }
    let told = format!("run {} is told `{}`", run.id, options.name);
    match signalled {
        Signalled::Heard => terminal.remark(&told),
        Signalled::Left => {
            terminal.remark(&format!("{told} as soon as `flowc resume {}` continues it", run.id));
        }
        Signalled::Unanswered => {
            terminal.warning(&format!("{}; {told} as soon as it does", runs::silence(&run)));
        }
    }
    Ok(Exit::Worked)
}
