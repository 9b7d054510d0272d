//! `std.metrics.regression`.

use flow_ir::value::Value;
use flow_runtime::operator::{Call, Context, Datum, OperatorError};

use super::{
    classification::count,
    groups::{self, Group},
    sum::Sum,
};
use crate::{
    arguments,
    model::{
        file,
        labels::{self, Labels},
    },
};

/// Measures a regressor on the rows of `data`, weighted by the model's Weight column where it is there.
pub fn regression(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let model = file::read(arguments::blob(call, "model")?)?;
    let table = arguments::table(call, "data")?;
    if !model.label.classes().is_empty() {
        return Err(OperatorError::failed("the model is a Classifier, not a Regressor"));
    }
    if table.rows() == 0 {
        return Err(OperatorError::failed("there are no rows to measure the model on"));
    }
    let Labels::Numbers(labels) = labels::take(&model.label, table, context)? else {
        return Err(OperatorError::failed(format!("the label `{}` holds no numbers", model.label.name)));
    };
    let weights = labels::weights_of(&model, table)?;
    let predicted = model.score(&call.op, table, context)?.values;
    let mut fields = measures(&labels, &predicted, &weights)?;
    let of_group = |group: &Group| {
        let part = |values: &[f64]| groups::pick(values, &group.rows);
        Ok(groups::record(&group.value, measures(&part(&labels), &part(&predicted), &part(&weights))?))
    };
    let groups = groups::groups(call, table)?.iter().map(of_group).collect::<Result<_, OperatorError>>()?;
    fields.push(("groups", Value::List(groups)));
    let report = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(vec![Datum::Value(Value::Record(report))])
}

fn measures(
    labels: &[f64],
    predicted: &[f64],
    weights: &[f64],
) -> Result<Vec<(&'static str, Value)>, OperatorError> {
    let weight = weights.iter().copied().collect::<Sum>().total();
    if weight <= 0.0 {
        return Err(OperatorError::failed("the weights of all rows are 0"));
    }
    let weighted = |of: &dyn Fn(f64, f64) -> f64| {
        let rows = labels.iter().zip(predicted).zip(weights);
        rows.map(|((label, predicted), weight)| weight * of(*label, *predicted)).collect::<Sum>().total()
    };
    let squares = weighted(&|label, predicted| (label - predicted).powi(2));
    let absolutes = weighted(&|label, predicted| (label - predicted).abs());
    let mean = weighted(&|label, _| label) / weight;
    let spread = weighted(&|label, _| (label - mean).powi(2));
    let varies = labels.windows(2).any(|pair| pair.first() != pair.last());
    Ok(vec![
        ("rows", count(labels.len())),
        ("rmse", (squares / weight).sqrt().into()),
        ("mae", (absolutes / weight).into()),
        ("r2", if varies && spread > 0.0 { (1.0 - squares / spread).into() } else { Value::None }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn 1.9.1: root_mean_squared_error, mean_absolute_error and r2_score of
    // y = [3, -.5, 2, 7], p = [2.5, 0, 2, 8], sample_weight = None and [1, 2, .5, 1].
    #[test]
    fn numbers_are_measured_as_in_scikit_learn() {
        let cases = [
            ([1.0; 4], [0.6123724356957945, 0.5, 0.9486081370449679]),
            ([1.0, 2.0, 0.5, 1.0], [0.6236095644623235, 0.5555555555555556, 0.9542815674891146]),
        ];
        for (weights, expected) in cases {
            let measures = measures(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], &weights).unwrap();
            for (field, expected) in ["rmse", "mae", "r2"].into_iter().zip(expected) {
                let found = measures.iter().find(|(name, _)| *name == field);
                let Some((_, Value::Float(found))) = found else { panic!("no `{field}`") };
                assert!((found.0 - expected).abs() < 1e-12, "`{field}` is {}, not {expected}", found.0);
            }
        }
    }

    #[test]
    fn a_label_that_does_not_vary_has_no_r2() {
        let measures = measures(&[2.0, 2.0], &[1.0, 3.0], &[1.0, 1.0]).unwrap();
        assert_eq!(measures.last(), Some(&("r2", Value::None)));
    }
}
