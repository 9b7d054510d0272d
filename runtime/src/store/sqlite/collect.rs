//! What is removed from the store: runs that are not kept, and what no run needs any more.

use std::path::Path;

use flow_ir::hash::Hash;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use super::{failure, schema};
use crate::{artifact::Reference, store::StoreError};

/// Removes; the only one that does. It has a connection of its own, beside those of the runs.
pub struct Collector {
    connection: Connection,
}

/// What is no longer needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unneeded {
    /// Entries of the cache.
    pub cached: usize,
    /// Small contents, and their bytes.
    pub contents: usize,
    pub bytes: u64,
}

/// Gives the elements of a list as well, which stand in its content alone.
pub type Elements<'a> = &'a dyn Fn(&Reference) -> Result<Vec<Hash>, StoreError>;

impl Collector {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: schema::open(path)? })
    }

    /// Removes a run: its events, and all that is made from them.
    pub fn remove_run(&mut self, run: &str) -> Result<(), StoreError> {
        let mut remove = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for statement in [
                "DELETE FROM event WHERE run = ?",
                "DELETE FROM node WHERE run = ?",
                "DELETE FROM command WHERE run = ?",
                "DELETE FROM run WHERE id = ?",
            ] {
                transaction.execute(statement, [run])?;
            }
            transaction.commit()
        };
        remove().map_err(failed)
    }

    /// Removes what the cache knows of results that no run has, and DAGs of none; says how many results. From now
    /// on nobody finds them there.
    pub fn forget(&mut self) -> Result<usize, StoreError> {
        let mut forget = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let used = top(&used(&transaction, &FxHashSet::default())?);
            let unneeded = unneeded_entries(&transaction, &used)?;
            for key in &unneeded {
                transaction.execute("DELETE FROM cache WHERE key = ?", params![key])?;
            }
            transaction.execute("DELETE FROM dag WHERE hash NOT IN (SELECT dag FROM run)", [])?;
            transaction.commit()?;
            Ok(unneeded.len())
        };
        forget().map_err(failed)
    }

    /// Removes small contents that no run needs, if they were written before `limit` (microseconds since 1970).
    /// Gives all hashes that some run needs, too.
    pub fn sweep(
        &mut self,
        limit: i64,
        elements: Elements<'_>,
    ) -> Result<(Unneeded, FxHashSet<Hash>), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let used = whole(&used(&transaction, &FxHashSet::default()).map_err(failed)?, elements)?;
        let unneeded = unneeded_contents(&transaction, &used, limit).map_err(failed)?;
        let remove = || {
            let mut remove = transaction.prepare("DELETE FROM content WHERE hash = ?")?;
            for (hash, _) in &unneeded {
                remove.execute(params![hash.0])?;
            }
            drop(remove);
            transaction.commit()
        };
        remove().map_err(failed)?;
        Ok((Unneeded::of(0, &unneeded), used))
    }

    /// What [`Self::forget`] and [`Self::sweep`] would remove if these runs had been removed before.
    pub fn look(
        &mut self,
        without: &FxHashSet<String>,
        limit: i64,
        elements: Elements<'_>,
    ) -> Result<(Unneeded, FxHashSet<Hash>), StoreError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        let references = used(&transaction, without).map_err(failed)?;
        let cached = unneeded_entries(&transaction, &top(&references)).map_err(failed)?.len();
        let used = whole(&references, elements)?;
        let contents = unneeded_contents(&transaction, &used, limit).map_err(failed)?;
        Ok((Unneeded::of(cached, &contents), used))
    }

    /// Gives the room back that was freed in the file, where that is much and nobody else is at work.
    pub fn shrink(&self) {
        let number = |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let (Ok(free), Ok(all)) = (number("freelist_count"), number("page_count")) else { return };
        if free > 256 && free > all / 4 {
            // Else the room is there for the next runs.
            let _ = self.connection.execute_batch("VACUUM");
        }
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

impl Unneeded {
    fn of(cached: usize, contents: &[(Hash, u64)]) -> Self {
        Self { cached, contents: contents.len(), bytes: contents.iter().map(|(_, bytes)| bytes).sum() }
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// What the nodes of all runs have given, but of those `without`.
fn used(transaction: &Transaction, without: &FxHashSet<String>) -> rusqlite::Result<Vec<Reference>> {
    let mut statement =
        transaction.prepare("SELECT run, data FROM node WHERE state = 'finished' AND data IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut known = FxHashSet::default();
    let mut references = Vec::new();
    while let Some(row) = rows.next()? {
        if without.contains(row.get_ref(0)?.as_str()?) {
            continue;
        }
        let data: Json = serde_json::from_str(row.get_ref(1)?.as_str()?).unwrap_or_default();
        let outputs = data.get("outputs").and_then(Json::as_object);
        for reference in outputs.into_iter().flat_map(|outputs| outputs.values()) {
            if let Some(reference) = Reference::from_json(reference)
                && known.insert(reference.hash)
            {
                references.push(reference);
            }
        }
    }
    Ok(references)
}

fn top(references: &[Reference]) -> FxHashSet<Hash> {
    references.iter().map(|reference| reference.hash).collect()
}

fn whole(references: &[Reference], elements: Elements<'_>) -> Result<FxHashSet<Hash>, StoreError> {
    let mut used = top(references);
    for reference in references {
        used.extend(elements(reference)?);
    }
    Ok(used)
}

/// Keys of results that are not all among the used.
fn unneeded_entries(transaction: &Transaction, used: &FxHashSet<Hash>) -> rusqlite::Result<Vec<[u8; 32]>> {
    let mut statement = transaction.prepare("SELECT key, outputs FROM cache")?;
    let mut rows = statement.query([])?;
    let mut unneeded = Vec::new();
    while let Some(row) = rows.next()? {
        let outputs: Json = serde_json::from_str(row.get_ref(1)?.as_str()?).unwrap_or_default();
        let is_used = |output: &Json| {
            Reference::from_json(output).is_some_and(|reference| used.contains(&reference.hash))
        };
        if !outputs.as_array().is_some_and(|outputs| outputs.iter().all(is_used)) {
            unneeded.push(row.get(0)?);
        }
    }
    Ok(unneeded)
}

fn unneeded_contents(
    transaction: &Transaction,
    used: &FxHashSet<Hash>,
    limit: i64,
) -> rusqlite::Result<Vec<(Hash, u64)>> {
    let mut statement = transaction.prepare("SELECT hash, length(bytes) FROM content WHERE added < ?")?;
    let rows =
        statement.query_map([limit], |row| Ok((Hash(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned())))?;
    let mut contents = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    contents.retain(|(hash, _)| !used.contains(hash));
    Ok(contents)
}

fn failed(error: rusqlite::Error) -> StoreError {
    failure(error, |reason| StoreError::Write { reason })
}
