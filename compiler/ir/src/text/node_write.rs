//! Nodes, their regions, and what they read.

use std::{
    collections::HashMap,
    fmt::{self, Write},
};

use super::{
    dag_write::{WIDTH, Writer, text},
    expr::{TypeScope, literal_type, write_expr},
    reference::{write_id, write_port},
    types::write_type,
    value::write_value,
    words::{write_name, write_path},
};
use crate::{
    dag::Output,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, Port, VALUE_PORT},
    region::Region,
    types::{Row, Type},
    value::Value,
};

/// What the nodes of the DAG, or of a region, refer to.
pub(super) struct Scope<'a> {
    nodes: &'a [Node],
    places: HashMap<&'a str, usize>,
    parameters: HashMap<&'a str, &'a Type>,
}

impl<'a> Scope<'a> {
    pub fn new(nodes: &'a [Node], parameters: impl Iterator<Item = (&'a str, &'a Type)>) -> Self {
        let places = nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
        Self { nodes, places, parameters: parameters.collect() }
    }

    fn node(&self, index: NodeIndex) -> Option<&'a Node> {
        self.nodes.get(index.0 as usize)
    }

    /// Of a port or a parameter.
    fn type_of(&self, input: &Input) -> Option<&'a Type> {
        match input {
            Input::Parameter(name) => self.parameters.get(name.as_str()).copied(),
            Input::Port(port) => Some(&self.node(port.node)?.outputs.get(port.port as usize)?.ty),
            _ => None,
        }
    }
}

