//! `flowc why`: why a node of a run ran, or was taken from the cache.

use std::path::Path;

use flow_ir::{dag::Dag, node::Input};
use flow_runtime::decide::NodeState;
use flow_runtime::engine::{Because, Change, NodeView, Why};
use flow_syntax::suggest::did_you_mean;
use serde_json::{Value as Json, json};

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    state,
    terminal::Terminal,
    words::step_of,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// A node, as `flowc show` names it, or an output of the workflow
    node: String,
    /// How to print it; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let run = state::find(&engine, &options.run)?.id;
    let dag = engine.dag(&run)?;
    let (_, nodes) = engine.show(&run)?;
    let query = dag.query_with_step(&options.node);
    let wanted = query.as_deref().unwrap_or(&options.node);
    let node = locate(&dag, &nodes, wanted).ok_or_else(|| not_found(&dag, &nodes, &options.node))?;
    if let Some(query) = &query {
        terminal.remark(&step_of(&options.node, query));
    }
    let why = engine.why(&run, node)?;
    match options.format {
        Format::Json => terminal.result(&format!("{:#}\n", to_json(&why))),
        Format::Human => terminal.result(&text(&why, terminal)),
    }
    Ok(Exit::Worked)
}

fn locate<'a>(dag: &'a Dag, nodes: &'a [NodeView], name: &str) -> Option<&'a str> {
    if let Some(node) = nodes.iter().find(|node| node.id == name) {
        return Some(&node.id);
    }
    let output = dag.outputs.iter().find(|output| output.name == name)?;
    let Input::Port(port) = output.input else { return None };
    Some(&dag.node(port.node)?.id)
}

fn not_found(dag: &Dag, nodes: &[NodeView], wanted: &str) -> Failure {
    let nodes = nodes.iter().map(|node| node.id.as_str());
    let outputs = dag.outputs.iter().map(|output| output.name.as_str());
    Failure::usage(format!("this run has no node or output `{wanted}`")).help(
        did_you_mean(wanted, nodes.chain(outputs))
            .unwrap_or_else(|| "`flowc show` lists a run's nodes".to_owned()),
    )
}

/// One sentence; below it what has changed, a line each.
fn text(why: &Why, terminal: &Terminal) -> String {
    let node = terminal.paint_out(&format!("`{}`", why.node), "1");
    let mut text = format!("{node} {}\n", sentence(why));
    if let Because::Changed { changes, .. } = &why.because {
        for change in changes {
            text.push_str(&format!("  {change}\n"));
        }
    }
    text
}

fn sentence(why: &Why) -> String {
    let ran = match why.state {
        NodeState::Failed => "ran and failed",
        NodeState::Running | NodeState::Finishing => "runs",
        _ => "ran",
    };
    match &why.because {
        Because::Cached { run: Some(run) } => {
            format!("was taken from the cache: nothing differs from run {run}")
        }
        Because::Cached { run: None } => {
            "was taken from the cache: an earlier run has computed the same".to_owned()
        }
        Because::NotRun { because: Some(other) } => format!("is {} because of `{other}`", why.state),
        Because::NotRun { because: None } => format!("has not run: it is {}", why.state),
        Because::Changed { since, .. } => format!("{ran}, since these have changed after run {since}:"),
        because => format!("{ran}: {}", reason(because)),
    }
}

/// Why a node runs, in some words; of what changed the first.
pub fn reason(because: &Because) -> String {
    match because {
        Because::Changed { changes, .. } => match changes.as_slice() {
            [] => String::new(),
            [change] => change.to_string(),
            [change, rest @ ..] => format!("{change}, and {} more", rest.len()),
        },
        Because::FirstTime => "for the first time".to_owned(),
        Because::NotKept { since } => {
            format!("nothing differs from run {since}, but the cache no longer has its result")
        }
        Because::Lost { artifact } => {
            let artifact: String = artifact.to_string().chars().take(12).collect();
            format!("artifact {artifact} of its result was missing or damaged")
        }
        Because::CacheRefused => "the run takes nothing from the cache (`--no-cache`)".to_owned(),
        Because::CacheOff => "its cache is off".to_owned(),
        Because::Effect => "it has an effect".to_owned(),
        Because::NothingToKeep => "it computes nothing that a cache would keep".to_owned(),
        Because::Unknown => "what it reads cannot be known beforehand".to_owned(),
        Because::Cached { .. } | Because::NotRun { .. } => String::new(),
    }
}

fn to_json(why: &Why) -> Json {
    let because = match &why.because {
        Because::Cached { .. } => "cached",
        Because::FirstTime => "first-time",
        Because::Changed { .. } => "changed",
        Because::NotKept { .. } => "not-kept",
        Because::Lost { .. } => "lost",
        Because::CacheRefused => "no-cache",
        Because::CacheOff => "cache-off",
        Because::Effect => "effect",
        Because::NothingToKeep => "nothing-to-keep",
        Because::Unknown => "unknown",
        Because::NotRun { .. } => "not-run",
    };
    let mut json = json!({ "run": why.run, "node": why.node, "state": why.state.name(), "because": because });
    match &why.because {
        Because::Cached { run } => json["since"] = json!(run),
        Because::Changed { since, changes } => {
            json["since"] = json!(since);
            json["changes"] = changes.iter().map(change_json).collect();
        }
        Because::NotKept { since } => json["since"] = json!(since),
        Because::Lost { artifact } => json["artifact"] = json!(artifact.to_string()),
        Because::NotRun { because } => json["of"] = json!(because),
        _ => {}
    }
    json
}

fn change_json(change: &Change) -> Json {
    let mut json = json!({ "part": change.kind() });
    match change {
        Change::Operator { before, after }
        | Change::Numerics { before, after }
        | Change::Expression { before, after } => {
            json["before"] = json!(before);
            json["after"] = json!(after);
        }
        Change::Argument { name, before, after } => {
            json["name"] = json!(name);
            json["before"] = json!(before);
            json["after"] = json!(after);
        }
        Change::Content { name, of } => {
            json["name"] = json!(name);
            json["of"] = json!(of);
        }
        Change::File { name, path } => {
            json["name"] = json!(name);
            json["path"] = json!(path);
        }
        Change::Signature { operator } | Change::Code { operator } => json["operator"] = json!(operator),
        Change::Types => {}
    }
    json
}
