//! The tables, and how a file with them is opened.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::store::StoreError;

/// Of the tables below; in the file's `user_version`.
const VERSION: i64 = 1;

/// `flow`, in the file's header.
const APPLICATION: i64 = 0x666c_6f77;

const TABLES: &str = "
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

/// For the one who writes; makes the file and its tables where need be.
pub fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
    }
    let mut connection = Connection::open(path).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000).map_err(failed)?;
    // The log is read as well as the file; folding it in on every exit would cost syncs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let version = version(&connection).map_err(failed)?;
    if version > VERSION {
        return Err(StoreError::Newer { path: path.display().to_string(), found: version, known: VERSION });
    }
    if version == 0 {
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        create(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

/// For reading alone.
pub fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    Ok(connection)
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been here first.
    if version(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(20))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn open_error(path: &Path, error: rusqlite::Error) -> StoreError {
    super::failure(error, |reason| StoreError::Open { path: path.display().to_string(), reason })
}
