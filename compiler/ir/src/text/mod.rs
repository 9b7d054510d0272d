//! The language's own spelling of types, values, expressions and DAGs, both ways.

mod dag_read;
mod dag_write;
pub(crate) mod expr;
mod expr_read;
mod expr_write;
mod node_read;
mod node_write;
mod people;
mod reference;
pub(crate) mod scan;
#[cfg(test)]
mod tests;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod words;

pub use expr::{MAX_OPERATORS, TypeScope};
pub use people::{bytes, shortened};
pub use scan::{MAX_DEPTH, SyntaxError};
pub use types::TypeSyntaxError;
