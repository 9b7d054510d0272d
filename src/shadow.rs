//! What `flowc run --shadow` says: how a recorded run ended, and how another text would.

use std::time::Duration;

use flow_runtime::{
    engine::{Comparison, Knowledge, NodeComparison},
    simulate::NodeOutcome,
};
use serde_json::{Value as Json, json};

use crate::{
    arguments::Format,
    exit::Exit,
    runs::colour,
    terminal::Terminal,
    watch::text::{column, plain},
    words::count,
};

/// Nodes that end as they did are counted beyond this many.
const MOST_ALIKE: usize = 40;

/// Durations that differ by no more are told as one.
const SLACK: Duration = Duration::from_millis(50);

/// Prints the comparison; gives the exit code.
pub fn tell(comparison: &Comparison, format: Format, terminal: &Terminal) -> Exit {
    match format {
        Format::Json => terminal.result(&format!("{:#}\n", to_json(comparison))),
        Format::Human => terminal.result(&text(comparison, terminal)),
    }
    if comparison.ends_alike() { Exit::Worked } else { Exit::Failed }
}

fn text(comparison: &Comparison, terminal: &Terminal) -> String {
    let nodes = &comparison.nodes;
    let width = column(nodes.iter().map(|node| node.id.as_str()));
    let states = nodes.iter().map(|node| states(node).0.chars().count()).max().unwrap_or(0);
    let status = comparison.shadow_status.name();
    let mut text = format!(
        "{}  {}  {}\n",
        comparison.run,
        terminal.paint_out(&change(comparison.recorded_status.name(), status), colour(status)),
        durations(comparison.recorded_elapsed, Some(comparison.shadow_elapsed)),
    );
    let mut alike = 0;
    for node in nodes {
        let is_plain = matches!(node.knowledge, Some(Knowledge::Recorded | Knowledge::Computed))
            && node.recorded.is_some()
            && node.ends_alike();
        alike += usize::from(is_plain);
        if !is_plain || alike <= MOST_ALIKE {
            text.push_str(&line(node, width, states, terminal));
        }
    }
    if alike > MOST_ALIKE {
        text.push_str(&format!(
            "  and {} that end as they did\n",
            count(alike - MOST_ALIKE, "node", "nodes")
        ));
    }
    if !comparison.moved.is_empty() {
        text.push_str(&format!("order: {} at another time\n", listed(&comparison.moved)));
    }
    let differ: Vec<String> =
        nodes.iter().filter(|node| !node.ends_alike()).map(|node| node.id.clone()).collect();
    text.push_str(&match (differ.is_empty(), comparison.ends_alike()) {
        (true, true) => "ends as it did\n".to_owned(),
        (true, false) => "the run ends differently, though no node of it does\n".to_owned(),
        (false, _) => format!("differently: {}\n", listed(&differ)),
    });
    text
}

fn line(node: &NodeComparison, width: usize, states_width: usize, terminal: &Terminal) -> String {
    let (states, state) = states(node);
    let elapsed = |node: &Option<NodeOutcome>| node.as_ref().and_then(|node| node.elapsed);
    let mut text = format!(
        "  {:width$}  {}  {}",
        plain(&node.id),
        terminal.paint_out(&format!("{states:states_width$}"), colour(state)),
        durations(elapsed(&node.recorded), elapsed(&node.shadow))
    );
    if node.shadow.as_ref().is_some_and(|shadow| shadow.started.is_some())
        && let Some(note) = note(node)
    {
        text.push_str(&format!("  {}", terminal.paint_out(&note, "2")));
    }
    let attempts = |node: &Option<NodeOutcome>| node.as_ref().map_or(0, |node| node.attempts);
    match (attempts(&node.recorded), attempts(&node.shadow)) {
        (before, after)
            if node.shadow.is_some()
                && node.recorded.as_ref().is_some_and(|recorded| !recorded.is_cached)
                && before != after =>
        {
            text.push_str(&format!("  {} instead of {before}", count(after as usize, "attempt", "attempts")));
        }
        _ => {}
    }
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    if !node.ends_alike()
        && let Some(because) = node.shadow.as_ref().and_then(|shadow| shadow.because.as_ref())
    {
        let because = match node.shadow.as_ref().map(|shadow| shadow.state) {
            Some("cancelled") => format!("because of {because}"),
            _ => because.clone(),
        };
        text.push_str(&format!("{:1$}{because}\n", "", width + 4));
    }
    text
}

