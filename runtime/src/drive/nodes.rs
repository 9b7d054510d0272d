//! The nodes of a run, by their numbers, as the DAG has them.

use flow_ir::{
    dag::{Dag, Output},
    node::{Node, NodeKind},
    region::Region,
};

use crate::decide::{Part, Place, State};

/// Where a node stands: the regions around it, from the outside in, each by the node that runs it.
#[derive(Clone, Debug, Default)]
pub struct Path {
    around: Vec<(u32, Part)>,
    node: u32,
}

impl Path {
    pub fn new(state: &State, node: u32) -> Self {
        let Some(instance) = state.instance(state.scope(node)) else {
            return Self { around: Vec::new(), node };
        };
        let Self { mut around, node: runs } = Self::new(state, instance.place.node);
        around.push((runs, instance.place.part));
        Self { around, node: node - instance.nodes.start }
    }

    /// None where the DAG is not the one that the path is of.
    pub fn node<'d>(&self, dag: &'d Dag) -> Option<&'d Node> {
        let mut nodes = &dag.nodes;
        for (runs, part) in &self.around {
            nodes = &region(nodes.get(*runs as usize)?, *part)?.nodes;
        }
        nodes.get(self.node as usize)
    }
}

/// The node of that number; none where the DAG is not the one that the state is of.
pub fn node<'d>(dag: &'d Dag, state: &State, node: u32) -> Option<&'d Node> {
    match dag.nodes.get(node as usize) {
        // Those of the DAG have the first numbers.
        Some(node) => Some(node),
        None => Path::new(state, node).node(dag),
    }
}

/// The region that stands at a place.
pub fn region_at<'d>(dag: &'d Dag, state: &State, place: Place) -> Option<&'d Region> {
    region(node(dag, state, place.node)?, place.part)
}

/// What a scope gives: the outputs of the DAG, or of a region.
pub fn outputs<'d>(dag: &'d Dag, state: &State, scope: u32) -> &'d [Output] {
    let Some(instance) = state.instance(scope) else { return &dag.outputs };
    region_at(dag, state, instance.place).map(|region| region.outputs.as_slice()).unwrap_or_default()
}

fn region(node: &Node, part: Part) -> Option<&Region> {
    match (&node.kind, part) {
        (NodeKind::Conditional { then, .. }, Part::Then) => Some(then),
        (NodeKind::Conditional { otherwise, .. }, Part::Otherwise) => Some(otherwise),
        (NodeKind::Loop { condition, .. }, Part::Condition) => Some(condition),
        (
            NodeKind::Map { body, .. } | NodeKind::Loop { body, .. } | NodeKind::Workflow { body, .. },
            Part::Body,
        ) => Some(body),
        _ => None,
    }
}
