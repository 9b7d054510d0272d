//! `d.union(other)`: the rows of both tables.

use flow_ir::types::{Column, Row, Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
};

use super::{VerbCall, VerbResult, other_table::behind};
use crate::{
    check::Checker,
    names::quoted,
    types::{join, same, show, show_columns},
};

pub(super) fn union<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let slots = checker.fixed_arguments(&call, &["other"], &[])?;
    let Some(other) = slots.first().copied().flatten() else {
        checker.needs(&call, "another table", "`.union(other)`");
        return None;
    };
    let (typed, other_row) = checker.other_table(other, "union")?;
    same_columns(checker, &call, &other_row, other)?;
    let mut columns = Vec::with_capacity(call.row.columns.len());
    for column in &call.row.columns {
        let found = other_row.column(&column.name)?;
        let Some(ty) = joined(&column.ty, &found.ty) else {
            let (here, there) = (show(&column.ty), show(&found.ty));
            let error = |message: String| Diagnostic::error(code::COLUMN_TYPE, typed.span(), message);
            let name = &column.name;
            let diagnostic = if here == there {
                error(format!("the positive class of `{name}` is another one in the other table"))
            } else {
                error(format!("the column `{name}` is `{here}` here and `{there}` in the other table"))
                    .label(call.data.span(), format!("`{name}` is `{here}` here"))
                    .note(format!("and `{there}` here"))
            };
            let help = format!("convert it in one of them: `.derive({}: …)`", quoted(name));
            checker.report(diagnostic.help(help));
            return None;
        };
        columns.push(Column { name: column.name.clone(), ty, source: None });
    }
    let inputs = vec![("data".to_owned(), call.data.expr), ("other".to_owned(), typed.expr)];
    Some(VerbResult::table(inputs, Row { columns }))
}

fn same_columns<'db>(
    checker: &mut Checker<'db>,
    call: &VerbCall<'db>,
    other: &Row,
    at: &'db ast::Expr,
) -> Option<()> {
    let lacking = |row: &Row, of: &Row| -> Vec<String> {
        let columns = of.columns.iter().filter(|column| row.column(&column.name).is_none());
        columns.map(|column| column.name.clone()).collect()
    };
    let (missing, extra) = (lacking(other, &call.row), lacking(&call.row, other));
    let names = |names: &[String]| show_columns(names.iter().map(String::as_str));
    let message = match (missing.is_empty(), extra.is_empty()) {
        (true, true) => return Some(()),
        (false, true) => format!("the other table lacks {}", names(&missing)),
        (true, false) => format!("the other table has {} too many", names(&extra)),
        (false, false) => {
            format!("the other table lacks {} and has {} too many", names(&missing), names(&extra))
        }
    };
    let diagnostic = Diagnostic::error(code::COLUMNS_DIFFER, at.span, message);
    let drop = |names: &[String]| {
        let columns: Vec<String> = names.iter().map(|name| format!(".{}", quoted(name))).collect();
        format!(".drop({})", columns.join(", "))
    };
    checker.report(match (missing.is_empty(), extra.is_empty()) {
        (true, _) => {
            let text = drop(&extra);
            diagnostic
                .help(format!("leave what is too much out there: `{text}`"))
                .fix(format!("add `{text}`"), behind(at, &text))
        }
        (_, true) => diagnostic
            .help(format!("add it there with `.derive(…)`, or leave it out here: `{}`", drop(&missing))),
        _ => diagnostic.help("`rename`, `derive` and `drop` make the columns of two tables alike"),
    });
    None
}

/// The type of a column that has the values of both; `?` where one of them may be missing. Nothing widens.
fn joined(a: &Type, b: &Type) -> Option<Type> {
    if let (Type::Label { positive: Some(a), .. }, Type::Label { positive: Some(b), .. }) =
        (a.present(), b.present())
        && a != b
    {
        return None;
    }
    if a == b {
        return Some(a.clone());
    }
    let (present, other) = (a.present(), b.present());
    if !same(present, other) {
        return None;
    }
    let ty = match (present, other) {
        // Which class is the positive one need be said once.
        (Type::Label { positive: Some(_), .. }, _) => present.clone(),
        _ => join(present, other)?,
    };
    Some(if a.is_optional() || b.is_optional() { ty.optional() } else { ty })
}
