//! `flowc plan`: the DAG of a workflow with its parameters bound, without running anything.

use std::path::{Path, PathBuf};

use flow_ir::{dag::Dag, json, text};
use flow_plan::passes::{Stage, at_stage};

use crate::{
    exit::{Exit, Failure},
    golden,
    launch::{self, Launch},
    overview,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    launch: launch::Options,
    /// Print the DAG itself
    #[arg(long, value_enum)]
    emit: Option<Emit>,
    /// The DAG as the text says it, or as it runs
    #[arg(long, value_enum, default_value_t = Shown::Plan)]
    stage: Shown,
    /// Compare the DAG with a golden file
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// Write the golden file
    #[arg(long, requires = "golden")]
    bless: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Emit {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shown {
    /// A node for each call
    Dag,
    /// Without what reaches no output, and equal nodes as one
    Plan,
}

pub fn execute(
    options: &Options,
    launch: Option<Launch>,
    root: Option<&Path>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let stage = match options.stage {
        Shown::Dag => Stage::Dag,
        Shown::Plan => Stage::Plan,
    };
    let dag = match launch {
        Some(launch) => launch.plan(&options.launch, stage, terminal)?,
        None => launch::read_dag(&options.launch)?,
    };
    if let Some(path) = &options.golden {
        return golden::compare(path, &text::write(&dag), options.bless, terminal);
    }
    match options.emit {
        None => terminal.result(&overview::render(&dag, &launch::state_folder(&options.launch, root)?, terminal)),
        Some(emit) => terminal.result(&emitted(&dag, emit)),
    }
    Ok(Exit::Worked)
}

fn emitted(dag: &Dag, emit: Emit) -> String {
    match emit {
        Emit::Text => text::write(dag),
        Emit::Json => json::write(dag),
    }
}
