//! What the system tells of processes, in `/proc`.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};

/// A process, also when its number is given to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub pid: Pid,
    /// In ticks since the system started.
    pub started: u64,
}

/// A line of the table of processes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub identity: Identity,
    pub parent: i32,
    pub group: i32,
    pub is_zombie: bool,
    /// Bytes in memory.
    pub resident: u64,
}

/// Of one process; none where there is no such process.
pub fn row(pid: Pid) -> Option<Row> {
    read_row(pid.as_raw_pid())
}

/// All processes that can be seen.
pub fn table() -> Vec<Row> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(read_row).collect()
}

/// Those of which something holds, and all that descend from them.
pub fn descendants(table: &[Row], is_member: impl Fn(&Row) -> bool) -> Vec<Row> {
    let mut members: Vec<Row> = table.iter().filter(|row| is_member(row)).copied().collect();
    let mut next = 0;
    while let Some(parent) = members.get(next).map(|row| row.identity.pid.as_raw_pid()) {
        let is_known = |row: &Row| members.iter().any(|member| member.identity == row.identity);
        let children = table.iter().filter(|row| row.parent == parent && !is_known(row));
        let children: Vec<Row> = children.copied().collect();
        members.extend(children);
        next += 1;
    }
    members
}

/// Whether a process was started with this in its environment.
pub fn is_marked(pid: Pid, mark: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark)
}

/// The value of a variable that a process was started with.
pub fn variable(pid: Pid, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).ok()?;
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// Which start of the system this is: process numbers and start times count within one.
pub fn system() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Bytes that a process has to itself, and its share of what it has with others; slower than
/// [`Row::resident`], which counts that in full.
pub fn proportional(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_pid())).ok()?;
    let kibibytes: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kibibytes * 1024)
}

/// Kills processes, and waits until they are gone, for a second at most; what they start meanwhile is found by
/// `find`, which is asked again until it finds nobody. Gives how many there were.
pub fn kill_all(mut find: impl FnMut() -> Vec<Row>) -> usize {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut killed = Vec::new();
    loop {
        let found = find();
        let mut is_done = true;
        for row in found {
            let pid = row.identity.pid;
            if row.is_zombie {
                // Taken only where it is ours to take; its own parent takes it elsewhere.
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
                continue;
            }
            is_done = false;
            if !killed.contains(&row.identity) {
                killed.push(row.identity);
            }
            let _ = kill_process(pid, Signal::KILL);
        }
        if is_done || Instant::now() >= deadline {
            return killed.len();
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Sends a signal to a process group, and to each of `others`.
pub fn signal(group: Pid, others: &[Identity], with: Signal) {
    // Who is gone needs no signal.
    let _ = kill_process_group(group, with);
    for other in others {
        if row(other.pid).is_some_and(|row| row.identity == *other) {
            let _ = kill_process(other.pid, with);
        }
    }
}

fn read_row(pid: i32) -> Option<Row> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_row(&String::from_utf8_lossy(&text))
}

/// `4711 (a (strange) name) S 1 4711 …`: fields are counted from the last parenthesis, since a name may have any.
fn parse_row(text: &str) -> Option<Row> {
    let (head, tail) = text.rsplit_once(')')?;
    let pid: i32 = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let identity = Identity { pid: Pid::from_raw(pid)?, started: number(19)? };
    Some(Row {
        identity,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        resident: number(21)?.saturating_mul(rustix::param::page_size() as u64),
    })
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::*;

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let text =
            "4711 (a) S (b) c) Z 12 4711 4711 0 -1 4194560 112 0 0 0 0 0 0 0 20 0 1 0 16 9216 25 18446 1 1";
        let row = parse_row(text).unwrap();
        assert_eq!((row.identity.pid.as_raw_pid(), row.identity.started), (4711, 16));
        assert_eq!((row.parent, row.group, row.is_zombie), (12, 4711, true));
        assert_eq!(row.resident, 25 * rustix::param::page_size() as u64);
        for end in 0..text.len() {
            parse_row(&text[..end]);
        }
    }

    #[test]
    fn this_process_is_in_the_table_with_its_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let tree = descendants(&table(), |row| row.identity.pid == getpid());
        let pids: Vec<i32> = tree.iter().map(|row| row.identity.pid.as_raw_pid()).collect();
        assert!(
            pids.contains(&getpid().as_raw_pid()) && pids.contains(&child.id().cast_signed()),
            "{pids:?}"
        );
        assert!(tree.iter().all(|row| row.identity.started > 0));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
