//! `plan(workflow(…))`, `simulate(workflow(…), fail: …)`, `run(workflow(…))`.

use flow_ir::{types::Type, value::Value};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::known::{TestType, seen};
use crate::{
    body::{self, ExprKind, TestFunction},
    check::{Checker, Context, Given, Typed},
    names::did_you_mean,
    stages::Stage,
    ty::Ty,
    types::show,
};

/// Names, each with whether it may be left out.
type Params = &'static [(&'static str, bool)];

const FUNCTIONS: [(&str, TestFunction, Params); 3] = [
    ("plan", TestFunction::Plan, &[("workflow", false)]),
    (
        "simulate",
        TestFunction::Simulate,
        &[
            ("workflow", false),
            ("fail", true),
            ("slow", true),
            ("choose", true),
            ("cores", true),
            ("memory", true),
        ],
    ),
    ("run", TestFunction::Run, &[("workflow", false)]),
];

/// A field of what `fail`, `slow` and `choose` list: its name, its type, and whether it must be there.
type Setting = (&'static str, Type, bool);

pub(in crate::check) fn is_test_function(name: &str) -> bool {
    test_function_names().any(|function| function == name)
}

pub(in crate::check) fn test_function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, ..)| *name)
}

impl<'db> Checker<'db> {
    pub(in crate::check) fn test_function(
        &mut self,
        name: &'db ast::Name,
        args: &'db [ast::Arg],
        span: Span,
    ) -> Typed {
        let Some((_, function, params)) = FUNCTIONS.iter().find(|(known, ..)| *known == name.text) else {
            return Typed::error(span);
        };
        if self.context != Context::Test {
            self.may_leave_out = true;
            self.check_loose(Vec::new(), args);
            self.may_leave_out = false;
            if !self.is_told(&name.text) {
                let message = format!("`{}` serves in tests alone", name.text);
                self.report(
                    Diagnostic::error(code::UNKNOWN_NAME, name.span, message)
                        .help(format!("`test \"…\" {{ let x = {}(workflow()) }}`", name.text)),
                );
            }
            return Typed::error(span);
        }
        let Some(slots) = self.distribute(&format!("`{}`", name.text), params, None, args, span) else {
            return Typed::error(span);
        };
        if let Some(after) = slots.after.first() {
            let message = format!("`{}` is no node: nothing can come `after:` it", name.text);
            self.fail(code::UNKNOWN_ARGUMENT, after.span, message);
        }
        let mut slots = slots.slots.into_iter();
        let Some(workflow) = slots.next().flatten() else { return Typed::error(span) };
        let workflow = self.workflow_argument(&name.text, *function, workflow);
        let mut values = vec![workflow];
        for ((param, _), slot) in params.iter().skip(1).zip(slots) {
            values.push(self.simulation_argument(param, slot, span));
        }
        if values.iter().any(|value| value.ty().is_none()) {
            return Typed::error(span);
        }
        let ty = match function {
            TestFunction::Plan => TestType::Dag.ty(),
            TestFunction::Simulate => TestType::Outcome.ty(),
            _ => match values.first().and_then(Typed::ty) {
                Some(outputs) => seen(outputs),
                None => return Typed::error(span),
            },
        };
        let args = values.into_iter().map(|value| value.expr).collect();
        Typed::new(ExprKind::Test { function: *function, args }, ty, span, Stage::Planned)
    }

    /// The call of a workflow. What is not run needs no tables.
    fn workflow_argument(&mut self, name: &str, function: TestFunction, given: Given<'db>) -> Typed {
        let outer = std::mem::replace(&mut self.may_leave_out, function != TestFunction::Run);
        let typed = self.given(given, None);
        self.may_leave_out = outer;
        if typed.ty().is_none() || is_workflow_call(&typed.expr) {
            return typed;
        }
        self.report(
            Diagnostic::error(
                code::TYPE_MISMATCH,
                typed.span(),
                format!("`{name}` takes the call of a workflow"),
            )
            .help(format!("`{name}(workflow(…))`")),
        );
        Typed::error(typed.span())
    }

    fn simulation_argument(&mut self, param: &str, given: Option<Given<'db>>, span: Span) -> Typed {
        let node = ("node", Type::Text, true);
        let Some(given) = given else {
            let none = Typed::new(ExprKind::Value(Value::None), Type::Nothing, span, Stage::Planned);
            return none;
        };
        let typed = match param {
            "fail" => self.settings(param, given, &[node, ("times", Type::Int, false)]),
            "slow" => self.settings(param, given, &[node, ("time", Type::Duration, true)]),
            "choose" => {
                self.settings(param, given, &[node, ("arm", Type::Text, false), ("times", Type::Int, false)])
            }
            _ => {
                let wanted = if param == "cores" { Type::Int } else { Type::Size };
                let typed = self.given(given, Some(&wanted));
                self.coerce(typed, &wanted, &format!("for `{param}`"))
            }
        };
        self.known_in_test(typed)
    }

