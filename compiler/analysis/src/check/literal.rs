//! Literals, and the few expressions whose values checking knows.

use flow_ir::{
    types::Type,
    value::{Float64, Value},
};
use flow_syntax::ast::{self, ExprKind, ItemKind, Literal, UnaryOp};

use crate::{
    body,
    db::{Db, File, Item, Keyword, parse_item},
    names::{Import, resolve, scope},
};

/// A literal's type and value; `None` for the magnitude of an Int that only fits behind a minus sign.
pub(crate) fn literal(literal: &Literal) -> Option<(Type, Value)> {
    Some(match literal {
        Literal::Bool(value) => (Type::Bool, Value::Bool(*value)),
        Literal::None => (Type::Nothing, Value::None),
        Literal::Int(value) => (Type::Int, Value::Int(i64::try_from(*value).ok()?)),
        Literal::Float(value) => (Type::Float, Value::Float(Float64(value.0))),
        Literal::Text(value) | Literal::RawText(value) => (Type::Text, Value::Text(value.clone())),
        Literal::Percent(value) => (Type::Fraction, Value::Float(Float64(value.0 / 100.0))),
        Literal::Size(value) => (Type::Size, Value::Size(*value)),
        Literal::Duration(value) => (Type::Duration, Value::Duration(*value)),
        Literal::Date(value) => (Type::Date, Value::Date(*value)),
        Literal::Time(value) => (Type::Time, Value::Time(*value)),
    })
}

/// The value of a signed literal, or of a constant that is one.
pub fn literal_value(db: &dyn Db, file: File, expr: &ast::Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => literal(value).map(|(_, value)| value),
        ExprKind::Paren(inner) => literal_value(db, file, inner),
        ExprKind::Unary { op: UnaryOp::Negate, operand } => match &operand.kind {
            ExprKind::Literal(Literal::Int(magnitude)) => negative(*magnitude).map(Value::Int),
            _ => match literal_value(db, file, operand)? {
                Value::Int(value) => value.checked_neg().map(Value::Int),
                Value::Float(value) => Some(Value::Float(Float64(-value.0))),
                Value::Duration(value) => value.checked_neg().map(Value::Duration),
                _ => None,
            },
        },
        ExprKind::Name(name) => match resolve(db, file, &name.text)? {
            Import::Item(item) if item.keyword(db) == Keyword::Const => const_value(db, item).clone(),
            _ => None,
        },
        ExprKind::Field { base, name } => {
            let ExprKind::Name(alias) = &base.kind else { return None };
            let Import::Module(module) = resolve(db, file, &alias.text)? else { return None };
            const_value(db, *scope(db, module).items.get(&name.text)?).clone()
        }
        _ => None,
    }
}

/// `-9223372036854775808` has a magnitude that no Int has.
pub(crate) fn negative(magnitude: u64) -> Option<i64> {
    if magnitude == i64::MIN.unsigned_abs() {
        return Some(i64::MIN);
    }
    i64::try_from(magnitude).ok().map(|value| -value)
}

/// The value of a typed expression, where checking knows it: literals, and lists and records of them.
pub(crate) fn known_value(expr: &body::Expr) -> Option<Value> {
    match &expr.kind {
        body::ExprKind::Value(value) => Some(value.clone()),
        body::ExprKind::List(values) => {
            values.iter().map(known_value).collect::<Option<_>>().map(Value::List)
        }
        body::ExprKind::Record(fields) => fields
            .iter()
            .map(|(name, value)| Some((name.clone(), known_value(value)?)))
            .collect::<Option<_>>()
            .map(Value::Record),
        _ => None,
    }
}

/// The value of a constant that is a literal.
#[salsa::tracked(cycle_result = circular)]
pub(crate) fn const_value<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Value> {
    match &parse_item(db, item).item.kind {
        ItemKind::Const(constant) => literal_value(db, item.file(db), &constant.value),
        _ => None,
    }
}

fn circular<'db>(_: &'db dyn Db, _: salsa::Id, _: Item<'db>) -> Option<Value> {
    None
}
