//! Types, rows and refinements in the language's own syntax, both ways.
//!
//! A named record is written `clean.Point(x: Float)`, an enum `std.tree.Loss { auto, squared }`:
//! with all that they are, so that a type reads back equal without a declaration at hand.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    scan::{Cursor, SyntaxError},
    words::{write_float, write_name, write_path, write_raw, write_text},
};
use crate::{
    types::{Column, EnumType, Field, Metric, ModelType, RecordType, Refinement, Row, Task, Type},
    value::Float64,
};

/// What was wrong with the text of a type.
pub type TypeSyntaxError = SyntaxError;

impl Type {
    /// Reads what [`Display`] writes.
    ///
    /// # Errors
    /// Where the text is no type, or nests deeper than [`super::MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, TypeSyntaxError> {
        let mut cursor = Cursor::new(text);
        let ty = read_type(&mut cursor, &NoRows)?;
        cursor.expect_end()?;
        Ok(ty)
    }
}

impl Row {
    /// Reads what [`Display`] writes.
    ///
    /// # Errors
    /// Where the text is no row of columns.
    pub fn parse(text: &str) -> Result<Self, TypeSyntaxError> {
        let mut cursor = Cursor::new(text);
        let row = read_row(&mut cursor, &NoRows)?;
        cursor.expect_end()?;
        Ok(row)
    }
}

/// Rows, and records with names, that a text spells out once and then refers to.
pub(crate) trait RowNames {
    fn name(&self, row: &Row) -> Option<&str>;
    fn row(&self, name: &str) -> Option<&Row>;
    /// The record that goes by a name alone.
    fn record(&self, name: &str) -> Option<&RecordType>;
}

/// Where every row is written out.
pub(crate) struct NoRows;

impl RowNames for NoRows {
    fn name(&self, _: &Row) -> Option<&str> {
        None
    }

    fn row(&self, _: &str) -> Option<&Row> {
        None
    }

    fn record(&self, _: &str) -> Option<&RecordType> {
        None
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_type(f, self, &NoRows)
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_columns(f, self, &NoRows)
    }
}

impl Display for ModelType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_model(f, self, &NoRows)
    }
}

impl Display for Refinement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { low, high, inclusive } => {
                f.write_str("in ")?;
                write_range(f, low.map(|low| low.to_string()), high.map(|high| high.to_string()), *inclusive)
            }
            Self::Float { low, high, inclusive } => {
                f.write_str("in ")?;
                write_range(f, low.map(float_text), high.map(float_text), *inclusive)
            }
            Self::Matching(pattern) => {
                f.write_str("matching ")?;
                write_raw(f, pattern)
            }
        }
    }
}

pub(crate) fn write_type(out: &mut impl Write, ty: &Type, rows: &dyn RowNames) -> fmt::Result {
    write_without_positive(out, ty, rows)?;
    if let Some(positive) = label_of(ty) {
        out.write_str(" positive ")?;
        write_text(out, positive)?;
    }
    Ok(())
}

fn write_without_positive(out: &mut impl Write, ty: &Type, rows: &dyn RowNames) -> fmt::Result {
    match ty {
        Type::Id(of) => write_generic(out, "Id", of, rows),
        Type::Label { of, .. } => write_generic(out, "Label", of, rows),
        Type::QueryId(of) => write_generic(out, "QueryId", of, rows),
        Type::Pii(of) => write_generic(out, "Pii", of, rows),
        Type::List(of) => write_generic(out, "List", of, rows),
        Type::Embedding(length) => write!(out, "Embedding<{length}>"),
        Type::Opaque(environment) => {
            out.write_str("Opaque<")?;
            write_text(out, environment)?;
            out.write_char('>')
        }
        Type::Optional(of) => {
            write_without_positive(out, of, rows)?;
            out.write_char('?')
        }
        Type::Refined { base, refinement } => {
            write_without_positive(out, base, rows)?;
            write!(out, " {refinement}")
        }
        Type::Record(record) => {
            if let Some(name) = &record.name {
                write_path(out, name)?;
                if rows.record(name) == Some(record) {
                    return Ok(());
                }
            }
            out.write_char('(')?;
            for (index, field) in record.fields.iter().enumerate() {
                separate(out, index)?;
                write_field(out, field, rows)?;
            }
            out.write_char(')')
        }
        Type::Enum(ty) => {
            write_path(out, &ty.name)?;
            out.write_str(" {")?;
            for (index, variant) in ty.variants.iter().enumerate() {
                out.write_str(if index == 0 { " " } else { ", " })?;
                write_name(out, variant)?;
            }
            out.write_str(" }")
        }
        Type::Dataset(row) => {
            out.write_str("Dataset<")?;
            write_row(out, row, rows)?;
            out.write_char('>')
        }
        Type::Column(row) => {
            out.write_str("Column<")?;
            write_row(out, row, rows)?;
            out.write_char('>')
        }
        Type::Model(model) => write_model(out, model, rows),
        Type::Metric(metric) => out.write_str(metric.name()),
        plain => out.write_str(plain_name(plain)),
    }
}

