//! The world of one process: operators that take virtual time, and may do so badly.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::mpsc::Sender,
};

use flow_runtime::{
    artifact::{ArtifactError, Artifacts, Content},
    drive::{Job, Message, World},
    schedule::Amount,
    simulate::{Random, Timeline},
    task::{Executed, Failure},
};

use crate::{
    operator::Quiet,
    plan::{Fault, POOL, Plan},
};

/// What all processes share: time, chance, and the operators that run.
pub struct Shared {
    pub plan: Plan,
    pub timeline: Timeline<Happening>,
    pub random: Random,
    pub running: BTreeMap<Task, Running>,
    pub effects: Vec<Effect>,
    /// Attempts whose operator has come to its end, by the nodes' ids.
    pub ended: BTreeSet<(String, u32)>,
    /// How often the run was retried.
    pub retries: u32,
    /// Nothing goes wrong any more.
    pub is_calm: bool,
    pub violations: BTreeSet<String>,
}

/// An attempt of a node, in a process.
pub type Task = (usize, u32, u32);

pub struct Running {
    pub job: Rc<Job>,
    pub takes: Amount,
    /// What it will come to.
    pub result: Option<Result<Executed, Failure>>,
    pub is_stopping: bool,
    pub effect: Option<usize>,
}

/// One start of an operator with an effect.
pub struct Effect {
    pub node: String,
    pub outcome: EffectOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectOutcome {
    /// Nobody knows whether it was done: it runs, or its process died.
    Unknown,
    Done,
    /// It says that it failed.
    Failed,
    /// It obeyed when it was asked to stop, or it never began.
    NotDone,
}

pub enum Happening {
    Deliver(usize, Message),
    /// An operator comes to its end.
    Answer(Task),
    /// One that has answered already answers again.
    AnswerAgain(Task, Rc<Job>),
    TimeOut(Task),
    Obey(Task),
    /// The process looks at its delays.
    Wake(usize),
    Commit(usize),
    /// The signal that nodes wait for.
    Signal,
    /// Somebody takes up the run, which nobody works on.
    Resume,
}

/// The place in the plan of a node, or of one in its regions: `n3`, `n3/first`, `n3[2]/second`.
pub fn number(id: &str) -> usize {
    let digits = id[1..].find(|letter: char| !letter.is_ascii_digit()).map_or(id.len(), |end| end + 1);
    id[1..digits].parse().unwrap()
}

/// What one process sees.
pub struct ProcessWorld {
    pub process: usize,
    pub shared: Rc<RefCell<Shared>>,
    pub artifacts: Artifacts,
    pub outbox: Sender<Message>,
}

impl Shared {
    /// Whether a fault of the plan strikes now.
    pub fn strikes(&mut self, fault: Fault, percent: u64) -> bool {
        !self.is_calm && self.plan.has(fault) && self.random.percent(percent)
    }

    /// How long a message takes.
    pub fn latency(&mut self) -> i64 {
        let longest = if !self.is_calm && self.plan.has(Fault::Late) { 300_000 } else { 500 };
        self.random.between(0, longest)
    }

    pub fn violation(&mut self, what: impl Into<String>) {
        self.violations.insert(what.into());
    }

    /// Whether what runs in a process fits on its machine.
    fn check_limits(&mut self, process: usize) {
        let mut used = Amount::default();
        for ((of, ..), running) in &self.running {
            if *of == process {
                used.add(&running.takes);
            }
        }
        let there = self.plan.machine.whole();
        let is_too_much = used.cores > there.cores
            || used.memory > there.memory
            || used.gpus.iter().any(|(_, times)| *times > 1)
            || used.pool(POOL) > there.pool(POOL);
        if is_too_much {
            self.violation(format!("{used:?} is in use of {there:?}"));
        }
    }

    /// What a node with an effect may be launched for: at most once, and once more for each retry that its
    /// policy grants, and all of that again for each retry of the run; an operator that says it has not done it does not
    /// count.
    fn check_effect(&mut self, node: &str) {
        let mut begun = 0;
        for effect in self.effects.iter().filter(|effect| effect.node == node) {
            begun += u32::from(effect.outcome != EffectOutcome::NotDone);
        }
        // A region's next attempt runs its nodes again.
        let granted = self.plan.nodes[number(node)].retry + 1;
        if begun >= granted * (1 + self.retries) {
            self.violation(format!("the effect of {node} is launched again, after {begun} times"));
        }
    }

