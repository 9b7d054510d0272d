//! Fork and join over a list of work items.

use std::{
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
};

use flow_runtime::cpu;

/// Rows of one work item, where an item is a block of rows.
pub(super) const ROW_BLOCK: usize = 1 << 16;

/// Threads to share work among, and whether anybody still wants what comes of it.
#[derive(Clone, Copy)]
pub struct Workers<'a> {
    pub threads: usize,
    is_stopped: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl<'a> Workers<'a> {
    /// Once `is_stopped` says so, which is for good, work is left undone: the caller must ask before it uses it.
    pub fn new(threads: usize, is_stopped: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { threads: threads.max(1), is_stopped: Some(is_stopped) }
    }

    pub fn is_stopped(self) -> bool {
        self.is_stopped.is_some_and(|is_stopped| is_stopped())
    }

    /// One thread alone where there is little to do.
    pub(super) fn one_if(self, is_little: bool) -> Self {
        Self { threads: if is_little { 1 } else { self.threads }, ..self }
    }

    pub(super) fn with(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }
}

/// That many threads, whose work is always wanted.
impl From<usize> for Workers<'_> {
    fn from(threads: usize) -> Self {
        Self { threads: threads.max(1), is_stopped: None }
    }
}

impl std::fmt::Debug for Workers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Calls `work` once for each item on at most so many threads, this one among them, and returns when all are done.
/// Items that nobody wants any more are passed over.
/// Which thread takes which item is left to chance, so results must not depend on it. Starting a thread costs some
/// 20 µs: callers with less to do take one.
pub(super) fn for_each<T: Send>(workers: Workers<'_>, items: Vec<T>, work: impl Fn(T) + Sync) {
    let others = workers.threads.min(items.len()).saturating_sub(1);
    if others == 0 {
        for item in items {
            if workers.is_stopped() {
                return;
            }
            work(item);
        }
        return;
    }
    let queue = Mutex::new(items.into_iter());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || {
        while !workers.is_stopped()
            && let Some(item) = take()
        {
            work(item);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(|| cpu::measured(drain).1)).collect();
        drain();
        for other in others {
            match other.join() {
                Ok(taken) => cpu::add(taken),
                Err(panic) => resume_unwind(panic),
            }
        }
    });
}
