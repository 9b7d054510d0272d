//! Until the IR gives cache keys: everything of a node but its place, hashed.

use std::hash::{Hash as _, Hasher};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Input, Node, NodeKind, PortRef},
    value::Value,
};

use crate::task::parameter;

struct Blake(blake3::Hasher);

impl Hasher for Blake {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn finish(&self) -> u64 {
        0
    }
}

/// The key of a node, its inputs' contents known.
pub fn of(
    dag: &Dag,
    node: &Node,
    port: &dyn Fn(PortRef) -> Option<Hash>,
    file: &dyn Fn(&str) -> Option<Hash>,
) -> Hash {
    let mut hasher = Blake(blake3::Hasher::new());
    match &node.kind {
        NodeKind::Task(operator) => {
            0u8.hash(&mut hasher);
            operator.name.hash(&mut hasher);
            operator.version.hash(&mut hasher);
            operator.signature.hash(&mut hasher);
        }
        NodeKind::Expression(expr) => {
            1u8.hash(&mut hasher);
            expr.hash(&mut hasher);
        }
    }
    node.outputs.hash(&mut hasher);
    for (name, input) in &node.inputs {
        name.hash(&mut hasher);
        add(dag, input, port, file, &mut hasher);
    }
    Hash(*hasher.0.finalize().as_bytes())
}

fn add(
    dag: &Dag,
    input: &Input,
    port: &dyn Fn(PortRef) -> Option<Hash>,
    file: &dyn Fn(&str) -> Option<Hash>,
    hasher: &mut Blake,
) {
    match input {
        Input::Constant(value) => add_value(value, file, hasher),
        Input::Parameter(name) => {
            if let Ok(value) = parameter(dag, name) {
                add_value(value, file, hasher);
            }
        }
        Input::Port(of) => port(*of).hash(hasher),
        Input::Expression { expr, bindings } => {
            expr.hash(hasher);
            for (name, input) in bindings {
                name.hash(hasher);
                add(dag, input, port, file, hasher);
            }
        }
        Input::List(inputs) => {
            inputs.len().hash(hasher);
            for input in inputs {
                add(dag, input, port, file, hasher);
            }
        }
        Input::Record(fields) => {
            fields.len().hash(hasher);
            for (name, input) in fields {
                name.hash(hasher);
                add(dag, input, port, file, hasher);
            }
        }
    }
}

fn add_value(value: &Value, file: &dyn Fn(&str) -> Option<Hash>, hasher: &mut Blake) {
    value.hash(hasher);
    if let Value::File(path) = value {
        file(path).hash(hasher);
    }
}
