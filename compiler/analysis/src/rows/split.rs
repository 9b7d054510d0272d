//! `d.split(80%, stratify: .class, group: .user)`: two parts at random.

use flow_ir::types::{Column, Type};
use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{VerbCall, VerbResult, declared::Arguments};
use crate::{check::Checker, names::quoted, types::show};

pub(super) fn split<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    let classes =
        arguments.columns("stratify").try_for_each(|(column, span)| check_classes(checker, column, span));
    let groups = arguments.columns("group").try_for_each(|(column, span)| check_group(checker, column, span));
    classes.and(groups)?;
    let row = arguments.row.clone();
    Some(VerbResult::parts(arguments.inputs(), &row, ["train", "test"]))
}

/// Whether a column has classes, each of which can have its share.
fn check_classes(checker: &mut Checker<'_>, column: &Column, span: Span) -> Option<()> {
    if matches!(column.ty.storage(), Type::Bool | Type::Int | Type::Text | Type::Enum(_)) {
        return Some(());
    }
    let name = &column.name;
    let message =
        format!("`stratify` gives each class its share, and the column `{name}` is `{}`", show(&column.ty));
    checker.report(
        Diagnostic::error(code::COLUMN_TYPE, span, message)
            .help("a column with classes is a Category, Bool, Text or Int"),
    );
    None
}

/// Whether a column says which rows belong together.
fn check_group(checker: &mut Checker<'_>, column: &Column, span: Span) -> Option<()> {
    let name = &column.name;
    let is_key = matches!(
        column.ty.storage(),
        Type::Bool | Type::Int | Type::Text | Type::Date | Type::Time | Type::Duration | Type::Enum(_)
    );
    if !is_key {
        let message =
            format!("`group` keeps equal values together, and the column `{name}` is `{}`", show(&column.ty));
        checker.report(
            Diagnostic::error(code::COLUMN_TYPE, span, message)
                .help("rows are kept together by an Id, a Category, a Text, an Int, a Date or a Time"),
        );
        return None;
    }
    if column.ty.is_optional() {
        let name = quoted(name);
        let message = format!("the column `{}` may be missing, and `group` needs it", column.name);
        checker.report(
            Diagnostic::error(code::MAYBE_MISSING, span, message)
                .help(format!("say which group such rows are of: `.derive({name}: .{name} ?? …)`")),
        );
        return None;
    }
    Some(())
}
