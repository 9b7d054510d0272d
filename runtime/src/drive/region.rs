//! What the parameters of a region are bound to, and what names mean within its instances.

use std::sync::Arc;

use flow_ir::{
    hash::Hash,
    key::Known,
    node::{Input, Node, NodeIndex, NodeKind, PortRef},
};

use super::{
    Driver, World,
    data::{NodeData, Slot},
    job::Slots,
    nodes,
};
use crate::{
    artifact::Reference,
    decide::{NodeState, Part, Place},
    task::{EnvelopeError, Failure, Resolve, Source, parameter},
};

/// What the parameters of an instance are bound to.
#[derive(Default)]
pub struct Bound {
    /// The element, or the state.
    first: Option<(String, Source)>,
    captures: Arc<Captures>,
    /// The data behind `first`.
    slots: Vec<Arc<Slot>>,
}

/// What all instances of a node's regions read from outside: its inputs.
#[derive(Default)]
pub struct Captures {
    parameters: Vec<(String, Source)>,
    slots: Vec<Arc<Slot>>,
}

impl Bound {
    pub fn parameter(&self, name: &str) -> Result<&Source, EnvelopeError> {
        let mut all = self.first.iter().chain(&self.captures.parameters);
        let found = all.find(|(parameter, _)| parameter == name).map(|(_, source)| source);
        found.ok_or_else(|| EnvelopeError::NoParameter { name: name.to_owned() })
    }

    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.iter().chain(&self.captures.slots).cloned().collect()
    }
}

/// A scope of a run: what ports and parameters are there.
pub struct Within<'a, W> {
    pub driver: &'a Driver<W>,
    pub scope: u32,
}

impl<W: World> Resolve for Within<'_, W> {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        match self.driver.bound.get(self.scope as usize) {
            Some(Some(bound)) => bound.parameter(name).cloned(),
            _ => parameter(&self.driver.setup.dag, name).cloned().map(Source::Value),
        }
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        self.driver.reference(self.driver.numbered(self.scope, port)).cloned()
    }
}

impl<'a, W: World> Within<'a, W> {
    /// What a parameter counts for in keys, and in the files that it names.
    pub fn known(
        &self,
        name: &str,
        artifact: &mut dyn FnMut(&Reference) -> Option<Hash>,
    ) -> Option<Known<'a>> {
        match self.driver.bound.get(self.scope as usize) {
            Some(Some(bound)) => bound.parameter(name).ok()?.known(artifact),
            _ => parameter(&self.driver.setup.dag, name).ok().map(Known::Value),
        }
    }
}

impl<W: World> Driver<W> {
    /// A port of a node of the scope, by the numbers of the run.
    pub(super) fn numbered(&self, scope: u32, port: PortRef) -> PortRef {
        match self.setup.state.instance(scope) {
            None => port,
            Some(instance) => PortRef { node: NodeIndex(instance.nodes.start + port.node.0), ..port },
        }
    }

