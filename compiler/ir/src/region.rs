//! A nested DAG that a node runs: never, once or many times, as that node's kind says.

use crate::{
    dag::Output,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, Port, PortRef},
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

    /// What keeps the region from being a query's: tasks in a row, of which the first has the region's first
    /// parameter as its first input and each other one the whole of what the one before gives; nothing else reads
    /// a port. The last one's is the output.
    pub fn misfit_for_query(&self) -> Option<String> {
        let port = |place: usize| {
            let node = NodeIndex(u32::try_from(place).unwrap_or(u32::MAX));
            Input::Port(PortRef { node, port: 0 })
        };
        let Some(first) = self.parameters.first() else {
            return Some("it has no parameter for its table".to_owned());
        };
        for (place, step) in self.nodes.iter().enumerate() {
            let is_native =
                matches!(&step.kind, NodeKind::Task(operator) if operator.place == OperatorPlace::Native);
            if !is_native || step.effect || !step.after.is_empty() {
                return Some(format!("its step `{}` is no native operator without effects", step.id));
            }
            let table = place.checked_sub(1).map_or_else(|| Input::Parameter(first.name.clone()), port);
            let reads_it = step.inputs.first().is_some_and(|(_, input)| *input == table);
            let mut reads_more = false;
            let others = step.inputs.iter().skip(1);
            others.for_each(|(_, input)| input.for_each_port(&mut |_| reads_more = true));
            if !reads_it || reads_more || step.outputs.len() != 1 {
                return Some(format!("its step `{}` makes no table of the one before alone", step.id));
            }
        }
        match (self.nodes.len().checked_sub(1), self.outputs.as_slice()) {
            (Some(last), [output]) if output.input == port(last) => None,
            _ => Some("its output is not what its last step gives".to_owned()),
        }
    }

    /// Whether all its nodes are.
    pub fn is_deterministic(&self) -> bool {
        self.nodes.iter().all(|node| node.deterministic)
    }
}
