//! Aggregates, where the rows of a group or window are in scope.

use flow_ir::{
    expr::{Aggregate, AggregateError},
    types::{Refinement, Type},
    value::Float64,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, RowInScope, Typed, functions};
use crate::{
    body,
    names::{aggregate_for, quoted, resolve},
    stages::Stage,
    types::{show, show_columns},
};

impl<'db> Checker<'db> {
    /// A call of an aggregate, where its name and arguments make it one: `min(.a, .b)` is of one row, and
    /// `sum([1, 2])` of a list. What stands before a dot is the `receiver`.
    pub fn aggregate(
        &mut self,
        name: &'db ast::Name,
        receiver: Option<&'db ast::Expr>,
        args: &'db [ast::Arg],
        span: Span,
    ) -> Option<Typed> {
        let aggregate = Aggregate::named(&name.text)?;
        let is_hidden = self.is_bound(&name.text) || resolve(self.db, self.file, &name.text).is_some();
        let values: Vec<&'db ast::Expr> =
            receiver.into_iter().chain(args.iter().map(|arg| &arg.value)).collect();
        let is_scalar = matches!(aggregate, Aggregate::Min | Aggregate::Max) && values.len() > 1;
        let is_list = matches!(values.as_slice(), [only] if matches!(only.kind, ExprKind::List(_)));
        if is_hidden || is_scalar || is_list {
            return None;
        }
        match &self.row {
            RowInScope::None => None,
            RowInScope::Unknown if functions::is_builtin(&name.text) => None,
            RowInScope::Unknown => {
                self.check_loose(Vec::new(), args);
                Some(Typed::error(span))
            }
            RowInScope::Row(_) | RowInScope::Aggregated(_) => {
                Some(self.aggregate_of_one_row(aggregate, name, &values, span))
            }
            RowInScope::Group { .. } | RowInScope::Window(_) => {
                if let Some(named) = args.iter().find_map(|arg| arg.name.as_ref()) {
                    let message = format!("`{}` takes its arguments by place, without names", name.text);
                    return Some(self.fail(code::UNKNOWN_ARGUMENT, named.span, message));
                }
                Some(self.aggregate_of_rows(aggregate, name, &values, span))
            }
        }
    }

    fn aggregate_of_rows(
        &mut self,
        aggregate: Aggregate,
        name: &'db ast::Name,
        values: &[&'db ast::Expr],
        span: Span,
    ) -> Typed {
        let is_window = matches!(self.row, RowInScope::Window(_));
        let mut args: Vec<Typed> = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            args.push(match (aggregate, index) {
                (Aggregate::Quantile, 1) => self.share(value),
                _ => self.over_each_row(value),
            });
        }
        let Some(types) = args.iter().map(|arg| arg.ty().cloned()).collect::<Option<Vec<Type>>>() else {
            return Typed::error(span);
        };
        // A list that is known by another name than its elements.
        if matches!(types.as_slice(), [Type::List(_)])
            && let Some(builtin) = functions::list_builtin(&name.text)
        {
            return self.list_function(builtin, &name.text, args, span);
        }
        let result = if is_window { aggregate.result_over_window(&types) } else { aggregate.result(&types) };
        match result {
            Ok(ty) => {
                let stage = args.iter().fold(Stage::Planned, |stage, arg| stage.and(&arg.stage));
                let args = args.into_iter().map(|arg| arg.expr).collect();
                Typed::new(body::ExprKind::Aggregate { function: aggregate, args }, ty, span, stage)
            }
            Err(error) => self.aggregate_error(&error, &args, span),
        }
    }

    /// The argument of an aggregate: an expression over each of the rows.
    fn over_each_row(&mut self, value: &'db ast::Expr) -> Typed {
        // Rows may be wide: the one in scope is lent, not copied.
        let (inner, keys) = match std::mem::replace(&mut self.row, RowInScope::Unknown) {
            RowInScope::Group { row, keys } => (RowInScope::Aggregated(row), Some(keys)),
            RowInScope::Window(row) => (RowInScope::Aggregated(row), None),
            other => (other, None),
        };
        self.row = inner;
        let typed = self.expr(value, None);
        self.row = match (std::mem::replace(&mut self.row, RowInScope::Unknown), keys) {
            (RowInScope::Aggregated(row), Some(keys)) => RowInScope::Group { row, keys },
            (RowInScope::Aggregated(row), None) => RowInScope::Window(row),
            (other, _) => other,
        };
        typed
    }

    /// The share of a quantile: one for all rows.
    fn share(&mut self, value: &'db ast::Expr) -> Typed {
        if let ExprKind::Column(_) = &value.kind {
            let message = "the share of a quantile is one for all rows, as `0.9`";
            return self.fail(code::TYPE_MISMATCH, value.span, message);
        }
        let bound = |bound: f64| Some(Float64(bound));
        let refinement = Refinement::Float { low: bound(0.0), high: bound(1.0), inclusive: true };
        let wanted = Type::Refined { base: Box::new(Type::Float), refinement };
        let outer = std::mem::replace(&mut self.row, RowInScope::None);
        let typed = self.expr_as(value, &wanted);
        let message = "the share of a quantile must be known when the workflow is planned";
        let is_there = typed.ty().is_none()
            || self.require_planned(&typed.stage, value.span, message, "give a literal or a parameter");
        self.row = outer;
        if is_there { typed } else { Typed::error(value.span) }
    }

