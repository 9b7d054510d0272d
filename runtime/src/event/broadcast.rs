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
mod tests {
    use std::sync::mpsc;

    use flow_ir::dag::Dag;
    use serde_json::Value as Json;

    use super::*;
    use crate::{event::Kind, store::Durations};

    /// Passes on what it hears; waits for `gate` before each event, where there is one.
    struct Ear {
        heard: Mutex<Vec<String>>,
        gate: Option<Mutex<mpsc::Receiver<()>>>,
    }

    impl Ear {
        fn new(gate: Option<mpsc::Receiver<()>>) -> Arc<Self> {
            Arc::new(Self { heard: Mutex::default(), gate: gate.map(Mutex::new) })
        }

        fn hear(&self, what: String) {
            self.heard.lock().unwrap().push(what);
        }

        fn heard(&self) -> Vec<String> {
            self.heard.lock().unwrap().clone()
        }
    }

    impl Subscriber for Ear {
        fn name(&self) -> String {
            "an ear".to_owned()
        }

        fn begin(&self, beginning: &Beginning) {
            self.hear(format!("begin {}", beginning.run));
        }

        fn event(&self, event: &Event) {
            if let Some(gate) = &self.gate {
                let _ = gate.lock().unwrap().recv();
            }
            self.hear(event.seq.to_string());
        }

        fn progress(&self, node: &str, done: u64, total: u64) {
            self.hear(format!("{node} {done}/{total}"));
        }

        fn metric(&self, node: &str, name: &str, value: f64) {
            self.hear(format!("{node} {name} {value}"));
        }

        fn log(&self, node: &str, line: &str) {
            self.hear(format!("{node}: {line}"));
        }

        fn logs_missed(&self, lines: u64) {
            self.hear(format!("{lines} missed"));
        }

        fn end(&self) {
            self.hear("end".to_owned());
        }
    }

    fn event(seq: u64) -> Event {
        Event {
            run: "r".into(),
            seq,
            epoch: 1,
            node: None,
            attempt: 0,
            kind: Kind::RunStarted,
            time: 0,
            data: Json::Null,
        }
    }