pub(crate) fn write_field(out: &mut impl Write, field: &Field, rows: &dyn RowNames) -> fmt::Result {
    write_name(out, &field.name)?;
    out.write_str(": ")?;
    write_type(out, &field.ty, rows)
}

fn write_generic(out: &mut impl Write, name: &str, of: &Type, rows: &dyn RowNames) -> fmt::Result {
    out.write_str(name)?;
    out.write_char('<')?;
    write_type(out, of, rows)?;
    out.write_char('>')
}

fn write_model(out: &mut impl Write, model: &ModelType, rows: &dyn RowNames) -> fmt::Result {
    out.write_str(model.task.name())?;
    out.write_char('<')?;
    write_row(out, &model.row, rows)?;
    if let Some(result) = &model.result {
        out.write_str(", ")?;
        write_row(out, result, rows)?;
    }
    out.write_char('>')
}

fn write_row(out: &mut impl Write, row: &Row, rows: &dyn RowNames) -> fmt::Result {
    match rows.name(row) {
        Some(name) => out.write_str(name),
        None => write_columns(out, row, rows),
    }
}

fn write_columns(out: &mut impl Write, row: &Row, rows: &dyn RowNames) -> fmt::Result {
    if row.columns.is_empty() {
        return out.write_str("{}");
    }
    out.write_str("{ ")?;
    for (index, column) in row.columns.iter().enumerate() {
        separate(out, index)?;
        write_column(out, column, rows)?;
    }
    out.write_str(" }")
}

/// `acidity: Float from "fixed acidity"`
pub(crate) fn write_column(out: &mut impl Write, column: &Column, rows: &dyn RowNames) -> fmt::Result {
    write_name(out, &column.name)?;
    out.write_str(": ")?;
    write_type(out, &column.ty, rows)?;
    if let Some(source) = &column.source {
        out.write_str(" from ")?;
        write_text(out, source)?;
    }
    Ok(())
}

fn write_range(
    out: &mut impl Write,
    low: Option<String>,
    high: Option<String>,
    inclusive: bool,
) -> fmt::Result {
    out.write_str(&low.unwrap_or_default())?;
    out.write_str(if inclusive { "..=" } else { ".." })?;
    out.write_str(&high.unwrap_or_default())
}

fn float_text(value: Float64) -> String {
    let mut text = String::new();
    write_float(&mut text, value.0).unwrap_or_default();
    text
}

fn separate(out: &mut impl Write, index: usize) -> fmt::Result {
    if index == 0 { Ok(()) } else { out.write_str(", ") }
}

/// The positive class that a type, less `?` and refinements, names.
fn label_of(ty: &Type) -> Option<&String> {
    match ty {
        Type::Label { positive, .. } => positive.as_ref(),
        Type::Optional(of) => label_of(of),
        Type::Refined { base, .. } => label_of(base),
        _ => None,
    }
}

fn name_positive(ty: &mut Type, class: String) -> bool {
    match ty {
        Type::Label { positive, .. } => {
            *positive = Some(class);
            true
        }
        Type::Optional(of) => name_positive(of, class),
        Type::Refined { base, .. } => name_positive(base, class),
        _ => false,
    }
}

fn plain_name(ty: &Type) -> &'static str {
    plain().find(|(_, plain)| plain == ty).map_or("Nothing", |(name, _)| name)
}

/// Types written as one word.
fn plain() -> impl Iterator<Item = (&'static str, Type)> {
    Type::SCALARS.into_iter().chain([("Nothing", Type::Nothing)])
}

const TASKS: [Task; 5] =
    [Task::Classifier, Task::Regressor, Task::Ranker, Task::Clusterer, Task::Transformer];

