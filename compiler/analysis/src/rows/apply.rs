//! `d.apply(transformer)`: what a transformer changes, adds and drops, done to this table.

use flow_ir::types::{Row, Task, Type};
use flow_syntax::{
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{
    check::Checker,
    types::{applied, column_fits, same, show, show_columns},
};

pub(super) fn apply<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let (data, name) = (call.data, call.name);
    let at = data.span();
    let params = [("data", false), ("transformer", false)];
    let slots = checker.distribute("`apply`", &params, Some(data), call.args.iter().copied(), call.span)?;
    let [Some(data), Some(transformer)] = <[_; 2]>::try_from(slots.slots).ok()? else { return None };
    let data = checker.given(data, None);
    let transformer = checker.given(transformer, None);
    let (from, to) = match transformer.ty()? {
        Type::Model(model) if model.task == Task::Transformer => (&model.row, model.result.as_ref()?),
        Type::Model(model) => {
            let message = format!("`apply` takes a Transformer, and this is a {}", model.task.name());
            checker.report(
                Diagnostic::error(code::WRONG_TASK, transformer.span(), message)
                    .help("a model that predicts adds its predictions with `.predict(…)`")
                    .fix("write `predict`", vec![Edit { span: name.span, text: "predict".to_owned() }]),
            );
            return None;
        }
        ty if ty.is_optional() && matches!(ty.present(), Type::Model(_)) => {
            checker.missing(transformer.span(), "`apply`");
            return None;
        }
        other => {
            let message = format!("`apply` takes a Transformer, and this is `{}`", show(other));
            checker.fail(code::TYPE_MISMATCH, transformer.span(), message);
            return None;
        }
    };
    check_columns(checker, from, to, &call.row, at)?;
    let row = applied(from, to, &call.row);
    if row.columns.is_empty() && !call.row.columns.is_empty() {
        checker.fail(code::COLUMNS_DIFFER, call.span, "this leaves no column: a table has at least one");
        return None;
    }
    let inputs = vec![("data".to_owned(), data.expr), ("transformer".to_owned(), transformer.expr)];
    Some(VerbResult::table(inputs, row))
}

/// Whether a table has what a transformer reads: every feature that it was fitted with, as for a model, and
/// every column that it changes or drops, with its type.
fn check_columns(checker: &mut Checker<'_>, from: &Row, to: &Row, row: &Row, at: Span) -> Option<()> {
    let mut missing = Vec::new();
    for column in &from.columns {
        let is_changed = !to.column(&column.name).is_some_and(|after| same(&column.ty, &after.ty));
        if !is_changed && !column.ty.is_feature() {
            continue;
        }
        match row.column(&column.name) {
            None => missing.push(column.name.as_str()),
            Some(own) if column_fits(&own.ty, &column.ty) => {}
            // One that keeps its type keeps its missing values.
            Some(own) if !is_changed && column_fits(own.ty.present(), column.ty.present()) => {}
            Some(own) => {
                let message = format!(
                    "the transformer's column `{}` is `{}`, and in this table it is `{}`",
                    column.name,
                    show(&column.ty),
                    show(&own.ty)
                );
                checker.report(
                    Diagnostic::error(code::MODEL_LACKS_FEATURE, at, message)
                        .help("prepare this table as the one that the transformer was fitted on"),
                );
                return None;
            }
        }
    }
    if missing.is_empty() {
        return Some(());
    }
    let message = format!("the transformer needs {}, which this table lacks", show_columns(missing));
    checker.report(Diagnostic::error(code::MODEL_LACKS_FEATURE, at, message).help(
        "prepare this table as the one that the transformer was fitted on, or fit it on fewer columns",
    ));
    None
}
