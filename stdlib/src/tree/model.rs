//! A trained model: predicts from the same kind of columns it was trained on.

use super::bins::{BinMatrix, FeatureBins, MISSING};
use super::data::{DataError, Feature, check_features};
use super::loss::Loss;
use super::split::BinSet;
use super::threads::{Workers, for_each};

/// Rows that one work item predicts: their bins stay in a core's cache while all trees pass over them.
const PREDICT_ROWS: usize = 1 << 10;

/// An ensemble of trees. Features are known by position; the caller keeps their names and dictionaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(super) loss: Loss,
    pub(super) bins: Vec<FeatureBins>,
    /// Scores before the first tree, one per output.
    pub(super) base: Vec<f64>,
    /// Round after round, one per output in each.
    pub(super) trees: Vec<Tree>,
}

/// Inner nodes and leaves. A child below 0 is leaf `!child`; a node's children come after it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// Of [`Test::Among`].
    pub sets: Vec<BinSet>,
    /// By leaf, with the learning rate in them.
    pub values: Vec<f64>,
    /// By leaf: training rows.
    pub leaf_rows: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    pub feature: u32,
    pub test: Test,
    pub left: i32,
    pub right: i32,
    /// Decrease of twice the loss's second-order approximation.
    pub gain: f64,
}

/// Whether a bin goes left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Test {
    AtMost {
        bin: u8,
        missing_left: bool,
    },
    /// A position in [`Tree::sets`].
    Among(u32),
}

impl Model {
    pub fn loss(&self) -> Loss {
        self.loss
    }

    pub fn features(&self) -> usize {
        self.bins.len()
    }

    /// Trees in all: rounds times outputs.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// Scores, [`Loss::outputs`] for each row, row after row: the value, the log odds, or one score per class.
    pub fn predict_raw<'a>(
        &self,
        features: &[Feature],
        workers: impl Into<Workers<'a>>,
    ) -> Result<Vec<f64>, DataError> {
        self.predict_with(features, workers.into(), self.loss.outputs(), |scores, out| {
            out.copy_from_slice(scores)
        })
    }

    /// Predictions, [`Loss::predictions`] for each row, row after row: the value, or each class's probability. Zeros
    /// where the workers were stopped.
    pub fn predict<'a>(
        &self,
        features: &[Feature],
        workers: impl Into<Workers<'a>>,
    ) -> Result<Vec<f64>, DataError> {
        let width = self.loss.predictions();
        self.predict_with(features, workers.into(), width, |scores, out| self.loss.transform(scores, out))
    }

    fn predict_with(
        &self,
        features: &[Feature],
        workers: Workers<'_>,
        width: usize,
        transform: impl Fn(&[f64], &mut [f64]) + Sync,
    ) -> Result<Vec<f64>, DataError> {
        let rows = self.check(features)?;
        let mut predictions = vec![0.0; rows * width];
        let blocks = predictions.chunks_mut(PREDICT_ROWS * width).enumerate().collect();
        for_each(workers, blocks, |(block, predictions): (usize, &mut [f64])| {
            let count = predictions.len() / width;
            let scores = self.score(features, block * PREDICT_ROWS, count, workers);
            for (scores, prediction) in scores.chunks(self.base.len()).zip(predictions.chunks_mut(width)) {
                transform(scores, prediction);
            }
        });
        Ok(predictions)
    }

    fn check(&self, features: &[Feature]) -> Result<usize, DataError> {
        if features.len() != self.bins.len() {
            return Err(DataError::FeatureCount { found: features.len(), expected: self.bins.len() });
        }
        for (feature, bins) in features.iter().zip(&self.bins) {
            let (found, expected) = (feature.column.kind(), bins.kind());
            if found != expected {
                return Err(DataError::FeatureKind { name: feature.name.into(), found, expected });
            }
        }
        let rows = features.first().ok_or(DataError::NoFeatures)?.column.len();
        check_features(features, rows)?;
        Ok(rows)
    }

    fn score(&self, features: &[Feature], start: usize, rows: usize, workers: Workers<'_>) -> Vec<f64> {
        let outputs = self.base.len();
        let mut scores = self.base.repeat(rows);
        let matrix = BinMatrix::new(features, &self.bins, start, rows, self.bins.len(), workers.with(1));
        let lines = || matrix.tiles.iter().flat_map(|tile| tile.bins.chunks_exact(tile.width));
        for (position, tree) in self.trees.iter().enumerate() {
            if position.is_multiple_of(64) && workers.is_stopped() {
                break;
            }
            let scores = scores[position % outputs..].iter_mut().step_by(outputs);
            for (score, line) in scores.zip(lines()) {
                *score += tree.value_at(|feature| line[feature]);
            }
        }
        scores
    }
}

impl Tree {
    pub fn single_leaf(rows: usize) -> Self {
        Self { nodes: Vec::new(), sets: Vec::new(), values: vec![0.0], leaf_rows: vec![rows as u32] }
    }

    /// The value for a row whose bins are given by feature.
    #[inline]
    pub fn value_at(&self, bin_of: impl Fn(usize) -> u8) -> f64 {
        let mut at = if self.nodes.is_empty() { !0 } else { 0 };
        while at >= 0 {
            let node = &self.nodes[at as usize];
            let bin = bin_of(node.feature as usize);
            let goes_left = match node.test {
                // No branch: which way a row goes is hard to foresee. No bin in use is as high as MISSING.
                Test::AtMost { bin: last, missing_left } => (bin <= last) | (missing_left & (bin == MISSING)),
                Test::Among(set) => self.sets[set as usize].contains(bin),
            };
            at = [node.right, node.left][usize::from(goes_left)];
        }
        self.values[!at as usize]
    }
}
