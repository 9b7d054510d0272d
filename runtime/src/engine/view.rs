//! What can be seen of runs, past and running.

use std::sync::Arc;

use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind, PortRef},
    value::Value,
};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::{Engine, RunError};
use crate::{
    artifact::{ArtifactError, Artifacts, Reference, Summary},
    decide::{Graph, Part, Past, Place},
    drive::nodes,
    operator::Datum,
    store::{Batch, NodeRow, Owner, RunLock, RunRow},
    task::{Envelope, EnvelopeError, Identity, Resolve, Source, parameter},
};

/// A run as `runs` and `show` have it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    pub id: String,
    pub workflow: String,
    /// `running`, `finished`, `failed`, `cancelled`, `blocked`; `interrupted` where its process has died.
    pub status: String,
    /// The process that works on it, or has last.
    pub owner: Option<Owner>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub started: i64,
    /// From its start to its end, interruptions included.
    pub seconds: Option<f64>,
    /// How many nodes its DAG has.
    pub nodes: u32,
    /// How many of them are in which state; `cached` ones apart from `finished` ones.
    pub states: Vec<(String, u32)>,
    /// By name, as the last event has them; null before.
    pub outputs: Json,
}

/// A node of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    pub id: String,
    pub op: String,
    pub state: String,
    pub is_cached: bool,
    pub attempts: u32,
    /// Microseconds since 1970-01-01T00:00:00Z, of the last attempt.
    pub started: Option<i64>,
    /// Of the operator alone, in its last attempt.
    pub seconds: Option<f64>,
    /// Of the processors, in its last attempt.
    pub cpu_seconds: Option<f64>,
    /// Bytes, in its last attempt.
    pub peak_memory: Option<u64>,
    /// The numbers that it told, by name.
    pub metrics: Vec<(String, f64)>,
    /// By port.
    pub outputs: Vec<(String, Reference)>,
    pub error: Option<String>,
    pub help: Option<String>,
    /// What is to be said though it has finished.
    pub warning: Option<String>,
}

impl Engine {
    /// All runs, the latest first.
    pub fn runs(&self) -> Result<Vec<RunView>, RunError> {
        Ok(self.store.runs()?.into_iter().map(|row| self.view(row)).collect())
    }

    /// A run by its id, or by a part at its beginning or end that no other has.
    pub fn find_run(&self, id: &str) -> Result<RunView, RunError> {
        if let Some(row) = self.store.run(id)? {
            return Ok(self.view(row));
        }
        let fits = |row: &RunRow| !id.is_empty() && (row.id.starts_with(id) || row.id.ends_with(id));
        let mut found: Vec<RunRow> = self.store.runs()?.into_iter().filter(fits).collect();
        match found.len() {
            0 => Err(RunError::NoRun { id: id.to_owned() }),
            1 => found.pop().map(|row| self.view(row)).ok_or_else(|| RunError::NoRun { id: id.to_owned() }),
            _ => Err(RunError::ManyRuns {
                id: id.to_owned(),
                runs: found.into_iter().map(|row| row.id).collect(),
            }),
        }
    }

    pub(super) fn view(&self, mut row: RunRow) -> RunView {
        let mut is_dead = row.status == "running" && !RunLock::is_held(&self.locks(), &row.id);
        if is_dead && let Ok(Some(now)) = self.store.run(&row.id) {
            // It may have ended between our two looks.
            is_dead = now.status == "running";
            row = now;
        }
        let known: u32 = row.states.iter().map(|(_, count)| count).sum();
        let mut states = row.states;
        if row.nodes > known {
            states.push(("pending".to_owned(), row.nodes - known));
        }
        RunView {
            status: if is_dead { "interrupted".to_owned() } else { row.status },
            seconds: row.ended.map(|ended| (ended - row.started) as f64 / 1e6),
            outputs: row.end.get("outputs").cloned().unwrap_or_default(),
            id: row.id,
            workflow: row.workflow,
            owner: row.owner,
            started: row.started,
            nodes: row.nodes,
            states,
        }
    }
}

impl Engine {
    /// The nodes of a run, in the DAG's order; behind a node those of its regions that have begun.
    pub fn show(&self, run: &str) -> Result<(RunView, Vec<NodeView>), RunError> {
        let run = self.find_run(run)?;
        let past = self.past(&run.id)?;
        let nodes = past.past.in_order().into_iter().filter_map(|node| past.view(node)).collect();
        Ok((run, nodes))
    }

