//! The compact text of a DAG, for people and golden files.
//!
//! ```text
//! dag iris.iris
//!
//! row data { sepal_length: Float, … }
//!
//! param data: Dataset<data> = file"iris.csv"
//! param share: Fraction = 0.8 (default 0.7)
//!
//! data = std.data.csv(path: $data, delimiter: ",") -> Dataset<data>
//! split = std.data.split(data: data, share: $share, seed: 7) -> (train: Dataset<data>, test: Dataset<data>)
//! model = std.tree.gbdt(data: split.train, trees: 100) -> Classifier<data> with (cpu: 2)
//!
//! output model: Classifier<data> = model
//!
//! op std.data.csv version 1 signature …
//! ```
//!
//! Long rows are named once, and a long record that has a name is spelled out once:
//! `record std.metrics.Report { … }`. `$share` is a parameter, `split.train` a port, `{ .a > 0.5 }` an
//! expression. A policy shows the keys that differ from the default; `effect` and `deterministic`
//! (or `indeterministic`) are shown where they differ from what the operator's place suggests. The
//! operators with their versions stand at the end. The origin is no part of the text.

use std::{
    collections::HashMap,
    fmt::{self, Write},
};

use super::{
    expr::{TypeScope, literal_type, write_expr},
    reference::{write_id, write_port},
    types::{NoRows, write_column, write_field, write_type},
    value::write_value,
    words::{write_name, write_path, write_text},
};
use crate::{
    dag::Dag,
    node::{CommandWord, Input, Node, NodeKind, OperatorPlace, OperatorRef, PortRef, VALUE_PORT},
    rows::RowTable,
    types::{Row, Type},
    value::Value,
};

/// Lines are broken past it, where they can be.
const WIDTH: usize = 100;

impl Dag {
    /// The DAG's text; the same DAG gives the same bytes.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        Writer::new(self).dag(&mut text).unwrap_or_default();
        text
    }
}

/// The row that a node's expressions speak of: that of the first table among the inputs so far.
pub(crate) fn row_of<'a>(
    inputs: &[(String, Input)],
    port_type: impl Fn(PortRef) -> Option<&'a Type>,
) -> Option<&'a Row> {
    inputs.iter().find_map(|(_, input)| match input {
        Input::Port(port) => match port_type(*port)?.present() {
            Type::Dataset(row) => Some(row),
            _ => None,
        },
        _ => None,
    })
}

/// The type of what an expression's parameter is bound to, where the text tells.
pub(crate) fn bound_type<'a>(
    input: &Input,
    port_type: impl Fn(PortRef) -> Option<&'a Type>,
    parameter_type: impl Fn(&str) -> Option<&'a Type>,
) -> Option<Type> {
    match input {
        Input::Constant(value) => Some(literal_type(value)),
        Input::Parameter(name) => parameter_type(name).cloned(),
        Input::Port(port) => port_type(*port).cloned(),
        Input::Expression { .. } | Input::List(_) | Input::Record(_) => None,
    }
}

struct Writer<'a> {
    dag: &'a Dag,
    rows: RowTable,
    nodes: HashMap<&'a str, usize>,
    parameters: HashMap<&'a str, &'a Type>,
    /// The operators with the names that they have in the text.
    operators: Vec<(String, &'a OperatorRef)>,
    operator_names: HashMap<&'a OperatorRef, usize>,
}

impl<'a> Writer<'a> {
    fn new(dag: &'a Dag) -> Self {
        let mut writer = Self {
            dag,
            rows: RowTable::of(dag).with_records(dag),
            nodes: dag.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect(),
            parameters: dag
                .parameters
                .iter()
                .map(|parameter| (parameter.name.as_str(), &parameter.ty))
                .collect(),
            operators: Vec::new(),
            operator_names: HashMap::new(),
        };
        let mut versions: HashMap<&str, usize> = HashMap::new();
        for node in &dag.nodes {
            if let NodeKind::Task(operator) = &node.kind
                && !writer.operator_names.contains_key(operator)
            {
                let count = versions.entry(&operator.name).or_default();
                *count += 1;
                let mut name = String::new();
                write_path(&mut name, &operator.name).unwrap_or_default();
                if *count > 1 {
                    name += &format!("~{count}");
                }
                writer.operator_names.insert(operator, writer.operators.len());
                writer.operators.push((name, operator));
            }
        }
        writer
    }

