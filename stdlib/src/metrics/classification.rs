//! `std.metrics.classification`.

use std::borrow::Cow;

use flow_ir::{expr::math, value::Value};
use flow_runtime::operator::{Call, Context, Datum, OperatorError};

use super::{
    curves::{Areas, Ranked, areas},
    groups::{self, Group},
    sum::Sum,
};
use crate::{
    arguments, check,
    model::{
        file,
        labels::{self, Labels},
    },
};

/// Probabilities are held this far from 0 and 1, so that the logloss of a row stays finite; the same as
/// in scikit-learn.
const CLIP: f64 = f64::EPSILON;

/// Measures a classifier on the rows of `data`, weighted by the model's Weight column where it is there.
pub fn classification(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let model = file::read(arguments::blob(call, "model")?)?;
    let table = arguments::table(call, "data")?;
    if model.label.classes().is_empty() {
        return Err(OperatorError::failed("the model is a Regressor, not a Classifier"));
    }
    if table.rows() == 0 {
        return Err(OperatorError::failed("there are no rows to measure the model on"));
    }
    let Labels::Classes(labels) = labels::take(&model.label, table, context)? else {
        return Err(OperatorError::failed(format!("the label `{}` holds no classes", model.label.name)));
    };
    check(context)?;
    let scores = model.score(&call.op, table, context)?;
    let predicted = scores.predicted_classes().collect();
    let measured = Measured {
        classes: model.label.classes(),
        positive: model.positive_of_two(),
        labels: labels.into_iter().map(|label| label as usize).collect(),
        predicted,
        probabilities: scores.values.into(),
        weights: labels::weights_of(&model, table)?,
        is_stopped: &|| context.is_cancelled(),
    };
    let report = measured.report(&groups::groups(call, table)?)?;
    check(context)?;
    Ok(vec![Datum::Value(report)])
}

/// Rows with what they are and what was predicted.
struct Measured<'a> {
    classes: &'a [String],
    positive: Option<usize>,
    labels: Vec<usize>,
    predicted: Vec<usize>,
    /// One for each class, row after row.
    probabilities: Cow<'a, [f64]>,
    weights: Vec<f64>,
    /// Once it says so, what is measured means nothing.
    is_stopped: &'a dyn Fn() -> bool,
}

/// Rows between two looks at whether anybody still wants the report.
const CHECK_ROWS: usize = 1 << 14;

