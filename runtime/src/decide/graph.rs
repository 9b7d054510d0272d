//! Who waits for whom, and what a failure means: all that the decider must know of a DAG.

use flow_ir::{
    dag::Dag,
    node::{Node, PortRef},
    policy::OnFailure,
};

/// The edges of a DAG, each pair of nodes once, as one array sorted by producer.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(super) nodes: Vec<Facts>,
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
    /// How many nodes it waits for.
    pub dependencies: u32,
    pub retries: u32,
    /// Microseconds before the first retry.
    pub backoff: i64,
    pub on_failure: OnFailure,
    /// An output of the workflow reads it.
    pub required: bool,
}

/// An edge, seen from its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub consumer: u32,
    /// The consumer starts only when the producer is `finished`, since there is no data to start from
    /// or since its effect must not precede what it rests on. Else `finishing` is enough.
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
    #[error("the DAG has {0} nodes, more than a run can number")]
    TooLarge(usize),
}

impl Graph {
    /// Checks that every edge leads forward and from a port that exists. O(nodes + edges).
    pub fn new(dag: &Dag) -> Result<Self, GraphError> {
        let count = u32::try_from(dag.nodes.len()).map_err(|_| GraphError::TooLarge(dag.nodes.len()))?;
        let mut incoming: Vec<(u32, Edge)> = Vec::with_capacity(dag.nodes.len());
        let mut nodes = Vec::with_capacity(dag.nodes.len());
        let mut required = vec![false; dag.nodes.len()];
        for output in &dag.outputs {
            let mut dangling = false;
            output.input.for_each_port(&mut |port| match required.get_mut(port.node.0 as usize) {
                Some(slot) if has_port(dag, port) => *slot = true,
                _ => dangling = true,
            });
            if dangling {
                return Err(GraphError::DanglingOutput { output: output.name.clone() });
            }
        }
        for (index, (node, required)) in (0..count).zip(dag.nodes.iter().zip(required)) {
            let producers = producers(dag, index, node)?;
            for (producer, strict) in &producers {
                incoming.push((*producer, Edge { consumer: index, strict: *strict || node.effect }));
            }
            nodes.push(Facts {
                dependencies: u32::try_from(producers.len()).unwrap_or(u32::MAX),
                retries: node.policy.retry,
                backoff: node.policy.backoff,
                on_failure: node.policy.on_failure,
                required,
            });
        }
        incoming.sort_by_key(|(producer, edge)| (*producer, edge.consumer));
        let first_edge = starts(dag.nodes.len(), incoming.iter().map(|(producer, _)| *producer));
        let edges: Vec<Edge> = incoming.iter().map(|(_, edge)| *edge).collect();
        let mut by_consumer: Vec<(u32, u32)> =
            (0..).zip(&incoming).map(|(index, (producer, _))| (*producer, index)).collect();
        let consumer = |index: u32| edges.get(index as usize).map_or(0, |edge| edge.consumer);
        by_consumer.sort_by_key(|(_, index)| consumer(*index));
        let first_incoming = starts(dag.nodes.len(), by_consumer.iter().map(|(_, index)| consumer(*index)));
        Ok(Self { nodes, edges, first_edge, incoming: by_consumer, first_incoming })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
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
fn producers(dag: &Dag, index: u32, node: &Node) -> Result<Vec<(u32, bool)>, GraphError> {
    let mut producers = Vec::new();
    let mut wrong = None;
    for (_, input) in &node.inputs {
        input.for_each_port(&mut |port| {
            if port.node.0 >= index {
                wrong = Some(GraphError::NotBefore { node: node.id.clone(), producer: port.node.0 });
            } else if !has_port(dag, port) {
                let producer = dag.node(port.node);
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

fn has_port(dag: &Dag, port: PortRef) -> bool {
    dag.node(port.node).is_some_and(|node| (port.port as usize) < node.outputs.len())
}
