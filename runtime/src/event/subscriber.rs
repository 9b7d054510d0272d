//! Who hears of a run.

use std::sync::Arc;

use flow_ir::dag::Dag;

use super::Event;
use crate::{decide::NodeState, store::Durations};

/// Hears of a run. Everything is called from one thread, which is the subscriber's own: it may take its time.
pub trait Subscriber: Send + Sync {
    /// What it is called where it lags behind.
    fn name(&self) -> String {
        "a subscriber".to_owned()
    }

    /// Comes before all else.
    fn begin(&self, beginning: &Beginning) {
        let _ = beginning;
    }

    /// A transition that is durable. They come in their order, each at least once.
    fn event(&self, event: &Event);

    /// How far a running operator is; the latest, where it reports faster than this is called.
    fn progress(&self, node: &str, done: u64, total: u64) {
        let _ = (node, done, total);
    }

    /// A figure that a running operator reports under a name; the latest, likewise.
    fn metric(&self, node: &str, name: &str, value: f64) {
        let _ = (node, name, value);
    }

    /// How many bytes the processes of a running operator hold; the latest, likewise.
    fn memory(&self, node: &str, bytes: u64) {
        let _ = (node, bytes);
    }

    /// A line that a running operator logs.
    fn log(&self, node: &str, line: &str) {
        let _ = (node, line);
    }

    /// What is to be known of the run as a whole, in one line: that it shares nothing, or for whom it waits.
    fn note(&self, line: &str) {
        let _ = line;
    }

    /// That lines of the log came faster than they were taken, and were left out here.
    fn logs_missed(&self, lines: u64) {
        let _ = lines;
    }

    /// Comes last.
    fn end(&self) {}
}

/// What is to be run.
#[derive(Clone)]
pub struct Beginning {
    pub run: Arc<str>,
    pub dag: Arc<Dag>,
    /// Of each of its nodes: a resumed run has some that have ended.
    pub states: Arc<[NodeState]>,
    /// Cores that its nodes share.
    pub cores: u32,
    /// Bytes that its nodes share.
    pub memory: u64,
    /// How long the nodes took in earlier runs of the workflow. It is read from the store: ask only where
    /// nobody waits.
    pub durations: Arc<dyn Fn() -> Durations + Send + Sync>,
}

impl std::fmt::Debug for Beginning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beginning").field("run", &self.run).finish_non_exhaustive()
    }
}
