//! `flowc cancel`: stops a run, whichever process works on it.

use std::{path::Path, time::Duration};

use flow_runtime::decide::RunStatus;
use flow_runtime::engine::Cancelled;

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
    /// How to print the run; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How long its process may take to stop a run, once it has answered, before we say that it does. Operators that ignore
/// being asked are killed after less.
const PATIENCE: Duration = Duration::from_secs(15);

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let id = state::find(&engine, &options.run)?.id;
    let (run, cancelled) = engine.cancel(&id, PATIENCE)?;
    if options.format == Format::Json {
        terminal.result(&format!("{:#}\n", runs::to_json(&run)));
    }
    let owner = runs::owner(&run);
    match cancelled {
        Cancelled::Here => {
            terminal.remark(&format!("run {} is cancelled; its process had died", run.id));
        }
        Cancelled::ByOwner if run.status == RunStatus::Cancelled => {
            terminal.remark(&format!("run {} is cancelled", run.id));
        }
        Cancelled::ByOwner => {
            return Err(Failure::input(format!(
                "run {} has {} before it could be stopped",
                run.id, run.status
            )));
        }
        Cancelled::Stopping => {
            return Err(Failure::input(format!("run {} is still stopping; {owner} sees to it", run.id))
                .help(format!("`flowc show {}` says which nodes are running", run.id)));
        }
        Cancelled::Unanswered => {
            return Err(Failure::input(format!(
                "{}; run {} is cancelled as soon as it does",
                runs::silence(&run),
                run.id
            ))
            .help(format!("or end that process, and `flowc cancel {}` again", run.id)));
        }
    }
    Ok(Exit::Worked)
}
