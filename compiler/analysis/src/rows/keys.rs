//! `on: .a`, `on: [.a, .b]`, `on: (left: .a, right: .b)`: the keys that two tables have in common.

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast::{self, BinaryOp, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
    suggest::suggest,
};

use super::columns::{column_list, listed, meant_column, record};
use crate::{
    body::Expr,
    check::Checker,
    names::{did_you_mean, quoted},
    types::{same, show},
};

/// The keys of both sides, pair by pair.
pub(super) struct Keys {
    pub left: Vec<String>,
    pub right: Vec<String>,
}

impl Keys {
    /// As the argument `on`.
    pub fn expr(&self, left: &Row, right: &Row, span: Span) -> Expr {
        let sides = vec![
            ("left".to_owned(), column_list(&self.left, left, span)),
            ("right".to_owned(), column_list(&self.right, right, span)),
        ];
        record(sides, span)
    }
}

impl<'db> Checker<'db> {
    /// The keys that `on` names; they are in both tables, and of one type.
    pub(super) fn keys(&mut self, on: &'db ast::Expr, left: &Row, right: &Row, verb: &str) -> Option<Keys> {
        let (left_exprs, right_exprs) = self.sides(on, left)?;
        let left_names = self.key_columns(left, &left_exprs, verb)?;
        let right_names = match &right_exprs {
            Some(exprs) => self.key_columns_of_other(right, exprs, verb)?,
            None => {
                for (name, expr) in left_names.iter().zip(&left_exprs) {
                    if right.column(name).is_none() {
                        self.no_such_key(name, right, expr.span, matches!(on.kind, ExprKind::Column(_)));
                        return None;
                    }
                }
                left_names.clone()
            }
        };
        if left_names.len() != right_names.len() {
            let message = format!(
                "keys go in pairs, and here are {} on the left and {} on the right",
                left_names.len(),
                right_names.len()
            );
            self.fail(code::TYPE_MISMATCH, on.span, message);
            return None;
        }
        for ((left_name, right_name), expr) in left_names.iter().zip(&right_names).zip(&left_exprs) {
            let (a, b) = (&left.column(left_name)?.ty, &right.column(right_name)?.ty);
            if !same(identified(a), identified(b)) {
                self.keys_differ((left_name, a), (right_name, b), expr.span);
                return None;
            }
        }
        Some(Keys { left: left_names, right: right_names })
    }

    /// The expressions that name the left's keys, and the right's where these are written on their own.
    fn sides(
        &mut self,
        on: &'db ast::Expr,
        left: &Row,
    ) -> Option<(Vec<&'db ast::Expr>, Option<Vec<&'db ast::Expr>>)> {
        match &on.kind {
            ExprKind::Record(fields) => {
                let side = |name: &str| {
                    fields.iter().find(|field| field.name.text == name).map(|field| listed(&field.value))
                };
                match (side("left"), side("right")) {
                    (Some(left), Some(right)) if fields.len() == 2 => Some((left, Some(right))),
                    _ => {
                        self.no_keys(on.span, None);
                        None
                    }
                }
            }
            ExprKind::Paren(inner) => self.sides(inner, left),
            // `.a == .b`
            ExprKind::Binary { op: BinaryOp::Equal, left, right, .. } => {
                let fix = match (&left.kind, &right.kind) {
                    (ExprKind::Column(a), ExprKind::Column(b)) => {
                        Some(format!("(left: .{}, right: .{})", quoted(&a.text), quoted(&b.text)))
                    }
                    _ => None,
                };
                self.no_keys(on.span, fix);
                None
            }
            ExprKind::Column(_) | ExprKind::List(_) => Some((listed(on), None)),
            ExprKind::Error => None,
            // `"id"`, `id`
            _ => {
                let fix = meant_column(on, left).map(|name| format!(".{}", quoted(name)));
                self.no_keys(on.span, fix);
                None
            }
        }
    }

    fn no_keys(&mut self, span: Span, fix: Option<String>) {
        let message = "`on` names the keys: `.a`, `[.a, .b]`, or `(left: .a, right: .b)`";
        let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, span, message);
        self.report(match fix {
            Some(text) => diagnostic
                .help(format!("write `{text}`"))
                .fix(format!("write `{text}`"), vec![Edit { span, text }]),
            None => diagnostic,
        });
    }

    fn key_columns_of_other(
        &mut self,
        right: &Row,
        exprs: &[&'db ast::Expr],
        verb: &str,
    ) -> Option<Vec<String>> {
        for expr in exprs {
            if let ExprKind::Column(name) = &expr.kind
                && right.column(&name.text).is_none()
            {
                let message = format!("the other table has no column `{}`", name.text);
                let diagnostic = Diagnostic::error(code::NO_SUCH_COLUMN, name.span, message);
                let known = right.columns.iter().map(|column| column.name.as_str());
                self.report(did_you_mean(diagnostic, &name.text, name.span, known));
                return None;
            }
        }
        self.key_columns(right, exprs, verb)
    }

    /// A key that only the left has: the right's may have another name.
    fn no_such_key(&mut self, name: &str, right: &Row, span: Span, is_only: bool) {
        let message = format!("the other table has no column `{name}`");
        let diagnostic = Diagnostic::error(code::NO_SUCH_COLUMN, span, message);
        let known: Vec<&str> = right.columns.iter().map(|column| column.name.as_str()).collect();
        let meant = suggest(name, known.iter().copied());
        let pair = |meant: &str| format!("(left: .{}, right: .{})", quoted(name), quoted(meant));
        self.report(match meant {
            Some(meant) if is_only => {
                let text = pair(meant);
                diagnostic
                    .help(format!("did you mean `{meant}` there? Keys of two names are written `{text}`"))
                    .fix(format!("write `{text}`"), vec![Edit { span, text }])
            }
            _ => diagnostic.help(format!("keys of two names are written `{}`", pair("…"))),
        });
    }

    fn keys_differ(&mut self, (left, a): (&str, &Type), (right, b): (&str, &Type), span: Span) {
        let message = if left == right {
            format!("the key `{left}` is `{}` here and `{}` in the other table", show(a), show(b))
        } else {
            format!("the key `{left}` is `{}`, and `{right}` in the other table is `{}`", show(a), show(b))
        };
        let help = match (identified(a), identified(b)) {
            (a, b) if a.is_personal() != b.is_personal() => {
                "what stands for personal data on one side must be it on the other: `hash` both, or neither"
                    .to_owned()
            }
            (Type::Text, _) => format!("make a Text of it there: `.derive({0}: text(.{0}))`", quoted(right)),
            (_, Type::Text) => format!("make a Text of it here: `.derive({0}: text(.{0}))`", quoted(left)),
            _ => "give both the same type first, with `.derive(…)`".to_owned(),
        };
        self.report(Diagnostic::error(code::COLUMN_TYPE, span, message).help(help));
    }
}

/// The type of a key, whatever it identifies and wherever it may be missing.
fn identified(ty: &Type) -> &Type {
    match ty.present() {
        Type::Id(of) | Type::QueryId(of) => identified(of),
        other => other,
    }
}
