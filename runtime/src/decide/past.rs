//! What an earlier process of a run had come to, and how the run goes on from there.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    graph::{Graph, Part},
    scope::{Place, Scope},
    state::State,
    status::NodeState,
};

/// A run as far as its events tell: every node that they name, in every instance of a region, where it stood last.
#[derive(Clone, Debug)]
pub struct Past {
    state: State,
    ids: FxHashMap<Arc<str>, u32>,
}

impl Past {
    /// Nothing has happened yet. The seed is that of [`State::new`].
    pub fn new(graph: Arc<Graph>, seed: u64) -> Self {
        let mut past = Self { state: State::new(graph, seed), ids: FxHashMap::default() };
        past.add_ids(0);
        past
    }

    /// The node of that id. With the first node of an instance that is asked for, the instance comes into being.
    pub fn find(&mut self, id: &str) -> Option<u32> {
        if let Some(node) = self.ids.get(id) {
            return Some(*node);
        }
        let slashes = id.char_indices().rev().filter(|(_, c)| *c == '/').map(|(at, _)| at);
        slashes.into_iter().find_map(|slash| self.find_within(id.get(..slash)?, id.get(slash + 1..)?))
    }

    /// Likewise, of the nodes and instances so far.
    pub fn known(&self, id: &str) -> Option<u32> {
        self.ids.get(id).copied()
    }

    /// `own` in the instance that `around` names: `nightly`, or `days[3]`.
    fn find_within(&mut self, around: &str, own: &str) -> Option<u32> {
        let indexed = around.strip_suffix(']').and_then(|around| {
            let (around, iteration) = around.rsplit_once('[')?;
            Some((around, iteration.parse().ok()?))
        });
        let is_repeated = |past: &Self, node: u32| past.state.kind(node).is_repeated();
        let whole = self.find(around).filter(|node| !is_repeated(self, *node)).map(|node| (node, 0));
        let (node, iteration) = whole.or_else(|| {
            let (around, iteration) = indexed?;
            let node = self.find(around)?;
            is_repeated(self, node).then_some((node, iteration))
        })?;
        let parts = [Part::Then, Part::Otherwise, Part::Condition, Part::Body];
        let (part, place) = parts.into_iter().find_map(|part| {
            let graph = self.state.kind(node).region(part)?;
            Some((part, graph.find(own)?))
        })?;
        let scope = self.state.make_instance(Place { node, part, iteration })?;
        self.add_ids(scope);
        Some(self.state.scopes[scope as usize].first_node + place)
    }

    fn add_ids(&mut self, scope: u32) {
        for node in self.state.scopes[scope as usize].nodes() {
            self.ids.insert(self.state.id(node), node);
        }
    }

    /// The last attempt of a node that was made, and how it ended if it did: finished, failed or skipped. What was
    /// under way begins anew with the next attempt.
    pub fn reach(&mut self, node: u32, attempt: u32, reached: NodeState) {
        let has_ended = matches!(reached, NodeState::Finished | NodeState::Failed | NodeState::Skipped);
        self.state.enter(node, if has_ended { reached } else { NodeState::Pending });
        let slot = &mut self.state.nodes[node as usize];
        slot.attempt = if has_ended { attempt } else { attempt + 1 };
        slot.stored = reached == NodeState::Finished;
        slot.is_blocked = false;
    }

    /// How often the node has failed: no retry is granted twice.
    pub fn remember(&mut self, node: u32, failures: u32) {
        self.state.nodes[node as usize].failures = failures;
    }

    /// The node has failed since nodes in its regions are blocked.
    pub fn block(&mut self, node: u32) {
        self.state.nodes[node as usize].is_blocked = true;
    }

    /// A signal has come.
    pub fn signal(&mut self, name: &str) {
        self.state.signals.insert(name.into());
    }

