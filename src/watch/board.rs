//! What is known of a run while it goes on: one seat a node, and what happened lately. Times are microseconds
//! since 1970.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use flow_ir::{dag::Dag, node::Node, template::Templates};
use flow_runtime::{
    decide::NodeState,
    event::{Beginning, Event, Kind},
    store::Durations,
};
use serde_json::Value as Json;

use super::text::{last_written, plain};

/// Lines of the log that are kept for the tail.
const LOG_LINES: usize = 64;

/// Notices of one kind; the rest is in the store.
const MOST_NOTICES: usize = 50;

/// The slowest nodes that are told of at the end.
const SLOWEST: usize = 3;

pub struct Board {
    pub dag: Arc<Dag>,
    pub run: Arc<str>,
    pub cores: u32,
    /// When this process took the run up, or the first event that it told of.
    pub started: i64,
    pub seats: Vec<Seat>,
    indices: HashMap<Arc<str>, usize>,
    templates: Templates,
    /// By node of the DAG: who reads it.
    dependents: Vec<Vec<u32>>,
    counts: [u32; Stand::ALL.len()],
    /// Those that run, in the order in which they started.
    pub running: Vec<usize>,
    /// Those that will be tried again.
    pub retrying: Vec<usize>,
    /// What is to be said once, for good.
    pub notices: Vec<Notice>,
    told: HashMap<&'static str, usize>,
    pub log: VecDeque<(Arc<str>, String)>,
    pub slowest: Vec<Slow>,
    /// What the operators took in this run, by name: how often, and in all.
    pub learned: HashMap<String, (u32, i64)>,
    pub durations: Durations,
}

/// A node.
pub struct Seat {
    pub id: Arc<str>,
    template: Option<u32>,
    /// The seat of the node that runs it.
    around: Option<usize>,
    /// Of the nodes in its regions that there are so far: how many have ended, and all.
    pub inside: (u32, u32),
    pub stand: Stand,
    pub attempt: u32,
    /// When it came to where it stands.
    pub since: i64,
    /// When it will be tried again.
    pub due: i64,
    pub progress: Option<(u64, u64)>,
    /// The figure reported last, by name.
    pub metric: Option<(String, f64)>,
    /// Bytes that its processes hold.
    pub memory: Option<u64>,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    Pending,
    Ready,
    Running,
    /// Computed, and not yet durable.
    Finishing,
    Retrying,
    Finished,
    Cached,
    Failed,
    Skipped,
    Cancelled,
}

/// Something to be said once.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    Failed {
        node: Arc<str>,
        message: String,
        help: Option<String>,
    },
    Retrying {
        node: Arc<str>,
        message: String,
    },
    Stuck {
        node: Arc<str>,
        message: String,
    },
    /// Of the run as a whole.
    Note(String),
    /// Of a kind that there is too much of.
    Enough {
        what: &'static str,
    },
}

/// A node that took long.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow {
    pub id: Arc<str>,
    pub seconds: f64,
    pub cpu_seconds: Option<f64>,
    pub peak_memory: Option<u64>,
}

impl Stand {
    pub const ALL: [Self; 10] = [
        Self::Finished,
        Self::Cached,
        Self::Running,
        Self::Finishing,
        Self::Retrying,
        Self::Ready,
        Self::Pending,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Finishing => "being stored",
            Self::Retrying => "to be retried",
            Self::Finished => "finished",
            Self::Cached => "cached",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cached | Self::Failed | Self::Skipped | Self::Cancelled)
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|stand| *stand == self).unwrap_or_default()
    }
}

impl Board {
    pub fn new(beginning: &Beginning, now: i64) -> Self {
        let dag = beginning.dag.clone();
        let mut dependents = vec![Vec::new(); dag.nodes.len()];
        for (index, node) in (0..).zip(&dag.nodes) {
            node.for_each_dependency(|dependency| {
                if let Some(readers) = dependents.get_mut(dependency.0 as usize)
                    && readers.last() != Some(&index)
                {
                    readers.push(index);
                }
            });
        }
        let mut board = Self {
            run: beginning.run.clone(),
            cores: beginning.cores.max(1),
            started: now,
            seats: Vec::with_capacity(dag.nodes.len()),
            indices: HashMap::with_capacity(dag.nodes.len()),
            dependents,
            counts: [0; Stand::ALL.len()],
            running: Vec::new(),
            retrying: Vec::new(),
            notices: Vec::new(),
            told: HashMap::new(),
            log: VecDeque::new(),
            slowest: Vec::new(),
            learned: HashMap::new(),
            durations: Durations::default(),
            templates: Templates::new(&dag),
            dag,
        };
        for (at, node) in beginning.dag.nodes.iter().enumerate() {
            let index = board.seat(&Arc::from(node.id.as_str()));
            let stand = match beginning.states.get(at) {
                Some(NodeState::Finished) => Stand::Finished,
                Some(NodeState::Failed) => Stand::Failed,
                _ => Stand::Pending,
            };
            board.enter(index, stand, now);
        }
        board
    }

    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    pub fn count(&self, stand: Stand) -> u32 {
        self.counts.get(stand.place()).copied().unwrap_or_default()
    }

