//! `pipeline([filled, scaled], model)`: one model of rows as they were before they were prepared.

use flow_ir::types::{Column, ModelType, Row, Task, Type};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    Checker, Given, Typed,
    special::{Made, SpecialCall},
};
use crate::{
    body::{self, Expr},
    ty::Ty,
    types::{column_fits, put, show},
};

pub(super) fn pipeline<'db>(checker: &mut Checker<'db>, mut call: SpecialCall<'_, 'db>) -> Made {
    let steps = call.slots.first_mut().and_then(Option::take)?;
    let model = call.slots.get_mut(1).and_then(Option::take)?;
    let steps_span = steps.span();
    let steps = transformers(checker, steps);
    let model = checker.given(model, None);
    let fitted = predictor(checker, &model);
    let (steps, fitted) = (steps?, fitted?);
    let mut row = fitted.row.clone();
    for (step, (from, to)) in steps.iter().rev() {
        row = before(checker, from, to, row, step.span)?;
    }
    let list = steps.into_iter().map(|(step, _)| step).collect();
    let whole = ModelType { task: Task::Transformer, row: row.clone(), result: Some(fitted.row.clone()) };
    let ty = Type::List(Box::new(Type::Model(whole)));
    let list = Expr { kind: body::ExprKind::List(list), ty: Ty::Ground(ty), span: steps_span };
    let inputs = vec![("transformers".to_owned(), list), ("model".to_owned(), model.expr)];
    Some((inputs, Type::Model(ModelType { task: fitted.task, row, result: None })))
}

/// The transformers, each with the rows that it reads and makes.
fn transformers<'db>(checker: &mut Checker<'db>, given: Given<'db>) -> Option<Vec<(Expr, (Row, Row))>> {
    let span = given.span();
    let Given::Expr(ast::Expr { kind: ExprKind::List(steps), .. }) = given else {
        let typed = checker.given(given, None);
        typed.ty()?;
        let is_step = matches!(typed.ty(), Some(Type::Model(model)) if model.task == Task::Transformer);
        let diagnostic =
            Diagnostic::error(code::TYPE_MISMATCH, span, "the steps of a pipeline are written as a list")
                .help("`prep.pipeline([filled, scaled], model)`");
        let edit = |at: u32, text: &str| Edit { span: Span::new(at, at), text: text.to_owned() };
        checker.report(if is_step {
            diagnostic.fix("make it a list", vec![edit(span.start, "["), edit(span.end, "]")])
        } else {
            diagnostic
        });
        return None;
    };
    let mut found = Vec::with_capacity(steps.len());
    for step in steps {
        let typed = checker.expr(step, None);
        match typed.ty() {
            Some(Type::Model(ModelType { task: Task::Transformer, row, result: Some(result) })) => {
                let rows = (row.clone(), result.clone());
                found.push((typed.expr, rows));
            }
            Some(other) => {
                let is_model = matches!(other, Type::Model(_));
                let code = if is_model { code::WRONG_TASK } else { code::TYPE_MISMATCH };
                let message = format!("a pipeline is made of Transformers, and this is `{}`", show(other));
                checker.fail(code, step.span, message);
            }
            None => {}
        }
    }
    (found.len() == steps.len()).then_some(found)
}

fn predictor(checker: &mut Checker<'_>, model: &Typed) -> Option<ModelType> {
    match model.ty()? {
        Type::Model(fitted) if fitted.task.predicts() => Some(fitted.clone()),
        other => {
            let is_model = matches!(other, Type::Model(_));
            let code = if is_model { code::WRONG_TASK } else { code::TYPE_MISMATCH };
            let message =
                format!("a model that predicts is wanted for `model`, and this is `{}`", show(other));
            checker.fail(code, model.span(), message);
            None
        }
    }
}

/// The row from which a transformer makes the given one: less what it adds, with what it takes.
fn before(checker: &mut Checker<'_>, from: &Row, to: &Row, row: Row, span: Span) -> Option<Row> {
    let mut columns: Vec<Column> = Vec::with_capacity(row.columns.len());
    for column in row.columns {
        match (to.column(&column.name), from.column(&column.name)) {
            (Some(made), _) if !column_fits(made.ty.present(), column.ty.present()) => {
                let message = format!(
                    "this step gives `{}` the type `{}`, and what follows needs `{}`",
                    column.name,
                    show(&made.ty),
                    show(&column.ty)
                );
                checker.report(
                    Diagnostic::error(code::MODEL_LACKS_FEATURE, span, message)
                        .help("the model is fitted on what all the steps make of a row, in this order"),
                );
                return None;
            }
            (None, Some(_)) => {
                let message = format!("this step leaves out `{}`, which what follows needs", column.name);
                checker.report(
                    Diagnostic::error(code::MODEL_LACKS_FEATURE, span, message)
                        .help("the model is fitted on what all the steps make of a row, in this order"),
                );
                return None;
            }
            // What it adds is not there before.
            (Some(_), None) => {}
            (Some(_), Some(read)) => columns.push(read.clone()),
            (None, None) => columns.push(column),
        }
    }
    for read in &from.columns {
        put(&mut columns, read.clone());
    }
    Some(Row { columns })
}
