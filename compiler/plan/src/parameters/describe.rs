//! Parameters for `--help`.

use flow_analysis::signature::{Param, Signature};
use flow_ir::{types::Type, value::Value};

use super::bind::flag;
use crate::{
    evaluate::default_value,
    program::{PlanFacts, Program},
};

/// One parameter, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    /// The name with dashes: `train-share`.
    pub flag: String,
    /// `List<Int in 1..=16>`
    pub ty: String,
    /// The values of an enum.
    pub choices: Vec<String>,
    /// As it would be typed; `None` where the parameter must be given.
    pub default: Option<String>,
    pub doc: Option<String>,
}

/// Describes a workflow's parameters, in order. A default that cannot be evaluated is left out.
pub fn describe(
    program: &dyn Program,
    facts: &dyn PlanFacts,
    module: &str,
    workflow: &str,
    signature: &Signature,
) -> Vec<Description> {
    let description = |param: &Param| {
        let ty = param.ty.ground();
        let default = param
            .default
            .as_ref()
            .and_then(|default| default_value(program, facts, module, workflow, default).ok());
        Description {
            name: param.name.clone(),
            flag: flag(&param.name),
            ty: ty.as_ref().map_or_else(String::new, type_in_words),
            choices: match ty.as_ref().map(Type::present) {
                Some(Type::Enum(of)) => of.variants.clone(),
                _ => Vec::new(),
            },
            default: default.map(|value| typed(&value, ty.as_ref())),
            doc: param.doc.clone(),
        }
    };
    signature.params.iter().map(description).collect()
}

/// A type as people call it: an enum and a model by their short names, a table without its row.
pub fn type_in_words(ty: &Type) -> String {
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    match ty {
        Type::Optional(of) => format!("{}?", type_in_words(of)),
        Type::List(of) => format!("List<{}>", type_in_words(of)),
        Type::Enum(of) => short(&of.name),
        Type::Dataset(_) => "Dataset".to_owned(),
        Type::Model(model) => model.task.name().to_owned(),
        Type::Record(record) => record.name.as_deref().map_or_else(|| ty.to_string(), short),
        Type::Refined { base, refinement } => format!("{} {refinement}", type_in_words(base)),
        other => other.to_string(),
    }
}

/// A value as it would be typed for a flag.
fn typed(value: &Value, ty: Option<&Type>) -> String {
    match value {
        Value::Text(text) | Value::File(text) => text.clone(),
        Value::Enum { variant, .. } => variant.clone(),
        Value::List(items) => {
            let of = match ty.map(Type::present) {
                Some(Type::List(of)) => Some(&**of),
                _ => None,
            };
            let item = |item: &Value| match item {
                // Quotes keep commas and spaces in their place.
                Value::Text(text) if text.contains([',', '"', '[', ']', ' ']) => item.to_string(),
                item => typed(item, of),
            };
            items.iter().map(item).collect::<Vec<_>>().join(",")
        }
        Value::Date(_) | Value::Time(_) => {
            let text = value.to_string();
            text.split('"').nth(1).unwrap_or(&text).to_owned()
        }
        // A share reads best as it was most likely written.
        Value::Float(share) if matches!(ty.map(Type::present), Some(Type::Fraction)) => {
            let percent = share.0 * 100.0;
            let rounded = percent.round();
            if (percent - rounded).abs() < 1e-9 { format!("{rounded}%") } else { share.0.to_string() }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_defaults_in_words() {
        for (ty, value, words, text) in [
            ("List<Int in 1..=16>", "[4, 6]", "List<Int in 1..=16>", "4,6"),
            ("std.metrics.Metric { auc, f1 }", "std.metrics.Metric.f1", "Metric", "f1"),
            ("Fraction", "0.7", "Fraction", "70%"),
            ("Date?", "date\"2026-11-20\"", "Date?", "2026-11-20"),
            ("Dataset<{ a: Int }>", "file\"iris.csv\"", "Dataset", "iris.csv"),
            ("List<Text>", "[\"a\", \"b, c\"]", "List<Text>", "a,\"b, c\""),
            ("Size", "2GiB", "Size", "2GiB"),
        ] {
            let ty = Type::parse(ty).unwrap();
            assert_eq!(type_in_words(&ty), words);
            assert_eq!(typed(&Value::parse(value).unwrap(), Some(&ty)), text);
        }
    }
}
