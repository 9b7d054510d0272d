//! The columns that `group` and `window` compute of many rows.

use flow_ir::{expr::Aggregate, types::Column};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::column_type;
use crate::{
    body::Expr,
    check::{Checker, RowInScope, column_name},
    types::show,
};

impl<'db> Checker<'db> {
    /// Named expressions over many rows, as columns; a name that is used twice is reported.
    pub(super) fn named_columns(
        &mut self,
        scope: RowInScope,
        args: &[&'db ast::Arg],
        verb: &str,
    ) -> Option<Vec<(Column, Expr)>> {
        let mut columns: Vec<(Column, Expr)> = Vec::with_capacity(args.len());
        let mut is_sound = true;
        let outer = std::mem::replace(&mut self.row, scope);
        for arg in args {
            let Some(name) = &arg.name else { continue };
            let typed = self.expr(&arg.value, None);
            if columns.iter().any(|(column, _)| column.name == name.text) {
                is_sound = false;
                let message = format!("`{verb}` gives the column `{}` twice", name.text);
                self.fail(code::UNKNOWN_ARGUMENT, name.span, message);
                continue;
            }
            match typed.ty().map(|ty| (ty, column_type(ty))) {
                Some((_, Some(ty))) => {
                    columns.push((Column { name: name.text.clone(), ty, source: None }, typed.expr));
                }
                Some((ty, None)) => {
                    is_sound = false;
                    let message = format!("a column cannot be `{}`", show(ty));
                    self.fail(code::TYPE_MISMATCH, arg.value.span, message);
                }
                None => is_sound = false,
            }
        }
        self.row = outer;
        is_sound.then_some(columns)
    }

    /// Reports an aggregate without a name.
    pub(super) fn unnamed(&mut self, expr: &'db ast::Expr) {
        let diagnostic = |message: &str| Diagnostic::error(code::UNKNOWN_ARGUMENT, expr.span, message);
        let aggregate = aggregate_named(expr);
        self.report(match aggregate {
            Some(name) => {
                diagnostic("an aggregate needs the name of its column").help(format!("`{name}: …`")).fix(
                    format!("name it `{name}`"),
                    vec![Edit {
                        span: Span::new(expr.span.start, expr.span.start),
                        text: format!("{name}: "),
                    }],
                )
            }
            None => diagnostic("a key is a column, and this is computed")
                .help("derive it first: `.derive(hour: hour(.at)).group(.hour, …)`"),
        });
    }
}

/// A name for the column that a call of an aggregate gives.
pub(super) fn aggregate_named(expr: &ast::Expr) -> Option<String> {
    let ExprKind::Call { callee, args } = &expr.kind else { return None };
    let ExprKind::Name(name) = &callee.kind else { return None };
    let aggregate = Aggregate::named(&name.text)?;
    Some(column_name(aggregate, args.first().map(|arg| &arg.value)))
}
