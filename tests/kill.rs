//! `flowc` is killed at random moments of a run and resumed: what comes out is what an undisturbed run gives,
//! and no node that had finished ran again.
//!
//! `FLOW_KILLS` says how many kills (20), `FLOW_SEED` when they come. A failure prints the seed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;

const WORKFLOW: &str = r#"
use std.data
use std.debug
use std.metrics
use std.tree

schema Flower {
    sepal_length: Float from "sepal length (cm)",
    sepal_width:  Float from "sepal width (cm)",
    petal_length: Float from "petal length (cm)",
    petal_width:  Float from "petal width (cm)",
    species:      Label<Category> from "target",
}

/// Gives its number on, in a process of its own.
operator outside(number: Int) -> Int
    = command ["sh", "-c", "sleep 0.02; printf %s \"$1\" > \"$2\"", "outside", number, out.value]

workflow kills(flowers: Dataset<Flower> = data.csv("iris.csv")) -> (
    models: List<Classifier>,
    reports: List<ClassificationReport>,
    numbers: List<Int>,
    processes: List<Int>,
    chain: Int,
) {
    let (train, test) = flowers.derive(area: .petal_length * .petal_width).split(70%, seed: 1)
    let models = for depth in [2, 3, 4, 5] { tree.gbdt(train, trees: 40, depth: depth, min_rows: 5) }
    let reports = for model in models { metrics.classification(model, test) }
    let numbers = for number in 0..200 { debug.noop(number) }
    let processes = for number in 0..6 { outside(number) }
    let first = debug.sleep(1, time: 20ms)
    let second = debug.sleep(first, time: 20ms)
    let third = outside(second)
    (models, reports, numbers, processes, chain: debug.sleep(third, time: 20ms))
}
"#;

#[test]
fn a_killed_run_resumes_to_the_same_outputs() {
    let kills: u32 = number("FLOW_KILLS").unwrap_or(20) as u32;
    let seed = number("FLOW_SEED").unwrap_or(20_261_121);
    let undisturbed = Project::new();
    let begin = Instant::now();
    assert!(undisturbed.start(&["run", "kills.flow"]).wait().unwrap().success());
    let whole = begin.elapsed();
    let expected = undisturbed.outputs();

    let mut random = Random(seed);
    let mut left = kills;
    let (mut rounds, mut interrupted) = (0, 0);
    while left > 0 {
        rounds += 1;
        let project = Project::new();
        let mut words: &[&str] = &["run", "kills.flow"];
        let times = left.min(1 + random.below(4) as u32);
        for _ in 0..times {
            let mut child = project.start(words);
            std::thread::sleep(whole.mul_f64(random.below(1_000) as f64 / 1_000.0));
            let hits = child.try_wait().unwrap().is_none();
            child.kill().unwrap();
            child.wait().unwrap();
            left -= u32::from(hits);
            if !hits {
                break;
            }
            if project.is_started() {
                words = &["resume", "last"];
            }
        }
        if !project.is_finished() {
            interrupted += 1;
            let mut child = project.start(words);
            let end = Instant::now() + Duration::from_secs(120);
            while child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < end, "FLOW_SEED={seed}: round {rounds} does not end");
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(child.wait().unwrap().success(), "FLOW_SEED={seed}: round {rounds} fails");
        }
        assert_eq!(project.outputs(), expected, "FLOW_SEED={seed}: round {rounds} gives something else");
        project.assert_nothing_ran_twice(&format!("FLOW_SEED={seed}, round {rounds}"));
    }
    eprintln!("{kills} kills in {rounds} runs, {interrupted} of them resumed to their end");
    assert!(interrupted > 0, "no kill hit a run");
}

struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kills.flow"), WORKFLOW).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iris/iris.csv");
        fs::copy(data, folder.path().join("iris.csv")).unwrap();
        Self(folder)
    }

    fn start(&self, words: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_flowc"))
            .args(words)
            .arg("--quiet")
            .current_dir(self.0.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn store(&self) -> Option<Connection> {
        let path: PathBuf = self.0.path().join(".flow/store.sqlite");
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()
    }

    fn is_started(&self) -> bool {
        let count =
            |store: Connection| store.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).ok();
        self.store().and_then(count).is_some_and(|runs: u32| runs > 0)
    }

    fn is_finished(&self) -> bool {
        let finished = |store: Connection| {
            store.query_row("SELECT count(*) FROM run WHERE status = 'finished'", [], |row| row.get(0)).ok()
        };
        self.store().and_then(finished).is_some_and(|runs: u32| runs > 0)
    }

    /// What the run's last event says of its outputs: values, and hashes of the rest.
    fn outputs(&self) -> Json {
        let store = self.store().unwrap();
        let data: String = store.query_row("SELECT data FROM run", [], |row| row.get(0)).unwrap();
        let end: Json = serde_json::from_str(&data).unwrap();
        assert_eq!(end["status"], "finished");
        end["outputs"].clone()
    }

    fn assert_nothing_ran_twice(&self, round: &str) {
        let store = self.store().unwrap();
        let mut events =
            store.prepare("SELECT node, kind FROM event WHERE node NOT NULL ORDER BY seq").unwrap();
        let events = events.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut finished = HashSet::new();
        for event in events {
            let (node, kind): (String, String) = event.unwrap();
            match kind.as_str() {
                "node.finished" | "node.cached" => assert!(finished.insert(node), "{round}: finished twice"),
                "node.running" => assert!(!finished.contains(&node), "{round}: {node} ran again"),
                _ => {}
            }
        }
    }
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
