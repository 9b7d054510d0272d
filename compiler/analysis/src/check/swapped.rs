//! Two arguments in each other's place: one mistake.

use flow_ir::types::Type;
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, code},
};

use super::{
    Checker, Given, RowInScope, Typed,
    parameters::{is_column, kind_of},
};
use crate::{
    header::Callable,
    types::{Scheme, fits, show},
};

impl<'db> Checker<'db> {
    /// Columns where a table or value is wanted, and something else where they are.
    pub(super) fn report_columns_first(&mut self, callable: &Callable, slots: &[Option<Given<'db>>]) -> bool {
        let given =
            || callable.params.iter().zip(slots).filter_map(|(param, slot)| Some((param, slot.as_ref()?)));
        if !matches!(self.row, RowInScope::None) {
            return false;
        }
        let value = given().find(|(param, slot)| !is_column(&param.scheme) && names_columns(slot));
        let columns = given().find(|(param, slot)| is_column(&param.scheme) && !names_columns(slot));
        let (Some((value, at)), Some((columns, other))) = (value, columns) else { return false };
        let message = format!("`{}` and `{}` are swapped", value.name, columns.name);
        self.report(
            Diagnostic::error(code::TYPE_MISMATCH, at.span(), message)
                .note(format!("this fits `{}`", columns.name))
                .label(other.span(), format!("this is given for `{}`", columns.name)),
        );
        true
    }

    /// Two arguments of which each fits the other's parameter alone: one mistake.
    pub(super) fn report_swapped(&mut self, callable: &Callable, given: &[Option<Typed>]) -> bool {
        let kinds = callable.params.iter().zip(given).filter_map(|(param, typed)| {
            let typed = typed.as_ref()?;
            Some((param, typed.span(), typed.ty()?))
        });
        let misfits: Vec<_> = kinds.filter(|(param, _, ty)| !may_take(&param.scheme, ty)).collect();
        let [(first, first_span, first_ty), (second, second_span, second_ty)] = misfits.as_slice() else {
            return false;
        };
        if !may_take(&first.scheme, second_ty) || !may_take(&second.scheme, first_ty) {
            return false;
        }
        let message = format!("`{}` and `{}` are swapped", first.name, second.name);
        self.report(
            Diagnostic::error(code::TYPE_MISMATCH, *first_span, message)
                .note(format!("this is `{}`", show(first_ty)))
                .label(*second_span, format!("this is `{}`", show(second_ty)))
                .help(format!(
                    "{} is wanted for `{}`, and {} for `{}`",
                    kind_of(&first.scheme),
                    first.name,
                    kind_of(&second.scheme),
                    second.name
                )),
        );
        true
    }
}

/// Whether a parameter takes values of this kind, whatever their rows.
fn may_take(scheme: &Scheme, ty: &Type) -> bool {
    match (scheme, ty.present()) {
        (Scheme::Ground(Type::Dataset(_)), Type::Dataset(_)) => true,
        (Scheme::Ground(wanted), _) => fits(ty.present(), wanted.present()).is_ok(),
        (Scheme::Dataset(_), ty) => matches!(ty, Type::Dataset(_)),
        (Scheme::Model { task, .. }, Type::Model(model)) => task.is_none_or(|task| task == model.task),
        (Scheme::Model { .. }, _) => false,
        (Scheme::List(inner), Type::List(element)) => may_take(inner, element),
        (Scheme::List(_), _) => false,
        (Scheme::Optional(inner), ty) => may_take(inner, ty),
        (Scheme::Refined { base, .. }, ty) => may_take(base, ty),
        _ => true,
    }
}

/// `.a`, `[.a, .b]`
fn names_columns(given: &Given<'_>) -> bool {
    let is_column = |expr: &ast::Expr| matches!(expr.kind, ExprKind::Column(_));
    match given {
        Given::Typed(_) => false,
        Given::Expr(ast::Expr { kind: ExprKind::List(values), .. }) => {
            !values.is_empty() && values.iter().all(is_column)
        }
        Given::Expr(expr) => is_column(expr),
    }
}
