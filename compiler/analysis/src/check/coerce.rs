//! A value where a type is wanted: widened where that is allowed, reported where it is not.

use flow_ir::{
    types::{RecordType, Task, Type},
    value::{Float64, Value},
};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Typed};
use crate::{
    body::{Expr, ExprKind},
    names::{Import, resolve, scope},
    ty::Ty,
    types::{Meaning, Mismatch, fits, needs_cast, show, show_columns, type_item},
};

impl<'db> Checker<'db> {
    /// Checks an expression where a type is wanted.
    pub fn expr_as(&mut self, expr: &'db ast::Expr, wanted: &Type) -> Typed {
        let typed = self.expr(expr, Some(wanted));
        self.coerce(typed, wanted, "")
    }

    /// Makes a value one of the wanted type; `place` says for what it is wanted: "for `trees`".
    pub fn coerce(&mut self, typed: Typed, wanted: &Type, place: &str) -> Typed {
        let Some(ty) = typed.ty() else { return typed };
        let span = typed.span();
        if let Err(mismatch) = fits(ty, wanted) {
            let diagnostic = match valueless(&typed.expr) {
                Some(what) => {
                    let place = if place.is_empty() { String::new() } else { format!(" {place}") };
                    let message = format!("{what} has no value, and `{}` is wanted{place}", show(wanted));
                    Diagnostic::error(code::TYPE_MISMATCH, span, message)
                        .help("a block's value is its last expression; an `if` has one with `else { … }`")
                }
                None => {
                    let diagnostic = self.describe(ty, wanted, &mismatch, span, place);
                    match percent(&typed.expr, wanted) {
                        Some(text) => diagnostic.fix(format!("write `{text}`"), vec![Edit { span, text }]),
                        None => diagnostic,
                    }
                }
            };
            self.report(diagnostic);
            return Typed { expr: Expr { ty: Ty::Error, ..typed.expr }, stage: typed.stage };
        }
        let stage = typed.stage;
        let expr = self.widen(typed.expr, wanted);
        Typed { expr, stage }
    }

    /// Widens a value whose type fits, and checks the limits of what is known of it.
    fn widen(&mut self, expr: Expr, wanted: &Type) -> Expr {
        let span = expr.span;
        if let Type::Optional(inner) = wanted {
            if matches!(expr.kind, ExprKind::Value(Value::None)) {
                return Expr { ty: Ty::Ground(wanted.clone()), ..expr };
            }
            if !matches!(&expr.ty, Ty::Ground(ty) if ty.is_optional()) {
                return self.widen(expr, inner);
            }
        }
        if matches!(wanted, Type::Refined { .. }) {
            let known = self.known_values(&expr);
            let misfit = known.iter().find_map(|(value, at)| Some((value.fits(wanted).err()?, *at)));
            if let Some((misfit, at)) = misfit {
                let diagnostic = Diagnostic::error(code::OUT_OF_RANGE, span, misfit.to_string());
                self.report(if at == span {
                    diagnostic
                } else {
                    diagnostic.label(at, "the loop comes to this")
                });
                return Expr { ty: Ty::Error, ..expr };
            }
        }
        match (expr.kind, unrefined(wanted)) {
            (ExprKind::Value(value), wanted) => widen_value(value, expr.ty, wanted, span),
            (ExprKind::List(values), Type::List(element)) => {
                let values = values.into_iter().map(|value| self.widen(value, element)).collect();
                let ty = Ty::Ground(Type::List(Box::new(unrefined(element).clone())));
                Expr { kind: ExprKind::List(values), ty, span }
            }
            (ExprKind::Record(fields), Type::Record(record)) => self.widen_record(fields, record, span),
            (kind, wanted) => {
                let expr = Expr { kind, ty: expr.ty, span };
                match &expr.ty {
                    Ty::Ground(ty) if needs_cast(ty, wanted) => {
                        let ty = if ty.is_optional() { wanted.clone().optional() } else { wanted.clone() };
                        Expr { kind: ExprKind::Cast(Box::new(expr)), ty: Ty::Ground(ty), span }
                    }
                    _ => expr,
                }
            }
        }
    }

