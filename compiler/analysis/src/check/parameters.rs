//! How a call's arguments fit its parameters and decide its variables.

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Given, Typed, defaults, known_value};
use crate::{
    body,
    db::Item,
    header::Callable,
    names::quoted,
    stages::Stage,
    ty::Ty,
    types::{Bindings, Bound, RowScheme, Scheme, Unknown, fits, put, show, unsourced},
};

/// A call whose arguments are typed and whose variables are decided as far as the arguments go.
pub(super) struct Call {
    pub args: Vec<(String, Typed)>,
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
    pub(super) fn bind_arguments(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        slots: Vec<Option<Given<'db>>>,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Call> {
        let mut hints = Bindings::default();
        if let (Some(expected), [output], false) = (expected, callable.outputs.as_slice(), callable.is_record)
        {
            output.scheme.infer(expected, &mut hints);
        }
        let mut bindings = Bindings::default();
        let mut given: Vec<Option<Typed>> = Vec::with_capacity(slots.len());
        let mut is_sound = true;
        for (param, slot) in callable.params.iter().zip(slots) {
            let Some(slot) = slot else {
                given.push(None);
                continue;
            };
            let typed = match &param.scheme {
                Scheme::Column { .. } => self.column_argument(&param.scheme, slot, &bindings),
                Scheme::List(inner) if matches!(**inner, Scheme::Column { .. }) => {
                    self.columns_argument(inner, slot, &param.name, &mut bindings)
                }
                Scheme::Optional(inner) => self.optional_argument(param, inner, slot, &mut bindings, &hints),
                scheme => self.plain_argument(scheme, slot, &mut bindings, &hints),
            };
            is_sound &= typed.ty().is_some();
            given.push(Some(typed));
        }
        if !is_sound {
            return None;
        }
        self.check_bounds(callable, &given, &bindings)?;
        let mut args = Vec::with_capacity(given.len());
        for (index, (param, typed)) in callable.params.iter().zip(given).enumerate() {
            let typed = match typed {
                Some(typed) => self.fit_argument(param.scheme.clone(), typed, &param.name, &bindings),
                None => self.default_argument(item, index, span),
            };
            is_sound &= typed.ty().is_some();
            args.push((param.name.clone(), typed));
        }
        is_sound.then_some(Call { args, bindings, hints })
    }