pub(crate) fn read_type(cursor: &mut Cursor<'_>, rows: &dyn RowNames) -> Result<Type, SyntaxError> {
    cursor.deepen()?;
    let mut ty = read_atom(cursor, rows)?;
    // What follows a type stands on its line: the next line may begin with any word.
    let mut suffixes = 0;
    loop {
        if cursor.peek() == Some('?') {
            cursor.next();
            ty = Type::Optional(Box::new(ty));
        } else if cursor.eat_word_inline("in") {
            ty = Type::Refined { base: Box::new(ty), refinement: read_range(cursor)? };
        } else if cursor.eat_word_inline("matching") {
            let pattern = cursor.text_or_raw()?;
            ty = Type::Refined { base: Box::new(ty), refinement: Refinement::Matching(pattern) };
        } else {
            break;
        }
        suffixes += 1;
        if suffixes > 8 {
            return Err(cursor.error("no more than 8 `?` and refinements on one type"));
        }
    }
    if cursor.eat_word_inline("positive") {
        let class = cursor.text_literal()?;
        if !name_positive(&mut ty, class) {
            return Err(cursor.error("`positive` behind a Label alone"));
        }
    }
    cursor.rise();
    Ok(ty)
}

fn read_atom(cursor: &mut Cursor<'_>, rows: &dyn RowNames) -> Result<Type, SyntaxError> {
    cursor.space();
    if cursor.eat("(") {
        return Ok(Type::Record(RecordType { name: None, fields: read_fields(cursor, rows, ")")? }));
    }
    let start = cursor.offset();
    let path = read_path(cursor).map_err(|error| SyntaxError { expected: "a type".to_owned(), ..error })?;
    if cursor.peek() == Some('(') {
        cursor.next();
        return Ok(Type::Record(RecordType { name: Some(path), fields: read_fields(cursor, rows, ")")? }));
    }
    if cursor.peek() == Some('<') {
        cursor.next();
        let ty = read_arguments(cursor, rows, &path, start)?;
        cursor.expect(">")?;
        return Ok(ty);
    }
    let here = cursor.offset();
    cursor.blanks();
    if cursor.peek() == Some('{') {
        cursor.next();
        let variants = cursor.list("}", Cursor::name)?;
        return Ok(Type::Enum(EnumType { name: path, variants }));
    }
    cursor.rewind(here);
    if let Some(record) = rows.record(&path) {
        return Ok(Type::Record(record.clone()));
    }
    let plain = plain().find(|(name, _)| *name == path).map(|(_, ty)| ty);
    let metric = || Metric::ALL.into_iter().find(|metric| metric.name() == path).map(Type::Metric);
    plain.or_else(metric).ok_or_else(|| {
        cursor.rewind(start);
        cursor.error("a type")
    })
}

/// Fields up to `close`; the opening bracket has been read.
pub(crate) fn read_fields(
    cursor: &mut Cursor<'_>,
    rows: &dyn RowNames,
    close: &str,
) -> Result<Vec<Field>, SyntaxError> {
    cursor.list(close, |cursor| {
        let name = cursor.name()?;
        cursor.expect(":")?;
        Ok(Field { name, ty: read_type(cursor, rows)? })
    })
}

fn read_arguments(
    cursor: &mut Cursor<'_>,
    rows: &dyn RowNames,
    name: &str,
    start: usize,
) -> Result<Type, SyntaxError> {
    match name {
        "Id" => Ok(Type::Id(Box::new(read_type(cursor, rows)?))),
        "Label" => Ok(Type::Label { of: Box::new(read_type(cursor, rows)?), positive: None }),
        "QueryId" => Ok(Type::QueryId(Box::new(read_type(cursor, rows)?))),
        "Pii" => Ok(Type::Pii(Box::new(read_type(cursor, rows)?))),
        "List" => Ok(Type::List(Box::new(read_type(cursor, rows)?))),
        "Opaque" => Ok(Type::Opaque(cursor.text_literal()?)),
        "Dataset" => Ok(Type::Dataset(read_row(cursor, rows)?)),
        "Column" => Ok(Type::Column(read_row(cursor, rows)?)),
        "Embedding" => {
            cursor.space();
            let from = cursor.offset();
            while cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
                cursor.next();
            }
            let length = cursor.since(from).parse();
            length.map(Type::Embedding).map_err(|_| cursor.error("the embedding's length"))
        }
        name => match TASKS.into_iter().find(|task| task.name() == name) {
            Some(task) => {
                let row = read_row(cursor, rows)?;
                let result = if cursor.eat(",") { Some(read_row(cursor, rows)?) } else { None };
                Ok(Type::Model(ModelType { task, row, result }))
            }
            None => {
                cursor.rewind(start);
                Err(cursor.error("a type with arguments, such as `List<…>` or `Dataset<…>`"))
            }
        },
    }
}

