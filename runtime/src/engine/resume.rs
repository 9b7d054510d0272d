//! Continues a run that was interrupted, from its events alone.

use std::sync::Arc;

use flow_ir::dag::Dag;

use super::{Engine, History, RunError, RunOptions, RunReport};
use crate::{
    act::Cancel,
    decide::{Graph, State},
    drive::Reached,
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
        let Reached { states, outputs } =
            Reached::from_events(&dag, &events, &mut |reference| self.artifacts.is_there(reference))?;
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
}
