//! `d.rename(new: .old)`: the same columns at their places, by other names.

use flow_ir::types::Row;
use flow_syntax::{
    ast::{self, ExprKind, Literal},
    diagnostic::{Diagnostic, Edit, code},
};

use super::{
    VerbCall, VerbResult,
    columns::{column_value, record},
};
use crate::{check::Checker, names::quoted};

pub(super) fn rename<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    if call.args.is_empty() {
        checker.needs(&call, "at least one column", "`.rename(new: .old)`");
        return None;
    }
    let mut renamed: Vec<(&'db ast::Name, String)> = Vec::with_capacity(call.args.len());
    let mut is_sound = true;
    for arg in &call.args {
        match rename_one(checker, &call.row, arg, &renamed) {
            Some(pair) => renamed.push(pair),
            // `rename("old", "new")` is one mistake.
            None if arg.name.is_none() => return None,
            None => is_sound = false,
        }
    }
    if !is_sound {
        return None;
    }
    let row = rename_columns(checker, &call.row, &renamed)?;
    let columns = renamed
        .iter()
        .filter_map(|(new, old)| Some((new.text.clone(), column_value(call.row.column(old)?, new.span))))
        .collect();
    let inputs =
        vec![("data".to_owned(), call.data.expr), ("columns".to_owned(), record(columns, call.span))];
    Some(VerbResult::table(inputs, row))
}

/// The new and the old name that an argument gives.
fn rename_one<'db>(
    checker: &mut Checker<'db>,
    row: &Row,
    arg: &'db ast::Arg,
    before: &[(&ast::Name, String)],
) -> Option<(&'db ast::Name, String)> {
    let Some(new) = &arg.name else {
        let diagnostic =
            Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, "a renamed column needs its new name");
        checker.report(diagnostic.help("`.rename(new: .old)`"));
        return None;
    };
    // `rename(old: .new)`, `rename(old: "new")`
    let reversed = match &arg.value.kind {
        ExprKind::Column(name) => Some(&name.text),
        ExprKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    };
    if let Some(meant) = reversed.filter(|name| row.column(name).is_none())
        && row.column(&new.text).is_some()
    {
        let span = new.span.to(arg.value.span);
        let text = format!("{}: .{}", quoted(meant), quoted(&new.text));
        let message = format!("the new name stands first, and this table has no column `{meant}`");
        checker.report(
            Diagnostic::error(code::NO_SUCH_COLUMN, arg.value.span, message)
                .help(format!("to call `{}` by the name `{meant}`, write `{text}`", new.text))
                .fix(format!("write `{text}`"), vec![Edit { span, text }]),
        );
        return None;
    }
    let old = checker.column_named(row, &arg.value, "rename")?;
    if before.iter().any(|(other, _)| other.text == new.text) {
        let message = format!("two columns would be called `{}`", new.text);
        checker.fail(code::UNKNOWN_ARGUMENT, new.span, message);
        return None;
    }
    if before.iter().any(|(_, other)| *other == old) {
        let message = format!("the column `{old}` gets two names");
        checker.report(Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, message).help(format!(
            "to have it twice: `.derive({}: .{})`",
            quoted(&new.text),
            quoted(&old)
        )));
        return None;
    }
    Some((new, old))
}

/// The row with new names; one that another column keeps is reported.
fn rename_columns(checker: &mut Checker<'_>, row: &Row, renamed: &[(&ast::Name, String)]) -> Option<Row> {
    let kept = |name: &str| row.column(name).is_some() && !renamed.iter().any(|(_, old)| old == name);
    if let Some((new, _)) = renamed.iter().find(|(new, _)| kept(&new.text)) {
        let message = format!("this table has another column `{}` already", new.text);
        checker.report(
            Diagnostic::error(code::COLUMNS_DIFFER, new.span, message)
                .help(format!("leave it out first, `.drop(.{})`, or choose another name", quoted(&new.text))),
        );
        return None;
    }
    let mut row = row.clone();
    for column in &mut row.columns {
        if let Some((new, _)) = renamed.iter().find(|(_, old)| *old == column.name) {
            column.name.clone_from(&new.text);
        }
    }
    Some(row)
}
