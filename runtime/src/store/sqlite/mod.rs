//! The store in one SQLite file: a thread that writes, a connection that reads.
//!
//! [`schema`] is the file's tables, [`queue`] holds what is to be written until the writer's thread takes it,
//! [`write`] puts batches into the tables, [`read`] asks them; [`collect`] takes out what is no longer needed.

mod collect;
mod queue;
mod read;
mod schema;
mod write;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    thread::JoinHandle,
};

use flow_ir::hash::Hash;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use queue::{Message, Queue};

use super::{Batch, CommandKind, Durations, FileStamp, NodeRow, RunCommand, RunRow, Store, StoreError};
use crate::{
    artifact::{Reference, SmallContents},
    event::Event,
};

pub use collect::{Collector, Elements, Unneeded};

pub struct SqliteStore {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    reader: Mutex<Connection>,
    queued: Arc<Mutex<Queued>>,
}

/// What was appended and is not yet committed, for this process's reads.
#[derive(Default)]
struct Queued {
    contents: FxHashMap<Hash, (u64, Arc<[u8]>)>,
    cache: FxHashMap<Hash, (u64, Vec<Reference>)>,
    /// Numbers the batches.
    batch: u64,
}

impl SqliteStore {
    /// Opens the file, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writing = schema::open(path)?;
        let reader = Mutex::new(schema::open_reader(path)?);
        let queued = Arc::new(Mutex::new(Queued::default()));
        let queue = Arc::new(Queue::default());
        let (messages, shared) = (queue.clone(), queued.clone());
        let thread = std::thread::Builder::new()
            .name("flow-store".to_owned())
            .spawn(move || write_all(writing, &messages, &shared))
            .map_err(|error| StoreError::Open {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?;
        Ok(Self { queue, thread: Some(thread), reader, queued })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queued(&self) -> MutexGuard<'_, Queued> {
        lock(&self.queued)
    }

    fn ask<T>(
        &self,
        message: impl FnOnce(Sender<Result<T, StoreError>>) -> Message,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Write { reason: "its writer has stopped".to_owned() };
        let (answer, answers) = mpsc::channel();
        self.queue.push(message(answer)).map_err(|_| gone())?;
        answers.recv().map_err(|_| gone())?
    }
}

impl Store for SqliteStore {
    fn append(&self, batch: Batch) {
        {
            let mut queued = self.queued();
            queued.batch += 1;
            let number = queued.batch;
            for hash in &batch.lost {
                queued.contents.remove(hash);
            }
            for (hash, bytes) in &batch.contents {
                queued.contents.insert(*hash, (number, bytes.clone()));
            }
            for entry in &batch.cache {
                queued.cache.insert(entry.key, (number, entry.outputs.clone()));
            }
        }
        if let Err(message) = self.queue.push(Message::Append(Box::new(batch)))
            && let Message::Append(batch) = *message
            && let Some(then) = batch.then
        {
            then(Err(StoreError::Write { reason: "its writer has stopped".to_owned() }));
        }
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.ask(Message::Flush)
    }

    fn claim(&self, run: &str) -> Result<u32, StoreError> {
        self.ask(|answer| Message::Claim(run.to_owned(), answer))
    }

    fn command(&self, run: &str, kind: &CommandKind) -> Result<i64, StoreError> {
        self.ask(|answer| Message::Command(run.to_owned(), kind.clone(), answer))
    }

    fn commands(&self, run: &str, after: i64) -> Result<Vec<RunCommand>, StoreError> {
        read::commands(&self.reader(), run, after)
    }

    fn cached(&self, keys: &[Hash]) -> Result<Vec<Option<Vec<Reference>>>, StoreError> {
        let mut found = read::cached(&self.reader(), keys)?;
        let queued = self.queued();
        for (key, found) in keys.iter().zip(&mut found) {
            if let Some((_, outputs)) = queued.cache.get(key) {
                *found = Some(outputs.clone());
            }
        }
        Ok(found)
    }

    fn file(&self, path: &str, stamp: FileStamp) -> Result<Option<Hash>, StoreError> {
        read::file(&self.reader(), path, stamp)
    }

    fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        read::runs(&self.reader(), None)
    }

    fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError> {
        Ok(read::runs(&self.reader(), Some(id))?.pop())
    }

    fn dag(&self, run: &str) -> Result<Option<String>, StoreError> {
        read::dag(&self.reader(), run)
    }

    fn nodes(&self, run: &str) -> Result<Vec<NodeRow>, StoreError> {
        read::nodes(&self.reader(), run)
    }