    /// What a node of a run gave at a port; at its only one where none is named.
    pub fn artifact(&self, run: &str, node: &str, port: Option<&str>) -> Result<Reference, RunError> {
        let (run, nodes) = self.show(run)?;
        let Some(found) = nodes.into_iter().find(|found| found.id == node) else {
            return Err(RunError::NoNode { run: run.id, node: node.to_owned() });
        };
        let node = found.id;
        let ports: Vec<String> = found.outputs.iter().map(|(name, _)| name.clone()).collect();
        let mut outputs = found.outputs.into_iter();
        let output = match port {
            Some(port) => outputs.find(|(name, _)| name == port),
            None if ports.len() == 1 => outputs.next(),
            None => None,
        };
        match output {
            Some((_, reference)) => Ok(reference),
            None if ports.is_empty() => Err(RunError::NoOutputs { node, state: found.state }),
            None => Err(match port {
                Some(port) => RunError::NoPort { node, port: port.to_owned(), ports },
                None => RunError::ManyPorts { node, ports },
            }),
        }
    }
}

impl Engine {
    /// The bytes of an artifact. One that is missing or corrupt is forgotten, so that the next run
    /// computes it again.
    pub fn bytes(&self, reference: &Reference) -> Result<Arc<[u8]>, RunError> {
        self.artifacts.bytes(reference).map_err(|error| self.lose(reference, error))
    }

    /// What an artifact holds; like [`Engine::bytes`].
    pub fn load(&self, reference: &Reference) -> Result<Datum, RunError> {
        self.artifacts.load(reference).map_err(|error| self.lose(reference, error))
    }

    fn lose(&self, reference: &Reference, error: ArtifactError) -> RunError {
        if error.is_lost() {
            self.store.append(Batch { lost: vec![reference.hash, error.hash()], ..Batch::default() });
            // Where even that cannot be written, the reason to tell is still the artifact.
            let _ = self.artifacts.remove(error.hash());
            let _ = self.store.flush();
        }
        RunError::Artifact(error)
    }

    /// The task of a node of a run, for a process elsewhere: `flow-task/1` with `to_json`.
    pub fn envelope(&self, run: &str, node: &str) -> Result<Envelope, RunError> {
        let run = self.find_run(run)?;
        let mut past = self.past(&run.id)?;
        let no_node = || RunError::NoNode { run: run.id.clone(), node: node.to_owned() };
        let number = past.past.find(node).ok_or_else(no_node)?;
        let found = nodes::node(&past.dag, past.past.state(), number).ok_or_else(no_node)?;
        let no_task = |reason: &str| RunError::NoTask {
            run: run.id.clone(),
            node: node.to_owned(),
            reason: reason.to_owned(),
        };
        let Some(operator) = found.operator() else {
            return Err(no_task(&format!("it is of the kind {}", found.kind.name())));
        };
        let within = PastScope { past: &past, scope: past.past.state().scope(number) };
        let mut is_open = false;
        for (_, input) in &found.inputs {
            input.for_each_port(&mut |port| is_open |= within.port(port).is_none());
        }
        if is_open {
            return Err(no_task("its inputs are not there"));
        }
        let identity = Identity { run: run.id.as_str().into(), node: node.into(), attempt: 1, epoch: 1 };
        Envelope::new(found, &operator, identity, &within).map_err(|error| no_task(&error.to_string()))
    }

    pub(super) fn past(&self, run: &str) -> Result<PastRun<'_>, RunError> {
        let dag = self.dag(run)?;
        let mut past = Past::new(Arc::new(Graph::new(&dag)?), 0);
        let mut rows = FxHashMap::default();
        for row in self.store.nodes(run)? {
            if let Some(number) = past.find(&row.node) {
                rows.insert(number, row);
            }
        }
        Ok(PastRun { artifacts: &self.artifacts, dag, past, rows })
    }
}

/// A run as its nodes' rows have it.
pub(super) struct PastRun<'a> {
    artifacts: &'a Artifacts,
    dag: Dag,
    past: Past,
    rows: FxHashMap<u32, NodeRow>,
}

impl PastRun<'_> {
    /// The nodes in a state, each with its number and id, in the order of [`Past::in_order`].
    pub(super) fn in_state(&self, state: &str) -> Vec<(u32, Arc<str>, &Node)> {
        let is_in = |number: &u32| self.rows.get(number).is_some_and(|row| row.state == state);
        let found = |number| Some((number, self.past.state().id(number), self.node(number)?));
        self.past.in_order().into_iter().filter(is_in).filter_map(found).collect()
    }

    /// What a node's input is, where that is a value by now.
    pub(super) fn value(&self, number: u32, input: &str) -> Option<Value> {
        let within = PastScope { past: self, scope: self.past.state().scope(number) };
        match Source::new(self.node(number)?.input(input)?, &within).ok()? {
            Source::Value(value) => Some(value),
            Source::Artifact(Reference { summary: Summary::Value(value), .. }) => value,
            _ => None,
        }
    }

    /// When a node began, in microseconds since 1970.
    pub(super) fn began(&self, number: u32) -> Option<i64> {
        self.rows.get(&number)?.started
    }

    fn node(&self, number: u32) -> Option<&Node> {
        nodes::node(&self.dag, self.past.state(), number)
    }

    fn view(&self, number: u32) -> Option<NodeView> {
        let state = self.past.state();
        let node = nodes::node(&self.dag, state, number)?;
        let id = state.id(number).to_string();
        Some(match self.rows.get(&number) {
            Some(row) => node_view(id, node, row),
            None => NodeView {
                id,
                op: node.op().to_owned(),
                state: "pending".to_owned(),
                is_cached: false,
                attempts: 0,
                started: None,
                seconds: None,
                cpu_seconds: None,
                peak_memory: None,
                metrics: Vec::new(),
                outputs: Vec::new(),
                error: None,
                help: None,
                warning: None,
            },
        })
    }
}

