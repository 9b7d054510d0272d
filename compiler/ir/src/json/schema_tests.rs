//! Holds `grammar/flow-dag.schema.json` against the writer, with the part of JSON Schema that the
//! file uses. A keyword unknown here fails the test, so that none is passed over.

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use crate::{arbitrary, dag::Dag};

const SCHEMA: &str = include_str!("../../../../grammar/flow-dag.schema.json");

struct Validator {
    root: Json,
}

impl Validator {
    fn check(&self, schema: &Json, value: &Json) -> Result<(), String> {
        let rules = match schema {
            Json::Bool(true) => return Ok(()),
            Json::Bool(false) => return Err(format!("{value} may not be here")),
            schema => schema.as_object().unwrap(),
        };
        rules.iter().try_for_each(|(keyword, rule)| self.rule(rules, keyword, rule, value))
    }

    fn rule(
        &self,
        rules: &Map<String, Json>,
        keyword: &str,
        rule: &Json,
        value: &Json,
    ) -> Result<(), String> {
        let number = || rule.as_f64().unwrap();
        let all = |mut checks: &mut dyn Iterator<Item = (&Json, &Json)>| {
            Iterator::try_for_each(&mut checks, |(schema, value)| self.check(schema, value))
        };
        let holds = match (keyword, value) {
            ("$schema" | "$id" | "$defs" | "title" | "description" | "default", _) => true,
            ("$ref", _) => {
                let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                return self.check(self.root.pointer(target).unwrap(), value);
            }
            ("type", _) => {
                let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                names.iter().any(|name| is_of_type(name.as_str().unwrap(), value))
            }
            ("const", _) => rule == value,
            ("enum", _) => rule.as_array().unwrap().contains(value),
            ("anyOf", _) => rule.as_array().unwrap().iter().any(|schema| self.check(schema, value).is_ok()),
            ("oneOf", _) => {
                rule.as_array().unwrap().iter().filter(|schema| self.check(schema, value).is_ok()).count()
                    == 1
            }
            ("minimum", Json::Number(value)) => value.as_f64().unwrap() >= number(),
            ("maximum", Json::Number(value)) => value.as_f64().unwrap() <= number(),
            ("minLength", Json::String(text)) => text.chars().count() as f64 >= number(),
            ("pattern", Json::String(text)) => {
                regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
            }
            ("minItems", Json::Array(items)) => items.len() as f64 >= number(),
            ("maxItems", Json::Array(items)) => items.len() as f64 <= number(),
            ("items", Json::Array(items)) => return all(&mut items.iter().map(|item| (rule, item))),
            ("prefixItems", Json::Array(items)) => {
                return all(&mut rule.as_array().unwrap().iter().zip(items));
            }
            ("minProperties", Json::Object(object)) => object.len() as f64 >= number(),
            ("maxProperties", Json::Object(object)) => object.len() as f64 <= number(),
            ("required", Json::Object(object)) => {
                rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }
            ("properties", Json::Object(object)) => {
                let properties = rule.as_object().unwrap();
                return all(&mut properties
                    .iter()
                    .filter_map(|(name, rule)| Some((rule, object.get(name)?))));
            }
            ("additionalProperties", Json::Object(object)) => {
                let known = rules.get("properties").and_then(Json::as_object);
                let others =
                    object.iter().filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
                return all(&mut others.map(|(_, value)| (rule, value)));
            }
            (
                "minimum"
                | "maximum"
                | "minLength"
                | "pattern"
                | "minItems"
                | "maxItems"
                | "items"
                | "prefixItems"
                | "minProperties"
                | "maxProperties"
                | "required"
                | "properties"
                | "additionalProperties",
                _,
            ) => true,
            (other, _) => panic!("the schema uses `{other}`, which this test does not know"),
        };
        if holds { Ok(()) } else { Err(format!("{value} breaks {keyword}: {rule}")) }
    }
}

fn is_of_type(name: &str, value: &Json) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the schema names the type `{other}`"),
    }
}

fn check(text: &str) -> Result<(), String> {
    check_against(SCHEMA, &serde_json::from_str(text).unwrap())
}

/// Whether JSON is what a schema describes.
pub(crate) fn check_against(schema: &str, json: &Json) -> Result<(), String> {
    let validator = Validator { root: serde_json::from_str(schema).unwrap() };
    validator.check(&validator.root, json)
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let sound = super::tests::SMALL;
    assert_eq!(check(sound), Ok(()));
    for (from, to) in [
        ("flow-dag/1", "flow-dag/2"),
        ("\"nodes\"", "\"nods\""),
        ("\"kind\":\"task\"", "\"kind\":\"expression\""),
        ("\"kind\":\"task\"", "\"kind\":\"tsk\""),
        ("\"kind\":\"task\"", "\"kind\":\"pass\""),
        ("\"kind\":\"task\"", "\"max\":3,\"kind\":\"task\""),
        ("\"kind\":\"task\"", "\"body\":{\"nodes\":[]},\"kind\":\"task\""),
        ("{\"float\":0.5}", "{\"flaot\":0.5}"),
        ("{\"parameter\":\"data\"}", "{\"parameter\":7}"),
        ("{\"parameter\":\"data\"}", "{}"),
        ("[\"greater\",[0,1]]", "[\"greater\"]"),
        ("\"cpu\":2", "\"cpu\":0"),
        ("\"port\":\"data.value\"", "\"port\":\"data\""),
        ("\"place\":\"native\"", "\"place\":\"naive\""),
    ] {
        let broken = sound.replacen(from, to, 1);
        assert!(check(&broken).is_err(), "{to}");
        assert!(Dag::from_json(&broken).is_err(), "{to}");
    }
}

/// What the planner's golden cases hold is what another program reads as JSON.
#[test]
fn the_golden_dags_are_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/dag");
    let mut count = 0;
    for case in std::fs::read_dir(folder).unwrap() {
        for name in ["expected.dag", "expected.plan"] {
            let path = case.as_ref().unwrap().path().join(name);
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let text: String = text
                .lines()
                .filter(|line| !line.starts_with("//"))
                .map(|line| line.to_owned() + "\n")
                .collect();
            let dag = Dag::from_text(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let json = dag.to_json();
            assert_eq!(check(&json), Ok(()), "{}", path.display());
            assert_eq!(Dag::from_json(&json).unwrap(), dag, "{}", path.display());
            assert_eq!(dag.check(), Ok(()), "{}", path.display());
            assert_eq!(dag.to_text(), text, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 9, "cases are found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_valid(dag in arbitrary::dag()) {
        prop_assert_eq!(check(&dag.to_json()), Ok(()));
    }
}
