//! `d.predict(model)`: a model's predictions as columns.

use flow_ir::{
    types::{Column, ModelType, Row, Task, Type},
    value::Value,
};
use flow_syntax::{
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{
    body::{Expr, ExprKind},
    check::{Checker, known_value},
    ty::Ty,
    types::{label_columns, put, show},
};

pub(super) fn predict<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let (mut model, mut prefix) = (None, None);
    for (index, arg) in call.args.iter().enumerate() {
        let slot = match arg.name.as_ref().map(|name| name.text.as_str()) {
            Some("model") => &mut model,
            Some("prefix") => &mut prefix,
            None if index == 0 => &mut model,
            None if index == 1 => &mut prefix,
            _ => {
                let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
                checker.fail(code::UNKNOWN_ARGUMENT, span, "`predict` takes `model` and `prefix`");
                return None;
            }
        };
        if slot.replace(&arg.value).is_some() {
            checker.fail(code::UNKNOWN_ARGUMENT, arg.value.span, "this is given twice to `predict`");
            return None;
        }
    }
    let Some(model) = model else {
        let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
        checker.fail(code::MISSING_ARGUMENT, end, "`predict` needs `model`");
        return None;
    };
    let model = checker.expr(model, None);
    let prefix = match prefix {
        Some(prefix) => checker.expr_as(prefix, &Type::Text).expr,
        None => Expr { kind: ExprKind::Value(Value::from("")), ty: Ty::Ground(Type::Text), span: call.span },
    };
    let fitted = match model.ty()? {
        Type::Model(fitted) if fitted.task != Task::Transformer => fitted.clone(),
        Type::Model(_) => {
            let message = "a Transformer predicts nothing: use `.apply(…)`";
            checker.report(
                Diagnostic::error(code::WRONG_TASK, model.span(), message)
                    .fix("write `apply`", vec![Edit { span: call.name.span, text: "apply".to_owned() }]),
            );
            return None;
        }
        ty if ty.is_optional() && matches!(ty.present(), Type::Model(_)) => {
            checker.missing(model.span(), "`predict`");
            return None;
        }
        other => {
            let message = format!("`predict` takes a model, and this is `{}`", show(other));
            checker.fail(code::TYPE_MISMATCH, model.span(), message);
            return None;
        }
    };
    prefix.ty.ground()?;
    let Some(Value::Text(start)) = known_value(&prefix) else {
        checker.fail(
            code::TYPE_MISMATCH,
            prefix.span,
            "`prefix` names columns: it is a literal text or a constant",
        );
        return None;
    };
    checker.check_features(&fitted, &call.row, call.data.span())?;
    let row = with_predictions(&fitted, call.row, &start);
    let inputs = vec![
        ("data".to_owned(), call.data.expr),
        ("model".to_owned(), model.expr),
        ("prefix".to_owned(), prefix),
    ];
    Some(VerbResult::table(inputs, row))
}

/// A row with the columns that a model adds to it.
pub(crate) fn with_predictions(model: &ModelType, mut row: Row, prefix: &str) -> Row {
    for (name, ty) in predictions(model) {
        put(&mut row.columns, Column { name: format!("{prefix}{name}"), ty, source: None });
    }
    row
}

/// The columns that a model of each task adds.
fn predictions(model: &ModelType) -> Vec<(&'static str, Type)> {
    let class = label_columns(&model.row).next().map(|label| match label.ty.present() {
        Type::Label { of, .. } => of.present().clone(),
        _ => Type::Category,
    });
    match model.task {
        Task::Classifier => {
            vec![("prediction", class.unwrap_or(Type::Category)), ("probability", Type::Probability)]
        }
        Task::Ranker => vec![("prediction", Type::Float), ("score", Type::Score)],
        Task::Regressor => vec![("prediction", Type::Float)],
        Task::Clusterer => vec![("prediction", Type::Category)],
        Task::Transformer => Vec::new(),
    }
}
