//! Two implementations, one truth: what SQLite does with batches, owners and commands, the store of simulations does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use flow_ir::{hash::Hash, value::Value};
use flow_runtime::{
    artifact::{Reference, Summary},
    event::{Event, Kind},
    simulate::{Disk, Random, SimulatedStore},
    store::{
        Batch, CacheEntry, CommandKind, FileMemo, FileStamp, NewRun, NodeRow, RunRow, SqliteStore, Store,
    },
};
use serde_json::json;

const RUNS: [&str; 2] = ["a", "b"];
const NODES: [&str; 3] = ["load", "clean", "fit"];
const FILE: FileStamp = FileStamp { size: 1, modified: 2, inode: 3 };

/// What became of each batch, by its number; why one was refused may be said in other words.
type Heard = Arc<Mutex<Vec<(usize, Option<Vec<Event>>)>>>;

#[test]
fn both_stores_agree() {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    for seed in 0..25 {
        let path = folder.path().join(format!("{seed}.sqlite"));
        let disk = Disk::default();
        let sqlite: [SqliteStore; 2] = std::array::from_fn(|_| SqliteStore::open(&path).unwrap());
        let simulated = [0, 1].map(|_| SimulatedStore::new(disk.clone()));
        let mut random = Random::new(seed);
        let mut steps = Vec::new();
        // What each process takes its epoch and the last event of each run to be.
        let mut known = [[(1, 0); 2]; 2];
        let heard: [Heard; 2] = Default::default();
        let mut process = 0;
        for number in 0..40 {
            if random.percent(30) {
                // Whose turn it is has written all it has: what comes first is then the same in both.
                sqlite[process].flush().unwrap_or_default();
                simulated[process].commit(usize::MAX).tell();
                process = 1 - process;
            }
            let run = random.index(2);
            let pair: [&dyn Store; 2] = [&sqlite[process], &simulated[process]];
            match random.below(10) {
                0 => {
                    let claimed = pair.map(|store| store.claim(RUNS[run]));
                    steps.push(format!("{process} claims {}: {claimed:?}", RUNS[run]));
                    assert_eq!(claimed[0].is_ok(), claimed[1].is_ok(), "seed {seed}: {steps:#?}");
                    if let Ok(epoch) = claimed[0] {
                        assert_eq!(claimed[1], Ok(epoch), "seed {seed}: {steps:#?}");
                        let last = pair[0].events(RUNS[run]).unwrap().last().map_or(0, |event| event.seq);
                        known[process][run] = (epoch, last);
                    }
                }
                1 => {
                    let kind = if random.percent(50) {
                        CommandKind::Cancel
                    } else {
                        CommandKind::Signal { name: "go".to_owned() }
                    };
                    let given = pair.map(|store| store.command(RUNS[run], &kind).unwrap());
                    steps.push(format!("{process} commands {}: {kind:?} {given:?}", RUNS[run]));
                    assert_eq!(given[0], given[1], "seed {seed}: {steps:#?}");
                }
                _ => {
                    let (epoch, seq) = &mut known[process][run];
                    let mut batches =
                        [0, 1].map(|_| batch(&mut random.clone(), RUNS[run], *epoch, *seq, number));
                    let _ = random.bits();
                    *seq += batches[0].events.len() as u64;
                    steps.push(format!("{process} appends {:?}", batches[0]));
                    for ((batch, store), heard) in batches.iter_mut().zip(pair).zip(&heard) {
                        let heard = heard.clone();
                        batch.then =
                            Some(Box::new(move |fate| heard.lock().unwrap().push((number, fate.ok()))));
                        store.append(std::mem::take(batch));
                    }
                }
            }
            if random.percent(50) {
                sqlite[process].flush().unwrap_or_default();
                simulated[process].commit(usize::MAX).tell();
                let found = [seen(&sqlite[process]), seen(&simulated[process])];
                assert!(found[0] == found[1], "seed {seed}: {steps:#?}\n{:#?}\n{:#?}", found[0], found[1]);
                let mut heard = heard.each_ref().map(|heard| heard.lock().unwrap());
                heard.iter_mut().for_each(|heard| heard.sort_by_key(|(number, _)| *number));
                assert!(*heard[0] == *heard[1], "seed {seed}: {steps:#?}\n{:#?}\n{:#?}", heard[0], heard[1]);
            }
        }
    }
}

