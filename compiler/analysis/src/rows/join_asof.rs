//! `d.join_asof(facts, on: .key, at: .at, within: 7d)`: to each row the latest of the facts that was there already.

use flow_ir::types::{Column, Row, Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    VerbCall, VerbResult,
    columns::{column_value, listed},
    keys::Keys,
};
use crate::{
    check::Checker,
    names::quoted,
    types::{show, show_columns},
};

pub(super) fn join_asof<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let slots = checker.fixed_arguments(
        &call,
        &["facts", "on", "at", "within"],
        &[("by", "on"), ("tolerance", "within"), ("other", "facts")],
    )?;
    let [facts, on, at, within] = slots.as_slice() else { return None };
    let Some(facts) = facts else {
        checker.needs(&call, "a table of facts", "`.join_asof(facts, on: .key, at: .at)`");
        return None;
    };
    let table = checker.other_table(facts, "join_asof");
    let within = checker.length_of_time(*within, "within", call.span);
    let Some(at) = at else {
        needs_time(checker, &call, facts, *on);
        return None;
    };
    let time = left_time(checker, &call.row, at);
    let (table, row_of_facts) = table?;
    let known_at = time_of_facts(checker, &row_of_facts, facts)?;
    let keys = match on {
        Some(on) => checker.keys(on, &call.row, &row_of_facts, "join_asof")?,
        None => Keys { left: Vec::new(), right: Vec::new() },
    };
    let (time, within) = (time?, within?);
    let added = row_of_facts
        .columns
        .iter()
        .filter(|column| column.name != known_at && !keys.right.contains(&column.name))
        .map(|column| Column { ty: column.ty.clone().optional(), ..column.clone() });
    let row = checker.side_by_side(&call, added.collect(), &row_of_facts, facts)?;
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("facts".to_owned(), table.expr),
        ("on".to_owned(), keys.expr(&call.row, &row_of_facts, on.map_or(call.span, |on| on.span))),
        ("at".to_owned(), column_value(&time, at.span)),
        ("within".to_owned(), within),
    ];
    Some(VerbResult::table(inputs, row))
}

/// Whether a column says when something was.
fn is_time(ty: &Type) -> bool {
    match ty.present() {
        Type::Time | Type::EventTime => true,
        Type::Pii(of) => is_time(of),
        _ => false,
    }
}

fn is_event_time(ty: &Type) -> bool {
    match ty.present() {
        Type::EventTime => true,
        Type::Pii(of) => is_event_time(of),
        _ => false,
    }
}

/// The column of the left that says when each row is.
fn left_time<'db>(checker: &mut Checker<'db>, row: &Row, at: &'db ast::Expr) -> Option<Column> {
    let name = checker.column_named(row, at, "join_asof")?;
    let column = row.column(&name)?;
    let ty = &column.ty;
    if !is_time(ty) {
        let message = format!("`at` is a Time or EventTime, and the column `{name}` is `{}`", show(ty));
        let diagnostic = Diagnostic::error(code::COLUMN_TYPE, at.span, message);
        checker.report(match ty.storage() {
            Type::Date | Type::Text => {
                diagnostic.help(format!("make a time of it: `.derive({0}: event_time(.{0}))`", quoted(&name)))
            }
            _ => diagnostic,
        });
        return None;
    }
    if ty.is_optional() {
        checker.missing(at.span, "`at`");
        return None;
    }
    Some(column.clone())
}

/// The only EventTime of the facts.
fn time_of_facts<'db>(checker: &mut Checker<'db>, row: &Row, at: &'db ast::Expr) -> Option<String> {
    let times: Vec<&str> = row
        .columns
        .iter()
        .filter(|column| is_event_time(&column.ty))
        .map(|column| column.name.as_str())
        .collect();
    let (message, help) = match times.as_slice() {
        [only] => return Some((*only).to_owned()),
        [] => {
            let plain =
                row.columns.iter().find(|column| is_time(&column.ty) || *column.ty.storage() == Type::Date);
            let help = match plain {
                Some(column) => {
                    format!("say which column it is: `.derive({0}: event_time(.{0}))`", quoted(&column.name))
                }
                None => "facts without a time are joined with `join`".to_owned(),
            };
            ("nothing says when these facts became known: they have no EventTime".to_owned(), help)
        }
        several => (
            format!("the facts have one EventTime, and these have {}", show_columns(several.iter().copied())),
            "keep the time at which they became known, and leave the others out: `.drop(…)`".to_owned(),
        ),
    };
    checker.report(Diagnostic::error(code::COLUMNS_DIFFER, at.span, message).help(help));
    None
}

/// `at` is left out: where the left has one time alone it is meant, and other libraries call it `on`.
fn needs_time<'db>(
    checker: &mut Checker<'db>,
    call: &VerbCall<'db>,
    facts: &'db ast::Expr,
    on: Option<&'db ast::Expr>,
) {
    let times: Vec<&str> = call
        .row
        .columns
        .iter()
        .filter(|column| is_time(&column.ty))
        .map(|column| column.name.as_str())
        .collect();
    let is_time_key = |expr: &&ast::Expr| matches!(&expr.kind, ast::ExprKind::Column(name) if times.contains(&name.text.as_str()));
    let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
    let diagnostic =
        Diagnostic::error(code::MISSING_ARGUMENT, end, "`join_asof` needs the time of each row, `at`");
    if on.is_some_and(|on| listed(on).iter().any(is_time_key)) {
        checker.report(diagnostic.help("`on` are keys that are equal; the time is given as `at`"));
        return;
    }
    checker.report(match times.as_slice() {
        [only] => {
            let text = format!(", at: .{}", quoted(only));
            let last = on.map_or(facts.span.end, |on| on.span.end);
            diagnostic
                .help(format!("the left's only time is `.{only}`: `at: .{only}`"))
                .fix(format!("add `at: .{only}`"), vec![Edit { span: Span::new(last, last), text }])
        }
        _ => diagnostic.help("`at: .at`, a Time or EventTime of the left"),
    });
}
