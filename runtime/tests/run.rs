//! Whole runs: what comes out, what is told, and what is not done twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{sync::Arc, time::Duration};

use flow_ir::{node::Input, policy::OnFailure, types::Type, value::Value};
use flow_runtime::{
    act::Cancel,
    artifact::{Reference, Summary},
    decide::RunStatus,
    engine::{Engine, RunError, RunOptions, RunReport},
    task::Source,
};
use support::*;
use tempfile::TempDir;

struct Lab {
    folder: TempDir,
    registry: Arc<TestRegistry>,
    engine: Engine,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(TestRegistry::default());
        let engine = Engine::open(&folder.path().join(".flow"), registry.clone()).unwrap();
        Self { folder, registry, engine }
    }

    fn run(&self, build: Build, outputs: &[(&str, Input)]) -> RunReport {
        self.run_with(build, outputs, &RunOptions { jobs: 2, ..RunOptions::default() })
    }

    fn run_with(&self, build: Build, outputs: &[(&str, Input)], options: &RunOptions) -> RunReport {
        self.engine.run(build.dag(outputs), options, &Cancel::new()).unwrap()
    }
}

fn value(report: &RunReport, name: &str) -> Value {
    let (_, source) = report.outputs.iter().find(|(output, _)| output == name).unwrap();
    match source {
        Source::Artifact(Reference { summary: Summary::Value(Some(value)), .. }) => value.clone(),
        other => panic!("{other:?}"),
    }
}

