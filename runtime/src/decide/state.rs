//! Every node of a run, and how each moves on.

use std::sync::Arc;

use flow_ir::policy::OnFailure;

use super::{
    graph::{Edge, Facts, Graph},
    status::{Counts, NodeState, RunStatus},
    step::{Cause, Command, Event, Step},
};

/// Every node of a run, and the run.
#[derive(Clone, Debug)]
pub struct State {
    graph: Arc<Graph>,
    nodes: Vec<Node>,
    /// How much of each edge's producer its consumer may use.
    edges: Vec<EdgeState>,
    status: RunStatus,
    started: bool,
    cancelling: bool,
    /// Some output could not be made durable.
    broken: bool,
    counts: Counts,
    /// Nodes that wait for a delay.
    delayed: u32,
}

/// The longest delay before a retry: an hour, in microseconds.
const LONGEST_BACKOFF: i64 = 3_600_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EdgeState {
    /// Its producer has no outputs yet, or they are lost.
    Waiting,
    /// It is `finishing`: its outputs are in memory.
    Available,
    Finished,
}

#[derive(Clone, Debug)]
struct Node {
    state: NodeState,
    attempt: u32,
    /// Failed attempts of this run.
    failures: u32,
    /// Producers that it still waits for before it may start.
    open: u32,
    /// Producers that have not finished.
    unfinished: u32,
    /// Its outputs are durable.
    stored: bool,
    /// They are the cache's.
    hit: bool,
    /// Pending until a delay has passed.
    delayed: bool,
    /// Why it is cancelled, as soon as its operator answers.
    cancelled_by: Option<Cause>,
}

impl State {
    /// All nodes pending; [`Event::Start`] sets the run going.
    pub fn new(graph: Arc<Graph>) -> Self {
        let nodes: Vec<Node> = graph.nodes.iter().map(Node::new).collect();
        let counts = Counts { pending: u32::try_from(nodes.len()).unwrap_or(u32::MAX), ..Counts::default() };
        Self {
            edges: vec![EdgeState::Waiting; graph.edge_count()],
            graph,
            nodes,
            status: RunStatus::Running,
            started: false,
            cancelling: false,
            broken: false,
            counts,
            delayed: 0,
        }
    }

    /// What an interrupted run had reached: for each node the last attempt that was made, and how it
    /// ended if it did. What was under way begins anew with the next attempt.
    pub fn resumed(graph: Arc<Graph>, reached: &[(u32, NodeState)]) -> Self {
        let mut state = Self::new(graph);
        for (node, (attempt, reached)) in (0..).zip(reached) {
            let slot = &mut state.nodes[node as usize];
            match reached {
                NodeState::Finished | NodeState::Failed => {
                    slot.attempt = *attempt;
                    slot.stored = *reached == NodeState::Finished;
                    state.enter(node, *reached);
                }
                _ => slot.attempt = attempt + 1,
            }
        }
        for node in 0..u32::try_from(state.nodes.len()).unwrap_or(u32::MAX) {
            if state.counts_as_finished(node) {
                for (index, edge) in state.graph.clone().edges_from(node) {
                    state.set_edge(index, edge, EdgeState::Finished);
                }
            }
        }
        state
    }

    /// For each node how often it failed before the interruption: no retry is granted twice.
    pub fn remember(&mut self, failures: &[u32]) {
        for (node, failures) in self.nodes.iter_mut().zip(failures) {
            node.failures = *failures;
        }
    }

    /// The node has an effect, and was under way: it is taken to be so still, until [`Event::Failed`] comes.
    pub fn assume_running(&mut self, node: u32, attempt: u32) {
        if let Some(slot) = self.nodes.get_mut(node as usize) {
            slot.attempt = attempt;
            self.enter(node, NodeState::Running);
        }
    }

    pub fn status(&self) -> RunStatus {
        self.status
    }

