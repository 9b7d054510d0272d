//! Removes runs that are not kept, and what no run needs any more.
//!
//! Others may be at work meanwhile, so that it goes in this order: runs that are not kept go, and with them what the
//! cache knows of results that no kept run has. From then on nobody finds these in the cache; but a run may have
//! found one just before, and not have said so yet. So every run that is at work is asked to say all that it has
//! found, and only what no run needs after that is removed. What a run has written itself and not said yet is
//! younger than the run, and left alone.

use std::{
    fs::{self, DirEntry, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_ir::hash::Hash;
use rustc_hash::FxHashSet;

use super::{Engine, RunError};
use crate::{
    artifact::{Artifacts, Reference, Summary},
    folder::RunFolder,
    store::{Collector, CommandKind, LockError, RunLock, RunRow, StoreError},
};

/// Which runs to keep. A run that is at work is kept anyhow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// The latest so many; all where neither is said.
    pub latest: Option<usize>,
    /// Those that began less long ago.
    pub younger_than: Option<Duration>,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The latest first.
    pub runs: Vec<String>,
    /// Results that the cache had.
    pub cached: usize,
    /// Artifacts, small and large.
    pub artifacts: usize,
    /// Of the artifacts, and of the runs' own files.
    pub bytes: u64,
    /// Runs at work that did not answer, so that no artifacts were removed.
    pub unanswered: Vec<String>,
}

/// How long a run may take to say what it has found.
const PATIENCE: Duration = Duration::from_secs(5);

/// What nobody speaks of may belong to a process without a run for so long: it writes it, then hands it on.
const ORPHANED: Duration = Duration::from_secs(3600);

/// The clocks of files are coarser than others: they go on every 10 ms at least.
const MARGIN: Duration = Duration::from_millis(100);

impl Engine {
    /// What [`Engine::gc`] would remove now.
    pub fn gc_dry_run(&self, keep: Keep) -> Result<Removed, RunError> {
        let limit = self.oldest_at_work()?;
        let runs: Vec<String> = self.unkept(keep)?.into_iter().map(|row| row.id).collect();
        let mut collector = Collector::open(&self.store_file())?;
        let without: FxHashSet<String> = runs.iter().cloned().collect();
        let (unneeded, used) =
            collector.look(&without, micros(limit), &|list| elements(&self.artifacts, list))?;
        let mut removed = Removed { runs, cached: unneeded.cached, ..Removed::default() };
        removed.add(unneeded.contents, unneeded.bytes);
        for folder in self.run_folders(&removed.runs)? {
            removed.bytes += size(&folder);
        }
        self.each_unneeded_file(&used, limit, &mut |_, file| {
            removed.add(1, file.len());
            Ok(())
        })?;
        Ok(removed)
    }

    /// Removes runs that are not kept, and what no run needs.
    ///
    /// # Errors
    /// When the store or the disk fails, and when another process does the same.
    pub fn gc(&self, keep: Keep) -> Result<Removed, RunError> {
        let _lock = RunLock::take(&self.locks(), GC).map_err(|error| match error {
            LockError::Held => RunError::Removing,
            error => error.into(),
        })?;
        let mut removed = Removed::default();
        match self.remove(keep, &mut removed) {
            // To forget what is no longer needed takes room too.
            Err(RunError::Store(StoreError::Full { .. })) if self.at_work()?.is_empty() => {
                self.make_room(keep, &mut removed)?;
                self.remove(keep, &mut removed)?;
            }
            result => result?,
        }
        Ok(removed)
    }

    fn remove(&self, keep: Keep, removed: &mut Removed) -> Result<(), RunError> {
        let limit = self.oldest_at_work()?;
        let mut collector = Collector::open(&self.store_file())?;
        for row in self.unkept(keep)? {
            // Somebody may just have resumed it.
            if let Ok(_lock) = RunLock::take(&self.locks(), &row.id) {
                // Its files first: where the disk is full, the store has room by that.
                let folder = self.run_folder(&row.id);
                removed.bytes += size(&folder);
                remove_all(&folder)?;
                collector.remove_run(&row.id)?;
                removed.runs.push(row.id);
            }
        }
        removed.cached += collector.forget()?;
        for folder in self.run_folders(&removed.runs)? {
            removed.bytes += size(&folder);
            remove_all(&folder)?;
        }
        removed.unanswered = self.barrier()?;
        if removed.unanswered.is_empty() {
            let (unneeded, used) = collector.sweep(micros(limit), &|list| elements(&self.artifacts, list))?;
            removed.add(unneeded.contents, unneeded.bytes);
            self.each_unneeded_file(&used, limit, &mut |path, file| {
                if remove_older(path, limit)? {
                    removed.add(1, file.len());
                }
                Ok(())
            })?;
            collector.shrink();
        }
        Ok(())
    }

    /// Removes the files of artifacts that no kept run needs, before the store says so: whoever looks for one in the
    /// cache meanwhile finds that it is gone. For a disk that is full, and when no run is at work.
    fn make_room(&self, keep: Keep, removed: &mut Removed) -> Result<(), RunError> {
        let limit = self.oldest_at_work()?;
        let without: FxHashSet<String> = self.unkept(keep)?.into_iter().map(|row| row.id).collect();
        let mut collector = Collector::open(&self.store_file())?;
        let (_, used) = collector.look(&without, micros(limit), &|list| elements(&self.artifacts, list))?;
        self.each_unneeded_file(&used, limit, &mut |path, file| {
            fs::remove_file(path)?;
            removed.add(1, file.len());
            Ok(())
        })
    }

    /// The runs that may go, the latest first.
    fn unkept(&self, keep: Keep) -> Result<Vec<RunRow>, RunError> {
        if keep.latest.is_none() && keep.younger_than.is_none() {
            return Ok(Vec::new());
        }
        let since =
            keep.younger_than.map(|age| micros(SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH)));
        let rows = self.store.runs()?.into_iter().skip(keep.latest.unwrap_or(0));
        let is_old = |row: &RunRow| since.is_none_or(|since| row.started < since);
        Ok(rows.filter(|row| is_old(row) && !RunLock::is_held(&self.locks(), &row.id)).collect())
    }

    /// Nothing that is younger than this is removed: all runs at work have begun after it.
    fn oldest_at_work(&self) -> Result<SystemTime, RunError> {
        let mut limit = SystemTime::now();
        for run in self.at_work()? {
            let lock =
                fs::metadata(self.locks().join(format!("{run}.lock"))).and_then(|lock| lock.modified());
            // It has ended in this moment.
            let Ok(began) = lock else { continue };
            limit = limit.min(began);
        }
        Ok(limit.checked_sub(MARGIN).unwrap_or(UNIX_EPOCH))
    }

    /// The runs that some process works on.
    fn at_work(&self) -> Result<Vec<String>, RunError> {
        let mut runs = Vec::new();
        for entry in entries(&self.locks()).map_err(|error| cannot(&self.locks(), error))? {
            let name = entry.file_name();
            if let Some(run) = name.to_str().and_then(|name| name.strip_suffix(".lock"))
                && run != GC
                && RunLock::is_held(&self.locks(), run)
            {
                runs.push(run.to_owned());
            }
        }
        Ok(runs)
    }

    /// Returns when every run at work has said what it has found in the cache; the runs that have not.
    fn barrier(&self) -> Result<Vec<String>, RunError> {
        let mut open = Vec::new();
        for run in self.at_work()? {
            open.push((self.store.command(&run, &CommandKind::Barrier)?, run));
        }
        let deadline = Instant::now() + PATIENCE;
        while !open.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
            let mut still = Vec::new();
            for (command, run) in open {
                let is_open = self.store.commands(&run, command - 1)?.iter().any(|found| found.id == command);
                if is_open && RunLock::is_held(&self.locks(), &run) {
                    still.push((command, run));
                }
            }
            open = still;
        }
        Ok(open.into_iter().map(|(_, run)| run).collect())
    }

    /// The folders of these runs, and of runs that never came to be.
    fn run_folders(&self, removed: &[String]) -> Result<Vec<RunFolder>, RunError> {
        let mut folders = Vec::new();
        for entry in entries(&self.locks()).map_err(|error| cannot(&self.locks(), error))? {
            let name = entry.file_name();
            let (Some(run), true) = (name.to_str(), entry.path().is_dir()) else { continue };
            let is_unknown =
                || Ok::<_, RunError>(self.store.run(run)?.is_none() && !RunLock::is_held(&self.locks(), run));
            if removed.iter().any(|removed| removed == run) || is_unknown()? {
                folders.push(RunFolder::new(&self.folder, run));
            }
        }
        Ok(folders)
    }

    /// Visits the files of artifacts that are none of the `used` and older than `limit`.
    fn each_unneeded_file(
        &self,
        used: &FxHashSet<Hash>,
        limit: SystemTime,
        visit: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>,
    ) -> Result<(), RunError> {
        let folder = self.artifacts.folder();
        let orphaned = limit.min(SystemTime::now().checked_sub(ORPHANED).unwrap_or(UNIX_EPOCH));
        let mut look = || {
            for entry in entries(folder)? {
                let (path, name) = (entry.path(), entry.file_name());
                if !path.is_dir() {
                    // What has gone meanwhile is no longer our business.
                    let Ok(file) = entry.metadata() else { continue };
                    if file.modified()? < orphaned {
                        visit(&path, &file)?;
                    }
                    continue;
                }
                for entry in entries(&path)? {
                    let hash = format!("{}{}", name.to_string_lossy(), entry.file_name().to_string_lossy());
                    let Ok(file) = entry.metadata() else { continue };
                    let is_used = Hash::from_hex(&hash).is_some_and(|hash| used.contains(&hash));
                    if !is_used && file.modified()? < limit {
                        visit(&entry.path(), &file)?;
                    }
                }
            }
            Ok(())
        };
        look().map_err(|error: io::Error| cannot(folder, error))
    }
}

