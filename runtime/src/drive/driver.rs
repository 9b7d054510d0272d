//! All state of a run, and its turns: what has happened in, commands to the world and events to the store out.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{OperatorPlace, OperatorRef},
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    World,
    control::Steering,
    data::NodeData,
    job::Job,
    nodes,
    prepare::FileHash,
    record,
    region::{Bound, Captures},
    stuck,
    world::Message,
};
use crate::{
    artifact::{Content, Reference},
    decide::{Command, Event, Graph, NodeState, RunStatus, State},
    event::Broadcast,
    operator::Native,
    schedule::Scheduler,
    store::{Batch, CommandKind, RunCommand, Store, StoreError},
    task::{Executed, Failure, Source},
};

/// Which run it is, and how far it has come.
pub struct Setup {
    pub dag: Arc<Dag>,
    pub graph: Arc<Graph>,
    pub run: Arc<str>,
    pub epoch: u32,
    /// Of the last event that is there already.
    pub seq: u64,
    pub state: State,
    /// Nodes with an effect that an earlier owner of the run left running, each with its attempt.
    pub unknown: Vec<(u32, u32)>,
    /// Nodes that had ended and run again, each with the reason.
    pub again: Vec<(u32, &'static str)>,
    pub scheduler: Scheduler,
    /// Of all operators that the DAG calls, in regions too.
    pub bodies: FxHashMap<OperatorRef, Native>,
    /// When waits began that are under way, in microseconds since 1970.
    pub began: FxHashMap<u32, i64>,
    /// For each place of an external operator: the hash of its code and of what surrounds it.
    pub environments: FxHashMap<OperatorPlace, Hash>,
    pub store: Arc<dyn Store>,
    pub use_cache: bool,
    pub broadcast: Broadcast,
}

pub struct Driver<W> {
    pub(super) setup: Setup,
    pub(super) world: W,
    pub(super) ids: Vec<Arc<str>>,
    pub(super) nodes: Vec<NodeData>,
    /// For each scope that is an instance of a region and has begun, what its parameters are bound to.
    pub(super) bound: Vec<Option<Arc<Bound>>>,
    /// For each node that runs regions, what they read from outside.
    pub(super) captures: FxHashMap<u32, Arc<Captures>>,
    /// Of the list that a map goes over.
    pub(super) elements: FxHashMap<u32, Vec<Source>>,
    /// Ready, and not yet looked at.
    pub(super) fresh: Vec<(u32, u32)>,
    /// What the decider waits for, with whose sake it is.
    pub(super) steering: Vec<(u32, u32, Steering)>,
    /// Ready, and waiting for their files to be hashed.
    pub(super) hashing: Vec<(u32, u32)>,
    pub(super) files: FxHashMap<String, FileHash>,
    /// Contents found missing or corrupt, until they are written again.
    pub(super) lost: FxHashSet<Hash>,
    /// When each delay has passed, and whose it is.
    pub(super) delays: BinaryHeap<Reverse<(i64, Timer, u32, u32)>>,
    /// Attempts that use what the scheduler set aside, and since when.
    pub(super) working: FxHashMap<(u32, u32), i64>,
    pub(super) stuck: stuck::Watch,
    /// Operators with an effect, and those outside of this process, until the event that says they run is durable.
    pub(super) held: Vec<(u64, Job)>,
    /// Commands that wait for all that the cache gave to be said.
    pub(super) barriers: Vec<i64>,
    pub(super) batch: Batch,
    /// Since when something stands in the batch.
    pub(super) unsent_since: Option<i64>,
    /// Of the last event that is durable.
    pub(super) durable: u64,
    /// Microseconds since 1970.
    pub(super) started: i64,
    pub(super) ended: Option<RunStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Due,
    TimedOut,
}

/// How many events may wait to become durable before nothing more is launched: some 20 MiB. Where a disk is slow to sync,
/// or thousands of nodes become ready at once, work goes on meanwhile.
pub(super) const AHEAD: u64 = 65_536;

impl<W: World> Driver<W> {
    /// `outputs` is what nodes gave that have finished already.
    pub fn new(setup: Setup, outputs: Vec<(u32, Vec<Reference>)>, world: W) -> Self {
        let mut driver = Self {
            ids: setup.dag.nodes.iter().map(|node| Arc::from(node.id.as_str())).collect(),
            nodes: NodeData::for_all(&setup.graph),
            bound: vec![None],
            captures: FxHashMap::default(),
            elements: FxHashMap::default(),
            fresh: Vec::new(),
            steering: Vec::new(),
            hashing: Vec::new(),
            files: FxHashMap::default(),
            lost: FxHashSet::default(),
            delays: BinaryHeap::new(),
            working: FxHashMap::default(),
            stuck: stuck::Watch::default(),
            held: Vec::new(),
            barriers: Vec::new(),
            batch: Batch::default(),
            unsent_since: None,
            durable: setup.seq,
            started: world.now(),
            ended: None,
            setup,
            world,
        };
        driver.grow();
        for (node, references) in outputs {
            driver.keep_references(node, references);
            driver.release_inputs(node);
        }
        driver
    }

