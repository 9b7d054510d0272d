//! Every node of a run, where it stands, and which event moves it.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    control::Control,
    graph::{Edge, Facts, Graph, Kind},
    scope::Scope,
    status::{Counts, NodeState, RunStatus},
    step::{Cause, Command, Event, Step},
};

/// Every node of a run, and the run.
///
/// Nodes are numbered in the order in which they come into being: first the DAG's, in its order, then those of each
/// instance of a region as it begins. Numbers are never given twice.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) nodes: Vec<Node>,
    /// How much of each edge's producer its consumer may use.
    pub(super) edges: Vec<EdgeState>,
    /// The run itself is the first.
    pub(super) scopes: Vec<Scope>,
    /// What the nodes with regions, waits and the like have come to; made when the first attempt begins.
    pub(super) controls: FxHashMap<u32, Control>,
    /// Those that have come.
    pub(super) signals: FxHashSet<Arc<str>>,
    /// Which nodes, in which attempt, wait for a signal that has not.
    pub(super) listeners: FxHashMap<Arc<str>, Vec<(u32, u32)>>,
    /// Scopes in which nothing may be under way any more.
    pub(super) idle: Vec<u32>,
    /// Of the jitter.
    pub(super) seed: u64,
    pub(super) status: RunStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EdgeState {
    /// Its producer has no outputs yet, or they are lost.
    Waiting,
    /// It is `finishing`: its outputs are in memory.
    Available,
    Finished,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub scope: u32,
    pub state: NodeState,
    pub attempt: u32,
    /// Failed attempts since the run or its region began.
    pub failures: u32,
    /// Producers that it still waits for before it may start.
    pub open: u32,
    /// Producers that have not finished.
    pub unfinished: u32,
    /// Its outputs are durable.
    pub stored: bool,
    /// They are the cache's.
    pub hit: bool,
    /// Pending until a delay has passed.
    pub delayed: bool,
    /// Pending until its scope opens again, since what it reads from around is being made again.
    pub held: bool,
    /// Failed because nodes in its regions are blocked.
    pub is_blocked: bool,
    /// Why it is being stopped: what its operator answers now counts no more.
    pub stopping: Option<Stopping>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopping {
    Cancelled(Cause),
    TimedOut,
}

impl State {
    /// All nodes pending; [`Event::Start`] sets the run going. Equal seeds give equal delays.
    pub fn new(graph: Arc<Graph>, seed: u64) -> Self {
        let mut state = Self {
            nodes: Vec::with_capacity(graph.len()),
            edges: Vec::with_capacity(graph.edge_count()),
            scopes: Vec::new(),
            controls: FxHashMap::default(),
            signals: FxHashSet::default(),
            listeners: FxHashMap::default(),
            idle: Vec::new(),
            seed,
            status: RunStatus::Running,
        };
        state.add_scope(graph, None);
        state
    }

    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Of all nodes so far, those of regions too.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.scopes.iter().for_each(|scope| counts.add(&scope.counts));
        counts
    }

    /// How many nodes have numbers so far.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn node(&self, node: u32) -> NodeState {
        self.nodes.get(node as usize).map_or(NodeState::Pending, |node| node.state)
    }

    pub fn attempt(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(0, |node| node.attempt)
    }

    /// How many attempts of the node have failed.
    pub fn failures(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(0, |node| node.failures)
    }

    /// Whether another attempt is made if this one fails.
    pub fn may_retry(&self, node: u32) -> bool {
        (node as usize) < self.nodes.len() && self.failures(node) < self.facts(node).retries
    }

    /// The node has an effect, and was under way: it is taken to be so still, until [`Event::Failed`] comes.
    pub fn assume_running(&mut self, node: u32, attempt: u32) {
        if let Some(slot) = self.nodes.get_mut(node as usize) {
            slot.attempt = attempt;
            self.enter(node, NodeState::Running);
        }
    }

    /// Whether this is the attempt the node is at, and the state it is in.
    pub fn is_at(&self, node: u32, attempt: u32, state: NodeState) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.attempt == attempt && node.state == state)
    }

    /// Whether what the node gives still counts: it has time left, and nothing that it depends on has failed.
    pub fn is_wanted(&self, node: u32) -> bool {
        let stopping = self.nodes.get(node as usize).and_then(|node| node.stopping);
        matches!(stopping, None | Some(Stopping::Cancelled(Cause::Run)))
    }

    /// Whether it has been asked to stop, or has run out of time.
    pub(super) fn is_stopping(&self, node: u32) -> bool {
        self.nodes[node as usize].stopping.is_some()
    }

    /// The nodes of its scope that a node waits for.
    pub fn producers(&self, node: u32) -> impl Iterator<Item = u32> {
        let scope = self.scope_of(node);
        scope.graph.producers(node - scope.first_node).map(|producer| scope.first_node + producer)
    }

    /// Moves on by one event. Costs as many steps as edges are settled by it: O(nodes + edges) for a run.
    pub fn step(&mut self, event: &Event, commands: &mut Vec<Command>) {
        if self.status != RunStatus::Running {
            return;
        }
        use NodeState::{Finishing, Pending, Ready, Running};
        match *event {
            Event::Start => self.start_run(commands),
            Event::Launched { node, attempt } if self.is_at(node, attempt, Ready) => {
                self.launched(node, commands);
            }
            Event::Hit { node, attempt } if self.is_at(node, attempt, Ready) => self.hit(node, commands),
            Event::Computed { node, attempt } if self.is_at(node, attempt, Running) => {
                self.computed(node, commands);
            }
            Event::Stored { node, attempt } if self.is_at(node, attempt, Finishing) => {
                self.nodes[node as usize].stored = true;
                self.finish_if_durable(node, commands);
            }
            Event::Failed { node, attempt }
                if [Ready, Running, Finishing].iter().any(|state| self.is_at(node, attempt, *state)) =>
            {
                self.fail(node, commands);
            }
            Event::Stopped { node, attempt } if self.is_at(node, attempt, Running) => {
                self.stopped(node, commands);
            }
            Event::InputLost { node, attempt, producer, producer_attempt } => {
                self.output_lost(producer, producer_attempt, commands);
                if self.is_at(node, attempt, Running) {
                    self.input_lost(node, producer, commands);
                }
            }
            Event::OutputLost { node, attempt } => self.output_lost(node, attempt, commands),
            Event::Told { node, attempt, ref told } if self.is_at(node, attempt, Running) => {
                self.told(node, told, commands);
            }
            Event::Due { node, attempt } if self.is_at(node, attempt, Pending) => {
                self.release(node, commands)
            }
            Event::Due { node, attempt } if self.is_at(node, attempt, Running) => self.waited(node, commands),
            Event::TimedOut { node, attempt } if self.is_at(node, attempt, Running) => {
                self.stop(node, Stopping::TimedOut, commands);
            }
            Event::Signal { ref name } => self.signal(name, commands),
            Event::Cancel => self.cancel_run(commands),
            _ => {}
        }
        self.close_idle(commands);
    }

    fn launched(&mut self, node: u32, commands: &mut Vec<Command>) {
        self.enter(node, NodeState::Running);
        self.record(node, Step::Running, commands);
        let Facts { kind, timeout, .. } = self.facts(node);
        let (is_control, timeout) = (kind.is_control(), *timeout);
        if let Some(delay) = timeout {
            commands.push(Command::Timeout { node, attempt: self.attempt(node), delay });
        }
        if is_control {
            self.begin(node, commands);
        }
    }

    fn hit(&mut self, node: u32, commands: &mut Vec<Command>) {
        self.nodes[node as usize].hit = true;
        self.nodes[node as usize].stored = true;
        self.enter(node, NodeState::Finishing);
        if self.nodes[node as usize].unfinished > 0 {
            // Else it is said to be cached before any consumer starts.
            self.record(node, Step::Finishing, commands);
        }
        self.available(node, commands);
        self.finish_if_durable(node, commands);
    }

    fn computed(&mut self, node: u32, commands: &mut Vec<Command>) {
        if self.is_wanted(node) {
            self.enter(node, NodeState::Finishing);
            self.record(node, Step::Finishing, commands);
            self.available(node, commands);
        } else {
            self.stopped(node, commands);
        }
    }
}

