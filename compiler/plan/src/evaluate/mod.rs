//! A workflow and its parameters in; the DAG as the text says it, out.
//!
//! Typed bodies are interpreted by the `evaluator`, which has one rule for each form of expression. `reader` binds
//! the parameters, `path` says where their files lie. What comes of an expression is a `value`: what is known folds
//! to a constant (`fold`, `scalar`, `list`), a `call` of an operator makes a node, `control` makes those that run a
//! `region`, and what hangs on columns or futures becomes an expression. `lower` writes a value as the DAG has it,
//! `names` gives nodes their ids. `fuel` bounds all of it.
//!
//! `testing` interprets the blocks of tests in the same way, and plans the workflows they call `apart`.

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
