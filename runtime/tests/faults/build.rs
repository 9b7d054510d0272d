//! The DAG of a plan.

use flow_ir::{
    dag::{Dag, Output},
    expr::{Expr, ExprKind, Function},
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, PortRef},
    policy::Policy,
    types::Type,
    value::Value,
};

use crate::{
    plan::{NodePlan, OP, POOL, Plan},
    region,
};

impl Plan {
    pub fn dag(&self) -> Dag {
        let nodes: Vec<Node> = self.nodes.iter().enumerate().map(|(at, node)| node.build(self, at)).collect();
        let outputs = self.nodes.iter().enumerate().filter(|(_, node)| node.is_output);
        let outputs = outputs.map(|(at, _)| Output {
            name: format!("out{at}"),
            ty: nodes[at].outputs[0].ty.clone(),
            input: port(at),
        });
        Dag {
            workflow: "faults".into(),
            parameters: Vec::new(),
            outputs: outputs.collect(),
            nodes,
            origin: None,
        }
    }
}

impl NodePlan {
    fn build(&self, plan: &Plan, at: usize) -> Node {
        let names = (0..).map(|place| format!("in{place}"));
        let mut inputs: Vec<(String, Input)> =
            names.zip(&self.inputs).map(|(name, input)| (name, port(*input))).collect();
        let kind = if let Some(control) = self.control {
            region::build(control, plan, at, &mut inputs)
        } else if self.is_expression {
            let operand = |name: &String| Expr { kind: ExprKind::Parameter(name.clone()), ty: Type::Int };
            let sum = inputs.iter().map(|(name, _)| operand(name)).reduce(|left, right| Expr {
                kind: ExprKind::Call { function: Function::Add, args: vec![left, right] },
                ty: Type::Int,
            });
            NodeKind::Expression(sum.unwrap())
        } else {
            inputs.extend(constants(plan, at, 0));
            NodeKind::Task(operator())
        };
        Node {
            id: format!("n{at}"),
            kind,
            inputs,
            after: self.after.iter().map(|at| NodeIndex(*at as u32)).collect(),
            outputs: region::ports(self.control, plan.ty(at)),
            policy: Policy {
                cpu: self.cpu,
                memory: self.memory,
                gpu: self.gpu,
                pool: self.is_pooled.then(|| POOL.to_owned()),
                timeout: self.timeout,
                retry: self.retry,
                backoff: self.backoff,
                on_failure: self.on_failure,
                cache: self.cache,
                priority: self.priority,
                ..Policy::default()
            },
            // With regions, it is the last node in them that has it.
            effect: self.is_effect && self.control.is_none(),
            deterministic: true,
        }
    }
}

/// What tells calls of the operator apart: the node, and `part` of its regions; what other seeds make must not be
/// taken for what this one does.
pub fn constants(plan: &Plan, at: usize, part: usize) -> [(String, Input); 2] {
    let constant = |number: i64| Input::Constant(Value::Int(number));
    [("node".into(), constant((at * PARTS + part) as i64)), ("seed".into(), constant(plan.seed as i64))]
}

/// A node, and those in its regions.
pub const PARTS: usize = 4;

pub fn operator() -> OperatorRef {
    OperatorRef {
        name: OP.into(),
        version: 1,
        signature: Hash::of(OP.as_bytes()),
        place: OperatorPlace::Native,
    }
}

fn port(at: usize) -> Input {
    Input::Port(PortRef { node: NodeIndex(at as u32), port: 0 })
}