    fn broadcast(ears: &[Arc<Ear>], backlog: Option<u64>) -> Broadcast {
        let subscribers: Vec<Arc<dyn Subscriber>> = ears.iter().map(|ear| ear.clone() as _).collect();
        let dag = Dag {
            workflow: "w".into(),
            parameters: Vec::new(),
            nodes: Vec::new(),
            outputs: Vec::new(),
            origin: None,
        };
        let beginning = Beginning {
            run: "r".into(),
            dag: Arc::new(dag),
            states: Arc::default(),
            cores: 1,
            memory: 1,
            durations: Arc::new(Durations::default),
        };
        let backlog: Backlog =
            Arc::new(move |after, limit| Some((after + 1..=backlog?).take(limit).map(event).collect()));
        Broadcast::new(&subscribers, &beginning, 0, &backlog)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn all_is_told_in_order_between_the_beginning_and_the_end() {
        let ears = [Ear::new(None), Ear::new(None)];
        let broadcast = broadcast(&ears, None);
        broadcast.publish(vec![event(1), event(2)]);
        broadcast.publish(vec![event(3)]);
        assert_eq!(broadcast.close(LONG), []);
        for ear in ears {
            assert_eq!(ear.heard(), ["begin r", "1", "2", "3", "end"]);
        }
    }

    #[test]
    fn one_that_hangs_delays_nobody_and_is_named() {
        let (_open, gate) = mpsc::channel();
        let ears = [Ear::new(Some(gate)), Ear::new(None)];
        let broadcast = broadcast(&ears, None);
        let started = Instant::now();
        broadcast.publish((1..=100).map(event).collect());
        broadcast.publish((101..=200).map(event).collect());
        let left = broadcast.close(Duration::from_millis(50));
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_eq!(left, [Undelivered { subscriber: "an ear".to_owned(), events: 200 }]);
        assert_eq!(ears[0].heard(), ["begin r"]);
        assert_eq!(ears[1].heard().len(), 202);
    }

    #[test]
    fn one_that_takes_something_now_and_then_hears_all() {
        let (open, gate) = mpsc::channel();
        let ear = Ear::new(Some(gate));
        let broadcast = broadcast(std::slice::from_ref(&ear), None);
        broadcast.publish((1..=10).map(event).collect());
        let opener = std::thread::spawn(move || {
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(40));
                open.send(()).unwrap();
            }
        });
        assert_eq!(broadcast.close(Duration::from_millis(390)), []);
        opener.join().unwrap();
        assert_eq!(ear.heard().len(), 12);
    }

    #[test]
    fn past_the_bound_events_come_from_the_store_without_a_gap() {
        let all = 3 * EVENTS as u64 + 17;
        let (open, gate) = mpsc::channel();
        let ear = Ear::new(Some(gate));
        let broadcast = broadcast(std::slice::from_ref(&ear), Some(all));
        for first in (1..all).step_by(1000) {
            broadcast.publish((first..=all.min(first + 999)).map(event).collect());
        }
        assert!(ear.heard().len() <= 1);
        assert!(broadcast.outlets[0].lock().count < EVENTS + 1000);
        drop(open);
        assert_eq!(broadcast.close(LONG), []);
        let heard = ear.heard();
        assert_eq!(heard.len() as u64, all + 2);
        assert!(heard[1..=all as usize].iter().zip(1u64..).all(|(heard, seq)| *heard == seq.to_string()));
    }

    #[test]
    fn a_store_that_cannot_be_read_is_not_waited_for() {
        let (open, gate) = mpsc::channel();
        let ear = Ear::new(Some(gate));
        let broadcast = broadcast(std::slice::from_ref(&ear), None);
        for seq in 1..=3 * EVENTS as u64 {
            broadcast.publish(vec![event(seq)]);
        }
        drop(open);
        let left = broadcast.close(LONG);
        assert!(left.len() == 1 && left[0].events > 0, "{left:?}");
    }

    #[test]
    fn of_figures_the_latest_is_told_and_of_lines_the_last() {
        let (open, gate) = mpsc::channel();
        let ear = Ear::new(Some(gate));
        let broadcast = broadcast(std::slice::from_ref(&ear), None);
        broadcast.publish(vec![event(1)]);
        // From here on its thread is held at the gate, or is on the way to it.
        while !broadcast.outlets[0].lock().events.is_empty() {
            std::thread::yield_now();
        }
        let node: Arc<str> = "n".into();
        for done in 1..=5 {
            broadcast.progress(&node, done, 5);
            broadcast.metric(&node, "loss", 1.0 / done as f64);
        }
        for line in 0..LINES + 3 {
            broadcast.log(&node, &line.to_string());
        }
        broadcast.log(&node, &"ü".repeat(1 << 20));
        drop(open);
        assert_eq!(broadcast.close(LONG), []);
        let heard = ear.heard();
        assert_eq!(heard[..6], ["begin r", "1", "n loss 0.2", "n 5/5", "4 missed", "n: 4"]);
        assert_eq!(heard.len(), 5 + LINES + 1);
        let long = &heard[heard.len() - 2];
        assert!(long.len() < LINE_BYTES + 100 && long.ends_with("ü… 2093056 bytes more"), "{long}");
    }

    #[test]
    fn one_that_panics_is_named() {
        struct Broken;
        impl Subscriber for Broken {
            fn event(&self, _: &Event) {
                panic!("broken");
            }
        }
        let subscribers: [Arc<dyn Subscriber>; 1] = [Arc::new(Broken)];
        let one = broadcast(&[], None);
        assert!(one.is_empty());
        let beginning = Beginning {
            run: "r".into(),
            dag: Arc::new(Dag {
                workflow: String::new(),
                parameters: Vec::new(),
                nodes: Vec::new(),
                outputs: Vec::new(),
                origin: None,
            }),
            states: Arc::default(),
            cores: 1,
            memory: 1,
            durations: Arc::new(Durations::default),
        };
        let backlog: Backlog = Arc::new(|_, _| None);
        let broadcast = Broadcast::new(&subscribers, &beginning, 0, &backlog);
        broadcast.publish(vec![event(1)]);
        assert_eq!(broadcast.close(LONG), [Undelivered { subscriber: "a subscriber".to_owned(), events: 1 }]);
    }
}
