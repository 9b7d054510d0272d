//! Conversions between types: what a cast does to a value.

use super::EvalError;
use crate::{
    calendar::{self, MICROSECONDS_PER_DAY},
    text::words::{read_duration, read_size, write_duration, write_float, write_size},
    types::Type,
    value::{Float64, Value},
};

/// The value as one of `ty`. A Float becomes an Int towards zero, a Text is read as written in a
/// table, a Date becomes its midnight UTC, a Time its day; a change of meaning changes nothing.
/// Missing stays missing.
///
/// # Errors
/// A Text that spells no such value, a Float that no Int can hold, or types without a conversion.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, EvalError> {
    let converted = match (value, ty.storage()) {
        (Value::None, _) => Some(Value::None),
        (Value::Int(value), Type::Float) => Some(Value::from(*value as f64)),
        (value, Type::Float32) => number(value).map(|value| Value::from(f64::from(value as f32))),
        (Value::Bool(value), Type::Int) => Some(Value::Int(i64::from(*value))),
        (value @ (Value::Bool(_) | Value::Text(_)), Type::Float) => number(value).map(Value::from),
        (Value::Float(value), Type::Int) => int(value.0).map(Value::Int),
        (Value::Text(text), Type::Int) => text.trim().parse().ok().map(Value::Int),
        (Value::Text(text), Type::Bool) => match text.trim() {
            "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ => None,
        },
        (Value::Text(text), Type::Date) => calendar::read_date(text.trim()).map(Value::Date),
        (Value::Text(text), Type::Time) => calendar::read_time(text.trim()).map(Value::Time),
        (Value::Text(text), Type::Duration) => read_duration(text.trim()).map(Value::Duration),
        (Value::Text(text), Type::Size) => read_size(text.trim()).map(Value::Size),
        (Value::Text(text), Type::File) => Some(Value::File(text.clone())),
        (Value::Date(days), Type::Time) => midnight(*days).map(Value::Time),
        (Value::Time(at), Type::Date) => day_of(*at).map(Value::Date),
        (value, Type::Text) => text_of(value).map(Value::Text),
        (Value::List(values), Type::List(of)) => {
            let values: Result<_, _> = values.iter().map(|value| convert(value, of)).collect();
            return values.map(Value::List);
        }
        (Value::List(values), Type::Embedding(length)) if u32::try_from(values.len()) == Ok(*length) => {
            let values: Option<_> = values.iter().map(|value| number(value).map(Value::from)).collect();
            values.map(Value::List)
        }
        (value, _) if value.fits(ty.storage()).is_ok() => Some(value.clone()),
        _ => None,
    };
    converted.ok_or_else(|| EvalError::Conversion { value: value.to_string(), ty: ty.clone() })
}

/// An Int where a Float is asked becomes one; everything else stays.
pub fn widen(value: Value, ty: &Type) -> Value {
    match (&value, ty.storage()) {
        (Value::Int(int), Type::Float | Type::Float32) => Value::from(*int as f64),
        (Value::Date(days), Type::Time) => midnight(*days).map_or(value, Value::Time),
        _ => value,
    }
}

/// A scalar as a person writes it into a text: without quotes.
pub fn text_of(value: &Value) -> Option<String> {
    let mut text = String::new();
    let written = match value {
        Value::Text(text) | Value::File(text) | Value::Column(text) => return Some(text.clone()),
        Value::Enum { variant, .. } => return Some(variant.clone()),
        Value::Bool(value) => return Some(value.to_string()),
        Value::Int(value) => return Some(value.to_string()),
        Value::Float(value) => write_float(&mut text, value.0),
        Value::Date(days) => calendar::write_date(&mut text, i64::from(*days)),
        Value::Time(at) => calendar::write_time(&mut text, *at),
        Value::Duration(time) => write_duration(&mut text, *time),
        Value::Size(bytes) => write_size(&mut text, *bytes),
        Value::None | Value::Bytes(_) | Value::List(_) | Value::Record(_) => return None,
    };
    written.ok().map(|()| text)
}

/// Microseconds since 1970-01-01T00:00:00Z; none for a day beyond the range of Time.
fn midnight(days: i32) -> Option<i64> {
    i64::from(days).checked_mul(MICROSECONDS_PER_DAY)
}

/// The day on which an instant lies, in UTC.
fn day_of(microseconds: i64) -> Option<i32> {
    i32::try_from(microseconds.div_euclid(MICROSECONDS_PER_DAY)).ok()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(Float64(value)) => Some(*value),
        Value::Int(value) => Some(*value as f64),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Towards zero; none for NaN, infinities and what is beyond 64 bits.
fn int(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (-BEYOND..BEYOND).contains(&value).then_some(value as i64)
}
