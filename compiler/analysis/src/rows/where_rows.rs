//! `d.where(.distance > 0.0)`: the rows for which it holds.

use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{body::Expr, check::Checker};

pub(super) fn where_rows<'db>(checker: &mut Checker<'db>, mut call: VerbCall<'db>) -> Option<VerbResult> {
    let predicate = predicate(checker, &mut call)?;
    let inputs = vec![("data".to_owned(), call.data.expr), ("predicate".to_owned(), predicate)];
    Some(VerbResult::table(inputs, call.row))
}

/// The one argument of a verb that decides about each row.
pub(super) fn predicate<'db>(checker: &mut Checker<'db>, call: &mut VerbCall<'db>) -> Option<Expr> {
    let verb = &call.name.text;
    let predicate = match call.args.as_slice() {
        [arg] if arg.name.as_ref().is_none_or(|name| name.text == "predicate") => &arg.value,
        [] => {
            let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
            checker.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, format!("`{verb}` needs a predicate"))
                    .help(format!("`.{verb}(.distance > 0.0)`")),
            );
            return None;
        }
        [arg] | [_, arg, ..] => {
            let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
            checker.report(
                Diagnostic::error(code::UNKNOWN_ARGUMENT, span, format!("`{verb}` takes one predicate"))
                    .help("join several with `and`"),
            );
            return None;
        }
    };
    let typed = checker.over_row(&mut call.row, predicate);
    let typed = checker.as_predicate(typed, &format!("`{verb}`"));
    typed.ty()?;
    Some(typed.expr)
}
