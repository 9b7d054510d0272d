//! Questions to the tables.

use std::{sync::Arc, time::Duration};

use flow_ir::hash::Hash;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use serde_json::Value as Json;

use crate::{
    artifact::Reference,
    decide::{NodeState, RunStatus},
    event::{Event, Kind},
    store::{CommandKind, Durations, FileStamp, NodeRow, Owner, RunCommand, RunRow, StoreError},
};

pub fn cached(connection: &Connection, keys: &[Hash]) -> Result<Vec<Option<Vec<Reference>>>, StoreError> {
    // One transaction for all: each would lock the file anew.
    let _transaction =
        (keys.len() > 1).then(|| connection.unchecked_transaction()).transpose().map_err(failed)?;
    let mut statement =
        connection.prepare_cached("SELECT outputs FROM cache WHERE key = ?").map_err(failed)?;
    keys.iter()
        .map(|key| {
            let text: Option<String> =
                statement.query_row([key.0], |row| row.get(0)).optional().map_err(failed)?;
            // What cannot be understood is as good as not there.
            Ok(text.and_then(|text| references(&serde_json::from_str(&text).ok()?)))
        })
        .collect()
}

pub fn file(connection: &Connection, path: &str, stamp: FileStamp) -> Result<Option<Hash>, StoreError> {
    connection
        .prepare_cached("SELECT hash FROM file WHERE path = ? AND size = ? AND modified = ? AND inode = ?")
        .and_then(|mut statement| {
            statement
                .query_row(
                    params![path, stamp.size.cast_signed(), stamp.modified, stamp.inode.cast_signed()],
                    |row| row.get(0).map(Hash),
                )
                .optional()
        })
        .map_err(failed)
}

pub fn content(connection: &Connection, hash: Hash) -> Result<Option<Arc<[u8]>>, StoreError> {
    connection
        .prepare_cached("SELECT bytes FROM content WHERE hash = ?")
        .and_then(|mut statement| {
            statement.query_row([hash.0], |row| Ok(Arc::from(row.get_ref(0)?.as_blob()?))).optional()
        })
        .map_err(failed)
}

pub fn has_content(connection: &Connection, hash: Hash) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT 1 FROM content WHERE hash = ?")
        .and_then(|mut statement| statement.exists([hash.0]))
        .map_err(failed)
}

pub fn runs(connection: &Connection, id: Option<&str>) -> Result<Vec<RunRow>, StoreError> {
    let read = || {
        let mut states = connection.prepare_cached(
            "SELECT CASE WHEN cached THEN 'cached' ELSE state END AS shown, count(*)
             FROM node WHERE run = ? GROUP BY shown ORDER BY shown",
        )?;
        let mut statement = connection.prepare_cached(
            "SELECT id, workflow, status, epoch, started, ended, nodes, data, owner, idempotency_key FROM run
             WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC",
        )?;
        let rows = statement.query_map([id], |row| {
            let id: String = row.get(0)?;
            let states = states.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let owner: Option<String> = row.get(8)?;
            Ok(RunRow {
                workflow: row.get(1)?,
                status: named(row, 2, RunStatus::named)?,
                epoch: row.get(3)?,
                started: row.get(4)?,
                ended: row.get(5)?,
                nodes: row.get(6)?,
                states: states.collect::<rusqlite::Result<_>>()?,
                end: json(row, 7)?,
                owner: owner.and_then(|text| Owner::read(&text)),
                idempotency_key: row.get(9)?,
                id,
            })
        })?;
        rows.collect::<rusqlite::Result<_>>()
    };
    read().map_err(failed)
}

pub fn commands(connection: &Connection, run: &str, after: i64) -> Result<Vec<RunCommand>, StoreError> {
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT id, kind, data, time FROM command WHERE run = ? AND id > ? AND taken IS NULL ORDER BY id",
        )?;
        let rows = statement.query_map(params![run, after], |row| {
            let (id, kind, time) = (row.get(0)?, row.get::<_, String>(1)?, row.get(3)?);
            let kind = CommandKind::read(&kind, &json(row, 2)?);
            Ok(kind.map(|kind| RunCommand { id, kind, time }))
        })?;
        rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()
    };
    read().map_err(failed)
}