impl Writer<'_> {
    pub(super) fn nodes(&self, out: &mut String, scope: &Scope<'_>) -> fmt::Result {
        for (index, node) in scope.nodes.iter().enumerate() {
            self.node(out, index, node, scope)?;
            out.write_char('\n')?;
        }
        Ok(())
    }

    pub(super) fn outputs(&self, out: &mut String, outputs: &[Output], scope: &Scope<'_>) -> fmt::Result {
        for output in outputs {
            out.write_str("output ")?;
            write_name(out, &output.name)?;
            out.write_str(": ")?;
            write_type(out, &output.ty, &self.rows)?;
            out.write_str(" = ")?;
            self.input(out, &output.input, &[], scope.nodes.len(), scope)?;
            out.write_char('\n')?;
        }
        Ok(())
    }

    fn node(&self, out: &mut String, index: usize, node: &Node, scope: &Scope<'_>) -> fmt::Result {
        let start = out.len();
        write_id(out, &node.id)?;
        out.write_str(" = ")?;
        let mut tail = String::new();
        self.tail(&mut tail, node, scope)?;
        match &node.kind {
            NodeKind::Expression(expr) => {
                self.expression(out, expr, &node.inputs, None, index, scope)?;
                return out.write_str(&tail);
            }
            NodeKind::Task(operator) => {
                let name = self.operator_names.get(operator).and_then(|index| self.operators.get(*index));
                out.write_str(name.map_or("", |(name, _)| name))?;
            }
            NodeKind::Workflow { name, .. } => {
                out.write_str("run workflow ")?;
                write_path(out, name)?;
            }
            kind => write!(out, "run {}", word(kind))?,
        }
        out.write_char('(')?;
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (place, (name, input)) in node.inputs.iter().enumerate() {
            let before = node.inputs.get(..place).unwrap_or_default();
            inputs.push(self.named(name, input, before, index, scope)?);
        }
        let length = inputs.iter().map(|input| input.len() + 2).sum::<usize>();
        let fits = out.len() - start + length - 1 <= WIDTH;
        if inputs.is_empty() || fits {
            out.write_str(&inputs.join(", "))?;
        } else {
            fill(out, &inputs)?;
        }
        out.write_char(')')?;
        if let NodeKind::Map { max, .. } | NodeKind::Loop { max, .. } = &node.kind {
            write!(out, " max {max}")?;
        }
        // Many ports get a line of their own.
        let line = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
        let breaks = line + tail.len() > WIDTH && tail.starts_with(" -> (");
        if breaks {
            out.write_str("\n   ")?;
        }
        out.write_str(&tail)?;
        node.kind.nested().into_iter().try_for_each(|(part, region)| self.region(out, part, region))
    }

    fn region(&self, out: &mut String, part: &str, region: &Region) -> fmt::Result {
        write!(out, "\n{part}(")?;
        self.ports(out, &region.parameters)?;
        out.write_str(") {\n")?;
        let parameters = region.parameters.iter().map(|parameter| (&*parameter.name, &parameter.ty));
        let scope = Scope::new(&region.nodes, parameters);
        let mut lines = String::new();
        self.nodes(&mut lines, &scope)?;
        self.outputs(&mut lines, &region.outputs, &scope)?;
        // Names and texts escape their line ends, so that each of these begins a line of the DAG's text.
        lines.lines().try_for_each(|line| writeln!(out, "    {line}"))?;
        out.write_char('}')
    }

    fn ports(&self, out: &mut String, ports: &[Port]) -> fmt::Result {
        for (index, port) in ports.iter().enumerate() {
            out.write_str(if index == 0 { "" } else { ", " })?;
            write_name(out, &port.name)?;
            out.write_str(": ")?;
            write_type(out, &port.ty, &self.rows)?;
        }
        Ok(())
    }

    /// What stands behind a call.
    fn tail(&self, out: &mut String, node: &Node, scope: &Scope<'_>) -> fmt::Result {
        if !node.after.is_empty() {
            out.write_str(" after (")?;
            for (index, after) in node.after.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { ", " })?;
                write_id(out, scope.node(*after).map_or("", |node| &node.id))?;
            }
            out.write_char(')')?;
        }
        out.write_str(" -> ")?;
        let single = match node.outputs.as_slice() {
            [port] if port.name == VALUE_PORT => {
                Some(text(|out| write_type(out, &port.ty, &self.rows))).filter(|ty| !ty.starts_with('('))
            }
            _ => None,
        };
        match single {
            Some(ty) => out.write_str(&ty)?,
            None => {
                out.write_char('(')?;
                self.ports(out, &node.outputs)?;
                out.write_char(')')?;
            }
        }
        let policy = node.policy.changed();
        if !policy.is_empty() {
            out.write_str(" with (")?;
            for (index, (key, value)) in policy.iter().enumerate() {
                write!(out, "{}{key}: ", if index == 0 { "" } else { ", " })?;
                match value {
                    Value::Text(word) if *key != "pool" => out.write_str(word)?,
                    value => write_value(out, value)?,
                }
            }
            out.write_char(')')?;
        }
        if node.effect {
            out.write_str(" effect")?;
        }
        match (node.deterministic, is_deterministic(node)) {
            (true, false) => out.write_str(" deterministic"),
            (false, true) => out.write_str(" indeterministic"),
            _ => Ok(()),
        }
    }

    fn named(
        &self,
        name: &str,
        input: &Input,
        before: &[(String, Input)],
        index: usize,
        scope: &Scope<'_>,
    ) -> Result<String, fmt::Error> {
        let mut text = String::new();
        write_name(&mut text, name)?;
        text.write_str(": ")?;
        self.input(&mut text, input, before, index, scope)?;
        Ok(text)
    }

    /// Writes an input of the node at `index`; `before` are those of its inputs that come first.
    fn input(
        &self,
        out: &mut String,
        input: &Input,
        before: &[(String, Input)],
        index: usize,
        scope: &Scope<'_>,
    ) -> fmt::Result {
        match input {
            Input::Constant(value) => write_value(out, value),
            Input::Parameter(name) => {
                out.write_char('$')?;
                write_name(out, name)
            }
            Input::Port(port) => {
                let node = scope.node(port.node);
                let name = node.and_then(|node| node.outputs.get(port.port as usize));
                write_port(
                    out,
                    node.map_or("", |node| &node.id),
                    name.map_or("", |port| &port.name),
                    |id, port| {
                        let place = scope.places.get(id).copied().filter(|place| *place < index);
                        place
                            .and_then(|place| scope.nodes.get(place))
                            .is_some_and(|node| node.port(port).is_some())
                    },
                )
            }
            Input::Expression { expr, bindings } => {
                let row = row_of(before, |input| scope.type_of(input));
                self.expression(out, expr, bindings, row, index, scope)
            }
            Input::List(inputs) => {
                // Without the word it would be read as one constant.
                if inputs.iter().all(|input| matches!(input, Input::Constant(_))) {
                    out.write_str("inputs ")?;
                }
                out.write_char('[')?;
                for (place, input) in inputs.iter().enumerate() {
                    out.write_str(if place == 0 { "" } else { ", " })?;
                    self.input(out, input, before, index, scope)?;
                }
                out.write_char(']')
            }
            Input::Record(fields) => {
                if fields.iter().all(|(_, input)| matches!(input, Input::Constant(_))) {
                    out.write_str("inputs ")?;
                }
                out.write_char('(')?;
                for (place, (name, input)) in fields.iter().enumerate() {
                    out.write_str(if place == 0 { "" } else { ", " })?;
                    out.write_str(&self.named(name, input, before, index, scope)?)?;
                }
                out.write_char(')')
            }
        }
    }

    /// `{ let limit = $limit; .fare > limit }`
    fn expression(
        &self,
        out: &mut String,
        expr: &crate::expr::Expr,
        bindings: &[(String, Input)],
        row: Option<&Row>,
        index: usize,
        scope: &Scope<'_>,
    ) -> fmt::Result {
        out.write_str("{ ")?;
        let mut types = TypeScope { row, parameters: Vec::with_capacity(bindings.len()) };
        for (name, input) in bindings {
            out.write_str("let ")?;
            write_name(out, name)?;
            out.write_str(" = ")?;
            self.input(out, input, &[], index, scope)?;
            out.write_str("; ")?;
            let ty = bound_type(input, |input| scope.type_of(input));
            types.parameters.extend(ty.map(|ty| (name.as_str(), ty)));
        }
        write_expr(out, expr, &types, &self.rows)?;
        out.write_str(" }")
    }
}

