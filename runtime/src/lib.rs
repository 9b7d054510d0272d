//! A DAG in; artifacts, events and finished runs out.
//!
//! [`operator`] is what the standard library implements and the runtime calls.
//!
//! This crate knows no syntax and no AST: the IR is all it gets.

pub mod artifact;
pub mod decide;
pub mod event;
pub mod operator;
pub mod schedule;
pub mod store;
