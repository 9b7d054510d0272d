//! The defaults of parameters.

use flow_syntax::{
    ast::{ExprKind, ItemKind},
    diagnostic::{Diagnostic, code},
};

use super::{Checker, Context, bodies::generics};
use crate::{
    body,
    db::{Db, Item, parse_item},
    header::callable,
    types::{RowScheme, Scheme, Unknown},
};

/// The defaults of an item's parameters, with how many locals each has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Defaults {
    pub values: Vec<Option<(body::Expr, u32)>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// What is typed at the parameters themselves: their defaults.
#[salsa::tracked(cycle_result = circular_defaults)]
pub fn defaults<'db>(db: &'db dyn Db, item: Item<'db>) -> Defaults {
    let params = match &parse_item(db, item).item.kind {
        ItemKind::Fn(function) => &function.params,
        ItemKind::Operator(operator) => &operator.params,
        ItemKind::Workflow(workflow) => &workflow.params,
        _ => return Defaults { values: Vec::new(), diagnostics: Vec::new() },
    };
    let Some(callable) = callable(db, item) else {
        return Defaults { values: Vec::new(), diagnostics: Vec::new() };
    };
    let bindings = generics(&callable, &[]);
    let mut diagnostics = Vec::new();
    let mut values = Vec::with_capacity(params.len());
    for (param, header) in params.iter().zip(&callable.params) {
        let Some(default) = &param.default else {
            values.push(None);
            continue;
        };
        let mut checker = Checker::new(db, item.file(db), Context::Constant);
        let typed = match header.scheme.substitute(&bindings) {
            Ok(wanted) => {
                let typed = checker.expr(default, Some(&wanted));
                checker.coerce(typed, &wanted, &format!("for `{}`", header.name))
            }
            // `none`, `[]` and the like, where the type waits for the call.
            Err(unknown) => {
                checker.is_wanted_hidden = unknown == Unknown::Error;
                checker.expr(default, None)
            }
        };
        // A reader takes its columns from the parameter, which takes them from the table of each call.
        if checker.diagnostics.is_empty() && waits_for_row(&header.scheme) && is_reader(&default.kind) {
            let message = format!("nothing says which columns to read: the row of `{}` is open", header.name);
            checker.report(
                Diagnostic::error(code::TYPE_MISMATCH, default.span, message)
                    .help("give the parameter a schema, `Dataset<Ride>`, or leave the default out"),
            );
        }
        values.push(typed.ty().is_some().then(|| (typed.expr.clone(), checker.local_count())));
        diagnostics.append(&mut checker.diagnostics);
    }
    Defaults { values, diagnostics }
}

fn waits_for_row(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Dataset(row) => matches!(row, RowScheme::Var(_) | RowScheme::Parts { is_open: true, .. }),
        Scheme::Optional(inner) => waits_for_row(inner),
        _ => false,
    }
}

fn is_reader(default: &ExprKind) -> bool {
    match default {
        ExprKind::Call { .. } => true,
        ExprKind::Paren(inner) => is_reader(&inner.kind),
        _ => false,
    }
}

fn circular_defaults<'db>(_: &'db dyn Db, _: salsa::Id, _: Item<'db>) -> Defaults {
    Defaults { values: Vec::new(), diagnostics: Vec::new() }
}
