//! How a node starts: operators outside, expressions here.

use flow_ir::{
    expr::evaluate,
    node::{Node, NodeKind, VALUE_PORT},
};

use super::{
    Driver, Message, World,
    driver::AHEAD,
    job::{Job, Slots},
    nodes::{self, Path},
};
use crate::{
    artifact::Reference,
    decide::{Event, NodeState},
    operator::Datum,
    schedule::Amount,
    task::{Executed, Failure, Identity, Scalars, Source, datum, scalar},
};

impl<W: World> Driver<W> {
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
                self.fail(node, attempt, Failure::operator("its operator is not here"));
                continue;
            };
            let now = self.world.now();
            self.working.insert((node, attempt), now);
            self.stuck.start(now);
            let of = nodes::node(&self.setup.dag, &self.setup.state, node);
            if of.is_some_and(|node| node.effect || node.is_external()) {
                self.held.push((self.setup.seq, job));
                self.batch.is_urgent = true;
            } else {
                self.world.launch(job);
            }
        }
    }

    /// Launches the operators with an effect, and those outside, whose start is durable now.
    pub(super) fn launch_held(&mut self) {
        let durable = self.durable;
        for (_, job) in self.held.extract_if(.., |(seq, _)| *seq <= durable).collect::<Vec<_>>() {
            self.world.launch(job);
        }
    }

    pub(super) fn stop(&mut self, node: u32, attempt: u32) {
        let is_it = |job: &Job| job.node == node && job.identity.attempt == attempt;
        match self.held.iter().position(|(_, job)| is_it(job)) {
            // It has not even begun.
            Some(place) => {
                drop(self.held.swap_remove(place));
                let _ = self.world.outbox().send(Message::Done {
                    node,
                    attempt,
                    result: Err(Failure::Cancelled),
                    usage: None,
                });
            }
            None => self.world.stop(node, attempt),
        }
    }

    /// Computes a scalar from scalars, or takes a part out of what is more than a scalar.
    pub(super) fn evaluate(&mut self, node: u32, attempt: u32) {
        self.step(&Event::Launched { node, attempt });
        let result = self.value(node);
        self.done(node, attempt, result);
    }

    fn value(&mut self, node: u32) -> Result<Executed, Failure> {
        let dag = self.setup.dag.clone();
        let started = self.world.now();
        let of = nodes::node(&dag, &self.setup.state, node);
        let Some((of, NodeKind::Expression(expr))) = of.map(|node| (node, &node.kind)) else {
            return Err(Failure::operator("it is no expression"));
        };
        let scope = self.setup.state.scope(node);
        let slots = self.slots(node);
        let mut files = Vec::new();
        let mut load = |reference: &Reference| {
            let datum = slots.find(reference, |missing| self.world.load(missing))?;
            if let Datum::File(file) = &datum {
                files.push(file.clone());
            }
            Ok(datum)
        };
        if let Some(source) = self.taken_out(of, expr, scope, &slots)? {
            let datum = datum(VALUE_PORT, &source, &mut load)?;
            return self.computed(datum, of, started);
        }
        let scalars = of.inputs.iter().map(|(name, input)| {
            let source = Source::new(input, &self.within(scope))
                .map_err(|error| Failure::operator(error.to_string()))?;
            Ok((name.clone(), scalar(name, &source, &mut load)?))
        });
        let scalars = Scalars(scalars.collect::<Result<_, Failure>>()?);
        let value = evaluate(expr, &scalars).map_err(|error| Failure::operator(error.to_string()))?;
        // One of several files stays what it is.
        let file = files.into_iter().find(|file| file.value() == value);
        self.computed(file.map_or(Datum::Value(value), Datum::File), of, started)
    }

    fn computed(&self, datum: Datum, of: &Node, started: i64) -> Result<Executed, Failure> {
        let outputs = self.world.encode("expression", vec![datum], &of.outputs)?;
        let elapsed = std::time::Duration::from_micros((self.world.now() - started).unsigned_abs());
        Ok(Executed { outputs, elapsed, metrics: Vec::new() })
    }

    fn job(&mut self, node: u32, attempt: u32) -> Option<Job> {
        let dag = self.setup.dag.clone();
        let of = nodes::node(&dag, &self.setup.state, node)?;
        let body = self.setup.bodies.get(&*of.operator()?)?.body.clone();
        let policy = &of.policy;
        let scope = self.setup.state.scope(node);
        Some(Job {
            dag: dag.clone(),
            path: Path::new(&self.setup.state, node),
            bound: self.bound.get(scope as usize).cloned().flatten(),
            node,
            identity: Identity {
                run: self.setup.run.clone(),
                node: self.ids.get(node as usize)?.clone(),
                attempt,
                epoch: self.setup.epoch,
            },
            threads: policy.cpu.max(1) as usize,
            memory: policy.memory,
            gpus: self.setup.scheduler.taken(node).into_iter().flat_map(Amount::gpu_indices).collect(),
            timeout: policy.timeout,
            now: self.world.now(),
            slots: self.slots(node),
            body,
        })
    }

    /// The data behind every port that a node reads.
    fn slots(&mut self, node: u32) -> Slots {
        let dag = self.setup.dag.clone();
        let of = nodes::node(&dag, &self.setup.state, node);
        let inputs = of.into_iter().flat_map(|node| &node.inputs).map(|(_, input)| input);
        self.slots_of(self.setup.state.scope(node), inputs)
    }
}
