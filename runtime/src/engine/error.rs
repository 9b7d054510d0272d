//! Why a DAG cannot be run, or a run not be continued or shown.

use crate::{
    act::process::Missing,
    artifact::ArtifactError,
    decide::{GraphError, NodeState, RunStatus},
    schedule::CannotFit,
    store::{LockError, Owner, StoreError},
};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    CannotFit(#[from] CannotFit),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error("node `{node}` calls `{op}`, which is no operator of this flowc")]
    UnknownOperator { node: String, op: String },
    #[error(
        "node `{node}` calls version {needed} of `{op}`, and this flowc has version {found}: plan it again"
    )]
    OperatorVersion { node: String, op: String, needed: u32, found: u32 },
    #[error("node `{node}` calls `{op}` as it was declared elsewhere, not as in this flowc: plan it again")]
    OperatorSignature { node: String, op: String },
    #[error("node `{node}` calls `{op}`: {missing}")]
    NoImplementation { node: String, op: String, missing: Missing },
    #[error("{} is working on run {run}", owner.as_ref().map_or("another process".to_owned(), |owner| format!("process {}", owner.pid)))]
    Owned { run: String, owner: Option<Owner> },
    #[error("what run {run} has left running cannot be found: {reason}")]
    Orphans { run: String, reason: String },
    #[error("another process is removing what is no longer needed")]
    Removing,
    #[error("cannot remove from `{path}`: {reason}")]
    Remove { path: String, reason: String },
    #[error("there is no run `{id}`")]
    NoRun { id: String },
    #[error("`{id}` may be any of the runs {}", runs.join(", "))]
    ManyRuns { id: String, runs: Vec<String> },
    #[error("run {run} has {}", match status {
        RunStatus::Cancelled => "been cancelled",
        RunStatus::Blocked => "ended blocked",
        other => other.name(),
    })]
    HasEnded { run: String, status: RunStatus },
    #[error("the DAG of run {run} cannot be read: {reason}")]
    Dag { run: String, reason: String },
    #[error("no node of run {run} waits for a signal `{name}`")]
    NoSignal { run: String, name: String, names: Vec<String> },
    #[error("run {run} has no node `{node}`")]
    NoNode { run: String, node: String },
    #[error("node `{node}` has no output `{port}`; it has {}", ports.join(", "))]
    NoPort { node: String, port: String, ports: Vec<String> },
    #[error("node `{node}` has the outputs {}: name one, as `{node}.{}`", ports.join(", "), ports.first().map_or("", String::as_str))]
    ManyPorts { node: String, ports: Vec<String> },
    #[error("node `{node}` of run {run} makes no task: {reason}")]
    NoTask { run: String, node: String, reason: String },
    #[error("node `{node}` has no outputs{}: it is {state}", match state {
        NodeState::Pending | NodeState::Ready | NodeState::Running | NodeState::Finishing => " yet",
        _ => "",
    })]
    NoOutputs { node: String, state: NodeState },
}