impl Removed {
    fn add(&mut self, artifacts: usize, bytes: u64) {
        self.artifacts += artifacts;
        self.bytes += bytes;
    }
}

/// Where a run's lock would be, for the one who removes runs. Ids of runs are longer.
const GC: &str = "gc";

/// The contents of a list's elements, however deep.
fn elements(artifacts: &Artifacts, reference: &Reference) -> Result<Vec<Hash>, StoreError> {
    let mut found = Vec::new();
    let mut open = vec![reference.clone()];
    while let Some(list) = open.pop() {
        if !matches!(list.summary, Summary::List { .. }) {
            continue;
        }
        let elements = match artifacts.elements(&list) {
            // Computed again before it is read.
            Err(error) if error.is_lost() => continue,
            elements => elements.map_err(|error| StoreError::Read { reason: error.to_string() })?,
        };
        found.extend(elements.iter().map(|element| element.hash));
        open.extend(elements);
    }
    Ok(found)
}

/// Removes a file unless it has been written anew by now. Whoever looks for it in this moment computes it again.
fn remove_older(path: &Path, limit: SystemTime) -> io::Result<bool> {
    let aside = path.with_extension("removed");
    fs::rename(path, &aside)?;
    let file = File::open(&aside)?.metadata()?;
    if file.modified()? < limit {
        fs::remove_file(&aside)?;
        return Ok(true);
    }
    fs::rename(&aside, path)?;
    Ok(false)
}

fn remove_all(folder: &RunFolder) -> Result<(), RunError> {
    match fs::remove_dir_all(folder.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(folder.path(), error)),
        _ => Ok(()),
    }
}

fn cannot(path: &Path, error: io::Error) -> RunError {
    RunError::Remove { path: path.display().to_string(), reason: error.to_string() }
}

/// Bytes of all files in it.
fn size(folder: &RunFolder) -> u64 {
    fn of(path: &Path) -> u64 {
        let entries = entries(path).unwrap_or_default().into_iter();
        let each = entries.map(|entry| match entry.metadata() {
            Ok(file) if file.is_dir() => of(&entry.path()),
            // What an artifact is too takes no room of its own.
            Ok(file) if file.nlink() > 1 => 0,
            Ok(file) => file.len(),
            Err(_) => 0,
        });
        each.sum()
    }
    of(folder.path())
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Since 1970.
fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
