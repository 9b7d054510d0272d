//! How a call's arguments fit its parameters and decide its variables.

use flow_ir::{types::Type, value::Value};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Given, Typed, defaults, known_value};
use crate::{
    body,
    db::Item,
    header::{Callable, Param},
    names::quoted,
    stages::Stage,
    ty::Ty,
    types::{Bindings, Bound, RowScheme, Scheme, Unknown, show, unsourced, written_lines},
};

/// A call whose arguments are typed and whose variables are decided as far as the arguments go.
pub(crate) struct Call {
    pub args: Vec<(String, Typed)>,
    /// The parameters that are left to their default.
    pub defaults: Vec<String>,
    pub bindings: Bindings,
    /// What the place of the call would like.
    pub hints: Bindings,
}

impl Call {
    pub(super) fn type_args(&self, callable: &Callable) -> Vec<Ty> {
        let arg = |generic: &crate::header::Generic| match self.bindings.vars.get(&generic.name) {
            Some(Bound::Type(ty)) => Ty::Ground(ty.clone()),
            Some(Bound::Row(row)) => Ty::Ground(Type::Dataset(row.clone())),
            Some(Bound::Error) | None => Ty::Error,
        };
        callable.generics.iter().map(arg).collect()
    }

    pub(super) fn stage(&self) -> Stage {
        self.args.iter().fold(Stage::Planned, |stage, (_, typed)| stage.and(&typed.stage))
    }
}

impl<'db> Checker<'db> {
    /// Types the arguments of a call and decides its variables.
    pub(crate) fn bind_arguments(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        slots: Vec<Option<Given<'db>>>,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Call> {
        if self.report_columns_first(callable, &slots) {
            return None;
        }
        let mut hints = Bindings::default();
        if let (Some(expected), [output], false) = (expected, callable.outputs.as_slice(), callable.is_record)
        {
            output.scheme.infer(expected, &mut hints);
        }
        let mut bindings = Bindings::default();
        let mut given: Vec<Option<Typed>> = Vec::with_capacity(slots.len());
        let mut is_sound = true;
        for (param, slot) in callable.params.iter().zip(slots) {
            let typed = self.argument(callable, param, slot, &mut bindings, &hints, span);
            is_sound &= typed.as_ref().is_none_or(|typed| typed.ty().is_some());
            given.push(typed);
        }
        if !is_sound {
            return None;
        }
        infer_from_tables_first(callable, &given, &mut bindings);
        if self.report_swapped(callable, &given) {
            return None;
        }
        self.check_bounds(callable, &given, &bindings)?;
        let mut args = Vec::with_capacity(given.len());
        let mut defaults = Vec::new();
        for (index, (param, typed)) in callable.params.iter().zip(given).enumerate() {
            let typed = match typed {
                Some(typed) => self.fit_argument(callable, param, typed, &bindings),
                // A test left it out.
                None if !param.has_default => continue,
                None => {
                    defaults.push(param.name.clone());
                    self.default_argument(item, index, span)
                }
            };
            is_sound &= typed.ty().is_some();
            if let Some(value @ (Value::Int(_) | Value::Text(_))) = known_value(&typed.expr) {
                bindings.values.insert(param.name.clone(), value);
            }
            args.push((param.name.clone(), typed));
        }
        is_sound.then_some(Call { args, defaults, bindings, hints })
    }

    /// One argument; `None` for one that the call leaves to its default.
    fn argument(
        &mut self,
        callable: &Callable,
        param: &Param,
        slot: Option<Given<'db>>,
        bindings: &mut Bindings,
        hints: &Bindings,
        span: Span,
    ) -> Option<Typed> {
        let (scheme, is_optional) = match &param.scheme {
            Scheme::Optional(inner) => (&**inner, true),
            scheme => (scheme, false),
        };
        let is_none =
            matches!(&slot, Some(Given::Expr(ast::Expr { kind: ExprKind::Literal(ast::Literal::None), .. })));
        let is_left_out = slot.is_none() || is_none;
        Some(match (scheme, slot) {
            (Scheme::List(of), _) if is_optional && is_left_out && matches!(**of, Scheme::Column { .. }) => {
                self.left_out_columns(callable, of, &param.name, bindings, span)
            }
            (_, None) => return None,
            (_, Some(slot)) if is_optional && is_none => self.given(slot, None),
            (Scheme::Column { .. }, Some(slot)) => self.column_argument(scheme, slot, &param.name, bindings),
            (Scheme::List(of), Some(slot)) if matches!(**of, Scheme::Column { .. }) => {
                self.columns_argument(of, slot, &param.name, bindings)
            }
            (_, Some(slot)) => self.plain_argument(&param.scheme, slot, bindings, hints),
        })
    }

