//! A run as the store has it: its DAG, the rows of its nodes, and what names meant in every instance of a region.

use std::{fmt, sync::Arc};

use flow_ir::{
    dag::Dag,
    key::NUMERICS_CPU,
    node::{Input, Node, NodeKind, PortRef},
    types::Type,
    value::Value,
};
use rustc_hash::FxHashMap;

use crate::{
    artifact::{Artifacts, Reference, Summary},
    decide::{Graph, NodeState, Part, Past, Place},
    drive::nodes,
    operator::Datum,
    store::{NodeRow, Store, StoreError},
    task::{EnvelopeError, Resolve, Source, parameter},
};

pub struct RecordedRun {
    pub id: String,
    pub dag: Dag,
    /// What kind of device computed.
    pub numerics: String,
    artifacts: Artifacts,
    past: Past,
    rows: FxHashMap<u32, NodeRow>,
}

/// What names meant in the DAG, or in an instance of a region.
#[derive(Clone, Copy, Debug)]
pub struct RecordedScope<'a> {
    run: &'a RecordedRun,
    scope: u32,
}

/// What a region's parameter is bound to.
struct Binding<'a> {
    input: &'a Input,
    within: RecordedScope<'a>,
    /// It is this element of the input.
    element: Option<u64>,
}

impl RecordedRun {
    /// `dag` and `graph` are those of the run.
    pub fn new(
        store: &dyn Store,
        artifacts: &Artifacts,
        id: &str,
        dag: Dag,
        graph: Graph,
    ) -> Result<Self, StoreError> {
        let started = store.events_after(id, 0, 1)?;
        let numerics = started.first().and_then(|event| event.data.get("numerics")?.as_str());
        let mut past = Past::new(Arc::new(graph), 0);
        let rows = store.nodes(id)?.into_iter();
        let rows = rows.filter_map(|row| Some((past.find(&row.node)?, row))).collect();
        Ok(Self {
            id: id.to_owned(),
            // Before it was written down there was this one alone.
            numerics: numerics.unwrap_or(NUMERICS_CPU).to_owned(),
            artifacts: artifacts.clone(),
            dag,
            past,
            rows,
        })
    }

