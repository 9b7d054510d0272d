//! The store in one SQLite file: a thread that writes, a connection that reads.
//!
//! [`schema`] is the file's tables, [`write`] puts a batch into them, [`read`] asks them.

mod read;
mod schema;
mod write;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use flow_ir::hash::Hash;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::{Batch, FileStamp, NodeRow, RunRow, Store, StoreError};
use crate::{
    artifact::{Reference, SmallContents},
    event::Event,
};

/// A batch waits no longer than this for others to share its transaction.
const WINDOW: Duration = Duration::from_millis(50);

/// Nor for more events than this.
const EVENTS: usize = 4096;

pub struct SqliteStore {
    writer: Sender<Message>,
    thread: Option<JoinHandle<()>>,
    reader: Mutex<Connection>,
    queued: Arc<Mutex<Queued>>,
}

enum Message {
    Append(Box<Batch>),
    Flush(Sender<Result<(), StoreError>>),
    Claim(String, Sender<Result<u32, StoreError>>),
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
        let (writer, messages) = mpsc::channel();
        let shared = queued.clone();
        let thread = std::thread::Builder::new()
            .name("flow-store".to_owned())
            .spawn(move || write_all(writing, &messages, &shared))
            .map_err(|error| StoreError::Open {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?;
        Ok(Self { writer, thread: Some(thread), reader, queued })
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
        self.writer.send(message(answer)).map_err(|_| gone())?;
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
        if let Err(mpsc::SendError(Message::Append(batch))) =
            self.writer.send(Message::Append(Box::new(batch)))
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
        read::events(&self.reader(), run)
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
        // The writer ends when all senders are gone, after what was queued.
        self.writer = mpsc::channel().0;
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
fn write_all(mut connection: Connection, messages: &Receiver<Message>, queued: &Mutex<Queued>) {
    let mut written = 0;
    while let Ok(message) = messages.recv() {
        let mut batches = Vec::new();
        let mut answers = Vec::new();
        let mut events = 0;
        let mut is_urgent = false;
        let mut next = Some(message);
        let deadline = Instant::now() + WINDOW;
        while let Some(message) = next {
            match message {
                Message::Append(batch) => {
                    events += batch.events.len();
                    is_urgent |= batch.is_urgent;
                    batches.push(*batch);
                }
                Message::Flush(answer) => {
                    is_urgent = true;
                    answers.push(answer);
                }
                Message::Claim(run, answer) => {
                    let _ = answer.send(write::claim(&mut connection, &run));
                }
            }
            let wait = match is_urgent {
                true => Duration::ZERO,
                false => deadline.saturating_duration_since(Instant::now()),
            };
            next = if events < EVENTS { messages.recv_timeout(wait).ok() } else { None };
        }
        finish(&mut connection, batches, answers, &mut written, queued);
    }
}

fn finish(
    connection: &mut Connection,
    batches: Vec<Batch>,
    answers: Vec<Sender<Result<(), StoreError>>>,
    written: &mut u64,
    queued: &Mutex<Queued>,
) {
    let result = if batches.is_empty() { Ok(()) } else { write::commit(connection, &batches) };
    *written += batches.len() as u64;
    if result.is_ok() {
        let mut queued = lock(queued);
        queued.contents.retain(|_, (batch, _)| *batch > *written);
        queued.cache.retain(|_, (batch, _)| *batch > *written);
    }
    for batch in batches {
        if let Some(then) = batch.then {
            then(result.clone().map(|()| batch.events));
        }
    }
    for answer in answers {
        let _ = answer.send(result.clone());
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
        error => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { reason: error.to_string() }
            }
            _ => otherwise(error.to_string()),
        },
    }
}
