//! `d.values(.day)`: a column as a list, which is there when the workflow runs.

use flow_ir::types::Type;
use flow_syntax::diagnostic::{Diagnostic, code};

use super::{VerbCall, VerbResult, declared::Arguments, derive::column_type};
use crate::{
    check::Checker,
    stages::Stage,
    types::{join, show},
};

pub(super) fn values<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    let mut columns = arguments.columns("column");
    let (first, span) = columns.next()?;
    let mut ty = column_type(&first.ty)?;
    for (other, _) in columns {
        let Some(common) = join(&ty, &other.ty) else {
            let message = format!(
                "a list has one type, and this may be the column `{}`, which is `{}`, or `{}`, which is `{}`",
                first.name,
                show(&first.ty),
                other.name,
                show(&other.ty)
            );
            checker.report(
                Diagnostic::error(code::TYPE_MISMATCH, span, message)
                    .help("say which columns it may be: `Column<R, Float>`"),
            );
            return None;
        };
        ty = common;
    }
    let ty = Type::List(Box::new(ty));
    Some(VerbResult::value(arguments.inputs(), ty, Stage::Run))
}
