//! A run belongs to the process that holds its lock; the operating system frees a dead process's.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

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
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(LockError::Held),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Ok(()) => {}
            }
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

fn path(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.lock"))
}
