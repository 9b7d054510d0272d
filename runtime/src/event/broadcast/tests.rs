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