    pub(super) fn within(&self, scope: u32) -> Within<'_, W> {
        Within { driver: self, scope }
    }

    /// The data behind every port that the inputs of a node of the scope read.
    pub(super) fn slots_of<'i>(&mut self, scope: u32, inputs: impl Iterator<Item = &'i Input>) -> Slots {
        let mut ports = Vec::new();
        inputs.for_each(|input| input.for_each_port(&mut |port| ports.push(port)));
        let around = match self.bound.get(scope as usize) {
            Some(Some(bound)) => bound.slots(),
            _ => Vec::new(),
        };
        let ports = ports.into_iter().map(|port| (port, self.slot(self.numbered(scope, port))));
        Slots { ports: ports.collect(), around }
    }

    /// Gives the nodes of scopes that are new all that nodes have.
    pub(super) fn grow(&mut self) {
        let dag = self.setup.dag.clone();
        for scope in u32::try_from(self.bound.len()).unwrap_or(u32::MAX)..self.setup.state.scopes() {
            self.bound.push(None);
            let Some(instance) = self.setup.state.instance(scope) else { continue };
            let Some(region) = nodes::region_at(&dag, &self.setup.state, instance.place) else { continue };
            self.ids.extend(instance.nodes.clone().map(|node| self.setup.state.id(node)));
            let first = self.nodes.len();
            self.nodes.extend(NodeData::for_all(&instance.graph));
            for output in &region.outputs {
                // Whoever runs the region reads it.
                output.input.for_each_port(&mut |port| {
                    if let Some(data) = self.nodes.get_mut(first + port.node.0 as usize) {
                        data.consumers += 1;
                    }
                });
            }
            let ids = self.ids.get(instance.nodes.start as usize..).unwrap_or_default();
            self.setup.scheduler.add_region(instance.place.node, &region.nodes, ids, &instance.graph);
        }
    }

    /// Binds the parameters of an instance that begins.
    pub(super) fn open(&mut self, scope: u32) {
        self.grow();
        let dag = self.setup.dag.clone();
        let Some(place) = self.setup.state.instance(scope).map(|instance| instance.place) else { return };
        let Some(region) = nodes::region_at(&dag, &self.setup.state, place) else { return };
        let Some(of) = nodes::node(&dag, &self.setup.state, place.node) else { return };
        let captures = self.captures(place.node, of);
        let name = region.parameters.first().map(|parameter| parameter.name.clone());
        let (first, slots) = match (&of.kind, name) {
            (NodeKind::Map { .. }, Some(name)) => {
                let elements = self.elements.get(&place.node);
                let place = usize::try_from(place.iteration).unwrap_or(usize::MAX);
                let element = elements.and_then(|elements| elements.get(place)).cloned();
                (element.map(|element| (name, element)), Vec::new())
            }
            (NodeKind::Loop { .. }, Some(name)) => match self.loop_state(place.node, place.iteration) {
                Ok((state, slots)) => (Some((name, state)), slots.all().cloned().collect()),
                // What needs it says that it is not there.
                Err(_) => (None, Vec::new()),
            },
            _ => (None, Vec::new()),
        };
        if let Some(bound) = self.bound.get_mut(scope as usize) {
            *bound = Some(Arc::new(Bound { first, captures, slots }));
        }
        for node in self.setup.state.instance(scope).into_iter().flat_map(|instance| instance.nodes) {
            if self.setup.state.node(node) != NodeState::Finished {
                self.want_inputs(node);
            }
        }
        if let (NodeKind::Loop { .. }, Some(before)) = (&of.kind, place.iteration.checked_sub(2)) {
            for part in [Part::Condition, Part::Body] {
                self.forget_data(Place { part, iteration: before, ..place });
            }
        }
    }

    /// The state of a loop after so many iterations, with its data.
    pub(super) fn loop_state(&mut self, node: u32, iterations: u64) -> Result<(Source, Slots), Failure> {
        match iterations.checked_sub(1) {
            Some(last) => self.given(Place { node, part: Part::Body, iteration: last }, |_| true),
            None => self.input(node, "from"),
        }
    }

    /// An input of a node, with its data.
    pub(super) fn input(&mut self, node: u32, name: &str) -> Result<(Source, Slots), Failure> {
        let dag = self.setup.dag.clone();
        let input = nodes::node(&dag, &self.setup.state, node).and_then(|node| node.input(name));
        let input = input.ok_or_else(|| Failure::operator(format!("has no input `{name}`")))?;
        self.read(self.setup.state.scope(node), input)
    }

    /// The first output of an instance that is wanted, with its data.
    pub(super) fn given(
        &mut self,
        place: Place,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(Source, Slots), Failure> {
        let nothing = || Failure::operator("its region gave nothing");
        let dag = self.setup.dag.clone();
        let scope = self.setup.state.scope_at(place).ok_or_else(nothing)?;
        let outputs = nodes::outputs(&dag, &self.setup.state, scope);
        let output = outputs.iter().find(|output| is_wanted(&output.name)).ok_or_else(nothing)?;
        self.read(scope, &output.input)
    }

    fn read(&mut self, scope: u32, input: &Input) -> Result<(Source, Slots), Failure> {
        let slots = self.slots_of(scope, std::iter::once(input));
        let source = Source::new(input, &self.within(scope));
        Ok((source.map_err(|error| Failure::operator(error.to_string()))?, slots))
    }

    /// The node and its instances have come to an end: what only they read leaves memory.
    pub(super) fn forget_region(&mut self, node: u32) {
        self.elements.remove(&node);
        if self.captures.remove(&node).is_none() {
            return;
        }
        for place in self.setup.state.places(node) {
            self.forget_data(place);
        }
    }

    fn forget_data(&mut self, place: Place) {
        let Some(scope) = self.setup.state.scope_at(place) else { return };
        if let Some(bound) = self.bound.get_mut(scope as usize) {
            *bound = None;
        }
        for node in self.setup.state.instance(scope).into_iter().flat_map(|instance| instance.nodes) {
            if let Some(data) = self.nodes.get_mut(node as usize) {
                data.outputs.iter_mut().for_each(super::data::Output::leave_memory);
            }
        }
    }

    fn captures(&mut self, node: u32, of: &Node) -> Arc<Captures> {
        if let Some(captures) = self.captures.get(&node) {
            return captures.clone();
        }
        let scope = self.setup.state.scope(node);
        let slots = self.slots_of(scope, of.inputs.iter().map(|(_, input)| input));
        let sources = of.inputs.iter().filter_map(|(name, input)| {
            // The decider asks for those that are needed, and is told what is wrong with them.
            Some((name.clone(), Source::new(input, &self.within(scope)).ok()?))
        });
        let parameters = sources.collect();
        let captures = Arc::new(Captures { parameters, slots: slots.all().cloned().collect() });
        self.captures.insert(node, captures.clone());
        captures
    }
}
