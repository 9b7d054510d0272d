//! A small registry, DAGs made by hand, and ears.
#![allow(dead_code, reason = "each test binary uses its part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arrow::{
    array::{ArrayRef, AsArray, Int64Array, RecordBatch},
    datatypes::{DataType, Field, Int64Type, Schema},
};
use flow_ir::{
    dag::{Dag, Output},
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef, VALUE_PORT},
    policy::Policy,
    types::{Column, Row, Type},
    value::Value,
};
use flow_runtime::{
    event::{Event, Subscriber},
    operator::{Argument, Blob, Call, Context, Datum, Native, Operator, OperatorError, Registry, Table},
};

type Body = fn(&Call, &dyn Context) -> Result<Vec<Datum>, OperatorError>;

/// Operators for tests; counts their calls.
#[derive(Default)]
pub struct TestRegistry {
    pub calls: Arc<AtomicUsize>,
}

impl TestRegistry {
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Registry for TestRegistry {
    fn find(&self, name: &str) -> Option<Native> {
        let body: Body = match name {
            "noop" => noop,
            "add" => add,
            "fail" => fail,
            "sleep" => sleep,
            "panic" => panic,
            "range" => range,
            "total" => total,
            "model" => model,
            "length" => length,
            "wrong" => wrong,
            "read" => read,
            "both" => both,
            "trace" => trace,
            _ => return None,
        };
        let body = Arc::new(Counted { body, calls: self.calls.clone() });
        Some(Native { version: 1, signature: Hash::of(name.as_bytes()), body })
    }
}

struct Counted {
    body: Body,
    calls: Arc<AtomicUsize>,
}

impl Operator for Counted {
    fn run(&self, call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.body)(call, context)
    }
}

fn datum<'a>(call: &'a Call, name: &str) -> &'a Datum {
    match call.input(name) {
        Some(Argument::Datum(datum)) => datum,
        other => panic!("no `{name}`: {other:?}"),
    }
}

fn int(call: &Call, name: &str) -> i64 {
    match datum(call, name) {
        Datum::Value(Value::Int(value)) => *value,
        Datum::Value(Value::None) => 0,
        other => panic!("`{name}` is {other:?}"),
    }
}

fn noop(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    Ok(vec![datum(call, "value").clone()])
}

fn add(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let sum: i64 = call.inputs.iter().map(|(name, _)| int(call, name)).sum();
    Ok(vec![Datum::Value(Value::Int(sum))])
}

fn fail(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    if i64::from(context.attempt()) <= int(call, "times") {
        return Err(OperatorError::with_help("out of luck", "try again"));
    }
    noop(call, context)
}

fn sleep(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let steps = int(call, "milliseconds").max(1) as u64;
    for step in 0..steps {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        context.progress(step + 1, steps);
        std::thread::sleep(Duration::from_millis(1));
    }
    noop(call, context)
}

fn panic(_: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    panic!("that was not to be")
}

/// `rows` rows of `x`, in batches of `batch`.
fn range(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let (rows, batch) = (int(call, "rows"), int(call, "batch").max(1));
    let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, false)]));
    let batches = (0..rows).step_by(batch as usize).map(|start| {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(start..rows.min(start + batch)));
        RecordBatch::try_new(schema.clone(), vec![column]).unwrap()
    });
    Ok(vec![Datum::Table(Table { batches: batches.collect(), schema: schema.clone() })])
}

fn total(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let Datum::Table(table) = datum(call, "data") else { panic!("no table") };
    let sums = table
        .batches
        .iter()
        .map(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>());
    Ok(vec![Datum::Value(Value::Int(sums.sum()))])
}

fn model(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let bytes = vec![7; int(call, "size") as usize].into();
    Ok(vec![Datum::Blob(Blob { format: "test-model/1".into(), bytes })])
}

/// Of each model of a list, or of a model.
fn length(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    fn of(datum: &Datum) -> i64 {
        match datum {
            Datum::Blob(blob) => blob.bytes.len() as i64,
            Datum::List(elements) => elements.iter().map(of).sum(),
            other => panic!("no model: {other:?}"),
        }
    }
    Ok(vec![Datum::Value(Value::Int(of(datum(call, "model"))))])
}

fn wrong(_: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    Ok(vec![Datum::Value(Value::Text("no number".into()))])
}

fn read(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let Datum::Value(Value::File(path)) = datum(call, "path") else { panic!("no path") };
    let text = std::fs::read_to_string(path)
        .map_err(|error| OperatorError::failed(format!("cannot read `{path}`: {error}")))?;
    Ok(vec![Datum::Value(Value::Text(text))])
}

