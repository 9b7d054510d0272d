//! `d.join(other, on: .key, kind: Join.left)`: the columns of two tables, where their keys are equal.

use flow_ir::{
    types::{Column, EnumType, Row, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind, Literal},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{
    body::Expr,
    check::{Checker, known_value},
    names::{prelude, quoted},
    types::enum_of,
};

pub(super) fn join<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let slots = checker.fixed_arguments(
        &call,
        &["other", "on", "kind", "timeless"],
        &[("how", "kind"), ("by", "on"), ("right", "other")],
    )?;
    let [other, on, kind, timeless] = slots.as_slice() else { return None };
    let Some(other) = other else {
        checker.needs(&call, "another table", "`.join(other, on: .key)`");
        return None;
    };
    let table = checker.other_table(other, "join");
    let kind = join_kind(checker, *kind, call.span);
    let timeless = checker.argument_as(*timeless, &Type::Text.optional(), Value::None, "timeless", call.span);
    let (table, right) = table?;
    let Some(on) = on else {
        needs_keys(checker, &call, other, &right);
        return None;
    };
    let keys = checker.keys(on, &call.row, &right, "join")?;
    if keys.left.is_empty() {
        checker.fail(code::MISSING_ARGUMENT, on.span, "`join` needs at least one key");
        return None;
    }
    let (kind, variant) = kind?;
    timeless.ty.ground()?;
    let added = right.columns.iter().filter(|column| !keys.right.contains(&column.name));
    let row = match variant.as_str() {
        "semi" | "anti" => call.row.clone(),
        "left" => {
            let missing = |column: &Column| Column { ty: column.ty.clone().optional(), ..column.clone() };
            checker.side_by_side(&call, added.map(missing).collect(), &right, other)?
        }
        _ => checker.side_by_side(&call, added.cloned().collect(), &right, other)?,
    };
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("other".to_owned(), table.expr),
        ("on".to_owned(), keys.expr(&call.row, &right, on.span)),
        ("kind".to_owned(), kind),
        ("timeless".to_owned(), timeless),
    ];
    Some(VerbResult::table(inputs, row))
}

/// The kind of a join, as a value and by its name: it decides the columns.
fn join_kind<'db>(
    checker: &mut Checker<'db>,
    given: Option<&'db ast::Expr>,
    span: Span,
) -> Option<(Expr, String)> {
    let item = *prelude(checker.db).get("Join")?;
    let ty: EnumType = enum_of(checker.db, item)?.clone();
    let default = Value::Enum { ty: ty.name.clone(), variant: "inner".to_owned() };
    if let Some(expr @ ast::Expr { kind: ExprKind::Literal(Literal::Text(text)), .. }) = given
        && ty.variants.contains(text)
    {
        let text = format!("Join.{text}");
        checker.report(
            Diagnostic::error(code::TYPE_MISMATCH, expr.span, format!("a kind of join is written `{text}`"))
                .help("the kinds are `Join.inner`, `Join.left`, `Join.semi` and `Join.anti`")
                .fix(format!("write `{text}`"), vec![Edit { span: expr.span, text }]),
        );
        return None;
    }
    let kind = checker.argument_as(given, &Type::Enum(ty), default, "kind", span);
    kind.ty.ground()?;
    match known_value(&kind) {
        Some(Value::Enum { variant, .. }) => Some((kind, variant)),
        _ => {
            let message = "`kind` decides the columns: it is written out, as `Join.left`";
            checker.fail(code::TYPE_MISMATCH, kind.span, message);
            None
        }
    }
}

fn needs_keys<'db>(checker: &mut Checker<'db>, call: &VerbCall<'db>, other: &'db ast::Expr, right: &Row) {
    let common: Vec<String> = call
        .row
        .columns
        .iter()
        .filter(|column| right.column(&column.name).is_some())
        .map(|column| format!(".{}", quoted(&column.name)))
        .collect();
    let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
    let diagnostic = Diagnostic::error(code::MISSING_ARGUMENT, end, "`join` needs the keys, `on`");
    checker.report(match common.as_slice() {
        [only] => {
            let edit =
                Edit { span: Span::new(other.span.end, other.span.end), text: format!(", on: {only}") };
            diagnostic
                .help(format!("the tables have {only} in common: `on: {only}`"))
                .fix(format!("add `on: {only}`"), vec![edit])
        }
        _ => diagnostic.help("`on: .key`, `on: [.a, .b]`, or `on: (left: .a, right: .b)`"),
    });
}
