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

use flow_ir::hash::Hash;
use rustc_hash::FxHashMap;

use super::{
    job::Job,
    prepare::FileHash,
    turns::{Jobs, Work},
    world::{Message, World},
};
use crate::{
    act::{Cancel, NativeContext, Notes, Throttle, Workers},
    artifact::{ArtifactError, Artifacts, Content},
    event::Broadcast,
    folder::RunFolder,
    operator::Budget,
    store::{FileStamp, Store},
};

pub struct Threads {
    outbox: Sender<Message>,
    jobs: Arc<Jobs>,
    /// Stands before what hashes files, so that it stops when the run is over.
    hashing: Hashing,
    /// Syncs large artifacts and hashes files, so that workers need not wait for the disk.
    disk: Workers,
    artifacts: Artifacts,
    /// Where operators write what is too large for memory.
    scratch: Arc<Path>,
    /// For the files of this run.
    folder: RunFolder,
    broadcast: Broadcast,
    cancel: Cancel,
    /// The operators that run, and how to stop them.
    running: FxHashMap<(u32, u32), Arc<AtomicBool>>,
    clock: Clock,
}

/// Where the run hears of what happens elsewhere than on its workers.
pub struct Inbox {
    messages: Receiver<Message>,
    commands: Commands,
    clock: Clock,
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

/// Says when it is dropped that nobody wants hashes any more.
#[derive(Default)]
struct Hashing(Arc<AtomicBool>);

/// A file that ends in an error once nobody wants the rest.
struct Interruptible<'a>(fs::File, &'a AtomicBool);

/// When this began, by both clocks: the one that tells the time may be set while a run goes on.
#[derive(Clone, Copy)]
struct Clock(i64, Instant);

/// How long a command may go unread.
const UNREAD: Duration = Duration::from_millis(50);

/// A file changed within this time may change again without its stamp telling.
const SETTLED: Duration = Duration::from_secs(2);

impl Threads {
    pub fn new(
        artifacts: Artifacts,
        folder: RunFolder,
        broadcast: Broadcast,
        commands: Commands,
        cancel: &Cancel,
    ) -> (Self, Inbox) {
        let (outbox, messages) = mpsc::channel();
        let canceller = outbox.clone();
        cancel.listen(move || {
            let _ = canceller.send(Message::Cancel);
        });
        let clock = Clock::new();
        let threads = Self {
            outbox,
            jobs: Arc::default(),
            hashing: Hashing::default(),
            disk: Workers::new(2),
            scratch: artifacts.folder().into(),
            artifacts,
            folder,
            broadcast,
            cancel: cancel.clone(),
            running: FxHashMap::default(),
            clock,
        };
        (threads, Inbox { messages, commands, clock })
    }

    /// What was launched.
    pub(super) fn jobs(&self) -> Arc<Jobs> {
        self.jobs.clone()
    }

    /// An operator has answered.
    pub(super) fn ended(&mut self, node: u32, attempt: u32) {
        self.running.remove(&(node, attempt));
    }

    /// Asks all that runs to stop.
    pub(super) fn stop_all(&self) {
        for cancelled in self.running.values() {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl Inbox {
    /// Waits until something has happened, or until the time `until`; adds all that has to `messages`.
    pub(super) fn receive(&mut self, until: Option<i64>, messages: &mut Vec<Message>) {
        let due = until.map(|until| {
            let wait = u64::try_from(until.saturating_sub(self.clock.now())).unwrap_or_default();
            Instant::now() + Duration::from_micros(wait)
        });
        loop {
            let now = Instant::now();
            if now >= self.commands.due {
                self.commands.read(now, messages);
            }
            if !messages.is_empty() || due.is_some_and(|due| due <= now) {
                break;
            }
            let wake = due.map_or(self.commands.due, |due| due.min(self.commands.due));
            messages.extend(self.messages.recv_timeout(wake.saturating_duration_since(now)).ok());
        }
        messages.extend(self.messages.try_iter());
    }
}

impl Clock {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(now.as_micros()).unwrap_or(i64::MAX), Instant::now())
    }

    fn now(self) -> i64 {
        let Self(time, instant) = self;
        time.saturating_add(i64::try_from(instant.elapsed().as_micros()).unwrap_or(i64::MAX))
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

impl Drop for Hashing {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl io::Read for Interruptible<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => self.0.read(buffer),
        }
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").field("commands", &self.commands).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commands").field("run", &self.run).finish_non_exhaustive()
    }
}

impl World for Threads {
    fn now(&self) -> i64 {
        self.clock.now()
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
            budget: Budget::new(job.memory),
            scratch: self.scratch.clone(),
            gpus: job.gpus.clone(),
            is_personal: job.shows_personal(),
            cancelled,
            cancel: self.cancel.clone(),
            deadline: job.limit().map(|limit| Instant::now() + limit),
            broadcast: self.broadcast.clone(),
            progress: Throttle::default(),
            notes: Notes::new(self.folder.node(&job.identity.node), attempt),
        };
        self.jobs.push(Work { job, context });
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

    fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    fn hash_files(&mut self, paths: Vec<String>) {
        let outbox = self.outbox.clone();
        let unreadable = paths.clone();
        let is_over = self.hashing.0.clone();
        let work = move || {
            let hashed = paths.into_iter().map(|path| {
                let hash = hash_path(Path::new(&path), &is_over).unwrap_or(FileHash::Unknown);
                (path, hash)
            });
            let _ = outbox.send(Message::Hashed(hashed.collect()));
        };
        if self.disk.submit(work).is_err() {
            let unknown = unreadable.into_iter().map(|path| (path, FileHash::Unknown));
            let _ = self.outbox.send(Message::Hashed(unknown.collect()));
        }
    }

    fn stamp(&self, path: &str) -> Option<FileStamp> {
        FileStamp::of(Path::new(path))
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("running", &self.running.keys()).finish_non_exhaustive()
    }
}

/// The hash of a file's content, or of a folder's files with their names.
fn hash_path(path: &Path, is_over: &AtomicBool) -> io::Result<FileHash> {
    let kind = fs::metadata(path)?;
    if !kind.is_dir() && !kind.is_file() {
        // A pipe or a device may never end.
        return Ok(FileHash::Unknown);
    }
    if kind.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut hasher = blake3::Hasher::new();
        for entry in entries {
            let FileHash::Content(hash, _) = hash_path(&entry.path(), is_over)? else {
                return Ok(FileHash::Unknown);
            };
            let name = entry.file_name();
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_encoded_bytes());
            hasher.update(&hash.0);
        }
        return Ok(FileHash::Content(Hash(*hasher.finalize().as_bytes()), None));
    }
    let before = FileStamp::of(path);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(Interruptible(fs::File::open(path)?, is_over))?;
    let settled = |stamp: &FileStamp| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(stamp.modified)
            .is_ok_and(|modified| now.saturating_sub(Duration::from_nanos(modified)) > SETTLED)
    };
    let stamp = before.filter(|before| settled(before) && FileStamp::of(path) == Some(*before));
    Ok(FileHash::Content(Hash(*hasher.finalize().as_bytes()), stamp))
}