    fn events(&self, run: &str) -> Result<Vec<Event>, StoreError> {
        read::events(&self.reader(), run, 0, usize::MAX)
    }

    fn events_after(&self, run: &str, seq: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        read::events(&self.reader(), run, seq, limit)
    }

    fn durations(&self, workflow: &str) -> Result<Durations, StoreError> {
        read::durations(&self.reader(), workflow)
    }
}

impl SmallContents for SqliteStore {
    fn content(&self, hash: Hash) -> Result<Option<Arc<[u8]>>, String> {
        if let Some((_, bytes)) = self.queued().contents.get(&hash) {
            return Ok(Some(bytes.clone()));
        }
        read::content(&self.reader(), hash).map_err(|error| error.to_string())
    }

    fn has_content(&self, hash: Hash) -> Result<bool, String> {
        if self.queued().contents.contains_key(&hash) {
            return Ok(true);
        }
        read::has_content(&self.reader(), hash).map_err(|error| error.to_string())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The writer ends after what was queued.
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// The writer's thread: takes what comes within the window into one transaction.
fn write_all(connection: Connection, queue: &Queue, queued: &Mutex<Queued>) {
    let _end = queue.end_on_drop();
    let mut writer = Writer { connection, queued, written: 0, broken: FxHashMap::default() };
    while let Some(taken) = queue.take() {
        let mut batches = Vec::new();
        let mut flushes = Vec::new();
        let mut last = None;
        for message in taken {
            match message {
                Message::Append(batch) => batches.push(*batch),
                Message::Flush(answer) => flushes.push(answer),
                // What came before them is written before them.
                message => last = Some(message),
            }
        }
        writer.write(batches, flushes);
        match last {
            Some(Message::Claim(run, answer)) => {
                let claimed = write::claim(&mut writer.connection, &run);
                if claimed.is_ok() {
                    writer.broken.remove(&run);
                }
                let _ = answer.send(claimed);
            }
            Some(Message::Command(run, kind, answer)) => {
                let _ = answer.send(write::command(&writer.connection, &run, &kind));
            }
            _ => {}
        }
    }
    schema::fold(&writer.connection);
}

struct Writer<'a> {
    connection: Connection,
    queued: &'a Mutex<Queued>,
    /// How many batches have been dealt with.
    written: u64,
    /// Runs that lack a batch which could not be written. What comes after it would leave a gap, and is refused
    /// for the same reason until the run is claimed anew.
    broken: FxHashMap<String, StoreError>,
}

impl Writer<'_> {
    fn write(&mut self, batches: Vec<Batch>, flushes: Vec<Sender<Result<(), StoreError>>>) {
        let run = |batch: &Batch| batch.of().map(|(run, _)| run.clone());
        let known = batches
            .iter()
            .enumerate()
            .filter_map(|(place, batch)| Some((place, self.broken.get(&*run(batch)?)?.clone())));
        let known = known.collect();
        let result = match batches.is_empty() {
            true => Ok(known),
            false => write::commit(&mut self.connection, &batches, known),
        };
        self.written += batches.len() as u64;
        if result.is_ok() {
            let mut queued = lock(self.queued);
            queued.contents.retain(|_, (batch, _)| *batch > self.written);
            queued.cache.retain(|_, (batch, _)| *batch > self.written);
        }
        for (place, batch) in batches.into_iter().enumerate() {
            let error = match &result {
                Ok(refused) => refused.get(&place),
                Err(error) => Some(error),
            };
            if let (Some(error), Some(run)) = (error, run(&batch)) {
                self.broken.entry(run.to_string()).or_insert_with(|| error.clone());
            }
            if let Some(then) = batch.then {
                then(error.map_or(Ok(batch.events), |error| Err(error.clone())));
            }
        }
        for answer in flushes {
            let _ = answer.send(result.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }
}

fn lock(queued: &Mutex<Queued>) -> MutexGuard<'_, Queued> {
    queued.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells a damaged file apart from one that cannot be reached.
fn failure(error: rusqlite::Error, otherwise: impl FnOnce(String) -> StoreError) -> StoreError {
    use rusqlite::{Error, ErrorCode};
    match error {
        // The statements are ours: the tables are no longer what they were written for.
        Error::SqlInputError { msg, .. } => StoreError::Damaged { reason: msg },
        // Likewise what stands in them.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreError::Damaged { reason: error.to_string() },
        error => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { reason: error.to_string() }
            }
            Some(ErrorCode::DiskFull) => StoreError::Full { reason: error.to_string() },
            Some(ErrorCode::DatabaseBusy) => StoreError::Busy,
            _ => otherwise(error.to_string()),
        },
    }
}
