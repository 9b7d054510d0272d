//! The rows of each value of a column, to be measured alone.

use std::collections::HashMap;

use arrow::{array::AsArray, compute::cast, datatypes::DataType};
use flow_ir::value::Value;
use flow_runtime::operator::{Call, OperatorError, Table};

use crate::{arguments, table::columns::column_index};

/// The rows that have one value, as places in the table.
pub struct Group {
    /// As text; missing where the column is.
    pub value: Value,
    pub rows: Vec<usize>,
}

/// The groups of the column that `by` names, in the order in which their values appear; none without `by`.
///
/// # Errors
/// Where the column is not there, or its values are no texts, numbers, Bools, dates or times.
pub fn groups(call: &Call, table: &Table) -> Result<Vec<Group>, OperatorError> {
    let Some(name) = arguments::optional_column(call, "by")? else { return Ok(Vec::new()) };
    let column = column_index(&table.schema, name)?;
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    let mut row = 0;
    for batch in &table.batches {
        let texts = cast(batch.column(column), &DataType::Utf8)
            .map_err(|_| OperatorError::failed(format!("rows cannot be grouped by `{name}`")))?;
        for text in texts.as_string::<i32>() {
            let place = *places.entry(text.map(str::to_owned)).or_insert_with(|| {
                groups.push(Group { value: text.map_or(Value::None, Value::from), rows: Vec::new() });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.rows.push(row);
            }
            row += 1;
        }
    }
    Ok(groups)
}

/// The values at these places.
pub fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|row| values.get(*row).copied()).collect()
}

/// A record of a group: its value, and what was measured of its rows.
pub fn record(value: &Value, measures: Vec<(&'static str, Value)>) -> Value {
    let fields = std::iter::once(("value", value.clone())).chain(measures);
    Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).collect())
}
