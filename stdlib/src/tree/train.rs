//! Boosting: gradients, a tree on them, scores, again.

use std::ops::ControlFlow;

use super::bins::{self, BinMatrix, FeatureBins};
use super::data::{Column, DataError, Feature, Target, check_features, check_target, check_weights};
use super::grow::{Grower, Grown};
use super::histogram::{self, MAX_TILE_WIDTH};
use super::loss::{Loss, Objective, Scores, Turn};
use super::model::{Model, Tree};
use super::params::{Monotone, ParamError, Params};
use super::quantise::{MAX_ROWS, Quantised, quantise};
use super::sample::{Random, share_of};
use super::split::Bounds;
use super::threads::{Workers, for_each};

/// Streams of [`Random`]: rows of round i, features of tree i.
const ROW_STREAM: u64 = 1 << 32;
const FEATURE_STREAM: u64 = 2 << 32;

/// Rows with their target.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    pub features: &'a [Feature<'a>],
    pub target: Target<'a>,
    /// 0 or more, one per row.
    pub weights: Option<&'a [f64]>,
}

/// Where training stands, after each round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
    /// Mean squared error or logloss on the validation rows.
    pub validation_loss: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Param(#[from] ParamError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("in the validation data: {0}")]
    Validation(DataError),
    #[error("`early_stop` needs validation data")]
    NoValidation,
    #[error("the validation data's label is of another kind than that of the training data")]
    ValidationTarget,
    #[error("`monotone` names {found} features of {expected}")]
    MonotoneLength { found: usize, expected: usize },
    #[error("`{name}` is categorical and has no order that `monotone` could hold it to")]
    MonotoneCategory { name: String },
    #[error("`monotone` needs a number or two classes to predict; the label has {classes} classes")]
    MonotoneClasses { classes: u32 },
    #[error("training was cancelled")]
    Cancelled,
}

/// Trains a model. The result depends on data and parameters alone, byte for byte, not on `threads`.
///
/// `progress` is called before the first round and after each; [`ControlFlow::Break`] ends training with
/// [`TrainError::Cancelled`]; so do workers that are stopped, at once.
pub fn train<'w>(
    data: &Table,
    validation: Option<&Table>,
    params: &Params,
    workers: impl Into<Workers<'w>>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Model, TrainError> {
    params.check()?;
    let rows = check_table(data)?;
    if let Some(validation) = validation {
        check_validation(data, validation)?;
    }
    if params.early_stop.is_some() && validation.is_none() {
        return Err(TrainError::NoValidation);
    }
    let objective = Objective::new(data.target, data.weights, params.class_weight);
    if objective.classes_present().is_some_and(|classes| classes < 2) {
        return Err(DataError::OneClass.into());
    }

    check_monotone(data.features, objective.loss, &params.monotone)?;

    let workers = workers.into();
    let bins = bins::fit(data.features, data.weights, params.bins as usize, workers);
    let tile_width = data.features.len().div_ceil(workers.threads).clamp(1, MAX_TILE_WIDTH);
    let matrix = BinMatrix::new(data.features, &bins, 0, rows, tile_width, workers);
    let base = objective.base();
    let mut held_out = validation.map(|table| HeldOut::new(table, &bins, &base, workers));
    let mut scores = Scores::new(objective.loss, &base, rows);
    let mut model = Model { loss: objective.loss, bins: bins.clone(), base, trees: Vec::new() };

    // The trees of one round stand on the same scores, so that whole trees are what threads share first.
    let outputs = objective.loss.outputs();
    let worker_count = workers.threads.min(outputs);
    let mut growers: Vec<Worker> = (0..worker_count)
        .map(|_| {
            Worker::new(&objective, &matrix, &bins, params, workers.with(workers.threads / worker_count))
        })
        .collect();
    let mut report =
        |done, validation_loss| match progress(Progress { done, total: params.trees, validation_loss }) {
            ControlFlow::Continue(()) if !workers.is_stopped() => Ok(()),
            _ => Err(TrainError::Cancelled),
        };
    report(0, None)?;
    for round in 0..params.trees {
        let sample = sample_rows(params, round, rows);
        scores.refresh(workers);
        let mut trees = vec![Tree::single_leaf(0); outputs];
        let mut turns: Vec<Turn> = scores.turns(&mut trees).collect();
        let shares = growers.iter_mut().zip(turns.chunks_mut(outputs.div_ceil(worker_count)));
        for_each(workers, shares.collect(), |(worker, turns)| {
            turns.iter_mut().for_each(|turn| worker.grow(turn, round, &sample));
        });
        let has_grown = trees.iter().any(|tree| !tree.nodes.is_empty());
        if let Some(held_out) = &mut held_out {
            held_out.add(&trees, workers);
        }
        model.trees.append(&mut trees);
        let validation_loss = held_out.as_mut().map(|held_out| held_out.loss(round + 1, workers));
        report(round + 1, validation_loss)?;
        // With all rows and features each further round would stand before the same gradients.
        let is_stuck = !has_grown && params.row_share == 1.0 && params.feature_share == 1.0;
        let has_converged = match (&held_out, params.early_stop) {
            (Some(held_out), Some(patience)) => round + 1 - held_out.best_round >= patience,
            _ => false,
        };
        if is_stuck || has_converged {
            break;
        }
    }
    if let (Some(held_out), Some(_)) = (&held_out, params.early_stop) {
        model.trees.truncate(held_out.best_round as usize * outputs);
    }
    Ok(model)
}

