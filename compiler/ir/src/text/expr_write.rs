//! Writes expressions.

use std::fmt::{self, Write};

use super::{
    expr::{ATOM, COMPARISON, LOWEST, NEGATE, NOT, POSTFIX, POWER, TypeScope, field_name, inferred, infix},
    types::{RowNames, write_type},
    value::write_value,
    words::{is_plain, write_name},
};
use crate::{
    expr::{Expr, ExprKind, Function},
    types::Type,
    value::Value,
};

pub(super) struct Writer<'a, W> {
    pub out: &'a mut W,
    /// None where types are left out.
    pub scope: Option<&'a TypeScope<'a>>,
    pub rows: &'a dyn RowNames,
}

impl<W: Write> Writer<'_, W> {
    /// Writes an expression where only operators of `level` and above stand without parentheses.
    pub fn expr(&mut self, expr: &Expr, level: u8) -> fmt::Result {
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
