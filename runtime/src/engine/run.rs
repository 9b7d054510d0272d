//! A DAG from its start to its end, or what is left of one.

use std::{sync::Arc, time::Duration};

use flow_ir::dag::Dag;
use rustc_hash::FxHashMap;

use super::{Engine, RunError, bodies::Prepared, id, taken_up::TakenUp};
use crate::{
    act::Cancel,
    decide::{Counts, Graph, RunStatus, State, seed},
    drive::{Commands, Driver, Message, Setup, Threads, World, take_turns},
    event::{Backlog, Beginning, Broadcast, Subscriber, Undelivered},
    schedule::{
        Machine, Scheduler, Weights,
        ledger::{self, Joining},
    },
    store::{Batch, NewRun, RunLock},
    task::{Failure, Source},
};

/// How to run.
#[derive(Clone)]
pub struct RunOptions {
    /// How many cores this run may use.
    pub jobs: u32,
    /// How many bytes it may use.
    pub memory: u64,
    /// What else there is; none: this machine, as it is when the run starts.
    pub machine: Option<Machine>,
    /// How long nodes take, so that the longest path goes first; empty: as long as in earlier runs of the workflow.
    pub weights: Weights,
    /// Whether what earlier runs left is taken. What this run gives is left for later ones anyhow.
    pub use_cache: bool,
    /// A new run has it as its own: no other run may.
    pub idempotency_key: Option<String>,
    pub subscribers: Vec<Arc<dyn Subscriber>>,
}

/// What became of a run.
#[derive(Debug)]
pub struct RunReport {
    pub run: String,
    pub status: RunStatus,
    pub counts: Counts,
    /// Those that are there, by name: values, and references to the rest.
    pub outputs: Vec<(String, Source)>,
    /// The nodes that failed, by id.
    pub failures: Vec<(String, Failure)>,
    pub elapsed: Duration,
    /// Subscribers that took nothing for too long at the end, and missed the rest.
    pub undelivered: Vec<Undelivered>,
}

