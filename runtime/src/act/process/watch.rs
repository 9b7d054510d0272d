//! Stays with a process until it and all that it started are gone.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitId, WaitIdOptions, test_kill_process_group, waitid},
};

use super::{
    capture::Capture,
    messages::Messages,
    proc::{self, Identity, Row},
    spawn::{Ended, Started, reap},
};
use crate::operator::{Context, Usage};

/// What a process says, and where.
#[derive(Debug)]
pub struct Streams {
    pub stdout: Capture,
    pub stderr: Capture,
    pub messages: Messages,
}

/// What became of a process.
#[derive(Debug)]
pub struct Watched {
    pub end: End,
    pub usage: Usage,
    /// Of its processes that outlived it.
    pub left_behind: usize,
    /// The last lines of each stream, and why they could not be kept.
    pub stdout: (Vec<String>, Option<io::Error>),
    pub stderr: (Vec<String>, Option<io::Error>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself; as `wait` has it.
    Ended(i32),
    /// It was asked to stop.
    Cancelled,
    /// It and its children used that many bytes, more than they may.
    Memory(u64),
}

/// Between asking a process to end and making it.
pub const GRACE: Duration = Duration::from_secs(3);
/// Between two looks at whether it shall stop.
const TURN: Duration = Duration::from_millis(25);
/// Between two looks at its memory: at first, and later.
const FIRST_SAMPLE: Duration = Duration::from_millis(20);
const SAMPLES: Duration = Duration::from_millis(100);

/// Processes that were started here and are not yet taken: their ends belong to whoever watches them.
static ROOTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Waits for the process's end, and gives what it writes on. `mark` is a variable in its environment, which all
/// that it starts inherit.
pub fn watch(
    process: &Started,
    mut streams: Streams,
    mark: &[u8],
    limit: u64,
    context: &dyn Context,
) -> io::Result<Watched> {
    let root = Root::new(process.pid);
    let mut tell = |line: &str| context.output(line);
    let mut buffer = vec![0; 64 << 10];
    let mut members = Members::default();
    let started = Instant::now();
    let mut next_sample = started + FIRST_SAMPLE;
    let mut end = None;
    let mut kill_at = None;
    loop {
        let is_over = {
            let wait = next_sample.saturating_duration_since(Instant::now()).min(TURN);
            wait_for(process, &streams, wait)?
        };
        streams.stdout.read(&mut buffer, &mut tell);
        streams.stderr.read(&mut buffer, &mut tell);
        streams.messages.read(&mut buffer, context);
        if is_over {
            break;
        }
        let now = Instant::now();
        if end.is_none() && context.is_cancelled() {
            members.look(process.pid, limit);
            proc::signal(process.pid, &members.others(process.pid), Signal::TERM);
            // One that is stopped hears of it when it goes on.
            proc::signal(process.pid, &[], Signal::CONT);
            (end, kill_at) = (Some(End::Cancelled), Some(now + GRACE));
        }
        if end.is_some() && context.is_hurried() {
            kill_at = kill_at.map(|at| at.min(now));
        }
        if now >= next_sample {
            next_sample = now + SAMPLES;
            let used = members.look(process.pid, limit);
            context.holds(used);
            if used > limit && end != Some(End::Cancelled) {
                end = Some(End::Memory(used));
                kill_at = Some(now);
            }
        }
        if kill_at.is_some_and(|at| now >= at) {
            members.look(process.pid, limit);
            proc::signal(process.pid, &members.others(process.pid), Signal::KILL);
            // Should one have been started just now, it is killed in the next turn.
            kill_at = Some(now + TURN);
        }
    }
    let ended = reap(process.pid)?;
    drop(root);
    let left_behind = members.kill_rest(process.pid, mark);
    // Nobody writes any more: what is in the pipes is all.
    for _ in 0..4 {
        streams.stdout.read(&mut buffer, &mut tell);
        streams.stderr.read(&mut buffer, &mut tell);
        streams.messages.read(&mut buffer, context);
    }
    if left_behind > 0 && end.is_none() {
        let (what, was) = if left_behind == 1 { ("process", "was") } else { ("processes", "were") };
        let note = format!("{left_behind} {what} outlived the operator, and {was} stopped");
        streams.stderr.note(&note, &mut tell);
    }
    Ok(Watched {
        end: end.unwrap_or(End::Ended(ended.status)),
        usage: usage(started.elapsed(), process, &ended, &members),
        left_behind,
        stdout: streams.stdout.finish(&mut tell),
        stderr: streams.stderr.finish(&mut tell),
    })
}

/// Returns when there is something to read or the time is over; whether the process has ended.
fn wait_for(process: &Started, streams: &Streams, time: Duration) -> io::Result<bool> {
    let mut polled = vec![PollFd::new(&process.ended, PollFlags::IN)];
    let pipes = [streams.stdout.pipe(), streams.stderr.pipe(), streams.messages.pipe()];
    polled.extend(pipes.into_iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
    let time = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    match poll(&mut polled, Some(&time)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    Ok(polled.first().is_some_and(|ended| !ended.revents().is_empty()))
}

fn usage(wall: Duration, process: &Started, ended: &Ended, members: &Members) -> Usage {
    let told = if ended.peak_memory > process.memory_before { ended.peak_memory } else { 0 };
    let peak = told.max(members.peak);
    Usage { wall, cpu: Some(ended.cpu), peak_memory: (peak > 0).then_some(peak) }
}

/// A process whose end is still to be taken.
struct Root(Pid);

impl Root {
    fn new(pid: Pid) -> Self {
        ROOTS.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
        Self(pid)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        ROOTS.lock().unwrap_or_else(PoisonError::into_inner).retain(|pid| *pid != self.0);
    }
}

/// A process and all that it was seen to have started.
#[derive(Default)]
struct Members {
    seen: HashSet<Identity>,
    /// Bytes that all of them had at once.
    peak: u64,
}

impl Members {
    /// Looks at the tree; gives the bytes that it has in memory.
    fn look(&mut self, root: Pid, limit: u64) -> u64 {
        let table = recent_table();
        let tree = proc::descendants(&table, |row| {
            row.identity.pid == root || row.group == root.as_raw_pid() || self.seen.contains(&row.identity)
        });
        let mut resident: u64 = tree.iter().map(|row| row.resident).sum();
        if tree.len() > 1 && resident > limit / 2 {
            // Processes that share memory each count all of it; to know their shares takes longer.
            let shares = tree.iter().map(|row| proc::proportional(row.identity.pid).unwrap_or(row.resident));
            resident = resident.min(shares.sum());
        }
        self.seen.extend(tree.iter().map(|row| row.identity));
        self.peak = self.peak.max(resident);
        resident
    }

    fn others(&self, root: Pid) -> Vec<Identity> {
        self.seen.iter().filter(|member| member.pid != root).copied().collect()
    }

    /// Kills whoever is left of a process that has ended; gives how many there were.
    fn kill_rest(&self, root: Pid, mark: &[u8]) -> usize {
        // The usual case costs two system calls: nobody is left in its group, and nobody lost its parent to us.
        let is_group_empty = test_kill_process_group(root).is_err();
        let has_children = !matches!(
            waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT),
            Err(rustix::io::Errno::CHILD)
        );
        if is_group_empty && !has_children && self.seen.iter().all(|member| member.pid == root) {
            return 0;
        }
        let own = rustix::process::getpid().as_raw_pid();
        proc::kill_all(|| {
            let roots = ROOTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let table = proc::table();
            proc::descendants(&table, |row| {
                let is_adopted = row.parent == own && !roots.contains(&row.identity.pid);
                row.group == root.as_raw_pid()
                    || (self.seen.contains(&row.identity) && row.identity.pid != root)
                    || (is_adopted && proc::is_marked(row.identity.pid, mark))
            })
        })
    }
}

/// The table of processes as it was a moment ago: many that watch share one look.
fn recent_table() -> Arc<Vec<Row>> {
    static TABLE: Mutex<Option<(Instant, Arc<Vec<Row>>)>> = Mutex::new(None);
    const RECENT: Duration = Duration::from_millis(15);
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*table {
        Some((at, rows)) if at.elapsed() < RECENT => rows.clone(),
        _ => {
            let rows = Arc::new(proc::table());
            *table = Some((Instant::now(), rows.clone()));
            rows
        }
    }
}
