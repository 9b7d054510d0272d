//! `d.where(.distance > 0.0)`: the rows for which it holds.

use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::check::Checker;

pub(super) fn where_rows<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let predicate = match call.args.as_slice() {
        [arg] if arg.name.as_ref().is_none_or(|name| name.text == "predicate") => &arg.value,
        [] => {
            let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
            checker.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, "`where` needs a predicate")
                    .help("`.where(.distance > 0.0)`"),
            );
            return None;
        }
        [arg] | [_, arg, ..] => {
            let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
            checker.report(
                Diagnostic::error(code::UNKNOWN_ARGUMENT, span, "`where` takes one predicate")
                    .help("join several with `and`"),
            );
            return None;
        }
    };
    let typed = checker.over_row(&call.row, predicate);
    let typed = checker.as_predicate(typed, "`where`");
    typed.ty()?;
    let inputs = vec![("data".to_owned(), call.data.expr), ("predicate".to_owned(), typed.expr)];
    Some(VerbResult { inputs, row: call.row })
}
