//! Who waits for whom, and what a failure means: all that the decider must know of a DAG.

use std::sync::Arc;

use flow_ir::{
    dag::{Dag, Output},
    node::{Node, NodeIndex, PortRef},
    policy::OnFailure,
    region::Region,
};

use super::shape;

/// The edges of a DAG, or of a region, each pair of nodes once, as one array sorted by producer.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(super) nodes: Vec<Facts>,
    ids: Vec<Arc<str>>,
    edges: Vec<Edge>,
    /// `edges[first_edge[n]..first_edge[n + 1]]` are the edges out of node n.
    first_edge: Vec<u32>,
    /// The numbers of the edges, with their producers, sorted by consumer; cut like `edges`.
    incoming: Vec<(u32, u32)>,
    first_incoming: Vec<u32>,
}

/// What the decider knows of one node.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub kind: Kind,
    /// How many nodes it waits for.
    pub dependencies: u32,
    pub retries: u32,
    /// Microseconds before the first retry.
    pub backoff: i64,
    /// Microseconds that one attempt may take.
    pub timeout: Option<i64>,
    pub on_failure: OnFailure,
    /// An output of the workflow, or of the region, reads it.
    pub required: bool,
    /// Its own, or that of a node in its regions.
    pub effect: bool,
}

/// What a node is to the decider.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Somebody else computes it.
    Plain,
    Pass,
    Wait,
    WaitFor,
    Conditional {
        then: Arc<Graph>,
        otherwise: Arc<Graph>,
    },
    Map {
        max: u64,
        body: Arc<Graph>,
    },
    Loop {
        max: u64,
        condition: Arc<Graph>,
        body: Arc<Graph>,
    },
    Workflow {
        body: Arc<Graph>,
    },
}

/// Which of a node's regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Then,
    Otherwise,
    /// Of a loop.
    Condition,
    Body,
}

/// An edge, seen from its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub consumer: u32,
    /// The consumer starts only when the producer is `finished`: there is no data to start from, or its effect
    /// must not precede what it rests on, or it steers nodes that know nothing of the producer. Else `finishing`
    /// is enough.
    pub strict: bool,
}

/// Why a DAG cannot be run at all. The compiler writes none like this; a file from elsewhere might be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    #[error("node `{node}` reads node {producer}, which does not stand before it")]
    NotBefore { node: String, producer: u32 },
    #[error("node `{node}` reads port {port} of `{producer}`, which has {ports}")]
    NoSuchPort { node: String, producer: String, port: u32, ports: usize },
    #[error("output `{output}` reads a port that no node has")]
    DanglingOutput { output: String },
    #[error("node `{node}` is a {kind}, but {problem}")]
    Shape { node: String, kind: &'static str, problem: String },
    #[error("the DAG has {0} nodes, more than a run can number")]
    TooLarge(usize),
}

impl Graph {
    /// Checks that every edge leads forward and from a port that exists, and that every node has what its kind
    /// needs. O(nodes + edges).
    pub fn new(dag: &Dag) -> Result<Self, GraphError> {
        Self::of(&dag.nodes, &dag.outputs)
    }

    pub(super) fn of_region(region: &Region) -> Result<Arc<Self>, GraphError> {
        Self::of(&region.nodes, &region.outputs).map(Arc::new)
    }

    fn of(all: &[Node], outputs: &[Output]) -> Result<Self, GraphError> {
        let count = u32::try_from(all.len()).map_err(|_| GraphError::TooLarge(all.len()))?;
        let mut incoming: Vec<(u32, Edge)> = Vec::with_capacity(all.len());
        let mut nodes = Vec::with_capacity(all.len());
        let mut required = vec![false; all.len()];
        for output in outputs {
            let mut dangling = false;
            output.input.for_each_port(&mut |port| match required.get_mut(port.node.0 as usize) {
                Some(slot) if has_port(all, port) => *slot = true,
                _ => dangling = true,
            });
            if dangling {
                return Err(GraphError::DanglingOutput { output: output.name.clone() });
            }
        }
        for (index, (node, required)) in (0..count).zip(all.iter().zip(required)) {
            let producers = producers(all, index, node)?;
            let kind = shape::kind(node)?;
            let is_strict = node.effect || kind.is_control();
            for (producer, strict) in &producers {
                incoming.push((*producer, Edge { consumer: index, strict: *strict || is_strict }));
            }
            nodes.push(Facts {
                dependencies: u32::try_from(producers.len()).unwrap_or(u32::MAX),
                retries: node.policy.retry,
                backoff: node.policy.backoff,
                timeout: node.policy.timeout,
                on_failure: node.policy.on_failure,
                effect: node.effect || kind.has_effect(),
                kind,
                required,
            });
        }
        incoming.sort_by_key(|(producer, edge)| (*producer, edge.consumer));
        let first_edge = starts(all.len(), incoming.iter().map(|(producer, _)| *producer));
        let edges: Vec<Edge> = incoming.iter().map(|(_, edge)| *edge).collect();
        let mut by_consumer: Vec<(u32, u32)> =
            (0..).zip(&incoming).map(|(index, (producer, _))| (*producer, index)).collect();
        let consumer = |index: u32| edges.get(index as usize).map_or(0, |edge| edge.consumer);
        by_consumer.sort_by_key(|(_, index)| consumer(*index));
        let first_incoming = starts(all.len(), by_consumer.iter().map(|(_, index)| consumer(*index)));
        let ids = all.iter().map(|node| Arc::from(node.id.as_str())).collect();
        Ok(Self { nodes, ids, edges, first_edge, incoming: by_consumer, first_incoming })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Of a node, within its DAG or region.
    pub fn id(&self, node: u32) -> Arc<str> {
        self.ids.get(node as usize).cloned().unwrap_or_default()
    }

    /// The node of that id, within its DAG or region.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.ids.iter().zip(0..).find(|(other, _)| &***other == id).map(|(_, node)| node)
    }

