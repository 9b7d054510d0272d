//! Continues a run that was interrupted, revives one that failed, and stops one.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use flow_ir::{
    dag::Dag,
    node::{Input, NodeKind},
    value::Value,
};
use rustc_hash::FxHashMap;

use super::{Engine, RunError, RunOptions, RunReport, RunView, bodies::Prepared, taken_up::Standing};
use crate::{
    act::{Cancel, process::kill_orphans},
    decide::{Graph, RunStatus},
    schedule::{Machine, Scheduler, Weights},
    store::{Batch, CommandKind, LockError, RunLock},
    task::parameter,
};

/// What becomes of the nodes of a run that is taken up again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revival {
    /// How many have finished, and stay so.
    pub valid: usize,
    /// Those that have ended, or were under way, and run again. In the DAG's order.
    pub again: Vec<(String, Again)>,
    /// Those that have failed, and stay so.
    pub failed: Vec<String>,
    /// How many have not begun.
    pub open: usize,
}

/// Why a node runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Failed,
    /// It was under way when its process died.
    Interrupted,
    /// It was under way when the run was cancelled.
    Cancelled,
    /// It had finished, and what it gave is gone.
    Lost,
    /// It had finished without one that had failed.
    Rests,
}

/// What became of the wish to stop a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Its process has stopped it.
    ByOwner,
    /// It had no process.
    Here,
    /// Its process has been told, and is not done with stopping.
    Stopping,
    /// Its process has not answered, and is left word.
    Unanswered,
}

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signalled {
    /// The run's process has heard it.
    Heard,
    /// The run has no process; the one that continues it hears it.
    Left,
    /// Its process has not answered, and hears it when it does.
    Unanswered,
}

/// How often it is looked whether a run has been stopped.
const GLANCE: Duration = Duration::from_millis(20);

/// An owner looks for commands every 50 ms: one that has not for so long does nothing, or has no time at all.
const ANSWER: Duration = Duration::from_secs(5);

impl Engine {
    /// Continues a run whose process died. Nodes that have finished do not run again,
    /// as long as their artifacts are there; nodes that have failed stay so. `told` hears what that comes to
    /// before anything starts.
    ///
    /// # Errors
    /// When the run has ended otherwise, when another process works on it, and as [`Engine::run`].
    pub fn resume(
        &self,
        run: &str,
        options: &RunOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(&Revival),
    ) -> Result<RunReport, RunError> {
        self.take_up(run, options, cancel, told, |status| status == RunStatus::Running, Standing::resume)
    }

    /// Revives a run that failed, was blocked or cancelled, in place: as [`Engine::resume`], but nodes that have failed
    /// run again as well, with as many attempts as a new run gives them.
    ///
    /// # Errors
    /// When the run has finished, and as [`Engine::resume`].
    pub fn retry(
        &self,
        run: &str,
        options: &RunOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(&Revival),
    ) -> Result<RunReport, RunError> {
        self.take_up(run, options, cancel, told, |status| status != RunStatus::Finished, Standing::retry)
    }

    fn take_up(
        &self,
        run: &str,
        options: &RunOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(&Revival),
        may: fn(RunStatus) -> bool,
        revive: fn(&mut Standing) -> Revival,
    ) -> Result<RunReport, RunError> {
        let run = self.find_run(run)?;
        let lock = RunLock::take(&self.locks(), &run.id).map_err(|error| match error {
            LockError::Held => RunError::Owned { run: run.id.clone(), owner: run.owner.clone() },
            error => error.into(),
        })?;
        // As it is now that nobody else can change it.
        let row = self.store.run(&run.id)?.ok_or_else(|| RunError::NoRun { id: run.id.clone() })?;
        if !may(row.status) {
            return Err(RunError::HasEnded { run: run.id, status: row.status });
        }
        let dag = self.dag(&run.id)?;
        let graph = Arc::new(Graph::new(&dag)?);
        let prepared = self.prepare(dag, graph.clone(), options)?;
        // An owner that lost its lock and lives on may write until the run is claimed.
        let (standing, revival, epoch) = loop {
            let mut standing = self.standing(&prepared.dag, &graph, &run.id)?;
            let revival = revive(&mut standing);
            let epoch = self.store.claim(&run.id)?;
            if self.store.events_after(&run.id, standing.seq, 1)?.is_empty() {
                break (standing, revival, epoch);
            }
        };
        told(&revival);
        // What a process that was killed has left running must not write beside what runs again.
        self.kill_orphans(&run.id)?;
        let history = standing.taken_up(run.id.as_str().into(), epoch);
        let report = self.drive(prepared, history, Some(Batch::default()), options, cancel)?;
        drop(lock);
        Ok(report)
    }
}

