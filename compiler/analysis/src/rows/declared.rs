//! The arguments of verbs whose declarations say what they take.

use flow_ir::types::{Column, Row, Type};
use flow_syntax::span::Span;

use super::{VerbCall, arguments::Alias};
use crate::{
    body::Expr,
    check::{Checker, Typed},
    header::callable,
};

/// As scikit-learn has them.
pub(super) const ALIASES: [Alias; 6] = [
    ("random_state", "seed"),
    ("train_size", "share"),
    ("groups", "group"),
    ("n_splits", "k"),
    ("n_folds", "k"),
    ("reason", "because"),
];

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
        let verb = &call.name.text;
        let names: Vec<&str> = params.iter().map(|(name, _)| *name).collect();
        let is_alias = |name: &str| {
            ALIASES
                .iter()
                .any(|(alias, param)| *alias == name && names.contains(param) && !names.contains(&name))
        };
        let alias = call.args.iter().find(|arg| arg.name.as_ref().is_some_and(|name| is_alias(&name.text)));
        if let Some(alias) = alias {
            checker.no_such_parameter(alias, &names, &ALIASES, verb);
            return None;
        }
        let args = call.args.iter().copied();
        let slots = checker.distribute(&format!("`{verb}`"), &params, Some(call.data), args, call.span)?;
        let args = checker.bind_arguments(call.item, &callable, slots.slots, None, call.span)?.args;
        Some(Self { row: call.row, args })
    }

    pub fn get(&self, name: &str) -> Option<&Typed> {
        self.args.iter().find(|(arg, _)| arg == name).map(|(_, typed)| typed)
    }

    /// The column that an argument names, with its place. Several where a parameter of the workflow is handed
    /// on, which may be any of them; none where it is left out.
    pub fn columns(&self, name: &str) -> impl Iterator<Item = (&Column, Span)> {
        let typed = self.get(name);
        let columns = match typed.and_then(Typed::ty).map(Type::present) {
            Some(Type::Column(row)) => row.columns.as_slice(),
            _ => &[],
        };
        let span = typed.map(Typed::span).unwrap_or_default();
        columns.iter().map(move |column| (column, span))
    }

    pub fn inputs(self) -> Vec<(String, Expr)> {
        self.args.into_iter().map(|(name, typed)| (name, typed.expr)).collect()
    }
}