    fn dag(&self, out: &mut String) -> fmt::Result {
        out.write_str("dag ")?;
        write_path(out, &self.dag.workflow)?;
        out.write_str("\n")?;
        for (name, row) in &self.rows.rows {
            let columns = row.columns.iter().map(|column| text(|out| write_column(out, column, &NoRows)));
            declare(out, &format!("row {name}"), &columns.collect::<Vec<_>>())?;
        }
        for record in &self.rows.records {
            let name = text(|out| write_path(out, record.name.as_deref().unwrap_or_default()));
            let fields = record.fields.iter().map(|field| text(|out| write_field(out, field, &self.rows)));
            declare(out, &format!("record {name}"), &fields.collect::<Vec<_>>())?;
        }
        section(out, !self.dag.parameters.is_empty());
        for parameter in &self.dag.parameters {
            out.write_str("param ")?;
            write_name(out, &parameter.name)?;
            out.write_str(": ")?;
            write_type(out, &parameter.ty, &self.rows)?;
            out.write_str(" = ")?;
            write_value(out, &parameter.value)?;
            match &parameter.default {
                None => {}
                Some(default) if *default == parameter.value => out.write_str(" (default)")?,
                Some(default) => {
                    out.write_str(" (default ")?;
                    write_value(out, default)?;
                    out.write_char(')')?;
                }
            }
            out.write_char('\n')?;
        }
        section(out, !self.dag.nodes.is_empty());
        for (index, node) in self.dag.nodes.iter().enumerate() {
            self.node(out, index, node)?;
            out.write_char('\n')?;
        }
        section(out, !self.dag.outputs.is_empty());
        for output in &self.dag.outputs {
            out.write_str("output ")?;
            write_name(out, &output.name)?;
            out.write_str(": ")?;
            write_type(out, &output.ty, &self.rows)?;
            out.write_str(" = ")?;
            self.input(out, &output.input, &[], self.dag.nodes.len())?;
            out.write_char('\n')?;
        }
        section(out, !self.operators.is_empty());
        for (name, operator) in &self.operators {
            self.operator(out, name, operator)?;
        }
        Ok(())
    }

    fn node(&self, out: &mut String, index: usize, node: &Node) -> fmt::Result {
        let start = out.len();
        write_id(out, &node.id)?;
        out.write_str(" = ")?;
        let mut tail = String::new();
        self.tail(&mut tail, node)?;
        match &node.kind {
            NodeKind::Expression(expr) => {
                self.expression(out, expr, &node.inputs, None, index)?;
                out.write_str(&tail)
            }
            NodeKind::Task(operator) => {
                let name = self.operator_names.get(operator).and_then(|index| self.operators.get(*index));
                out.write_str(name.map_or("", |(name, _)| name))?;
                out.write_char('(')?;
                let mut inputs = Vec::with_capacity(node.inputs.len());
                for (place, (name, input)) in node.inputs.iter().enumerate() {
                    let before = node.inputs.get(..place).unwrap_or_default();
                    inputs.push(self.named(name, input, before, index)?);
                }
                let length = inputs.iter().map(|input| input.len() + 2).sum::<usize>();
                let fits = out.len() - start + length - 1 <= WIDTH;
                if inputs.is_empty() || fits {
                    out.write_str(&inputs.join(", "))?;
                } else {
                    fill(out, &inputs)?;
                }
                out.write_char(')')?;
                // Many ports get a line of their own.
                let line = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
                let breaks = line + tail.len() > WIDTH && tail.starts_with(" -> (");
                if breaks {
                    out.write_str("\n   ")?;
                }
                out.write_str(&tail)
            }
        }
    }

