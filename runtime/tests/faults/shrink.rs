//! Plans that have less of what one has: a seed that fails is told by the smallest that fails alike.

use flow_ir::policy::OnFailure;

use crate::plan::{Control, NodePlan, Plan, Size, gives_number};

impl Plan {
    /// Plans that have less of what this one has, the smallest first.
    pub fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for at in (0..self.nodes.len()).rev() {
            smaller.push(self.without(at));
        }
        for fault in &self.faults {
            let faults = self.faults.iter().copied().filter(|other| other != fault).collect();
            smaller.push(Self { faults, ..self.clone() });
        }
        if self.troubled > 1 {
            smaller.push(Self { troubled: self.troubled / 2, ..self.clone() });
            smaller.push(Self { troubled: self.troubled - 1, ..self.clone() });
        }
        for at in 0..self.nodes.len() {
            let mut change = |simpler: fn(&mut NodePlan)| {
                let mut plan = self.clone();
                simpler(&mut plan.nodes[at]);
                if plan.nodes[at] != self.nodes[at] {
                    smaller.push(plan);
                }
            };
            change(|node| node.is_effect = false);
            change(|node| node.control = node.control.and_then(Control::less));
            change(|node| node.inner = node.inner.and_then(Control::less));
            change(|node| node.size = Size::Short);
            change(|node| node.is_output = false);
            change(|node| node.is_broken = false);
            change(|node| node.timeout = None);
            change(|node| node.retry = 0);
            change(|node| node.backoff = 0);
            change(|node| node.on_failure = OnFailure::CancelDependents);
            change(|node| node.cache = false);
            change(|node| node.after.truncate(node.after.len().saturating_sub(1)));
            change(|node| {
                if node.inputs.len() > usize::from(node.is_expression) {
                    node.inputs.pop();
                }
            });
            change(|node| (node.cpu, node.memory, node.gpu, node.priority) = (1, 0, 0, 0));
            change(|node| node.is_pooled = false);
        }
        smaller.into_iter().map(Self::settle).collect()
    }

    /// What is summed is a number still.
    fn settle(mut self) -> Self {
        for at in 0..self.nodes.len() {
            let inputs = &self.nodes[at].inputs;
            let is_sum = !inputs.is_empty() && inputs.iter().all(|input| gives_number(&self.nodes, *input));
            self.nodes[at].is_expression &= is_sum;
        }
        self
    }

    fn without(&self, gone: usize) -> Self {
        let mut plan = self.clone();
        plan.nodes.remove(gone);
        for node in &mut plan.nodes {
            for list in [&mut node.inputs, &mut node.after] {
                list.retain(|at| *at != gone);
                list.iter_mut().filter(|at| **at > gone).for_each(|at| *at -= 1);
            }
        }
        plan
    }
}

impl Control {
    /// One that is simpler.
    fn less(self) -> Option<Self> {
        match self {
            Self::Map(count @ 1..) => Some(Self::Map(count - 1)),
            Self::Loop(count @ 1..) => Some(Self::Loop(count - 1)),
            _ => None,
        }
    }
}
