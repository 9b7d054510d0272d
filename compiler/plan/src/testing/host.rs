//! What evaluating a test needs from outside.

use flow_ir::{dag::Dag, value::Value};
use rustc_hash::FxHashMap;

/// Who simulates and runs what tests plan, and keeps their golden files.
pub trait TestHost {
    /// Runs a DAG in virtual time, on nothing.
    ///
    /// # Errors
    /// Where it cannot be: a choice that no node can make, a node that never fits.
    fn simulate(&self, dag: Dag, with: &Simulation) -> Result<Simulated, Refused>;

    /// Really runs a DAG. Of a table the value is the record `(rows, columns, hash)`, of a model `(hash)`.
    ///
    /// # Errors
    /// Where it does not end well.
    fn run(&self, dag: Dag) -> Result<Vec<(String, Value)>, Refused>;

    /// Holds a DAG against a golden file, or writes that. The path is relative to the project's root.
    ///
    /// # Errors
    /// Where the file is not there, or cannot be read or written.
    fn golden(&self, path: &str, dag: &Dag) -> Result<Golden, Refused>;
}

/// Why something that a test asks for cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub message: String,
    pub help: Option<String>,
}

/// What holding a DAG against a golden file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Golden {
    Equal,
    /// The difference, as lines for people.
    Differs(String),
}

/// What becomes of nodes in a simulated run. They are named by their ids; `days[]/load` are those of all elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    pub fail: Vec<Fault>,
    /// Nodes, and how long an attempt takes: microseconds.
    pub slow: Vec<(String, i64)>,
    pub choose: Vec<(String, Choice)>,
    /// Without a limit there is enough of everything.
    pub cores: Option<u32>,
    pub memory: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub node: String,
    /// So many attempts fail; all of them without a number.
    pub times: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Of a conditional.
    Then,
    Otherwise,
    /// How many elements a map has, or how often a loop goes round.
    Times(u64),
}

/// What came of a simulated run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// `finished`, `failed`, `cancelled`, `blocked`, or `waiting`, for what never comes.
    pub status: &'static str,
    /// Microseconds of virtual time.
    pub elapsed: i64,
    pub peak_cores: u32,
    /// Bytes.
    pub peak_memory: u64,
    /// Those that have left `pending`, by id.
    pub nodes: FxHashMap<String, SimulatedNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedNode {
    pub state: &'static str,
    pub attempts: u32,
}

impl Refused {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
