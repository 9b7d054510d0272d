//! What tells a table's rows from one another: a column's values, or else where a row stands.

use arrow::{
    array::{Array, AsArray, Int64Array, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use flow_ir::types::{Row, Type};
use flow_runtime::operator::OperatorError;

use crate::internal;

/// The identities of the rows of a batch, as bytes to hash: an Int, Bool, Date, Time or Duration as 8 bytes,
/// little-endian; a Text as its UTF-8.
pub struct Identities {
    values: Option<Values>,
    /// The index of the batch's first row.
    first: u64,
}

pub enum Identity<'a> {
    Number([u8; 8]),
    Text(&'a str),
}

enum Values {
    Numbers(Int64Array),
    Texts(StringArray),
}

impl Identities {
    /// By the column at a place of the batch, or without one by the index alone.
    ///
    /// # Errors
    /// Where the column holds what has no identity: a Float, a list.
    pub fn new(batch: &RecordBatch, column: Option<usize>, first: u64) -> Result<Self, OperatorError> {
        let Some(column) = column.map(|place| batch.column(place)) else {
            return Ok(Self { values: None, first });
        };
        let values = match column.data_type() {
            DataType::Utf8 => Values::Texts(column.as_string::<i32>().clone()),
            DataType::Date32 => {
                let days = cast(column, &DataType::Int32).and_then(|days| cast(&days, &DataType::Int64));
                Values::Numbers(days.map_err(internal)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Boolean | DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
                let numbers = cast(column, &DataType::Int64).map_err(internal)?;
                Values::Numbers(numbers.as_primitive::<Int64Type>().clone())
            }
            other => {
                return Err(OperatorError::with_help(
                    format!("rows cannot be split by a column that is stored as {other}"),
                    "rows are told apart by an Int, a Text, a Category, a Bool, a Date or a Time",
                ));
            }
        };
        Ok(Self { values: Some(values), first })
    }

    /// The row's value, or its index in the table where it has none.
    pub fn of(&self, row: usize) -> Identity<'_> {
        self.value(row).unwrap_or_else(|| Identity::Number((self.first + row as u64).to_le_bytes()))
    }

    /// The row's value; `None` where it is missing.
    pub fn value(&self, row: usize) -> Option<Identity<'_>> {
        match self.values.as_ref()? {
            Values::Numbers(values) if values.is_valid(row) => {
                Some(Identity::Number(values.value(row).to_le_bytes()))
            }
            Values::Texts(values) if values.is_valid(row) => Some(Identity::Text(values.value(row))),
            _ => None,
        }
    }
}

impl AsRef<[u8]> for Identity<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Number(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// The one Id of a row type.
pub fn id_column(row: &Row) -> Option<&str> {
    let mut ids = row.columns.iter().filter(|column| is_id(&column.ty));
    let first = ids.next()?;
    ids.next().is_none().then_some(first.name.as_str())
}

fn is_id(ty: &Type) -> bool {
    match ty.present() {
        Type::Id(_) => true,
        Type::Pii(of) => is_id(of),
        _ => false,
    }
}
