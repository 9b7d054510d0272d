//! What a test asks of a DAG, of a node and of an outcome.

use std::rc::Rc;

use flow_analysis::body::{Expr, TestFunction};
use flow_ir::{
    dag::Dag,
    node::{Input, Node},
    policy::{Device, OnFailure, Policy, Precision},
    value::Value,
};
use flow_syntax::suggest::did_you_mean;

use super::super::{
    evaluator::{Evaluator, Frame, Result},
    fuel::heap_size,
    value::Planned,
};
use super::{
    planned::GIVEN,
    state::{Looked, Remark},
};
use crate::{
    error::Problem,
    testing::{
        Failure, Golden, Simulated, SimulatedNode,
        ids::{template, unknown},
    },
};

/// What nodes are that call nothing of a module.
const OWN_OPS: [&str; 9] =
    ["conditional", "expression", GIVEN, "loop", "map", "pass", "query", "wait", "wait_for"];

impl Evaluator<'_> {
    pub(super) fn ask(
        &mut self,
        frame: &mut Frame,
        function: TestFunction,
        args: &[Expr],
        expr: &Expr,
    ) -> Result<Planned> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match self.expr(frame, arg, None)?.as_known() {
                Some(value) => values.push(Rc::clone(value)),
                None => return Err(self.at(frame, arg.span, Problem::NotKnown { what: "this" })),
            }
        }
        let text = |place: usize| match values.get(place).map(|value| &**value) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let span = args.get(1).map_or(expr.span, |arg| arg.span);
        let handle = match values.first().map(|value| &**value) {
            Some(Value::Int(handle)) => usize::try_from(*handle).unwrap_or(usize::MAX),
            Some(node @ Value::Record(_)) if function == TestFunction::Input => {
                return self.input_of(frame, node, text(1), span);
            }
            _ => usize::MAX,
        };
        let testing = self.testing(frame, expr.span)?;
        let lost = || Problem::Disagreement { fact: "a test has lost what it planned".to_owned() };
        let value = match function {
            TestFunction::State
            | TestFunction::Attempts
            | TestFunction::Elapsed
            | TestFunction::Status
            | TestFunction::PeakCores
            | TestFunction::PeakMemory => {
                let outcome = testing.outcomes.get(handle).cloned().ok_or_else(lost)?;
                let (looked, simulated) = &*outcome;
                return self.of_outcome(frame, function, looked, simulated, text(1), span);
            }
            TestFunction::Matches => {
                let dag = testing.dags.get(handle).cloned().ok_or_else(lost)?;
                return self.matches(frame, &dag.dag, text(1), span);
            }
            TestFunction::Feeds => {
                let dag = testing.dags.get(handle).cloned().ok_or_else(lost)?;
                return self.feeds(frame, &dag, text(1), text(2), args);
            }
            TestFunction::Node => {
                let dag = testing.dags.get(handle).cloned().ok_or_else(lost)?;
                let id = text(1);
                let Some((node, siblings)) = dag.index().find(&dag.dag, id) else {
                    let failure = unknown(id, "node", dag.index().ids());
                    return Err(self.failed(frame, span, failure));
                };
                node_value(id, node, siblings)
            }
            _ => {
                let dag = testing.dags.get(handle).cloned().ok_or_else(lost)?;
                let value = of_dag(function, &dag, text(1));
                if function == TestFunction::Count && value == Value::Int(0) {
                    self.require_operator(frame, &dag, text(1), span)?;
                }
                value
            }
        };
        self.fuel.bytes(heap_size(&value)).map_err(|problem| self.at(frame, expr.span, problem))?;
        Ok(Planned::known(value))
    }

    /// That there is such an operator, though the DAG has none of it: a misspelled one is never there.
    fn require_operator(
        &self,
        frame: &Frame,
        looked: &Looked,
        op: &str,
        span: flow_syntax::span::Span,
    ) -> Result<()> {
        let mut known = self.program.callables();
        known.extend(OWN_OPS.map(str::to_owned));
        if known.iter().any(|known| known == op) {
            return Ok(());
        }
        let help = did_you_mean(op, known.iter().map(String::as_str));
        let mut there: Vec<&str> = Vec::new();
        looked.index().nodes(&looked.dag).for_each(|(_, (node, _))| there.push(node.op()));
        there.sort_unstable();
        there.dedup();
        let mut failure = unknown(op, "operator", there.into_iter());
        if help.is_some() {
            failure = failure.help(help);
        }
        Err(self.failed(frame, span, failure))
    }

    fn feeds(
        &mut self,
        frame: &Frame,
        looked: &Looked,
        from: &str,
        to: &str,
        args: &[Expr],
    ) -> Result<Planned> {
        let flow = looked.flow();
        self.fuel.steps(looked.dag.nodes.len() as u64).map_err(crate::error::PlanError::from)?;
        let path = flow.path(from, to).map_err(|name| {
            let place = if name == from { 1 } else { 2 };
            let span = args.get(place).map_or_else(Default::default, |arg| arg.span);
            let what = if place == 1 { "node or port" } else { "node, port or output" };
            let names = flow.names(name, place == 2);
            self.failed(frame, span, unknown(name, what, names.iter().map(String::as_str)))
        })?;
        let remark = match &path {
            Some(path) => Remark {
                message: format!("`{from}` feeds `{to}`"),
                details: format!("it goes {}\n", path.join(" → ")),
                help: None,
            },
            None => Remark {
                message: format!("`{from}` does not feed `{to}`"),
                details: String::new(),
                help: None,
            },
        };
        self.testing(frame, Default::default())?.remark = Some(remark);
        Ok(Planned::known(Value::Bool(path.is_some())))
    }

    fn matches(
        &mut self,
        frame: &Frame,
        dag: &Dag,
        path: &str,
        span: flow_syntax::span::Span,
    ) -> Result<Planned> {
        let Value::File(file) = Self::file(frame, path) else {
            return Ok(Planned::known(Value::Bool(false)));
        };
        let testing = self.testing(frame, span)?;
        match testing.host.golden(&file, dag) {
            Ok(Golden::Equal) => Ok(Planned::known(Value::Bool(true))),
            Ok(Golden::Differs(difference)) => {
                let message = format!("the DAG is not the one in `{path}`");
                let help = Some(format!("`flowc test --bless` writes `{path}` as the DAG is now"));
                testing.remark = Some(Remark { message, details: difference, help });
                Ok(Planned::known(Value::Bool(false)))
            }
            Err(refused) => {
                let failure = Failure::error(refused.message).help(refused.help);
                Err(self.failed(frame, span, failure))
            }
        }
    }

    fn of_outcome(
        &mut self,
        frame: &Frame,
        function: TestFunction,
        looked: &Looked,
        simulated: &Simulated,
        id: &str,
        span: flow_syntax::span::Span,
    ) -> Result<Planned> {
        let value = match function {
            TestFunction::Elapsed => Value::Duration(simulated.elapsed),
            TestFunction::Status => simulated.status.into(),
            TestFunction::PeakCores => Value::Int(i64::from(simulated.peak_cores)),
            TestFunction::PeakMemory => Value::Size(simulated.peak_memory),
            _ => {
                let node = match simulated.nodes.get(id) {
                    Some(node) => *node,
                    None => self.pending(frame, looked, simulated, id, span)?,
                };
                match function {
                    TestFunction::State => node.state.into(),
                    _ => Value::Int(i64::from(node.attempts)),
                }
            }
        };
        Ok(Planned::known(value))
    }

    /// A node that the run never came to: there is such a node.
    fn pending(
        &self,
        frame: &Frame,
        looked: &Looked,
        simulated: &Simulated,
        id: &str,
        span: flow_syntax::span::Span,
    ) -> Result<SimulatedNode> {
        let of = template(id);
        let is_known = looked.index().find(&looked.dag, &of).is_some();
        if is_known && !id.contains("[]/") {
            return Ok(SimulatedNode { state: "pending", attempts: 0 });
        }
        let mut there: Vec<&str> = simulated.nodes.keys().map(String::as_str).collect();
        if is_known {
            there.retain(|there| template(there) == of);
            there.sort_unstable();
            let help = match there.first() {
                Some(first) => format!("say which, as in `{first}`"),
                None => "in this run there are none: the list is empty, or the loop ends at once".to_owned(),
            };
            let failure = Failure::error(format!("`{id}` are several nodes")).help(Some(help));
            return Err(self.failed(frame, span, failure));
        }
        there.extend(looked.index().ids().filter(|id| !id.contains("[]/")));
        there.sort_unstable();
        there.dedup();
        Err(self.failed(frame, span, unknown(id, "node", there.into_iter())))
    }

    fn input_of(
        &self,
        frame: &Frame,
        node: &Value,
        name: &str,
        span: flow_syntax::span::Span,
    ) -> Result<Planned> {
        let Some(Value::List(inputs)) = node.field("inputs") else {
            let fact = "a node without inputs".to_owned();
            return Err(self.at(frame, span, Problem::Disagreement { fact }));
        };
        let named = |input: &Value| match input.field("name") {
            Some(Value::Text(name)) => Some(name.clone()),
            _ => None,
        };
        let found = inputs.iter().find(|input| named(input).as_deref() == Some(name));
        match found.and_then(|input| input.field("from")) {
            Some(from) => Ok(Planned::known(from.clone())),
            None => {
                let names: Vec<String> = inputs.iter().filter_map(named).collect();
                Err(self.failed(frame, span, unknown(name, "input", names.iter().map(String::as_str))))
            }
        }
    }
}

