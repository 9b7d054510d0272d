//! Several runs on one machine, as several processes see it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use flow_runtime::schedule::{
    Amount, Machine, Need,
    ledger::{Joining, Lease, holders, join},
    lend::Lender,
    waiting::Who,
};

const GIB: u64 = 1 << 30;

fn machine() -> Machine {
    Machine { cores: 2, memory: 8 * GIB, gpus: Vec::new(), pools: [("db".into(), 1)].into() }
}

fn core() -> Need {
    Need { cores: 1, memory: GIB, ..Need::default() }
}

struct Run {
    lease: Lease,
    told: Receiver<()>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn join(folder: &Path, name: &str) -> Self {
        let (tell, told) = channel();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = said.clone();
        let joining = Joining {
            run: name.to_owned(),
            machine: machine(),
            limit: (2, 8 * GIB),
            scope: "/project".into(),
            notify: Box::new(move || {
                let _ = tell.send(());
            }),
            say: Box::new(move |line| lines.lock().unwrap().push(line)),
        };
        Self { lease: join(folder, joining).unwrap(), told, said }
    }

    /// Takes it as a run would: asks, and waits until it is told.
    fn take(&mut self, need: &Need, patience: Duration) -> Option<Amount> {
        let end = Instant::now() + patience;
        loop {
            let taken = self.lease.take(need).ok();
            self.lease.settle();
            if taken.is_some() {
                return taken;
            }
            self.told.recv_timeout(end.checked_duration_since(Instant::now())?).ok()?;
        }
    }

    fn give(&mut self, amount: &Amount) {
        self.lease.give(amount);
        self.lease.settle();
    }
}

const SOON: Duration = Duration::from_secs(10);
const NEVER: Duration = Duration::from_millis(150);

#[test]
fn who_is_alone_takes_all_at_once_and_gives_up_what_it_does_not_use() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ledger");
    let mut first = Run::join(folder, "first");
    let mine = first.lease.take(&core()).unwrap();
    first.lease.settle();
    let mut second = Run::join(folder, "second");
    let theirs = second.take(&core(), SOON).unwrap();
    assert!(second.take(&core(), NEVER).is_none(), "there are two cores");
    first.give(&mine);
    let more = second.take(&core(), SOON).unwrap();
    second.give(&theirs);
    second.give(&more);
    drop(second);
    assert_eq!(first.take(&Need { cores: 2, ..core() }, SOON).unwrap().cores, 2);
}

#[test]
fn a_pool_counts_all_runs_of_a_project() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ledger");
    let (mut first, mut second) = (Run::join(folder, "first"), Run::join(folder, "second"));
    let pooled = Need { pool: Some("db".into()), ..core() };
    let mine = first.take(&pooled, SOON).unwrap();
    assert!(second.take(&pooled, NEVER).is_none());
    // What needs no place in it is not kept waiting by what does.
    let _ = second.lease.take(&pooled);
    let other = second.take(&core(), SOON).unwrap();
    let told: Vec<(Who, u32)> = holders(folder, Path::new("/project"), &machine())
        .into_iter()
        .map(|holder| (holder.who, holder.amount.pool("db")))
        .collect();
    let run = |run: &str| Who::Run { run: run.to_owned(), process: std::process::id(), is_stopped: false };
    assert_eq!(told, [(run("first"), 1), (run("second"), 0)]);
    first.give(&mine);
    second.take(&pooled, SOON).unwrap();
    second.give(&other);
}

#[test]
fn a_folder_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let joining = Joining {
        run: String::new(),
        machine: machine(),
        limit: (2, GIB),
        scope: "/".into(),
        notify: Box::new(|| ()),
        say: Box::new(|_| ()),
    };
    assert!(join(&file.join("below"), joining).is_err());
}

