//! Runs that failed and are revived in place, and runs that are stopped from elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{path::Path, sync::Arc, time::Duration};

use flow_ir::{dag::Dag, policy::OnFailure, types::Type};
use flow_runtime::{
    act::Cancel,
    decide::RunStatus,
    engine::{Again, Cancelled, Engine, Revival, RunOptions, RunReport},
    store::{CommandKind, SqliteStore, Store},
};
use support::*;

struct Lab {
    folder: tempfile::TempDir,
    registry: Arc<TestRegistry>,
    engine: Engine,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(TestRegistry::default());
        let engine = Engine::open(folder.path(), registry.clone()).unwrap();
        Self { folder, registry, engine }
    }

    fn run(&self, dag: Dag) -> RunReport {
        self.engine.run(dag, &options(), &Cancel::new()).unwrap()
    }

    fn retry(&self, run: &str) -> (RunReport, Revival) {
        let mut told = None;
        let report = self.engine.retry(run, &options(), &Cancel::new(), &mut |revival| {
            told = Some(revival.clone());
        });
        (report.unwrap(), told.unwrap())
    }

    fn state(&self, run: &str, node: &str) -> String {
        let (_, nodes) = self.engine.show(run).unwrap();
        nodes.into_iter().find(|found| found.id == node).unwrap().state.to_string()
    }
}

fn options() -> RunOptions {
    RunOptions { jobs: 2, ..RunOptions::default() }
}

/// `first`, then `second`, which fails `times` times, then `third`; and `aside`.
fn broken(times: i64, on_failure: OnFailure) -> Dag {
    let mut build = Build::default();
    let first = build.node("first", "noop", Type::Int, &[("value", constant(1))]);
    let second =
        build.with("second", "fail", Type::Int, &[("value", first), ("times", constant(times))], |node| {
            node.policy.on_failure = on_failure;
        });
    let ty = if on_failure == OnFailure::Continue { Type::Int.optional() } else { Type::Int };
    let third = build.node("third", "noop", ty, &[("value", second)]);
    let aside = build.node("aside", "noop", Type::Int, &[("value", constant(2))]);
    build.dag(&[("third", third), ("aside", aside)])
}

#[test]
fn the_failed_part_of_a_run_runs_again_and_nothing_else() {
    for policy in [OnFailure::CancelDependents, OnFailure::BlockDependents] {
        let lab = Lab::new();
        let failed = lab.run(broken(2, policy));
        let ended = match policy {
            OnFailure::BlockDependents => RunStatus::Blocked,
            _ => RunStatus::Failed,
        };
        assert_eq!(failed.status, ended);
        assert_eq!(lab.registry.calls(), 3);
        let refused = lab.engine.resume(&failed.run, &options(), &Cancel::new(), &mut |_| {}).unwrap_err();
        assert!(refused.to_string().ends_with("failed") || refused.to_string().ends_with("ended blocked"));

        // The second attempt fails as the first did, the third does not.
        let (again, revival) = lab.retry(&failed.run);
        assert_eq!((again.run.as_str(), again.status), (failed.run.as_str(), ended));
        let expected =
            Revival { valid: 2, again: vec![("second".to_owned(), Again::Failed)], failed: vec![], open: 1 };
        assert_eq!(revival, expected);
        assert_eq!(lab.registry.calls(), 4);
        let (again, _) = lab.retry(&failed.run);
        assert_eq!(again.status, RunStatus::Finished);
        assert_eq!(lab.registry.calls(), 6);
        let (run, nodes) = lab.engine.show(&failed.run).unwrap();
        assert_eq!(run.status.name(), "finished");
        assert_eq!(nodes[1].attempts, 3);
        let refused = lab.engine.retry(&failed.run, &options(), &Cancel::new(), &mut |_| {}).unwrap_err();
        assert_eq!(refused.to_string(), format!("run {} has finished", failed.run));
    }
}

#[test]
fn what_went_on_without_a_failed_node_runs_again_with_it() {
    let lab = Lab::new();
    let mut dag = broken(1, OnFailure::Continue);
    // An output of the workflow that is missing fails the run.
    let mut output = dag.outputs[1].clone();
    output.name = "second".to_owned();
    output.input.clone_from(&dag.nodes[2].inputs[0].1);
    dag.outputs.push(output);
    let failed = lab.run(dag);
    assert_eq!(failed.status, RunStatus::Failed);
    assert_eq!(lab.state(&failed.run, "third"), "finished");
    let (again, revival) = lab.retry(&failed.run);
    assert_eq!(again.status, RunStatus::Finished);
    let names = [("second", Again::Failed), ("third", Again::Rests)];
    assert_eq!(revival.again, names.map(|(name, again)| (name.to_owned(), again)));
    assert_eq!(again.outputs.len(), 3);
    assert_eq!(lab.registry.calls(), 6);
}