/// range -> total -> add, and a model beside.
fn pipeline(batch: i64) -> (Build, Vec<(&'static str, Input)>) {
    let mut build = Build::default();
    let table =
        build.node("table", "range", numbers(), &[("rows", constant(100_000)), ("batch", constant(batch))]);
    let sum = build.node("sum", "total", Type::Int, &[("data", table.clone())]);
    let more = build.node("more", "add", Type::Int, &[("a", sum), ("b", constant(1))]);
    let model = build.node("model", "model", some_model(), &[("size", constant(10))]);
    (build, vec![("more", more), ("table", table), ("model", model)])
}

#[test]
fn a_dag_runs_to_its_outputs() {
    let lab = Lab::new();
    let (build, outputs) = pipeline(1000);
    let report = lab.run(build, &outputs);
    assert_eq!(report.status, RunStatus::Finished);
    assert_eq!(value(&report, "more"), Value::Int(4_999_950_001));
    let (_, Source::Artifact(table)) = &report.outputs[1] else { panic!() };
    assert_eq!(table.summary, Summary::Table { rows: 100_000, columns: 1 });
    assert!(lab.engine.artifacts().path(table.hash).exists());
}

#[test]
fn a_second_run_executes_nothing() {
    let lab = Lab::new();
    let (build, outputs) = pipeline(1000);
    let first = lab.run(build, &outputs);
    assert_eq!(lab.registry.calls(), 4);
    let (build, outputs) = pipeline(1000);
    let second = lab.run(build, &outputs);
    assert_eq!(lab.registry.calls(), 4);
    assert_eq!((second.counts.cached, second.counts.finished), (4, 4));
    assert_eq!(second.outputs, first.outputs);
    let (build, outputs) = pipeline(1000);
    let options = RunOptions { use_cache: false, ..RunOptions::default() };
    lab.run_with(build, &outputs, &options);
    assert_eq!(lab.registry.calls(), 8);
}

#[test]
fn the_cut_of_batches_and_the_number_of_jobs_leave_no_trace() {
    let outputs = [(1, 1000), (2, 1000), (4, 333)].map(|(jobs, batch)| {
        let lab = Lab::new();
        let (build, outputs) = pipeline(batch);
        lab.run_with(build, &outputs, &RunOptions { jobs, ..RunOptions::default() }).outputs
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[1], outputs[2]);
}

#[test]
fn transitions_are_told_in_order() {
    let lab = Lab::new();
    let ears = Arc::new(Ears::default());
    let mut build = Build::default();
    let a = build.node("a", "add", Type::Int, &[("x", constant(1))]);
    let b = build.node("b", "add", Type::Int, &[("x", a)]);
    lab.run_with(
        build,
        &[("b", b)],
        &RunOptions { subscribers: vec![ears.clone()], ..RunOptions::default() },
    );
    assert_eq!(
        ears.heard(),
        [
            "run.started",
            "ready a",
            "running a",
            "finishing a",
            "ready b",
            "finished a",
            "running b",
            "finishing b",
            "finished b",
            "run.finished"
        ]
    );
    let events = ears.0.lock().unwrap();
    let sequence: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(sequence, (1..=10).collect::<Vec<u64>>());
    let last = &events.last().unwrap().data;
    assert_eq!(last["status"], "finished");
    assert_eq!(last["outputs"]["b"], 1);
    assert_eq!(last["nodes"]["finished"], 2);
}

#[test]
fn a_failed_node_is_tried_again_and_then_given_up() {
    let lab = Lab::new();
    let mut build = Build::default();
    let inputs = [("value", constant(5)), ("times", constant(2))];
    let lucky = build.with("lucky", "fail", Type::Int, &inputs, |node| {
        node.policy.retry = 2;
        node.policy.backoff = 1_000;
    });
    let unlucky = build.with("unlucky", "fail", Type::Int, &inputs, |node| node.policy.retry = 0);
    let behind = build.node("behind", "add", Type::Int, &[("x", unlucky)]);
    let report = lab.run(build, &[("lucky", lucky), ("behind", behind)]);
    assert_eq!(report.status, RunStatus::Failed);
    assert_eq!(value(&report, "lucky"), Value::Int(5));
    assert_eq!((report.counts.failed, report.counts.cancelled, report.outputs.len()), (1, 1, 1));
    assert_eq!(report.failures[0].0, "unlucky");
    assert_eq!(report.failures[0].1.to_string(), "out of luck");
    assert_eq!(report.failures[0].1.help(), Some("try again"));
}

#[test]
fn consumers_continue_without_a_failed_node() {
    let lab = Lab::new();
    let mut build = Build::default();
    let gone = build.with("gone", "panic", Type::Int.optional(), &[], |node| {
        node.policy.on_failure = OnFailure::Continue;
    });
    let sum = build.node("sum", "add", Type::Int, &[("a", gone), ("b", constant(2))]);
    let report = lab.run(build, &[("sum", sum)]);
    assert_eq!((report.status, value(&report, "sum")), (RunStatus::Finished, Value::Int(2)));
    assert_eq!(report.failures[0].1.to_string(), "operator `panic` panicked: that was not to be");
}

#[test]
fn failures_and_nodes_without_cache_run_again() {
    let lab = Lab::new();
    let run = || {
        let mut build = Build::default();
        build.node("bad", "fail", Type::Int, &[("value", constant(1)), ("times", constant(9))]);
        build.with("uncached", "add", Type::Int, &[("x", constant(1))], |node| node.policy.cache = false);
        build.with("effect", "add", Type::Int, &[("x", constant(1))], |node| node.effect = true);
        lab.run(build, &[]);
        lab.registry.calls()
    };
    assert_eq!((run(), run()), (3, 6));
}

#[test]
fn an_output_of_the_wrong_type_is_refused() {
    let lab = Lab::new();
    let mut build = Build::default();
    build.node("wrong", "wrong", Type::Int, &[]);
    let report = lab.run(build, &[]);
    assert_eq!(
        report.failures[0].1.to_string(),
        "operator `wrong` gave for its output `value` what it must not: expected Int, found \"no number\""
    );
}

#[test]
fn an_operator_past_its_timeout_is_stopped() {
    let lab = Lab::new();
    let mut build = Build::default();
    build.with(
        "slow",
        "sleep",
        Type::Int,
        &[("value", constant(1)), ("milliseconds", constant(20_000))],
        |node| {
            node.policy.timeout = Some(30_000);
        },
    );
    let report = lab.run(build, &[]);
    assert_eq!(report.failures[0].1.to_string(), "took longer than its timeout of 0.03 s");
    assert!(report.elapsed < Duration::from_secs(5));
}

#[test]
fn a_changed_file_is_read_again() {
    let lab = Lab::new();
    let path = lab.folder.path().join("text");
    let read = || {
        let mut build = Build::default();
        let file = Input::Constant(Value::File(path.display().to_string()));
        let text = build.node("text", "read", Type::Text, &[("path", file)]);
        let report = lab.run(build, &[("text", text)]);
        (value(&report, "text"), lab.registry.calls())
    };
    std::fs::write(&path, "one").unwrap();
    assert_eq!(read(), ("one".into(), 1));
    assert_eq!(read(), ("one".into(), 1));
    std::fs::write(&path, "two").unwrap();
    assert_eq!(read(), ("two".into(), 2));
    std::fs::write(&path, "one").unwrap();
    assert_eq!(read(), ("one".into(), 2));
}

#[test]
fn a_corrupt_artifact_is_made_again() {
    // A file, and a content beside the events.
    for size in [100_000, 10] {
        let lab = Lab::new();
        let run = |more: i64| {
            let mut build = Build::default();
            let model = build.node("model", "model", some_model(), &[("size", constant(size))]);
            let both = build.node(
                "both",
                "both",
                Type::List(Box::new(some_model())),
                &[("a", model.clone()), ("b", model)],
            );
            let length = build.node(
                "length",
                "length",
                Type::Int,
                &[("model", both.clone()), ("more", constant(more))],
            );
            lab.run(build, &[("length", length), ("both", both)])
        };
        run(0);
        assert_eq!(lab.registry.calls(), 3);
        corrupt(lab.folder.path());
        let report = run(1);
        assert_eq!((report.status, value(&report, "length")), (RunStatus::Finished, Value::Int(2 * size)));
        // Both the model and the list of it had gone.
        assert_eq!(lab.registry.calls(), 3 + 3);
    }
}

#[test]
fn a_corrupt_output_is_forgotten_when_asked_for_and_made_again() {
    for size in [100_000, 10] {
        let lab = Lab::new();
        let run = || {
            let mut build = Build::default();
            let model = build.node("model", "model", some_model(), &[("size", constant(size))]);
            lab.run(build, &[("model", model)])
        };
        let report = run();
        let reference = lab.engine.artifact(&report.run, "model", None).unwrap();
        let bytes = lab.engine.bytes(&reference).unwrap();
        corrupt(lab.folder.path());
        let error = lab.engine.bytes(&reference).unwrap_err().to_string();
        assert!(error.ends_with("is corrupt: its bytes have changed"), "{error}");
        assert_eq!((run().counts.cached, lab.registry.calls()), (0, 2));
        assert_eq!(lab.engine.bytes(&reference).unwrap(), bytes);
    }
}

#[test]
fn a_run_without_the_cache_replaces_what_was_damaged() {
    for size in [100_000, 10] {
        let lab = Lab::new();
        let run = || {
            let mut build = Build::default();
            let model = build.node("model", "model", some_model(), &[("size", constant(size))]);
            let options = RunOptions { use_cache: false, ..RunOptions::default() };
            lab.engine.run(build.dag(&[("model", model)]), &options, &Cancel::new()).unwrap()
        };
        let report = run();
        let reference = lab.engine.artifact(&report.run, "model", None).unwrap();
        corrupt(lab.folder.path());
        run();
        lab.engine.bytes(&reference).unwrap();
    }
}

#[test]
fn an_output_that_cannot_be_stored_says_so() {
    let lab = Lab::new();
    std::fs::remove_dir_all(lab.folder.path().join(".flow/artifacts")).unwrap();
    let mut build = Build::default();
    let model = build.node("model", "model", some_model(), &[("size", constant(100_000))]);
    let report = lab.run(build, &[("model", model)]);
    let message = report.failures[0].1.to_string();
    assert!(message.starts_with("its output `value` cannot be stored: cannot write to"), "{message}");
}

/// Changes a byte in every artifact, without changing its size.
fn corrupt(folder: &std::path::Path) {
    let state = folder.join(".flow");
    for first in std::fs::read_dir(state.join("artifacts")).unwrap() {
        let first = first.unwrap().path();
        for file in std::fs::read_dir(first).unwrap() {
            let file = file.unwrap().path();
            let mut bytes = std::fs::read(&file).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let store = rusqlite::Connection::open(state.join("store.sqlite")).unwrap();
    store.execute("UPDATE content SET bytes = CAST(zeroblob(length(bytes)) AS BLOB)", []).unwrap();
}

#[test]
fn a_cancelled_run_stops_at_once() {
    let lab = Lab::new();
    let mut build = Build::default();
    let slow =
        build.node("slow", "sleep", Type::Int, &[("value", constant(1)), ("milliseconds", constant(20_000))]);
    build.node("behind", "add", Type::Int, &[("x", slow)]);
    let cancel = Cancel::new();
    let dag = build.dag(&[]);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        lab.engine.run(dag, &RunOptions::default(), &cancel).unwrap()
    });
    assert_eq!((report.status, report.counts.cancelled), (RunStatus::Cancelled, 2));
    assert!(report.elapsed < Duration::from_secs(5));
}

#[test]
fn what_cannot_run_is_refused_before_it_starts() {
    let lab = Lab::new();
    let refuse = |change: fn(&mut flow_ir::node::Node), op: &str| {
        let mut build = Build::default();
        build.with("it", op, Type::Int, &[("x", constant(1))], change);
        let options = RunOptions { jobs: 2, memory: 1 << 30, ..RunOptions::default() };
        let error: RunError = lab.engine.run(build.dag(&[]), &options, &Cancel::new()).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        refuse(|node| node.policy.cpu = 3, "add"),
        "node `it` needs 3 cores, and this run may use 2: lower its `cpu` or raise `--jobs`"
    );
    assert_eq!(
        refuse(|node| node.policy.memory = 3 << 29, "add"),
        "node `it` needs 1.5 GiB of memory, and this run may use 1 GiB: lower its `memory` or raise `--memory`"
    );
    assert_eq!(refuse(|_| {}, "nothing"), "node `it` calls `nothing`, which is no operator of this flowc");
    assert!(lab.engine.runs().unwrap().is_empty());
}

#[test]
fn past_runs_can_be_seen() {
    let lab = Lab::new();
    let mut build = Build::default();
    let a = build.node("a", "add", Type::Int, &[("x", constant(1))]);
    let bad = build.node("bad", "fail", Type::Int, &[("value", a.clone()), ("times", constant(9))]);
    build.node("behind", "add", Type::Int, &[("x", bad)]);
    let report = lab.run(build, &[("a", a)]);
    let runs = lab.engine.runs().unwrap();
    assert_eq!((runs.len(), runs[0].id.as_str(), runs[0].status.name()), (1, report.run.as_str(), "failed"));
    assert_eq!(runs[0].outputs["a"], 1);
    let (_, nodes) = lab.engine.show(&report.run[4..]).unwrap();
    let states: Vec<(&str, &str)> = nodes.iter().map(|node| (node.id.as_str(), node.state.name())).collect();
    assert_eq!(states, [("a", "finished"), ("bad", "failed"), ("behind", "cancelled")]);
    assert_eq!(
        (nodes[1].error.as_deref(), nodes[1].help.as_deref()),
        (Some("out of luck"), Some("try again"))
    );
    let reference = lab.engine.artifact(&report.run, "a", None).unwrap();
    assert_eq!(&*lab.engine.artifacts().bytes(&reference).unwrap(), b"1");
    let error = |node: &str, port| lab.engine.artifact(&report.run, node, port).unwrap_err().to_string();
    assert_eq!(error("a", Some("b")), "node `a` has no output `b`; it has value");
    assert_eq!(error("bad", None), "node `bad` has no outputs: it is failed");
    assert_eq!(error("c", None), format!("run {} has no node `c`", report.run));
    assert_eq!(lab.engine.find_run("zzz").unwrap_err().to_string(), "there is no run `zzz`");
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap());
    let path = folder.path().join("store.sqlite");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the store `{}` was written by a newer flowc (format 99; this one knows 3): update flowc",
            path.display()
        )
    );
    std::fs::write(&path, "no database, but long enough to look at, and for sqlite to have an opinion of")
        .unwrap();
    let error = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap_err();
    let damaged = format!("the store is damaged: `{}`: file is not a database", path.display());
    assert_eq!(error.to_string(), damaged);
}

