//! How large a type may be: each `(a: x, b: x)` of the one before doubles it.

use flow_ir::types::{Row, Type};

/// Parts of one type. A table of several thousand columns has as many.
pub(crate) const MAX_PARTS: usize = 100_000;

/// Whether a type has more than [`MAX_PARTS`] parts; looks at no more than these.
pub(crate) fn is_too_large(ty: &Type) -> bool {
    let mut left = MAX_PARTS;
    !fits_in(ty, &mut left)
}

fn fits_in(ty: &Type, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    let mut row = |row: &Row| row.columns.iter().all(|column| fits_in(&column.ty, left));
    match ty {
        Type::Dataset(of) | Type::Column(of) => row(of),
        Type::Model(model) => row(&model.row) && model.result.as_ref().is_none_or(row),
        Type::Optional(of) | Type::List(of) | Type::Refined { base: of, .. } => fits_in(of, left),
        Type::Record(record) => record.fields.iter().all(|field| fits_in(&field.ty, left)),
        _ => true,
    }
}
