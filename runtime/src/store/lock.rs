//! A run belongs to the process that holds its lock; the operating system frees a dead process's.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often, and after how long each time, a lock is tried again that only probes have hold of. A probe lasts some
/// microseconds; one of a stopped process must not hold everybody up.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// Held while a run is worked on.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    /// Locked until it is closed.
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another process is working on this run")]
    Held,
    #[error("cannot lock `{path}`: {error}")]
    Io { path: String, error: io::Error },
}

impl RunLock {
    /// For a run that is to begin: nobody else may have its id.
    pub fn create(folder: &Path, run: &str) -> Result<Self, LockError> {
        Self::open(folder, run, true)
    }

    /// For a run that exists.
    pub fn take(folder: &Path, run: &str) -> Result<Self, LockError> {
        Self::open(folder, run, false)
    }

    /// Whether somebody works on the run.
    pub fn is_held(folder: &Path, run: &str) -> bool {
        File::open(path(folder, run))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn open(folder: &Path, run: &str, new: bool) -> Result<Self, LockError> {
        let path = path(folder, run);
        let failed = |error: io::Error| LockError::Io { path: path.display().to_string(), error };
        fs::create_dir_all(folder).map_err(failed)?;
        loop {
            let mut options = File::options();
            let file = match options.write(true).create(true).create_new(new).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(LockError::Held),
                other => other.map_err(failed)?,
            };
            lock(&file).map_err(|error| match error {
                TryLockError::WouldBlock => LockError::Held,
                TryLockError::Error(error) => failed(error),
            })?;
            // Its last owner may have removed the file between our opening and locking it.
            let inode = file.metadata().map_err(failed)?.ino();
            if fs::metadata(&path).is_ok_and(|now| now.ino() == inode) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Still locked: who opens the file now finds that it has lost its name.
        let _ = fs::remove_file(&self.path);
    }
}

/// An owner's lock, which no owner and no probe has a part in. A probe ([`RunLock::is_held`]) shares the lock for an
/// instant, an owner never does: where it can be shared there is no owner, and it is tried again.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            other => return other,
        }
        file.try_lock_shared()?;
        // Else two that try would hold each other up.
        file.unlock().map_err(TryLockError::Error)?;
        thread::sleep(PAUSE);
    }
    Err(TryLockError::WouldBlock)
}

fn path(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.lock"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn probes_keep_nobody_from_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, is_over) = (folder.path(), AtomicBool::new(false));
        let probe = || {
            while !is_over.load(Ordering::Relaxed) {
                RunLock::is_held(folder, "run");
            }
        };
        let taken = thread::scope(|scope| {
            scope.spawn(probe);
            scope.spawn(probe);
            let take = |_| {
                // Its last owner has died.
                fs::write(folder.join("run.lock"), "").unwrap();
                RunLock::take(folder, "run").map(drop)
            };
            let taken: Result<Vec<()>, LockError> = (0..500).map(take).collect();
            is_over.store(true, Ordering::Relaxed);
            taken
        });
        assert_eq!(taken.unwrap().len(), 500);
    }

    #[test]
    fn a_run_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let owner = RunLock::create(folder.path(), "run").unwrap();
        assert!(RunLock::is_held(folder.path(), "run"));
        assert!(matches!(RunLock::take(folder.path(), "run"), Err(LockError::Held)));
        drop(owner);
        assert!(!RunLock::is_held(folder.path(), "run"));
        RunLock::take(folder.path(), "run").unwrap();
    }
}
