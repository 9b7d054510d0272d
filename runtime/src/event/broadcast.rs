//! Tells subscribers, each from a thread of its own, so that a slow one delays neither the run nor the others.
//!
//! What waits for a subscriber is bounded. Of progress and metrics only the latest waits; of logs the last
//! [`LINES`]. Events are never left out: past [`EVENTS`] of them the rest is read back from the store, where
//! they are durable, as soon as the subscriber comes to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::{Beginning, Event, Subscriber};

/// Events that may wait in memory for one subscriber: some 20 MiB at worst.
const EVENTS: usize = 65_536;

/// Lines of logs that may wait for one subscriber, and the bytes of one line that are told.
const LINES: usize = 1_000;
const LINE_BYTES: usize = 4_096;

/// Events read back at once.
const PAGE: usize = 4_096;

/// Reads back the events after a number, at most so many; none where the store fails.
pub type Backlog = Arc<dyn Fn(u64, usize) -> Option<Vec<Event>> + Send + Sync>;

/// The subscribers of one run.
#[derive(Clone, Default)]
pub struct Broadcast {
    outlets: Arc<[Arc<Outlet>]>,
}

/// A subscriber that did not hear all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    pub subscriber: String,
    pub events: u64,
}

struct Outlet {
    subscriber: Arc<dyn Subscriber>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Arc<[Event]>>,
    /// In `events`.
    count: usize,
    /// The number of the last event there is.
    last: u64,
    /// Events after those in the queue are in the store alone.
    is_behind: bool,
    aside: Aside,
    /// The number of the last event that the subscriber has taken.
    taken: u64,
    is_closed: bool,
    has_ended: bool,
}

/// What is told beside the events.
#[derive(Default)]
struct Aside {
    progress: FxHashMap<Arc<str>, (u64, u64)>,
    metrics: Vec<(Arc<str>, String, f64)>,
    memory: FxHashMap<Arc<str>, u64>,
    logs: VecDeque<(Arc<str>, String)>,
    logs_missed: u64,
    notes: Vec<String>,
}

