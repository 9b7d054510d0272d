//! What serves in `test` blocks alone: `assert`, `plan`, `simulate`, `run`, and what may be asked of what they give.
//!
//! [`body`] checks a test's block, [`calls`] the three functions, [`members`] the fields and functions behind a dot.
//! The types in [`known`] have no name that a program could write: they are records with a name of their own, and go
//! through every other rule as such.

mod body;
mod calls;
mod known;
mod members;

pub(super) use body::check_test;
pub(super) use calls::{is_test_function, test_function_names};
pub(super) use known::words_of;
