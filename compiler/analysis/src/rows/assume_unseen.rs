//! `d.assume_unseen(because: "…")`: the same rows, with a reason to call them unseen.

use flow_ir::value::Value;
use flow_syntax::diagnostic::{Diagnostic, code};

use super::{VerbCall, VerbResult, declared::Arguments};
use crate::check::{Checker, known_value};

pub(super) fn assume_unseen<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    let because = arguments.get("because")?;
    match known_value(&because.expr) {
        Some(Value::Text(reason)) if !reason.trim().is_empty() => {}
        Some(_) => {
            let message = "`because` is empty, and `assume_unseen` needs a reason";
            checker.report(
                Diagnostic::error(code::OUT_OF_RANGE, because.span(), message)
                    .help("say why no model has seen these rows: it is printed by `flowc plan`"),
            );
            return None;
        }
        None => {
            let message = "the reason of `assume_unseen` stands in the text: it is a literal or a constant";
            checker.report(
                Diagnostic::error(code::TYPE_MISMATCH, because.span(), message)
                    .help("write it here: `because: \"collected after the model was fitted\"`"),
            );
            return None;
        }
    }
    let row = arguments.row.clone();
    Some(VerbResult::table(arguments.inputs(), row))
}
