//! Columns of a table, as plain slices for a trainer or a model.

use arrow::{
    array::{Array, AsArray},
    datatypes::{DataType, Float32Type, Float64Type, Int64Type},
};
use flow_ir::types::{Row, Type};
use flow_runtime::operator::{Context, OperatorError, Table};
use rustc_hash::FxHashMap;

use super::{Feature, FeatureKind};
use crate::{
    check,
    table::columns::column_index,
    tree::{self, Column},
};

/// The columns that a model reads, in its order.
#[derive(Debug)]
pub struct Columns<'a> {
    features: &'a [Feature],
    columns: Vec<Values>,
}

/// The values of one column; `valid[row]` is false where a value is missing.
#[derive(Debug)]
enum Values {
    Numbers { values: Vec<f64>, valid: Option<Vec<bool>> },
    Codes { codes: Vec<u32>, valid: Option<Vec<bool>> },
}

/// The features of a row type, in its order, with the categories that `table` holds.
///
/// # Errors
/// Where the row has no feature, or one that trees do not take.
pub fn choose(row: &Row, table: &Table, context: &dyn Context) -> Result<Vec<Feature>, OperatorError> {
    let mut features = Vec::new();
    for column in row.columns.iter().filter(|column| column.ty.is_feature()) {
        let kind = match column.ty.present() {
            Type::Bool => FeatureKind::Bool,
            Type::Int => FeatureKind::Int,
            Type::Category => FeatureKind::Category { categories: categories(table, &column.name, context)? },
            Type::Embedding(_) => {
                return Err(OperatorError::with_help(
                    format!("the feature `{}` is an Embedding, which trees do not take", column.name),
                    format!("leave it out with `.drop(.{})`", column.name),
                ));
            }
            _ => FeatureKind::Float,
        };
        features.push(Feature { name: column.name.clone(), kind });
    }
    if features.is_empty() {
        return Err(OperatorError::with_help(
            "the table has no features",
            "features are its Bool, Int, Float and Category columns",
        ));
    }
    Ok(features)
}

/// Takes a model's features out of a table, or out of a part of one that begins with its `first_row`th row. Categories
/// that the model does not know are missing.
///
/// # Errors
/// Where a feature is not there, is stored as another type, or holds an infinity or NaN.
pub fn take<'a>(
    features: &'a [Feature],
    table: &Table,
    first_row: usize,
    context: &dyn Context,
) -> Result<Columns<'a>, OperatorError> {
    let columns = features.iter().map(|feature| match context.is_cancelled() {
        true => Err(OperatorError::Cancelled),
        false => values(feature, table, first_row),
    });
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(Columns { features, columns })
}

/// How many bytes [`take`] takes for so many rows.
pub fn memory(features: &[Feature], rows: usize) -> u64 {
    let of = |feature: &Feature| match feature.kind {
        FeatureKind::Category { .. } => size_of::<u32>() + size_of::<bool>(),
        _ => size_of::<f64>() + size_of::<bool>(),
    };
    (features.iter().map(of).sum::<usize>() * rows) as u64
}

impl<'a> Columns<'a> {
    pub fn features(&'a self) -> Vec<tree::Feature<'a>> {
        let with_names = self.features.iter().zip(&self.columns);
        with_names
            .map(|(feature, values)| tree::Feature { name: &feature.name, column: values.column() })
            .collect()
    }
}

impl Values {
    fn column(&self) -> Column<'_> {
        match self {
            Self::Numbers { values, valid } => Column::Numeric { values, valid: valid.as_deref() },
            Self::Codes { codes, valid } => Column::Categorical { codes, valid: valid.as_deref() },
        }
    }
}

/// The present values of a Category column, sorted.
fn categories(table: &Table, name: &str, context: &dyn Context) -> Result<Vec<String>, OperatorError> {
    let column = column_index(&table.schema, name)?;
    let mut seen = rustc_hash::FxHashSet::default();
    for batch in &table.batches {
        check(context)?;
        let texts =
            batch.column(column).as_string_opt::<i32>().ok_or_else(|| misfit(table, column, "text"))?;
        seen.extend(texts.iter().flatten());
    }
    let mut categories: Vec<String> = seen.into_iter().map(str::to_owned).collect();
    categories.sort_unstable();
    Ok(categories)
}

