//! How good a model is.
//!
//! [`classification`] and [`regression`] are the operators: tables with labels and predictions in, a report out. Both
//! take a report for each value of a column (`groups`) and add up in the order of the rows (`sum`); `curves` has the
//! areas under curves.

pub mod classification;
mod curves;
mod groups;
pub mod regression;
mod sum;
