//! What the planner may know of this machine: its operators, files and cache.

use std::path::PathBuf;

use flow_ir::{hash::Hash, key::Key, node::OperatorPlace};
use flow_plan::program::PlanFacts;
use flow_runtime::{
    operator::Registry,
    store::{FileStamp, SqliteStore, Store},
};
use flow_stdlib::StandardLibrary;

use crate::project::Folders;

/// Answers from the standard library, and from a project's state where there is one.
#[derive(Default)]
pub struct Facts {
    store: Option<SqliteStore>,
    root: PathBuf,
}

impl Facts {
    /// The operators alone.
    pub fn of_operators() -> Self {
        Self::default()
    }

    /// The operators, and what a project's state remembers. Makes no state where there is none.
    pub fn of_project(folders: &Folders) -> Self {
        let path = folders.state.join("store.sqlite");
        let store = if path.is_file() { SqliteStore::open(&path).ok() } else { None };
        Self { store, root: folders.root.clone() }
    }
}

impl PlanFacts for Facts {
    fn operator_version(&self, operator: &str) -> Option<u32> {
        StandardLibrary.find(operator).map(|native| native.version)
    }

    /// No body of the standard library computes on one yet.
    fn can_use_gpu(&self, _: &str) -> bool {
        false
    }

    fn file_hash(&self, path: &str) -> Option<Hash> {
        let path = self.root.join(path);
        let stamp = FileStamp::of(&path)?;
        self.store.as_ref()?.file(&path.to_string_lossy(), stamp).ok().flatten()
    }

    fn cached(&self, key: Key) -> Option<Vec<Hash>> {
        let outputs = self.store.as_ref()?.cached(&[key.0]).ok()?.pop()??;
        Some(outputs.into_iter().map(|output| output.hash).collect())
    }

    fn environment(&self, _: &OperatorPlace) -> Option<Hash> {
        None
    }
}
