//! Regions under construction, and what they capture.
//!
//! The workflow's own nodes stand at depth 0, those of the region that is being walked at the greatest depth. A
//! future names the depth at which it is given. Where one from further out is used, each region between there and
//! here gets a parameter for it, and the node that runs the region an input of the same name.

use std::rc::Rc;

use flow_ir::{
    dag::Output,
    node::{Input, Node, NodeIndex, NodeKind, Port, PortRef, VALUE_PORT},
    policy::Policy,
    region::Region,
    types::Type,
};
use flow_syntax::span::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    evaluator::{Evaluator, Frame, Result},
    names::{Name, Names},
    value::Planned,
};

/// What will be there when the workflow runs, as the region at `depth` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    depth: u32,
    pub(super) of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    Port(PortRef),
    /// By its place.
    Parameter(u32),
}

/// The workflow's body, or a region that is being walked.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Their ids come last.
    pub(super) nodes: Vec<Node>,
    /// For each node where its call stands, and behind it where those of its regions do.
    pub(super) spans: Vec<(u32, u32)>,
    /// What each node is called before it is numbered.
    hints: Vec<Rc<str>>,
    parameters: Vec<Port>,
    captured: FxHashMap<Source, Source>,
    /// The node that is to run the region.
    owner: Owner,
}

/// A node whose regions are being walked.
#[derive(Debug, Default)]
pub(super) struct Owner {
    inputs: Vec<(String, Input)>,
    after: Vec<NodeIndex>,
    /// By what inputs stand for; its regions share them.
    captures: FxHashMap<Source, String>,
    /// Of inputs and of the regions' own parameters.
    taken: FxHashSet<String>,
    names: Names,
    spans: Vec<(u32, u32)>,
}

impl Owner {
    pub(super) fn new(inputs: Vec<(&str, Input)>) -> Self {
        let inputs: Vec<(String, Input)> =
            inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect();
        Self { taken: inputs.iter().map(|(name, _)| name.clone()).collect(), inputs, ..Self::default() }
    }

    /// A name like this one that no input or parameter has.
    pub(super) fn fresh_name(&mut self, hint: &str) -> String {
        let mut name = hint.to_owned();
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{hint}_{count}");
        }
        name
    }
}

