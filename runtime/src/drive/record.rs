//! What is told of a run: each transition as an event, in one batch a turn.

use std::{sync::Arc, time::Duration};

use flow_ir::key::NUMERICS_CPU;
use serde_json::{Map, Value as Json, json};

use super::{Driver, FileHash, Finished, Message, World, nodes};
use crate::{
    decide::{Cause, NodeState, RunStatus, Step},
    event::{Event, Kind},
    operator::Usage,
    store::{Batch, CacheEntry},
    task::{Failure, Source},
};

/// How long events wait for those of later turns, in microseconds: while nodes are small, a batch for each turn
/// would cost more than the turn.
pub(super) const LINGER: i64 = 5_000;

/// So many events wait no longer.
const FULL: usize = 1_024;

impl<W: World> Driver<W> {
    pub(super) fn record_start(&mut self) {
        let dag = &self.setup.dag;
        let data = json!({
            "workflow": dag.workflow, "nodes": dag.nodes.len(), "resumed": self.setup.epoch > 1,
            "cache": self.setup.use_cache, "numerics": NUMERICS_CPU,
            "limit": self.setup.scheduler.limit().to_json(),
        });
        self.tell(None, 0, Kind::RunStarted, data);
    }

    /// Without it the store would have them ended until they begin, and whoever takes the run up after this process
    /// would leave them so.
    pub(super) fn record_again(&mut self) {
        for (node, why) in std::mem::take(&mut self.setup.again) {
            self.nodes[node as usize].failure = Some(Failure::operator(why));
            self.record(node, self.setup.state.attempt(node), Step::Retrying { delay: 0 });
        }
    }

    pub(super) fn record(&mut self, node: u32, attempt: u32, step: Step) {
        if step == Step::Running {
            // That of an attempt before says nothing of this one.
            self.nodes[node as usize].failure = None;
        }
        let (kind, data) = match step {
            Step::Ready => (Kind::Ready, Json::Null),
            Step::Running => match self.nodes[node as usize].lost {
                Some(lost) => (Kind::Running, json!({ "lost": lost.to_string() })),
                None => (Kind::Running, Json::Null),
            },
            Step::Finishing => (Kind::Finishing, Json::Null),
            Step::Finished => (Kind::Finished, self.outputs(node)),
            Step::Cached => (Kind::Cached, self.outputs(node)),
            Step::Retrying { delay } => {
                self.blame(node);
                self.blame_producers(node);
                let mut data = self.failure(node);
                data["delay"] = json!(delay as f64 / 1e6);
                data["failures"] = json!(self.setup.state.failures(node));
                (Kind::Retrying, data)
            }
            Step::Failed { is_blocked } => {
                self.blame(node);
                // What an attempt before gave is lost: whoever continues, continues without it.
                self.nodes[node as usize].outputs.clear();
                let mut data = self.failure(node);
                if is_blocked {
                    data["blocked"] = json!(true);
                }
                (Kind::Failed, data)
            }
            Step::Skipped => (Kind::Skipped, Json::Null),
            Step::Cancelled(Cause::Run) => (Kind::Cancelled, Json::Null),
            Step::Cancelled(Cause::Node(because)) => {
                (Kind::Cancelled, json!({ "because": *self.ids[because as usize] }))
            }
        };
        if matches!(step, Step::Finishing | Step::Cached | Step::Failed { .. } | Step::Cancelled(_)) {
            self.release_inputs(node);
            self.forget_region(node);
        }
        if matches!(step, Step::Retrying { .. }) {
            self.want_inputs(node);
            // What it waited in another process was for the attempt before.
            self.setup.began.remove(&node);
        }
        if step == Step::Finished
            && let Some(key) = self.nodes[node as usize].key
        {
            let outputs = self.nodes[node as usize].outputs.iter();
            self.batch.cache.push(CacheEntry {
                key,
                outputs: outputs.map(|output| output.reference.clone()).collect(),
                run: self.setup.run.clone(),
                node: self.ids[node as usize].clone(),
            });
        }
        self.tell(Some(self.ids[node as usize].clone()), attempt, kind, data);
    }

    pub(super) fn record_signal(&mut self, name: &str) {
        self.tell(None, 0, Kind::Signalled, json!({ "name": name }));
    }

    /// A node with regions has failed by those that failed in them.
    fn blame(&mut self, node: u32) {
        if self.nodes[node as usize].failure.is_some() {
            return;
        }
        let state = &self.setup.state;
        let instances =
            state.places(node).into_iter().filter_map(|place| state.instance(state.scope_at(place)?));
        let nodes = instances.flat_map(|instance| instance.nodes);
        let failed: Vec<u32> = nodes.filter(|inner| state.node(*inner) == NodeState::Failed).collect();
        let Some(first) = failed.first().and_then(|first| self.ids.get(*first as usize)) else { return };
        let message = match failed.len() {
            1 => format!("`{first}` failed"),
            2 => format!("`{first}` and one other failed"),
            count => format!("`{first}` and {} others failed", count - 1),
        };
        self.nodes[node as usize].failure = Some(Failure::operator(message));
    }

    /// One that had not begun waits once more, since what it was to read is lost.
    fn blame_producers(&mut self, node: u32) {
        if self.nodes[node as usize].failure.is_none() {
            let producers = self.setup.state.producers(node).map(|producer| &self.nodes[producer as usize]);
            let mut lost = producers.filter(|data| data.lost.is_some());
            self.nodes[node as usize].failure = lost.find_map(|data| data.failure.clone());
        }
    }

