//! Expressions in the language's own syntax, both ways: `.distance / .minutes * 60.0`.
//!
//! An expression is typed throughout, its text only where the types do not follow. They follow from
//! the [`TypeScope`] (columns and parameters), from literals, from the table of results, and from
//! `cast(…, T)`. What differs is written `typed(…, T)`.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    scan::{Cursor, SyntaxError},
    types::{RowNames, read_type, write_type},
    value::{read_number, read_scalar, read_value, write_value},
    words::{is_plain, write_name},
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
    fn column(&self, name: &str) -> Option<&Type> {
        self.row?.column(name).map(|column| &column.ty)
    }

    fn parameter(&self, name: &str) -> Option<&Type> {
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
const INFIX: [(Function, &str, u8); 15] = [
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
const LOWEST: u8 = 0;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const NEGATE: u8 = 8;
const POWER: u8 = 9;
const POSTFIX: u8 = 10;
const ATOM: u8 = 11;

struct Writer<'a, W> {
    out: &'a mut W,
    /// None where types are left out.
    scope: Option<&'a TypeScope<'a>>,
    rows: &'a dyn RowNames,
}

impl<W: Write> Writer<'_, W> {
    /// Writes an expression where only operators of `level` and above stand without parentheses.
    fn expr(&mut self, expr: &Expr, level: u8) -> fmt::Result {
        if let Some(scope) = self.scope
            && inferred(&expr.kind, scope).is_none_or(|ty| ty != expr.ty)
            && !matches!(expr.kind, ExprKind::Cast(_))
        {
            self.out.write_str("typed(")?;
            self.plain(expr)?;
            return self.type_argument(&expr.ty);
        }
        if level_of(expr) >= level {
            return self.plain(expr);
        }
        self.out.write_char('(')?;
        self.plain(expr)?;
        self.out.write_char(')')
    }

    fn plain(&mut self, expr: &Expr) -> fmt::Result {
        match &expr.kind {
            ExprKind::Column(name) => {
                self.out.write_char('.')?;
                write_name(self.out, name)
            }
            ExprKind::Parameter(name) => self.identifier(name),
            ExprKind::Literal(Value::Column(name)) => {
                self.out.write_str("column(")?;
                super::words::write_text(self.out, name)?;
                self.out.write_char(')')
            }
            ExprKind::Literal(value) => write_value(self.out, value),
            ExprKind::Cast(operand) => {
                self.out.write_str("cast(")?;
                self.expr(operand, LOWEST)?;
                self.type_argument(&expr.ty)
            }
            ExprKind::Case { arms, otherwise } => {
                for (condition, value) in arms {
                    self.out.write_str("if ")?;
                    self.expr(condition, LOWEST)?;
                    self.block(value)?;
                    self.out.write_char(' ')?;
                    self.out.write_str("else ")?;
                }
                if arms.is_empty() {
                    self.out.write_str("else ")?;
                }
                self.out.write_str("{ ")?;
                self.expr(otherwise, LOWEST)?;
                self.out.write_str(" }")
            }
            ExprKind::Call { function, args } => self.call(*function, args),
        }
    }

    fn call(&mut self, function: Function, args: &[Expr]) -> fmt::Result {
        match (function, args) {
            (Function::Not, [operand]) => {
                self.out.write_str("not ")?;
                self.expr(operand, NOT)
            }
            (Function::Negate, [operand]) => {
                let mut text = String::new();
                Writer { out: &mut text, scope: self.scope, rows: self.rows }.expr(operand, NEGATE)?;
                // Else it would be read as a negative literal.
                let is_number = text.starts_with(|c: char| c.is_ascii_digit())
                    || text.starts_with("inf")
                    || text.starts_with("nan");
                if is_number { write!(self.out, "-({text})") } else { write!(self.out, "-{text}") }
            }
            (Function::In, [value, members @ ..]) => {
                self.expr(value, COMPARISON + 1)?;
                self.out.write_str(" in [")?;
                self.list(members)?;
                self.out.write_char(']')
            }
            (Function::Field, [record, name]) if field_name(name).is_some() => {
                self.expr(record, POSTFIX)?;
                self.out.write_char('.')?;
                self.identifier(field_name(name).unwrap_or_default())
            }
            (Function::Element, [list, index]) => {
                self.expr(list, POSTFIX)?;
                self.out.write_char('[')?;
                self.expr(index, LOWEST)?;
                self.out.write_char(']')
            }
            (function, [left, right]) if let Some((symbol, level)) = infix(function) => {
                let (left_level, right_level) = match level {
                    POWER => (POSTFIX, POWER),
                    COMPARISON => (COMPARISON + 1, COMPARISON + 1),
                    level => (level, level + 1),
                };
                self.expr(left, left_level)?;
                write!(self.out, " {symbol} ")?;
                self.expr(right, right_level)
            }
            // Without its one operand it is not well-typed, yet must not be taken for the prefix.
            (Function::Not, args) => {
                self.out.write_str("not_of(")?;
                self.list(args)?;
                self.out.write_char(')')
            }
            (function, args) => {
                self.out.write_str(function.name())?;
                self.out.write_char('(')?;
                self.list(args)?;
                self.out.write_char(')')
            }
        }
    }

    fn list(&mut self, exprs: &[Expr]) -> fmt::Result {
        for (index, expr) in exprs.iter().enumerate() {
            self.out.write_str(if index == 0 { "" } else { ", " })?;
            self.expr(expr, LOWEST)?;
        }
        Ok(())
    }

    fn block(&mut self, expr: &Expr) -> fmt::Result {
        self.out.write_str(" { ")?;
        self.expr(expr, LOWEST)?;
        self.out.write_str(" }")
    }

    /// `, T)`
    fn type_argument(&mut self, ty: &Type) -> fmt::Result {
        self.out.write_str(", ")?;
        write_type(self.out, ty, self.rows)?;
        self.out.write_char(')')
    }

    /// A name that cannot be mistaken for a word of the syntax or an enum's path.
    fn identifier(&mut self, name: &str) -> fmt::Result {
        let is_safe = is_plain(name) && !name.starts_with(|c: char| c.is_ascii_uppercase());
        if is_safe && !RESERVED.contains(&name) {
            self.out.write_str(name)
        } else if is_plain(name) {
            write!(self.out, "`{name}`")
        } else {
            write_name(self.out, name)
        }
    }
}

