//! `d.folds(5)`, `d.folds_at(.at, 5)`: the folds of cross-validation. How many there are is known when planned
//! where `k` is, so that `for` runs over them.

use flow_ir::types::{Field, RecordType, Row, Type};

use super::{VerbCall, VerbResult, declared::Arguments, split_at::check_ordered};
use crate::{check::Checker, stages::Stage};

pub(super) fn folds<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    result(arguments)
}

pub(super) fn folds_at<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    arguments
        .columns("column")
        .try_for_each(|(column, span)| check_ordered(checker, column, span, "folds_at"))?;
    result(arguments)
}

fn result(arguments: Arguments) -> Option<VerbResult> {
    let stage = if arguments.get("k")?.stage.is_planned() { Stage::list(Stage::Run) } else { Stage::Run };
    let ty = Type::List(Box::new(fold(&arguments.row)));
    Some(VerbResult::value(arguments.inputs(), ty, stage))
}

/// `(train, test)`
fn fold(row: &Row) -> Type {
    let field = |name: &str| Field { name: name.to_owned(), ty: Type::Dataset(row.clone()) };
    Type::Record(RecordType { name: None, fields: vec![field("train"), field("test")] })
}
