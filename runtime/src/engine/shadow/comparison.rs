//! A recorded run and its replay, side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use flow_ir::{dag::Dag, template::Templates};

use super::{
    answers::{Knowledge, RecordedAnswers},
    recording::Recording,
};
use crate::{
    decide::{Graph, GraphError, Past, RunStatus},
    engine::{Engine, RunError, RunOptions},
    schedule::{Machine, Weights},
    simulate::{Follower, NodeOutcome, SimulateError, SimulateOptions, simulate},
};

/// A recorded run, and what would become of it.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The recorded run.
    pub run: String,
    /// Of the recorded run; `interrupted` where its process has died.
    pub recorded_status: RunStatus,
    pub shadow_status: RunStatus,
    /// From its start to its end, interruptions included; none where it has no end.
    pub recorded_elapsed: Option<Duration>,
    pub shadow_elapsed: Duration,
    /// Those of either, in the order of the DAG that was given, behind a node those of its regions that have begun;
    /// those that the DAG lacks come last.
    pub nodes: Vec<NodeComparison>,
    /// Nodes that start before others which they followed in the recorded run, or after; the fewest that have
    /// to be named to say so.
    pub moved: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct NodeComparison {
    pub id: String,
    /// None where the DAG has no such node.
    pub knowledge: Option<Knowledge>,
    /// None where the recorded run had no such node.
    pub recorded: Option<NodeOutcome>,
    pub shadow: Option<NodeOutcome>,
}

impl Comparison {
    /// Whether the run, and every node that both have, ends alike.
    pub fn ends_alike(&self) -> bool {
        self.recorded_status == self.shadow_status && self.nodes.iter().all(NodeComparison::ends_alike)
    }
}

impl NodeComparison {
    pub fn ends_alike(&self) -> bool {
        match (&self.recorded, &self.shadow) {
            (Some(recorded), Some(shadow)) => recorded.state == shadow.state,
            _ => true,
        }
    }
}

impl Engine {
    /// Replays a recorded run, giving its operators' answers to a DAG that may be another. Nothing is executed, and
    /// nothing is written; artifacts are read where expressions need the values in them.
    ///
    /// # Errors
    /// When the DAG cannot be run at all, and when there is no such run.
    pub fn shadow(&self, dag: Dag, run: &str, options: &RunOptions) -> Result<Comparison, RunError> {
        let run = self.find_run(run)?;
        let recorded = self.dag(&run.id)?;
        let events = self.store.events(&run.id)?;
        let recording = Recording::new(&recorded, &events);
        let mut before = Follower::new(run.started);
        events.iter().for_each(|event| before.hear(event));

        let mut answers = RecordedAnswers::new(&recording, &dag);
        let weights: Weights =
            recording.durations().map(|(id, duration)| (id.to_owned(), duration)).collect();
        let machine = options.machine.clone().unwrap_or_else(|| Machine::here_for(&dag));
        let simulated = SimulateOptions {
            machine: self.limit(&machine, options),
            weights,
            cancel: None,
            now: run.started,
            artifacts: Some(self.artifacts.clone()),
            durations: Default::default(),
        };
        let after = simulate(dag.clone(), &simulated, &mut answers).map_err(|error| match error {
            SimulateError::Graph(error) => RunError::from(error),
            SimulateError::CannotFit(error) => error.into(),
            SimulateError::Store(error) => error.into(),
        })?;
        let moved = moved(&before.nodes, &after.nodes);
        let mut nodes = compare((&recorded, &before.nodes), (&dag, &after.nodes))?;
        let templates = Templates::new(&dag);
        for compared in nodes.iter_mut().filter(|compared| compared.shadow.is_some()) {
            let template = templates.find(&compared.id).and_then(|template| templates.node(&dag, template));
            compared.knowledge = template.map(|node| answers.knowledge(&compared.id, node));
        }
        let (status, elapsed) = (after.status, after.elapsed);
        Ok(Comparison {
            recorded_elapsed: run.seconds.map(Duration::from_secs_f64),
            run: run.id,
            recorded_status: run.status,
            shadow_status: status,
            shadow_elapsed: elapsed,
            nodes,
            moved,
        })
    }
}

