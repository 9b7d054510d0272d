//! Spans from events: one trace a run, with one span for the run and below it one for each attempt of a node. Their
//! ids follow from those of the run, the node and the attempt: what is sent twice is the same span.

use std::{collections::HashMap, sync::Arc};

use flow_ir::{dag::Dag, hash::Hash, node::Node, template::Templates};
use flow_runtime::event::{Event, Kind};
use serde_json::Value as Json;

use crate::words::place;

#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub trace: [u8; 16],
    pub id: [u8; 8],
    pub parent: Option<[u8; 8]>,
    pub name: String,
    /// Microseconds since 1970.
    pub start: i64,
    pub end: i64,
    pub attributes: Vec<(String, Attribute)>,
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Unset,
    Ok,
    Error(String),
}

/// The spans of a run that have begun and not ended.
#[derive(Debug, Default)]
pub struct Spans {
    dag: Option<Arc<Dag>>,
    templates: Templates,
    run: Option<Open>,
    nodes: HashMap<Arc<str>, Open>,
}

#[derive(Debug)]
struct Open {
    id: [u8; 8],
    start: i64,
    attempt: u32,
}

impl Spans {
    pub fn begin(&mut self, dag: &Arc<Dag>) {
        self.templates = Templates::new(dag);
        self.dag = Some(dag.clone());
    }

    /// Takes an event; gives the span that it ends.
    pub fn event(&mut self, event: &Event) -> Option<Span> {
        match (&event.node, event.kind) {
            (None, Kind::RunStarted) => {
                let id = run_id(event);
                self.run = Some(Open { id, start: event.time, attempt: 0 });
                None
            }
            (None, Kind::RunFinished) => {
                let open = self.run.take()?;
                Some(self.run_span(event, &open))
            }
            (Some(node), Kind::Running) => {
                let id = attempt_id(event, node, event.attempt);
                self.nodes.insert(node.clone(), Open { id, start: event.time, attempt: event.attempt });
                None
            }
            (Some(node), Kind::Cached) => {
                let id = attempt_id(event, node, event.attempt);
                Some(self.node_span(event, node, &Open { id, start: event.time, attempt: event.attempt }))
            }
            (Some(node), Kind::Finished | Kind::Failed | Kind::Cancelled | Kind::Retrying) => {
                let open = self.nodes.remove(node)?;
                Some(self.node_span(event, node, &open))
            }
            _ => None,
        }
    }

    fn run_span(&self, event: &Event, open: &Open) -> Span {
        let text = |key: &str| event.data.get(key).and_then(Json::as_str).unwrap_or_default();
        let workflow = self.dag.as_ref().map(|dag| dag.workflow.clone()).unwrap_or_default();
        let mut attributes = vec![
            ("flow.run".to_owned(), Attribute::Text(event.run.to_string())),
            ("flow.workflow".to_owned(), Attribute::Text(workflow.clone())),
            ("flow.epoch".to_owned(), Attribute::Int(event.epoch.into())),
            ("flow.status".to_owned(), Attribute::Text(text("status").to_owned())),
        ];
        for (state, count) in event.data.get("nodes").and_then(Json::as_object).into_iter().flatten() {
            attributes
                .extend(count.as_i64().map(|count| (format!("flow.nodes.{state}"), Attribute::Int(count))));
        }
        Span {
            trace: trace_id(event),
            id: open.id,
            parent: None,
            name: workflow,
            start: open.start,
            end: event.time,
            attributes,
            status: match text("status") {
                "finished" => Status::Ok,
                status => Status::Error(format!("the run {}", ended(status))),
            },
        }
    }

    fn node_span(&self, event: &Event, node: &Arc<str>, open: &Open) -> Span {
        let mut attributes = vec![
            ("flow.run".to_owned(), Attribute::Text(event.run.to_string())),
            ("flow.node".to_owned(), Attribute::Text(node.to_string())),
            ("flow.attempt".to_owned(), Attribute::Int(open.attempt.into())),
            ("flow.cached".to_owned(), Attribute::Bool(event.kind == Kind::Cached)),
        ];
        if let Some(node) = self.node(node) {
            attributes.push(("flow.op".to_owned(), Attribute::Text(node.op().to_owned())));
            let place = place(node);
            attributes.push(("flow.place".to_owned(), Attribute::Text(place.runner.to_owned())));
            if let Some(device) = place.device() {
                attributes.push(("flow.device".to_owned(), Attribute::Text(device.to_owned())));
            }
        }
        for (key, name) in [("seconds", "flow.seconds"), ("cpu_seconds", "flow.cpu_seconds")] {
            let number = event.data.get(key).and_then(Json::as_f64);
            attributes.extend(number.map(|number| (name.to_owned(), Attribute::Float(number))));
        }
        let state = event.kind.name().trim_start_matches("node.");
        attributes.push(("flow.state".to_owned(), Attribute::Text(state.to_owned())));
        let peak = event.data.get("peak_memory").and_then(Json::as_i64);
        attributes.extend(peak.map(|peak| ("flow.peak_memory".to_owned(), Attribute::Int(peak))));
        for (name, value) in event.data.get("metrics").and_then(Json::as_object).into_iter().flatten() {
            attributes
                .extend(value.as_f64().map(|value| (format!("flow.metric.{name}"), Attribute::Float(value))));
        }
        let message = || event.data.get("message").and_then(Json::as_str).unwrap_or_default().to_owned();
        Span {
            trace: trace_id(event),
            id: open.id,
            parent: self.parent(node),
            name: node.to_string(),
            start: open.start,
            end: event.time.max(open.start),
            attributes,
            status: match event.kind {
                Kind::Finished | Kind::Cached => Status::Ok,
                // Stopped for a reason that is another's.
                Kind::Cancelled => Status::Unset,
                _ => Status::Error(message()),
            },
        }
    }

    /// The region that the node is in, where its span is open; else the run.
    fn parent(&self, node: &str) -> Option<[u8; 8]> {
        let mut inner = node;
        while let Some((outer, _)) = inner.rsplit_once('/') {
            // An instance of a map or a loop: `region[3]`.
            let region =
                outer.strip_suffix(']').and_then(|outer| outer.rsplit_once('[')).map_or(outer, |(of, _)| of);
            if let Some(open) = self.nodes.get(region).or_else(|| self.nodes.get(outer)) {
                return Some(open.id);
            }
            inner = outer;
        }
        self.run.as_ref().map(|open| open.id)
    }

    fn node(&self, id: &str) -> Option<&Node> {
        self.templates.node(self.dag.as_ref()?, self.templates.find(id)?)
    }
}

fn ended(status: &str) -> &'static str {
    match status {
        "failed" => "failed",
        "cancelled" => "was cancelled",
        "blocked" => "is blocked",
        _ => "did not finish",
    }
}

fn trace_id(event: &Event) -> [u8; 16] {
    first(&format!("flow trace {}", event.run))
}

/// A run that is resumed gets another span in its trace.
fn run_id(event: &Event) -> [u8; 8] {
    first(&format!("flow run {} {}", event.run, event.epoch))
}

fn attempt_id(event: &Event, node: &str, attempt: u32) -> [u8; 8] {
    first(&format!("flow attempt {} {attempt} {node}", event.run))
}

/// The first bytes of a text's hash. All zero would be no id; no hash that anybody has seen begins so.
fn first<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let Hash(bytes) = Hash::of(text.as_bytes());
    let mut id = [0; LENGTH];
    for (to, from) in id.iter_mut().zip(bytes) {
        *to = from;
    }
    id
}
