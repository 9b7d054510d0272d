//! What a model predicts for the rows of a table.

use flow_runtime::operator::{OperatorError, Table};

use super::{LabelKind, Model, Payload, features};

/// Predictions, row by row.
#[derive(Debug)]
pub struct Scores {
    /// Numbers for each row: 1 of a regressor, else one probability for each class.
    pub width: usize,
    pub values: Vec<f64>,
}

impl Model {
    /// Predicts, the same for any number of threads.
    ///
    /// # Errors
    /// Where the table lacks a feature, or a feature holds an infinity or NaN.
    pub fn score(&self, table: &Table, threads: usize) -> Result<Scores, OperatorError> {
        let width = self.label.classes().len().max(1);
        let columns = features::take(&self.features, table)?;
        if table.rows() == 0 {
            return Ok(Scores { width, values: Vec::new() });
        }
        let Payload::Trees(trees) = &self.payload;
        let values = trees
            .predict(&columns.features(), threads)
            .map_err(|error| OperatorError::failed(error.to_string()))?;
        Ok(Scores { width, values })
    }

    /// Whether it is a classifier of two classes, and which is the positive one.
    pub fn positive_of_two(&self) -> Option<usize> {
        match &self.label.kind {
            LabelKind::Classes { classes, positive, .. } if classes.len() == 2 => Some(*positive),
            _ => None,
        }
    }
}

impl Scores {
    /// The most probable class of each row; of equally probable ones the first.
    pub fn predicted_classes(&self) -> impl Iterator<Item = usize> {
        self.values.chunks_exact(self.width).map(|row| {
            let best = row.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (class, probability)| {
                if *probability > best.1 { (class, *probability) } else { best }
            });
            best.0
        })
    }
}
