//! A store in memory whose disk and processes can fail when they are told to.
//!
//! [`Disk`] is what outlives a process; [`SimulatedStore`] is one process's way to it. Nothing becomes durable
//! by itself: whoever simulates says when, and how much, with [`SimulatedStore::commit`]. A process that dies
//! is one whose store is dropped: what it had not committed was never there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flow_ir::hash::Hash;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    artifact::{Reference, SmallContents},
    decide::{NodeState, RunStatus},
    event::{Event, Kind},
    store::{
        Batch, CommandKind, Durable, Durations, FileStamp, NewRun, NodeRow, RunCommand, RunRow, Store,
        StoreError,
    },
};

/// What was committed. Clones share it.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Tables>>);

#[derive(Default)]
struct Tables {
    runs: BTreeMap<String, Run>,
    contents: FxHashMap<Hash, Arc<[u8]>>,
    cache: FxHashMap<Hash, Vec<Reference>>,
    files: FxHashMap<String, (FileStamp, Hash)>,
    /// All there ever were; a command's number is its place from 1.
    commands: Vec<Word>,
}

/// A command to a run.
struct Word {
    run: String,
    kind: CommandKind,
    is_taken: bool,
}

struct Run {
    new: NewRun,
    epoch: u32,
    status: RunStatus,
    started: i64,
    ended: Option<i64>,
    end: Json,
    events: BTreeMap<u64, Event>,
    nodes: BTreeMap<Arc<str>, NodeRow>,
}

/// One process's store.
pub struct SimulatedStore {
    disk: Disk,
    queue: Mutex<Queue>,
    durations: Durations,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    /// Numbers the batches; of the first of `batches`.
    first: u64,
    contents: FxHashMap<Hash, (u64, Arc<[u8]>)>,
    cache: FxHashMap<Hash, (u64, Vec<Reference>)>,
    /// Runs that lack a batch which was refused: what comes after it would leave a gap.
    broken: FxHashMap<String, StoreError>,
}

/// Batches whose fate is decided, and who waits to hear of it. Dropped untold when the process dies in between.
#[must_use = "nobody hears of it before `tell`"]
pub struct Settled(Vec<Fate>);

/// What became of a batch, and who waits to hear of it.
struct Fate {
    result: Result<Vec<Event>, StoreError>,
    then: Option<Durable>,
}

impl Disk {
    /// The events of a run.
    pub fn events(&self, run: &str) -> Vec<Event> {
        self.lock().runs.get(run).map(|run| run.events.values().cloned().collect()).unwrap_or_default()
    }

    /// Loses a small content, or what the cache knows: bit rot, a careless hand.
    pub fn lose_content(&self, hash: Hash) {
        self.lock().contents.remove(&hash);
    }

    /// Flips the bits of a small content's first byte.
    pub fn damage_content(&self, hash: Hash) {
        if let Some(bytes) = self.lock().contents.get_mut(&hash) {
            *bytes = bytes.iter().enumerate().map(|(at, byte)| if at == 0 { !byte } else { *byte }).collect();
        }
    }

