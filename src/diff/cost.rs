//! What a difference would run again, and what that cost last time.

use std::collections::HashMap;

use flow_ir::{
    dag::Dag,
    diff::{DagDiff, Effect, Kind},
    node::NodeKind,
    template::Templates,
};
use flow_runtime::decide::NodeState;
use flow_runtime::engine::{Engine, NodeView};
use serde_json::{Value as Json, json};

use super::side::Side;
use crate::{exit::Failure, words::count};

/// Earlier runs that are looked at.
const MOST_RUNS: usize = 10;
/// Nodes named of those that run each time.
const MOST_NAMED: usize = 8;

/// What nodes took when they ran last, by their paths without iterations.
pub struct Costs {
    nodes: HashMap<String, Cost>,
}

#[derive(Clone, Copy, Default)]
struct Cost {
    seconds: f64,
    /// Of the processors.
    cpu_seconds: f64,
}

/// The nodes that would run again.
pub struct Rerun {
    /// Their paths, and what they cost last time.
    nodes: Vec<(String, Option<Cost>)>,
    /// Further ones, which the cache shall no longer serve.
    each_time: Vec<String>,
}

impl Costs {
    /// Of the run itself, or else of the latest runs of its workflow.
    pub fn of(engine: &Engine, side: &Side) -> Result<Self, Failure> {
        let mut costs = Self { nodes: HashMap::new() };
        if let Some((_, nodes)) = &side.run {
            costs.add(&side.dag, nodes);
        }
        let runs = engine.runs()?;
        for run in runs.iter().filter(|run| run.workflow == side.dag.workflow).take(MOST_RUNS) {
            let (Ok((_, nodes)), Ok(dag)) = (engine.show(&run.id), engine.dag(&run.id)) else { continue };
            costs.add(&dag, &nodes);
        }
        Ok(costs)
    }

    /// Takes a run in; what a later one says of a node stays.
    fn add(&mut self, dag: &Dag, nodes: &[NodeView]) {
        let templates = Templates::new(dag);
        let mut run: HashMap<String, Cost> = HashMap::new();
        for node in nodes.iter().filter(|node| !node.is_cached && node.state == NodeState::Finished) {
            let steps = templates.steps(&node.id);
            let Some(template) = steps.and_then(|steps| templates.get(steps.last()?.template)) else {
                continue;
            };
            if let Some(seconds) = node.seconds {
                let cost = run.entry(template.path.clone()).or_default();
                cost.seconds += seconds;
                cost.cpu_seconds += node.cpu_seconds.unwrap_or_default();
            }
        }
        for (path, cost) in run {
            self.nodes.entry(path).or_insert(cost);
        }
    }

    /// What results change of both DAGs' nodes runs again; what was added runs for the first time.
    pub fn of_diff(&self, diff: &DagDiff, before: &Dag, after: &Dag) -> Rerun {
        let computes = |dag: &Dag| {
            let templates = Templates::new(dag);
            move |path: &str, dag: &Dag| {
                let template = templates.at(&without_iterations(path));
                template.and_then(|template| templates.node(dag, template)).is_some_and(|node| {
                    node.kind.regions().is_empty()
                        && !matches!(node.kind, NodeKind::Pass | NodeKind::Wait | NodeKind::WaitFor)
                })
            }
        };
        let (was, is) = (computes(before), computes(after));
        let cost = |path: &str| self.nodes.get(&without_iterations(path)).copied();
        let changed = diff.nodes.iter().filter(|node| {
            node.effect == Effect::ChangesResults && node.kind != Kind::Removed && is(&node.path, after)
        });
        let changed = changed.map(|node| {
            let old = node.was.as_deref().unwrap_or(&node.path);
            let cost = if node.kind == Kind::Added || !was(old, before) { None } else { cost(old) };
            (node.path.clone(), cost)
        });
        let followers = diff.followers.iter().filter(|follower| is(&follower.path, after));
        let followers = followers.map(|follower| (follower.path.clone(), cost(&follower.path)));
        let nodes: Vec<_> = changed.chain(followers).collect();
        let of = |dag: &Dag, path: &str| {
            let templates = Templates::new(dag);
            let node = templates.at(&without_iterations(path)).and_then(|at| templates.node(dag, at));
            node.is_some_and(|node| node.policy.cache)
        };
        let uncached = diff.nodes.iter().filter(|node| {
            let old = node.was.as_deref().unwrap_or(&node.path);
            node.kind != Kind::Removed
                && node.kind != Kind::Added
                && node.effect == Effect::PolicyOnly
                && is(&node.path, after)
                && of(before, old)
                && !of(after, &node.path)
        });
        let each_time = uncached.map(|node| node.path.clone()).collect();
        Rerun { nodes, each_time }
    }
}

impl Rerun {
    /// One line; empty where nothing runs again.
    pub fn to_text(&self) -> String {
        let each_time = match self.each_time.as_slice() {
            [] => String::new(),
            few if few.len() <= MOST_NAMED => format!("runs each time, `cache: off`: {}\n", few.join(", ")),
            many => format!("runs each time, `cache: off`: {}\n", count(many.len(), "node", "nodes")),
        };
        if self.nodes.is_empty() {
            return match self.each_time.as_slice() {
                [] => "nothing would run again\n".to_owned(),
                _ => each_time,
            };
        }
        let known: Vec<Cost> = self.nodes.iter().filter_map(|(_, cost)| *cost).collect();
        let nodes = count(self.nodes.len(), "node", "nodes");
        if known.is_empty() {
            return format!("would run: {nodes}; none of them has run before\n{each_time}");
        }
        let total = total(&known);
        let unknown = match self.nodes.len() - known.len() {
            0 => String::new(),
            several => format!(", not counting {several} that never ran"),
        };
        format!(
            "would run: {nodes}, which took {:.2} s last time ({:.2} s of a core){unknown}\n{each_time}",
            total.seconds, total.cpu_seconds
        )
    }

    pub fn to_json(&self) -> Json {
        let nodes = self.nodes.iter().map(|(path, cost)| {
            json!({
                "node": path,
                "seconds": cost.map(|cost| cost.seconds),
                "cpu_seconds": cost.map(|cost| cost.cpu_seconds),
            })
        });
        let known: Vec<Cost> = self.nodes.iter().filter_map(|(_, cost)| *cost).collect();
        let total = total(&known);
        json!({
            "nodes": nodes.collect::<Vec<_>>(),
            "each_time": self.each_time,
            "seconds": total.seconds,
            "cpu_seconds": total.cpu_seconds,
        })
    }
}

fn total(costs: &[Cost]) -> Cost {
    costs.iter().fold(Cost::default(), |sum, cost| Cost {
        seconds: sum.seconds + cost.seconds,
        cpu_seconds: sum.cpu_seconds + cost.cpu_seconds,
    })
}

/// `days[]/load` as `days/load`.
pub fn without_iterations(path: &str) -> String {
    path.replace("[]/", "/")
}
