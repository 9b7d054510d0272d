//! Calls of operators come in, tables, values and models go out.
//!
//! [`registry`] finds an operator's body by its name; [`arguments`] reads the call; then comes one
//! module for each family: [`data`] reads tables, and [`debug`] serves tests and measurements.
//! [`storage`] says how types lie in Arrow, [`tree`] trains boosted trees on plain columns.

pub mod arguments;
pub mod data;
pub mod debug;
pub mod registry;
pub mod storage;
pub mod tree;

pub use registry::StandardLibrary;

use flow_runtime::operator::OperatorError;

/// An error of a library we call that no input should reach.
fn internal(error: impl std::fmt::Display) -> OperatorError {
    OperatorError::with_help(
        format!("internal error: {error}"),
        "this is a bug of Flow; please report it with the workflow",
    )
}
