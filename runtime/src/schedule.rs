//! Which ready node runs next, within the cores and the memory there are.
//!
//! By priority, then by the longest path to an end (critical path first), then in the DAG's order. Nodes of
//! equal need share a queue, so that a choice costs as many steps as there are different needs. A smaller
//! node may overtake one that does not fit at the moment, but not for ever: see [`PATIENCE`].

use std::{cmp::Reverse, collections::BinaryHeap};

use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind},
};
use rustc_hash::FxHashMap;

use crate::decide::Graph;

/// What there is, or what a node takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resources {
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
}

/// A node that would wait for ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotFit {
    #[error(
        "node `{node}` needs {need} cores, and this run may use {limit}: lower its `cpu` or raise `--jobs`"
    )]
    Cores { node: String, need: u32, limit: u32 },
    #[error(
        "node `{node}` needs {} of memory, and this run may use {}: lower its `memory` or raise `--memory`",
        size(*need), size(*limit)
    )]
    Memory { node: String, need: u64, limit: u64 },
    #[error("node `{node}` needs {need} GPUs, and there are none to run it on")]
    Gpus { node: String, need: u32 },
}

#[derive(Debug)]
pub struct Scheduler {
    free: Resources,
    /// For each node: its queue, and its rank in it.
    places: Vec<(u32, Rank)>,
    queues: Vec<Queue>,
    /// How often the best node has been overtaken since it came to be the best.
    overtaken: u32,
}

/// How often smaller nodes may overtake the best one before all wait for it to fit. A guess: large enough to
/// use idle cores, small enough that the wait ends.
const PATIENCE: u32 = 64;

/// Greater is sooner: priority, height, order in the DAG.
type Rank = (i64, u32, Reverse<u32>);

#[derive(Debug)]
struct Queue {
    need: Resources,
    waiting: BinaryHeap<(Rank, u32)>,
}

impl Scheduler {
    /// Refuses a DAG with a node that exceeds `limits` by itself.
    pub fn new(dag: &Dag, graph: &Graph, limits: Resources) -> Result<Self, CannotFit> {
        let mut queues: Vec<Queue> = Vec::new();
        let mut known: FxHashMap<Resources, u32> = FxHashMap::default();
        let mut places = Vec::with_capacity(dag.nodes.len());
        for ((index, node), height) in (0..).zip(&dag.nodes).zip(graph.heights()) {
            let need = need(node, limits)?;
            let queue = *known.entry(need).or_insert_with(|| {
                queues.push(Queue { need, waiting: BinaryHeap::new() });
                u32::try_from(queues.len() - 1).unwrap_or(u32::MAX)
            });
            places.push((queue, (node.policy.priority, height, Reverse(index))));
        }
        Ok(Self { free: limits, places, queues, overtaken: 0 })
    }

    /// The node has all its inputs.
    pub fn add(&mut self, node: u32, attempt: u32) {
        if let Some((queue, rank)) = self.places.get(node as usize)
            && let Some(queue) = self.queues.get_mut(*queue as usize)
        {
            queue.waiting.push((*rank, attempt));
        }
    }

    /// Takes the best node that fits, and the resources it needs. The caller drops a node that is no longer
    /// ready, and gives its resources back.
    pub fn take(&mut self) -> Option<(u32, u32)> {
        let best = self.queues.iter().filter_map(|queue| queue.waiting.peek()).max().copied()?;
        let free = self.free;
        let fitting = self
            .queues
            .iter_mut()
            .filter(|queue| queue.need.cores <= free.cores && queue.need.memory <= free.memory)
            .max_by_key(|queue| queue.waiting.peek().copied())?;
        let (rank, attempt) = *fitting.waiting.peek()?;
        if (rank, attempt) == best {
            self.overtaken = 0;
        } else if self.overtaken < PATIENCE {
            self.overtaken += 1;
        } else {
            return None;
        }
        fitting.waiting.pop();
        self.free.cores -= fitting.need.cores;
        self.free.memory -= fitting.need.memory;
        let (_, _, Reverse(node)) = rank;
        Some((node, attempt))
    }

    /// The node no longer uses what it took.
    pub fn release(&mut self, node: u32) {
        if let Some(queue) =
            self.places.get(node as usize).and_then(|(queue, _)| self.queues.get(*queue as usize))
        {
            self.free.cores += queue.need.cores;
            self.free.memory += queue.need.memory;
        }
    }
}

/// What a node takes while it runs; expressions take nothing.
fn need(node: &Node, limits: Resources) -> Result<Resources, CannotFit> {
    if matches!(node.kind, NodeKind::Expression(_)) {
        return Ok(Resources { cores: 0, memory: 0 });
    }
    let policy = &node.policy;
    let id = || node.id.clone();
    if policy.gpu > 0 {
        return Err(CannotFit::Gpus { node: id(), need: policy.gpu });
    }
    if policy.cpu > limits.cores {
        return Err(CannotFit::Cores { node: id(), need: policy.cpu, limit: limits.cores });
    }
    if policy.memory > limits.memory {
        return Err(CannotFit::Memory { node: id(), need: policy.memory, limit: limits.memory });
    }
    Ok(Resources { cores: policy.cpu, memory: policy.memory })
}

/// `2GiB`, as the language writes sizes.
fn size(bytes: u64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >= 1 << shift {
            let hundredths = (u128::from(bytes) * 100) >> shift;
            return match (hundredths / 100, hundredths % 100) {
                (whole, 0) => format!("{whole}{unit}"),
                (whole, part) => format!("{whole}.{part:02}{unit}"),
            };
        }
    }
    format!("{bytes} bytes")
}