    /// What stands behind a call.
    fn tail(&self, out: &mut String, node: &Node) -> fmt::Result {
        if !node.after.is_empty() {
            out.write_str(" after (")?;
            for (index, after) in node.after.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { ", " })?;
                write_id(out, self.dag.node(*after).map_or("", |node| &node.id))?;
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
                for (index, port) in node.outputs.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { ", " })?;
                    write_name(out, &port.name)?;
                    out.write_str(": ")?;
                    write_type(out, &port.ty, &self.rows)?;
                }
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
    ) -> Result<String, fmt::Error> {
        let mut text = String::new();
        write_name(&mut text, name)?;
        text.write_str(": ")?;
        self.input(&mut text, input, before, index)?;
        Ok(text)
    }

    /// Writes an input of the node at `index`; `before` are those of its inputs that come first.
    fn input(
        &self,
        out: &mut String,
        input: &Input,
        before: &[(String, Input)],
        index: usize,
    ) -> fmt::Result {
        match input {
            Input::Constant(value) => write_value(out, value),
            Input::Parameter(name) => {
                out.write_char('$')?;
                write_name(out, name)
            }
            Input::Port(port) => {
                let node = self.dag.node(port.node);
                let name = node.and_then(|node| node.outputs.get(port.port as usize));
                write_port(
                    out,
                    node.map_or("", |node| &node.id),
                    name.map_or("", |port| &port.name),
                    |id, port| {
                        let place = self.nodes.get(id).copied().filter(|place| *place < index);
                        place
                            .and_then(|place| self.dag.nodes.get(place))
                            .is_some_and(|node| node.port(port).is_some())
                    },
                )
            }
            Input::Expression { expr, bindings } => {
                let row = row_of(before, |port| self.port_type(port));
                self.expression(out, expr, bindings, row, index)
            }
            Input::List(inputs) => {
                // Without the word it would be read as one constant.
                if inputs.iter().all(|input| matches!(input, Input::Constant(_))) {
                    out.write_str("inputs ")?;
                }
                out.write_char('[')?;
                for (place, input) in inputs.iter().enumerate() {
                    out.write_str(if place == 0 { "" } else { ", " })?;
                    self.input(out, input, before, index)?;
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
                    out.write_str(&self.named(name, input, before, index)?)?;
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
    ) -> fmt::Result {
        out.write_str("{ ")?;
        let mut scope = TypeScope { row, parameters: Vec::with_capacity(bindings.len()) };
        for (name, input) in bindings {
            out.write_str("let ")?;
            write_name(out, name)?;
            out.write_str(" = ")?;
            self.input(out, input, &[], index)?;
            out.write_str("; ")?;
            let ty =
                bound_type(input, |port| self.port_type(port), |name| self.parameters.get(name).copied());
            scope.parameters.extend(ty.map(|ty| (name.as_str(), ty)));
        }
        write_expr(out, expr, &scope, &self.rows)?;
        out.write_str(" }")
    }

    fn operator(&self, out: &mut String, name: &str, operator: &OperatorRef) -> fmt::Result {
        write!(out, "op {name} version {} signature {}", operator.version, operator.signature)?;
        match &operator.place {
            OperatorPlace::Native => {}
            OperatorPlace::Python(function) => {
                out.write_str(" python ")?;
                write_text(out, function)?;
            }
            OperatorPlace::Command(words) => {
                out.write_str(" command [")?;
                for (index, word) in words.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { ", " })?;
                    match word {
                        CommandWord::Text(text) => write_text(out, text)?,
                        CommandWord::Input(name) => write_name(out, name)?,
                        CommandWord::Output(name) => {
                            out.write_str("out.")?;
                            write_name(out, name)?;
                        }
                    }
                }
                out.write_char(']')?;
            }
        }
        out.write_char('\n')
    }

    fn port_type(&self, port: PortRef) -> Option<&'a Type> {
        Some(&self.dag.node(port.node)?.outputs.get(port.port as usize)?.ty)
    }
}

/// What a node is where its text says nothing else.
pub(crate) fn is_deterministic(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Task(operator) => operator.place == OperatorPlace::Native && !node.effect,
        NodeKind::Expression(_) => true,
    }
}

/// A blank line before each section that has lines.
fn section(out: &mut String, has_lines: bool) {
    if has_lines {
        out.push('\n');
    }
}

/// Items on lines of their own, as many on each as fit.
/// `row rides { age: Int }`, over several lines where it is long.
fn declare(out: &mut String, head: &str, items: &[String]) -> fmt::Result {
    let used = head.len() + 5 + items.iter().map(|item| item.len() + 2).sum::<usize>();
    if used <= WIDTH {
        return writeln!(out, "\n{head} {{ {} }}", items.join(", "));
    }
    write!(out, "\n{head} {{")?;
    fill(out, items)?;
    out.write_str("}\n")
}

fn fill(out: &mut String, items: &[String]) -> fmt::Result {
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

fn text(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).unwrap_or_default();
    text
}
