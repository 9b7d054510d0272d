//! Typed bodies and parameters in; the DAG that runs, out.
//!
//! In the order in which data visits them: [`parameters`] makes values of flags and files,
//! [`evaluate`] a DAG of a workflow's body and those values, [`one_file`] checks again what was taken
//! for two tables and is one, [`passes`] makes a smaller DAG that gives the same, [`status`] says what
//! of it the cache has. [`testing`] is for tests: what their blocks ask of the outside. The program and the machine are asked through the two traits of [`program`].
#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod error;
pub mod evaluate;
pub mod one_file;
pub mod parameters;
pub mod passes;
pub mod program;
pub mod status;
pub mod testing;

#[cfg(test)]
mod tests;
