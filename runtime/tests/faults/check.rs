//! What must hold of the events of a run, whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};

use flow_ir::{dag::Dag, policy::OnFailure, value::Value};
use flow_runtime::{
    artifact::{Reference, Summary},
    event::{Event, Kind},
};
use serde_json::Value as Json;

use crate::{
    build::PARTS,
    operator::{Read, give},
    plan::{Control, Fault, NodePlan, Plan},
    region::NAMES,
    world::number,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Pending,
    Ready,
    Running,
    Finishing,
    Finished,
    Failed,
    Cancelled,
}

use Stand::{Cancelled, Failed, Finished, Finishing, Pending, Ready, Running};

/// How the run has ended: empty before its first event, `running` before it has.
pub fn status(events: &[Event]) -> String {
    match events.last() {
        None => String::new(),
        Some(event) if event.kind == Kind::RunFinished => {
            event.data.get("status").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        Some(_) => "running".to_owned(),
    }
}

/// What a node gave, where the event says it.
pub fn output(event: &Event) -> Option<Reference> {
    Reference::from_json(event.data.get("outputs")?.get("value")?)
}

/// All that does not hold.
///
/// `told` is what subscribers heard; `retried` the epochs in which the run was retried; `answered` the attempts whose
/// operator has ended.
pub fn check(
    plan: &Plan,
    dag: &Dag,
    events: &[Event],
    told: &[Event],
    retried: &BTreeSet<u32>,
    answered: &BTreeSet<(String, u32)>,
) -> Vec<String> {
    let mut checker = Checker {
        plan,
        retried,
        answered,
        revived: BTreeSet::new(),
        done: BTreeSet::new(),
        stands: vec![Pending; plan.nodes.len()],
        attempts: vec![0; plan.nodes.len()],
        began: BTreeMap::new(),
        ran: BTreeSet::new(),
        failures: vec![0; plan.nodes.len()],
        gave: vec![BTreeSet::new(); plan.nodes.len()],
        opaque: vec![false; plan.nodes.len()],
        inner: BTreeMap::new(),
        ended: None,
        epoch: 0,
        violations: Vec::new(),
    };
    for (number, event) in (1..).zip(events) {
        if event.seq != number {
            checker.wrong(format!("event {} stands in place {number}", event.seq));
        }
        checker.event(event);
    }
    checker.end(&status(events), dag);
    let stored: BTreeMap<u64, &Event> = events.iter().map(|event| (event.seq, event)).collect();
    for event in told {
        if stored.get(&event.seq) != Some(&event) {
            checker.wrong(format!("event {} was told, and is not in the store: {:?}", event.seq, event.kind));
        }
    }
    checker.violations
}

struct Checker<'a> {
    plan: &'a Plan,
    retried: &'a BTreeSet<u32>,
    answered: &'a BTreeSet<(String, u32)>,
    /// Nodes that a retry of the run must begin with.
    revived: BTreeSet<usize>,
    /// Nodes in regions that have an effect, and have finished.
    done: BTreeSet<String>,
    stands: Vec<Stand>,
    attempts: Vec<u32>,
    /// When the waits began that are under way, in whichever process.
    began: BTreeMap<usize, i64>,
    /// Attempts that ran.
    ran: BTreeSet<(String, u32)>,
    failures: Vec<u64>,
    /// What each node ever gave.
    gave: Vec<BTreeSet<Read>>,
    /// Of these it is not computed what they should give.
    opaque: Vec<bool>,
    /// The last attempts of nodes in regions.
    inner: BTreeMap<String, u32>,
    ended: Option<u32>,
    epoch: u32,
    violations: Vec<String>,
}