    fn widen_record(&mut self, fields: Vec<(String, Expr)>, record: &RecordType, span: Span) -> Expr {
        let mut widened = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let value = match record.field(&name) {
                Some(field) => self.widen(value, &field.ty),
                None => value,
            };
            widened.push((name, value));
        }
        widened.sort_by_key(|(name, _)| record.fields.iter().position(|field| field.name == *name));
        Expr { kind: ExprKind::Record(widened), ty: Ty::Ground(Type::Record(record.clone())), span }
    }

    /// The diagnostic for a value of one type where another one is wanted.
    pub fn describe(
        &self,
        is: &Type,
        wanted: &Type,
        mismatch: &Mismatch,
        span: Span,
        place: &str,
    ) -> Diagnostic {
        let place = if place.is_empty() { String::new() } else { format!(" {place}") };
        match mismatch {
            Mismatch::Type => {
                let message = format!("`{}` is wanted{place}, and this is `{}`", show(wanted), show(is));
                let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, span, message);
                match hint(is, wanted) {
                    Some(hint) => diagnostic.help(hint),
                    None => diagnostic,
                }
            }
            Mismatch::MaybeMissing => {
                let message = format!("this may be missing, and `{}` is wanted{place}", show(wanted));
                Diagnostic::error(code::MAYBE_MISSING, span, message)
                    .help("say what counts where it is missing: `value ?? default`")
            }
            Mismatch::Columns { missing, extra } => {
                self.describe_columns(missing, extra, wanted, span, &place)
            }
            Mismatch::ColumnType(mismatch) => {
                let crate::types::ColumnMismatch { column, is, wanted } = &**mismatch;
                let message = format!(
                    "the column `{column}` is `{}`, and `{}` is wanted{place}",
                    show(is),
                    show(wanted)
                );
                Diagnostic::error(code::COLUMN_TYPE, span, message)
                    .help(format!("convert it first: `.derive({column}: …)`"))
            }
            Mismatch::Task => {
                let message = format!("a {} is wanted{place}, and this is a {}", task(wanted), task(is));
                Diagnostic::error(code::WRONG_TASK, span, message).help(
                    "a label that is a Category or Bool gives a Classifier, one that is an Int or Float a Regressor",
                )
            }
        }
    }

    fn describe_columns(
        &self,
        missing: &[String],
        extra: &[String],
        wanted: &Type,
        span: Span,
        place: &str,
    ) -> Diagnostic {
        if let (Type::Column(_), Some(name)) = (wanted.present(), missing.first()) {
            let message = format!("this may name `{name}`, which is no such column here");
            return Diagnostic::error(code::NO_SUCH_COLUMN, span, message)
                .help(format!("`{}` is wanted{place}", show(wanted)));
        }
        if let Type::Model(model) = wanted.present() {
            let names = show_columns(extra.iter().map(String::as_str));
            let what = if model.task == Task::Transformer { "transformer" } else { "model" };
            let message = format!("this {what} reads {names}, and `{}` is wanted{place}", show(wanted));
            return Diagnostic::error(code::COLUMNS_DIFFER, span, message)
                .help("fit it on a table without them, or write the row that it was fitted on");
        }
        let mut faults = Vec::new();
        if !missing.is_empty() {
            faults.push(format!("lacks {}", show_columns(missing.iter().map(String::as_str))));
        }
        if !extra.is_empty() {
            faults.push(format!("has {} too many", show_columns(extra.iter().map(String::as_str))));
        }
        let schema = self.schema_of(wanted);
        let whole = schema.as_ref().map_or_else(|| show(wanted), |schema| format!("Dataset<{schema}>"));
        let message = format!("this table {}, and `{whole}` is wanted{place}", faults.join(" and "));
        let diagnostic = Diagnostic::error(code::COLUMNS_DIFFER, span, message);
        match (missing.is_empty(), schema) {
            (true, Some(schema)) => {
                let edit = Edit { span: Span::new(span.end, span.end), text: format!(".select({schema})") };
                diagnostic
                    .help(format!("keep the columns of `{schema}` alone: `.select({schema})`"))
                    .fix(format!("add `.select({schema})`"), vec![edit])
            }
            (true, None) => diagnostic.help("leave them out with `.drop(…)`"),
            (false, _) => diagnostic.help("`.derive(…)` adds columns"),
        }
    }

    /// The schema in scope whose row a type wants.
    fn schema_of(&self, wanted: &Type) -> Option<String> {
        let Type::Dataset(wanted) = wanted.present() else { return None };
        let scope = scope(self.db, self.file);
        let imported = scope.imports.iter().filter_map(|(name, import)| match import {
            Import::Item(item) => Some((name, *item)),
            _ => None,
        });
        let own = scope.items.iter().map(|(name, item)| (name, *item));
        let is_it = |item| matches!(&type_item(self.db, item).meaning, Meaning::Row(row) if row == wanted);
        own.chain(imported)
            .filter(|(_, item)| item.keyword(self.db).is_type() && is_it(*item))
            .map(|(name, _)| name)
            .min()
            .cloned()
    }

    /// The item that a name means in this module, if it means one.
    pub fn item_named(&self, name: &str) -> Option<crate::db::Item<'db>> {
        match resolve(self.db, self.file, name) {
            Some(Import::Item(item)) => Some(item),
            _ => None,
        }
    }
}

