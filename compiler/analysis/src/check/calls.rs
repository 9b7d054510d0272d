//! Calls of operators, fns, workflows and verbs.

use flow_ir::{expr::Aggregate, types::Type};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    Checker, MAX_SUGGESTIONS, Typed,
    special::{self, SpecialCall},
};
use crate::{
    body,
    db::{Item, Keyword, Project},
    header::{Callable, CallableKind, VALUE, callable, is_circular},
    names::{Import, imported_modules, resolve, scope, verbs},
    rows,
    types::{show, unsourced},
};

/// What can be said of a workflow as a whole. It takes no cores or memory itself, and computes nothing to be cached.
const WORKFLOW_KEYS: &[&str] = &["timeout", "retry", "backoff", "on_failure"];

impl<'db> Checker<'db> {
    pub fn call(
        &mut self,
        callee: &'db ast::Expr,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        match &callee.kind {
            ExprKind::Name(name) => {
                if let Some(index) = self.look_up(&name.text) {
                    self.forbid_policy(policy);
                    if matches!(
                        self.env.get(index).map(|entry| &entry.binding),
                        Some(super::Binding::Lambda { .. })
                    ) {
                        return self.call_lambda(index, None, args, expected, span);
                    }
                    self.check_loose(Vec::new(), args);
                    let message = format!("`{}` is a value, and cannot be called", name.text);
                    return self.fail(code::TYPE_MISMATCH, name.span, message);
                }
                match resolve(self.db, self.file, &name.text) {
                    Some(Import::Item(item)) => {
                        self.call_item(item, name, None, args, policy, expected, span)
                    }
                    Some(Import::Broken) => {
                        self.check_loose(Vec::new(), args);
                        Typed::error(span)
                    }
                    Some(Import::Module(_)) => {
                        self.check_loose(Vec::new(), args);
                        self.fail(code::TYPE_MISMATCH, name.span, format!("`{}` is a module", name.text))
                    }
                    None => {
                        if let Some(typed) = self.aggregate(name, None, args, span) {
                            self.forbid_policy(policy);
                            return typed;
                        }
                        if super::testing::is_test_function(&name.text) {
                            self.forbid_policy(policy);
                            return self.test_function(name, args, span);
                        }
                        if super::functions::is_builtin(&name.text) {
                            return self.call_builtin(name, None, args, policy, span);
                        }
                        if let Some(verb) = verbs(self.db).get(&name.text) {
                            return self.call_item(*verb, name, None, args, policy, expected, span);
                        }
                        // It may be a misspelled `plan`.
                        self.may_leave_out = self.context == super::Context::Test;
                        self.check_loose(Vec::new(), args);
                        self.may_leave_out = false;
                        self.unknown_function(name);
                        Typed::error(span)
                    }
                }
            }
            ExprKind::Field { base, name } => {
                if let Some(module) = self.module(base) {
                    return match scope(self.db, module).items.get(&name.text) {
                        Some(item) => self.call_item(*item, name, None, args, policy, expected, span),
                        None => {
                            self.check_loose(Vec::new(), args);
                            self.no_such_item(module, name);
                            Typed::error(span)
                        }
                    };
                }
                self.call_behind_dot(base, name, args, policy, expected, span)
            }
            _ => {
                self.check_loose(Vec::new(), args);
                self.fail(code::TYPE_MISMATCH, callee.span, "this cannot be called")
            }
        }
    }

    /// `call(…) with (cpu: 2)`
    pub fn with(
        &mut self,
        call: &'db ast::Expr,
        policy: &'db [ast::PolicyEntry],
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let mut typed = match &call.kind {
            ExprKind::Call { callee, args } => self.call(callee, args, Some(policy), expected, call.span),
            _ => {
                let typed = self.expr(call, expected);
                self.forbid_policy(Some(policy));
                typed
            }
        };
        typed.expr.span = span;
        typed
    }

    #[expect(clippy::too_many_arguments, reason = "a call has that many parts")]
    pub fn call_item(
        &mut self,
        item: Item<'db>,
        name: &'db ast::Name,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        if verbs(self.db).get(item.name(self.db)) == Some(&item)
            && let Some(rule) = rows::rule(item.name(self.db))
        {
            return self.call_verb(rule, item, name, receiver, args, policy, span);
        }
        let Some(callable) = callable(self.db, item) else {
            self.check_loose(Vec::new(), args);
            if matches!(item.keyword(self.db), Keyword::Fn | Keyword::Operator | Keyword::Workflow) {
                return Typed::error(span);
            }
            let message = format!("`{}` cannot be called", name.text);
            return self.fail(code::TYPE_MISMATCH, name.span, message);
        };
        if callable.kind == CallableKind::Fn && callable.item.module == super::search::MODULE {
            self.forbid_policy(policy);
            return self.search(name, receiver.as_ref(), args, span);
        }
        let is_circular = is_circular(self.db, item);
        let may_leave_out =
            std::mem::take(&mut self.may_leave_out) && callable.kind == CallableKind::Workflow;
        let params: Vec<(&str, bool)> = callable
            .params
            .iter()
            .map(|param| {
                (param.name.as_str(), param.has_default || may_leave_out && param.scheme.is_artifact())
            })
            .collect();
        let Some(slots) = self.distribute(&format!("`{}`", name.text), &params, receiver, args, span) else {
            return Typed::error(span);
        };
        // A type behind the `let` would be this call's, not its arguments'.
        let annotation = self.annotation.take();
        if let Some(rule) = special::rule(&callable.item) {
            let made = rule(self, SpecialCall { item, callable: &callable, slots: slots.slots, span });
            self.annotation = annotation;
            let after = slots.after.into_iter().map(|after| self.expr(after, None).expr).collect();
            let policy = self.call_policy(policy, &callable);
            let Some((inputs, ty)) = made else { return Typed::error(span) };
            let outputs = vec![(VALUE.to_owned(), ty)];
            return self.operator_call(item, inputs, outputs, false, policy, after, span);
        }
        let call = self.bind_arguments(item, &callable, slots.slots, expected, span);
        self.annotation = annotation;
        let after: Vec<body::Expr> =
            slots.after.into_iter().map(|after| self.expr(after, None).expr).collect();
        let policy = self.call_policy(policy, &callable);
        let Some(call) = call else { return Typed::error(span) };
        if is_circular {
            return Typed::error(span);
        }
        match callable.kind {
            CallableKind::Fn => self.finish_fn(item, &callable, call, &after, span),
            CallableKind::Workflow => self.finish_workflow(item, &callable, call, policy, after, span),
            CallableKind::Operator | CallableKind::Verb => {
                self.finish_operator(item, &callable, call, policy, after, span)
            }
        }
    }

    /// A verb whose rows have a rule: behind a table and a dot, or called with the table as an argument.
    #[expect(clippy::too_many_arguments, reason = "a call has that many parts")]
    fn call_verb(
        &mut self,
        rule: rows::Rule,
        item: Item<'db>,
        name: &'db ast::Name,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        span: Span,
    ) -> Typed {
        let (mut args, after): (Vec<&ast::Arg>, Vec<&ast::Arg>) =
            args.iter().partition(|arg| arg.name.as_ref().is_none_or(|name| name.text != "after"));
        let data = match receiver {
            Some(data) => data,
            None => self.table_argument(name, &mut args, span),
        };
        let Some(Type::Dataset(row)) = data.ty().map(unsourced) else {
            self.check_loose(Vec::new(), args.into_iter().chain(after));
            return Typed::error(span);
        };
        let result = rule(self, rows::VerbCall { item, row, data, args, name, span });
        let after = after.into_iter().map(|arg| self.expr(&arg.value, None).expr).collect();
        let policy = policy.map(|policy| self.policy(policy)).unwrap_or_default();
        let Some(rows::VerbResult { inputs, outputs, is_record, stage }) = result else {
            return Typed::error(span);
        };
        let call = self.operator_call(item, inputs, outputs, is_record, policy, after, span);
        if call.ty().is_some() { Typed { stage, ..call } } else { call }
    }

    /// The table of a verb that is called as a function: `data:`, or what comes first. It is taken from the
    /// arguments.
    fn table_argument(&mut self, name: &ast::Name, args: &mut Vec<&'db ast::Arg>, span: Span) -> Typed {
        let is_data = |arg: &&ast::Arg| arg.name.as_ref().is_some_and(|name| name.text == "data");
        let place = args.iter().position(is_data).or_else(|| args.iter().position(|arg| arg.name.is_none()));
        let Some(place) = place else {
            let end = Span::new(span.end.saturating_sub(1).max(span.start), span.end);
            let message = format!("`{}` needs `data`", name.text);
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, message)
                    .help(format!("it is a verb of tables: `table.{}(…)`", name.text)),
            );
            return Typed::error(span);
        };
        let data = self.expr(&args.remove(place).value, None);
        match data.ty() {
            None | Some(Type::Dataset(_)) => data,
            Some(ty) if ty.is_optional() && matches!(ty.present(), Type::Dataset(_)) => {
                self.missing(data.span(), &format!("`{}`", name.text))
            }
            Some(other) => {
                let message = format!("`{}` takes a table first, and this is `{}`", name.text, show(other));
                self.fail(code::TYPE_MISMATCH, data.span(), message)
            }
        }
    }

    fn unknown_function(&mut self, name: &ast::Name) {
        if self.is_told(&name.text) {
            return;
        }
        let message = format!("there is no `{}` here", name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        if Aggregate::named(&name.text).is_some() {
            let help = format!("it is an aggregate: `table.group(.key, {0}: {0}(…))`", name.text);
            self.report(diagnostic.help(help));
            return;
        }
        if let Some(diagnostic) = self.help_aggregate(diagnostic.clone(), name) {
            self.report(diagnostic);
            return;
        }
        if self.told.len() > MAX_SUGGESTIONS {
            self.report(diagnostic);
            return;
        }
        let own = scope(self.db, self.file);
        let is_test = self.context == super::Context::Test;
        let of_tests = super::testing::test_function_names().filter(|_| is_test);
        let mut known: Vec<&str> = super::functions::builtin_names().chain(of_tests).collect();
        if self.row.has_aggregates() {
            known.extend(Aggregate::ALL.iter().map(|aggregate| aggregate.name()));
        }
        known.extend(own.items.keys().map(String::as_str));
        known.extend(own.imports.keys().map(String::as_str));
        known.extend(self.env.iter().map(|entry| entry.name));
        known.extend(verbs(self.db).keys().map(String::as_str));
        known.sort_unstable();
        known.dedup();
        let diagnostic = match flow_syntax::suggest::suggest(&name.text, known.iter().copied()) {
            Some(_) => crate::names::did_you_mean(diagnostic, &name.text, name.span, known),
            None => {
                let helped = self.help_qualified(diagnostic, name);
                if helped.help.is_some() { helped } else { self.list_aggregates(helped) }
            }
        };
        self.report(diagnostic);
    }

    /// `gbdt(…)` for `tree.gbdt(…)`.
    pub fn help_qualified(&self, diagnostic: Diagnostic, name: &ast::Name) -> Diagnostic {
        let is_callable = |file| {
            let item = scope(self.db, file).items.get(&name.text);
            item.is_some_and(|item| callable(self.db, *item).is_some())
        };
        let imported = imported_modules(self.db, self.file).find(|(_, module)| is_callable(*module));
        if let Some((alias, _)) = imported {
            let text = format!("{alias}.{}", name.text);
            return diagnostic
                .help(format!("write `{text}(…)`"))
                .fix(format!("write `{text}`"), vec![Edit { span: name.span, text }]);
        }
        let Some(project) = Project::try_get(self.db) else { return diagnostic };
        match project.standard(self.db).iter().find(|(_, file)| is_callable(**file)) {
            Some((module, _)) => {
                let alias = module.rsplit('.').next().unwrap_or(module);
                diagnostic.help(format!("`use {module}`, and write `{alias}.{}(…)`", name.text))
            }
            None => diagnostic,
        }
    }

    fn call_policy(
        &mut self,
        policy: Option<&'db [ast::PolicyEntry]>,
        callable: &Callable,
    ) -> Vec<(String, body::Expr)> {
        match callable.kind {
            CallableKind::Fn => {
                self.forbid_policy(policy);
                Vec::new()
            }
            CallableKind::Workflow => {
                let entries = policy.unwrap_or_default();
                self.steering_policy(entries, WORKFLOW_KEYS, "of a workflow", |_| None)
            }
            _ => policy.map(|policy| self.policy(policy)).unwrap_or_default(),
        }
    }
}
