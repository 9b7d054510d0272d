//! Makes one node of equal ones.

use std::hash::{Hash, Hasher};

use flow_ir::{
    dag::Dag,
    node::{Input, Node, NodeIndex},
    value::Value,
};
use rustc_hash::{FxHashMap, FxHasher};

use super::keep::{keep, move_input};

/// The DAG with equal calls of deterministic operators made once; the first one's id stays.
///
/// Equal are those that run alike on the same inputs: a parameter is what it is bound to, policies are
/// equal, and both wait for the same nodes. What has an effect is never merged.
pub fn merge(dag: &Dag) -> Dag {
    let parameters: FxHashMap<&str, &Value> =
        dag.parameters.iter().map(|parameter| (parameter.name.as_str(), &parameter.value)).collect();
    // By hash, the nodes that were kept so far, with their inputs as they are after merging.
    let mut kept: FxHashMap<u64, Vec<(NodeIndex, Call)>> = FxHashMap::default();
    let mut stands_for: Vec<NodeIndex> = Vec::with_capacity(dag.nodes.len());
    for (index, node) in dag.nodes.iter().enumerate() {
        let own = NodeIndex(u32::try_from(index).unwrap_or(u32::MAX));
        if node.effect || !node.deterministic {
            stands_for.push(own);
            continue;
        }
        let call = Call::new(node, &parameters, &stands_for);
        let mut hasher = FxHasher::default();
        node.kind.hash(&mut hasher);
        call.hash(&mut hasher);
        let equals = kept.entry(hasher.finish()).or_default();
        let is_equal = |(other, known): &&(NodeIndex, Call)| {
            dag.node(*other).is_some_and(|other| {
                other.kind == node.kind && other.policy == node.policy && other.outputs == node.outputs
            }) && *known == call
        };
        match equals.iter().find(is_equal) {
            Some((other, _)) => stands_for.push(*other),
            None => {
                equals.push((own, call));
                stands_for.push(own);
            }
        }
    }
    let stands_for: Vec<Option<NodeIndex>> = stands_for.into_iter().map(Some).collect();
    keep(dag, &stands_for)
}

/// What a node waits for and is given, whatever it is called.
#[derive(PartialEq, Eq, Hash)]
struct Call {
    inputs: Vec<Input>,
    after: Vec<NodeIndex>,
}

impl Call {
    fn new(node: &Node, parameters: &FxHashMap<&str, &Value>, stands_for: &[NodeIndex]) -> Self {
        let moved = |index: NodeIndex| stands_for.get(index.0 as usize).copied().unwrap_or(index);
        let mut after: Vec<NodeIndex> = node.after.iter().map(|index| moved(*index)).collect();
        after.sort_unstable();
        after.dedup();
        let inputs = node.inputs.iter().map(|(_, input)| bound(move_input(input, &moved), parameters));
        Self { inputs: inputs.collect(), after }
    }
}

/// The input with what parameters are bound to in their place.
fn bound(input: Input, parameters: &FxHashMap<&str, &Value>) -> Input {
    let bound_fields = |fields: Vec<(String, Input)>| {
        fields.into_iter().map(|(name, input)| (name, bound(input, parameters))).collect()
    };
    match input {
        Input::Parameter(name) => match parameters.get(name.as_str()) {
            Some(value) => Input::Constant((*value).clone()),
            None => Input::Parameter(name),
        },
        Input::Expression { expr, bindings } => Input::Expression { expr, bindings: bound_fields(bindings) },
        Input::List(items) => Input::List(items.into_iter().map(|item| bound(item, parameters)).collect()),
        Input::Record(fields) => Input::Record(bound_fields(fields)),
        Input::Constant(_) | Input::Port(_) => input,
    }
}
