//! `wait(2h, value)`, `wait_for("approved", value, timeout: 2d)`, `pass(a, b)`: nodes of the language's own, that
//! compute nothing.

use flow_ir::{
    types::{Field, RecordType, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Checker, Given, RowInScope, Typed};
use crate::{
    body::{self, Builtin},
    stages::Stage,
    ty::Ty,
};

/// What can be said of waiting for a signal: its `timeout` is an argument, and nothing else of it can fail.
const SIGNAL_KEYS: &[&str] = &["on_failure"];

impl<'db> Checker<'db> {
    pub fn node_function(
        &mut self,
        name: &str,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        span: Span,
    ) -> Typed {
        let mut typed = match name {
            "pass" => self.pass(receiver, args, span),
            "wait" => {
                let params = [("time", false), ("value", false)];
                self.wait(Builtin::Wait, &params, &Type::Duration, receiver, args, span)
            }
            _ => {
                let params = [("signal", false), ("value", false), ("timeout", true)];
                self.wait(Builtin::WaitFor, &params, &Type::Text, receiver, args, span)
            }
        };
        let entries = self.waiting_policy(name, policy);
        if let body::ExprKind::Builtin { policy, .. } = &mut typed.expr.kind {
            *policy = entries;
        }
        if typed.ty().is_some() && !matches!(self.row, RowInScope::None) {
            return self.fail(
                code::TYPE_MISMATCH,
                span,
                format!("`{name}` makes a node: it cannot be called for each row"),
            );
        }
        typed
    }

    fn waiting_policy(
        &mut self,
        name: &str,
        policy: Option<&'db [ast::PolicyEntry]>,
    ) -> Vec<(String, body::Expr)> {
        match (name, policy) {
            ("wait_for", Some(entries)) => {
                self.steering_policy(entries, SIGNAL_KEYS, "of `wait_for`", |key| match key {
                    "timeout" => Some("give it as an argument: `wait_for(signal, value, timeout: 2d)`"),
                    _ => None,
                })
            }
            (_, Some([first, ..])) => {
                let message = format!("`{name}` takes no `with (…)`: it computes nothing, and cannot fail");
                self.fail(code::BAD_POLICY, first.key.span, message);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What is waited for comes first, and decides with the timeout when the value goes on.
    fn wait(
        &mut self,
        builtin: Builtin,
        params: &[(&str, bool)],
        wanted: &Type,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        span: Span,
    ) -> Typed {
        let name = if builtin == Builtin::Wait { "`wait`" } else { "`wait_for`" };
        let Some(slots) = self.distribute(name, params, receiver, args, span) else {
            return Typed::error(span);
        };
        if let Some(after) = slots.after.first() {
            let message = format!("{name} waits for its value: nothing else can come `after:` it");
            self.report(
                Diagnostic::error(code::UNKNOWN_ARGUMENT, after.span, message)
                    .help("`pass(…)` waits for several values"),
            );
        }
        let what = params.first().map(|(name, _)| *name).unwrap_or_default();
        let mut slots = slots.slots.into_iter().flatten();
        let (Some(first), Some(value)) = (slots.next(), slots.next()) else { return Typed::error(span) };
        let first = self.known_when_planned(first, what, wanted);
        let value = self.given(value, None);
        let timeout = match slots.next() {
            Some(timeout) => Some(self.known_when_planned(timeout, "timeout", &Type::Duration)),
            None if builtin == Builtin::WaitFor => {
                let none = body::ExprKind::Value(Value::None);
                Some(Typed::new(none, Type::Duration.optional(), span, Stage::Planned))
            }
            None => None,
        };
        let args: Vec<Typed> = [first, value].into_iter().chain(timeout).collect();
        if args.iter().any(|arg| arg.ty().is_none()) {
            return Typed::error(span);
        }
        let Some(ty) = args.get(1).and_then(Typed::ty).cloned() else { return Typed::error(span) };
        let args = args.into_iter().map(|arg| arg.expr).collect();
        Typed::new(body::ExprKind::Builtin { builtin, args, policy: Vec::new() }, ty, span, Stage::Run)
    }

    /// When a node waits, and for what, is part of the plan.
    fn known_when_planned(&mut self, given: Given<'db>, what: &str, wanted: &Type) -> Typed {
        let typed = self.given(given, Some(wanted));
        let typed = self.coerce(typed, wanted, &format!("for `{what}`"));
        let message = "what is waited for must be known when the workflow is planned";
        let help = "compute it from literals, parameters and what follows from these";
        if typed.ty().is_some() && !self.require_planned(&typed.stage, typed.span(), message, help) {
            return Typed::error(typed.span());
        }
        typed
    }

    /// A barrier: the record of its arguments, once all are there.
    fn pass(&mut self, receiver: Option<Typed>, args: &'db [ast::Arg], span: Span) -> Typed {
        if let Some(receiver) = receiver {
            let message = "`pass` takes its values in parentheses: `pass(a, b)`";
            return self.fail(code::UNKNOWN_ARGUMENT, receiver.span(), message);
        }
        if args.is_empty() {
            return self.fail(code::MISSING_ARGUMENT, span, "`pass` needs at least one value");
        }
        let (mut fields, mut values, mut is_sound) = (Vec::<Field>::new(), Vec::new(), true);
        for arg in args {
            let value = self.expr(&arg.value, None);
            let name = match (&arg.name, &arg.value.kind) {
                (Some(name), _) | (None, ExprKind::Name(name)) => name,
                _ => {
                    is_sound = false;
                    let message = "this needs a name: `pass` gives a record of its values";
                    self.report(
                        Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, message)
                            .help("write `pass(name: …)`"),
                    );
                    continue;
                }
            };
            if fields.iter().any(|field| field.name == name.text) {
                is_sound = false;
                self.fail(
                    code::UNKNOWN_ARGUMENT,
                    name.span,
                    format!("`{}` is given twice to `pass`", name.text),
                );
                continue;
            }
            match value.ty() {
                Some(ty) => fields.push(Field { name: name.text.clone(), ty: ty.clone() }),
                None => is_sound = false,
            }
            values.push((name.text.clone(), value.expr));
        }
        if !is_sound {
            return Typed::error(span);
        }
        let ty = Type::Record(RecordType { name: None, fields });
        let record = body::Expr { kind: body::ExprKind::Record(values), ty: Ty::Ground(ty.clone()), span };
        let (builtin, args) = (Builtin::Pass, vec![record]);
        let kind = body::ExprKind::Builtin { builtin, args, policy: Vec::new() };
        Typed::new(kind, ty, span, Stage::Run)
    }
}