pub(crate) fn read_row(cursor: &mut Cursor<'_>, rows: &dyn RowNames) -> Result<Row, SyntaxError> {
    if !cursor.eat("{") {
        cursor.space();
        let start = cursor.offset();
        return match cursor.identifier().and_then(|name| rows.row(name)) {
            Some(row) => Ok(row.clone()),
            None => {
                cursor.rewind(start);
                Err(cursor.error("a row, such as `{ age: Int }`"))
            }
        };
    }
    let columns = cursor.list("}", |cursor| {
        let name = cursor.name()?;
        cursor.expect(":")?;
        let ty = read_type(cursor, rows)?;
        let source = if cursor.eat_word("from") { Some(cursor.text_literal()?) } else { None };
        Ok(Column { name, ty, source })
    })?;
    Ok(Row { columns })
}

/// A dotted name, without space before the dots.
pub(crate) fn read_path(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    let mut path = cursor.name()?;
    while cursor.peek() == Some('.')
        && cursor.peek_second().is_some_and(|c| c == '`' || c == '_' || c.is_ascii_alphabetic())
    {
        cursor.next();
        path.push('.');
        path.push_str(&cursor.name()?);
    }
    Ok(path)
}

fn read_range(cursor: &mut Cursor<'_>) -> Result<Refinement, SyntaxError> {
    let low = read_bound(cursor)?;
    cursor.expect("..")?;
    let inclusive = cursor.peek() == Some('=');
    if inclusive {
        cursor.next();
    }
    let high = read_bound(cursor)?;
    match (low, high) {
        // A range open on both sides is one of Ints: which kind it is decides nothing then.
        (None | Some(Bound::Int(_)), None | Some(Bound::Int(_))) => {
            Ok(Refinement::Int { low: low.and_then(Bound::int), high: high.and_then(Bound::int), inclusive })
        }
        (None | Some(Bound::Float(_)), None | Some(Bound::Float(_))) => Ok(Refinement::Float {
            low: low.and_then(Bound::float),
            high: high.and_then(Bound::float),
            inclusive,
        }),
        _ => Err(cursor.error("bounds of one type")),
    }
}

#[derive(Clone, Copy)]
enum Bound {
    Int(i64),
    Float(Float64),
}

impl Bound {
    fn int(self) -> Option<i64> {
        if let Self::Int(value) = self { Some(value) } else { None }
    }

    fn float(self) -> Option<Float64> {
        if let Self::Float(value) = self { Some(value) } else { None }
    }
}

fn read_bound(cursor: &mut Cursor<'_>) -> Result<Option<Bound>, SyntaxError> {
    cursor.blanks();
    match super::value::read_number(cursor)? {
        None => Ok(None),
        Some(crate::value::Value::Int(value)) => Ok(Some(Bound::Int(value))),
        Some(crate::value::Value::Float(value)) => Ok(Some(Bound::Float(value))),
        Some(_) => Err(cursor.error("a number")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    #[test]
    fn as_the_language_writes_them() {
        for text in [
            "Dataset<{ a: Float?, b: Label<Category> positive \">50K\" }>",
            "Dataset<{ acidity: Float from \"fixed acidity\", `p H`: Label<Category>? positive \"a {{ b\" }>",
            "List<Int in 1..=16>",
            "Int in 1..=10?",
            "Int? in 0..",
            "Float in -0.5..1e30",
            "Text matching r\"^[a-z]+$\"",
            "Classifier<{}>",
            "Transformer<{ a: Int }, { a: Float }>",
            "(train: Dataset<{}>, test: Dataset<{}>)",
            "std.search.Point(depth: Int, rate: Float)",
            "std.tree.Loss { auto, squared }",
            "Pii<Id<Text>>",
            "Opaque<\"sklearn\">",
            "Embedding<384>",
            "List<Auc?>",
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_type_says_where() {
        for (text, message) in [
            ("", "expected a type, found the end"),
            ("Dataset<{ a Float }>", "expected `:`, found `Float`"),
            ("Strange", "expected a type, found `Strange`"),
            ("Int in 1..=0.5", "expected bounds of one type, found the end"),
            ("Float positive \"x\"", "expected `positive` behind a Label alone, found the end"),
            ("Dataset<rides>", "expected a row, such as `{ age: Int }`, found `rides`"),
        ] {
            assert_eq!(Type::parse(text).unwrap_err().to_string(), message, "{text}");
        }
        let deep = "List<".repeat(100_000);
        assert!(Type::parse(&deep).unwrap_err().expected.contains("nested"));
        assert!(Type::parse(&("Int".to_owned() + &"?".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn types_read_back_equal(ty in arbitrary::ty()) {
            let text = ty.to_string();
            prop_assert_eq!(Type::parse(&text), Ok(ty), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}|[A-Za-z<>{}().,:?\"` =]{0,60}") {
            let _ = (Type::parse(&text), Row::parse(&text));
        }
    }
}
