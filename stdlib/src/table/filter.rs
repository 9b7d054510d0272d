//! `std.table.where`: the rows for which a predicate holds.

use arrow::{array::AsArray, compute::filter_record_batch};
use flow_ir::types::Type;
use flow_runtime::{
    artifact::map::release,
    operator::{Call, Context, Datum, OperatorError},
};

use super::columns;
use crate::{arguments, internal, query::Evaluator, storage};

/// Keeps those rows, in their order. A predicate that is missing does not hold.
pub fn filter(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let predicate = arguments::expression(call, "predicate", &Type::Bool)?;
    let schema = storage::schema(arguments::output_row(call, 0)?)?;
    let evaluator = Evaluator::new(&predicate.expr, predicate.bindings, &table.schema)?;

    let mut filtered = context.table(schema.clone());
    let mut first_row = 0;
    for batch in &table.batches {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        let holds = evaluator.evaluate(batch, first_row)?;
        let holds = holds
            .as_boolean_opt()
            .ok_or_else(|| arguments::misfit(call, "predicate", "an expression of type Bool"))?;
        let kept = filter_record_batch(batch, holds).map_err(internal)?;
        if kept.num_rows() > 0 {
            filtered.push(columns::batch(&schema, kept.columns().to_vec(), kept.num_rows())?)?;
        }
        release(batch);
        first_row += batch.num_rows();
    }
    Ok(vec![filtered.finish()?])
}
