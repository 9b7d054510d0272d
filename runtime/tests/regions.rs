//! Runs with nodes that steer others: conditionals, maps, loops, sub-workflows, waits and signals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use flow_ir::value::Value;
use flow_runtime::{
    act::Cancel,
    artifact::{Reference, Summary},
    decide::RunStatus,
    engine::{Engine, RunOptions, RunReport, Signalled},
    event::Event,
    operator::Datum,
    task::Source,
};
use support::*;

struct Lab {
    _folder: tempfile::TempDir,
    registry: Arc<TestRegistry>,
    engine: Engine,
    ears: Arc<Ears>,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(TestRegistry::default());
        let engine = Engine::open(&folder.path().join(".flow"), registry.clone()).unwrap();
        Self { _folder: folder, registry, engine, ears: Arc::default() }
    }

    fn options(&self) -> RunOptions {
        RunOptions { jobs: 2, subscribers: vec![self.ears.clone()], ..RunOptions::default() }
    }

    fn run(&self, text: &str) -> RunReport {
        self.engine.run(dag(text), &self.options(), &Cancel::new()).unwrap()
    }

    /// How nodes ended, in order: `load`, `load failed`, `load skipped`.
    fn ends(&self) -> Vec<String> {
        let ends = |line: &String| {
            let (kind, node) = line.split_once(' ')?;
            match kind {
                "finished" | "cached" => Some(node.to_owned()),
                "failed" | "skipped" | "cancelled" => Some(format!("{node} {kind}")),
                _ => None,
            }
        };
        self.ears.heard().iter().filter_map(ends).collect()
    }

    fn event(&self, kind: &str, node: &str) -> Event {
        let events = self.ears.0.lock().unwrap();
        let is_it = |event: &&Event| event.kind.name() == kind && event.node.as_deref() == Some(node);
        events.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} of {node}")).clone()
    }
}

fn value(report: &RunReport, name: &str) -> Value {
    let (_, source) = report.outputs.iter().find(|(output, _)| output == name).unwrap();
    match source {
        Source::Artifact(Reference { summary: Summary::Value(Some(value)), .. }) => value.clone(),
        other => panic!("{other:?}"),
    }
}

fn ints(values: &[i64]) -> Value {
    Value::List(values.iter().map(|value| Value::Int(*value)).collect())
}

const CONDITIONAL: &str = "
param limit: Int = 3

first = noop(value: 5) -> Int
good = { let a = first; let b = $limit; a > b } -> Bool
chosen = run if(condition: good, first: first) -> (value: Int, twice: Int)
then(first: Int) {
    same = add(a: $first, b: 1) -> Int
    double = { let a = same; a + a } -> Int
    output value: Int = same
    output twice: Int = double
}
otherwise() {
    other = noop(value: 7) -> Int
    output value: Int = other
    output twice: Int = 0
}
last = add(a: chosen.value, b: chosen.twice) -> Int

output last: Int = last";

#[test]
fn a_conditional_runs_the_arm_that_its_condition_names() {
    for (limit, expected, ends) in [
        (3, 18, ["chosen/other skipped", "chosen/same", "chosen/double"]),
        (9, 7, ["chosen/same skipped", "chosen/double skipped", "chosen/other"]),
    ] {
        let lab = Lab::new();
        let report = lab.run(&CONDITIONAL.replace("= 3", &format!("= {limit}")));
        assert_eq!((report.status, value(&report, "last")), (RunStatus::Finished, Value::Int(expected)));
        assert_eq!(lab.ends()[2..5], ends);
        assert_eq!(lab.ends()[5..], ["chosen", "last"]);
    }
}

#[test]
fn a_node_has_one_key_in_a_region_and_outside() {
    let lab = Lab::new();
    lab.run("first = noop(value: 5) -> Int\nsame = add(a: first, b: 1) -> Int\noutput same: Int = same");
    assert_eq!(lab.registry.calls(), 2);
    let report = lab.run(CONDITIONAL);
    assert_eq!(report.status, RunStatus::Finished);
    lab.event("node.cached", "chosen/same");
    assert_eq!(lab.registry.calls(), 3, "`last` alone is new");
    lab.run(CONDITIONAL);
    assert_eq!(lab.registry.calls(), 3);
}