    /// How many nodes wait for `node`.
    pub fn consumers(&self, node: u32) -> usize {
        self.edges_from(node).len()
    }

    /// The nodes that `node` waits for.
    pub fn producers(&self, node: u32) -> impl Iterator<Item = u32> {
        self.edges_into(node).map(|(_, _, producer)| producer)
    }

    pub(super) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// The edges out of `node`, each with its number.
    pub(super) fn edges_from(&self, node: u32) -> impl ExactSizeIterator<Item = (usize, Edge)> {
        let range = range(&self.first_edge, node);
        range.clone().zip(self.edges.get(range).unwrap_or_default().iter().copied())
    }

    /// The edges into `node`, each with its number and its producer.
    pub(super) fn edges_into(&self, node: u32) -> impl Iterator<Item = (usize, Edge, u32)> {
        let incoming = self.incoming.get(range(&self.first_incoming, node)).unwrap_or_default();
        incoming.iter().filter_map(|(producer, index)| {
            self.edges.get(*index as usize).map(|edge| (*index as usize, *edge, *producer))
        })
    }

    /// The length of the longest path from each node to an end, itself included; `weights` has each node's own.
    pub fn paths(&self, weights: &[u64]) -> Vec<u64> {
        let mut paths = weights.to_vec();
        for node in (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).rev() {
            let below = self
                .edges_from(node)
                .filter_map(|(_, edge)| paths.get(edge.consumer as usize))
                .max()
                .copied()
                .unwrap_or(0);
            if let Some(path) = paths.get_mut(node as usize) {
                *path = path.saturating_add(below);
            }
        }
        paths
    }
}

/// For each node, where its part begins in what is sorted by these nodes; and the end.
fn starts(nodes: usize, sorted: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0; nodes + 1];
    for node in sorted {
        if let Some(next) = starts.get_mut(node as usize + 1) {
            *next += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    starts
}

fn range(starts: &[u32], node: u32) -> std::ops::Range<usize> {
    let at = |index: usize| starts.get(index).map_or(0, |start| *start as usize);
    at(node as usize)..at(node as usize + 1)
}

/// Each producer of a node once, and whether it must have finished first.
fn producers(all: &[Node], index: u32, node: &Node) -> Result<Vec<(u32, bool)>, GraphError> {
    let mut producers = Vec::new();
    let mut wrong = None;
    for (_, input) in &node.inputs {
        input.for_each_port(&mut |port| {
            if port.node.0 >= index {
                wrong = Some(GraphError::NotBefore { node: node.id.clone(), producer: port.node.0 });
            } else if !has_port(all, port) {
                let producer = at(all, port.node);
                wrong = Some(GraphError::NoSuchPort {
                    node: node.id.clone(),
                    producer: producer.map(|node| node.id.clone()).unwrap_or_default(),
                    port: port.port,
                    ports: producer.map_or(0, |node| node.outputs.len()),
                });
            }
            producers.push((port.node.0, false));
        });
    }
    for after in &node.after {
        if after.0 >= index {
            wrong = Some(GraphError::NotBefore { node: node.id.clone(), producer: after.0 });
        }
        producers.push((after.0, true));
    }
    if let Some(error) = wrong {
        return Err(error);
    }
    producers.sort_unstable_by_key(|(producer, strict)| (*producer, !strict));
    producers.dedup_by_key(|(producer, _)| *producer);
    Ok(producers)
}

fn has_port(all: &[Node], port: PortRef) -> bool {
    at(all, port.node).is_some_and(|node| (port.port as usize) < node.outputs.len())
}

fn at(all: &[Node], index: NodeIndex) -> Option<&Node> {
    all.get(index.0 as usize)
}

impl Kind {
    /// Whether a node in its regions has an effect.
    fn has_effect(&self) -> bool {
        let parts = [Part::Then, Part::Otherwise, Part::Condition, Part::Body];
        let mut graphs = parts.into_iter().filter_map(|part| self.region(part));
        graphs.any(|graph| graph.nodes.iter().any(|facts| facts.effect))
    }

    /// Whether the decider itself says what is to be done for it.
    pub fn is_control(&self) -> bool {
        !matches!(self, Self::Plain)
    }

    pub fn region(&self, part: Part) -> Option<&Arc<Graph>> {
        match (self, part) {
            (Self::Conditional { then, .. }, Part::Then) => Some(then),
            (Self::Conditional { otherwise, .. }, Part::Otherwise) => Some(otherwise),
            (Self::Loop { condition, .. }, Part::Condition) => Some(condition),
            (Self::Map { body, .. } | Self::Loop { body, .. } | Self::Workflow { body }, Part::Body) => {
                Some(body)
            }
            _ => None,
        }
    }

    /// Whether ids of nodes in its regions say which instance they are of.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Loop { .. })
    }
}
