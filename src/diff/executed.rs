//! What was planned and what ran: the nodes that did not run, or ended otherwise.

use std::collections::{BTreeMap, HashMap};

use flow_ir::{dag::Dag, template::Templates};
use flow_runtime::engine::{NodeView, RunView};
use serde_json::{Value as Json, json};

use super::side::Side;
use crate::{
    runs::colour,
    terminal::Terminal,
    watch::text::{column, plain},
    words::count,
};

/// Nodes told one by one; the rest is counted.
const MOST: usize = 60;

/// How the nodes of a run ended, beside how they were planned or ended in another run.
pub struct Executed<'a> {
    run: &'a RunView,
    /// By state; cached ones apart.
    counts: BTreeMap<&'a str, usize>,
    nodes: Vec<Ended<'a>>,
}

/// A node that did not simply run and finish, or not as it did before.
struct Ended<'a> {
    id: String,
    /// None where it never began.
    node: Option<&'a NodeView>,
    /// Whether the other side has it.
    is_planned: bool,
    /// How it ended in the other side, where that is a run.
    was: Option<&'a str>,
}

impl<'a> Executed<'a> {
    /// None where the second side is no run.
    pub fn between(before: &'a Side, after: &'a Side) -> Option<Self> {
        let (run, nodes) = after.run.as_ref()?;
        let earlier: Option<HashMap<&str, &NodeView>> =
            before.run.as_ref().map(|(_, nodes)| nodes.iter().map(|node| (node.id.as_str(), node)).collect());
        let planned = Templates::new(&before.dag);
        let mut counts = BTreeMap::new();
        let mut told = Vec::new();
        for node in nodes {
            *counts.entry(node.shown_state()).or_default() += 1;
            let is_planned = planned.steps(&node.id).is_some();
            let was = earlier
                .as_ref()
                .and_then(|earlier| earlier.get(node.id.as_str()))
                .map(|node| node.shown_state());
            let is_other = match (was, &earlier) {
                (Some(was), _) => was != node.shown_state(),
                (None, Some(_)) => !is_planned,
                (None, None) => node.shown_state() != "finished" || node.attempts > 1,
            };
            if !is_planned || is_other {
                told.push(Ended { id: node.id.clone(), node: Some(node), is_planned, was });
            }
        }
        // What was planned and is not in the run at all.
        let there = Templates::new(&after.dag);
        for id in top(&before.dag) {
            if there.find(id).is_none() {
                told.push(Ended { id: id.to_owned(), node: None, is_planned: true, was: None });
            }
        }
        Some(Self { run, counts, nodes: told })
    }

    /// Whether all that was planned ran, and nothing else. What a choice left out is as planned.
    pub fn is_as_planned(&self) -> bool {
        self.nodes.iter().all(|ended| {
            ended.is_planned
                && ended.was.is_none()
                && ended
                    .node
                    .is_some_and(|node| matches!(node.shown_state(), "finished" | "cached" | "skipped"))
        })
    }

    pub fn to_text(&self, terminal: &Terminal) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let status = terminal.paint_out(self.run.status.name(), colour(self.run.status.name()));
        let mut text = format!("run {} {status}: {}\n", self.run.id, counts.join(", "));
        // That a result was cached is no news of each node.
        let news = |ended: &&Ended<'_>| {
            !(ended.is_planned
                && ended.was.is_none()
                && ended.node.is_some_and(|node| node.shown_state() == "cached"))
        };
        let nodes: Vec<&Ended<'_>> = self.nodes.iter().filter(news).collect();
        let width = column(nodes.iter().take(MOST).map(|ended| ended.id.as_str()));
        for ended in nodes.iter().take(MOST) {
            text.push_str(&ended.line(width, terminal));
        }
        if nodes.len() > MOST {
            text.push_str(&format!("  … and {}\n", count(nodes.len() - MOST, "more node", "more nodes")));
        }
        text
    }

    pub fn to_json(&self) -> Json {
        let node = |ended: &Ended<'_>| {
            json!({
                "node": ended.id,
                "planned": ended.is_planned,
                "state": ended.node.map(NodeView::shown_state),
                "was": ended.was,
                "attempts": ended.node.map(|node| node.attempts),
                "error": ended.node.and_then(|node| node.error.as_deref()),
            })
        };
        json!({
            "run": self.run.id,
            "status": self.run.status.name(),
            "counts": self.counts,
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
        })
    }
}

impl Ended<'_> {
    fn line(&self, width: usize, terminal: &Terminal) -> String {
        let (state, mut notes) = match self.node {
            Some(node) => (node.shown_state(), Vec::new()),
            None => ("not run", Vec::new()),
        };
        if !self.is_planned {
            notes.push("not planned".to_owned());
        } else if self.node.is_none() {
            notes.push("planned, and not in the run".to_owned());
        }
        notes.extend(self.was.map(|was| format!("was {was}")));
        if let Some(node) = self.node.filter(|node| node.attempts > 1) {
            notes.push(count(node.attempts as usize, "attempt", "attempts"));
        }
        notes.extend(self.node.and_then(|node| node.error.clone()));
        let painted = terminal.paint_out(&format!("{state:9}"), colour(state));
        format!("  {:width$}  {painted}  {}", plain(&self.id), notes.join(", ")).trim_end().to_owned() + "\n"
    }
}

fn top(dag: &Dag) -> impl Iterator<Item = &str> {
    dag.nodes.iter().map(|node| node.id.as_str())
}
