//! `d.split_at(.at, date"2026-01-01")`: the rows before a value of a column, and those from it on.

use flow_ir::{
    calendar,
    expr::Function,
    types::{Column, Type},
    value::Value,
};
use flow_syntax::{
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{VerbCall, VerbResult, declared::Arguments};
use crate::{
    body::ExprKind,
    check::{Checker, Typed},
    names::quoted,
    types::show,
};

pub(super) fn split_at<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    let at = arguments.get("at")?;
    for (column, span) in arguments.columns("column") {
        check_ordered(checker, column, span, "split_at")?;
        check_comparable(checker, column, at)?;
    }
    let row = arguments.row.clone();
    Some(VerbResult::parts(arguments.inputs(), &row, ["before", "after"]))
}

/// Whether `<` takes the column with the value.
fn check_comparable(checker: &mut Checker<'_>, column: &Column, at: &Typed) -> Option<()> {
    let ty = at.ty()?;
    if ty.is_optional() {
        checker.missing(at.span(), "`split_at`");
        return None;
    }
    if Function::Less.result(&[column.ty.clone(), ty.clone()]).is_ok() {
        return Some(());
    }
    let message = format!(
        "the column `{}` is `{}`, and `split_at` compares it with `{}`",
        column.name,
        show(&column.ty),
        show(ty)
    );
    let help = match column.ty.storage() {
        Type::Date => "a day is written `date\"2026-01-01\"`",
        Type::Time => "a time is written `time\"2026-01-01T09:30:00Z\"`, its day `date\"2026-01-01\"`",
        Type::Duration => "a duration is written `7d`",
        _ => "give a number",
    };
    let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, at.span(), message).help(help);
    checker.report(match literal_of(column.ty.storage(), at) {
        Some(text) => diagnostic.fix(format!("write `{text}`"), vec![Edit { span: at.span(), text }]),
        None => diagnostic,
    });
    None
}

/// `"2026-01-01"` as the literal that was meant: `date"2026-01-01"`.
fn literal_of(wanted: &Type, at: &Typed) -> Option<String> {
    let ExprKind::Value(Value::Text(text)) = &at.expr.kind else { return None };
    let kind = match wanted {
        Type::Date | Type::Time if calendar::read_date(text).is_some() => "date",
        Type::Time if calendar::read_time(text).is_some() => "time",
        _ => return None,
    };
    Some(format!("{kind}\"{text}\""))
}

/// Whether the rows have an order by a column: it holds times or numbers, for every row.
pub(super) fn check_ordered(
    checker: &mut Checker<'_>,
    column: &Column,
    span: Span,
    verb: &str,
) -> Option<()> {
    let is_ordered = matches!(
        column.ty.storage(),
        Type::Time | Type::Date | Type::Duration | Type::Int | Type::Float | Type::Float32
    );
    if !is_ordered {
        let message = format!(
            "`{verb}` goes by a time or a number, and the column `{}` is `{}`",
            column.name,
            show(&column.ty)
        );
        let name = quoted(&column.name);
        let diagnostic = Diagnostic::error(code::COLUMN_TYPE, span, message);
        checker.report(match column.ty.storage() {
            Type::Text => diagnostic.help(format!("make it one: `.derive({name}: event_time(.{name}))`")),
            _ => diagnostic.help("name an EventTime, a Time, a Date or a number"),
        });
        return None;
    }
    if column.ty.is_optional() {
        let name = quoted(&column.name);
        let message = format!("the column `{}` may be missing, and `{verb}` needs it", column.name);
        checker.report(
            Diagnostic::error(code::MAYBE_MISSING, span, message)
                .help(format!("say what counts where it is missing: `.derive({name}: .{name} ?? …)`")),
        );
        return None;
    }
    Some(())
}
