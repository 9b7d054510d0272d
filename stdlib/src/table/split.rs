//! `std.table.split`: two parts of a table, at random but the same each time.
//!
//! A row goes to `train` where `hash(row) < share`. The hash is BLAKE3, keyed by
//! `derive_key("flow std.table.split 1", seed as 8 bytes, little-endian)`, of the row's identity:
//!
//! - the value of the row's Id column, where the row type has exactly one `Id`: an Int, Date, Time or
//!   Duration as 8 bytes, little-endian; a Text as its UTF-8;
//! - else, and where the Id is missing, the row's index in the table as 8 bytes, little-endian.
//!
//! The top 53 bits of its first 8 bytes, read as a little-endian number, over 2^53. A row with an Id
//! stays on its side when other rows come or go; the parts hold `share` of the rows on average only.

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::{cast, filter_record_batch},
    datatypes::{DataType, Int64Type},
};
use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_runtime::operator::{Argument, Call, Context, Datum, OperatorError, Table};

use super::columns::{self, column_index};
use crate::{arguments, internal, storage};

const KEY_CONTEXT: &str = "flow std.table.split 1";

/// Gives `train` and `test`, both in the order of `data`.
pub fn split(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let share = arguments::float_within(call, "share", 0.0, 1.0)?;
    for name in ["stratify", "group"] {
        if !matches!(call.input(name), None | Some(Argument::Datum(Datum::Value(Value::None)))) {
            return Err(OperatorError::failed(format!("this flowc cannot `split` with `{name}` yet")));
        }
    }
    let key = blake3::derive_key(KEY_CONTEXT, &arguments::int(call, "seed")?.to_le_bytes());
    let row = arguments::output_row(call, 0)?;
    let id = match id_column(row) {
        Some(name) => Some(column_index(table, name)?),
        None => None,
    };

    let schema = storage::schema(row)?;
    let mut train = Table { schema: schema.clone(), batches: Vec::with_capacity(table.batches.len()) };
    let mut test = train.clone();
    let mut first = 0;
    for batch in &table.batches {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        let identities = Identities::new(batch, id, first)?;
        let sides = (0..batch.num_rows()).map(|row| fraction(&key, identities.of(row).as_ref()) < share);
        let sides = BooleanArray::from_iter(sides.map(Some));
        let others = arrow::compute::not(&sides).map_err(internal)?;
        let batch = columns::batch(&schema, batch.columns().to_vec(), batch.num_rows())?;
        train.batches.push(filter_record_batch(&batch, &sides).map_err(internal)?);
        test.batches.push(filter_record_batch(&batch, &others).map_err(internal)?);
        first += batch.num_rows() as u64;
    }
    Ok(vec![Datum::Table(train), Datum::Table(test)])
}

/// Where a hash lies between 0 and 1.
fn fraction(key: &[u8; 32], identity: &[u8]) -> f64 {
    let hash = blake3::keyed_hash(key, identity);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let numerator = (u64::from_le_bytes(first) >> 11) as f64;
    numerator / (1_u64 << 53) as f64
}

/// The one Id of a row type.
fn id_column(row: &Row) -> Option<&str> {
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

/// What tells the rows of a batch from others.
struct Identities {
    ids: Option<Ids>,
    /// The index of the batch's first row.
    first: u64,
}

enum Ids {
    Numbers(arrow::array::Int64Array),
    Texts(arrow::array::StringArray),
}

enum Identity<'a> {
    Number([u8; 8]),
    Text(&'a str),
}

impl Identities {
    fn new(batch: &RecordBatch, id: Option<usize>, first: u64) -> Result<Self, OperatorError> {
        let Some(column) = id.map(|id| batch.column(id)) else { return Ok(Self { ids: None, first }) };
        let ids = match column.data_type() {
            DataType::Utf8 => Ids::Texts(column.as_string::<i32>().clone()),
            DataType::Date32 => {
                let days = cast(column, &DataType::Int32).and_then(|days| cast(&days, &DataType::Int64));
                Ids::Numbers(days.map_err(internal)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
                let numbers = cast(column, &DataType::Int64).map_err(internal)?;
                Ids::Numbers(numbers.as_primitive::<Int64Type>().clone())
            }
            other => {
                return Err(OperatorError::with_help(
                    format!("rows cannot be split by an Id that is stored as {other}"),
                    "an Id is an Int, a Text, a Date or a Time",
                ));
            }
        };
        Ok(Self { ids: Some(ids), first })
    }

    fn of(&self, row: usize) -> Identity<'_> {
        match &self.ids {
            Some(Ids::Numbers(ids)) if ids.is_valid(row) => Identity::Number(ids.value(row).to_le_bytes()),
            Some(Ids::Texts(ids)) if ids.is_valid(row) => Identity::Text(ids.value(row)),
            _ => Identity::Number((self.first + row as u64).to_le_bytes()),
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