impl Measured<'_> {
    fn report(&self, groups: &[Group]) -> Result<Value, OperatorError> {
        let mut fields = self.measures()?;
        let classes = Value::List(self.classes.iter().map(|class| class.as_str().into()).collect());
        fields.insert(1, ("classes", classes));
        fields.push(("confusion", self.confusion()));
        let groups =
            groups.iter().map(|group| Ok(groups::record(&group.value, self.part(&group.rows).measures()?)));
        fields.push(("groups", Value::List(groups.collect::<Result<_, OperatorError>>()?)));
        Ok(Value::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    /// These rows alone.
    fn part(&self, rows: &[usize]) -> Measured<'_> {
        let width = self.classes.len();
        let of_row = |row: &usize| self.probabilities.get(row * width..(row + 1) * width).unwrap_or_default();
        Measured {
            classes: self.classes,
            positive: self.positive,
            labels: groups::pick(&self.labels, rows),
            predicted: groups::pick(&self.predicted, rows),
            probabilities: rows.iter().flat_map(of_row).copied().collect::<Vec<f64>>().into(),
            weights: groups::pick(&self.weights, rows),
            is_stopped: self.is_stopped,
        }
    }

    fn measures(&self) -> Result<Vec<(&'static str, Value)>, OperatorError> {
        let weight = self.weights.iter().copied().collect::<Sum>().total();
        if weight <= 0.0 {
            return Err(OperatorError::failed("the weights of all rows are 0"));
        }
        let logloss = self.logloss() / weight;
        let areas = self.areas();
        let area = |of: fn(&Areas) -> f64| areas.as_ref().map_or(Value::None, |areas| of(areas).into());
        Ok(vec![
            ("rows", count(self.labels.len())),
            ("accuracy", (self.correct() / weight).into()),
            ("f1", self.f1().into()),
            ("logloss", logloss.into()),
            ("normalized_entropy", (logloss / self.entropy(weight)).into()),
            ("auc", area(|areas| areas.roc)),
            ("pr_auc", area(|areas| areas.precision_recall)),
        ])
    }

    fn rows(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let labels = self.labels.iter().copied();
        labels
            .zip(self.predicted.iter().copied())
            .zip(&self.weights)
            .map(|((label, predicted), weight)| (label, predicted, *weight))
            .zip(0_usize..)
            .take_while(|(_, row)| !row.is_multiple_of(CHECK_ROWS) || !(self.is_stopped)())
            .map(|(row, _)| row)
    }

    fn correct(&self) -> f64 {
        let correct = self.rows().filter(|(label, predicted, _)| label == predicted);
        correct.map(|(.., weight)| weight).collect::<Sum>().total()
    }

    /// The sum over the rows.
    fn logloss(&self) -> f64 {
        let of_labels = self.probabilities.chunks_exact(self.classes.len()).zip(&self.labels);
        let losses = of_labels.zip(self.rows()).map(|((probabilities, label), (.., weight))| {
            let probability = probabilities.get(*label).copied().unwrap_or_default();
            -weight * math::log(probability.clamp(CLIP, 1.0 - CLIP))
        });
        losses.collect::<Sum>().total()
    }

    /// Of the labels' base rates: the logloss of a model that knows these alone. Dividing by it makes
    /// the normalized entropy of He et al. 2014, "Practical Lessons from Predicting Clicks on Ads".
    fn entropy(&self, weight: f64) -> f64 {
        let rates = (0..self.classes.len()).map(|class| {
            let of_class = self.rows().filter(|(label, ..)| *label == class);
            of_class.map(|(.., weight)| weight).collect::<Sum>().total() / weight
        });
        let terms = rates.filter(|rate| *rate > 0.0).map(|rate| -rate * math::log(rate));
        terms.collect::<Sum>().total()
    }

    /// Of two classes that of the positive one; else the mean over the classes that occur.
    fn f1(&self) -> f64 {
        let of_class = |class: usize| {
            let (mut hits, mut mentions) = (Sum::default(), Sum::default());
            for (label, predicted, weight) in self.rows() {
                if label == class && predicted == class {
                    hits.add(weight);
                }
                mentions.add(weight * f64::from(u8::from(label == class) + u8::from(predicted == class)));
            }
            (mentions.total() > 0.0).then(|| 2.0 * hits.total() / mentions.total())
        };
        match self.positive {
            Some(positive) => of_class(positive).unwrap_or_default(),
            None => mean((0..self.classes.len()).filter_map(of_class)).unwrap_or_default(),
        }
    }

    /// Of two classes those of the positive one; else the mean over the classes that occur.
    fn areas(&self) -> Option<Areas> {
        let of_class = |class: usize| {
            let scores = self.probabilities.chunks_exact(self.classes.len());
            let rows = scores.zip(self.rows()).map(|(probabilities, (label, _, weight))| Ranked {
                score: probabilities.get(class).copied().unwrap_or_default(),
                is_positive: label == class,
                weight,
            });
            areas(rows.collect(), self.is_stopped)
        };
        if let Some(positive) = self.positive {
            return of_class(positive);
        }
        let of_classes: Vec<Areas> = (0..self.classes.len()).filter_map(of_class).collect();
        let roc = mean(of_classes.iter().map(|areas| areas.roc))?;
        let precision_recall = mean(of_classes.iter().map(|areas| areas.precision_recall))?;
        Some(Areas { roc, precision_recall })
    }

    /// Rows of class i that were predicted as class j; counted, not weighted.
    fn confusion(&self) -> Value {
        let classes = self.classes.len();
        let mut counts = vec![0_usize; classes * classes];
        for (label, predicted, _) in self.rows() {
            if let Some(cell) = counts.get_mut(label * classes + predicted) {
                *cell += 1;
            }
        }
        let row = |row: &[usize]| Value::List(row.iter().map(|cell| count(*cell)).collect());
        Value::List(counts.chunks_exact(classes).map(row).collect())
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 classes")]
    let mean = values.iter().copied().collect::<Sum>().total() / values.len() as f64;
    (!values.is_empty()).then_some(mean)
}

pub(super) fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(classes: &[&str], labels: &[usize], probabilities: &[f64], weights: &[f64]) -> Value {
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        let scores = crate::model::score::Scores { width: classes.len(), values: probabilities.to_vec() };
        let measured = Measured {
            positive: (classes.len() == 2).then_some(1),
            labels: labels.to_vec(),
            predicted: scores.predicted_classes().collect(),
            probabilities: probabilities.into(),
            is_stopped: &|| false,
            weights: if weights.is_empty() { vec![1.0; labels.len()] } else { weights.to_vec() },
            classes: &classes,
        };
        let groups = [Group { value: Value::from("all"), rows: (0..labels.len()).collect() }];
        measured.report(&groups).unwrap()
    }

    fn float(report: &Value, field: &str) -> f64 {
        match report.field(field) {
            Some(Value::Float(value)) => value.0,
            other => panic!("`{field}` is {other:?}"),
        }
    }

    fn expect(report: &Value, expected: &[(&str, f64)]) {
        for (field, expected) in expected {
            let found = float(report, field);
            assert!((found - expected).abs() < 1e-12, "`{field}` is {found}, not {expected}");
        }
    }

    fn confusion(rows: &[&[i64]]) -> Value {
        let row = |row: &&[i64]| Value::List(row.iter().map(|count| Value::Int(*count)).collect());
        Value::List(rows.iter().map(row).collect())
    }

    // scikit-learn 1.9.1 with y, p, w as below:
    //     P = np.c_[1 - p, p]; yh = p > .5
    //     accuracy_score(y, yh, sample_weight=w), f1_score(y, yh, sample_weight=w),
    //     log_loss(y, P, sample_weight=w), roc_auc_score(y, p, sample_weight=w),
    //     average_precision_score(y, p, sample_weight=w), confusion_matrix(y, yh)
    // and normalized entropy as log_loss / -(b ln b + (1-b) ln(1-b)), b = np.average(y, weights=w).
    const LABELS: [usize; 8] = [0, 1, 1, 0, 1, 0, 1, 1];
    const POSITIVE: [f64; 8] = [0.1, 0.4, 0.35, 0.8, 0.9, 0.35, 0.6, 0.0];

    #[test]
    fn two_classes_are_measured_as_in_scikit_learn() {
        let probabilities: Vec<f64> = POSITIVE.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let plain = report(&["no", "yes"], &LABELS, &probabilities, &[]);
        let expected = [
            ("accuracy", 0.5),
            ("f1", 0.5),
            ("logloss", 5.096441716137273),
            ("normalized_entropy", 7.7036349999245815),
            ("auc", 0.5666666666666667),
            ("pr_auc", 0.7416666666666667),
        ];
        expect(&plain, &expected);
        assert_eq!(plain.field("rows"), Some(&Value::Int(8)));
        assert_eq!(plain.field("confusion"), Some(&confusion(&[&[2, 1], &[3, 2]])));

        let weights = [1.0, 2.0, 1.0, 0.5, 1.0, 3.0, 0.0, 1.0];
        let weighted = report(&["no", "yes"], &LABELS, &probabilities, &weights);
        let expected = [
            ("accuracy", 0.5263157894736842),
            ("f1", 0.3076923076923077),
            ("logloss", 4.340404811913075),
            ("normalized_entropy", 6.27442379940701),
            ("auc", 0.6666666666666666),
            ("pr_auc", 0.7547869674185463),
        ];
        expect(&weighted, &expected);
        assert_eq!(weighted.field("confusion"), plain.field("confusion"));
    }

    // f1_score(y, yh, average="macro"), roc_auc_score(y, P, multi_class="ovr", average="macro"),
    // average_precision_score(np.eye(3)[y], P, average="macro"); the others as above.
    #[test]
    fn several_classes_are_measured_as_in_scikit_learn() {
        let probabilities = [
            [0.7, 0.2, 0.1],
            [0.2, 0.5, 0.3],
            [0.1, 0.3, 0.6],
            [0.5, 0.1, 0.4],
            [0.3, 0.4, 0.3],
            [0.4, 0.45, 0.15],
        ];
        let report = report(&["a", "b", "c"], &[0, 1, 2, 2, 1, 0], probabilities.as_flattened(), &[]);
        let expected = [
            ("accuracy", 0.6666666666666666),
            ("f1", 0.6555555555555556),
            ("logloss", 0.7182533239811889),
            ("normalized_entropy", 0.6537823501427927),
            ("auc", 0.9166666666666666),
            ("pr_auc", 0.8888888888888888),
        ];
        expect(&report, &expected);
        assert_eq!(report.field("confusion"), Some(&confusion(&[&[1, 1, 0], &[0, 2, 0], &[1, 0, 1]])));
    }

    #[test]
    fn a_group_of_all_rows_is_measured_as_they_are() {
        let report = report(&["no", "yes"], &LABELS, &POSITIVE.map(|p| [1.0 - p, p]).concat(), &[]);
        let Some(Value::List(groups)) = report.field("groups") else { panic!("no groups") };
        let [group] = groups.as_slice() else { panic!("{groups:?}") };
        assert_eq!(group.field("value"), Some(&Value::from("all")));
        for field in ["rows", "accuracy", "f1", "logloss", "normalized_entropy", "auc", "pr_auc"] {
            assert_eq!(group.field(field), report.field(field), "{field}");
        }
    }

    #[test]
    fn one_class_alone_has_no_areas() {
        let report = report(&["no", "yes"], &[1, 1], &[0.5, 0.5, 0.25, 0.75], &[]);
        assert_eq!(report.field("auc"), Some(&Value::None));
        assert_eq!(report.field("pr_auc"), Some(&Value::None));
        assert_eq!(float(&report, "normalized_entropy"), f64::INFINITY);
    }
}
