//! Makes one query of dataset verbs in a row.

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, Port, PortRef, VALUE_PORT},
    region::Region,
};
use rustc_hash::FxHashMap;

use super::body::Body;
use crate::{evaluate::fuel::REGIONS, program::PlanFacts};

/// The DAG with verbs in a row as one query node, which has the last one's id. It reads its table once, and what
/// lies between two verbs is never stored.
///
/// A verb joins the one whose table it reads where nobody else needs that table, both run under one policy, and it
/// waits for nothing more: so no node waits for what it does not read. What has a timeout keeps it to itself. Which
/// verbs can be steps of a query is for `facts` to say.
pub fn fuse(mut dag: Dag, facts: &dyn PlanFacts) -> Dag {
    let mut body = Body::of(&mut dag);
    fuse_body(&mut body, facts, 0);
    body.give_back(&mut dag);
    dag
}

/// `depth` regions stand around it.
fn fuse_body(body: &mut Body, facts: &dyn PlanFacts, depth: u32) {
    body.for_each_region(|_, region| fuse_body(region, facts, depth + 1));
    // The steps are a region to who reads the DAG, and no more can stand in each other.
    if depth >= REGIONS {
        return;
    }
    let readers = readers(body);
    let mut before: Vec<Option<usize>> = Vec::with_capacity(body.nodes.len());
    for (index, node) in body.nodes.iter().enumerate() {
        let joined = table_of(node).map(|port| port.node.0 as usize).filter(|other| {
            *other < index
                && readers.get(*other) == Some(&1)
                && body.nodes.get(*other).is_some_and(|other| joins(other, node, facts))
        });
        before.push(joined);
    }
    let mut stands_for: Vec<Option<NodeIndex>> =
        (0..).map(|index| Some(NodeIndex(index))).take(body.nodes.len()).collect();
    for other in before.iter().flatten() {
        if let Some(place) = stands_for.get_mut(*other) {
            *place = None;
        }
    }
    for last in (0..body.nodes.len()).filter(|index| stands_for.get(*index).copied().flatten().is_some()) {
        let mut chain = vec![last];
        while let Some(other) = chain.last().and_then(|first| before.get(*first).copied().flatten()) {
            chain.push(other);
        }
        chain.reverse();
        if chain.len() > 1 {
            query(body, &chain, last);
        }
    }
    if stands_for.contains(&None) {
        body.keep(&stands_for);
    }
}

/// How often each node is read or waited for.
fn readers(body: &Body) -> Vec<u32> {
    let mut readers = vec![0_u32; body.nodes.len()];
    let mut count = |node: NodeIndex| {
        if let Some(readers) = readers.get_mut(node.0 as usize) {
            *readers = readers.saturating_add(1);
        }
    };
    body.nodes.iter().for_each(|node| node.for_each_dependency(&mut count));
    body.outputs.iter().for_each(|output| output.input.for_each_port(&mut |port| count(port.node)));
    readers
}

/// The table that a verb reads from another node, where it reads and waits for nothing else.
fn table_of(node: &Node) -> Option<PortRef> {
    let (Some((_, Input::Port(table))), true) = (node.inputs.first(), node.after.is_empty()) else {
        return None;
    };
    let mut reads_more = false;
    let others = node.inputs.iter().skip(1);
    others.for_each(|(_, input)| input.for_each_port(&mut |_| reads_more = true));
    (!reads_more).then_some(*table)
}

fn joins(first: &Node, second: &Node, facts: &dyn PlanFacts) -> bool {
    first.policy == second.policy
        && first.policy.timeout.is_none()
        && is_step(first, facts)
        && is_step(second, facts)
}

fn is_step(node: &Node, facts: &dyn PlanFacts) -> bool {
    let NodeKind::Task(operator) = &node.kind else { return false };
    operator.place == OperatorPlace::Native
        && !node.effect
        && node.outputs.len() == 1
        && matches!(node.inputs.first(), Some((_, Input::Port(_) | Input::Parameter(_))))
        && facts.is_step(&operator.name)
}

/// Puts a query of the chain's nodes in the place of its last one.
fn query(body: &mut Body, chain: &[usize], last: usize) {
    let mut bound = Bound::default();
    let mut steps: Vec<Node> = Vec::with_capacity(chain.len());
    let mut places = Vec::with_capacity(chain.len());
    let mut after = Vec::new();
    for (place, index) in (0..).zip(chain) {
        let Some((node, of)) = body.nodes.get(*index).zip(body.places.get(*index)) else { return };
        let mut step = node.clone();
        for (input_place, (name, input)) in step.inputs.iter_mut().enumerate() {
            match u32::checked_sub(place, 1) {
                Some(before) if input_place == 0 => {
                    *input = Input::Port(PortRef { node: NodeIndex(before), port: 0 });
                }
                _ => bound.bind(input, name, body),
            }
        }
        after.append(&mut step.after);
        steps.push(step);
        places.push(of.clone());
    }
    let Some((of, place)) = body.nodes.get_mut(last).zip(body.places.get_mut(last)) else { return };
    place.regions = vec![places];
    let outputs = of.outputs.first().map(|port| Output {
        name: VALUE_PORT.to_owned(),
        ty: port.ty.clone(),
        input: Input::Port(PortRef {
            node: NodeIndex(u32::try_from(steps.len().saturating_sub(1)).unwrap_or(u32::MAX)),
            port: 0,
        }),
    });
    of.deterministic = steps.iter().all(|step| step.deterministic);
    of.kind = NodeKind::Query {
        body: Region { parameters: bound.parameters, nodes: steps, outputs: outputs.into_iter().collect() },
    };
    (of.inputs, of.after) = (bound.inputs, after);
}

/// What the steps read from outside, by the names that it has within: the parameters of the query.
#[derive(Default)]
struct Bound {
    inputs: Vec<(String, Input)>,
    parameters: Vec<Port>,
    places: FxHashMap<Input, usize>,
}

impl Bound {
    /// Makes what an input reads parameters.
    fn bind(&mut self, input: &mut Input, name: &str, body: &Body) {
        match input {
            Input::Constant(_) => {}
            Input::Expression { bindings: fields, .. } | Input::Record(fields) => {
                fields.iter_mut().for_each(|(name, field)| self.bind(field, name, body));
            }
            Input::List(items) => items.iter_mut().for_each(|item| self.bind(item, name, body)),
            Input::Parameter(_) | Input::Port(_) => {
                *input = Input::Parameter(self.parameter(input, name, body));
            }
        }
    }

    fn parameter(&mut self, input: &Input, name: &str, body: &Body) -> String {
        if let Some(parameter) = self.places.get(input).and_then(|place| self.parameters.get(*place)) {
            return parameter.name.clone();
        }
        // A parameter keeps its name where it can; nobody else knows that of a binding.
        let wanted = if let Input::Parameter(parameter) = input { parameter } else { name };
        let is_taken = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        let names =
            std::iter::once(wanted.to_owned()).chain((2..).map(|number| format!("{wanted}_{number}")));
        let name = names.into_iter().find(|name| !is_taken(name)).unwrap_or_default();
        self.places.insert(input.clone(), self.parameters.len());
        self.parameters.push(Port { name: name.clone(), ty: body.type_of(input) });
        self.inputs.push((name.clone(), input.clone()));
        name
    }
}
