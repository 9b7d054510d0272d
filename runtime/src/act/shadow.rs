//! Answers from a recorded run: operators take as long as they did, and give or fail as they did. Nothing is
//! executed.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use flow_ir::{
    dag::Dag,
    node::{Input, Node, NodeKind, PortRef},
};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    artifact::Reference,
    event::{Event, Kind},
    simulate::{Answer, Answers, Asked, Made},
};

/// What is known of a node from a recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// It does what it did.
    Recorded,
    /// It, or something that it rests on, is another than in the recorded run; it is taken to do as it did.
    Changed,
    /// It did not run to an end there. It is taken to work, and to take as long as its operator's calls did
    /// there, in the mean of so many.
    Guessed { calls: u32 },
    /// Neither did it run there, nor its operator: it is taken to work, in no time.
    Unknown,
}

/// What the operators of a run did.
#[derive(Debug, Default)]
pub struct Recording {
    /// Attempts that came to an end of their own, by node.
    attempts: FxHashMap<Arc<str>, Vec<Attempt>>,
    /// Calls that ended well, by operator, and how long they took together.
    ops: FxHashMap<String, (u32, i64)>,
    /// What each node was; hashes of it would do, and say less to those who debug.
    shapes: FxHashMap<String, String>,
}

#[derive(Debug)]
struct Attempt {
    /// Microseconds.
    after: i64,
    /// By port; or why it failed.
    result: Result<BTreeMap<String, Reference>, String>,
}

/// Answers for a DAG that may be another than the recorded one.
#[derive(Debug)]
pub struct Shadow<'a> {
    recording: &'a Recording,
    changed: FxHashMap<String, bool>,
    /// Of the nodes that were asked for, what was known.
    pub knowledge: BTreeMap<Arc<str>, Knowledge>,
}

impl Recording {
    pub fn new(dag: &Dag, events: &[Event]) -> Self {
        let ops: FxHashMap<&str, &str> = dag.nodes.iter().map(|node| (node.id.as_str(), node.op())).collect();
        let shapes = dag.nodes.iter().map(|node| (node.id.clone(), shape(dag, node))).collect();
        let mut recording = Self { shapes, ..Self::default() };
        let mut running: FxHashMap<&str, i64> = FxHashMap::default();
        let mut failures: FxHashMap<&str, u64> = FxHashMap::default();
        for event in events {
            let Some(id) = &event.node else { continue };
            let started = match event.kind {
                Kind::Running => {
                    running.insert(id, event.time);
                    continue;
                }
                // The operator's part is over; whether it went well is said later.
                Kind::Finishing => continue,
                _ => running.remove(&**id),
            };
            let result = match event.kind {
                Kind::Finished | Kind::Cached => Ok(outputs(event)),
                Kind::Failed => Err(message(event)),
                Kind::Retrying => {
                    let count = event.data.get("failures").and_then(Json::as_u64).unwrap_or_default();
                    // Else an input was lost, or its process died.
                    if failures.insert(id, count).unwrap_or_default() >= count {
                        continue;
                    }
                    Err(message(event))
                }
                _ => continue,
            };
            let seconds = event.data.get("seconds").and_then(Json::as_f64);
            let after = match (seconds, started) {
                (Some(seconds), _) => (seconds * 1e6) as i64,
                (None, Some(started)) => event.time - started,
                (None, None) => 0,
            };
            if event.kind == Kind::Finished
                && let Some(op) = ops.get(&**id)
            {
                let (calls, total) = recording.ops.entry((*op).to_owned()).or_default();
                (*calls, *total) = (*calls + 1, *total + after);
            }
            recording.attempts.entry(id.clone()).or_default().push(Attempt { after, result });
        }
        recording
    }

    /// How long nodes took, in microseconds, for those that decide which is first.
    pub fn durations(&self) -> impl Iterator<Item = (&str, i64)> {
        self.attempts.iter().filter_map(|(id, attempts)| Some((&**id, attempts.last()?.after)))
    }
}

