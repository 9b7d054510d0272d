//! Continues a run that was interrupted, from its events alone.

use std::sync::Arc;

use flow_ir::dag::Dag;
use rustc_hash::FxHashMap;

use super::{Engine, History, RunError, RunOptions, RunReport};
use crate::{
    act::Cancel,
    artifact::Reference,
    decide::{Graph, NodeState, State},
    event::{Event, Kind},
    store::{Batch, RunLock},
};

impl Engine {
    /// Continues a run that was cancelled, or whose process died. Nodes that have finished do not run again,
    /// as long as their artifacts are there.
    ///
    /// # Errors
    /// When the run has ended otherwise, when another process works on it, and as [`Engine::run`].
    pub fn resume(&self, run: &str, options: &RunOptions, cancel: &Cancel) -> Result<RunReport, RunError> {
        let run = self.find_run(run)?;
        let lock = RunLock::take(&self.locks(), &run.id)?;
        // As it is now that nobody else can change it.
        let row = self.store.run(&run.id)?.ok_or_else(|| RunError::NoRun { id: run.id.clone() })?;
        if !["running", "cancelled"].contains(&row.status.as_str()) {
            return Err(RunError::NotInterrupted { run: run.id, status: row.status });
        }
        let dag = self.dag(&run.id)?;
        let graph = Arc::new(Graph::new(&dag)?);
        let events = self.store.events(&run.id)?;
        let Reached { states, outputs } = self.fold(&dag, &events)?;
        let prepared = self.prepare(dag, graph.clone(), options)?;
        let history = History {
            run: run.id.as_str().into(),
            epoch: self.store.claim(&run.id)?,
            seq: events.last().map_or(0, |event| event.seq),
            state: State::resumed(graph, &states),
            outputs,
        };
        let report = self.drive(prepared, history, Batch::default(), options, cancel)?;
        drop(lock);
        Ok(report)
    }

    /// The DAG of a run.
    pub fn dag(&self, run: &str) -> Result<Dag, RunError> {
        let broken = |reason: String| RunError::Dag { run: run.to_owned(), reason };
        let text = self.store.dag(run)?.ok_or_else(|| broken("it is not there".to_owned()))?;
        Dag::from_json(&text).map_err(|error| broken(error.to_string()))
    }

    fn fold(&self, dag: &Dag, events: &[Event]) -> Result<Reached, RunError> {
        let nodes: FxHashMap<&str, u32> = dag.nodes.iter().map(|node| node.id.as_str()).zip(0..).collect();
        let mut states = vec![(0, NodeState::Pending); dag.nodes.len()];
        let mut outputs = FxHashMap::default();
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
        for (node, references) in &mut outputs {
            let mut all_there = true;
            for reference in references {
                all_there &= self.artifacts.is_there(reference)?;
            }
            let has_effect = dag.nodes.get(*node as usize).is_some_and(|node| node.effect);
            if let Some(state) = states.get_mut(*node as usize)
                && !all_there
                && !has_effect
            {
                state.1 = NodeState::Running;
            }
        }
        outputs.retain(|node, _| {
            states.get(*node as usize).is_some_and(|(_, state)| *state == NodeState::Finished)
        });
        Ok(Reached { states, outputs: outputs.into_iter().collect() })
    }
}

/// What an interrupted run had come to.
struct Reached {
    /// For each node its last attempt, and how far that came.
    states: Vec<(u32, NodeState)>,
    outputs: Vec<(u32, Vec<Reference>)>,
}
