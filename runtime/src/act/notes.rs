//! What an attempt leaves beside its outputs: log lines, numbers, files, and what its processes used.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    event::timestamp,
    folder::{AttemptFolder, NodeFolder},
    operator::Usage,
};

/// Of one attempt. Nothing is written, and no folder made, before something is said.
#[derive(Debug)]
pub struct Notes {
    places: Option<(NodeFolder, AttemptFolder)>,
    checkpoint: OnceLock<Option<PathBuf>>,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    log: Option<File>,
    /// Bytes of the log.
    written: u64,
    metrics: Vec<(String, f64)>,
    usage: Option<Usage>,
}

/// A log is no place for data: what comes after that many bytes is left out.
const LONGEST_LOG: u64 = 64 << 20;

impl Notes {
    pub fn new(node: NodeFolder, attempt: u32) -> Self {
        let folder = node.attempt(attempt);
        Self { places: Some((node, folder)), checkpoint: OnceLock::new(), said: Mutex::default() }
    }

    /// Numbers are kept, files are not.
    pub fn none() -> Self {
        Self { places: None, checkpoint: OnceLock::new(), said: Mutex::default() }
    }

    /// Adds a line to the log. One that cannot be written is lost: it is no reason to fail.
    pub fn log(&self, line: &str) {
        let Some((_, folder)) = &self.places else { return };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.written > LONGEST_LOG {
            return;
        }
        if said.log.is_none() {
            let made = fs::create_dir_all(folder.path()).and_then(|()| File::create(folder.log()));
            said.log = made.ok();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = timestamp(i64::try_from(now.as_micros()).unwrap_or_default());
        let mut text = format!("{now} {line}\n");
        said.written += text.len() as u64;
        if said.written > LONGEST_LOG {
            text = format!("{now} the log is full: what follows is not kept\n");
        }
        if let Some(file) = &mut said.log {
            let _ = file.write_all(text.as_bytes());
        }
    }

    pub fn metric(&self, name: &str, value: f64) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.metrics.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => said.metrics.push((name.to_owned(), value)),
        }
    }

    pub fn used(&self, usage: Usage) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let known = said.usage.unwrap_or_default();
        said.usage = Some(Usage {
            wall: known.wall.max(usage.wall),
            cpu: known.cpu.into_iter().chain(usage.cpu).reduce(|one, other| one + other),
            peak_memory: known.peak_memory.max(usage.peak_memory),
        });
    }

    pub fn folder(&self) -> Option<&AttemptFolder> {
        self.places.as_ref().map(|(_, folder)| folder)
    }

    /// Made when it is asked for.
    pub fn checkpoint(&self) -> Option<&Path> {
        let made = self.checkpoint.get_or_init(|| {
            let (node, _) = self.places.as_ref()?;
            let folder = node.checkpoint();
            fs::create_dir_all(&folder).ok().map(|()| folder)
        });
        made.as_deref()
    }

    /// The numbers that were told, and what processes used.
    pub fn take(&self) -> (Vec<(String, f64)>, Option<Usage>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut said.metrics), said.usage.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::RunFolder;

    #[test]
    fn nothing_is_made_before_something_is_said() {
        let state = tempfile::tempdir().unwrap();
        let run = RunFolder::new(state.path(), "r1");
        let notes = Notes::new(run.node("a/b"), 3);
        notes.metric("loss", 2.0);
        notes.metric("loss", 1.0);
        assert!(!run.path().exists());
        notes.log("one");
        notes.log("two");
        let log = fs::read_to_string(run.node("a/b").attempt(3).log()).unwrap();
        let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["one", "two"]);
        assert!(notes.checkpoint().unwrap().is_dir());
        assert_eq!(notes.take(), (vec![("loss".to_owned(), 1.0)], None));
    }
}
