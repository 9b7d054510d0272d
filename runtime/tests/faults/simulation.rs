//! One plan, from its first process to the end of the run: what happens, in virtual time, on one thread.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
};

use flow_ir::{dag::Dag, node::NodeKind};
use serde_json::Value as Json;

use flow_runtime::{
    artifact::{Artifacts, Reference, SmallContents},
    decide::{Graph, State, seed},
    drive::{Driver, Message, Reached, Setup},
    event::{Broadcast, Event, Kind},
    operator::Native,
    schedule::{Scheduler, Weights},
    simulate::{Disk, Random, SimulatedStore, Timeline},
    store::{Batch, CommandKind, NewRun, Store, StoreError},
    task::{Executed, Failure},
};

use crate::{
    check,
    operator::{Quiet, Work},
    plan::{Fault, Plan},
    region::SIGNAL,
    world::{Happening, ProcessWorld, Running, Shared, Task},
};

/// What came of a plan.
pub struct Outcome {
    /// What should never have been.
    pub violations: Vec<String>,
    pub happenings: u64,
    pub processes: usize,
    /// Of the run, in the end.
    pub status: String,
    /// What each node gave, where it has finished.
    pub values: BTreeMap<String, Json>,
    /// What the store has of the run.
    pub events: Vec<Event>,
}

/// So many happenings mean that there is no end.
const MOST: u64 = 30_000;

/// How often a run is retried at most.
const RETRIES: usize = 2;

const RUN: &str = "run";

struct Simulation {
    shared: Rc<RefCell<Shared>>,
    disk: Disk,
    folder: std::path::PathBuf,
    dag: Arc<Dag>,
    body: Native,
    processes: BTreeMap<usize, Process>,
    started: usize,
    /// Who has the lock of the run.
    owner: Option<usize>,
    /// Events that subscribers have heard of.
    told: Vec<Event>,
    /// The epochs in which the run was retried.
    retried: BTreeSet<u32>,
    happenings: u64,
}

/// What nodes gave that have finished.
type Outputs = Vec<(u32, Vec<Reference>)>;

struct Process {
    epoch: u32,
    driver: Driver<ProcessWorld>,
    store: Arc<SimulatedStore>,
    artifacts: Artifacts,
    inbox: Receiver<Message>,
    is_committing: bool,
    wakes: BTreeSet<i64>,
    /// Operators that ended, of which it will never hear.
    unheard: u32,
}

/// Plays a plan; large artifacts lie in `folder` meanwhile.
pub fn play(plan: &Plan, folder: &Path) -> Outcome {
    let shared = Shared {
        plan: plan.clone(),
        timeline: Timeline::new(1_800_000_000_000_000),
        random: Random::new(plan.seed ^ 0x5eed),
        running: BTreeMap::new(),
        effects: Vec::new(),
        ended: BTreeSet::new(),
        retries: 0,
        is_calm: false,
        violations: BTreeSet::new(),
    };
    let mut simulation = Simulation {
        shared: Rc::new(RefCell::new(shared)),
        disk: Disk::default(),
        folder: folder.join(plan.seed.to_string()),
        dag: Arc::new(plan.dag()),
        body: Work::native(plan),
        processes: BTreeMap::new(),
        started: 0,
        owner: None,
        told: Vec::new(),
        retried: BTreeSet::new(),
        happenings: 0,
    };
    let panicked = catch_unwind(AssertUnwindSafe(|| simulation.run()));
    if let Err(panic) = panicked {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        simulation.violation(format!("panic: {}", text.unwrap_or_default()));
    }
    let _ = std::fs::remove_dir_all(&simulation.folder);
    simulation.outcome()
}

