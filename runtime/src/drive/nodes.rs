//! The nodes of a run, by their numbers, as the DAG has them.

use flow_ir::{
    dag::{Dag, Output, Parameter},
    node::{Input, Node, NodeKind},
    region::Region,
    types::Type,
    value::Value,
};
use rustc_hash::FxHashMap;

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

impl Path {
    /// Whether personal data is in what a node's operator reads, or may be, and that runs outside of this process.
    pub fn shows_personal(&self, dag: &Dag) -> bool {
        self.node(dag).is_some_and(Node::is_external) && self.reads_personal(dag)
    }

    fn reads_personal(&self, dag: &Dag) -> bool {
        let mut nodes = &dag.nodes;
        let mut parameters: FxHashMap<&str, &Type> =
            dag.parameters.iter().map(|parameter| (parameter.name.as_str(), &parameter.ty)).collect();
        for (runs, part) in &self.around {
            let Some(region) = nodes.get(*runs as usize).and_then(|node| region(node, *part)) else {
                return true;
            };
            nodes = &region.nodes;
            parameters = region.parameters.iter().map(|port| (port.name.as_str(), &port.ty)).collect();
        }
        let Some(node) = nodes.get(self.node as usize) else { return true };
        let mut is_personal = node.inputs.iter().any(|(_, input)| has_personal_constant(input, dag));
        for (_, input) in &node.inputs {
            input.for_each_parameter(&mut |name| {
                is_personal |= parameters.get(name).is_none_or(|ty| ty.holds_personal());
            });
            input.for_each_port(&mut |port| {
                let port =
                    nodes.get(port.node.0 as usize).and_then(|node| node.outputs.get(port.port as usize));
                is_personal |= port.is_none_or(|port| port.ty.holds_personal());
            });
        }
        is_personal
    }
}

/// Whether a constant may have been computed from personal data. Of what is computed when planned the DAG has the
/// result alone, so that where a parameter is personal any is taken for it but the value of one that is not.
fn has_personal_constant(input: &Input, dag: &Dag) -> bool {
    match input {
        Input::Constant(Value::None | Value::Bool(_) | Value::Enum { .. } | Value::Column(_)) => false,
        Input::Constant(value) => {
            let (personal, open): (Vec<&Parameter>, Vec<&Parameter>) =
                dag.parameters.iter().partition(|parameter| parameter.ty.holds_personal());
            // Nothing that is known when planned comes out of a table.
            personal.iter().any(|parameter| !matches!(parameter.ty.present(), Type::Dataset(_)))
                && !open.iter().any(|parameter| parameter.value == *value)
        }
        Input::List(inputs) => inputs.iter().any(|input| has_personal_constant(input, dag)),
        Input::Record(fields) => fields.iter().any(|(_, input)| has_personal_constant(input, dag)),
        Input::Parameter(_) | Input::Port(_) | Input::Expression { .. } => false,
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
