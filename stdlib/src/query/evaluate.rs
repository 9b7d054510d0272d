//! Runs an expression over the batches of a table.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::Schema,
};
use datafusion::{
    common::DFSchema,
    logical_expr::{
        Expr as Lowered, execution_props::ExecutionProps, physical_planning_context::PhysicalPlanningContext,
    },
    physical_expr::{PhysicalExpr, create_physical_expr},
};
use flow_ir::{
    expr::{Expr, ExprKind, Scope, evaluate},
    types::Type,
    value::Value,
};
use flow_runtime::operator::OperatorError;

use super::{
    cells,
    lower::{Bindings, lower, widened},
};
use crate::{internal, storage};

/// An expression made ready for the tables of one schema.
#[derive(Debug)]
pub struct Evaluator<'a> {
    expr: Cow<'a, Expr>,
    bindings: Bindings<'a>,
    /// None where DataFusion cannot hold all that the expression computes on the way, as a list.
    physical: Option<Arc<dyn PhysicalExpr>>,
    columns: Vec<Used>,
}

/// A column that the expression reads.
#[derive(Debug)]
struct Used {
    name: String,
    ty: Type,
    /// Its place in the table.
    place: usize,
}

impl<'a> Evaluator<'a> {
    /// # Errors
    /// Where the table lacks a column, or stores it as another type than the expression's.
    pub fn new(
        expr: Cow<'a, Expr>,
        bindings: &'a [(String, Value)],
        schema: &Arc<Schema>,
    ) -> Result<Self, OperatorError> {
        let mut columns = Vec::new();
        used_columns(&expr, schema, &mut columns)?;
        let bindings = Bindings(bindings);
        let physical = lower(&expr, bindings).map(|lowered| physical(&lowered, schema)).transpose()?;
        Ok(Self { expr, bindings, physical, columns })
    }

    /// The expression's column for a batch whose first row is the `first_row`th of its table, from 0.
    ///
    /// # Errors
    /// Where a row has no value, by overflow and the like: the row is named, counted from 1.
    pub fn evaluate(&self, batch: &RecordBatch, first_row: usize) -> Result<ArrayRef, OperatorError> {
        match self.compute(batch) {
            Some(column) => Ok(column),
            None => self.interpret(batch, first_row),
        }
    }

    /// By DataFusion; none where it fails.
    pub(super) fn compute(&self, batch: &RecordBatch) -> Option<ArrayRef> {
        let column = self
            .physical
            .as_ref()?
            .evaluate(batch)
            .and_then(|value| value.into_array(batch.num_rows()))
            .ok()?;
        (Some(column.data_type()) == storage::data_type(&self.expr.ty).as_ref()).then_some(column)
    }

    /// Row by row, by the reference interpreter: the first row without a value is the error. There may
    /// be none, since DataFusion also computes what no row needs.
    fn interpret(&self, batch: &RecordBatch, first_row: usize) -> Result<ArrayRef, OperatorError> {
        let mut values = Vec::with_capacity(batch.num_rows());
        let mut scope = RowScope { bindings: self.bindings, columns: Vec::new() };
        for row in 0..batch.num_rows() {
            scope.columns.clear();
            for used in &self.columns {
                let cell = cells::value(batch.column(used.place), row, &used.ty);
                scope.columns.push((&used.name, cell.unwrap_or(Value::None)));
            }
            let value = self
                .value(&scope)
                .map_err(|reason| OperatorError::failed(format!("row {}: {reason}", first_row + row + 1)))?;
            values.push(value);
        }
        cells::array(&values, &self.expr.ty)
            .ok_or_else(|| internal("an expression gave a value of another type"))
    }

    fn value(&self, scope: &RowScope<'_>) -> Result<Value, String> {
        let ty = &self.expr.ty;
        let value = evaluate(&self.expr, scope).map_err(|error| error.to_string()).and_then(|value| {
            let value = widened(value, ty);
            // A Date may lie beyond what a Time reaches.
            let fits = value == Value::None || value.fits(ty.storage()).is_ok();
            if fits { Ok(value) } else { Err(format!("{value} is no {ty}")) }
        });
        value.map_err(|reason| {
            if self.columns.iter().any(|used| storage::is_personal(&used.ty)) {
                "the expression has no value for personal data, which is not shown".to_owned()
            } else {
                reason
            }
        })
    }
}

fn physical(lowered: &Lowered, schema: &Arc<Schema>) -> Result<Arc<dyn PhysicalExpr>, OperatorError> {
    let schema = DFSchema::try_from(schema.as_ref().clone()).map_err(internal)?;
    let context = PhysicalPlanningContext::default();
    create_physical_expr(lowered, &schema, &ExecutionProps::new(), &context).map_err(internal)
}

struct RowScope<'a> {
    bindings: Bindings<'a>,
    columns: Vec<(&'a str, Value)>,
}

impl Scope for RowScope<'_> {
    fn column(&self, name: &str) -> Option<&Value> {
        self.columns.iter().find(|(column, _)| *column == name).map(|(_, value)| value)
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.bindings.parameter(name)
    }
}

fn used_columns(expr: &Expr, schema: &Schema, columns: &mut Vec<Used>) -> Result<(), OperatorError> {
    match &expr.kind {
        ExprKind::Column(name) => {
            if columns.iter().any(|used| used.name == *name) {
                return Ok(());
            }
            let place = schema.index_of(name).map_err(|_| {
                OperatorError::failed(format!(
                    "the expression reads the column `{name}`, which the table lacks"
                ))
            })?;
            let found = schema.field(place).data_type();
            if storage::data_type(&expr.ty).as_ref() != Some(found) {
                return Err(OperatorError::failed(format!(
                    "the expression reads the column `{name}` as another type than {found}, which it holds"
                )));
            }
            columns.push(Used { name: name.clone(), ty: expr.ty.clone(), place });
            Ok(())
        }
        ExprKind::Parameter(_) | ExprKind::Literal(_) => Ok(()),
        ExprKind::Cast(operand) => used_columns(operand, schema, columns),
        ExprKind::Call { args, .. } => args.iter().try_for_each(|arg| used_columns(arg, schema, columns)),
        ExprKind::Case { arms, otherwise } => {
            for (condition, value) in arms {
                used_columns(condition, schema, columns)?;
                used_columns(value, schema, columns)?;
            }
            used_columns(otherwise, schema, columns)
        }
    }
}
