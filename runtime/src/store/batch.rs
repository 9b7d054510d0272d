//! What is written at once.

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc, time::UNIX_EPOCH};

use flow_ir::hash::Hash;

use super::StoreError;
use crate::{artifact::Reference, event::Event};

/// A batch is written whole or not at all.
#[derive(Default)]
pub struct Batch {
    /// The run that it is of, and the epoch of its owner, who sends it. Needed where there are no events to say so.
    pub of: Option<(Arc<str>, u32)>,
    /// Of one run; the first of a run comes together with the run itself.
    pub events: Vec<Event>,
    pub run: Option<NewRun>,
    pub contents: Vec<(Hash, Arc<[u8]>)>,
    pub cache: Vec<CacheEntry>,
    pub files: Vec<FileMemo>,
    /// Contents found corrupt or missing: what the cache knows of them goes too.
    pub lost: Vec<Hash>,
    /// Commands to the run that the events answer, by their numbers.
    pub taken: Vec<i64>,
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
    /// Who starts twice with the same one wants one run; no other run may have it.
    pub idempotency_key: Option<String>,
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

impl Batch {
    /// The run that it is of, and the epoch of its owner. It is refused where the run has another owner by now, or
    /// lacks a batch before it, be it that it only takes a command. None where it is of no run.
    pub fn of(&self) -> Option<(&Arc<str>, u32)> {
        let said = || self.events.first().map(|event| (&event.run, event.epoch));
        self.of.as_ref().map(|(run, epoch)| (run, *epoch)).or_else(said)
    }
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

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("run", &self.run).field("events", &self.events).finish_non_exhaustive()
    }
}
