//! How nodes come to start and to finish, and what that opens to others.

use flow_ir::policy::OnFailure;

use super::{
    state::{EdgeState, State, Stopping},
    status::NodeState,
    step::{Command, Step},
};

impl State {
    pub(super) fn start_if_open(&mut self, node: u32, commands: &mut Vec<Command>) {
        let slot = &self.nodes[node as usize];
        let scope = &self.scopes[slot.scope as usize];
        if slot.state == NodeState::Pending
            && slot.open == 0
            && !slot.delayed
            && !slot.held
            && scope.is_open
            && !scope.is_cancelled
        {
            let attempt = slot.attempt;
            self.enter(node, NodeState::Ready);
            self.record(node, Step::Ready, commands);
            commands.push(Command::Start { node, attempt });
        }
    }

    /// The delay is over.
    pub(super) fn release(&mut self, node: u32, commands: &mut Vec<Command>) {
        if self.end_delay(node) {
            self.start_if_open(node, commands);
        }
    }

    /// The node's outputs can be read from memory now.
    pub(super) fn available(&mut self, node: u32, commands: &mut Vec<Command>) {
        for (index, edge) in self.edges(node).after(node) {
            // Made again for another: this consumer has what it read before.
            if self.edges[index] == EdgeState::Waiting {
                self.set_edge(index, edge, EdgeState::Available);
                self.start_if_open(edge.consumer, commands);
            }
        }
    }

    /// `finishing` becomes `finished` when the outputs and all they rest on are durable; then consumers may.
    pub(super) fn finish_if_durable(&mut self, node: u32, commands: &mut Vec<Command>) {
        let edges = self.edges(node);
        let mut durable = vec![node];
        while let Some(node) = durable.pop() {
            let slot = &self.nodes[node as usize];
            if slot.state != NodeState::Finishing || !slot.stored || slot.unfinished > 0 {
                continue;
            }
            let (hit, scope) = (slot.hit, slot.scope);
            self.enter(node, NodeState::Finished);
            self.scopes[scope as usize].counts.cached += u32::from(hit);
            self.record(node, if hit { Step::Cached } else { Step::Finished }, commands);
            for (index, edge) in edges.after(node) {
                self.set_edge(index, edge, EdgeState::Finished);
                self.start_if_open(edge.consumer, commands);
                durable.push(edge.consumer);
            }
        }
    }

    /// The node counts as finished, though it has failed: others go on without it.
    pub(super) fn pass_over(&mut self, node: u32, commands: &mut Vec<Command>) {
        for (index, edge) in self.edges(node).after(node) {
            self.set_edge(index, edge, EdgeState::Finished);
            self.start_if_open(edge.consumer, commands);
        }
    }

    pub(super) fn counts_as_finished(&self, node: u32) -> bool {
        match self.node(node) {
            NodeState::Finished => true,
            NodeState::Failed => self.on_failure(node) == OnFailure::Continue,
            _ => false,
        }
    }

    /// A finished node's outputs are gone: it must run again, as soon as its scope is open. Who was about to read
    /// them waits once more, in an attempt of its own; who has read them already does not care.
    pub(super) fn output_lost(&mut self, node: u32, attempt: u32, commands: &mut Vec<Command>) {
        if !self.is_at(node, attempt, NodeState::Finished) || self.scopes[0].is_cancelled {
            return;
        }
        let scope = self.nodes[node as usize].scope;
        self.scopes[scope as usize].counts.cached -= u32::from(self.nodes[node as usize].hit);
        for (index, edge) in self.edges(node).after(node) {
            if matches!(self.node(edge.consumer), NodeState::Pending | NodeState::Ready) {
                self.set_edge(index, edge, EdgeState::Waiting);
                if self.node(edge.consumer) == NodeState::Ready {
                    self.next_attempt(edge.consumer);
                    self.record(edge.consumer, Step::Retrying { delay: 0 }, commands);
                }
            }
        }
        self.again(node, 0, commands);
    }

    /// Runs the node once more when `producer` has.
    pub(super) fn input_lost(&mut self, node: u32, producer: u32, commands: &mut Vec<Command>) {
        match self.nodes[node as usize].stopping {
            Some(Stopping::Cancelled(cause)) => self.cancel(node, cause, commands),
            Some(Stopping::TimedOut) => self.fail(node, commands),
            None => self.again_after(node, producer, commands),
        }
    }
}
