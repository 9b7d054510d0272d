//! What a run had come to, and what becomes of it when it is taken up again.

use std::sync::Arc;

use flow_ir::dag::Dag;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Engine, RunError,
    resume::{Again, Revival},
};
use crate::{
    artifact::Reference,
    decide::{Graph, NodeState, State, seed},
    drive::Reached,
    event::Kind,
};

/// Where a run stands when this process takes it up.
pub struct TakenUp {
    pub run: Arc<str>,
    pub epoch: u32,
    /// Of the last event.
    pub seq: u64,
    pub state: State,
    /// Nodes with an effect that were left running, each with its attempt.
    pub unknown: Vec<(u32, u32)>,
    /// Nodes that had ended and run again, each with the reason.
    pub again: Vec<(u32, &'static str)>,
    /// Of the nodes that have finished.
    pub outputs: Vec<(u32, Vec<Reference>)>,
    /// When waits began that are under way, in microseconds since 1970.
    pub began: FxHashMap<u32, i64>,
    /// Whether the run takes from the cache, as it was begun.
    pub use_cache: bool,
}

/// What a run had come to.
pub struct Standing {
    /// Of the last event.
    pub(super) seq: u64,
    use_cache: bool,
    reached: Reached,
}

impl Standing {
    /// What was under way begins anew; what has failed stays so.
    pub fn resume(&mut self) -> Revival {
        self.revival(&FxHashMap::default())
    }

    /// What has failed begins anew as well.
    pub fn retry(&mut self) -> Revival {
        let state = self.reached.past.state();
        let nodes = 0..u32::try_from(state.len()).unwrap_or(u32::MAX);
        let failed: FxHashSet<u32> = nodes.filter(|node| state.node(*node) == NodeState::Failed).collect();
        let why = |node| if failed.contains(&node) { Again::Failed } else { Again::Rests };
        let again = self.reached.revive().iter().map(|node| (*node, why(*node))).collect();
        self.revival(&again)
    }

    /// What becomes of each node, those of regions after those of the DAG.
    fn revival(&self, again: &FxHashMap<u32, Again>) -> Revival {
        let Reached { past, lost, interrupted, cancelled, unknown, .. } = &self.reached;
        let state = past.state();
        let mut revival = Revival::default();
        for node in 0..u32::try_from(state.len()).unwrap_or(u32::MAX) {
            let id = || state.id(node).to_string();
            match state.node(node) {
                _ if again.contains_key(&node) => {
                    revival.again.extend(again.get(&node).map(|why| (id(), *why)));
                }
                NodeState::Finished => revival.valid += 1,
                NodeState::Failed => revival.failed.push(id()),
                NodeState::Skipped => {}
                _ if lost.contains(&node) => revival.again.push((id(), Again::Lost)),
                // It counts as failed: nobody knows whether its effect was done.
                _ if unknown.iter().any(|(unknown, _)| *unknown == node) && !state.may_retry(node) => {
                    revival.failed.push(id());
                }
                _ if cancelled.contains(&node) => revival.again.push((id(), Again::Cancelled)),
                _ if interrupted.contains(&node) => revival.again.push((id(), Again::Interrupted)),
                _ => revival.open += 1,
            }
        }
        revival
    }

    pub fn taken_up(self, run: Arc<str>, epoch: u32) -> TakenUp {
        let again = self.reached.again();
        let Self { seq, use_cache, reached } = self;
        let Reached { past, outputs, unknown, began, .. } = reached;
        let outputs = outputs.into_iter().collect();
        TakenUp { run, epoch, seq, state: past.resume(), unknown, again, outputs, began, use_cache }
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
    pub(super) fn standing(&self, dag: &Dag, graph: &Arc<Graph>, run: &str) -> Result<Standing, RunError> {
        let events = self.store.events(run)?;
        let mut is_there = |reference: &_| self.artifacts.is_there(reference);
        let reached = Reached::from_events(dag, graph, seed(run), &events, &mut is_there)?;
        let started = events.iter().find(|event| event.kind == Kind::RunStarted);
        let use_cache = started.and_then(|event| event.data.get("cache")?.as_bool()).unwrap_or(true);
        Ok(Standing { seq: events.last().map_or(0, |event| event.seq), use_cache, reached })
    }
}
