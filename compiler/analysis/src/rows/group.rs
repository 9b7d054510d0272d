//! `d.group(.city, mean_fare: mean(.fare), n: count())`: one row for each group of rows with equal keys.

use flow_ir::types::{Column, Row};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    VerbCall, VerbResult,
    columns::{column_list, listed, meant_column, record},
};
use crate::{
    check::{Checker, RowInScope},
    names::quoted,
};

pub(super) fn group<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let mut arguments = checker.arguments(&call, &[])?;
    let is_sound = check_positional(checker, &call.row, &mut arguments.positional) & check_by(checker, &call);
    let exprs: Vec<&'db ast::Expr> = arguments.positional.iter().copied().flat_map(listed).collect();
    let keys = checker.key_columns(&call.row, &exprs, "group");
    if !is_sound {
        return None;
    }
    let keys = keys?;
    if arguments.others.is_empty() {
        let columns: Vec<String> = keys.iter().map(|key| format!(".{}", quoted(key))).collect();
        let help = match keys.as_slice() {
            [] => "`.group(.key, n: count())`".to_owned(),
            _ => format!(
                "`.group({0}, n: count())`; the keys alone are `.distinct({0}).select({0})`",
                columns.join(", ")
            ),
        };
        checker.needs(&call, "at least one aggregate", help);
        return None;
    }
    let scope = RowInScope::Group { row: call.row.clone(), keys: keys.clone() };
    let aggregates = checker.named_columns(scope, &arguments.others, "group")?;
    let mut columns: Vec<Column> = keys.iter().filter_map(|key| call.row.column(key).cloned()).collect();
    for ((column, _), arg) in aggregates.iter().zip(&arguments.others) {
        if keys.contains(&column.name) {
            let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
            let message = format!("`{}` is a key already", column.name);
            checker.report(
                Diagnostic::error(code::UNKNOWN_ARGUMENT, span, message)
                    .help("give the aggregate another name"),
            );
            return None;
        }
        columns.push(column.clone());
    }
    let aggregates = aggregates.into_iter().map(|(column, expr)| (column.name, expr)).collect();
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("by".to_owned(), column_list(&keys, &call.row, call.span)),
        ("aggregates".to_owned(), record(aggregates, call.span)),
    ];
    Some(VerbResult::table(inputs, Row { columns }))
}

/// Leaves the keys in the list, and reports what can be none.
fn check_positional<'db>(
    checker: &mut Checker<'db>,
    row: &Row,
    positional: &mut Vec<&'db ast::Expr>,
) -> bool {
    let count = positional.len();
    positional.retain(|expr| match &expr.kind {
        ExprKind::Column(_) | ExprKind::List(_) | ExprKind::Error => true,
        _ if meant_column(expr, row).is_some() => true,
        _ => {
            checker.unnamed(expr);
            false
        }
    });
    positional.len() == count
}

/// `group(by: .city)`: keys have no name here.
fn check_by<'db>(checker: &mut Checker<'db>, call: &VerbCall<'db>) -> bool {
    let mut before_names = true;
    for arg in &call.args {
        let Some(name) = &arg.name else { continue };
        let is_keys = match &arg.value.kind {
            ExprKind::Column(_) => true,
            ExprKind::List(columns) => {
                columns.iter().all(|column| matches!(column.kind, ExprKind::Column(_)))
            }
            _ => false,
        };
        if matches!(name.text.as_str(), "by" | "keys" | "on") && is_keys {
            let diagnostic = Diagnostic::error(
                code::UNKNOWN_ARGUMENT,
                name.span,
                "`group` takes its keys first, without a name",
            );
            let edit = Edit { span: Span::new(name.span.start, arg.value.span.start), text: String::new() };
            let diagnostic = diagnostic.help("`.group(.key, …)`; names are for the columns that it computes");
            checker.report(if before_names {
                diagnostic.fix(format!("leave `{}:` out", name.text), vec![edit])
            } else {
                diagnostic
            });
            return false;
        }
        before_names = false;
    }
    true
}
