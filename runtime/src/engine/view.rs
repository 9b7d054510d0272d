//! What can be seen of runs, past and running.

use std::{fs, path::PathBuf, sync::Arc};

use flow_ir::node::Node;
use serde_json::Value as Json;

use super::{Engine, RunError, recorded::RecordedRun};
use crate::{
    artifact::{ArtifactError, Reference},
    decide::{Graph, NodeState, RunStatus},
    operator::Datum,
    store::{Batch, NodeRow, Owner, RunLock, RunRow},
    task::{Envelope, Identity, Resolve},
};

/// A run as `runs` and `show` have it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    pub id: String,
    pub workflow: String,
    pub status: RunStatus,
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
    /// Of a query, the ids of the nodes that it is made of.
    pub steps: Vec<String>,
    pub state: NodeState,
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

impl NodeView {
    /// Its state in a word; `cached` where that is how it finished.
    pub fn shown_state(&self) -> &'static str {
        if self.is_cached { "cached" } else { self.state.name() }
    }
}

impl Engine {
    /// All runs, the latest first.
    pub fn runs(&self) -> Result<Vec<RunView>, RunError> {
        Ok(self.store.runs()?.into_iter().map(|row| self.view(row)).collect())
    }

    /// The run that was begun with an idempotency key.
    pub fn run_of(&self, key: &str) -> Result<Option<RunView>, RunError> {
        let rows = self.store.runs()?;
        Ok(rows.into_iter().find(|row| row.idempotency_key.as_deref() == Some(key)).map(|row| self.view(row)))
    }

    /// A folder that has something of runs, where the store knows of no run: then it is not the one that was written.
    pub fn strays(&self) -> Result<Option<PathBuf>, RunError> {
        if !self.store.runs()?.is_empty() {
            return Ok(None);
        }
        let has_folder = |within: &PathBuf| {
            fs::read_dir(within).is_ok_and(|mut entries| {
                entries.any(|entry| {
                    entry.is_ok_and(|entry| {
                        fs::read_dir(entry.path()).is_ok_and(|mut inner| inner.next().is_some())
                    })
                })
            })
        };
        Ok([self.locks(), self.artifacts.folder().to_owned()].into_iter().find(has_folder))
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
        let mut is_dead = row.status == RunStatus::Running && !RunLock::is_held(&self.locks(), &row.id);
        if is_dead && let Ok(Some(now)) = self.store.run(&row.id) {
            // It may have ended between our two looks.
            is_dead = now.status == RunStatus::Running;
            row = now;
        }
        let known: u32 = row.states.iter().map(|(_, count)| count).sum();
        let mut states = row.states;
        if row.nodes > known {
            states.push((NodeState::Pending.to_string(), row.nodes - known));
        }
        RunView {
            status: if is_dead { RunStatus::Interrupted } else { row.status },
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
        let recorded = self.recorded(&run.id)?;
        let nodes = recorded.in_order().into_iter().filter_map(|node| view(&recorded, node)).collect();
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
        let recorded = self.recorded(&run.id)?;
        let no_node = || RunError::NoNode { run: run.id.clone(), node: node.to_owned() };
        let number = recorded.find(node).ok_or_else(no_node)?;
        let found = recorded.node(number).ok_or_else(no_node)?;
        let no_task = |reason: &str| RunError::NoTask {
            run: run.id.clone(),
            node: node.to_owned(),
            reason: reason.to_owned(),
        };
        let Some(operator) = found.operator() else {
            return Err(no_task(&format!("it is of the kind {}", found.kind.name())));
        };
        let within = recorded.around(number);
        let mut is_open = false;
        for (_, input) in &found.inputs {
            input.for_each_port(&mut |port| is_open |= within.port(port).is_none());
        }
        if is_open {
            return Err(no_task("its inputs are not there"));
        }
        let identity = Identity { run: run.id.as_str().into(), node: node.into(), attempt: 1, epoch: 1 };
        let envelope = Envelope::new(found, &operator, identity, &within);
        let envelope = envelope.map_err(|error| no_task(&error.to_string()))?;
        Ok(Envelope { is_personal: recorded.shows_personal(number), ..envelope })
    }

    pub(super) fn recorded(&self, run: &str) -> Result<RecordedRun, RunError> {
        let dag = self.dag(run)?;
        let graph = Graph::new(&dag)?;
        Ok(RecordedRun::new(&*self.store, &self.artifacts, run, dag, graph)?)
    }
}

fn view(run: &RecordedRun, number: u32) -> Option<NodeView> {
    let node = run.node(number)?;
    let id = run.node_id(number).to_string();
    Some(match run.row(number) {
        Some(row) => node_view(id, node, row),
        None => NodeView {
            id,
            op: node.op().to_owned(),
            steps: steps(node),
            state: NodeState::Pending,
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

fn steps(node: &Node) -> Vec<String> {
    node.kind.steps().into_iter().flat_map(|steps| &steps.nodes).map(|step| step.id.clone()).collect()
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
        steps: steps(node),
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
        state: row.state,
    }
}