#[test]
fn expressions_of_scalars_are_computed_and_cached() {
    use flow_ir::{
        expr::{Expr, ExprKind, Function},
        node::NodeKind,
    };
    let lab = Lab::new();
    let run = |by: i64| {
        let mut build = Build::default();
        let a = build.node("a", "add", Type::Int, &[("x", constant(6))]);
        let operand = |name: &str| Expr { kind: ExprKind::Parameter(name.into()), ty: Type::Int };
        let kind =
            ExprKind::Call { function: Function::Multiply, args: vec![operand("left"), operand("right")] };
        let product = build.with("product", "", Type::Int, &[("left", a), ("right", constant(by))], |node| {
            node.kind = NodeKind::Expression(Expr { kind, ty: Type::Int });
        });
        build.with("told", "add", Type::Int, &[("x", product.clone())], |node| node.effect = true);
        lab.run(build, &[("product", product)])
    };
    let first = run(7);
    assert_eq!((value(&first, "product"), first.counts.cached), (Value::Int(42), 0));
    let second = run(7);
    assert_eq!((value(&second, "product"), second.counts.cached), (Value::Int(42), 2));
    // The node, and twice the effect.
    assert_eq!(lab.registry.calls(), 3);
    let failed = run(i64::MAX);
    assert_eq!(failed.failures[0].1.to_string(), "`multiply` overflows: 6, 9223372036854775807");
    assert_eq!((failed.status, failed.counts.cancelled), (RunStatus::Failed, 1));
}

