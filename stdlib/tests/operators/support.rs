//! Calls operators as the runtime does.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Mutex;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use flow_ir::{
    expr::Expr,
    node::Port,
    types::{Column, Row, Type},
    value::Value,
};
use flow_runtime::operator::{Argument, Call, Context, Datum, OperatorError, Registry, Table};
use flow_stdlib::StandardLibrary;

/// Remembers what it is told.
#[derive(Debug)]
pub struct Surroundings {
    pub threads: usize,
    pub attempt: u32,
    pub cancelled: bool,
    pub log: Mutex<Vec<String>>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { threads: 1, attempt: 1, cancelled: false, log: Mutex::default() }
    }
}

impl Context for Surroundings {
    fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn memory(&self) -> u64 {
        1 << 30
    }

    fn gpus(&self) -> &[u32] {
        &[]
    }

    fn progress(&self, _done: u64, _total: u64) {}

    fn log(&self, line: &str) {
        self.log.lock().unwrap().push(line.to_owned());
    }
}

/// A call that is built up.
pub struct Calling(Call);

pub fn call(op: &str) -> Calling {
    Calling(Call { op: op.to_owned(), inputs: Vec::new(), outputs: Vec::new(), steps: Vec::new() })
}

impl Calling {
    pub fn value(self, name: &str, value: impl Into<Value>) -> Self {
        self.argument(name, Argument::Datum(Datum::Value(value.into())))
    }

    pub fn datum(self, name: &str, datum: Datum) -> Self {
        self.argument(name, Argument::Datum(datum))
    }

    pub fn table(self, name: &str, table: &Table) -> Self {
        self.datum(name, Datum::Table(table.clone()))
    }

    pub fn columns(self, name: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| Value::Column((*column).to_owned())).collect();
        self.value(name, Value::List(columns))
    }

    pub fn expression(self, name: &str, expr: Expr) -> Self {
        self.argument(name, Argument::Expression { expr, bindings: Vec::new() })
    }

    pub fn argument(mut self, name: &str, argument: Argument) -> Self {
        self.0.inputs.push((name.to_owned(), argument));
        self
    }

    pub fn gives(mut self, name: &str, ty: Type) -> Self {
        self.0.outputs.push(Port { name: name.to_owned(), ty });
        self
    }

    pub fn gives_table(self, row: &Row) -> Self {
        self.gives("value", Type::Dataset(row.clone()))
    }

    pub fn run(&self) -> Result<Vec<Datum>, OperatorError> {
        self.run_in(&Surroundings::default())
    }

    pub fn run_in(&self, surroundings: &Surroundings) -> Result<Vec<Datum>, OperatorError> {
        StandardLibrary.find(&self.0.op).expect("an operator").body.run(&self.0, surroundings)
    }

    /// The one table that comes out.
    pub fn table_out(&self) -> Result<Table, OperatorError> {
        self.run().map(|outputs| into_table(outputs.into_iter().next().unwrap()))
    }
}

pub fn into_table(datum: Datum) -> Table {
    match datum {
        Datum::Table(table) => table,
        other => panic!("not a table: {other:?}"),
    }
}

pub fn row(columns: &[(&str, Type)]) -> Row {
    let column =
        |(name, ty): &(&str, Type)| Column { name: (*name).to_owned(), ty: ty.clone(), source: None };
    Row { columns: columns.iter().map(column).collect() }
}

/// A header and one line a row, cells separated by commas, missing ones empty.
pub fn render(table: &Table) -> String {
    let names: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut text = names.join(", ") + "\n";
    let options = FormatOptions::default().with_null("–");
    for batch in &table.batches {
        assert_eq!(batch.schema(), table.schema);
        let columns: Vec<_> =
            batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            text += &cells.join(", ").replace('\n', "\\n");
            text.push('\n');
        }
    }
    text
}

/// A type as it is written; of refinements none.
pub fn ty(text: &str) -> Type {
    if let Some(of) = text.strip_suffix('?') {
        return ty(of).optional();
    }
    if let Some((outer, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let of = Box::new(ty(inner));
        return match outer {
            "Id" => Type::Id(of),
            "Label" => Type::Label { of, positive: None },
            "Pii" => Type::Pii(of),
            _ => panic!("unknown type {text}"),
        };
    }
    match text {
        "Bool" => Type::Bool,
        "Int" => Type::Int,
        "Float" => Type::Float,
        "Float32" => Type::Float32,
        "Text" => Type::Text,
        "Date" => Type::Date,
        "Time" => Type::Time,
        "EventTime" => Type::EventTime,
        "Duration" => Type::Duration,
        "Size" => Type::Size,
        "Weight" => Type::Weight,
        "Category" => Type::Category,
        _ => panic!("unknown type {text}"),
    }
}

/// Reads a file of the repository.
pub fn read_file(path: &str, row: &Row) -> Result<Table, OperatorError> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    call("std.data.csv")
        .value("path", Value::File(path.to_str().unwrap().to_owned()))
        .value("delimiter", ",")
        .value("header", Value::Bool(true))
        .value("missing", Value::List(vec!["".into()]))
        .value("dates", "%Y-%m-%d")
        .value("bad_rows", "fail")
        .gives_table(row)
        .table_out()
}

/// A table from the text of a CSV file.
pub fn read_csv(text: &str, row: &Row) -> Table {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    read_file(file.path().to_str().unwrap(), row).unwrap()
}
