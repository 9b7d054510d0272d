//! `std.table.predict`: a model's predictions beside the columns they were made from.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use flow_runtime::{
    artifact::map::release,
    operator::{Call, Context, Datum, OperatorError},
};

use super::columns::{batch, column_index};
use crate::{
    arguments,
    model::{LabelKind, Model, file, score::Scores},
    storage,
};

/// Adds `prediction`: the number, or the most probable class. A classifier also adds `probability`: of
/// two classes that of the positive one, of more that of the predicted one.
pub fn predict(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let model = file::read(arguments::blob(call, "model")?)?;
    let prefix = arguments::text(call, "prefix")?;
    let schema = storage::schema(arguments::output_row(call, 0)?)?;
    let mut predicted = context.table(schema.clone());
    let mut first_row = 0;
    for from in &table.batches {
        let scores = model.score_batch(from, first_row, context)?;
        let added = [
            (format!("{prefix}prediction"), Some(predictions(&model, &scores))),
            (format!("{prefix}probability"), probabilities(&model, &scores)),
        ];
        let columns =
            schema.fields().iter().map(|field| match added.iter().find(|(name, _)| name == field.name()) {
                Some((_, Some(column))) => Ok(column.clone()),
                _ => column_index(&table.schema, field.name()).map(|column| from.column(column).clone()),
            });
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        predicted.push(batch(&schema, columns, from.num_rows())?)?;
        first_row += from.num_rows();
        release(from);
    }
    Ok(vec![predicted.finish()?])
}

fn predictions(model: &Model, scores: &Scores) -> ArrayRef {
    let LabelKind::Classes { classes, is_bool, .. } = &model.label.kind else {
        return Arc::new(Float64Array::from(scores.values.clone()));
    };
    let predicted = scores.predicted_classes().map(|class| classes.get(class));
    if *is_bool {
        let predicted = predicted.map(|class| class.map(|class| class == "true"));
        Arc::new(BooleanArray::from_iter(predicted))
    } else {
        Arc::new(StringArray::from_iter(predicted))
    }
}

fn probabilities(model: &Model, scores: &Scores) -> Option<ArrayRef> {
    if model.label.classes().is_empty() {
        return None;
    }
    let positive = model.positive_of_two();
    let rows = scores.values.chunks_exact(scores.width).zip(scores.predicted_classes());
    let probabilities = rows.filter_map(|(row, predicted)| row.get(positive.unwrap_or(predicted)));
    Some(Arc::new(Float64Array::from_iter_values(probabilities.copied())))
}