const MAP: &str = "
table = range(rows: 10, batch: 5) -> Dataset<{ x: Int }>
loads = run for(over: [1, 2, 3], table: table) max 3 -> (value: List<Int>, models: List<Opaque<\"test\">>)
body(day: Int, table: Dataset<{ x: Int }>) {
    load = fail(value: $day, times: 0) -> Int? with (on_failure: continue)
    total = total(data: $table) -> Int
    sum = add(a: load, b: total) -> Int
    model = model(size: sum) -> Opaque<\"test\">
    output value: Int = sum
    output models: Opaque<\"test\"> = model
}
size = length(model: loads.models) -> Int

output sums: List<Int> = loads.value
output size: Int = size";

#[test]
fn a_map_gives_the_lists_of_what_its_bodies_give() {
    let lab = Lab::new();
    let report = lab.run(MAP);
    assert_eq!(report.status, RunStatus::Finished, "{report:?}");
    assert_eq!(value(&report, "sums"), ints(&[46, 47, 48]));
    assert_eq!(value(&report, "size"), Value::Int(46 + 47 + 48));
    let (_, nodes) = lab.engine.show(&report.run).unwrap();
    assert!(nodes.iter().any(|node| node.id == "loads[2]/sum" && node.state.name() == "finished"));
    let sum = lab.engine.artifact(&report.run, "loads[2]/sum", None).unwrap();
    assert!(matches!(lab.engine.load(&sum).unwrap(), Datum::Value(Value::Int(48))));
}

#[test]
fn a_body_that_fails_under_continue_leaves_a_gap_and_nothing_more() {
    let lab = Lab::new();
    // The second element fails each of its attempts.
    let report = lab.run(
        "loads = run for(over: [0, 9, 0]) max 3 -> List<Int>
body(times: Int) {
    load = fail(value: 5, times: $times) -> Int? with (on_failure: continue)
    sum = add(a: load, b: 1) -> Int
    output value: Int = sum
}
output sums: List<Int> = loads",
    );
    assert_eq!(report.status, RunStatus::Finished);
    assert_eq!(value(&report, "sums"), ints(&[6, 1, 6]));
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].0, "loads[1]/load");
}

#[test]
fn a_body_that_fails_fails_the_map_when_the_others_are_done() {
    let lab = Lab::new();
    let report = lab.run(
        "loads = run for(over: [0, 9, 0]) max 3 -> List<Int>
body(times: Int) {
    load = fail(value: 5, times: $times) -> Int
    sum = add(a: load, b: $times) -> Int
    output value: Int = sum
}
last = length(model: loads) -> Int
output last: Int = last",
    );
    assert_eq!(report.status, RunStatus::Failed);
    let ends = lab.ends();
    for end in ["loads[0]/sum", "loads[2]/sum", "loads[1]/load failed", "loads[1]/sum cancelled"] {
        assert!(ends.iter().any(|found| found == end), "{end}: {ends:?}");
    }
    assert_eq!(ends[ends.len() - 2..], ["loads failed", "last cancelled"]);
    assert_eq!(lab.event("node.failed", "loads").data["message"], "`loads[1]/load` failed");
}

#[test]
fn a_list_that_is_longer_than_max_is_refused() {
    let lab = Lab::new();
    let report = lab.run(
        "loads = run for(over: [1, 2, 3]) max 2 -> List<Int>
body(day: Int) {
    load = noop(value: $day) -> Int
    output value: Int = load
}
output loads: List<Int> = loads",
    );
    assert_eq!((report.status, lab.registry.calls()), (RunStatus::Failed, 0));
    let message = &lab.event("node.failed", "loads").data["message"];
    assert_eq!(message, "its list has 3 elements, and at most 2 are allowed");
}

const LOOP: &str = "
start = noop(value: 1) -> Int
last = run while(from: start, limit: 20) max MAX -> Int
condition(s: Int, limit: Int) {
    small = { let s = $s; let l = $limit; s < l } -> Bool
    output value: Bool = small
}
body(s: Int) {
    double = add(a: $s, b: $s) -> Int
    output value: Int = double
}
output last: Int = last";

#[test]
fn a_loop_runs_as_long_as_its_condition_holds() {
    let lab = Lab::new();
    let report = lab.run(&LOOP.replace("MAX", "9"));
    assert_eq!((report.status, value(&report, "last")), (RunStatus::Finished, Value::Int(32)));
    assert_eq!(lab.event("node.finished", "last").data.get("ended_at_max"), None);
    assert!(lab.ends().contains(&"last[4]/double".to_owned()));
    let lab = Lab::new();
    let report = lab.run(&LOOP.replace("MAX", "3"));
    assert_eq!((report.status, value(&report, "last")), (RunStatus::Finished, Value::Int(8)));
    assert_eq!(lab.event("node.finished", "last").data["ended_at_max"], true);
}