/// The row that a node's expressions speak of: that of the first table among the inputs so far. `type_of` knows
/// ports and parameters.
pub(super) fn row_of<'a>(
    inputs: &[(String, Input)],
    type_of: impl Fn(&Input) -> Option<&'a Type>,
) -> Option<&'a Row> {
    inputs.iter().find_map(|(_, input)| match type_of(input)?.present() {
        Type::Dataset(row) => Some(row),
        _ => None,
    })
}

/// The type of what an expression's parameter is bound to, where the text tells.
pub(super) fn bound_type<'a>(input: &Input, type_of: impl Fn(&Input) -> Option<&'a Type>) -> Option<Type> {
    match input {
        Input::Constant(value) => Some(literal_type(value)),
        input => type_of(input).cloned(),
    }
}

/// The word behind `run` for a node that is no task.
pub(super) fn word(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Conditional { .. } => "if",
        NodeKind::Map { .. } => "for",
        NodeKind::Loop { .. } => "while",
        kind => kind.name(),
    }
}

/// What a node is where its text says nothing else.
pub(super) fn is_deterministic(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Task(operator) => operator.place == OperatorPlace::Native && !node.effect,
        NodeKind::Expression(_) | NodeKind::Pass => true,
        NodeKind::Wait | NodeKind::WaitFor => false,
        kind => kind.nested().iter().all(|(_, region)| region.is_deterministic()),
    }
}

/// Items on lines of their own, as many on each as fit.
pub(super) fn fill(out: &mut String, items: &[String]) -> fmt::Result {
    let mut used = WIDTH;
    for item in items {
        if used + item.len() + 2 > WIDTH {
            out.write_str("\n    ")?;
            used = 4;
        } else {
            out.write_char(' ')?;
        }
        write!(out, "{item},")?;
        used += item.len() + 2;
    }
    out.write_char('\n')
}
