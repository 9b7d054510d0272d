//! `flowc plan`: the DAG of a workflow with its parameters bound, without running anything.

use std::path::{Path, PathBuf};

use flow_plan::passes::{Stage, at_stage};

use crate::{
    exit::{Exit, Failure},
    facts::Facts,
    golden,
    launch::{self, Launch},
    overview,
    project::Folders,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    pub launch: launch::Options,
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
    /// Compact text, as golden files have it
    Text,
    /// flow-dag/1, complete
    Json,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// A picture; large DAGs are folded in it
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shown {
    /// A node for each call
    Dag,
    /// Without what reaches no output, equal nodes as one, and verbs in a row as one query
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
    let (dag, folders) = match launch {
        Some(launch) => {
            launch.project.remark(terminal);
            match launch.plan(&options.launch, stage, terminal) {
                Ok(dag) => (dag, launch.project.folders().clone()),
                Err(exit) => return Ok(exit),
            }
        }
        None => {
            let folders = Folders::find(&options.launch.file, root)?;
            let dag = options.launch.read_dag()?;
            let (dag, _) = at_stage(dag, stage, &Facts::of_code(&folders));
            (dag, folders)
        }
    };
    if let Some(path) = &options.golden {
        return golden::compare(path, &dag.to_text(), options.bless, terminal);
    }
    terminal.result(&match options.emit {
        None => overview::render(&dag, &Facts::of_project(&folders), terminal),
        Some(Emit::Text) => dag.to_text(),
        Some(Emit::Json) => dag.to_json(),
        Some(Emit::Dot) => dag.to_dot(),
        Some(Emit::Mermaid) => dag.to_mermaid(),
        Some(Emit::Svg) => dag.to_svg(),
    });
    Ok(Exit::Worked)
}