/// The nodes of both runs, each with its DAG; nothing is known of them yet.
fn compare(
    (recorded, before): (&Dag, &[NodeOutcome]),
    (dag, after): (&Dag, &[NodeOutcome]),
) -> Result<Vec<NodeComparison>, GraphError> {
    let all = || before.iter().chain(after);
    let (were, are) = (in_order(recorded, before.iter())?, in_order(dag, after.iter())?);
    let (mut before, mut after) = (by_id(before, &were), by_id(after, &are));
    let mut seen = BTreeSet::new();
    let ids = in_order(dag, all())?.into_iter().chain(were);
    let ids = ids.filter(|id| seen.insert(id.clone()));
    let nodes = ids.filter_map(|id| {
        let (recorded, shadow) = (before.remove(&id), after.remove(&id));
        let is_there = recorded.is_some() || shadow.is_some();
        is_there.then(|| NodeComparison { id: id.to_string(), knowledge: None, recorded, shadow })
    });
    Ok(nodes.collect())
}

/// What a run of the DAG calls its nodes, those of regions too in every instance that one of these stands in.
fn in_order<'a>(
    dag: &Dag,
    nodes: impl Iterator<Item = &'a NodeOutcome>,
) -> Result<Vec<Arc<str>>, GraphError> {
    let mut past = Past::new(Arc::new(Graph::new(dag)?), 0);
    for node in nodes {
        past.find(&node.id);
    }
    Ok(past.in_order().into_iter().map(|node| past.state().id(node)).collect())
}

/// All these nodes. Those that never left `pending` are there all the same.
fn by_id(nodes: &[NodeOutcome], all: &[Arc<str>]) -> BTreeMap<Arc<str>, NodeOutcome> {
    let pending = all.iter().map(|id| (id.clone(), NodeOutcome::new(id.clone(), "pending")));
    pending.chain(nodes.iter().map(|node| (node.id.clone(), node.clone()))).collect()
}

/// The nodes outside of the longest common subsequence of both orders of starts.
fn moved(before: &[NodeOutcome], after: &[NodeOutcome]) -> Vec<String> {
    let order = |nodes: &[NodeOutcome]| {
        let mut started: Vec<(Duration, usize, Arc<str>)> = nodes
            .iter()
            .enumerate()
            .filter_map(|(place, node)| Some((node.started?, place, node.id.clone())))
            .collect();
        started.sort();
        started.into_iter().map(|(_, _, id)| id).collect::<Vec<_>>()
    };
    let ranks: BTreeMap<Arc<str>, usize> = order(before).into_iter().zip(0..).collect();
    let common: Vec<(usize, Arc<str>)> =
        order(after).into_iter().filter_map(|id| Some((*ranks.get(&id)?, id))).collect();
    // The longest increasing subsequence of the ranks: `ends[k]` is the least end of one of length k + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut links: Vec<Option<usize>> = Vec::with_capacity(common.len());
    for (place, (rank, _)) in common.iter().enumerate() {
        let length = ends.partition_point(|end| common.get(*end).is_some_and(|(other, _)| other < rank));
        links.push(length.checked_sub(1).and_then(|before| ends.get(before)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut stays = BTreeSet::new();
    let mut place = ends.last().copied();
    while let Some(at) = place {
        stays.insert(at);
        place = links.get(at).copied().flatten();
    }
    let all = common.into_iter().enumerate();
    all.filter(|(place, _)| !stays.contains(place)).map(|(_, (_, id))| id.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_nodes_say_how_an_order_changed() {
        let run = |order: &str| -> Vec<NodeOutcome> {
            let nodes = order.chars().zip(0..).map(|(id, started)| NodeOutcome {
                started: Some(Duration::from_secs(started)),
                ..NodeOutcome::new(id.to_string().into(), "finished")
            });
            nodes.collect()
        };
        for (before, after, found) in
            [("abcdef", "abcdef", ""), ("abcdef", "fabcde", "f"), ("abcd", "xdabc", "d"), ("ab", "ba", "b")]
        {
            assert_eq!(moved(&run(before), &run(after)).concat(), found, "{before} {after}");
        }
    }
}