    /// Leaves word for the owner of a run, as another process would; gives its number.
    pub fn command(&self, run: &str, kind: &CommandKind) -> i64 {
        let mut tables = self.lock();
        tables.commands.push(Word { run: run.to_owned(), kind: kind.clone(), is_taken: false });
        i64::try_from(tables.commands.len()).unwrap_or(i64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimulatedStore {
    pub fn new(disk: Disk) -> Self {
        Self { disk, queue: Mutex::default(), durations: Durations::default() }
    }

    /// Earlier runs took that long, of whatever workflow.
    pub fn with_durations(self, durations: Durations) -> Self {
        Self { durations, ..self }
    }

    /// How many batches wait to be committed.
    pub fn waiting(&self) -> usize {
        self.queue().batches.len()
    }

    /// Whether somebody waits for one of them.
    pub fn is_urgent(&self) -> bool {
        self.queue().batches.iter().any(|batch| batch.is_urgent)
    }

    /// Makes the first `count` of the waiting batches durable, each whole or not at all.
    pub fn commit(&self, count: usize) -> Settled {
        self.settle(count, |tables, batch| tables.apply(batch))
    }

    /// The disk takes none of the first `count` waiting batches.
    pub fn refuse(&self, count: usize, reason: &str) -> Settled {
        self.settle(count, |_, _| Err(StoreError::Write { reason: reason.to_owned() }))
    }

    fn settle(
        &self,
        count: usize,
        mut write: impl FnMut(&mut Tables, &Batch) -> Result<(), StoreError>,
    ) -> Settled {
        let mut queue = self.queue();
        let mut tables = self.disk.lock();
        let mut settled = Vec::new();
        for _ in 0..count {
            let Some(mut batch) = queue.batches.pop_front() else { break };
            let number = queue.first;
            queue.first += 1;
            let run = batch.of().map(|(run, _)| run.clone());
            let broken = run.as_deref().and_then(|run| queue.broken.get(run)).cloned();
            let result = broken.map_or_else(|| write(&mut tables, &batch), Err);
            queue.contents.retain(|_, (batch, _)| *batch > number);
            queue.cache.retain(|_, (batch, _)| *batch > number);
            if let (Err(error), Some(run)) = (&result, run) {
                queue.broken.insert(run.to_string(), error.clone());
            }
            let (events, then) = (std::mem::take(&mut batch.events), batch.then.take());
            settled.push(Fate { result: result.map(|()| events), then });
        }
        Settled(settled)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settled {
    /// Tells those who wait.
    pub fn tell(self) {
        for Fate { result, then } in self.0 {
            if let Some(then) = then {
                then(result);
            }
        }
    }

    /// The events that are durable, and that nobody has heard of.
    pub fn durable(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().filter_map(|fate| fate.result.as_ref().ok()).flatten()
    }
}

impl Store for SimulatedStore {
    fn append(&self, batch: Batch) {
        let mut queue = self.queue();
        let number = queue.first + queue.batches.len() as u64;
        for hash in &batch.lost {
            queue.contents.remove(hash);
        }
        for (hash, bytes) in &batch.contents {
            queue.contents.insert(*hash, (number, bytes.clone()));
        }
        for entry in &batch.cache {
            queue.cache.insert(entry.key, (number, entry.outputs.clone()));
        }
        queue.batches.push_back(batch);
    }

    fn flush(&self) -> Result<(), StoreError> {
        let settled = self.commit(usize::MAX);
        let failed = settled.0.iter().find_map(|fate| fate.result.as_ref().err().cloned());
        settled.tell();
        failed.map_or(Ok(()), Err)
    }

    fn claim(&self, run: &str) -> Result<u32, StoreError> {
        // What came before is written before.
        self.commit(usize::MAX).tell();
        let mut queue = self.queue();
        let mut tables = self.disk.lock();
        let tables = &mut *tables;
        let none = || StoreError::Write { reason: format!("there is no run {run}") };
        let claimed = tables.runs.get_mut(run).ok_or_else(none)?;
        let cancels = tables.commands.iter_mut().filter(|word| word.run == run);
        cancels.filter(|word| word.kind == CommandKind::Cancel).for_each(|word| word.is_taken = true);
        queue.broken.remove(run);
        claimed.epoch += 1;
        claimed.status = RunStatus::Running;
        claimed.ended = None;
        claimed.end = Json::Null;
        Ok(claimed.epoch)
    }

    fn command(&self, run: &str, kind: &CommandKind) -> Result<i64, StoreError> {
        self.commit(usize::MAX).tell();
        Ok(self.disk.command(run, kind))
    }

    fn commands(&self, run: &str, after: i64) -> Result<Vec<RunCommand>, StoreError> {
        let tables = self.disk.lock();
        let words = (1..).zip(&tables.commands);
        let words = words.filter(|(id, word)| *id > after && word.run == run && !word.is_taken);
        Ok(words.map(|(id, word)| RunCommand { id, kind: word.kind.clone(), time: 0 }).collect())
    }

    fn cached(&self, keys: &[Hash]) -> Result<Vec<Option<Vec<Reference>>>, StoreError> {
        let (queue, tables) = (self.queue(), self.disk.lock());
        let queued = |key| queue.cache.get(key).map(|(_, outputs)| outputs);
        Ok(keys.iter().map(|key| queued(key).or_else(|| tables.cache.get(key)).cloned()).collect())
    }

    fn file(&self, path: &str, stamp: FileStamp) -> Result<Option<Hash>, StoreError> {
        let tables = self.disk.lock();
        Ok(tables.files.get(path).filter(|(known, _)| *known == stamp).map(|(_, hash)| *hash))
    }

    fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        Ok(self.disk.lock().runs.values().rev().map(Run::row).collect())
    }

    fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError> {
        Ok(self.disk.lock().runs.get(id).map(Run::row))
    }

    fn dag(&self, run: &str) -> Result<Option<String>, StoreError> {
        Ok(self.disk.lock().runs.get(run).map(|run| run.new.dag.clone()))
    }

    fn nodes(&self, run: &str) -> Result<Vec<NodeRow>, StoreError> {
        let tables = self.disk.lock();
        Ok(tables.runs.get(run).map(|run| run.nodes.values().cloned().collect()).unwrap_or_default())
    }

    fn durations(&self, _: &str) -> Result<Durations, StoreError> {
        Ok(self.durations.clone())
    }

    fn events(&self, run: &str) -> Result<Vec<Event>, StoreError> {
        Ok(self.disk.events(run))
    }
}

impl SmallContents for SimulatedStore {
    fn content(&self, hash: Hash) -> Result<Option<Arc<[u8]>>, String> {
        if let Some((_, bytes)) = self.queue().contents.get(&hash) {
            return Ok(Some(bytes.clone()));
        }
        Ok(self.disk.lock().contents.get(&hash).cloned())
    }

    fn has_content(&self, hash: Hash) -> Result<bool, String> {
        Ok(self.queue().contents.contains_key(&hash) || self.disk.lock().contents.contains_key(&hash))
    }
}

impl Tables {
    fn apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if let (Some(new), first) = (&batch.run, batch.events.first()) {
            let key = new.idempotency_key.as_ref();
            let taken = |run: &&Run| run.new.idempotency_key.as_ref() == key && run.new.id != new.id;
            if let (Some(key), Some(other)) = (key, self.runs.values().find(taken)) {
                return Err(StoreError::KeyTaken { run: other.new.id.to_string(), key: key.clone() });
            }
            self.runs.entry(new.id.to_string()).or_insert_with(|| Run {
                new: new.clone(),
                epoch: first.map_or(1, |event| event.epoch),
                status: RunStatus::Running,
                started: first.map_or(0, |event| event.time),
                ended: None,
                end: Json::Null,
                events: BTreeMap::new(),
                nodes: BTreeMap::new(),
            });
        }
        if let Some((run, epoch)) = batch.of() {
            let run = run.to_string();
            match self.runs.get(&run) {
                Some(known) if known.epoch > epoch => return Err(StoreError::Fenced { run }),
                Some(_) => {}
                None => return Err(StoreError::Gone { run }),
            }
        }
        for hash in &batch.lost {
            self.contents.remove(hash);
            self.cache.retain(|_, outputs| outputs.iter().all(|output| output.hash != *hash));
        }
        for event in &batch.events {
            if let Some(run) = self.runs.get_mut(&*event.run) {
                run.apply(event);
            }
        }
        self.contents.extend(batch.contents.iter().cloned());
        self.cache.extend(batch.cache.iter().map(|entry| (entry.key, entry.outputs.clone())));
        let files = batch.files.iter().map(|file| (file.path.clone(), (file.stamp, file.hash)));
        self.files.extend(files);
        for command in &batch.taken {
            let place = usize::try_from(command - 1).unwrap_or(usize::MAX);
            if let Some(word) = self.commands.get_mut(place) {
                word.is_taken = true;
            }
        }
        Ok(())
    }
}

impl Run {
    fn apply(&mut self, event: &Event) {
        self.events.entry(event.seq).or_insert_with(|| event.clone());
        let Some(node) = &event.node else {
            if event.kind == Kind::RunFinished {
                let status = event.data.get("status").and_then(Json::as_str).and_then(RunStatus::named);
                self.status = status.unwrap_or(RunStatus::Failed);
                self.ended = Some(event.time);
                self.end = event.data.clone();
            }
            return;
        };
        let Some(state) = event.kind.node_state() else { return };
        let row = self.nodes.entry(node.clone()).or_insert_with(|| NodeRow {
            node: node.to_string(),
            state: NodeState::Pending,
            cached: false,
            attempt: 0,
            started: None,
            ended: None,
            data: Json::Null,
        });
        row.state = state;
        row.cached = event.kind == Kind::Cached;
        row.attempt = event.attempt;
        if event.kind == Kind::Running {
            row.started = Some(event.time);
        }
        row.ended = state.is_end().then_some(event.time);
        row.data = if state.is_end() { event.data.clone() } else { Json::Null };
    }

    fn row(&self) -> RunRow {
        let mut states: BTreeMap<&str, u32> = BTreeMap::new();
        for node in self.nodes.values() {
            *states.entry(if node.cached { "cached" } else { node.state.name() }).or_default() += 1;
        }
        RunRow {
            id: self.new.id.to_string(),
            workflow: self.new.workflow.clone(),
            owner: None,
            idempotency_key: self.new.idempotency_key.clone(),
            status: self.status,
            epoch: self.epoch,
            started: self.started,
            ended: self.ended,
            nodes: self.new.nodes,
            states: states.into_iter().map(|(state, count)| (state.to_owned(), count)).collect(),
            end: self.end.clone(),
        }
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tables = self.lock();
        f.debug_struct("Disk")
            .field("runs", &tables.runs.len())
            .field("contents", &tables.contents.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SimulatedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedStore").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|fate| &fate.result)).finish()
    }
}
