//! The nodes of a DAG, or of a region of it, while a pass takes some out.

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, NodeIndex, Port, PortRef},
    types::Type,
};
use rustc_hash::FxHashMap;

/// Nodes, what comes out of them, and where their calls stand.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) nodes: Vec<Node>,
    pub(super) outputs: Vec<Output>,
    /// Of the workflow, or of the region.
    parameters: Vec<Port>,
    /// One for each node.
    pub(super) places: Vec<Place>,
    /// Whether these are known.
    pub(super) has_spans: bool,
}

/// Where a node's call stands, and for each region, or a query's steps, where those of its nodes do.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) span: (u32, u32),
    pub(super) regions: Vec<Vec<Self>>,
}

impl Body {
    /// Takes the nodes out of a DAG.
    pub(super) fn of(dag: &mut Dag) -> Self {
        let nodes = std::mem::take(&mut dag.nodes);
        let spans = dag.origin.as_mut().map(|origin| std::mem::take(&mut origin.spans)).unwrap_or_default();
        let has_spans = !spans.is_empty();
        let places = places(&nodes, &mut spans.into_iter());
        let parameters = dag.parameters.iter().map(|of| Port { name: of.name.clone(), ty: of.ty.clone() });
        let (parameters, outputs) = (parameters.collect(), std::mem::take(&mut dag.outputs));
        Self { nodes, outputs, parameters, places, has_spans }
    }

    /// Puts them back in.
    pub(super) fn give_back(self, dag: &mut Dag) {
        if let Some(origin) = &mut dag.origin
            && self.has_spans
        {
            flatten(&self.places, &mut origin.spans);
        }
        (dag.nodes, dag.outputs) = (self.nodes, self.outputs);
    }

    /// Does work on each region of each node; it is told which node's.
    pub(super) fn for_each_region(&mut self, mut work: impl FnMut(usize, &mut Self)) {
        for index in 0..self.nodes.len() {
            self.regions_of(index, |region| work(index, region));
        }
    }

    /// Does work on each region of one node.
    pub(super) fn regions_of(&mut self, index: usize, mut work: impl FnMut(&mut Self)) {
        let Some((node, place)) = self.nodes.get_mut(index).zip(self.places.get_mut(index)) else { return };
        // The steps of a query are all one.
        if node.kind.steps().is_some() {
            return;
        }
        for (region, places) in node.kind.nested_mut().into_iter().zip(&mut place.regions) {
            let mut body = Self {
                nodes: std::mem::take(&mut region.nodes),
                outputs: std::mem::take(&mut region.outputs),
                parameters: std::mem::take(&mut region.parameters),
                places: std::mem::take(places),
                has_spans: self.has_spans,
            };
            work(&mut body);
            (region.nodes, region.outputs, region.parameters) = (body.nodes, body.outputs, body.parameters);
            *places = body.places;
        }
    }

    /// The type of a port or a parameter.
    pub(super) fn type_of(&self, input: &Input) -> Type {
        let found = match input {
            Input::Port(port) => {
                self.nodes.get(port.node.0 as usize).and_then(|node| node.outputs.get(port.port as usize))
            }
            Input::Parameter(name) => self.parameters.iter().find(|parameter| parameter.name == *name),
            _ => None,
        };
        found.map_or(Type::Nothing, |port| port.ty.clone())
    }

    /// Leaves the nodes that stand for themselves. `stands_for` has for every node the one that takes its place, or
    /// none where nothing needs it; nodes that stay need only nodes that have one.
    pub(super) fn keep(&mut self, stands_for: &[Option<NodeIndex>]) {
        // Where each node that stays comes to stand.
        let mut places = vec![NodeIndex(0); self.nodes.len()];
        let mut is_kept = vec![false; self.nodes.len()];
        let mut count = 0;
        for (index, (place, kept)) in places.iter_mut().zip(&mut is_kept).enumerate() {
            *kept = stands_for.get(index).copied().flatten().is_some_and(|node| node.0 as usize == index);
            if *kept {
                *place = NodeIndex(count);
                count += 1;
            }
        }
        let moved = |index: NodeIndex| {
            let node = stands_for.get(index.0 as usize).copied().flatten();
            node.and_then(|node| places.get(node.0 as usize)).copied().unwrap_or(index)
        };
        retain(&mut self.nodes, &is_kept);
        retain(&mut self.places, &is_kept);
        self.move_ports(&|port| PortRef { node: moved(port.node), port: port.port });
        for node in &mut self.nodes {
            node.after.iter_mut().for_each(|index| *index = moved(*index));
            node.after.sort_unstable();
            node.after.dedup();
        }
    }

    /// Puts ports in their new places, where nodes have fewer than they had.
    pub(super) fn renumber_ports(&mut self, ports: &FxHashMap<NodeIndex, Vec<u32>>) {
        if ports.is_empty() {
            return;
        }
        self.move_ports(&|port| {
            let place = ports.get(&port.node).and_then(|places| places.get(port.port as usize));
            PortRef { port: place.copied().unwrap_or(port.port), ..port }
        });
    }

    fn move_ports(&mut self, moved: &impl Fn(PortRef) -> PortRef) {
        for node in &mut self.nodes {
            node.inputs.iter_mut().for_each(|(_, input)| move_input(input, moved));
        }
        self.outputs.iter_mut().for_each(|output| move_input(&mut output.input, moved));
    }
}

fn places(nodes: &[Node], spans: &mut dyn Iterator<Item = (u32, u32)>) -> Vec<Place> {
    let place = |node: &Node| Place {
        span: spans.next().unwrap_or_default(),
        regions: node.kind.nested().iter().map(|(_, region)| places(&region.nodes, spans)).collect(),
    };
    nodes.iter().map(place).collect()
}

fn flatten(places: &[Place], spans: &mut Vec<(u32, u32)>) {
    for place in places {
        spans.push(place.span);
        place.regions.iter().for_each(|region| flatten(region, spans));
    }
}

fn retain<T>(items: &mut Vec<T>, is_kept: &[bool]) {
    let mut kept = is_kept.iter();
    items.retain(|_| kept.next().copied().unwrap_or(false));
}

fn move_input(input: &mut Input, moved: &impl Fn(PortRef) -> PortRef) {
    match input {
        Input::Constant(_) | Input::Parameter(_) => {}
        Input::Port(port) => *port = moved(*port),
        Input::Expression { bindings: fields, .. } | Input::Record(fields) => {
            fields.iter_mut().for_each(|(_, input)| move_input(input, moved));
        }
        Input::List(items) => items.iter_mut().for_each(|item| move_input(item, moved)),
    }
}
