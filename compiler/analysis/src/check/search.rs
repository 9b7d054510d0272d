//! `search.grid(…)`, `search.random(…)`: lists of records that are known when planned.
//!
//! A grid is written as the loops that it stands for, one in the other, so that the planner needs no rule for it.

use flow_ir::{
    types::{Field, RecordType, Refinement, Type},
    value::Value,
};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Checker, Typed};
use crate::{
    body::{self, Builtin, ExprKind},
    stages::Stage,
    ty::Ty,
    types::show,
};

/// The module whose functions are typed here.
pub(super) const MODULE: &str = "std.search";

/// One name of a grid, with the list that its values come from.
struct Axis {
    name: String,
    list: body::Expr,
    element: Type,
}

impl<'db> Checker<'db> {
    /// A call of one of the module's functions.
    pub(super) fn search(
        &mut self,
        name: &ast::Name,
        receiver: Option<&Typed>,
        args: &'db [ast::Arg],
        span: Span,
    ) -> Typed {
        if let Some(receiver) = receiver {
            let message = format!("`{}` takes its values in parentheses", name.text);
            return self.fail(code::UNKNOWN_ARGUMENT, receiver.span(), message);
        }
        let is_random = name.text == "random";
        let (own, axes): (Vec<&ast::Arg>, Vec<&ast::Arg>) = args.iter().partition(|arg| match &arg.name {
            Some(name) => is_random && matches!(name.text.as_str(), "n" | "seed"),
            None => true,
        });
        let draw = if is_random { self.draw(&own, span) } else { self.no_position(&own) };
        let Some(draw) = draw else { return Typed::error(span) };
        let Some(axes) = self.axes(&name.text, &axes, span) else { return Typed::error(span) };
        let grid = self.grid(axes, span);
        if draw.is_empty() {
            return grid;
        }
        let Typed { expr: grid, stage } = grid;
        let ty = grid.ty.clone();
        let args = std::iter::once(grid).chain(draw).collect();
        let kind = ExprKind::Builtin { builtin: Builtin::Sample, args, policy: Vec::new() };
        Typed { expr: body::Expr { kind, ty, span }, stage }
    }