fn slow() -> Dag {
    let mut build = Build::default();
    let first = build.node("first", "noop", Type::Int, &[("value", constant(1))]);
    let second =
        build.node("second", "sleep", Type::Int, &[("value", first), ("milliseconds", constant(20_000))]);
    let third = build.node("third", "noop", Type::Int, &[("value", second)]);
    build.dag(&[("third", third)])
}

/// Waits until a node runs, and gives the run's id.
fn wait_for(engine: &Engine, node: &str) -> String {
    loop {
        if let Some(run) = engine.runs().unwrap().first()
            && engine
                .show(&run.id)
                .unwrap()
                .1
                .iter()
                .any(|found| found.id == node && found.state.name() == "running")
        {
            return run.id.clone();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn another_process_stops_a_run() {
    let lab = Lab::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| lab.run(slow()));
        let other = Engine::open(lab.folder.path(), lab.registry.clone()).unwrap();
        let id = wait_for(&other, "second");
        let (run, cancelled) = other.cancel(&id, Duration::from_secs(10)).unwrap();
        assert_eq!((cancelled, run.status.name()), (Cancelled::ByOwner, "cancelled"));
        let report = running.join().unwrap();
        assert_eq!(report.status, RunStatus::Cancelled);
        assert_eq!(lab.state(&id, "second"), "cancelled");
        let error = other.cancel(&id, Duration::from_secs(10)).unwrap_err();
        assert_eq!(error.to_string(), format!("run {id} has been cancelled"));
    });
}

/// Leaves a run whose process has died while `second` ran.
fn killed(folder: &Path) -> String {
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--ignored"])
        .env("FLOW_TEST_FOLDER", folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let engine = Engine::open(folder, Arc::new(TestRegistry::default())).unwrap();
    let id = wait_for(&engine, "second");
    victim.kill().unwrap();
    victim.wait().unwrap();
    id
}

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn the_process_that_is_killed() {
    let folder = std::env::var("FLOW_TEST_FOLDER").unwrap();
    let engine = Engine::open(Path::new(&folder), Arc::new(TestRegistry::default())).unwrap();
    engine.run(slow(), &options(), &Cancel::new()).unwrap();
}

#[test]
fn a_run_without_a_process_is_cancelled_by_who_asks() {
    let lab = Lab::new();
    let id = killed(lab.folder.path());
    // A wish that the dead one never read.
    let store = SqliteStore::open(&lab.folder.path().join("store.sqlite")).unwrap();
    store.command(&id, &CommandKind::Cancel).unwrap();
    assert_eq!(lab.engine.find_run(&id).unwrap().status.name(), "interrupted");

    let (run, cancelled) = lab.engine.cancel(&id, Duration::from_secs(10)).unwrap();
    assert_eq!((cancelled, run.status.name()), (Cancelled::Here, "cancelled"));
    assert_eq!(lab.registry.calls(), 0, "nothing is run for that");
    let (_, nodes) = lab.engine.show(&id).unwrap();
    let states: Vec<&str> = nodes.iter().map(|node| node.state.name()).collect();
    assert_eq!(states, ["finished", "cancelled", "cancelled"]);
    assert_eq!(store.commands(&id, 0).unwrap(), [], "the wish was for the dead");
    let events = store.events(&id).unwrap();
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "no gap between the owners");

    // And it can be taken up all the same.
    let mut told = None;
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let resumed = scope.spawn(|| {
            lab.engine.retry(&id, &options(), &cancel, &mut |revival| told = Some(revival.clone()))
        });
        wait_for(&Engine::open(lab.folder.path(), lab.registry.clone()).unwrap(), "second");
        cancel.cancel();
        assert_eq!(resumed.join().unwrap().unwrap().status, RunStatus::Cancelled);
    });
    let again = vec![("second".to_owned(), Again::Cancelled)];
    assert_eq!(told, Some(Revival { valid: 1, again, failed: vec![], open: 1 }));
}
