//! The regions of plans: `first` reads all that the node does, `second` reads that and may be broken or have an
//! effect; of a conditional `other` is the other arm.

use flow_ir::{
    dag::Output,
    expr::{Expr, ExprKind, Function},
    node::{Input, Node, NodeIndex, NodeKind, Port, PortRef, VALUE_PORT},
    policy::Policy,
    region::Region,
    types::Type,
    value::Value,
};

use crate::plan::{Control, Plan, constants, operator};

/// The signal that all wait for.
pub const SIGNAL: &str = "go";

/// The parts of a node, by the ends of their ids.
pub const NAMES: [&str; 3] = ["first", "second", "other"];

/// Completes the inputs, too.
pub fn build(control: Control, plan: &Plan, at: usize, inputs: &mut Vec<(String, Input)>) -> NodeKind {
    let constant = |value: Value| Input::Constant(value);
    if !control.has_regions() {
        // The first is given on.
        match inputs.first_mut() {
            Some((name, _)) => *name = VALUE_PORT.into(),
            None => inputs.push((VALUE_PORT.into(), constant(Value::Int(at as i64)))),
        }
    }
    let captured: Vec<Port> = inputs
        .iter()
        .zip(&plan.nodes[at].inputs)
        .map(|((name, _), input)| port(name, plan.ty(*input)))
        .collect();
    let region = |first: Option<(&str, Type)>, nodes: Vec<Node>, give: Input| {
        let first = first.map(|(name, ty)| port(name, ty));
        Region {
            parameters: first.into_iter().chain(captured.clone()).collect(),
            nodes,
            outputs: vec![Output { name: VALUE_PORT.into(), ty: Type::Int, input: give }],
        }
    };
    // Of the captures, and of what comes first.
    let read = |first: Option<&str>| -> Vec<(String, Input)> {
        let captured = captured.iter().map(|port| port.name.as_str());
        first
            .into_iter()
            .chain(captured)
            .map(|name| (name.to_owned(), Input::Parameter(name.to_owned())))
            .collect()
    };
    let first = |name: Option<&str>| task(plan, at, 1, read(name));
    let second = || task(plan, at, 2, vec![("in".to_owned(), given(0))]);
    match control {
        Control::Pass => NodeKind::Pass,
        Control::Wait(duration) => {
            inputs.push(("duration".into(), constant(Value::Duration(duration))));
            NodeKind::Wait
        }
        Control::WaitFor(timeout) => {
            inputs.push(("name".into(), constant(Value::Text(SIGNAL.into()))));
            if let Some(timeout) = timeout {
                inputs.push(("timeout".into(), constant(Value::Duration(timeout))));
            }
            NodeKind::WaitFor
        }
        Control::Workflow => NodeKind::Workflow {
            name: "inner".into(),
            body: region(None, vec![first(None), second()], given(1)),
        },
        Control::Conditional(holds) => {
            inputs.push(("condition".into(), constant(Value::Bool(holds))));
            NodeKind::Conditional {
                then: region(None, vec![first(None), second()], given(1)),
                otherwise: region(None, vec![task(plan, at, 3, read(None))], given(0)),
            }
        }
        Control::Map(count) => {
            let elements = (0..count).map(|element| Value::Int(element as i64));
            inputs.push(("over".into(), constant(Value::List(elements.collect()))));
            NodeKind::Map {
                max: 8,
                body: region(Some(("element", Type::Int)), vec![first(Some("element")), second()], given(1)),
            }
        }
        Control::Loop(count) => {
            inputs.push(("from".into(), constant(Value::Int(0))));
            let mut next = expression("next", Function::Add, 1, Type::Int);
            next.after = vec![NodeIndex(1)];
            let mut condition = region(
                Some(("state", Type::Int)),
                vec![expression("goes_on", Function::Less, count as i64, Type::Bool)],
                given(0),
            );
            condition.outputs[0].ty = Type::Bool;
            let nodes = vec![first(Some("state")), second(), next];
            NodeKind::Loop { max: 8, condition, body: region(Some(("state", Type::Int)), nodes, given(2)) }
        }
    }
}

fn port(name: &str, ty: Type) -> Port {
    Port { name: name.into(), ty }
}

fn given(node: u32) -> Input {
    Input::Port(PortRef { node: NodeIndex(node), port: 0 })
}

fn task(plan: &Plan, at: usize, part: usize, mut inputs: Vec<(String, Input)>) -> Node {
    inputs.extend(constants(plan, at, part));
    Node {
        id: NAMES[part - 1].into(),
        kind: NodeKind::Task(operator()),
        inputs,
        after: Vec::new(),
        outputs: vec![port(VALUE_PORT, Type::Int)],
        policy: Policy { memory: 1, cache: plan.nodes[at].cache, ..Policy::default() },
        effect: plan.nodes[at].is_effect && part == 2,
        deterministic: true,
    }
}

/// Of the state and a number.
fn expression(id: &str, function: Function, number: i64, ty: Type) -> Node {
    let state = Expr { kind: ExprKind::Parameter("state".into()), ty: Type::Int };
    let number = Expr { kind: ExprKind::Literal(Value::Int(number)), ty: Type::Int };
    Node {
        id: id.into(),
        kind: NodeKind::Expression(Expr {
            kind: ExprKind::Call { function, args: vec![state, number] },
            ty: ty.clone(),
        }),
        inputs: vec![("state".into(), Input::Parameter("state".into()))],
        after: Vec::new(),
        outputs: vec![port(VALUE_PORT, ty)],
        policy: Policy { memory: 1, ..Policy::default() },
        effect: false,
        deterministic: true,
    }
}
