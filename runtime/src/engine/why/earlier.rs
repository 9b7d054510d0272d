//! Earlier runs, and a node as one of them had it: what its key was made of, from what the store has of the run.

use std::{cell::RefCell, fmt, sync::Arc};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    key::{KeyFacts, Known},
    node::{Node, OperatorPlace, PortRef},
    types::Type,
    value::Value,
};
use rustc_hash::FxHashMap;

use super::{Side, hash};
use crate::{
    artifact::{Artifacts, Reference, Summary},
    decide::{Graph, NodeState},
    drive::content,
    engine::recorded::{RecordedRun, RecordedScope},
    store::{NodeRow, Store, StoreError},
    task::{Resolve, Source},
};

/// The runs of a workflow before another, read as they are asked for.
pub struct Earlier<'a> {
    store: &'a dyn Store,
    artifacts: &'a Artifacts,
    /// The nearest first.
    runs: Vec<String>,
    read: RefCell<FxHashMap<String, Option<Arc<RecordedRun>>>>,
}

/// How many are looked at.
const RUNS: usize = 100;

impl<'a> Earlier<'a> {
    /// Of all runs, or of those before `than`.
    pub fn new(
        store: &'a dyn Store,
        artifacts: &'a Artifacts,
        workflow: &str,
        than: Option<&str>,
    ) -> Result<Self, StoreError> {
        let rows = store.runs()?.into_iter();
        let rows =
            rows.filter(|row| row.workflow == workflow && than.is_none_or(|than| row.id.as_str() < than));
        let runs = rows.take(RUNS).map(|row| row.id).collect();
        Ok(Self { store, artifacts, runs, read: RefCell::default() })
    }

    /// The node in each run in which it finished, the nearest first.
    pub fn nodes(&self, node: &str) -> impl Iterator<Item = Result<RecordedNode, StoreError>> {
        self.runs.iter().filter_map(move |id| match self.run(id) {
            Ok(run) => {
                let found = RecordedNode::find(&run?, node)?;
                let is_finished = found.row().is_some_and(|row| row.state == NodeState::Finished);
                is_finished.then_some(Ok(found))
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn run(&self, id: &str) -> Result<Option<Arc<RecordedRun>>, StoreError> {
        if let Some(run) = self.read.borrow().get(id) {
            return Ok(run.clone());
        }
        let dag = self.store.dag(id)?.and_then(|text| Dag::from_json(&text).ok());
        // A run that cannot be understood any more is no run to compare with.
        let whole = dag.and_then(|dag| Some((Graph::new(&dag).ok()?, dag)));
        let run = match whole {
            Some((graph, dag)) => {
                Some(Arc::new(RecordedRun::new(self.store, self.artifacts, id, dag, graph)?))
            }
            None => None,
        };
        self.read.borrow_mut().insert(id.to_owned(), run.clone());
        Ok(run)
    }
}

impl fmt::Debug for Earlier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier").field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// A node of a run, in a region perhaps.
#[derive(Debug)]
pub struct RecordedNode {
    pub run: Arc<RecordedRun>,
    pub id: Arc<str>,
    number: u32,
    /// What its inputs name beyond ports.
    parameters: Vec<(String, Source)>,
}

impl RecordedNode {
    /// None where the run has no such node.
    pub fn find(run: &Arc<RecordedRun>, id: &str) -> Option<Self> {
        let number = run.find(id)?;
        let scope = run.around(number);
        let mut parameters = Vec::new();
        for (_, input) in &run.node(number)?.inputs {
            input.for_each_parameter(&mut |name| {
                if parameters.iter().all(|(known, _)| known != name) {
                    parameters.extend(scope.parameter(name).ok().map(|source| (name.to_owned(), source)));
                }
            });
        }
        Some(Self { run: run.clone(), id: run.node_id(number), number, parameters })
    }

    pub fn row(&self) -> Option<&NodeRow> {
        self.run.row(self.number)
    }

    fn scope(&self) -> RecordedScope<'_> {
        self.run.around(self.number)
    }

    fn source(&self, name: &str) -> Option<&Source> {
        self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, source)| source)
    }
}

impl KeyFacts for RecordedNode {
    fn port(&self, port: PortRef) -> Option<Hash> {
        content(&self.scope().port(port)?, &|path| self.file(path))
    }

    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        self.source(name)?.known(&mut |reference| content(reference, &|path| self.file(path)))
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

impl Side for RecordedNode {
    fn id(&self) -> &str {
        &self.id
    }

    #[expect(clippy::indexing_slicing, reason = "whoever makes one has found the node there")]
    fn node(&self) -> &Node {
        match self.run.node(self.number) {
            Some(node) => node,
            None => &self.run.dag.nodes[self.number as usize],
        }
    }

    fn port_name(&self, port: PortRef) -> String {
        self.scope().port_name(port)
    }

    fn shown(&self, port: PortRef) -> Option<Value> {
        let ty = &self.scope().node_of(port)?.outputs.get(port.port as usize)?.ty;
        shown(&Source::Artifact(self.scope().port(port)?), ty)
    }

    fn shown_parameter(&self, name: &str) -> Option<Value> {
        shown(self.source(name)?, self.scope().type_of(name)?)
    }

    fn origin(&self, name: &str) -> Option<String> {
        self.scope().origin(name)
    }
}

fn shown(source: &Source, ty: &Type) -> Option<Value> {
    if ty.is_personal() {
        return None;
    }
    match source {
        Source::Value(value) => Some(value.clone()),
        Source::Artifact(Reference { summary: Summary::Value(value), .. }) => value.clone(),
        _ => None,
    }
}
