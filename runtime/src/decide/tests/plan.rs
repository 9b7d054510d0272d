//! DAGs to be decided, made at random or by hand.

use flow_ir::{
    dag::{Dag, Output},
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    policy::{OnFailure, Policy},
    region::Region,
    types::Type,
    value::Value,
};
use proptest::prelude::*;

/// A node with the nodes before it that it waits for, and whether that is an `after` alone.
#[derive(Clone, Debug)]
pub struct PlannedNode {
    pub kind: PlannedKind,
    pub producers: Vec<(usize, bool)>,
    pub on_failure: OnFailure,
    pub retry: u32,
    pub effect: bool,
    pub timeout: bool,
}

#[derive(Clone, Debug)]
pub enum PlannedKind {
    Task,
    Pass,
    Wait,
    WaitFor,
    Conditional(Vec<PlannedNode>, Vec<PlannedNode>),
    Map(u64, Vec<PlannedNode>),
    Loop(u64, Vec<PlannedNode>, Vec<PlannedNode>),
    Workflow(Vec<PlannedNode>),
}

/// What a simulated machine may do wrong.
#[derive(Clone, Debug)]
pub struct Plan {
    pub nodes: Vec<PlannedNode>,
    /// Of whatever the machine may choose.
    pub seed: u64,
    pub cancel_at: Option<u16>,
    /// In percent.
    pub faults: u8,
}

pub fn plans() -> impl Strategy<Value = Plan> {
    (nodes(2, 16), any::<u64>(), prop::option::weighted(0.2, 0u16..120), 0u8..80)
        .prop_map(|(nodes, seed, cancel_at, faults)| Plan { nodes, seed, cancel_at, faults })
}

/// `depth` regions within each other at most.
fn nodes(depth: u32, most: usize) -> BoxedStrategy<Vec<PlannedNode>> {
    let policy = prop_oneof![
        3 => Just(OnFailure::CancelDependents),
        1 => Just(OnFailure::BlockDependents),
        1 => Just(OnFailure::Continue)
    ];
    let task = Just(PlannedKind::Task).boxed();
    let kind = if depth == 0 {
        task
    } else {
        let inner = move || nodes(depth - 1, 4);
        prop_oneof![
            12 => task,
            1 => Just(PlannedKind::Pass),
            1 => Just(PlannedKind::Wait),
            1 => Just(PlannedKind::WaitFor),
            1 => (inner(), inner()).prop_map(|(then, other)| PlannedKind::Conditional(then, other)),
            1 => (0u64..4, inner()).prop_map(|(max, body)| PlannedKind::Map(max, body)),
            1 => (0u64..4, inner(), inner()).prop_map(|(max, test, body)| PlannedKind::Loop(max, test, body)),
            1 => inner().prop_map(PlannedKind::Workflow),
        ]
        .boxed()
    };
    let producers = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4);
    let rest = (policy, 0u32..3, prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    prop::collection::vec((kind, producers, rest), 0..most)
        .prop_map(|nodes| {
            let planned = nodes.into_iter().enumerate().map(|(index, (kind, producers, rest))| {
                let (on_failure, retry, effect, timeout) = rest;
                let producers = producers.into_iter().filter(|_| index > 0);
                let producers = producers.map(|(producer, after)| (producer.index(index.max(1)), after));
                PlannedNode { kind, producers: producers.collect(), on_failure, retry, effect, timeout }
            });
            planned.collect()
        })
        .boxed()
}

pub fn task() -> PlannedNode {
    PlannedNode {
        kind: PlannedKind::Task,
        producers: Vec::new(),
        on_failure: OnFailure::CancelDependents,
        retry: 0,
        effect: false,
        timeout: false,
    }
}

pub fn plan(nodes: Vec<PlannedNode>) -> Plan {
    Plan { nodes, seed: 3, cancel_at: None, faults: 0 }
}

impl Plan {
    pub fn dag(&self) -> Dag {
        let (nodes, outputs) = scope(&self.nodes, "n");
        // The whole gives nothing, so that a failure under `continue` does not decide its end.
        drop(outputs);
        Dag { workflow: "test".into(), parameters: vec![], nodes, outputs: vec![], origin: None }
    }
}

fn scope(planned: &[PlannedNode], prefix: &str) -> (Vec<Node>, Vec<Output>) {
    let nodes: Vec<Node> =
        planned.iter().enumerate().map(|(index, node)| made(node, format!("{prefix}{index}"))).collect();
    let input = match nodes.len().checked_sub(1) {
        Some(last) => port(last),
        None => Input::Constant(Value::Int(0)),
    };
    (nodes, vec![Output { name: "value".into(), ty: Type::Int, input }])
}

fn region(planned: &[PlannedNode], prefix: &str) -> Region {
    let (nodes, outputs) = scope(planned, prefix);
    Region { parameters: vec![Port { name: "first".into(), ty: Type::Int }], nodes, outputs }
}

fn made(planned: &PlannedNode, id: String) -> Node {
    let kind = match &planned.kind {
        PlannedKind::Task => NodeKind::Task(OperatorRef {
            name: "test".into(),
            version: 1,
            signature: Hash::of(b""),
            place: OperatorPlace::Native,
        }),
        PlannedKind::Pass => NodeKind::Pass,
        PlannedKind::Wait => NodeKind::Wait,
        PlannedKind::WaitFor => NodeKind::WaitFor,
        PlannedKind::Conditional(then, otherwise) => {
            NodeKind::Conditional { then: region(then, "t"), otherwise: region(otherwise, "o") }
        }
        PlannedKind::Map(max, body) => NodeKind::Map { max: *max, body: region(body, "m") },
        PlannedKind::Loop(max, condition, body) => {
            NodeKind::Loop { max: *max, condition: region(condition, "c"), body: region(body, "b") }
        }
        PlannedKind::Workflow(body) => NodeKind::Workflow { name: "w.w".into(), body: region(body, "w") },
    };
    let data = planned.producers.iter().filter(|(_, after)| !after).enumerate();
    let mut inputs: Vec<(String, Input)> =
        data.map(|(place, (producer, _))| (format!("in{place}"), port(*producer))).collect();
    // What the kinds ask for; nobody reads it here.
    for name in ["value", "duration", "name", "condition", "over", "from", "first"] {
        inputs.push((name.into(), Input::Constant(Value::Int(0))));
    }
    let after = planned.producers.iter().filter(|(_, after)| *after);
    Node {
        id,
        kind,
        inputs,
        after: after.map(|(producer, _)| NodeIndex(*producer as u32)).collect(),
        outputs: vec![Port { name: "value".into(), ty: Type::Int }],
        policy: Policy {
            on_failure: planned.on_failure,
            retry: planned.retry,
            timeout: planned.timeout.then_some(5_000_000),
            ..Policy::default()
        },
        effect: planned.effect,
        deterministic: true,
    }
}

fn port(node: usize) -> Input {
    Input::Port(PortRef { node: NodeIndex(node as u32), port: 0 })
}
