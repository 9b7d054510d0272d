//! How good a model is.

pub mod classification;
mod curves;
pub mod regression;
mod sum;
