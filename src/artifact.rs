//! `flowc artifact`: what a node gave, to stdout or a file.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::{Path, PathBuf},
};

use flow_runtime::{
    artifact::Summary,
    engine::{Engine, RunError},
    operator::Datum,
};
use flow_syntax::suggest::did_you_mean;

use crate::{
    exit::{Exit, Failure},
    run::failure,
    runs,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// A node, and its port where it has several: `split.train`
    #[arg(value_name = "NODE[.PORT]")]
    node: String,
    /// Write to a file; values as JSON, tables as Arrow IPC, models as they are
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = runs::open_existing(root)?;
    let run = runs::find(&engine, &options.run)?.id;
    let reference = match engine.artifact(&run, &options.node, None) {
        Ok(reference) => reference,
        // Ids have dots themselves, so the whole is tried as a node first.
        Err(error) => match options.node.rsplit_once('.') {
            Some((node, port)) if is_node(&engine, &run, node) => {
                engine.artifact(&run, node, Some(port)).map_err(failure)?
            }
            _ => return Err(not_found(error, &engine, &run, &options.node)),
        },
    };
    let bytes = match &reference.summary {
        Summary::Value(_) => {
            let datum = engine.load(&reference).map_err(failure)?;
            let Datum::Value(value) = datum else {
                return Err(Failure::environment("the artifact is no value"));
            };
            format!("{:#}\n", value.to_json()).into_bytes()
        }
        _ => engine.bytes(&reference).map_err(failure)?.to_vec(),
    };
    if let Some(path) = &options.output {
        std::fs::write(path, bytes)
            .map_err(|error| Failure::environment(format!("cannot write `{}`: {error}", path.display())))?;
        terminal.remark(&format!("wrote `{}`", path.display()));
    } else if std::io::stdout().is_terminal() && std::str::from_utf8(&bytes).is_err() {
        let what = crate::outputs::artifact_text(&reference, 0);
        return Err(
            Failure::usage(format!("`{}` is binary: {what}", options.node)).help("`-o FILE` writes it")
        );
    } else {
        match std::io::stdout().write_all(&bytes) {
            // Whoever reads them has enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => return Err(Failure::environment(format!("cannot write to stdout: {error}"))),
            Ok(()) => {}
        }
    }
    Ok(Exit::Worked)
}

/// Names the node that was probably meant.
fn not_found(error: RunError, engine: &Engine, run: &str, wanted: &str) -> Failure {
    let is_node = matches!(error, RunError::NoNode { .. });
    let found = failure(error);
    if !is_node {
        return found;
    }
    let nodes = engine.show(run).map(|(_, nodes)| nodes).unwrap_or_default();
    let help = did_you_mean(wanted, nodes.iter().map(|node| node.id.as_str()));
    found.help(help.unwrap_or_else(|| "`flowc show` lists a run's nodes".to_owned()))
}

fn is_node(engine: &Engine, run: &str, node: &str) -> bool {
    engine.show(run).is_ok_and(|(_, nodes)| nodes.iter().any(|found| found.id == node))
}
