//! Asking for many answers at once.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::Analysis;

/// What a main thread has, too: bodies nest.
const STACK: usize = 8 << 20;

/// One answer for each subject, in their order, whatever the number of threads. With fewer subjects than `least_work`
/// for each thread, starting it costs more than it saves.
pub(crate) fn in_parallel<S: Sync, T: Send>(
    analysis: &Analysis,
    subjects: &[S],
    least_work: usize,
    ask: impl Fn(&Analysis, &S) -> T + Sync,
) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(subjects.len() / least_work.max(1)).saturating_sub(1);
    let next = AtomicUsize::new(0);
    let work = |analysis: &Analysis| {
        let _stop = StopAll(&next);
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(subject) = subjects.get(index) else { return answers };
            answers.push((index, ask(analysis, subject)));
        }
    };
    let mut answers = thread::scope(|scope| {
        let start = |_| {
            let (handle, work) = (analysis.handle(), &work);
            // Where the system gives no thread, those that there are do its share.
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || work(&handle)).ok()
        };
        let threads: Vec<_> = (0..threads).filter_map(start).collect();
        let mut answers = work(analysis);
        for thread in threads {
            answers.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        answers
    });
    answers.sort_unstable_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Leaves no subject for the other threads, once one has none or was interrupted.
struct StopAll<'n>(&'n AtomicUsize);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        self.0.store(usize::MAX / 2, Ordering::Relaxed);
    }
}
