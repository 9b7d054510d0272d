//! What a project remembers: events are the truth, all else is made from them or can be made again.
//!
//! [`Store`] is asynchronous and batch-shaped, so that a database elsewhere can stand behind it;
//! [`sqlite`] is the one there is. [`lock`] keeps a run to one process.

mod lock;
mod sqlite;

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc, time::UNIX_EPOCH};

use flow_ir::hash::Hash;
use serde_json::Value as Json;

pub use lock::{LockError, RunLock};
pub use sqlite::SqliteStore;

use crate::{
    artifact::{Reference, SmallContents},
    event::Event,
};

/// A batch is written whole or not at all.
#[derive(Default)]
pub struct Batch {
    /// Of one run; the first of a run comes together with the run itself.
    pub events: Vec<Event>,
    pub run: Option<NewRun>,
    pub contents: Vec<(Hash, Arc<[u8]>)>,
    pub cache: Vec<CacheEntry>,
    pub files: Vec<FileMemo>,
    /// Contents found corrupt or missing: what the cache knows of them goes too.
    pub lost: Vec<Hash>,
    /// Somebody waits for it: it is not held back for others to share its transaction.
    pub is_urgent: bool,
    /// Called with the events as soon as they are durable, or with the reason why they never will be.
    pub then: Option<Durable>,
}

pub type Durable = Box<dyn FnOnce(Result<Vec<Event>, StoreError>) + Send>;

#[derive(Clone, Debug)]
pub struct NewRun {
    pub id: Arc<str>,
    pub workflow: String,
    /// In JSON.
    pub dag: String,
    pub nodes: u32,
}

/// What a node of that key gave.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    pub key: Hash,
    pub outputs: Vec<Reference>,
    pub run: Arc<str>,
    pub node: Arc<str>,
}

/// That a file as it was then had that content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMemo {
    pub path: String,
    pub stamp: FileStamp,
    pub hash: Hash,
}

/// What changes when a file's content does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    pub size: u64,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub modified: i64,
    pub inode: u64,
}

impl FileStamp {
    /// Of the file as it is now; none where there is no such file.
    pub fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let modified = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = i64::try_from(modified.as_nanos()).ok()?;
        Some(Self { size: file.len(), modified, inode: file.ino() })
    }
}

/// A run as the list of runs has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub id: String,
    pub workflow: String,
    /// `running` too where its process has died.
    pub status: String,
    pub epoch: u32,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub started: i64,
    pub ended: Option<i64>,
    /// How many nodes its DAG has.
    pub nodes: u32,
    /// How many nodes are known to be in which state; the rest is pending.
    pub states: Vec<(String, u32)>,
    /// What its last event said.
    pub end: Json,
}

/// Where a node of a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    pub node: String,
    pub state: String,
    pub cached: bool,
    pub attempt: u32,
    /// Microseconds since 1970-01-01T00:00:00Z, of the last attempt.
    pub started: Option<i64>,
    pub ended: Option<i64>,
    /// What the event that ended it said: outputs, or the error.
    pub data: Json,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store `{path}`: {reason}")]
    Open { path: String, reason: String },
    #[error(
        "the store `{path}` was written by a newer flowc (format {found}; this one knows {known}): update flowc"
    )]
    Newer { path: String, found: i64, known: i64 },
    /// Its tables are not what was written.
    #[error("the store is damaged: {reason}")]
    Damaged { reason: String },
    #[error("cannot read the store: {reason}")]
    Read { reason: String },
    #[error("cannot write to the store: {reason}")]
    Write { reason: String },
    #[error("another process has taken over run {run}")]
    Fenced { run: String },
}

/// Where runs are remembered. Reads see what was committed, and what this process has appended.
pub trait Store: SmallContents {
    /// Queues a batch. Batches become durable in their order.
    fn append(&self, batch: Batch);

    /// Returns when all that was appended is durable.
    fn flush(&self) -> Result<(), StoreError>;

    /// Takes a run over: the epoch from now on. Batches of an earlier epoch are refused.
    fn claim(&self, run: &str) -> Result<u32, StoreError>;

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
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("run", &self.run).field("events", &self.events).finish_non_exhaustive()
    }
}
