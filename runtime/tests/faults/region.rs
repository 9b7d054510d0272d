//! The regions of plans: `first` reads all that the node does, `second` reads that and may be broken or have an
//! effect; of a conditional `other` is the other arm. Between the two may stand `inner`, with such regions of its own.

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
    if !control.has_regions() {
        // The first is given on.
        match inputs.first_mut() {
            Some((name, _)) => *name = VALUE_PORT.into(),
            None => inputs.push((VALUE_PORT.into(), Input::Constant(Value::Int(at as i64)))),
        }
    }
    let names = inputs.iter().map(|(name, _)| name);
    let captured =
        names.zip(&plan.nodes[at].inputs).map(|(name, input)| port(name, plan.ty(*input))).collect();
    Regions { plan, at, captured, inner: plan.nodes[at].inner }.kind(control, inputs)
}

/// The regions of one node.
struct Regions<'a> {
    plan: &'a Plan,
    at: usize,
    /// What they read from outside.
    captured: Vec<Port>,
    /// What stands in them, and has regions of its own.
    inner: Option<Control>,
}

impl Regions<'_> {
    fn kind(&self, control: Control, inputs: &mut Vec<(String, Input)>) -> NodeKind {
        let constant = |value: Value| Input::Constant(value);
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
            Control::Workflow => NodeKind::Workflow { name: "inner".into(), body: self.body(None) },
            Control::Conditional(holds) => {
                inputs.push(("condition".into(), constant(Value::Bool(holds))));
                let other = task(self.plan, self.at, 3, self.read(None));
                NodeKind::Conditional { then: self.body(None), otherwise: self.region(None, vec![other]) }
            }
            Control::Map(count) => {
                let elements = (0..count).map(|element| Value::Int(element as i64));
                inputs.push(("over".into(), constant(Value::List(elements.collect()))));
                NodeKind::Map { max: 8, body: self.body(Some("element")) }
            }
            Control::Loop(count) => {
                inputs.push(("from".into(), constant(Value::Int(0))));
                let parameters = vec![port("state", Type::Int)];
                let goes_on = expression("goes_on", Function::Less, count as i64, Type::Bool);
                let give = Output { name: VALUE_PORT.into(), ty: Type::Bool, input: given(0) };
                let condition = Region { parameters, nodes: vec![goes_on], outputs: vec![give] };
                let mut body = self.body(Some("state"));
                let last = body.nodes.len();
                let mut next = expression("next", Function::Add, 1, Type::Int);
                next.after = vec![NodeIndex(last as u32 - 1)];
                body.nodes.push(next);
                body.outputs[0].input = given(last as u32);
                NodeKind::Loop { max: 8, condition, body }
            }
        }
    }

    /// `first`, what stands within, and `second`.
    fn body(&self, first: Option<&str>) -> Region {
        let mut nodes = vec![task(self.plan, self.at, 1, self.read(first))];
        let mut read = given(0);
        let mut after = Vec::new();
        if let Some(inner) = self.inner {
            let node = self.inner(inner);
            match node.outputs[0].ty {
                Type::Int => read = given(1),
                _ => after = vec![NodeIndex(1)],
            }
            nodes.push(node);
        }
        let second = task(self.plan, self.at, 2, vec![("in".to_owned(), read)]);
        nodes.push(Node { after, ..second });
        self.region(first, nodes)
    }

    /// Gives what its last node does.
    fn region(&self, first: Option<&str>, nodes: Vec<Node>) -> Region {
        let first = first.map(|name| port(name, Type::Int));
        let last = given(nodes.len() as u32 - 1);
        Region {
            parameters: first.into_iter().chain(self.captured.clone()).collect(),
            nodes,
            outputs: vec![Output { name: VALUE_PORT.into(), ty: Type::Int, input: last }],
        }
    }

    /// Of the captures, and of what comes first.
    fn read(&self, first: Option<&str>) -> Vec<(String, Input)> {
        let captured = self.captured.iter().map(|port| port.name.as_str());
        let names = first.into_iter().chain(captured);
        names.map(|name| (name.to_owned(), Input::Parameter(name.to_owned()))).collect()
    }

    /// Reads what `first` gave.
    fn inner(&self, control: Control) -> Node {
        let name = if control.has_regions() { "in" } else { VALUE_PORT };
        let mut inputs = vec![(name.to_owned(), given(0))];
        let within = Regions { captured: vec![port(name, Type::Int)], inner: None, ..*self };
        let kind = within.kind(control, &mut inputs);
        let ty = match control {
            Control::Map(_) => Type::List(Box::new(Type::Int)),
            _ => Type::Int,
        };
        let policy = Policy { memory: 1, cache: self.plan.nodes[self.at].cache, ..Policy::default() };
        let (id, outputs) = ("inner".into(), vec![port(VALUE_PORT, ty)]);
        Node { id, kind, inputs, after: Vec::new(), outputs, policy, effect: false, deterministic: true }
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
