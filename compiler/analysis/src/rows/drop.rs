//! `d.drop(.a, .b)`: all columns but these.

use flow_ir::types::Row;
use flow_syntax::diagnostic::code;

use super::{VerbCall, VerbResult, columns::column_list};
use crate::check::Checker;

pub(super) fn drop_columns<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let names = checker.columns_named(&call)?;
    let columns: Vec<_> =
        call.row.columns.iter().filter(|column| !names.contains(&column.name)).cloned().collect();
    if columns.is_empty() {
        checker.fail(code::COLUMNS_DIFFER, call.span, "this leaves no column: a table has at least one");
        return None;
    }
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("columns".to_owned(), column_list(&names, &call.row, call.span)),
    ];
    Some(VerbResult::table(inputs, Row { columns }))
}
