//! Values as the language writes them, both ways: `0.8`, `["a", "b"]`, `512MiB`, `file"iris.csv"`.
//!
//! What the language has no literal for: `file"…"`, `bytes"6869"`, `.minutes` for a column as an
//! argument, `std.tree.Loss.auto` with its module, microseconds `15us`, and floats without digits.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    scan::{Cursor, SyntaxError},
    words::{
        is_plain, read_duration, read_hex, read_size, special_float, write_duration, write_float, write_hex,
        write_name, write_size, write_text,
    },
};
use crate::{
    calendar,
    value::{Float64, Value},
};

impl Value {
    /// Reads what [`Display`] writes.
    ///
    /// # Errors
    /// Where the text is no value, or nests deeper than [`super::MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let value = read_value(&mut cursor)?;
        cursor.expect_end()?;
        Ok(value)
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_value(f, self)
    }
}

pub(crate) fn write_value(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::None => out.write_str("none"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => write_float(out, value.0),
        Value::Text(text) => write_text(out, text),
        Value::Bytes(bytes) => {
            out.write_str("bytes\"")?;
            write_hex(out, bytes)?;
            out.write_char('"')
        }
        Value::Date(days) => {
            out.write_str("date\"")?;
            calendar::write_date(out, i64::from(*days))?;
            out.write_char('"')
        }
        Value::Time(microseconds) => {
            out.write_str("time\"")?;
            calendar::write_time(out, *microseconds)?;
            out.write_char('"')
        }
        Value::Duration(microseconds) => write_duration(out, *microseconds),
        Value::Size(bytes) => write_size(out, *bytes),
        Value::File(path) => {
            out.write_str("file")?;
            write_text(out, path)
        }
        Value::List(values) => {
            out.write_char('[')?;
            for (index, value) in values.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { ", " })?;
                write_value(out, value)?;
            }
            out.write_char(']')
        }
        Value::Record(fields) => {
            out.write_char('(')?;
            for (index, (name, value)) in fields.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { ", " })?;
                write_name(out, name)?;
                out.write_str(": ")?;
                write_value(out, value)?;
            }
            out.write_char(')')
        }
        Value::Enum { ty, variant } if is_enum_path(ty) && is_plain(variant) => write!(out, "{ty}.{variant}"),
        Value::Enum { ty, variant } => {
            out.write_str("enum(")?;
            write_text(out, ty)?;
            out.write_str(", ")?;
            write_text(out, variant)?;
            out.write_char(')')
        }
        Value::Column(name) => {
            out.write_char('.')?;
            write_name(out, name)
        }
    }
}

pub(crate) fn read_value(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    cursor.deepen()?;
    cursor.space();
    let value = match cursor.peek() {
        Some('[') => {
            cursor.next();
            Value::List(cursor.list("]", read_value)?)
        }
        Some('(') => {
            cursor.next();
            Value::Record(cursor.list(")", |cursor| {
                let name = cursor.name()?;
                cursor.expect(":")?;
                Ok((name, read_value(cursor)?))
            })?)
        }
        Some('.') => {
            cursor.next();
            Value::Column(cursor.name()?)
        }
        _ => match read_scalar(cursor)? {
            Some(value) => value,
            None => return Err(cursor.error("a value")),
        },
    };
    cursor.rise();
    Ok(value)
}

/// A literal that is neither a list, a record nor a column; none, with nothing read, where
/// something else stands.
pub(crate) fn read_scalar(cursor: &mut Cursor<'_>) -> Result<Option<Value>, SyntaxError> {
    cursor.space();
    if cursor.peek() == Some('"') {
        return cursor.text_literal().map(Value::Text).map(Some);
    }
    if let Some(number) = read_number(cursor)? {
        return Ok(Some(number));
    }
    let start = cursor.offset();
    let Some(word) = cursor.identifier() else { return Ok(None) };
    if cursor.peek() == Some('"') {
        return read_prefixed(cursor, word, start).map(Some);
    }
    let value = match word {
        "none" => Some(Value::None),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "enum" if cursor.peek() == Some('(') => {
            cursor.next();
            let ty = cursor.text_literal()?;
            cursor.expect(",")?;
            let variant = cursor.text_literal()?;
            cursor.expect(")")?;
            Some(Value::Enum { ty, variant })
        }
        _ => {
            cursor.rewind(start);
            read_enum(cursor)
        }
    };
    if value.is_none() {
        cursor.rewind(start);
    }
    Ok(value)
}

