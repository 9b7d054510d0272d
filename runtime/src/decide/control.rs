//! Nodes that steer others: they wait, pass on, branch, map and loop.
//!
//! What they do depends on data, which the decider does not read: it asks, and is told. A node with regions opens
//! their instances, and ends as they end.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    graph::{Kind, Part},
    scope::Place,
    state::{State, Stopping},
    status::{NodeState, RunStatus},
    step::{Cause, Command, Gather, Told},
};

/// What a control node has come to in its present attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    /// All that there have ever been, by part and iteration.
    pub instances: FxHashMap<(Part, u64), u32>,
    phase: Phase,
    /// Instances that this attempt began with last, and how many of them are not over.
    begun: u64,
    open: u64,
    /// The worst end that an instance has come to.
    worst: Option<RunStatus>,
    /// What an instance waits for that is made again around it.
    lacks: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// For what its inputs say, or the condition of an iteration.
    Asking { iteration: u64 },
    /// For a delay or a signal.
    Waiting,
    /// For its instances.
    Inside,
    /// For its outputs.
    #[default]
    Gathering,
}

impl State {
    /// The node runs: its inputs are there.
    pub(super) fn begin(&mut self, node: u32, commands: &mut Vec<Command>) {
        let control = self.controls.entry(node).or_default();
        (control.open, control.worst, control.lacks) = (0, None, None);
        match self.kind(node) {
            Kind::Plain => {}
            Kind::Pass => self.gather(node, Gather::Inputs, commands),
            Kind::Wait | Kind::WaitFor | Kind::Conditional { .. } | Kind::Map { .. } => {
                self.ask(node, 0, commands);
            }
            Kind::Loop { .. } => self.enter_instances(node, Part::Condition, 0..1, commands),
            Kind::Workflow { .. } => self.enter_instances(node, Part::Body, 0..1, commands),
        }
    }

    /// What it asked for.
    pub(super) fn told(&mut self, node: u32, told: &Told, commands: &mut Vec<Command>) {
        let Some(Phase::Asking { iteration }) = self.phase(node) else { return };
        if self.is_stopping(node) {
            return self.stopped(node, commands);
        }
        match (self.kind(node), told) {
            (Kind::Wait, Told::Delay(delay)) => {
                self.set_phase(node, Phase::Waiting);
                commands.push(Command::Wait { node, attempt: self.attempt(node), delay: (*delay).max(0) });
            }
            (Kind::WaitFor, Told::Signal { name, timeout }) => {
                self.listen(node, name, *timeout, commands);
            }
            (Kind::Conditional { .. }, Told::Holds { iteration: 0, holds }) => {
                let (taken, other) =
                    if *holds { (Part::Then, Part::Otherwise) } else { (Part::Otherwise, Part::Then) };
                self.skip(Place { node, part: other, iteration: 0 }, commands);
                self.enter_instances(node, taken, 0..1, commands);
            }
            (Kind::Map { max, .. }, Told::Length(length)) if length > max => {
                self.fail_for_good(node, false, commands);
            }
            (Kind::Map { .. }, Told::Length(0)) => self.gather(node, Gather::Elements(0), commands),
            (Kind::Map { .. }, Told::Length(length)) => {
                self.enter_instances(node, Part::Body, 0..*length, commands);
            }
            (Kind::Loop { max, .. }, Told::Holds { iteration: after, holds }) if *after == iteration => {
                if *holds && iteration < *max {
                    self.enter_instances(node, Part::Body, iteration..iteration + 1, commands);
                } else {
                    let from = Gather::State { iterations: iteration, at_max: *holds };
                    self.gather(node, from, commands);
                }
            }
            _ => {}
        }
    }

