//! The store: files of older versions, two owners of one run, commands to it, and what cannot be written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use flow_ir::hash::Hash;
use flow_runtime::{
    artifact::SmallContents,
    event::{Event, Kind},
    store::{Batch, CommandKind, NewRun, Owner, SqliteStore, Store, StoreError},
};
use rusqlite::Connection;
use serde_json::Value as Json;

/// A file that version 1 wrote, with a run that finished, one from its cache, one that failed, and one whose
/// process was killed.
const VERSION_1: &str = include_str!("data/store-1.sql");

fn version_1(path: &Path) {
    Connection::open(path).unwrap().execute_batch(VERSION_1).unwrap();
}

/// All that stands in a table, in its order.
fn rows(connection: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        Ok((0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap())).collect())
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_store_of_version_1_is_taken_over_with_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    version_1(&path);
    let tables = [
        "SELECT * FROM event",
        "SELECT id, workflow, dag, nodes, epoch, status, started, ended, data FROM run",
        "SELECT * FROM node",
        "SELECT * FROM dag",
        "SELECT * FROM cache",
        "SELECT hash, bytes FROM content",
        "SELECT * FROM file",
    ];
    let all = |path: &Path| -> Vec<Vec<Vec<String>>> {
        let connection = Connection::open(path).unwrap();
        tables.iter().map(|table| rows(&connection, table)).collect()
    };
    let before = all(&path);
    assert!(before.iter().take(6).all(|rows| rows.len() > 2), "{before:?}");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(all(&path), before);
    let runs: Vec<(String, String)> =
        store.runs().unwrap().into_iter().map(|run| (run.workflow, run.status.to_string())).collect();
    let expected =
        [("old.slow", "running"), ("old.broken", "failed"), ("old.sum", "finished"), ("old.sum", "finished")];
    assert_eq!(runs, expected.map(|(workflow, status)| (workflow.to_owned(), status.to_owned())));
    assert!(store.runs().unwrap().iter().all(|run| run.owner.is_none()));
    assert_eq!(&*store.content(Hash::of(b"3")).unwrap().unwrap(), b"3");
    // What is new works on what is old.
    let slow = &store.runs().unwrap()[0].id;
    store.command(slow, &CommandKind::Cancel).unwrap();
    assert_eq!(store.commands(slow, 0).unwrap().len(), 1);
    assert_eq!(store.claim(slow).unwrap(), 2);
    assert_eq!(store.run(slow).unwrap().unwrap().owner, Some(Owner::this_process()));
}

#[test]
fn a_migration_that_is_cut_short_has_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    version_1(&path);
    {
        // As far as a killed process may come: the journal has part of it, and no commit.
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA cache_spill = 1; PRAGMA cache_size = 1; BEGIN IMMEDIATE;
                ALTER TABLE run ADD COLUMN owner TEXT; UPDATE event SET data = hex(randomblob(2000));",
            )
            .unwrap();
        std::fs::copy(&path, folder.path().join("torn.sqlite")).unwrap();
        std::fs::copy(folder.path().join("store.sqlite-wal"), folder.path().join("torn.sqlite-wal")).unwrap();
    }
    assert!(std::fs::metadata(folder.path().join("torn.sqlite-wal")).unwrap().len() > 0);
    for name in ["store.sqlite", "torn.sqlite"] {
        let store = SqliteStore::open(&folder.path().join(name)).unwrap();
        assert_eq!(store.runs().unwrap().len(), 4);
        let events = store.events(&store.runs().unwrap()[3].id).unwrap();
        assert_eq!(events.last().unwrap().data["status"], "finished");
    }
}

#[test]
fn many_open_one_new_store_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| SqliteStore::open(&path).map(drop))).collect();
        for opener in openers {
            opener.join().unwrap().unwrap();
        }
    });
}

/// Appends, and waits for the answer.
fn append(store: &SqliteStore, batch: Batch) -> Result<Vec<Event>, StoreError> {
    let (answer, answers) = mpsc::channel();
    let then = Box::new(move |result| drop(answer.send(result)));
    store.append(Batch { then: Some(then), is_urgent: true, ..batch });
    answers.recv().unwrap()
}

fn event(run: &str, seq: u64, epoch: u32, kind: Kind) -> Event {
    let node: Option<Arc<str>> = (!kind.name().starts_with("run")).then(|| "node".into());
    Event { run: run.into(), seq, epoch, node, attempt: 1, kind, time: 7, data: Json::Null }
}

fn start(run: &str, idempotency_key: Option<&str>) -> Batch {
    let new = NewRun {
        id: run.into(),
        workflow: "it".to_owned(),
        dag: "{}".to_owned(),
        nodes: 1,
        idempotency_key: idempotency_key.map(str::to_owned),
    };
    Batch { run: Some(new), events: vec![event(run, 1, 1, Kind::RunStarted)], ..Batch::default() }
}

