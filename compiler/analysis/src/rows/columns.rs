//! Lists of columns as values.

use flow_ir::{types::Type, value::Value};
use flow_syntax::span::Span;

use crate::{
    body::{Expr, ExprKind},
    ty::Ty,
};

/// The names of columns as the argument of a verb.
pub(super) fn column_list(names: &[String], span: Span) -> Expr {
    let column = |name: &String| Expr {
        kind: ExprKind::Value(Value::Column(name.clone())),
        ty: Ty::Ground(Type::Column),
        span,
    };
    Expr {
        kind: ExprKind::List(names.iter().map(column).collect()),
        ty: Ty::Ground(Type::List(Box::new(Type::Column))),
        span,
    }
}
