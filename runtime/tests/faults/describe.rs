//! A plan in words, for whoever reads of a seed that failed.

use std::fmt;

use flow_ir::policy::OnFailure;
use flow_runtime::schedule::Machine;

use crate::plan::{Plan, Size};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, memory, gpus, pools } = &self.machine;
        let gpus = gpus.len();
        writeln!(
            f,
            "{cores} cores, {memory} bytes, {gpus} GPUs, {pools:?}; for {} happenings: {:?}",
            self.troubled, self.faults
        )?;
        for (at, node) in self.nodes.iter().enumerate() {
            write!(f, "  n{at}: {} µs, cpu {}, memory {}", node.duration, node.cpu, node.memory)?;
            let list = |list: &[usize]| list.iter().map(|at| format!("n{at}")).collect::<Vec<_>>().join(" ");
            if !node.inputs.is_empty() {
                write!(f, ", reads {}", list(&node.inputs))?;
            }
            if !node.after.is_empty() {
                write!(f, ", after {}", list(&node.after))?;
            }
            for (is_it, word) in [
                (node.is_expression, "expression"),
                (node.is_effect, "effect"),
                (node.size == Size::Small, "small"),
                (node.size == Size::Large, "large"),
                (node.gpu > 0, "gpu"),
                (node.is_pooled, "pool"),
                (node.is_output, "output"),
                (node.is_broken, "broken"),
                (!node.cache, "cache: off"),
            ] {
                if is_it {
                    write!(f, ", {word}")?;
                }
            }
            if let Some(control) = node.control {
                write!(f, ", {control:?}")?;
            }
            if let Some(inner) = node.inner {
                write!(f, " with {inner:?} within")?;
            }
            if let Some(timeout) = node.timeout {
                write!(f, ", timeout {timeout} µs")?;
            }
            if node.retry > 0 {
                write!(f, ", retry {} backoff {} µs", node.retry, node.backoff)?;
            }
            if node.on_failure != OnFailure::CancelDependents {
                write!(f, ", on_failure {}", node.on_failure.name())?;
            }
            if node.priority != 0 {
                write!(f, ", priority {}", node.priority)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
