//! Personal data where it must not go: into models, files, reports and logs.

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast::ProvenanceKind,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{evaluate::Evaluator, operators::Call};
use crate::{
    body::{Expr, ExprKind},
    header::Callable,
    names::quoted,
    ty::Ty,
    types::{Scheme, show_columns},
};

impl Evaluator<'_> {
    pub fn check_personal(&mut self, call: &Call<'_>, callable: &Callable) {
        let name = &callable.item.name;
        let is_sink = call.call.operator.effect || gives_report(callable);
        for (input, expr) in &call.call.inputs {
            let personal = match &expr.ty {
                Ty::Ground(Type::Dataset(row)) if is_sink || is_trained_on(callable, input) => {
                    personal_columns(row)
                }
                _ if named_column(expr).is_some() => match named_column(expr) {
                    Some(column) if is_sink || !callable.outputs.is_empty() => {
                        let rows = call.call.inputs.iter().filter_map(|(_, expr)| match &expr.ty {
                            Ty::Ground(Type::Dataset(row)) => Some(row),
                            _ => None,
                        });
                        let mut found = rows.filter_map(|row| row.column(column));
                        match found.next() {
                            Some(column) if is_personal(&column.ty) && reads_values(callable) => {
                                vec![column.name.as_str()]
                            }
                            _ => Vec::new(),
                        }
                    }
                    _ => Vec::new(),
                },
                Ty::Ground(ty) if call.call.operator.effect && is_personal(ty) => {
                    let message = format!("personal data reaches `{name}`, which lets it out");
                    self.report(
                        Diagnostic::error(code::PERSONAL_DATA, expr.span, message)
                            .help("`hash(…)` it first, or leave it out"),
                    );
                    continue;
                }
                _ => continue,
            };
            if personal.is_empty() {
                continue;
            }
            self.report(told(&personal, name, is_sink, expr));
        }
    }
}

fn told(personal: &[&str], callee: &str, is_sink: bool, expr: &Expr) -> Diagnostic {
    let columns = show_columns(personal.iter().copied());
    let what = if is_sink { "lets it out" } else { "would learn it" };
    let word = if personal.len() == 1 { "column" } else { "columns" };
    let message = format!("personal data, the {word} {columns}, reaches `{callee}`, which {what}");
    let names: Vec<String> = personal.iter().map(|name| format!(".{}", quoted(name))).collect();
    let drop = format!(".drop({})", names.join(", "));
    let edit = Edit { span: Span::new(expr.span.end, expr.span.end), text: drop.clone() };
    let first = personal.first().map(|name| quoted(name)).unwrap_or_default();
    let diagnostic = Diagnostic::error(code::PERSONAL_DATA, expr.span, message).note("it goes in here").help(format!(
        "leave it out, `{drop}`, or make a key of it that tells nothing: `.derive({first}: hash(.{first}))`"
    ));
    // A table keeps at least one column.
    if matches!(&expr.ty, Ty::Ground(Type::Dataset(row)) if row.columns.len() > personal.len()) {
        diagnostic.fix(format!("add `{drop}`"), vec![edit])
    } else {
        diagnostic
    }
}

fn personal_columns(row: &Row) -> Vec<&str> {
    row.columns.iter().filter(|column| is_personal(&column.ty)).map(|column| column.name.as_str()).collect()
}

fn is_personal(ty: &Type) -> bool {
    match ty.present() {
        ty if ty.is_personal() => true,
        Type::List(of) => is_personal(of),
        Type::Record(record) => record.fields.iter().any(|field| is_personal(&field.ty)),
        Type::Dataset(row) => row.columns.iter().any(|column| is_personal(&column.ty)),
        _ => false,
    }
}

fn named_column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Value(flow_ir::value::Value::Column(name)) => Some(name),
        ExprKind::List(values) => values.iter().find_map(named_column),
        _ => None,
    }
}

/// A page, or what a report says of each group.
fn gives_report(callable: &Callable) -> bool {
    callable.item.module == "std.report"
        || callable.outputs.iter().any(|output| match &output.scheme {
            Scheme::Ground(Type::Record(record)) => {
                record.name.as_deref().is_some_and(|name| name.rsplit('.').next() == Some("Report"))
            }
            _ => false,
        })
}

/// Whether a column that is named as an argument goes into what comes out: a model or a report.
fn reads_values(callable: &Callable) -> bool {
    callable.outputs.iter().any(|output| {
        matches!(
            output.scheme,
            Scheme::Model { .. } | Scheme::Ground(Type::Record(_)) | Scheme::Record { .. }
        )
    })
}

/// Whether a model that predicts or groups is fitted on this input.
fn is_trained_on(callable: &Callable, input: &str) -> bool {
    callable.outputs.iter().any(|output| {
        let Scheme::Model { task, .. } = &output.scheme else { return false };
        *task != Some(flow_ir::types::Task::Transformer)
            && output.provenance.iter().any(|(kind, params)| {
                *kind == ProvenanceKind::FittedOn && params.iter().any(|param| param == input)
            })
    })
}
