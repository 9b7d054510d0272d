//! Values as plain JSON, for outputs, launch forms and `--params`: the type says what is meant.
//!
//! | type | JSON |
//! |---|---|
//! | Bool, Int, Text, Category, File, Column, an enum's variant | itself, by name |
//! | Float, Fraction and their kin | a number; `"inf"`, `"-inf"`, `"nan"` |
//! | Date, Time | ISO 8601: `"2026-11-20"`, `"2026-11-20T09:30:00Z"` |
//! | Duration | `"90s"` |
//! | Size | a number of bytes; `"512MiB"` is read too |
//! | Bytes | hexadecimal digits |
//! | List, record | array, object |
//! | missing | `null` |

use serde_json::Value as Json;

use crate::{
    calendar,
    fits::Misfit,
    text::{
        shortened,
        words::{read_duration, read_hex, read_size, special_float, write_duration, write_float, write_hex},
    },
    types::Type,
    value::{Float64, Value},
};

impl Value {
    /// This value as plain JSON; [`Self::from_json`] reads it back, given the type.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) if value.0.is_finite() => Json::from(value.0),
            Self::Float(value) => written(|out| write_float(out, value.0)),
            Self::Text(text) | Self::File(text) | Self::Column(text) => Json::from(text.as_str()),
            Self::Bytes(bytes) => written(|out| write_hex(out, bytes)),
            Self::Date(days) => written(|out| calendar::write_date(out, i64::from(*days))),
            Self::Time(microseconds) => written(|out| calendar::write_time(out, *microseconds)),
            Self::Duration(microseconds) => written(|out| write_duration(out, *microseconds)),
            Self::Size(bytes) => Json::from(*bytes),
            Self::List(values) => Json::Array(values.iter().map(Self::to_json).collect()),
            Self::Record(fields) => {
                Json::Object(fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
            }
            Self::Enum { variant, .. } => Json::from(variant.as_str()),
        }
    }

    /// Reads a value of type `ty` from plain JSON, and checks that it fits.
    ///
    /// # Errors
    /// Says what was expected, and where within a list or record.
    pub fn from_json(json: &Json, ty: &Type) -> Result<Self, Misfit> {
        let value = read(json, ty)?;
        value.fits(ty)?;
        Ok(value)
    }
}

fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> Json {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text).unwrap_or_default();
    Json::String(text)
}

fn read(json: &Json, ty: &Type) -> Result<Value, Misfit> {
    let misfit = || Misfit::Type { expected: ty.to_string(), found: shortened(&json.to_string()) };
    if json.is_null() {
        return if ty.is_optional() || *ty == Type::Nothing {
            Ok(Value::None)
        } else {
            Err(Misfit::Missing { expected: ty.to_string() })
        };
    }
    let value = match ty.present() {
        Type::List(of) => {
            return read_list(json.as_array().ok_or_else(misfit)?, of);
        }
        Type::Embedding(_) => {
            return read_list(json.as_array().ok_or_else(misfit)?, &Type::Float);
        }
        Type::Record(record) => {
            let object = json.as_object().ok_or_else(misfit)?;
            if let Some(name) = object.keys().find(|name| record.field(name).is_none()) {
                return Err(Misfit::Field { name: name.clone(), is_missing: false });
            }
            let read_field = |field: &crate::types::Field| {
                let value = match object.get(&field.name) {
                    Some(json) => {
                        read(json, &field.ty).map_err(|misfit| misfit.within(format!(".{}", field.name)))?
                    }
                    None if field.ty.is_optional() => Value::None,
                    None => return Err(Misfit::Field { name: field.name.clone(), is_missing: true }),
                };
                Ok((field.name.clone(), value))
            };
            return record.fields.iter().map(read_field).collect::<Result<_, _>>().map(Value::Record);
        }
        Type::Enum(of) => {
            let name = json.as_str().ok_or_else(misfit)?;
            Some(Value::Enum { ty: of.name.clone(), variant: name.to_owned() })
        }
        Type::Column(_) => json.as_str().map(|name| Value::Column(name.to_owned())),
        Type::Id(of) | Type::QueryId(of) | Type::Pii(of) | Type::Label { of, .. } => return read(json, of),
        Type::File | Type::Dataset(_) | Type::Model(_) | Type::Opaque(_) => {
            json.as_str().map(|path| Value::File(path.to_owned()))
        }
        other => read_scalar(json, other.storage()),
    };
    value.ok_or_else(misfit)
}

