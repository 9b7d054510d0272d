//! Sends spans to a collector, in batches and from a thread of its own. A collector that is slow delays only this; one
//! that cannot be reached is given up, and told of once, at the end.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use flow_runtime::event::{Beginning, Event, Subscriber};
use serde_json::Value as Json;
use ureq::Agent;

use super::{
    json,
    span::{Span, Spans},
};
use crate::{exit::Failure, terminal::Terminal, words::count};

/// Spans that are sent at once.
const BATCH: usize = 512;

/// A span waits no longer than this for others.
const WINDOW: Duration = Duration::from_secs(1);

/// Spans that wait for the sender; beyond that the events wait.
const QUEUE: usize = 4 * BATCH;

/// One request, its answer included.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Pauses before the second and the third try of a batch.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// What is left is sent within this once the run has ended.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Exporter {
    url: String,
    terminal: Terminal,
    spans: Mutex<Spans>,
    sender: Mutex<Option<Sender>>,
}

/// The thread that sends.
struct Sender {
    spans: SyncSender<Span>,
    thread: JoinHandle<()>,
    /// How it went, once it is over.
    sent: Receiver<Sent>,
}

/// How the sending went.
#[derive(Debug, Default)]
struct Sent {
    lost: usize,
    reason: String,
}

impl Exporter {
    /// `url` is that of the collector, as `http://localhost:4318`; where it names no path, `/v1/traces` is meant.
    pub fn new(url: &str, terminal: &Terminal) -> Result<Self, Failure> {
        let url = endpoint(url)?;
        let (spans, waiting) = mpsc::sync_channel(QUEUE);
        let (told, sent) = mpsc::channel();
        let to = url.clone();
        let thread = std::thread::Builder::new()
            .name("flow-otlp".to_owned())
            .spawn(move || {
                // Nobody waits for it any more once the deadline has passed.
                let _ = told.send(send_all(&to, &waiting));
            })
            .map_err(|error| Failure::environment(format!("cannot send to `{url}`: {error}")))?;
        let sender = Mutex::new(Some(Sender { spans, thread, sent }));
        Ok(Self { url, terminal: *terminal, spans: Mutex::default(), sender })
    }
}

impl Subscriber for Exporter {
    fn name(&self) -> String {
        format!("`{}`", self.url)
    }

    fn begin(&self, beginning: &Beginning) {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).begin(&beginning.dag);
    }

    fn event(&self, event: &Event) {
        let Some(span) = self.spans.lock().unwrap_or_else(PoisonError::into_inner).event(event) else {
            return;
        };
        if let Some(sender) = &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
            // The sender outlives us.
            let _ = sender.spans.send(span);
        }
    }

    fn end(&self) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Sender { spans, thread, sent }) = sender else { return };
        drop(spans);
        let warn = |what: &str| self.terminal.warning(&format!("telemetry: {what}"));
        match sent.recv_timeout(PATIENCE) {
            Ok(Sent { lost: 0, .. }) => {
                let _ = thread.join();
            }
            Ok(Sent { lost, reason }) => {
                warn(&format!("{} did not reach `{}`: {reason}", count(lost, "span", "spans"), self.url));
            }
            Err(_) => {
                warn(&format!(
                    "`{}` was too slow to take all spans within {} s",
                    self.url,
                    PATIENCE.as_secs()
                ));
            }
        }
    }
}

/// The sender's thread: until all that give spans are gone.
fn send_all(url: &str, spans: &Receiver<Span>) -> Sent {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .user_agent(concat!("flowc/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut sent = Sent::default();
    let mut is_given_up = false;
    while let Ok(first) = spans.recv() {
        let mut batch = vec![first];
        let mut is_last = false;
        let until = Instant::now() + WINDOW;
        while batch.len() < BATCH && !is_last {
            match spans.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(span) => batch.push(span),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => is_last = true,
            }
        }
        if is_given_up {
            sent.lost += batch.len();
            continue;
        }
        match send(&agent, url, &batch, is_last) {
            Ok(None) => {}
            Ok(Some((rejected, reason))) => {
                sent.lost += rejected;
                sent.reason = reason;
            }
            Err((reason, is_for_good)) => {
                sent.lost += batch.len();
                sent.reason = reason;
                is_given_up = is_for_good;
            }
        }
    }
    sent
}

/// Sends a batch. The collector may reject some of it, and say why; an error says whether others would fare as badly.
fn send(
    agent: &Agent,
    url: &str,
    batch: &[Span],
    is_last: bool,
) -> Result<Option<(usize, String)>, (String, bool)> {
    let body = json::request(batch).to_string();
    let mut pauses = PAUSES.iter();
    loop {
        let (reason, may_pass) = match agent.post(url).header("content-type", "application/json").send(&body)
        {
            Ok(mut answer) => match answer.status().as_u16() {
                200..300 => return Ok(rejected(&answer.body_mut().read_to_string().unwrap_or_default())),
                // The statuses that the protocol calls retryable.
                status @ (429 | 502..=504) => (format!("it answers with status {status}"), true),
                status => return Err((format!("it answers with status {status}"), status == 404)),
            },
            // At the end nobody waits for it to come up.
            Err(error) => (error.to_string(), !is_last),
        };
        match pauses.next().filter(|_| may_pass) {
            Some(pause) => std::thread::sleep(*pause),
            None => return Err((reason, true)),
        }
    }
}

/// What an answer says of spans that it does not take.
fn rejected(answer: &str) -> Option<(usize, String)> {
    let answer: Json = serde_json::from_str(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    let count = partial.get("rejectedSpans")?;
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok()).filter(|count| *count > 0)?;
    let reason = partial.get("errorMessage").and_then(Json::as_str).unwrap_or("it does not say why");
    Some((usize::try_from(count).unwrap_or(usize::MAX), reason.to_owned()))
}

/// Where to send to.
fn endpoint(url: &str) -> Result<String, Failure> {
    let usage = |message: String, help: &str| Err(Failure::usage(message).help(help));
    if url.starts_with("https://") {
        return usage(
            format!("`{url}` is encrypted, and flowc sends telemetry as plain http only"),
            "run an OpenTelemetry collector beside it that forwards: `--otlp http://localhost:4318`",
        );
    }
    let Some(rest) = url.strip_prefix("http://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'))
    else {
        return usage(
            format!("`{url}` is no URL of a collector"),
            "it looks like `--otlp http://localhost:4318`",
        );
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    Ok(match path {
        "" => format!("http://{host}/v1/traces"),
        path if path.ends_with("v1/traces") => format!("http://{host}/{path}"),
        path => format!("http://{host}/{path}/v1/traces"),
    })
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod endpoints {
    use super::*;

    #[test]
    fn a_collector_is_named_by_its_host_or_its_whole_address() {
        let of = |url| endpoint(url).map_err(|failure| failure.message);
        assert_eq!(of("http://localhost:4318").unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(of("http://localhost:4318/").unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(of("http://host/v1/traces").unwrap(), "http://host/v1/traces");
        assert_eq!(of("http://host/tenant/").unwrap(), "http://host/tenant/v1/traces");
        assert!(of("https://host").unwrap_err().contains("plain http only"));
        for wrong in ["", "localhost:4318", "http://", "http:///x", "grpc://host"] {
            assert!(of(wrong).unwrap_err().contains("no URL"), "{wrong}");
        }
    }
}
