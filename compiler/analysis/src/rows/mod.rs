//! The dataset verbs whose rows follow from more than their signatures: one file each.
//!
//! A verb without a rule is typed by its signature alone, as `bootstrap` is.

mod apply;
mod arguments;
mod assume_unseen;
mod columns;
mod declared;
mod derive;
mod distinct;
mod drop;
mod folds;
mod group;
mod join;
mod join_asof;
mod keys;
mod other_table;
mod predict;
mod rename;
mod select;
mod sort;
mod split;
mod split_at;
mod split_named;
mod split_where;
mod union;
mod values;
mod where_rows;
mod window;

pub(crate) use columns::{column_list, column_value};
pub(crate) use derive::column_type;
pub(crate) use predict::with_predictions;

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
    span::Span,
};

use crate::{
    body::Expr,
    check::{Checker, RowInScope, Typed},
    db::Item,
    header::VALUE,
    stages::Stage,
};

/// A call of a verb, with the table that it works on and its row.
pub(crate) struct VerbCall<'db> {
    /// The verb's declaration.
    pub item: Item<'db>,
    pub data: Typed,
    pub row: Row,
    pub args: Vec<&'db ast::Arg>,
    pub name: &'db ast::Name,
    pub span: Span,
}

/// What the node takes, in the order of the verb's parameters, and what it gives.
pub(crate) struct VerbResult {
    pub inputs: Vec<(String, Expr)>,
    pub outputs: Vec<(String, Type)>,
    /// Whether the value is the record of the outputs, rather than the only one.
    pub is_record: bool,
    /// Of the value: a list's length may be known when planned.
    pub stage: Stage,
}

impl VerbResult {
    /// One table.
    pub fn table(inputs: Vec<(String, Expr)>, row: Row) -> Self {
        Self::value(inputs, Type::Dataset(row), Stage::Run)
    }

    /// Tables with names, of the same row.
    pub fn parts(
        inputs: Vec<(String, Expr)>,
        row: &Row,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let outputs = names.into_iter().map(|name| (name.into(), Type::Dataset(row.clone()))).collect();
        Self { inputs, outputs, is_record: true, stage: Stage::Run }
    }

    pub fn value(inputs: Vec<(String, Expr)>, ty: Type, stage: Stage) -> Self {
        Self { inputs, outputs: vec![(VALUE.to_owned(), ty)], is_record: false, stage }
    }
}

/// Types a call; `None` where it is wrong, which is reported.
pub(crate) type Rule = for<'c, 'db> fn(&'c mut Checker<'db>, VerbCall<'db>) -> Option<VerbResult>;

/// The rule of a verb, where it has one.
pub(crate) fn rule(verb: &str) -> Option<Rule> {
    Some(match verb {
        "apply" => apply::apply,
        "assume_unseen" => assume_unseen::assume_unseen,
        "derive" => derive::derive,
        "distinct" => distinct::distinct,
        "drop" => drop::drop_columns,
        "folds" => folds::folds,
        "folds_at" => folds::folds_at,
        "group" => group::group,
        "join" => join::join,
        "join_asof" => join_asof::join_asof,
        "predict" => predict::predict,
        "rename" => rename::rename,
        "select" => select::select,
        "sort" => sort::sort,
        "split" => split::split,
        "split_at" => split_at::split_at,
        "split_named" => split_named::split_named,
        "split_where" => split_where::split_where,
        "union" => union::union,
        "values" => values::values,
        "where" => where_rows::where_rows,
        "window" => window::window,
        _ => return None,
    })
}

impl<'db> Checker<'db> {
    /// Checks an expression over the columns of a row, which is lent: a copy of thousands of columns for each of
    /// hundreds of expressions would cost more than checking them.
    pub fn over_row(&mut self, row: &mut Row, expr: &'db ast::Expr) -> Typed {
        let outer = std::mem::replace(&mut self.row, RowInScope::Row(std::mem::take(row)));
        let typed = self.expr(expr, None);
        if let RowInScope::Row(lent) = std::mem::replace(&mut self.row, outer) {
            *row = lent;
        }
        typed
    }

    /// The columns that a verb's arguments name: `.a, .b`, or `columns: [.a, .b]`.
    fn columns_named(&mut self, call: &VerbCall<'db>) -> Option<Vec<String>> {
        let verb = &call.name.text;
        let mut exprs: Vec<&'db ast::Expr> = Vec::new();
        for arg in &call.args {
            match (&arg.name, &arg.value.kind) {
                (None, _) => exprs.push(&arg.value),
                (Some(name), ast::ExprKind::List(columns)) if name.text == "columns" => exprs.extend(columns),
                (Some(name), _) => {
                    let message = format!("`{verb}` takes columns alone: `{verb}(.a, .b)`");
                    self.fail(code::UNKNOWN_ARGUMENT, name.span, message);
                    return None;
                }
            }
        }
        if exprs.is_empty() {
            let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
            let message = format!("`{verb}` needs at least one column");
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, message).help(format!("`.{verb}(.name)`")),
            );
            return None;
        }
        self.distinct_columns(&call.row, exprs, verb)
    }
}