    /// What a test is told must be known while nothing runs.
    pub(super) fn known_in_test(&mut self, typed: Typed) -> Typed {
        if typed.ty().is_none() || typed.stage.is_planned() {
            return typed;
        }
        let message = "this is known only when a workflow runs, and is needed by a test";
        self.fail(code::KNOWN_TOO_LATE, typed.span(), message)
    }

    /// A list of records, each of which speaks of a node. Written out, their fields may differ.
    fn settings(&mut self, param: &str, given: Given<'db>, fields: &[Setting]) -> Typed {
        let span = given.span();
        let Given::Expr(ast::Expr { kind: ast::ExprKind::List(items), .. }) = given else {
            let typed = self.given(given, None);
            let Some(ty) = typed.ty() else { return typed };
            return match ty.clone() {
                Type::List(element) if self.is_setting(param, &element, span, fields) => typed,
                Type::List(_) => Typed::error(span),
                other => {
                    let message =
                        format!("`{param}` lists what it says of nodes, and this is `{}`", show(&other));
                    self.fail(code::TYPE_MISMATCH, span, message)
                }
            };
        };
        let (mut values, mut is_sound, mut stage) = (Vec::with_capacity(items.len()), true, Stage::Planned);
        for item in items {
            let typed = self.expr(item, None);
            is_sound &= typed.ty().cloned().is_some_and(|ty| {
                self.check_arm(&typed.expr) && self.is_setting(param, &ty, item.span, fields)
            });
            stage = stage.and(&typed.stage);
            values.push(typed.expr);
        }
        if !is_sound {
            return Typed::error(span);
        }
        Typed::new(ExprKind::List(values), Type::List(Box::new(Type::Nothing)), span, stage)
    }

    fn is_setting(&mut self, param: &str, ty: &Type, span: Span, fields: &[Setting]) -> bool {
        let Type::Record(record) = ty else {
            let message =
                format!("`{param}` says of each node what becomes of it, and this is `{}`", show(ty));
            let names: Vec<String> = fields.iter().map(|(name, ..)| format!("{name}: …")).collect();
            self.report(
                Diagnostic::error(code::TYPE_MISMATCH, span, message)
                    .help(format!("it is a record: `({})`", names.join(", "))),
            );
            return false;
        };
        for field in &record.fields {
            let Some((_, wanted, _)) = fields.iter().find(|(name, ..)| *name == field.name) else {
                let message = format!("`{param}` knows no `{}`", field.name);
                let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, span, message);
                let names = fields.iter().map(|(name, ..)| *name);
                // The place is the record's: its field cannot be mended from here.
                self.report(Diagnostic { fix: None, ..did_you_mean(diagnostic, &field.name, span, names) });
                return false;
            };
            if crate::types::fits(&field.ty, wanted).is_err() {
                let message = format!(
                    "`{}` is wanted for `{}`, and this is `{}`",
                    show(wanted),
                    field.name,
                    show(&field.ty)
                );
                self.fail(code::TYPE_MISMATCH, span, message);
                return false;
            }
        }
        if let Some((lacking, ..)) =
            fields.iter().find(|(name, _, is_needed)| *is_needed && record.field(name).is_none())
        {
            self.fail(code::MISSING_ARGUMENT, span, format!("`{param}` needs `{lacking}` of each node"));
            return false;
        }
        true
    }

    /// `arm: "then"`, where it is written out.
    fn check_arm(&mut self, setting: &body::Expr) -> bool {
        let ExprKind::Record(fields) = &setting.kind else { return true };
        let Some((_, arm)) = fields.iter().find(|(name, _)| name == "arm") else { return true };
        match crate::check::known_value(arm) {
            Some(Value::Text(word)) if !matches!(word.as_str(), "then" | "else") => {
                let message = format!("`run if` has no arm `{word}`");
                self.report(
                    Diagnostic::error(code::OUT_OF_RANGE, arm.span, message)
                        .help("its arms are called `then` and `else`"),
                );
                false
            }
            _ => arm.ty != Ty::Error,
        }
    }
}

/// A call of a workflow, or of a lambda whose value is one.
fn is_workflow_call(expr: &body::Expr) -> bool {
    match &expr.kind {
        ExprKind::CallWorkflow { .. } => true,
        ExprKind::Block { value, .. } => is_workflow_call(value),
        _ => false,
    }
}
