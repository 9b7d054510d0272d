//! Tests: what they plan, simulate and run, and what they say of it.

mod ask;
mod assertion;
mod planned;
mod settings;
mod state;

pub(super) use state::Testing;
pub use state::evaluate_test;
