//! The tables, how they came to be, and how a file with them is opened.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use crate::store::StoreError;

/// Each makes a file of the next version out of one of the version before, from an empty one on. What stands
/// here is never changed: there are files that it made.
const STEPS: [&str; 3] = [EVENTS, OWNERS_AND_COMMANDS, AGES];

/// Of a file that went through all steps; in the file's `user_version`.
const VERSION: i64 = STEPS.len() as i64;

const EVENTS: &str = "
-- `flow`, in the file's header.
PRAGMA application_id = 0x666c6f77;

-- The truth. Times are microseconds since 1970; data is JSON.
CREATE TABLE event (
    run TEXT NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, node TEXT, attempt INTEGER NOT NULL,
    kind TEXT NOT NULL, time INTEGER NOT NULL, data TEXT,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- Made from the events.
CREATE TABLE run (
    id TEXT PRIMARY KEY, workflow TEXT NOT NULL, dag BLOB NOT NULL, nodes INTEGER NOT NULL,
    epoch INTEGER NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, data TEXT
) WITHOUT ROWID;
CREATE TABLE node (
    run TEXT NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL, cached INTEGER NOT NULL, attempt INTEGER NOT NULL,
    started INTEGER, ended INTEGER, data TEXT,
    PRIMARY KEY (run, node)
) WITHOUT ROWID;

-- By the hash of the text.
CREATE TABLE dag (hash BLOB PRIMARY KEY, json TEXT NOT NULL);

-- What may be computed again.
CREATE TABLE cache (
    key BLOB PRIMARY KEY, outputs TEXT NOT NULL, run TEXT NOT NULL, node TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE content (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL,
    hash BLOB NOT NULL
) WITHOUT ROWID;
";

const OWNERS_AND_COMMANDS: &str = "
ALTER TABLE run ADD COLUMN owner TEXT;
ALTER TABLE run ADD COLUMN idempotency_key TEXT;
CREATE UNIQUE INDEX run_by_key ON run (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What others want of a run; taken in that epoch of it.
CREATE TABLE command (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, kind TEXT NOT NULL, data TEXT, time INTEGER NOT NULL,
    taken INTEGER
);
CREATE INDEX open_command ON command (run, id) WHERE taken IS NULL;
";

const AGES: &str = "
-- When it was last written: microseconds since 1970.
ALTER TABLE content ADD COLUMN added INTEGER NOT NULL DEFAULT 0;
";

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(20);

/// For the one who writes; makes the file and its tables where need be.
pub fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    if let Some(folder) = path.parent() {
        let occupied = |path: &Path, found| StoreError::Occupied { path: path.display().to_string(), found };
        if folder.exists() && !folder.is_dir() {
            return Err(occupied(folder, "a file and no folder"));
        }
        if path.is_dir() {
            return Err(occupied(path, "a folder and no file"));
        }
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
    }
    let mut connection = Connection::open(path).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    // Pages: 40 MiB of log before it is folded into the file, so that a run of 20,000 nodes need not stop for it.
    connection.pragma_update(None, "wal_autocheckpoint", 10_000).map_err(failed)?;
    // KiB: what a large transaction touches is written once, not each time that it leaves the memory.
    connection.pragma_update(None, "cache_size", -32_768).map_err(failed)?;
    // It would remove the log too, for the next process to make it anew; see `fold`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let version = version(&connection).map_err(failed)?;
    if version > VERSION {
        return Err(StoreError::Newer { path: path.display().to_string(), found: version, known: VERSION });
    }
    if version < 0 {
        let reason =
            format!("`{}`: its format is {version}, and there is none of that number", path.display());
        return Err(StoreError::Damaged { reason });
    }
    if version == 0 {
        write_ahead(&connection).map_err(failed)?;
    }
    migrate(&mut connection).map_err(|error| match error {
        // What a step adds is there, or what it changes is not.
        error if is_refused(&error) => {
            let path = path.display();
            let reason = format!("`{path}`: its format is {version}, but its tables are others: {error}");
            StoreError::Damaged { reason }
        }
        error => failed(error),
    })?;
    Ok(connection)
}

/// Folds the log into the file after the last that this process writes, as far as nobody else is at work there, so
/// that the file alone has all that is known. Whatever keeps it from that is no loss: the log is there.
pub fn fold(connection: &Connection) {
    if connection.total_changes() > 0 {
        let _ = connection.busy_timeout(Duration::ZERO);
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// For reading alone.
pub fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    Ok(connection)
}

/// Another process that makes the same file at the same time holds it for moments that no busy handler waits for.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// Takes the steps that the file lacks, each in a transaction of its own: one that is cut short has not begun.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    while version(connection)? < VERSION {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been here first.
        let found = version(&transaction)?;
        if let Some(step) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", found + 1)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Whether it is the statement that SQLite refuses, rather than the disk, a lock or the file.
fn is_refused(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqlInputError { .. })
        || error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_ERROR)
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn open_error(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.display().to_string();
    match super::failure(error, |reason| StoreError::Open { path: path.clone(), reason }) {
        StoreError::Damaged { reason } => StoreError::Damaged { reason: format!("`{path}`: {reason}") },
        // SQLite names the file as well.
        StoreError::Open { reason, path } => {
            let reason = reason.strip_suffix(&format!(": {path}")).unwrap_or(&reason).to_owned();
            StoreError::Open { reason, path }
        }
        other => other,
    }
}