pub fn dag(connection: &Connection, run: &str) -> Result<Option<String>, StoreError> {
    connection
        .query_row("SELECT json FROM dag WHERE hash = (SELECT dag FROM run WHERE id = ?)", [run], |row| {
            row.get(0)
        })
        .optional()
        .map_err(failed)
}

pub fn nodes(connection: &Connection, run: &str) -> Result<Vec<NodeRow>, StoreError> {
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT node, state, cached, attempt, started, ended, data FROM node WHERE run = ?",
        )?;
        let rows = statement.query_map([run], |row| {
            Ok(NodeRow {
                node: row.get(0)?,
                state: named(row, 1, NodeState::named)?,
                cached: row.get(2)?,
                attempt: row.get(3)?,
                started: row.get(4)?,
                ended: row.get(5)?,
                data: json(row, 6)?,
            })
        })?;
        rows.collect::<rusqlite::Result<_>>()
    };
    read().map_err(failed)
}

/// Those after `seq`, at most `limit`.
pub fn events(connection: &Connection, run: &str, seq: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
    let id: Arc<str> = run.into();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT seq, epoch, node, attempt, kind, time, data FROM event
             WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?",
        )?;
        let rows = statement.query_map(params![run, seq.cast_signed(), limit], |row| {
            let kind: String = row.get(4)?;
            let Some(kind) = Kind::named(&kind) else { return Ok(None) };
            Ok(Some(Event {
                run: id.clone(),
                seq: row.get::<_, i64>(0)?.cast_unsigned(),
                epoch: row.get(1)?,
                node: row.get::<_, Option<String>>(2)?.map(Arc::from),
                attempt: row.get(3)?,
                kind,
                time: row.get(5)?,
                data: json(row, 6)?,
            }))
        })?;
        // Kinds that a newer version added say nothing to this one.
        rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()
    };
    read().map_err(failed)
}

/// Rows of earlier runs that are looked at: some 50 ms, and for a small workflow more runs than matter.
const HISTORY_ROWS: u32 = 20_000;

/// Runs that are looked at.
const HISTORY_RUNS: u32 = 20;

pub fn durations(connection: &Connection, workflow: &str) -> Result<Durations, StoreError> {
    let read = || {
        let mut runs =
            connection.prepare_cached("SELECT id FROM run WHERE workflow = ? ORDER BY id DESC LIMIT ?")?;
        let mut nodes = connection.prepare_cached(
            "SELECT node, ended - started FROM node
             WHERE run = ? AND state = 'finished' AND NOT cached AND started <= ended LIMIT ?",
        )?;
        let mut durations = Durations::default();
        let mut left = HISTORY_ROWS;
        let ids = runs.query_map(params![workflow, HISTORY_RUNS], |row| row.get::<_, String>(0))?;
        for run in ids.collect::<rusqlite::Result<Vec<_>>>()? {
            let rows = nodes.query_map(params![run, left], |row| {
                let microseconds: i64 = row.get(1)?;
                Ok((row.get::<_, String>(0)?, Duration::from_micros(microseconds.unsigned_abs())))
            })?;
            for row in rows {
                let (node, took) = row?;
                durations.add(&node, took);
                left -= 1;
            }
        }
        Ok(durations)
    };
    read().map_err(failed)
}

fn references(json: &Json) -> Option<Vec<Reference>> {
    json.as_array()?.iter().map(Reference::from_json).collect()
}

/// What a word stands for; of a word that nobody wrote the store is told to be damaged.
fn named<T>(row: &Row, column: usize, find: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    find(&word).ok_or_else(|| {
        let reason = format!("`{word}` is no state").into();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason)
    })
}

fn json(row: &Row, column: usize) -> rusqlite::Result<Json> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn failed(error: rusqlite::Error) -> StoreError {
    super::failure(error, |reason| StoreError::Read { reason })
}
