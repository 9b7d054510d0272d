//! The other table of a verb that takes two.

use flow_ir::types::{Column, Row, Type};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use rustc_hash::FxHashSet;

use super::VerbCall;
use crate::{
    check::{Checker, Typed},
    names::quoted,
    types::{show, show_columns, unsourced},
};

impl<'db> Checker<'db> {
    /// A table that is given as an argument, and its row.
    pub(super) fn other_table(&mut self, expr: &'db ast::Expr, verb: &str) -> Option<(Typed, Row)> {
        let typed = self.expr(expr, None);
        match unsourced(typed.ty()?) {
            Type::Dataset(row) => Some((typed, row)),
            Type::Optional(of) if matches!(*of, Type::Dataset(_)) => {
                self.missing(typed.span(), &format!("`{verb}`"));
                None
            }
            other => {
                let message = format!("`{verb}` takes another table, and this is `{}`", show(&other));
                let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, typed.span(), message);
                self.report(match &other {
                    Type::List(of) if matches!(**of, Type::Dataset(_)) => {
                        diagnostic.help(format!("one behind the other: `a.{verb}(b).{verb}(c)`"))
                    }
                    _ => diagnostic,
                });
                None
            }
        }
    }

    /// The columns of a table behind which another's are put; a name on both sides is reported.
    pub(super) fn side_by_side(
        &mut self,
        call: &VerbCall<'db>,
        added: Vec<Column>,
        other: &Row,
        at: &'db ast::Expr,
    ) -> Option<Row> {
        let left: FxHashSet<&str> = call.row.columns.iter().map(|column| column.name.as_str()).collect();
        let both: Vec<&str> = added
            .iter()
            .filter(|column| left.contains(column.name.as_str()))
            .map(|column| column.name.as_str())
            .collect();
        if both.is_empty() {
            let columns = call.row.columns.iter().cloned().chain(added).collect();
            return Some(Row { columns });
        }
        let renames: Vec<String> = both
            .iter()
            .map(|name| format!("{}: .{}", quoted(&free_name(name, &call.row, other)), quoted(name)))
            .collect();
        let text = format!(".rename({})", renames.join(", "));
        let names = show_columns(both.iter().copied());
        let message = match both.len() {
            1 => format!("both tables have a column {names}"),
            _ => format!("both tables have columns {names}"),
        };
        self.report(
            Diagnostic::error(code::COLUMNS_DIFFER, at.span, message)
                .label(call.data.span(), format!("this has {names}"))
                .note("and so has this")
                .help(format!("rename on one side: `{text}`; what is one and the same on both is a key"))
                .fix(format!("add `{text}`"), behind(at, &text)),
        );
        None
    }
}

/// The edits that put `text`, which starts with a dot, behind an expression.
pub(super) fn behind(expr: &ast::Expr, text: &str) -> Vec<Edit> {
    let at = |offset: u32, text: String| Edit { span: Span::new(offset, offset), text };
    let is_closed = matches!(
        expr.kind,
        ExprKind::Name(_)
            | ExprKind::Field { .. }
            | ExprKind::Call { .. }
            | ExprKind::Index { .. }
            | ExprKind::With { .. }
            | ExprKind::Paren(_)
    );
    if is_closed {
        return vec![at(expr.span.end, text.to_owned())];
    }
    vec![at(expr.span.start, "(".to_owned()), at(expr.span.end, format!("){text}"))]
}

/// `city_right`, or what is free of it.
fn free_name(name: &str, row: &Row, other: &Row) -> String {
    let mut free = format!("{name}_right");
    while row.column(&free).is_some() || other.column(&free).is_some() {
        free.push('_');
    }
    free
}
