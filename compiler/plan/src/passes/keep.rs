//! Takes nodes out of a DAG.

use flow_ir::{
    dag::Dag,
    node::{Input, NodeIndex},
};

/// The DAG of the nodes that stand for themselves. `stands_for` has for every node the one that takes
/// its place, or none where nothing needs it; nodes that stay need only nodes that have one.
pub(super) fn keep(mut dag: Dag, stands_for: &[Option<NodeIndex>]) -> Dag {
    // Where each node that stays comes to stand.
    let mut places = vec![NodeIndex(0); dag.nodes.len()];
    let mut is_kept = vec![false; dag.nodes.len()];
    let mut count = 0;
    for (index, (place, kept)) in places.iter_mut().zip(&mut is_kept).enumerate() {
        *kept = stands_for.get(index).copied().flatten().is_some_and(|node| node.0 as usize == index);
        if *kept {
            *place = NodeIndex(count);
            count += 1;
        }
    }
    let moved = |index: NodeIndex| {
        let node = stands_for.get(index.0 as usize).copied().flatten();
        node.and_then(|node| places.get(node.0 as usize)).copied().unwrap_or(index)
    };
    retain(&mut dag.nodes, &is_kept);
    for node in &mut dag.nodes {
        for (_, input) in &mut node.inputs {
            move_input(input, &moved);
        }
        node.after.iter_mut().for_each(|index| *index = moved(*index));
        node.after.sort_unstable();
        node.after.dedup();
    }
    for output in &mut dag.outputs {
        move_input(&mut output.input, &moved);
    }
    if let Some(origin) = &mut dag.origin {
        retain(&mut origin.spans, &is_kept);
    }
    dag
}

fn retain<T>(items: &mut Vec<T>, is_kept: &[bool]) {
    let mut kept = is_kept.iter();
    items.retain(|_| kept.next().copied().unwrap_or(false));
}

fn move_input(input: &mut Input, moved: &impl Fn(NodeIndex) -> NodeIndex) {
    match input {
        Input::Constant(_) | Input::Parameter(_) => {}
        Input::Port(port) => port.node = moved(port.node),
        Input::Expression { bindings: fields, .. } | Input::Record(fields) => {
            fields.iter_mut().for_each(|(_, input)| move_input(input, moved));
        }
        Input::List(items) => items.iter_mut().for_each(|item| move_input(item, moved)),
    }
}
