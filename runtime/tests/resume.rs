//! Runs that stop in the middle, by a wish or by a kill, and are continued.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use flow_ir::{dag::Dag, node::Input, types::Type, value::Value};
use flow_runtime::{
    act::Cancel,
    artifact::Summary,
    decide::RunStatus,
    engine::{Engine, RunError, RunOptions},
    task::Source,
};
use support::*;

const LAYERS: i64 = 12;
const WIDTH: i64 = 4;

/// Layers of nodes that each take five milliseconds, note that they run, and read all of the layer before.
/// Nothing is taken from the cache, so that a node that does not run again owes it to `resume` alone.
fn layers(log: &Path) -> Dag {
    let mut build = Build::default();
    let mut before: Vec<Input> = vec![constant(1)];
    for layer in 0..LAYERS {
        before = (0..WIDTH)
            .map(|place| {
                let name = format!("n{layer}_{place}");
                let mut inputs = vec![
                    ("log", Input::Constant(Value::Text(log.display().to_string()))),
                    ("name", Input::Constant(Value::Text(name.clone()))),
                    ("milliseconds", constant(5)),
                    ("in", constant(place)),
                ];
                let names: Vec<String> = (0..before.len()).map(|index| format!("in{index}")).collect();
                inputs.extend(names.iter().map(String::as_str).zip(before.iter().cloned()));
                build.with(&name, "trace", Type::Int, &inputs, |node| node.policy.cache = false)
            })
            .collect();
    }
    build.dag(&[("last", before.swap_remove(0))])
}

fn options() -> RunOptions {
    RunOptions { jobs: 2, ..RunOptions::default() }
}

fn last(outputs: &[(String, Source)]) -> Summary {
    match &outputs[0].1 {
        Source::Artifact(reference) => reference.summary.clone(),
        other => panic!("{other:?}"),
    }
}

fn times_run(log: &Path) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for line in std::fs::read_to_string(log).unwrap_or_default().lines() {
        *times.entry(line.to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn a_cancelled_run_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
    let undisturbed = engine.run(layers(&folder.path().join("other")), &options(), &Cancel::new()).unwrap();
    let log = folder.path().join("log");
    let cancel = Cancel::new();
    let stopped = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(60));
            cancel.cancel();
        });
        engine.run(layers(&log), &options(), &cancel).unwrap()
    });
    assert_eq!(stopped.status, RunStatus::Cancelled);
    let finished: HashSet<String> = finished_nodes(&engine, &stopped.run);
    assert!(!finished.is_empty() && finished.len() < (LAYERS * WIDTH) as usize);
    let ended = engine.resume(&stopped.run, &options(), &Cancel::new(), &mut |_| {}).unwrap_err();
    assert_eq!(ended.to_string(), format!("run {} has been cancelled", stopped.run));
    let resumed = engine.retry(&stopped.run, &options(), &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!((resumed.status, resumed.run.as_str()), (RunStatus::Finished, stopped.run.as_str()));
    assert_eq!(last(&resumed.outputs), last(&undisturbed.outputs));
    let times = times_run(&log);
    assert!(finished.iter().all(|node| times[node] == 1));
    assert_eq!(times.len(), (LAYERS * WIDTH) as usize);
    let again = engine.resume(&stopped.run, &options(), &Cancel::new(), &mut |_| {}).unwrap_err();
    assert_eq!(again.to_string(), format!("run {} has finished", stopped.run));
}

#[test]
fn a_killed_run_goes_on_where_it_died() {
    for milliseconds in [20, 70, 150] {
        let folder = tempfile::tempdir().unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_that_is_killed", "--ignored", "--nocapture"])
            .env("FLOW_TEST_FOLDER", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let log = folder.path().join("log");
        while !log.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        let is_alive = victim.try_wait().unwrap().is_none();
        let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
        if let (true, Some(run)) = (is_alive, engine.runs().unwrap().pop()) {
            // It may end at any moment.
            assert!(matches!(run.status, RunStatus::Running | RunStatus::Finished), "{}", run.status);
            let refused = engine.resume(&run.id, &options(), &Cancel::new(), &mut |_| {}).unwrap_err();
            assert!(matches!(refused, RunError::Owned { .. } | RunError::HasEnded { .. }), "{refused}");
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        // Killed before anything was durable, there is no run, and nothing was told of one.
        let Some(run) = engine.runs().unwrap().pop() else { continue };
        if run.status.name() == "finished" {
            continue;
        }
        assert_eq!(run.status.name(), "interrupted");
        let finished = finished_nodes(&engine, &run.id);
        let resumed = engine.resume(&run.id, &options(), &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(resumed.status, RunStatus::Finished);
        let undisturbed =
            engine.run(layers(&folder.path().join("other")), &options(), &Cancel::new()).unwrap();
        assert_eq!(last(&resumed.outputs), last(&undisturbed.outputs));
        let times = times_run(&log);
        assert!(finished.iter().all(|node| times[node] == 1), "what was told to be finished ran again");
        assert_eq!(times.len(), (LAYERS * WIDTH) as usize);
    }
}

#[test]
#[ignore = "a part of the test above, in a process of its own"]
fn the_process_that_is_killed() {
    let folder = std::env::var("FLOW_TEST_FOLDER").unwrap();
    let folder = Path::new(&folder);
    let engine = Engine::open(folder, Arc::new(TestRegistry::default())).unwrap();
    engine.run(layers(&folder.join("log")), &options(), &Cancel::new()).unwrap();
}

fn finished_nodes(engine: &Engine, run: &str) -> HashSet<String> {
    let (_, nodes) = engine.show(run).unwrap();
    nodes.into_iter().filter(|node| node.state.name() == "finished").map(|node| node.id).collect()
}