impl Simulation {
    fn run(&mut self) {
        let delay = self.shared.borrow_mut().random.between(0, 5_000_000);
        self.shared.borrow_mut().timeline.add(delay, Happening::Signal);
        self.start();
        loop {
            self.happenings += 1;
            let is_calm = self.happenings > self.plan().troubled;
            self.shared.borrow_mut().is_calm = is_calm;
            if self.happenings > MOST {
                return self.violation("there is no end");
            }
            if self.owner.is_none() && self.is_over() {
                return;
            }
            self.strike();
            let next = self.shared.borrow_mut().timeline.pop();
            match next {
                Some(happening) => self.happen(happening),
                None => self.help(),
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let events = self.disk.events(RUN);
        let status = check::status(&events);
        let mut shared = self.shared.borrow_mut();
        let plan = shared.plan.clone();
        if shared.violations.is_empty() {
            let found = check::check(&plan, &self.dag, &events, &self.told, &self.retried, &shared.ended);
            shared.violations.extend(found);
        }
        let mut values = BTreeMap::new();
        for event in &events {
            if let (Some(id), Some(outputs)) = (&event.node, event.data.get("outputs")) {
                values.insert(id.to_string(), outputs.clone());
            }
        }
        if shared.violations.is_empty() && plan.is_certain() && !plan.faults.is_empty() {
            let undisturbed = play(&Plan { faults: Vec::new(), ..plan }, &self.folder);
            if undisturbed.violations.is_empty() && undisturbed.values != values {
                shared.violation("other values than undisturbed");
            }
        }
        Outcome {
            values,
            events,
            violations: shared.violations.iter().cloned().collect(),
            happenings: self.happenings,
            processes: self.started,
            status,
        }
    }

    /// Whether nobody has anything more to do with the run.
    fn is_over(&self) -> bool {
        let status = check::status(&self.disk.events(RUN));
        match status.as_str() {
            "" | "running" => false,
            "finished" => true,
            "cancelled" if self.plan().has(Fault::Resumed) && self.started < 4 => false,
            _ => !self.may_be_retried(),
        }
    }

    fn may_be_retried(&self) -> bool {
        self.plan().has(Fault::Retried) && self.retried.len() < RETRIES
    }

    /// Whether whoever takes the run up wants the failed part to run again.
    fn wants_retry(&self, status: &str) -> bool {
        let is_optional = match status {
            "running" => true,
            "cancelled" => self.plan().has(Fault::Resumed) && self.started < 4,
            _ => false,
        };
        self.may_be_retried() && !(is_optional && self.shared.borrow_mut().random.percent(70))
    }

    /// What goes wrong by itself, at any time.
    fn strike(&mut self) {
        let Some(owner) = self.owner else { return };
        if self.strikes(Fault::Crash, 1) {
            return self.die(owner);
        }
        if self.strikes(Fault::TakenOver, 1) && !self.is_over() && !self.disk.events(RUN).is_empty() {
            self.owner = None;
            return self.start();
        }
        if self.strikes(Fault::Cancelled, 1) {
            if self.shared.borrow_mut().random.percent(50) {
                self.disk.command(RUN, &CommandKind::Cancel);
                self.bring_commands(owner);
            } else {
                self.shared.borrow_mut().timeline.add(0, Happening::Deliver(owner, Message::Cancel));
            }
        }
        if self.strikes(Fault::Lost, 2) {
            self.lose(true);
        }
        if self.strikes(Fault::Damaged, 2) {
            self.lose(false);
        }
    }

    /// An artifact goes, or its bytes change.
    fn lose(&mut self, goes: bool) {
        let outputs: Vec<Reference> = self.disk.events(RUN).iter().filter_map(check::output).collect();
        let Some(reference) = outputs.get(self.shared.borrow_mut().random.index(outputs.len())) else {
            return;
        };
        let hash = reference.hash;
        let Some(process) = self.processes.values().next() else { return };
        let path = process.artifacts.path(hash);
        if goes {
            self.disk.lose_content(hash);
            let _ = std::fs::remove_file(path);
        } else {
            self.disk.damage_content(hash);
            if path.exists() {
                std::fs::remove_file(&path).unwrap();
                std::fs::write(&path, vec![7; usize::try_from(reference.size).unwrap()]).unwrap();
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deliver(process, message) => self.hear(process, Some(message)),
            Happening::Wake(process) => self.wake(process),
            Happening::Commit(process) => self.commit(process),
            Happening::Signal => {
                self.disk.command(RUN, &CommandKind::Signal { name: SIGNAL.to_owned() });
                if let Some(owner) = self.owner {
                    self.bring_commands(owner);
                }
            }
            Happening::Resume => {
                if self.owner.is_none() && !self.is_over() {
                    self.start();
                }
            }
            Happening::Answer(task) => {
                let result = self.running(task, |running| running.result.take());
                if let Some(result) = result.flatten() {
                    self.answer(task, result);
                }
            }
            Happening::TimeOut(task) => {
                if self.running(task, |_| ()).is_some() {
                    self.answer(task, Err(Failure::TimedOut { seconds: "too long".to_owned() }));
                }
            }
            Happening::Obey(task) => {
                if self.running(task, |running| running.is_stopping) == Some(true) {
                    self.answer(task, Err(Failure::Cancelled));
                }
            }
            Happening::AnswerAgain(task, job) => {
                let (process, node, attempt) = task;
                if let Some(artifacts) = self.processes.get(&process).map(|process| process.artifacts.clone())
                {
                    let result = job.run(&artifacts, &Quiet);
                    self.deliver(process, Message::Done { node, attempt, result, usage: None });
                }
            }
        }
    }

    fn running<T>(&self, task: Task, look: impl FnOnce(&mut Running) -> T) -> Option<T> {
        self.shared.borrow_mut().running.get_mut(&task).map(look)
    }

    /// The operator ends.
    fn answer(&mut self, task: Task, result: Result<Executed, Failure>) {
        let Some(running) = self.shared.borrow_mut().end(task, &result) else { return };
        let (process, node, attempt) = task;
        if self.strikes(Fault::Unheard, 10) {
            if let Some(process) = self.processes.get_mut(&process) {
                process.unheard += 1;
            }
            return;
        }
        self.deliver(process, Message::Done { node, attempt, result, usage: None });
        if self.strikes(Fault::AnswersTwice, 40) {
            let mut shared = self.shared.borrow_mut();
            let longest = if shared.random.percent(50) { 1_000 } else { 3_000_000 };
            let delay = shared.random.between(0, longest);
            shared.timeline.add(delay, Happening::AnswerAgain(task, running.job));
        }
    }

    fn deliver(&self, process: usize, message: Message) {
        let mut shared = self.shared.borrow_mut();
        let delay = shared.latency();
        shared.timeline.add(delay, Happening::Deliver(process, message));
    }

    /// What others want of the run.
    fn bring_commands(&self, id: usize) {
        let Some(process) = self.processes.get(&id) else { return };
        for command in process.store.commands(RUN, 0).unwrap() {
            if self.strikes(Fault::ToldTwice, 50) {
                self.deliver(id, Message::Command(command.clone()));
            }
            self.deliver(id, Message::Command(command));
        }
    }

    /// The store's thread gets to write.
    fn commit(&mut self, id: usize) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.is_committing = false;
        let store = process.store.clone();
        let waiting = store.waiting();
        let count = waiting - self.shared.borrow_mut().random.index(waiting.div_ceil(2));
        if self.strikes(Fault::CrashBefore, 4) {
            return self.die(id);
        }
        if self.strikes(Fault::DiskFull, 4) {
            store.refuse(count, "the disk is full").tell();
        } else {
            let settled = store.commit(count);
            if self.strikes(Fault::CrashAfter, 4) {
                drop(settled);
                return self.die(id);
            }
            self.told.extend(settled.durable().cloned());
            settled.tell();
        }
        self.look_after(id);
    }

    /// Something is due in a process, and may be so again this instant.
    fn wake(&mut self, id: usize) {
        let now = self.shared.borrow().timeline.now();
        if let Some(process) = self.processes.get_mut(&id) {
            process.wakes.retain(|due| *due > now);
        }
        self.hear(id, None);
    }

    /// A turn of a process.
    fn hear(&mut self, id: usize, message: Option<Message>) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        match process.driver.hear(message) {
            Ok(()) => self.look_after(id),
            Err(_) => self.die(id),
        }
    }

    /// What follows from a turn.
    fn look_after(&mut self, id: usize) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        let messages: Vec<Message> = process.inbox.try_iter().collect();
        let mut shared = self.shared.borrow_mut();
        let now = shared.timeline.now();
        if process.store.waiting() > 0 && !std::mem::replace(&mut process.is_committing, true) {
            let longest = if process.store.is_urgent() { 3_000 } else { 50_000 };
            let delay = shared.random.between(0, longest);
            shared.timeline.add(delay, Happening::Commit(id));
        }
        if let Some(due) = process.driver.next_due()
            && process.wakes.insert(due)
        {
            shared.timeline.add(due - now, Happening::Wake(id));
        }
        drop(shared);
        if process.driver.is_over() {
            // It ends by itself, and the lock goes with it.
            let epoch = process.epoch;
            let is_end = |event: &Event| event.epoch == epoch && event.kind == Kind::RunFinished;
            if !self.disk.events(RUN).iter().any(is_end) {
                self.violation("a process ends, and the end of its run is not durable");
            }
            self.processes.remove(&id);
            self.shared.borrow_mut().kill(id);
            if self.owner == Some(id) {
                self.leave();
            }
            return;
        }
        for message in messages {
            if let Message::Durable(Ok(seq)) = message
                && self.strikes(Fault::ToldTwice, 50)
            {
                self.deliver(id, Message::Durable(Ok(seq)));
            }
            self.deliver(id, message);
        }
    }

