//! Calls of lambdas: the body is checked anew, in the scope that it was written in.

use flow_ir::types::Type;
use flow_syntax::{ast, diagnostic::code, span::Span};

use super::{Binding, Checker, EntryKind, RowInScope, Typed};
use crate::{body, stack::with_stack, stages::Stage, ty::Ty};

impl<'db> Checker<'db> {
    /// A call of the lambda at this place of the scope.
    pub fn call_lambda(
        &mut self,
        index: usize,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let Some(Binding::Lambda { params, body, depth, is_called }) =
            self.env.get_mut(index).map(|entry| &mut entry.binding)
        else {
            return Typed::error(span);
        };
        *is_called = true;
        let (params, body, depth) = (*params, *body, *depth);
        if !self.count_expansion(span) {
            return Typed::error(span);
        }
        let names: Vec<(&str, bool)> = params.iter().map(|name| (name.text.as_str(), false)).collect();
        let Some(slots) = self.distribute("this lambda", &names, receiver, args, span) else {
            return Typed::error(span);
        };
        let mut values = Vec::with_capacity(params.len());
        for slot in slots.slots {
            let Some(slot) = slot else { return Typed::error(span) };
            values.push(self.given(slot, None));
        }
        if let Some(after) = slots.after.first() {
            self.fail(
                code::UNKNOWN_ARGUMENT,
                after.span,
                "a lambda is no node: nothing can come `after:` it",
            );
        }
        self.inline(params, body, depth, values, expected, span)
    }

    /// Checks the body of a lambda that nobody calls, so that its mistakes are told.
    pub fn check_uncalled(&mut self, params: &'db [ast::Name], body: &'db ast::Expr, depth: usize) {
        let values = params.iter().map(|param| Typed::error(param.span)).collect();
        let row = std::mem::replace(&mut self.row, RowInScope::Unknown);
        self.inline(params, body, depth, values, None, body.span);
        self.row = row;
    }

    /// Calls a lambda with values that no argument holds.
    pub fn call_inline(
        &mut self,
        params: &'db [ast::Name],
        body: &'db ast::Expr,
        depth: usize,
        values: Vec<Typed>,
        span: Span,
    ) -> Typed {
        if !self.count_expansion(span) {
            return Typed::error(span);
        }
        if params.len() != values.len() {
            let wants = if values.len() == 1 {
                "one parameter".to_owned()
            } else {
                format!("{} parameters", values.len())
            };
            return self.fail(
                code::TYPE_MISMATCH,
                span,
                format!("a lambda of {wants} is wanted here, and this has {}", params.len()),
            );
        }
        self.inline(params, body, depth, values, None, span)
    }

    fn inline(
        &mut self,
        params: &'db [ast::Name],
        body: &'db ast::Expr,
        depth: usize,
        values: Vec<Typed>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let inner = self.hide(depth);
        let mut bindings = Vec::with_capacity(params.len());
        for (param, Typed { expr: value, stage }) in params.iter().zip(values) {
            let ty: Ty = value.ty.clone();
            let local = self.new_local(&param.text, ty.clone());
            self.note_length(local.id, &value);
            self.bind(param, Binding::Local { id: local.id, ty, stage }, EntryKind::Param);
            bindings.push(body::Binding { pattern: body::Pattern::Local(local), value, span });
        }
        self.nested += 1;
        let value = with_stack(|| self.expr(body, expected));
        self.nested -= 1;
        self.leave_scope(depth);
        self.show(inner);
        let ty = value.expr.ty.clone();
        let stage: Stage = value.stage;
        if bindings.is_empty() {
            return Typed { expr: value.expr, stage };
        }
        let kind = body::ExprKind::Block { bindings, value: Box::new(value.expr) };
        Typed { expr: body::Expr { kind, ty, span }, stage }
    }
}
