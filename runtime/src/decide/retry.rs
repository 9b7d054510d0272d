//! What a failure does: another attempt, after a delay, or what the node's policy says.

use flow_ir::policy::OnFailure;

use super::{
    state::{EdgeState, State, Stopping},
    status::NodeState,
    step::{Cause, Command, Step},
};

/// The longest delay before a retry: an hour, in microseconds.
const LONGEST_BACKOFF: i64 = 3_600_000_000;

/// The seed of a run's delays.
pub fn seed(run: &str) -> u64 {
    absorb(0, run)
}

impl State {
    /// The attempt has failed.
    pub(super) fn fail(&mut self, node: u32, commands: &mut Vec<Command>) {
        self.fail_or_retry(node, false, commands);
    }

    /// So has that of a node with regions, in which nodes wait for one that failed under `block_dependents`: if no
    /// other attempt is left, what depends on this one waits too.
    pub(super) fn block(&mut self, node: u32, commands: &mut Vec<Command>) {
        self.fail_or_retry(node, true, commands);
    }

    fn fail_or_retry(&mut self, node: u32, is_blocked: bool, commands: &mut Vec<Command>) {
        if let Some(Stopping::Cancelled(cause @ Cause::Node(_))) = self.nodes[node as usize].stopping {
            return self.cancel(node, cause, commands);
        }
        if self.node(node) == NodeState::Finishing {
            // The disk failed, not the operator: consumers hold what will never be durable, whatever the policy.
            let scope = self.nodes[node as usize].scope;
            self.scopes[scope as usize].is_broken = true;
            self.enter(node, NodeState::Failed);
            self.record(node, Step::Failed { is_blocked: false }, commands);
            return self.cancel_consumers(node, Cause::Node(node), commands);
        }
        let retries = self.facts(node).retries;
        let slot = &mut self.nodes[node as usize];
        slot.failures += 1;
        if slot.failures <= retries && !self.scope_of(node).is_cancelled {
            self.again(node, self.backoff(node), commands);
        } else {
            self.fail_for_good(node, is_blocked, commands);
        }
    }

    /// No other attempt is made.
    pub(super) fn fail_for_good(&mut self, node: u32, is_blocked: bool, commands: &mut Vec<Command>) {
        self.nodes[node as usize].is_blocked = is_blocked;
        self.enter(node, NodeState::Failed);
        self.record(node, Step::Failed { is_blocked }, commands);
        match self.on_failure(node) {
            OnFailure::CancelDependents => self.cancel_consumers(node, Cause::Node(node), commands),
            OnFailure::BlockDependents => {}
            OnFailure::Continue => self.pass_over(node, commands),
        }
    }

    /// What becomes of the nodes that need this one.
    pub(super) fn on_failure(&self, node: u32) -> OnFailure {
        if self.nodes[node as usize].is_blocked {
            return OnFailure::BlockDependents;
        }
        self.facts(node).on_failure
    }

    /// Another attempt, after a delay.
    pub(super) fn again(&mut self, node: u32, delay: i64, commands: &mut Vec<Command>) {
        if !self.make_pending(node, delay, commands) {
            return;
        }
        if delay > 0 {
            self.delay(node);
            commands.push(Command::Wait { node, attempt: self.attempt(node), delay });
        } else {
            self.start_if_open(node, commands);
        }
    }

    /// Another attempt when `producer`, which runs again, has finished. Where that stands around the node's region,
    /// the node whose region it is waits for it: then all that the instance lacks has been made before it opens.
    /// Where it stands in an earlier iteration of a loop around the node, the loop runs through its iterations again.
    pub(super) fn again_after(&mut self, node: u32, producer: u32, commands: &mut Vec<Command>) {
        let scope = self.nodes[node as usize].scope;
        if self.stands_in(producer, scope) || self.counts_as_finished(producer) {
            self.again(node, 0, commands);
        } else if self.make_pending(node, 0, commands) {
            self.nodes[node as usize].held = true;
            self.scopes[scope as usize].lacks = Some(producer);
        }
    }

    /// Whether a node stands in a scope, or in one within it.
    fn stands_in(&self, node: u32, scope: u32) -> bool {
        let around = |of: &u32| self.scopes[*of as usize].place.map(|place| self.scope(place.node));
        std::iter::successors(Some(self.scope(node)), around).any(|of| of == scope)
    }

    /// False where it cannot run any more, and is cancelled.
    fn make_pending(&mut self, node: u32, delay: i64, commands: &mut Vec<Command>) -> bool {
        for (index, edge, producer) in self.edges(node).before(node) {
            // What was there for the last attempt may have been lost since.
            match self.node(producer) {
                _ if self.counts_as_finished(producer) => {}
                NodeState::Cancelled => {
                    self.cancel(node, Cause::Node(producer), commands);
                    self.cancel_consumers(node, Cause::Node(producer), commands);
                    return false;
                }
                NodeState::Failed if self.on_failure(producer) == OnFailure::CancelDependents => {
                    self.cancel(node, Cause::Node(producer), commands);
                    self.cancel_consumers(node, Cause::Node(producer), commands);
                    return false;
                }
                NodeState::Finishing => self.set_edge(index, edge, EdgeState::Available),
                _ => self.set_edge(index, edge, EdgeState::Waiting),
            }
        }
        self.next_attempt(node);
        self.record(node, Step::Retrying { delay }, commands);
        true
    }

    /// Pending, and with nothing left of what came before.
    pub(super) fn next_attempt(&mut self, node: u32) {
        self.enter(node, NodeState::Pending);
        let slot = &mut self.nodes[node as usize];
        slot.attempt += 1;
        slot.stored = false;
        slot.hit = false;
        slot.is_blocked = false;
        slot.held = false;
        slot.stopping = None;
    }

    /// Microseconds before the next attempt: twice as long after each failure, up to an hour, and of that at least
    /// the half. What lies between is chosen by the run, the node and the attempt, so that nodes which failed
    /// together do not come back together ("equal jitter": M. Brooker, *Exponential Backoff and Jitter*, 2015).
    fn backoff(&self, node: u32) -> i64 {
        let backoff = self.facts(node).backoff.max(0);
        let slot = &self.nodes[node as usize];
        let doublings = slot.failures.saturating_sub(1).min(62);
        let longest = backoff.saturating_mul(1 << doublings).min(LONGEST_BACKOFF.max(backoff));
        let random = mix(absorb(self.seed, &self.id(node)) ^ u64::from(slot.attempt));
        let least = longest / 2;
        let spread = (u128::from((longest - least).unsigned_abs()) * u128::from(random)) >> 64;
        least + i64::try_from(spread).unwrap_or_default()
    }
}

fn absorb(state: u64, text: &str) -> u64 {
    text.bytes().fold(state, |state, byte| mix(state ^ u64::from(byte)))
}

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014).
fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