/// What names mean in a scope of a past run.
#[derive(Clone, Copy)]
struct PastScope<'a> {
    past: &'a PastRun<'a>,
    scope: u32,
}

impl Resolve for PastScope<'_> {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        let no_parameter = || EnvelopeError::NoParameter { name: name.to_owned() };
        let PastRun { dag, past, .. } = self.past;
        let state = past.state();
        let Some(instance) = state.instance(self.scope) else {
            return parameter(dag, name).cloned().map(Source::Value);
        };
        let place = instance.place;
        let region = nodes::region_at(dag, state, place).ok_or_else(no_parameter)?;
        let node = nodes::node(dag, state, place.node).ok_or_else(no_parameter)?;
        let around = Self { scope: state.scope(place.node), ..*self };
        let input = |name: &str| Source::new(node.input(name).ok_or_else(no_parameter)?, &around);
        let is_first = region.parameters.first().is_some_and(|first| first.name == name);
        match (&node.kind, place.iteration.checked_sub(1)) {
            (NodeKind::Map { .. }, _) if is_first => {
                self.past.element(input("over")?, place.iteration).ok_or_else(no_parameter)
            }
            (NodeKind::Loop { .. }, None) if is_first => input("from"),
            (NodeKind::Loop { .. }, Some(iteration)) if is_first => {
                let before = Place { part: Part::Body, iteration, ..place };
                let scope = state.scope_at(before).ok_or_else(no_parameter)?;
                let output = nodes::outputs(dag, state, scope).first().ok_or_else(no_parameter)?;
                Source::new(&output.input, &Self { scope, ..*self })
            }
            _ => input(name),
        }
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        let PastRun { dag, past, rows, .. } = self.past;
        let first = past.state().instance(self.scope).map_or(0, |instance| instance.nodes.start);
        let number = first + port.node.0;
        let name = &nodes::node(dag, past.state(), number)?.outputs.get(port.port as usize)?.name;
        Reference::from_json(rows.get(&number)?.data.get("outputs")?.get(name)?)
    }
}

impl PastRun<'_> {
    /// An element of a list, wherever that is.
    fn element(&self, list: Source, place: u64) -> Option<Source> {
        let place = usize::try_from(place).ok()?;
        match list {
            Source::List(elements) => elements.into_iter().nth(place),
            Source::Value(Value::List(elements)) => elements.into_iter().nth(place).map(Source::Value),
            Source::Artifact(reference) if matches!(reference.summary, Summary::List { .. }) => {
                self.artifacts.elements(&reference).ok()?.into_iter().nth(place).map(Source::Artifact)
            }
            Source::Artifact(reference) => match self.artifacts.load(&reference).ok()? {
                Datum::Value(value @ Value::List(_)) => self.element(Source::Value(value), place as u64),
                _ => None,
            },
            _ => None,
        }
    }
}

fn node_view(id: String, node: &Node, row: &NodeRow) -> NodeView {
    let text = |name| row.data.get(name).and_then(Json::as_str).map(str::to_owned);
    let outputs = node.outputs.iter().filter_map(|port| {
        let reference = Reference::from_json(row.data.get("outputs")?.get(&port.name)?)?;
        Some((port.name.clone(), reference))
    });
    let metrics = row.data.get("metrics").and_then(Json::as_object).into_iter().flatten();
    NodeView {
        id,
        op: node.op().to_owned(),
        is_cached: row.cached,
        attempts: row.attempt,
        started: row.started,
        seconds: row.data.get("seconds").and_then(Json::as_f64),
        cpu_seconds: row.data.get("cpu_seconds").and_then(Json::as_f64),
        peak_memory: row.data.get("peak_memory").and_then(Json::as_u64),
        metrics: metrics.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect(),
        outputs: outputs.collect(),
        error: text("message"),
        help: text("help"),
        warning: text("warning"),
        state: row.state.clone(),
    }
}
