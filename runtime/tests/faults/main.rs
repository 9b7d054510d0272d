//! Runs under injected faults: the driver's own loop, in virtual time, with processes that die and lose their
//! runs, disks that are full, and operators that misbehave.
//!
//! A seed stands for a [`plan`]; [`simulation`] plays it in a [`world`]; [`check`] says what must hold. A seed that
//! fails prints a line that plays it again, and the smallest plan that fails alike with its events:
//!
//! `FLOW_SEED=17 cargo test -p flow-runtime --test faults seeds -- --nocapture`
//!
//! `FLOW_SEEDS=100000` plays that many, in release best.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod build;
mod check;
mod describe;
mod operator;
mod plan;
mod region;
mod shrink;
mod simulation;
mod world;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use flow_runtime::event::Event;
use plan::Plan;
use simulation::play;

/// Kinds of mistakes of which the smallest plan is looked for.
const SHRUNK: usize = 3;

/// Events of the smallest plan that are printed.
const TOLD: usize = 300;

/// In memory where there is such a place: artifacts are synced.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn seeds() {
    let seeds = match (number("FLOW_SEED"), number("FLOW_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(1_000),
    };
    let folder = folder();
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut failed: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    let (mut happenings, mut processes) = (0, 0);
    let played = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut played = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return played;
                        }
                        played.push((seed, play(&Plan::new(seed), folder.path())));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    for (seed, outcome) in &played {
        happenings += outcome.happenings;
        processes += outcome.processes;
        *statuses.entry(outcome.status.clone()).or_default() += 1;
        if let Some(kind) = kind(&outcome.violations) {
            failed.entry(kind).or_default().push(*seed);
        }
    }
    println!("{} seeds, {happenings} happenings, {processes} processes, {statuses:?}", played.len());
    let mut text = String::new();
    for (place, (kind, seeds)) in failed.iter_mut().enumerate() {
        seeds.sort_unstable();
        // The first few say enough, and take their time.
        if place >= SHRUNK {
            text.push_str(&format!("\n{} seeds, first {}: {kind}", seeds.len(), seeds[0]));
            continue;
        }
        let (plan, violations) = shrink(Plan::new(seeds[0]), folder.path());
        println!("{plan}{}", story(&play(&plan, folder.path()).events));
        let (count, first) = (seeds.len(), &seeds[..seeds.len().min(10)]);
        text.push_str(&format!(
            "\n{count} seeds, first {first:?}:\n  {}\nFLOW_SEED={} cargo test -p flow-runtime --test faults seeds\n{plan}",
            violations.join("\n  "),
            seeds[0],
        ));
    }
    assert!(failed.is_empty(), "{text}");
}

/// What is wrong, whichever nodes and numbers it is about.
fn kind(violations: &[String]) -> Option<String> {
    violations.first().map(|text| text.chars().filter(|letter| !letter.is_ascii_digit()).collect())
}

/// The smallest plan found that fails alike, and how it does.
fn shrink(mut plan: Plan, folder: &Path) -> (Plan, Vec<String>) {
    let mut violations = play(&plan, folder).violations;
    let wanted = kind(&violations);
    loop {
        let smaller = plan.smaller().into_iter().find_map(|smaller| {
            let violations = play(&smaller, folder).violations;
            (kind(&violations) == wanted).then_some((smaller, violations))
        });
        match smaller {
            Some((smaller, found)) => (plan, violations) = (smaller, found),
            None => return (plan, violations),
        }
    }
}

/// The events, one a line, with the microseconds since the first.
fn story(events: &[Event]) -> String {
    let begun = events.first().map_or(0, |event| event.time);
    let line = |event: &Event| {
        let Event { seq, epoch, node, attempt, kind, time, data, .. } = event;
        let node = node.as_deref().unwrap_or("run");
        format!("{seq:4} {:9} µs  epoch {epoch}  {node}.{attempt} {} {data}\n", time - begun, kind.name())
    };
    events.iter().take(TOLD).map(line).collect()
}