fn of_dag(function: TestFunction, looked: &Looked, op: &str) -> Value {
    let dag = &looked.dag;
    let count = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    match function {
        TestFunction::Width => count(dag.graph().width()),
        TestFunction::Depth => count(dag.graph().depth()),
        TestFunction::Count => {
            let mut calls = 0;
            dag.for_each_node(&mut |node| calls += usize::from(node.op() == op));
            count(calls)
        }
        _ => {
            let nodes = looked.index().nodes(dag);
            Value::List(nodes.map(|(id, (node, siblings))| node_value(id, node, siblings)).collect())
        }
    }
}

/// `siblings` are the nodes of its body: ports count among these.
fn node_value(id: &str, node: &Node, siblings: &[Node]) -> Value {
    let input = |(name, input): &(String, Input)| {
        Value::Record(vec![
            ("name".to_owned(), name.as_str().into()),
            ("from".to_owned(), Value::Text(from(input, siblings))),
        ])
    };
    Value::Record(vec![
        ("id".to_owned(), id.into()),
        ("op".to_owned(), node.op().into()),
        ("inputs".to_owned(), Value::List(node.inputs.iter().map(input).collect())),
        ("policy".to_owned(), policy_value(&node.policy)),
        ("device".to_owned(), device(node.policy.device).into()),
    ])
}