/// What every other file of this machine is made with.
impl State {
    pub(super) fn enter(&mut self, node: u32, state: NodeState) {
        let slot = &mut self.nodes[node as usize];
        let scope = &mut self.scopes[slot.scope as usize];
        *scope.counts.of(slot.state) -= 1;
        *scope.counts.of(state) += 1;
        slot.state = state;
        if scope.is_idle() {
            self.idle.push(slot.scope);
        }
    }

    pub(super) fn record(&self, node: u32, step: Step, commands: &mut Vec<Command>) {
        commands.push(Command::Record { node, attempt: self.attempt(node), step });
    }

    /// Pending for a reason that is no edge.
    pub(super) fn delay(&mut self, node: u32) {
        let slot = &mut self.nodes[node as usize];
        if !std::mem::replace(&mut slot.delayed, true) {
            self.scopes[slot.scope as usize].delayed += 1;
        }
    }

    /// Whether it was delayed.
    pub(super) fn end_delay(&mut self, node: u32) -> bool {
        let slot = &mut self.nodes[node as usize];
        let was_delayed = std::mem::take(&mut slot.delayed);
        if was_delayed {
            let scope = &mut self.scopes[slot.scope as usize];
            scope.delayed -= 1;
            if scope.is_idle() {
                self.idle.push(slot.scope);
            }
        }
        was_delayed
    }