/// A batch of a run: what happens to some node, and what goes with it.
fn batch(random: &mut Random, run: &str, epoch: u32, seq: u64, number: usize) -> Batch {
    let kinds = [
        Kind::Ready,
        Kind::Running,
        Kind::Finishing,
        Kind::Finished,
        Kind::Cached,
        Kind::Retrying,
        Kind::Failed,
        Kind::Cancelled,
    ];
    let events = (1..=random.below(4)).map(|place| {
        let is_end = random.percent(5);
        let kind = if is_end { Kind::RunFinished } else { kinds[random.index(kinds.len())] };
        Event {
            run: run.into(),
            seq: seq + place,
            epoch,
            node: (!is_end).then(|| NODES[random.index(NODES.len())].into()),
            attempt: 1 + random.below(3) as u32,
            kind,
            time: number as i64,
            data: if random.percent(50) { json!({ "status": "finished", "n": place }) } else { json!(null) },
        }
    });
    let events: Vec<Event> = events.collect();
    let mut hash = || Hash::of(&[random.below(4) as u8]);
    let (content, key, output, lost) = (hash(), hash(), hash(), hash());
    let chance = random.below(8);
    Batch {
        run: (seq == 0).then(|| NewRun {
            id: run.into(),
            workflow: "flow".into(),
            dag: "{}".into(),
            nodes: 3,
            idempotency_key: (chance == 7).then(|| "once".to_owned()),
        }),
        contents: if chance & 1 == 0 { vec![(content, content.0.as_slice().into())] } else { Vec::new() },
        cache: match events.first() {
            Some(event) if chance & 2 == 0 => vec![CacheEntry {
                key,
                outputs: vec![Reference {
                    hash: output,
                    size: 1,
                    summary: Summary::Value(Some(Value::Int(1))),
                }],
                run: event.run.clone(),
                node: NODES[0].into(),
            }],
            _ => Vec::new(),
        },
        files: if chance == 5 {
            vec![FileMemo { path: "file".to_owned(), stamp: FILE, hash: content }]
        } else {
            Vec::new()
        },
        lost: if chance == 6 { vec![lost] } else { Vec::new() },
        taken: if chance == 3 { vec![random.below(4) as i64 + 1] } else { Vec::new() },
        of: Some((run.into(), epoch)),
        events,
        ..Batch::default()
    }
}

/// All that can be read.
#[derive(Debug, PartialEq)]
struct Seen {
    runs: Vec<RunRow>,
    nodes: Vec<Vec<NodeRow>>,
    events: Vec<Vec<Event>>,
    commands: Vec<Vec<(i64, CommandKind)>>,
    cached: Vec<Option<Vec<Reference>>>,
    contents: Vec<Option<Arc<[u8]>>>,
    file: Option<Hash>,
}

fn seen(store: &impl Store) -> Seen {
    let hashes: Vec<Hash> = (0..4).map(|byte: u8| Hash::of(&[byte])).collect();
    let mut runs = store.runs().unwrap();
    // Simulations have no process to name, and order states as they like.
    for run in &mut runs {
        run.owner = None;
        run.states.sort();
    }
    let nodes = RUNS.map(|run| {
        let mut nodes = store.nodes(run).unwrap();
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        nodes
    });
    let commands = RUNS.map(|run| {
        let commands = store.commands(run, 0).unwrap();
        commands.into_iter().map(|command| (command.id, command.kind)).collect()
    });
    Seen {
        runs,
        nodes: nodes.into(),
        events: RUNS.map(|run| store.events(run).unwrap()).into(),
        commands: commands.into(),
        cached: store.cached(&hashes).unwrap(),
        contents: hashes.iter().map(|hash| store.content(*hash).unwrap()).collect(),
        file: store.file("file", FILE).unwrap(),
    }
}
