//! A workflow with its parameters bound: nodes, and what comes out.

use crate::{
    hash::Hash,
    node::{Input, Node, NodeIndex},
    types::Type,
    value::Value,
};

/// A directed acyclic graph. Every node stands after those it depends on.
#[derive(Clone, Debug)]
pub struct Dag {
    /// With its module: `iris.iris`.
    pub workflow: String,
    pub parameters: Vec<Parameter>,
    pub nodes: Vec<Node>,
    pub outputs: Vec<Output>,
    /// Where it came from. No part of equality, golden files or diffs.
    pub origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    pub name: String,
    pub ty: Type,
    pub default: Option<Value>,
    /// What it is bound to. A Dataset's value is the File it is read from.
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    pub name: String,
    pub ty: Type,
    pub input: Input,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source file, relative to the project.
    pub file: String,
    /// Of the source's text.
    pub source: Option<Hash>,
    pub doc: Option<String>,
    /// Parameters' documentation, by name.
    pub parameters: Vec<(String, String)>,
    /// Where each node's call stands: byte offsets in `file`. For all nodes or none; behind a node those of its
    /// regions.
    pub spans: Vec<(u32, u32)>,
}

impl PartialEq for Dag {
    fn eq(&self, other: &Self) -> bool {
        self.workflow == other.workflow
            && self.parameters == other.parameters
            && self.nodes == other.nodes
            && self.outputs == other.outputs
    }
}

impl Eq for Dag {}

impl Dag {
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.0 as usize)
    }

    /// Calls `visit` with every node, those of regions behind the one that has them.
    pub fn for_each_node<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        fn walk<'a>(nodes: &'a [Node], visit: &mut impl FnMut(&'a Node)) {
            for node in nodes {
                visit(node);
                for (_, region) in node.kind.regions() {
                    walk(&region.nodes, visit);
                }
            }
        }
        walk(&self.nodes, visit);
    }

    /// The node of that id.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        self.nodes
            .iter()
            .position(|node| node.id == id)
            .and_then(|index| u32::try_from(index).ok())
            .map(NodeIndex)
    }
}