#[test]
fn workflows_stand_within_each_other() {
    let lab = Lab::new();
    let report = lab.run(
        "outer = run workflow nightly.all(start: 3) -> (both: Int, list: List<Int>)
body(start: Int) {
    inner = run workflow nightly.one(value: $start) -> (rows: Int)
    body(value: Int) {
        sum = add(a: $value, b: 1) -> Int
        output rows: Int = sum
    }
    days = run for(over: [inner.rows, 10]) max 2 -> List<Int>
    body(day: Int) {
        load = noop(value: $day) -> Int
        output value: Int = load
    }
    both = run pass(a: inner.rows, b: days) -> (a: Int, b: List<Int>)
    output both: Int = both.a
    output list: List<Int> = both.b
}
output both: Int = outer.both
output list: List<Int> = outer.list",
    );
    assert_eq!(report.status, RunStatus::Finished, "{report:?}");
    assert_eq!((value(&report, "both"), value(&report, "list")), (Value::Int(4), ints(&[4, 10])));
    let ends = lab.ends();
    assert!(ends.contains(&"outer/inner/sum".to_owned()) && ends.contains(&"outer/days[1]/load".to_owned()));
    let (_, nodes) = lab.engine.show(&report.run).unwrap();
    let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    let inner = ["outer/inner", "outer/inner/sum", "outer/days", "outer/days[0]/load", "outer/days[1]/load"];
    assert_eq!(ids[0], "outer");
    assert_eq!(ids[1..6], inner);
}

#[test]
fn what_has_finished_in_a_region_does_not_run_again_with_it() {
    let lab = Lab::new();
    let report = lab.run(
        "outer = run workflow nightly.all() -> Int with (retry: 2, backoff: 1ms)
body() {
    first = noop(value: 1) -> Int effect
    second = fail(value: first, times: 2) -> Int
    output value: Int = second
}
output value: Int = outer",
    );
    assert_eq!((report.status, value(&report, "value")), (RunStatus::Finished, Value::Int(1)));
    assert_eq!(lab.registry.calls(), 4, "the effect is done once");
}

#[test]
fn a_failed_part_of_a_region_is_revived_in_place() {
    let lab = Lab::new();
    let text = "days = run for(over: [1, 2]) max 2 -> List<Int>
body(day: Int) {
    first = add(a: $day, b: 1) -> Int with (cache: off)
    second = fail(value: first, times: $day) -> Int with (cache: off)
    output value: Int = second
}
output days: List<Int> = days";
    let failed = lab.run(text);
    assert_eq!((failed.status, lab.registry.calls()), (RunStatus::Failed, 4));
    let retry = |calls, status| {
        let mut told = None;
        let mut hear = |revival: &flow_runtime::engine::Revival| told = Some(revival.clone());
        let report = lab.engine.retry(&failed.run, &lab.options(), &Cancel::new(), &mut hear).unwrap();
        assert_eq!((report.status, lab.registry.calls()), (status, calls));
        (report, told.unwrap())
    };
    let (_, revival) = retry(6, RunStatus::Failed);
    assert_eq!(revival.valid, 2);
    let again: Vec<&str> = revival.again.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(again, ["days", "days[0]/second", "days[1]/second"]);
    let (report, _) = retry(7, RunStatus::Finished);
    assert_eq!(value(&report, "days"), ints(&[2, 3]));
}

#[test]
fn a_wait_takes_its_time() {
    let lab = Lab::new();
    let began = Instant::now();
    let report = lab.run(
        "first = noop(value: 1) -> Int
late = run wait(value: first, duration: 150ms) -> Int
last = add(a: late, b: 1) -> Int
output last: Int = last",
    );
    assert_eq!(value(&report, "last"), Value::Int(2));
    assert!(began.elapsed() >= Duration::from_millis(150));
}

const APPROVAL: &str = "first = noop(value: 1) -> Int
approved = run wait_for(value: first, name: \"approved\", timeout: TIMEOUT) -> Int
last = add(a: approved, b: 1) -> Int
output last: Int = last";

/// Waits until a node of the one run is in a state, and gives the run's id.
fn wait_until(engine: &Engine, node: &str, state: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(run) = engine.runs().unwrap().first() {
            let (_, nodes) = engine.show(&run.id).unwrap();
            if nodes.iter().any(|found| found.id == node && found.state.name() == state) {
                return run.id.clone();
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{node} is never {state}");
}

#[test]
fn a_signal_from_elsewhere_lets_a_run_go_on() {
    let lab = Lab::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| lab.run(&APPROVAL.replace("TIMEOUT", "none")));
        let run = wait_until(&lab.engine, "approved", "running");
        let refused = lab.engine.signal(&run, "other").unwrap_err().to_string();
        assert_eq!(refused, format!("no node of run {run} waits for a signal `other`"));
        let (_, signalled) = lab.engine.signal(&run, "approved").unwrap();
        assert_eq!(signalled, Signalled::Heard);
        // It may have ended by now.
        if let Err(error) = lab.engine.signal(&run, "approved") {
            assert_eq!(error.to_string(), format!("run {run} has finished"));
        }
        let report = running.join().unwrap();
        assert_eq!((report.status, value(&report, "last")), (RunStatus::Finished, Value::Int(2)));
    });
    let signals = lab.ears.heard().iter().filter(|line| *line == "run.signalled").count();
    assert!((1..=2).contains(&signals), "each name is told once");
}