/// Numbers, sizes, durations, `inf` and `nan`.
pub(crate) fn read_number(cursor: &mut Cursor<'_>) -> Result<Option<Value>, SyntaxError> {
    let start = cursor.offset();
    if cursor.peek() == Some('-') {
        cursor.next();
    }
    if let Some(word @ ("inf" | "nan")) = cursor.identifier() {
        if word == "nan" && cursor.peek() == Some('"') {
            cursor.text_literal()?;
        }
        if let Some(value) = special_float(cursor.since(start)) {
            return Ok(Some(Value::Float(Float64(value))));
        }
        cursor.rewind(start);
        return Err(cursor.error("a number"));
    }
    let digits = |cursor: &mut Cursor<'_>| {
        let from = cursor.offset();
        while cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            cursor.next();
        }
        cursor.offset() > from
    };
    if cursor.since(start).len() > 1 || !digits(cursor) {
        cursor.rewind(start);
        return Ok(None);
    }
    let mut is_float = false;
    if cursor.peek() == Some('.') && cursor.peek_second().is_some_and(|c| c.is_ascii_digit()) {
        cursor.next();
        is_float = digits(cursor);
    }
    if cursor.peek() == Some('e') && cursor.peek_second().is_some_and(|c| c == '-' || c.is_ascii_digit()) {
        cursor.next();
        if cursor.peek() == Some('-') {
            cursor.next();
        }
        is_float = digits(cursor);
    }
    let has_unit = cursor.identifier().is_some();
    let text = cursor.since(start);
    let value = if has_unit {
        let size = || if is_float { None } else { read_size(text).map(Value::Size) };
        read_duration(text).map(Value::Duration).or_else(size)
    } else if is_float {
        text.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| Value::Float(Float64(value)))
    } else {
        text.parse().ok().map(Value::Int)
    };
    if value.is_none() {
        cursor.rewind(start);
        return Err(cursor.error("a number, size or duration"));
    }
    Ok(value)
}

/// `std.tree.Loss.auto`: the last part but one, and no earlier one, begins with a capital.
fn read_enum(cursor: &mut Cursor<'_>) -> Option<Value> {
    let start = cursor.offset();
    loop {
        let part = cursor.identifier()?;
        let ty = cursor.since(start);
        if cursor.peek() != Some('.') {
            return None;
        }
        cursor.next();
        if part.starts_with(|c: char| c.is_ascii_uppercase()) {
            let variant = cursor.identifier()?.to_owned();
            return Some(Value::Enum { ty: ty.to_owned(), variant });
        }
    }
}

/// Whether an enum of that name can be written as a path that [`read_enum`] takes for one.
fn is_enum_path(ty: &str) -> bool {
    let is_capital = |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase());
    let (modules, name) = ty.rsplit_once('.').map_or((None, ty), |(modules, name)| (Some(modules), name));
    let are_modules = |modules: &str| modules.split('.').all(|part| is_plain(part) && !is_capital(part));
    let is_literal = LITERAL_WORDS.iter().any(|word| ty.split('.').next() == Some(word));
    is_plain(name) && is_capital(name) && modules.is_none_or(are_modules) && !is_literal
}

/// Words that stand for a value of their own.
const LITERAL_WORDS: [&str; 6] = ["none", "true", "false", "enum", "inf", "nan"];

fn read_prefixed(cursor: &mut Cursor<'_>, prefix: &str, start: usize) -> Result<Value, SyntaxError> {
    let text = cursor.text_literal()?;
    let (value, expected) = match prefix {
        "file" => (Some(Value::File(text)), "a path"),
        "date" => (calendar::read_date(&text).map(Value::Date), "a date such as `date\"2026-11-20\"`"),
        "time" => {
            (calendar::read_time(&text).map(Value::Time), "a time such as `time\"2026-11-20T09:30:00Z\"`")
        }
        "bytes" => (read_hex(&text).map(Value::Bytes), "hexadecimal digits, two a byte"),
        _ => (None, "a value"),
    };
    value.ok_or_else(|| {
        cursor.rewind(start);
        cursor.error(expected)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    #[test]
    fn as_the_language_writes_them() {
        for text in [
            "none",
            "true",
            "-7",
            "0.8",
            "1e300",
            "-0.0",
            "inf",
            "nan",
            "nan\"fff8000000000001\"",
            "\"a \\\"b\\\" {{c}\"",
            "date\"2026-11-20\"",
            "time\"2026-11-20T09:30:00Z\"",
            "30s",
            "-250ms",
            "10min",
            "15us",
            "0s",
            "512MiB",
            "17B",
            "0B",
            "file\"iris.csv\"",
            "bytes\"00ff\"",
            "enum(\"inf.a.Kind\", \"b\")",
            "[1, [none], .minutes]",
            "(depth: 4, `a b`: .`fixed acidity`)",
            "()",
            "std.tree.Loss.auto",
            "enum(\"odd\", \"x\")",
        ] {
            assert_eq!(Value::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_value() {
        for text in [
            "",
            "7x",
            "9223372036854775808",
            "1e999",
            "1.5GiB",
            "--1",
            "date\"2026-02-30\"",
            "\"a {b}\"",
            "[1",
            "loss.auto",
            "bytes\"0\"",
        ] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn values_read_back_equal(value in arbitrary::value()) {
            let text = value.to_string();
            prop_assert_eq!(Value::parse(&text), Ok(value), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}|[-a-z0-9.\"()\\[\\]:,]{0,40}") {
            let _ = Value::parse(&text);
        }
    }
}