impl Checker<'_> {
    fn event(&mut self, event: &Event) {
        if event.epoch < self.epoch {
            self.wrong(format!("event {} has epoch {} after {}", event.seq, event.epoch, self.epoch));
        }
        if self.ended == Some(event.epoch) {
            self.wrong(format!("event {} comes after the end", event.seq));
        }
        if event.epoch > self.epoch && event.kind != Kind::RunStarted {
            self.wrong(format!(
                "epoch {} begins with event {} and not with its start",
                event.epoch, event.seq
            ));
        }
        self.epoch = event.epoch;
        let Some(id) = &event.node else {
            match event.kind {
                Kind::RunStarted => {
                    for (stand, node) in self.stands.iter_mut().zip(&self.plan.nodes) {
                        *stand = match stand {
                            Finished | Failed => *stand,
                            // Nobody knows whether its effect was done: that settles its attempt.
                            Running | Finishing if node.is_effect && node.control.is_none() => Running,
                            _ => Pending,
                        }
                    }
                    if self.retried.contains(&event.epoch) {
                        self.revived = self.to_revive();
                    }
                }
                Kind::RunFinished => self.ended = Some(event.epoch),
                _ => {}
            }
            return;
        };
        let at = number(id);
        if id.contains('/') {
            return self.inner(at, id, event);
        }
        if event.kind != Kind::Retrying && !self.revived.is_empty() {
            self.wrong(format!("the run is retried, and {:?} stay as they are", self.revived));
            self.revived.clear();
        }
        let before = self.stands[at];
        let is_new = event.attempt > self.attempts[at];
        let node = &self.plan.nodes[at];
        if node.control.is_none() && !node.is_expression {
            self.answer(id, event);
        }
        if event.attempt < self.attempts[at] {
            self.wrong(format!("{id} goes back from attempt {} to {}", self.attempts[at], event.attempt));
        }
        self.attempts[at] = event.attempt;
        let (stand, from): (Stand, &[Stand]) = match event.kind {
            Kind::Ready => (Ready, &[Pending]),
            Kind::Running => (Running, &[Ready]),
            // The cache has it, and what it rests on is made again.
            Kind::Finishing if self.plan.nodes[at].cache => (Finishing, &[Running, Ready]),
            Kind::Finishing => (Finishing, &[Running]),
            Kind::Finished => (Finished, &[Finishing]),
            Kind::Cached => (Finished, &[Ready, Finishing]),
            Kind::Retrying if self.revived.remove(&at) => {
                self.failures[at] = 0;
                (Pending, &[Failed, Finished])
            }
            Kind::Retrying if self.may_lose() => (Pending, &[Ready, Running, Finished, Finishing]),
            Kind::Retrying => (Pending, &[Ready, Running]),
            Kind::Failed => (Failed, &[Ready, Running, Finishing, Pending]),
            // What it gave is lost, and cannot be made again.
            Kind::Cancelled if self.may_lose() => {
                (Cancelled, &[Pending, Ready, Running, Finishing, Finished])
            }
            Kind::Cancelled => (Cancelled, &[Pending, Ready, Running, Finishing]),
            other => return self.wrong(format!("{id} has the event {other:?}")),
        };
        if before == Finished && self.plan.nodes[at].is_effect && self.plan.nodes[at].control.is_none() {
            self.wrong(format!("event {}: {id} has an effect, and has finished before {stand:?}", event.seq));
        }
        if !from.contains(&before) {
            self.wrong(format!("event {}: {id} goes from {before:?} to {stand:?}", event.seq));
        }
        if is_new && ![Pending, Ready, Failed, Cancelled].contains(&stand) {
            self.wrong(format!("attempt {} of {id} begins with {stand:?}", event.attempt));
        }
        match event.kind {
            Kind::Running => {
                self.began.entry(at).or_insert(event.time);
                if !self.ran.insert((id.to_string(), event.attempt)) {
                    self.wrong(format!("attempt {} of {id} runs twice", event.attempt));
                }
                self.inputs(at, id, false);
            }
            Kind::Finished | Kind::Cached => {
                self.inputs(at, id, true);
                self.value(at, id, event);
            }
            // What was lost is made again, unless that would do an effect twice.
            Kind::Failed if message(event).starts_with("artifact") && !message(event).contains("effect") => {
                self.wrong(format!("{id} fails since {}", message(event)));
            }
            Kind::Finishing => {
                let waited = self.began.remove(&at).map_or(0, |began| event.time - began);
                if let Some(Control::Wait(duration)) = self.plan.nodes[at].control
                    && stand == Finishing
                    && before == Running
                    && waited < duration
                {
                    self.wrong(format!("{id} has waited {waited} of {duration} µs"));
                }
            }
            Kind::Retrying => {
                self.began.remove(&at);
                let failures = event.data.get("failures").and_then(Json::as_u64).unwrap_or_default();
                let (before, granted) = (self.failures[at], u64::from(self.plan.nodes[at].retry));
                if failures < before || failures > granted {
                    self.wrong(format!(
                        "{id} has failed {failures} times, after {before}, with {granted} retries"
                    ));
                }
                self.failures[at] = failures;
            }
            _ => {}
        }
        self.stands[at] = stand;
    }

    /// An operator that ran has answered in the attempt whose end is told.
    fn answer(&mut self, id: &str, event: &Event) {
        let attempt = (id.to_owned(), event.attempt);
        if event.kind == Kind::Finishing && self.ran.contains(&attempt) && !self.answered.contains(&attempt) {
            self.wrong(format!("attempt {} of {id} has no answer, and finishes", event.attempt));
        }
    }

    /// A node in a region.
    fn inner(&mut self, at: usize, id: &str, event: &Event) {
        let before = self.inner.insert(id.to_owned(), event.attempt).unwrap_or_default();
        if NAMES.iter().any(|name| id.rsplit('/').next() == Some(*name)) {
            self.answer(id, event);
        }
        if event.attempt < before {
            self.wrong(format!("{id} goes back from attempt {before} to {}", event.attempt));
        }
        let is_effect = self.plan.nodes[at].is_effect && id.ends_with("/second");
        if is_effect && event.kind == Kind::Finished {
            self.done.insert(id.to_owned());
        }
        if event.kind == Kind::Running {
            if self.done.contains(id) {
                self.wrong(format!("{id} has an effect, and runs after it has finished"));
            }
            if !self.ran.insert((id.to_owned(), event.attempt)) {
                self.wrong(format!("attempt {} of {id} runs twice", event.attempt));
            }
            if self.stands[at] != Running {
                self.wrong(format!("{id} runs while n{at} is {:?}", self.stands[at]));
            }
        }
    }

    /// What a retry of the run makes pending: what has failed, and what has finished without it; but nothing that
    /// something with an effect has finished after.
    fn to_revive(&self) -> BTreeSet<usize> {
        let nodes = &self.plan.nodes;
        let reads = |at: usize, producer: usize| {
            nodes[at].inputs.contains(&producer) || nodes[at].after.contains(&producer)
        };
        // What is lost had finished.
        let gives = |at: usize| [Finished, Pending].contains(&self.stands[at]);
        let mut is_before = vec![false; nodes.len()];
        for at in (0..nodes.len()).rev() {
            is_before[at] = (at + 1..nodes.len()).any(|consumer| {
                reads(consumer, at) && (self.has_done(consumer) || gives(consumer) && is_before[consumer])
            });
        }
        let mut changed = BTreeSet::new();
        for (at, is_before) in is_before.into_iter().enumerate() {
            let changes = match self.stands[at] {
                Failed => !is_before,
                Finished | Pending => changed.iter().any(|producer| reads(at, *producer)),
                _ => false,
            };
            if changes {
                changed.insert(at);
            }
        }
        changed.retain(|at| [Failed, Finished].contains(&self.stands[*at]));
        changed
    }

    /// Whether the effect of a node, or of one in its regions, has been done.
    fn has_done(&self, at: usize) -> bool {
        let node = &self.plan.nodes[at];
        match node.control {
            None => node.is_effect && self.stands[at] == Finished,
            Some(_) => self.done.iter().any(|id| number(id) == at),
        }
    }

    /// Whether the producers are where they must be before a node starts, or has finished.
    fn inputs(&mut self, at: usize, id: &str, all_finished: bool) {
        let node = &self.plan.nodes[at];
        let is_strict = node.is_effect || node.control.is_some_and(Control::has_regions);
        for (producers, strict) in [(&node.inputs, is_strict), (&node.after, true)] {
            for producer in producers {
                let is_there = match self.stands[*producer] {
                    Finished => true,
                    Finishing => !strict && !all_finished,
                    Failed => self.plan.nodes[*producer].on_failure == OnFailure::Continue,
                    // It was there when the node started, and is made once more.
                    _ => all_finished && self.may_lose(),
                };
                if !is_there {
                    let stand = self.stands[*producer];
                    let what = if all_finished { "has finished" } else { "runs" };
                    self.violations
                        .push(format!("{id} {what} while n{producer}, which it needs, is {stand:?}"));
                }
            }
        }
    }

    /// Whether what a node gave follows from what its producers gave.
    fn value(&mut self, at: usize, id: &str, event: &Event) {
        let node = &self.plan.nodes[at];
        let Some(reference) = output(event) else {
            return self.wrong(format!("{id} has finished without an output"));
        };
        let number = match &reference.summary {
            Summary::Value(Some(Value::Int(number))) => Some(*number),
            _ => None,
        };
        // What regions give is compared with an undisturbed run, and so is what rests on lists of it.
        let rests = node.inputs.iter().any(|producer| self.opaque[*producer]);
        if node.control.is_some() || rests {
            match number {
                Some(number) => drop(self.gave[at].insert(Read::Number(number))),
                None => self.opaque[at] = true,
            }
            return;
        }
        let mut choices: Vec<Vec<Read>> = vec![Vec::new()];
        for producer in &node.inputs {
            let mut reads: Vec<Read> = self.gave[*producer].iter().copied().collect();
            if self.plan.nodes[*producer].on_failure == OnFailure::Continue
                && self.stands[*producer] == Failed
            {
                reads.push(Read::Nothing);
            }
            choices = choices
                .iter()
                .flat_map(|choice| reads.iter().map(|read| [choice.as_slice(), &[*read]].concat()))
                .collect();
        }
        let expected: BTreeSet<i64> =
            choices.iter().map(|choice| expected(self.plan, at, node, choice)).collect();
        match number {
            Some(number) if !expected.contains(&number) => {
                self.wrong(format!("{id} gave {number}, and should have given one of {expected:?}"));
            }
            Some(number) => drop(self.gave[at].insert(Read::Number(number))),
            None => self.gave[at].extend(expected.into_iter().map(Read::Bytes)),
        }
    }

    fn end(&mut self, status: &str, dag: &Dag) {
        for at in 0..self.plan.nodes.len() {
            let id = &dag.nodes[at].id;
            let stand = self.stands[at];
            let on_failure = self.plan.nodes[at].on_failure;
            let is_fine = match (status, stand) {
                (_, Finished) => true,
                (_, Ready | Running | Finishing) => false,
                ("finished", Failed) => on_failure == OnFailure::Continue,
                ("finished", _) => false,
                ("cancelled", Pending) => false,
                ("cancelled", _) => true,
                ("blocked", Failed) => on_failure != OnFailure::CancelDependents,
                ("blocked", Cancelled) => false,
                ("failed", Failed) => true,
                ("failed", Cancelled) => self.is_below(at, |stand, on_failure| {
                    stand == Failed && (on_failure == OnFailure::CancelDependents || self.may_break())
                }),
                ("failed" | "blocked", Pending) => self.is_below(at, |stand, on_failure| {
                    stand == Failed && on_failure == OnFailure::BlockDependents
                }),
                _ => false,
            };
            if !is_fine {
                self.violations.push(format!("the run has {status}, and {id} is {stand:?}"));
            }
            if self.plan.is_certain() && stand != self.certain(at) {
                let certain = self.certain(at);
                self.violations
                    .push(format!("{id} is {stand:?} in the end, and undisturbed it is {certain:?}"));
            }
        }
        let failed = |on_failure: OnFailure| {
            (0..self.plan.nodes.len())
                .any(|at| self.stands[at] == Failed && self.plan.nodes[at].on_failure == on_failure)
        };
        let is_fine = match status {
            "blocked" => self.stands.contains(&Pending) && failed(OnFailure::BlockDependents),
            "failed" => self.stands.contains(&Failed),
            "finished" => !(0..self.plan.nodes.len())
                .any(|at| self.stands[at] == Failed && self.plan.nodes[at].is_output),
            "cancelled" => self.plan.has(Fault::Cancelled),
            _ => false,
        };
        if !is_fine {
            self.wrong(format!("the run should not have {status}: {:?}", self.stands));
        }
    }

    /// How a node ends where nothing is left to chance.
    fn certain(&self, at: usize) -> Stand {
        let node = &self.plan.nodes[at];
        let producers = node.inputs.iter().chain(&node.after);
        let producers: Vec<_> = producers
            .map(|producer| (self.certain(*producer), self.plan.nodes[*producer].on_failure))
            .collect();
        if producers.iter().any(|(stand, on_failure)| {
            *stand == Cancelled || (*stand == Failed && *on_failure == OnFailure::CancelDependents)
        }) {
            Cancelled
        } else if producers.iter().any(|(stand, on_failure)| {
            *stand == Pending || (*stand == Failed && *on_failure == OnFailure::BlockDependents)
        }) {
            Pending
        } else if node.is_broken && !self.plan.is_passed_over(at) {
            Failed
        } else {
            Finished
        }
    }

    fn is_below(&self, at: usize, is_it: impl Fn(Stand, OnFailure) -> bool + Copy) -> bool {
        let node = &self.plan.nodes[at];
        node.inputs.iter().chain(&node.after).any(|producer| {
            is_it(self.stands[*producer], self.plan.nodes[*producer].on_failure)
                || self.is_below(*producer, is_it)
        })
    }

    fn may_lose(&self) -> bool {
        self.plan.has(Fault::Lost) || self.plan.has(Fault::Damaged)
    }

    fn may_break(&self) -> bool {
        self.plan.has(Fault::Unpublished)
    }

    fn wrong(&mut self, what: String) {
        self.violations.push(what);
    }
}

fn expected(plan: &Plan, at: usize, node: &NodePlan, inputs: &[Read]) -> i64 {
    if !node.is_expression {
        return give(plan.seed, at * PARTS, inputs);
    }
    let numbers = inputs.iter().map(|read| match read {
        Read::Number(number) | Read::Bytes(number) => *number,
        Read::Nothing => 0,
    });
    numbers.sum()
}

fn message(event: &Event) -> &str {
    event.data.get("message").and_then(Json::as_str).unwrap_or_default()
}
