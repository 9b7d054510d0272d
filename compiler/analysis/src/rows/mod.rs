//! The dataset verbs whose rows follow from more than their signatures: one file each.
//!
//! A verb without a rule is typed by its signature alone, as `split` is.

mod columns;
mod derive;
mod drop;
mod predict;
mod select;
mod where_rows;

pub(crate) use columns::{column_list, column_value};
pub(crate) use derive::column_type;

use flow_ir::types::Row;
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
    span::Span,
};

use crate::{
    body::Expr,
    check::{Checker, RowInScope, Typed},
};

/// A call of a verb, with the row of the table before the dot.
pub(crate) struct VerbCall<'db> {
    pub data: Typed,
    pub row: Row,
    pub args: Vec<&'db ast::Arg>,
    pub name: &'db ast::Name,
    pub span: Span,
}

/// What the node takes, in the order of the verb's parameters, and the row that it gives.
pub(crate) struct VerbResult {
    pub inputs: Vec<(String, Expr)>,
    pub row: Row,
}

/// Types a call; `None` where it is wrong, which is reported.
pub(crate) type Rule = for<'c, 'db> fn(&'c mut Checker<'db>, VerbCall<'db>) -> Option<VerbResult>;

/// The rule of a verb, where it has one.
pub(crate) fn rule(verb: &str) -> Option<Rule> {
    Some(match verb {
        "derive" => derive::derive,
        "drop" => drop::drop_columns,
        "predict" => predict::predict,
        "select" => select::select,
        "where" => where_rows::where_rows,
        _ => return None,
    })
}

impl<'db> Checker<'db> {
    /// Checks an expression over the columns of a row.
    pub fn over_row(&mut self, row: &Row, expr: &'db ast::Expr) -> Typed {
        let outer = std::mem::replace(&mut self.row, RowInScope::Row(row.clone()));
        let typed = self.expr(expr, None);
        self.row = outer;
        typed
    }

    /// The column that an argument names.
    fn column_named(&mut self, row: &Row, expr: &'db ast::Expr, verb: &str) -> Option<String> {
        let ast::ExprKind::Column(name) = &expr.kind else {
            if !matches!(expr.kind, ast::ExprKind::Error) {
                let message = format!("`{verb}` takes columns here, as `.name`");
                self.fail(code::TYPE_MISMATCH, expr.span, message);
            }
            return None;
        };
        if row.column(&name.text).is_none() {
            self.no_such_column(&name.text, name.span, row);
            return None;
        }
        Some(name.text.clone())
    }

    /// The columns that a verb's arguments name: `.a, .b`, or `columns: [.a, .b]`.
    fn columns_named(&mut self, call: &VerbCall<'db>) -> Option<Vec<String>> {
        let verb = &call.name.text;
        let mut exprs: Vec<&'db ast::Expr> = Vec::new();
        for arg in &call.args {
            match (&arg.name, &arg.value.kind) {
                (None, _) => exprs.push(&arg.value),
                (Some(name), ast::ExprKind::List(columns)) if name.text == "columns" => exprs.extend(columns),
                (Some(name), _) => {
                    let message = format!("`{verb}` takes columns alone: `{verb}(.a, .b)`");
                    self.fail(code::UNKNOWN_ARGUMENT, name.span, message);
                    return None;
                }
            }
        }
        if exprs.is_empty() {
            let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
            let message = format!("`{verb}` needs at least one column");
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, message).help(format!("`.{verb}(.name)`")),
            );
            return None;
        }
        let mut columns = Vec::with_capacity(exprs.len());
        let mut is_sound = true;
        for expr in exprs {
            match self.column_named(&call.row, expr, verb) {
                Some(name) if columns.contains(&name) => {
                    is_sound = false;
                    self.fail(
                        code::UNKNOWN_ARGUMENT,
                        expr.span,
                        format!("the column `{name}` is given twice"),
                    );
                }
                Some(name) => columns.push(name),
                None => is_sound = false,
            }
        }
        is_sound.then_some(columns)
    }
}