impl Broadcast {
    /// Starts a thread for each subscriber. `last` is the number of the last event that they need not hear.
    pub fn new(
        subscribers: &[Arc<dyn Subscriber>],
        beginning: &Beginning,
        last: u64,
        backlog: &Backlog,
    ) -> Self {
        let outlets = subscribers.iter().map(|subscriber| {
            let waiting = Waiting { last, taken: last, ..Waiting::default() };
            let outlet = Arc::new(Outlet {
                subscriber: subscriber.clone(),
                waiting: Mutex::new(waiting),
                changed: Condvar::new(),
                ended: Condvar::new(),
            });
            let (teller, beginning, backlog) = (outlet.clone(), beginning.clone(), backlog.clone());
            let thread = std::thread::Builder::new().name("flow-subscriber".to_owned());
            if thread.spawn(move || teller.tell(&beginning, &backlog)).is_err() {
                // It hears nothing, as is said at the end.
                outlet.lock().has_ended = true;
            }
            outlet
        });
        Self { outlets: outlets.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.outlets.is_empty()
    }

    /// Events that are durable, in their order.
    pub fn publish(&self, events: Vec<Event>) {
        let Some(last) = events.last().map(|event| event.seq).filter(|_| !self.is_empty()) else { return };
        let events: Arc<[Event]> = events.into();
        for outlet in self.outlets.iter() {
            let mut waiting = outlet.lock();
            waiting.last = last;
            waiting.is_behind |= waiting.count >= EVENTS;
            if !waiting.is_behind {
                waiting.count += events.len();
                waiting.events.push_back(events.clone());
            }
            outlet.changed.notify_one();
        }
    }

    pub fn progress(&self, node: &Arc<str>, done: u64, total: u64) {
        self.aside(|aside| {
            aside.progress.insert(node.clone(), (done, total));
        });
    }

    pub fn metric(&self, node: &Arc<str>, name: &str, value: f64) {
        self.aside(|aside| {
            let known = aside.metrics.iter_mut().find(|(of, known, _)| of == node && known == name);
            match known {
                Some((_, _, known)) => *known = value,
                None => aside.metrics.push((node.clone(), name.to_owned(), value)),
            }
        });
    }

    pub fn memory(&self, node: &Arc<str>, bytes: u64) {
        self.aside(|aside| {
            aside.memory.insert(node.clone(), bytes);
        });
    }

    pub fn log(&self, node: &Arc<str>, line: &str) {
        self.aside(|aside| {
            if aside.logs.len() == LINES {
                aside.logs.pop_front();
                aside.logs_missed += 1;
            }
            aside.logs.push_back((node.clone(), shortened(line)));
        });
    }

    /// Says each thing once; whoever says it sees to that.
    pub fn note(&self, line: &str) {
        self.aside(|aside| aside.notes.push(shortened(line)));
    }

    /// Waits until everybody has heard all, but no longer than `patience` for one that takes nothing meanwhile.
    /// Those that are left behind then hear no more.
    pub fn close(&self, patience: Duration) -> Vec<Undelivered> {
        for outlet in self.outlets.iter() {
            outlet.lock().is_closed = true;
            outlet.changed.notify_one();
        }
        self.outlets.iter().filter_map(|outlet| outlet.wait(patience)).collect()
    }

    fn aside(&self, add: impl Fn(&mut Aside)) {
        for outlet in self.outlets.iter() {
            let mut waiting = outlet.lock();
            if !waiting.has_ended {
                add(&mut waiting.aside);
                outlet.changed.notify_one();
            }
        }
    }
}

impl Outlet {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The subscriber's thread.
    fn tell(&self, beginning: &Beginning, backlog: &Backlog) {
        let _end = EndsOnDrop(self);
        self.subscriber.begin(beginning);
        loop {
            let mut waiting = self.lock();
            while waiting.is_idle() && !waiting.is_closed {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.is_idle() {
                break;
            }
            let events = std::mem::take(&mut waiting.events);
            let aside = std::mem::take(&mut waiting.aside);
            waiting.count = 0;
            let (is_behind, taken) = (waiting.is_behind, waiting.taken);
            drop(waiting);
            for event in events.iter().flat_map(|events| events.iter()) {
                self.give(event);
            }
            self.give_aside(aside);
            if is_behind && events.is_empty() && !self.catch_up(taken, backlog) {
                return;
            }
        }
        self.subscriber.end();
    }

    fn give(&self, event: &Event) {
        self.subscriber.event(event);
        self.lock().taken = event.seq;
    }

    fn give_aside(&self, aside: Aside) {
        for (node, name, value) in &aside.metrics {
            self.subscriber.metric(node, name, *value);
        }
        for (node, (done, total)) in &aside.progress {
            self.subscriber.progress(node, *done, *total);
        }
        for line in &aside.notes {
            self.subscriber.note(line);
        }
        for (node, bytes) in &aside.memory {
            self.subscriber.memory(node, *bytes);
        }
        if aside.logs_missed > 0 {
            self.subscriber.logs_missed(aside.logs_missed);
        }
        for (node, line) in &aside.logs {
            self.subscriber.log(node, line);
        }
    }

    /// Tells a page of what is in the store alone; false where it cannot be read.
    fn catch_up(&self, taken: u64, backlog: &Backlog) -> bool {
        let Some(events) = backlog(taken, PAGE) else { return false };
        for event in &events {
            self.give(event);
        }
        let mut waiting = self.lock();
        waiting.is_behind = waiting.taken < waiting.last;
        !(waiting.is_behind && events.is_empty())
    }

    fn wait(&self, patience: Duration) -> Option<Undelivered> {
        let mut waiting = self.lock();
        let (mut taken, mut since) = (waiting.taken, Instant::now());
        while !waiting.has_ended {
            if waiting.taken != taken {
                (taken, since) = (waiting.taken, Instant::now());
            }
            let left = patience.checked_sub(since.elapsed()).filter(|left| !left.is_zero());
            let Some(left) = left else { break };
            (waiting, _) = self.ended.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
        }
        let events = waiting.last - waiting.taken.min(waiting.last);
        let is_left = events > 0 || !waiting.has_ended;
        is_left.then(|| Undelivered { subscriber: self.subscriber.name(), events })
    }
}

impl Waiting {
    fn is_idle(&self) -> bool {
        self.events.is_empty() && !self.is_behind && self.aside.is_empty()
    }
}

impl Aside {
    fn is_empty(&self) -> bool {
        let Self { progress, metrics, memory, logs, logs_missed, notes } = self;
        progress.is_empty()
            && metrics.is_empty()
            && memory.is_empty()
            && logs.is_empty()
            && *logs_missed == 0
            && notes.is_empty()
    }
}

/// Says that the thread has ended, even where the subscriber panics.
struct EndsOnDrop<'a>(&'a Outlet);

impl Drop for EndsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.ended.notify_all();
    }
}

/// The beginning of a line that is too long to be told; its file has it whole.
fn shortened(line: &str) -> String {
    if line.len() <= LINE_BYTES {
        return line.to_owned();
    }
    let end = line.floor_char_boundary(LINE_BYTES);
    format!("{}… {} bytes more", line.get(..end).unwrap_or_default(), line.len() - end)
}

impl std::fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broadcast").field("subscribers", &self.outlets.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
