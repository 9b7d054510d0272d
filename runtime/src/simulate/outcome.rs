//! What came of a simulated run.

use std::{sync::Arc, time::Duration};

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    decide::RunStatus,
    event::{Event, Kind},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Running where the run stands still: it waits for what never comes.
    pub status: RunStatus,
    /// Those that have left `pending`, in the order in which they did so first.
    pub nodes: Vec<NodeOutcome>,
    /// Of virtual time.
    pub elapsed: Duration,
    /// Most at once.
    pub peak_cores: u32,
    /// Bytes; most at once.
    pub peak_memory: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeOutcome {
    pub id: Arc<str>,
    /// `finished`, `failed`, `cancelled`, …; `pending` where it waits for another attempt that never comes.
    pub state: &'static str,
    /// How many attempts were made.
    pub attempts: u32,
    /// The cache had what it gives: no attempt was needed.
    pub is_cached: bool,
    /// Since the run began, of the last attempt.
    pub started: Option<Duration>,
    pub ended: Option<Duration>,
    /// In the operator, in the last attempt.
    pub elapsed: Option<Duration>,
    /// When it was said that it may be stuck, and why.
    pub stuck: Option<(Duration, String)>,
    /// Why it failed, or the node because of which it was cancelled.
    pub because: Option<String>,
}

impl NodeOutcome {
    /// One that has not run.
    pub(crate) fn new(id: Arc<str>, state: &'static str) -> Self {
        Self {
            id,
            state,
            attempts: 0,
            is_cached: false,
            started: None,
            ended: None,
            elapsed: None,
            stuck: None,
            because: None,
        }
    }
}

impl Outcome {
    pub fn node(&self, id: &str) -> Option<&NodeOutcome> {
        self.nodes.iter().find(|node| *node.id == *id)
    }

    /// Of a node, by its id: `pending` where the run never came to it.
    pub fn state(&self, id: &str) -> &'static str {
        self.node(id).map_or("pending", |node| node.state)
    }

    pub fn attempts(&self, id: &str) -> u32 {
        self.node(id).map_or(0, |node| node.attempts)
    }

    /// The nodes that were started, in the order in which they were, each at its last attempt.
    pub fn order(&self) -> Vec<&str> {
        let mut started: Vec<_> =
            self.nodes.iter().filter_map(|node| Some((node.started?, &*node.id))).collect();
        started.sort_by_key(|(time, _)| *time);
        started.into_iter().map(|(_, id)| id).collect()
    }
}

/// What is in use, and the most that ever was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    now: (u32, u64),
    pub most: (u32, u64),
}

impl Peak {
    pub fn add(&mut self, (cores, memory): (u32, u64)) {
        self.now = (self.now.0.saturating_add(cores), self.now.1.saturating_add(memory));
        self.most = (self.most.0.max(self.now.0), self.most.1.max(self.now.1));
    }

    pub fn remove(&mut self, (cores, memory): (u32, u64)) {
        self.now = (self.now.0.saturating_sub(cores), self.now.1.saturating_sub(memory));
    }
}

/// Follows the nodes of a run by its events.
#[derive(Debug)]
pub struct Follower {
    began: i64,
    places: FxHashMap<Arc<str>, usize>,
    pub nodes: Vec<NodeOutcome>,
}

impl Follower {
    /// `began` is when the run did, in microseconds.
    pub fn new(began: i64) -> Self {
        Self { began, places: FxHashMap::default(), nodes: Vec::new() }
    }

    pub fn hear(&mut self, event: &Event) {
        let Some(id) = &event.node else { return };
        let nodes = &mut self.nodes;
        let place = *self.places.entry(id.clone()).or_insert_with(|| {
            nodes.push(NodeOutcome::new(id.clone(), "pending"));
            nodes.len() - 1
        });
        let Some(node) = nodes.get_mut(place) else { return };
        let time = Duration::from_micros(u64::try_from(event.time - self.began).unwrap_or_default());
        let text = |key: &str| event.data.get(key).and_then(Json::as_str).map(str::to_owned);
        let (state, ended) = match event.kind {
            Kind::Ready => ("ready", None),
            Kind::Running => {
                node.started = Some(time);
                node.attempts = event.attempt;
                ("running", None)
            }
            Kind::Finishing => ("finishing", Some(time)),
            Kind::Finished | Kind::Cached => ("finished", node.ended.or(Some(time))),
            Kind::Retrying => ("pending", None),
            Kind::Failed => {
                node.because = text("message");
                ("failed", Some(time))
            }
            Kind::Cancelled => {
                node.because = text("because");
                ("cancelled", Some(time))
            }
            Kind::Skipped => ("skipped", Some(time)),
            Kind::Stuck => {
                node.stuck = Some((time, text("message").unwrap_or_default()));
                return;
            }
            Kind::RunStarted | Kind::RunFinished | Kind::Signalled => return,
        };
        (node.state, node.ended) = (state, ended);
        node.is_cached = event.kind == Kind::Cached;
        let told = event.data.get("seconds").and_then(Json::as_f64);
        let told = told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let between = || Some(node.ended?.saturating_sub(node.started?));
        node.elapsed = told.or_else(between);
    }
}
