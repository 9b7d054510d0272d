//! Fork and join over a list of work items.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rows of one work item, where an item is a block of rows.
pub(super) const ROW_BLOCK: usize = 1 << 16;

/// Calls `work` once for each item on at most `threads` threads, this one among them, and returns when all are done.
/// Which thread takes which item is left to chance, so results must not depend on it. Starting a thread costs some
/// 20 µs: callers with less to do pass `threads = 1`.
pub(super) fn for_each<T: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) + Sync) {
    let others = threads.min(items.len()).saturating_sub(1);
    if others == 0 {
        items.into_iter().for_each(work);
        return;
    }
    let queue = Mutex::new(items.into_iter());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || {
        while let Some(item) = take() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 0..others {
            scope.spawn(drain);
        }
        drain();
    });
}
