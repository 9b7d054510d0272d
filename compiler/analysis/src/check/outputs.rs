//! A workflow's value: the record of its outputs.

use flow_ir::types::{Field, RecordType, Type};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Checker, Typed};
use crate::{
    body,
    header::Callable,
    stages::Stage,
    ty::Ty,
    types::{Bindings, RowScheme, Scheme, Unknown},
};

/// The record of a workflow's outputs.
pub(super) fn workflow_value<'db>(
    checker: &mut Checker<'db>,
    callable: &Callable,
    block: &'db ast::Block,
    name: Span,
) -> (body::Expr, Ty) {
    let wanted: Vec<(String, Result<Type, Unknown>)> = callable
        .outputs
        .iter()
        .map(|output| (output.name.clone(), output.scheme.substitute(&checker.generics)))
        .collect();
    if wanted.iter().any(|(_, ty)| *ty == Err(Unknown::Error)) {
        checker.is_wanted_hidden = true;
        return (checker.block(block, None).expr, Ty::Error);
    }
    let ground: Option<Vec<Field>> = wanted
        .iter()
        .map(|(name, ty)| Some(Field { name: name.clone(), ty: ty.as_ref().ok()?.clone() }))
        .collect();
    let hint = match (wanted.as_slice(), ground) {
        ([(_, ty)], _) => ty.as_ref().ok().cloned(),
        (_, Some(fields)) => Some(Type::Record(RecordType { name: None, fields })),
        _ => None,
    };
    let value = checker.block(block, hint.as_ref());
    let Some(ty) = value.ty().cloned() else { return (value.expr, Ty::Error) };
    let span = tail(block);
    let [(only, _)] = wanted.as_slice() else {
        return several_outputs(checker, callable, value, &ty, block);
    };
    let is_wanted = matches!(&hint, Some(wanted) if crate::types::fits(&ty, wanted).is_ok());
    if !is_wanted && matches!(&ty, Type::Record(record) if record.field(only).is_some()) {
        return several_outputs(checker, callable, value, &ty, block);
    }
    if callable.outputs.is_empty() {
        checker.fail(code::TYPE_MISMATCH, name, "a workflow says what it gives: `-> (model: Classifier)`");
    }
    let Some(output) = callable.outputs.first() else { return (value.expr, Ty::Error) };
    let value = Typed { expr: body::Expr { span, ..value.expr }, stage: value.stage };
    let value = fit_output(checker, output, value);
    let fields: Option<Vec<Field>> = value.ty.ground().map(|ty| vec![Field { name: only.clone(), ty }]);
    let result =
        fields.map_or(Ty::Error, |fields| Ty::Ground(Type::Record(RecordType { name: None, fields })));
    let expr = body::Expr {
        kind: body::ExprKind::Record(vec![(only.clone(), value)]),
        ty: result.clone(),
        span: block.span,
    };
    (expr, result)
}

