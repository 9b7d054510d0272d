//! Words for people.

use std::fmt;

use flow_ir::{
    node::{Node, NodeKind, OperatorPlace},
    policy::{Device, Policy},
    text::bytes,
};
use flow_plan::passes::{self, Placement};

use crate::{facts::Facts, watch::text::plain};

/// `1 file`, `2 files`
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// That a node is a step of a query, which has its result and whatever else there is of it.
pub fn step_of(node: &str, query: &str) -> String {
    format!("`{node}` is a step of the query `{query}`")
}

/// Who runs a node, on what, and with how much of it set aside. Its text is one for people: `cpu`, `4 cores`,
/// `python · 2 gpus · 8 GiB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// `native`, `python`, `command`; `engine` for what is no operator.
    pub runner: &'static str,
    pub placement: Placement,
    node: &'a Node,
}

pub fn place(node: &Node) -> Place<'_> {
    let runner = match &node.kind {
        NodeKind::Task(operator) => match operator.place {
            OperatorPlace::Native => "native",
            OperatorPlace::Python(_) => "python",
            OperatorPlace::Command(_) => "command",
        },
        NodeKind::Query { .. } => "native",
        _ => "engine",
    };
    Place { runner, placement: passes::place(node, &Facts::of_operators()), node }
}

impl Place<'_> {
    /// `cpu`, `gpu`; nothing for what computes nothing itself.
    pub fn device(&self) -> Option<&'static str> {
        self.placement.device.map(|device| if device == Device::Gpu { "gpu" } else { "cpu" })
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, usual) = (&self.node.policy, Policy::default());
        let own = match &self.node.kind {
            NodeKind::Wait => Some("waits"),
            NodeKind::WaitFor => Some("waits for a signal"),
            kind if !kind.regions().is_empty() => Some("runs others"),
            _ => None,
        };
        if let Some(own) = own {
            return f.write_str(own);
        }
        let mut parts = Vec::new();
        if ["python", "command"].contains(&self.runner) {
            parts.push(self.runner.to_owned());
        }
        match (self.placement.gpus, self.device()) {
            (0, Some("gpu")) | (1, _) => parts.push("gpu".to_owned()),
            (0, _) => {}
            (several, _) => parts.push(format!("{several} gpus")),
        }
        if policy.cpu > 1 {
            parts.push(format!("{} cores", policy.cpu));
        }
        if parts.is_empty() {
            parts.push("cpu".to_owned());
        }
        if policy.memory != usual.memory {
            parts.push(bytes(policy.memory));
        }
        if let Some(memory) = policy.gpu_memory {
            parts.push(format!("{} on the gpu", bytes(memory)));
        }
        if let Some(pool) = &policy.pool {
            parts.push(format!("pool {}", plain(pool)));
        }
        f.write_str(&parts.join(" · "))
    }
}