    /// The number of a node that the DAG has, or an instance of a region that has begun.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.past.known(id)
    }

    /// The numbers of all nodes, in the DAG's order; behind a node those of its regions.
    pub fn in_order(&self) -> Vec<u32> {
        self.past.in_order()
    }

    /// The nodes in a state, each with its number and id.
    pub fn in_state(&self, state: NodeState) -> Vec<(u32, Arc<str>, &Node)> {
        let is_in = |number: &u32| self.row(*number).is_some_and(|row| row.state == state);
        let found = |number| Some((number, self.node_id(number), self.node(number)?));
        self.in_order().into_iter().filter(is_in).filter_map(found).collect()
    }

    pub fn node_id(&self, number: u32) -> Arc<str> {
        self.past.state().id(number)
    }

    pub fn node(&self, number: u32) -> Option<&Node> {
        nodes::node(&self.dag, self.past.state(), number)
    }

    /// As of [`nodes::Path::shows_personal`].
    pub fn shows_personal(&self, number: u32) -> bool {
        nodes::Path::new(self.past.state(), number).shows_personal(&self.dag)
    }

    pub fn row(&self, number: u32) -> Option<&NodeRow> {
        self.rows.get(&number)
    }

    /// What names mean to a node.
    pub fn around(&self, number: u32) -> RecordedScope<'_> {
        RecordedScope { run: self, scope: self.past.state().scope(number) }
    }

    /// What a node's input is, where that is a value by now.
    pub fn value(&self, number: u32, input: &str) -> Option<Value> {
        match Source::new(self.node(number)?.input(input)?, &self.around(number)).ok()? {
            Source::Value(value) => Some(value),
            Source::Artifact(Reference { summary: Summary::Value(value), .. }) => value,
            _ => None,
        }
    }

    /// When a node began, in microseconds since 1970.
    pub fn began(&self, number: u32) -> Option<i64> {
        self.row(number)?.started
    }

    /// An element of a list, wherever that is.
    fn element(&self, list: Source, place: u64) -> Option<Source> {
        let index = usize::try_from(place).ok()?;
        match list {
            Source::List(elements) => elements.into_iter().nth(index),
            Source::Value(Value::List(elements)) => elements.into_iter().nth(index).map(Source::Value),
            Source::Artifact(reference) if matches!(reference.summary, Summary::List { .. }) => {
                self.artifacts.elements(&reference).ok()?.into_iter().nth(index).map(Source::Artifact)
            }
            Source::Artifact(reference) => match self.artifacts.load(&reference).ok()? {
                Datum::Value(value @ Value::List(_)) => self.element(Source::Value(value), place),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<'a> RecordedScope<'a> {
    pub fn node_of(&self, port: PortRef) -> Option<&'a Node> {
        self.run.node(self.number(port))
    }

    /// `nightly/split.train`; `days[3]/model` where the node has one port.
    pub fn port_name(&self, port: PortRef) -> String {
        let Some(node) = self.node_of(port) else { return String::new() };
        let id = self.run.node_id(self.number(port));
        match node.outputs.get(port.port as usize) {
            Some(output) if node.outputs.len() > 1 => format!("{id}.{}", output.name),
            _ => id.to_string(),
        }
    }

    /// The type that a parameter has.
    pub fn type_of(&self, name: &str) -> Option<&'a Type> {
        match self.place() {
            None => {
                let mut parameters = self.run.dag.parameters.iter();
                parameters.find(|parameter| parameter.name == name).map(|parameter| &parameter.ty)
            }
            Some(place) => {
                let region = nodes::region_at(&self.run.dag, self.run.past.state(), place)?;
                let mut parameters = region.parameters.iter();
                parameters.find(|parameter| parameter.name == name).map(|parameter| &parameter.ty)
            }
        }
    }

    /// The port that what a parameter is bound to comes from, as [`Self::port_name`] has it.
    pub fn origin(&self, name: &str) -> Option<String> {
        let Binding { input, within, .. } = self.binding(name)?;
        match input {
            Input::Port(port) => Some(within.port_name(*port)),
            Input::Parameter(name) => within.origin(name),
            _ => None,
        }
    }

    fn number(&self, port: PortRef) -> u32 {
        self.run.past.state().instance(self.scope).map_or(0, |instance| instance.nodes.start) + port.node.0
    }

    fn place(&self) -> Option<Place> {
        self.run.past.state().instance(self.scope).map(|instance| instance.place)
    }

    /// None for the parameters of the DAG, and where the region has no such parameter.
    fn binding(&self, name: &str) -> Option<Binding<'a>> {
        let (dag, state) = (&self.run.dag, self.run.past.state());
        let place = self.place()?;
        let region = nodes::region_at(dag, state, place)?;
        let node = nodes::node(dag, state, place.node)?;
        let around = Self { scope: state.scope(place.node), ..*self };
        let outside = |name: &str| Some(Binding { input: node.input(name)?, within: around, element: None });
        let is_first = region.parameters.first().is_some_and(|first| first.name == name);
        match (&node.kind, place.iteration.checked_sub(1)) {
            (NodeKind::Map { .. }, _) if is_first => {
                Some(Binding { element: Some(place.iteration), ..outside("over")? })
            }
            (NodeKind::Loop { .. }, None) if is_first => outside("from"),
            (NodeKind::Loop { .. }, Some(iteration)) if is_first => {
                let scope = state.scope_at(Place { part: Part::Body, iteration, ..place })?;
                let input = &nodes::outputs(dag, state, scope).first()?.input;
                Some(Binding { input, within: Self { scope, ..*self }, element: None })
            }
            _ => outside(name),
        }
    }
}

impl Resolve for RecordedScope<'_> {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        if self.place().is_none() {
            return parameter(&self.run.dag, name).cloned().map(Source::Value);
        }
        let no_parameter = || EnvelopeError::NoParameter { name: name.to_owned() };
        let Binding { input, within, element } = self.binding(name).ok_or_else(no_parameter)?;
        let source = Source::new(input, &within)?;
        match element {
            Some(place) => self.run.element(source, place).ok_or_else(no_parameter),
            None => Ok(source),
        }
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        let name = &self.node_of(port)?.outputs.get(port.port as usize)?.name;
        Reference::from_json(self.run.row(self.number(port))?.data.get("outputs")?.get(name)?)
    }
}

impl fmt::Debug for RecordedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRun").field("id", &self.id).finish_non_exhaustive()
    }
}
