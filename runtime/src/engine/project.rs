//! A project's state, opened.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    act::process::Environment,
    artifact::{Artifacts, SmallContents},
    folder::{self, RunFolder},
    operator::Registry,
    store::{SqliteStore, Store, StoreError},
};

/// A project's runs, and what can be run.
pub struct Engine {
    pub(super) folder: PathBuf,
    pub(super) store: Arc<dyn Store>,
    pub(super) artifacts: Artifacts,
    pub(super) registry: Arc<dyn Registry>,
    pub(super) pools: BTreeMap<Arc<str>, u32>,
    pub(super) ledger: Option<PathBuf>,
    pub(super) environment: Arc<Environment>,
}

impl Engine {
    /// Opens the state that lies in `folder` (a project's `.flow`); makes it where there is none.
    pub fn open(folder: &Path, registry: Arc<dyn Registry>) -> Result<Self, StoreError> {
        let store = Arc::new(SqliteStore::open(&folder.join("store.sqlite"))?);
        let small: Arc<dyn SmallContents> = store.clone();
        let artifacts = folder.join("artifacts");
        let artifacts = Artifacts::open(artifacts.clone(), small).map_err(|error| StoreError::Open {
            path: artifacts.display().to_string(),
            reason: error.to_string(),
        })?;
        let environment = Arc::new(Environment::of(folder.parent().unwrap_or(folder)));
        Ok(Self {
            folder: folder.to_owned(),
            store,
            artifacts,
            registry,
            pools: BTreeMap::new(),
            ledger: None,
            environment,
        })
    }

    /// Says what external operators find around them; else it is the folder that the state lies in.
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// What external operators find around them.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// Where the files of a run lie.
    pub fn run_folder(&self, run: &str) -> RunFolder {
        RunFolder::new(&self.folder, run)
    }

    /// Says how many nodes may be in each pool at once; without a limit there is no such pool.
    pub fn with_pools(mut self, pools: impl IntoIterator<Item = (String, u32)>) -> Self {
        self.pools = pools.into_iter().map(|(pool, places)| (pool.into(), places)).collect();
        self
    }

    /// Shares the machine with all runs that use the ledger in this folder; without one a run takes no notice of others.
    pub fn with_ledger(mut self, folder: Option<PathBuf>) -> Self {
        self.ledger = folder;
        self
    }

    /// Where artifacts are, and how they are read.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// Runs of one project share their pools.
    pub(super) fn scope(&self) -> PathBuf {
        std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone())
    }

    pub(super) fn store_file(&self) -> PathBuf {
        self.folder.join("store.sqlite")
    }

    pub(super) fn locks(&self) -> PathBuf {
        folder::runs(&self.folder)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("folder", &self.folder).finish_non_exhaustive()
    }
}
