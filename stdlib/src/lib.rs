//! Calls of operators come in, tables, values and models go out.
//!
//! [`registry`] finds an operator's body by its name; [`arguments`] reads the call; then comes one
//! module for each family: [`data`] reads tables; [`table`] has the dataset verbs, whose expressions
//! [`query`] gives to DataFusion; [`train`] makes a [`model`] with the boosted trees of [`tree`];
//! [`metrics`] measures it; [`debug`] serves tests and measurements. [`storage`] says how types lie in
//! Arrow.

pub mod arguments;
pub mod data;
pub mod debug;
pub mod metrics;
pub mod model;
pub mod query;
pub mod registry;
pub mod storage;
pub mod table;
pub mod train;
pub mod tree;

pub use registry::StandardLibrary;

use flow_runtime::operator::{Context, OperatorError};

/// Between two steps of some work, neither of which takes long.
///
/// # Errors
/// Where nobody wants the result any more.
fn check(context: &dyn Context) -> Result<(), OperatorError> {
    if context.is_cancelled() { Err(OperatorError::Cancelled) } else { Ok(()) }
}

/// An error of a library we call that no input should reach.
fn internal(error: impl std::fmt::Display) -> OperatorError {
    OperatorError::with_help(
        format!("internal error: {error}"),
        "this is a bug of Flow; please report it with the workflow",
    )
}
