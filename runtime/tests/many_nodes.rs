//! What a node costs, all in, with the durable store on. In release: 20,000 nodes, and the figures printed by
//! `cargo test --release -p flow-runtime --test many_nodes -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{sync::Arc, time::Instant};

use flow_ir::types::Type;
use flow_runtime::{
    act::Cancel,
    decide::RunStatus,
    engine::{Engine, RunOptions},
};
use support::*;

const NODES: usize = if cfg!(debug_assertions) { 1_000 } else { 20_000 };

/// For the whole of a shape, in seconds. Debug builds and busy machines are slow; this finds what is
/// quadratic, not what is a little slower.
const LIMIT: f64 = 4.0;

fn fan_out() -> Build {
    let mut build = Build::default();
    let root = build.node("root", "noop", Type::Int, &[("value", constant(1))]);
    for index in 1..NODES {
        let inputs = [("value", root.clone()), ("index", constant(index as i64))];
        build.node(&format!("leaf[{index}]"), "noop", Type::Int, &inputs);
    }
    build
}

fn chain() -> Build {
    let mut build = Build::default();
    let mut before = constant(1);
    for index in 0..NODES {
        let inputs = [("value", before), ("index", constant(index as i64))];
        before = build.node(&format!("link[{index}]"), "noop", Type::Int, &inputs);
    }
    build
}

fn layers() -> Build {
    let mut build = Build::default();
    let mut before = vec![constant(1)];
    for layer in 0..100 {
        before = (0..NODES / 100)
            .map(|place| {
                let inputs = [
                    ("value", before[place % before.len()].clone()),
                    ("other", before[place * 7 % before.len()].clone()),
                    ("index", constant((layer * NODES + place) as i64)),
                ];
                build.node(&format!("layer[{layer}].node[{place}]"), "noop", Type::Int, &inputs)
            })
            .collect();
    }
    build
}

#[test]
fn a_small_cached_run_is_quick() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let started = Instant::now();
        let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
        let opened = started.elapsed();
        let mut build = Build::default();
        let mut before = constant(1);
        for index in 0..10 {
            before = build.node(&format!("n{index}"), "noop", Type::Int, &[("value", before)]);
        }
        engine.run(build.dag(&[("last", before)]), &RunOptions::default(), &Cancel::new()).unwrap();
        let ran = started.elapsed();
        drop(engine);
        (opened.as_secs_f64() * 1e3, ran.as_secs_f64() * 1e3, started.elapsed().as_secs_f64() * 1e3)
    };
    for round in ["first", "cached", "cached"] {
        let (opened, ran, closed) = run();
        println!(
            "10 nodes, {round}: store open after {opened:.1} ms, run ended after {ran:.1} ms, closed after {closed:.1} ms"
        );
        assert!(closed < LIMIT * 1e3);
    }
}

#[test]
fn many_small_nodes_are_cheap() {
    for (shape, build) in [("fan-out", fan_out as fn() -> Build), ("chain", chain), ("100 layers", layers)] {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(TestRegistry::default());
        let engine = Engine::open(folder.path(), registry.clone()).unwrap();
        let options = RunOptions { jobs: 2, ..RunOptions::default() };
        for (round, calls) in [("first", NODES), ("cached", NODES)] {
            let dag = build().dag(&[]);
            let started = Instant::now();
            let report = engine.run(dag, &options, &Cancel::new()).unwrap();
            let seconds = started.elapsed().as_secs_f64();
            println!(
                "{shape}, {round}: {NODES} nodes in {seconds:.3} s, {:.1} µs a node",
                seconds / NODES as f64 * 1e6
            );
            assert_eq!(report.status, RunStatus::Finished);
            assert_eq!(registry.calls(), calls);
            assert!(seconds < LIMIT, "{shape}: {seconds} s");
        }
    }
}
