//! The label and the weights of a table.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use flow_ir::types::{Row, Type};
use flow_runtime::operator::{Context, OperatorError, Table};

use super::{Label, LabelKind, Model, features::push_numbers};
use crate::{check, table::columns::column_index};

/// A table's labels, row by row.
#[derive(Debug)]
pub enum Labels {
    Numbers(Vec<f64>),
    /// Places among the label's classes.
    Classes(Vec<u32>),
}

/// The label of a row type; a classifier's classes are those that `table` holds.
///
/// # Errors
/// Where the row has no label or several, where one class is all there is, or where the positive class
/// that the type names is not there.
pub fn choose(row: &Row, table: &Table, context: &dyn Context) -> Result<Label, OperatorError> {
    let mut labels = row.columns.iter().filter(|column| matches!(column.ty.present(), Type::Label { .. }));
    let (Some(column), None) = (labels.next(), labels.next()) else {
        return Err(OperatorError::with_help(
            "a trainer needs exactly one column that is a Label",
            "write `Label<…>` as the type of the column that is to be predicted",
        ));
    };
    let name = column.name.clone();
    let Type::Label { of, positive } = column.ty.present() else {
        return Ok(Label { name, kind: LabelKind::Number });
    };
    let is_bool = match of.storage() {
        Type::Int | Type::Float | Type::Float32 => return Ok(Label { name, kind: LabelKind::Number }),
        Type::Bool => true,
        _ => false,
    };
    check_complete(table, &name, "label")?;
    let classes = classes(table, &name, context)?;
    if classes.len() < 2 {
        return Err(OperatorError::failed(match classes.first() {
            Some(class) => format!("every row's label `{name}` is `{class}`: there is nothing to tell apart"),
            None => "there are no rows to learn from".to_owned(),
        }));
    }
    let positive = match positive {
        Some(positive) => classes.binary_search(positive).map_err(|_| {
            OperatorError::failed(format!("no row's label `{name}` is the positive class `{positive}`"))
        })?,
        None => classes.len() - 1,
    };
    Ok(Label { name, kind: LabelKind::Classes { classes, positive, is_bool } })
}

/// Takes a model's label out of a table.
///
/// # Errors
/// Where the column is not there, or has missing values, or holds a class that the model does not know.
pub fn take(label: &Label, table: &Table, context: &dyn Context) -> Result<Labels, OperatorError> {
    check_complete(table, &label.name, "label")?;
    match &label.kind {
        LabelKind::Number => numbers(table, &label.name).map(Labels::Numbers),
        LabelKind::Classes { classes, .. } => {
            let mut codes = Vec::with_capacity(table.rows());
            for_each_class(table, &label.name, context, &mut |class| {
                let code = classes.binary_search_by(|known| known.as_str().cmp(class)).map_err(|_| {
                    OperatorError::with_help(
                        format!(
                            "the label `{}` is `{class}` in row {}, a class that the model never saw",
                            label.name,
                            codes.len() + 1
                        ),
                        format!("the model knows {}", classes.join(", ")),
                    )
                })?;
                codes.push(u32::try_from(code).map_err(crate::internal)?);
                Ok(())
            })?;
            Ok(Labels::Classes(codes))
        }
    }
}

/// The name of a row type's column of weights.
///
/// # Errors
/// Where there are several.
pub fn weight_column(row: &Row) -> Result<Option<&str>, OperatorError> {
    let mut weights = row.columns.iter().filter(|column| matches!(column.ty.present(), Type::Weight));
    match (weights.next(), weights.next()) {
        (Some(first), Some(second)) => Err(OperatorError::failed(format!(
            "`{}` and `{}` are both a Weight, but a row has one weight",
            first.name, second.name
        ))),
        (first, _) => Ok(first.map(|column| column.name.as_str())),
    }
}

/// The weights of a table's rows: finite, and none below 0.
///
/// # Errors
/// Where the column is not there or a weight is none.
pub fn weights(table: &Table, name: &str) -> Result<Vec<f64>, OperatorError> {
    check_complete(table, name, "weight")?;
    let weights = numbers(table, name)?;
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(row) => Err(OperatorError::failed(format!(
            "the weight `{name}` is {} in row {}; weights are 0 or more",
            weights[row],
            row + 1
        ))),
        None => Ok(weights),
    }
}

/// The weights of the rows that a model is measured on: those of its Weight column, or 1 for each.
///
/// # Errors
/// Where a weight is none.
pub fn weights_of(model: &Model, table: &Table) -> Result<Vec<f64>, OperatorError> {
    match &model.weight {
        Some(name) if table.schema.index_of(name).is_ok() => weights(table, name),
        _ => Ok(vec![1.0; table.rows()]),
    }
}

fn check_complete(table: &Table, name: &str, part: &str) -> Result<(), OperatorError> {
    let column = column_index(&table.schema, name)?;
    let missing: usize = table.batches.iter().map(|batch| batch.column(column).null_count()).sum();
    if missing == 0 {
        return Ok(());
    }
    Err(OperatorError::with_help(
        format!("{missing} of {} rows have no {part} `{name}`", table.rows()),
        format!("leave them out with `.where(not is_missing(.{name}))`"),
    ))
}

fn numbers(table: &Table, name: &str) -> Result<Vec<f64>, OperatorError> {
    let column = column_index(&table.schema, name)?;
    let mut values = Vec::with_capacity(table.rows());
    for batch in &table.batches {
        if !push_numbers(batch.column(column), &mut values) {
            let ty = table.schema.field(column).data_type();
            return Err(OperatorError::failed(format!(
                "column `{name}` holds {ty}, where a number is expected"
            )));
        }
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(OperatorError::failed(format!("`{name}` is {} in row {}", values[row], row + 1))),
        None => Ok(values),
    }
}

fn classes(table: &Table, name: &str, context: &dyn Context) -> Result<Vec<String>, OperatorError> {
    let mut classes = BTreeSet::new();
    for_each_class(table, name, context, &mut |class| {
        if !classes.contains(class) {
            classes.insert(class.to_owned());
        }
        Ok(())
    })?;
    Ok(classes.into_iter().collect())
}

fn for_each_class(
    table: &Table,
    name: &str,
    context: &dyn Context,
    visit: &mut dyn FnMut(&str) -> Result<(), OperatorError>,
) -> Result<(), OperatorError> {
    let column = column_index(&table.schema, name)?;
    for batch in &table.batches {
        check(context)?;
        let array = batch.column(column);
        if let Some(texts) = array.as_string_opt::<i32>() {
            texts.iter().flatten().try_for_each(&mut *visit)?;
        } else if let Some(bools) = array.as_boolean_opt() {
            bools.iter().flatten().try_for_each(|value| visit(if value { "true" } else { "false" }))?;
        } else {
            let ty = table.schema.field(column).data_type();
            return Err(OperatorError::failed(format!(
                "column `{name}` holds {ty}, where classes are expected"
            )));
        }
    }
    Ok(())
}
