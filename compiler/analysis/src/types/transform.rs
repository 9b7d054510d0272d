//! What a `Transformer<R, S>` does: R are the columns that it reads, S what it makes of them.

use flow_ir::types::{Column, Row};

use super::{put, same};

/// What a transformer from one row to another makes of a row that has what it reads. Columns keep their
/// places, new ones come last; what it does not change stays, gaps included.
pub(crate) fn applied(from: &Row, to: &Row, row: &Row) -> Row {
    let is_dropped =
        |column: &Column| from.column(&column.name).is_some() && to.column(&column.name).is_none();
    let mut columns: Vec<Column> = row.columns.iter().filter(|column| !is_dropped(column)).cloned().collect();
    for after in &to.columns {
        let ty = match (from.column(&after.name), row.column(&after.name)) {
            (Some(before), _) if same(&before.ty, &after.ty) => continue,
            // It makes nothing missing that was there.
            (Some(before), Some(own)) if before.ty.is_optional() && !own.ty.is_optional() => {
                after.ty.present()
            }
            _ => &after.ty,
        };
        put(&mut columns, Column { name: after.name.clone(), ty: ty.clone(), source: None });
    }
    Row { columns }
}
