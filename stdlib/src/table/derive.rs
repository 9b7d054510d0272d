//! `std.table.derive`: columns computed from others.

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::SchemaRef,
};
use flow_ir::types::Row;
use flow_runtime::operator::{Call, OperatorError};

use super::{
    columns::{batch, column_index},
    steps::{Ready, Step},
};
use crate::{arguments, query::Evaluator, storage};

struct Derive<'a> {
    row: &'a Row,
    /// One for each of its columns.
    columns: Vec<Source<'a>>,
    schema: SchemaRef,
}

/// Where a column of the result comes from.
enum Source<'a> {
    Kept(usize),
    Computed(Evaluator<'a>),
}

/// Adds columns or replaces them. Every expression reads the columns as they were.
pub fn prepare<'a>(call: &'a Call, table: &SchemaRef) -> Ready<'a> {
    let row = arguments::output_row(call, 0)?;
    let schema = storage::schema(row)?;
    let mut computed = arguments::expressions(call, "columns", row)?;
    let columns =
        row.columns.iter().map(|column| match computed.iter().position(|(name, _)| *name == column.name) {
            Some(place) => {
                let (_, of) = computed.swap_remove(place);
                Evaluator::new(of.expr, of.bindings, table)
                    .map(Source::Computed)
                    .map_err(|error| in_column(&column.name, error))
            }
            None => column_index(table, &column.name).map(Source::Kept),
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(Derive { row, columns, schema }))
}

impl Step for Derive<'_> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn apply(&self, from: &RecordBatch, first_row: usize) -> Result<RecordBatch, OperatorError> {
        let arrays = self.columns.iter().zip(&self.row.columns).map(|(source, column)| {
            source.array(from, first_row).map_err(|error| in_column(&column.name, error))
        });
        batch(&self.schema, arrays.collect::<Result<_, _>>()?, from.num_rows())
    }
}

impl Source<'_> {
    fn array(&self, from: &RecordBatch, first_row: usize) -> Result<ArrayRef, OperatorError> {
        match self {
            Self::Kept(place) => Ok(from.column(*place).clone()),
            Self::Computed(evaluator) => evaluator.evaluate(from, first_row),
        }
    }
}

fn in_column(name: &str, error: OperatorError) -> OperatorError {
    match error {
        OperatorError::Failed { message, help } => {
            OperatorError::Failed { message: format!("column `{name}`, {message}"), help }
        }
        OperatorError::Cancelled => OperatorError::Cancelled,
    }
}
