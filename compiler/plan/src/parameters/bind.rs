//! Which value each parameter has: a flag wins over the file, the file over the default.

use std::collections::BTreeMap;

use flow_analysis::signature::{Param, Signature};
use flow_ir::{types::Type, value::Value};
use flow_syntax::{
    diagnostic::{Code, code},
    suggest::{did_you_mean, suggest},
};
use serde_json::{Map, Value as Json};

use super::{describe::type_in_words, text};

/// The values that were given, by the parameters' names; the others have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    values: BTreeMap<String, Value>,
}

impl Given {
    /// One parameter, whose value fits.
    pub(crate) fn one(name: &str, value: Value) -> Self {
        Self { values: BTreeMap::from([(name.to_owned(), value)]) }
    }
}

/// What is wrong with a parameter. Each is one line that stands alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("there is no parameter `{name}`{}", has(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("parameter `{name}` is {ty}, but `{value}` is not: {reason}")]
    Misfit { name: String, ty: String, value: String, reason: String },
    #[error("parameter `{name}` has no value: it is {ty} and has no default")]
    Missing { name: String, ty: String },
    #[error("parameter `{name}` is {ty}, which cannot be given yet")]
    NotGivable { name: String, ty: String },
    /// No operator reads files of this kind.
    #[error("parameter `{name}` is read from `{path}`, but only CSV files (`.csv`) are read yet")]
    UnreadFile { name: String, path: String },
    #[error(
        "the parameters' file holds {found}, where one JSON object with a field for each parameter belongs"
    )]
    NoObject { found: &'static str },
}

/// Binds flags and the fields of a `--params` file to a workflow's parameters.
///
/// Flags are named with dashes or underscores; of two for one parameter the later wins. `resolve` makes
/// of a path that was given what the DAG shall hold: relative to the project's root, where it lies below it.
///
/// # Errors
/// All mistakes at once.
pub fn bind(
    signature: &Signature,
    flags: &[(String, String)],
    file: Option<&Json>,
    resolve: &dyn Fn(&str) -> String,
) -> Result<Given, Vec<ParameterError>> {
    let none = Map::new();
    let fields = match file {
        None => &none,
        Some(Json::Object(fields)) => fields,
        Some(other) => return Err(vec![ParameterError::NoObject { found: kind(other) }]),
    };
    let mut given = Given::default();
    let mut errors = Vec::new();
    let mut set = |name: &str, read: &dyn Fn(&Param, &Type) -> Result<Value, ParameterError>| {
        let value = find(signature, name).and_then(|param| Ok((param, read(param, &givable(param)?)?)));
        match value {
            Ok((param, value)) => given.set(&param.name, resolved(value, resolve)),
            Err(error) => errors.push(error),
        }
    };
    for (name, json) in fields {
        set(name, &|param, ty| from_json(param, ty, json));
    }
    for (name, text) in flags {
        set(name, &|param, ty| from_text(param, ty, text));
    }
    for param in &signature.params {
        // One that was given, but wrongly, is not missing as well.
        let is_given =
            given.get(&param.name).is_some() || errors.iter().any(|error| error.about() == Some(&param.name));
        if param.default.is_none() && !is_given {
            let ty = param.ty.ground().map_or_else(String::new, |ty| type_in_words(&ty));
            errors.push(ParameterError::Missing { name: param.name.clone(), ty });
        }
    }
    if errors.is_empty() { Ok(given) } else { Err(errors) }
}

impl Given {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Gives a parameter a value that is known to fit it.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }
}

impl ParameterError {
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Unknown { .. } => Some(code::UNKNOWN_ARGUMENT),
            Self::Misfit { .. } => Some(code::OUT_OF_RANGE),
            Self::Missing { .. } => Some(code::MISSING_ARGUMENT),
            _ => None,
        }
    }

    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { name, known } => did_you_mean(name, known.iter().map(String::as_str)),
            Self::Missing { name, .. } => Some(format!("give it as `--{} VALUE`", flag(name))),
            _ => None,
        }
    }

    /// The parameter, where there is one of that name.
    fn about(&self) -> Option<&String> {
        match self {
            Self::Misfit { name, .. }
            | Self::Missing { name, .. }
            | Self::NotGivable { name, .. }
            | Self::UnreadFile { name, .. } => Some(name),
            Self::Unknown { .. } | Self::NoObject { .. } => None,
        }
    }
}

/// `train_share` as `train-share`.
pub(super) fn flag(name: &str) -> String {
    name.replace('_', "-")
}

fn find<'a>(signature: &'a Signature, name: &str) -> Result<&'a Param, ParameterError> {
    let is_it = |param: &&Param| flag(&param.name) == flag(name);
    signature.params.iter().find(is_it).ok_or_else(|| ParameterError::Unknown {
        name: name.to_owned(),
        known: signature.params.iter().map(|param| param.name.clone()).collect(),
    })
}

fn givable(param: &Param) -> Result<Type, ParameterError> {
    let not_givable = |ty| ParameterError::NotGivable { name: param.name.clone(), ty };
    let ty = param.ty.ground().ok_or_else(|| not_givable("of an unknown type".to_owned()))?;
    match ty.present() {
        Type::Model(_) | Type::Opaque(_) => Err(not_givable(type_in_words(&ty))),
        _ => Ok(ty),
    }
}

fn from_text(param: &Param, ty: &Type, given: &str) -> Result<Value, ParameterError> {
    let value = text::read(given, ty).ok_or_else(|| misfit(param, ty, given, &hint(given, ty)))?;
    value.fits(ty).map_err(|reason| misfit(param, ty, given, &reason.to_string()))?;
    Ok(value)
}