    /// The process dies; whoever finds that sees to the run.
    fn die(&mut self, id: usize) {
        self.processes.remove(&id);
        self.shared.borrow_mut().kill(id);
        if self.owner == Some(id) {
            self.leave();
        }
    }

    fn leave(&mut self) {
        self.owner = None;
        let mut shared = self.shared.borrow_mut();
        let delay = shared.random.between(0, 2_000_000);
        shared.timeline.add(delay, Happening::Resume);
    }

    /// Nothing more happens by itself. That is as it should be where an operator hangs, or its answer is lost,
    /// and nothing limits its time: then somebody kills the process, and resumes the run.
    fn help(&mut self) {
        let Some(owner) = self.owner else { return self.start() };
        let hangs = self.shared.borrow().running.keys().any(|(process, ..)| *process == owner);
        let waits = self.processes.get(&owner).is_some_and(|process| process.unheard > 0);
        if !hangs && !waits {
            self.violation("nothing happens any more, and the run goes on");
            self.owner = None;
            self.happenings = MOST;
            return;
        }
        self.die(owner);
    }

    /// A process takes the run up, or starts it if it was never there.
    fn start(&mut self) {
        let id = self.started;
        self.started += 1;
        let store = Arc::new(SimulatedStore::new(self.disk.clone()));
        let small: Arc<dyn SmallContents> = store.clone();
        let artifacts = Artifacts::open(self.folder.clone(), small).unwrap();
        let (outbox, inbox) = mpsc::channel();
        let world =
            ProcessWorld { process: id, shared: self.shared.clone(), artifacts: artifacts.clone(), outbox };
        let (setup, outputs, first, is_retry) = self.take(&store, &artifacts).unwrap();
        if is_retry {
            self.retried.insert(setup.epoch);
            self.shared.borrow_mut().retries += 1;
        }
        let epoch = setup.epoch;
        let mut driver = Driver::new(setup, outputs, world);
        let begun = driver.begin(first);
        let (is_committing, wakes) = (false, BTreeSet::new());
        let process = Process { epoch, driver, store, artifacts, inbox, is_committing, wakes, unheard: 0 };
        self.processes.insert(id, process);
        self.owner = Some(id);
        match begun {
            Ok(()) => {
                self.look_after(id);
                self.bring_commands(id);
            }
            Err(_) => self.die(id),
        }
    }