fn read_list(values: &[Json], of: &Type) -> Result<Value, Misfit> {
    let read_one = |(index, json)| read(json, of).map_err(|misfit| misfit.within(format!("[{index}]")));
    values.iter().enumerate().map(read_one).collect::<Result<_, _>>().map(Value::List)
}

fn read_scalar(json: &Json, storage: &Type) -> Option<Value> {
    match storage {
        Type::Bool => json.as_bool().map(Value::Bool),
        Type::Int => json.as_i64().or_else(|| whole(json.as_f64()?)).map(Value::Int),
        Type::Float | Type::Float32 => {
            let number = json.as_f64().or_else(|| special_float(json.as_str()?))?;
            Some(Value::Float(Float64(number)))
        }
        Type::Text => json.as_str().map(Value::from),
        Type::Bytes => json.as_str().and_then(read_hex).map(Value::Bytes),
        Type::Date => json.as_str().and_then(calendar::read_date).map(Value::Date),
        Type::Time => json.as_str().and_then(calendar::read_time).map(Value::Time),
        Type::Duration => json.as_str().and_then(read_duration).map(Value::Duration),
        Type::Size => json.as_u64().or_else(|| read_size(json.as_str()?)).map(Value::Size),
        _ => None,
    }
}

/// The Int that a JSON writer without integers meant by `7.0`.
fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53 a float no longer says which integer was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary;

    #[test]
    fn values_of_every_type_both_ways() {
        for (value, ty, json) in [
            ("none", "Int?", json!(null)),
            ("7", "Int", json!(7)),
            ("0.5", "Fraction", json!(0.5)),
            ("-inf", "Float", json!("-inf")),
            ("nan", "Float", json!("nan")),
            ("\"SF\"", "Category", json!("SF")),
            ("date\"2026-11-20\"", "Date", json!("2026-11-20")),
            ("time\"2026-11-20T09:30:00Z\"", "EventTime", json!("2026-11-20T09:30:00Z")),
            ("90s", "Duration", json!("90s")),
            ("1KiB", "Size", json!(1024)),
            ("bytes\"00ff\"", "Bytes", json!("00ff")),
            ("file\"a.csv\"", "Dataset<{ a: Int }>", json!("a.csv")),
            ("[1, 2]", "List<Int>", json!([1, 2])),
            ("(a: 1, b: none)", "(a: Int, b: Int?)", json!({"a": 1, "b": null})),
            ("std.tree.Loss.auto", "std.tree.Loss { auto }", json!("auto")),
            (".minutes", "Column<{ minutes: Float }>", json!("minutes")),
        ] {
            let (value, ty) = (Value::parse(value).unwrap(), Type::parse(ty).unwrap());
            assert_eq!(value.to_json(), json);
            assert_eq!(Value::from_json(&json, &ty), Ok(value));
        }
        let read = |json, ty| Value::from_json(&json, &Type::parse(ty).unwrap()).unwrap().to_string();
        assert_eq!(read(json!(7.0), "Int"), "7", "a writer without integers");
        assert_eq!(read(json!(7), "Float"), "7.0");
        assert_eq!(read(json!("512MiB"), "Size"), "512MiB");
        assert_eq!(read(json!({"b": 1}), "(a: Int?, b: Int)"), "(a: none, b: 1)");
    }

    #[test]
    fn misfits_name_the_place() {
        for (json, ty, message) in [
            (json!(17), "Int in 1..=16", "17 is not in 1..=16"),
            (json!("7"), "Int", "expected Int, found \"7\""),
            (json!(0.5), "Int", "expected Int, found 0.5"),
            (json!(null), "Int", "expected Int, found nothing"),
            (json!([1, "x"]), "List<Int>", "[1]: expected Int, found \"x\""),
            (json!({"a": [true]}), "(a: List<Int>)", ".a[0]: expected Int, found true"),
            (json!({"a": 1, "c": 2}), "(a: Int)", "there is no field `c`"),
            (json!("sqared"), "std.tree.Loss { squared }", "std.tree.Loss has no `sqared`; it has squared"),
            (json!(1e300), "Int", "expected Int, found 1e+300"),
        ] {
            let misfit = Value::from_json(&json, &Type::parse(ty).unwrap()).unwrap_err();
            assert_eq!(misfit.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn any_json_against_any_type(text in "\\PC{0,30}|[\\[\\]{}:,\"a0-9.e-]{0,30}", ty in arbitrary::ty(), value in arbitrary::value()) {
            if let Ok(json) = serde_json::from_str::<Json>(&text) {
                let _ = Value::from_json(&json, &ty);
            }
            let _ = Value::from_json(&value.to_json(), &ty);
            let _ = value.fits(&ty);
        }
    }
}
