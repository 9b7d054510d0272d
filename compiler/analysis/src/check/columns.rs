//! Columns as arguments: `.minutes` where a parameter is a `Column<R>`, `[.a, .b]` where it is a list of them.

use flow_ir::{
    types::{Column, Row, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Given, Typed, known_value};
use crate::{
    body,
    header::Callable,
    names::quoted,
    stages::Stage,
    types::{Bindings, ColumnKind, RowScheme, Scheme, fits, put, show, show_columns},
};

impl<'db> Checker<'db> {
    /// `.minutes` where a parameter is a `Column<R>`.
    pub(super) fn column_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        param: &str,
        bindings: &mut Bindings,
    ) -> Typed {
        let typed = self.one_column(scheme, slot, bindings);
        if let body::ExprKind::Value(Value::Column(name)) = &typed.expr.kind {
            bindings.columns.insert(param.to_owned(), vec![name.clone()]);
        }
        typed
    }

    /// `[.a, .b]` where a parameter is a `List<Column<R>>`.
    pub(super) fn columns_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        param: &str,
        bindings: &mut Bindings,
    ) -> Typed {
        let span = slot.span();
        let Given::Expr(ast::Expr { kind: ExprKind::List(columns), .. }) = slot else {
            if let Given::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = &slot {
                let list = format!("[.{}]", quoted(&name.text));
                self.report(
                    Diagnostic::error(code::TYPE_MISMATCH, span, "a list of columns is wanted here")
                        .help(format!("a list of one is written `{list}`"))
                        .fix(format!("write `{list}`"), vec![Edit { span, text: list }]),
                );
                return Typed::error(span);
            }
            let typed = self.given(slot, None);
            match (typed.ty(), scheme.substitute(bindings)) {
                (None, _) => return typed,
                (Some(Type::List(of)), Ok(wanted)) if matches!(**of, Type::Column(_)) => {
                    return self.coerce(typed, &Type::List(Box::new(wanted)), "");
                }
                _ => {}
            }
            return self.fail(code::TYPE_MISMATCH, span, "a list of columns is wanted here, as `[.a, .b]`");
        };
        let mut values = Vec::with_capacity(columns.len());
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        let mut row = Row::default();
        let mut is_sound = true;
        for column in columns {
            let typed = self.one_column(scheme, Given::Expr(column), bindings);
            match typed.ty() {
                Some(Type::Column(of)) => {
                    of.columns.iter().for_each(|column| put(&mut row.columns, column.clone()));
                }
                _ => is_sound = false,
            }
            if let body::ExprKind::Value(Value::Column(name)) = &typed.expr.kind {
                if names.contains(name) {
                    is_sound = false;
                    self.fail(
                        code::UNKNOWN_ARGUMENT,
                        column.span,
                        format!("the column `{name}` is given twice"),
                    );
                }
                names.push(name.clone());
            }
            values.push(typed.expr);
        }
        if !is_sound {
            return Typed::error(span);
        }
        if names.len() == values.len() {
            bindings.columns.insert(param.to_owned(), names);
        }
        let ty = Type::List(Box::new(Type::Column(row)));
        Typed::new(body::ExprKind::List(values), ty, span, Stage::Planned)
    }

    /// A list of columns that a call leaves out: the numeric features that the parameter takes.
    pub(super) fn left_out_columns(
        &mut self,
        callable: &Callable,
        scheme: &Scheme,
        param: &str,
        bindings: &mut Bindings,
        span: Span,
    ) -> Typed {
        let Scheme::Column { row, of } = scheme else { return Typed::error(span) };
        let Ok(row) = row.substitute(bindings) else { return Typed::error(span) };
        let is_taken = |column: &&Column| {
            is_numeric(column.ty.present())
                && match of {
                    ColumnKind::Any | ColumnKind::Feature => true,
                    ColumnKind::Of(of) => {
                        of.substitute(bindings).is_ok_and(|of| fits(column.ty.present(), &of).is_ok())
                    }
                }
        };
        let names: Vec<String> =
            row.columns.iter().filter(is_taken).map(|column| column.name.clone()).collect();
        if names.is_empty() {
            let message = format!("this table has no numeric feature for `{}`", callable.item.name);
            self.report(
                Diagnostic::error(code::NOT_A_FEATURE, span, message)
                    .help(format!("name the columns that are meant: `{param}: [.name]`")),
            );
            return Typed::error(span);
        }
        let expr = crate::rows::column_list(&names, &row, span);
        bindings.columns.insert(param.to_owned(), names);
        Typed { expr, stage: Stage::Planned }
    }

    /// A table for a parameter that asks for columns without missing values: `{ ..R with features present }`.
    pub(super) fn check_present(
        &mut self,
        callable: &Callable,
        asked: &RowScheme,
        row: &Row,
        span: Span,
        bindings: &Bindings,
    ) -> Option<()> {
        let names = asked.asked_present(row, bindings);
        let gaps: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| row.column(name).is_some_and(|column| column.ty.is_optional()))
            .collect();
        let Some(first) = gaps.first() else { return Some(()) };
        let message = format!(
            "{} may be missing, and `{}` needs a value in every row",
            show_columns(gaps.iter().copied()),
            callable.item.name
        );
        let listed: Vec<String> = gaps.iter().map(|name| format!(".{}", quoted(name))).collect();
        let name = quoted(first);
        self.report(Diagnostic::error(code::MAYBE_MISSING, span, message).help(format!(
            "fill it in before: apply `prep.impute(…, columns: [{}])`, or say what counts, \
             `.derive({name}: .{name} ?? …)`; trees take missing values",
            listed.join(", ")
        )));
        None
    }

    /// One column, and whether it is of the kind that is asked for.
    fn one_column(&mut self, scheme: &Scheme, slot: Given<'db>, bindings: &Bindings) -> Typed {
        let Scheme::Column { row, of } = scheme else { return self.given(slot, None) };
        let span = slot.span();
        if let Given::Expr(ast::Expr { kind: ExprKind::List(_), .. }) = slot {
            return self.fail(code::TYPE_MISMATCH, span, "one column is wanted here, as `.name`");
        }
        let Given::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = slot else {
            let typed = self.given(slot, None);
            return match (typed.ty(), scheme.substitute(bindings)) {
                (None, _) => typed,
                (Some(Type::Column(_)), Ok(wanted)) => self.coerce(typed, &wanted, ""),
                (Some(_), _) => self.no_column(row, bindings, &typed),
            };
        };
        let Ok(row) = row.substitute(bindings) else { return Typed::error(span) };
        let Some(column) = row.column(&name.text) else {
            self.no_such_column(&name.text, name.span, &row);
            return Typed::error(span);
        };
        match of {
            ColumnKind::Feature if !column.ty.is_feature() => {
                let message =
                    format!("the column `{}` is `{}`, which is no feature", name.text, show(&column.ty));
                return self.fail(code::NOT_A_FEATURE, span, message);
            }
            ColumnKind::Of(of) => {
                if let Ok(wanted) = of.substitute(bindings)
                    && fits(column.ty.present(), &wanted).is_err()
                {
                    let message = format!(
                        "the column `{}` is `{}`, and `{}` is wanted",
                        name.text,
                        show(&column.ty),
                        show(&wanted)
                    );
                    return self.fail(code::COLUMN_TYPE, span, message);
                }
            }
            _ => {}
        }
        Typed { expr: crate::rows::column_value(column, span), stage: Stage::Planned }
    }

    /// A value where a column is wanted.
    fn no_column(&mut self, row: &RowScheme, bindings: &Bindings, typed: &Typed) -> Typed {
        let span = typed.span();
        let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, span, "a column is wanted here, as `.name`");
        let named = match (known_value(&typed.expr), row.substitute(bindings)) {
            (Some(Value::Text(name)), Ok(row)) if row.column(&name).is_some() => Some(quoted(&name)),
            _ => None,
        };
        self.report(match named {
            Some(name) => diagnostic
                .help(format!("a column is written with a dot: `.{name}`"))
                .fix(format!("write `.{name}`"), vec![Edit { span, text: format!(".{name}") }]),
            None => diagnostic,
        });
        Typed::error(span)
    }
}

fn is_numeric(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Float32 | Type::Fraction | Type::Embedding(_))
}
