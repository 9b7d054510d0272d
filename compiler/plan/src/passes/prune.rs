//! Takes out the nodes that reach no output and have no effect.

use flow_ir::{dag::Dag, node::NodeIndex};
use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

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

impl Pruned {
    /// The warning, at the node's call; `None` where no text is known.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let (start, end) = self.span?;
        let warning = Diagnostic::warning(code::UNUSED, Span::new(start, end), self.to_string());
        Some(warning.help("give it out, or leave the call out"))
    }
}

/// The DAG without them, and what they were, in order.
pub fn prune(dag: Dag) -> (Dag, Vec<Pruned>) {
    let is_needed = needed(&dag);
    let pruned = told(&dag, &is_needed);
    if pruned.is_empty() {
        return (dag, pruned);
    }
    let stands_for: Vec<Option<NodeIndex>> =
        is_needed.iter().enumerate().map(|(index, needed)| needed.then(|| place(index))).collect();
    (keep(dag, &stands_for), pruned)
}

/// What [`prune`] would take out.
pub fn useless(dag: &Dag) -> Vec<Pruned> {
    told(dag, &needed(dag))
}

/// For each node, whether an output or an effect needs it.
fn needed(dag: &Dag) -> Vec<bool> {
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
    is_needed
}

fn told(dag: &Dag, is_needed: &[bool]) -> Vec<Pruned> {
    let spans = dag.origin.as_ref().map_or(&[][..], |origin| &origin.spans);
    let useless = dag.nodes.iter().zip(is_needed).enumerate().filter(|(_, (_, needed))| !**needed);
    useless
        .map(|(index, (node, _))| Pruned {
            id: node.id.clone(),
            op: node.op().to_owned(),
            span: spans.get(index).copied(),
        })
        .collect()
}

fn place(index: usize) -> NodeIndex {
    NodeIndex(u32::try_from(index).unwrap_or(u32::MAX))
}
