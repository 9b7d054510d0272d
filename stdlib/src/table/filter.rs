//! `std.table.where`: the rows for which a predicate holds.

use arrow::{
    array::{AsArray, RecordBatch},
    compute::filter_record_batch,
    datatypes::SchemaRef,
};
use flow_ir::types::Type;
use flow_runtime::operator::{Call, OperatorError};

use super::{
    columns,
    steps::{Ready, Step},
};
use crate::{arguments, internal, query::Evaluator, storage};

struct Where<'a> {
    call: &'a Call,
    predicate: Evaluator<'a>,
    schema: SchemaRef,
}

/// Keeps those rows, in their order. A predicate that is missing does not hold.
pub fn prepare<'a>(call: &'a Call, table: &SchemaRef) -> Ready<'a> {
    let predicate = arguments::expression(call, "predicate", &Type::Bool)?;
    let schema = storage::schema(arguments::output_row(call, 0)?)?;
    let predicate = Evaluator::new(predicate.expr, predicate.bindings, table)?;
    Ok(Box::new(Where { call, predicate, schema }))
}

impl Step for Where<'_> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn apply(&self, batch: &RecordBatch, first_row: usize) -> Result<RecordBatch, OperatorError> {
        let holds = self.predicate.evaluate(batch, first_row)?;
        let holds = holds
            .as_boolean_opt()
            .ok_or_else(|| arguments::misfit(self.call, "predicate", "an expression of type Bool"))?;
        let kept = filter_record_batch(batch, holds).map_err(internal)?;
        columns::batch(&self.schema, kept.columns().to_vec(), kept.num_rows())
    }
}
