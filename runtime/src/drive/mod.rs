//! Runs one DAG: joins the decider, the scheduler, the threads, the cache and the store.
//!
//! One thread holds all state. What happens reaches it as a [`Message`]; it asks the decider, does what that
//! commands, and hands the store one batch a turn. [`data`] is what nodes gave, [`prepare`] what must be known
//! before a node starts, [`launch`] how it starts, [`record`] what is told of it.

mod data;
mod launch;
mod prepare;
mod record;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use flow_ir::{dag::Dag, hash::Hash};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    act::{Cancel, Pool},
    artifact::{ArtifactError, Artifacts, Reference},
    decide::{Command, Event, Graph, NodeState, RunStatus, State},
    event::Subscriber,
    operator::Native,
    schedule::Scheduler,
    store::{Batch, Store, StoreError},
    task::{Executed, Failure},
};
use data::NodeData;
use prepare::FileHash;

/// All that a run needs from outside.
pub struct Setup {
    pub dag: Arc<Dag>,
    pub graph: Arc<Graph>,
    pub run: Arc<str>,
    pub epoch: u32,
    /// Of the last event that is there already.
    pub seq: u64,
    pub state: State,
    pub scheduler: Scheduler,
    /// For each node that is a task.
    pub bodies: Vec<Option<Native>>,
    pub store: Arc<dyn Store>,
    pub artifacts: Artifacts,
    pub threads: usize,
    pub use_cache: bool,
    pub subscribers: Arc<[Arc<dyn Subscriber>]>,
}

pub struct Driver {
    setup: Setup,
    ids: Vec<Arc<str>>,
    nodes: Vec<NodeData>,
    inbox: Receiver<Message>,
    outbox: Sender<Message>,
    workers: Pool,
    /// Syncs large artifacts, so that workers need not wait for the disk.
    disk: Pool,
    /// The operators that run, and how to stop them.
    running: FxHashMap<u32, Arc<AtomicBool>>,
    /// Ready, and not yet looked at.
    fresh: Vec<(u32, u32)>,
    /// Ready, and waiting for their files to be hashed.
    hashing: Vec<(u32, u32)>,
    files: FxHashMap<String, FileHash>,
    /// Contents found missing or corrupt, until they are written again.
    lost: FxHashSet<Hash>,
    delays: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    /// Operators with an effect, until the event that says they run is durable.
    held: Vec<(u64, launch::Job)>,
    batch: Batch,
    /// Of the last event that is durable.
    durable: u64,
    started: Instant,
    ended: Option<RunStatus>,
}

enum Message {
    Done {
        node: u32,
        attempt: u32,
        result: Result<Executed, Failure>,
    },
    /// Large outputs are durable, or cannot be.
    Stored {
        node: u32,
        attempt: u32,
        result: Result<(), ArtifactError>,
    },
    Hashed(Vec<(String, FileHash)>),
    Durable(Result<u64, StoreError>),
    Cancel,
}

/// How many events may wait to become durable before nothing more is launched.
const AHEAD: u64 = 16_384;

impl Driver {
    /// `outputs` is what nodes gave that have finished already.
    pub fn new(setup: Setup, outputs: Vec<(u32, Vec<Reference>)>, cancel: &Cancel) -> Self {
        let (outbox, inbox) = mpsc::channel();
        let canceller = outbox.clone();
        cancel.listen(move || {
            let _ = canceller.send(Message::Cancel);
        });
        let mut driver = Self {
            ids: setup.dag.nodes.iter().map(|node| Arc::from(node.id.as_str())).collect(),
            nodes: NodeData::for_all(&setup.graph),
            inbox,
            outbox,
            workers: Pool::new(setup.threads),
            disk: Pool::new(2),
            running: FxHashMap::default(),
            fresh: Vec::new(),
            hashing: Vec::new(),
            files: FxHashMap::default(),
            lost: FxHashSet::default(),
            delays: BinaryHeap::new(),
            held: Vec::new(),
            batch: Batch::default(),
            durable: setup.seq,
            started: Instant::now(),
            ended: None,
            setup,
        };
        for (node, references) in outputs {
            driver.keep_references(node, references);
            driver.release_inputs(node);
        }
        driver
    }