impl<'a> Shadow<'a> {
    pub fn new(recording: &'a Recording, dag: &Dag) -> Self {
        let mut changed: Vec<bool> = Vec::with_capacity(dag.nodes.len());
        for node in &dag.nodes {
            let mut is_changed = recording.shapes.get(&node.id) != Some(&shape(dag, node));
            node.for_each_dependency(|producer| {
                is_changed |= changed.get(producer.0 as usize).copied().unwrap_or_default();
            });
            changed.push(is_changed);
        }
        let changed = dag.nodes.iter().map(|node| node.id.clone()).zip(changed).collect();
        Self { recording, changed, knowledge: BTreeMap::new() }
    }

    /// What is known of a node; an expression is computed, from what is known of others.
    pub fn knowledge(&self, node: &Node) -> Knowledge {
        let is_changed = self.changed.get(&node.id).copied().unwrap_or(true);
        let is_recorded = self.recording.attempts.contains_key(node.id.as_str());
        match self.recording.ops.get(node.op()) {
            _ if is_recorded || matches!(node.kind, NodeKind::Expression(_)) => {
                if is_changed {
                    Knowledge::Changed
                } else {
                    Knowledge::Recorded
                }
            }
            Some((calls, _)) => Knowledge::Guessed { calls: *calls },
            None => Knowledge::Unknown,
        }
    }
}

impl Answers for Shadow<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        let knowledge = self.knowledge(asked.node);
        self.knowledge.insert(asked.id.into(), knowledge);
        let attempts = self.recording.attempts.get(asked.id);
        let place = usize::try_from(asked.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        // Past its recorded attempts it does as in the last.
        let Some(attempt) = attempts.and_then(|attempts| attempts.get(place).or(attempts.last())) else {
            let (calls, total) = self.recording.ops.get(asked.node.op()).copied().unwrap_or_default();
            return Answer::simplest(asked.node, total / i64::from(calls.max(1)));
        };
        match &attempt.result {
            Ok(outputs) => {
                let ports = asked.node.outputs.iter();
                let made = ports.map(|port| match outputs.get(&port.name) {
                    Some(reference) => Made::Reference(reference.clone()),
                    None => Made::simplest(asked.id, port),
                });
                Answer { after: attempt.after, result: Ok(made.collect()) }
            }
            Err(message) => Answer::failure(attempt.after, message.clone()),
        }
    }
}

fn outputs(event: &Event) -> BTreeMap<String, Reference> {
    let outputs = event.data.get("outputs").and_then(Json::as_object).into_iter().flatten();
    outputs.filter_map(|(port, json)| Some((port.clone(), Reference::from_json(json)?))).collect()
}

fn message(event: &Event) -> String {
    event.data.get("message").and_then(Json::as_str).unwrap_or("it failed").to_owned()
}

/// All of a node that its results follow from, with nodes by their ids: what is equal does the same.
fn shape(dag: &Dag, node: &Node) -> String {
    let mut text = format!("{:?} {:?}", node.kind, node.outputs);
    for (name, input) in &node.inputs {
        let _ = write!(text, "\n{name} = ");
        write_input(dag, input, &mut text);
    }
    text
}

fn write_input(dag: &Dag, input: &Input, text: &mut String) {
    let mut write_all = |inputs: &[(String, Input)]| {
        for (name, input) in inputs {
            let _ = write!(text, "({name} = ");
            write_input(dag, input, text);
            text.push(')');
        }
    };
    match input {
        Input::Constant(value) => drop(write!(text, "{value:?}")),
        Input::Parameter(name) => {
            let parameter = dag.parameters.iter().find(|parameter| parameter.name == *name);
            let _ = write!(text, "{:?}", parameter.map(|parameter| &parameter.value));
        }
        Input::Port(PortRef { node, port }) => {
            let _ = write!(text, "{:?}.{port}", dag.node(*node).map(|node| &node.id));
        }
        Input::Expression { expr, bindings } => {
            write_all(bindings);
            let _ = write!(text, "{expr:?}");
        }
        Input::Record(fields) => write_all(fields),
        Input::List(inputs) => {
            for input in inputs {
                text.push('[');
                write_input(dag, input, text);
                text.push(']');
            }
        }
    }
}
