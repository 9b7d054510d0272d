//! A DAG that is built while another one is: a test's workflow, whose arguments may be nodes of the test.

use std::rc::Rc;

use flow_ir::node::{Input, Node, NodeIndex};

use super::{
    evaluator::Evaluator,
    names::{Names, Scope},
    region::{Level, Of, Source},
    value::Planned,
};

/// A body that is put aside.
pub(super) struct Apart {
    level: Level,
    names: Names,
    scope: Scope,
    module: Rc<str>,
    call_site: Option<(u32, u32)>,
}

/// Where the nodes of one body come to stand in another; none for those that are not needed there.
struct Copies {
    places: Vec<Option<NodeIndex>>,
}

impl Copies {
    /// Notes what a value needs.
    fn note(&mut self, value: &Planned, level: &Level) {
        match value {
            Planned::Future(Source { of: Of::Port(port), .. }) => self.need(port.node, level),
            Planned::List(items) => items.iter().for_each(|item| self.note(item, level)),
            Planned::Record(fields) => fields.iter().for_each(|(_, field)| self.note(field, level)),
            _ => {}
        }
    }

    fn need(&mut self, node: NodeIndex, level: &Level) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if let Some(place @ None) = self.places.get_mut(node.0 as usize) {
                *place = Some(node);
                if let Some(node) = level.nodes.get(node.0 as usize) {
                    node.for_each_dependency(|dependency| open.push(dependency));
                }
            }
        }
    }

    fn place(&self, node: NodeIndex) -> NodeIndex {
        self.places.get(node.0 as usize).copied().flatten().unwrap_or(node)
    }

    fn input(&self, input: &mut Input) {
        match input {
            Input::Constant(_) | Input::Parameter(_) => {}
            Input::Port(port) => port.node = self.place(port.node),
            Input::Expression { bindings: fields, .. } | Input::Record(fields) => {
                fields.iter_mut().for_each(|(_, input)| self.input(input));
            }
            Input::List(items) => items.iter_mut().for_each(|item| self.input(item)),
        }
    }

    fn value(&self, value: &mut Planned) {
        match value {
            Planned::Future(Source { of: Of::Port(port), .. }) => port.node = self.place(port.node),
            Planned::List(items) => {
                let mut moved: Vec<Planned> = items.to_vec();
                moved.iter_mut().for_each(|item| self.value(item));
                *items = moved.into();
            }
            Planned::Record(fields) => {
                let mut moved: Vec<(String, Planned)> = fields.to_vec();
                moved.iter_mut().for_each(|(_, field)| self.value(field));
                *fields = moved.into();
            }
            _ => {}
        }
    }
}

impl Evaluator<'_> {
    /// Puts the body at hand aside and begins another, which is no part of it. The nodes that `values` need are copied
    /// into it, and the values mean these from then on.
    pub(super) fn begin_apart<'v>(
        &mut self,
        module: &str,
        values: impl Iterator<Item = &'v mut Planned>,
    ) -> Apart {
        let values: Vec<&mut Planned> = values.collect();
        let apart = Apart {
            level: std::mem::take(&mut self.level),
            names: std::mem::take(&mut self.names),
            scope: std::mem::replace(&mut self.scope, Names::BODY),
            module: std::mem::replace(&mut self.module, module.into()),
            call_site: self.call_site.take(),
        };
        let mut copies = Copies { places: vec![None; apart.level.nodes.len()] };
        for value in &values {
            copies.note(value, &apart.level);
        }
        for (index, node) in apart.level.nodes.iter().enumerate() {
            let Some(place) = copies.places.get_mut(index).filter(|place| place.is_some()) else { continue };
            *place = u32::try_from(self.level.nodes.len()).ok().map(NodeIndex);
            let mut node = node.clone();
            node.inputs.iter_mut().for_each(|(_, input)| copies.input(input));
            node.after.iter_mut().for_each(|index| *index = copies.place(*index));
            let name = apart.names.name(index);
            self.hint(&name);
            self.names.node(Names::BODY, name);
            self.level.spans.extend(std::iter::repeat_n((0, 0), node.count()));
            self.level.nodes.push(node);
        }
        values.into_iter().for_each(|value| copies.value(value));
        apart
    }

    /// Gives the nodes of the body that was begun apart, with their ids, and goes back to the one before.
    pub(super) fn end_apart(&mut self, apart: Apart) -> (Vec<Node>, Vec<(u32, u32)>) {
        let Apart { level, names, scope, module, call_site } = apart;
        let ids = std::mem::replace(&mut self.names, names).ids();
        let Level { mut nodes, spans, .. } = std::mem::replace(&mut self.level, level);
        for (node, id) in nodes.iter_mut().zip(ids) {
            node.id = id;
        }
        (self.scope, self.module, self.call_site) = (scope, module, call_site);
        (nodes, spans)
    }
}
