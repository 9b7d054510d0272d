//! `std.tree.gbdt`: a model from a table. The trees themselves are grown in [`crate::tree`].

use std::ops::ControlFlow;

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_runtime::operator::{Call, Context, Datum, OperatorError, Table};

use crate::{
    arguments, check,
    model::{
        Label, LabelKind, Model, Payload, Trainer,
        features::{self, Columns},
        file,
        labels::{self, Labels},
    },
    tree::{self, ClassWeight, Params, Target, TrainError, Workers},
};

/// Rises when the results of training change.
pub const VERSION: u32 = 1;

/// Trains gradient-boosted trees. The label decides between classification and regression; a Weight
/// column weighs the rows.
pub fn gbdt(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let row = row(call)?;
    let params = params(call)?;
    let label = labels::choose(row, table, context)?;
    check(context)?;
    check_loss(arguments::text(call, "loss")?, &label)?;
    let features = features::choose(row, table, context)?;
    let weight = labels::weight_column(row)?;

    let rows = table.rows();
    let validation = arguments::optional_table(call, "validation")?;
    let all_rows = rows + validation.map_or(0, Table::rows);
    let columns = features::memory(&features, all_rows) + (all_rows * 2 * size_of::<f64>()) as u64;
    let _columns = context.reserve(&call.op, "its columns", columns)?;
    let bytes = tree::memory(all_rows, features.len(), label.classes().len(), &params, context.threads());
    let _training = context.reserve(&call.op, "bins, gradients and histograms", bytes)?;

    let data = Prepared::new(&features, &label, weight, table, context)?;
    let validation = match validation {
        Some(validation) => Some(Prepared::new(&features, &label, weight, validation, context)?),
        None => None,
    };
    let (data_features, classes) = (data.columns.features(), label.classes().len());
    let validation_features = validation.as_ref().map(|validation| validation.columns.features());
    let data = data.table(&data_features, classes)?;
    let validation = match (&validation, &validation_features) {
        (Some(validation), Some(features)) => Some(validation.table(features, classes)?),
        _ => None,
    };

    let mut progress = |progress: tree::Progress| {
        context.progress(progress.done.into(), progress.total.into());
        if context.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let is_stopped = || context.is_cancelled();
    let workers = Workers::new(context.threads(), &is_stopped);
    let trees = tree::train(&data, validation.as_ref(), &params, workers, &mut progress).map_err(
        |error| match error {
            TrainError::Cancelled => OperatorError::Cancelled,
            other => OperatorError::failed(other.to_string()),
        },
    )?;
    let trainer = Trainer { name: call.op.clone(), version: VERSION };
    let weight = weight.map(str::to_owned);
    let model = Model { features, label, weight, trainer, payload: Payload::Trees(trees) };
    Ok(vec![Datum::Blob(file::write(&model)?)])
}

/// A table as plain columns.
struct Prepared<'a> {
    columns: Columns<'a>,
    labels: Labels,
    weights: Option<Vec<f64>>,
}

impl<'a> Prepared<'a> {
    fn new(
        features: &'a [crate::model::Feature],
        label: &Label,
        weight: Option<&str>,
        table: &Table,
        context: &dyn Context,
    ) -> Result<Self, OperatorError> {
        check(context)?;
        let weights = weight.map(|weight| labels::weights(table, weight)).transpose()?;
        check(context)?;
        Ok(Self {
            columns: features::take(features, table, 0, context)?,
            labels: labels::take(label, table, context)?,
            weights,
        })
    }

    fn table(
        &'a self,
        features: &'a [tree::Feature<'a>],
        classes: usize,
    ) -> Result<tree::Table<'a>, OperatorError> {
        let target = match &self.labels {
            Labels::Numbers(values) => Target::Values(values),
            Labels::Classes(codes) => {
                Target::Classes { codes, classes: u32::try_from(classes).map_err(crate::internal)? }
            }
        };
        Ok(tree::Table { features, target, weights: self.weights.as_deref() })
    }
}

/// The row that the model is fitted on.
fn row(call: &Call) -> Result<&Row, OperatorError> {
    match call.outputs.first().map(|port| &port.ty) {
        Some(Type::Model(model)) => Ok(&model.row),
        _ => Err(OperatorError::failed(format!(
            "`{}` was called with an output that is no model: the DAG is damaged",
            call.op
        ))),
    }
}

fn params(call: &Call) -> Result<Params, OperatorError> {
    let count = |name, low, high| {
        let count = arguments::count(call, name, low, high)?;
        u32::try_from(count).map_err(crate::internal)
    };
    let early_stop = match arguments::value(call, "early_stop")? {
        Value::None => None,
        _ => Some(count("early_stop", 1, 1_000_000)?),
    };
    let class_weight = match arguments::text(call, "class_weight")? {
        "balanced" => ClassWeight::Balanced,
        _ => ClassWeight::None,
    };
    Ok(Params {
        trees: count("trees", 1, 100_000)?,
        leaves: count("leaves", 2, 65_536)?,
        depth: count("depth", 0, 64)?,
        learning_rate: arguments::float_within(call, "learning_rate", 0.0, 1.0)?,
        min_rows: count("min_rows", 1, 1_000_000)?,
        bins: count("bins", 2, 255)?,
        l1: arguments::float_within(call, "l1", 0.0, f64::MAX)?,
        l2: arguments::float_within(call, "l2", 0.0, f64::MAX)?,
        row_share: arguments::float_within(call, "row_share", 0.0, 1.0)?,
        feature_share: arguments::float_within(call, "feature_share", 0.0, 1.0)?,
        early_stop,
        monotone: Vec::new(),
        class_weight,
        seed: arguments::int(call, "seed")?.cast_unsigned(),
    })
}

/// The label decides; a loss that is named must agree.
fn check_loss(loss: &str, label: &Label) -> Result<(), OperatorError> {
    let (fitting, description) = match &label.kind {
        LabelKind::Number => ("squared", "a number".to_owned()),
        LabelKind::Classes { classes, .. } if classes.len() == 2 => {
            ("logistic", "one of two classes".to_owned())
        }
        LabelKind::Classes { classes, .. } => ("softmax", format!("one of {} classes", classes.len())),
    };
    if loss == "auto" || loss == fitting {
        return Ok(());
    }
    Err(OperatorError::with_help(
        format!("`Loss.{loss}` does not fit the label `{}`, which is {description}", label.name),
        format!("`Loss.{fitting}` fits it, and so does `Loss.auto`"),
    ))
}