impl Engine {
    /// Stops a run: through its process where it has one, within `patience`; else by saying that it is cancelled.
    ///
    /// # Errors
    /// When the run has ended, and when the store fails.
    pub fn cancel(&self, run: &str, patience: Duration) -> Result<(RunView, Cancelled), RunError> {
        let id = self.find_run(run)?.id;
        let mut asked = None;
        let began = Instant::now();
        loop {
            let row = self.store.run(&id)?.ok_or_else(|| RunError::NoRun { id: id.clone() })?;
            let view = self.view(row);
            match (view.status, asked) {
                (RunStatus::Running, None) => asked = Some(self.store.command(&id, &CommandKind::Cancel)?),
                (RunStatus::Running, Some(_)) if began.elapsed() > patience => {
                    return Ok((view, Cancelled::Stopping));
                }
                (RunStatus::Running, Some(command))
                    if began.elapsed() > ANSWER && self.is_open(&id, command)? =>
                {
                    return Ok((view, Cancelled::Unanswered));
                }
                (RunStatus::Running, Some(_)) => std::thread::sleep(GLANCE),
                (RunStatus::Interrupted, _) => match RunLock::take(&self.locks(), &id) {
                    Ok(_lock) => {
                        if self.cancel_dead(&id)? {
                            return Ok((self.find_run(&id)?, Cancelled::Here));
                        }
                    }
                    // Somebody resumes it this moment.
                    Err(LockError::Held) => std::thread::sleep(GLANCE),
                    Err(error) => return Err(error.into()),
                },
                (_, None) => return Err(RunError::HasEnded { run: id, status: view.status }),
                (_, Some(_)) => return Ok((view, Cancelled::ByOwner)),
            }
        }
    }

    /// Whether nobody has taken a command up yet.
    fn is_open(&self, run: &str, command: i64) -> Result<bool, RunError> {
        Ok(self.store.commands(run, 0)?.iter().any(|open| open.id == command))
    }

    /// Says of a run whose process has died that it is cancelled, unless that ended it with its last breath. The
    /// caller has its lock.
    fn cancel_dead(&self, run: &str) -> Result<bool, RunError> {
        if self.store.run(run)?.is_none_or(|row| row.status != RunStatus::Running) {
            return Ok(false);
        }
        let dag = self.dag(run)?;
        let graph = Arc::new(Graph::new(&dag)?);
        let standing = self.standing(&dag, &graph, run)?;
        let history = standing.taken_up(run.into(), self.store.claim(run)?);
        self.kill_orphans(run)?;
        // Nothing runs, so that neither operators nor room for them are needed.
        let bodies = FxHashMap::default();
        let nothing = Dag { nodes: Vec::new(), outputs: Vec::new(), ..dag.clone() };
        let scheduler =
            Scheduler::new(&nothing, &Graph::new(&nothing)?, Machine::here(), &Weights::default())?;
        let environments = FxHashMap::default();
        let prepared = Prepared { dag: Arc::new(dag), graph, machine: None, scheduler, bodies, environments };
        self.drive(prepared, history, None, &RunOptions::default(), &Cancel::new())?;
        Ok(true)
    }

    /// Ends what operators outside of a process that has died have left running. The caller has the run's lock.
    fn kill_orphans(&self, run: &str) -> Result<(), RunError> {
        let found = kill_orphans(&self.run_folder(run));
        found
            .map(|_| ())
            .map_err(|error| RunError::Orphans { run: run.to_owned(), reason: error.to_string() })
    }

    /// Leaves a signal for a run, and waits until its process has heard it.
    ///
    /// # Errors
    /// When the run has ended, and when the store fails.
    pub fn signal(&self, run: &str, name: &str) -> Result<(RunView, Signalled), RunError> {
        let run = self.find_run(run)?;
        if !matches!(run.status, RunStatus::Running | RunStatus::Interrupted) {
            return Err(RunError::HasEnded { run: run.id, status: run.status });
        }
        let names = signals(&self.dag(&run.id)?);
        if names.as_ref().is_some_and(|names| !names.contains(name)) {
            let names = names.into_iter().flatten().collect();
            return Err(RunError::NoSignal { run: run.id, name: name.to_owned(), names });
        }
        let command = self.store.command(&run.id, &CommandKind::Signal { name: name.to_owned() })?;
        let began = Instant::now();
        loop {
            let run = self.find_run(&run.id)?;
            let is_open = self.is_open(&run.id, command)?;
            match run.status {
                _ if !is_open => return Ok((run, Signalled::Heard)),
                RunStatus::Running if began.elapsed() > ANSWER => return Ok((run, Signalled::Unanswered)),
                RunStatus::Running => std::thread::sleep(GLANCE),
                RunStatus::Interrupted => return Ok((run, Signalled::Left)),
                _ => return Err(RunError::HasEnded { run: run.id, status: run.status }),
            }
        }
    }
}

/// The signals that nodes of a DAG wait for; none where only a run knows them.
fn signals(dag: &Dag) -> Option<BTreeSet<String>> {
    let mut names = Some(BTreeSet::new());
    dag.for_each_node(&mut |node| {
        let name = match node.input("name") {
            _ if !matches!(node.kind, NodeKind::WaitFor) => return,
            Some(Input::Constant(Value::Text(name))) => Some(name.clone()),
            // In a region it is one of the region's own, which the run binds.
            Some(Input::Parameter(name)) if dag.nodes.iter().any(|outer| std::ptr::eq(outer, node)) => {
                match parameter(dag, name) {
                    Ok(Value::Text(name)) => Some(name.clone()),
                    _ => None,
                }
            }
            _ => None,
        };
        match (name, &mut names) {
            (Some(name), Some(names)) => drop(names.insert(name)),
            _ => names = None,
        }
    });
    names
}
