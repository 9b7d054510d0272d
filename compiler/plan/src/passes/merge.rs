//! Makes one node of equal ones.

use std::hash::{Hash, Hasher};

use flow_ir::{
    dag::Dag,
    node::{Input, Node, NodeIndex, PortRef},
    value::Value,
};
use rustc_hash::{FxHashMap, FxHasher};

use super::body::Body;

/// The DAG with equal calls of deterministic operators made once; the first one's id stays.
///
/// Equal are those that run alike on the same inputs: a parameter is what it is bound to, policies are
/// equal, and both wait for the same nodes. What has an effect is never merged. Nodes of a region are merged with
/// each other alone: whether another one runs, and how often, is not their matter.
pub fn merge(mut dag: Dag) -> Dag {
    let mut body = Body::of(&mut dag);
    let parameters = dag.parameters.iter().map(|parameter| (&*parameter.name, &parameter.value)).collect();
    merge_body(&mut body, &parameters);
    body.give_back(&mut dag);
    dag
}

fn merge_body(body: &mut Body, parameters: &FxHashMap<&str, &Value>) {
    let inside = FxHashMap::default();
    body.for_each_region(|_, region| merge_body(region, &inside));
    let mut merged = Merged { parameters, stands_for: Vec::with_capacity(body.nodes.len()) };
    // The nodes that were kept so far, by their hash.
    let mut kept: FxHashMap<u64, Vec<NodeIndex>> = FxHashMap::default();
    let mut count = 0;
    for (index, node) in body.nodes.iter().enumerate() {
        let own = NodeIndex(u32::try_from(index).unwrap_or(u32::MAX));
        let mut node_of_own = own;
        if node.deterministic && !node.effect {
            let alike = kept.entry(merged.hash(node)).or_default();
            let is_equal = |other: &&NodeIndex| {
                let other = body.nodes.get(other.0 as usize);
                other.is_some_and(|other| merged.are_equal(node, other))
            };
            match alike.iter().find(is_equal) {
                Some(other) => node_of_own = *other,
                None => alike.push(own),
            }
        }
        count += u32::from(node_of_own != own);
        merged.stands_for.push(Some(node_of_own));
    }
    let stands_for = merged.stands_for;
    if count > 0 {
        body.keep(&stands_for);
    }
}

/// Nodes seen as what they compute.
struct Merged<'a> {
    /// What the workflow's are bound to; what a region's are is not known.
    parameters: &'a FxHashMap<&'a str, &'a Value>,
    /// For each node so far, the one that is kept for it.
    stands_for: Vec<Option<NodeIndex>>,
}

impl Merged<'_> {
    fn hash(&self, node: &Node) -> u64 {
        let mut hasher = FxHasher::default();
        node.kind.hash(&mut hasher);
        for (_, input) in &node.inputs {
            self.hash_input(input, &mut hasher);
        }
        self.after(node).hash(&mut hasher);
        node.policy.hash(&mut hasher);
        hasher.finish()
    }

    fn are_equal(&self, left: &Node, right: &Node) -> bool {
        left.kind == right.kind
            && left.policy == right.policy
            && left.outputs == right.outputs
            && self.are_equal_fields(&left.inputs, &right.inputs)
            && self.after(left) == self.after(right)
    }

    fn hash_input(&self, input: &Input, hasher: &mut FxHasher) {
        match self.bound(input) {
            Bound::Value(value) => value.hash(hasher),
            Bound::Input(Input::Port(port)) => self.port(*port).hash(hasher),
            Bound::Input(Input::Expression { expr, bindings }) => {
                expr.hash(hasher);
                bindings.iter().for_each(|(_, input)| self.hash_input(input, hasher));
            }
            Bound::Input(Input::List(items)) => {
                items.len().hash(hasher);
                items.iter().for_each(|item| self.hash_input(item, hasher));
            }
            Bound::Input(Input::Record(fields)) => {
                fields.len().hash(hasher);
                fields.iter().for_each(|(_, input)| self.hash_input(input, hasher));
            }
            Bound::Input(Input::Constant(_) | Input::Parameter(_)) => {}
        }
    }

    fn are_equal_inputs(&self, left: &Input, right: &Input) -> bool {
        match (self.bound(left), self.bound(right)) {
            (Bound::Value(left), Bound::Value(right)) => left == right,
            (Bound::Input(left), Bound::Input(right)) => match (left, right) {
                (Input::Port(left), Input::Port(right)) => self.port(*left) == self.port(*right),
                (
                    Input::Expression { expr: left, bindings: left_bindings },
                    Input::Expression { expr: right, bindings: right_bindings },
                ) => left == right && self.are_equal_fields(left_bindings, right_bindings),
                (Input::List(left), Input::List(right)) => {
                    left.len() == right.len()
                        && left.iter().zip(right).all(|(left, right)| self.are_equal_inputs(left, right))
                }
                (Input::Record(left), Input::Record(right)) => self.are_equal_fields(left, right),
                (left, right) => left == right,
            },
            _ => false,
        }
    }

    fn are_equal_fields(&self, left: &[(String, Input)], right: &[(String, Input)]) -> bool {
        left.len() == right.len()
            && left.iter().zip(right).all(|((left_name, left), (right_name, right))| {
                left_name == right_name && self.are_equal_inputs(left, right)
            })
    }

    fn bound<'a>(&'a self, input: &'a Input) -> Bound<'a> {
        match input {
            Input::Constant(value) => Bound::Value(value),
            Input::Parameter(name) => {
                self.parameters.get(name.as_str()).map_or(Bound::Input(input), |value| Bound::Value(value))
            }
            other => Bound::Input(other),
        }
    }

    fn after(&self, node: &Node) -> Vec<NodeIndex> {
        let mut after: Vec<NodeIndex> = node.after.iter().map(|index| self.node(*index)).collect();
        after.sort_unstable();
        after.dedup();
        after
    }

    fn port(&self, port: PortRef) -> PortRef {
        PortRef { node: self.node(port.node), port: port.port }
    }

    fn node(&self, index: NodeIndex) -> NodeIndex {
        self.stands_for.get(index.0 as usize).copied().flatten().unwrap_or(index)
    }
}

/// An input with what a parameter is bound to in its place.
enum Bound<'a> {
    Value(&'a Value),
    Input(&'a Input),
}
