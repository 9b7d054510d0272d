//! Who takes a run's turns: whichever thread has something to tell.
//!
//! A worker whose operator has ended takes the turn that follows by itself, and goes on with what that turn has
//! launched, so that small operators cost no change of threads; while it does so another worker has time to see
//! whether anything is left for it. What comes from elsewhere (what has become durable, commands, the time) the
//! thread that called for the run takes up.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicI64, Ordering},
        mpsc::Sender,
    },
    thread::{self, Scope},
    time::Duration,
};

use super::{
    Driver, Finished, World,
    job::Job,
    threads::{Inbox, Threads},
    world::Message,
};
use crate::{
    act::NativeContext,
    artifact::Artifacts,
    operator::Usage,
    store::StoreError,
    task::{Executed, Failure},
};

/// Takes the turns of a run that has begun, to its end; returns when all is durable. At most so many operators run
/// at once.
pub fn take_turns(
    mut driver: Driver<Threads>,
    mut inbox: Inbox,
    workers: usize,
) -> Result<Finished, StoreError> {
    let crew = Crew {
        jobs: driver.world().jobs(),
        artifacts: driver.world().artifacts().clone(),
        outbox: driver.world().outbox(),
        driver: Mutex::new(driver),
        answers: Mutex::default(),
        awaited: AtomicI64::new(i64::MIN),
        workers: workers.max(1),
    };
    let result = thread::scope(|scope| {
        let _end = ClosesOnDrop(&crew.jobs);
        let result = crew.take_all(scope, &mut inbox);
        if result.is_err() {
            crew.lock().world().stop_all();
        }
        result
    });
    result.map(|()| crew.driver.into_inner().unwrap_or_else(PoisonError::into_inner).finished())
}

/// What was launched and is not yet taken up.
#[derive(Default)]
pub struct Jobs {
    state: Mutex<JobsState>,
    changed: Condvar,
}

#[derive(Default)]
struct JobsState {
    waiting: VecDeque<Work>,
    /// Workers that have been started.
    started: usize,
    /// Those of them that look again before long.
    watching: usize,
    /// Those that must be woken.
    asleep: usize,
    is_closed: bool,
}

/// An operator to be called, and its surroundings.
pub struct Work {
    pub job: Job,
    pub context: NativeContext,
}

/// How often, and how many times, a worker without work looks for some before it must be woken. To wake it costs
/// more than a small operator does, and what launches one is often done with it before the other is awake.
const WATCH: Duration = Duration::from_micros(50);
const WATCHES: u32 = 16;

struct Crew {
    driver: Mutex<Driver<Threads>>,
    jobs: Arc<Jobs>,
    artifacts: Artifacts,
    outbox: Sender<Message>,
    /// What operators came to. Whoever puts something here takes a turn, unless somebody takes one already: that
    /// one looks here afterwards.
    answers: Mutex<Vec<Message>>,
    /// When the thread that called for the run looks at what is due.
    awaited: AtomicI64,
    workers: usize,
}

