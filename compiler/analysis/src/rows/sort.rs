//! `d.sort(.city, .at, descending: true)`: the same rows in order.

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_syntax::diagnostic::code;

use super::{
    VerbCall, VerbResult,
    columns::{column_list, listed},
};
use crate::{check::Checker, types::show};

pub(super) fn sort<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    const PARAMS: [&str; 2] = ["columns", "descending"];
    let arguments = checker.arguments(&call, &PARAMS)?;
    if let Some(other) = arguments.others.first() {
        checker.no_such_parameter(other, &PARAMS, &[("by", "columns"), ("reverse", "descending")], "sort");
        return None;
    }
    let [columns, descending] = arguments.named.as_slice() else { return None };
    let mut exprs = arguments.positional;
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
