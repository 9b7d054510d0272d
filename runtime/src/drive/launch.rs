//! How a node starts: operators on the threads, expressions here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_ir::{
    dag::Dag,
    expr::evaluate,
    node::{NodeKind, PortRef},
};

use super::{AHEAD, Driver, Message, data::Slot};
use crate::{
    act::{NativeContext, Throttle},
    artifact::{ArtifactError, Artifacts, Reference},
    decide::{Event, NodeState},
    operator::{Datum, Operator},
    task::{
        Envelope, EnvelopeError, Executed, Failure, Identity, Resolve, Scalars, Source, execute, finish,
        parameter, scalar,
    },
};

/// The data behind ports; none where the port's node failed and others continue without it.
type Slots = Vec<(PortRef, Option<Arc<Slot>>)>;

/// All that a thread needs to run a node.
pub struct Job {
    dag: Arc<Dag>,
    node: u32,
    identity: Identity,
    slots: Slots,
    body: Arc<dyn Operator>,
    artifacts: Artifacts,
    context: NativeContext,
    outbox: Sender<Message>,
}

impl Driver {
    /// Launches what fits, unless the store is too far behind.
    pub(super) fn launch(&mut self) {
        while self.setup.seq - self.durable < AHEAD
            && let Some((node, attempt)) = self.setup.scheduler.take()
        {
            if !self.setup.state.is_at(node, attempt, NodeState::Ready) {
                self.setup.scheduler.release(node);
                continue;
            }
            self.step(&Event::Launched { node, attempt });
            let Some(job) = self.job(node, attempt) else {
                // Engines refuse a DAG whose operators they lack.
                self.setup.scheduler.release(node);
                let message = "its operator is not here".to_owned();
                self.fail(node, attempt, Failure::Operator { message, help: None });
                continue;
            };
            self.running.insert(node, job.context.cancelled.clone());
            if self.setup.dag.nodes.get(node as usize).is_some_and(|node| node.effect) {
                self.held.push((self.setup.seq, job));
                self.batch.is_urgent = true;
            } else {
                self.submit(job);
            }
        }
    }

    /// Launches the operators with an effect whose start is durable now.
    pub(super) fn launch_held(&mut self) {
        let durable = self.durable;
        for (_, job) in self.held.extract_if(.., |(seq, _)| *seq <= durable).collect::<Vec<_>>() {
            self.submit(job);
        }
    }

