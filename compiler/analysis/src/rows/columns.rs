//! Columns, and lists of them, as values.

use flow_ir::{
    types::{Column, Row, Type},
    value::Value,
};
use flow_syntax::span::Span;

use crate::{
    body::{Expr, ExprKind},
    ty::Ty,
};

/// The name of a column as the argument of a verb.
pub(crate) fn column_value(column: &Column, span: Span) -> Expr {
    let row = Row { columns: vec![column.clone()] };
    Expr {
        kind: ExprKind::Value(Value::Column(column.name.clone())),
        ty: Ty::Ground(Type::Column(row)),
        span,
    }
}

/// The names of columns as the argument of a verb; those that the row does not have are left out.
pub(crate) fn column_list(names: &[String], row: &Row, span: Span) -> Expr {
    let columns: Vec<Column> = names.iter().filter_map(|name| row.column(name).cloned()).collect();
    Expr {
        kind: ExprKind::List(columns.iter().map(|column| column_value(column, span)).collect()),
        ty: Ty::Ground(Type::List(Box::new(Type::Column(Row { columns })))),
        span,
    }
}
