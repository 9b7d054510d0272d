//! A parameter's value as it is typed on a command line: literals as in the language, without the
//! quotes and brackets that a shell would eat.

use flow_ir::{
    types::Type,
    value::{Float64, Value},
};
use flow_syntax::{
    ast::Literal,
    lex::{Kind, lex},
};

/// The value that `text` is for `ty`, before limits are checked; `None` where it is none.
///
/// `none` is a missing value wherever one may be. A list is `4,6,8` or `[4, 6, 8]`; its Texts may stand
/// in quotes, as they must where they hold a comma.
pub(super) fn read(text: &str, ty: &Type) -> Option<Value> {
    read_within(text, ty, 0)
}

/// Lists in lists.
const MAX_DEPTH: u32 = 16;

fn read_within(text: &str, ty: &Type, depth: u32) -> Option<Value> {
    let trimmed = text.trim();
    if ty.is_optional() && trimmed == "none" {
        return Some(Value::None);
    }
    match ty.present() {
        Type::List(of) if depth < MAX_DEPTH => {
            let inner = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(trimmed);
            let items = split(inner)?;
            items
                .into_iter()
                .map(|item| read_within(item, of, depth + 1))
                .collect::<Option<_>>()
                .map(Value::List)
        }
        Type::Enum(of) => {
            let variant = trimmed.rsplit_once('.').map_or(trimmed, |(ty, variant)| {
                let is_own = of.name == ty || of.name.ends_with(&format!(".{ty}"));
                if is_own { variant } else { trimmed }
            });
            let is_known = of.variants.iter().any(|known| known == variant);
            is_known.then(|| Value::Enum { ty: of.name.clone(), variant: variant.to_owned() })
        }
        Type::File | Type::Dataset(_) => (!text.is_empty()).then(|| Value::File(text.to_owned())),
        Type::Column(_) => Some(Value::Column(trimmed.trim_start_matches('.').to_owned())),
        _ => scalar(text, trimmed, ty.storage(), depth),
    }
}

