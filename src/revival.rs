//! What `resume` and `retry` share: a run is taken up again, after saying what stays valid and what runs again.

use std::path::Path;

use flow_runtime::{
    act::Cancel,
    engine::{Again, Engine, Revival, RunError, RunOptions, RunReport},
};

use crate::{
    exit::{Exit, Failure},
    run::Execution,
    state,
    terminal::Terminal,
    words::count,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    #[command(flatten)]
    execution: Execution,
}

/// [`Engine::resume`] or [`Engine::retry`].
type TakeUp =
    fn(&Engine, &str, &RunOptions, &Cancel, &mut dyn FnMut(&Revival)) -> Result<RunReport, RunError>;

/// Nodes named in each list; the rest is counted.
const MOST_NAMED: usize = 8;

pub fn execute(
    options: &Options,
    root: Option<&Path>,
    terminal: &Terminal,
    take_up: TakeUp,
) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let id = state::find(&engine, &options.run)?.id;
    options.execution.drive(&engine, terminal, |run_options, cancel| {
        take_up(&engine, &id, run_options, cancel, &mut |revival| tell(&id, revival, terminal))
    })
}

fn tell(run: &str, revival: &Revival, terminal: &Terminal) {
    let mut parts = vec![format!("{} valid", count(revival.valid, "node stays", "nodes stay"))];
    if !revival.again.is_empty() {
        let again = revival.again.iter().map(|(node, again)| format!("`{node}` ({})", why(*again)));
        parts.push(format!("again: {}", listed(again)));
    }
    if !revival.failed.is_empty() {
        let failed = revival.failed.iter().map(|node| format!("`{node}`"));
        parts.push(format!("still failed: {}", listed(failed)));
    }
    if revival.open > 0 {
        parts.push(format!("not begun: {}", revival.open));
    }
    terminal.remark(&format!("run {run} goes on; {}", parts.join("; ")));
}

fn why(again: Again) -> &'static str {
    match again {
        Again::Failed => "failed",
        Again::Interrupted => "interrupted",
        Again::Cancelled => "cancelled",
        Again::Lost => "its result is gone",
        Again::Rests => "had to do without what failed",
    }
}

fn listed(nodes: impl ExactSizeIterator<Item = String>) -> String {
    let rest = nodes.len().saturating_sub(MOST_NAMED);
    let mut names: Vec<String> = nodes.take(MOST_NAMED).collect();
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    names.join(", ")
}
