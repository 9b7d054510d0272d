//! Losses: first and second derivatives by score, the score to start from, and scores to predictions.

use super::data::Target;
use super::math::{exp, ln, sigmoid};
use super::model::Tree;
use super::params::ClassWeight;
use super::threads::{ROW_BLOCK, Workers, for_each};

/// A class that training never saw starts from this probability.
const MIN_PRIOR: f64 = 1e-15;

/// What a model's scores mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// (y - s)^2 / 2; the score is the prediction.
    SquaredError,
    /// Two classes; the score is the log odds of class 1.
    Logistic,
    /// One score per class; probabilities are their softmax.
    Softmax { classes: u32 },
}

/// A loss with the data it is measured on.
#[derive(Debug)]
pub(super) struct Objective<'a> {
    pub loss: Loss,
    target: Target<'a>,
    /// Sample weight times class weight; None where all are 1.
    weights: Option<Vec<f64>>,
}

/// Scores of all rows, for each output apart, and buffers for what follows from them.
#[derive(Debug)]
pub(super) struct Scores {
    pub outputs: Vec<Vec<f64>>,
    /// Softmax alone: probabilities in the shape of `outputs`.
    probabilities: Vec<Vec<f64>>,
}

/// What the growing of one output's tree reads and changes.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub output: usize,
    pub scores: &'a mut [f64],
    /// Softmax alone: of this output's class.
    probabilities: Option<&'a [f64]>,
    pub tree: &'a mut Tree,
}

impl Loss {
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Values(_) => Loss::SquaredError,
            Target::Classes { classes: 0..=2, .. } => Loss::Logistic,
            Target::Classes { classes, .. } => Loss::Softmax { classes: *classes },
        }
    }

    /// Scores per row, and trees per round.
    pub fn outputs(&self) -> usize {
        match self {
            Loss::SquaredError | Loss::Logistic => 1,
            Loss::Softmax { classes } => *classes as usize,
        }
    }

    /// Numbers per row that a prediction has: the value, or each class's probability.
    pub fn predictions(&self) -> usize {
        match self {
            Loss::SquaredError => 1,
            Loss::Logistic => 2,
            Loss::Softmax { classes } => *classes as usize,
        }
    }

    /// One row's scores to its prediction.
    pub(super) fn transform(&self, scores: &[f64], prediction: &mut [f64]) {
        match self {
            Loss::SquaredError => prediction.copy_from_slice(scores),
            Loss::Logistic => {
                for (pair, &score) in prediction.chunks_exact_mut(2).zip(scores) {
                    pair[1] = sigmoid(score);
                    pair[0] = sigmoid(-score);
                }
            }
            Loss::Softmax { .. } => {
                prediction.copy_from_slice(scores);
                softmax(prediction);
            }
        }
    }
}

impl<'a> Objective<'a> {
    pub fn new(target: Target<'a>, weights: Option<&[f64]>, class_weight: ClassWeight) -> Self {
        let loss = Loss::of(&target);
        let weights = match (target, class_weight) {
            (Target::Classes { codes, classes }, ClassWeight::Balanced) => {
                let totals = class_totals(codes, classes, weights);
                let present = totals.iter().filter(|&&total| total > 0.0).count() as f64;
                let mean = totals.iter().sum::<f64>() / present;
                let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
                Some(
                    codes
                        .iter()
                        .enumerate()
                        .map(|(row, &code)| weight(row) * mean / totals[code as usize])
                        .collect(),
                )
            }
            _ => weights.map(<[f64]>::to_vec),
        };
        let weights = weights.map(|mut weights: Vec<f64>| {
            // A class of weight 0 has total 0.
            weights.iter_mut().filter(|weight| !weight.is_finite()).for_each(|weight| *weight = 0.0);
            weights
        });
        Self { loss, target, weights }
    }

    /// How many classes rows of positive weight have; None for values.
    pub fn classes_present(&self) -> Option<usize> {
        match self.target {
            Target::Values(_) => None,
            Target::Classes { codes, classes } => {
                let totals = class_totals(codes, classes, self.weights.as_deref());
                Some(totals.iter().filter(|&&total| total > 0.0).count())
            }
        }
    }

    /// The constant scores with the lowest loss.
    pub fn base(&self) -> Vec<f64> {
        let weights = self.weights.as_deref();
        match self.target {
            Target::Values(values) => {
                let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
                let total: f64 = (0..values.len()).map(weight).sum();
                // From the first value on, so that the mean of a constant is that constant.
                let first = values.first().copied().unwrap_or(0.0);
                let above: f64 =
                    values.iter().enumerate().map(|(row, value)| (value - first) * weight(row)).sum();
                vec![first + above / total]
            }
            Target::Classes { codes, classes } => {
                let totals = class_totals(codes, classes, weights);
                let total: f64 = totals.iter().sum();
                let log_prior: Vec<f64> =
                    totals.iter().map(|class| ln((class / total).max(MIN_PRIOR))).collect();
                match self.loss {
                    Loss::Logistic => {
                        vec![
                            log_prior.get(1).copied().unwrap_or(0.0)
                                - log_prior.first().copied().unwrap_or(0.0),
                        ]
                    }
                    _ => log_prior,
                }
            }
        }
    }