    fn aggregate_error(&mut self, error: &AggregateError, args: &[Typed], span: Span) -> Typed {
        let at = args.first().map_or(span, Typed::span);
        match error {
            AggregateError::Arity { aggregate, expected, found } => {
                let (low, ..) = aggregate.arity();
                let code = if *found < low { code::MISSING_ARGUMENT } else { code::UNKNOWN_ARGUMENT };
                let example = match aggregate {
                    Aggregate::Quantile => "quantile(.fare, 0.9)".to_owned(),
                    other => format!("{}(.fare)", other.name()),
                };
                let here = match found {
                    0 => "here is none".to_owned(),
                    1 => "here is one".to_owned(),
                    found => format!("here are {found}"),
                };
                let message = format!("`{}` takes {expected}, and {here}", aggregate.name());
                self.report(Diagnostic::error(code, span, message).help(format!("`{example}`")));
                Typed::error(span)
            }
            AggregateError::Argument { aggregate, expected, found } => {
                let message =
                    format!("`{}` takes {expected}, and this is `{}`", aggregate.name(), show(found));
                let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, at, message);
                self.report(match found.present() {
                    Type::Bool | Type::Text if *expected == "numbers" => {
                        diagnostic.help("`float(…)` makes a number of it")
                    }
                    Type::Bool if matches!(aggregate, Aggregate::Min | Aggregate::Max) => {
                        diagnostic.help("whether one holds is `any(…)`, whether all do `all(…)`")
                    }
                    _ => diagnostic,
                });
                Typed::error(span)
            }
            AggregateError::Id { aggregate, found } => self.only_identifies(aggregate.name(), found, at),
        }
    }

    /// An aggregate where one row is in scope; of a list it is none.
    fn aggregate_of_one_row(
        &mut self,
        aggregate: Aggregate,
        name: &'db ast::Name,
        values: &[&'db ast::Expr],
        span: Span,
    ) -> Typed {
        let typed: Vec<Typed> = values.iter().map(|value| self.expr(value, None)).collect();
        if typed.iter().any(|value| value.ty().is_none()) {
            return Typed::error(span);
        }
        if matches!(typed.as_slice(), [list] if matches!(list.ty(), Some(Type::List(_))))
            && let Some(builtin) = functions::list_builtin(&name.text)
        {
            return self.list_function(builtin, &name.text, typed, span);
        }
        let is_nested = matches!(self.row, RowInScope::Aggregated(_));
        let message = format!("`{}` aggregates many rows, and here is one", name.text);
        let help = match (is_nested, aggregate) {
            (true, _) => "aggregates do not nest: group once, then aggregate the groups".to_owned(),
            (_, Aggregate::Min | Aggregate::Max) => {
                format!(
                    "of a row's columns: `{0}(.a, .b)`; of many rows: `.group(.key, most: {0}(.a))`",
                    name.text
                )
            }
            _ => {
                let call = example(aggregate, values.first().copied());
                let column = column_name(aggregate, values.first().copied());
                format!("aggregate groups, `.group(.key, {column}: {call})`, or a row's past, `.window(…)`")
            }
        };
        self.report(Diagnostic::error(code::TYPE_MISMATCH, name.span, message).help(help));
        Typed::error(span)
    }

    /// A column of many rows where one value is needed.
    pub fn many_values(&mut self, name: &ast::Name, span: Span) -> Typed {
        let column = quoted(&name.text);
        let message =
            format!("`.{column}` has one value for each row, and a group needs one for all of them");
        self.report(
            Diagnostic::error(code::TYPE_MISMATCH, span, message)
                .help(format!("aggregate it, `mean(.{column})`, or make it a key: `.group(.{column}, …)`")),
        );
        Typed::error(span)
    }

    /// `rides.sum(.fare)`: a table has no such verb, but aggregates.
    pub fn aggregate_of_table(&mut self, aggregate: Aggregate, name: &ast::Name, args: &'db [ast::Arg]) {
        let value = args.first().map(|arg| &arg.value);
        let column = column_name(aggregate, value);
        let named = format!("{column}: {}", example(aggregate, value));
        let message = format!("a table has no verb `{}`: it is an aggregate", name.text);
        self.report(Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(format!(
            "for each key `.group(.key, {named})`, for all rows `.group({named}).only().{column}`"
        )));
    }

    /// Where aggregates may stand, what they are.
    pub fn list_aggregates(&self, diagnostic: Diagnostic) -> Diagnostic {
        if !self.row.has_aggregates() {
            return diagnostic;
        }
        let names = Aggregate::ALL.iter().map(|aggregate| aggregate.name());
        diagnostic.help(format!("the aggregates are {}", show_columns(names)))
    }

    /// The aggregate that is meant by another library's word.
    pub fn help_aggregate(&self, diagnostic: Diagnostic, name: &ast::Name) -> Option<Diagnostic> {
        let meant = aggregate_for(&name.text).filter(|_| self.row.has_aggregates())?;
        let edit = Edit { span: name.span, text: meant.to_owned() };
        Some(
            diagnostic
                .help(format!("here it is called `{meant}`"))
                .fix(format!("write `{meant}`"), vec![edit]),
        )
    }
}

/// A name for the column that an aggregate gives: `mean_fare`.
pub(crate) fn column_name(aggregate: Aggregate, value: Option<&ast::Expr>) -> String {
    match value.map(|value| &value.kind) {
        Some(ExprKind::Column(column)) if quoted(&column.text) == column.text => {
            format!("{}_{}", aggregate.name(), column.text)
        }
        None if aggregate == Aggregate::Count => "n".to_owned(),
        _ => aggregate.name().to_owned(),
    }
}

fn example(aggregate: Aggregate, value: Option<&ast::Expr>) -> String {
    let column = match value.map(|value| &value.kind) {
        Some(ExprKind::Column(column)) => format!(".{}", quoted(&column.text)),
        None if aggregate == Aggregate::Count => String::new(),
        _ => ".column".to_owned(),
    };
    match aggregate {
        Aggregate::Quantile => format!("quantile({column}, 0.9)"),
        _ => format!("{}({column})", aggregate.name()),
    }
}