impl Crew {
    /// For the thread that called for the run.
    fn take_all<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        inbox: &mut Inbox,
    ) -> Result<(), StoreError> {
        let mut messages = Vec::new();
        loop {
            let due = {
                let mut driver = self.lock();
                messages.append(&mut self.answers());
                self.hear(&mut driver, &mut messages)?;
                if driver.is_over() {
                    return Ok(());
                }
                let due = driver.next_due();
                self.awaited.store(due.unwrap_or(i64::MAX), Ordering::Relaxed);
                due
            };
            self.call_workers(scope);
            // What a worker has put there in the meantime, and left to this thread.
            if self.answers().is_empty() {
                inbox.receive(due, &mut messages);
            }
        }
    }

    fn hear(&self, driver: &mut Driver<Threads>, messages: &mut Vec<Message>) -> Result<(), StoreError> {
        for message in &*messages {
            if let Message::Done { node, attempt, .. } = message {
                driver.world().ended(*node, *attempt);
            }
        }
        driver.hear(messages.drain(..))
    }

    /// A worker's life.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let _look = LooksOnPanic(&self.outbox);
        while let Some(work) = self.jobs.next() {
            self.call_workers(scope);
            let answer = work.run(&self.artifacts);
            self.answers().push(answer);
            self.turn();
        }
    }

    /// Takes turns until there is no answer left, unless another thread does so.
    fn turn(&self) {
        let mut messages = Vec::new();
        while !self.answers().is_empty() {
            let mut driver = match self.driver.try_lock() {
                Ok(driver) => driver,
                Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return,
            };
            messages.append(&mut self.answers());
            let heard = self.hear(&mut driver, &mut messages);
            let is_earlier = driver.next_due().is_some_and(|due| due < self.awaited.load(Ordering::Relaxed));
            drop(driver);
            // The thread that called for the run ends it.
            match heard {
                Err(error) => drop(self.outbox.send(Message::Durable(Err(error)))),
                Ok(()) if is_earlier => drop(self.outbox.send(Message::Look)),
                Ok(()) => {}
            }
        }
    }

    /// Sees to it that what waits is taken up.
    fn call_workers<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let mut jobs = self.jobs.lock();
        if jobs.waiting.is_empty() || jobs.watching > 0 || jobs.is_closed {
            return;
        }
        if jobs.asleep > 0 {
            return self.jobs.changed.notify_one();
        }
        if jobs.started < self.workers {
            let worker = thread::Builder::new().name("flow-worker".to_owned());
            match worker.spawn_scoped(scope, || self.work(scope)) {
                Ok(_) => jobs.started += 1,
                Err(error) if jobs.started == 0 => {
                    let unstarted = jobs.waiting.drain(..).map(|work| {
                        let failure = Failure::operator(format!("no thread can be started: {error}"));
                        work.answer(Err(failure), None)
                    });
                    for answer in unstarted {
                        let _ = self.outbox.send(answer);
                    }
                }
                Err(_) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Driver<Threads>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self) -> MutexGuard<'_, Vec<Message>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs {
    pub fn push(&self, work: Work) {
        self.lock().waiting.push_back(work);
    }

    /// What is to be done next; waits for it. None when there will be no more.
    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        let mut watches = 0;
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(work) = state.waiting.pop_front() {
                return Some(work);
            }
            if watches < WATCHES {
                watches += 1;
                state.watching += 1;
                drop(state);
                thread::sleep(WATCH);
                state = self.lock();
                state.watching -= 1;
            } else {
                state.asleep += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.asleep -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, JobsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn run(self, artifacts: &Artifacts) -> Message {
        let Self { job, context } = &self;
        let mut result = job.run(artifacts, context);
        if result.as_ref().is_err_and(|failure| *failure == Failure::Cancelled)
            && !context.cancelled.load(Ordering::Relaxed)
            && context.is_past_deadline()
        {
            let seconds = job.limit().unwrap_or_default().as_secs_f64().to_string();
            result = Err(Failure::TimedOut { seconds });
        }
        if let peak @ Some(_) = context.budget.peak() {
            context.notes.used(Usage { peak_memory: peak, ..Usage::default() });
        }
        let (metrics, usage) = context.notes.take();
        if let Ok(executed) = &mut result {
            executed.metrics = metrics;
        }
        self.answer(result, usage)
    }

    fn answer(&self, result: Result<Executed, Failure>, usage: Option<Usage>) -> Message {
        Message::Done { node: self.job.node, attempt: self.job.identity.attempt, result, usage }
    }
}

/// Sends the workers home, however the run ends.
struct ClosesOnDrop<'a>(&'a Jobs);

impl Drop for ClosesOnDrop<'_> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

/// A worker that dies of a mistake of ours must not leave the run waiting: the scope passes its panic on.
struct LooksOnPanic<'a>(&'a Sender<Message>);

impl Drop for LooksOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let reason = "a worker of this run has panicked".to_owned();
            let _ = self.0.send(Message::Durable(Err(StoreError::Write { reason })));
        }
    }
}
