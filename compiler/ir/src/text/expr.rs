//! Expressions in the language's own syntax, both ways: `.distance / .minutes * 60.0`.
//!
//! An expression is typed throughout, its text only where the types do not follow. They follow from
//! the [`TypeScope`] (columns and parameters), from literals, from the table of results, and from
//! `cast(…, T)`. What differs is written `typed(…, T)`.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    expr_read::Reader,
    expr_write::Writer,
    scan::{Cursor, SyntaxError},
    types::RowNames,
};
use crate::{
    expr::{Expr, ExprKind, Function, common_type, field_type},
    types::{EnumType, Field, RecordType, Row, Type},
    value::Value,
};

/// How many operators one expression's text may have.
pub const MAX_OPERATORS: u32 = 500;

/// The types of the columns and parameters that an expression's text may name.
#[derive(Clone, Debug, Default)]
pub struct TypeScope<'a> {
    pub row: Option<&'a Row>,
    pub parameters: Vec<(&'a str, Type)>,
}

impl TypeScope<'_> {
    pub(super) fn column(&self, name: &str) -> Option<&Type> {
        self.row?.column(name).map(|column| &column.ty)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&Type> {
        self.parameters.iter().find(|(parameter, _)| *parameter == name).map(|(_, ty)| ty)
    }
}

impl Expr {
    /// The text from which [`Self::parse`] reads an equal expression in an equal scope.
    pub fn to_text(&self, scope: &TypeScope<'_>) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        write_expr(&mut text, self, scope, &super::types::NoRows).unwrap_or_default();
        text
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// Where the text is no expression, or names something whose type is not known.
    pub fn parse(text: &str, scope: &TypeScope<'_>) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let expr = read_expr(&mut cursor, scope, &super::types::NoRows)?;
        cursor.expect_end()?;
        Ok(expr)
    }
}

/// For people: types are left out.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Writer { out: f, scope: None, rows: &super::types::NoRows }.expr(self, LOWEST)
    }
}

pub(crate) fn write_expr(
    out: &mut impl Write,
    expr: &Expr,
    scope: &TypeScope<'_>,
    rows: &dyn RowNames,
) -> fmt::Result {
    Writer { out, scope: Some(scope), rows }.expr(expr, LOWEST)
}

pub(crate) fn read_expr(
    cursor: &mut Cursor<'_>,
    scope: &TypeScope<'_>,
    rows: &dyn RowNames,
) -> Result<Expr, SyntaxError> {
    Reader { cursor, scope, rows, operators: 0 }.expr(LOWEST)
}

/// The type that a literal has by itself.
pub(crate) fn literal_type(value: &Value) -> Type {
    match value {
        Value::None => Type::Nothing,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Text(_) => Type::Text,
        Value::Bytes(_) => Type::Bytes,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::Duration(_) => Type::Duration,
        Value::Size(_) => Type::Size,
        Value::File(_) => Type::File,
        // Of which row, the value does not say.
        Value::Column(_) => Type::Column(Row::default()),
        Value::Enum { ty, .. } => Type::Enum(EnumType { name: ty.clone(), variants: Vec::new() }),
        Value::List(values) => {
            let mut types = values.iter().map(literal_type);
            let first = types.next().unwrap_or(Type::Nothing);
            Type::List(Box::new(
                types.fold(first, |common, ty| common_type(&common, &ty).unwrap_or(Type::Nothing)),
            ))
        }
        Value::Record(fields) => {
            let field =
                |(name, value): &(String, Value)| Field { name: name.clone(), ty: literal_type(value) };
            Type::Record(RecordType { name: None, fields: fields.iter().map(field).collect() })
        }
    }
}

/// By rising precedence. Comparisons do not chain, `**` binds to the right, the others to the left.
pub(super) const INFIX: [(Function, &str, u8); 15] = [
    (Function::Or, "or", 1),
    (Function::And, "and", 2),
    (Function::Equal, "==", 4),
    (Function::NotEqual, "!=", 4),
    (Function::LessEqual, "<=", 4),
    (Function::Less, "<", 4),
    (Function::GreaterEqual, ">=", 4),
    (Function::Greater, ">", 4),
    (Function::OrElse, "??", 5),
    (Function::Add, "+", 6),
    (Function::Subtract, "-", 6),
    // Before `*`, which it begins with.
    (Function::Power, "**", POWER),
    (Function::Multiply, "*", 7),
    (Function::Divide, "/", 7),
    (Function::Remainder, "%", 7),
];
pub(super) const LOWEST: u8 = 0;
pub(super) const NOT: u8 = 3;
pub(super) const COMPARISON: u8 = 4;
pub(super) const NEGATE: u8 = 8;
pub(super) const POWER: u8 = 9;
pub(super) const POSTFIX: u8 = 10;
pub(super) const ATOM: u8 = 11;

pub(super) fn infix(function: Function) -> Option<(&'static str, u8)> {
    INFIX.iter().find(|(other, ..)| *other == function).map(|(_, symbol, level)| (*symbol, *level))
}

