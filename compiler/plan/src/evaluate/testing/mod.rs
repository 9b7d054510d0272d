//! Tests: what they plan, simulate and run, and what they say of it.
//!
//! `state` walks the block of a test. A call of `plan`, `simulate` or `run` makes a DAG of the workflow (`planned`),
//! `simulate` with what it is told (`settings`); `ask` answers for what came of it, and `assertion` says whether what
//! the test claims holds.

mod ask;
mod assertion;
mod planned;
mod settings;
mod state;

pub(super) use state::Testing;
pub use state::evaluate_test;
