//! Which argument goes to which parameter.

use flow_ir::types::Type;
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Typed};
use crate::{names::did_you_mean, types::show_columns};

/// An argument: what stands before the dot is typed already.
pub(crate) enum Given<'db> {
    Typed(Box<Typed>),
    Expr(&'db ast::Expr),
}

/// What a call gives to each parameter, in the parameters' order.
pub(crate) struct Slots<'db> {
    pub slots: Vec<Option<Given<'db>>>,
    /// The values of `after:`.
    pub after: Vec<&'db ast::Expr>,
}

impl<'db> Given<'db> {
    pub fn span(&self) -> Span {
        match self {
            Self::Typed(typed) => typed.span(),
            Self::Expr(expr) => expr.span,
        }
    }
}

impl<'db> Checker<'db> {
    /// Hands a call's arguments to parameters, given as their names and whether they have a default.
    /// `None` where that went wrong, which is reported; then the arguments are checked for themselves.
    pub fn distribute(
        &mut self,
        callee: &str,
        params: &[(&str, bool)],
        receiver: Option<Typed>,
        args: impl IntoIterator<Item = &'db ast::Arg> + Clone,
        span: Span,
    ) -> Option<Slots<'db>> {
        let mut slots: Vec<Option<Given<'db>>> = params.iter().map(|_| None).collect();
        let mut after = Vec::new();
        let mut is_sound = true;
        let has_receiver = receiver.is_some();
        let positional = args.clone().into_iter().filter(|arg| arg.name.is_none());
        let given = receiver
            .map(|receiver| Given::Typed(Box::new(receiver)))
            .into_iter()
            .chain(positional.map(|arg| Given::Expr(&arg.value)));
        for (index, given) in given.enumerate() {
            let at = given.span();
            match slots.get_mut(index) {
                Some(slot) => *slot = Some(given),
                None => {
                    is_sound = false;
                    self.report(too_many(callee, params, has_receiver, at));
                    break;
                }
            }
        }
        for arg in args.clone() {
            let Some(name) = &arg.name else { continue };
            let position = params.iter().position(|(param, _)| *param == name.text);
            match position.and_then(|position| slots.get_mut(position)) {
                Some(slot @ None) => *slot = Some(Given::Expr(&arg.value)),
                Some(Some(first)) => {
                    is_sound = false;
                    let message = format!("`{}` is given twice to {callee}", name.text);
                    self.report(
                        Diagnostic::error(code::UNKNOWN_ARGUMENT, name.span, message)
                            .label(first.span(), format!("this is `{}` already", name.text)),
                    );
                }
                None if name.text == "after" => after.push(&arg.value),
                None => {
                    is_sound = false;
                    let message = format!("{callee} has no parameter `{}`", name.text);
                    let diagnostic = Diagnostic::error(code::UNKNOWN_ARGUMENT, name.span, message);
                    let known = params.iter().map(|(param, _)| *param);
                    self.report(match last_word_of(&name.text, known.clone()) {
                        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")).fix(
                            format!("write `{meant}`"),
                            vec![Edit { span: name.span, text: meant.to_owned() }],
                        ),
                        None => did_you_mean(diagnostic, &name.text, name.span, known),
                    });
                }
            }
        }
        let missing: Vec<&str> = params
            .iter()
            .zip(&slots)
            .filter(|((_, has_default), slot)| !has_default && slot.is_none())
            .map(|((name, _), _)| *name)
            .collect();
        // A misspelled name leaves its parameter out, too: that is one mistake.
        if is_sound && !missing.is_empty() {
            is_sound = false;
            let message = format!("{callee} needs {}", show_columns(missing.iter().copied()));
            let end = Span::new(span.end.saturating_sub(1).max(span.start), span.end);
            self.report(
                Diagnostic::error(code::MISSING_ARGUMENT, end, message)
                    .help(format!("give it by name: `{}: …`", missing.first().copied().unwrap_or_default())),
            );
        }
        if is_sound {
            return Some(Slots { slots, after });
        }
        self.check_loose(slots, args);
        None
    }

    /// The value of a slot, where `hint` is what its parameter would like.
    pub fn given(&mut self, given: Given<'db>, hint: Option<&Type>) -> Typed {
        match given {
            Given::Typed(typed) => *typed,
            Given::Expr(expr) => self.expr(expr, hint),
        }
    }

    /// Checks the arguments of a call that is wrong, for their own mistakes. What speaks of columns is left
    /// alone, since the row is not known.
    pub fn check_loose(
        &mut self,
        slots: Vec<Option<Given<'db>>>,
        args: impl IntoIterator<Item = &'db ast::Arg>,
    ) {
        drop(slots);
        let row = std::mem::replace(&mut self.row, super::RowInScope::Unknown);
        for arg in args {
            if !matches!(arg.value.kind, ast::ExprKind::Lambda { .. }) {
                let before = self.diagnostics.len();
                self.expr(&arg.value, None);
                // What the parameter would have said is not known.
                let mut index = 0;
                self.diagnostics.retain(|diagnostic| {
                    index += 1;
                    index <= before || diagnostic.code != code::TYPE_MISMATCH
                });
            }
        }
        self.row = row;
    }
}

/// What stands before the dot is no argument to the eye.
fn too_many(callee: &str, params: &[(&str, bool)], has_receiver: bool, at: Span) -> Diagnostic {
    let (first, more) = if has_receiver { (1, " further") } else { (0, "") };
    let params = params.get(first..).unwrap_or_default();
    let message = match params.len() {
        0 => format!("{callee} takes no{more} arguments"),
        1 => format!("{callee} takes one{more} argument"),
        count => format!("{callee} takes at most {count}{more} arguments"),
    };
    let diagnostic = Diagnostic::error(code::UNKNOWN_ARGUMENT, at, message);
    if params.is_empty() {
        return diagnostic;
    }
    diagnostic.help(format!("its parameters are {}", show_columns(params.iter().map(|(name, _)| *name))))
}

/// `depth` for `max_depth`: other libraries qualify what is one word here.
fn last_word_of<'p>(name: &str, mut known: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    let (_, last) = name.rsplit_once('_')?;
    known.find(|param| *param == last)
}
