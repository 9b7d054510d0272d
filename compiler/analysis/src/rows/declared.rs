//! The arguments of verbs whose declarations say what they take.

use flow_ir::{
    types::{Column, Row},
    value::Value,
};
use flow_syntax::diagnostic::{Diagnostic, code};

use super::VerbCall;
use crate::{
    body::{Expr, ExprKind},
    check::{Checker, Typed},
    header::callable,
};

/// What a verb is given, in the order of its parameters, defaults filled in.
pub(super) struct Arguments {
    pub row: Row,
    args: Vec<(String, Typed)>,
}

impl Arguments {
    /// Holds a call against the verb's declaration; `None` where it is wrong, which is reported.
    pub fn of<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<Self> {
        let callable = callable(checker.db, call.item)?;
        let params: Vec<(&str, bool)> =
            callable.params.iter().map(|param| (param.name.as_str(), param.has_default)).collect();
        let verb = format!("`{}`", call.name.text);
        let slots =
            checker.distribute(&verb, &params, Some(call.data), call.args.iter().copied(), call.span)?;
        let args = checker.bind_arguments(call.item, &callable, slots.slots, None, call.span)?.args;
        Some(Self { row: call.row, args })
    }

    pub fn get(&self, name: &str) -> Option<&Typed> {
        self.args.iter().find(|(arg, _)| arg == name).map(|(_, typed)| typed)
    }

    /// The column that an argument names, where one is given.
    pub fn column(&self, checker: &mut Checker<'_>, name: &str) -> Option<ColumnArgument<'_>> {
        let typed = self.get(name)?;
        match &typed.expr.kind {
            ExprKind::Value(Value::None) => Some(ColumnArgument::None),
            ExprKind::Value(Value::Column(column)) => {
                Some(ColumnArgument::Column(self.row.column(column)?, typed))
            }
            _ => {
                let message = format!("`{name}` decides what this gives: name its column here, as `.name`");
                checker.report(Diagnostic::error(code::TYPE_MISMATCH, typed.span(), message));
                None
            }
        }
    }

    pub fn inputs(self) -> Vec<(String, Expr)> {
        self.args.into_iter().map(|(name, typed)| (name, typed.expr)).collect()
    }
}

pub(super) enum ColumnArgument<'a> {
    /// Left out.
    None,
    Column(&'a Column, &'a Typed),
}
