//! What follows a value: `.field`, `.method(…)`, `(…)`, `[…]` and `with (…)`.

use super::doc::{Doc, concat_docs};
use super::printer::Printer;
use crate::ast::{Expr, ExprKind};

impl<'t> Printer<'t> {
    /// `value.first(…).second(…)`: on one line, or each `.name(…)` on a line of its own.
    ///
    /// It breaks where the author broke it, and where it is too long and has two links or more; one link
    /// alone rather breaks within its brackets. `tree.gbdt(…)` with an imported `tree` is no link.
    pub(super) fn chain(&mut self, expr: &Expr) -> Doc<'t> {
        let mut links = Vec::new();
        let mut base = expr;
        while let Some(next) = inner(base) {
            links.push(base);
            base = next;
        }
        links.reverse();

        let is_module =
            matches!(&base.kind, ExprKind::Name(name) if self.modules.contains(name.text.as_str()));
        let calls: Vec<bool> = links
            .iter()
            .zip(links.iter().skip(1).map(Some).chain([None]))
            .enumerate()
            .map(|(position, (link, next))| {
                matches!(link.kind, ExprKind::Field { .. })
                    && next.is_some_and(|next| matches!(next.kind, ExprKind::Call { .. }))
                    && !(position == 0 && is_module)
            })
            .collect();
        let is_broken = links.iter().zip(&calls).any(|(link, is_call)| match &link.kind {
            ExprKind::Field { base, name } if *is_call => {
                self.text_between(base.span.end, name.span.start).contains('\n')
            }
            _ => false,
        });
        let may_break = is_broken || calls.iter().filter(|is_call| **is_call).count() > 1;

        let head = self.expr(base);
        let mut before = vec![head];
        let mut lines = Vec::new();
        for (link, is_call) in links.into_iter().zip(calls) {
            let parts = if lines.is_empty() && !(may_break && is_call) { &mut before } else { &mut lines };
            match &link.kind {
                ExprKind::Field { name, .. } => {
                    if may_break && is_call {
                        parts.push(match self.line_before(name.span.start) {
                            Doc::Line => Doc::SoftLine,
                            comments => comments,
                        });
                    }
                    parts.push(concat_docs![Doc::Text("."), self.name(name)]);
                }
                ExprKind::Call { args, .. } => parts.push(self.args(args, link.span.end)),
                ExprKind::Index { index, .. } => {
                    parts.push(concat_docs![Doc::Text("["), self.expr(index), Doc::Text("]")]);
                }
                ExprKind::With { policy, .. } => {
                    parts.push(Doc::Text(" with "));
                    parts.push(self.policy(policy, link.span.end));
                }
                _ => {}
            }
        }
        let content = concat_docs![Doc::Concat(before), Doc::Concat(lines).indent()];
        match (may_break, is_broken) {
            (false, _) => content,
            (true, false) => Doc::group(content),
            (true, true) => Doc::broken_group(content),
        }
    }
}

/// The value that the last part of `expr` follows.
fn inner(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => Some(base),
        ExprKind::Call { callee, .. } => Some(callee),
        ExprKind::With { call, .. } => Some(call),
        _ => None,
    }
}
