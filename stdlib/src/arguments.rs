//! What an operator reads from its call.
//!
//! The checker has held the call against the signature, so that a wrong kind of argument here comes
//! from a DAG that was written by hand; each is an error that says so.

use std::{borrow::Cow, fmt::Display};

use flow_ir::{
    expr::{Expr, ExprKind},
    types::{Row, Type},
    value::Value,
};
use flow_runtime::operator::{Argument, Blob, Call, Datum, OperatorError, Table};

type Result<T> = std::result::Result<T, OperatorError>;

/// An expression over a table's columns, and its scalar parameters.
#[derive(Clone, Debug)]
pub struct Expression<'a> {
    pub expr: Cow<'a, Expr>,
    pub bindings: &'a [(String, Value)],
}

pub fn table<'a>(call: &'a Call, name: &str) -> Result<&'a Table> {
    optional_table(call, name)?.ok_or_else(|| misfit(call, name, "a table"))
}

pub fn optional_table<'a>(call: &'a Call, name: &str) -> Result<Option<&'a Table>> {
    match call.input(name) {
        Some(Argument::Datum(Datum::Table(table))) => Ok(Some(table)),
        None | Some(Argument::Datum(Datum::Value(Value::None))) => Ok(None),
        _ => Err(misfit(call, name, "a table")),
    }
}

pub fn blob<'a>(call: &'a Call, name: &str) -> Result<&'a Blob> {
    match call.input(name) {
        Some(Argument::Datum(Datum::Blob(blob))) => Ok(blob),
        _ => Err(misfit(call, name, "a model")),
    }
}

pub fn datum<'a>(call: &'a Call, name: &str) -> Result<&'a Datum> {
    match call.input(name) {
        Some(Argument::Datum(datum)) => Ok(datum),
        _ => Err(misfit(call, name, "a value")),
    }
}

pub fn value<'a>(call: &'a Call, name: &str) -> Result<&'a Value> {
    match call.input(name) {
        Some(Argument::Datum(Datum::Value(value))) => Ok(value),
        _ => Err(misfit(call, name, "a value")),
    }
}

/// A Text, a File, or the name of an enum's variant.
pub fn text<'a>(call: &'a Call, name: &str) -> Result<&'a str> {
    if let Some(Argument::Datum(Datum::File(file))) = call.input(name) {
        return file.path().to_str().ok_or_else(|| misfit(call, name, "a path of Unicode"));
    }
    match value(call, name)? {
        Value::Text(text) | Value::File(text) | Value::Enum { variant: text, .. } => Ok(text),
        _ => Err(misfit(call, name, "a Text")),
    }
}

pub fn bool(call: &Call, name: &str) -> Result<bool> {
    match value(call, name)? {
        Value::Bool(value) => Ok(*value),
        _ => Err(misfit(call, name, "a Bool")),
    }
}

pub fn int(call: &Call, name: &str) -> Result<i64> {
    match value(call, name)? {
        Value::Int(value) => Ok(*value),
        _ => Err(misfit(call, name, "an Int")),
    }
}

/// An Int from `low` to `high`, as a count.
pub fn count(call: &Call, name: &str, low: usize, high: usize) -> Result<usize> {
    let given = int(call, name)?;
    usize::try_from(given)
        .ok()
        .filter(|count| (low..=high).contains(count))
        .ok_or_else(|| outside(name, given, low, high))
}

/// A Float or a Fraction; an Int widens.
pub fn float(call: &Call, name: &str) -> Result<f64> {
    match value(call, name)? {
        Value::Float(value) => Ok(value.0),
        #[expect(clippy::cast_precision_loss, reason = "that is how Int widens to Float")]
        Value::Int(value) => Ok(*value as f64),
        _ => Err(misfit(call, name, "a Float")),
    }
}

