//! What a run had come to, and what becomes of it when it is taken up again.

use std::sync::Arc;

use flow_ir::dag::Dag;
use rustc_hash::FxHashMap;

use super::{
    Engine, RunError,
    resume::{Again, Revival},
};
use crate::{
    artifact::Reference,
    decide::{Graph, NodeState, State},
    drive::Reached,
};

/// Where a run stands when this process takes it up.
pub struct History {
    pub run: Arc<str>,
    pub epoch: u32,
    /// Of the last event.
    pub seq: u64,
    pub state: State,
    /// Nodes with an effect that were left running, each with its attempt.
    pub unknown: Vec<(u32, u32)>,
    /// Of the nodes that have finished.
    pub outputs: Vec<(u32, Vec<Reference>)>,
}

/// What a run had come to.
pub struct Standing {
    /// Of the last event.
    pub(super) seq: u64,
    reached: Reached,
}

impl Standing {
    /// What was under way begins anew; what has failed stays so.
    pub fn resume(&mut self, dag: &Dag, _: &Graph) -> Revival {
        self.revival(dag, &FxHashMap::default())
    }

    /// What has failed begins anew as well.
    pub fn retry(&mut self, dag: &Dag, graph: &Graph) -> Revival {
        let mut again = FxHashMap::default();
        for node in 0..u32::try_from(self.reached.states.len()).unwrap_or(u32::MAX) {
            if self.state(node) == NodeState::Failed && !again.contains_key(&node) {
                let rests = self.rests_on(node, graph);
                let has_effect = |node: &u32| dag.nodes.get(*node as usize).is_some_and(|node| node.effect);
                // What has an effect is not done twice: then the others keep what they have, too.
                if !rests.iter().any(has_effect) {
                    again.insert(node, Again::Failed);
                    again.extend(rests.into_iter().map(|node| (node, Again::Rests)));
                }
            }
        }
        self.revival(dag, &again)
    }

    /// The nodes that have finished without this one, which failed, or after one that did.
    fn rests_on(&self, failed: u32, graph: &Graph) -> Vec<u32> {
        let mut without = vec![failed];
        for node in failed + 1..u32::try_from(self.reached.states.len()).unwrap_or(u32::MAX) {
            if self.state(node) == NodeState::Finished
                && graph.producers(node).any(|producer| without.contains(&producer))
            {
                without.push(node);
            }
        }
        without.split_off(1)
    }

    fn state(&self, node: u32) -> NodeState {
        self.reached.states.get(node as usize).map_or(NodeState::Pending, |(_, state)| *state)
    }

    /// Sets those back that run again, and says so.
    fn revival(&mut self, dag: &Dag, again: &FxHashMap<u32, Again>) -> Revival {
        let mut revival = Revival::default();
        for ((node, of), (attempt, state)) in (0..).zip(&dag.nodes).zip(&mut self.reached.states) {
            let id = || of.id.clone();
            if let Some(again) = again.get(&node) {
                *state = NodeState::Running;
                if let Some(failures) = self.reached.failures.get_mut(node as usize) {
                    *failures = 0;
                }
                self.reached.outputs.retain(|(finished, _)| *finished != node);
                revival.again.push((id(), *again));
                continue;
            }
            match state {
                NodeState::Finished => revival.valid += 1,
                NodeState::Failed => revival.failed.push(id()),
                _ if self.reached.lost.contains(&node) => revival.again.push((id(), Again::Lost)),
                // It counts as failed: nobody knows whether its effect was done.
                _ if self.reached.unknown.iter().any(|(unknown, _)| *unknown == node)
                    && self.reached.failures.get(node as usize) >= Some(&of.policy.retry) =>
                {
                    revival.failed.push(id());
                }
                _ if *attempt > 0 => revival.again.push((id(), Again::Interrupted)),
                _ => revival.open += 1,
            }
        }
        revival
    }

    pub fn history(self, run: Arc<str>, epoch: u32, graph: Arc<Graph>) -> History {
        let Reached { states, outputs, failures, unknown, .. } = self.reached;
        let mut state = State::resumed(graph, &states);
        state.remember(&failures);
        History { run, epoch, seq: self.seq, state, unknown, outputs }
    }
}

impl Engine {
    /// The DAG of a run.
    pub fn dag(&self, run: &str) -> Result<Dag, RunError> {
        let broken = |reason: String| RunError::Dag { run: run.to_owned(), reason };
        let text = self.store.dag(run)?.ok_or_else(|| broken("it is not there".to_owned()))?;
        Dag::from_json(&text).map_err(|error| broken(error.to_string()))
    }

    /// What a run had come to.
    pub(super) fn standing(&self, dag: &Dag, run: &str) -> Result<Standing, RunError> {
        let events = self.store.events(run)?;
        let reached =
            Reached::from_events(dag, &events, &mut |reference| self.artifacts.is_there(reference))?;
        Ok(Standing { seq: events.last().map_or(0, |event| event.seq), reached })
    }
}
