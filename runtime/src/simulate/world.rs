//! The world of a simulated run: operators are asked for their answers, and time goes on when nothing else does.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use flow_ir::{hash::Hash, node::Port};
use rustc_hash::FxHashMap;

use super::{
    answer::{Answers, Asked, Made},
    outcome::Peak,
    timeline::Timeline,
};
use crate::{
    artifact::{ArtifactError, Artifacts, Content, Encoded, Reference},
    drive::{Job, Message, World},
    operator::Datum,
    task::{Executed, Failure, finish},
};

/// What a simulated run and whoever steps it share.
pub struct Inner<'a> {
    pub timeline: Timeline<Message>,
    pub peak: Peak,
    answers: &'a mut dyn Answers,
    /// When the run began.
    began: i64,
    /// What runs, and whether its answer still counts: it does not after a stop.
    running: FxHashMap<(u32, u32), Taken>,
}

/// Cores and bytes.
type Taken = (u32, u64);

/// What the driver sees.
pub struct SimulatedWorld<'a> {
    inner: Rc<RefCell<Inner<'a>>>,
    outbox: Sender<Message>,
    artifacts: Artifacts,
}

impl<'a> Inner<'a> {
    pub fn new(now: i64, answers: &'a mut dyn Answers) -> Self {
        let (peak, running) = (Peak::default(), FxHashMap::default());
        Self { timeline: Timeline::new(now), peak, answers, began: now, running }
    }

    /// Goes on to the next time at which something happens, `until` at the latest, and gives what happens then;
    /// none where nothing ever will.
    pub fn advance(&mut self, until: Option<i64>) -> Option<Vec<Message>> {
        let next = self.timeline.next_time();
        let time = match (next, until) {
            (Some(next), Some(until)) => next.min(until),
            (Some(time), None) | (None, Some(time)) => time,
            (None, None) => return None,
        };
        self.timeline.advance(time);
        let mut messages = Vec::new();
        while self.timeline.next_time().is_some_and(|next| next <= time)
            && let Some(message) = self.timeline.pop()
        {
            let counts = match &message {
                Message::Done { node, attempt, .. } => self.end(*node, *attempt),
                _ => true,
            };
            if counts {
                messages.push(message);
            }
        }
        Some(messages)
    }

    fn launch(&mut self, job: &Job, artifacts: &Artifacts) {
        let (node, attempt) = (job.node, job.identity.attempt);
        let Some(of) = job.of() else { return };
        let asked =
            Asked { id: &job.identity.node, node: of, attempt, time: self.timeline.now() - self.began };
        let answer = self.answers.answer(&asked);
        let (after, result) = match job.timeout {
            Some(timeout) if timeout < answer.after => {
                let seconds = (timeout as f64 / 1e6).to_string();
                (timeout, Err(Failure::TimedOut { seconds }))
            }
            _ => {
                let elapsed = Duration::from_micros(u64::try_from(answer.after).unwrap_or_default());
                let result = answer.result.and_then(|made| {
                    let outputs = encode(of.op(), made, &of.outputs, artifacts)?;
                    Ok(Executed { outputs, elapsed, metrics: Vec::new() })
                });
                (answer.after, result)
            }
        };
        let taken = (u32::try_from(job.threads).unwrap_or(u32::MAX), job.memory);
        self.running.insert((node, attempt), taken);
        self.peak.add(taken);
        self.timeline.add(after, Message::Done { node, attempt, result, usage: None });
    }

    /// Operators obey at once.
    fn stop(&mut self, node: u32, attempt: u32) {
        if self.running.contains_key(&(node, attempt)) {
            self.timeline
                .add(0, Message::Done { node, attempt, result: Err(Failure::Cancelled), usage: None });
        }
    }

    /// Whether it was running: one that was stopped has answered already.
    fn end(&mut self, node: u32, attempt: u32) -> bool {
        let ended = self.running.remove(&(node, attempt));
        ended.is_some_and(|taken| {
            self.peak.remove(taken);
            true
        })
    }
}

fn encode(op: &str, made: Vec<Made>, ports: &[Port], artifacts: &Artifacts) -> Result<Vec<Encoded>, Failure> {
    if made.len() != ports.len() {
        return Err(Failure::OutputCount { op: op.to_owned(), expected: ports.len(), found: made.len() });
    }
    let mut outputs = Vec::with_capacity(made.len());
    for (made, port) in made.into_iter().zip(ports) {
        match made {
            Made::Datum(datum) => {
                outputs.append(&mut finish(op, vec![datum], std::slice::from_ref(port), artifacts.folder())?);
            }
            Made::Reference(reference) => {
                outputs.push(Encoded { reference, datum: None, contents: Vec::new() });
            }
        }
    }
    Ok(outputs)
}

impl<'a> SimulatedWorld<'a> {
    pub fn new(inner: Rc<RefCell<Inner<'a>>>, artifacts: Artifacts) -> (Self, Receiver<Message>) {
        let (outbox, inbox) = channel();
        (Self { inner, outbox, artifacts }, inbox)
    }
}

impl World for SimulatedWorld<'_> {
    fn now(&self) -> i64 {
        self.inner.borrow().timeline.now()
    }

    fn outbox(&self) -> Sender<Message> {
        self.outbox.clone()
    }

    fn launch(&mut self, job: Job) {
        self.inner.borrow_mut().launch(&job, &self.artifacts);
    }

    fn stop(&mut self, node: u32, attempt: u32) {
        self.inner.borrow_mut().stop(node, attempt);
    }

    fn publish(&mut self, node: u32, attempt: u32, _: Vec<Content>) {
        let _ = self.outbox.send(Message::Stored { node, attempt, result: Ok(()) });
    }

    fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    fn load(&self, reference: &Reference) -> Result<Datum, ArtifactError> {
        // Nothing that is lost can be made again here.
        self.artifacts
            .load(reference)
            .map_err(|error| ArtifactError::Read { hash: error.hash(), reason: error.to_string() })
    }

    fn is_there(&self, _: &Reference) -> bool {
        true
    }

    fn remove(&mut self, _: Hash) -> io::Result<()> {
        Ok(())
    }
}