/// A Float from `low` to `high`; NaN is in no range.
pub fn float_within(call: &Call, name: &str, low: f64, high: f64) -> Result<f64> {
    let given = float(call, name)?;
    if (low..=high).contains(&given) { Ok(given) } else { Err(outside(name, given, low, high)) }
}

/// Microseconds.
pub fn duration(call: &Call, name: &str) -> Result<i64> {
    match value(call, name)? {
        Value::Duration(value) => Ok(*value),
        _ => Err(misfit(call, name, "a Duration")),
    }
}

/// A list of Texts, or of columns' names.
pub fn texts<'a>(call: &'a Call, name: &str) -> Result<Vec<&'a str>> {
    let Value::List(items) = value(call, name)? else { return Err(misfit(call, name, "a List")) };
    items
        .iter()
        .map(|item| match item {
            Value::Text(text) | Value::Column(text) => Ok(text.as_str()),
            _ => Err(misfit(call, name, "a List of Texts or columns")),
        })
        .collect()
}

/// A column's name; none where it was left out.
pub fn optional_column<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>> {
    match call.input(name) {
        Some(Argument::Datum(Datum::Value(Value::Column(column)))) => Ok(Some(column)),
        None | Some(Argument::Datum(Datum::Value(Value::None))) => Ok(None),
        _ => Err(misfit(call, name, "a column")),
    }
}

/// An expression of type `ty`; where it is known for all rows it may come as a value.
pub fn expression<'a>(call: &'a Call, name: &str, ty: &Type) -> Result<Expression<'a>> {
    let argument = call.input(name).and_then(|argument| as_expression(argument, ty));
    argument.ok_or_else(|| misfit(call, name, "an expression"))
}

/// A record of expressions, each of the type of the column of `row` that it computes.
pub fn expressions<'a>(call: &'a Call, name: &str, row: &Row) -> Result<Vec<(&'a str, Expression<'a>)>> {
    let misfit = || misfit(call, name, "a record of expressions");
    let ty = |field: &str| row.column(field).map(|column| &column.ty).ok_or_else(misfit);
    match call.input(name) {
        Some(Argument::Record(fields)) => fields
            .iter()
            .map(|(field, argument)| {
                let expression = as_expression(argument, ty(field)?).ok_or_else(misfit)?;
                Ok((field.as_str(), expression))
            })
            .collect(),
        Some(Argument::Datum(Datum::Value(Value::Record(fields)))) => {
            fields.iter().map(|(field, value)| Ok((field.as_str(), literal(value, ty(field)?)))).collect()
        }
        _ => Err(misfit()),
    }
}

/// The row of the output at `index`, which must be a Dataset.
pub fn output_row(call: &Call, index: usize) -> Result<&Row> {
    match call.outputs.get(index).map(|port| &port.ty) {
        Some(Type::Dataset(row)) => Ok(row),
        _ => Err(OperatorError::failed(format!(
            "`{}` was called with an output {index} that is no Dataset: the DAG is damaged",
            call.op
        ))),
    }
}

pub fn misfit(call: &Call, name: &str, expected: &str) -> OperatorError {
    OperatorError::failed(format!(
        "`{}` was called without {expected} as `{name}`: the DAG is damaged",
        call.op
    ))
}

fn outside(name: &str, given: impl Display, low: impl Display, high: impl Display) -> OperatorError {
    OperatorError::failed(format!("`{name}` is {given}, but it must lie in {low} to {high}"))
}

fn as_expression<'a>(argument: &'a Argument, ty: &Type) -> Option<Expression<'a>> {
    match argument {
        Argument::Expression { expr, bindings } => Some(Expression { expr: Cow::Borrowed(expr), bindings }),
        Argument::Datum(Datum::Value(value)) => Some(literal(value, ty)),
        _ => None,
    }
}

fn literal(value: &Value, ty: &Type) -> Expression<'static> {
    let expr = Expr { kind: ExprKind::Literal(value.clone()), ty: ty.clone() };
    Expression { expr: Cow::Owned(expr), bindings: &[] }
}