/// How many bytes training holds at most, beside the columns that it is given. No part of it can go to a disk: every
/// tree reads all bins.
pub fn memory(rows: usize, features: usize, classes: usize, params: &Params, threads: usize) -> u64 {
    let outputs = if classes > 2 { classes } else { 1 };
    let growers = threads.clamp(1, outputs);
    let bins = features;
    let scores = 2 * outputs * size_of::<f64>();
    let grower = 2 * size_of::<f64>() + size_of::<Quantised>() + 3 * size_of::<u32>();
    let histograms = growers * histogram::memory(features, params.leaves as usize);
    (rows * (bins + scores + growers * grower) + histograms) as u64
}

/// Grows one tree after the other.
#[derive(Debug)]
struct Worker<'a> {
    objective: &'a Objective<'a>,
    matrix: &'a BinMatrix,
    params: &'a Params,
    workers: Workers<'a>,
    gradients: Vec<f64>,
    hessians: Vec<f64>,
    quantised: Vec<Quantised>,
    grower: Grower<'a>,
}

impl<'a> Worker<'a> {
    fn new(
        objective: &'a Objective,
        matrix: &'a BinMatrix,
        bins: &'a [FeatureBins],
        params: &'a Params,
        workers: Workers<'a>,
    ) -> Self {
        let rows = matrix.rows();
        Self {
            objective,
            matrix,
            params,
            workers,
            gradients: vec![0.0; rows],
            hessians: vec![0.0; rows],
            quantised: vec![Quantised::default(); rows],
            grower: Grower::new(matrix, bins, params, workers),
        }
    }

    /// Grows the tree of one output and adds it to that output's scores.
    fn grow(&mut self, turn: &mut Turn, round: u32, sample: &[u32]) {
        let Self { objective, matrix, params, workers, gradients, hessians, quantised, grower } = self;
        objective.derivatives(turn, gradients, hessians, *workers);
        let scale = quantise(gradients, hessians, quantised, *workers);
        let tree_number = u64::from(round) * objective.loss.outputs() as u64 + turn.output as u64;
        let allowed = sample_features(params, tree_number, matrix.features());
        let mut rows = sample.to_vec();
        let Grown { mut tree, leaves, bounds } = grower.grow(&mut rows, quantised, scale, &allowed);
        if !tree.nodes.is_empty() {
            let pieces: Vec<&[u32]> = leaves.iter().map(|leaf| &rows[leaf.clone()]).collect();
            let leaves: Vec<_> = pieces.iter().copied().zip(bounds).collect();
            // Bounds are quotients of integer units.
            let unit = scale.hessian / scale.gradient;
            set_leaf_values(&mut tree, &leaves, unit, (gradients, hessians), params, *workers);
            add_to_scores(&tree, &pieces, matrix, sample, turn.scores);
        }
        *turn.tree = tree;
    }
}

/// Validation rows, their scores, and the round in which they fitted best.
#[derive(Debug)]
struct HeldOut<'a> {
    objective: Objective<'a>,
    matrix: BinMatrix,
    scores: Scores,
    best_round: u32,
    best_loss: f64,
}

impl<'a> HeldOut<'a> {
    fn new(table: &Table<'a>, bins: &[FeatureBins], base: &[f64], workers: Workers<'_>) -> Self {
        let objective = Objective::new(table.target, table.weights, super::ClassWeight::None);
        let rows = table.features[0].column.len();
        // One tile, so that a row's bins lie together for the walk.
        let matrix = BinMatrix::new(table.features, bins, 0, rows, bins.len(), workers);
        let mut scores = Scores::new(objective.loss, base, rows);
        scores.refresh(workers);
        let best_loss = objective.mean_loss(&scores, workers);
        Self { objective, matrix, scores, best_round: 0, best_loss }
    }

    fn add(&mut self, trees: &[Tree], workers: Workers<'_>) {
        let tile = &self.matrix.tiles[0];
        let workers = workers.one_if(tile.bins.len() < 100_000);
        for_each(workers, trees.iter().zip(&mut self.scores.outputs).collect(), |(tree, scores)| {
            for (score, row) in scores.iter_mut().zip(tile.bins.chunks_exact(tile.width)) {
                *score += tree.value_at(|feature| row[feature]);
            }
        });
    }

