//! One transaction for all batches at hand: the events, and what is made from them.

use std::time::{SystemTime, UNIX_EPOCH};

use flow_ir::hash::Hash;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use crate::{
    artifact::Reference,
    event::{Event, Kind},
    store::{Batch, CacheEntry, CommandKind, NewRun, Owner, StoreError},
};

/// Refused batches, by their places, each with the reason; all others are durable.
pub type Refused = FxHashMap<usize, StoreError>;

/// Commits all batches but those that are refused. What is refused is as if it had not been sent.
pub fn commit(
    connection: &mut Connection,
    batches: &[Batch],
    mut refused: Refused,
) -> Result<Refused, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // What comes after a refused batch of its run would leave a gap.
    let mut broken: FxHashMap<&str, StoreError> = FxHashMap::default();
    for (place, batch) in batches.iter().enumerate() {
        let run = batch.of().map(|(run, _)| &**run);
        if let Some(error) = refused.get(&place).or_else(|| broken.get(run?)).cloned() {
            refused.insert(place, error);
            continue;
        }
        let checked = match &batch.run {
            Some(run) => insert_run(&transaction, run, batch.events.first()).map_err(failed)?,
            None => Ok(()),
        };
        let checked = checked.and_then(|()| refuse_stale(&transaction, batch));
        if let Err(error) = checked {
            broken.extend(run.map(|run| (run, error.clone())));
            refused.insert(place, error);
        }
    }
    let accepted = batches.iter().enumerate().filter(|(place, _)| !refused.contains_key(place));
    let accepted: Vec<&Batch> = accepted.map(|(_, batch)| batch).collect();
    insert(&transaction, &accepted).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(refused)
}

/// Makes the run this process's.
pub fn claim(connection: &mut Connection, run: &str) -> Result<u32, StoreError> {
    let mut claim = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let epoch: u32 = transaction.query_row(
            "UPDATE run SET epoch = epoch + 1, status = 'running', ended = NULL, data = NULL, owner = ?
             WHERE id = ? RETURNING epoch",
            params![Owner::this_process().to_string(), run],
            |row| row.get(0),
        )?;
        transaction.execute(
            "UPDATE command SET taken = ? WHERE run = ? AND kind = ? AND taken IS NULL",
            params![epoch, run, CommandKind::Cancel.name()],
        )?;
        transaction.commit()?;
        Ok(epoch)
    };
    claim().map_err(failed)
}

pub fn command(connection: &Connection, run: &str, kind: &CommandKind) -> Result<i64, StoreError> {
    let data = kind.data();
    connection
        .query_row(
            "INSERT INTO command (run, kind, data, time) VALUES (?, ?, ?, ?) RETURNING id",
            params![run, kind.name(), (!data.is_null()).then(|| data.to_string()), now()],
            |row| row.get(0),
        )
        .map_err(failed)
}

fn insert_run(
    transaction: &Transaction,
    run: &NewRun,
    first: Option<&Event>,
) -> rusqlite::Result<Result<(), StoreError>> {
    if let Some(key) = &run.idempotency_key {
        let taken: Option<String> = transaction
            .query_row("SELECT id FROM run WHERE idempotency_key = ? AND id <> ?", [key, &*run.id], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(run) = taken {
            return Ok(Err(StoreError::KeyTaken { run, key: key.clone() }));
        }
    }
    let hash = Hash::of(run.dag.as_bytes());
    transaction.execute("INSERT OR IGNORE INTO dag VALUES (?, ?)", params![hash.0, run.dag])?;
    transaction.execute(
        "INSERT OR IGNORE INTO run (id, workflow, dag, nodes, epoch, status, started, owner, idempotency_key)
         VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?)",
        params![
            &*run.id,
            run.workflow,
            hash.0,
            run.nodes,
            first.map_or(1, |event| event.epoch),
            first.map_or(0, |event| event.time),
            Owner::this_process().to_string(),
            run.idempotency_key,
        ],
    )?;
    Ok(Ok(()))
}

fn refuse_stale(transaction: &Transaction, batch: &Batch) -> Result<(), StoreError> {
    let Some((run, epoch)) = batch.of() else { return Ok(()) };
    let now: Option<u32> = transaction
        .prepare_cached("SELECT epoch FROM run WHERE id = ?")
        .and_then(|mut statement| statement.query_row([&**run], |row| row.get(0)).optional())
        .map_err(failed)?;
    match now {
        Some(now) if now > epoch => Err(StoreError::Fenced { run: run.to_string() }),
        Some(_) => Ok(()),
        None => Err(StoreError::Gone { run: run.to_string() }),
    }
}

