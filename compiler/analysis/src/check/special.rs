//! The callables of `std` whose calls are typed by rules of their own, because no signature says what they give.

use flow_syntax::{ast, span::Span};

use super::{Checker, Typed, arguments::Given, out_of_fold::out_of_fold, pipeline::pipeline};
use crate::{body, body::ItemRef, db::Item, header::Callable};

/// A call with its arguments in the order of the parameters.
pub(super) struct SpecialCall<'c, 'db> {
    pub item: Item<'db>,
    pub callable: &'c Callable,
    pub slots: Vec<Option<Given<'db>>>,
    pub span: Span,
}

/// The inputs of a node and the type of its value; `None` where the call is wrong, which is reported.
pub(super) type Made = Option<(Vec<(String, body::Expr)>, flow_ir::types::Type)>;

type Rule = for<'c, 'db> fn(&mut Checker<'db>, SpecialCall<'c, 'db>) -> Made;

/// The rule of an operator, where it has one.
pub(super) fn rule(item: &ItemRef) -> Option<Rule> {
    match (item.module.as_str(), item.name.as_str()) {
        ("std.prep", "out_of_fold") => Some(out_of_fold),
        ("std.prep", "pipeline") => Some(pipeline),
        _ => None,
    }
}

impl<'db> Checker<'db> {
    /// The value of a parameter that is a scalar, or its default.
    pub(super) fn scalar_argument(&mut self, call: &mut SpecialCall<'_, 'db>, index: usize) -> Option<Typed> {
        let param = call.callable.params.get(index)?;
        let typed = match call.slots.get_mut(index).and_then(Option::take) {
            None => self.default_argument(call.item, index, call.span),
            Some(given) => {
                let wanted = param.scheme.substitute(&crate::types::Bindings::default()).ok()?;
                let typed = self.given(given, Some(&wanted));
                self.coerce(typed, &wanted, &format!("for `{}`", param.name))
            }
        };
        typed.ty().is_some().then_some(typed)
    }

    /// A lambda as an argument, or the name of one, called with these values; `None` where it is none.
    pub(super) fn call_given_lambda(
        &mut self,
        lambda: &'db ast::Expr,
        values: Vec<Typed>,
        span: Span,
    ) -> Option<Typed> {
        match &lambda.kind {
            ast::ExprKind::Paren(inner) => self.call_given_lambda(inner, values, span),
            ast::ExprKind::Lambda { params, body } => {
                Some(self.call_inline(params, body, self.env.len(), values, span))
            }
            ast::ExprKind::Name(name) => {
                let index = self.look_up(&name.text)?;
                let Some(super::Binding::Lambda { params, body, depth, is_called }) =
                    self.env.get_mut(index).map(|entry| &mut entry.binding)
                else {
                    return None;
                };
                *is_called = true;
                let (params, body, depth) = (*params, *body, *depth);
                Some(self.call_inline(params, body, depth, values, span))
            }
            _ => None,
        }
    }
}