    /// An instance has ended, perhaps for now, since it lacks what is being made again.
    pub(super) fn instance_over(
        &mut self,
        place: Place,
        status: RunStatus,
        lacks: Option<u32>,
        commands: &mut Vec<Command>,
    ) {
        let Place { node, part, iteration } = place;
        let Some(control) = self.controls.get_mut(&node) else { return };
        control.open -= 1;
        control.worst = control.worst.max(Some(status));
        control.lacks = control.lacks.or(lacks);
        if control.open > 0 {
            return;
        }
        let (worst, lacks) = (control.worst, control.lacks);
        if self.is_stopping(node) {
            return self.stopped(node, commands);
        }
        match (worst, self.kind(node)) {
            (Some(RunStatus::Failed | RunStatus::Cancelled), _) => self.fail(node, commands),
            (Some(RunStatus::Blocked), _) => match lacks {
                Some(producer) => self.again_after(node, producer, commands),
                None => self.block(node, commands),
            },
            (_, Kind::Loop { .. }) if part == Part::Condition => self.ask(node, iteration, commands),
            (_, Kind::Loop { .. }) => {
                let next = iteration + 1;
                self.enter_instances(node, Part::Condition, next..next + 1, commands);
            }
            (_, Kind::Map { .. }) => {
                let elements = self.controls.get(&node).map_or(0, |control| control.begun);
                self.gather(node, Gather::Elements(elements), commands);
            }
            _ => self.gather(node, Gather::Instance(part), commands),
        }
    }

    /// The delay of a wait has passed.
    pub(super) fn waited(&mut self, node: u32, commands: &mut Vec<Command>) {
        if matches!(self.kind(node), Kind::Wait) && self.phase(node) == Some(Phase::Waiting) {
            self.gather(node, Gather::Inputs, commands);
        }
    }

    /// Whoever waits for the signal goes on, and so does whoever will.
    pub(super) fn signal(&mut self, name: &Arc<str>, commands: &mut Vec<Command>) {
        if !self.signals.insert(name.clone()) {
            return;
        }
        commands.push(Command::Signalled { name: name.clone() });
        for (node, attempt) in self.listeners.remove(name).unwrap_or_default() {
            if self.is_at(node, attempt, NodeState::Running) && self.phase(node) == Some(Phase::Waiting) {
                self.gather(node, Gather::Inputs, commands);
            }
        }
    }

    /// It is to stop. Nobody else can stop it, and what it has asked for comes in any case.
    pub(super) fn stop_control(&mut self, node: u32, commands: &mut Vec<Command>) {
        let cause = match self.nodes[node as usize].stopping {
            Some(Stopping::Cancelled(cause)) => cause,
            Some(Stopping::TimedOut) | None => Cause::Node(node),
        };
        match self.phase(node) {
            Some(Phase::Waiting) => self.stopped(node, commands),
            Some(Phase::Inside) => {
                let Some(control) = self.controls.get(&node) else { return };
                let mut scopes: Vec<u32> = control.instances.values().copied().collect();
                scopes.sort_unstable();
                for scope in scopes {
                    if self.scopes[scope as usize].is_open {
                        self.cancel_scope(scope, cause, commands);
                    }
                }
            }
            Some(Phase::Asking { .. } | Phase::Gathering) | None => {}
        }
    }

    fn enter_instances(
        &mut self,
        node: u32,
        part: Part,
        iterations: std::ops::Range<u64>,
        commands: &mut Vec<Command>,
    ) {
        let control = self.controls.entry(node).or_default();
        control.phase = Phase::Inside;
        control.begun = iterations.end - iterations.start;
        control.open = control.begun;
        for iteration in iterations {
            self.open(Place { node, part, iteration }, commands);
        }
    }

    fn ask(&mut self, node: u32, iteration: u64, commands: &mut Vec<Command>) {
        self.set_phase(node, Phase::Asking { iteration });
        commands.push(Command::Ask { node, attempt: self.attempt(node), iteration });
    }

    fn gather(&mut self, node: u32, from: Gather, commands: &mut Vec<Command>) {
        self.set_phase(node, Phase::Gathering);
        commands.push(Command::Gather { node, attempt: self.attempt(node), from });
    }

    fn listen(&mut self, node: u32, name: &Arc<str>, timeout: Option<i64>, commands: &mut Vec<Command>) {
        if self.signals.contains(name) {
            return self.gather(node, Gather::Inputs, commands);
        }
        self.set_phase(node, Phase::Waiting);
        let attempt = self.attempt(node);
        self.listeners.entry(name.clone()).or_default().push((node, attempt));
        if let Some(delay) = timeout {
            commands.push(Command::Timeout { node, attempt, delay: delay.max(0) });
        }
    }

    fn phase(&self, node: u32) -> Option<Phase> {
        self.controls.get(&node).map(|control| control.phase)
    }

    fn set_phase(&mut self, node: u32, phase: Phase) {
        if let Some(control) = self.controls.get_mut(&node) {
            control.phase = phase;
        }
    }
}
