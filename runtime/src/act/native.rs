//! Operators in this process: threads that take jobs in turn, and what an operator sees of its surroundings.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{Cancel, Notes};
use crate::{
    event::Broadcast,
    folder::AttemptFolder,
    operator::{Budget, Context, OperatorError, Reservation, Usage},
};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that run jobs in the order they come; started when the first one does.
pub struct Workers {
    queue: Arc<Queue>,
    size: usize,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Workers {
    pub fn new(size: usize) -> Self {
        Self { queue: Arc::default(), size: size.max(1), threads: Vec::new() }
    }

    /// Queues a job.
    ///
    /// # Errors
    /// When no thread can be started at all.
    pub fn submit(&mut self, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        while self.threads.len() < self.size {
            let queue = self.queue.clone();
            let thread =
                std::thread::Builder::new().name("flow-worker".to_owned()).spawn(move || queue.work());
            match thread {
                Ok(thread) => self.threads.push(thread),
                Err(error) if self.threads.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        self.queue.lock().jobs.push_back(Box::new(job));
        self.queue.changed.notify_one();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            let job = loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.is_closed {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            job();
        }
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("size", &self.size).finish_non_exhaustive()
    }
}

/// An operator's surroundings while it runs in this process.
pub struct NativeContext {
    pub node: Arc<str>,
    pub attempt: u32,
    pub threads: usize,
    pub memory: u64,
    pub budget: Arc<Budget>,
    /// Where large results are written.
    pub scratch: Arc<Path>,
    pub gpus: Vec<u32>,
    /// Whether what it writes may have personal data in it.
    pub is_personal: bool,
    pub cancelled: Arc<AtomicBool>,
    /// Of the whole run.
    pub cancel: Cancel,
    pub deadline: Option<Instant>,
    pub broadcast: Broadcast,
    pub progress: Throttle,
    pub notes: Notes,
}

/// Lets something through a few times a second.
#[derive(Debug)]
pub struct Throttle {
    since: Instant,
    /// Milliseconds after `since`.
    next: AtomicU64,
}

/// Between two reports of progress.
const INTERVAL: Duration = Duration::from_millis(100);

impl Default for Throttle {
    fn default() -> Self {
        Self { since: Instant::now(), next: AtomicU64::new(0) }
    }
}

impl Throttle {
    fn is_open(&self) -> bool {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let interval = u64::try_from(INTERVAL.as_millis()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        now >= next
            && self.next.compare_exchange(next, now + interval, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl NativeContext {
    pub fn is_past_deadline(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Context for NativeContext {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.is_past_deadline()
    }

    fn is_personal(&self) -> bool {
        self.is_personal
    }

    fn is_hurried(&self) -> bool {
        self.cancel.is_hurried()
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn reserve(&self, op: &str, what: &str, bytes: u64) -> Result<Reservation, OperatorError> {
        self.budget.reserve(op, what, bytes)
    }

    fn scratch(&self) -> Option<&Path> {
        Some(&self.scratch)
    }

    fn gpus(&self) -> &[u32] {
        &self.gpus
    }

    fn progress(&self, done: u64, total: u64) {
        if !self.broadcast.is_empty() && (done == total || self.progress.is_open()) {
            self.broadcast.progress(&self.node, done, total);
        }
    }

    fn log(&self, line: &str) {
        self.notes.log(line);
        self.output(line);
    }

    fn metric(&self, name: &str, value: f64) {
        self.notes.metric(name, value);
        self.broadcast.metric(&self.node, name, value);
    }

    fn folder(&self) -> Option<&AttemptFolder> {
        self.notes.folder()
    }

    fn checkpoint(&self) -> Option<&Path> {
        self.notes.checkpoint()
    }

    fn output(&self, line: &str) {
        if !self.is_personal {
            self.broadcast.log(&self.node, line);
        }
    }

    fn holds(&self, bytes: u64) {
        self.broadcast.memory(&self.node, bytes);
    }

    fn used(&self, usage: Usage) {
        self.notes.used(usage);
    }
}

impl std::fmt::Debug for NativeContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NativeContext").field("node", &self.node).finish_non_exhaustive()
    }
}