#[test]
fn the_path_that_took_longest_before_goes_first() {
    let lab = Lab::new();
    let log = lab.folder.path().join("log");
    // Three nodes that take no time, and two that do.
    let build = || {
        let mut build = Build::default();
        for path in [&["a", "b", "c"][..], &["slow", "slower"]] {
            let mut before = constant(1);
            for name in path {
                let inputs = [
                    ("log", Input::Constant(Value::Text(log.display().to_string()))),
                    ("name", Input::Constant(Value::Text((*name).into()))),
                    ("milliseconds", constant(if name.starts_with("slow") { 40 } else { 0 })),
                    ("in", before),
                ];
                before = build.with(name, "trace", Type::Int, &inputs, |node| node.policy.cache = false);
            }
        }
        build
    };
    let order = |options: &RunOptions| {
        let _ = std::fs::remove_file(&log);
        lab.run_with(build(), &[], options);
        let nodes = std::fs::read_to_string(&log).unwrap();
        nodes.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let options = RunOptions { jobs: 1, ..RunOptions::default() };
    assert_eq!(order(&options)[0], "a", "without a past the path of more nodes goes first");
    assert_eq!(order(&options)[0], "slow");
    // What the options say goes before what earlier runs say.
    let weights = [("a".to_owned(), 1_000_000)].into_iter().collect();
    assert_eq!(order(&RunOptions { weights, ..options })[0], "a");
}