    /// Runs to the end; returns when all is durable.
    pub fn run(mut self, first: Batch) -> Result<Finished, StoreError> {
        self.batch = first;
        let result = self.turn_until_end();
        if result.is_err() {
            for cancelled in self.running.values() {
                cancelled.store(true, Ordering::Relaxed);
            }
        }
        result.map(|()| self.finished())
    }

    fn turn_until_end(&mut self) -> Result<(), StoreError> {
        self.record_start();
        self.step(&Event::Start);
        loop {
            while !self.fresh.is_empty() {
                self.prepare()?;
            }
            self.launch();
            self.send();
            if self.ended.is_some() && self.durable == self.setup.seq {
                return Ok(());
            }
            self.receive()?;
        }
    }

    /// Waits for something to happen, and takes all that has.
    fn receive(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        let first = match self.delays.peek() {
            None => self.inbox.recv().ok(),
            Some(Reverse((due, ..))) => self.inbox.recv_timeout(due.saturating_duration_since(now)).ok(),
        };
        let mut next = first;
        while let Some(message) = next {
            self.handle(message)?;
            next = self.inbox.try_recv().ok();
        }
        while let Some(Reverse((due, node, attempt))) = self.delays.peek().copied()
            && due <= Instant::now()
        {
            self.delays.pop();
            self.step(&Event::Due { node, attempt });
        }
        Ok(())
    }

    fn handle(&mut self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::Done { node, attempt, result } => {
                self.running.remove(&node);
                self.setup.scheduler.release(node);
                self.done(node, attempt, result);
            }
            Message::Stored { node, attempt, result: Ok(()) } => self.step(&Event::Stored { node, attempt }),
            Message::Stored { node, attempt, result: Err(error) } => {
                self.fail(node, attempt, Failure::Operator { message: error.to_string(), help: None });
            }
            Message::Hashed(files) => self.hashed(files),
            Message::Durable(seq) => {
                self.durable = self.durable.max(seq?);
                self.launch_held();
            }
            Message::Cancel => self.step(&Event::Cancel),
        }
        Ok(())
    }

    /// What an operator or an expression came to.
    fn done(&mut self, node: u32, attempt: u32, result: Result<Executed, Failure>) {
        if !self.setup.state.is_at(node, attempt, NodeState::Running) {
            return;
        }
        match result {
            Ok(executed) => {
                let large = self.keep(node, executed);
                self.step(&Event::Computed { node, attempt });
                if large.is_empty() {
                    self.step(&Event::Stored { node, attempt });
                } else {
                    self.publish(node, attempt, large);
                }
            }
            Err(Failure::Input { of, error }) if error.is_lost() => {
                self.input_lost(node, attempt, of, &error)
            }
            Err(Failure::Cancelled) => {
                let message = "stopped without being asked to".to_owned();
                self.nodes[node as usize].failure = Some(Failure::Operator { message, help: None });
                self.step(&Event::Stopped { node, attempt });
            }
            Err(failure) => self.fail(node, attempt, failure),
        }
    }

    fn fail(&mut self, node: u32, attempt: u32, failure: Failure) {
        self.nodes[node as usize].failure = Some(failure);
        self.step(&Event::Failed { node, attempt });
    }

    /// Asks the decider, and does what it commands.
    fn step(&mut self, event: &Event) {
        let mut commands = Vec::new();
        self.setup.state.step(event, &mut commands);
        for command in commands {
            match command {
                Command::Record { node, attempt, step } => self.record(node, attempt, step),
                Command::Start { node, attempt } => self.fresh.push((node, attempt)),
                Command::Stop { node, .. } => self.stop(node),
                Command::Wait { node, attempt, delay } => {
                    let delay = Duration::from_micros(u64::try_from(delay).unwrap_or_default());
                    self.delays.push(Reverse((Instant::now() + delay, node, attempt)));
                }
                Command::End(status) => {
                    self.ended = Some(status);
                    self.record_end(status);
                }
            }
        }
    }
}

/// How a run ended.
pub struct Finished {
    pub status: RunStatus,
    pub counts: crate::decide::Counts,
    pub outputs: Vec<(String, crate::task::Source)>,
    /// By the nodes' ids, in the DAG's order.
    pub failures: Vec<(String, Failure)>,
    pub elapsed: Duration,
}
