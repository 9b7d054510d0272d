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
//!
//! What is no task begins with `run`, and its regions follow it:
//!
//! ```text
//! sent = run if(condition: good, model: model) -> Int
//! then(model: Classifier<data>) {
//!     notify = my.notify(model: $model) -> Int
//!     output value: Int = notify
//! }
//! otherwise() {
//!     output value: Int = 0
//! }
//! loads = run for(over: days) max 366 -> List<Int>
//! body(day: Date) { … }
//! last = run while(from: start) max 20 -> Float
//! condition(s: Float) { … }
//! body(s: Float) { … }
//! tidy = run workflow nightly.clean(rows: data) -> (rows: Dataset<data>)
//! body(rows: Dataset<data>) { … }
//! both = run pass(a: tidy.rows, b: last) -> (a: Dataset<data>, b: Float)
//! late = run wait(value: last, duration: 2h) -> Float
//! approved = run wait_for(value: model, name: "approved", timeout: 2d) -> Classifier<data>
//! clean = run query(data: rows) -> Dataset<data>
//! body(data: Dataset<data>) { … }
//! ```

use std::{
    collections::HashMap,
    fmt::{self, Write},
};

use super::{
    node_write::{Scope, fill},
    types::{NoRows, write_column, write_field, write_type},
    value::write_value,
    words::{write_name, write_path, write_text},
};
use crate::{
    dag::Dag,
    node::{CommandWord, Node, NodeKind, OperatorPlace, OperatorRef},
    rows::RowTable,
};

/// Lines are broken past it, where they can be.
pub(super) const WIDTH: usize = 100;

impl Dag {
    /// The DAG's text; the same DAG gives the same bytes.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        Writer::new(self).dag(&mut text).unwrap_or_default();
        text
    }
}

pub(super) struct Writer<'a> {
    dag: &'a Dag,
    pub(super) rows: RowTable,
    /// The operators with the names that they have in the text.
    pub(super) operators: Vec<(String, &'a OperatorRef)>,
    pub(super) operator_names: HashMap<&'a OperatorRef, usize>,
}

impl<'a> Writer<'a> {
    fn new(dag: &'a Dag) -> Self {
        let rows = RowTable::of(dag).with_records(dag);
        let mut writer = Self { dag, rows, operators: Vec::new(), operator_names: HashMap::new() };
        writer.name_operators(&dag.nodes, &mut HashMap::new());
        writer
    }

    /// Tells versions of one name apart; `counts` has how many there are so far.
    fn name_operators(&mut self, nodes: &'a [Node], counts: &mut HashMap<&'a str, usize>) {
        for node in nodes {
            if let NodeKind::Task(operator) = &node.kind
                && !self.operator_names.contains_key(operator)
            {
                let count = counts.entry(&operator.name).or_default();
                *count += 1;
                let mut name = text(|out| write_path(out, &operator.name));
                if *count > 1 {
                    name += &format!("~{count}");
                }
                self.operator_names.insert(operator, self.operators.len());
                self.operators.push((name, operator));
            }
            for (_, region) in node.kind.nested() {
                self.name_operators(&region.nodes, counts);
            }
        }
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
        let parameters = self.dag.parameters.iter().map(|parameter| (&*parameter.name, &parameter.ty));
        let scope = Scope::new(&self.dag.nodes, parameters);
        self.nodes(out, &scope)?;
        section(out, !self.dag.outputs.is_empty());
        self.outputs(out, &self.dag.outputs, &scope)?;
        section(out, !self.operators.is_empty());
        for (name, operator) in &self.operators {
            self.operator(out, name, operator)?;
        }
        Ok(())
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
}

/// A blank line before each section that has lines.
fn section(out: &mut String, has_lines: bool) {
    if has_lines {
        out.push('\n');
    }
}

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

pub(super) fn text(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).unwrap_or_default();
    text
}