    /// How many nodes have come to an end.
    pub fn over(&self) -> u32 {
        Stand::ALL.into_iter().filter(|stand| stand.is_over()).map(|stand| self.count(stand)).sum()
    }

    /// The node behind a seat, of the DAG or of a region in it.
    pub fn node(&self, index: usize) -> Option<&Node> {
        match self.dag.nodes.get(index) {
            // Those of the DAG have the first seats.
            Some(node) => Some(node),
            None => self.templates.node(&self.dag, self.seats.get(index)?.template?),
        }
    }

    pub fn readers(&self, index: usize) -> &[u32] {
        self.dependents.get(index).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn event(&mut self, event: &Event) {
        let text = |key: &str| event.data.get(key).and_then(Json::as_str).map(str::to_owned);
        let Some(node) = &event.node else {
            if event.kind == Kind::RunStarted {
                self.started = event.time;
            }
            return;
        };
        let index = self.seat_in_region(node, event.epoch);
        let message = || text("message").unwrap_or_default();
        let stand = match event.kind {
            Kind::Ready => Stand::Ready,
            Kind::Running => Stand::Running,
            Kind::Finishing => Stand::Finishing,
            Kind::Finished => Stand::Finished,
            Kind::Cached => Stand::Cached,
            Kind::Failed => Stand::Failed,
            Kind::Skipped => Stand::Skipped,
            Kind::Cancelled => Stand::Cancelled,
            Kind::Retrying => Stand::Retrying,
            Kind::Stuck => {
                return self.say("slow nodes", Notice::Stuck { node: node.clone(), message: message() });
            }
            Kind::RunStarted | Kind::RunFinished | Kind::Signalled => return,
        };
        if let Some(seat) = self.seats.get_mut(index) {
            seat.attempt = event.attempt;
            if event.kind == Kind::Retrying {
                let delay = event.data.get("delay").and_then(Json::as_f64).unwrap_or_default();
                seat.due = event.time + microseconds(delay);
            }
        }
        match event.kind {
            Kind::Failed => {
                self.say(
                    "failures",
                    Notice::Failed { node: node.clone(), message: message(), help: text("help") },
                );
            }
            Kind::Retrying => {
                self.say("retries", Notice::Retrying { node: node.clone(), message: message() })
            }
            Kind::Finished => {
                if let Some(warning) = text("warning") {
                    self.say("warnings", Notice::Note(format!("`{node}` {warning}")));
                }
                self.finished(index, event);
            }
            _ => {}
        }
        self.enter(index, stand, event.time);
    }

    pub fn progress(&mut self, node: &str, done: u64, total: u64) {
        if let Some(seat) = self.find(node) {
            seat.progress = Some((done, total));
        }
    }

    pub fn metric(&mut self, node: &str, name: &str, value: f64) {
        if let Some(seat) = self.find(node) {
            seat.metric = Some((plain(name).into_owned(), value));
        }
    }

    pub fn memory(&mut self, node: &str, bytes: u64) {
        if let Some(seat) = self.find(node) {
            seat.memory = Some(bytes);
        }
    }

    pub fn logged(&mut self, node: &str, line: &str) {
        let line = plain(last_written(line)).into_owned();
        let id = self.indices.get_key_value(node).map_or_else(|| Arc::from(node), |(id, _)| id.clone());
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back((id, line));
    }

    pub fn say(&mut self, what: &'static str, notice: Notice) {
        let told = self.told.entry(what).or_default();
        *told += 1;
        match *told {
            told if told <= MOST_NOTICES => self.notices.push(notice),
            told if told == MOST_NOTICES + 1 => self.notices.push(Notice::Enough { what }),
            _ => {}
        }
    }

    fn find(&mut self, node: &str) -> Option<&mut Seat> {
        self.seats.get_mut(*self.indices.get(node)?)
    }

    /// Likewise; with the first node of a region its others get theirs. Not where an earlier process began the run: some
    /// of them may have ended then.
    fn seat_in_region(&mut self, node: &Arc<str>, epoch: u32) -> usize {
        if let Some(index) = self.indices.get(node) {
            return *index;
        }
        let index = self.seat(node);
        let dag = self.dag.clone();
        let template = self.seats.get(index).and_then(|seat| self.templates.get(seat.template?));
        if let Some(template) = template.filter(|_| epoch == 1)
            && let Some(region) =
                template.around.and_then(|around| self.templates.region(&dag, around, template.region))
            && let Some(own) = region.nodes.get(template.place)
            && let Some(prefix) = node.strip_suffix(own.id.as_str())
        {
            for other in &region.nodes {
                self.seat(&Arc::from(format!("{prefix}{}", other.id)));
            }
        }
        index
    }

    /// The seat of a node; a new one where it has none.
    fn seat(&mut self, node: &Arc<str>) -> usize {
        if let Some(index) = self.indices.get(node) {
            return *index;
        }
        let index = self.seats.len();
        let template = self.templates.find(node);
        let around = self.around(node, template);
        self.indices.insert(node.clone(), index);
        self.count_inside(around, (0, 1));
        self.seats.push(Seat {
            id: node.clone(),
            template,
            around,
            inside: (0, 0),
            stand: Stand::Pending,
            attempt: 0,
            since: 0,
            due: 0,
            progress: None,
            metric: None,
            memory: None,
        });
        if let Some(count) = self.counts.get_mut(Stand::Pending.place()) {
            *count += 1;
        }
        index
    }

    fn enter(&mut self, index: usize, stand: Stand, time: i64) {
        let Some(seat) = self.seats.get_mut(index) else { return };
        let before = std::mem::replace(&mut seat.stand, stand);
        if before == stand {
            return;
        }
        seat.since = time;
        let around = seat.around;
        if stand == Stand::Running {
            (seat.progress, seat.metric, seat.memory) = (None, None, None);
        }
        for (stand, change) in [(before, -1), (stand, 1)] {
            if let Some(count) = self.counts.get_mut(stand.place()) {
                *count = count.saturating_add_signed(change);
            }
        }
        match (before.is_over(), stand.is_over()) {
            (false, true) => self.count_inside(around, (1, 0)),
            (true, false) => self.count_inside(around, (-1, 0)),
            _ => {}
        }
        for (of, list) in [(Stand::Running, &mut self.running), (Stand::Retrying, &mut self.retrying)] {
            if before == of {
                list.retain(|known| *known != index);
            }
            if stand == of {
                list.push(index);
            }
        }
    }

    /// The seat of the node that runs the region that a node is in.
    fn around(&self, node: &str, template: Option<u32>) -> Option<usize> {
        let around = self.templates.get(self.templates.get(template?)?.around?)?;
        let own = self.templates.node(&self.dag, template?)?;
        let outer = node.strip_suffix(own.id.as_str())?.strip_suffix('/')?;
        let outer = if around.is_repeated { outer.rsplit_once('[')?.0 } else { outer };
        self.indices.get(outer).copied()
    }

    /// Adds to those that have ended, and to all, in a node and in those around it.
    fn count_inside(&mut self, mut around: Option<usize>, (over, all): (i32, i32)) {
        while let Some(seat) = around.and_then(|index| self.seats.get_mut(index)) {
            seat.inside.0 = seat.inside.0.saturating_add_signed(over);
            seat.inside.1 = seat.inside.1.saturating_add_signed(all);
            around = seat.around;
        }
    }

    fn finished(&mut self, index: usize, event: &Event) {
        let number = |key: &str| event.data.get(key).and_then(Json::as_f64);
        let (Some(seconds), Some(seat)) = (number("seconds"), self.seats.get(index)) else { return };
        let slow = Slow {
            id: seat.id.clone(),
            seconds,
            cpu_seconds: number("cpu_seconds"),
            peak_memory: event.data.get("peak_memory").and_then(Json::as_u64),
        };
        let at = self.slowest.partition_point(|known| known.seconds >= seconds);
        if at < SLOWEST {
            self.slowest.insert(at, slow);
            self.slowest.truncate(SLOWEST);
        }
        if let Some(op) =
            self.node(index).filter(|node| node.kind.regions().is_empty()).map(Node::op).map(str::to_owned)
        {
            match self.learned.get_mut(&op) {
                Some((count, total)) => {
                    *count += 1;
                    *total += microseconds(seconds);
                }
                None => {
                    self.learned.insert(op, (1, microseconds(seconds)));
                }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "durations of a run are far below 2^63 microseconds")]
pub fn microseconds(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}
