//! Values out of arrays, and into them.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, DurationMicrosecondArray,
        Float32Array, Float64Array, Int64Array, ListArray, StringArray, TimestampMicrosecondArray,
        UInt64Array, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{
        DataType, Date32Type, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType, UInt64Type,
    },
};
use datafusion::common::ScalarValue;
use flow_ir::{types::Type, value::Value};

use crate::storage;

/// The cell of a column of that type; none where the array holds something else.
pub fn value(array: &dyn Array, row: usize, ty: &Type) -> Option<Value> {
    if array.is_null(row) {
        return Some(Value::None);
    }
    Some(match (array.data_type(), ty.storage()) {
        (DataType::Boolean, _) => Value::Bool(array.as_boolean().value(row)),
        (DataType::Int64, _) => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        (DataType::Float64, _) => Value::from(array.as_primitive::<Float64Type>().value(row)),
        (DataType::Float32, _) => Value::from(f64::from(array.as_primitive::<Float32Type>().value(row))),
        (DataType::Utf8, of) => {
            let text = array.as_string::<i32>().value(row).to_owned();
            match of {
                Type::Enum(of) => Value::Enum { ty: of.name.clone(), variant: text },
                Type::File => Value::File(text),
                _ => Value::Text(text),
            }
        }
        (DataType::Binary, _) => Value::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        (DataType::Date32, _) => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        (DataType::Timestamp(TimeUnit::Microsecond, _), _) => {
            Value::Time(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        (DataType::Duration(TimeUnit::Microsecond), _) => {
            Value::Duration(array.as_primitive::<DurationMicrosecondType>().value(row))
        }
        (DataType::UInt64, _) => Value::Size(array.as_primitive::<UInt64Type>().value(row)),
        (DataType::List(_), Type::List(of)) => {
            let items = array.as_list::<i32>().value(row);
            Value::List((0..items.len()).map(|item| value(&items, item, of)).collect::<Option<_>>()?)
        }
        (DataType::FixedSizeList(..), Type::Embedding(_)) => {
            let items = array.as_fixed_size_list().value(row);
            Value::List(
                (0..items.len()).map(|item| value(&items, item, &Type::Float)).collect::<Option<_>>()?,
            )
        }
        (DataType::Struct(_), Type::Record(record)) => {
            let columns = array.as_struct().columns().iter().zip(&record.fields);
            let fields =
                columns.map(|(column, field)| Some((field.name.clone(), value(column, row, &field.ty)?)));
            Value::Record(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// A column of that type, a scalar or a list; none where a value is of another one.
pub fn array(values: &[Value], ty: &Type) -> Option<ArrayRef> {
    macro_rules! of {
        ($array:ident, $variant:pat => $cell:expr) => {
            Arc::new(
                collect(values, |value| match value {
                    $variant => Some($cell),
                    _ => None,
                })?
                .collect::<$array>(),
            )
        };
    }
    let data_type = storage::data_type(ty)?;
    Some(match &data_type {
        DataType::Boolean => of!(BooleanArray, Value::Bool(value) => *value),
        DataType::Int64 => of!(Int64Array, Value::Int(value) => *value),
        DataType::Float64 => of!(Float64Array, Value::Float(value) => value.0),
        #[expect(clippy::cast_possible_truncation, reason = "a Float32 column rounds to its width")]
        DataType::Float32 => of!(Float32Array, Value::Float(value) => value.0 as f32),
        DataType::Utf8 => of!(
            StringArray,
            Value::Text(text) | Value::File(text) | Value::Enum { variant: text, .. } => text.as_str()
        ),
        DataType::Binary => of!(BinaryArray, Value::Bytes(bytes) => bytes.as_slice()),
        DataType::Date32 => of!(Date32Array, Value::Date(days) => *days),
        DataType::Timestamp(..) => {
            let times = collect(values, |value| if let Value::Time(at) = value { Some(*at) } else { None })?;
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        DataType::Duration(_) => of!(DurationMicrosecondArray, Value::Duration(time) => *time),
        DataType::UInt64 => of!(UInt64Array, Value::Size(bytes) => *bytes),
        DataType::List(item) => {
            let Type::List(of) = ty.storage() else { return None };
            let lists =
                collect(values, |value| if let Value::List(items) = value { Some(items) } else { None })?;
            let lists: Vec<Option<&Vec<Value>>> = lists.collect();
            let lengths = lists.iter().map(|list| list.map_or(0, Vec::len));
            let items: Vec<Value> = lists.iter().flatten().flat_map(|list| list.iter().cloned()).collect();
            let nulls = NullBuffer::from_iter(lists.iter().map(Option::is_some));
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, array(&items, of)?, Some(nulls)).ok()?)
        }
        _ if values.iter().all(|value| *value == Value::None) => new_null_array(&data_type, values.len()),
        _ => return None,
    })
}

/// A literal of that scalar type; none where the value is of another one.
pub fn scalar(value: &Value, ty: &Type) -> Option<ScalarValue> {
    let array = array(std::slice::from_ref(value), ty)?;
    ScalarValue::try_from_array(&array, 0).ok()
}

/// The cells with missing ones in between; none where `cell` knows a value that is there not.
fn collect<'a, T: 'a>(
    values: &'a [Value],
    cell: impl Fn(&'a Value) -> Option<T> + 'a,
) -> Option<impl Iterator<Item = Option<T>>> {
    let fits = values.iter().all(|value| *value == Value::None || cell(value).is_some());
    fits.then(|| values.iter().map(cell))
}
