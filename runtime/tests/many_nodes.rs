//! What a node costs, all in, with the durable store on. In release: 20,000 nodes, and the figures printed by
//! `cargo test --release -p flow-runtime --test many_nodes -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use flow_ir::types::Type;
use flow_runtime::{
    act::Cancel,
    decide::RunStatus,
    engine::{Engine, RunOptions},
};
use support::*;

const NODES: usize = if cfg!(debug_assertions) { 5_000 } else { 20_000 };

/// Seconds a node: five times what is promised of a release build, and what a debug build takes, so that only what is
/// very wrong fails on a busy machine. The counts are the test; `tests/perf/engine` holds the promise.
const LIMIT: f64 = if cfg!(debug_assertions) { 400e-6 } else { 250e-6 };

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
    let _alone = ALONE.lock();
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
        assert!(closed < 500.0);
    }
}

/// What a run costs besides time, with half as much again for slack. Allocations are those of the whole process, so
/// the tests here take turns.
#[test]
fn a_small_node_writes_and_allocates_little() {
    let _alone = ALONE.lock();
    for (shape, build) in [("fan-out", fan_out as fn() -> Build), ("chain", chain), ("100 layers", layers)] {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
        let dag = build().dag(&[]);
        let options = RunOptions { jobs: 2, ..RunOptions::default() };
        let (allocated, started) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
        let report = engine.run(dag, &options, &Cancel::new()).unwrap();
        let (seconds, nodes) = (started.elapsed().as_secs_f64(), NODES as f64);
        let allocations = (ALLOCATIONS.load(Ordering::Relaxed) - allocated) as f64 / nodes;
        let Written { commits, bytes } = written(folder.path());
        let bytes = bytes as f64 / nodes;
        println!(
            "{shape}: {NODES} nodes, {commits} commits in {seconds:.3} s; a node {bytes:.0} bytes, {allocations:.0} allocations"
        );
        let rows = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
        let count = |table| -> i64 {
            rows.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!(report.status, RunStatus::Finished);
        // Ready, running, finishing, finished; and the run's beginning and end.
        assert_eq!(count("event"), 4 * NODES as i64 + 2);
        assert_eq!((count("node"), count("cache")), (NODES as i64, NODES as i64));
        assert_eq!(count("content"), 0, "values stand in their events");
        // A commit syncs once: one every 25 ms, and one for so many events.
        assert!(commits as f64 <= 8.0 + seconds / 0.025 + 4.0 * nodes / 4096.0, "{shape}: {commits} commits");
        // What each commit begins and leaves half full is written again by the next.
        let again = commits as f64 * 150_000.0 / nodes;
        assert!(bytes <= 2_000.0 + again, "{shape}: {bytes} bytes a node");
        assert!(allocations <= 150.0, "{shape}: {allocations} allocations a node");
    }
}

struct Written {
    commits: usize,
    bytes: usize,
}

/// What the write-ahead log has, as long as nothing of it was folded into the file: a frame a page, of which those
/// that end a commit say how large the file is then.
fn written(state: &Path) -> Written {
    let log = std::fs::read(state.join("store.sqlite-wal")).unwrap();
    let (header, page) = (32, 4096);
    let frames = log[header..].chunks_exact(24 + page);
    let commits = frames.filter(|frame| frame[4..8] != [0; 4]).count();
    Written { commits, bytes: log.len() }
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator cannot be had without it; this one only counts")]
// SAFETY: passes everything on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as promised to this.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as promised to this.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as promised to this.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[test]
fn many_small_nodes_are_cheap() {
    let _alone = ALONE.lock();
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
            assert!(seconds / (NODES as f64) < LIMIT, "{shape}: {seconds} s");
        }
    }
}
