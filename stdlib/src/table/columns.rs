//! `std.table.select` and `std.table.drop`: some of the columns, all of the rows.

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use flow_runtime::operator::{Call, OperatorError};

use super::steps::{Ready, Step};
use crate::{arguments, internal, storage};

struct Keep {
    /// The columns' places in the table.
    places: Vec<usize>,
    schema: SchemaRef,
}

/// Keeps the columns that are named, in that order.
pub fn prepare_select<'a>(call: &'a Call, table: &SchemaRef) -> Ready<'a> {
    let names = arguments::texts(call, "columns")?;
    keep(call, table, &names)
}

/// Leaves the columns out that are named.
pub fn prepare_drop<'a>(call: &'a Call, table: &SchemaRef) -> Ready<'a> {
    let left_out = arguments::texts(call, "columns")?;
    for name in &left_out {
        column_index(table, name)?;
    }
    let names: Vec<&str> = table.fields().iter().map(|field| field.name().as_str()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !left_out.contains(name)).collect();
    keep(call, table, &names)
}

impl Step for Keep {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn apply(&self, from: &RecordBatch, _: usize) -> Result<RecordBatch, OperatorError> {
        let columns = self.places.iter().map(|place| from.column(*place).clone()).collect();
        batch(&self.schema, columns, from.num_rows())
    }
}

/// The place of a column in a table.
///
/// # Errors
/// Where the table has no such column: it lists those that are there.
pub fn column_index(table: &SchemaRef, name: &str) -> Result<usize, OperatorError> {
    table.index_of(name).map_err(|_| {
        let names = table.fields().iter().map(|field| format!("`{}`", field.name()));
        let listed = names.collect::<Vec<_>>().join(", ");
        OperatorError::failed(format!("the table has no column `{name}`; it has {listed}"))
    })
}

/// A batch of `rows` rows under a schema that the columns fit.
///
/// # Errors
/// Where a column has missing values that the schema does not allow, or another type.
pub fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, OperatorError> {
    let misfit = schema.fields().iter().zip(&columns).find(|(field, column)| {
        !field.is_nullable() && column.null_count() > 0 || field.data_type() != column.data_type()
    });
    if let Some((field, column)) = misfit {
        return Err(OperatorError::failed(if field.data_type() == column.data_type() {
            format!("column `{}` has missing values, and its type has no `?`", field.name())
        } else {
            format!(
                "column `{}` holds {}, where its type is stored as {}",
                field.name(),
                column.data_type(),
                field.data_type()
            )
        }));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(internal)
}

fn keep(call: &Call, table: &SchemaRef, names: &[&str]) -> Ready<'static> {
    let schema = storage::schema(arguments::output_row(call, 0)?)?;
    if !schema.fields().iter().map(|field| field.name().as_str()).eq(names.iter().copied()) {
        return Err(OperatorError::failed(format!(
            "`{}` was called with columns that its result does not have: the DAG is damaged",
            call.op
        )));
    }
    let places = names.iter().map(|name| column_index(table, name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(Keep { places, schema }))
}
