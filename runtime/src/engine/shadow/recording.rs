//! What the operators of a recorded run did.

use std::{collections::BTreeMap, sync::Arc};

use flow_ir::{dag::Dag, template::Templates};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::changes::Shapes;
use crate::{
    artifact::Reference,
    event::{Event, Kind},
};

/// What the operators of a run did.
#[derive(Debug, Default)]
pub struct Recording {
    /// Attempts that came to an end of their own, by node, those of regions too.
    pub attempts: FxHashMap<Arc<str>, Vec<Attempt>>,
    /// Calls that ended well, by operator, and how long they took together.
    pub ops: FxHashMap<String, (u32, i64)>,
    pub shapes: Shapes,
}

#[derive(Debug)]
pub struct Attempt {
    /// Microseconds.
    pub after: i64,
    /// By port; or why it failed.
    pub result: Result<BTreeMap<String, Reference>, String>,
    /// Nothing ran: the cache had it.
    pub is_cached: bool,
}

impl Recording {
    pub fn new(dag: &Dag, events: &[Event]) -> Self {
        let templates = Templates::new(dag);
        let mut recording = Self { shapes: Shapes::new(dag, &templates), ..Self::default() };
        let mut running: FxHashMap<&str, i64> = FxHashMap::default();
        let mut failures: FxHashMap<&str, u64> = FxHashMap::default();
        for event in events {
            let Some(id) = &event.node else { continue };
            let started = match event.kind {
                Kind::Running => {
                    running.insert(id, event.time);
                    continue;
                }
                // The operator's part is over; whether it went well is said later.
                Kind::Finishing => continue,
                _ => running.remove(&**id),
            };
            let result = match event.kind {
                Kind::Finished | Kind::Cached => Ok(outputs(event)),
                Kind::Failed => Err(message(event)),
                Kind::Retrying => {
                    let count = event.data.get("failures").and_then(Json::as_u64).unwrap_or_default();
                    // Else an input was lost, or its process died.
                    if failures.insert(id, count).unwrap_or_default() >= count {
                        continue;
                    }
                    Err(message(event))
                }
                _ => continue,
            };
            let seconds = event.data.get("seconds").and_then(Json::as_f64);
            let after = match (seconds, started) {
                (Some(seconds), _) => (seconds * 1e6) as i64,
                (None, Some(started)) => event.time - started,
                (None, None) => 0,
            };
            if event.kind == Kind::Finished
                && let Some(node) = templates.find(id).and_then(|template| templates.node(dag, template))
            {
                let (calls, total) = recording.ops.entry(node.op().to_owned()).or_default();
                (*calls, *total) = (*calls + 1, *total + after);
            }
            recording.attempts.entry(id.clone()).or_default().push(Attempt {
                after,
                result,
                is_cached: event.kind == Kind::Cached,
            });
        }
        recording
    }

    /// How long nodes took, in microseconds, for those that decide which is first.
    pub fn durations(&self) -> impl Iterator<Item = (&str, i64)> {
        self.attempts.iter().filter_map(|(id, attempts)| Some((&**id, attempts.last()?.after)))
    }
}

fn outputs(event: &Event) -> BTreeMap<String, Reference> {
    let outputs = event.data.get("outputs").and_then(Json::as_object).into_iter().flatten();
    outputs.filter_map(|(port, json)| Some((port.clone(), Reference::from_json(json)?))).collect()
}

fn message(event: &Event) -> String {
    event.data.get("message").and_then(Json::as_str).unwrap_or("it failed").to_owned()
}