/// How long a subscriber may take nothing, once the run has ended, before the rest is kept from it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Runs a DAG to its end.
    ///
    /// # Errors
    /// When it cannot be started, or the store fails underneath it. A run that fails, is cancelled or
    /// blocked is no error: the report says so.
    pub fn run(&self, dag: Dag, options: &RunOptions, cancel: &Cancel) -> Result<RunReport, RunError> {
        let graph = Arc::new(Graph::new(&dag)?);
        let prepared = self.prepare(dag, graph.clone(), options)?;
        let (id, lock) = self.new_run()?;
        let first = Batch {
            run: Some(NewRun {
                id: id.clone(),
                workflow: prepared.dag.workflow.clone(),
                dag: prepared.dag.to_json(),
                nodes: u32::try_from(prepared.dag.nodes.len()).unwrap_or(u32::MAX),
                idempotency_key: options.idempotency_key.clone(),
            }),
            ..Batch::default()
        };
        let history = TakenUp {
            state: State::new(graph, seed(&id)),
            run: id,
            epoch: 1,
            seq: 0,
            unknown: Vec::new(),
            again: Vec::new(),
            outputs: Vec::new(),
            began: FxHashMap::default(),
            use_cache: options.use_cache,
        };
        let report = self.drive(prepared, history, Some(first), options, cancel)?;
        drop(lock);
        Ok(report)
    }

    /// Runs what is left of a run, after a first batch; without one it is cancelled instead.
    pub(super) fn drive(
        &self,
        mut prepared: Prepared,
        history: TakenUp,
        first: Option<Batch>,
        options: &RunOptions,
        cancel: &Cancel,
    ) -> Result<RunReport, RunError> {
        let broadcast = self.broadcast(&prepared, &history, options);
        let threads = options.jobs.max(1) as usize;
        let folder = self.run_folder(&history.run);
        let commands = Commands::new(self.store.clone(), history.run.clone());
        let (world, inbox) =
            Threads::new(self.artifacts.clone(), folder, broadcast.clone(), commands, cancel);
        self.share(
            &mut prepared.scheduler,
            prepared.machine,
            (&history.run, options),
            world.outbox(),
            &broadcast,
        );
        let setup = Setup {
            dag: prepared.dag,
            graph: prepared.graph,
            run: history.run.clone(),
            epoch: history.epoch,
            seq: history.seq,
            state: history.state,
            unknown: history.unknown,
            again: history.again,
            scheduler: prepared.scheduler,
            bodies: prepared.bodies,
            environments: prepared.environments,
            began: history.began,
            store: self.store.clone(),
            // A run that was begun without stays without.
            use_cache: options.use_cache && history.use_cache,
            broadcast: broadcast.clone(),
        };
        let mut driver = Driver::new(setup, history.outputs, world);
        let begun = match first {
            Some(first) => driver.begin(first),
            None => driver.begin_cancelled(),
        };
        let finished = begun.and_then(|()| take_turns(driver, inbox, threads));
        let undelivered = broadcast.close(PATIENCE);
        let finished = finished?;
        Ok(RunReport {
            run: history.run.to_string(),
            status: finished.status,
            counts: finished.counts,
            outputs: finished.outputs,
            failures: finished.failures,
            elapsed: finished.elapsed,
            undelivered,
        })
    }

    /// Joins the ledger; a run that cannot says so and goes on without.
    fn share(
        &self,
        scheduler: &mut Scheduler,
        machine: Option<Machine>,
        (run, options): (&str, &RunOptions),
        outbox: std::sync::mpsc::Sender<Message>,
        broadcast: &Broadcast,
    ) {
        let (Some(folder), Some(machine)) = (&self.ledger, machine) else { return };
        let listeners = broadcast.clone();
        let joining = Joining {
            run: run.to_owned(),
            machine,
            limit: (options.jobs.max(1), options.memory),
            scope: self.scope(),
            notify: Box::new(move || {
                let _ = outbox.send(Message::Lent);
            }),
            say: Box::new(move |line| listeners.note(&line)),
        };
        match ledger::join(folder, joining) {
            Ok(lease) => scheduler.share(Box::new(lease)),
            Err(reason) => broadcast.note(&format!(
                "this run shares the machine with no other: the ledger in `{}` cannot be used: {reason}",
                folder.display()
            )),
        }
    }

    /// Whoever listens, each on a thread of its own.
    fn broadcast(&self, prepared: &Prepared, history: &TakenUp, options: &RunOptions) -> Broadcast {
        let (store, workflow) = (self.store.clone(), prepared.dag.workflow.clone());
        let nodes = 0..u32::try_from(prepared.dag.nodes.len()).unwrap_or(u32::MAX);
        let beginning = Beginning {
            run: history.run.clone(),
            dag: prepared.dag.clone(),
            states: nodes.map(|node| history.state.node(node)).collect(),
            cores: options.jobs,
            memory: options.memory,
            // Without a past there is nothing to compare with, and that is all that follows.
            durations: Arc::new(move || store.durations(&workflow).unwrap_or_default()),
        };
        let (store, run) = (self.store.clone(), history.run.clone());
        let backlog: Backlog = Arc::new(move |seq, limit| store.events_after(&run, seq, limit).ok());
        Broadcast::new(&options.subscribers, &beginning, history.seq, &backlog)
    }

    /// An id that nobody has, and the lock that makes the run ours.
    fn new_run(&self) -> Result<(Arc<str>, RunLock), RunError> {
        let mut ids = id::ids_from_now();
        loop {
            let id = ids.next();
            match RunLock::create(&self.locks(), &id) {
                Ok(lock) if self.store.run(&id)?.is_none() => return Ok((id.into(), lock)),
                Ok(_) | Err(crate::store::LockError::Held) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Default for RunOptions {
    /// All cores, all memory, the cache, nobody listening.
    fn default() -> Self {
        let here = Machine::here();
        Self {
            jobs: here.cores,
            memory: here.memory,
            machine: None,
            weights: Weights::default(),
            use_cache: true,
            idempotency_key: None,
            subscribers: Vec::new(),
        }
    }
}

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("jobs", &self.jobs)
            .field("memory", &self.memory)
            .field("use_cache", &self.use_cache)
            .finish_non_exhaustive()
    }
}
