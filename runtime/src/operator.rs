//! The bodies of operators, as the runtime sees them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use flow_ir::{expr::Expr, hash::Hash, node::Port, text, value::Value};

use crate::{
    artifact::{MadeFile, TableBuilder, Written},
    folder::AttemptFolder,
};

/// The body of an operator. One value serves all calls, from any number of threads at once.
pub trait Operator: Send + Sync {
    /// Computes the outputs, one for each of `call.outputs` and in their order.
    ///
    /// Equal calls must give equal outputs, byte for byte, whatever `context.threads()` says.
    fn run(&self, call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError>;
}

/// Finds the bodies of operators by name.
pub trait Registry: Send + Sync {
    fn find(&self, name: &str) -> Option<Native>;
}

/// An operator that runs in this process.
#[derive(Clone)]
pub struct Native {
    /// Rises when results change; part of cache keys.
    pub version: u32,
    /// Of the declaration this body was written for.
    pub signature: Hash,
    pub body: Arc<dyn Operator>,
}

/// One call of an operator.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operator's full name.
    pub op: String,
    /// By name, in the operator's order.
    pub inputs: Vec<(String, Argument)>,
    /// The names and types of what must come out.
    pub outputs: Vec<Port>,
    /// Of a query: the calls that it makes, which lack their table. The first one's is the query's own first
    /// input, the others' what the one before gives.
    pub steps: Vec<Step>,
}

/// A call that a query makes.
#[derive(Clone, Debug)]
pub struct Step {
    /// Of the node that it was.
    pub id: String,
    pub call: Call,
}

/// An input of a call, with every reference resolved.
#[derive(Clone, Debug)]
pub enum Argument {
    Datum(Datum),
    /// Over the columns of the call's table; `bindings` gives its scalar parameters.
    Expression {
        expr: Expr,
        bindings: Vec<(String, Value)>,
    },
    /// Of arguments that are not all data: the columns that `derive` computes.
    Record(Vec<(String, Argument)>),
}

/// What flows along an edge.
#[derive(Clone, Debug)]
pub enum Datum {
    Value(Value),
    Table(Table),
    Blob(Blob),
    List(Vec<Datum>),
    /// A table that went to its file while it was computed. Only ever an output: who reads it gets a table.
    Written(Arc<Written>),
    /// A file that an operator has made. One that a person names is a value.
    File(MadeFile),
}

/// A table in memory. Cloning it copies no rows.
#[derive(Clone, Debug)]
pub struct Table {
    pub schema: SchemaRef,
    /// In the order of the rows; all of `schema`.
    pub batches: Vec<RecordBatch>,
}

/// A model or another artifact that only its own operators read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What the bytes are, with the version of the format: `flow-model/1`.
    pub format: String,
    pub bytes: Arc<[u8]>,
}

/// What a running operator may ask of, and tell, its surroundings.
pub trait Context: Send + Sync {
    /// Whether it should stop as soon as it can and return [`OperatorError::Cancelled`].
    fn is_cancelled(&self) -> bool;
    /// Whether, if it is cancelled, there is no time to ask gently: whatever it has started is to be killed.
    fn is_hurried(&self) -> bool {
        false
    }
    /// Whether it has been given personal data, so that nothing that it says of its own is passed on.
    fn is_personal(&self) -> bool {
        false
    }
    /// Which attempt of the node this is; 1 is the first.
    fn attempt(&self) -> u32;
    /// How many threads it may keep busy.
    fn threads(&self) -> usize;
    /// How many bytes it should keep to.
    fn memory(&self) -> u64;
    /// The GPUs it may use, as the driver counts them: what `CUDA_VISIBLE_DEVICES` is to say to a process.
    fn gpus(&self) -> &[u32];
    /// That `done` of `total` steps are done.
    fn progress(&self, done: u64, total: u64);
    /// A line for the node's log.
    fn log(&self, line: &str);

    /// A number that those who watch see at once, and that stays with the node; the last one of a name counts.
    fn metric(&self, name: &str, value: f64) {
        let _ = (name, value);
    }

