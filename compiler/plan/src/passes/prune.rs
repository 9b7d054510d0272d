//! Takes out the nodes that reach no output and have no effect.

use flow_ir::{
    dag::Dag,
    node::{Input, Node, NodeIndex, NodeKind, PortRef},
};
use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::body::Body;

/// A node that nothing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Within regions after the nodes that run these: `nightly/clean`, `days[]/load`.
    pub id: String,
    pub op: String,
    /// Where its call stands: byte offsets in the file of the DAG's origin.
    pub span: Option<(u32, u32)>,
}

impl std::fmt::Display for Pruned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ({}) reaches no output and has no effect: it is left out", self.id, self.op)
    }
}

impl Pruned {
    /// The warning, at the node's call; `None` where no text is known.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let (start, end) = self.span?;
        let warning = Diagnostic::warning(code::UNUSED, Span::new(start, end), self.to_string());
        Some(warning.help("give it out, or leave the call out"))
    }
}

/// The DAG without them, and what they were, in order.
///
/// A port of a conditional or a workflow that nothing reads goes too, with all that only it needed: that is no
/// mistake of the text's, and is not told.
pub fn prune(mut dag: Dag) -> (Dag, Vec<Pruned>) {
    let mut body = Body::of(&mut dag);
    let pruned = Pruning { leaves_ports: true }.prune(&mut body, "");
    if body.nodes.iter().any(|node| !node.kind.regions().is_empty()) {
        Pruning { leaves_ports: false }.prune(&mut body, "");
    }
    body.give_back(&mut dag);
    (dag, pruned)
}

struct Pruning {
    leaves_ports: bool,
}

impl Pruning {
    /// Prunes from the inside out; `scope` stands before the ids of what is told.
    fn prune(&self, body: &mut Body, scope: &str) -> Vec<Pruned> {
        let mut needs = Needs { nodes: vec![false; body.nodes.len()], ports: FxHashSet::default() };
        body.outputs.iter().for_each(|output| needs.input(&output.input));
        let mut ports = FxHashMap::default();
        // In the order of the text it is the other way round.
        let mut told: Vec<Vec<Pruned>> = Vec::new();
        // A node stands behind those it depends on, so that one walk from the end sees every reason first.
        for index in (0..body.nodes.len()).rev() {
            let Some((node, place)) = body.nodes.get_mut(index).zip(body.places.get(index)) else { continue };
            if !node.effect && !needs.nodes.get(index).copied().unwrap_or(false) {
                let span = body.has_spans.then_some(place.span);
                told.push(vec![Pruned { id: format!("{scope}{}", node.id), op: node.op().to_owned(), span }]);
                continue;
            }
            needs.node(NodeIndex(u32::try_from(index).unwrap_or(u32::MAX)));
            if !node.kind.regions().is_empty() {
                if !self.leaves_ports {
                    drop_ports(node, index, &needs.ports, &mut ports);
                }
                let scope = scope.to_owned() + &node.scope();
                let mut inside = Vec::new();
                body.regions_of(index, |region| inside.append(&mut self.prune(region, &scope)));
                told.push(inside);
                if let Some(node) = body.nodes.get_mut(index) {
                    drop_unread(node);
                    node.deterministic =
                        node.kind.regions().iter().all(|(_, region)| region.is_deterministic());
                }
            }
            if let Some(node) = body.nodes.get(index) {
                node.inputs.iter().for_each(|(_, input)| needs.input(input));
                node.after.iter().for_each(|node| needs.node(*node));
            }
        }
        body.renumber_ports(&ports);
        if needs.nodes.contains(&false) {
            let stands_for =
                needs.nodes.iter().enumerate().map(|(index, needed)| {
                    needed.then(|| NodeIndex(u32::try_from(index).unwrap_or(u32::MAX)))
                });
            body.keep(&stands_for.collect::<Vec<_>>());
        }
        told.into_iter().rev().flatten().collect()
    }
}

/// What is read, and what is waited for.
struct Needs {
    nodes: Vec<bool>,
    ports: FxHashSet<PortRef>,
}

impl Needs {
    fn node(&mut self, index: NodeIndex) {
        if let Some(needed) = self.nodes.get_mut(index.0 as usize) {
            *needed = true;
        }
    }

    fn input(&mut self, input: &Input) {
        input.for_each_port(&mut |port| {
            self.node(port.node);
            self.ports.insert(port);
        });
    }
}

/// Takes the ports away that nothing reads; all stay where none is read, but waited for.
fn drop_ports(
    node: &mut Node,
    index: usize,
    read: &FxHashSet<PortRef>,
    ports: &mut FxHashMap<NodeIndex, Vec<u32>>,
) {
    if !matches!(node.kind, NodeKind::Conditional { .. } | NodeKind::Workflow { .. }) {
        return;
    }
    let index = NodeIndex(u32::try_from(index).unwrap_or(u32::MAX));
    let is_read: Vec<bool> =
        (0..).take(node.outputs.len()).map(|port| read.contains(&PortRef { node: index, port })).collect();
    if is_read.iter().all(|is_read| *is_read) || is_read.iter().all(|is_read| !is_read) {
        return;
    }
    let mut kept = 0;
    let places = is_read.iter().map(|is_read| {
        kept += u32::from(*is_read);
        kept.saturating_sub(1)
    });
    ports.insert(index, places.collect());
    let mut kept = is_read.iter();
    node.outputs.retain(|_| kept.next().copied().unwrap_or(true));
    for region in node.kind.nested_mut() {
        region.outputs.retain(|output| node.outputs.iter().any(|port| port.name == output.name));
    }
}

/// Takes the parameters of its regions away that these do not read, and the inputs that were for them alone.
fn drop_unread(node: &mut Node) {
    let (own, bound) = match node.kind {
        NodeKind::Conditional { .. } => (Some("condition"), 0),
        NodeKind::Map { .. } => (Some("over"), 1),
        NodeKind::Loop { .. } => (Some("from"), 1),
        _ => (None, 0),
    };
    let mut read_by_any = FxHashSet::default();
    for region in node.kind.nested_mut() {
        let mut read = FxHashSet::default();
        let inputs = region.nodes.iter().flat_map(|node| &node.inputs).map(|(_, input)| input);
        for input in inputs.chain(region.outputs.iter().map(|output| &output.input)) {
            input.for_each_parameter(&mut |name| {
                read.insert(name.to_owned());
            });
        }
        let mut place = 0;
        region.parameters.retain(|parameter| {
            place += 1;
            place <= bound || read.contains(&parameter.name)
        });
        read_by_any.extend(read);
    }
    node.inputs.retain(|(name, _)| Some(name.as_str()) == own || read_by_any.contains(name));
}
