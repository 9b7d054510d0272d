//! Makes a DAG take the arms, and go the rounds, that a test chose.
//!
//! What decides becomes a constant, and the node still waits for all that it waited for. The real decider then does
//! the rest.

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, NodeIndex, NodeKind, VALUE_PORT},
    types::Type,
    value::Value,
};
use flow_plan::testing::{Choice, Refused};
use flow_runtime::simulate::simplest_value;

/// Every node of that id: `days[]/if` stands for one in all elements.
pub fn choose(dag: &mut Dag, choices: &[(String, Choice)]) -> Result<(), Refused> {
    for (id, choice) in choices {
        let path: Vec<&str> = id.split('/').collect();
        within(&mut dag.nodes, &path, id, *choice)?;
    }
    Ok(())
}

fn within(nodes: &mut [Node], path: &[&str], id: &str, choice: Choice) -> Result<(), Refused> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        return nodes.iter_mut().filter(|node| node.id == *first).try_for_each(|node| bend(node, id, choice));
    }
    let of_all = first.strip_suffix("[]");
    for node in nodes {
        if of_all.unwrap_or(first) == node.id {
            for region in node.kind.nested_mut() {
                within(&mut region.nodes, rest, id, choice)?;
            }
        } else if of_all.is_none()
            && let Some((of, _)) = first.rsplit_once('[')
            && of == node.id
            && matches!(node.kind, NodeKind::Map { .. } | NodeKind::Loop { .. })
        {
            return Err(Refused::new(format!(
                "`{id}` is one of several: what is chosen holds for all of them"
            ))
            .help(format!("write `{of}[]/{}`", rest.join("/"))));
        }
    }
    Ok(())
}

fn bend(node: &mut Node, id: &str, choice: Choice) -> Result<(), Refused> {
    match (&mut node.kind, choice) {
        (NodeKind::Conditional { .. }, Choice::Then | Choice::Otherwise) => {
            decide(node, "condition", Input::Constant(Value::Bool(choice == Choice::Then)));
        }
        (NodeKind::Map { body, .. }, Choice::Times(times)) => {
            let element = body.parameters.first().map_or(&Type::Nothing, |parameter| &parameter.ty);
            let Some(element) = simplest_value(element) else {
                return Err(Refused::new(format!(
                    "`{id}` goes through `{element}`s, which cannot be made up"
                ))
                .help("`times:` serves lists of scalars and records"));
            };
            let elements = (0..times).map(|_| element.clone()).collect();
            decide(node, "over", Input::Constant(Value::List(elements)));
        }
        (NodeKind::Loop { max, condition, .. }, Choice::Times(times)) => {
            let goes_on = Input::Constant(Value::Bool(times > 0));
            condition.nodes.clear();
            condition.outputs = vec![Output { name: VALUE_PORT.to_owned(), ty: Type::Bool, input: goes_on }];
            *max = if times > 0 { times } else { *max };
        }
        _ => {}
    }
    Ok(())
}

fn decide(node: &mut Node, name: &str, by: Input) {
    let Some((_, input)) = node.inputs.iter_mut().find(|(input, _)| input == name) else { return };
    let mut after: Vec<NodeIndex> = Vec::new();
    input.for_each_port(&mut |port| after.push(port.node));
    *input = by;
    node.after.extend(after);
    node.after.sort_unstable();
    node.after.dedup();
}
