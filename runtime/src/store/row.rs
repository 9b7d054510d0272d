//! Runs and their nodes as the store lists them.

use serde_json::Value as Json;

use super::Owner;
use crate::decide::{NodeState, RunStatus};

/// A run as the list of runs has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub id: String,
    pub workflow: String,
    /// Running too where its process has died.
    pub status: RunStatus,
    pub epoch: u32,
    /// The last process that worked on it; none where a version before wrote it.
    pub owner: Option<Owner>,
    pub idempotency_key: Option<String>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub started: i64,
    pub ended: Option<i64>,
    /// How many nodes its DAG has.
    pub nodes: u32,
    /// How many nodes are known to be in which state; the rest is pending.
    pub states: Vec<(String, u32)>,
    /// What its last event said.
    pub end: Json,
}

/// Where a node of a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    pub node: String,
    pub state: NodeState,
    pub cached: bool,
    pub attempt: u32,
    /// Microseconds since 1970-01-01T00:00:00Z, of the last attempt.
    pub started: Option<i64>,
    pub ended: Option<i64>,
    /// What the event that ended it said: outputs, or the error.
    pub data: Json,
}
