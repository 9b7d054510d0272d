//! `d.sort(.city, .at, descending: true)`: the same rows in order.

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind, Literal, UnaryOp},
    diagnostic::{Diagnostic, Edit, code},
};

use super::{
    VerbCall, VerbResult,
    columns::{column_list, listed},
};
use crate::{check::Checker, names::quoted, types::show};

pub(super) fn sort<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    const PARAMS: [&str; 2] = ["columns", "descending"];
    let arguments = checker.arguments(&call, &PARAMS)?;
    if let Some(other) = arguments.others.first() {
        if ascending(checker, other) {
            return None;
        }
        checker.no_such_parameter(other, &PARAMS, &[("by", "columns"), ("reverse", "descending")], "sort");
        return None;
    }
    let [columns, descending] = arguments.named.as_slice() else { return None };
    let mut exprs = arguments.positional;
    if let [expr @ ast::Expr { kind: ExprKind::Unary { op: UnaryOp::Negate, operand }, .. }] =
        exprs.as_slice()
        && let ExprKind::Column(column) = &operand.kind
        && descending.is_none()
    {
        let text = format!(".{}, descending: true", quoted(&column.text));
        checker.report(
            Diagnostic::error(code::TYPE_MISMATCH, expr.span, "`sort` takes columns here, as `.name`")
                .help("greatest first is `descending: true`")
                .fix(format!("write `{text}`"), vec![Edit { span: expr.span, text }]),
        );
        return None;
    }
    exprs.extend(columns.iter().flat_map(|arg| listed(&arg.value)));
    if exprs.is_empty() {
        checker.needs(&call, "at least one column", "`.sort(.name)`");
        return None;
    }
    let names = checker.distinct_columns(&call.row, exprs.iter().copied(), "sort");
    let descending = descending.map(|arg| &arg.value);
    let default = Value::Bool(false);
    let descending = checker.argument_as(descending, &Type::Bool, default, "descending", call.span);
    let names = names?;
    for (name, expr) in names.iter().zip(&exprs) {
        if let Some(ty) = unordered(&call.row, name) {
            let message = format!("the column `{name}` is `{}`, which has no order", show(ty));
            checker.fail(code::COLUMN_TYPE, expr.span, message);
            return None;
        }
    }
    descending.ty.ground()?;
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("columns".to_owned(), column_list(&names, &call.row, call.span)),
        ("descending".to_owned(), descending),
    ];
    Some(VerbResult::table(inputs, call.row))
}

/// `ascending: false`, as pandas has it.
fn ascending(checker: &mut Checker<'_>, arg: &ast::Arg) -> bool {
    let Some(name) = arg.name.as_ref().filter(|name| name.text == "ascending") else { return false };
    let diagnostic = Diagnostic::error(
        code::UNKNOWN_ARGUMENT,
        name.span,
        "`sort` has no parameter `ascending`: it is, unless told otherwise",
    )
    .help("greatest first is `descending: true`");
    checker.report(match &arg.value.kind {
        ExprKind::Literal(Literal::Bool(false)) => {
            let edit = Edit { span: name.span.to(arg.value.span), text: "descending: true".to_owned() };
            diagnostic.fix("write `descending: true`", vec![edit])
        }
        _ => diagnostic,
    });
    true
}

fn unordered<'r>(row: &'r Row, name: &str) -> Option<&'r Type> {
    let ty = &row.column(name)?.ty;
    let is_ordered = matches!(
        ty.storage(),
        Type::Bool
            | Type::Int
            | Type::Float
            | Type::Float32
            | Type::Text
            | Type::Date
            | Type::Time
            | Type::Duration
            | Type::Size
    );
    (!is_ordered).then_some(ty)
}
