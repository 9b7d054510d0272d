//! `for`, `run for` and `run while`.

use flow_ir::types::Type;
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Binding, Checker, EntryKind, Typed};
use crate::{body, stages::Stage, ty::Ty, types::show};

impl<'db> Checker<'db> {
    pub fn for_each(
        &mut self,
        pattern: &'db ast::Pattern,
        list: &'db ast::Expr,
        body: &'db ast::Block,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let list = self.looped(list);
        let element = self.element_type(&list, "`for`");
        let is_there = match element.ground() {
            Some(_) if !list.stage.has_known_shape() && !self.decides_later() => {
                let start = Span::new(span.start, span.start);
                let end = Span::new(list.span().end, list.span().end);
                let message =
                    "`for` is decided when the workflow is planned, and this list is known only when it runs";
                self.report(
                    Diagnostic::error(code::KNOWN_TOO_LATE, list.span(), message)
                        .help("make nodes while it runs: `run for … in … max 100 { … }`")
                        .fix(
                            "write `run for … max 100`",
                            vec![
                                Edit { span: start, text: "run ".to_owned() },
                                Edit { span: end, text: " max 100".to_owned() },
                            ],
                        ),
                );
                false
            }
            Some(_) => true,
            None => false,
        };
        let outer = self.env.len();
        let pattern = self.pattern(pattern, &element, &list.stage.element(), EntryKind::Param);
        if let Some(pattern) = &pattern {
            self.note_turns(pattern, &list.expr);
        }
        let wanted = element_of(expected);
        let value = self.block(body, wanted.as_ref());
        self.leave_scope(outer);
        let (Some(pattern), Some(ty), Ty::Ground(_), true) = (pattern, value.ty(), &element, is_there) else {
            return Typed::error(span);
        };
        let ty = Type::List(Box::new(ty.clone()));
        let stage = Stage::list(value.stage);
        let kind = body::ExprKind::For { pattern, list: Box::new(list.expr), body: Box::new(value.expr) };
        Typed::new(kind, ty, span, stage)
    }

    pub fn run_for(
        &mut self,
        pattern: &'db ast::Pattern,
        list: &'db ast::Expr,
        max: Option<&'db ast::Expr>,
        body: &'db ast::Block,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let end = list.span.end;
        let list = self.looped(list);
        let max = self.required_max(max, "`run for`", end);
        let element = self.element_type(&list, "`run for`");
        let outer = self.env.len();
        let pattern = self.pattern(pattern, &element, &Stage::Run, EntryKind::Param);
        let value = self.block(body, element_of(expected).as_ref());
        self.leave_scope(outer);
        let (Some(pattern), Some(ty), Ty::Ground(_)) = (pattern, value.ty(), &element) else {
            return Typed::error(span);
        };
        let ty = Type::List(Box::new(ty.clone()));
        let kind = body::ExprKind::RunFor {
            pattern,
            list: Box::new(list.expr),
            max: max.map(|max| Box::new(max.expr)),
            body: Box::new(value.expr),
        };
        Typed::new(kind, ty, span, Stage::Run)
    }

    pub fn run_while(
        &mut self,
        condition: &'db ast::Expr,
        state: &'db ast::Name,
        start: &'db ast::Expr,
        max: Option<&'db ast::Expr>,
        body: &'db ast::Block,
        span: Span,
    ) -> Typed {
        let end = start.span.end;
        let start = self.expr(start, None);
        let max = self.required_max(max, "`run while`", end);
        let outer = self.env.len();
        let local = self.new_local(&state.text, start.expr.ty.clone());
        let binding = Binding::Local { id: local.id, ty: start.expr.ty.clone(), stage: Stage::Run };
        self.bind(state, binding, EntryKind::Param);
        let condition = self.predicate(condition, "`run while`");
        let next = self.block(body, start.ty().cloned().as_ref());
        self.leave_scope(outer);
        let Some(ty) = start.ty().cloned() else { return Typed::error(span) };
        let next = self.coerce(next, &ty, "as the next state");
        if condition.ty().is_none() || next.ty().is_none() {
            return Typed::error(span);
        }
        let kind = body::ExprKind::RunWhile {
            condition: Box::new(condition.expr),
            state: local,
            start: Box::new(start.expr),
            max: max.map(|max| Box::new(max.expr)),
            body: Box::new(next.expr),
        };
        Typed::new(kind, ty, span, Stage::Run)
    }

    /// What bounds a loop that nothing else bounds before it runs.
    fn required_max(&mut self, max: Option<&'db ast::Expr>, user: &str, end: u32) -> Option<Typed> {
        if max.is_none() {
            let at = Span::new(end.saturating_sub(1), end);
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, at, format!("{user} needs `max`"))
                    .help("how many times at most: `max 100`")
                    .fix(
                        "add `max 100`",
                        vec![Edit { span: Span::new(end, end), text: " max 100".to_owned() }],
                    ),
            );
        }
        max.map(|max| self.max(max))
    }

    fn max(&mut self, max: &'db ast::Expr) -> Typed {
        let max = self.expr_as(max, &Type::Int);
        self.require_planned(
            &max.stage,
            max.span(),
            "`max` must be known when the workflow is planned",
            "give a number",
        );
        max
    }

    fn looped(&mut self, list: &'db ast::Expr) -> Typed {
        match &list.kind {
            ast::ExprKind::Range { low, high, inclusive } => {
                self.range_of_loop(low, high, *inclusive, list.span)
            }
            _ => self.expr(list, None),
        }
    }

    fn element_type(&mut self, list: &Typed, user: &str) -> Ty {
        match list.ty() {
            Some(Type::List(element)) => Ty::Ground((**element).clone()),
            Some(ty) if ty.is_optional() && matches!(ty.present(), Type::List(_)) => {
                self.missing(list.span(), user);
                Ty::Error
            }
            Some(other) => {
                let message = format!("{user} runs over a list, and this is `{}`", show(other));
                self.fail(code::TYPE_MISMATCH, list.span(), message);
                Ty::Error
            }
            None => Ty::Error,
        }
    }
}

fn element_of(expected: Option<&Type>) -> Option<Type> {
    match expected?.present() {
        Type::List(element) => Some((**element).clone()),
        _ => None,
    }
}