    fn plain_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        bindings: &mut Bindings,
        hints: &Bindings,
    ) -> Typed {
        if let Some(row) = scheme.lines(hints) {
            // The place of the call says what the columns mean, the records what they hold.
            let typed = self.lines(slot, &row);
            if let Scheme::List(element) = scheme
                && let Scheme::Var(name) = &**element
            {
                bindings.vars.insert(name.clone(), Bound::Row(row));
            }
            return typed;
        }
        let hint = scheme.substitute(bindings).or_else(|_| scheme.substitute(&merged(bindings, hints)));
        let outer = self.is_wanted_hidden;
        self.is_wanted_hidden |= hint == Err(Unknown::Error);
        let typed = self.given(slot, hint.ok().as_ref());
        self.is_wanted_hidden = outer;
        if let Some(ty) = typed.ty() {
            scheme.infer(&unsourced(ty), bindings);
        }
        typed
    }

    /// `<R: { a: Float, .. }>`: what a row has at least.
    fn check_bounds(
        &mut self,
        callable: &Callable,
        given: &[Option<Typed>],
        bindings: &Bindings,
    ) -> Option<()> {
        let mut holds = Some(());
        for generic in &callable.generics {
            let Some(RowScheme::Parts { parts, .. }) = &generic.bound else { continue };
            let Some(Bound::Row(row)) = bindings.vars.get(&generic.name) else { continue };
            let place = callable.params.iter().zip(given).find_map(|(param, typed)| {
                let is_it =
                    matches!(&param.scheme, Scheme::Dataset(RowScheme::Var(name)) if *name == generic.name);
                typed.as_ref().filter(|_| is_it).map(Typed::span)
            });
            let Some(span) = place else { continue };
            for part in parts {
                let crate::types::RowPart::Column(name, scheme) = part else { continue };
                let Ok(wanted) = scheme.substitute(bindings) else { continue };
                match row.column(name) {
                    None => {
                        let message = format!(
                            "this table has no column `{name}: {}`, which `{}` needs",
                            show(&wanted),
                            callable.item.name
                        );
                        self.report(
                            Diagnostic::error(code::COLUMNS_DIFFER, span, message)
                                .help(format!("add it: `.derive({}: …)`", quoted(name))),
                        );
                        holds = None;
                    }
                    Some(column) if !crate::types::column_fits(&column.ty, &wanted) => {
                        let message = format!(
                            "the column `{name}` is `{}`, and `{}` needs `{}`",
                            show(&column.ty),
                            callable.item.name,
                            show(&wanted)
                        );
                        self.report(
                            Diagnostic::error(code::COLUMN_TYPE, span, message)
                                .help(format!("convert it first: `.derive({}: …)`", quoted(name))),
                        );
                        holds = None;
                    }
                    Some(_) => {}
                }
            }
        }
        holds
    }

    fn fit_argument(
        &mut self,
        callable: &Callable,
        param: &Param,
        typed: Typed,
        bindings: &Bindings,
    ) -> Typed {
        let Some(ty) = typed.ty() else { return typed };
        if is_column(&param.scheme) {
            return typed;
        }
        if let (Scheme::Dataset(asked), Type::Dataset(row)) = (&param.scheme, ty) {
            let row = row.clone();
            if self.check_present(callable, asked, &row, typed.span(), bindings).is_none() {
                return Typed::error(typed.span());
            }
        }
        let name = &param.name;
        if let Some(row) = param.scheme.lines(bindings) {
            return self.coerce(typed, &written_lines(&row), &format!("for `{name}`"));
        }
        let scheme = with_task_of(param.scheme.clone(), ty);
        match scheme.substitute(bindings) {
            Ok(wanted) => self.coerce(typed, &wanted, &format!("for `{name}`")),
            Err(Unknown::Error) => Typed::error(typed.span()),
            Err(Unknown::Label(problem, _)) if matches!(ty, Type::Dataset(_)) => {
                self.report_label(&problem, &callable.item.name, typed.span());
                Typed::error(typed.span())
            }
            Err(_) => {
                let message =
                    format!("{} is wanted for `{name}`, and this is `{}`", kind_of(&scheme), show(ty));
                let code = if matches!((&scheme, ty), (Scheme::Model { .. }, Type::Model(_))) {
                    code::WRONG_TASK
                } else {
                    code::TYPE_MISMATCH
                };
                let span = typed.span();
                let is_element = match (&scheme, ty) {
                    (Scheme::List(element), Type::Model(_)) => matches!(**element, Scheme::Model { .. }),
                    (Scheme::List(element), Type::Dataset(_)) => matches!(**element, Scheme::Dataset(_)),
                    _ => false,
                };
                let diagnostic = Diagnostic::error(code, span, message);
                self.report(if is_element {
                    let edit = |at, text: &str| Edit { span: Span::new(at, at), text: text.to_owned() };
                    diagnostic
                        .help("a list of one is written `[…]`")
                        .fix("make it a list", vec![edit(span.start, "["), edit(span.end, "]")])
                } else {
                    diagnostic
                });
                Typed::error(span)
            }
        }
    }

    /// The default of a parameter that a call leaves out, as if it stood in the call.
    pub(super) fn default_argument(&mut self, item: Item<'db>, index: usize, span: Span) -> Typed {
        let found = defaults(self.db, item).values.get(index).cloned().flatten();
        let Some((mut value, locals)) = found else { return Typed::error(span) };
        let first = self.reserve_locals(locals);
        value.relocate(span, first);
        // A default is made of literals, constants and readers; the latter are there when run.
        let stage =
            if matches!(value.kind, body::ExprKind::CallOperator(_)) { Stage::Run } else { Stage::Planned };
        Typed { expr: value, stage }
    }
}

