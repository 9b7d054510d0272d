//! Gradient-boosted decision trees.
//!
//! Columns, a target and [`Params`] come in; a [`Model`] goes out, the same bytes for any number of threads.
//! In the order data visits them: [`data`] checks the columns, `bins` turns them into 8-bit bins, `loss` gives gradients,
//! `quantise` makes them integers, and for each tree `grow` calls `histogram` (sums per bin), `split` (the best cut) and
//! `partition` (rows of a leaf lie together); `train` repeats that, `model` predicts, `bytes` stores.
//!
//! Sources: leaf-wise growth on histograms, Ke et al. 2017 (LightGBM); integer gradients with leaf values from the
//! exact ones, Shi et al. 2022; learned direction of missing values, Chen & Guestrin 2016 (XGBoost); many-vs-many
//! categorical splits in the order of the mean response, Fisher 1958.

mod bins;
mod bytes;
mod data;
mod grow;
mod histogram;
mod loss;
mod math;
mod model;
mod params;
mod partition;
mod quantise;
mod sample;
mod split;
mod threads;
mod train;

#[cfg(test)]
mod tests;

pub use bytes::DecodeError;
pub use data::{Column, DataError, Feature, Target};
pub use loss::Loss;
pub use model::Model;
pub use params::{ClassWeight, Monotone, ParamError, Params};
pub use threads::Workers;
pub use train::{Progress, Table, TrainError, memory, train};
