//! Takes nodes out of a DAG.

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, NodeIndex, PortRef},
};

/// The DAG of the nodes that stand for themselves. `stands_for` has for every node the one that takes
/// its place, or none where nothing needs it; nodes that stay need only nodes that have one.
pub(super) fn keep(dag: &Dag, stands_for: &[Option<NodeIndex>]) -> Dag {
    let is_kept =
        |index: usize| stands_for.get(index).copied().flatten().is_some_and(|node| node.0 as usize == index);
    // Where each node that stays comes to stand.
    let mut places = vec![NodeIndex(0); dag.nodes.len()];
    let mut count = 0;
    for (index, place) in places.iter_mut().enumerate() {
        if is_kept(index) {
            *place = NodeIndex(count);
            count += 1;
        }
    }
    let moved = |index: NodeIndex| {
        let node = stands_for.get(index.0 as usize).copied().flatten();
        node.and_then(|node| places.get(node.0 as usize)).copied().unwrap_or(index)
    };
    let move_node = |node: &Node| {
        let mut after: Vec<NodeIndex> = node.after.iter().map(|index| moved(*index)).collect();
        after.sort_unstable();
        after.dedup();
        Node { inputs: move_fields(&node.inputs, &moved), after, ..node.clone() }
    };
    let kept = |(index, node)| is_kept(index).then_some(node);
    let mut origin = dag.origin.clone();
    if let Some(origin) = &mut origin {
        origin.spans = origin
            .spans
            .iter()
            .copied()
            .enumerate()
            .filter(|(index, _)| is_kept(*index))
            .map(|(_, span)| span)
            .collect();
    }
    Dag {
        workflow: dag.workflow.clone(),
        parameters: dag.parameters.clone(),
        nodes: dag.nodes.iter().enumerate().filter_map(kept).map(move_node).collect(),
        outputs: dag
            .outputs
            .iter()
            .map(|output| Output { input: move_input(&output.input, &moved), ..output.clone() })
            .collect(),
        origin,
    }
}

/// The input with the nodes it reads replaced.
pub(super) fn move_input(input: &Input, moved: &impl Fn(NodeIndex) -> NodeIndex) -> Input {
    match input {
        Input::Constant(_) | Input::Parameter(_) => input.clone(),
        Input::Port(port) => Input::Port(PortRef { node: moved(port.node), port: port.port }),
        Input::Expression { expr, bindings } => {
            Input::Expression { expr: expr.clone(), bindings: move_fields(bindings, moved) }
        }
        Input::List(items) => Input::List(items.iter().map(|item| move_input(item, moved)).collect()),
        Input::Record(fields) => Input::Record(move_fields(fields, moved)),
    }
}

fn move_fields(fields: &[(String, Input)], moved: &impl Fn(NodeIndex) -> NodeIndex) -> Vec<(String, Input)> {
    fields.iter().map(|(name, input)| (name.clone(), move_input(input, moved))).collect()
}
