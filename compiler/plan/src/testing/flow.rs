//! What reaches what, in and out of regions.
//!
//! One graph for the whole DAG: a vertex for each node, those of regions too. A region's parameter stands for what the
//! node that runs the region is given under its name; what a region gives, that node gives. Whatever a node reads
//! reaches whatever it gives; a conditional's and a loop's own inputs decide over all that their regions do.

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, PortRef},
};
use rustc_hash::FxHashMap;

/// A node, by its place among all.
type Vertex = usize;

/// Edges, each with the port that it carries; none where no data comes along.
#[derive(Default)]
pub(crate) struct Flow {
    ids: Vec<String>,
    by_id: FxHashMap<String, Vertex>,
    /// Of each node, its ports' names.
    ports: Vec<Vec<String>>,
    edges: Vec<Vec<(Option<u32>, Vertex)>>,
    /// What each output of the DAG reads.
    outputs: FxHashMap<String, Vec<(Vertex, u32)>>,
}

/// What a region's parameter stands for.
type Bound = FxHashMap<String, Vec<(Vertex, u32)>>;

impl Flow {
    pub fn of(dag: &Dag) -> Self {
        let mut flow = Self::default();
        let own = flow.body(&dag.nodes, "", &Bound::default(), &[]);
        for Output { name, input, .. } in &dag.outputs {
            let sources = sources(input, &own, &Bound::default());
            flow.outputs.insert(name.clone(), sources);
        }
        flow.by_id = flow.ids.iter().cloned().zip(0..).collect();
        flow
    }

    /// The path from `from`, a node or a port of one, to `to`, which may also be an output: the ids on the way. None
    /// where there is no path.
    ///
    /// # Errors
    /// The one of both that is not there.
    pub fn path<'n>(&self, from: &'n str, to: &'n str) -> Result<Option<Vec<&str>>, &'n str> {
        let (start, port) = self.named(from).ok_or(from)?;
        let goals: Vec<(Vertex, Option<u32>)> = match self.outputs.get(to) {
            Some(sources) => sources.iter().map(|(node, port)| (*node, Some(*port))).collect(),
            None => vec![self.named(to).map(|(node, _)| (node, None)).ok_or(to)?],
        };
        // An output that shows the port itself.
        let is_shown = |(node, read): &(Vertex, Option<u32>)| {
            *node == start && read.is_some() && (port.is_none() || *read == port)
        };
        if goals.iter().any(is_shown) {
            return Ok(Some(self.ids.get(start).map(String::as_str).into_iter().collect()));
        }
        let mut before: Vec<Option<Vertex>> = vec![None; self.ids.len()];
        let mut open: std::collections::VecDeque<Vertex> = [start].into();
        let mut is_first = true;
        while let Some(at) = open.pop_front() {
            for (carried, next) in self.edges.get(at).into_iter().flatten() {
                if is_first && port.is_some() && *carried != port {
                    continue;
                }
                if let Some(place) = before.get_mut(*next)
                    && place.is_none()
                    && *next != start
                {
                    *place = Some(at);
                    open.push_back(*next);
                }
            }
            is_first = false;
        }
        let goal = goals.iter().find(|(node, _)| before.get(*node).copied().flatten().is_some());
        Ok(goal.map(|(goal, _)| {
            let step = |at: &Vertex| before.get(*at).copied().flatten();
            let mut path: Vec<&str> = std::iter::successors(Some(*goal), step)
                .filter_map(|at| self.ids.get(at).map(String::as_str))
                .collect();
            path.reverse();
            path
        }))
    }

    /// All that may be asked about, each once; outputs where they may be, too. Ports come where one is asked for.
    pub fn names(&self, asked: &str, with_outputs: bool) -> Vec<String> {
        let outputs = self.outputs.keys().filter(|_| with_outputs);
        let mut names: Vec<String> = self.ids.iter().chain(outputs).cloned().collect();
        if asked.contains('.') {
            for (id, ports) in self.ids.iter().zip(&self.ports) {
                names.extend(ports.iter().map(|port| format!("{id}.{port}")).filter(|_| ports.len() > 1));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn named(&self, name: &str) -> Option<(Vertex, Option<u32>)> {
        if let Some(node) = self.by_id.get(name) {
            return Some((*node, None));
        }
        let (id, port) = name.rsplit_once('.')?;
        let node = *self.by_id.get(id)?;
        let port = self.ports.get(node)?.iter().position(|name| name == port)?;
        Some((node, u32::try_from(port).ok()))
    }

    /// Adds the nodes of a body; gives where each stands. `deciders` decide whether it is walked at all.
    fn body(
        &mut self,
        nodes: &[Node],
        scope: &str,
        bound: &Bound,
        deciders: &[(Vertex, u32)],
    ) -> Vec<Vertex> {
        let mut own = Vec::with_capacity(nodes.len());
        for node in nodes {
            let vertex = self.ids.len();
            let id = format!("{scope}{}", node.id);
            let inner_scope = format!("{scope}{}", node.scope());
            self.ids.push(id);
            self.ports.push(node.outputs.iter().map(|port| port.name.clone()).collect());
            self.edges.push(Vec::new());
            for (_, input) in &node.inputs {
                for (source, port) in sources(input, &own, bound) {
                    self.edge(source, Some(port), vertex);
                }
            }
            for after in &node.after {
                if let Some(source) = own.get(after.0 as usize).copied() {
                    self.edge(source, None, vertex);
                }
            }
            for (decider, port) in deciders {
                self.edge(*decider, Some(*port), vertex);
            }
            own.push(vertex);
            self.regions(node, vertex, &inner_scope, &own, bound);
        }
        own
    }

    fn regions(&mut self, node: &Node, vertex: Vertex, scope: &str, own: &[Vertex], bound: &Bound) {
        // By place, as `over` and `from` are bound to a first parameter of another name.
        let first = ["over", "from"].iter().find_map(|name| node.input(name));
        for (_, region) in node.kind.regions() {
            let mut inner = Bound::default();
            for (place, parameter) in region.parameters.iter().enumerate() {
                let input = match node.input(&parameter.name) {
                    None if place == 0 => first,
                    input => input,
                };
                let given = input.map(|input| sources(input, own, bound)).unwrap_or_default();
                inner.insert(parameter.name.clone(), given);
            }
            let decides = ["condition", "over"].iter().find_map(|name| node.input(name));
            let deciders = decides.map(|input| sources(input, own, bound)).unwrap_or_default();
            let nodes = self.body(&region.nodes, scope, &inner, &deciders);
            for output in &region.outputs {
                for (source, port) in sources(&output.input, &nodes, &inner) {
                    self.edge(source, Some(port), vertex);
                }
            }
        }
    }

    fn edge(&mut self, from: Vertex, port: Option<u32>, to: Vertex) {
        if let Some(edges) = self.edges.get_mut(from) {
            edges.push((port, to));
        }
    }
}

fn sources(input: &Input, own: &[Vertex], bound: &Bound) -> Vec<(Vertex, u32)> {
    let mut found = Vec::new();
    input.for_each_port(&mut |PortRef { node, port }| {
        found.extend(own.get(node.0 as usize).map(|vertex| (*vertex, port)));
    });
    input.for_each_parameter(&mut |name| found.extend(bound.get(name).into_iter().flatten().copied()));
    found
}