    pub(super) fn stop(&mut self, node: u32) {
        if let Some(cancelled) = self.running.get(&node) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Computes a scalar from scalars.
    pub(super) fn evaluate(&mut self, node: u32, attempt: u32) {
        self.step(&Event::Launched { node, attempt });
        let result = self.value(node);
        self.done(node, attempt, result);
    }

    fn value(&mut self, node: u32) -> Result<Executed, Failure> {
        let dag = self.setup.dag.clone();
        let started = Instant::now();
        let failed = |message: String| Failure::Operator { message, help: None };
        let Some((of, NodeKind::Expression(expr))) =
            dag.nodes.get(node as usize).map(|node| (node, &node.kind))
        else {
            return Err(failed("it is no expression".to_owned()));
        };
        let slots = self.slots(node);
        let artifacts = self.setup.artifacts.clone();
        let mut load = |reference: &Reference| find(&slots, reference, &artifacts);
        let scalars = of.inputs.iter().map(|(name, input)| {
            let source = Source::new(input, self).map_err(|error| failed(error.to_string()))?;
            Ok((name.clone(), scalar(name, &source, &mut load)?))
        });
        let scalars = Scalars(scalars.collect::<Result<_, Failure>>()?);
        let value = evaluate(expr, &scalars).map_err(|error| failed(error.to_string()))?;
        let outputs = finish("expression", vec![Datum::Value(value)], &of.outputs, artifacts.folder())?;
        Ok(Executed { outputs, elapsed: started.elapsed() })
    }

    fn job(&mut self, node: u32, attempt: u32) -> Option<Job> {
        let body = self.setup.bodies.get(node as usize)?.as_ref()?.body.clone();
        let policy = &self.setup.dag.nodes.get(node as usize)?.policy;
        let timeout =
            policy.timeout.and_then(|timeout| u64::try_from(timeout).ok()).map(Duration::from_micros);
        let context = NativeContext {
            node: self.ids.get(node as usize)?.clone(),
            attempt,
            threads: policy.cpu.max(1) as usize,
            memory: policy.memory,
            cancelled: Arc::new(AtomicBool::new(false)),
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            subscribers: self.setup.subscribers.clone(),
            progress: Throttle::default(),
        };
        Some(Job {
            dag: self.setup.dag.clone(),
            node,
            identity: Identity {
                run: self.setup.run.clone(),
                node: context.node.clone(),
                attempt,
                epoch: self.setup.epoch,
            },
            slots: self.slots(node),
            body,
            artifacts: self.setup.artifacts.clone(),
            context,
            outbox: self.outbox.clone(),
        })
    }

    /// The data behind every port that a node reads.
    fn slots(&mut self, node: u32) -> Slots {
        let mut ports = Vec::new();
        for (_, input) in self.setup.dag.nodes.get(node as usize).into_iter().flat_map(|node| &node.inputs) {
            input.for_each_port(&mut |port| ports.push(port));
        }
        ports.into_iter().map(|port| (port, self.slot(port))).collect()
    }

    fn submit(&mut self, job: Job) {
        let (node, attempt) = (job.node, job.identity.attempt);
        if let Err(error) = self.workers.submit(move || job.run()) {
            let message = format!("no thread can be started: {error}");
            let result = Err(Failure::Operator { message, help: None });
            let _ = self.outbox.send(Message::Done { node, attempt, result });
        }
    }
}

impl Job {
    fn run(self) {
        let mut result = self.execute();
        if result.as_ref().is_err_and(|failure| *failure == Failure::Cancelled)
            && !self.context.cancelled.load(Ordering::Relaxed)
            && self.context.is_past_deadline()
        {
            let timeout = self.dag.nodes.get(self.node as usize).and_then(|node| node.policy.timeout);
            let seconds = (timeout.unwrap_or_default() as f64 / 1e6).to_string();
            result = Err(Failure::TimedOut { seconds });
        }
        let _ = self.outbox.send(Message::Done { node: self.node, attempt: self.identity.attempt, result });
    }

    fn execute(&self) -> Result<Executed, Failure> {
        let envelope = self.envelope().map_err(|message| Failure::Operator { message, help: None })?;
        let mut load = |reference: &Reference| find(&self.slots, reference, &self.artifacts);
        execute(&envelope, &*self.body, &mut load, self.artifacts.folder(), &self.context)
    }

    fn envelope(&self) -> Result<Envelope, String> {
        let node = self.dag.nodes.get(self.node as usize);
        let Some((node, NodeKind::Task(operator))) = node.map(|node| (node, &node.kind)) else {
            return Err("it is no task".to_owned());
        };
        let identity = self.identity.clone();
        let mut envelope =
            Envelope::new(node, operator, identity, self).map_err(|error| error.to_string())?;
        envelope.deadline = node.policy.timeout.and_then(|timeout| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(now.as_micros()).ok()?.checked_add(timeout)
        });
        Ok(envelope)
    }
}

impl Resolve for Job {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        parameter(&self.dag, name).cloned().map(Source::Value)
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        let (_, slot) = self.slots.iter().find(|(of, _)| *of == port)?;
        slot.as_ref().map(|slot| slot.reference.clone())
    }
}

/// From memory where it is there, else from where artifacts are.
fn find(slots: &Slots, reference: &Reference, artifacts: &Artifacts) -> Result<Datum, ArtifactError> {
    let slot = slots.iter().filter_map(|(_, slot)| slot.as_ref()).find(|slot| slot.reference == *reference);
    match slot {
        Some(slot) => slot.get(artifacts),
        None => artifacts.load(reference),
    }
}
