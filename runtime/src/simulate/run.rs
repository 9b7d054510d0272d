//! A whole run, simulated.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use flow_ir::{dag::Dag, hash::Hash};
use rustc_hash::FxHashMap;

use super::{
    answer::Answers,
    outcome::{Follower, Outcome},
    store::{Disk, SimulatedStore},
    world::{Inner, SimulatedWorld},
};
use crate::{
    artifact::{Artifacts, SmallContents},
    decide::{Graph, GraphError, RunStatus, State, seed},
    drive::{Driver, Message, Setup},
    event::Broadcast,
    operator::{Call, Context, Datum, Native, Operator, OperatorError},
    schedule::{CannotFit, Machine, Scheduler, Weights},
    store::{Batch, Durations, NewRun, StoreError},
};

/// How to simulate.
#[derive(Clone, Debug)]
pub struct SimulateOptions {
    pub machine: Machine,
    /// How long nodes take, for those that decide which is first; see [`Scheduler::new`].
    pub weights: Weights,
    /// How long nodes took in earlier runs.
    pub durations: Durations,
    /// When the run is cancelled: microseconds after its start.
    pub cancel: Option<i64>,
    /// When the run starts, in microseconds since 1970.
    pub now: i64,
    /// Where artifacts lie that answers refer to, for expressions that need their values; nothing is written
    /// there.
    pub artifacts: Option<Artifacts>,
}

#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    CannotFit(#[from] CannotFit),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Default for SimulateOptions {
    /// This machine, from the beginning of time.
    fn default() -> Self {
        Self {
            machine: Machine::here(),
            weights: Weights::default(),
            durations: Durations::default(),
            cancel: None,
            now: 0,
            artifacts: None,
        }
    }
}

/// Runs a DAG in virtual time: the driver, the decider and the scheduler are those of every run, and operators
/// are asked for their `answers`. Nothing is executed, and nothing is left behind.
///
/// # Errors
/// When the DAG cannot be run at all.
pub fn simulate(
    dag: Dag,
    options: &SimulateOptions,
    answers: &mut dyn Answers,
) -> Result<Outcome, SimulateError> {
    let graph = Arc::new(Graph::new(&dag)?);
    let store = Arc::new(SimulatedStore::new(Disk::default()).with_durations(options.durations.clone()));
    let small: Arc<dyn SmallContents> = store.clone();
    let artifacts = options.artifacts.clone().unwrap_or_else(|| Artifacts::without_files(small));
    let inner = Rc::new(RefCell::new(Inner::new(options.now, answers)));
    if let Some(delay) = options.cancel {
        inner.borrow_mut().timeline.add(delay, Message::Cancel);
    }
    let (world, inbox) = SimulatedWorld::new(inner.clone(), artifacts);
    let run: Arc<str> = "simulated".into();
    let first = NewRun {
        id: run.clone(),
        workflow: dag.workflow.clone(),
        dag: String::new(),
        nodes: u32::try_from(dag.nodes.len()).unwrap_or(u32::MAX),
        idempotency_key: None,
    };
    let nobody = Native { version: 0, signature: Hash([0; 32]), body: Arc::new(Nobody) };
    let mut bodies = FxHashMap::default();
    dag.for_each_node(&mut |node| {
        if let Some(operator) = node.operator() {
            bodies.insert(operator.into_owned(), nobody.clone());
        }
    });
    let setup = Setup {
        scheduler: Scheduler::new(&dag, &graph, options.machine.clone(), &options.weights)?,
        bodies,
        state: State::new(graph.clone(), seed(&run)),
        began: FxHashMap::default(),
        environments: Default::default(),
        unknown: Vec::new(),
        again: Vec::new(),
        run,
        epoch: 1,
        seq: 0,
        store: store.clone(),
        use_cache: false,
        broadcast: Broadcast::default(),
        graph,
        dag: Arc::new(dag),
    };
    let mut driver = Driver::new(setup, Vec::new(), world);
    let mut follower = Follower::new(options.now);
    driver.begin(Batch { run: Some(first), ..Batch::default() })?;
    while !driver.is_over() {
        let settled = store.commit(usize::MAX);
        settled.durable().for_each(|event| follower.hear(event));
        settled.tell();
        let mut messages: Vec<Message> = inbox.try_iter().collect();
        if messages.is_empty() {
            match inner.borrow_mut().advance(driver.next_due()) {
                Some(happened) => messages = happened,
                // Nothing ever happens any more.
                None => break,
            }
        }
        driver.hear(messages)?;
    }
    let inner = inner.borrow();
    Ok(Outcome {
        status: if driver.is_over() { driver.finished().status } else { RunStatus::Running },
        nodes: follower.nodes,
        elapsed: Duration::from_micros(u64::try_from(inner.timeline.now() - options.now).unwrap_or_default()),
        peak_cores: inner.peak.most.0,
        peak_memory: inner.peak.most.1,
    })
}

/// Is never called.
struct Nobody;

impl Operator for Nobody {
    fn run(&self, _: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        Err(OperatorError::failed("nothing is executed in a simulation"))
    }
}
