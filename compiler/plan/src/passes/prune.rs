//! Takes out the nodes that reach no output and have no effect.

use flow_ir::{dag::Dag, node::NodeIndex};

use super::keep::keep;

/// A node that nothing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
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

/// The DAG without them, and what they were, in order.
pub fn prune(dag: &Dag) -> (Dag, Vec<Pruned>) {
    let mut is_needed = vec![false; dag.nodes.len()];
    let need = |is_needed: &mut Vec<bool>, index: NodeIndex| {
        if let Some(needed) = is_needed.get_mut(index.0 as usize) {
            *needed = true;
        }
    };
    for output in &dag.outputs {
        output.input.for_each_port(&mut |port| need(&mut is_needed, port.node));
    }
    // A node stands behind those it depends on, so that one walk from the end sees every reason first.
    for (index, node) in dag.nodes.iter().enumerate().rev() {
        if node.effect {
            need(&mut is_needed, place(index));
        }
        if is_needed.get(index).copied().unwrap_or(false) {
            node.for_each_dependency(|dependency| need(&mut is_needed, dependency));
        }
    }
    let spans = dag.origin.as_ref().map_or(&[][..], |origin| &origin.spans);
    let mut pruned = Vec::new();
    let mut stands_for = Vec::with_capacity(dag.nodes.len());
    for (index, (node, needed)) in dag.nodes.iter().zip(is_needed).enumerate() {
        stands_for.push(needed.then(|| place(index)));
        if !needed {
            let span = spans.get(index).copied();
            pruned.push(Pruned { id: node.id.clone(), op: node.op().to_owned(), span });
        }
    }
    if pruned.is_empty() { (dag.clone(), pruned) } else { (keep(dag, &stands_for), pruned) }
}

fn place(index: usize) -> NodeIndex {
    NodeIndex(u32::try_from(index).unwrap_or(u32::MAX))
}