fn values(feature: &Feature, table: &Table, first_row: usize) -> Result<Values, OperatorError> {
    let index = table.schema.index_of(&feature.name).map_err(|_| {
        OperatorError::with_help(
            format!("the model needs the feature `{}`, which the table lacks", feature.name),
            "prepare the table as the training rows were prepared",
        )
    })?;
    let rows = table.rows();
    let has_missing = table.batches.iter().any(|batch| batch.column(index).null_count() > 0);
    let mut valid = Vec::with_capacity(if has_missing { rows } else { 0 });
    let arrays = table.batches.iter().map(|batch| batch.column(index).as_ref());
    if let FeatureKind::Category { categories } = &feature.kind {
        return codes(categories, arrays, rows).ok_or_else(|| misfit(table, index, "text"));
    }
    let mut values = Vec::with_capacity(rows);
    for array in arrays {
        let is_kind = match feature.kind {
            FeatureKind::Bool => array.data_type() == &DataType::Boolean,
            FeatureKind::Int => array.data_type() == &DataType::Int64,
            _ => matches!(array.data_type(), DataType::Float64 | DataType::Float32 | DataType::Int64),
        };
        if !is_kind || !push_numbers(array, &mut values) {
            let expected = match feature.kind {
                FeatureKind::Bool => "Bool",
                FeatureKind::Int => "Int",
                _ => "Float",
            };
            return Err(misfit(table, index, expected));
        }
        if has_missing {
            valid.extend((0..array.len()).map(|row| array.is_valid(row)));
        }
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(OperatorError::with_help(
            format!("the feature `{}` is {} in row {}", feature.name, values[row], first_row + row + 1),
            "make it missing, or leave the row out with `.where(…)`",
        )),
        None => Ok(Values::Numbers { values, valid: has_missing.then_some(valid) }),
    }
}

/// Appends a column's numbers, with 0 for missing ones; false where it holds none.
pub(super) fn push_numbers(array: &dyn Array, values: &mut Vec<f64>) -> bool {
    match array.data_type() {
        DataType::Float64 => {
            values.extend(array.as_primitive::<Float64Type>().iter().map(Option::unwrap_or_default))
        }
        DataType::Float32 => {
            let numbers = array.as_primitive::<Float32Type>().iter();
            values.extend(numbers.map(|number| f64::from(number.unwrap_or_default())));
        }
        #[expect(clippy::cast_precision_loss, reason = "that is how Int widens to Float")]
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>().iter();
            values.extend(numbers.map(|number| number.unwrap_or_default() as f64));
        }
        DataType::Boolean => {
            values.extend(array.as_boolean().iter().map(|value| f64::from(u8::from(value == Some(true)))));
        }
        _ => return false,
    }
    true
}

fn codes<'a>(
    categories: &[String],
    arrays: impl Iterator<Item = &'a dyn Array>,
    rows: usize,
) -> Option<Values> {
    let places: FxHashMap<&str, u32> = categories.iter().map(String::as_str).zip(0..).collect();
    let (mut codes, mut valid) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for array in arrays {
        for text in array.as_string_opt::<i32>()? {
            let code = text.and_then(|text| places.get(text));
            codes.push(code.copied().unwrap_or_default());
            valid.push(code.is_some());
        }
    }
    let is_complete = valid.iter().all(|valid| *valid);
    Some(Values::Codes { codes, valid: (!is_complete).then_some(valid) })
}

fn misfit(table: &Table, column: usize, expected: &str) -> OperatorError {
    let field = table.schema.field(column);
    OperatorError::failed(format!(
        "column `{}` holds {}, where {expected} is expected",
        field.name(),
        field.data_type()
    ))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use flow_ir::types::{Column as Typed, Refinement};

    use super::*;

    struct Nobody;

    impl Context for Nobody {
        fn is_cancelled(&self) -> bool {
            false
        }

        fn attempt(&self) -> u32 {
            1
        }

        fn threads(&self) -> usize {
            1
        }

        fn memory(&self) -> u64 {
            0
        }

        fn gpus(&self) -> &[u32] {
            &[]
        }

        fn progress(&self, _: u64, _: u64) {}

        fn log(&self, _: &str) {}
    }

    #[test]
    fn a_limit_leaves_a_feature_its_kind() {
        let limits = Refinement::Int { low: Some(1), high: Some(5), inclusive: true };
        let limited = Type::Refined { base: Box::new(Type::Int), refinement: limits };
        let types = [Type::Int, limited.clone(), limited.optional(), Type::Float];
        let columns = types.into_iter().map(|ty| Typed { name: "n".to_owned(), ty, source: None }).collect();
        let row = Row { columns };
        let table = Table { schema: Schema::empty().into(), batches: Vec::new() };
        let kinds: Vec<FeatureKind> =
            choose(&row, &table, &Nobody).unwrap().into_iter().map(|feature| feature.kind).collect();
        assert_eq!(kinds, [FeatureKind::Int, FeatureKind::Int, FeatureKind::Int, FeatureKind::Float]);
    }
}