/// A JSON text is also what it would be as a flag: `"70%"`, `"512MiB"`.
fn from_json(param: &Param, ty: &Type, json: &Json) -> Result<Value, ParameterError> {
    let reason = match Value::from_json(json, ty) {
        Ok(value) => return Ok(value),
        Err(reason) => reason,
    };
    match json {
        Json::String(text) if !matches!(ty.storage(), Type::Text) => from_text(param, ty, text),
        other => Err(misfit(param, ty, &other.to_string(), &reason.to_string())),
    }
}

fn misfit(param: &Param, ty: &Type, value: &str, reason: &str) -> ParameterError {
    const LONGEST: usize = 80;
    let is_long = value.chars().count() > LONGEST;
    let value = if is_long { value.chars().take(LONGEST).chain(['…']).collect() } else { value.to_owned() };
    ParameterError::Misfit {
        name: param.name.clone(),
        ty: type_in_words(ty),
        value,
        reason: reason.to_owned(),
    }
}

/// How a value of this type is typed.
fn hint(given: &str, ty: &Type) -> String {
    match ty.present() {
        Type::Enum(of) => match suggest(given, of.variants.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", of.variants.join(", ")),
        },
        Type::List(of) => format!("write its elements with commas between them, each {}", type_in_words(of)),
        Type::Record(_) => "write it as a JSON object in a `--params` file".to_owned(),
        Type::Fraction => "write `0.7` or `70%`".to_owned(),
        present => match present.storage() {
            Type::Bool => "write `true` or `false`".to_owned(),
            Type::Int => "write a whole number of 64 bits, as `1_000`".to_owned(),
            Type::Float | Type::Float32 => "write a number, as `0.5`".to_owned(),
            Type::Date => "write a day, as `2026-11-20`".to_owned(),
            Type::Time => "write a time with its zone, as `2026-11-20T09:30:00Z`".to_owned(),
            Type::Duration => "write a number and its unit, as `30s`, `10min` or `7d`".to_owned(),
            Type::Size => "write a number and its unit, as `512MiB`".to_owned(),
            _ => "it has no form on a command line".to_owned(),
        },
    }
}

fn resolved(value: Value, resolve: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::File(path) => Value::File(resolve(&path)),
        Value::List(items) => Value::List(items.into_iter().map(|item| resolved(item, resolve)).collect()),
        Value::Record(fields) => {
            Value::Record(fields.into_iter().map(|(name, value)| (name, resolved(value, resolve))).collect())
        }
        other => other,
    }
}

fn has(known: &[String]) -> String {
    if known.is_empty() {
        ": the workflow has none".to_owned()
    } else {
        format!("; there are {}", known.join(", "))
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use flow_analysis::{
        body::{Expr, ExprKind},
        ty::Ty,
    };
    use serde_json::json;

    use super::*;

    fn tips() -> Signature {
        let param = |name: &str, ty: &str, default: Option<&str>| {
            let ty = Ty::Ground(Type::parse(ty).unwrap());
            let default = default.map(|text| Expr {
                kind: ExprKind::Value(Value::parse(text).unwrap()),
                ty: ty.clone(),
                span: Default::default(),
            });
            Param { name: name.to_owned(), doc: None, ty, default }
        };
        let params = vec![
            param("rides", "Dataset<{ a: Int }>", None),
            param("train_share", "Fraction", Some("0.8")),
            param("depths", "List<Int in 1..=16>", Some("[4]")),
            param("by", "std.metrics.Metric { auc, logloss }", Some("std.metrics.Metric.auc")),
        ];
        Signature { name: "m.w".to_owned(), doc: None, params, outputs: Vec::new() }
    }

    fn flags(flags: &[(&str, &str)]) -> Vec<(String, String)> {
        flags.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = json!({"rides": "a.csv", "train_share": "60%", "depths": [2, 3]});
        let given =
            bind(&tips(), &flags(&[("train-share", "0.7"), ("by", "logloss")]), Some(&file), &|path| {
                format!("data/{path}")
            })
            .unwrap();
        let shown = |name| given.get(name).map(ToString::to_string);
        assert_eq!(shown("rides").as_deref(), Some("file\"data/a.csv\""));
        assert_eq!(shown("train_share").as_deref(), Some("0.7"));
        assert_eq!(shown("depths").as_deref(), Some("[2, 3]"));
        assert_eq!(shown("by").as_deref(), Some("std.metrics.Metric.logloss"));
    }

    #[test]
    fn each_mistake_is_one_line() {
        let same = |path: &str| path.to_owned();
        let errors = |given: &[(&str, &str)], file: Option<Json>| {
            let errors = bind(&tips(), &flags(given), file.as_ref(), &same).unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            errors(&[("rides", "a.csv"), ("depths", "4,99")], None),
            ["parameter `depths` is List<Int in 1..=16>, but `4,99` is not: [1]: 99 is not in 1..=16"]
        );
        assert_eq!(
            errors(&[("by", "acu")], None),
            [
                "parameter `by` is Metric, but `acu` is not: did you mean `auc`?",
                "parameter `rides` has no value: it is Dataset and has no default",
            ]
        );
        assert_eq!(
            errors(&[("rides", "a.csv"), ("train-shaer", "0.7")], Some(json!({"depths": true}))),
            [
                "parameter `depths` is List<Int in 1..=16>, but `true` is not: expected List<Int in 1..=16>, found true",
                "there is no parameter `train-shaer`; there are rides, train_share, depths, by",
            ]
        );
        assert_eq!(
            errors(&[], Some(json!([]))),
            [
                "the parameters' file holds an array, where one JSON object with a field for each parameter belongs"
            ]
        );
        let unknown =
            &bind(&tips(), &flags(&[("rides", "a.csv"), ("detphs", "4")]), None, &same).unwrap_err()[0];
        assert_eq!(unknown.help().as_deref(), Some("did you mean `depths`?"));
    }
}
