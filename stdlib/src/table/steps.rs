//! Verbs that compute each batch of their result from one batch of their table: alone, or one after the other as the
//! steps of a query, each batch through all of them. Nothing between two steps is stored.
//!
//! What a step gives for a row hangs on that row alone, so that it does not matter how a table is cut. The words of
//! an error may hang on it, where several rows or columns have no value. So a query in which anything fails is taken
//! once more, verb by verb, which says what it would say without the query.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use flow_runtime::{
    artifact::{map::release, table::canonical},
    operator::{Argument, Call, Context, Datum, OperatorError, Step as Called, Table},
};

use super::{columns, derive, filter};
use crate::{arguments, check, internal};

/// A verb made ready for the tables of one schema.
pub trait Step {
    /// Of its result.
    fn schema(&self) -> &SchemaRef;

    /// Its result for a batch whose first row is the `first_row`th of its table, from 0.
    ///
    /// # Errors
    /// Where a row has no value: the row is named, counted from 1.
    fn apply(&self, batch: &RecordBatch, first_row: usize) -> Result<RecordBatch, OperatorError>;
}

pub type Ready<'a> = Result<Box<dyn Step + 'a>, OperatorError>;

/// Makes a verb ready: from its call, whose table is not looked at, and that table's schema.
type Prepare = for<'a> fn(&'a Call, &SchemaRef) -> Ready<'a>;

/// The verb of that name, where it can be a step of a query.
pub fn verb(op: &str) -> Option<Prepare> {
    Some(match op {
        "std.table.derive" => derive::prepare,
        "std.table.drop" => columns::prepare_drop,
        "std.table.select" => columns::prepare_select,
        "std.table.where" => filter::prepare,
        _ => return None,
    })
}

/// Runs the call of a verb.
///
/// # Errors
/// Where a row has no value, or the call does not fit the table.
pub fn alone(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    Ok(vec![pipe([call], table, context)?])
}

/// Runs the steps of a query on its first input.
///
/// # Errors
/// That of the first step that fails; where that is not the last one, it says which.
pub fn query(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let Some((_, Argument::Datum(Datum::Table(table)))) = call.inputs.first() else {
        return Err(OperatorError::failed("a query was called without a table: the DAG is damaged"));
    };
    let whole = pipe(call.steps.iter().map(|step| &step.call), table, context);
    match whole {
        Err(OperatorError::Failed { .. }) => one_by_one(&call.steps, table, context),
        whole => Ok(vec![whole?]),
    }
}

/// Each batch through all verbs.
fn pipe<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    table: &Table,
    context: &dyn Context,
) -> Result<Datum, OperatorError> {
    let mut schema = table.schema.clone();
    // Each with the number of rows that it has seen.
    let mut steps: Vec<(Box<dyn Step + 'a>, usize)> = Vec::new();
    for call in calls {
        let no_step = || OperatorError::failed(format!("`{}` is no step of a query", call.op));
        let step = verb(&call.op).ok_or_else(no_step)?(call, &schema)?;
        schema = step.schema().clone();
        steps.push((step, 0));
    }
    let mut result = context.table(schema);
    for batch in &table.batches {
        check(context)?;
        let mut rows = batch.clone();
        for (step, seen) in &mut steps {
            if rows.num_rows() == 0 {
                break;
            }
            let count = rows.num_rows();
            rows = step.apply(&rows, *seen)?;
            *seen += count;
        }
        if rows.num_rows() > 0 {
            result.push(rows)?;
        }
        release(batch);
    }
    result.finish()
}

/// A whole table after each step.
fn one_by_one(steps: &[Called], table: &Table, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let Some((last, before)) = steps.split_last() else { return Err(internal("a query without steps")) };
    let mut table = table.clone();
    for Called { id, call } in before {
        let result = pipe([call], &table, context).map_err(|error| in_step(id, error))?;
        // As it would come out of the store.
        table = match result {
            Datum::Table(table) => canonical(&table).map_err(internal)?,
            Datum::Written(written) => written.table().clone(),
            _ => return Err(internal("a verb gave no table")),
        };
    }
    Ok(vec![pipe([&last.call], &table, context)?])
}

fn in_step(id: &str, error: OperatorError) -> OperatorError {
    match error {
        OperatorError::Failed { message, help } => {
            OperatorError::Failed { message: format!("in `{id}`: {message}"), help }
        }
        OperatorError::Cancelled => OperatorError::Cancelled,
    }
}
