//! What a model predicts for the rows of a table.

use arrow::array::RecordBatch;
use flow_runtime::{
    artifact::map::release,
    operator::{Context, OperatorError, Table},
};

use super::{LabelKind, Model, Payload, features};
use crate::tree::Workers;

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
    /// Where the table lacks a feature, or a feature holds an infinity or NaN; where it is cancelled.
    pub fn score(&self, op: &str, table: &Table, context: &dyn Context) -> Result<Scores, OperatorError> {
        let width = self.label.classes().len().max(1);
        let bytes = (table.rows() * width * size_of::<f64>()) as u64;
        let _reservation = context.reserve(op, "predictions", bytes)?;
        let mut scores = Scores { width, values: Vec::with_capacity(table.rows() * width) };
        let mut first_row = 0;
        for batch in &table.batches {
            scores.values.append(&mut self.score_batch(batch, first_row, context)?.values);
            first_row += batch.num_rows();
            release(batch);
        }
        // What the model needs must be there even where no row does.
        let empty = Table { schema: table.schema.clone(), batches: Vec::new() };
        features::take(&self.features, &empty, 0, context)?;
        Ok(scores)
    }

    /// Predicts for one batch of a table, whose first row is the `first_row`th.
    ///
    /// # Errors
    /// As of [`Model::score`].
    pub fn score_batch(
        &self,
        batch: &RecordBatch,
        first_row: usize,
        context: &dyn Context,
    ) -> Result<Scores, OperatorError> {
        let width = self.label.classes().len().max(1);
        let is_stopped = || context.is_cancelled();
        if is_stopped() {
            return Err(OperatorError::Cancelled);
        }
        let table = Table { schema: batch.schema(), batches: vec![batch.clone()] };
        let columns = features::take(&self.features, &table, first_row, context)?;
        if batch.num_rows() == 0 {
            return Ok(Scores { width, values: Vec::new() });
        }
        let Payload::Trees(trees) = &self.payload;
        let workers = Workers::new(context.threads(), &is_stopped);
        let values = trees
            .predict(&columns.features(), workers)
            .map_err(|error| OperatorError::failed(error.to_string()))?;
        if is_stopped() {
            return Err(OperatorError::Cancelled);
        }
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
