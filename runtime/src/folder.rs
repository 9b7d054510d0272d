//! Where the files of a run lie, in a project's state folder.
//!
//! ```text
//! runs/RUN.lock              held by the process that works on the run
//! runs/RUN/NODE/ATTEMPT/     stdout, stderr, log, and of a process call.json, process.json, exit.json, in/, out/, work/
//! runs/RUN/NODE/checkpoint/  lives across attempts and resumes, until the node has finished
//! ```
//!
//! `NODE` is the node's id, percent-encoded so that it is one name. Folders are made when something is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use flow_ir::hash::Hash;

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

/// The folder of a node of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFolder(PathBuf);

/// The folder of one attempt of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptFolder(PathBuf);

const CHECKPOINT: &str = "checkpoint";

/// The longest name that is an encoded id as it is; a longer one ends in the id's hash. File systems allow 255
/// bytes.
const LONGEST: usize = 200;

/// Where the locks of all runs are, and their folders.
pub fn runs(state: &Path) -> PathBuf {
    state.join("runs")
}

impl RunFolder {
    /// Of a run whose state lies in `state`, a project's `.flow`.
    pub fn new(state: &Path, run: &str) -> Self {
        Self(runs(state).join(run))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn node(&self, node: &str) -> NodeFolder {
        NodeFolder(self.0.join(encoded(node)))
    }

    /// Those of all nodes that have one.
    pub fn nodes(&self) -> io::Result<Vec<NodeFolder>> {
        Ok(entries(&self.0)?.into_iter().filter(|path| path.is_dir()).map(NodeFolder).collect())
    }
}

impl NodeFolder {
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn attempt(&self, attempt: u32) -> AttemptFolder {
        AttemptFolder(self.0.join(attempt.to_string()))
    }

    /// The attempts that have written something, in order.
    pub fn attempts(&self) -> io::Result<Vec<u32>> {
        let mut attempts: Vec<u32> = entries(&self.0)?
            .into_iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .collect();
        attempts.sort_unstable();
        Ok(attempts)
    }

    /// What an attempt leaves here its successors find.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join(CHECKPOINT)
    }
}

impl AttemptFolder {
    /// Outside of any run: for a task in a process of its own.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn stdout(&self) -> PathBuf {
        self.0.join("stdout")
    }

    pub fn stderr(&self) -> PathBuf {
        self.0.join("stderr")
    }

    /// Lines that the operator logged, each after its time.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The operator's process, from before it starts.
    pub fn process(&self) -> PathBuf {
        self.0.join("process.json")
    }

    /// How the operator's process ended, and what it used.
    pub fn exit(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    /// What the operator's process is called with.
    pub fn call(&self) -> PathBuf {
        self.0.join("call.json")
    }

    /// Where the operator's process says why it fails.
    pub fn error(&self) -> PathBuf {
        self.0.join("error.json")
    }

    /// See [`NodeFolder::checkpoint`].
    pub fn checkpoint(&self) -> PathBuf {
        self.0.with_file_name(CHECKPOINT)
    }

    /// The files of the operator's process's inputs.
    pub fn inputs(&self) -> PathBuf {
        self.0.join("in")
    }

    /// Where the operator's process writes what it gives.
    pub fn outputs(&self) -> PathBuf {
        self.0.join("out")
    }

    /// The operator's process's current folder.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The id as one name of a file.
fn encoded(id: &str) -> String {
    if id.is_empty() {
        return "%".to_owned();
    }
    let mut name = String::with_capacity(id.len());
    for (index, byte) in id.bytes().enumerate() {
        let is_plain =
            byte.is_ascii_alphanumeric() || b"_-[]#".contains(&byte) || (byte == b'.' && index > 0);
        if is_plain {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > LONGEST {
        let hash = Hash::of(id.as_bytes()).to_string();
        name.truncate(LONGEST);
        name.push('~');
        name.extend(hash.chars().take(16));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_name_and_no_two_ids_share_one() {
        let long = "n".repeat(500);
        let ids = [
            "model",
            "candidates[2].gbdt",
            "nightly/clean",
            "gbdt#2",
            "..",
            ".",
            "a%2Fb",
            "a/b",
            "größe",
            "",
        ];
        let mut names: Vec<String> =
            ids.iter().copied().chain([long.as_str(), &long[1..]]).map(encoded).collect();
        assert_eq!(names[..4], ["model", "candidates[2].gbdt", "nightly%2Fclean", "gbdt#2"]);
        for name in &names {
            assert!(
                !name.is_empty() && !name.contains('/') && !name.starts_with('.') && name.len() < 255,
                "{name}"
            );
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ids.len() + 2);
    }

    #[test]
    fn attempts_are_found_in_their_order() {
        let state = tempfile::tempdir().unwrap();
        let node = RunFolder::new(state.path(), "r1").node("a/b");
        assert_eq!(node.attempts().unwrap(), [0; 0]);
        for attempt in [10, 2, 1] {
            fs::create_dir_all(node.attempt(attempt).path()).unwrap();
        }
        fs::create_dir_all(node.checkpoint()).unwrap();
        assert_eq!(node.attempts().unwrap(), [1, 2, 10]);
        assert_eq!(RunFolder::new(state.path(), "r1").nodes().unwrap(), [node]);
    }
}
