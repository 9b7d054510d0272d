//! The world in production: threads, the clock, the disk.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_ir::{hash::Hash, node::Port};
use rustc_hash::FxHashMap;

use super::{
    job::Job,
    prepare::FileHash,
    world::{Message, World},
};
use crate::{
    act::{Cancel, NativeContext, Notes, Pool, Throttle},
    artifact::{ArtifactError, Artifacts, Content, Encoded, Reference},
    event::Broadcast,
    folder::RunFolder,
    operator::Datum,
    store::{FileStamp, Store},
    task::{Failure, finish},
};

pub struct Threads {
    inbox: Receiver<Message>,
    outbox: Sender<Message>,
    workers: Pool,
    /// Syncs large artifacts, so that workers need not wait for the disk.
    disk: Pool,
    artifacts: Artifacts,
    /// For the files of this run.
    folder: RunFolder,
    broadcast: Broadcast,
    commands: Commands,
    /// The operators that run, and how to stop them.
    running: FxHashMap<(u32, u32), Arc<AtomicBool>>,
    /// When this began, by both clocks: the one that tells the time may be set while a run goes on.
    began: (i64, Instant),
}

/// What other processes want of the run.
pub struct Commands {
    store: Arc<dyn Store>,
    run: Arc<str>,
    /// Of the last one that was told.
    last: i64,
    /// When to look for more.
    due: Instant,
}

/// How long a command may go unread.
const UNREAD: Duration = Duration::from_millis(50);

/// A file changed within this time may change again without its stamp telling.
const SETTLED: Duration = Duration::from_secs(2);

impl Threads {
    pub fn new(
        workers: usize,
        artifacts: Artifacts,
        folder: RunFolder,
        broadcast: Broadcast,
        commands: Commands,
        cancel: &Cancel,
    ) -> Self {
        let (outbox, inbox) = mpsc::channel();
        let canceller = outbox.clone();
        cancel.listen(move || {
            let _ = canceller.send(Message::Cancel);
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            inbox,
            outbox,
            workers: Pool::new(workers),
            disk: Pool::new(2),
            artifacts,
            folder,
            broadcast,
            commands,
            running: FxHashMap::default(),
            began: (i64::try_from(now.as_micros()).unwrap_or(i64::MAX), Instant::now()),
        }
    }
}

impl Commands {
    pub fn new(store: Arc<dyn Store>, run: Arc<str>) -> Self {
        Self { store, run, last: 0, due: Instant::now() + UNREAD }
    }

    fn read(&mut self, now: Instant, messages: &mut Vec<Message>) {
        self.due = now + UNREAD;
        // What cannot be read now is there in 50 ms; a store that is broken is noticed by those who write to it.
        for command in self.store.commands(&self.run, self.last).unwrap_or_default() {
            self.last = command.id;
            messages.push(Message::Command(command));
        }
    }
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commands").field("run", &self.run).finish_non_exhaustive()
    }
}

