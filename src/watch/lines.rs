//! A line an event, where there is no terminal to draw on.

use std::sync::OnceLock;

use flow_ir::text::bytes;
use flow_runtime::event::{Event, Kind, Subscriber};
use serde_json::Value as Json;

use super::text::{about, last_written, plain};
use crate::{terminal::Terminal, watch::microseconds};

#[derive(Debug)]
pub struct Lines {
    terminal: Terminal,
    /// The time of the first event, in microseconds.
    started: OnceLock<i64>,
}

impl Lines {
    pub fn new(terminal: &Terminal) -> Self {
        Self { terminal: *terminal, started: OnceLock::new() }
    }
}

impl Subscriber for Lines {
    fn name(&self) -> String {
        "the reader of stderr".to_owned()
    }

    fn event(&self, event: &Event) {
        let seconds = (event.time - self.started.get_or_init(|| event.time)) as f64 / 1e6;
        let subject = plain(event.node.as_deref().unwrap_or(&event.run));
        let detail = detail(event).map(|detail| format!(": {}", plain(&detail))).unwrap_or_default();
        self.terminal.remark(&format!("{seconds:9.3}s  {:10}  {subject}{detail}", word(event.kind)));
    }

    fn log(&self, node: &str, line: &str) {
        let line = plain(last_written(line));
        self.terminal.remark(&format!("{:10}  {:10}  {}: {line}", "", "log", plain(node)));
    }

    fn note(&self, line: &str) {
        self.terminal.warning(&plain(line));
    }

    fn logs_missed(&self, lines: u64) {
        self.terminal.remark(&format!("{:10}  {:10}  {lines} lines left out", "", "log"));
    }
}

fn word(kind: Kind) -> &'static str {
    kind.name().rsplit('.').next().unwrap_or_default()
}

/// What an event says besides its kind.
fn detail(event: &Event) -> Option<String> {
    let number = |key: &str| event.data.get(key).and_then(Json::as_f64);
    let text = |key: &str| event.data.get(key).and_then(Json::as_str);
    match event.kind {
        Kind::Retrying => {
            let delay = number("delay").filter(|delay| *delay > 0.0);
            let when =
                delay.map(|delay| format!(" (attempt {} in {})", event.attempt, about(microseconds(delay))));
            Some(format!("{}{}", text("message").unwrap_or_default(), when.unwrap_or_default()))
        }
        Kind::Finished => {
            let seconds = number("seconds").filter(|seconds| *seconds >= 0.1);
            let peak = event.data.get("peak_memory").and_then(Json::as_u64);
            let warning = text("warning").map(str::to_owned);
            let parts = [seconds.map(|seconds| format!("{seconds:.1} s")), peak.map(bytes), warning];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        Kind::Running => text("lost").map(|_| "what it gave before is missing or damaged".to_owned()),
        Kind::Signalled => text("name").map(|name| format!("`{name}`")),
        _ => {
            let said = text("message").or_else(|| text("status")).map(str::to_owned);
            said.or_else(|| text("because").map(|node| format!("because of {node}")))
        }
    }
}
