//! `d.distinct(.user, .day)`: the first of the rows that are equal in these columns, or in all.

use flow_ir::expr::is_key;
use flow_syntax::diagnostic::{Diagnostic, code};

use super::{
    VerbCall, VerbResult,
    columns::{column_list, listed},
};
use crate::{check::Checker, types::show};

pub(super) fn distinct<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = checker.arguments(&call, &["columns"])?;
    if let Some(other) = arguments.others.first() {
        checker.no_such_parameter(
            other,
            &["columns"],
            &[("subset", "columns"), ("on", "columns")],
            "distinct",
        );
        return None;
    }
    let mut exprs: Vec<_> = arguments.positional.into_iter().flat_map(listed).collect();
    exprs.extend(arguments.named.iter().flatten().flat_map(|arg| listed(&arg.value)));
    let names = checker.key_columns(&call.row, &exprs, "distinct")?;
    if names.is_empty()
        && let Some(column) = call.row.columns.iter().find(|column| !is_key(&column.ty))
    {
        let message =
            format!("the column `{}` is `{}`, which is no key for `distinct`", column.name, show(&column.ty));
        checker.report(
            Diagnostic::error(code::COLUMN_TYPE, call.span, message)
                .help("say which columns are compared: `.distinct(.user, .day)`"),
        );
        return None;
    }
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("columns".to_owned(), column_list(&names, &call.row, call.span)),
    ];
    Some(VerbResult::table(inputs, call.row))
}