/// A workflow's value that is the record of its outputs.
fn several_outputs(
    checker: &mut Checker<'_>,
    callable: &Callable,
    value: Typed,
    ty: &Type,
    block: &ast::Block,
) -> (body::Expr, Ty) {
    let span = tail(block);
    let names: Vec<&str> = callable.outputs.iter().map(|output| output.name.as_str()).collect();
    let Type::Record(record) = ty else {
        if callable.outputs.is_empty() {
            // For its effects alone.
            return (value.expr, Ty::Ground(Type::Record(RecordType { name: None, fields: Vec::new() })));
        }
        let message =
            format!("the record of the outputs is wanted, and this is `{}`", crate::types::show(ty));
        checker.report(Diagnostic::error(code::TYPE_MISMATCH, span, message).help(format!(
            "end with `({})`",
            names.iter().map(|name| format!("{name}: …")).collect::<Vec<_>>().join(", ")
        )));
        return (value.expr, Ty::Error);
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| record.field(name).is_none()).collect();
    let extra = record.fields.iter().find(|field| !names.contains(&field.name.as_str()));
    let written = extra.and_then(|field| written_field(block, &field.name));
    // A misspelled output is missing as well.
    let is_misspelled = extra.is_some_and(|field| {
        let meant = flow_syntax::suggest::suggest(&field.name, missing.iter().copied());
        written.is_some() && meant.is_some() && missing.len() == 1
    });
    if !missing.is_empty() && !is_misspelled {
        let names = crate::types::show_columns(missing.iter().copied());
        let message = match missing.len() {
            1 => format!("the output {names} is not given"),
            _ => format!("the outputs {names} are not given"),
        };
        checker.fail(code::MISSING_ARGUMENT, span, message);
        return (value.expr, Ty::Error);
    }
    if let Some(extra) = extra {
        let message = format!("the workflow has no output `{}`", extra.name);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, written.unwrap_or(span), message);
        checker.report(match written {
            Some(at) if is_misspelled => crate::names::did_you_mean(diagnostic, &extra.name, at, missing),
            _ => diagnostic
                .help(format!("its outputs are {}", crate::types::show_columns(names.iter().copied()))),
        });
        return (value.expr, Ty::Error);
    }
    let value = give_outputs(checker, callable, value.expr, value.stage);
    let result = value.ty.clone();
    (value, result)
}

/// Where the record that a block ends with names a field, `name: value`.
fn written_field(block: &ast::Block, name: &str) -> Option<Span> {
    let Some(ast::Statement::Expr(ast::Expr { kind: ExprKind::Record(fields), .. })) =
        block.statements.last()
    else {
        return None;
    };
    let field = fields.iter().find(|field| field.name.text == name)?;
    field.is_named.then_some(field.name.span)
}

/// Fits each output of a record expression, where it is built.
fn give_outputs(
    checker: &mut Checker<'_>,
    callable: &Callable,
    value: body::Expr,
    stage: Stage,
) -> body::Expr {
    let span = value.span;
    match value.kind {
        body::ExprKind::Block { bindings, value } => {
            let value = give_outputs(checker, callable, *value, stage);
            let ty = value.ty.clone();
            body::Expr { kind: body::ExprKind::Block { bindings, value: Box::new(value) }, ty, span }
        }
        body::ExprKind::Record(fields) => {
            let mut given = Vec::with_capacity(fields.len());
            let mut types = Vec::with_capacity(fields.len());
            for output in &callable.outputs {
                let Some((_, field)) = fields.iter().find(|(name, _)| *name == output.name) else { continue };
                let typed = Typed { expr: field.clone(), stage: stage.field(&output.name) };
                let expr = fit_output(checker, output, typed);
                types.push(expr.ty.ground().map(|ty| Field { name: output.name.clone(), ty }));
                given.push((output.name.clone(), expr));
            }
            let ty = types.into_iter().collect::<Option<Vec<Field>>>();
            let ty =
                ty.map_or(Ty::Error, |fields| Ty::Ground(Type::Record(RecordType { name: None, fields })));
            body::Expr { kind: body::ExprKind::Record(given), ty, span }
        }
        // A record from elsewhere: another workflow's outputs, a parameter, a literal. It is bound, so that each
        // output can be converted on its own.
        kind => {
            let record = body::Expr { kind, ty: value.ty, span };
            let whole = checker.new_local("_", record.ty.clone());
            let mut fields = Vec::with_capacity(callable.outputs.len());
            for output in &callable.outputs {
                let Ty::Ground(Type::Record(of)) = &record.ty else { continue };
                let Some(field) = of.field(&output.name) else { continue };
                let base = body::Expr { kind: body::ExprKind::Local(whole.id), ty: record.ty.clone(), span };
                let kind = body::ExprKind::Field { base: Box::new(base), name: output.name.clone() };
                fields
                    .push((output.name.clone(), body::Expr { kind, ty: Ty::Ground(field.ty.clone()), span }));
            }
            let fields = body::Expr { kind: body::ExprKind::Record(fields), ty: record.ty.clone(), span };
            let given = give_outputs(checker, callable, fields, stage);
            let ty = given.ty.clone();
            let bindings = vec![body::Binding { pattern: body::Pattern::Local(whole), value: record, span }];
            body::Expr { kind: body::ExprKind::Block { bindings, value: Box::new(given) }, ty, span }
        }
    }
}

