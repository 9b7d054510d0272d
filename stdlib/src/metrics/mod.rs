//! How good a model is.

pub mod classification;
mod curves;
mod groups;
pub mod regression;
mod sum;