/// As the text of a DAG has it: a constant, `$parameter`, a node, or `node.port`.
fn from(input: &Input, siblings: &[Node]) -> String {
    let each = |inputs: &mut dyn Iterator<Item = String>| inputs.collect::<Vec<_>>().join(", ");
    match input {
        Input::Constant(value) => value.to_string(),
        Input::Parameter(name) => format!("${name}"),
        Input::Port(port) => match siblings.get(port.node.0 as usize) {
            Some(node) => match node.outputs.as_slice() {
                [_] => node.id.clone(),
                ports => {
                    let port = ports.get(port.port as usize).map_or("", |port| port.name.as_str());
                    format!("{}.{port}", node.id)
                }
            },
            None => String::new(),
        },
        Input::Expression { expr, bindings } => {
            let bound =
                each(&mut bindings.iter().map(|(name, input)| format!("{name}: {}", from(input, siblings))));
            if bindings.is_empty() { expr.to_string() } else { format!("{expr} with {bound}") }
        }
        Input::List(items) => format!("[{}]", each(&mut items.iter().map(|item| from(item, siblings)))),
        Input::Record(fields) => {
            let fields = &mut fields.iter().map(|(name, field)| format!("{name}: {}", from(field, siblings)));
            format!("({})", each(fields))
        }
    }
}

fn policy_value(policy: &Policy) -> Value {
    let optional = |value: Option<Value>| value.unwrap_or(Value::None);
    let on_failure = match policy.on_failure {
        OnFailure::CancelDependents => "cancel_dependents",
        OnFailure::BlockDependents => "block_dependents",
        OnFailure::Continue => "continue",
    };
    let precision = policy.precision.map(|precision| match precision {
        Precision::F64 => "f64",
        Precision::F32 => "f32",
    });
    let fields = [
        ("cpu", Value::Int(i64::from(policy.cpu))),
        ("gpu", Value::Int(i64::from(policy.gpu))),
        ("memory", Value::Size(policy.memory)),
        ("gpu_memory", optional(policy.gpu_memory.map(Value::Size))),
        ("device", device(policy.device).into()),
        ("precision", optional(precision.map(Value::from))),
        ("timeout", optional(policy.timeout.map(Value::Duration))),
        ("retry", Value::Int(i64::from(policy.retry))),
        ("backoff", Value::Duration(policy.backoff)),
        ("on_failure", on_failure.into()),
        ("cache", if policy.cache { "on" } else { "off" }.into()),
        ("pool", optional(policy.pool.clone().map(Value::Text))),
        ("priority", Value::Int(policy.priority)),
    ];
    Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

fn device(device: Device) -> &'static str {
    match device {
        Device::Auto => "auto",
        Device::Cpu => "cpu",
        Device::Gpu => "gpu",
    }
}