fn scalar(text: &str, trimmed: &str, storage: &Type, depth: u32) -> Option<Value> {
    match storage {
        Type::Bool => match trimmed {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        // On its own a Text is what was typed.
        Type::Text if depth == 0 => Some(Value::Text(text.to_owned())),
        Type::Text if trimmed.starts_with('"') => Value::parse(trimmed).ok(),
        Type::Text => Some(Value::Text(trimmed.to_owned())),
        Type::Date => literal(&quoted("date", trimmed)),
        Type::Time => literal(&quoted("time", trimmed)),
        Type::Int => literal(trimmed).filter(|value| matches!(value, Value::Int(_))),
        Type::Duration => literal(trimmed).filter(|value| matches!(value, Value::Duration(_))),
        Type::Size => literal(trimmed).filter(|value| matches!(value, Value::Size(_))),
        Type::Float | Type::Float32 => match literal(trimmed)? {
            Value::Int(value) => Some(Value::from(value as f64)),
            value => Some(value).filter(|value| matches!(value, Value::Float(_))),
        },
        _ => None,
    }
}

/// `2026-11-20` as `date"2026-11-20"`, which may be typed as well.
fn quoted(kind: &str, text: &str) -> String {
    if text.starts_with(kind) { text.to_owned() } else { format!("{kind}\"{text}\"") }
}

/// A literal of the language, with a sign before numbers.
fn literal(text: &str) -> Option<Value> {
    let lexed = lex(text);
    let mut kinds = lexed.tokens.iter().map(|token| token.kind).filter(|kind| *kind != Kind::End);
    let is_negated = kinds.next()? == Kind::Minus;
    let is_whole = (!is_negated || kinds.next() == Some(Kind::Number)) && kinds.next().is_none();
    if !is_whole || !lexed.diagnostics.is_empty() {
        return None;
    }
    let sign = if is_negated { -1.0 } else { 1.0 };
    match *lexed.values.first()? {
        Literal::Int(value) if is_negated => 0i64.checked_sub_unsigned(value).map(Value::Int),
        Literal::Int(value) => i64::try_from(value).ok().map(Value::Int),
        Literal::Float(value) => Some(Value::Float(Float64(sign * value.0))),
        Literal::Percent(value) => Some(Value::Float(Float64(sign * value.0 / 100.0))),
        Literal::Duration(value) => Some(Value::Duration(if is_negated { -value } else { value })),
        Literal::Size(value) if !is_negated => Some(Value::Size(value)),
        Literal::Date(value) => Some(Value::Date(value)),
        Literal::Time(value) => Some(Value::Time(value)),
        _ => None,
    }
}

/// The parts between commas that stand in no brackets and no quotes.
fn split(text: &str) -> Option<Vec<&str>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let (mut parts, mut start, mut depth, mut is_quoted, mut is_escaped) =
        (Vec::new(), 0, 0u32, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (depth == 0 && !is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, ty: &str) -> String {
        read(text, &Type::parse(ty).unwrap()).map_or_else(|| "-".to_owned(), |value| value.to_string())
    }

    #[test]
    fn what_is_typed_for_each_type() {
        for (ty, text, expected) in [
            ("Int", "1_000", "1000"),
            ("Int", "-3", "-3"),
            ("Int", "-9223372036854775808", "-9223372036854775808"),
            ("Int", "9223372036854775808", "-"),
            ("Int", "0.5", "-"),
            ("Int", "4 5", "-"),
            ("Int", "four", "-"),
            ("Int", "", "-"),
            ("Int?", "none", "none"),
            ("Int", "none", "-"),
            ("Float", "3", "3.0"),
            ("Float", "-1e-3", "-0.001"),
            ("Fraction", "0.7", "0.7"),
            ("Fraction", "70%", "0.7"),
            ("Size", "512MiB", "512MiB"),
            ("Size", "512", "-"),
            ("Duration", "10min", "10min"),
            ("Duration", "90", "-"),
            ("Date", "2026-11-20", "date\"2026-11-20\""),
            ("Date", "date\"2026-11-20\"", "date\"2026-11-20\""),
            ("Date", "2026-13-20", "-"),
            ("Time", "2026-11-20T09:30:00Z", "time\"2026-11-20T09:30:00Z\""),
            ("Bool", "true", "true"),
            ("Bool", "yes", "-"),
            ("Text", " a, b ", "\" a, b \""),
            ("std.tree.Loss { auto, squared }", "squared", "std.tree.Loss.squared"),
            ("std.tree.Loss { auto, squared }", "Loss.squared", "std.tree.Loss.squared"),
            ("std.tree.Loss { auto, squared }", "hinge", "-"),
            ("List<Int>", "4,6, 8", "[4, 6, 8]"),
            ("List<Int>", "[4, 6, 8]", "[4, 6, 8]"),
            ("List<Int>", "[]", "[]"),
            ("List<Int>", "4,,6", "-"),
            ("List<List<Int>>", "[[1,2],[3]]", "[[1, 2], [3]]"),
            ("List<Text>", "SF, NY", "[\"SF\", \"NY\"]"),
            ("List<Text>", "[\"a, b\", c]", "[\"a, b\", \"c\"]"),
            ("Dataset<{ a: Int }>", "my data.csv", "file\"my data.csv\""),
        ] {
            assert_eq!(shown(text, ty), expected, "{text} as {ty}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}|[\\[\\],\"0-9eE%.dnT:-]{0,40}", index in 0usize..12) {
            let types = [
                "Int", "Float?", "Fraction", "Size", "Duration", "Date", "Time", "Bool", "Text", "List<Int>",
                "List<List<Text>>", "Dataset<{ a: Int }>",
            ];
            let _ = read(&text, &Type::parse(types[index]).unwrap());
        }
    }
}