pub(super) fn merged(bindings: &Bindings, hints: &Bindings) -> Bindings {
    let mut all = bindings.clone();
    for (name, bound) in &hints.vars {
        all.vars.entry(name.clone()).or_insert_with(|| bound.clone());
    }
    all
}

pub(super) fn is_column(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Column { .. } => true,
        Scheme::List(inner) | Scheme::Optional(inner) => is_column(inner),
        _ => false,
    }
}

/// `Predictor<R>` takes a model of each task that predicts.
fn with_task_of(scheme: Scheme, actual: &Type) -> Scheme {
    match (scheme, actual) {
        (Scheme::Model { task: None, row, result }, Type::Model(model)) if model.task.predicts() => {
            Scheme::Model { task: Some(model.task), row, result }
        }
        (Scheme::List(inner), Type::List(actual)) => Scheme::List(Box::new(with_task_of(*inner, actual))),
        (Scheme::Optional(inner), actual) => {
            Scheme::Optional(Box::new(with_task_of(*inner, actual.present())))
        }
        (scheme, _) => scheme,
    }
}

pub(super) fn kind_of(scheme: &Scheme) -> String {
    match scheme {
        Scheme::Dataset(_) => "a Dataset".to_owned(),
        Scheme::Model { task: Some(task), .. } => format!("a {}", task.name()),
        Scheme::Model { task: None, .. } => "a model that predicts".to_owned(),
        Scheme::List(inner) => format!("a list, each {},", kind_of(inner)),
        Scheme::Optional(inner) => kind_of(inner),
        Scheme::Ground(ty) => format!("`{}`", show(ty)),
        _ => "another type".to_owned(),
    }
}

/// Decides the variables anew where models take part: a model may read less than the row that it is meant for,
/// so that the tables say which row that is.
fn infer_from_tables_first(callable: &Callable, given: &[Option<Typed>], bindings: &mut Bindings) {
    if !callable.params.iter().any(|param| is_of_model(&param.scheme)) {
        return;
    }
    bindings.vars.clear();
    for is_models_turn in [false, true] {
        for (param, typed) in callable.params.iter().zip(given) {
            if let Some(ty) = typed.as_ref().and_then(Typed::ty)
                && is_of_model(&param.scheme) == is_models_turn
            {
                param.scheme.infer(&unsourced(ty), bindings);
            }
        }
    }
}

fn is_of_model(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Model { .. } => true,
        Scheme::List(of) | Scheme::Optional(of) => is_of_model(of),
        _ => false,
    }
}
