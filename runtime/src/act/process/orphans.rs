//! Processes that outlived a flowc which was killed: found, and killed before their nodes run again.

use std::{fs, io, path::Path};

use rustix::process::Pid;
use serde_json::Value as Json;

use super::{
    operator::MARK,
    proc::{self, Row},
};
use crate::folder::RunFolder;

/// Kills all processes of a run, which nobody works on any more; gives how many there were.
///
/// They are known by the run's folder in their environment, and by the number and start time of those that were
/// started directly, should one have cleared its environment.
pub fn kill_orphans(run: &RunFolder) -> io::Result<usize> {
    if !run.path().exists() {
        return Ok(0);
    }
    let recorded = recorded(run)?;
    // The folder is in the environment as it was called then, which another path may lead to now.
    let folders = [run.path().to_owned(), run.path().canonicalize()?];
    let is_member = |row: &Row| {
        recorded.contains(&(row.identity.pid, row.identity.started))
            || proc::variable(row.identity.pid, MARK)
                .is_some_and(|folder| folders.iter().any(|run| Path::new(&folder).starts_with(run)))
    };
    let mut groups = Vec::new();
    Ok(proc::kill_all(|| {
        let table = proc::table();
        let found = proc::descendants(&table, |row| is_member(row) || groups.contains(&row.group));
        // Their groups too: theirs alone, since each process starts as the leader of one.
        groups.extend(found.iter().filter(|row| is_leader(row)).map(|row| row.group));
        found
    }))
}

fn is_leader(row: &Row) -> bool {
    row.group == row.identity.pid.as_raw_pid()
}

/// The processes whose end no flowc has seen.
fn recorded(run: &RunFolder) -> io::Result<Vec<(Pid, u64)>> {
    let mut recorded = Vec::new();
    for node in run.nodes()? {
        for attempt in node.attempts()? {
            let folder = node.attempt(attempt);
            if folder.exit().exists() {
                continue;
            }
            let Ok(bytes) = fs::read(folder.process()) else { continue };
            let Ok(json) = serde_json::from_slice::<Json>(&bytes) else { continue };
            let number = |name| json.get(name).and_then(Json::as_i64);
            // Numbers and ticks begin anew with the system.
            if json.get("system").and_then(Json::as_str) == proc::system().as_deref()
                && let (Some(pid), Some(started)) = (number("pid"), number("started"))
                && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
            {
                recorded.push((pid, started.unsigned_abs()));
            }
        }
    }
    Ok(recorded)
}
