//! `d.window(by: .user, order: .at, spent: sum(.price), last: 7d)`: aggregates of the strictly earlier rows.

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
    suggest::suggest,
};

use super::{
    VerbCall, VerbResult,
    aggregates::aggregate_named,
    columns::{column_list, column_value, listed, record},
};
use crate::{
    check::{Checker, RowInScope},
    names::did_you_mean,
    types::{put, show},
};

pub(super) fn window<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = checker.arguments(&call, &["by", "order", "last"])?;
    if let Some(first) = arguments.positional.first() {
        misses_name(checker, first);
        return None;
    }
    let [by, order, last] = arguments.named.as_slice() else { return None };
    if let Some(last) = last
        && let Some(name) = aggregate_named(&last.value)
    {
        let message = "`last` is how far back the window reaches: a column needs another name";
        let span = last.name.as_ref().map_or(last.value.span, |name| name.span);
        checker.report(
            Diagnostic::error(code::UNKNOWN_ARGUMENT, span, message)
                .help(format!("`{name}: …`"))
                .fix(format!("name it `{name}`"), vec![Edit { span, text: name }]),
        );
        return None;
    }
    let exprs: Vec<&'db ast::Expr> = by.iter().flat_map(|arg| listed(&arg.value)).collect();
    let keys = checker.key_columns(&call.row, &exprs, "window");
    let last = checker.length_of_time(last.map(|arg| &arg.value), "last", call.span);
    let Some(order) = order.map(|arg| &arg.value) else {
        let mut names = arguments.others.iter().filter_map(|arg| arg.name.as_ref());
        let misspelled = names.find(|name| suggest(&name.text, ["order"]).is_some());
        match misspelled {
            Some(name) => {
                let message = format!("`window` needs an order, and has no parameter `{}`", name.text);
                let diagnostic = Diagnostic::error(code::UNKNOWN_ARGUMENT, name.span, message);
                checker.report(did_you_mean(diagnostic, &name.text, name.span, ["order"]));
            }
            None => checker.needs(&call, "an order, which says what is earlier", "`order: .at`"),
        }
        return None;
    };
    let order_name = order_column(checker, &call.row, order)?;
    let (keys, last) = (keys?, last?);
    if keys.contains(&order_name) {
        let message = format!("`{order_name}` is a key: no row with an equal one is earlier");
        checker.fail(code::UNKNOWN_ARGUMENT, order.span, message);
        return None;
    }
    let ty = &call.row.column(&order_name)?.ty;
    if !matches!(ty.storage(), Type::Time | Type::Date) && arguments.named.last().is_some_and(Option::is_some)
    {
        let message = format!("`last` is a length of time, and the order `{order_name}` is `{}`", show(ty));
        checker.fail(code::TYPE_MISMATCH, last.span, message);
        return None;
    }
    if arguments.others.is_empty() {
        checker.needs(&call, "at least one aggregate", "`.window(by: .key, order: .at, n: count())`");
        return None;
    }
    let scope = RowInScope::Window(call.row.clone());
    let aggregates = checker.named_columns(scope, &arguments.others, "window")?;
    let keys = column_list(&keys, &call.row, call.span);
    let order = column_value(call.row.column(&order_name)?, order.span);
    let mut row = call.row;
    for (column, _) in &aggregates {
        put(&mut row.columns, column.clone());
    }
    let aggregates = aggregates.into_iter().map(|(column, expr)| (column.name, expr)).collect();
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("by".to_owned(), keys),
        ("order".to_owned(), order),
        ("last".to_owned(), last),
        ("aggregates".to_owned(), record(aggregates, call.span)),
    ];
    Some(VerbResult::table(inputs, row))
}

/// The column that says which rows are earlier.
fn order_column<'db>(checker: &mut Checker<'db>, row: &Row, order: &'db ast::Expr) -> Option<String> {
    let name = checker.column_named(row, order, "window")?;
    let ty = &row.column(&name)?.ty;
    if let Type::Label { .. } = ty.present() {
        let message = format!("`{name}` is the label: what is computed in its order would tell it");
        checker.fail(code::MEANING_FORBIDS, order.span, message);
        return None;
    }
    if !matches!(ty.storage(), Type::Time | Type::Date | Type::Int | Type::Float | Type::Float32) {
        let message =
            format!("an order is a Time, a Date or a number, and the column `{name}` is `{}`", show(ty));
        checker.fail(code::COLUMN_TYPE, order.span, message);
        return None;
    }
    if ty.is_optional() {
        checker.missing(order.span, "`order`");
        return None;
    }
    Some(name)
}

/// `window(.user, …)`: its parameters have names, as what it computes has.
fn misses_name<'db>(checker: &mut Checker<'db>, expr: &'db ast::Expr) {
    if !matches!(expr.kind, ast::ExprKind::Column(_) | ast::ExprKind::List(_)) {
        checker.unnamed(expr);
        return;
    }
    let message = "`window` takes its keys and its order by name";
    let edit = Edit { span: Span::new(expr.span.start, expr.span.start), text: "by: ".to_owned() };
    checker.report(
        Diagnostic::error(code::UNKNOWN_ARGUMENT, expr.span, message)
            .help("`.window(by: .user, order: .at, n: count())`")
            .fix("name it `by`", vec![edit]),
    );
}