/// Many runs, each with many tiny nodes, on two cores.
#[test]
fn runs_take_turns_and_never_more_than_there_is() {
    const RUNS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ledger");
    let (busy, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ends: Vec<Duration> = std::thread::scope(|scope| {
        let started = Instant::now();
        let runs: Vec<_> = (0..RUNS)
            .map(|index| {
                let (busy, most) = (&busy, &most);
                scope.spawn(move || {
                    let mut run = Run::join(folder, &format!("run{index}"));
                    for _ in 0..100 {
                        let amount = run.take(&core(), SOON).unwrap();
                        most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_micros(500));
                        busy.fetch_sub(1, Ordering::SeqCst);
                        run.give(&amount);
                    }
                    started.elapsed()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?} nodes ran at once");
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    println!("{RUNS} runs of 100 nodes of 0.5 ms: the first ended after {first:?}, the last after {last:?}");
    assert!(last.as_secs_f64() < 5.0, "handing over takes too long: {last:?}");
}

/// Many runs, each of which needs all cores for each of its nodes: whoever is lent them uses them, though others wait.
#[test]
fn runs_that_each_need_all_cores_go_around() {
    const RUNS: usize = 5;
    const TURNS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ledger");
    let order = Mutex::new(Vec::new());
    let all_joined = std::sync::Barrier::new(RUNS);
    std::thread::scope(|scope| {
        for index in 0..RUNS {
            let (order, all_joined) = (&order, &all_joined);
            scope.spawn(move || {
                let mut run = Run::join(folder, &format!("run{index}"));
                all_joined.wait();
                for _ in 0..TURNS {
                    let amount = run.take(&Need { cores: 2, ..core() }, SOON).unwrap();
                    order.lock().unwrap().push(index);
                    // Longer than it takes all others to ask.
                    std::thread::sleep(Duration::from_millis(10));
                    run.give(&amount);
                }
            });
        }
    });
    let order = order.into_inner().unwrap();
    assert_eq!(order.len(), RUNS * TURNS);
    for index in 0..RUNS {
        let turns: Vec<usize> =
            (0..).zip(&order).filter(|(_, run)| **run == index).map(|(at, _)| at).collect();
        let longest = turns.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest <= 4 * RUNS, "run {index} waited for {longest} turns of others: {order:?}");
    }
}

/// Both cores are never free at once by chance: they are kept for who needs both.
#[test]
fn who_needs_all_cores_gets_its_turn_beside_a_stream_of_small_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ledger");
    let is_over = AtomicUsize::new(0);
    let waits: Vec<Duration> = std::thread::scope(|scope| {
        for index in 0..3 {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut run = Run::join(folder, &format!("small{index}"));
                // Two at a time that overlap, where two are lent.
                let mut running: Vec<Amount> = Vec::new();
                while is_over.load(Ordering::SeqCst) == 0 {
                    while running.len() < 2
                        && let Ok(amount) = run.lease.take(&core())
                    {
                        running.push(amount);
                    }
                    run.lease.settle();
                    if running.is_empty() {
                        let _ = run.told.recv_timeout(Duration::from_millis(100));
                    } else {
                        std::thread::sleep(Duration::from_millis(7));
                        let ended = running.remove(0);
                        run.lease.give(&ended);
                    }
                }
            });
        }
        let mut wide = Run::join(folder, "wide");
        let waits = (0..5).map(|_| {
            let asked = Instant::now();
            let amount = wide.take(&Need { cores: 2, ..core() }, SOON);
            let waited = asked.elapsed();
            std::thread::sleep(Duration::from_millis(10));
            if let Some(amount) = amount {
                wide.give(&amount);
            }
            waited
        });
        let waits = waits.collect();
        is_over.store(1, Ordering::SeqCst);
        waits
    });
    println!("waited {waits:?}");
    assert!(waits.iter().all(|waited| waited.as_secs_f64() < 3.0), "{waits:?}");
}

/// Another process: this test's own binary, which joins and then does as it is told.
mod elsewhere {
    use std::process::{Child, Command, Stdio};

    use super::*;

    #[test]
    #[ignore = "what other tests start"]
    fn holder() {
        let Some(folder) = std::env::var_os("LEDGER_TO_HOLD") else { return };
        let mut run = Run::join(Path::new(&folder), "elsewhere");
        let _held = run.take(&Need { cores: 2, ..core() }, SOON).unwrap();
        std::fs::write(Path::new(&folder).join("held"), "").unwrap();
        std::thread::sleep(Duration::from_secs(30));
    }

    fn start(folder: &Path) -> Child {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "elsewhere::holder"])
            .env("LEDGER_TO_HOLD", folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !folder.join("held").exists() {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    #[test]
    fn what_a_killed_process_held_is_free_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("ledger");
        let mut holder = start(folder);
        let mut run = Run::join(folder, "here");
        assert!(run.take(&core(), NEVER).is_none());
        holder.kill().unwrap();
        let killed = Instant::now();
        assert!(run.take(&core(), SOON).is_some());
        println!("freed after {:?}", killed.elapsed());
        assert!(killed.elapsed() < Duration::from_millis(500), "{:?}", killed.elapsed());
        holder.wait().unwrap();
    }

    #[test]
    fn for_whom_one_waits_is_said_where_its_process_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("ledger");
        let mut holder = start(folder);
        let process = rustix::process::Pid::from_child(&holder);
        // Else it may be stopped with the ledger's lock in its hands, and that is what is said.
        std::thread::sleep(Duration::from_millis(200));
        rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
        let mut run = Run::join(folder, "here");
        assert!(run.take(&core(), Duration::from_secs(3)).is_none());
        let said = run.said.lock().unwrap().clone();
        let expected = format!(
            "waiting for 1 core, of which run elsewhere holds 2: its process {} is stopped",
            holder.id()
        );
        assert_eq!(said, [expected]);
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
}