    fn take(
        &self,
        store: &Arc<SimulatedStore>,
        artifacts: &Artifacts,
    ) -> Result<(Setup, Outputs, Batch, bool), StoreError> {
        let dag = self.dag.clone();
        let graph = Arc::new(Graph::new(&dag).unwrap());
        let nodes = u32::try_from(dag.nodes.len()).unwrap();
        let mut bodies = rustc_hash::FxHashMap::default();
        dag.for_each_node(&mut |node| {
            if let NodeKind::Task(operator) = &node.kind {
                bodies.insert(operator.clone(), self.body.clone());
            }
        });
        let mut setup = Setup {
            environments: Default::default(),
            graph: graph.clone(),
            run: RUN.into(),
            epoch: 1,
            seq: 0,
            state: State::new(graph.clone(), seed(RUN)),
            began: Default::default(),
            unknown: Vec::new(),
            again: Vec::new(),
            scheduler: Scheduler::new(&dag, &graph, self.plan().machine.clone(), &Weights::default())
                .unwrap(),
            bodies,
            store: store.clone(),
            use_cache: true,
            broadcast: Broadcast::default(),
            dag,
        };
        if store.run(RUN)?.is_none() {
            let (workflow, dag) = (setup.dag.workflow.clone(), setup.dag.to_json());
            let new = NewRun { id: RUN.into(), workflow, dag, nodes, idempotency_key: None };
            return Ok((setup, Vec::new(), Batch { run: Some(new), ..Batch::default() }, false));
        }
        setup.epoch = store.claim(RUN)?;
        let events = store.events(RUN)?;
        let is_there = &mut |reference: &Reference| artifacts.is_there(reference);
        let mut reached = Reached::from_events(&setup.dag, &graph, seed(RUN), &events, is_there).unwrap();
        let is_retry = self.wants_retry(&check::status(&events));
        if is_retry {
            reached.revive();
        }
        setup.again = reached.again();
        setup.seq = events.last().map_or(0, |event| event.seq);
        setup.state = reached.past.resume();
        setup.unknown = reached.unknown;
        setup.began = reached.began;
        Ok((setup, reached.outputs.into_iter().collect(), Batch::default(), is_retry))
    }

    fn plan(&self) -> std::cell::Ref<'_, Plan> {
        std::cell::Ref::map(self.shared.borrow(), |shared| &shared.plan)
    }

    fn strikes(&self, fault: Fault, percent: u64) -> bool {
        self.shared.borrow_mut().strikes(fault, percent)
    }

    fn violation(&self, what: impl Into<String>) {
        self.shared.borrow_mut().violation(what);
    }
}
