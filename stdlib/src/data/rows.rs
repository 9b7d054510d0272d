//! `std.data.rows`: a table of rows that are written down.

use std::borrow::Cow;

use arrow::array::{RecordBatch, RecordBatchOptions};
use flow_ir::value::Value;
use flow_runtime::operator::{Call, Context, Datum, OperatorError};

use super::cell::{CellReader, ColumnBuilder, Scalar};
use crate::{arguments, storage};

/// Between two looks at whether anybody still wants the table.
const CHECK_ROWS: usize = 1024;

/// One row for each record, in their order.
///
/// # Errors
/// For a column of a type that no record holds a value of: an embedding.
pub fn rows(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let row = arguments::output_row(call, 0)?;
    let schema = storage::schema(row)?;
    let records: Vec<Cow<'_, Value>> = match arguments::datum(call, "rows")? {
        Datum::Value(Value::List(records)) => records.iter().map(Cow::Borrowed).collect(),
        Datum::List(items) => items
            .iter()
            .map(|item| match item {
                Datum::Value(value) => Ok(Cow::Borrowed(value)),
                _ => Err(OperatorError::failed("a row is a record of values")),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(OperatorError::failed("`rows` is a list of records")),
    };
    let mut columns: Vec<(&str, ColumnBuilder)> = Vec::with_capacity(row.columns.len());
    for column in &row.columns {
        let reader = CellReader::new(&column.ty, "").ok_or_else(|| {
            OperatorError::failed(format!(
                "column `{}` has a type that no row can be written with",
                column.name
            ))
        })?;
        columns.push((&column.name, reader.builder()));
    }
    for (index, record) in records.iter().enumerate() {
        if index.is_multiple_of(CHECK_ROWS) && context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        for (name, builder) in &mut columns {
            let Some(value) = record.field(name) else {
                return Err(OperatorError::failed(format!("row {} lacks `{name}`", index + 1)));
            };
            match scalar(value, builder) {
                Some(scalar) => builder.append(&scalar),
                None => {
                    let message = format!("row {}, column `{name}`: {value} does not fit", index + 1);
                    return Err(OperatorError::failed(message));
                }
            }
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
    let arrays = columns.iter_mut().map(|(_, builder)| builder.finish()).collect();
    let batch =
        RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(crate::internal)?;
    let mut table = context.table(schema);
    table.push(batch)?;
    Ok(vec![table.finish()?])
}

/// A value as the column takes it; an Int widens to a Float.
fn scalar<'v>(value: &'v Value, column: &ColumnBuilder) -> Option<Scalar<'v>> {
    Some(match (value, column) {
        (Value::None, _) => Scalar::Missing,
        (Value::Bool(value), ColumnBuilder::Bool(_)) => Scalar::Bool(*value),
        (Value::Int(value), ColumnBuilder::Int(_)) => Scalar::Int(*value),
        #[expect(clippy::cast_precision_loss, reason = "that is how Int widens to Float")]
        (Value::Int(value), ColumnBuilder::Float(_) | ColumnBuilder::Float32(_)) => {
            Scalar::Float(*value as f64)
        }
        (Value::Float(value), ColumnBuilder::Float(_) | ColumnBuilder::Float32(_)) => Scalar::Float(value.0),
        (
            Value::Text(text) | Value::File(text) | Value::Enum { variant: text, .. },
            ColumnBuilder::Text(_),
        ) => Scalar::Text(Cow::Borrowed(text)),
        (Value::Date(days), ColumnBuilder::Date(_)) => Scalar::Date(*days),
        (Value::Time(time), ColumnBuilder::Time(_)) | (Value::Duration(time), ColumnBuilder::Duration(_)) => {
            Scalar::Microseconds(*time)
        }
        (Value::Size(bytes), ColumnBuilder::Size(_)) => Scalar::Size(*bytes),
        _ => return None,
    })
}
