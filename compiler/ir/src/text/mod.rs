//! The language's own spelling of types, values, expressions and DAGs, both ways.

pub(crate) mod expr;
pub(crate) mod scan;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod words;

pub use expr::{MAX_OPERATORS, TypeScope};
pub use scan::{MAX_DEPTH, SyntaxError};
pub use types::TypeSyntaxError;
