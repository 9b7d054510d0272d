//! `d.select(.a, .b)`, `d.select(Schema)`: these columns, in this order.

use flow_ir::types::{Column, Row};
use flow_syntax::{
    ast::ExprKind,
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{VerbCall, VerbResult, columns::column_list};
use crate::{
    check::Checker,
    names::scope,
    types::{Meaning, column_fits, show, show_columns, type_item},
};

pub(super) fn select<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let columns = match schema(checker, &call) {
        Some((wanted, span)) => columns_of(checker, &call.row, &wanted?, span)?,
        None => {
            let names = checker.columns_named(&call)?;
            names.iter().filter_map(|name| call.row.column(name).cloned()).collect()
        }
    };
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("columns".to_owned(), column_list(&names, &call.row, call.span)),
    ];
    Some(VerbResult::table(inputs, Row { columns }))
}

/// The row of the schema that stands for the columns, if one does: `None` within where a mistake hides it.
fn schema<'db>(checker: &Checker<'db>, call: &VerbCall<'db>) -> Option<(Option<Row>, Span)> {
    let [arg] = call.args.as_slice() else { return None };
    let item = match &arg.value.kind {
        ExprKind::Name(name) if !checker.is_bound(&name.text) => checker.item_named(&name.text)?,
        ExprKind::Field { base, name } => {
            let module = checker.module(base)?;
            *scope(checker.db, module).items.get(&name.text)?
        }
        _ => return None,
    };
    match &type_item(checker.db, item).meaning {
        Meaning::Row(row) => Some((Some(row.clone()), arg.value.span)),
        Meaning::Error if item.keyword(checker.db).is_type() => Some((None, arg.value.span)),
        _ => None,
    }
}

fn columns_of(checker: &mut Checker<'_>, row: &Row, wanted: &Row, span: Span) -> Option<Vec<Column>> {
    let missing: Vec<&str> = wanted
        .columns
        .iter()
        .filter(|column| row.column(&column.name).is_none())
        .map(|column| column.name.as_str())
        .collect();
    if !missing.is_empty() {
        let message = format!("this table lacks {}", show_columns(missing));
        checker.report(
            Diagnostic::error(code::COLUMNS_DIFFER, span, message)
                .help("add what is missing first: `.derive(…)`"),
        );
        return None;
    }
    let mut columns = Vec::with_capacity(wanted.columns.len());
    for column in &wanted.columns {
        let found = row.column(&column.name)?;
        if !column_fits(&found.ty, &column.ty) {
            let message = format!(
                "the column `{}` is `{}`, and `{}` is wanted",
                column.name,
                show(&found.ty),
                show(&column.ty)
            );
            checker.report(
                Diagnostic::error(code::COLUMN_TYPE, span, message)
                    .help(format!("convert it first: `.derive({}: …)`", column.name)),
            );
            return None;
        }
        columns.push(Column {
            name: column.name.clone(),
            ty: column.ty.clone(),
            source: found.source.clone(),
        });
    }
    Some(columns)
}
