//! Columns, and lists and records of them, as values.

use flow_ir::{
    expr::is_key,
    types::{Column, Field, RecordType, Row, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind, Literal},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use crate::{
    body::{self, Expr},
    check::Checker,
    names::quoted,
    ty::Ty,
    types::show,
};

/// The name of a column as the argument of a verb.
pub(crate) fn column_value(column: &Column, span: Span) -> Expr {
    let row = Row { columns: vec![column.clone()] };
    Expr {
        kind: body::ExprKind::Value(Value::Column(column.name.clone())),
        ty: Ty::Ground(Type::Column(row)),
        span,
    }
}

/// The names of columns as the argument of a verb; those that the row does not have are left out.
pub(crate) fn column_list(names: &[String], row: &Row, span: Span) -> Expr {
    let columns: Vec<Column> = names.iter().filter_map(|name| row.column(name).cloned()).collect();
    Expr {
        kind: body::ExprKind::List(columns.iter().map(|column| column_value(column, span)).collect()),
        ty: Ty::Ground(Type::List(Box::new(Type::Column(Row { columns })))),
        span,
    }
}

/// Named values of a verb, in order.
pub(super) fn record(fields: Vec<(String, Expr)>, span: Span) -> Expr {
    let types = fields
        .iter()
        .filter_map(|(name, value)| Some(Field { name: name.clone(), ty: value.ty.ground()? }))
        .collect();
    let ty = Ty::Ground(Type::Record(RecordType { name: None, fields: types }));
    Expr { kind: body::ExprKind::Record(fields), ty, span }
}

impl<'db> Checker<'db> {
    /// The column of a row that an argument names.
    pub(super) fn column_named(&mut self, row: &Row, expr: &'db ast::Expr, verb: &str) -> Option<String> {
        let ExprKind::Column(name) = &expr.kind else {
            if !matches!(expr.kind, ExprKind::Error) {
                let message = format!("`{verb}` takes columns here, as `.name`");
                let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, expr.span, message);
                self.report(with_dot(diagnostic, expr, row));
            }
            return None;
        };
        if row.column(&name.text).is_none() {
            self.no_such_column(&name.text, name.span, row);
            return None;
        }
        Some(name.text.clone())
    }

    /// The columns that arguments name, each once.
    pub(super) fn distinct_columns(
        &mut self,
        row: &Row,
        exprs: impl IntoIterator<Item = &'db ast::Expr>,
        verb: &str,
    ) -> Option<Vec<String>> {
        let mut columns: Vec<String> = Vec::new();
        let mut is_sound = true;
        for expr in exprs {
            match self.column_named(row, expr, verb) {
                Some(name) if columns.contains(&name) => {
                    is_sound = false;
                    let message = format!("the column `{name}` is given twice");
                    self.fail(code::UNKNOWN_ARGUMENT, expr.span, message);
                }
                Some(name) => columns.push(name),
                None => is_sound = false,
            }
        }
        is_sound.then_some(columns)
    }

    /// The columns that arguments name, as keys: rows can be told apart by each.
    pub(super) fn key_columns(
        &mut self,
        row: &Row,
        exprs: &[&'db ast::Expr],
        verb: &str,
    ) -> Option<Vec<String>> {
        let columns = self.distinct_columns(row, exprs.iter().copied(), verb)?;
        let mut is_sound = true;
        for (name, expr) in columns.iter().zip(exprs) {
            let Some(column) = row.column(name).filter(|column| !is_key(&column.ty)) else { continue };
            is_sound = false;
            let message =
                format!("the column `{name}` is `{}`, which is no key for `{verb}`", show(&column.ty));
            self.fail(code::COLUMN_TYPE, expr.span, message);
        }
        is_sound.then_some(columns)
    }
}

/// Where a column's name stands without its dot, `"city"` or `city`, the fix that writes it.
fn with_dot(diagnostic: Diagnostic, expr: &ast::Expr, row: &Row) -> Diagnostic {
    let Some(name) = meant_column(expr, row) else { return diagnostic };
    let column = format!(".{}", quoted(name));
    diagnostic
        .help(format!("a column is written with a dot: `{column}`"))
        .fix(format!("write `{column}`"), vec![Edit { span: expr.span, text: column }])
}

/// The column that `"city"` or `city` probably means.
pub(super) fn meant_column<'e>(expr: &'e ast::Expr, row: &Row) -> Option<&'e str> {
    let name = match &expr.kind {
        ExprKind::Literal(Literal::Text(name)) => name,
        ExprKind::Name(name) => &name.text,
        _ => return None,
    };
    row.column(name).map(|_| name.as_str())
}

/// `.a`, `[.a, .b]`: the expressions that should name columns.
pub(super) fn listed(expr: &ast::Expr) -> Vec<&ast::Expr> {
    match &expr.kind {
        ExprKind::List(columns) => columns.iter().collect(),
        ExprKind::Paren(inner) => listed(inner),
        _ => vec![expr],
    }
}
