//! The way in: opens a project's state, runs and resumes DAGs, and shows what became of them.

mod error;
mod gc;
mod history;
mod id;
mod recorded;
mod resume;
mod shadow;
mod view;
mod waiting;
mod why;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Node, OperatorPlace, OperatorRef},
};
use rustc_hash::FxHashMap;

pub use error::RunError;
pub use gc::{Keep, Removed};
use history::History;
pub use resume::{Again, Cancelled, Revival, Signalled};
pub use shadow::{Comparison, Knowledge, NodeComparison};
pub use view::{NodeView, RunView};
pub use waiting::{Waiting, WaitsFor};
pub use why::{Because, Change, Earlier, Side, Why};

use crate::{
    act::{
        Cancel,
        process::{Environment, ProcessOperator},
    },
    artifact::{Artifacts, SmallContents},
    decide::{Counts, Graph, RunStatus, State, seed},
    drive::{Commands, Driver, Message, Setup, Threads, World, take_turns},
    event::{Backlog, Beginning, Broadcast, Subscriber, Undelivered},
    folder::{self, RunFolder},
    operator::{Native, Registry},
    schedule::{
        Machine, Scheduler, Weights,
        ledger::{self, Joining},
    },
    store::{Batch, NewRun, RunLock, SqliteStore, Store, StoreError},
    task::{Failure, Source},
};

/// A project's runs, and what can be run.
pub struct Engine {
    folder: PathBuf,
    store: Arc<dyn Store>,
    artifacts: Artifacts,
    registry: Arc<dyn Registry>,
    pools: BTreeMap<Arc<str>, u32>,
    ledger: Option<PathBuf>,
    environment: Arc<Environment>,
}

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

/// A DAG of more nodes is run without a look at how long they took before.
const WEIGHED_NODES: usize = 1_000;

impl Engine {
    /// Opens the state that lies in `folder` (a project's `.flow`); makes it where there is none.
    pub fn open(folder: &Path, registry: Arc<dyn Registry>) -> Result<Self, StoreError> {
        let store = Arc::new(SqliteStore::open(&folder.join("store.sqlite"))?);
        let small: Arc<dyn SmallContents> = store.clone();
        let artifacts = folder.join("artifacts");
        let artifacts = Artifacts::open(artifacts.clone(), small).map_err(|error| StoreError::Open {
            path: artifacts.display().to_string(),
            reason: error.to_string(),
        })?;
        let environment = Arc::new(Environment::of(folder.parent().unwrap_or(folder)));
        Ok(Self {
            folder: folder.to_owned(),
            store,
            artifacts,
            registry,
            pools: BTreeMap::new(),
            ledger: None,
            environment,
        })
    }

    /// Says what external operators find around them; else it is the folder that the state lies in.
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// What external operators find around them.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// Where the files of a run lie.
    pub fn run_folder(&self, run: &str) -> RunFolder {
        RunFolder::new(&self.folder, run)
    }

    /// Says how many nodes may be in each pool at once; without a limit there is no such pool.
    pub fn with_pools(mut self, pools: impl IntoIterator<Item = (String, u32)>) -> Self {
        self.pools = pools.into_iter().map(|(pool, places)| (pool.into(), places)).collect();
        self
    }

    /// Shares the machine with all runs that use the ledger in this folder; without one a run takes no notice of others.
    pub fn with_ledger(mut self, folder: Option<PathBuf>) -> Self {
        self.ledger = folder;
        self
    }

