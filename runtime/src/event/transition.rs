//! What happens in a run: one transition, with a number that orders it and makes it known again.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};

use crate::decide::NodeState;

/// A transition of a node, or of the run itself. Its identity is `(run, seq)`; it may be told twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub run: Arc<str>,
    /// From 1, without gaps within a run.
    pub seq: u64,
    /// Rises each time another process takes the run over.
    pub epoch: u32,
    /// The node's id; none where the run itself is meant.
    pub node: Option<Arc<str>>,
    /// From 1; 0 where the run itself is meant.
    pub attempt: u32,
    pub kind: Kind,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// What else there is to say, an object; null where that is nothing.
    pub data: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    RunStarted,
    RunFinished,
    Ready,
    Running,
    Finishing,
    Finished,
    Cached,
    Retrying,
    Failed,
    Skipped,
    Cancelled,
    /// It runs longer than its past allows, or near its timeout; no transition.
    Stuck,
    /// A signal has come for the run, and is kept for all that wait for it.
    Signalled,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::RunStarted,
        Self::RunFinished,
        Self::Ready,
        Self::Running,
        Self::Finishing,
        Self::Finished,
        Self::Cached,
        Self::Retrying,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
        Self::Stuck,
        Self::Signalled,
    ];

    /// As in `flow.node.ready`, after `flow.`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RunStarted => "run.started",
            Self::RunFinished => "run.finished",
            Self::Ready => "node.ready",
            Self::Running => "node.running",
            Self::Finishing => "node.finishing",
            Self::Finished => "node.finished",
            Self::Cached => "node.cached",
            Self::Retrying => "node.retrying",
            Self::Failed => "node.failed",
            Self::Skipped => "node.skipped",
            Self::Cancelled => "node.cancelled",
            Self::Stuck => "node.stuck",
            Self::Signalled => "run.signalled",
        }
    }

    /// Where the node stands after it; none for what says nothing of that, or nothing of a node.
    pub fn node_state(self) -> Option<NodeState> {
        Some(match self {
            Self::Ready => NodeState::Ready,
            Self::Running | Self::Stuck => NodeState::Running,
            Self::Finishing => NodeState::Finishing,
            Self::Retrying => NodeState::Pending,
            Self::Finished | Self::Cached => NodeState::Finished,
            Self::Failed => NodeState::Failed,
            Self::Skipped => NodeState::Skipped,
            Self::Cancelled => NodeState::Cancelled,
            Self::RunStarted | Self::RunFinished | Self::Signalled => return None,
        })
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Event {
    /// The event as CloudEvents 1.0 in structured JSON.
    pub fn to_cloud_event(&self) -> Json {
        let mut json = json!({
            "specversion": "1.0",
            "id": self.seq.to_string(),
            "source": format!("/flow/runs/{}", self.run),
            "type": format!("flow.{}", self.kind.name()),
            "time": timestamp(self.time),
        });
        if let Some(node) = &self.node {
            json["subject"] = json!(node.as_ref());
        }
        let mut data = match &self.data {
            Json::Object(data) => data.clone(),
            _ => Map::new(),
        };
        if self.node.is_some() {
            data.insert("attempt".to_owned(), json!(self.attempt));
        }
        if !data.is_empty() {
            json["datacontenttype"] = json!("application/json");
            json["data"] = Json::Object(data);
        }
        json
    }
}

/// RFC 3339, in UTC, with microseconds.
pub fn timestamp(microseconds: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(microseconds)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_is_a_cloud_event() {
        let event = Event {
            run: "1k3f9a2b".into(),
            seq: 7,
            epoch: 1,
            node: Some("candidates[2].gbdt".into()),
            attempt: 2,
            kind: Kind::Retrying,
            time: 1_795_199_425_000_001,
            data: json!({ "message": "out of luck" }),
        };
        assert_eq!(
            event.to_cloud_event().to_string(),
            concat!(
                r#"{"specversion":"1.0","id":"7","source":"/flow/runs/1k3f9a2b","type":"flow.node.retrying","#,
                r#""time":"2026-11-20T18:30:25.000001Z","subject":"candidates[2].gbdt","#,
                r#""datacontenttype":"application/json","data":{"message":"out of luck","attempt":2}}"#
            )
        );
    }
}
