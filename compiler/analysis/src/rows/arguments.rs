//! Which argument is which, for verbs whose declarations do not say it all: they take columns one by one, names of
//! columns to be, or keys in several forms.

use flow_ir::{types::Type, value::Value};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::VerbCall;
use crate::{
    body::{Expr, ExprKind},
    check::{Checker, known_value},
    names::did_you_mean,
    ty::Ty,
};

/// The arguments of a verb.
pub(super) struct GivenArguments<'db> {
    /// Those without a name.
    pub positional: Vec<&'db ast::Expr>,
    /// Those with a parameter's name, in the parameters' order.
    pub named: Vec<Option<&'db ast::Arg>>,
    /// Those with another name: the columns that `group` gives.
    pub others: Vec<&'db ast::Arg>,
}

/// What another library calls a parameter, and what it is here.
pub(super) type Alias = (&'static str, &'static str);

impl<'db> Checker<'db> {
    /// Sorts the arguments of a verb; one that is given twice is reported.
    pub(super) fn arguments(&mut self, call: &VerbCall<'db>, params: &[&str]) -> Option<GivenArguments<'db>> {
        let mut arguments = GivenArguments {
            positional: Vec::new(),
            named: params.iter().map(|_| None).collect(),
            others: Vec::new(),
        };
        for arg in &call.args {
            let Some(name) = &arg.name else {
                arguments.positional.push(&arg.value);
                continue;
            };
            let place = params.iter().position(|param| *param == name.text);
            match place.and_then(|place| arguments.named.get_mut(place)) {
                Some(slot @ None) => *slot = Some(arg),
                Some(Some(_)) => {
                    self.given_twice(&name.text, name.span, call);
                    return None;
                }
                None => arguments.others.push(arg),
            }
        }
        Some(arguments)
    }

    /// The arguments of a verb that takes these parameters alone, in this order where they have no names.
    pub(super) fn fixed_arguments(
        &mut self,
        call: &VerbCall<'db>,
        params: &[&str],
        aliases: &[Alias],
    ) -> Option<Vec<Option<&'db ast::Expr>>> {
        let arguments = self.arguments(call, params)?;
        let verb = &call.name.text;
        if let Some(other) = arguments.others.first() {
            self.no_such_parameter(other, params, aliases, verb);
            return None;
        }
        let mut slots: Vec<Option<&'db ast::Expr>> =
            arguments.named.iter().map(|arg| arg.map(|arg| &arg.value)).collect();
        for (index, value) in arguments.positional.into_iter().enumerate() {
            match (slots.get_mut(index), params.get(index)) {
                (Some(slot @ None), _) => *slot = Some(value),
                (Some(Some(_)), Some(param)) => {
                    self.given_twice(param, value.span, call);
                    return None;
                }
                _ => {
                    let params: Vec<String> = params.iter().map(|param| format!("`{param}`")).collect();
                    let message = format!("`{verb}` takes no more than {}", params.join(", "));
                    self.fail(code::UNKNOWN_ARGUMENT, value.span, message);
                    return None;
                }
            }
        }
        Some(slots)
    }

    /// The value of a parameter, or its default.
    pub(super) fn argument_as(
        &mut self,
        given: Option<&'db ast::Expr>,
        ty: &Type,
        default: Value,
        param: &str,
        span: Span,
    ) -> Expr {
        match given {
            Some(expr) => {
                let typed = self.expr(expr, Some(ty));
                self.coerce(typed, ty, &format!("for `{param}`")).expr
            }
            None => Expr { kind: ExprKind::Value(default), ty: Ty::Ground(ty.clone()), span },
        }
    }

    /// A parameter that says how far back rows are looked at; `none` for without end.
    pub(super) fn length_of_time(
        &mut self,
        given: Option<&'db ast::Expr>,
        param: &str,
        span: Span,
    ) -> Option<Expr> {
        let value = self.argument_as(given, &Type::Duration.optional(), Value::None, param, span);
        value.ty.ground()?;
        match known_value(&value) {
            Some(Value::Duration(length)) if length <= 0 => {
                let message = format!("`{param}` is how far back to look, and so more than nothing");
                self.fail(code::OUT_OF_RANGE, value.span, message);
                None
            }
            _ => Some(value),
        }
    }

    /// Reports a name that is none of a verb's parameters.
    pub(super) fn no_such_parameter(
        &mut self,
        arg: &ast::Arg,
        params: &[&str],
        aliases: &[Alias],
        verb: &str,
    ) {
        let Some(name) = &arg.name else { return };
        let message = format!("`{verb}` has no parameter `{}`", name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_ARGUMENT, name.span, message);
        self.report(match aliases.iter().find(|(other, _)| *other == name.text) {
            Some((_, param)) => {
                let edit = Edit { span: name.span, text: (*param).to_owned() };
                diagnostic
                    .help(format!("here it is called `{param}`"))
                    .fix(format!("write `{param}`"), vec![edit])
            }
            None => did_you_mean(diagnostic, &name.text, name.span, params.iter().copied()),
        });
    }

    /// Reports an argument that a verb cannot do without.
    pub(super) fn needs(&mut self, call: &VerbCall<'db>, what: &str, help: impl Into<String>) {
        let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
        let message = format!("`{}` needs {what}", call.name.text);
        self.report(Diagnostic::error(code::MISSING_ARGUMENT, end, message).help(help));
    }

    /// The columns that a verb's arguments name: `.a, .b`, or `columns: [.a, .b]`.
    pub(super) fn columns_named(&mut self, call: &VerbCall<'db>) -> Option<Vec<String>> {
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

    fn given_twice(&mut self, param: &str, span: Span, call: &VerbCall<'db>) {
        let message = format!("`{param}` is given twice to `{}`", call.name.text);
        self.fail(code::UNKNOWN_ARGUMENT, span, message);
    }
}
