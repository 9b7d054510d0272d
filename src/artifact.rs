//! `flowc artifact`: what a node gave, to stdout or a file.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::{Path, PathBuf},
};

use flow_ir::{dag::Dag, node::Input};
use flow_runtime::{
    artifact::{Reference, Summary},
    engine::Engine,
    operator::Datum,
};
use flow_syntax::suggest::did_you_mean;

use crate::{
    exit::{Exit, Failure},
    outputs, state,
    terminal::Terminal,
    words::step_of,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// A node, and its port where it has several: `split.train`; or an output of the workflow
    #[arg(value_name = "NODE[.PORT]")]
    node: String,
    /// Write to a file; values as JSON, tables as Arrow IPC, models and files as they are
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let run = state::find(&engine, &options.run)?.id;
    let dag = engine.dag(&run)?;
    let located = match locate(&dag, &options.node) {
        None => locate_within(&engine, &run, &options.node)?,
        located => located,
    };
    let (node, port) = located.ok_or_else(|| not_kept(&dag, &options.node))?;
    let reference = engine.artifact(&run, node, port)?;
    let bytes = match &reference.summary {
        Summary::File { .. } if options.output.is_some() || !std::io::stdout().is_terminal() => {
            return copy(&engine, &reference, options.output.as_deref(), terminal);
        }
        Summary::Value(_) => {
            let datum = engine.load(&reference)?;
            let Datum::Value(value) = datum else {
                return Err(Failure::environment("the artifact is no value"));
            };
            format!("{:#}\n", value.to_json()).into_bytes()
        }
        _ => engine.bytes(&reference)?.to_vec(),
    };
    if let Some(path) = &options.output {
        std::fs::write(path, bytes).map_err(|error| outputs::cannot_write(path, &error))?;
        terminal.remark(&format!("wrote `{}`", path.display()));
    } else if std::io::stdout().is_terminal() && std::str::from_utf8(&bytes).is_err() {
        let what = outputs::artifact_text(&reference, 0);
        return Err(
            Failure::usage(format!("`{}` is binary: {what}", options.node)).help("`-o FILE` writes it")
        );
    } else {
        printed(std::io::stdout().write_all(&bytes))?;
    }
    Ok(Exit::Worked)
}

/// A file that a node has made, which may be larger than memory.
fn copy(
    engine: &Engine,
    reference: &Reference,
    to: Option<&Path>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    match to {
        Some(path) => {
            outputs::write_artifact(engine, reference, path)?;
            terminal.remark(&format!("wrote `{}`", path.display()));
        }
        None => {
            let from = outputs::file(engine, reference)?;
            printed(std::fs::File::open(from.path()).and_then(|mut file| {
                std::io::copy(&mut file, &mut std::io::stdout())?;
                Ok(())
            }))?;
        }
    }
    Ok(Exit::Worked)
}

fn printed(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        // Whoever reads them has enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failure::environment(format!("cannot write to stdout: {error}"))),
    }
}

/// The node and port that a name means: a node, a node's port, or an output of the workflow. Ids have dots
/// themselves, so the whole is tried as a node first.
fn locate<'a>(dag: &'a Dag, name: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    if dag.find(name).is_some() {
        return Some((name, None));
    }
    if let Some((node, port)) = name.rsplit_once('.')
        && dag.find(node).is_some()
    {
        return Some((node, Some(port)));
    }
    let output = dag.outputs.iter().find(|output| output.name == name)?;
    let Input::Port(port) = output.input else { return None };
    let node = dag.node(port.node)?;
    Some((&node.id, Some(&node.outputs.get(port.port as usize)?.name)))
}

/// A node in a region that has begun, or a port of one: `days[3]/load`.
fn locate_within<'a>(
    engine: &Engine,
    run: &str,
    name: &'a str,
) -> Result<Option<(&'a str, Option<&'a str>)>, Failure> {
    let (_, nodes) = engine.show(run)?;
    let is_node = |name: &str| nodes.iter().any(|node| node.id == name);
    let with_port = || name.rsplit_once('.').filter(|(node, _)| is_node(node));
    Ok(match is_node(name) {
        true => Some((name, None)),
        false => with_port().map(|(node, port)| (node, Some(port))),
    })
}

/// That what a step of a query gives is nowhere, or that there is no such node.
fn not_kept(dag: &Dag, wanted: &str) -> Failure {
    let with_port = wanted.rsplit_once('.').map(|(node, _)| node);
    let mut steps = std::iter::once(wanted).chain(with_port);
    let step = steps.find_map(|step| Some((step, dag.query_with_step(step)?)));
    let Some((step, query)) = step else { return not_found(dag, wanted) };
    let told = step_of(step, &query);
    Failure::usage(format!("{told}: what lies between its steps is not kept")).help(format!(
        "`{query}` has the result; `{step}` is a node of its own where the workflow gives it out, or with a policy \
         of its own"
    ))
}

/// Names the node that was probably meant.
fn not_found(dag: &Dag, wanted: &str) -> Failure {
    let nodes = dag.nodes.iter().map(|node| node.id.as_str());
    let outputs = dag.outputs.iter().map(|output| output.name.as_str());
    let help = did_you_mean(wanted, nodes.chain(outputs));
    Failure::usage(format!("this run has no node or output `{wanted}`"))
        .help(help.unwrap_or_else(|| "`flowc show` lists a run's nodes".to_owned()))
}