    /// The numbers of all nodes so far, in the DAG's order; behind a node those of its regions.
    pub fn in_order(&self) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(self.state.len());
        self.add_scope(0, &mut numbers);
        numbers
    }

    fn add_scope(&self, scope: u32, numbers: &mut Vec<u32>) {
        let Some(nodes) = self.state.scopes.get(scope as usize).map(Scope::nodes) else { return };
        for node in nodes {
            numbers.push(node);
            for place in self.state.places(node) {
                self.state.scope_at(place).into_iter().for_each(|scope| self.add_scope(scope, numbers));
            }
        }
    }

    /// The nodes and instances so far: their numbers stay.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Makes pending what has failed, with as many attempts as ever, and says which nodes these are. What has
    /// finished without one of them, since that failed under `continue`, is among them, and what rests on it; but
    /// where any of that has an effect, which is not done twice, all of it stays as it is.
    pub fn revive(&mut self) -> Vec<u32> {
        let changed = self.changed_by_retry();
        let has_ended =
            |node: &u32| matches!(self.state.node(*node), NodeState::Failed | NodeState::Finished);
        let all = (0..).zip(changed).filter(|(_, changes)| *changes).map(|(node, _)| node);
        let revived: Vec<u32> = all.filter(has_ended).collect();
        for node in &revived {
            self.state.next_attempt(*node);
            self.state.nodes[*node as usize].failures = 0;
        }
        revived
    }

    /// For each node, whether it gives something else when what has failed runs again.
    fn changed_by_retry(&self) -> Vec<bool> {
        let fixed = self.before_effects();
        let mut changed = vec![false; self.state.nodes.len()];
        // What an instance reads changes with its node's inputs, and what a node gives with what changes in its
        // instances: each time around, this goes one region further.
        loop {
            let before = changed.clone();
            // Of each scope, whether what it reads from around changes.
            let mut stale = Vec::with_capacity(self.state.scopes.len());
            for scope in &self.state.scopes {
                let around = scope.place.map(|place| place.node);
                stale.push(around.is_some_and(|node| self.reads_changed(node, &changed, &stale)));
                for node in scope.nodes() {
                    let changes = match self.state.node(node) {
                        NodeState::Failed => !fixed[node as usize],
                        // It may have finished, and its outputs are lost.
                        NodeState::Finished | NodeState::Pending => {
                            changed[node as usize] || self.reads_changed(node, &changed, &stale)
                        }
                        _ => false,
                    };
                    changed[node as usize] = changes;
                    if let Some(around) = around.filter(|around| changes && self.gives(*around)) {
                        changed[around as usize] = true;
                    }
                }
            }
            if changed == before {
                return changed;
            }
        }
    }

    fn reads_changed(&self, node: u32, changed: &[bool], stale: &[bool]) -> bool {
        stale[self.state.scope(node) as usize]
            || self.state.producers(node).any(|producer| changed[producer as usize])
    }

    /// For each node, whether something that has an effect has finished after it, by way of it.
    fn before_effects(&self) -> Vec<bool> {
        let mut done = vec![false; self.state.nodes.len()];
        for scope in self.state.scopes.iter().rev() {
            for node in scope.nodes() {
                // With regions, it is done where one in them is.
                let is_effect = self.state.facts(node).effect && !self.state.kind(node).is_control();
                done[node as usize] |= is_effect && self.state.node(node) == NodeState::Finished;
                if let Some(place) = scope.place {
                    done[place.node as usize] |= done[node as usize];
                }
            }
        }
        let mut is_before = vec![false; self.state.nodes.len()];
        for scope in &self.state.scopes {
            let is_around = scope.place.is_some_and(|Place { node, .. }| {
                let has_done = done[node as usize] && self.state.node(node) == NodeState::Finished;
                has_done || is_before[node as usize] && self.gives(node)
            });
            for node in scope.nodes().rev() {
                let edges = self.state.edges(node);
                let mut after = edges.after(node).map(|(_, edge)| edge.consumer);
                is_before[node as usize] = is_around
                    || after
                        .any(|after| done[after as usize] || is_before[after as usize] && self.gives(after));
            }
        }
        is_before
    }

    /// Whether others may have read what the node gave: it has finished, or had, and that is lost.
    fn gives(&self, node: u32) -> bool {
        matches!(self.state.node(node), NodeState::Finished | NodeState::Pending)
    }

    /// Goes on with what is pending. What has failed stays failed.
    pub fn resume(mut self) -> State {
        for scope in 0..self.state.scopes() {
            self.state.settle_edges(scope);
        }
        self.state.idle.clear();
        self.state
    }
}
