//! What the planner may know of this machine: its operators, files and cache.

use std::path::PathBuf;

use flow_ir::hash::Hash;
use flow_plan::program::PlanFacts;
use flow_runtime::operator::Registry;
use flow_stdlib::StandardLibrary;

/// Answers from the standard library, and from a project's state where there is one.
#[derive(Debug, Default)]
pub struct Facts {
    cache: Option<flow_runtime::Cache>,
    root: PathBuf,
}

impl Facts {
    /// The operators alone.
    pub fn of_operators() -> Self {
        Self::default()
    }

    /// The operators, and what the state in a folder remembers. Makes no state where there is none.
    pub fn with_cache(folders: &crate::project::Folders) -> Self {
        Self { cache: flow_runtime::Cache::open(&folders.state).ok().flatten(), root: folders.root.clone() }
    }
}

impl PlanFacts for Facts {
    fn operator_version(&self, operator: &str) -> Option<u32> {
        StandardLibrary.find(operator).map(|native| native.version)
    }

    fn file_hash(&self, path: &str) -> Option<Hash> {
        self.cache.as_ref()?.file_hash(&self.root.join(path))
    }

    fn cached(&self, key: &Hash) -> Option<Vec<Hash>> {
        self.cache.as_ref()?.outputs(*key)
    }
}
