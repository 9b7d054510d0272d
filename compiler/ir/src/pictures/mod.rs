//! Pictures of a DAG for other tools to draw.

mod dot;
mod mermaid;
#[cfg(test)]
mod tests;

use crate::{
    dag::Dag,
    node::{Node, NodeIndex, NodeKind},
};

/// What stands in a node's box: its id, and what it calls where the id does not say it.
fn lines_of(node: &Node) -> (String, Option<String>) {
    let op = match &node.kind {
        NodeKind::Task(operator) => operator.name.strip_prefix("std.").unwrap_or(&operator.name).to_owned(),
        NodeKind::Expression(expr) => expr.to_string(),
        NodeKind::Workflow { name, .. } => name.clone(),
        kind => kind.name().to_owned(),
    };
    (node.id.clone(), Some(op).filter(|op| *op != node.id))
}

/// An edge: from, to, the port's name where there are several, and whether data flows.
fn edges_of(dag: &Dag) -> Vec<(NodeIndex, NodeIndex, Option<&str>, bool)> {
    let mut edges = Vec::new();
    for (index, node) in (0..).map(NodeIndex).zip(&dag.nodes) {
        let start = edges.len();
        for (_, input) in &node.inputs {
            input.for_each_port(&mut |port| {
                let from = dag.node(port.node);
                let several = from.is_some_and(|from| from.outputs.len() > 1);
                let name = from.and_then(|from| from.outputs.get(port.port as usize)).filter(|_| several);
                let edge = (port.node, index, name.map(|port| port.name.as_str()), true);
                if from.is_some() && !edges.get(start..).unwrap_or_default().contains(&edge) {
                    edges.push(edge);
                }
            });
        }
        edges.extend(node.after.iter().map(|after| (*after, index, None, false)));
    }
    edges
}
