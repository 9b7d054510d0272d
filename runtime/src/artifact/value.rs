//! Values as JSON that loses nothing and needs no type to read: integers, texts, truth values, lists and
//! `null` stand for themselves, finite Floats have a point, and the rest is an object with one field that
//! says what it is (`{"date": 20777}`, `{"record": {"auc": 0.9}}`).

use flow_ir::value::{Float64, Value};
use serde_json::{Map, Value as Json, json};

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(Float64(value)) if value.is_finite() => json!(value),
        Value::Float(Float64(value)) => json!({ "float": format!("{:016x}", value.to_bits()) }),
        Value::Text(value) => json!(value),
        Value::Bytes(value) => {
            json!({ "bytes": value.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
        Value::Date(value) => json!({ "date": value }),
        Value::Time(value) => json!({ "time": value }),
        Value::Duration(value) => json!({ "duration": value }),
        Value::Size(value) => json!({ "size": value }),
        Value::File(value) => json!({ "file": value }),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Record(fields) => {
            let fields: Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
            json!({ "record": fields })
        }
        Value::Enum { ty, variant } => json!({ "enum": [ty, variant] }),
        Value::Column(name) => json!({ "column": name }),
    }
}

/// Reads back what [`to_json`] wrote; `None` where it is something else.
pub fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None if number.is_f64() => Value::from(number.as_f64()?),
            None => return None,
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(from_json).collect::<Option<_>>()?),
        Json::Object(object) => {
            let (tag, content) = object.iter().next().filter(|_| object.len() == 1)?;
            match tag.as_str() {
                "float" => Value::from(f64::from_bits(u64::from_str_radix(content.as_str()?, 16).ok()?)),
                "bytes" => Value::Bytes(bytes_from_hex(content.as_str()?)?),
                "date" => Value::Date(i32::try_from(content.as_i64()?).ok()?),
                "time" => Value::Time(content.as_i64()?),
                "duration" => Value::Duration(content.as_i64()?),
                "size" => Value::Size(content.as_u64()?),
                "file" => Value::File(content.as_str()?.to_owned()),
                "record" => {
                    let fields = content.as_object()?.iter();
                    Value::Record(
                        fields
                            .map(|(name, value)| Some((name.clone(), from_json(value)?)))
                            .collect::<Option<_>>()?,
                    )
                }
                "enum" => match content.as_array()?.as_slice() {
                    [Json::String(ty), Json::String(variant)] => {
                        Value::Enum { ty: ty.clone(), variant: variant.clone() }
                    }
                    _ => return None,
                },
                "column" => Value::Column(content.as_str()?.to_owned()),
                _ => return None,
            }
        }
    })
}

fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::None),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<u64>().prop_map(|bits| Value::from(f64::from_bits(bits))),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<i32>().prop_map(Value::Date),
            any::<i64>().prop_map(Value::Time),
            any::<i64>().prop_map(Value::Duration),
            any::<u64>().prop_map(Value::Size),
            any::<String>().prop_map(Value::File),
            any::<(String, String)>().prop_map(|(ty, variant)| Value::Enum { ty, variant }),
            any::<String>().prop_map(Value::Column),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_map("[a-z]{0,3}", inner, 0..4)
                    .prop_map(|fields| Value::Record(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_comes_back(value in values()) {
            let text = to_json(&value).to_string();
            prop_assert_eq!(from_json(&serde_json::from_str(&text).unwrap()), Some(value));
        }

        #[test]
        fn any_other_json_is_refused_quietly(text in r#"(\{"[a-z]{1,6}": ?)?[-\["a-z0-9.,\]]{0,10}\}?"#) {
            if let Ok(json) = serde_json::from_str::<Json>(&text) {
                from_json(&json);
            }
        }
    }
}
