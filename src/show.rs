//! `flowc show`: one run, node by node.

use std::path::{Path, PathBuf};

use flow_ir::text::bytes;
use flow_runtime::decide::RunStatus;
use flow_runtime::engine::{NodeView, Waiting};
use serde_json::json;

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    outputs::artifact_text,
    page, runs, state,
    terminal::Terminal,
    watch::text::{column, figure, plain},
    words::step_of,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// Print the task of a node instead, as `flowc task` takes it
    #[arg(long, value_name = "NODE")]
    envelope: Option<String>,
    /// Write the run as one HTML page, to keep
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    html: Option<PathBuf>,
    /// How to print it; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let id = state::find(&engine, &options.run)?.id;
    if let Some(node) = &options.envelope {
        let query = engine.dag(&id)?.query_with_step(node);
        if let Some(query) = &query {
            terminal.remark(&step_of(node, query));
        }
        let envelope = engine.envelope(&id, query.as_deref().unwrap_or(node))?;
        terminal.result(&format!("{:#}\n", envelope.to_json()));
        return Ok(Exit::Worked);
    }
    let (run, nodes) = engine.show(&id)?;
    if let Some(path) = &options.html {
        let page = page::render(&run, &engine.dag(&run.id)?, &nodes);
        if path == Path::new("-") {
            terminal.result(&page);
        } else {
            std::fs::write(path, page).map_err(|error| {
                Failure::environment(format!("cannot write `{}`: {error}", path.display()))
            })?;
            terminal.remark(&format!("wrote `{}`", path.display()));
        }
        return Ok(Exit::Worked);
    }
    let waiting = engine.waiting(&run)?;
    let waits_for = |node: &NodeView| waiting.iter().find(|waiting| waiting.node == node.id);
    match options.format {
        Format::Json => {
            let mut json = runs::to_json(&run);
            json["tasks"] = nodes.iter().map(|node| node_json(node, waits_for(node))).collect();
            terminal.result(&format!("{json:#}\n"));
        }
        Format::Human => {
            terminal.result(&runs::line(&run, terminal));
            if let (Some(owner), true) = (&run.owner, run.status == RunStatus::Running) {
                let of = format!("  process {} on {}", owner.pid, plain(&owner.host));
                terminal.result(&format!("{}\n", terminal.paint_out(&of, "2")));
            }
            terminal.result("\n");
            let ids: Vec<_> = nodes.iter().map(|node| plain(&node.id)).collect();
            let width = column(ids.iter().map(AsRef::as_ref));
            for node in &nodes {
                terminal.result(&node_text(node, waits_for(node), width, terminal));
            }
        }
    }
    Ok(Exit::Worked)
}

fn node_json(node: &NodeView, waiting: Option<&Waiting>) -> serde_json::Value {
    let outputs: serde_json::Map<_, _> =
        node.outputs.iter().map(|(port, reference)| (port.clone(), reference.to_json())).collect();
    let mut json = json!({
        "node": node.id,
        "op": node.op,
        "state": node.state.name(),
        "cached": node.is_cached,
        "attempts": node.attempts,
        "seconds": node.seconds,
        "cpu_seconds": node.cpu_seconds,
        "peak_memory": node.peak_memory,
        "metrics": node.metrics.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "outputs": outputs,
        "waits_for": waiting.map(|waiting| waiting.reasons.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "error": node.error,
        "help": node.help,
        "warning": node.warning,
    });
    if !node.steps.is_empty() {
        json["steps"] = node.steps.clone().into();
    }
    json
}

/// What a node took of the processors and of memory, where that is worth a word.
fn used(node: &NodeView) -> String {
    let cpu = node.cpu_seconds.filter(|_| node.seconds.is_some_and(|seconds| seconds >= 0.1));
    let cpu = cpu.map(|cpu| format!("  cpu {cpu:.1} s")).unwrap_or_default();
    let memory = node.peak_memory.map(|peak| format!("  {}", bytes(peak))).unwrap_or_default();
    format!("{cpu}{memory}")
}

/// A line for the node, one for each output, what it waits for, and the error.
fn node_text(node: &NodeView, waiting: Option<&Waiting>, width: usize, terminal: &Terminal) -> String {
    let state = node.shown_state();
    let seconds = node.seconds.map(|seconds| format!("{seconds:.3} s")).unwrap_or_default();
    let attempts = if node.attempts > 1 { format!("  {} attempts", node.attempts) } else { String::new() };
    let mut text = format!(
        "  {:width$}  {}  {:>10}  {}{attempts}\n",
        plain(&node.id),
        terminal.paint_out(&format!("{state:9}"), runs::colour(state)),
        seconds,
        terminal.paint_out(&format!("{}{}", plain(&node.op), used(node)), "2")
    );
    if !node.steps.is_empty() {
        let steps = terminal.paint_out(&plain(&node.steps.join(" → ")), "2");
        text.push_str(&format!("{:1$}{steps}\n", "", width + 4));
    }
    if !node.metrics.is_empty() {
        let metrics = node.metrics.iter().map(|(name, value)| format!("{} {}", plain(name), figure(*value)));
        text.push_str(&format!("{:2$}{}\n", "", metrics.collect::<Vec<_>>().join("  "), width + 4));
    }
    for (port, reference) in &node.outputs {
        let name = if node.outputs.len() == 1 { String::new() } else { format!("{}: ", plain(port)) };
        let indent = width + 4;
        text.push_str(&format!("{:indent$}{name}{}\n", "", artifact_text(reference, indent)));
    }
    if let Some(warning) = &node.warning {
        let word = terminal.paint_out("warning:", "33");
        text.push_str(&format!("{:indent$}{word} {warning}\n", "", indent = width + 4));
    }
    for reason in waiting.into_iter().flat_map(|waiting| &waiting.reasons) {
        text.push_str(&format!("{:2$}{} {reason}\n", "", terminal.paint_out("waits for", "2"), width + 4));
    }
    if waiting.is_some_and(|waiting| waiting.reasons.is_empty()) {
        let told = terminal.paint_out("there is room for it: others go first, or it is about to start", "2");
        text.push_str(&format!("{:1$}{told}\n", "", width + 4));
    }
    if let Some(error) = &node.error {
        text.push_str(&format!("{:2$}{} {error}\n", "", terminal.paint_out("error:", "31"), width + 4));
    }
    if let Some(help) = &node.help {
        text.push_str(&format!("{:2$}{} {help}\n", "", terminal.paint_out("help:", "36"), width + 4));
    }
    text
}
