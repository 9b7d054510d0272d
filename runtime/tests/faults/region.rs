//! The regions of plans: `first` reads all that the node does, `second` reads that and may be broken or have an
//! effect; of a conditional `other` is the other arm. Between the two may stand `inner`, with such regions of its own.
//!
//! A loop counts in its state. Where that carries something large, it is a record of both. A map goes over numbers,
//! or over what another map gave.

use flow_ir::{
    dag::Output,
    expr::{Expr, ExprKind, Function},
    node::{Input, Node, NodeIndex, NodeKind, Port, PortRef, VALUE_PORT},
    policy::Policy,
    region::Region,
    types::{Field, RecordType, Type},
    value::Value,
};

use crate::{
    build::{constants, operator},
    plan::{Control, Plan, element},
};

/// The signal that all wait for.
pub const SIGNAL: &str = "go";

/// The parts of a node, by the ends of their ids.
pub const NAMES: [&str; 3] = ["first", "second", "other"];

/// The number of a loop's iterations, in its state.
const COUNT: &str = "count";

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
    let over = plan.over(at).map(|of| element(plan.size(of)));
    let ty = element(plan.size(at));
    Regions { plan, at, ty, captured, over, inner: plan.nodes[at].inner }.kind(control, inputs)
}

/// What a node gives: a loop that carries something large gives the parts of its state.
pub fn ports(control: Option<Control>, ty: Type) -> Vec<Port> {
    let counts = matches!(control, Some(Control::Loop(_))) && ty != Type::Int;
    let count = counts.then(|| port(COUNT, Type::Int));
    [port(VALUE_PORT, ty)].into_iter().chain(count).collect()
}

/// The regions of one node.
struct Regions<'a> {
    plan: &'a Plan,
    at: usize,
    /// Of what the operators in them give.
    ty: Type,
    /// What they read from outside.
    captured: Vec<Port>,
    /// The elements of the first of these, where a map goes over it.
    over: Option<Type>,
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
            Control::Workflow => {
                NodeKind::Workflow { name: "inner".into(), body: self.body(None, Vec::new()) }
            }
            Control::Conditional(holds) => {
                inputs.push(("condition".into(), constant(Value::Bool(holds))));
                let other = self.task(3, self.read(None));
                NodeKind::Conditional {
                    then: self.body(None, Vec::new()),
                    otherwise: self.region(None, vec![other]),
                }
            }
            Control::Map(count) => {
                let elements = (0..count).map(|element| Value::Int(element as i64));
                let (over, ty) = match &self.over {
                    Some(ty) => (inputs[0].1.clone(), ty.clone()),
                    None => (constant(Value::List(elements.collect())), Type::Int),
                };
                inputs.push(("over".into(), over));
                let read = Input::Parameter("element".into());
                NodeKind::Map { max: 8, body: self.body(Some((port("element", ty), read)), Vec::new()) }
            }
            Control::Loop(count) if self.ty == Type::Int => {
                inputs.push(("from".into(), constant(Value::Int(0))));
                let state = || Input::Parameter("state".into());
                let goes_on = expression("goes_on", Function::Less, state(), count, Type::Bool);
                let mut body = self.body(Some((port("state", Type::Int), state())), Vec::new());
                let next = append(&mut body, expression("next", Function::Add, state(), 1, Type::Int));
                body.outputs[0].input = next;
                NodeKind::Loop { max: 8, condition: condition(port("state", Type::Int), vec![goes_on]), body }
            }
            Control::Loop(count) => {
                let carried = inputs[0].1.clone();
                inputs.push(("from".into(), state(constant(Value::Int(0)), carried)));
                let fields = [(COUNT, Type::Int), (VALUE_PORT, self.ty.clone())];
                let fields = fields.map(|(name, ty)| Field { name: name.into(), ty });
                let ty = Type::Record(RecordType { name: None, fields: fields.into() });
                let goes_on = expression("goes_on", Function::Less, given(0), count, Type::Bool);
                let condition =
                    condition(port("state", ty.clone()), vec![field("before", COUNT, &ty), goes_on]);
                let taken = vec![field(VALUE_PORT, VALUE_PORT, &ty), field(COUNT, COUNT, &ty)];
                let mut body = self.body(Some((port("state", ty), given(0))), taken);
                let next = append(&mut body, expression("next", Function::Add, given(1), 1, Type::Int));
                body.outputs[0].input = state(next, body.outputs[0].input.clone());
                NodeKind::Loop { max: 8, condition, body }
            }
        }
    }

    /// After `nodes`: `first`, what stands within, and `second`.
    fn body(&self, bound: Option<(Port, Input)>, mut nodes: Vec<Node>) -> Region {
        let (bound, read) = bound.unzip();
        let first = (bound.as_ref().map(|port| port.name.clone())).zip(read);
        nodes.push(self.task(1, self.read(first)));
        let mut last = given(nodes.len() - 1);
        if let Some(inner) = self.inner {
            nodes.push(self.inner(inner, last));
            last = given(nodes.len() - 1);
        }
        nodes.push(self.task(2, vec![("in".to_owned(), last)]));
        self.region(bound, nodes)
    }

    /// Gives what its last node does.
    fn region(&self, bound: Option<Port>, nodes: Vec<Node>) -> Region {
        let last = given(nodes.len() - 1);
        Region {
            parameters: bound.into_iter().chain(self.captured.clone()).collect(),
            nodes,
            outputs: vec![Output { name: VALUE_PORT.into(), ty: self.ty.clone(), input: last }],
        }
    }

    /// What comes first, and the captures.
    fn read(&self, first: Option<(String, Input)>) -> Vec<(String, Input)> {
        let captured = self.captured.iter().map(|port| port.name.clone());
        let captured = captured.map(|name| (name.clone(), Input::Parameter(name)));
        first.into_iter().chain(captured).collect()
    }

    /// Reads what `first` gave.
    fn inner(&self, control: Control, first: Input) -> Node {
        let name = if control.has_regions() { "in" } else { VALUE_PORT };
        let mut inputs = vec![(name.to_owned(), first)];
        let captured = vec![port(name, self.ty.clone())];
        let within = Regions { captured, over: None, inner: None, ty: self.ty.clone(), ..*self };
        let kind = within.kind(control, &mut inputs);
        let ty = match control {
            Control::Map(_) => Type::List(Box::new(self.ty.clone())),
            _ => self.ty.clone(),
        };
        let policy = Policy { memory: 1, cache: self.plan.nodes[self.at].cache, ..Policy::default() };
        let (id, outputs) = ("inner".into(), ports(Some(control), ty));
        Node { id, kind, inputs, after: Vec::new(), outputs, policy, effect: false, deterministic: true }
    }

    fn task(&self, part: usize, mut inputs: Vec<(String, Input)>) -> Node {
        inputs.extend(constants(self.plan, self.at, part));
        let node = &self.plan.nodes[self.at];
        Node {
            id: NAMES[part - 1].into(),
            kind: NodeKind::Task(operator()),
            inputs,
            after: Vec::new(),
            outputs: vec![port(VALUE_PORT, self.ty.clone())],
            policy: Policy { memory: 1, cache: node.cache, ..Policy::default() },
            effect: node.is_effect && part == 2,
            deterministic: true,
        }
    }
}