fn say(run: &str, seq: u64, epoch: u32, kind: Kind) -> Batch {
    Batch { events: vec![event(run, seq, epoch, kind)], ..Batch::default() }
}

#[test]
fn the_late_owner_of_a_run_is_refused_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let (late, next) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    append(&late, start("a", None)).unwrap();
    append(&late, start("b", None)).unwrap();
    assert_eq!(next.claim("a").unwrap(), 2);
    append(&next, say("a", 2, 2, Kind::Ready)).unwrap();

    // One transaction holds batches of both runs; the other run's counts.
    late.append(say("b", 2, 1, Kind::Ready));
    late.append(Batch {
        events: vec![event("a", 2, 1, Kind::Finished)],
        contents: vec![(Hash::of(b"late"), b"late".to_vec().into())],
        ..Batch::default()
    });
    let fenced = append(&late, say("a", 3, 1, Kind::RunFinished));
    assert_eq!(fenced, Err(StoreError::Fenced { run: "a".to_owned() }));
    append(&late, say("b", 3, 1, Kind::Running)).unwrap();

    let kinds = |run| -> Vec<Kind> { next.events(run).unwrap().iter().map(|event| event.kind).collect() };
    assert_eq!(kinds("a"), [Kind::RunStarted, Kind::Ready]);
    assert_eq!(kinds("b"), [Kind::RunStarted, Kind::Ready, Kind::Running]);
    assert_eq!(next.nodes("a").unwrap()[0].state.name(), "ready");
    assert!(!next.has_content(Hash::of(b"late")).unwrap());
}

#[test]
fn what_follows_a_batch_that_could_not_be_written_is_not_written_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    append(&store, start("a", None)).unwrap();
    // A limit as a full disk has it; it is the connection's own, so a trigger stands in for it.
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON event WHEN new.seq = 2
            BEGIN SELECT raise(ABORT, 'database or disk is full'); END;",
        )
        .unwrap();
    assert!(append(&store, say("a", 2, 1, Kind::Ready)).is_err());
    other.execute_batch("DROP TRIGGER full;").unwrap();
    assert!(append(&store, say("a", 3, 1, Kind::Running)).is_err(), "event 2 is not there");
    assert_eq!(store.events("a").unwrap().len(), 1);
    // A new owner begins where the events end.
    let epoch = store.claim("a").unwrap();
    append(&store, say("a", 2, epoch, Kind::Ready)).unwrap();
}

#[test]
fn commands_are_told_until_they_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let (owner, other) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    append(&owner, start("a", None)).unwrap();
    append(&owner, start("b", None)).unwrap();
    let signal = CommandKind::Signal { name: "go".to_owned() };
    let first = other.command("a", &signal).unwrap();
    let second = other.command("a", &CommandKind::Cancel).unwrap();
    let kinds = |after| -> Vec<CommandKind> {
        owner.commands("a", after).unwrap().into_iter().map(|command| command.kind).collect()
    };
    assert_eq!(kinds(0), [signal.clone(), CommandKind::Cancel]);
    assert_eq!(kinds(first), [CommandKind::Cancel]);
    assert_eq!(kinds(second), []);
    assert_eq!(owner.commands("b", 0).unwrap(), []);
    // With the event that answers it, and only with it.
    append(&owner, Batch { taken: vec![first], ..say("a", 2, 1, Kind::Ready) }).unwrap();
    assert_eq!(other.commands("a", 0).unwrap().len(), 1);
    // Whom it was for is dead: a signal is for the run, but nobody wants this owner's work cancelled.
    other.command("a", &signal).unwrap();
    owner.claim("a").unwrap();
    assert_eq!(kinds(0), std::slice::from_ref(&signal));
    // It has not obeyed: what it takes without an event is taken from the next owner.
    let late = Batch { of: Some(("a".into(), 1)), taken: vec![first + 2], ..Batch::default() };
    assert_eq!(append(&other, late), Err(StoreError::Fenced { run: "a".to_owned() }));
    assert_eq!(kinds(0), [signal]);
}

#[test]
fn an_idempotency_key_belongs_to_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.sqlite")).unwrap();
    append(&store, start("a", Some("nightly"))).unwrap();
    append(&store, start("b", Some("weekly"))).unwrap();
    let taken = StoreError::KeyTaken { run: "a".to_owned(), key: "nightly".to_owned() };
    assert_eq!(append(&store, start("c", Some("nightly"))), Err(taken));
    assert!(store.run("c").unwrap().is_none());
    append(&store, start("a", Some("nightly"))).unwrap();
    assert_eq!(store.run("a").unwrap().unwrap().idempotency_key.as_deref(), Some("nightly"));
}
