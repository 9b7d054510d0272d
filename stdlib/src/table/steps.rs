//! Verbs that compute each batch of their result from one batch of their table, one after the other over the whole
//! of it: a single verb is a query of one step.
//!
//! What a step computes hangs on the rows before it alone, so that it does not matter whether a table lies between
//! two of them. Errors do not tell either: where a step fails, those before it still see the rest of the table, and
//! the first step of the query that fails has the word.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use flow_runtime::{
    artifact::map::release,
    operator::{Argument, Call, Context, Datum, OperatorError, Table},
};

use super::{columns, derive, filter};
use crate::{arguments, check};

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
pub fn alone(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    Pipeline::new([(None, call)], &table.schema).run(table, context)
}

/// Runs the steps of a query on its first input.
pub fn query(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let Some((_, Argument::Datum(Datum::Table(table)))) = call.inputs.first() else {
        return Err(OperatorError::failed("a query was called without a table: the DAG is damaged"));
    };
    let last = call.steps.len().saturating_sub(1);
    let steps = call.steps.iter().enumerate();
    // The last one is the node itself to whoever reads its error.
    let steps = steps.map(|(place, step)| ((place < last).then_some(step.id.as_str()), &step.call));
    Pipeline::new(steps, &table.schema).run(table, context)
}

struct Pipeline<'a> {
    /// Those that have not failed, with the names that their errors are to bear.
    steps: Vec<(Option<&'a str>, Box<dyn Step + 'a>)>,
    /// How many rows each of them has seen.
    rows: Vec<usize>,
    /// Of the step behind them.
    failure: Option<OperatorError>,
}

impl<'a> Pipeline<'a> {
    fn new(calls: impl IntoIterator<Item = (Option<&'a str>, &'a Call)>, schema: &SchemaRef) -> Self {
        let mut pipeline = Self { steps: Vec::new(), rows: Vec::new(), failure: None };
        let mut schema = schema.clone();
        for (name, call) in calls {
            let no_step = || OperatorError::failed(format!("`{}` is no step of a query", call.op));
            match verb(&call.op).ok_or_else(no_step).and_then(|prepare| prepare(call, &schema)) {
                Ok(step) => {
                    schema = step.schema().clone();
                    pipeline.steps.push((name, step));
                }
                Err(error) => {
                    pipeline.failure = Some(in_step(name, error));
                    break;
                }
            }
        }
        pipeline.rows = vec![0; pipeline.steps.len()];
        pipeline
    }

    fn run(mut self, table: &Table, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        let schema = self.steps.last().map_or(&table.schema, |(_, step)| step.schema());
        let mut result = context.table(schema.clone());
        for batch in &table.batches {
            check(context)?;
            if self.failure.is_some() && self.steps.is_empty() {
                break;
            }
            match self.apply(batch) {
                Ok(rows) if self.failure.is_none() && rows.num_rows() > 0 => result.push(rows)?,
                Ok(_) => {}
                Err(OperatorError::Cancelled) => return Err(OperatorError::Cancelled),
                Err(error) => self.failure = Some(error),
            }
            release(batch);
        }
        match self.failure {
            Some(error) => Err(error),
            None => Ok(vec![result.finish()?]),
        }
    }

    /// A batch through the steps; where no row is left, through some of them. One that fails is taken away, with all behind it.
    fn apply(&mut self, batch: &RecordBatch) -> Result<RecordBatch, OperatorError> {
        let mut rows = batch.clone();
        for place in 0..self.steps.len() {
            if rows.num_rows() == 0 {
                break;
            }
            let Some(((name, step), seen)) = self.steps.get(place).zip(self.rows.get_mut(place)) else {
                break;
            };
            match step.apply(&rows, *seen) {
                Ok(applied) => {
                    *seen += rows.num_rows();
                    rows = applied;
                }
                Err(error) => {
                    let error = in_step(*name, error);
                    self.steps.truncate(place);
                    return Err(error);
                }
            }
        }
        Ok(rows)
    }
}

fn in_step(name: Option<&str>, error: OperatorError) -> OperatorError {
    match (name, error) {
        (Some(name), OperatorError::Failed { message, help }) => {
            OperatorError::Failed { message: format!("in `{name}`: {message}"), help }
        }
        (_, error) => error,
    }
}
