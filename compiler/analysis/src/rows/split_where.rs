//! `d.split_where(.year < 2020)`: the rows for which it holds, and the others.

use super::{VerbCall, VerbResult, where_rows::predicate};
use crate::check::Checker;

pub(super) fn split_where<'db>(checker: &mut Checker<'db>, mut call: VerbCall<'db>) -> Option<VerbResult> {
    let predicate = predicate(checker, &mut call)?;
    let inputs = vec![("data".to_owned(), call.data.expr), ("predicate".to_owned(), predicate)];
    Some(VerbResult::parts(inputs, &call.row, ["yes", "no"]))
}