#[test]
fn a_signal_that_came_before_an_interruption_is_kept() {
    let lab = Lab::new();
    let text = "first = sleep(value: 1, milliseconds: 200) -> Int
approved = run wait_for(value: first, name: \"approved\") -> Int
output last: Int = approved";
    let cancel = Cancel::new();
    let report = std::thread::scope(|scope| {
        let running = scope.spawn(|| lab.engine.run(dag(text), &lab.options(), &cancel).unwrap());
        let run = wait_until(&lab.engine, "first", "running");
        lab.engine.signal(&run, "approved").unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !lab.ears.heard().contains(&"run.signalled".to_owned()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        cancel.cancel();
        running.join().unwrap()
    });
    assert_eq!(report.status, RunStatus::Cancelled);
    let resumed = lab.engine.retry(&report.run, &lab.options(), &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!((resumed.status, value(&resumed, "last")), (RunStatus::Finished, Value::Int(1)));
}

#[test]
fn a_signal_that_never_comes_times_out() {
    let lab = Lab::new();
    let report = lab.run(&APPROVAL.replace("TIMEOUT", "50ms"));
    assert_eq!(report.status, RunStatus::Failed);
    assert_eq!(lab.ends(), ["first", "approved failed", "last cancelled"]);
    assert_eq!(
        lab.event("node.failed", "approved").data["message"],
        "took longer than its timeout of 0.05 s"
    );
}

#[test]
fn a_node_that_takes_too_long_is_stopped_and_fails() {
    let lab = Lab::new();
    let began = Instant::now();
    let report = lab.run(
        "slow = sleep(value: 1, milliseconds: 20000) -> Int with (timeout: 50ms)
output slow: Int = slow",
    );
    assert_eq!(report.status, RunStatus::Failed);
    assert!(began.elapsed() < Duration::from_secs(10));
    let message = &lab.event("node.failed", "slow").data["message"];
    assert_eq!(message, "took longer than its timeout of 0.05 s");
}

#[test]
fn an_interrupted_run_goes_on_within_its_regions() {
    let lab = Lab::new();
    let text = "days = run for(over: [1, 2, 3, 4]) max 9 -> List<Int>
body(day: Int) {
    quick = add(a: $day, b: 1) -> Int with (cache: off)
    slow = sleep(value: quick, milliseconds: 60) -> Int with (cache: off)
    output value: Int = slow
}
output days: List<Int> = days";
    let cancel = Cancel::new();
    let stopped = std::thread::scope(|scope| {
        let running = scope.spawn(|| lab.engine.run(dag(text), &lab.options(), &cancel).unwrap());
        wait_until(&lab.engine, "days[0]/slow", "finished");
        cancel.cancel();
        running.join().unwrap()
    });
    assert_eq!(stopped.status, RunStatus::Cancelled);
    let finished = lab.ends().iter().filter(|end| end.ends_with("/quick") || end.ends_with("/slow")).count();
    let started = lab.registry.calls();
    let mut valid = 0;
    let mut hear = |revival: &flow_runtime::engine::Revival| valid = revival.valid;
    let resumed = lab.engine.retry(&stopped.run, &lab.options(), &Cancel::new(), &mut hear).unwrap();
    assert_eq!((resumed.status, value(&resumed, "days")), (RunStatus::Finished, ints(&[2, 3, 4, 5])));
    assert_eq!(valid, finished);
    assert_eq!(lab.registry.calls() - started, 8 - finished);
}

#[test]
fn the_state_of_a_loop_may_be_a_record_that_holds_a_model() {
    let lab = Lab::new();
    let report = lab.run(
        "first = model(size: 1) -> Opaque<\"test\">
last = run while(from: (model: first, size: 1)) max 9 -> (model: Opaque<\"test\">, size: Int)
condition(s: (model: Opaque<\"test\">, size: Int)) {
    size = { let s = $s; s.size } -> Int
    small = { let s = size; s < 5 } -> Bool
    output value: Bool = small
}
body(s: (model: Opaque<\"test\">, size: Int)) {
    model = { let s = $s; s.model } -> Opaque<\"test\">
    length = length(model: model) -> Int
    sum = add(a: length, b: 2) -> Int
    next = model(size: sum) -> Opaque<\"test\">
    output value: (model: Opaque<\"test\">, size: Int) = (model: next, size: sum)
}
size = length(model: last.model) -> Int
output size: Int = size
output counted: Int = last.size",
    );
    assert_eq!(report.status, RunStatus::Finished);
    assert_eq!((value(&report, "size"), value(&report, "counted")), (Value::Int(5), Value::Int(5)));
}