/// Notes that it runs, takes its time, and gives the sum of its inputs.
fn trace(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let (Datum::Value(Value::Text(log)), Datum::Value(Value::Text(name))) =
        (datum(call, "log"), datum(call, "name"))
    else {
        panic!("no log")
    };
    let mut file = std::fs::File::options().append(true).create(true).open(log).unwrap();
    std::io::Write::write_all(&mut file, format!("{name}\n").as_bytes()).unwrap();
    for _ in 0..int(call, "milliseconds") {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let sum: i64 =
        call.inputs.iter().filter(|(name, _)| name.starts_with("in")).map(|(name, _)| int(call, name)).sum();
    Ok(vec![Datum::Value(Value::Int(sum))])
}

/// A list of two models.
fn both(call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    Ok(vec![Datum::List(vec![datum(call, "a").clone(), datum(call, "b").clone()])])
}

/// Builds a DAG node by node.
#[derive(Default)]
pub struct Build {
    pub nodes: Vec<Node>,
}

impl Build {
    /// Adds a call with one output, and returns the input that reads it.
    pub fn node(&mut self, id: &str, op: &str, ty: Type, inputs: &[(&str, Input)]) -> Input {
        self.with(id, op, ty, inputs, |_| {})
    }

    pub fn with(
        &mut self,
        id: &str,
        op: &str,
        ty: Type,
        inputs: &[(&str, Input)],
        change: impl FnOnce(&mut Node),
    ) -> Input {
        let mut node = Node {
            id: id.into(),
            kind: NodeKind::Task(OperatorRef {
                name: op.into(),
                version: 1,
                signature: Hash::of(op.as_bytes()),
                place: OperatorPlace::Native,
            }),
            inputs: inputs.iter().map(|(name, input)| ((*name).to_owned(), input.clone())).collect(),
            after: vec![],
            outputs: vec![Port { name: VALUE_PORT.into(), ty }],
            policy: Policy { memory: 1 << 20, ..Policy::default() },
            effect: false,
            deterministic: true,
        };
        change(&mut node);
        self.nodes.push(node);
        Input::Port(PortRef { node: NodeIndex(self.nodes.len() as u32 - 1), port: 0 })
    }

    pub fn dag(self, outputs: &[(&str, Input)]) -> Dag {
        let outputs = outputs.iter().map(|(name, input)| {
            let ty = match input {
                Input::Port(port) => self.nodes[port.node.0 as usize].outputs[port.port as usize].ty.clone(),
                _ => Type::Int,
            };
            Output { name: (*name).to_owned(), ty, input: input.clone() }
        });
        Dag {
            workflow: "test.it".into(),
            parameters: vec![],
            outputs: outputs.collect(),
            nodes: self.nodes,
            origin: None,
        }
    }
}

/// A DAG in its text, whose operators are those of the test registry.
pub fn dag(text: &str) -> Dag {
    let mut text = format!("dag test.it\n{text}\n");
    for op in ["add", "noop", "fail", "sleep", "model", "length", "range", "total", "both", "trace"] {
        if text.contains(&format!("= {op}(")) {
            text += &format!("op {op} version 1 signature {}\n", Hash::of(op.as_bytes()));
        }
    }
    let mut dag = Dag::from_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    fn lighten(nodes: &mut [flow_ir::node::Node]) {
        for node in nodes {
            node.policy.memory = 1 << 20;
            node.kind.nested_mut().into_iter().for_each(|region| lighten(&mut region.nodes));
        }
    }
    lighten(&mut dag.nodes);
    // As a DAG that comes from another process.
    Dag::from_json(&dag.to_json()).unwrap()
}

pub fn constant(value: i64) -> Input {
    Input::Constant(Value::Int(value))
}

pub fn numbers() -> Type {
    Type::Dataset(Row { columns: vec![Column { name: "x".into(), ty: Type::Int, source: None }] })
}

pub fn some_model() -> Type {
    Type::Opaque("test".into())
}

/// Hears all events of a run.
#[derive(Default)]
pub struct Ears(pub Mutex<Vec<Event>>);

impl Subscriber for Ears {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Ears {
    /// `kind` or `kind node`, in the order told.
    pub fn heard(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let line = |event: &Event| match &event.node {
            Some(node) => format!("{} {node}", event.kind.name().trim_start_matches("node.")),
            None => event.kind.name().to_owned(),
        };
        events.iter().map(line).collect()
    }
}
