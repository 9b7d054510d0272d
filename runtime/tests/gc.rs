//! What `gc` removes, and what it leaves, also while others are at work.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use flow_ir::{dag::Dag, node::Input, types::Type, value::Value};
use flow_runtime::{
    act::Cancel,
    engine::{Engine, Keep, Removed, RunOptions},
};
use support::*;

/// Older than the clocks of files are coarse.
const OLD: Duration = Duration::from_millis(200);

fn open(folder: &Path) -> Engine {
    Engine::open(folder, Arc::new(TestRegistry::default())).unwrap()
}

fn options() -> RunOptions {
    RunOptions { jobs: 2, ..RunOptions::default() }
}

fn run(engine: &Engine, dag: Dag) -> String {
    engine.run(dag, &options(), &Cancel::new()).unwrap().run
}

/// A large model, a small one, a list of both, and their length; `seed` tells different ones apart.
fn models(seed: i64) -> Dag {
    let mut build = Build::default();
    let large = build.node("large", "model", some_model(), &[("size", constant((1 << 20) + seed))]);
    let small = build.node("small", "model", some_model(), &[("size", constant(2000 + seed))]);
    let list = Type::List(Box::new(some_model()));
    let both = build.node("both", "both", list, &[("a", large), ("b", small)]);
    let length = build.node("length", "length", Type::Int, &[("model", both.clone())]);
    build.dag(&[("length", length), ("both", both)])
}

/// Loads all that a run has given.
fn is_whole(engine: &Engine, run: &str) -> bool {
    let (_, nodes) = engine.show(run).unwrap();
    nodes.iter().flat_map(|node| &node.outputs).all(|(_, reference)| engine.load(reference).is_ok())
}

#[test]
fn what_a_kept_run_needs_is_kept_and_all_else_goes() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let old = run(&engine, models(1));
    let kept = run(&engine, models(2));
    // The latest shares what it has with the one before, and makes nothing itself.
    let latest = run(&engine, models(2));
    assert_eq!(engine.gc(Keep::default()).unwrap(), Removed::default());
    std::thread::sleep(OLD);

    let keep = Keep { latest: Some(1), younger_than: None };
    let told = engine.gc_dry_run(keep).unwrap();
    assert_eq!(engine.runs().unwrap().len(), 3, "a dry run removes nothing");
    assert!([&old, &kept, &latest].into_iter().all(|run| is_whole(&engine, run)));
    assert_eq!(told.runs, [kept.clone(), old.clone()]);
    // Large, small and the list of the old one; its length stands in the event. All four are results.
    assert_eq!((told.cached, told.artifacts), (4, 3));
    assert!(told.bytes > 1 << 20 && told.bytes < (1 << 20) + 10_000, "{told:?}");

    assert_eq!(engine.gc(keep).unwrap(), told);
    assert_eq!(engine.runs().unwrap().iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), [&latest]);
    assert!(is_whole(&engine, &latest));
    assert_eq!(engine.gc(keep).unwrap(), Removed::default());
    // What is gone is computed again, what is there is not.
    let calls = Arc::new(TestRegistry::default());
    let again = Engine::open(folder.path(), calls.clone()).unwrap();
    run(&again, models(2));
    assert_eq!(calls.calls(), 0);
    run(&again, models(1));
    assert_eq!(calls.calls(), 4);
}

#[test]
fn young_runs_and_runs_at_work_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    run(&engine, models(1));
    let hour = Duration::from_secs(3600);
    assert_eq!(engine.gc(Keep { latest: None, younger_than: Some(hour) }).unwrap(), Removed::default());
    std::thread::sleep(OLD);
    let stop = Cancel::new();
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let mut build = Build::default();
            let slow = build.node(
                "slow",
                "sleep",
                Type::Int,
                &[("value", constant(1)), ("milliseconds", constant(10_000))],
            );
            engine.run(build.dag(&[("slow", slow)]), &options(), &stop).unwrap()
        });
        while !engine.runs().unwrap().iter().any(|run| run.status.name() == "running") {
            std::thread::sleep(Duration::from_millis(5));
        }
        let removed = open(folder.path()).gc(Keep { latest: Some(0), younger_than: None }).unwrap();
        // All that the one which has ended leaves is older than the one at work.
        assert_eq!((removed.runs.len(), removed.unanswered.len()), (1, 0));
        assert_eq!(removed.artifacts, 3);
        assert_eq!(engine.runs().unwrap().len(), 1);
        stop.cancel();
        working.join().unwrap();
    });
}

