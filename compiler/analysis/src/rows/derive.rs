//! `d.derive(speed: .distance / .minutes)`: columns added, or replaced in their place. Every expression reads
//! the table as it was.

use flow_ir::types::{Column, Field, RecordType, Type};
use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{
    body::{Expr, ExprKind},
    check::Checker,
    ty::Ty,
    types::{put, show},
};

pub(super) fn derive<'db>(checker: &mut Checker<'db>, mut call: VerbCall<'db>) -> Option<VerbResult> {
    if call.args.is_empty() {
        let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
        let diagnostic = Diagnostic::error(code::MISSING_ARGUMENT, end, "`derive` needs at least one column");
        checker.report(diagnostic.help("`.derive(speed: .distance / .minutes)`"));
        return None;
    }
    let mut row = call.row.clone();
    let mut derived: Vec<(String, Expr)> = Vec::with_capacity(call.args.len());
    let mut is_sound = true;
    for arg in &call.args {
        let Some(name) = &arg.name else {
            is_sound = false;
            let diagnostic =
                Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, "a derived column needs a name");
            checker.report(diagnostic.help("`.derive(name: expression)`"));
            continue;
        };
        let typed = checker.over_row(&mut call.row, &arg.value);
        if derived.iter().any(|(other, _)| *other == name.text) {
            is_sound = false;
            checker.fail(
                code::UNKNOWN_ARGUMENT,
                name.span,
                format!("the column `{}` is derived twice", name.text),
            );
            continue;
        }
        let Some(ty) = typed.ty() else {
            is_sound = false;
            continue;
        };
        let Some(ty) = column_type(ty) else {
            is_sound = false;
            checker.fail(code::TYPE_MISMATCH, arg.value.span, format!("a column cannot be `{}`", show(ty)));
            continue;
        };
        put(&mut row.columns, Column { name: name.text.clone(), ty, source: None });
        derived.push((name.text.clone(), typed.expr));
    }
    if !is_sound {
        return None;
    }
    let fields = derived
        .iter()
        .filter_map(|(name, expr)| Some(Field { name: name.clone(), ty: expr.ty.ground()? }))
        .collect();
    let columns = Expr {
        ty: Ty::Ground(Type::Record(RecordType { name: None, fields })),
        kind: ExprKind::Record(derived),
        span: call.span,
    };
    let inputs = vec![("data".to_owned(), call.data.expr), ("columns".to_owned(), columns)];
    Some(VerbResult::table(inputs, row))
}

/// The type of a column with these values; limits are left behind. `None` for what no column holds.
pub(crate) fn column_type(ty: &Type) -> Option<Type> {
    match ty {
        Type::Refined { base, .. } => column_type(base),
        Type::Optional(inner) => Some(Type::Optional(Box::new(column_type(inner)?))),
        Type::Dataset(_)
        | Type::Model(_)
        | Type::Opaque(_)
        | Type::Column(_)
        | Type::Nothing
        | Type::File => None,
        Type::Metric(_) => Some(Type::Float),
        other => Some(other.clone()),
    }
}