const RESERVED: [&str; 14] =
    ["none", "true", "false", "inf", "nan", "enum", "if", "else", "not", "and", "or", "in", "for", "match"];

fn infix(function: Function) -> Option<(&'static str, u8)> {
    INFIX.iter().find(|(other, ..)| *other == function).map(|(_, symbol, level)| (*symbol, *level))
}

fn field_name(name: &Expr) -> Option<&str> {
    match &name.kind {
        ExprKind::Literal(Value::Text(text)) if name.ty == Type::Text => Some(text),
        _ => None,
    }
}

fn level_of(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Case { .. } => LOWEST,
        ExprKind::Literal(Value::Int(value)) if *value < 0 => NEGATE,
        ExprKind::Literal(Value::Duration(value)) if *value < 0 => NEGATE,
        ExprKind::Literal(Value::Float(value)) if value.0.is_sign_negative() => NEGATE,
        ExprKind::Call { function, args } => match (function, args.len()) {
            (Function::Not, 1) => NOT,
            (Function::Negate, 1) => NEGATE,
            (Function::In, 1..) => COMPARISON,
            (function, 2) => infix(*function).map_or(POSTFIX, |(_, level)| level),
            _ => ATOM,
        },
        _ => ATOM,
    }
}

/// The type that the text alone gives an expression, whose parts are typed.
fn inferred(kind: &ExprKind, scope: &TypeScope<'_>) -> Option<Type> {
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

struct Reader<'a, 'text> {
    cursor: &'a mut Cursor<'text>,
    scope: &'a TypeScope<'a>,
    rows: &'a dyn RowNames,
    operators: u32,
}

/// An expression whose type may not be known yet: `typed(…, T)` around it may tell.
struct Partial {
    kind: ExprKind,
    ty: Option<Type>,
    start: usize,
}

impl Reader<'_, '_> {
    fn expr(&mut self, level: u8) -> Result<Expr, SyntaxError> {
        let partial = self.partial(level)?;
        self.whole(partial)
    }

    fn partial(&mut self, level: u8) -> Result<Partial, SyntaxError> {
        self.cursor.deepen()?;
        let mut left = self.operand()?;
        while let Some((function, found)) = self.infix(level) {
            self.count()?;
            let mut args = vec![self.whole(left)?];
            if function == Function::In {
                self.cursor.expect("[")?;
                args.extend(self.list("]")?);
            } else {
                args.push(self.expr(if found == POWER { POWER } else { found + 1 })?);
            }
            left = self.call(function, args);
            if found == COMPARISON && self.infix(COMPARISON).is_some_and(|(_, found)| found == COMPARISON) {
                return Err(self.cursor.error("parentheses, since comparisons do not chain"));
            }
        }
        self.cursor.rise();
        Ok(left)
    }

    /// The operator that comes next, if it binds at least as tightly as `level`.
    fn infix(&mut self, level: u8) -> Option<(Function, u8)> {
        let start = self.cursor.offset();
        let found = INFIX.iter().find(|(_, symbol, _)| {
            if symbol.starts_with(|c: char| c.is_ascii_alphabetic()) {
                self.cursor.eat_word(symbol)
            } else {
                self.cursor.eat(symbol)
            }
        });
        let found = match found {
            Some((function, _, found)) => Some((*function, *found)),
            None if self.cursor.eat_word("in") => Some((Function::In, COMPARISON)),
            None => None,
        };
        let found = found.filter(|(_, found)| *found >= level);
        if found.is_none() {
            self.cursor.rewind(start);
        }
        found
    }

    fn operand(&mut self) -> Result<Partial, SyntaxError> {
        if self.cursor.eat_word("not") {
            let operand = self.expr(NOT)?;
            return Ok(self.call(Function::Not, vec![operand]));
        }
        self.cursor.space();
        if self.cursor.peek() == Some('-') {
            let start = self.cursor.offset();
            if let Some(number) = read_number(self.cursor)? {
                let end = self.cursor.offset();
                // `-7 ** 2` is the negative of a power.
                if !self.cursor.eat("**") {
                    return Ok(self.atom_of(ExprKind::Literal(number)));
                }
                self.cursor.rewind(end);
            }
            self.cursor.rewind(start);
            self.cursor.expect("-")?;
            let operand = self.expr(NEGATE)?;
            return Ok(self.call(Function::Negate, vec![operand]));
        }
        let mut operand = self.atom()?;
        loop {
            let (function, argument) = match self.cursor.peek() {
                Some('.') => {
                    self.cursor.next();
                    let name = Value::Text(self.cursor.name()?);
                    (Function::Field, Expr { kind: ExprKind::Literal(name), ty: Type::Text })
                }
                Some('[') => {
                    self.cursor.next();
                    let index = self.expr(LOWEST)?;
                    self.cursor.expect("]")?;
                    (Function::Element, index)
                }
                _ => return Ok(operand),
            };
            self.count()?;
            let args = vec![self.whole(operand)?, argument];
            operand = self.call(function, args);
        }
    }

    fn atom(&mut self) -> Result<Partial, SyntaxError> {
        self.cursor.space();
        let start = self.cursor.offset();
        match self.cursor.peek() {
            Some('.') => {
                self.cursor.next();
                let name = self.cursor.name()?;
                return Ok(self.atom_of(ExprKind::Column(name)));
            }
            Some('[') => {
                let value = read_value(self.cursor)?;
                return Ok(self.atom_of(ExprKind::Literal(value)));
            }
            Some('(') => return self.parenthesis(),
            Some('`') => {
                let name = self.cursor.name()?;
                return Ok(self.atom_of(ExprKind::Parameter(name)));
            }
            _ => {}
        }
        if let Some(value) = read_scalar(self.cursor)? {
            return Ok(self.atom_of(ExprKind::Literal(value)));
        }
        match self.cursor.identifier() {
            None => Err(self.cursor.error("an expression")),
            Some("if" | "else") => {
                self.cursor.rewind(start);
                self.case()
            }
            Some(word) if self.cursor.peek() == Some('(') => self.application(word, start),
            Some(word) => Ok(self.atom_of(ExprKind::Parameter(word.to_owned()))),
        }
    }

    /// A record's value, or an expression in parentheses.
    fn parenthesis(&mut self) -> Result<Partial, SyntaxError> {
        let start = self.cursor.offset();
        self.cursor.expect("(")?;
        let is_record = self.cursor.eat(")") || (self.cursor.name().is_ok() && self.cursor.eat(":"));
        self.cursor.rewind(start);
        if is_record {
            let value = read_value(self.cursor)?;
            return Ok(self.atom_of(ExprKind::Literal(value)));
        }
        self.cursor.expect("(")?;
        let partial = self.partial(LOWEST)?;
        self.cursor.expect(")")?;
        Ok(partial)
    }

    fn case(&mut self) -> Result<Partial, SyntaxError> {
        let mut arms = Vec::new();
        while self.cursor.eat_word("if") {
            self.count()?;
            let condition = self.expr(LOWEST)?;
            arms.push((condition, self.block()?));
            if !self.cursor.eat_word("else") {
                return Err(self.cursor.error("`else`"));
            }
        }
        if arms.is_empty() && !self.cursor.eat_word("else") {
            return Err(self.cursor.error("`if`"));
        }
        let otherwise = Box::new(self.block()?);
        Ok(self.atom_of(ExprKind::Case { arms, otherwise }))
    }

    fn block(&mut self) -> Result<Expr, SyntaxError> {
        self.cursor.expect("{")?;
        let expr = self.expr(LOWEST)?;
        self.cursor.expect("}")?;
        Ok(expr)
    }

    /// `exp(…)`, `cast(…, T)`, `typed(…, T)`, `column("…")`
    fn application(&mut self, word: &str, start: usize) -> Result<Partial, SyntaxError> {
        self.cursor.expect("(")?;
        match word {
            "cast" => {
                let operand = Box::new(self.expr(LOWEST)?);
                let ty = self.type_argument()?;
                Ok(Partial { kind: ExprKind::Cast(operand), ty: Some(ty), start })
            }
            "typed" => {
                let partial = self.partial(LOWEST)?;
                let ty = self.type_argument()?;
                Ok(Partial { ty: Some(ty), ..partial })
            }
            "column" => {
                let name = self.cursor.text_literal()?;
                self.cursor.expect(")")?;
                Ok(self.atom_of(ExprKind::Literal(Value::Column(name))))
            }
            "not_of" => {
                let args = self.list(")")?;
                Ok(self.call(Function::Not, args))
            }
            word => match Function::named(word) {
                Some(function) => {
                    let args = self.list(")")?;
                    Ok(self.call(function, args))
                }
                None => {
                    self.cursor.rewind(start);
                    Err(self.cursor.error("a function"))
                }
            },
        }
    }

    /// `, T)`
    fn type_argument(&mut self) -> Result<Type, SyntaxError> {
        self.cursor.expect(",")?;
        let ty = read_type(self.cursor, self.rows)?;
        self.cursor.expect(")")?;
        Ok(ty)
    }

    /// Expressions up to a closing bracket; the opening one has been read.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, SyntaxError> {
        let mut exprs = Vec::new();
        if self.cursor.eat(close) {
            return Ok(exprs);
        }
        loop {
            exprs.push(self.expr(LOWEST)?);
            if self.cursor.eat(close) {
                return Ok(exprs);
            }
            self.cursor.expect(",")?;
        }
    }

    fn call(&self, function: Function, args: Vec<Expr>) -> Partial {
        self.atom_of(ExprKind::Call { function, args })
    }

    fn atom_of(&self, kind: ExprKind) -> Partial {
        Partial { ty: inferred(&kind, self.scope), kind, start: self.cursor.offset() }
    }

    fn whole(&mut self, partial: Partial) -> Result<Expr, SyntaxError> {
        match partial.ty {
            Some(ty) => Ok(Expr { kind: partial.kind, ty }),
            None => {
                self.cursor.rewind(partial.start);
                Err(self.cursor.error(unknown(&partial.kind)))
            }
        }
    }

    fn count(&mut self) -> Result<(), SyntaxError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(self.cursor.error(format!("no more than {MAX_OPERATORS} operators")));
        }
        Ok(())
    }
}

/// What would have made the type of `kind` known.
fn unknown(kind: &ExprKind) -> String {
    match kind {
        ExprKind::Column(name) => format!("a type for the column `{name}`, as in `typed(.{name}, Float)`"),
        ExprKind::Parameter(name) => {
            format!("a type for the parameter `{name}`, as in `typed({name}, Float)`")
        }
        ExprKind::Call { function, .. } => format!("arguments that `{}` takes, before this", function.name()),
        _ => "arms of one type, before this".to_owned(),
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
