//! What a project remembers: events are the truth, all else is made from them or can be made again.
//!
//! [`Store`] is asynchronous and batch-shaped, so that a database elsewhere can stand behind it;
//! [`sqlite`] is the one there is. A [`batch`] is what is written at once, [`row`] what is listed. [`lock`] keeps
//! a run to one process, its [`owner`]; what others want of the run reaches it as a [`command`].

mod batch;
mod command;
mod durations;
mod error;
mod lock;
mod owner;
mod row;
mod sqlite;

use flow_ir::hash::Hash;

pub use batch::{Batch, CacheEntry, Durable, FileMemo, FileStamp, NewRun};
pub use command::{CommandKind, RunCommand};
pub use durations::{Durations, NodeDurations};
pub use error::StoreError;
pub use lock::{LockError, RunLock};
pub use owner::Owner;
pub use row::{NodeRow, RunRow};
pub use sqlite::{Collector, Elements, SqliteStore, Unneeded};

use crate::{
    artifact::{Reference, SmallContents},
    event::Event,
};

/// Where runs are remembered. Reads see what was committed, and what this process has appended.
pub trait Store: SmallContents {
    /// Queues a batch. Batches become durable in their order.
    fn append(&self, batch: Batch);

    /// Returns when all that was appended is durable.
    fn flush(&self) -> Result<(), StoreError>;

    /// Takes a run over for this process: the epoch from now on. Batches of an earlier epoch are refused, and
    /// whoever wanted the run cancelled wanted that of its earlier owner.
    fn claim(&self, run: &str) -> Result<u32, StoreError>;

    /// Leaves word for the owner of a run; durable when this returns its number.
    fn command(&self, run: &str, kind: &CommandKind) -> Result<i64, StoreError>;

    /// What is wanted of a run and was not yet taken up, in its order: those numbered above `after`. They are
    /// taken up by a batch that says so.
    fn commands(&self, run: &str, after: i64) -> Result<Vec<RunCommand>, StoreError>;

    /// What the cache has for each key.
    fn cached(&self, keys: &[Hash]) -> Result<Vec<Option<Vec<Reference>>>, StoreError>;

    /// The remembered hash of the content of a file as it is now.
    fn file(&self, path: &str, stamp: FileStamp) -> Result<Option<Hash>, StoreError>;

    /// All runs, the latest first.
    fn runs(&self) -> Result<Vec<RunRow>, StoreError>;

    fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError>;

    /// The run's DAG, in JSON.
    fn dag(&self, run: &str) -> Result<Option<String>, StoreError>;

    /// The nodes that have left `pending`.
    fn nodes(&self, run: &str) -> Result<Vec<NodeRow>, StoreError>;

    fn events(&self, run: &str) -> Result<Vec<Event>, StoreError>;

    /// The first events after a number, at most so many.
    fn events_after(&self, run: &str, seq: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut events = self.events(run)?;
        events.retain(|event| event.seq > seq);
        events.truncate(limit);
        Ok(events)
    }

    /// How long the nodes of a workflow took in its latest runs, as far as that is known.
    fn durations(&self, workflow: &str) -> Result<Durations, StoreError> {
        let _ = workflow;
        Ok(Durations::default())
    }
}
