//! A run and the instances of regions in it: nodes that begin and end together.

use std::{ops::Range, sync::Arc};

use flow_ir::policy::OnFailure;

use super::{
    graph::{Facts, Graph, Part},
    state::{EdgeState, Node, State},
    status::{Counts, NodeState, RunStatus},
    step::{Cause, Command, Step},
};

/// The run, or an instance of a region.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub graph: Arc<Graph>,
    /// None for the run itself.
    pub place: Option<Place>,
    pub first_node: u32,
    pub first_edge: usize,
    /// Nodes may start.
    pub is_open: bool,
    pub is_cancelled: bool,
    /// Some output could not be made durable.
    pub is_broken: bool,
    pub counts: Counts,
    /// Nodes that wait for a delay.
    pub delayed: u32,
    /// A node around it that is made again, and that nodes in it wait for.
    pub lacks: Option<u32>,
}

/// Which instance of which region. One place has one instance: a further attempt of the node opens it again, and
/// what has finished in it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The node that runs the region.
    pub node: u32,
    pub part: Part,
    /// Of a loop, or the element's place in a map's list; else 0.
    pub iteration: u64,
}

/// An instance of a region, as others see it.
#[derive(Clone, Debug)]
pub struct Instance {
    pub place: Place,
    /// The numbers of its nodes, in the region's order.
    pub nodes: Range<u32>,
    pub graph: Arc<Graph>,
}

impl Scope {
    pub fn nodes(&self) -> Range<u32> {
        self.first_node..self.first_node + self.counts.total()
    }

    pub fn is_idle(&self) -> bool {
        self.is_open && !self.counts.is_active() && self.delayed == 0
    }
}

impl State {
    /// The instance that a scope is; none for the run itself.
    pub fn instance(&self, scope: u32) -> Option<Instance> {
        let scope = self.scopes.get(scope as usize)?;
        Some(Instance { place: scope.place?, nodes: scope.nodes(), graph: scope.graph.clone() })
    }

    /// The number of the instance at a place, as soon as there is one.
    pub fn scope_at(&self, place: Place) -> Option<u32> {
        self.controls.get(&place.node)?.instances.get(&(place.part, place.iteration)).copied()
    }

    /// The places of all instances that there are of a node's regions: by iteration, and a condition before its body.
    pub fn places(&self, node: u32) -> Vec<Place> {
        let Some(control) = self.controls.get(&node) else { return Vec::new() };
        let mut places: Vec<(u64, Part)> =
            control.instances.keys().map(|(part, iteration)| (*iteration, *part)).collect();
        places.sort_unstable();
        places.into_iter().map(|(iteration, part)| Place { node, part, iteration }).collect()
    }

    /// The scope that a node stands in; 0 is the run.
    pub fn scope(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(0, |node| node.scope)
    }

    /// How many scopes there are so far.
    pub fn scopes(&self) -> u32 {
        u32::try_from(self.scopes.len()).unwrap_or(u32::MAX)
    }

    /// All nodes of the graph, pending, and closed still.
    pub(super) fn add_scope(&mut self, graph: Arc<Graph>, place: Option<Place>) -> u32 {
        let number = self.scopes();
        let first_node = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let first_edge = self.edges.len();
        self.nodes.extend(graph.nodes.iter().map(|facts| Node::new(number, facts)));
        self.edges.resize(first_edge + graph.edge_count(), EdgeState::Waiting);
        let pending = u32::try_from(graph.len()).unwrap_or(u32::MAX);
        self.scopes.push(Scope {
            graph,
            place,
            first_node,
            first_edge,
            is_open: false,
            is_cancelled: false,
            is_broken: false,
            counts: Counts { pending, ..Counts::default() },
            delayed: 0,
            lacks: None,
        });
        number
    }

    pub(super) fn start_run(&mut self, commands: &mut Vec<Command>) {
        if std::mem::replace(&mut self.scopes[0].is_open, true) {
            return;
        }
        self.start_nodes(0, commands);
    }

    /// Whatever waits for nothing in a scope that has just been opened.
    fn start_nodes(&mut self, scope: u32, commands: &mut Vec<Command>) {
        for node in self.scopes[scope as usize].nodes() {
            match self.node(node) {
                NodeState::Pending => self.start_if_open(node, commands),
                // Of an earlier attempt, or process; under `continue` its consumers know already.
                NodeState::Failed if self.on_failure(node) == OnFailure::CancelDependents => {
                    self.cancel_consumers(node, Cause::Node(node), commands);
                }
                _ => {}
            }
        }
        self.idle.push(scope);
    }