impl Evaluator<'_> {
    pub(super) fn depth(&self) -> u32 {
        // Fuel stops long before.
        u32::try_from(self.outer.len()).unwrap_or(u32::MAX)
    }

    /// A port of a node of the region at hand.
    pub(super) fn source(&self, node: NodeIndex, port: usize) -> Source {
        let port = PortRef { node, port: u32::try_from(port).unwrap_or(u32::MAX) };
        Source { depth: self.depth(), of: Of::Port(port) }
    }

    pub(super) fn port(&self, node: NodeIndex, port: usize) -> Planned {
        Planned::Future(self.source(node, port))
    }

    pub(super) fn source_type(&self, source: Source) -> Option<&Type> {
        let level = self.level_at(source.depth)?;
        match source.of {
            Of::Port(port) => {
                let node = level.nodes.get(port.node.0 as usize)?;
                node.outputs.get(port.port as usize).map(|port| &port.ty)
            }
            Of::Parameter(place) => level.parameters.get(place as usize).map(|port| &port.ty),
        }
    }

    /// The source as the region at hand reads it.
    pub(super) fn source_input(&mut self, mut source: Source) -> Input {
        while source.depth < self.depth() {
            source = self.capture(source);
        }
        self.own_input(source)
    }

    /// Makes the region at hand wait for a source, without reading it.
    pub(super) fn wait_for_source(&mut self, source: Source, after: &mut Vec<NodeIndex>) {
        // A region's node waits for all its inputs.
        let Of::Port(port) = source.of else { return };
        if source.depth == self.depth() {
            after.push(port.node);
        } else if let Some(inner) = self.level_at_mut(source.depth + 1) {
            inner.owner.after.push(port.node);
        }
    }

    /// Walks a region of a node. `parameters` are those that captures come behind.
    pub(super) fn region(
        &mut self,
        frame: &mut Frame,
        owner: &mut Owner,
        parameters: Vec<Port>,
        span: Span,
        walk: impl FnOnce(&mut Self, &mut Frame, &[Planned]) -> Result<Vec<Output>>,
    ) -> Result<Region> {
        self.fuel.region(self.depth()).map_err(|problem| self.at(frame, span, problem))?;
        for parameter in &parameters {
            owner.taken.insert(parameter.name.clone());
        }
        let mut inside = std::mem::take(owner);
        let names = std::mem::replace(&mut self.names, std::mem::take(&mut inside.names));
        let scope = std::mem::replace(&mut self.scope, Names::BODY);
        let choices = std::mem::take(&mut self.choices);
        let level = Level { parameters, owner: inside, ..Level::default() };
        self.outer.push(std::mem::replace(&mut self.level, level));
        let depth = self.depth();
        let given = (0..u32::try_from(self.level.parameters.len()).unwrap_or(u32::MAX))
            .map(|place| Planned::Future(Source { depth, of: Of::Parameter(place) }));
        let outputs = walk(self, frame, &given.collect::<Vec<_>>());
        let outer = self.outer.pop().unwrap_or_default();
        let level = std::mem::replace(&mut self.level, outer);
        *owner = level.owner;
        owner.names = std::mem::replace(&mut self.names, names);
        self.scope = scope;
        self.choices = choices;
        owner.spans.extend(level.spans);
        Ok(Region { parameters: level.parameters, nodes: level.nodes, outputs: outputs? })
    }

    /// What a value from outside is within a region that gets a parameter for each part of it that only the run
    /// knows. `name` is that of the first.
    pub(super) fn hand_in(&mut self, value: Planned, name: &str) -> Planned {
        match value {
            Planned::Future(source) => Planned::Future(self.parameter_for(source, name)),
            Planned::List(items) => {
                let item =
                    |(index, item): (usize, &Planned)| self.hand_in(item.clone(), &format!("{name}_{index}"));
                Planned::List(items.iter().enumerate().map(item).collect())
            }
            Planned::Record(fields) => {
                let field = |(field, value): &(String, Planned)| {
                    (field.clone(), self.hand_in(value.clone(), &format!("{name}_{field}")))
                };
                Planned::Record(fields.iter().map(field).collect())
            }
            // An expression is captured by what it reads.
            Planned::Known(_) | Planned::Term(_) => value,
        }
    }

    /// Adds the node that runs regions which were walked for `owner`.
    #[expect(clippy::too_many_arguments, reason = "a node has that many parts")]
    pub(super) fn region_node(
        &mut self,
        frame: &Frame,
        mut kind: NodeKind,
        owner: Owner,
        after: Vec<NodeIndex>,
        outputs: Vec<Port>,
        policy: Policy,
        name: Name,
        span: Span,
    ) -> Result<NodeIndex> {
        let Owner { inputs, after: mut waits_for, names, spans, .. } = owner;
        waits_for.extend(after);
        waits_for.sort_unstable();
        waits_for.dedup();
        let mut ids = names.ids().into_iter();
        let (mut effect, mut deterministic) = (false, true);
        for region in kind.nested_mut() {
            for node in &mut region.nodes {
                node.id = ids.next().unwrap_or_default();
                effect |= node.effect;
                deterministic &= node.deterministic;
            }
        }
        let id = String::new();
        let node = Node { id, kind, inputs, after: waits_for, outputs, policy, effect, deterministic };
        let index = self.push(frame, node, name, span)?;
        self.level.spans.extend(spans);
        Ok(index)
    }

    /// Remembers a node's name, as captures of its outputs are called.
    pub(super) fn hint(&mut self, name: &Name) {
        self.level.hints.push(Rc::clone(&name.text));
    }

    fn level_at(&self, depth: u32) -> Option<&Level> {
        if depth == self.depth() { Some(&self.level) } else { self.outer.get(depth as usize) }
    }

    fn level_at_mut(&mut self, depth: u32) -> Option<&mut Level> {
        if depth == self.depth() { Some(&mut self.level) } else { self.outer.get_mut(depth as usize) }
    }

    fn own_input(&self, source: Source) -> Input {
        match source.of {
            Of::Port(port) => Input::Port(port),
            Of::Parameter(place) => {
                let parameters = self.level_at(source.depth).map(|level| level.parameters.as_slice());
                let parameter = parameters.and_then(|parameters| parameters.get(place as usize));
                Input::Parameter(parameter.map(|port| port.name.clone()).unwrap_or_default())
            }
        }
    }

    /// The same source as the next region inwards calls it.
    fn capture(&mut self, source: Source) -> Source {
        let inner = self.level_at(source.depth + 1);
        match inner.and_then(|level| level.captured.get(&source)) {
            Some(captured) => *captured,
            None => {
                let hint = self.hint_of(source);
                self.parameter_at(source, &hint)
            }
        }
    }

    /// A parameter of the region at hand for a source from outside.
    fn parameter_for(&mut self, mut source: Source, name: &str) -> Source {
        while source.depth + 1 < self.depth() {
            source = self.capture(source);
        }
        self.parameter_at(source, name)
    }

    /// A parameter for the source, of the region that is one deeper.
    fn parameter_at(&mut self, source: Source, hint: &str) -> Source {
        let input = self.own_input(source);
        let ty = self.source_type(source).cloned().unwrap_or(Type::Nothing);
        let inside = Source { depth: source.depth + 1, ..source };
        let Some(level) = self.level_at_mut(inside.depth) else { return inside };
        let name = match level.owner.captures.get(&source) {
            // The node's other region has it too.
            Some(name) if !level.captured.contains_key(&source) => name.clone(),
            _ => {
                let name = level.owner.fresh_name(hint);
                level.owner.inputs.push((name.clone(), input));
                level.owner.captures.insert(source, name.clone());
                name
            }
        };
        let place = u32::try_from(level.parameters.len()).unwrap_or(u32::MAX);
        level.parameters.push(Port { name, ty });
        let captured = Source { of: Of::Parameter(place), ..inside };
        level.captured.insert(source, captured);
        captured
    }

    fn hint_of(&self, source: Source) -> String {
        let level = self.level_at(source.depth);
        let hint = level.and_then(|level| match source.of {
            Of::Port(port) => {
                let own = level.nodes.get(port.node.0 as usize)?.outputs.as_slice();
                match own.get(port.port as usize) {
                    Some(port) if own.len() > 1 => Some(port.name.clone()),
                    _ => level.hints.get(port.node.0 as usize).map(ToString::to_string),
                }
            }
            Of::Parameter(place) => level.parameters.get(place as usize).map(|port| port.name.clone()),
        });
        hint.unwrap_or_else(|| VALUE_PORT.to_owned())
    }
}