/// The state of a loop that carries something.
fn state(count: Input, carried: Input) -> Input {
    Input::Record(vec![(COUNT.to_owned(), count), (VALUE_PORT.to_owned(), carried)])
}

/// Gives what its last node does.
fn condition(state: Port, nodes: Vec<Node>) -> Region {
    let input = given(nodes.len() - 1);
    let output = Output { name: VALUE_PORT.into(), ty: Type::Bool, input };
    Region { parameters: vec![state], nodes, outputs: vec![output] }
}

/// After all that stands there; says where its output is.
fn append(body: &mut Region, mut node: Node) -> Input {
    let place = body.nodes.len();
    node.after = vec![NodeIndex(place as u32 - 1)];
    body.nodes.push(node);
    given(place)
}

/// One field of the state.
fn field(id: &str, name: &str, ty: &Type) -> Node {
    let Type::Record(record) = ty else { panic!("{ty:?} is no record") };
    let of = record.fields.iter().find(|field| field.name == name).unwrap();
    let name_of = Expr { kind: ExprKind::Literal(Value::Text(name.into())), ty: Type::Text };
    let read = ("of", Input::Parameter("state".into()), ty.clone());
    call(id, Function::Field, read, name_of, of.ty.clone())
}

/// Of a number that is read, and one that is known.
fn expression(id: &str, function: Function, read: Input, number: u64, ty: Type) -> Node {
    let number = Expr { kind: ExprKind::Literal(Value::Int(number as i64)), ty: Type::Int };
    call(id, function, ("of", read, Type::Int), number, ty)
}

fn call(id: &str, function: Function, read: (&str, Input, Type), known: Expr, ty: Type) -> Node {
    let (name, input, of) = read;
    let operand = Expr { kind: ExprKind::Parameter(name.into()), ty: of };
    Node {
        id: id.into(),
        kind: NodeKind::Expression(Expr {
            kind: ExprKind::Call { function, args: vec![operand, known] },
            ty: ty.clone(),
        }),
        inputs: vec![(name.into(), input)],
        after: Vec::new(),
        outputs: vec![port(VALUE_PORT, ty)],
        policy: Policy { memory: 1, ..Policy::default() },
        effect: false,
        deterministic: true,
    }
}

fn port(name: &str, ty: Type) -> Port {
    Port { name: name.into(), ty }
}

fn given(node: usize) -> Input {
    Input::Port(PortRef { node: NodeIndex(node as u32), port: 0 })
}