    /// Opens the instance at a place, for the first time or once more. Nodes that have finished stay, and so do
    /// those that have failed with an effect: how often that is tried is theirs to say. All others begin anew.
    pub(super) fn open(&mut self, place: Place, commands: &mut Vec<Command>) {
        let Some(scope) = self.make_instance(place) else { return };
        let slot = &mut self.scopes[scope as usize];
        slot.is_open = true;
        slot.is_cancelled = false;
        slot.is_broken = false;
        slot.lacks = None;
        let nodes = slot.nodes();
        commands.push(Command::Open { scope });
        for node in nodes {
            self.nodes[node as usize].held = false;
            let stays = match self.node(node) {
                NodeState::Pending | NodeState::Finished => true,
                NodeState::Failed => self.facts(node).effect && !self.kind(node).is_control(),
                _ => false,
            };
            if !stays {
                self.next_attempt(node);
                self.nodes[node as usize].failures = 0;
            }
        }
        self.settle_edges(scope);
        self.start_nodes(scope, commands);
    }

    /// The nodes of an instance that is not to run.
    pub(super) fn skip(&mut self, place: Place, commands: &mut Vec<Command>) {
        let Some(scope) = self.make_instance(place) else { return };
        commands.push(Command::Open { scope });
        for node in self.scopes[scope as usize].nodes() {
            if !matches!(self.node(node), NodeState::Finished | NodeState::Skipped) {
                self.enter(node, NodeState::Skipped);
                self.record(node, Step::Skipped, commands);
            }
        }
    }

    /// The instance at a place, made where there is none; none where the node has no such region.
    pub(super) fn make_instance(&mut self, place: Place) -> Option<u32> {
        if let Some(scope) = self.scope_at(place) {
            return Some(scope);
        }
        let graph = self.kind(place.node).region(place.part)?.clone();
        let scope = self.add_scope(graph, Some(place));
        let control = self.controls.entry(place.node).or_default();
        control.instances.insert((place.part, place.iteration), scope);
        Some(scope)
    }

    /// Sets every edge of a scope in which nothing is under way to what its producer has come to.
    pub(super) fn settle_edges(&mut self, scope: u32) {
        for node in self.scopes[scope as usize].nodes() {
            let edge_state =
                if self.counts_as_finished(node) { EdgeState::Finished } else { EdgeState::Waiting };
            for (index, edge) in self.edges(node).after(node) {
                self.set_edge(index, edge, edge_state);
            }
        }
    }

    /// Ends the scopes in which nothing is under way any more, from the inside out.
    pub(super) fn close_idle(&mut self, commands: &mut Vec<Command>) {
        while let Some(scope) = self.idle.pop() {
            if !self.scopes[scope as usize].is_idle() {
                continue;
            }
            let status = self.end_of(scope);
            let slot = &mut self.scopes[scope as usize];
            slot.is_open = false;
            let lacks = slot.lacks;
            match slot.place {
                Some(place) => self.instance_over(place, status, lacks, commands),
                None => {
                    self.status = status;
                    commands.push(Command::End(status));
                    return;
                }
            }
        }
    }

    fn end_of(&self, scope: u32) -> RunStatus {
        let scope = &self.scopes[scope as usize];
        if scope.is_cancelled {
            return RunStatus::Cancelled;
        }
        let failed = || scope.nodes().zip(&scope.graph.nodes).filter(|(node, _)| self.has_failed(*node));
        let has_failed = scope.counts.failed > 0;
        let is_blocked = scope.counts.pending > 0
            || has_failed && failed().any(|(node, _)| self.nodes[node as usize].is_blocked);
        // A failure that only blocks others does not decide, and neither does one that others continue without,
        // unless the scope gives that node's output.
        let decides = |(node, facts): (u32, &Facts)| match self.on_failure(node) {
            OnFailure::CancelDependents => true,
            OnFailure::BlockDependents => !is_blocked,
            OnFailure::Continue => facts.required,
        };
        if scope.is_broken || has_failed && failed().any(decides) {
            RunStatus::Failed
        } else if is_blocked {
            RunStatus::Blocked
        } else {
            RunStatus::Finished
        }
    }

    fn has_failed(&self, node: u32) -> bool {
        self.node(node) == NodeState::Failed
    }
}