    /// Moves an edge, and keeps its consumer's counters to it.
    pub(super) fn set_edge(&mut self, index: usize, edge: Edge, after: EdgeState) {
        let opens =
            |state| if edge.strict { state == EdgeState::Finished } else { state != EdgeState::Waiting };
        let before = std::mem::replace(&mut self.edges[index], after);
        let consumer = &mut self.nodes[edge.consumer as usize];
        match (opens(before), opens(after)) {
            (false, true) => consumer.open -= 1,
            (true, false) => consumer.open += 1,
            _ => {}
        }
        match (before == EdgeState::Finished, after == EdgeState::Finished) {
            (false, true) => consumer.unfinished -= 1,
            (true, false) => consumer.unfinished += 1,
            _ => {}
        }
    }

    pub(super) fn scope_of(&self, node: u32) -> &Scope {
        &self.scopes[self.nodes[node as usize].scope as usize]
    }

    pub(super) fn facts(&self, node: u32) -> &Facts {
        let scope = self.scope_of(node);
        &scope.graph.nodes[(node - scope.first_node) as usize]
    }

    pub(super) fn kind(&self, node: u32) -> &Kind {
        &self.facts(node).kind
    }

    /// The edges around the nodes of the scope that this one stands in.
    pub(super) fn edges(&self, node: u32) -> Edges {
        let scope = self.scope_of(node);
        Edges { graph: scope.graph.clone(), first_node: scope.first_node, first_edge: scope.first_edge }
    }
}

/// The edges of a scope's graph, by the numbers of the run.
pub(super) struct Edges {
    graph: Arc<Graph>,
    first_node: u32,
    first_edge: usize,
}

impl Edges {
    /// Each with its number.
    pub fn after(&self, node: u32) -> impl Iterator<Item = (usize, Edge)> {
        let edges = self.graph.edges_from(node - self.first_node);
        edges.map(|(index, edge)| (self.first_edge + index, self.moved(edge)))
    }

    /// Each with its number and its producer.
    pub fn before(&self, node: u32) -> impl Iterator<Item = (usize, Edge, u32)> {
        let edges = self.graph.edges_into(node - self.first_node);
        edges.map(|(index, edge, producer)| {
            (self.first_edge + index, self.moved(edge), self.first_node + producer)
        })
    }

    fn moved(&self, edge: Edge) -> Edge {
        Edge { consumer: self.first_node + edge.consumer, ..edge }
    }
}

impl Node {
    pub fn new(scope: u32, facts: &Facts) -> Self {
        Self {
            scope,
            state: NodeState::Pending,
            attempt: 1,
            failures: 0,
            open: facts.dependencies,
            unfinished: facts.dependencies,
            stored: false,
            hit: false,
            delayed: false,
            held: false,
            is_blocked: false,
            stopping: None,
        }
    }
}
