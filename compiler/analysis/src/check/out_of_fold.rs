//! `out_of_fold(data, k, trainer)`: the trainer is called for each fold, and the node takes the models.

use flow_ir::types::{Field, RecordType, Row, Type};
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
    names::verbs,
    rows::with_predictions,
    stages::Stage,
    ty::Ty,
    types::{show, unsourced},
};

pub(super) fn out_of_fold<'db>(checker: &mut Checker<'db>, mut call: SpecialCall<'_, 'db>) -> Made {
    let data = call.slots.first_mut().and_then(Option::take).map(|data| checker.given(data, None))?;
    let trainer = call.slots.get_mut(2).and_then(Option::take)?;
    let row = match data.ty().map(unsourced) {
        None => None,
        Some(Type::Dataset(row)) => Some(row),
        Some(other) => {
            let message = format!("a Dataset is wanted for `data`, and this is `{}`", show(&other));
            checker.fail(code::TYPE_MISMATCH, data.span(), message);
            None
        }
    };
    let k = checker.scalar_argument(&mut call, 1);
    let seed = checker.scalar_argument(&mut call, 3);
    let (row, k, seed) = (row?, k?, seed?);
    for typed in [&k, &seed] {
        let message = "the folds must be known when the workflow is planned";
        let help = "compute it from literals, parameters and what follows from these";
        if !checker.require_planned(&typed.stage, typed.span(), message, help) {
            return None;
        }
    }
    let data_span = data.span();
    let folds = folds(checker, data.expr.clone(), &row, &k.expr, &seed.expr, call.span)?;
    let models = models(checker, folds, &row, trainer, call.span)?;
    let Some(Type::List(model)) = models.ty().cloned() else { return None };
    let Type::Model(model) = *model else { return None };
    checker.check_features(&model, &row, data_span)?;
    let row = with_predictions(&model, row, "");
    let values = [data.expr, k.expr, models.expr, seed.expr];
    let names = call.callable.params.iter().map(|param| param.name.clone());
    Some((names.zip(values).collect(), Type::Dataset(row)))
}

/// The call of the verb.
fn folds(
    checker: &mut Checker<'_>,
    data: Expr,
    row: &Row,
    k: &Expr,
    seed: &Expr,
    span: Span,
) -> Option<Typed> {
    let item = *verbs(checker.db).get("folds")?;
    let field = |name: &str| Field { name: name.to_owned(), ty: Type::Dataset(row.clone()) };
    let fold = Type::Record(RecordType { name: None, fields: vec![field("train"), field("test")] });
    let inputs =
        vec![("data".to_owned(), data), ("k".to_owned(), k.clone()), ("seed".to_owned(), seed.clone())];
    let outputs = vec![(crate::header::VALUE.to_owned(), Type::List(Box::new(fold)))];
    let typed = checker.operator_call(item, inputs, outputs, false, Vec::new(), Vec::new(), span);
    typed.ty().is_some().then_some(Typed { stage: Stage::list(Stage::Run), ..typed })
}

/// `for fold in folds { trainer(fold.train) }`
fn models<'db>(
    checker: &mut Checker<'db>,
    folds: Typed,
    row: &Row,
    trainer: Given<'db>,
    span: Span,
) -> Option<Typed> {
    let at = trainer.span();
    let Some(Type::List(fold)) = folds.ty().cloned() else { return None };
    let fold = checker.new_local("fold", Ty::Ground(*fold));
    let base = Expr { kind: body::ExprKind::Local(fold.id), ty: fold.ty.clone(), span: at };
    let train = body::ExprKind::Field { base: Box::new(base), name: "train".to_owned() };
    let train = Typed::new(train, Type::Dataset(row.clone()), at, Stage::Run);
    let called = match trainer {
        Given::Expr(lambda) => match checker.call_given_lambda(lambda, vec![train], at) {
            Some(called) => called,
            None => return no_trainer(checker, Some(lambda), at),
        },
        Given::Typed(_) => return no_trainer(checker, None, at),
    };
    match called.ty()? {
        Type::Model(model) if model.task.predicts() => {}
        Type::Model(model) => {
            let message =
                format!("a model that predicts is wanted of `trainer`, and this is a {}", model.task.name());
            checker.fail(code::WRONG_TASK, at, message);
            return None;
        }
        other => {
            let message = format!("a model is wanted of `trainer`, and this is `{}`", show(other));
            checker.fail(code::TYPE_MISMATCH, at, message);
            return None;
        }
    }
    let ty = Type::List(Box::new(called.ty()?.clone()));
    let pattern = body::Pattern::Local(fold);
    let kind = body::ExprKind::For { pattern, list: Box::new(folds.expr), body: Box::new(called.expr) };
    Some(Typed::new(kind, ty, span, Stage::list(Stage::Run)))
}

fn no_trainer(checker: &mut Checker<'_>, given: Option<&ast::Expr>, at: Span) -> Option<Typed> {
    if matches!(given, Some(ast::Expr { kind: ExprKind::Error, .. })) {
        return None;
    }
    let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, at, "a lambda is wanted for `trainer`")
        .help("it makes a model of rows: `(rows) => tree.gbdt(rows)`");
    let is_name = given.is_some_and(|given| match &given.kind {
        ExprKind::Name(name) => !checker.is_bound(&name.text),
        ExprKind::Field { base, .. } => checker.module(base).is_some(),
        _ => false,
    });
    let edit = |at: u32, text: &str| Edit { span: Span::new(at, at), text: text.to_owned() };
    checker.report(if is_name {
        diagnostic.fix("make it a lambda", vec![edit(at.start, "(rows) => "), edit(at.end, "(rows)")])
    } else {
        diagnostic
    });
    None
}
