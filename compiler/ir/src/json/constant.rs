//! Values as JSON that says what they are, for constants inside `flow-dag/1`.
//!
//! `null`, booleans, integers (an Int), strings (a Text) and arrays (a List) stand for themselves;
//! everything else is an object of one key that names the kind: `{"float": 0.8}`,
//! `{"file": "iris.csv"}`, `{"enum": ["std.tree.Loss", "auto"]}`, `{"record": {"a": 1}}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap as _, SerializeSeq as _},
};

use super::entries::Entries;
use crate::{
    calendar,
    text::words::{read_duration, read_hex, special_float, write_duration, write_float, write_hex},
    value::{Float64, Value},
};

/// A [`Value`] at the border to JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant(pub Value);

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed(&self.0).serialize(serializer)
    }
}

/// A borrowed [`Constant`], to be written.
pub(super) struct Borrowed<'a>(pub &'a Value);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::None => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(values) => {
                let mut array = serializer.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| array.serialize_element(&Borrowed(value)))?;
                array.end()
            }
            Value::Float(value) if value.0.is_finite() => tagged(serializer, "float", &value.0),
            Value::Float(value) => tagged(serializer, "float", &text(|out| write_float(out, value.0))),
            Value::Bytes(bytes) => tagged(serializer, "bytes", &text(|out| write_hex(out, bytes))),
            Value::Date(days) => {
                tagged(serializer, "date", &text(|out| calendar::write_date(out, i64::from(*days))))
            }
            Value::Time(microseconds) => {
                tagged(serializer, "time", &text(|out| calendar::write_time(out, *microseconds)))
            }
            Value::Duration(microseconds) => {
                tagged(serializer, "duration", &text(|out| write_duration(out, *microseconds)))
            }
            Value::Size(bytes) => tagged(serializer, "size", bytes),
            Value::File(path) => tagged(serializer, "file", path),
            Value::Column(name) => tagged(serializer, "column", name),
            Value::Enum { ty, variant } => tagged(serializer, "enum", &(ty, variant)),
            Value::Record(fields) => tagged(serializer, "record", &Fields(fields)),
        }
    }
}

struct Fields<'a>(&'a [(String, Value)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| object.serialize_entry(name, &Borrowed(value)))?;
        object.end()
    }
}

fn tagged<S: Serializer>(serializer: S, kind: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(1))?;
    object.serialize_entry(kind, value)?;
    object.end()
}

fn text(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text).unwrap_or_default();
    text
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConstantVisitor).map(Self)
    }
}

struct ConstantVisitor;

impl<'de> Visitor<'de> for ConstantVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a constant: null, a boolean, an integer, a string, an array or an object such as {\"float\": 0.5}")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(|_| E::custom(format!("{value} is no 64-bit Int")))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Err(E::custom(format!("{value} is no 64-bit Int: a Float is written as {{\"float\": 0.5}}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Constant(value)) = array.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let Some(kind) = object.next_key::<String>()? else {
            return Err(A::Error::custom("a constant's object is empty: it needs a key such as `float`"));
        };
        let value = match kind.as_str() {
            "float" => Value::Float(Float64(object.next_value::<Number>()?.0)),
            "bytes" => Value::Bytes(spelled(&mut object, &kind, read_hex)?),
            "date" => Value::Date(spelled(&mut object, &kind, calendar::read_date)?),
            "time" => Value::Time(spelled(&mut object, &kind, calendar::read_time)?),
            "duration" => Value::Duration(spelled(&mut object, &kind, read_duration)?),
            "size" => Value::Size(object.next_value()?),
            "file" => Value::File(object.next_value()?),
            "column" => Value::Column(object.next_value()?),
            "enum" => {
                let (ty, variant) = object.next_value()?;
                Value::Enum { ty, variant }
            }
            "record" => {
                let Entries(fields) = object.next_value::<Entries<Constant>>()?;
                Value::Record(fields.into_iter().map(|(name, Constant(value))| (name, value)).collect())
            }
            other => {
                return Err(A::Error::custom(format!(
                    "unknown kind of constant `{other}`: expected float, bytes, date, time, duration, size, \
                     file, column, enum or record"
                )));
            }
        };
        match object.next_key::<String>()? {
            None => Ok(value),
            Some(extra) => Err(A::Error::custom(format!("`{extra}` beside `{kind}` in a constant"))),
        }
    }
}

/// A number, or the text of one that JSON lacks.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = f64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"inf\", \"-inf\" or \"nan\"")
            }

            fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<f64, E> {
                special_float(value).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(value), &self))
            }
        }
        deserializer.deserialize_any(NumberVisitor).map(Self)
    }
}

fn spelled<'de, A: MapAccess<'de>, T>(
    object: &mut A,
    kind: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, A::Error> {
    let text: String = object.next_value()?;
    read(&text).ok_or_else(|| A::Error::custom(format!("`{text}` is no {kind}")))
}