/// A value as the output that is written; what the header leaves out is the value's own.
fn fit_output(checker: &mut Checker<'_>, output: &crate::header::Output, value: Typed) -> body::Expr {
    let Some(ty) = value.ty().cloned() else { return value.expr };
    let place = format!("for the output `{}`", output.name);
    let wanted = match output.scheme.substitute(&checker.generics) {
        Ok(wanted) => wanted,
        Err(Unknown::Elided) => match complete(&output.scheme, &ty) {
            Some(wanted) => wanted,
            None => {
                let (message, code) = elided_mismatch(&output.scheme, &ty, &place);
                return checker.fail(code, value.span(), message).expr;
            }
        },
        Err(_) => return body::Expr { ty: Ty::Error, ..value.expr },
    };
    let mut expr = checker.coerce(value, &wanted, &place).expr;
    if expr.ty != Ty::Error {
        expr.ty = Ty::Ground(wanted);
    }
    expr
}

/// `Classifier` with the row of the value that is given for it.
fn complete(scheme: &Scheme, actual: &Type) -> Option<Type> {
    match (scheme, actual) {
        (Scheme::Dataset(RowScheme::Elided), Type::Dataset(_)) => Some(actual.clone()),
        (Scheme::Model { task, .. }, Type::Model(model)) => match task {
            Some(task) => (*task == model.task).then(|| actual.clone()),
            None => model.task.predicts().then(|| actual.clone()),
        },
        (Scheme::List(inner), Type::List(actual)) => Some(Type::List(Box::new(complete(inner, actual)?))),
        (Scheme::Optional(inner), actual) => Some(complete(inner, actual.present())?.optional()),
        (Scheme::Record { name, fields }, Type::Record(actual)) if fields.len() == actual.fields.len() => {
            let field = |(name, scheme): &(String, Scheme)| {
                let ty = match scheme.substitute(&Bindings::default()) {
                    Ok(ty) => ty,
                    Err(_) => complete(scheme, &actual.field(name)?.ty)?,
                };
                Some(Field { name: name.clone(), ty })
            };
            let fields = fields.iter().map(field).collect::<Option<_>>()?;
            Some(Type::Record(RecordType { name: name.clone(), fields }))
        }
        _ => None,
    }
}

fn elided_mismatch(scheme: &Scheme, actual: &Type, place: &str) -> (String, flow_syntax::diagnostic::Code) {
    let is = crate::types::show(actual);
    match (scheme, actual) {
        (Scheme::Model { task: Some(task), .. }, Type::Model(model)) => (
            format!("a {} is wanted {place}, and this is a {}", task.name(), model.task.name()),
            code::WRONG_TASK,
        ),
        (Scheme::Model { task: Some(task), .. }, _) => {
            (format!("a {} is wanted {place}, and this is `{is}`", task.name()), code::TYPE_MISMATCH)
        }
        (Scheme::Dataset(_), _) => {
            (format!("a Dataset is wanted {place}, and this is `{is}`"), code::TYPE_MISMATCH)
        }
        _ => (format!("another type is wanted {place}, and this is `{is}`"), code::TYPE_MISMATCH),
    }
}

/// Where a block's value stands.
pub(super) fn tail(block: &ast::Block) -> Span {
    match block.statements.last() {
        Some(ast::Statement::Expr(expr)) => match &expr.kind {
            ExprKind::Block(inner) => tail(inner),
            _ => expr.span,
        },
        _ => Span::new(block.span.end.saturating_sub(1), block.span.end),
    }
}