    /// Sets memory aside for what an operator holds in bulk, until the reservation is dropped. `what` says what for.
    ///
    /// # Errors
    /// Where that is more than the node may use: it names the operator, what it needs, and what to write.
    fn reserve(&self, op: &str, what: &str, bytes: u64) -> Result<Reservation, OperatorError> {
        Budget::new(self.memory()).reserve(op, what, bytes)
    }

    /// Where results too large for memory are written; none where all stays in memory.
    fn scratch(&self) -> Option<&Path> {
        None
    }

    /// Collects a result of that schema, of which only a part stays in memory.
    fn table(&self, schema: SchemaRef) -> TableBuilder {
        TableBuilder::new(schema, self.memory() / 4, self.scratch())
    }

    /// The folder for the files of this attempt, not made yet; none where nothing is kept.
    fn folder(&self) -> Option<&AttemptFolder> {
        None
    }

    /// A folder, made when asked for, in which later attempts find what this one has left; it goes when the
    /// node has finished. None where nothing is kept.
    fn checkpoint(&self) -> Option<&Path> {
        None
    }

    /// A line that a process of the operator's wrote, for those who watch. The operator keeps it itself.
    fn output(&self, line: &str) {
        let _ = line;
    }

    /// How many bytes the processes that work for this attempt hold now, for those who watch.
    fn holds(&self, bytes: u64) {
        let _ = bytes;
    }

    /// What something that works for this attempt used: the thread that it runs on, a process. It adds up.
    fn used(&self, usage: Usage) {
        let _ = usage;
    }
}

/// What an attempt took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub wall: Duration,
    /// Of all its threads and processes; none where that cannot be told.
    pub cpu: Option<Duration>,
    /// Bytes: the most that processes held, or that an operator in this process set aside for what it holds in
    /// bulk; none where that cannot be told.
    pub peak_memory: Option<u64>,
}

/// The memory that a node may use in bulk, shared by all that it does.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    used: AtomicU64,
    /// The most that was set aside at once.
    peak: AtomicU64,
}

/// Memory that is set aside until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// One line that stands alone, and what to do about it.
    #[error("{message}")]
    Failed { message: String, help: Option<String> },
    #[error("cancelled")]
    Cancelled,
}

impl Budget {
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0), peak: AtomicU64::new(0) })
    }

    /// The most bytes that were set aside at once; none where nothing ever was.
    pub fn peak(&self) -> Option<u64> {
        Some(self.peak.load(Ordering::Relaxed)).filter(|peak| *peak > 0)
    }

    /// As of [`Context::reserve`].
    ///
    /// # Errors
    /// Likewise.
    pub fn reserve(self: &Arc<Self>, op: &str, what: &str, bytes: u64) -> Result<Reservation, OperatorError> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed);
        let reservation = Reservation { budget: self.clone(), bytes };
        let total = used.saturating_add(bytes);
        if total <= self.limit {
            self.peak.fetch_max(total, Ordering::Relaxed);
            return Ok(reservation);
        }
        // Something to spare, in a number that one writes: what is held in bulk is not all there is.
        let ample = (total + total / 8).div_ceil(1 << 28) << 28;
        Err(OperatorError::with_help(
            format!(
                "`{op}` needs {} of memory for {what}{}, and {} are set aside for it",
                text::bytes(bytes),
                if used > 0 { format!(" beside {}", text::bytes(used)) } else { String::new() },
                text::bytes(self.limit)
            ),
            format!("write `with (memory: {})` behind the call", Value::Size(ample)),
        ))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl OperatorError {
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: None }
    }

    pub fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: Some(help.into()) }
    }
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").field("version", &self.version).field("signature", &self.signature).finish()
    }
}

impl Table {
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl Call {
    pub fn input(&self, name: &str) -> Option<&Argument> {
        self.inputs.iter().find(|(input, _)| input == name).map(|(_, argument)| argument)
    }
}