    pub(super) fn record_end(&mut self, status: RunStatus) {
        let outputs: Map<String, Json> =
            self.results().into_iter().map(|(name, source)| (name, source.summary())).collect();
        let counts = self.setup.state.counts();
        let data = json!({
            "status": status.name(),
            "outputs": outputs,
            "nodes": {
                "total": counts.total(), "finished": counts.finished, "cached": counts.cached,
                "failed": counts.failed, "skipped": counts.skipped, "cancelled": counts.cancelled,
                "pending": counts.pending,
            },
            "seconds": self.elapsed().as_secs_f64(),
        });
        self.tell(None, 0, Kind::RunFinished, data);
        self.batch.is_urgent = true;
    }

    /// Hands over what has come together, unless more may join it.
    pub(super) fn send(&mut self) {
        let batch = &self.batch;
        let is_empty = batch.events.is_empty() && batch.lost.is_empty() && batch.files.is_empty();
        if is_empty && batch.contents.is_empty() && batch.taken.is_empty() {
            return;
        }
        let now = self.world.now();
        let since = *self.unsent_since.get_or_insert(now);
        if !batch.is_urgent && batch.events.len() < FULL && now < since + LINGER {
            return;
        }
        self.unsent_since = None;
        let batch = std::mem::take(&mut self.batch);
        let (outbox, broadcast) = (self.world.outbox(), self.setup.broadcast.clone());
        let then = move |result: Result<Vec<Event>, _>| {
            let last = result.map(|events| {
                let last = events.last().map_or(0, |event| event.seq);
                broadcast.publish(events);
                last
            });
            let _ = outbox.send(Message::Durable(last));
        };
        let of = Some((self.setup.run.clone(), self.setup.epoch));
        self.setup.store.append(Batch { of, then: Some(Box::new(then)), ..batch });
    }

    /// How the run ended.
    pub fn finished(self) -> Finished {
        let failures = self.ids.iter().zip(&self.nodes).zip(0..).filter_map(|((id, data), node)| {
            let has_failed = self.setup.state.node(node) == NodeState::Failed;
            data.failure.clone().filter(|_| has_failed).map(|failure| (id.to_string(), failure))
        });
        Finished {
            status: self.setup.state.status(),
            counts: self.setup.state.counts(),
            outputs: self.results(),
            failures: failures.collect(),
            elapsed: self.elapsed(),
        }
    }

    /// The workflow's outputs, as far as they are there.
    fn results(&self) -> Vec<(String, Source)> {
        let dag = &self.setup.dag;
        let finished = |node| self.setup.state.node(node) == NodeState::Finished;
        let outputs = dag.outputs.iter().filter(|output| {
            let mut all_finished = true;
            output.input.for_each_port(&mut |port| all_finished &= finished(port.node.0));
            all_finished
        });
        outputs
            .filter_map(|output| {
                Some((output.name.clone(), Source::new(&output.input, &self.within(0)).ok()?))
            })
            .collect()
    }

    fn outputs(&self, node: u32) -> Json {
        let data = &self.nodes[node as usize];
        let of = nodes::node(&self.setup.dag, &self.setup.state, node);
        let ports = of.map(|node| node.outputs.as_slice()).unwrap_or_default();
        let outputs = ports.iter().zip(&data.outputs);
        let outputs: Map<String, Json> =
            outputs.map(|(port, output)| (port.name.clone(), output.reference.to_json())).collect();
        let mut json = json!({ "outputs": outputs });
        if data.ended_at_max {
            json["ended_at_max"] = json!(true);
            json["warning"] = json!("has run as often as its `max` allows, and its condition still holds");
        }
        if let Some(elapsed) = data.elapsed {
            json["seconds"] = json!(elapsed.as_secs_f64());
        }
        add_usage(&mut json, data.usage);
        self.add_read(node, &mut json);
        if !data.metrics.is_empty() {
            let metrics = data.metrics.iter().map(|(name, value)| (name.clone(), json!(value)));
            json["metrics"] = Json::Object(metrics.collect());
        }
        json
    }

    fn failure(&self, node: u32) -> Json {
        let data = &self.nodes[node as usize];
        let Some(failure) = &data.failure else { return json!({}) };
        let mut json = json!({ "message": failure.to_string() });
        if let Some(usage) = data.usage {
            json["seconds"] = json!(usage.wall.as_secs_f64());
            add_usage(&mut json, data.usage);
        }
        self.add_read(node, &mut json);
        if let Some(help) = failure.help() {
            json["help"] = json!(help);
        }
        json
    }

    /// What the node's key rests on, as far as neither the DAG nor what its inputs gave says it.
    fn add_read(&self, node: u32, json: &mut Json) {
        let data = &self.nodes[node as usize];
        if !data.files.is_empty() {
            let files = data.files.iter().filter_map(|path| match self.files.get(path)? {
                FileHash::Content(hash, _) => Some((path.clone(), json!(hash.to_string()))),
                FileHash::Unknown => None,
            });
            json["files"] = Json::Object(files.collect());
        }
        if let Some(code) = data.code {
            json["code"] = json!(code.to_string());
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.world.now() - self.started).unwrap_or_default())
    }

    pub(super) fn tell(&mut self, node: Option<Arc<str>>, attempt: u32, kind: Kind, data: Json) {
        self.setup.seq += 1;
        self.batch.events.push(Event {
            run: self.setup.run.clone(),
            seq: self.setup.seq,
            epoch: self.setup.epoch,
            node,
            attempt,
            kind,
            time: self.world.now(),
            data,
        });
    }
}

/// What an attempt used, as far as that is known; in whole microseconds and bytes.
fn add_usage(json: &mut Json, usage: Option<Usage>) {
    let Some(usage) = usage else { return };
    if let Some(cpu) = usage.cpu {
        json["cpu_seconds"] = json!(cpu.as_micros() as f64 / 1e6);
    }
    if let Some(bytes) = usage.peak_memory {
        json["peak_memory"] = json!(bytes);
    }
}