#[test]
fn files_that_nobody_speaks_of_stay_for_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let file = folder.path().join("artifacts/new-half");
    std::fs::write(&file, "half an artifact").unwrap();
    let orphan = folder.path().join("runs/1qe00000/n/1");
    std::fs::create_dir_all(&orphan).unwrap();
    std::fs::write(orphan.join("stdout"), "of a run that never was").unwrap();
    std::thread::sleep(OLD);
    assert_eq!(engine.gc(Keep::default()).unwrap().bytes, 23);
    assert!(file.exists() && !orphan.exists());
    let hours = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(hours).unwrap();
    assert_eq!(engine.gc(Keep::default()).unwrap().artifacts, 1);
    assert!(!file.exists());
}

/// `branches` pairs of a large model that is always in the cache and its length, which each run computes anew, so
/// that a run whose model has gone would say so; and a model of its own, which is of no use to others.
fn hits(branches: i64, salt: i64) -> Dag {
    let mut build = Build::default();
    let mut lengths = Vec::new();
    for branch in 0..branches {
        let model =
            build.node(&format!("m{branch}"), "model", some_model(), &[("size", constant(70_000 + branch))]);
        let inputs = [("model", model), ("salt", constant(salt))];
        lengths.push(build.node(&format!("l{branch}"), "length", Type::Int, &inputs));
    }
    let own = build.node("own", "model", some_model(), &[("size", constant(80_000 + salt))]);
    build.dag(&[("last", lengths.pop().unwrap()), ("own", own)])
}

/// Ends with the test, also when that fails.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Many short runs that live off the cache, while another process removes whatever it may, all the time.
#[test]
fn a_run_that_is_about_to_hit_the_cache_keeps_what_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let mut collector = Child(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_that_collects", "--ignored"])
            .env("FLOW_TEST_FOLDER", folder.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap(),
    );
    std::thread::scope(|scope| {
        let engine = &engine;
        for worker in 0..2 {
            scope.spawn(move || {
                let began = std::time::Instant::now();
                for salt in (0..).take_while(|_| began.elapsed() < Duration::from_secs(4)) {
                    let report = engine.run(hits(8, 2 * salt + worker), &options(), &Cancel::new()).unwrap();
                    assert_eq!(report.status.name(), "finished", "{:?}", report.failures);
                    // Its own runs are removed as soon as they have ended; one that is there is whole.
                    if let Ok((_, nodes)) = engine.show(&report.run) {
                        for (_, reference) in nodes.iter().flat_map(|node| &node.outputs) {
                            if engine.load(reference).is_err() {
                                assert!(
                                    engine.find_run(&report.run).is_err(),
                                    "{} lacks {reference:?}",
                                    report.run
                                );
                            }
                        }
                    }
                }
            });
        }
    });
    let said = std::fs::read_to_string(folder.path().join("stderr")).unwrap();
    assert!(collector.0.try_wait().unwrap().is_none(), "the one who removes has died: {said}");
    drop(collector);
    let told = std::fs::read_to_string(folder.path().join("collected")).unwrap();
    let artifacts: usize = told.lines().map(|line| line.parse::<usize>().unwrap()).sum();
    assert!(
        artifacts > 8,
        "it was at work meanwhile, {} times, and removed {artifacts}",
        told.lines().count()
    );
}

#[test]
#[ignore = "a part of the test above, in a process of its own"]
fn the_process_that_collects() {
    let folder = std::env::var("FLOW_TEST_FOLDER").unwrap();
    let folder = Path::new(&folder);
    let engine = open(folder);
    loop {
        let removed = engine.gc(Keep { latest: Some(0), younger_than: None }).unwrap();
        let mut file =
            std::fs::File::options().append(true).create(true).open(folder.join("collected")).unwrap();
        std::io::Write::write_all(&mut file, format!("{}\n", removed.artifacts).as_bytes()).unwrap();
    }
}

#[test]
fn the_file_of_an_input_is_no_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let file = folder.path().join("input.txt");
    std::fs::write(&file, "text").unwrap();
    let mut build = Build::default();
    let path = Input::Constant(Value::File(file.display().to_string()));
    let text = build.node("text", "read", Type::Text, &[("path", path)]);
    run(&engine, build.dag(&[("text", text)]));
    std::thread::sleep(OLD);
    engine.gc(Keep { latest: Some(0), younger_than: None }).unwrap();
    assert!(file.exists());
}
