//! `std.table.derive`: columns computed from others.

use arrow::array::{ArrayRef, RecordBatch};
use flow_runtime::{
    artifact::map::release,
    operator::{Call, Context, Datum, OperatorError},
};

use super::columns::{batch, column_index};
use crate::{arguments, query::Evaluator, storage};

/// Adds columns or replaces them. Every expression reads the columns as they were.
pub fn derive(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let row = arguments::output_row(call, 0)?;
    let schema = storage::schema(row)?;
    let computed = arguments::expressions(call, "columns", row)?;
    let columns =
        row.columns.iter().map(|column| match computed.iter().find(|(name, _)| *name == column.name) {
            Some((_, of)) => Evaluator::new(&of.expr, of.bindings, &table.schema)
                .map(Source::Computed)
                .map_err(|error| in_column(&column.name, error)),
            None => column_index(table, &column.name).map(Source::Kept),
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;

    let mut derived = context.table(schema.clone());
    let mut first_row = 0;
    for from in &table.batches {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        let arrays = columns.iter().zip(&row.columns).map(|(source, column)| {
            source.array(from, first_row).map_err(|error| in_column(&column.name, error))
        });
        derived.push(batch(&schema, arrays.collect::<Result<_, _>>()?, from.num_rows())?)?;
        release(from);
        first_row += from.num_rows();
    }
    Ok(vec![derived.finish()?])
}

/// Where a column of the result comes from.
enum Source<'a> {
    Kept(usize),
    Computed(Evaluator<'a>),
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
