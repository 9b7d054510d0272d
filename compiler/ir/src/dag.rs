//! A workflow with its parameters bound: nodes, and what comes out.

use crate::{
    expr::{Expr, ExprKind},
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind},
    types::Type,
    value::Value,
};

/// A directed acyclic graph. Every node stands after those it depends on.
#[derive(Clone, Debug)]
pub struct Dag {
    /// With its module: `iris.iris`.
    pub workflow: String,
    pub parameters: Vec<Parameter>,
    pub nodes: Vec<Node>,
    pub outputs: Vec<Output>,
    /// Where it came from. No part of equality, golden files or diffs.
    pub origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    pub name: String,
    pub ty: Type,
    pub default: Option<Value>,
    /// What it is bound to. A Dataset's value is the File it is read from.
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    pub name: String,
    pub ty: Type,
    pub input: Input,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source file, relative to the project.
    pub file: String,
    /// Of the source's text.
    pub source: Option<Hash>,
    pub doc: Option<String>,
    /// Parameters' documentation, by name.
    pub parameters: Vec<(String, String)>,
    /// Where each node's call stands: byte offsets in `file`. For all nodes or none; behind a node those of its
    /// regions.
    pub spans: Vec<(u32, u32)>,
}

impl PartialEq for Dag {
    fn eq(&self, other: &Self) -> bool {
        self.workflow == other.workflow
            && self.parameters == other.parameters
            && self.nodes == other.nodes
            && self.outputs == other.outputs
    }
}

impl Eq for Dag {}

impl Dag {
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.0 as usize)
    }

    /// Calls `visit` with every node, those of regions and the steps of queries behind the one that has them.
    pub fn for_each_node<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        fn walk<'a>(nodes: &'a [Node], visit: &mut impl FnMut(&'a Node)) {
            for node in nodes {
                visit(node);
                for (_, region) in node.kind.nested() {
                    walk(&region.nodes, visit);
                }
            }
        }
        walk(&self.nodes, visit);
    }

    /// Calls `visit` with every constant that the DAG holds, those of regions and of expressions too: what its
    /// parameters are bound to (not their defaults), what is given to nodes and outputs. Lists and records come whole.
    pub fn for_each_constant_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        for parameter in &mut self.parameters {
            visit(&mut parameter.value);
        }
        constants_of_body(&mut self.nodes, &mut self.outputs, visit);
    }

    /// The node of that id.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        self.nodes
            .iter()
            .position(|node| node.id == id)
            .and_then(|index| u32::try_from(index).ok())
            .map(NodeIndex)
    }
}

fn constants_of_body(nodes: &mut [Node], outputs: &mut [Output], visit: &mut impl FnMut(&mut Value)) {
    for node in nodes {
        for (_, input) in &mut node.inputs {
            constants_of_input(input, visit);
        }
        if let NodeKind::Expression(expr) = &mut node.kind {
            constants_of_expr(expr, visit);
        }
        for region in node.kind.nested_mut() {
            constants_of_body(&mut region.nodes, &mut region.outputs, visit);
        }
    }
    for output in outputs {
        constants_of_input(&mut output.input, visit);
    }
}

fn constants_of_input(input: &mut Input, visit: &mut impl FnMut(&mut Value)) {
    match input {
        Input::Constant(value) => visit(value),
        Input::List(inputs) => inputs.iter_mut().for_each(|input| constants_of_input(input, visit)),
        Input::Record(inputs) => inputs.iter_mut().for_each(|(_, input)| constants_of_input(input, visit)),
        Input::Expression { expr, bindings } => {
            constants_of_expr(expr, visit);
            bindings.iter_mut().for_each(|(_, input)| constants_of_input(input, visit));
        }
        Input::Parameter(_) | Input::Port(_) => {}
    }
}

fn constants_of_expr(expr: &mut Expr, visit: &mut impl FnMut(&mut Value)) {
    match &mut expr.kind {
        ExprKind::Literal(value) => visit(value),
        ExprKind::Call { args, .. } => args.iter_mut().for_each(|arg| constants_of_expr(arg, visit)),
        ExprKind::Cast(operand) => constants_of_expr(operand, visit),
        ExprKind::Case { arms, otherwise } => {
            for (condition, value) in arms {
                constants_of_expr(condition, visit);
                constants_of_expr(value, visit);
            }
            constants_of_expr(otherwise, visit);
        }
        ExprKind::Column(_) | ExprKind::Parameter(_) => {}
    }
}
