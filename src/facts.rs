//! What the planner may know of this machine: its operators, files and cache.

use std::{path::PathBuf, sync::Arc};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    key::{Key, KeyFacts, Known},
    node::{Node, OperatorPlace, PortRef},
    value::Value,
};
use flow_plan::{
    program::{NoCode, PlanFacts},
    status::Keys,
};
use flow_runtime::{
    act::process::Environment,
    artifact::Artifacts,
    engine::{Because, Earlier, Side},
    operator::Registry,
    store::{FileStamp, SqliteStore, Store},
};
use flow_stdlib::StandardLibrary;

use crate::project::Folders;

/// Answers from the standard library, and from a project's state where there is one.
#[derive(Default)]
pub struct Facts {
    state: Option<State>,
    root: PathBuf,
    /// Of external operators; none where nothing is asked of the disk.
    environment: Option<Environment>,
}

struct State {
    store: Arc<SqliteStore>,
    artifacts: Artifacts,
}

impl Facts {
    /// The operators alone.
    pub fn of_operators() -> Self {
        Self::default()
    }

    /// The operators, those of the project's own code too.
    pub fn of_code(folders: &Folders) -> Self {
        Self { state: None, root: folders.root.clone(), environment: Some(folders.environment()) }
    }

    /// The operators, and what a project's state remembers. Makes no state where there is none.
    pub fn of_project(folders: &Folders) -> Self {
        let open = || {
            let path = folders.state.join("store.sqlite");
            let store = Arc::new(SqliteStore::open(&path.is_file().then_some(path)?).ok()?);
            let artifacts = Artifacts::open(folders.state.join("artifacts"), store.clone()).ok()?;
            Some(State { store, artifacts })
        };
        Self { state: open(), ..Self::of_code(folders) }
    }

    /// What says why nodes run that the cache does not have.
    pub fn reasons(&self, workflow: &str) -> Option<Earlier<'_>> {
        let State { store, artifacts } = self.state.as_ref()?;
        Earlier::new(&**store, artifacts, workflow, None).ok()
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

    fn is_step(&self, operator: &str) -> bool {
        StandardLibrary::is_step(operator)
    }

    fn file_hash(&self, path: &str) -> Option<Hash> {
        let path = self.root.join(path);
        let stamp = FileStamp::of(&path)?;
        self.state.as_ref()?.store.file(&path.to_string_lossy(), stamp).ok().flatten()
    }

    fn is_absent(&self, path: &str) -> bool {
        !path.contains("://") && self.root.join(path).try_exists().is_ok_and(|exists| !exists)
    }

    /// A result counts as cached where its artifacts are there, too.
    fn cached(&self, key: Key) -> Option<Vec<Hash>> {
        let State { store, artifacts } = self.state.as_ref()?;
        let outputs = store.cached(&[key.0]).ok()?.pop()??;
        let are_there = outputs.iter().all(|output| artifacts.is_there(output).unwrap_or_default());
        are_there.then(|| outputs.into_iter().map(|output| output.hash).collect())
    }

    fn external_version(&self, place: &OperatorPlace) -> Result<u32, NoCode> {
        let found = self.environment.as_ref().map_or(Ok(()), |environment| environment.check(place));
        found.map(|()| 1).map_err(|missing| NoCode { reason: missing.to_string(), help: missing.help() })
    }

    fn is_code(&self, path: &str) -> bool {
        self.environment.is_some() && self.root.join(path).is_file()
    }

    fn environment(&self, place: &OperatorPlace) -> Option<Hash> {
        self.environment.as_ref()?.hash(place).ok()
    }
}

/// Why a node of a plan runs that the cache does not have.
pub fn reason(earlier: &Earlier<'_>, dag: &Dag, node: &Node, keys: &Keys<'_>) -> Option<Because> {
    earlier.why(&Planned { dag, node, keys }).ok()
}

/// A node before it runs.
struct Planned<'a> {
    dag: &'a Dag,
    node: &'a Node,
    keys: &'a Keys<'a>,
}

impl KeyFacts for Planned<'_> {
    fn port(&self, port: PortRef) -> Option<Hash> {
        self.keys.port(port)
    }

    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        self.keys.parameter(name)
    }

    fn file(&self, path: &str) -> Option<Hash> {
        self.keys.file(path)
    }

    fn environment(&self, place: &OperatorPlace) -> Option<Hash> {
        self.keys.environment(place)
    }

    fn numerics(&self) -> &str {
        self.keys.numerics()
    }
}

impl Side for Planned<'_> {
    fn id(&self) -> &str {
        &self.node.id
    }

    fn node(&self) -> &Node {
        self.node
    }

    fn port_name(&self, port: PortRef) -> String {
        let Some(node) = self.dag.node(port.node) else { return String::new() };
        match node.outputs.get(port.port as usize) {
            Some(output) if node.outputs.len() > 1 => format!("{}.{}", node.id, output.name),
            _ => node.id.clone(),
        }
    }

    /// Of results that are not read, only what they hash to is known.
    fn shown(&self, _: PortRef) -> Option<Value> {
        None
    }

    fn shown_parameter(&self, name: &str) -> Option<Value> {
        let parameter = self.dag.parameters.iter().find(|parameter| parameter.name == name)?;
        (!parameter.ty.is_personal()).then(|| parameter.value.clone())
    }

    /// Whole plans are explained, not what regions will be given.
    fn origin(&self, _: &str) -> Option<String> {
        None
    }
}
