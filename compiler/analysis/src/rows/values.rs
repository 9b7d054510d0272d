//! `d.values(.day)`: a column as a list, which is there when the workflow runs.

use flow_ir::types::Type;

use super::{
    VerbCall, VerbResult,
    declared::{Arguments, ColumnArgument},
    derive::column_type,
};
use crate::{check::Checker, stages::Stage};

pub(super) fn values<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let arguments = Arguments::of(checker, call)?;
    let ColumnArgument::Column(column, _) = arguments.column(checker, "column")? else { return None };
    let ty = Type::List(Box::new(column_type(&column.ty)?));
    Some(VerbResult::value(arguments.inputs(), ty, Stage::Run))
}