    /// Sets the run going: the first of its turns. `first` goes to the store with the events of that turn.
    pub fn begin(&mut self, first: Batch) -> Result<(), StoreError> {
        self.batch = first;
        self.record_start();
        self.record_again();
        self.settle_unknown();
        self.step(&Event::Start);
        self.turn()
    }

    /// In place of [`Self::begin`]: starts nothing more, and says of every node that has not ended that it is
    /// cancelled.
    pub fn begin_cancelled(&mut self) -> Result<(), StoreError> {
        self.record_start();
        self.settle_unknown();
        self.step(&Event::Cancel);
        self.turn()
    }

    /// One turn: takes what has happened, does what follows, and hands the store what is to be said of it.
    pub fn hear(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), StoreError> {
        for message in messages {
            self.handle(message)?;
        }
        self.end_delays();
        self.look_for_stuck();
        self.turn()
    }

    /// When the next turn is due even if nothing happens, in microseconds since 1970.
    pub fn next_due(&self) -> Option<i64> {
        let delay = self.delays.peek().map(|Reverse((due, ..))| *due);
        let batch = self.unsent_since.map(|since| since + record::LINGER);
        delay.into_iter().chain(batch).chain(self.stuck.next).min()
    }

    /// For whoever drives it.
    pub fn world(&mut self) -> &mut W {
        &mut self.world
    }

    /// Whether the run has ended, and all that was said of it is durable.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() && self.durable == self.setup.seq
    }

    /// An effect that may have been done is not done again unless a retry is granted.
    pub(super) fn settle_unknown(&mut self) {
        for (node, attempt) in std::mem::take(&mut self.setup.unknown) {
            self.setup.state.assume_running(node, attempt);
            let help = "look whether it was done; `flowc retry` does it again".to_owned();
            let message = "its process died, and whether its effect was done is not known".to_owned();
            self.fail(node, attempt, Failure::Operator { message, help: Some(help) });
        }
    }

    pub(super) fn turn(&mut self) -> Result<(), StoreError> {
        while !self.fresh.is_empty() || !self.steering.is_empty() {
            self.prepare()?;
            self.steer();
        }
        self.launch();
        self.setup.scheduler.settle();
        // What the cache gave is said when a node has finished by it.
        if !self.barriers.is_empty() && self.setup.state.counts().finishing == 0 {
            self.batch.taken.append(&mut self.barriers);
            self.batch.is_urgent = true;
        }
        self.send();
        Ok(())
    }

    pub(super) fn end_delays(&mut self) {
        while let Some(Reverse((due, timer, node, attempt))) = self.delays.peek().copied()
            && due <= self.world.now()
        {
            self.delays.pop();
            match timer {
                Timer::Due => self.step(&Event::Due { node, attempt }),
                Timer::TimedOut => self.timed_out(node, attempt),
            }
        }
    }

