//! Syntax trees in; diagnostics and typed bodies out.
//!
//! [`body`] is what the planner reads: expressions with every name resolved, every default filled
//! in and every type known.
#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod body;
pub mod signature;
pub mod ty;
