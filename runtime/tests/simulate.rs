//! Runs in virtual time: the state machine of every run, with stubs for operators.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::time::{Duration, Instant};

use flow_ir::{
    dag::Dag,
    expr::{Expr, ExprKind, Function},
    node::NodeKind,
    policy::OnFailure,
    types::Type,
    value::Value,
};
use flow_runtime::{
    decide::RunStatus,
    operator::Datum,
    schedule::Machine,
    simulate::{Answer, Answers, Asked, Made, Outcome, SimulateOptions, simulate},
    store::Durations,
};
use support::*;

const SECOND: i64 = 1_000_000;

/// A second each, and otherwise as the closure says.
struct Told<F>(F);

impl<F: FnMut(&Asked<'_>) -> Option<Answer>> Answers for Told<F> {
    fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        (self.0)(asked).unwrap_or_else(|| Answer::simplest(asked.node, SECOND))
    }
}

fn options(cores: u32) -> SimulateOptions {
    let machine = Machine { cores, memory: 1 << 30, ..Machine::default() };
    SimulateOptions { machine, ..SimulateOptions::default() }
}

fn play(dag: Dag, cores: u32, answers: impl FnMut(&Asked<'_>) -> Option<Answer>) -> Outcome {
    simulate(dag, &options(cores), &mut Told(answers)).unwrap()
}

/// `a`, then `b0` to `b3`, then `c`.
fn diamond() -> Build {
    let mut build = Build::default();
    let a = build.node("a", "noop", Type::Int, &[("value", constant(1))]);
    let b: Vec<_> =
        (0..4).map(|at| build.node(&format!("b{at}"), "noop", Type::Int, &[("value", a.clone())])).collect();
    let inputs: Vec<_> = ["w", "x", "y", "z"].into_iter().zip(b).collect();
    build.node("c", "add", Type::Int, &inputs);
    build
}

#[test]
fn time_passes_as_cores_allow() {
    for (cores, seconds, memory) in [(1, 6, 1), (2, 4, 2), (4, 3, 4), (64, 3, 4)] {
        let outcome = play(diamond().dag(&[]), cores, |_| None);
        assert_eq!((outcome.status, outcome.elapsed), (RunStatus::Finished, Duration::from_secs(seconds)));
        assert_eq!((outcome.peak_cores, outcome.peak_memory), (cores.min(4), memory << 20));
    }
}

#[test]
fn retries_wait_and_failures_cancel() {
    let fails = |times: u32| {
        let mut build = diamond();
        build.nodes[1].policy.retry = 2;
        build.nodes[1].policy.backoff = 10 * SECOND;
        play(build.dag(&[]), 1, move |asked| {
            (asked.id == "b0" && asked.attempt <= times).then(|| Answer::failure(SECOND, "out of luck"))
        })
    };
    let mended = fails(2);
    assert_eq!(
        (mended.status, mended.attempts("b0"), mended.state("c")),
        (RunStatus::Finished, 3, "finished")
    );
    let failed = fails(3);
    assert_eq!(
        (failed.status, failed.attempts("b0"), failed.state("c")),
        (RunStatus::Failed, 3, "cancelled")
    );
    let because = |id: &str| failed.node(id).unwrap().because.clone().unwrap();
    assert_eq!((because("b0").as_str(), because("c").as_str()), ("out of luck", "b0"));
    assert_eq!(failed.order(), ["a", "b1", "b2", "b3", "b0"]);
}

#[test]
fn a_timeout_stops_what_takes_longer() {
    let mut build = diamond();
    build.nodes[2].policy.timeout = Some(3 * SECOND);
    build.nodes[2].policy.on_failure = OnFailure::BlockDependents;
    let outcome = play(build.dag(&[]), 8, |asked| {
        (asked.id == "b1").then(|| Answer::simplest(asked.node, 3600 * SECOND))
    });
    assert_eq!((outcome.status, outcome.elapsed), (RunStatus::Blocked, Duration::from_secs(4)));
    assert_eq!((outcome.state("b1"), outcome.state("c")), ("failed", "pending"));
}

#[test]
fn a_run_is_cancelled_when_it_is_told_to() {
    let options = SimulateOptions { cancel: Some(3 * SECOND / 2), ..options(2) };
    let outcome = simulate(diamond().dag(&[]), &options, &mut Told(|_: &Asked<'_>| None)).unwrap();
    assert_eq!((outcome.status, outcome.elapsed), (RunStatus::Cancelled, Duration::from_millis(1500)));
    assert_eq!(
        (outcome.state("a"), outcome.state("b0"), outcome.state("c")),
        ("finished", "cancelled", "cancelled")
    );
}

#[test]
fn scalars_that_are_given_are_computed_with() {
    let mut build = Build::default();
    let seven = build.node("seven", "noop", Type::Int, &[("value", constant(0))]);
    let operand = |name: &str| Expr { kind: ExprKind::Parameter(name.into()), ty: Type::Int };
    let kind = ExprKind::Call { function: Function::Multiply, args: vec![operand("x"), operand("x")] };
    build.with("square", "", Type::Int, &[("x", seven)], |node| {
        node.kind = NodeKind::Expression(Expr { kind, ty: Type::Int });
    });
    let gives = |value: i64| {
        play(build_clone(&build).dag(&[]), 1, move |_| {
            let made = vec![Made::Datum(Datum::Value(Value::Int(value)))];
            Some(Answer { after: 0, result: Ok(made) })
        })
    };
    assert_eq!(gives(7).state("square"), "finished");
    assert_eq!(gives(i64::MAX).state("square"), "failed", "an overflow");
}

fn build_clone(build: &Build) -> Build {
    Build { nodes: build.nodes.clone() }
}

#[test]
fn many_nodes_take_little_time() {
    let nodes = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    let mut build = Build::default();
    let mut before = vec![constant(1); 1];
    for layer in 0..100 {
        before = (0..nodes / 100)
            .map(|place| {
                let inputs = [("value", before[place % before.len()].clone()), ("index", constant(layer))];
                build.node(&format!("layer[{layer}].node[{place}]"), "noop", Type::Int, &inputs)
            })
            .collect();
    }
    let dag = build.dag(&[]);
    let started = Instant::now();
    let outcome = play(dag, 100, |_| None);
    let seconds = started.elapsed().as_secs_f64();
    println!("{nodes} nodes in {seconds:.3} s");
    assert_eq!((outcome.status, outcome.nodes.len()), (RunStatus::Finished, nodes));
    assert_eq!(outcome.elapsed.as_secs(), 100 * (nodes as u64 / 100).div_ceil(100));
    assert!(seconds < 2.0, "{seconds} s");
}

#[test]
fn what_runs_longer_than_its_past_allows_is_told_once() {
    let mut durations = Durations::default();
    for seconds in [20, 12] {
        durations.add("a", Duration::from_secs(seconds));
    }
    durations.add("b0", Duration::from_secs(1));
    let options = SimulateOptions { durations, ..options(4) };
    let minutes = |asked: &Asked<'_>| {
        Answer::simplest(asked.node, if asked.node.id == "c" { 25 } else { 200 } * SECOND)
    };
    let outcome =
        simulate(diamond().dag(&[]), &options, &mut Told(|asked: &Asked<'_>| Some(minutes(asked)))).unwrap();
    let stuck = |id: &str| outcome.node(id).unwrap().stuck.clone().map(|(time, why)| (time.as_secs(), why));
    let why = "has run for 60 s; the longest of its last 2 runs took 20 s";
    assert_eq!(stuck("a"), Some((60, why.to_owned())));
    assert_eq!(stuck("b0"), Some((230, "has run for 30 s; its earlier run took 1.0 s".to_owned())));
    // Without a past nothing is too long, and neither is what takes less than half a minute.
    assert_eq!((stuck("b1"), stuck("c")), (None, None));
    assert_eq!(outcome.elapsed, Duration::from_secs(425));
}

#[test]
fn what_comes_near_its_timeout_is_told_before() {
    let mut build = Build::default();
    build.node("slow", "noop", Type::Int, &[("value", constant(1))]);
    build.nodes[0].policy.timeout = Some(100 * SECOND);
    let outcome = play(build.dag(&[]), 1, |asked| Some(Answer::simplest(asked.node, 95 * SECOND)));
    let (time, why) = outcome.node("slow").unwrap().stuck.clone().unwrap();
    assert_eq!((time.as_secs(), &*why), (90, "has run for 90 s; its timeout is 100 s"));
    assert_eq!(outcome.state("slow"), "finished");
}
