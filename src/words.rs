//! Words for people.

use flow_ir::node::{Node, NodeKind, OperatorPlace};

/// `1 file`, `2 files`
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// That a node is a step of a query, which has its result and whatever else there is of it.
pub fn step_of(node: &str, query: &str) -> String {
    format!("`{node}` is a step of the query `{query}`")
}

/// In which kind of place a node runs, and with how much of it: `cpu`, `4 cores`, `python · gpu`.
pub fn place(node: &Node) -> String {
    let mut parts = Vec::new();
    match &node.kind {
        NodeKind::Task(operator) => match operator.place {
            OperatorPlace::Native => {}
            OperatorPlace::Python(_) => parts.push("python".to_owned()),
            OperatorPlace::Command(_) => parts.push("command".to_owned()),
        },
        NodeKind::Wait => return "waits".to_owned(),
        NodeKind::WaitFor => return "waits for a signal".to_owned(),
        NodeKind::Conditional { .. }
        | NodeKind::Map { .. }
        | NodeKind::Loop { .. }
        | NodeKind::Workflow { .. } => {
            return "runs others".to_owned();
        }
        NodeKind::Expression(_) | NodeKind::Pass | NodeKind::Query { .. } => {}
    }
    match node.policy.gpu {
        0 => {}
        1 => parts.push("gpu".to_owned()),
        several => parts.push(format!("{several} gpus")),
    }
    match node.policy.cpu {
        0 | 1 if parts.is_empty() => parts.push("cpu".to_owned()),
        0 | 1 => {}
        several => parts.push(format!("{several} cores")),
    }
    parts.join(" · ")
}