pub(super) fn field_name(name: &Expr) -> Option<&str> {
    match &name.kind {
        ExprKind::Literal(Value::Text(text)) if name.ty == Type::Text => Some(text),
        _ => None,
    }
}

/// The type that the text alone gives an expression, whose parts are typed.
pub(super) fn inferred(kind: &ExprKind, scope: &TypeScope<'_>) -> Option<Type> {
    match kind {
        ExprKind::Column(name) => scope.column(name).cloned(),
        ExprKind::Parameter(name) => scope.parameter(name).cloned(),
        ExprKind::Literal(value) => Some(literal_type(value)),
        ExprKind::Cast(_) => None,
        ExprKind::Call { function: Function::Field, args } => match args.as_slice() {
            [record, name] => field_type(&record.ty, field_name(name)?),
            _ => None,
        },
        ExprKind::Call { function, args } => {
            let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
            function.result(&types).ok()
        }
        ExprKind::Case { arms, otherwise } => {
            arms.iter().try_fold(otherwise.ty.clone(), |common, (_, value)| common_type(&common, &value.ty))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    fn row() -> Row {
        Row::parse("{ a: Float, b: Int, c: Float?, city: Category, at: EventTime, `odd name`: Bool }")
            .unwrap()
    }

    #[test]
    fn as_the_language_writes_them() {
        let row = row();
        let scope = TypeScope { row: Some(&row), parameters: vec![("rate", Type::Float), ("in", Type::Int)] };
        for text in [
            ".a / .b * 60.0",
            ".a - (.b - rate)",
            "(-7) ** 2",
            "-(7 ** 2)",
            "-.a ** 2 ** .b",
            "(.a + 1.0) * -2.5",
            ".c ?? 0.0 < 1.0 and not .`odd name` or .city in [\"SF\", \"NY\"]",
            "not (.`odd name` and true)",
            "if .b > 0 { 1.0 } else if .b == 0 { .a } else { .c }",
            "(if .b > 0 { 1 } else { 2 }) + 3",
            "exp(.a) + min(.a, .b, 2)",
            "cast(.b, Float?)",
            "typed(\"SF\", Category)",
            "typed(.missing, Float) + 1.0",
            "`in` % 2",
            "[1, 2][0] + 1",
            "(x: 1, y: 2.0).y",
            "column(\"a\")",
            "year(.at) + hour(.at)",
            "date\"2026-11-20\" + 7d",
        ] {
            let expr = Expr::parse(text, &scope).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(expr.to_text(&scope), text);
        }
        let expr = Expr::parse("-7 ** 2", &scope).unwrap();
        assert_eq!(expr.to_string(), "-(7 ** 2)", "as in the language");
        assert_eq!(Expr::parse("typed(.x, Int) + 1", &scope).unwrap().to_string(), ".x + 1", "for people");
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let row = row();
        let scope = TypeScope { row: Some(&row), parameters: Vec::new() };
        for (text, message) in [
            ("", "expected an expression, found the end"),
            (".a +", "expected an expression, found the end"),
            (
                ".nowhere",
                "expected a type for the column `nowhere`, as in `typed(.nowhere, Float)`, found the end",
            ),
            ("1 < 2 < 3", "expected parentheses, since comparisons do not chain, found `3`"),
            ("sprt(.a)", "expected a function, found `sprt`"),
            ("exp(.city)", "expected arguments that `exp` takes, before this, found the end"),
            ("if true { 1 }", "expected `else`, found the end"),
        ] {
            assert_eq!(Expr::parse(text, &scope).unwrap_err().to_string(), message, "{text}");
        }
        for text in
            ["(".repeat(100_000), "-".repeat(100_000), "not ".repeat(100_000), "1 + ".repeat(100_000) + "1"]
        {
            assert!(Expr::parse(&text, &scope).is_err());
        }
        let long = "1 + ".repeat(499) + "1";
        assert_eq!(Expr::parse(&long, &scope).unwrap().to_text(&scope), long);
    }

    proptest! {
        #[test]
        fn expressions_read_back_equal(expr in arbitrary::expr()) {
            let scope = TypeScope::default();
            let text = expr.to_text(&scope);
            prop_assert_eq!(Expr::parse(&text, &scope), Ok(expr), "{}", text);
        }

        #[test]
        fn typed_expressions_read_back_equal(expr in arbitrary::numeric_expr()) {
            let row = row();
            let scope = TypeScope { row: Some(&row), parameters: Vec::new() };
            let text = expr.to_text(&scope);
            prop_assert_eq!(Expr::parse(&text, &scope), Ok(expr), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}|[-a-z0-9.\"()\\[\\]:,<>=+*/%?{} ]{0,40}") {
            let row = row();
            let _ = Expr::parse(&text, &TypeScope { row: Some(&row), parameters: Vec::new() });
        }
    }
}
