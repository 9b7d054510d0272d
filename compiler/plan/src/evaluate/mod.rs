//! A workflow and its parameters in; the DAG as the text says it, out.
//!
//! Typed bodies are interpreted. What is known folds to constants, calls of operators make nodes, and
//! what hangs on columns or futures becomes expressions.

mod apart;
mod call;
mod control;
mod evaluator;
mod fold;
pub(crate) mod fuel;
mod list;
mod lower;
mod names;
mod path;
mod reader;
mod region;
mod scalar;
mod testing;
mod value;

pub use evaluator::{default_value, evaluate};
pub use path::{from_folder, relative_to};
pub use testing::evaluate_test;

#[cfg(test)]
mod tests;
