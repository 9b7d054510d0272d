//! `flowc retry`: runs the failed part of a run again, in place.

use std::path::Path;

use crate::{
    exit::{Exit, Failure},
    revival,
    run::Execution,
    state,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    #[command(flatten)]
    execution: Execution,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root)?;
    let id = state::find(&engine, &options.run)?.id;
    options.execution.drive(&engine, terminal, |run_options, cancel| {
        engine.retry(&id, run_options, cancel, &mut |revival| revival::tell(&id, revival, terminal))
    })
}
