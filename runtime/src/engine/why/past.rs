//! Earlier runs, and a node as one of them had it: what its key was made of, from what the store has of the run.

use std::{cell::RefCell, fmt, sync::Arc};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    key::{KeyFacts, Known, NUMERICS_CPU},
    node::{Node, OperatorPlace, PortRef},
    value::Value,
};
use rustc_hash::FxHashMap;

use super::{Side, hash};
use crate::{
    artifact::{Reference, Summary},
    drive::content,
    store::{NodeRow, Store, StoreError},
    task::parameter,
};

/// A run as the store has it.
pub struct PastRun {
    pub id: String,
    dag: Dag,
    nodes: FxHashMap<String, u32>,
    rows: FxHashMap<String, NodeRow>,
    numerics: String,
}

impl PastRun {
    /// None where its DAG is not there.
    pub fn read(store: &dyn Store, id: &str) -> Result<Option<Self>, StoreError> {
        let Some(dag) = store.dag(id)?.and_then(|text| Dag::from_json(&text).ok()) else { return Ok(None) };
        let started = store.events_after(id, 0, 1)?;
        let numerics = started.first().and_then(|event| event.data.get("numerics")?.as_str());
        Ok(Some(Self {
            id: id.to_owned(),
            nodes: dag.nodes.iter().map(|node| node.id.clone()).zip(0..).collect(),
            rows: store.nodes(id)?.into_iter().map(|row| (row.node.clone(), row)).collect(),
            // Before it was written down there was this one alone.
            numerics: numerics.unwrap_or(NUMERICS_CPU).to_owned(),
            dag,
        }))
    }

    pub fn row(&self, node: &str) -> Option<&NodeRow> {
        self.rows.get(node)
    }

    pub fn node(self: &Arc<Self>, node: &str) -> Option<PastNode> {
        let index = *self.nodes.get(node)?;
        Some(PastNode { run: self.clone(), index })
    }
}

impl fmt::Debug for PastRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PastRun").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The runs of a workflow before another, read as they are asked for.
pub struct Earlier<'a> {
    store: &'a dyn Store,
    /// The nearest first.
    runs: Vec<String>,
    read: RefCell<FxHashMap<String, Option<Arc<PastRun>>>>,
}

/// How many are looked at.
const RUNS: usize = 100;

impl<'a> Earlier<'a> {
    /// Of all runs, or of those before `than`.
    pub fn new(store: &'a dyn Store, workflow: &str, than: Option<&str>) -> Result<Self, StoreError> {
        let rows = store.runs()?.into_iter();
        let rows =
            rows.filter(|row| row.workflow == workflow && than.is_none_or(|than| row.id.as_str() < than));
        let runs = rows.take(RUNS).map(|row| row.id).collect();
        Ok(Self { store, runs, read: RefCell::default() })
    }

    /// The node in each run in which it finished, the nearest first.
    pub fn nodes(&self, node: &str) -> impl Iterator<Item = Result<PastNode, StoreError>> {
        self.runs.iter().filter_map(move |id| match self.run(id) {
            Ok(run) => {
                let run = run?;
                let is_finished = run.row(node).is_some_and(|row| row.state == "finished");
                run.node(node).filter(|_| is_finished).map(Ok)
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn run(&self, id: &str) -> Result<Option<Arc<PastRun>>, StoreError> {
        if let Some(run) = self.read.borrow().get(id) {
            return Ok(run.clone());
        }
        let run = PastRun::read(self.store, id)?.map(Arc::new);
        self.read.borrow_mut().insert(id.to_owned(), run.clone());
        Ok(run)
    }
}

impl fmt::Debug for Earlier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier").field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// A node of a run.
#[derive(Debug)]
pub struct PastNode {
    pub run: Arc<PastRun>,
    index: u32,
}

impl PastNode {
    fn row(&self) -> Option<&NodeRow> {
        self.run.row(&self.node().id)
    }

    fn reference(&self, port: PortRef) -> Option<Reference> {
        let node = self.run.dag.node(port.node)?;
        let port = &node.outputs.get(port.port as usize)?.name;
        Reference::from_json(self.run.row(&node.id)?.data.get("outputs")?.get(port)?)
    }
}

impl KeyFacts for PastNode {
    fn port(&self, port: PortRef) -> Option<Hash> {
        content(&self.reference(port)?, &|path| self.file(path))
    }

    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        parameter(&self.run.dag, name).ok().map(Known::Value)
    }

    fn file(&self, path: &str) -> Option<Hash> {
        hash(self.row()?.data.get("files")?.get(path))
    }

    fn environment(&self, _: &OperatorPlace) -> Option<Hash> {
        hash(self.row()?.data.get("code"))
    }

    fn numerics(&self) -> &str {
        &self.run.numerics
    }
}

impl Side for PastNode {
    fn dag(&self) -> &Dag {
        &self.run.dag
    }

    #[expect(clippy::indexing_slicing, reason = "whoever makes one has found the node there")]
    fn node(&self) -> &Node {
        &self.run.dag.nodes[self.index as usize]
    }

    fn shown(&self, port: PortRef) -> Option<Value> {
        let ty = &self.run.dag.node(port.node)?.outputs.get(port.port as usize)?.ty;
        match self.reference(port)?.summary {
            Summary::Value(Some(value)) if !ty.is_personal() => Some(value),
            _ => None,
        }
    }
}
