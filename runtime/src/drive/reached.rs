//! What a run had come to when its process stopped, from its events alone.

use flow_ir::dag::Dag;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    artifact::Reference,
    decide::NodeState,
    event::{Event, Kind},
};

/// How far each node of a run had come.
#[derive(Debug)]
pub struct Reached {
    /// For each node its last attempt, and how far that came.
    pub states: Vec<(u32, NodeState)>,
    /// Of the nodes that have finished.
    pub outputs: Vec<(u32, Vec<Reference>)>,
    /// Those that had finished, and whose outputs are gone.
    pub lost: Vec<u32>,
    /// For each node how often it has failed of its own.
    pub failures: Vec<u32>,
    /// Nodes with an effect that were under way, each with its attempt: nobody knows whether it was done.
    pub unknown: Vec<(u32, u32)>,
}

impl Reached {
    /// Folds the events of a run. A node whose outputs are no longer there is as good as not finished, unless it
    /// has an effect.
    ///
    /// # Errors
    /// Those of `is_there`.
    pub fn from_events<E>(
        dag: &Dag,
        events: &[Event],
        is_there: &mut dyn FnMut(&Reference) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let nodes: FxHashMap<&str, u32> = dag.nodes.iter().map(|node| node.id.as_str()).zip(0..).collect();
        let mut states = vec![(0, NodeState::Pending); dag.nodes.len()];
        let mut outputs = FxHashMap::default();
        let mut failures = vec![0; dag.nodes.len()];
        for event in events {
            let Some(&node) = event.node.as_deref().and_then(|node| nodes.get(node)) else { continue };
            let Some(state) = states.get_mut(node as usize) else { continue };
            let reached = match event.kind {
                Kind::Finished | Kind::Cached => NodeState::Finished,
                Kind::Failed => NodeState::Failed,
                // An attempt that has not begun is none.
                Kind::Ready | Kind::Retrying | Kind::Cancelled => NodeState::Ready,
                _ => NodeState::Running,
            };
            let attempt = match reached {
                NodeState::Ready => event.attempt.saturating_sub(1),
                _ => event.attempt,
            };
            *state = (attempt.max(state.0), reached);
            if event.kind == Kind::Retrying
                && let Some(slot) = failures.get_mut(node as usize)
            {
                let failures = event.data.get("failures").and_then(Json::as_u64).unwrap_or_default();
                *slot = u32::try_from(failures).unwrap_or(u32::MAX);
            }
            outputs.remove(&node);
            if reached == NodeState::Finished {
                let ports =
                    dag.nodes.get(node as usize).map(|node| node.outputs.as_slice()).unwrap_or_default();
                let found = ports
                    .iter()
                    .map(|port| Reference::from_json(event.data.get("outputs")?.get(&port.name)?));
                match found.collect::<Option<Vec<_>>>() {
                    Some(references) => drop(outputs.insert(node, references)),
                    None => state.1 = NodeState::Running,
                }
            }
        }
        let mut lost = Vec::new();
        for (node, references) in &outputs {
            let mut all_there = true;
            for reference in references {
                all_there &= is_there(reference)?;
            }
            let has_effect = dag.nodes.get(*node as usize).is_some_and(|node| node.effect);
            if let Some(state) = states.get_mut(*node as usize)
                && !all_there
                && !has_effect
            {
                state.1 = NodeState::Running;
                lost.push(*node);
            }
        }
        outputs.retain(|node, _| {
            states.get(*node as usize).is_some_and(|(_, state)| *state == NodeState::Finished)
        });
        let nodes = (0..).zip(&dag.nodes).zip(&states);
        let unknown = nodes.filter(|((_, of), (_, state))| of.effect && *state == NodeState::Running);
        let unknown = unknown.map(|((node, _), (attempt, _))| (node, *attempt)).collect();
        Ok(Self { outputs: outputs.into_iter().collect(), lost, failures, unknown, states })
    }
}