impl World for Threads {
    fn now(&self) -> i64 {
        let (time, instant) = self.began;
        time.saturating_add(i64::try_from(instant.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    fn receive(&mut self, until: Option<i64>, messages: &mut Vec<Message>) {
        let due = until.map(|until| {
            let wait = u64::try_from(until.saturating_sub(self.now())).unwrap_or_default();
            Instant::now() + Duration::from_micros(wait)
        });
        let first = loop {
            let now = Instant::now();
            if now >= self.commands.due {
                self.commands.read(now, messages);
            }
            if !messages.is_empty() || due.is_some_and(|due| due <= now) {
                break None;
            }
            let wake = due.map_or(self.commands.due, |due| due.min(self.commands.due));
            if let Ok(message) = self.inbox.recv_timeout(wake.saturating_duration_since(now)) {
                break Some(message);
            }
        };
        for message in first.into_iter().chain(self.inbox.try_iter()) {
            if let Message::Done { node, attempt, .. } = &message {
                self.running.remove(&(*node, *attempt));
            }
            messages.push(message);
        }
    }

    fn outbox(&self) -> Sender<Message> {
        self.outbox.clone()
    }

    fn launch(&mut self, job: Job) {
        let (node, attempt) = (job.node, job.identity.attempt);
        let cancelled = Arc::new(AtomicBool::new(false));
        self.running.insert((node, attempt), cancelled.clone());
        let context = NativeContext {
            node: job.identity.node.clone(),
            attempt,
            threads: job.threads,
            memory: job.memory,
            gpus: job.gpus.clone(),
            cancelled,
            deadline: job.limit().map(|limit| Instant::now() + limit),
            broadcast: self.broadcast.clone(),
            progress: Throttle::default(),
            notes: Notes::new(self.folder.node(&job.identity.node), attempt),
        };
        let (artifacts, outbox) = (self.artifacts.clone(), self.outbox.clone());
        let work = move || {
            let mut result = job.run(&artifacts, &context);
            if result.as_ref().is_err_and(|failure| *failure == Failure::Cancelled)
                && !context.cancelled.load(Ordering::Relaxed)
                && context.is_past_deadline()
            {
                let seconds = job.limit().unwrap_or_default().as_secs_f64().to_string();
                result = Err(Failure::TimedOut { seconds });
            }
            if let Ok(executed) = &mut result {
                (executed.metrics, executed.usage) = context.notes.take();
            }
            let _ = outbox.send(Message::Done { node, attempt, result });
        };
        if let Err(error) = self.workers.submit(work) {
            let result = Err(Failure::operator(format!("no thread can be started: {error}")));
            let _ = self.outbox.send(Message::Done { node, attempt, result });
        }
    }

    fn stop(&mut self, node: u32, attempt: u32) {
        if let Some(cancelled) = self.running.get(&(node, attempt)) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    fn publish(&mut self, node: u32, attempt: u32, contents: Vec<Content>) {
        let Some(hash) = contents.first().map(Content::hash) else { return };
        let (artifacts, outbox) = (self.artifacts.clone(), self.outbox.clone());
        let work = move || {
            let result = contents.into_iter().try_for_each(|content| artifacts.publish(content));
            let _ = outbox.send(Message::Stored { node, attempt, result });
        };
        if let Err(error) = self.disk.submit(work) {
            let reason = format!("no thread can be started: {error}");
            let result = Err(ArtifactError::Write { hash, reason });
            let _ = self.outbox.send(Message::Stored { node, attempt, result });
        }
    }

    fn hash_files(&mut self, paths: Vec<String>) {
        let outbox = self.outbox.clone();
        let unreadable = paths.clone();
        let work = move || {
            let hashed = paths.into_iter().map(|path| {
                let hash = hash_path(Path::new(&path)).unwrap_or(FileHash::Unknown);
                (path, hash)
            });
            let _ = outbox.send(Message::Hashed(hashed.collect()));
        };
        if self.workers.submit(work).is_err() {
            let unknown = unreadable.into_iter().map(|path| (path, FileHash::Unknown));
            let _ = self.outbox.send(Message::Hashed(unknown.collect()));
        }
    }

    fn stamp(&self, path: &str) -> Option<FileStamp> {
        FileStamp::of(Path::new(path))
    }

    fn encode(&self, op: &str, outputs: Vec<Datum>, ports: &[Port]) -> Result<Vec<Encoded>, Failure> {
        finish(op, outputs, ports, self.artifacts.folder())
    }

    fn load(&self, reference: &Reference) -> Result<Datum, ArtifactError> {
        self.artifacts.load(reference)
    }

    fn is_there(&self, reference: &Reference) -> bool {
        self.artifacts.is_there(reference).unwrap_or_default()
    }

    fn remove(&mut self, hash: Hash) -> io::Result<()> {
        self.artifacts.remove(hash)
    }
}

impl Drop for Threads {
    /// What still runs when a run is given up is stopped; the pools wait for it.
    fn drop(&mut self) {
        for cancelled in self.running.values() {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("running", &self.running.keys()).finish_non_exhaustive()
    }
}

/// The hash of a file's content, or of a folder's files with their names.
fn hash_path(path: &Path) -> io::Result<FileHash> {
    if fs::metadata(path)?.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut hasher = blake3::Hasher::new();
        for entry in entries {
            let FileHash::Content(hash, _) = hash_path(&entry.path())? else { return Ok(FileHash::Unknown) };
            let name = entry.file_name();
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_encoded_bytes());
            hasher.update(&hash.0);
        }
        return Ok(FileHash::Content(Hash(*hasher.finalize().as_bytes()), None));
    }
    let before = FileStamp::of(path);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    let settled = |stamp: &FileStamp| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(stamp.modified)
            .is_ok_and(|modified| now.saturating_sub(Duration::from_nanos(modified)) > SETTLED)
    };
    let stamp = before.filter(|before| settled(before) && FileStamp::of(path) == Some(*before));
    Ok(FileHash::Content(Hash(*hasher.finalize().as_bytes()), stamp))
}