    fn plain_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        bindings: &mut Bindings,
        hints: &Bindings,
    ) -> Typed {
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

    fn optional_argument(
        &mut self,
        param: &crate::header::Param,
        inner: &Scheme,
        slot: Given<'db>,
        bindings: &mut Bindings,
        hints: &Bindings,
    ) -> Typed {
        let is_none =
            matches!(&slot, Given::Expr(ast::Expr { kind: ExprKind::Literal(ast::Literal::None), .. }));
        match inner {
            _ if is_none => self.given(slot, None),
            Scheme::Column { .. } => self.column_argument(inner, slot, bindings),
            Scheme::List(element) if matches!(**element, Scheme::Column { .. }) => {
                self.columns_argument(element, slot, &param.name, bindings)
            }
            _ => self.plain_argument(&param.scheme, slot, bindings, hints),
        }
    }

    /// `.minutes` where a parameter is a `Column<R>`.
    fn column_argument(&mut self, scheme: &Scheme, slot: Given<'db>, bindings: &Bindings) -> Typed {
        let Scheme::Column { row, of } = scheme else { return self.given(slot, None) };
        let span = slot.span();
        let Given::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = slot else {
            let typed = self.given(slot, None);
            return match (typed.ty(), scheme.substitute(bindings)) {
                (None, _) => typed,
                (Some(Type::Column(_)), Ok(wanted)) => self.coerce(typed, &wanted, ""),
                (Some(_), _) => self.no_column(row, bindings, &typed),
            };
        };
        let row = match row.substitute(bindings) {
            Ok(row) => row,
            Err(_) => return Typed::error(span),
        };
        let Some(column) = row.column(&name.text) else {
            self.no_such_column(&name.text, name.span, &row);
            return Typed::error(span);
        };
        if let Some(Ok(wanted)) = of.as_ref().map(|of| of.substitute(bindings))
            && fits(column.ty.present(), &wanted).is_err()
        {
            let message = format!(
                "the column `{}` is `{}`, and `{}` is wanted",
                name.text,
                show(&column.ty),
                show(&wanted)
            );
            return self.fail(code::COLUMN_TYPE, span, message);
        }
        let ty = Type::Column(Row { columns: vec![column.clone()] });
        let value = Value::Column(name.text.clone());
        Typed::new(body::ExprKind::Value(value), ty, span, Stage::Planned)
    }

    /// A value where a column is wanted.
    fn no_column(&mut self, row: &RowScheme, bindings: &Bindings, typed: &Typed) -> Typed {
        let span = typed.span();
        let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, span, "a column is wanted here, as `.name`");
        let named = match (known_value(&typed.expr), row.substitute(bindings)) {
            (Some(Value::Text(name)), Ok(row)) if row.column(&name).is_some() => Some(quoted(&name)),
            _ => None,
        };
        self.report(match named {
            Some(name) => diagnostic
                .help(format!("a column is written with a dot: `.{name}`"))
                .fix(format!("write `.{name}`"), vec![Edit { span, text: format!(".{name}") }]),
            None => diagnostic,
        });
        Typed::error(span)
    }

    /// `[.a, .b]` where a parameter is a `List<Column<R>>`.
    fn columns_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        param: &str,
        bindings: &mut Bindings,
    ) -> Typed {
        let span = slot.span();
        let Given::Expr(ast::Expr { kind: ExprKind::List(columns), .. }) = slot else {
            if let Given::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = &slot {
                let list = format!("[.{}]", quoted(&name.text));
                self.report(
                    Diagnostic::error(code::TYPE_MISMATCH, span, "a list of columns is wanted here")
                        .help(format!("a list of one is written `{list}`"))
                        .fix(format!("write `{list}`"), vec![Edit { span, text: list }]),
                );
                return Typed::error(span);
            }
            let typed = self.given(slot, None);
            match (typed.ty(), scheme.substitute(bindings)) {
                (None, _) => return typed,
                (Some(Type::List(of)), Ok(wanted)) if matches!(**of, Type::Column(_)) => {
                    return self.coerce(typed, &Type::List(Box::new(wanted)), "");
                }
                _ => {}
            }
            return self.fail(code::TYPE_MISMATCH, span, "a list of columns is wanted here, as `[.a, .b]`");
        };
        let mut values = Vec::with_capacity(columns.len());
        let mut names = Vec::with_capacity(columns.len());
        let mut row = Row::default();
        let mut is_sound = true;
        for column in columns {
            let typed = self.column_argument(scheme, Given::Expr(column), bindings);
            match typed.ty() {
                Some(Type::Column(of)) => {
                    of.columns.iter().for_each(|column| put(&mut row.columns, column.clone()))
                }
                _ => is_sound = false,
            }
            if let body::ExprKind::Value(Value::Column(name)) = &typed.expr.kind {
                names.push(name.clone());
            }
            values.push(typed.expr);
        }
        if !is_sound {
            return Typed::error(span);
        }
        if names.len() == values.len() {
            bindings.columns.insert(param.to_owned(), names);
        }
        let ty = Type::List(Box::new(Type::Column(row)));
        Typed::new(body::ExprKind::List(values), ty, span, Stage::Planned)
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

    fn fit_argument(&mut self, scheme: Scheme, typed: Typed, param: &str, bindings: &Bindings) -> Typed {
        let Some(ty) = typed.ty() else { return typed };
        if is_column(&scheme) {
            return typed;
        }
        let scheme = with_task_of(scheme, ty);
        match scheme.substitute(bindings) {
            Ok(wanted) => self.coerce(typed, &wanted, &format!("for `{param}`")),
            Err(Unknown::Error) => Typed::error(typed.span()),
            Err(_) => {
                let message =
                    format!("{} is wanted for `{param}`, and this is `{}`", kind_of(&scheme), show(ty));
                let code = if matches!((&scheme, ty), (Scheme::Model { .. }, Type::Model(_))) {
                    code::WRONG_TASK
                } else {
                    code::TYPE_MISMATCH
                };
                self.fail(code, typed.span(), message)
            }
        }
    }

    /// The default of a parameter that a call leaves out, as if it stood in the call.
    fn default_argument(&mut self, item: Item<'db>, index: usize, span: Span) -> Typed {
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

fn is_column(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Column { .. } => true,
        Scheme::List(inner) | Scheme::Optional(inner) => is_column(inner),
        _ => false,
    }
}

/// `Predictor<R>` takes a model of each task that predicts.
fn with_task_of(scheme: Scheme, actual: &Type) -> Scheme {
    use flow_ir::types::Task;
    match (scheme, actual) {
        (Scheme::Model { task: None, row, result }, Type::Model(model))
            if matches!(model.task, Task::Classifier | Task::Regressor | Task::Ranker) =>
        {
            Scheme::Model { task: Some(model.task), row, result }
        }
        (Scheme::List(inner), Type::List(actual)) => Scheme::List(Box::new(with_task_of(*inner, actual))),
        (Scheme::Optional(inner), actual) => {
            Scheme::Optional(Box::new(with_task_of(*inner, actual.present())))
        }
        (scheme, _) => scheme,
    }
}

fn kind_of(scheme: &Scheme) -> String {
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