    pub(super) fn handle(&mut self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::Done { node, attempt, result, usage } => {
                // An answer may come twice, and late: what a later attempt has taken is not its to give back.
                if self.working.remove(&(node, attempt)).is_some() {
                    self.setup.scheduler.release(node);
                }
                if self.setup.state.is_at(node, attempt, NodeState::Running) {
                    self.nodes[node as usize].usage = usage;
                    self.done(node, attempt, result);
                }
            }
            Message::Stored { node, attempt, result: Ok(()) } => self.step(&Event::Stored { node, attempt }),
            Message::Stored { node, attempt, result: Err(error) } => {
                self.fail(node, attempt, Failure::operator(error.to_string()));
            }
            Message::Hashed(files) => self.hashed(files),
            Message::Durable(seq) => {
                self.durable = self.durable.max(seq?);
                self.launch_held();
            }
            Message::Cancel => self.step(&Event::Cancel),
            // The turn launches what fits now, and hands over what is due.
            Message::Lent | Message::Look => {}
            Message::Command(command) => self.obey(&command),
        }
        Ok(())
    }

    /// Taken with the events that it leads to, so that it is neither lost nor obeyed after them.
    pub(super) fn obey(&mut self, command: &RunCommand) {
        match &command.kind {
            CommandKind::Cancel => self.step(&Event::Cancel),
            // Of a run that is over already: whoever resumes it hears of it.
            CommandKind::Signal { .. } if self.ended.is_some() => return,
            CommandKind::Signal { name } => self.step(&Event::Signal { name: name.as_str().into() }),
            CommandKind::Barrier => return self.barriers.push(command.id),
        }
        self.batch.taken.push(command.id);
        self.batch.is_urgent = true;
    }

    /// What an operator or an expression came to.
    pub(super) fn done(&mut self, node: u32, attempt: u32, result: Result<Executed, Failure>) {
        if !self.setup.state.is_at(node, attempt, NodeState::Running) {
            return;
        }
        match result {
            // Too late: why it failed is known already.
            _ if !self.setup.state.is_wanted(node) => self.step(&Event::Stopped { node, attempt }),
            Ok(executed) => {
                let large = self.keep(node, executed);
                self.step(&Event::Computed { node, attempt });
                self.store(node, attempt, large);
            }
            Err(Failure::Input { of, error }) if error.is_lost() => {
                self.input_lost(node, attempt, of, &error)
            }
            Err(Failure::Cancelled) => {
                self.nodes[node as usize].failure = Some(Failure::operator("stopped without being asked to"));
                self.step(&Event::Stopped { node, attempt });
            }
            Err(failure) => self.fail(node, attempt, failure),
        }
    }

    /// Makes durable what is large.
    pub(super) fn store(&mut self, node: u32, attempt: u32, large: Vec<Content>) {
        if large.is_empty() {
            self.step(&Event::Stored { node, attempt });
        } else {
            self.world.publish(node, attempt, large);
        }
    }

    pub(super) fn timed_out(&mut self, node: u32, attempt: u32) {
        if self.setup.state.is_at(node, attempt, NodeState::Running) && self.setup.state.is_wanted(node) {
            let data = &mut self.nodes[node as usize];
            let policy = nodes::node(&self.setup.dag, &self.setup.state, node).map(|node| &node.policy);
            let limit = data.limit.or(policy.and_then(|policy| policy.timeout)).unwrap_or_default();
            data.failure = Some(Failure::TimedOut { seconds: (limit as f64 / 1e6).to_string() });
            self.step(&Event::TimedOut { node, attempt });
        }
    }

    pub(super) fn fail(&mut self, node: u32, attempt: u32, failure: Failure) {
        self.nodes[node as usize].failure = Some(failure);
        self.step(&Event::Failed { node, attempt });
    }

    /// Asks the decider, and does what it commands.
    pub(super) fn step(&mut self, event: &Event) {
        let mut commands = Vec::new();
        self.setup.state.step(event, &mut commands);
        for command in commands {
            match command {
                Command::Record { node, attempt, step } => self.record(node, attempt, step),
                Command::Start { node, attempt } => self.fresh.push((node, attempt)),
                Command::Stop { node, attempt } => self.stop(node, attempt),
                Command::Wait { node, attempt, delay } => self.set_timer(Timer::Due, node, attempt, delay),
                Command::Timeout { node, attempt, delay } => {
                    self.set_timer(Timer::TimedOut, node, attempt, delay);
                }
                Command::Open { scope } => self.open(scope),
                Command::Ask { node, attempt, iteration } => {
                    self.steering.push((node, attempt, Steering::Ask(iteration)));
                }
                Command::Gather { node, attempt, from } => {
                    self.steering.push((node, attempt, Steering::Gather(from)));
                }
                Command::Signalled { name } => self.record_signal(&name),
                Command::End(status) => {
                    self.ended = Some(status);
                    self.record_end(status);
                }
            }
        }
    }

    pub(super) fn set_timer(&mut self, timer: Timer, node: u32, attempt: u32, delay: i64) {
        self.delays.push(Reverse((self.world.now().saturating_add(delay), timer, node, attempt)));
    }

    /// Its own, or that of a node in its regions.
    pub(super) fn has_effect(&self, node: u32) -> bool {
        nodes::node(&self.setup.dag, &self.setup.state, node).is_some_and(|node| node.effect)
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    pub status: RunStatus,
    pub counts: crate::decide::Counts,
    pub outputs: Vec<(String, crate::task::Source)>,
    /// By the nodes' ids, in the DAG's order.
    pub failures: Vec<(String, Failure)>,
    pub elapsed: Duration,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("run", &self.run).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl<W> std::fmt::Debug for Driver<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("setup", &self.setup)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