    pub fn counts(&self) -> Counts {
        self.counts
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

    /// Whether this is the attempt the node is at, and the state it is in.
    pub fn is_at(&self, node: u32, attempt: u32, state: NodeState) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.attempt == attempt && node.state == state)
    }

    /// Moves on by one event. Costs as many steps as edges are settled by it: O(nodes + edges) for a run.
    pub fn step(&mut self, event: &Event, commands: &mut Vec<Command>) {
        if self.status != RunStatus::Running {
            return;
        }
        use NodeState::{Finished, Finishing, Ready, Running};
        match *event {
            Event::Start => self.start(commands),
            Event::Launched { node, attempt } if self.is_at(node, attempt, Ready) => {
                self.enter(node, Running);
                self.record(node, Step::Running, commands);
            }
            Event::Hit { node, attempt } if self.is_at(node, attempt, Ready) => {
                self.nodes[node as usize].hit = true;
                self.nodes[node as usize].stored = true;
                self.enter(node, Finishing);
                self.available(node, commands);
                self.finish_if_durable(node, commands);
            }
            Event::Computed { node, attempt } if self.is_at(node, attempt, Running) => {
                match self.nodes[node as usize].cancelled_by {
                    Some(cause @ Cause::Node(_)) => self.cancel(node, cause, commands),
                    _ => {
                        self.enter(node, Finishing);
                        self.record(node, Step::Finishing, commands);
                        self.available(node, commands);
                    }
                }
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
                match self.nodes[node as usize].cancelled_by {
                    Some(cause) => self.cancel(node, cause, commands),
                    None => self.fail(node, commands),
                }
            }
            Event::InputLost { node, attempt, producer, producer_attempt } => {
                if self.is_at(producer, producer_attempt, Finished) && !self.cancelling {
                    self.withdraw(producer);
                    self.again(producer, 0, commands);
                }
                if self.is_at(node, attempt, Running) {
                    match self.nodes[node as usize].cancelled_by {
                        Some(cause) => self.cancel(node, cause, commands),
                        None => self.again(node, 0, commands),
                    }
                }
            }
            Event::Due { node, attempt }
                if self.is_at(node, attempt, NodeState::Pending) && self.nodes[node as usize].delayed =>
            {
                self.nodes[node as usize].delayed = false;
                self.delayed -= 1;
                self.start_if_open(node, commands);
            }
            Event::Cancel => self.cancel_run(commands),
            _ => {}
        }
        self.end_if_over(commands);
    }

    fn start(&mut self, commands: &mut Vec<Command>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for node in 0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX) {
            match self.node(node) {
                NodeState::Pending => self.start_if_open(node, commands),
                // Of an interrupted run; under `continue` its consumers know already.
                NodeState::Failed
                    if self.graph.nodes[node as usize].on_failure == OnFailure::CancelDependents =>
                {
                    self.cancel_consumers(node, Cause::Node(node), commands);
                }
                _ => {}
            }
        }
    }

    fn start_if_open(&mut self, node: u32, commands: &mut Vec<Command>) {
        let slot = &self.nodes[node as usize];
        if slot.state == NodeState::Pending && slot.open == 0 && !slot.delayed && !self.cancelling {
            let attempt = slot.attempt;
            self.enter(node, NodeState::Ready);
            self.record(node, Step::Ready, commands);
            commands.push(Command::Start { node, attempt });
        }
    }

    /// The node's outputs can be read from memory now.
    fn available(&mut self, node: u32, commands: &mut Vec<Command>) {
        for (index, edge) in self.graph.clone().edges_from(node) {
            // Made again for another: this consumer has what it read before.
            if self.edges[index] == EdgeState::Waiting {
                self.set_edge(index, edge, EdgeState::Available);
                self.start_if_open(edge.consumer, commands);
            }
        }
    }

    /// `finishing` becomes `finished` when the outputs and all they rest on are durable; then consumers may.
    fn finish_if_durable(&mut self, node: u32, commands: &mut Vec<Command>) {
        let mut durable = vec![node];
        while let Some(node) = durable.pop() {
            let slot = &self.nodes[node as usize];
            if slot.state != NodeState::Finishing || !slot.stored || slot.unfinished > 0 {
                continue;
            }
            let hit = slot.hit;
            self.enter(node, NodeState::Finished);
            self.counts.cached += u32::from(hit);
            self.record(node, if hit { Step::Cached } else { Step::Finished }, commands);
            for (index, edge) in self.graph.clone().edges_from(node) {
                self.set_edge(index, edge, EdgeState::Finished);
                self.start_if_open(edge.consumer, commands);
                durable.push(edge.consumer);
            }
        }
    }

    fn fail(&mut self, node: u32, commands: &mut Vec<Command>) {
        if let Some(cause @ Cause::Node(_)) = self.nodes[node as usize].cancelled_by {
            return self.cancel(node, cause, commands);
        }
        if self.node(node) == NodeState::Finishing {
            // The disk failed, not the operator: consumers hold what will never be durable, whatever the policy.
            self.broken = true;
            self.enter(node, NodeState::Failed);
            self.record(node, Step::Failed, commands);
            return self.cancel_consumers(node, Cause::Node(node), commands);
        }
        let facts = &self.graph.nodes[node as usize];
        let (retries, backoff) = (facts.retries, facts.backoff);
        let slot = &mut self.nodes[node as usize];
        slot.failures += 1;
        if slot.failures <= retries && !self.cancelling {
            let doublings = (slot.failures - 1).min(62);
            let delay = backoff.max(0).saturating_mul(1 << doublings).min(LONGEST_BACKOFF.max(backoff));
            self.again(node, delay, commands);
        } else {
            self.enter(node, NodeState::Failed);
            self.record(node, Step::Failed, commands);
            self.settle_failure(node, commands);
        }
    }

    fn settle_failure(&mut self, node: u32, commands: &mut Vec<Command>) {
        match self.graph.nodes[node as usize].on_failure {
            OnFailure::CancelDependents => self.cancel_consumers(node, Cause::Node(node), commands),
            OnFailure::BlockDependents => {}
            OnFailure::Continue => {
                for (index, edge) in self.graph.clone().edges_from(node) {
                    self.set_edge(index, edge, EdgeState::Finished);
                    self.start_if_open(edge.consumer, commands);
                }
            }
        }
    }

    /// Another attempt, after a delay.
    fn again(&mut self, node: u32, delay: i64, commands: &mut Vec<Command>) {
        for (index, edge, producer) in self.graph.clone().edges_into(node) {
            // What was there for the last attempt may have been lost since.
            match (self.node(producer), self.graph.nodes[producer as usize].on_failure) {
                (NodeState::Finished, _) | (NodeState::Failed, OnFailure::Continue) => {}
                (NodeState::Cancelled, _) | (NodeState::Failed, OnFailure::CancelDependents) => {
                    self.cancel(node, Cause::Node(producer), commands);
                    return self.cancel_consumers(node, Cause::Node(producer), commands);
                }
                (NodeState::Finishing, _) => self.set_edge(index, edge, EdgeState::Available),
                _ => self.set_edge(index, edge, EdgeState::Waiting),
            }
        }
        self.enter(node, NodeState::Pending);
        let slot = &mut self.nodes[node as usize];
        slot.attempt += 1;
        slot.stored = false;
        slot.hit = false;
        slot.delayed = delay > 0;
        let attempt = slot.attempt;
        self.record(node, Step::Retrying { delay }, commands);
        if delay > 0 {
            self.delayed += 1;
            commands.push(Command::Wait { node, attempt, delay });
        } else {
            self.start_if_open(node, commands);
        }
    }

    /// A finished node's outputs are gone. Who has read them already does not care.
    fn withdraw(&mut self, node: u32) {
        self.counts.cached -= u32::from(self.nodes[node as usize].hit);
        for (index, edge) in self.graph.clone().edges_from(node) {
            if matches!(self.node(edge.consumer), NodeState::Pending | NodeState::Ready) {
                self.set_edge(index, edge, EdgeState::Waiting);
                if self.node(edge.consumer) == NodeState::Ready {
                    self.enter(edge.consumer, NodeState::Pending);
                }
            }
        }
    }

    /// Moves an edge, and keeps its consumer's counters to it.
    fn set_edge(&mut self, index: usize, edge: Edge, after: EdgeState) {
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

    fn cancel_run(&mut self, commands: &mut Vec<Command>) {
        if std::mem::replace(&mut self.cancelling, true) {
            return;
        }
        for node in 0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX) {
            match self.node(node) {
                NodeState::Pending | NodeState::Ready => self.cancel(node, Cause::Run, commands),
                NodeState::Running if self.nodes[node as usize].cancelled_by.is_none() => {
                    self.stop(node, Cause::Run, commands);
                }
                _ => {}
            }
        }
    }

    /// Cancels all that depend on `node`, however far away, and have not ended.
    fn cancel_consumers(&mut self, node: u32, cause: Cause, commands: &mut Vec<Command>) {
        let graph = self.graph.clone();
        let mut open = vec![node];
        while let Some(producer) = open.pop() {
            for (_, Edge { consumer, .. }) in graph.edges_from(producer) {
                match self.node(consumer) {
                    NodeState::Pending | NodeState::Ready | NodeState::Finishing => {
                        self.cancel(consumer, cause, commands);
                        open.push(consumer);
                    }
                    NodeState::Running
                        if !matches!(self.nodes[consumer as usize].cancelled_by, Some(Cause::Node(_))) =>
                    {
                        self.stop(consumer, cause, commands);
                        open.push(consumer);
                    }
                    _ => {}
                }
            }
        }
    }

    fn stop(&mut self, node: u32, cause: Cause, commands: &mut Vec<Command>) {
        let slot = &mut self.nodes[node as usize];
        if slot.cancelled_by.replace(cause).is_none() {
            commands.push(Command::Stop { node, attempt: slot.attempt });
        }
    }

    fn cancel(&mut self, node: u32, cause: Cause, commands: &mut Vec<Command>) {
        if std::mem::take(&mut self.nodes[node as usize].delayed) {
            self.delayed -= 1;
        }
        self.enter(node, NodeState::Cancelled);
        self.record(node, Step::Cancelled(cause), commands);
    }

    fn end_if_over(&mut self, commands: &mut Vec<Command>) {
        let Counts { pending, ready, running, finishing, .. } = self.counts;
        if ready + running + finishing + self.delayed > 0 || !(self.started || self.cancelling) {
            return;
        }
        self.status = if self.cancelling {
            RunStatus::Cancelled
        } else if self.has_failed(pending > 0) {
            RunStatus::Failed
        } else if pending > 0 {
            RunStatus::Blocked
        } else {
            RunStatus::Finished
        };
        commands.push(Command::End(self.status));
    }

    /// Whether a failure decides the run's end. One that only blocks others does not, and neither does
    /// one that others continue without, unless the workflow gives that node's output.
    fn has_failed(&self, blocked: bool) -> bool {
        self.broken
            || self.nodes.iter().zip(&self.graph.nodes).any(|(node, facts)| {
                node.state == NodeState::Failed
                    && match facts.on_failure {
                        OnFailure::CancelDependents => true,
                        OnFailure::BlockDependents => !blocked,
                        OnFailure::Continue => facts.required,
                    }
            })
    }

    fn counts_as_finished(&self, node: u32) -> bool {
        match self.node(node) {
            NodeState::Finished => true,
            NodeState::Failed => self.graph.nodes[node as usize].on_failure == OnFailure::Continue,
            _ => false,
        }
    }

    fn enter(&mut self, node: u32, state: NodeState) {
        let slot = &mut self.nodes[node as usize];
        *self.counts.of(slot.state) -= 1;
        slot.state = state;
        *self.counts.of(state) += 1;
    }

    fn record(&self, node: u32, step: Step, commands: &mut Vec<Command>) {
        commands.push(Command::Record { node, attempt: self.attempt(node), step });
    }
}

impl Node {
    fn new(facts: &Facts) -> Self {
        Self {
            state: NodeState::Pending,
            attempt: 1,
            failures: 0,
            open: facts.dependencies,
            unfinished: facts.dependencies,
            stored: false,
            hit: false,
            delayed: false,
            cancelled_by: None,
        }
    }
}
