//! A nested DAG that a node runs: never, once or many times, as that node's kind says.

use crate::{
    dag::Output,
    node::{Node, NodeIndex, Port},
};

/// It is closed: its nodes read its own parameters and each other's ports alone, and both count within the region.
/// What it needs from outside are parameters, bound by name to the inputs of the node that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    pub parameters: Vec<Port>,
    /// Each stands after those it depends on.
    pub nodes: Vec<Node>,
    pub outputs: Vec<Output>,
}

impl Region {
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.0 as usize)
    }

    /// Whether all its nodes are.
    pub fn is_deterministic(&self) -> bool {
        self.nodes.iter().all(|node| node.deterministic)
    }
}