fn unrefined(ty: &Type) -> &Type {
    match ty {
        Type::Refined { base, .. } => unrefined(base),
        other => other,
    }
}

#[expect(clippy::cast_precision_loss, reason = "Int widens to the nearest Float")]
fn widen_value(value: Value, ty: Ty, wanted: &Type, span: Span) -> Expr {
    let (value, ty) = match (value, wanted.storage()) {
        (Value::Int(value), Type::Float | Type::Float32) => {
            (Value::Float(Float64(value as f64)), Ty::Ground(wanted.clone()))
        }
        (Value::Text(path), Type::File) => (Value::File(path), Ty::Ground(wanted.clone())),
        (Value::Float(value), _) => (Value::Float(value), Ty::Ground(wanted.clone())),
        (value, _) => (value, ty),
    };
    Expr { kind: ExprKind::Value(value), ty, span }
}

fn task(ty: &Type) -> &'static str {
    match ty.present() {
        Type::Model(model) => model.task.name(),
        _ => "model",
    }
}

fn hint(is: &Type, wanted: &Type) -> Option<String> {
    match (is.present(), wanted.present()) {
        (Type::Float, Type::Int) => Some("`int(…)` makes an Int of it".to_owned()),
        (Type::Int | Type::Float, Type::Text) => Some("write it into a text: `\"{…}\"`".to_owned()),
        (Type::Int, Type::Fraction) => Some("a Fraction is written `80%` or `0.8`".to_owned()),
        (is, Type::List(element)) if fits(is, element).is_ok() => {
            Some("a list of one is written `[…]`".to_owned())
        }
        (Type::Record(record), wanted) => {
            let field = record.fields.iter().find(|field| fits(&field.ty, wanted).is_ok())?;
            Some(format!("its field `.{}` is one", field.name))
        }
        _ => None,
    }
}

/// `80` where a Fraction is wanted. What `1` means, 1% or all, nobody can say.
fn percent(expr: &Expr, wanted: &Type) -> Option<String> {
    match (&expr.kind, unrefined(wanted.present())) {
        (ExprKind::Value(Value::Int(number @ 2..=100)), Type::Fraction) => Some(format!("{number}%")),
        _ => None,
    }
}

/// What a statement without a value is called. `none` itself is a value.
fn valueless(expr: &Expr) -> Option<&'static str> {
    let is_nothing = |expr: &Expr| expr.ty == Ty::Ground(Type::Nothing);
    match &expr.kind {
        ExprKind::If { .. } if is_nothing(expr) => Some("an `if` without `else`"),
        ExprKind::Block { value, .. } if is_nothing(expr) && expr.span.end == value.span.end => {
            Some("this block")
        }
        _ => None,
    }
}
