//! How nodes are stopped: with the run, with the node whose region they stand in, for a failure, for their time.

use super::{
    graph::Edge,
    state::{State, Stopping},
    status::NodeState,
    step::{Cause, Command, Step},
};

impl State {
    pub(super) fn cancel_run(&mut self, commands: &mut Vec<Command>) {
        self.scopes[0].is_open = true;
        self.cancel_scope(0, Cause::Run, commands);
    }

    /// Nothing more starts in the scope, and what runs is asked to stop.
    pub(super) fn cancel_scope(&mut self, scope: u32, cause: Cause, commands: &mut Vec<Command>) {
        if std::mem::replace(&mut self.scopes[scope as usize].is_cancelled, true) {
            return;
        }
        for node in self.scopes[scope as usize].nodes() {
            match self.node(node) {
                NodeState::Pending | NodeState::Ready => self.cancel(node, cause, commands),
                NodeState::Running => self.stop(node, Stopping::Cancelled(cause), commands),
                _ => {}
            }
        }
        self.idle.push(scope);
    }

    /// Cancels all that depend on `node`, however far away, and have not ended.
    pub(super) fn cancel_consumers(&mut self, node: u32, cause: Cause, commands: &mut Vec<Command>) {
        let edges = self.edges(node);
        let mut open = vec![node];
        while let Some(producer) = open.pop() {
            for (_, Edge { consumer, .. }) in edges.after(producer) {
                match self.node(consumer) {
                    NodeState::Pending | NodeState::Ready | NodeState::Finishing => {
                        self.cancel(consumer, cause, commands);
                        open.push(consumer);
                    }
                    NodeState::Running
                        if !matches!(
                            self.nodes[consumer as usize].stopping,
                            Some(Stopping::Cancelled(Cause::Node(_)))
                        ) =>
                    {
                        self.stop(consumer, Stopping::Cancelled(cause), commands);
                        open.push(consumer);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Asks a running node to stop. What it answers counts no more; until then it keeps what it has taken. Of
    /// several reasons a failure counts first, then the run's end, then the timeout.
    pub(super) fn stop(&mut self, node: u32, why: Stopping, commands: &mut Vec<Command>) {
        let slot = &mut self.nodes[node as usize];
        match (slot.stopping, why) {
            (None, _) => {
                slot.stopping = Some(why);
                let attempt = slot.attempt;
                if self.kind(node).is_control() {
                    self.stop_control(node, commands);
                } else {
                    commands.push(Command::Stop { node, attempt });
                }
            }
            (Some(Stopping::TimedOut), _)
            | (Some(Stopping::Cancelled(Cause::Run)), Stopping::Cancelled(Cause::Node(_))) => {
                slot.stopping = Some(why);
            }
            _ => {}
        }
    }

    /// A running node has stopped, whether it was asked to or not.
    pub(super) fn stopped(&mut self, node: u32, commands: &mut Vec<Command>) {
        match self.nodes[node as usize].stopping {
            Some(Stopping::Cancelled(cause)) => self.cancel(node, cause, commands),
            Some(Stopping::TimedOut) | None => self.fail(node, commands),
        }
    }

    pub(super) fn cancel(&mut self, node: u32, cause: Cause, commands: &mut Vec<Command>) {
        self.end_delay(node);
        self.enter(node, NodeState::Cancelled);
        self.record(node, Step::Cancelled(cause), commands);
    }
}
