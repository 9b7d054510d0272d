//! Values as JSON that loses nothing and needs no type to read: as constants stand in a DAG.

pub use flow_ir::json::{from_tagged as from_json, tagged as to_json};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use flow_ir::value::Value;
    use serde_json::Value as Json;

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