    fn loss(&mut self, round: u32, workers: Workers<'_>) -> f64 {
        self.scores.refresh(workers);
        let loss = self.objective.mean_loss(&self.scores, workers);
        if loss < self.best_loss {
            (self.best_round, self.best_loss) = (round, loss);
        }
        loss
    }
}

fn check_table(table: &Table) -> Result<usize, DataError> {
    let rows = table.features.first().ok_or(DataError::NoFeatures)?.column.len();
    if rows == 0 {
        return Err(DataError::NoRows);
    }
    if rows > MAX_ROWS {
        return Err(DataError::TooManyRows(rows));
    }
    check_features(table.features, rows)?;
    check_target(&table.target, rows)?;
    check_weights(table.weights, rows)?;
    Ok(rows)
}

fn check_validation(data: &Table, validation: &Table) -> Result<(), TrainError> {
    check_table(validation).map_err(TrainError::Validation)?;
    let (found, expected) = (validation.features.len(), data.features.len());
    if found != expected {
        return Err(TrainError::Validation(DataError::FeatureCount { found, expected }));
    }
    for (feature, trained) in validation.features.iter().zip(data.features) {
        let (found, expected) = (feature.column.kind(), trained.column.kind());
        if found != expected {
            let name = feature.name.into();
            return Err(TrainError::Validation(DataError::FeatureKind { name, found, expected }));
        }
    }
    match (data.target, validation.target) {
        (Target::Values(_), Target::Values(_)) => Ok(()),
        (Target::Classes { classes, .. }, Target::Classes { classes: other, .. }) if classes == other => {
            Ok(())
        }
        _ => Err(TrainError::ValidationTarget),
    }
}

fn check_monotone(features: &[Feature], loss: Loss, monotone: &[Monotone]) -> Result<(), TrainError> {
    if !monotone.is_empty() && monotone.len() != features.len() {
        return Err(TrainError::MonotoneLength { found: monotone.len(), expected: features.len() });
    }
    for (feature, &direction) in features.iter().zip(monotone) {
        match (direction, feature.column, loss) {
            (Monotone::Free, ..) => {}
            (_, Column::Categorical { .. }, _) => {
                return Err(TrainError::MonotoneCategory { name: feature.name.into() });
            }
            (.., Loss::Softmax { classes }) => return Err(TrainError::MonotoneClasses { classes }),
            _ => {}
        }
    }
    Ok(())
}

fn sample_rows(params: &Params, round: u32, rows: usize) -> Vec<u32> {
    let count = share_of(params.row_share, rows);
    if count == rows {
        return (0..rows as u32).collect();
    }
    Random::new(params.seed, ROW_STREAM + u64::from(round)).choose(count, rows)
}

fn sample_features(params: &Params, tree: u64, features: usize) -> Vec<u32> {
    let count = share_of(params.feature_share, features);
    Random::new(params.seed, FEATURE_STREAM + tree).choose(count, features)
}

/// Newton's step for each leaf, from the exact gradients (Shi et al. 2022, section 4.3), summed in the order of the rows.
fn set_leaf_values(
    tree: &mut Tree,
    leaves: &[(&[u32], Bounds)],
    unit: f64,
    (gradients, hessians): (&[f64], &[f64]),
    params: &Params,
    workers: Workers<'_>,
) {
    let workers = workers.one_if(gradients.len() < 100_000);
    for_each(workers, tree.values.iter_mut().zip(leaves).collect(), |(value, (rows, bounds))| {
        let (mut gradient, mut hessian) = (0.0, 0.0);
        for &row in *rows {
            gradient += gradients[row as usize];
            hessian += hessians[row as usize];
        }
        let shrunk = (f64::abs(gradient) - params.l1).max(0.0).copysign(gradient);
        let weight: f64 = hessian + params.l2;
        let step = if weight > 0.0 { -shrunk / weight } else { 0.0 };
        *value = params.learning_rate * (bounds.clamp(step / unit) * unit);
    });
}

/// Sampled rows know their leaf; the others walk the tree.
fn add_to_scores(tree: &Tree, leaves: &[&[u32]], matrix: &BinMatrix, sample: &[u32], scores: &mut [f64]) {
    for (value, rows) in tree.values.iter().zip(leaves) {
        for &row in *rows {
            scores[row as usize] += value;
        }
    }
    if sample.len() == scores.len() {
        return;
    }
    let mut sampled = sample.iter().peekable();
    for (row, score) in scores.iter_mut().enumerate() {
        if sampled.next_if(|&&next| next as usize == row).is_none() {
            *score += tree.value_at(|feature| {
                let (tile, place) = matrix.locate(feature);
                tile.bins[row * tile.width + place]
            });
        }
    }
}