    /// Gradients and hessians of one output.
    pub fn derivatives(
        &self,
        turn: &Turn,
        gradients: &mut [f64],
        hessians: &mut [f64],
        workers: Workers<'_>,
    ) {
        let output = turn.output;
        let current = turn.probabilities.unwrap_or(turn.scores);
        let blocks: Vec<_> = gradients
            .chunks_mut(ROW_BLOCK)
            .zip(hessians.chunks_mut(ROW_BLOCK))
            .zip(current.chunks(ROW_BLOCK))
            .enumerate()
            .collect();
        for_each(workers, blocks, |(block, ((gradients, hessians), current))| {
            let rows = block * ROW_BLOCK..block * ROW_BLOCK + gradients.len();
            let slots = gradients.iter_mut().zip(hessians.iter_mut()).zip(current);
            match self.target {
                Target::Values(values) => {
                    for (((gradient, hessian), score), value) in slots.zip(&values[rows.clone()]) {
                        (*gradient, *hessian) = (score - value, 1.0);
                    }
                }
                Target::Classes { codes, .. } if self.loss == Loss::Logistic => {
                    for (((gradient, hessian), &score), &code) in slots.zip(&codes[rows.clone()]) {
                        let probability = sigmoid(score);
                        *gradient = probability - f64::from(code);
                        *hessian = probability * (1.0 - probability);
                    }
                }
                Target::Classes { codes, classes } => {
                    // Friedman 2001, eq. 39: the classes' scores move together, by (K - 1) / K.
                    let factor = f64::from(classes) / (f64::from(classes) - 1.0);
                    for (((gradient, hessian), &probability), &code) in slots.zip(&codes[rows.clone()]) {
                        *gradient = probability - f64::from(u8::from(code as usize == output));
                        *hessian = factor * probability * (1.0 - probability);
                    }
                }
            }
            if let Some(weights) = &self.weights {
                for ((gradient, hessian), weight) in gradients.iter_mut().zip(hessians).zip(&weights[rows]) {
                    *gradient *= weight;
                    *hessian *= weight;
                }
            }
        });
    }

    /// Weighted mean loss: squared error, or logloss. `scores` are fresh.
    pub fn mean_loss(&self, scores: &Scores, workers: Workers<'_>) -> f64 {
        let rows = scores.outputs[0].len();
        let mut sums = vec![(0.0, 0.0); rows.div_ceil(ROW_BLOCK)];
        for_each(workers, sums.iter_mut().enumerate().collect(), |(block, sum)| {
            for row in block * ROW_BLOCK..rows.min((block + 1) * ROW_BLOCK) {
                let weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
                let score = scores.outputs[0][row];
                let loss = match self.target {
                    Target::Values(values) => (values[row] - score) * (values[row] - score),
                    Target::Classes { codes, .. } if self.loss == Loss::Logistic => {
                        let margin = if codes[row] == 1 { score } else { -score };
                        (-margin).max(0.0) + ln(1.0 + exp(-margin.abs()))
                    }
                    Target::Classes { codes, .. } => {
                        -ln(scores.probabilities[codes[row] as usize][row].max(MIN_PRIOR))
                    }
                };
                sum.0 += weight * loss;
                sum.1 += weight;
            }
        });
        let (loss, weight) = sums.into_iter().fold((0.0, 0.0), |all, sum| (all.0 + sum.0, all.1 + sum.1));
        loss / weight
    }
}

impl Scores {
    pub fn new(loss: Loss, base: &[f64], rows: usize) -> Self {
        let outputs: Vec<Vec<f64>> = base.iter().map(|&score| vec![score; rows]).collect();
        let probabilities = if loss.outputs() > 1 { outputs.clone() } else { Vec::new() };
        Self { outputs, probabilities }
    }

    /// By output; `trees` has one place for each.
    pub fn turns<'a>(&'a mut self, trees: &'a mut [Tree]) -> impl Iterator<Item = Turn<'a>> {
        let probabilities = &self.probabilities;
        self.outputs.iter_mut().zip(trees).enumerate().map(move |(output, (scores, tree))| {
            let probabilities = probabilities.get(output).map(Vec::as_slice);
            Turn { output, scores, probabilities, tree }
        })
    }

    /// Brings what follows from the scores up to date.
    pub fn refresh(&mut self, workers: Workers<'_>) {
        // By block of rows: the probabilities of each output.
        let mut blocks: Vec<Vec<&mut [f64]>> = Vec::new();
        for probabilities in &mut self.probabilities {
            let pieces = probabilities.chunks_mut(ROW_BLOCK);
            blocks.resize_with(pieces.len(), Vec::new);
            pieces.zip(&mut blocks).for_each(|(piece, block)| block.push(piece));
        }
        for_each(workers, blocks.into_iter().enumerate().collect(), |(block, mut probabilities)| {
            let mut row = vec![0.0; probabilities.len()];
            for place in 0..probabilities[0].len() {
                for (slot, scores) in row.iter_mut().zip(&self.outputs) {
                    *slot = scores[block * ROW_BLOCK + place];
                }
                softmax(&mut row);
                probabilities.iter_mut().zip(&row).for_each(|(slot, &value)| slot[place] = value);
            }
        });
    }
}

fn softmax(scores: &mut [f64]) {
    let highest = scores.iter().fold(f64::NEG_INFINITY, |highest, &score| highest.max(score));
    scores.iter_mut().for_each(|score| *score = exp(*score - highest));
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// The weight of each class.
fn class_totals(codes: &[u32], classes: u32, weights: Option<&[f64]>) -> Vec<f64> {
    let mut totals = vec![0.0; classes as usize];
    for (row, &code) in codes.iter().enumerate() {
        totals[code as usize] += weights.map_or(1.0, |weights| weights[row]);
    }
    totals
}
