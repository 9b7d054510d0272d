//! What `resume` and `retry` say before they start: what stays valid, and what runs again.

use flow_runtime::engine::{Again, Revival};

use crate::{terminal::Terminal, words::count};

/// Nodes named in each list; the rest is counted.
const MOST_NAMED: usize = 8;

pub fn tell(run: &str, revival: &Revival, terminal: &Terminal) {
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