    /// Where artifacts are, and how they are read.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

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
        let history = History {
            state: State::new(graph, seed(&id)),
            run: id,
            epoch: 1,
            seq: 0,
            unknown: Vec::new(),
            again: Vec::new(),
            outputs: Vec::new(),
            began: FxHashMap::default(),
        };
        let report = self.drive(prepared, history, Some(first), options, cancel)?;
        drop(lock);
        Ok(report)
    }

    /// Runs what is left of a run, after a first batch; without one it is cancelled instead.
    fn drive(
        &self,
        mut prepared: Prepared,
        history: History,
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
            use_cache: options.use_cache,
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

    /// Runs of one project share their pools.
    fn scope(&self) -> PathBuf {
        std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone())
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
    fn broadcast(&self, prepared: &Prepared, history: &History, options: &RunOptions) -> Broadcast {
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

    /// What a run may use of a machine.
    fn limit(&self, machine: &Machine, options: &RunOptions) -> Machine {
        Machine {
            cores: options.jobs.max(1),
            memory: options.memory,
            gpus: machine.gpus.clone(),
            pools: self.pools.clone(),
        }
    }

    /// Finds every operator, and a place for every node.
    fn prepare(&self, dag: Dag, graph: Arc<Graph>, options: &RunOptions) -> Result<Prepared, RunError> {
        let machine = options.machine.clone().unwrap_or_else(|| Machine::here_for(&dag));
        let limit = self.limit(&machine, options);
        let earlier = if options.weights.is_empty() { self.earlier(&dag)? } else { Weights::default() };
        let weights = if options.weights.is_empty() { &earlier } else { &options.weights };
        let scheduler = Scheduler::new(&dag, &graph, limit.clone(), weights)?;
        // Whoever asks for more cores than there are has a reason.
        let cores = machine.cores.max(limit.cores);
        let machine = Machine { cores, memory: machine.memory.max(limit.memory), ..limit };
        let mut prepared = Prepared {
            dag: Arc::new(dag),
            graph,
            machine: Some(machine),
            scheduler,
            bodies: FxHashMap::default(),
            environments: FxHashMap::default(),
        };
        self.find_bodies(&mut prepared)?;
        Ok(prepared)
    }

    /// How long the nodes of a DAG took on average in earlier runs.
    fn earlier(&self, dag: &Dag) -> Result<Weights, StoreError> {
        // In a DAG of many nodes none is long beside the reading, and of one or none there is nothing to choose.
        let nodes: usize = dag.nodes.iter().map(Node::count).sum();
        if !(2..=WEIGHED_NODES).contains(&nodes) {
            return Ok(Weights::default());
        }
        let durations = self.store.durations(&dag.workflow)?;
        let microseconds = |mean: Duration| i64::try_from(mean.as_micros()).unwrap_or(i64::MAX);
        Ok(durations.means().map(|(path, mean)| (path.to_owned(), microseconds(mean))).collect())
    }

    /// The bodies of all operators that a DAG calls. Those of a query's steps are looked for as well, so that no
    /// other version of them is taken.
    fn find_bodies(&self, prepared: &mut Prepared) -> Result<(), RunError> {
        let dag = prepared.dag.clone();
        let mut result = Ok(());
        dag.for_each_node(&mut |node| {
            if let Some(operator) = node.operator()
                && result.is_ok()
                && !prepared.bodies.contains_key(&*operator)
            {
                result = self.find_body(node, &operator, &mut prepared.environments).map(|body| {
                    prepared.bodies.insert(operator.into_owned(), body);
                });
            }
        });
        result
    }

    fn find_body(
        &self,
        node: &Node,
        operator: &OperatorRef,
        environments: &mut FxHashMap<OperatorPlace, Hash>,
    ) -> Result<Native, RunError> {
        let (node, op) = (node.id.clone(), operator.name.clone());
        if let Some(process) = ProcessOperator::new(operator.place.clone(), self.environment.clone()) {
            if !environments.contains_key(&operator.place) {
                let place = &operator.place;
                let hash = self.environment.check(place).and_then(|()| self.environment.hash(place));
                let hash = hash.map_err(|missing| RunError::NoImplementation { node, op, missing })?;
                environments.insert(operator.place.clone(), hash);
            }
            let (version, signature) = (operator.version, operator.signature);
            return Ok(Native { version, signature, body: Arc::new(process) });
        }
        let Some(body) = self.registry.find(&op) else {
            return Err(RunError::UnknownOperator { node, op });
        };
        if body.version != operator.version {
            let (needed, found) = (operator.version, body.version);
            return Err(RunError::OperatorVersion { node, op, needed, found });
        }
        if body.signature != operator.signature {
            return Err(RunError::OperatorSignature { node, op });
        }
        Ok(body)
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

    fn store_file(&self) -> PathBuf {
        self.folder.join("store.sqlite")
    }

    fn locks(&self) -> PathBuf {
        folder::runs(&self.folder)
    }
}

/// A DAG that can be run here.
struct Prepared {
    dag: Arc<Dag>,
    graph: Arc<Graph>,
    /// What this run shares with others; none where nothing is to be run.
    machine: Option<Machine>,
    scheduler: Scheduler,
    bodies: FxHashMap<OperatorRef, Native>,
    environments: FxHashMap<OperatorPlace, Hash>,
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

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("folder", &self.folder).finish_non_exhaustive()
    }
}