    /// The operator has ended, whoever hears of it.
    pub fn end(&mut self, task: Task, result: &Result<Executed, Failure>) -> Option<Running> {
        let running = self.running.remove(&task)?;
        let identity = &running.job.identity;
        self.ended.insert((identity.node.to_string(), identity.attempt));
        if let Some(effect) = running.effect.and_then(|effect| self.effects.get_mut(effect)) {
            effect.outcome = match result {
                Ok(_) => EffectOutcome::Done,
                Err(Failure::Cancelled | Failure::Input { .. }) => EffectOutcome::NotDone,
                Err(_) => EffectOutcome::Failed,
            };
        }
        Some(running)
    }

    /// The process is gone, and what ran in it.
    pub fn kill(&mut self, process: usize) {
        self.running.retain(|(of, ..), _| *of != process);
    }
}

impl World for ProcessWorld {
    fn now(&self) -> i64 {
        self.shared.borrow().timeline.now()
    }

    fn outbox(&self) -> Sender<Message> {
        self.outbox.clone()
    }

    fn launch(&mut self, job: Job) {
        let mut shared = self.shared.borrow_mut();
        let shared = &mut *shared;
        let id = job.identity.node.to_string();
        let task = (self.process, job.node, job.identity.attempt);
        let node = shared.plan.nodes[number(&id)].clone();
        let is_inner = id.contains('/');
        let is_effect = node.is_effect && (!is_inner || id.ends_with("/second"));
        // Inputs are read at once; what it gives is known from then on.
        let mut result = job.run(&self.artifacts, &Quiet);
        let has_begun = !matches!(result, Err(Failure::Input { .. }));
        if result.is_ok() && shared.strikes(Fault::Fails, 25) {
            result = Err(Failure::operator("out of luck"));
        }
        let effect = (is_effect && has_begun).then(|| {
            shared.check_effect(&id);
            shared.effects.push(Effect { node: id.clone(), outcome: EffectOutcome::Unknown });
            shared.effects.len() - 1
        });
        let takes = Amount {
            cores: u32::try_from(job.threads).unwrap(),
            memory: job.memory,
            gpus: job.gpus.iter().map(|index| (*index, 1)).collect(),
            pools: (node.is_pooled && !is_inner).then(|| (POOL.into(), 1)).into_iter().collect(),
        };
        let running = Running { job: Rc::new(job), takes, result: Some(result), is_stopping: false, effect };
        if shared.running.insert(task, running).is_some() {
            shared.violation(format!("{id} is launched twice in one attempt"));
        }
        shared.check_limits(self.process);
        if let Some(timeout) = node.timeout.filter(|_| !is_inner) {
            shared.timeline.add(timeout, Happening::TimeOut(task));
        }
        if !shared.strikes(Fault::Hangs, 10) {
            let duration = if has_begun { node.duration } else { 0 };
            let duration = duration * shared.random.between(50, 150) / 100;
            shared.timeline.add(duration, Happening::Answer(task));
        }
    }

    fn stop(&mut self, node: u32, attempt: u32) {
        let mut shared = self.shared.borrow_mut();
        let task = (self.process, node, attempt);
        let is_deaf = shared.strikes(Fault::Deaf, 60);
        if let Some(running) = shared.running.get_mut(&task)
            && !is_deaf
        {
            running.is_stopping = true;
            let delay = shared.random.between(0, 200_000);
            shared.timeline.add(delay, Happening::Obey(task));
        }
    }

    fn publish(&mut self, node: u32, attempt: u32, contents: Vec<Content>) {
        let mut shared = self.shared.borrow_mut();
        let hash = contents[0].hash();
        let result = if shared.strikes(Fault::Unpublished, 30) {
            Err(ArtifactError::Write { hash, reason: "the disk is full".to_owned() })
        } else {
            contents.into_iter().try_for_each(|content| self.artifacts.publish(content))
        };
        let delay = shared.random.between(0, 20_000);
        shared
            .timeline
            .add(delay, Happening::Deliver(self.process, Message::Stored { node, attempt, result }));
    }

    fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }
}