    /// What decides which points are drawn: how many, and a seed.
    fn draw(&mut self, args: &[&'db ast::Arg], span: Span) -> Option<Vec<body::Expr>> {
        let (mut n, mut seed, mut is_sound) = (None, None, true);
        for (index, arg) in args.iter().enumerate() {
            let is_count = match (&arg.name, index) {
                (Some(name), _) => name.text == "n",
                (None, 0) => true,
                (None, 1) => false,
                (None, _) => return self.no_position(&[*arg]),
            };
            let slot = if is_count { &mut n } else { &mut seed };
            if slot.is_some() {
                is_sound = false;
                self.fail(code::UNKNOWN_ARGUMENT, arg.value.span, "this is given twice to `random`");
                continue;
            }
            let at_least_one = Refinement::Int { low: Some(1), high: None, inclusive: false };
            let count = Type::Refined { base: Box::new(Type::Int), refinement: at_least_one };
            let typed = self.expr_as(&arg.value, if is_count { &count } else { &Type::Int });
            let help = "compute it from literals, parameters and what follows from these";
            let message = "the points must be known when the workflow is planned";
            is_sound &=
                typed.ty().is_some() && self.require_planned(&typed.stage, typed.span(), message, help);
            *slot = Some(typed.expr);
        }
        let Some(n) = n else {
            let end = Span::new(span.end.saturating_sub(1), span.end);
            let diagnostic = Diagnostic::error(code::MISSING_ARGUMENT, end, "`random` needs `n`");
            self.report(
                diagnostic.help("how many points to draw, as in `search.random(20, depth: [4, 6, 8])`"),
            );
            return None;
        };
        let zero = body::Expr { kind: ExprKind::Value(Value::Int(0)), ty: Ty::Ground(Type::Int), span };
        is_sound.then(|| vec![n, seed.unwrap_or(zero)])
    }

    fn no_position(&mut self, args: &[&'db ast::Arg]) -> Option<Vec<body::Expr>> {
        let Some(arg) = args.first() else { return Some(Vec::new()) };
        self.report(
            Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, "the values of a search have names")
                .help("`search.grid(depth: [4, 6], learning_rate: [0.05, 0.1])`"),
        );
        None
    }

    fn axes(&mut self, name: &str, args: &[&'db ast::Arg], span: Span) -> Option<Vec<Axis>> {
        if args.is_empty() {
            let end = Span::new(span.end.saturating_sub(1), span.end);
            let message = format!("`{name}` needs at least one list of values");
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, message).help("`search.grid(depth: [4, 6])`"),
            );
            return None;
        }
        let mut axes: Vec<Axis> = Vec::with_capacity(args.len());
        let mut is_sound = true;
        for arg in args {
            let Some(name) = &arg.name else { continue };
            let list = self.expr(&arg.value, None);
            if axes.iter().any(|axis| axis.name == name.text) {
                is_sound = false;
                let message = format!("`{}` is given twice to this search", name.text);
                self.fail(code::UNKNOWN_ARGUMENT, name.span, message);
                continue;
            }
            let element = match list.ty() {
                None => None,
                Some(Type::List(element)) => Some((**element).clone()),
                Some(other) => {
                    let message = format!(
                        "a search goes through a list of values for `{}`, and this is `{}`",
                        name.text,
                        show(other)
                    );
                    self.report(
                        Diagnostic::error(code::TYPE_MISMATCH, list.span(), message)
                            .help("a list of one is written `[…]`"),
                    );
                    None
                }
            };
            let help = "compute it from literals, parameters and what follows from these";
            let message = "the points must be known when the workflow is planned";
            match element {
                Some(element) if self.require_planned(&list.stage, list.span(), message, help) => {
                    axes.push(Axis { name: name.text.clone(), list: list.expr, element });
                }
                _ => is_sound = false,
            }
        }
        is_sound.then_some(axes)
    }

    /// `for a in … { for b in … { (a: a, b: b) } }`, as one list.
    fn grid(&mut self, axes: Vec<Axis>, span: Span) -> Typed {
        let fields =
            axes.iter().map(|axis| Field { name: axis.name.clone(), ty: axis.element.clone() }).collect();
        let record = Type::Record(RecordType { name: None, fields });
        let local =
            |local: &body::Local| body::Expr { kind: ExprKind::Local(local.id), ty: local.ty.clone(), span };
        let (mut lists, mut values, mut bindings) = (Vec::new(), Vec::new(), Vec::new());
        for axis in axes {
            let list = self.new_local(&axis.name, axis.list.ty.clone());
            lists.push(local(&list));
            bindings.push(body::Binding { pattern: body::Pattern::Local(list), value: axis.list, span });
            values.push(self.new_local(&axis.name, Ty::Ground(axis.element)));
        }
        let point = values.iter().map(|value| (value.name.clone(), local(value))).collect();
        let mut body = body::Expr { kind: ExprKind::Record(point), ty: Ty::Ground(record.clone()), span };
        let points = Type::List(Box::new(record));
        for (depth, (list, value)) in lists.into_iter().zip(values).rev().enumerate() {
            let of = if depth == 0 { points.clone() } else { Type::List(Box::new(points.clone())) };
            let pattern = body::Pattern::Local(value);
            let kind = ExprKind::For { pattern, list: Box::new(list), body: Box::new(body) };
            body = body::Expr { kind, ty: Ty::Ground(of), span };
            if depth > 0 {
                let (builtin, args) = (Builtin::Concat, vec![body]);
                let kind = ExprKind::Builtin { builtin, args, policy: Vec::new() };
                body = body::Expr { kind, ty: Ty::Ground(points.clone()), span };
            }
        }
        let kind = ExprKind::Block { bindings, value: Box::new(body) };
        Typed { expr: body::Expr { kind, ty: Ty::Ground(points), span }, stage: Stage::Planned }
    }
}