fn insert(transaction: &Transaction, batches: &[&Batch]) -> rusqlite::Result<()> {
    let mut nodes: FxHashMap<(&str, &str), NodeChange> = FxHashMap::default();
    let mut insert_event =
        transaction.prepare_cached("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
    for batch in batches {
        forget(transaction, &batch.lost)?;
        for event in &batch.events {
            let data = (!event.data.is_null()).then(|| text(&event.data));
            insert_event.execute(params![
                &*event.run,
                event.seq.cast_signed(),
                event.epoch,
                event.node.as_deref(),
                event.attempt,
                event.kind.name(),
                event.time,
                data
            ])?;
            match &event.node {
                Some(node) => nodes.entry((&event.run, node)).or_default().apply(event, data),
                None => change_run(transaction, event, data)?,
            }
        }
        insert_files(transaction, batch)?;
        for command in &batch.taken {
            let epoch = batch.of().map_or(0, |(_, epoch)| epoch);
            transaction
                .prepare_cached("UPDATE command SET taken = ? WHERE id = ? AND taken IS NULL")?
                .execute(params![epoch, command])?;
        }
    }
    write_nodes(transaction, nodes)?;
    // What a later batch has found to be lost is not written after it.
    let lost = batches
        .iter()
        .enumerate()
        .flat_map(|(place, batch)| batch.lost.iter().map(move |hash| (*hash, place)));
    let lost: FxHashMap<Hash, usize> = lost.collect();
    let stays = |place: usize, hash: &Hash| lost.get(hash).is_none_or(|later| *later <= place);
    let mut contents = FxHashSet::default();
    let now = now();
    let mut insert_content = transaction.prepare_cached("INSERT OR REPLACE INTO content VALUES (?, ?, ?)")?;
    for (place, batch) in batches.iter().enumerate() {
        for (hash, bytes) in &batch.contents {
            if stays(place, hash) && contents.insert(hash) {
                insert_content.execute(params![hash.0, &**bytes, now])?;
            }
        }
    }
    let mut insert_cache = transaction.prepare_cached("INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?)")?;
    let mut forget_key = transaction.prepare_cached("DELETE FROM cache WHERE key = ?")?;
    let entries = batches
        .iter()
        .enumerate()
        .flat_map(|(place, batch)| batch.cache.iter().map(move |entry| (place, entry)));
    let mut entries: Vec<(usize, &CacheEntry)> = entries.collect();
    // In the tree's order, as above; of equal keys the last one counts.
    entries.sort_by_key(|(_, entry)| entry.key);
    for (place, CacheEntry { key, outputs, run, node }) in entries {
        if outputs.iter().all(|output| stays(place, &output.hash)) {
            let outputs: Json = outputs.iter().map(Reference::to_json).collect();
            insert_cache.execute(params![key.0, text(&outputs), &**run, &**node])?;
        } else {
            forget_key.execute([key.0])?;
        }
    }
    Ok(())
}

fn forget(transaction: &Transaction, lost: &[Hash]) -> rusqlite::Result<()> {
    for hash in lost {
        transaction.execute("DELETE FROM content WHERE hash = ?", [hash.0])?;
        transaction.execute("DELETE FROM cache WHERE instr(outputs, ?) > 0", [hash.to_string()])?;
    }
    Ok(())
}

fn insert_files(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<()> {
    for file in &batch.files {
        transaction.prepare_cached("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?)")?.execute(
            params![
                file.path,
                file.stamp.size.cast_signed(),
                file.stamp.modified,
                file.stamp.inode.cast_signed(),
                file.hash.0
            ],
        )?;
    }
    Ok(())
}

fn change_run(transaction: &Transaction, event: &Event, data: Option<String>) -> rusqlite::Result<()> {
    if event.kind == Kind::RunFinished {
        let status = event.data.get("status").and_then(Json::as_str).unwrap_or("failed");
        transaction.execute(
            "UPDATE run SET status = ?, ended = ?, data = ? WHERE id = ?",
            params![status, event.time, data, &*event.run],
        )?;
    }
    Ok(())
}

/// As `to_string` gives it, but without its detour through a formatter.
fn text(json: &Json) -> String {
    serde_json::to_string(json).unwrap_or_default()
}

/// The last that a transaction says of a node.
#[derive(Default)]
struct NodeChange {
    state: &'static str,
    cached: bool,
    attempt: u32,
    started: Option<i64>,
    ended: Option<i64>,
    data: Option<String>,
}

impl NodeChange {
    fn apply(&mut self, event: &Event, data: Option<String>) {
        let Some(state) = event.kind.node_state() else { return };
        self.state = state.name();
        self.ended = state.is_end().then_some(event.time);
        self.attempt = event.attempt;
        self.cached = event.kind == Kind::Cached;
        if event.kind == Kind::Running {
            self.started = Some(event.time);
        }
        self.data = data.filter(|_| self.ended.is_some());
    }
}

fn write_nodes(
    transaction: &Transaction,
    nodes: FxHashMap<(&str, &str), NodeChange>,
) -> rusqlite::Result<()> {
    // In the tree's order, so that its pages are visited once.
    let mut nodes: Vec<_> = nodes.into_iter().collect();
    nodes.sort_unstable_by_key(|(key, _)| *key);
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, node) DO UPDATE SET
            state = excluded.state, cached = excluded.cached, attempt = excluded.attempt,
            started = coalesce(excluded.started, started), ended = excluded.ended,
            data = excluded.data",
    )?;
    for ((run, node), change) in nodes {
        let NodeChange { state, cached, attempt, started, ended, data } = change;
        upsert.execute(params![run, node, state, cached, attempt, started, ended, data])?;
    }
    Ok(())
}

/// Microseconds since 1970.
fn now() -> i64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> StoreError {
    super::failure(error, |reason| StoreError::Write { reason })
}