/// Where it comes from that a node is said to do what it does.
fn note(node: &NodeComparison) -> Option<String> {
    match node.knowledge.as_ref()? {
        Knowledge::Recorded | Knowledge::Computed => None,
        Knowledge::ChangedSinceCached => {
            Some("changed: taken to give what the cache had, in no time".to_owned())
        }
        Knowledge::Changed => Some("changed: taken to do as it did".to_owned()),
        Knowledge::Guessed { calls } => {
            Some(format!("guessed from {} of its operator", count(*calls as usize, "call", "calls")))
        }
        Knowledge::Unknown => Some("unknown: taken to work, in no time".to_owned()),
    }
}

/// The node's states in words, and the one that counts.
fn states(node: &NodeComparison) -> (String, &'static str) {
    match (&node.recorded, &node.shadow) {
        (Some(recorded), Some(shadow)) => (change(recorded.state, shadow.state), shadow.state),
        (None, Some(shadow)) => (format!("new: {}", shadow.state), shadow.state),
        (Some(recorded), None) => (format!("gone: was {}", recorded.state), "pending"),
        (None, None) => (String::new(), "pending"),
    }
}

fn change(before: &str, after: &str) -> String {
    if before == after { after.to_owned() } else { format!("{before} → {after}") }
}

/// One where both are about the same: what a run needs for itself is no part of its shadow.
fn durations(before: Option<Duration>, after: Option<Duration>) -> String {
    let seconds = |duration: Duration| format!("{:.3} s", duration.as_secs_f64());
    match (before, after) {
        (Some(before), Some(after)) if before.abs_diff(after) > SLACK.max(before / 50) => {
            format!("{} → {}", seconds(before), seconds(after))
        }
        (before, after) => after.or(before).map(seconds).unwrap_or_default(),
    }
}

fn listed(nodes: &[String]) -> String {
    const MOST: usize = 8;
    let mut names: Vec<String> = nodes.iter().take(MOST).map(|node| format!("`{node}`")).collect();
    if nodes.len() > MOST {
        names.push(format!("{} more", nodes.len() - MOST));
    }
    names.join(", ")
}

fn to_json(comparison: &Comparison) -> Json {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    let nodes = comparison.nodes.iter().map(|node| {
        json!({
            "node": node.id,
            "known": node.knowledge.as_ref().map(|knowledge| match knowledge {
                Knowledge::Recorded => "recorded",
                Knowledge::Computed => "computed",
                Knowledge::Changed => "changed",
                Knowledge::ChangedSinceCached => "changed-since-cached",
                Knowledge::Guessed { .. } => "guessed",
                Knowledge::Unknown => "unknown",
            }),
            "same": node.ends_alike(),
            "recorded": node.recorded.as_ref().map(outcome_json),
            "shadow": node.shadow.as_ref().map(outcome_json),
        })
    });
    json!({
        "run": comparison.run,
        "same": comparison.ends_alike(),
        "recorded": {
            "status": comparison.recorded_status.name(), "seconds": seconds(comparison.recorded_elapsed),
        },
        "shadow": {
            "status": comparison.shadow_status.name(), "seconds": seconds(Some(comparison.shadow_elapsed)),
        },
        "moved": comparison.moved,
        "nodes": nodes.collect::<Vec<_>>(),
    })
}

fn outcome_json(node: &NodeOutcome) -> Json {
    json!({
        "state": node.state,
        "attempts": node.attempts,
        "cached": node.is_cached,
        "started": node.started.map(|started| started.as_secs_f64()),
        "seconds": node.elapsed.map(|elapsed| elapsed.as_secs_f64()),
        "because": node.because,
    })
}
